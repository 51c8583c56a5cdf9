/* columns.c - fields of records, and what is known beside them, as JSON. */
#include <errno.h>
#include <stdio.h>

#include "base/grow.h"
#include "core/models.h"
#include "core/settings.h"
#include "server/admin.h"

/* --- fields --- */

static json_t *field_value(const void *record, const struct directory_field *f, bool full);

static json_t *child_value(const struct directory_item *item, const void *child)
{
    json_t *object = json_object();

    for (const struct directory_field *f = item->fields; f->name; f++)
        if (!directory_is_default(child, f) || f == item->fields)
            json_object_set_new(object, f->name, field_value(child, f, true));
    return object;
}

/* Programs get every child with its fields; people its first field. */
static json_t *list_value(const void *record, const struct directory_field *f, bool full)
{
    json_t *list = json_array();
    char scratch[DIRECTORY_SCRATCH];

    for (size_t i = 0; i < directory_list_count(record, f); i++) {
        const void *child = directory_child(record, f, i);

        json_array_append_new(list,
                              full ? child_value(f->item, child)
                                   : json_of(directory_value(child, f->item->fields, scratch)));
    }
    return list;
}

static json_t *field_value(const void *record, const struct directory_field *f, bool full)
{
    char scratch[DIRECTORY_SCRATCH];
    struct text value;
    int32_t number;

    if (f->kind == FIELD_LIST)
        return list_value(record, f, full);
    value = directory_value(record, f, scratch);
    if (f->kind == FIELD_SECRET)
        return value.len ? json_string("(set)") : json_string("");
    if (f->kind == FIELD_FLAG)
        return json_boolean(text_is(value, "true"));
    if (f->kind == FIELD_NUM && !text_to_number(value, &number))
        return json_integer(number);
    return json_of(value);
}

/* --- of phones, beside their fields --- */

static json_t *buttons_value(const struct phone *p, enum button_feature feature, bool labels)
{
    struct grow g = {0};
    json_t *value;

    for (size_t i = 0; i < p->n_buttons; i++) {
        const struct phone_button *b = &p->buttons[i];

        if (b->feature != feature)
            continue;
        grow_format(&g, "%s%s%s%s", g.len ? ";" : "", labels ? b->label : "", labels ? "=" : "",
                    b->target);
    }
    value = json_of((struct text){g.at ? g.at : "", g.len});
    grow_done(&g);
    return value;
}

static json_t *phone_lines(struct admin *a, const void *record, bool full)
{
    return buttons_value(record, BUTTON_LINE, false);
}

/* Without the detour over JSON: a search looks at the lines of all phones. */
static size_t phone_lines_text(struct admin *a, const void *record, char to[static COLUMN_TEXT])
{
    const struct phone *p = record;
    size_t n = 0;

    for (size_t i = 0; i < p->n_buttons && n + 1 < COLUMN_TEXT; i++)
        if (p->buttons[i].feature == BUTTON_LINE) {
            if (n)
                to[n++] = ';';
            n += text_copy(to + n, COLUMN_TEXT - n, text_of(p->buttons[i].target));
        }
    to[n] = 0;
    return n;
}

static json_t *phone_speed_dials(struct admin *a, const void *record, bool full)
{
    return buttons_value(record, BUTTON_SPEED_DIAL, true);
}

static size_t phone_model(struct admin *a, const void *record, char to[static COLUMN_TEXT])
{
    const struct phone *p = record;
    const struct model *m = model_find((uint32_t)p->model);

    if (m)
        return text_copy(to, COLUMN_TEXT, text_of(m->name));
    return (size_t)snprintf(to, COLUMN_TEXT, "%d", p->model);
}

static const struct device_status *status_of(struct admin *a, const void *record)
{
    return status_find(a->status, text_of(((const struct phone *)record)->name));
}

static size_t phone_status(struct admin *a, const void *record, char to[static COLUMN_TEXT])
{
    const struct device_status *d = a->collecting ? status_of(a, record) : NULL;

    return text_copy(
        to, COLUMN_TEXT,
        text_of(a->collecting ? device_state_names[d ? d->state : STATE_UNKNOWN] : "not reported"));
}

static size_t phone_address(struct admin *a, const void *record, char to[static COLUMN_TEXT])
{
    const struct device_status *d = status_of(a, record);
    const struct progress_phone *p;
    char ip[IP_TEXT_MAX];

    if (d && !ip_is_any(d->ip))
        return text_copy(to, COLUMN_TEXT, text_of(ip_print(d->ip, ip)));
    p = progress_find(a->progress, device_name_of(text_of(((const struct phone *)record)->name)));
    return text_copy(to, COLUMN_TEXT, text_of(p && !ip_is_any(p->ip) ? ip_print(p->ip, ip) : ""));
}

