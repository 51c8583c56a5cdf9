/* api.c - a request of the control socket finds its handler. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "server/admin.h"

static const struct api_row {
    const char *noun, *verb;
    void (*handler)(struct admin *a, const struct call *c);
} rows[] = {
#define API(noun, verb, handler) {noun, verb, handler},
#include "server/api/api.def"
#undef API
};

#define N_ROWS (sizeof(rows) / sizeof(*rows))

static const struct api_row *find(struct text noun, struct text verb)
{
    bool is_entity = directory_entity_find(noun) >= 0;

    for (size_t i = 0; i < N_ROWS; i++)
        if (text_is(verb, rows[i].verb) &&
            (text_is(noun, rows[i].noun) || (is_entity && rows[i].noun[0] == '*')))
            return &rows[i];
    return NULL;
}

bool api_knows(struct text noun, struct text verb)
{
    return find(noun, verb) != NULL;
}

static bool all_strings(const json_t *values)
{
    const char *key;
    json_t *value;
    size_t i;

    json_object_foreach((json_t *)values, key, value) if (!json_is_string(value)) return false;
    json_array_foreach(values, i, value) if (!json_is_string(value)) return false;
    return true;
}

/* The member of that type, an empty one when it is missing; NULL when it is of another type. */
static json_t *member(json_t *request, const char *name, json_t *take_empty)
{
    json_t *value = json_object_get(request, name);

    if (!value) {
        json_object_set_new(request, name, take_empty);
        return take_empty;
    }
    json_decref(take_empty);
    return json_is_object(value) || json_is_array(value) ? value : NULL;
}

/* NULL, or what is wrong with the request. */
static const char *take_apart(struct call *c)
{
    const char *name = json_string_value(json_object_get(c->request, "name"));

    c->noun = json_string_value(json_object_get(c->request, "noun"));
    c->verb = json_string_value(json_object_get(c->request, "verb"));
    c->name = name ? name : "";
    c->fields = member(c->request, "fields", json_object());
    c->options = member(c->request, "options", json_object());
    c->names = member(c->request, "names", json_array());
    c->full = json_is_true(json_object_get(c->options, "full"));
    if (!c->noun)
        return "\"noun\" is missing.";
    if (!json_is_object(c->fields) || !all_strings(c->fields))
        return "\"fields\" must be an object of strings.";
    if (!json_is_object(c->options))
        return "\"options\" must be an object.";
    if (!json_is_array(c->names) || !all_strings(c->names))
        return "\"names\" must be an array of strings.";
    if (!c->verb)
        c->verb = "";
    return NULL;
}

static void wait_for_directory(struct admin *a, const struct call *c)
{
    if (a->n_early < MAX_EARLY)
        a->early[a->n_early++] = (struct early){c->who, json_incref(c->request)};
    else
        admin_refuse(a, c->who, "The database is not open yet; try again.");
}

void api_early(struct admin *a, bool refuse)
{
    size_t n = a->n_early;

    a->n_early = 0;
    for (size_t i = 0; i < n; i++) {
        struct early e = a->early[i];

        if (!refuse) {
            api_request(a, e.who, e.request);
            continue;
        }
        admin_refuse(a, e.who, "The database is not open yet; the server log says why.");
        json_decref(e.request);
    }
}

bool api_plans(struct text noun, const char *verb)
{
    static const char *const verbs[] = {"add",  "set",   "delete",  "copy", "adopt",
                                        "bulk", "reset", "restart", "apply"};

    if (text_is(noun, "config") || text_is(noun, "service"))
        return false;
    for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
        if (!strcmp(verb, verbs[i]))
            return true;
    return false;
}

static void carry_out(struct admin *a, const struct api_row *row, const struct call *c)
{
    bool plans = json_object_get(c->options, "plan");

    if (plans && !api_plans(text_of(c->noun), c->verb)) {
        admin_refuse(a, c->who, "\"%.40s %.40s\" cannot be planned.", c->noun, c->verb);
        return;
    }
    a->plans = plans;
    row->handler(a, c);
    a->plans = false;
}

static void dispatch(struct admin *a, struct call *c)
{
    const char *wrong = take_apart(c);
    const struct api_row *row;

    if (wrong) {
        admin_refuse(a, c->who, "%s", wrong);
        return;
    }
    row = find(text_of(c->noun), text_of(c->verb));
    if (!row)
        admin_refuse(a, c->who, "This server does not know \"%.40s %.40s\".", c->noun, c->verb);
    else if (!a->thread->directory)
        wait_for_directory(a, c);
    else
        carry_out(a, row, c);
}

void api_request(struct admin *a, uint64_t who, json_t *take_request)
{
    struct call c = {.who = who, .request = take_request};

    if (take_request)
        dispatch(a, &c);
    else
        admin_refuse(a, who, "A request is one JSON object on one line.");
    json_decref(take_request);
}

