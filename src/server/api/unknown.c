/* unknown.c - phones that boot here and nobody added: who they are, what they may be a typing
 * error of, and how they are adopted (BOOT-2). */
#include <stdio.h>
#include <stdlib.h>

#include "core/models.h"
#include "server/api/lists.h"

#define MAX_NEAR    3
#define MAX_STRANGE 4096

static const char *last_file(struct admin *a, const struct progress_phone *p, char to[static 32])
{
    struct progress_step steps[PROGRESS_STEPS];

    to[0] = 0;
    for (size_t i = progress_steps(a->progress, p, steps); i-- > 0;)
        if (steps[i].stage >= PROGRESS_FILE_ASKED && steps[i].stage <= PROGRESS_FILE_BROKEN) {
            text_copy(to, 32, text_of(steps[i].detail));
            break;
        }
    return to;
}

/* Phones whose label may have been typed wrong: those that are registered are no typing error. */
static json_t *near_names(struct admin *a, struct device_name name)
{
    struct device_name near[32];
    size_t n = progress_near(device_is_known, a, name, near, 32);
    json_t *names = json_array();

    for (size_t i = 0; i < n && json_array_size(names) < MAX_NEAR; i++)
        if (!phone_is_registered(a, text_of(near[i].s)))
            json_array_append_new(names, json_string(near[i].s));
    return names;
}

static json_t *unknown_row(struct admin *a, const struct progress_phone *p, bool full)
{
    const struct device_status *d = status_find(a->status, text_of(p->name.s));
    const struct model *m = model_find(p->model);
    char ip[IP_TEXT_MAX], mac[MAC_TEXT_MAX], file[32];
    struct mac own;

    return json_pack("[o, s, s, s, o, i, o, o, o, o, s, s]", json_of(text_of(p->name.s)),
                     m ? m->name : "", ip_is_any(p->ip) ? "" : ip_print(p->ip, ip),
                     device_name_mac(p->name, &own) == 0 ? mac_print(own, mac) : "",
                     json_of(text_of(progress_port(p))), (int)p->tries,
                     json_of(text_of(last_file(a, p, file))), admin_time(p->last_us, full),
                     admin_time(progress_first_us(p), full), near_names(a, p->name),
                     progress_stage_titles[p->boot.outcome], d ? status_reason(d) : "");
}

static const char *const unknown_columns[] = {
    "name",      "model",     "address",    "mac",       "port",  "tries",
    "last_file", "last_seen", "first_seen", "near_miss", "stage", "refused_for"};
/* What fits the 80 columns of a terminal. */
static const char *const unknown_usual[] = {"name",  "model",     "address",   "port",
                                            "tries", "last_file", "last_seen", "near_miss"};

static bool is_usual(const char *name)
{
    for (size_t i = 0; i < sizeof(unknown_usual) / sizeof(*unknown_usual); i++)
        if (!strcmp(name, unknown_usual[i]))
            return true;
    return false;
}

#define N_UNKNOWN_COLUMNS (sizeof(unknown_columns) / sizeof(*unknown_columns))

static json_t *unknown_page(struct admin *a, const struct call *c,
                            const struct progress_phone **phones, size_t n)
{
    bool all = c->full || call_option(c, "columns")[0];
    size_t first = strtoul(call_option(c, "after"), NULL, 10), i;
    json_t *columns = json_array(), *rows = json_array(), *answer;

    for (size_t k = 0; k < N_UNKNOWN_COLUMNS; k++)
        if (all || is_usual(unknown_columns[k]))
            json_array_append_new(columns, json_string(unknown_columns[k]));
    for (i = first; i < n && json_array_size(rows) < call_limit(c); i++) {
        json_t *row = unknown_row(a, phones[i], c->full);

        for (size_t k = N_UNKNOWN_COLUMNS; k-- > 0;)
            if (!all && !is_usual(unknown_columns[k]))
                json_array_remove(row, k);
        if (row_fits(row, c))
            json_array_append(rows, row);
        json_decref(row);
    }
    answer = json_pack("{s:o, s:o, s:i}", "columns", columns, "rows", rows, "total", (int)n);
    if (i < n)
        json_object_set_new(answer, "next", json_sprintf("%zu", i));
    return answer;
}

