/* bodies.c - from the query and the body of a request to the options and fields of a call. */
#include <stdio.h>
#include <string.h>

#include "base/grow.h"
#include "server/api/lists.h"
#include "server/web/shapes.h"
#include "server/web/web_own.h"

static const char *word_of(const json_t *call, const char *name)
{
    return json_string_value(json_object_get(call, name));
}

static bool is_option(const json_t *call, const char *word)
{
    return asked_option(word_of(call, "noun"), word_of(call, "verb"), word);
}

static void put_word(json_t *call, const char *word, json_t *take_value)
{
    json_object_set_new(json_object_get(call, is_option(call, word) ? "options" : "fields"), word,
                        take_value);
}

void web_on_query_word(void *context, const char *name, const char *value)
{
    json_t *call = context;
    uint64_t n;

    if (!strcmp(name, "lang") && !is_option(call, name))
        return;
    if (!strcmp(name, "plan") && (!strcmp(value, "0") || !strcmp(value, "false")))
        return;
    if ((!strcmp(name, "limit") || !strcmp(name, "wanted")) && is_option(call, name) &&
        !text_to_u64(text_of(value), 10, &n))
        put_word(call, name, json_integer((json_int_t)n));
    else
        put_word(call, name, json_of(text_of(value)));
}

/* --- lists of records: as the command line has them, children separated by ';', their fields by
 * ',' --- */

static void put_escaped(struct grow *to, struct text value)
{
    for (size_t i = 0; i < value.len; i++) {
        if (memchr("\\;,", value.at[i], 3))
            grow_string(to, "\\");
        grow_text(to, (struct text){value.at + i, 1});
    }
}

/* False: a word that no child has, or a value that is no text. */
static bool put_child(struct grow *to, const struct directory_item *item, const json_t *child)
{
    size_t n = 0, commas = 0;

    for (const struct directory_field *f = item->fields; f->name; f++, commas++) {
        json_t *value = json_object_get(child, f->name), *text;

        if (!value)
            continue;
        if (!(text = route_field(value)))
            return false;
        n++;
        if (json_string_length(text))
            for (; commas; commas--)
                grow_string(to, ",");
        put_escaped(to, call_text(text));
        json_decref(text);
    }
    return n == json_object_size(child);
}

/* NULL: it is no list of objects that this field could hold. */
static json_t *children(const char *noun, const char *word, const json_t *value)
{
    int e = directory_entity_find(text_of(noun));
    const struct directory_field *f =
        e < 0 ? NULL
              : directory_field_find(directory_entity((enum entity)e)->fields, text_of(word));
    struct grow text = {0};
    json_t *child, *made = NULL;
    bool good = f && f->kind == FIELD_LIST && json_is_array(value);
    size_t i;

    json_array_foreach(value, i, child)
    {
        if (i)
            grow_string(&text, ";");
        good = good && json_is_object(child) && put_child(&text, f->item, child);
    }
    if (good && !text.bad)
        made = json_stringn(text.at ? text.at : "", text.len);
    grow_done(&text);
    return made;
}

/* --- bodies --- */

/* What is no field stays as it is, to be refused. */
static json_t *fields_of_object(const char *noun, json_t *object)
{
    json_t *fields = json_object(), *value, *field;
    const char *key;

    json_object_foreach(object, key, value)
    {
        if (!(field = route_field(value)))
            field = children(noun, key, value);
        json_object_set_new(fields, key, field ? field : json_incref(value));
    }
    return fields;
}

/* Who sends back what he was told, changed in one place: what is only told is left out, and so is a
 * password that was not shown. */
static bool is_only_told(enum entity e, const char *word, const json_t *value)
{
    const struct directory_field *f =
        directory_field_find(directory_entity(e)->fields, text_of(word));
    struct column c;

    if (f)
        return f->kind == FIELD_SECRET && text_is(call_text((json_t *)value), "(set)");
    return column_find(e, text_of(word), &c) && !column_is_short(&c);
}

static void drop_told(json_t *call, json_t *fields)
{
    int e = directory_entity_find(text_of(word_of(call, "noun")));
    const char *word;
    json_t *value;
    void *next;

    if (e < 0 || !word_is_one_of(word_of(call, "verb"), "add set copy"))
        return;
    json_object_foreach_safe(fields, next, word,
                             value) if (is_only_told((enum entity)e, word, value))
        json_object_del(fields, word);
    if (json_object_get(fields, "buttons")) { /* which say all that these say in short */
        json_object_del(fields, "lines");
        json_object_del(fields, "speed_dials");
    }
}

