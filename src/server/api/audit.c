/* audit.c - the audit log, and tokens for programs. */
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/grow.h"
#include "server/api/lists.h"
#include "server/events/audit.h"

/* --- the log --- */

static const char *const columns[] = {"time", "who",  "from",   "noun",
                                      "verb", "name", "result", "changes"};

#define N_COLUMNS (sizeof(columns) / sizeof(*columns))

struct page {
    const struct call *call;
    json_t *rows;
    char since[32], until[32];
};

static void put_value(struct grow *to, const json_t *value)
{
    char *text = json_is_string(value) ? NULL : json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

    grow_string(to, json_is_string(value) ? json_string_value(value) : text ? text : "");
    free(text);
}

/* "description: old -> new" of all records. */
static json_t *in_words(const json_t *changes)
{
    struct grow text = {0};
    json_t *row, *field, *value;
    const char *name;
    size_t i;

    json_array_foreach(changes, i, row)
    {
        field = json_object_get(row, "fields");
        json_object_foreach(field, name, value)
        {
            grow_format(&text, "%s%s: ", text.len ? ", " : "", name);
            put_value(&text, json_object_get(value, "old"));
            grow_string(&text, " -> ");
            put_value(&text, json_object_get(value, "new"));
        }
    }
    value = json_of((struct text){text.at ? text.at : "", text.len});
    grow_done(&text);
    return value;
}

static json_t *row_of(const json_t *entry, bool full)
{
    json_t *row = json_array(), *changes = json_object_get(entry, "changes");

    for (size_t i = 0; i + 1 < N_COLUMNS; i++)
        json_array_append(row, json_object_get(entry, columns[i]));
    json_array_append_new(row, full ? (changes ? json_incref(changes) : json_array())
                                    : in_words(changes));
    return row;
}

static bool fits(const struct page *p, const json_t *row)
{
    const char *name;
    json_t *wanted;

    json_object_foreach(
        p->call->fields, name,
        wanted) for (size_t i = 0; i < N_COLUMNS;
                     i++) if (!strcmp(name, columns[i]) &&
                              !value_fits(json_array_get(row, i), call_text(wanted))) return false;
    return row_fits(row, p->call);
}

static bool on_entry(void *context, const json_t *entry)
{
    struct page *p = context;
    const char *time = json_string_value(json_object_get(entry, "time"));
    json_t *row;

    if (!time || (*p->until && strcmp(time, p->until) > 0))
        return true;
    if (*p->since && strcmp(time, p->since) < 0)
        return false; /* the rest is older */
    row = row_of(entry, p->call->full);
    if (fits(p, row))
        json_array_append(p->rows, row);
    json_decref(row);
    return json_array_size(p->rows) < call_limit(p->call);
}

/* As it stands in the log. False: it is no time, and the refusal is out. */
static bool take_time(struct admin *a, const struct call *c, const char *option, char to[static 32])
{
    uint64_t us = 0;
    json_t *stamp;

    to[0] = 0;
    if (!*call_option(c, option))
        return true;
    if (!admin_parse_time(text_of(call_option(c, option)), &us)) {
        admin_refuse(a, c->who,
                     "\"%s\" is no time: 90s, 30m, 12h, 7d, 2026-11-21 or 2026-11-21T04:00.",
                     call_option(c, option));
        return false;
    }
    stamp = admin_time(us, true);
    text_copy(to, 32, call_text(stamp));
    json_decref(stamp);
    return true;
}

static bool columns_exist(struct admin *a, const struct call *c)
{
    const char *name;
    json_t *value;

    json_object_foreach(c->fields, name, value)
    {
        bool known = false;

        for (size_t i = 0; i < N_COLUMNS; i++)
            known = known || !strcmp(name, columns[i]);
        if (!known) {
            admin_refuse(a, c->who, "The audit log has no column \"%s\".", name);
            return false;
        }
    }
    return true;
}

void api_audit_list(struct admin *a, const struct call *c)
{
    struct page p = {.call = c};
    json_t *names;

    if (!columns_exist(a, c) || !take_time(a, c, "since", p.since) ||
        !take_time(a, c, "until", p.until))
        return;
    p.rows = json_array();
    names = json_array();
    for (size_t i = 0; i < N_COLUMNS; i++)
        json_array_append_new(names, json_string(columns[i]));
    audit_walk(a->audit, on_entry, &p);
    admin_answer(a, c->who, json_pack("{s:o, s:o}", "columns", names, "rows", p.rows));
}

/* --- tokens --- */

#define SECRET_BYTES 32

/* "dt_" and 64 digits; what is kept is its SHA-256. */
static bool make_token(char token[static 72], char hash[static 65])
{
    uint8_t bytes[SECRET_BYTES], digest[32];

    if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
        return false;
    memcpy(token, "dt_", 4);
    for (size_t i = 0; i < sizeof(bytes); i++)
        snprintf(token + 3 + 2 * i, 3, "%02x", bytes[i]);
    SHA256((const uint8_t *)token, strlen(token), digest);
    for (size_t i = 0; i < sizeof(digest); i++)
        snprintf(hash + 2 * i, 3, "%02x", digest[i]);
    return true;
}

void api_token_add(struct admin *a, const struct call *c)
{
    char token[72], hash[65], key[DIRECTORY_KEY_MAX];
    struct text name = entity_key(ENTITY_api_token, text_of(c->name), key);
    struct change *change;
    json_t *answer;

    if (strcmp(c->verb, "add") != 0) {
        admin_refuse(a, c->who, "A token is not copied; add another one.");
        return;
    }
    if (json_object_get(c->fields, "hash")) {
        admin_refuse(a, c->who, "The token is made by the server, and told once.");
        return;
    }
    if (!make_token(token, hash)) {
        admin_refuse_as(a, c->who, 503, "The system gives no random bytes.");
        return;
    }
    change = change_new();
    change_add(change, ENTITY_api_token, name);
    change_fields(change, c->fields);
    change_field(change, TEXT("hash"), text_of(hash));
    answer = done_answer("added:", ENTITY_api_token, name);
    json_object_set_new(answer, "token", json_string(token));
    note(answer, "The token, told only now: %s", token);
    admin_change(a, c->who, change, answer);
}
