/* plan.c - what a change does: record by record, old and new; and which phones must be reset for it
 * to work (ADM-2). */
#include "server/api/plan.h"

#include <stdlib.h>

#include "core/settings.h"
#include "server/api/lists.h"

/* --- old and new --- */

static json_t *value_of(const void *record, const struct directory_field *f)
{
    struct column whole = {f->name, f, NULL, NULL};

    return record ? column_value(NULL, &whole, record, true) : json_null();
}

/* A secret is never told, but that it is another. */
static bool secret_differs(const void *before, const void *after, const struct directory_field *f)
{
    char one[DIRECTORY_SCRATCH], other[DIRECTORY_SCRATCH];

    return f->kind == FIELD_SECRET && before && after &&
           !text_equal(directory_value(before, f, one), directory_value(after, f, other));
}

/* What is new of a record that was not there: all that is no default. */
static bool is_worth_telling(const void *before, const void *after, const struct directory_field *f)
{
    const void *only = before ? after : after ? after : before;

    return (before && after) || f->kind == FIELD_LIST || !only || !directory_is_default(only, f);
}

static json_t *fields_of(const void *before, const void *after)
{
    const struct directory_field *f =
        directory_entity(record_entity(after ? after : before))->fields;
    json_t *fields = json_object();

    for (; f->name; f++) {
        json_t *old = value_of(before, f), *new = value_of(after, f);

        if (secret_differs(before, after, f) ||
            (!json_equal(old, new) && is_worth_telling(before, after, f)))
            json_object_set_new(fields, f->name, json_pack("{s:O, s:O}", "old", old, "new", new));
        json_decref(old);
        json_decref(new);
    }
    return fields;
}

static json_t *row_of(const struct delta_row *r)
{
    const void *record = r->after ? r->after : r->before;
    char key[DIRECTORY_KEY_MAX];
    struct text name = {key, directory_key(record, key)};

    return json_pack("{s:s, s:o, s:s, s:o}", "noun", directory_entity(record_entity(record))->noun,
                     "name", json_of(name), "action",
                     !r->before  ? "add"
                     : !r->after ? "delete"
                                 : "set",
                     "fields", fields_of(r->before, r->after));
}

json_t *plan_changes(const struct delta *d)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < d->n && i < PLAN_ROWS; i++)
        json_array_append_new(rows, row_of(&d->rows[i]));
    return rows;
}

/* --- who must be reset --- */

/* Fields of a phone that name a record of that entity; the pool's stand in for those left empty. */
static bool phone_names(const struct phone *p, const struct device_pool *pool, enum entity e,
                        const char *key)
{
    switch (e) {
    case ENTITY_device_pool:
        return !strcmp(p->pool, key);
    case ENTITY_template:
        return !strcmp(p->template, key) || !*p->template;
    case ENTITY_softkeys:
        return !strcmp(*p->softkeys ? p->softkeys : pool ? pool->softkeys : "", key);
    case ENTITY_location:
        return !strcmp(*p->location ? p->location : pool ? pool->location : "", key);
    case ENTITY_callmanager_group:
        return pool && !strcmp(pool->group, key);
    case ENTITY_datetime:
        return pool && !strcmp(pool->datetime, key);
    case ENTITY_region:
        return pool && !strcmp(pool->region, key);
    case ENTITY_sip_profile:
        return p->protocol != PROTOCOL_SCCP && (!strcmp(p->sip_profile, key) || !*p->sip_profile);
    case ENTITY_security_profile:
        return !strcmp(p->security_profile, key) || !*p->security_profile;
    case ENTITY_dial_rules:
        return !strcmp(p->dial_rules, key);
    case ENTITY_callmanager:
    case ENTITY_server_node:
    case ENTITY_defaults:
    case ENTITY_parameter:
        return true;
    default:
        return false;
    }
}

static bool parameter_needs_reset(const char *name)
{
    int s = setting_find(text_of(name));

    return s >= 0 && setting_rows[s].needs_reset;
}

struct resets {
    struct admin *a;
    json_t *names;
    size_t n;
    json_t *seen;
};

static void add_reset(struct resets *r, const char *name)
{
    if (!phone_is_registered(r->a, text_of(name)) || json_object_get(r->seen, name))
        return;
    json_object_set_new(r->seen, name, json_true());
    r->n++;
    if (json_array_size(r->names) < PLAN_NAMES)
        json_array_append_new(r->names, json_string(name));
}

static void add_line_users(struct resets *r, struct text line)
{
    const struct phone *p = NULL;

    while ((p = directory_line_user(r->a->thread->directory, line, p ? p->name : "")))
        add_reset(r, p->name);
}

static void add_users_of(struct resets *r, enum entity e, const char *key)
{
    const struct directory *dir = r->a->thread->directory;
    const struct phone *p = NULL;

    while ((p = directory_next(dir, ENTITY_phone, text_of(p ? p->name : ""))))
        if (phone_names(p, directory_find(dir, ENTITY_device_pool, text_of(p->pool)), e, key))
            add_reset(r, p->name);
}

/* A new record has no users yet. */
static void add_row(struct resets *r, const struct delta_row *row)
{
    const void *record = row->before ? row->before : row->after;
    enum entity e = record_entity(record);
    char key[DIRECTORY_KEY_MAX];
    struct text name = {key, directory_key(record, key)};

    if (e == ENTITY_phone)
        add_reset(r, ((const struct phone *)record)->name);
    else if (e == ENTITY_line)
        add_line_users(r, name);
    else if (e == ENTITY_parameter && parameter_needs_reset(key))
        add_users_of(r, e, key);
    else if (e != ENTITY_parameter && row->before && row->after)
        add_users_of(r, e, key);
}

json_t *plan_resets(struct admin *a, const struct delta *d)
{
    struct resets r = {.a = a, .names = json_array(), .seen = json_object()};

    if (status_count(a->status, STATE_REGISTERED))
        for (size_t i = 0; i < d->n; i++)
            add_row(&r, &d->rows[i]);
    json_decref(r.seen);
    return json_pack("{s:I, s:o}", "count", (json_int_t)r.n, "names", r.names);
}

/* --- a change that is only asked about --- */

static json_t *faults_of(const struct change_faults *f)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < f->n; i++)
        json_array_append_new(rows, json_pack("{s:i, s:s, s:o}", "operation",
                                              (int)f->rows[i].source, "field", f->rows[i].field,
                                              "text", json_of(text_of(f->rows[i].text))));
    return rows;
}

json_t *plan_of(struct admin *a, const struct change *change)
{
    struct change_fault rows[20];
    struct change_faults faults = {.rows = rows, .max = 20};
    struct delta delta = {.n = 0};
    char error[512] = "";
    int err = directory_apply(a->thread->directory, change, &faults, &delta, error, sizeof(error));
    json_t *plan;

    if (err)
        return json_pack("{s:i, s:o, s:i, s:o}", "status", 1, "error", json_of(text_of(error)),
                         "code",
                         err == -ESTALE   ? 412
                         : err == -ENOMEM ? 503
                                          : 422,
                         "faults", faults_of(&faults));
    plan = json_pack("{s:b, s:I, s:o, s:o}", "plan", true, "total", (json_int_t)delta.n, "changes",
                     plan_changes(&delta), "reset", plan_resets(a, &delta));
    delta_done(&delta);
    return plan;
}