/* The name of what is added, from the fields that are its key: "7001/Partition". */
static void name_by_keys(const json_t *call, json_t *fields, struct route *route)
{
    int e = directory_entity_find(text_of(route->noun));
    const struct directory_entity *row = e < 0 ? NULL : directory_entity((enum entity)e);
    struct text first, second;

    if (!row || route->name[0] || strcmp(word_of(call, "verb"), "add") != 0)
        return;
    first = call_text(json_object_get(fields, row->fields[0].name));
    second = row->n_keys > 1 ? call_text(json_object_get(fields, row->fields[1].name)) : TEXT("");
    snprintf(route->name, sizeof(route->name), "%.*s%s%.*s", TEXT_ARG(first), second.len ? "/" : "",
             TEXT_ARG(second));
}

static bool put_value(json_t *call, const char *word, json_t *value)
{
    const char *noun = word_of(call, "noun");
    json_t *field;

    if (is_option(call, word) && json_is_boolean(value))
        field = json_incref(value);
    else if (is_option(call, word) && json_is_object(value))
        field = fields_of_object(noun, value);
    else if (!(field = route_field(value)))
        field = children(noun, word, value);
    if (field)
        put_word(call, word, field);
    return field;
}

const char *web_read_body(json_t *call, json_t *body, struct route *route)
{
    json_t *fields = json_object_get(call, "fields"), *value;
    const char *word;

    json_object_foreach(body, word, value)
    {
        if (!strcmp(word, "name") && !route->name[0] && json_is_string(value))
            text_copy(route->name, sizeof(route->name), call_text(value));
        else if (!strcmp(word, "names") && json_is_array(value))
            json_object_set(call, "names", value);
        else if (!put_value(call, word, value))
            return "A value is a text, a number, true or false, or a list of them.";
    }
    drop_told(call, fields);
    name_by_keys(call, fields, route);
    return NULL;
}

/* "v12" or *; anything else never matches. */
void web_put_expected(json_t *call, const char *if_match)
{
    struct text t = text_of(if_match);
    uint64_t version;

    if (text_is(t, "*"))
        return;
    if (t.len < 4 || !text_starts(t, "\"v") || !text_ends(t, "\"") ||
        text_to_u64((struct text){t.at + 2, t.len - 3}, 10, &version) < 0)
        version = UINT64_MAX;
    json_object_set_new(json_object_get(call, "options"), "expect",
                        json_sprintf("%llu", (unsigned long long)version));
}

/* --- lists --- */

/* Lists that come whole are narrowed here: their words must be columns. */
static bool are_columns(const char *shape, const json_t *where, const char *columns,
                        const char *sort)
{
    struct text rest = text_of(columns);
    const char *word;
    json_t *value;
    char name[64];

    json_object_foreach((json_t *)where, word, value) if (!shape_has(shape, word)) return false;
    while (rest.len) {
        text_copy(name, sizeof(name), text_trim(text_split(&rest, ',')));
        if (!shape_has(shape, name))
            return false;
    }
    return !*sort || shape_has(shape, sort + (*sort == '-'));
}

const char *web_read_paging(struct exchange *e, json_t *call)
{
    json_t *options = json_object_get(call, "options"), *fields = json_object_get(call, "fields");
    struct text sort = call_text(json_object_get(options, "sort")),
                offset = call_text(json_object_get(options, "offset"));
    json_int_t limit = json_integer_value(json_object_get(options, "limit"));
    const char *columns = json_string_value(json_object_get(options, "columns"));
    enum narrows narrows;
    const char *shape = shape_of_rows(e->route.noun, e->route.verb->verb, &narrows);
    uint64_t n;

    text_copy(e->sort, sizeof(e->sort), sort);
    e->offset = text_to_u64(offset, 10, &n) < 0 ? 0 : (size_t)n;
    e->limit = limit > 0 && limit < MAX_PAGE ? (size_t)limit : MAX_PAGE;
    e->paged = sort.len || offset.len;
    if (!shape || e->route.verb->method != ROUTE_GET)
        return NULL;
    if (!are_columns(shape, fields, columns ? columns : "", e->sort))
        return "It has no such column; " ROUTES_BASE "openapi.json names all.";
    if (narrows == NARROWS_HERE && json_object_size(fields))
        e->where = json_incref(fields);
    text_copy(e->columns, sizeof(e->columns), text_of(columns ? columns : ""));
    e->paged = e->paged || e->where;
    if (e->paged) /* before it is cut */
        json_object_del(options, "limit");
    return NULL;
}
