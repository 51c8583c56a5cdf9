/* entities.c - list, show, add, set, copy and delete for every entity of the directory. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/models.h"
#include "core/settings.h"
#include "server/activation.h"
#include "server/admin.h"
#include "server/api/lists.h"

#define MAX_SCANNED 20000 /* records a request looks at: the thread has other things to do */

static enum entity entity_of(const struct call *c)
{
    return (enum entity)directory_entity_find(text_of(c->noun));
}

/* --- names --- */

struct text entity_key(enum entity e, struct text typed, char to[static DIRECTORY_KEY_MAX])
{
    struct device_name phone;
    size_t n;

    typed = text_trim(typed);
    if (e == ENTITY_phone) {
        phone = phone_name(typed);
        n = text_copy(to, DIRECTORY_KEY_MAX, text_of(phone.s));
    } else {
        if (e == ENTITY_line && text_ends(typed, "/")) /* the empty partition needs no slash */
            typed.len--;
        n = text_copy(to, DIRECTORY_KEY_MAX, typed);
    }
    return (struct text){to, n};
}

/* The key that is most like what was typed, among the first thousand. */
static bool nearest_key(struct admin *a, enum entity e, struct text typed,
                        char to[static DIRECTORY_KEY_MAX])
{
    const struct directory *dir = a->thread->directory;
    struct device_name near;
    char key[DIRECTORY_KEY_MAX];
    struct text after = TEXT("");
    unsigned best = typed.len > 4 ? 3 : 2, d;
    const void *record;
    bool found = false;

    if (e == ENTITY_phone && progress_near(device_is_known, a, device_name_of(typed), &near, 1)) {
        text_copy(to, DIRECTORY_KEY_MAX, text_of(near.s));
        return true;
    }
    for (int i = 0; i < 1000 && (record = directory_next(dir, e, after)); i++) {
        after = (struct text){key, directory_key(record, key)};
        if (typed.len > 32 || after.len > 32 || (d = text_distance(typed, after, best)) >= best)
            continue;
        best = d;
        found = true;
        text_copy(to, DIRECTORY_KEY_MAX, after);
    }
    return found;
}

void refuse_missing(struct admin *a, const struct call *c, enum entity e, struct text key)
{
    const char *noun = directory_entity(e)->noun;
    char near[DIRECTORY_KEY_MAX];

    if (!key.len)
        admin_refuse(a, c->who, "A name is needed.");
    else if (nearest_key(a, e, key, near))
        admin_refuse_as(a, c->who, 404, "There is no %s \"%.*s\". Did you mean \"%s\"?", noun,
                        TEXT_ARG(key), near);
    else
        admin_refuse_as(a, c->who, 404, "There is no %s \"%.*s\".", noun, TEXT_ARG(key));
}

/* --- list --- */

static bool value_contains(const json_t *value, struct text needle)
{
    const char *key;
    json_t *part;
    size_t i;

    json_object_foreach((json_t *)value, key, part) if (value_contains(part, needle)) return true;
    json_array_foreach(value, i, part) if (value_contains(part, needle)) return true;
    return json_is_string(value) && text_contains_nocase(call_text((json_t *)value), needle);
}

bool value_fits(const json_t *value, struct text wanted)
{
    char number[24];
    json_t *part;
    size_t i;
    bool flag;

    if (json_is_string(value))
        return filter_fits(wanted, call_text((json_t *)value));
    if (json_is_integer(value)) {
        snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(value));
        return filter_fits(wanted, text_of(number));
    }
    if (json_is_boolean(value))
        return !text_to_flag(wanted, &flag) && flag == json_is_true(value);
    json_array_foreach(value, i, part) if (value_fits(part, wanted)) return true;
    return !wanted.len &&
           (json_is_null(value) || (json_is_array(value) && !json_array_size(value)));
}

/* What to keep of a row that has been made. */
bool row_fits(const json_t *row, const struct call *c)
{
    struct text search = text_of(call_option(c, "search"));

    return !search.len || value_contains(row, search);
}

/* A model may be given by number or any of its names. */
static struct text canonical(enum entity e, const char *field, struct text wanted)
{
    const struct model *m =
        e == ENTITY_phone && !strcmp(field, "model") ? model_by_name(wanted) : NULL;

    return m ? text_of(m->name) : wanted;
}

