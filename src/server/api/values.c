/* values.c - a phone's file as it would be served now, value by value, and where each comes
 * from. */
#include <stdio.h>
#include <string.h>

#include "core/models.h"
#include "core/settings.h"
#include "core/sip.h"
#include "server/api/lists.h"
#include "wire/xml.h"

static const struct origin {
    const char *path, *sources;
} origins[] = {
#define ORIGIN(path, sources) {path, sources},
#include "server/origins.def"
#undef ORIGIN
};

/* "a/b" is the end of "x/a/b", not of "x/ya/b". */
static bool path_ends(struct text path, const char *end)
{
    size_t n = strlen(end);

    return text_ends(path, end) && (path.len == n || path.at[path.len - n - 1] == '/');
}

static const char *sources_of(struct text path)
{
    for (size_t i = 0; i < sizeof(origins) / sizeof(*origins); i++)
        if (path_ends(path, origins[i].path))
            return origins[i].sources;
    return "";
}

/* --- the records that stand behind a phone --- */

static const void *record_of(const struct directory *dir, const struct phone *p, struct text noun)
{
    const struct device_pool *pool = directory_find(dir, ENTITY_device_pool, text_of(p->pool));
    const struct model *m = model_find((uint32_t)p->model);
    char key[64];

    if (text_is(noun, "phone"))
        return p;
    if (text_is(noun, "sip-profile"))
        return sip_profile_of(dir, p);
    if (text_is(noun, "security-profile"))
        return security_profile_of(dir, p);
    if (text_is(noun, "defaults")) {
        snprintf(key, sizeof(key), "%s/%s", m ? m->name : "",
                 names_print(device_protocols, p->protocol));
        return directory_find(dir, ENTITY_defaults, text_of(key));
    }
    if (text_is(noun, "line"))
        for (size_t i = 0; i < p->n_buttons; i++)
            if (p->buttons[i].feature == BUTTON_LINE)
                return directory_find(dir, ENTITY_line, text_of(p->buttons[i].target));
    if (!pool || text_is(noun, "pool"))
        return pool;
    if (text_is(noun, "group"))
        return directory_find(dir, ENTITY_callmanager_group, text_of(pool->group));
    return text_is(noun, "datetime") ? directory_find(dir, ENTITY_datetime, text_of(pool->datetime))
                                     : NULL;
}

static bool says_something(const void *record, const struct directory_field *f)
{
    if (f->kind == FIELD_LIST)
        return directory_list_count(record, f) > 0;
    return !directory_is_default(record, f);
}

struct walk {
    struct admin *a;
    const struct phone *phone;
    json_t *rows;
    char last[512]; /* path of the element that was opened last: a leaf when it closes next */
};

/* One source: true when it is where the value is from. The row tells of the last that was looked
 * at. */
static bool try_source(struct walk *w, struct text source, json_t *row)
{
    const struct directory *dir = w->a->thread->directory;
    struct text noun = text_split(&source, '.');
    const struct directory_field *f;
    const void *record;
    char key[DIRECTORY_KEY_MAX] = "";
    bool set;

    json_object_set_new(row, "noun", json_of(noun));
    json_object_set_new(row, "field", json_of(source.at ? source : TEXT("")));
    if (text_is(noun, "parameter")) {
        json_object_set_new(row, "name", json_of(source));
        json_object_set_new(row, "field", json_string("value"));
        record = directory_find(dir, ENTITY_parameter, source);
        json_object_set_new(row, "set", json_boolean(record));
        return record;
    }
    record = record_of(dir, w->phone, noun);
    f = record && source.at
            ? directory_field_find(directory_entity(record_entity(record))->fields, source)
            : NULL;
    if (record)
        directory_key(record, key);
    set = f && says_something(record, f);
    json_object_set_new(row, "name", json_string(key));
    json_object_set_new(row, "set", json_boolean(set));
    return set;
}

static bool is_vendor_setting(const struct phone *p, struct text name)
{
    struct text rest = text_of(p->vendor_config);

    while (rest.at) {
        struct text row = text_split(&rest, ';');

        if (text_equal(text_trim(text_split(&row, '=')), name))
            return true;
    }
    return false;
}

static const char *from_of(const json_t *row, const char *sources)
{
    if (!*sources)
        return "built in";
    return json_is_true(json_object_get(row, "set"))
               ? json_string_value(json_object_get(row, "noun"))
               : "default";
}

static void put_row(struct walk *w, struct text path, struct text name, struct text value)
{
    bool vendor = text_contains_nocase(path, TEXT("vendorConfig/")), hidden;
    const char *sources = vendor && is_vendor_setting(w->phone, name) ? "phone.vendor_config"
                          : vendor && !text_is(name, "detectCMConnectionFailure")
                              ? ""
                              : sources_of(path);
    struct text rest = text_of(sources);
    json_t *row;

    hidden = text_contains_nocase(name, TEXT("password"));
    row = json_pack("{s:o, s:o}", "element", json_of(path), "value",
                    hidden ? json_string("(set)") : json_of(value));
    while (rest.len && !try_source(w, text_split(&rest, ' '), row))
        ;
    json_object_set_new(row, "from", json_string(from_of(row, sources)));
    json_array_append_new(w->rows, row);
}

static int on_xml(void *context, const struct xml_event *e)
{
    struct walk *w = context;

    if (e->kind == XML_OPEN)
        text_copy(w->last, sizeof(w->last), e->path);
    else if (e->kind == XML_CLOSE && text_is(e->path, w->last))
        put_row(w, e->path, e->name, e->value);
    if (e->kind == XML_CLOSE)
        w->last[0] = 0;
    return 0;
}

static void with_file(struct admin *a, const struct ask *ask, int status, json_t *body)
{
    const char *name = json_string_value(ask->kept);
    struct text text = call_text(json_object_get(body, "text"));
    struct walk w = {.a = a, .phone = directory_phone(a->thread->directory, text_of(name))};
    json_t *answer;

    if (status || !w.phone) {
        admin_refuse(a, ask->who, "%s",
                     w.phone ? json_string_value(json_object_get(body, "error"))
                             : "The phone is gone.");
        return;
    }
    w.rows = json_array();
    if (xml_read(text.at, text.len, on_xml, &w, NULL) < 0)
        json_array_clear(w.rows); /* a text file of old SIP phones: told as it is */
    answer = json_pack("{s:O, s:o, s:o}", "record", json_object_get(body, "record"), "text",
                       json_array_size(w.rows) ? json_null() : json_of(text), "items", w.rows);
    admin_answer(a, ask->who, answer);
}

void api_phone_values(struct admin *a, const struct call *c)
{
    api_ask_file(a, c, "", with_file);
}
