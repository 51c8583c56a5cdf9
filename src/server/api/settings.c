/* settings.c - parameters, auto-registration, and what other threads answer. */
#include <stdio.h>
#include <stdlib.h>

#include "core/settings.h"
#include "server/api/lists.h"

/* --- parameters --- */

static struct text value_of(struct admin *a, enum setting s, char scratch[static 16])
{
    const struct directory *dir = a->thread->directory;

    if (setting_rows[s].kind == SETTING_STRING)
        return text_of(directory_string(dir, (int)s));
    return setting_print(s, directory_number(dir, (int)s), NULL, scratch);
}

static struct text default_of(enum setting s, char scratch[static 16])
{
    return setting_print(s, setting_rows[s].number, setting_rows[s].string, scratch);
}

static void range_of(const struct setting_row *row, char to[static 128])
{
    to[0] = 0;
    if (row->kind == SETTING_NUMBER)
        snprintf(to, 128, "%d to %d", row->min, row->max);
    else if (row->kind == SETTING_FLAG)
        snprintf(to, 128, "true or false");
    else if (row->kind == SETTING_CHOICE)
        snprintf(to, 128, "%s", row->string);
}

static json_t *parameter_record(struct admin *a, enum setting s)
{
    const struct setting_row *row = &setting_rows[s];
    char value[16], standard[16], range[128];

    range_of(row, range);
    return json_pack("{s:s, s:o, s:o, s:s, s:s, s:s, s:s, s:b, s:s}", "name", row->id, "value",
                     json_of(value_of(a, s, value)), "default", json_of(default_of(s, standard)),
                     "unit", row->unit ? row->unit : "", "range", range, "service", row->service,
                     "title", row->title, "needs_reset", row->needs_reset, "help", row->help);
}

static const char *const parameter_columns[] = {"name",    "value", "default",     "unit", "range",
                                                "service", "title", "needs_reset", "help"};

static bool parameter_fits(json_t *record, const struct call *c)
{
    const char *field;
    json_t *wanted;

    json_object_foreach(
        c->fields, field,
        wanted) if (!json_object_get(record, field) ||
                    !value_fits(json_object_get(record, field), call_text(wanted))) return false;
    return row_fits(record, c);
}

void api_parameter_list(struct admin *a, const struct call *c)
{
    size_t n_columns = c->full || call_option(c, "columns")[0] ? 9 : 5;
    json_t *columns = json_array(), *rows = json_array();

    for (size_t k = 0; k < n_columns; k++)
        json_array_append_new(columns, json_string(parameter_columns[k]));
    for (int s = 0; s < N_SETTINGS; s++) {
        json_t *record = parameter_record(a, (enum setting)s), *row = json_array();

        for (size_t k = 0; k < n_columns; k++)
            json_array_append(row, json_object_get(record, parameter_columns[k]));
        if (parameter_fits(record, c))
            json_array_append(rows, row);
        json_decref(row);
        json_decref(record);
    }
    admin_answer(a, c->who, json_pack("{s:o, s:o}", "columns", columns, "rows", rows));
}

/* -1, and the refusal is out, when there is no such parameter. */
static int find_parameter(struct admin *a, const struct call *c, const char *name)
{
    int s = setting_find(text_of(name)), near;

    if (s >= 0)
        return s;
    near = setting_nearest(text_of(name));
    if (near >= 0)
        admin_refuse_as(a, c->who, 404, "There is no parameter \"%s\". Did you mean \"%s\"?", name,
                     setting_rows[near].id);
    else
        admin_refuse_as(a, c->who, 404,
                     "There is no parameter \"%s\"; \"dialtone parameter list\" shows all.", name);
    return -1;
}

void api_parameter_get(struct admin *a, const struct call *c)
{
    int s = find_parameter(a, c, c->name);

    if (s >= 0)
        admin_answer(a, c->who, json_pack("{s:o}", "record", parameter_record(a, (enum setting)s)));
}

bool parameter_put(struct admin *a, const struct call *c, struct change *change, const char *name,
                   struct text value, json_t *answer)
{
    int s = find_parameter(a, c, name);
    const struct setting_row *row = s < 0 ? NULL : &setting_rows[s];
    char error[256];
    int32_t number;

    if (!row)
        return false;
    if (value.len && setting_check((enum setting)s, value, &number, error, sizeof(error)) < 0) {
        admin_refuse(a, c->who, "%s.", error);
        return false;
    }
    if (value.len) {
        change_put(change, ENTITY_parameter, text_of(row->id));
        change_field(change, TEXT("value"), value);
    } else if (directory_find(a->thread->directory, ENTITY_parameter, text_of(row->id))) {
        change_delete(change, ENTITY_parameter, text_of(row->id));
    }
    if (*c->name) /* of many at once nobody has seen a version */
        expect_seen(change, c);
    note(answer, "%s is now %.*s.", row->id, value.len ? (int)value.len : 15,
         value.len ? value.at : "the default again");
    if (row->needs_reset && status_count(a->status, STATE_REGISTERED))
        note(answer, "Registered phones see it after a reset: dialtone phone reset --all");
    return true;
}

void api_parameter_set(struct admin *a, const struct call *c)
{
    struct change *change = change_new();
    json_t *answer = json_object(), *value;
    const char *name;

    json_object_foreach(c->fields, name, value) /* finds the next one by `name` */
    {
        bool of_record = *c->name && !strcmp(name, "value"); /* PATCH /parameter/NAME {"value": …} */

        if (!parameter_put(a, c, change, of_record ? c->name : name, call_text(value), answer)) {
            change_free(change);
            json_decref(answer);
            return;
        }
    }
    admin_change(a, c->who, change, answer);
}