bool filters_read(struct admin *a, const struct call *c, enum entity e, struct filters *f)
{
    const struct directory_field *near;
    const char *name;
    json_t *value;

    f->n = 0;
    json_object_foreach(c->fields, name, value)
    {
        if (f->n == MAX_FILTERS || !column_find(e, text_of(name), &f->rows[f->n].column)) {
            near = directory_field_nearest(directory_entity(e)->fields, text_of(name));
            admin_refuse(a, c->who, "A %s has no field \"%s\".%s%s%s", directory_entity(e)->noun,
                         name, near ? " Did you mean \"" : "", near ? near->name : "",
                         near ? "\"?" : "");
            return false;
        }
        f->rows[f->n++].wanted = canonical(e, name, call_text(value));
    }
    return true;
}

bool filters_pass(struct admin *a, const struct filters *f, const void *record)
{
    char text[COLUMN_TEXT];
    bool fits;

    for (size_t i = 0; i < f->n; i++) {
        const struct column *c = &f->rows[i].column;

        if (!c->get && (c->text || (c->field->kind != FIELD_LIST && c->field->kind != FIELD_FLAG))) {
            fits = filter_fits(f->rows[i].wanted, column_text(a, c, record, text));
        } else {
            json_t *value = column_value(a, c, record, false);

            fits = value_fits(value, f->rows[i].wanted);
            json_decref(value);
        }
        if (!fits)
            return false;
    }
    return true;
}

json_t *columns_row(struct admin *a, const struct column *columns, int n, const void *record,
                    bool full)
{
    json_t *row = json_array();

    for (int i = 0; i < n; i++)
        json_array_append_new(row, column_value(a, &columns[i], record, full));
    return row;
}

json_t *columns_names(const struct column *columns, int n)
{
    json_t *names = json_array();

    for (int i = 0; i < n; i++)
        json_array_append_new(names, json_string(columns[i].name));
    return names;
}

/* Rows from the key `after` on until the page is full or enough was looked at. */
static json_t *make_page(struct admin *a, const struct call *c, enum entity e,
                         const struct filters *filters, const struct column *columns, int n_columns)
{
    const struct directory *dir = a->thread->directory;
    json_t *rows = json_array(), *answer;
    char key[DIRECTORY_KEY_MAX];
    struct text after = text_of(call_option(c, "after"));
    size_t limit = call_limit(c);
    const void *record = NULL;

    for (int i = 0; i < MAX_SCANNED && json_array_size(rows) < limit &&
                    (record = directory_next(dir, e, after));
         i++) {
        json_t *row = filters_pass(a, filters, record)
                          ? columns_row(a, columns, n_columns, record, c->full)
                          : NULL;

        after = (struct text){key, directory_key(record, key)};
        if (row && row_fits(row, c))
            json_array_append(rows, row);
        json_decref(row);
    }
    answer = json_pack("{s:o, s:o}", "columns", columns_names(columns, n_columns), "rows", rows);
    if (record && directory_next(dir, e, after))
        json_object_set_new(answer, "next", json_of(after));
    if (!filters->n && !*call_option(c, "search"))
        json_object_set_new(answer, "total", json_integer((json_int_t)directory_count(dir, e)));
    return answer;
}

void api_entity_list(struct admin *a, const struct call *c)
{
    enum entity e = entity_of(c);
    struct column columns[MAX_COLUMNS];
    struct filters filters;
    struct text unknown;
    int n = columns_choose(e, call_option(c, "columns"), c->full, columns, &unknown);

    if (n < 0)
        admin_refuse(a, c->who, "A %s has no column \"%.*s\".", directory_entity(e)->noun,
                     TEXT_ARG(unknown));
    else if (!filters_read(a, c, e, &filters))
        return;
    else if (*call_option(c, "sort") || *call_option(c, "offset"))
        views_list(a, c, e, &filters, columns, (size_t)n);
    else
        admin_answer(a, c->who, make_page(a, c, e, &filters, columns, n));
}

/* --- show --- */

/* Programs get everything; people what says something. */
static bool worth_showing(const json_t *value)
{
    return !json_is_null(value) && !json_is_false(value) &&
           !(json_is_string(value) && !json_string_length(value)) &&
           !(json_is_array(value) && !json_array_size(value));
}

static void put_list(json_t *record, const char *name, const void *owner,
                     const struct directory_field *f)
{
    struct column whole = {.name = name, .field = f};

    json_object_set_new(record, name, column_value(NULL, &whole, owner, true));
}

json_t *entity_record(struct admin *a, const void *owner, bool full)
{
    enum entity e = record_entity(owner);
    struct column columns[MAX_COLUMNS];
    struct text unknown;
    int n = columns_choose(e, "", true, columns, &unknown);
    json_t *record = json_object();

    for (int i = 0; i < n; i++) {
        json_t *value = column_value(a, &columns[i], owner, full);

        if (!full && columns[i].field && columns[i].field->kind == FIELD_LIST &&
            directory_list_count(owner, columns[i].field))
            put_list(record, columns[i].name, owner, columns[i].field);
        else if (full || worth_showing(value))
            json_object_set(record, columns[i].name, value);
        json_decref(value);
    }
    return record;
}