/* --- passwords --- */

struct waiting {
    uint64_t who;
    json_t *request;
};

bool api_hashes_password(struct admin *a, const struct call *c)
{
    struct text password = call_text(json_object_get(c->fields, "password"));
    struct waiting *w;

    if (!password.len || password_is_hash(password))
        return false;
    w = malloc(sizeof(*w));
    if (w)
        *w = (struct waiting){c->who, json_incref(c->request)};
    if (!w || passwords_hash(a->passwords, password, w) < 0)
        admin_refuse(a, c->who, "The server is short of memory.");
    return true;
}

void api_password_done(void *admin, void *what, const char *hash)
{
    struct admin *a = admin;
    struct waiting w = *(struct waiting *)what;

    free(what);
    if (hash) {
        json_object_set_new(json_object_get(w.request, "fields"), "password", json_string(hash));
        api_request(a, w.who, w.request);
    } else {
        admin_refuse(a, w.who, "The password cannot be made a hash.");
        json_decref(w.request);
    }
}

/* --- helpers of the handlers --- */

const char *call_option(const struct call *c, const char *name)
{
    const char *s = json_string_value(json_object_get(c->options, name));

    return s ? s : "";
}

size_t call_limit(const struct call *c)
{
    json_int_t n = json_integer_value(json_object_get(c->options, "limit"));

    return n < 1 || n > MAX_PAGE ? MAX_PAGE : (size_t)n;
}

struct text call_text(json_t *value)
{
    return (struct text){json_is_string(value) ? json_string_value(value) : "",
                         json_string_length(value)};
}

json_t *admin_time(uint64_t us, bool full)
{
    time_t seconds = (time_t)(us / 1000000), now = (time_t)(server_wall_us() / 1000000);
    struct tm tm, today;
    char s[32];

    if (!us)
        return json_null();
    if (full) {
        gmtime_r(&seconds, &tm);
        strftime(s, sizeof(s), "%Y-%m-%dT%H:%M:%SZ", &tm);
        return json_string(s);
    }
    localtime_r(&seconds, &tm);
    localtime_r(&now, &today);
    strftime(s, sizeof(s),
             tm.tm_year == today.tm_year && tm.tm_yday == today.tm_yday ? "%H:%M:%S"
                                                                        : "%Y-%m-%d %H:%M",
             &tm);
    return json_string(s);
}

void admin_duration(uint64_t us, char to[static 24])
{
    unsigned long long s = us / 1000000;

    if (s >= 86400)
        snprintf(to, 24, "%llu d %llu h", s / 86400, s / 3600 % 24);
    else if (s >= 3600)
        snprintf(to, 24, "%llu h %llu min", s / 3600, s / 60 % 60);
    else if (s >= 60)
        snprintf(to, 24, "%llu min", s / 60);
    else
        snprintf(to, 24, "%llu s", s);
}

struct device_name phone_name(struct text typed)
{
    struct device_name name = device_name_of(text_trim(typed));
    struct mac mac;

    if (!mac_parse(text_trim(typed), &mac))
        return device_name_of_mac(mac);
    for (char *s = name.s; *s; s++)
        *s = (char)toupper((unsigned char)*s);
    return name;
}

void note(json_t *answer, const char *format, ...)
{
    char sentence[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(sentence, sizeof(sentence), format, arguments);
    va_end(arguments);
    if (!json_object_get(answer, "notes"))
        json_object_set_new(answer, "notes", json_array());
    json_array_append_new(json_object_get(answer, "notes"), json_of(text_of(sentence)));
}

bool filter_fits(struct text wanted, struct text value)
{
    bool any_end = wanted.len && wanted.at[wanted.len - 1] == '*',
         any_begin = wanted.len > 1 && wanted.at[0] == '*';

    wanted = text_skip(wanted, any_begin);
    wanted.len -= any_end;
    if (any_begin && any_end)
        return text_contains_nocase(value, wanted);
    if (value.len < wanted.len)
        return false;
    if (any_end)
        value.len = wanted.len;
    else if (any_begin)
        value = text_skip(value, value.len - wanted.len);
    return text_equal_nocase(wanted, value);
}

bool word_is_one_of(const char *word, const char *words)
{
    struct text rest = text_of(words);

    while (rest.at)
        if (text_is(text_split(&rest, ' '), word))
            return true;
    return false;
}

void nearest(struct text word, const char *candidate, const char **best, unsigned *distance)
{
    unsigned limit = word.len > 4 ? 3 : 2, d;

    if (word.len > 32 || strlen(candidate) > 32)
        return;
    d = text_distance(word, text_of(candidate), limit);
    if (d < limit && (!*best || d < *distance)) {
        *best = candidate;
        *distance = d;
    }
}