static json_t *phone_since(struct admin *a, const void *record, bool full)
{
    const struct device_status *d = status_of(a, record);

    return admin_time(d ? (uint64_t)d->since_s * 1000000 : 0, full);
}

/* To sort by. */
static size_t phone_since_s(struct admin *a, const void *record, char to[static COLUMN_TEXT])
{
    const struct device_status *d = status_of(a, record);

    return (size_t)snprintf(to, COLUMN_TEXT, "%u", d ? d->since_s : 0);
}

static size_t phone_active_load(struct admin *a, const void *record, char to[static COLUMN_TEXT])
{
    const struct device_status *d = status_of(a, record);

    return text_copy(to, COLUMN_TEXT, text_of(d ? d->load : ""));
}

static size_t phone_reason(struct admin *a, const void *record, char to[static COLUMN_TEXT])
{
    const struct device_status *d = status_of(a, record);

    return text_copy(to, COLUMN_TEXT, text_of(d ? status_reason(d) : ""));
}

static size_t phone_port(struct admin *a, const void *record, char to[static COLUMN_TEXT])
{
    const struct progress_phone *p =
        progress_find(a->progress, device_name_of(text_of(((const struct phone *)record)->name)));

    return text_copy(to, COLUMN_TEXT, text_of(p ? progress_port(p) : ""));
}

/* --- of lines --- */

#define MAX_USERS 20 /* phones of a shared line that are named */

static json_t *line_phones(struct admin *a, const void *record, bool full)
{
    const struct directory *dir = a->thread->directory;
    char key[DIRECTORY_KEY_MAX];
    struct text line = {key, directory_key(record, key)};
    json_t *names = json_array();
    const struct phone *p = NULL;

    while (json_array_size(names) < MAX_USERS &&
           (p = directory_line_user(dir, line, p ? p->name : "")))
        json_array_append_new(names, json_string(p->name));
    return names;
}

/* --- of templates --- */

/* "line x2, speed_dial x4": like keys together, in order. */
static json_t *template_buttons(struct admin *a, const void *record, bool full)
{
    const struct template *t = record;
    struct grow g = {0};
    json_t *value;

    if (full)
        return list_value(
            record,
            directory_field_find(directory_entity(ENTITY_template)->fields, TEXT("buttons")), true);
    for (size_t i = 0, n; i < t->n_buttons; i += n) {
        const char *feature = names_print(button_features, t->buttons[i].feature);

        for (n = 1; i + n < t->n_buttons && t->buttons[i + n].feature == t->buttons[i].feature;)
            n++;
        grow_format(&g, "%s%s", i ? ", " : "", feature ? feature : "?");
        if (n > 1)
            grow_format(&g, " x%zu", n);
    }
    value = json_of((struct text){g.at ? g.at : "", g.len});
    grow_done(&g);
    return value;
}

static json_t *model_or_any(int32_t type)
{
    const struct model *m = model_find((uint32_t)type);

    return m ? json_string(m->name) : json_string("any");
}

static json_t *template_model(struct admin *a, const void *record, bool full)
{
    return model_or_any(((const struct template *)record)->model);
}

static json_t *profile_model(struct admin *a, const void *record, bool full)
{
    return model_or_any(((const struct security_profile *)record)->model);
}

static const struct extra {
    enum entity entity;
    struct column column;
} extras[] = {
    {ENTITY_phone, {"model", NULL, NULL, phone_model}}, /* by product name; the field is a number */
    {ENTITY_phone, {"lines", NULL, phone_lines, phone_lines_text}},
    {ENTITY_phone, {"speed_dials", NULL, phone_speed_dials, NULL}},
    {ENTITY_phone, {"status", NULL, NULL, phone_status}},
    {ENTITY_phone, {"address", NULL, NULL, phone_address}},
    {ENTITY_phone, {"active_load", NULL, NULL, phone_active_load}},
    {ENTITY_phone, {"since", NULL, phone_since, phone_since_s, "time?"}},
    {ENTITY_phone, {"reason", NULL, NULL, phone_reason}},
    {ENTITY_phone, {"port", NULL, NULL, phone_port}},
    {ENTITY_line, {"phones", NULL, line_phones, NULL, "texts"}},
    {ENTITY_template, {"model", NULL, template_model, NULL}},
    {ENTITY_security_profile, {"model", NULL, profile_model, NULL}},
    {ENTITY_template, {"buttons", NULL, template_buttons, NULL}},
};