void api_entity_show(struct admin *a, const struct call *c)
{
    enum entity e = entity_of(c);
    char key[DIRECTORY_KEY_MAX];
    struct text name = entity_key(e, text_of(c->name), key);
    const void *record = directory_find(a->thread->directory, e, name);

    if (record)
        admin_answer(a, c->who, json_pack("{s:o}", "record", entity_record(a, record, c->full)));
    else
        refuse_missing(a, c, e, name);
}

/* --- changes --- */

void change_fields(struct change *change, json_t *fields)
{
    const char *name;
    json_t *value;

    json_object_foreach(fields, name, value) change_field(change, text_of(name), call_text(value));
}

bool phone_is_registered(const struct admin *a, struct text name)
{
    const struct device_status *d = status_find(a->status, name);

    return d && d->state == STATE_REGISTERED;
}

static void note_line_users(struct admin *a, json_t *answer, struct text line)
{
    const struct phone *p = NULL;

    while ((p = directory_line_user(a->thread->directory, line, p ? p->name : "")))
        if (phone_is_registered(a, text_of(p->name)))
            note(answer, "%s uses it; reset it to make the change work: dialtone phone reset %s",
                 p->name, p->name);
}

/* Says which phones must be reset for the change to work, and how (ADM-2). */
static void note_reset(struct admin *a, json_t *answer, enum entity e, struct text key)
{
    switch (e) {
    case ENTITY_phone:
        if (phone_is_registered(a, key))
            note(answer,
                 "%.*s is registered; reset it to make the change work: dialtone phone reset %.*s",
                 TEXT_ARG(key), TEXT_ARG(key));
        break;
    case ENTITY_line:
        note_line_users(a, answer, key);
        break;
    case ENTITY_device_pool:
    case ENTITY_template:
    case ENTITY_softkeys:
    case ENTITY_location:
        if (status_count(a->status, STATE_REGISTERED))
            note(answer,
                 "Registered phones with this %s see it after a reset: dialtone phone reset "
                 "'%s=%.*s'",
                 directory_entity(e)->noun, directory_entity(e)->noun, TEXT_ARG(key));
        break;
    case ENTITY_callmanager_group:
    case ENTITY_callmanager:
    case ENTITY_server_node:
    case ENTITY_datetime:
    case ENTITY_defaults:
        if (status_count(a->status, STATE_REGISTERED))
            note(answer, "Registered phones that this concerns see it after a reset: dialtone "
                         "phone reset --all");
        break;
    default: /* in force at once, or no matter of phones */
        break;
    }
}

json_t *done_answer(const char *did, enum entity e, struct text key)
{
    json_t *answer = json_object();

    note(answer, "%s %s %.*s.", directory_entity(e)->title, did, TEXT_ARG(key));
    return answer;
}

void note_server(struct admin *a, json_t *answer, struct text server)
{
    struct ip ip;

    if (server.len && ip_parse(server, &ip) < 0 && !text_equal_nocase(server, TEXT("localhost")) &&
        !text_equal_nocase(server, text_of(server_bootstrap(a->thread->server)->node_name)))
        note(answer,
             "%.*s is a name: phones are told the address that this server finds for it, and the name "
             "itself while it finds none; then each of them needs a DNS server that knows it. An "
             "address always works.",
             TEXT_ARG(server));
}

static void note_callmanager(struct admin *a, json_t *answer, struct text name, struct text server)
{
    const struct callmanager *cm = NULL;

    note_server(a, answer, server);
    while (server.len &&
           (cm = directory_next(a->thread->directory, ENTITY_callmanager, text_of(cm ? cm->name : ""))))
        if (text_equal_nocase(text_of(cm->server), server) && !text_equal_nocase(text_of(cm->name), name))
            note(answer,
                 "CallManager %s is at %.*s, too: phones of a group with both find the same server twice, "
                 "unless the ports differ.",
                 cm->name, TEXT_ARG(server));
}

/* Of the record of a node. */
static void note_name(struct admin *a, const struct call *c, json_t *answer, enum entity e, struct text name)
{
    struct text renamed = call_text(json_object_get(c->fields, "name"));

    if (e == ENTITY_server_node)
        note_server(a, answer, renamed.len ? renamed : name);
    else if (e == ENTITY_callmanager)
        note_callmanager(a, answer, name, call_text(json_object_get(c->fields, "server")));
}