/* --- auto-registration: a row for each CallManager; here there is usually one --- */

static const void *autoregistration_of(struct admin *a, const struct call *c)
{
    const struct directory *dir = a->thread->directory;
    const void *record = c->name[0] ? directory_find(dir, ENTITY_autoregistration, text_of(c->name))
                                    : directory_next(dir, ENTITY_autoregistration, TEXT(""));

    if (!record)
        refuse_missing(a, c, ENTITY_autoregistration, text_of(c->name[0] ? c->name : a->node));
    return record;
}

void api_autoregistration_show(struct admin *a, const struct call *c)
{
    const struct autoregistration *r = autoregistration_of(a, c);
    json_t *record, *all;

    if (!r)
        return;
    record = json_pack("{s:s, s:o}", "name", r->name, "enabled",
                       c->full ? json_boolean(r->enabled) : json_string(r->enabled ? "yes" : "no"));
    all = entity_record(a, r, c->full);
    json_object_update_missing(record, all);
    json_decref(all);
    admin_answer(a, c->who, json_pack("{s:o}", "record", record));
}

void api_autoregistration_set(struct admin *a, const struct call *c)
{
    const struct autoregistration *r = autoregistration_of(a, c);
    struct change *change;
    json_t *answer, *enabled = json_object_get(c->fields, "enabled");
    bool on;

    if (!r)
        return;
    change = change_new();
    change_set(change, ENTITY_autoregistration, text_of(r->name));
    expect_seen(change, c);
    change_fields(change, c->fields);
    answer = done_answer("changed:", ENTITY_autoregistration, text_of(r->name));
    if (enabled && !text_to_flag(call_text(enabled), &on))
        note(answer, on ? "The door is open: phones that nobody added get a number when they come."
                        : "The door is closed: phones that nobody added are refused.");
    admin_change(a, c->who, change, answer);
}

/* --- questions that other threads answer --- */

static json_t *list_arguments(const struct call *c)
{
    return json_pack("{s:s, s:i, s:s}", "after", call_option(c, "after"), "limit",
                     (int)call_limit(c), "search", call_option(c, "search"));
}

static json_t *one_argument(const char *key, const char *value)
{
    return json_pack("{s:s}", key, value);
}

static void drop_empty(json_t *arguments)
{
    const char *key;
    json_t *value;
    void *next;

    json_object_foreach_safe(arguments, next, key,
                             value) if (json_is_string(value) && !json_string_length(value))
        json_object_del(arguments, key);
}

static void forward(struct admin *a, const struct call *c, enum request_id request,
                    json_t *take_arguments)
{
    drop_empty(take_arguments);
    admin_ask(a, c->who, request, take_arguments, NULL, NULL);
}

void api_load_list(struct admin *a, const struct call *c)
{
    forward(a, c, REQUEST_LOAD_LIST, list_arguments(c));
}

void api_load_check(struct admin *a, const struct call *c)
{
    forward(a, c, REQUEST_LOAD_CHECK, one_argument("name", c->name));
}

void api_load_import(struct admin *a, const struct call *c)
{
    forward(a, c, REQUEST_LOAD_IMPORT, one_argument("path", call_option(c, "file")));
}

/* Loads are found, not added: the first thing said about one makes its record. */
void api_load_set(struct admin *a, const struct call *c)
{
    struct change *change = change_new();

    change_put(change, ENTITY_load, text_of(c->name));
    change_fields(change, c->fields);
    admin_change(a, c->who, change, done_answer("changed:", ENTITY_load, text_of(c->name)));
}

void api_certificate_list(struct admin *a, const struct call *c)
{
    forward(a, c, REQUEST_CERTIFICATE_LIST, list_arguments(c));
}

void api_certificate_show(struct admin *a, const struct call *c)
{
    forward(a, c, REQUEST_CERTIFICATE_SHOW, one_argument("name", c->name));
}

void api_certificate_renew(struct admin *a, const struct call *c)
{
    forward(a, c, REQUEST_CERTIFICATE_RENEW, json_object());
}

void api_lease_list(struct admin *a, const struct call *c)
{
    forward(a, c, REQUEST_LEASE_LIST, list_arguments(c));
}

void api_lease_release(struct admin *a, const struct call *c)
{
    const char *option = call_option(c, "address"), *typed = *option ? option : c->name;
    struct ip ip;

    forward(a, c, REQUEST_LEASE_RELEASE,
            one_argument(ip_parse(text_of(typed), &ip) ? "mac" : "address", typed));
}

void api_scope_status(struct admin *a, const struct call *c)
{
    forward(a, c, REQUEST_SCOPE_STATUS, list_arguments(c));
}

void api_port_list(struct admin *a, const struct call *c)
{
    forward(a, c, REQUEST_PORT_LIST, list_arguments(c));
}

static json_t *file_arguments(const struct call *c)
{
    return json_pack("{s:s, s:s, s:b}", "path", call_option(c, "file"), "format",
                     call_option(c, "format"), "dry_run",
                     json_is_true(json_object_get(c->options, "dry-run")));
}

void api_import(struct admin *a, const struct call *c)
{
    forward(a, c, REQUEST_IMPORT, file_arguments(c));
}

void api_export(struct admin *a, const struct call *c)
{
    forward(a, c, REQUEST_EXPORT, file_arguments(c));
}

void api_backup(struct admin *a, const struct call *c)
{
    forward(a, c, REQUEST_BACKUP, file_arguments(c));
}

void api_restore(struct admin *a, const struct call *c)
{
    forward(a, c, REQUEST_RESTORE, file_arguments(c));
}