#define N_EXTRAS (sizeof(extras) / sizeof(*extras))

/* What people see of an entity that has many fields; the others show all. */
static const struct {
    enum entity entity;
    const char *columns;
} usual[] = {
    {ENTITY_phone, "name,model,lines,status,address,since,description"},
    {ENTITY_line, "number,partition,description,alerting_name,phones"},
    {ENTITY_device_pool, "name,group,datetime,region,location,softkeys"},
    {ENTITY_autoregistration, "name,enabled,start,end,next,pool,quarantine"},
    {ENTITY_scope, "name,enabled,subnet,first,last,routers,tftp"},
    {ENTITY_user, "name,first_name,last_name,role,mail"},
    {ENTITY_template, "name,model,buttons"},
    {ENTITY_softkeys, "name,description"},
    {ENTITY_sip_profile,
     "name,timer_register_expires,timer_keep_alive_expires,kpml,preferred_codec,"
     "description"},
    {ENTITY_security_profile,
     "name,protocol,device_security_mode,transport,digest_authentication,description"},
    {ENTITY_callmanager, "name,server,sccp_port,sip_port,description"},
};

static const char *usual_columns(enum entity e)
{
    for (size_t i = 0; i < sizeof(usual) / sizeof(*usual); i++)
        if (usual[i].entity == e)
            return usual[i].columns;
    return "";
}

bool column_find(enum entity e, struct text name, struct column *ret)
{
    const struct directory_field *f;

    for (size_t i = 0; i < N_EXTRAS; i++)
        if (extras[i].entity == e && text_equal_nocase(name, text_of(extras[i].column.name))) {
            *ret = extras[i].column;
            return true;
        }
    f = directory_field_find(directory_entity(e)->fields, name);
    if (f)
        *ret = (struct column){.name = f->name, .field = f};
    return f != NULL;
}

bool column_is_short(const struct column *c)
{
    return c->get == phone_lines || c->get == phone_speed_dials;
}

static int all_columns(enum entity e, struct column to[static MAX_COLUMNS])
{
    int n = 0;

    for (const struct directory_field *f = directory_entity(e)->fields; f->name && n < MAX_COLUMNS;
         f++)
        n += column_find(e, text_of(f->name), &to[n]);
    for (size_t i = 0; i < N_EXTRAS && n < MAX_COLUMNS; i++)
        if (extras[i].entity == e &&
            !directory_field_find(directory_entity(e)->fields, text_of(extras[i].column.name)))
            to[n++] = extras[i].column;
    return n;
}

int columns_choose(enum entity e, const char *wanted, bool full,
                   struct column to[static MAX_COLUMNS], struct text *unknown)
{
    struct text rest = text_of(wanted[0] ? wanted : full ? "" : usual_columns(e));
    int n = 0;

    if (!rest.len)
        return all_columns(e, to);
    while (rest.at && n < MAX_COLUMNS) {
        struct text name = text_trim(text_split(&rest, ','));

        if (!column_find(e, name, &to[n])) {
            *unknown = name;
            return -ENOENT;
        }
        n++;
    }
    return n;
}

json_t *column_value(struct admin *a, const struct column *c, const void *record, bool full)
{
    char text[COLUMN_TEXT];

    if (c->get)
        return c->get(a, record, full);
    if (c->text)
        return json_of((struct text){text, c->text(a, record, text)});
    return field_value(record, c->field, full);
}

/* The texts of a list, with blanks between. */
static size_t put_texts(const json_t *value, char to[static COLUMN_TEXT], size_t n)
{
    json_t *part;
    size_t i;

    if (json_is_string(value))
        return n + text_copy(to + n, COLUMN_TEXT - n,
                             (struct text){json_string_value(value), json_string_length(value)});
    json_array_foreach(value, i, part)
    {
        if (n && n + 1 < COLUMN_TEXT)
            to[n++] = ' ';
        n = put_texts(part, to, n);
    }
    return n;
}

struct text column_text(struct admin *a, const struct column *c, const void *record,
                        char to[static COLUMN_TEXT])
{
    json_t *value;
    size_t n;

    to[0] = 0;
    if (c->text)
        return (struct text){to, c->text(a, record, to)};
    if (!c->get && c->field->kind == FIELD_SECRET)
        return TEXT("");
    if (!c->get && c->field->kind != FIELD_LIST)
        return directory_value(record, c->field, to);
    value = column_value(a, c, record, false);
    n = put_texts(value, to, 0);
    json_decref(value);
    return (struct text){to, n};
}