/* activation_code=generate: makes one and tells it. */
static void make_code(struct admin *a, const struct call *c, json_t *answer)
{
    json_t *wanted = json_object_get(c->fields, "activation_code");
    char code[ACTIVATION_CODE_DIGITS + 1];

    if (!wanted || !text_equal_nocase(call_text(wanted), TEXT("generate")) ||
        activation_code_make(a->thread->directory, code) < 0)
        return;
    json_object_set_new(c->fields, "activation_code", json_string(code));
    note(answer, "Activation code: %s. Typed with # on a phone in quarantine, it takes this place.",
         code);
}

void api_entity_add(struct admin *a, const struct call *c)
{
    enum entity e = entity_of(c);
    char key[DIRECTORY_KEY_MAX];
    struct text name = entity_key(e, text_of(c->name), key);
    struct change *change;
    json_t *answer;

    if (e == ENTITY_user && api_hashes_password(a, c))
        return;
    change = change_new();
    answer = done_answer("added:", e, name);
    if (e == ENTITY_phone)
        make_code(a, c, answer);
    change_add(change, e, name);
    change_fields(change, c->fields);
    if (e == ENTITY_phone && status_find(a->status, name) && !phone_is_registered(a, name))
        note(answer, "It has been here before; it will register at its next try.");
    note_name(a, c, answer, e, name);
    admin_change(a, c->who, change, answer);
}

void expect_seen(struct change *change, const struct call *c)
{
    struct text seen = text_of(call_option(c, "expect"));
    uint64_t version;

    if (seen.len)
        change_expect(change, text_to_u64(seen, 10, &version) < 0 ? UINT64_MAX : version);
}

void api_entity_set(struct admin *a, const struct call *c)
{
    enum entity e = entity_of(c);
    char key[DIRECTORY_KEY_MAX];
    struct text name = entity_key(e, text_of(c->name), key);
    struct change *change;
    json_t *answer;

    if (e == ENTITY_user && api_hashes_password(a, c))
        return;
    if (!directory_find(a->thread->directory, e, name)) {
        refuse_missing(a, c, e, name);
        return;
    }
    change = change_new();
    answer = done_answer("changed:", e, name);
    if (e == ENTITY_phone)
        make_code(a, c, answer);
    change_set(change, e, name);
    expect_seen(change, c);
    change_fields(change, c->fields);
    note_name(a, c, answer, e, name);
    note_reset(a, answer, e, name);
    admin_change(a, c->who, change, answer);
}

void api_entity_copy(struct admin *a, const struct call *c)
{
    enum entity e = entity_of(c);
    char from_key[DIRECTORY_KEY_MAX], to_key[DIRECTORY_KEY_MAX];
    struct text from = entity_key(e, text_of(c->name), from_key);
    struct text to = entity_key(e, text_of(call_option(c, "to")), to_key);
    struct change *change;

    if (e == ENTITY_user && api_hashes_password(a, c))
        return;
    if (!directory_find(a->thread->directory, e, from)) {
        refuse_missing(a, c, e, from);
        return;
    }
    change = change_new();
    change_copy(change, e, from, to);
    change_fields(change, c->fields);
    admin_change(a, c->who, change, done_answer("added:", e, to));
}

/* Numbers stay when their phone goes. */
static void note_left_lines(struct admin *a, json_t *answer, struct text name)
{
    const struct phone *p = directory_phone(a->thread->directory, name);

    for (size_t i = 0; i < p->n_buttons; i++)
        if (p->buttons[i].feature == BUTTON_LINE)
            note(answer, "Number %s stays, unassigned unless another phone has it.",
                 p->buttons[i].target);
}

void api_entity_delete(struct admin *a, const struct call *c)
{
    enum entity e = entity_of(c);
    struct change *change = change_new();
    json_t *answer = json_object(), *typed;
    char key[DIRECTORY_KEY_MAX];
    size_t i;

    json_array_foreach(c->names, i, typed)
    {
        struct text name = entity_key(e, call_text(typed), key);

        if (!directory_find(a->thread->directory, e, name)) {
            refuse_missing(a, c, e, name);
            change_free(change);
            json_decref(answer);
            return;
        }
        change_delete(change, e, name);
        expect_seen(change, c);
        note(answer, "%s deleted: %.*s.", directory_entity(e)->title, TEXT_ARG(name));
        if (e == ENTITY_phone)
            note_left_lines(a, answer, name);
    }
    admin_change(a, c->who, change, answer);
}