void api_unknown_list(struct admin *a, const struct call *c)
{
    const struct progress_phone **phones = calloc(MAX_STRANGE, sizeof(*phones));

    if (!phones) {
        admin_refuse(a, c->who, "The server is short of memory.");
        return;
    }
    admin_answer(a, c->who,
                 unknown_page(a, c, phones, progress_unknown(a->progress, phones, MAX_STRANGE)));
    free(phones);
}

/* --- adopting --- */

/* Where a phone goes when it leaves quarantine and nobody said where: as auto-registration without
 * quarantine would have put it. */
static const char *place_of(const struct directory *dir, const struct phone *p)
{
    const struct model *m = model_find((uint32_t)p->model);
    const struct autoregistration *r = NULL;
    const struct defaults *d;
    char key[64];

    while ((r = directory_next(dir, ENTITY_autoregistration, text_of(r ? r->name : ""))))
        if (*r->pool && !strcmp(r->quarantine_pool, p->pool))
            return r->pool;
    snprintf(key, sizeof(key), "%s/%s", m ? m->name : "",
             names_print(device_protocols, p->protocol));
    d = directory_find(dir, ENTITY_defaults, text_of(key));
    return d && *d->pool ? d->pool : "Default";
}

/* A phone in quarantine has its number; it gets its pool and what that allows (REG-3). */
static void leave_quarantine(struct admin *a, const struct call *c, const struct phone *p)
{
    const struct directory *dir = a->thread->directory;
    struct text given = call_text(json_object_get(c->fields, "pool"));
    struct text pool = given.len ? given : text_of(place_of(dir, p));
    const struct device_pool *place = directory_find(dir, ENTITY_device_pool, pool);
    struct change *change = change_new();
    json_t *answer = json_object();

    change_set(change, ENTITY_phone, text_of(p->name));
    change_field(change, TEXT("quarantine"), TEXT("false"));
    change_field(change, TEXT("pool"), pool);
    change_field(change, TEXT("css"), text_of(place ? place->css : ""));
    change_fields(change, c->fields);
    note(answer, "Phone adopted: %s left quarantine for pool %.*s.", p->name, TEXT_ARG(pool));
    if (phone_is_registered(a, text_of(p->name)))
        note(answer, "Reset it to make the change work: dialtone phone reset %s", p->name);
    admin_change(a, c->who, change, answer);
}

/* Why a phone cannot be adopted, said to the asker; false when it can. */
static bool refuses_adoption(struct admin *a, const struct call *c, struct device_name name,
                             const struct progress_phone *seen)
{
    if (device_is_known(a, name))
        admin_refuse(
            a, c->who,
            "%s is in the database already; change it with: dialtone phone set %s FIELD=VALUE",
            name.s, name.s);
    else if (!seen)
        admin_refuse(a, c->who,
                     "No phone %s was seen here; add it with: dialtone phone add %s model=MODEL",
                     name.s, name.s);
    else if (!seen->model && !json_object_get(c->fields, "model"))
        admin_refuse(a, c->who,
                     "%s has not told its model yet; say it: dialtone unknown adopt %s model=MODEL",
                     name.s, name.s);
    else
        return false;
    return true;
}

void api_unknown_adopt(struct admin *a, const struct call *c)
{
    struct device_name name = phone_name(text_of(c->name));
    const struct phone *phone = directory_phone(a->thread->directory, text_of(name.s));
    const struct progress_phone *seen = progress_find(a->progress, name);
    const struct model *m = seen ? model_find(seen->model) : NULL;
    struct change *change;
    json_t *answer;
    char model[16];

    if (phone && phone->quarantine) {
        leave_quarantine(a, c, phone);
        return;
    }
    if (refuses_adoption(a, c, name, seen))
        return;
    change = change_new();
    change_add(change, ENTITY_phone, text_of(name.s));
    snprintf(model, sizeof(model), "%u", seen->model);
    if (!json_object_get(c->fields, "model"))
        change_field(change, TEXT("model"), text_of(m ? m->name : model));
    if (seen->protocol == PROTOCOL_SIP && !json_object_get(c->fields, "protocol"))
        change_field(change, TEXT("protocol"), TEXT("sip"));
    change_fields(change, c->fields);
    answer = done_answer("added:", ENTITY_phone, text_of(name.s));
    note(answer, "It registers at its next try.");
    admin_change(a, c->who, change, answer);
}
