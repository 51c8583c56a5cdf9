/* schemas.c - records, bodies and answers as OpenAPI has them. */
#include "server/web/schemas.h"

#include <stdio.h>
#include <string.h>

#include "base/names.h"
#include "core/directory/fields.h"
#include "server/admin.h"
#include "server/web/shapes.h"

static json_t *names_of(const struct name *names)
{
    json_t *list = json_array();

    for (; names->name; names++)
        json_array_append_new(list, json_string(names->name));
    return list;
}

static json_t *field_schema(const struct directory_field *f, bool is_new);

static json_t *properties_of(const struct directory_field *fields)
{
    json_t *properties = json_object();

    for (const struct directory_field *f = fields; f->name; f++)
        json_object_set_new(properties, f->name, field_schema(f, true));
    return properties;
}

static json_t *bare_schema(const struct directory_field *f)
{
    if (f->kind == FIELD_NUM && strcmp(f->name, "model") != 0)
        return json_pack("{s:s, s:i, s:i}", "type", "integer", "minimum", f->min, "maximum",
                         f->max);
    if (f->kind == FIELD_NUM) /* told and taken by product name */
        return json_pack("{s:s, s:b}", "type", "string", "x-any", f->min == 0);
    if (f->kind == FIELD_FLAG)
        return json_pack("{s:s}", "type", "boolean");
    if (f->kind == FIELD_ENUM)
        return json_pack("{s:s, s:o}", "type", "string", "enum", names_of(f->names));
    if (f->kind == FIELD_LIST)
        return json_pack("{s:s, s:{s:s, s:o, s:b}}", "type", "array", "items", "type", "object",
                         "properties", properties_of(f->item->fields), "additionalProperties",
                         false);
    return json_pack("{s:s, s:i}", "type", "string", "maxLength", f->max);
}

static json_t *default_of(const struct directory_field *f)
{
    switch (f->kind) {
    case FIELD_NUM:
        if (!strcmp(f->name, "model"))
            return f->min ? NULL : json_string("0");
        return json_integer(f->number);
    case FIELD_FLAG:
        return json_boolean(f->number);
    case FIELD_ENUM:
        return json_string(names_print(f->names, f->number));
    case FIELD_LIST:
        return NULL;
    default:
        return f->text && *f->text ? json_string(f->text) : NULL;
    }
}

/* x-entity: the value names a record of that kind. x-key: it is (part of) the record's name.
 * x-default: what it is when nothing is said; as "default" of OpenAPI, generated clients would
 * demand it, or send it with each change. */
static json_t *field_schema(const struct directory_field *f, bool is_new)
{
    json_t *schema = bare_schema(f), *standard = is_new ? default_of(f) : NULL;

    if (standard)
        json_object_set_new(schema, "x-default", standard);
    if (f->kind == FIELD_REF)
        json_object_set_new(schema, "x-entity", json_string(directory_entity(f->entity)->noun));
    if (f->kind == FIELD_KEY)
        json_object_set_new(schema, "x-key", json_true());
    if (f->kind == FIELD_SECRET)
        json_object_set_new(schema, "format", json_string("password"));
    json_object_set_new(schema, "description", json_string(f->title));
    return schema;
}

/* What is known beside the fields of a record; "lines" and "speed_dials" of a phone are short for
 * its buttons. */
static json_t *column_schema(const struct directory_entity *e, const struct column *c)
{
    const struct directory_field *f =
        c->field ? c->field : directory_field_find(e->fields, text_of(c->name));
    json_t *schema;

    if (f)
        return field_schema(f, false);
    schema = shape_kind(c->kind ? c->kind : "text", strlen(c->kind ? c->kind : "text"));
    json_object_set_new(schema, column_is_short(c) ? "x-short" : "readOnly", json_true());
    return schema;
}

json_t *schema_of_fields(enum entity e)
{
    struct column columns[MAX_COLUMNS];
    struct text unknown;
    int n = columns_choose(e, "", true, columns, &unknown);
    json_t *properties = json_object();

    for (int i = 0; i < n; i++)
        json_object_set_new(properties, columns[i].name,
                            column_schema(directory_entity(e), &columns[i]));
    return properties;
}

static json_t *closed(json_t *take_properties)
{
    return json_pack("{s:s, s:o, s:b}", "type", "object", "properties", take_properties,
                     "additionalProperties", false);
}

static json_t *titled(const char *title, json_t *take_schema)
{
    json_object_set_new(take_schema, "title", json_string(title));
    return take_schema;
}

static json_t *schema_of_new(enum entity e)
{
    const struct directory_entity *row = directory_entity(e);
    json_t *told = schema_of_fields(e),
           *schema = titled(row->title, closed(properties_of(row->fields))), *value;
    const char *name;

    json_object_foreach(told, name, value) if (json_object_get(value, "x-short"))
        json_object_set(json_object_get(schema, "properties"), name, value);
    json_decref(told);
    json_object_set_new(schema, "required", json_pack("[s]", row->fields[0].name));
    return schema;
}

json_t *schema_named(const char *kind, const char *name)
{
    return json_pack("{s:o}", "$ref", json_sprintf("#/components/%s/%s", kind, name));
}

json_t *schema_of_shape(const char *shape)
{
    json_t *properties = json_object();

    shape_put(properties, shape);
    return closed(properties);
}

/* The entity that a body is a record of; NULL: none. */
static const char *body_entity(const char *noun, const struct route_verb *v)
{
    if (!strcmp(noun, "node") && !strcmp(v->verb, "join"))
        return "callmanager";
    if (!strcmp(noun, "unknown") && !strcmp(v->verb, "adopt"))
        return "phone";
    return directory_entity_find(text_of(noun)) >= 0 && word_is_one_of(v->verb, "add set copy")
               ? noun
               : NULL;
}

static json_t *asked_schema(const char *noun, const struct route_verb *v)
{
    json_t *properties = json_object();

    if (word_is_one_of(v->verb, "reset restart apply")) /* field=value selects */
        shape_put(
            properties,
            "name model protocol description pool template status address reason active_load port");
    for (const struct asked *a = NULL; (a = asked_next(noun, v->verb, a));)
        json_object_set_new(properties, a->word, shape_kind(a->kind, strlen(a->kind)));
    return closed(properties);
}

json_t *schema_of_body(const char *noun, const struct route_verb *v)
{
    const char *entity = body_entity(noun, v);
    char name[40];
    json_t *schema;

    if (!entity || (!strcmp(v->verb, "set") && asked_next(noun, "set", NULL)))
        return asked_schema(noun, v);
    snprintf(name, sizeof(name), "%s%s", entity, !strcmp(v->verb, "add") ? "_new" : "");
    if (strcmp(v->verb, "copy") != 0)
        return schema_named("schemas", name);
    schema = closed(schema_of_fields((enum entity)directory_entity_find(text_of(entity))));
    shape_put(json_object_get(schema, "properties"), "to");
    json_object_set_new(schema, "required", json_pack("[s]", "to"));
    return schema;
}

static json_t *record_schema(const char *noun, const struct route_verb *v)
{
    const char *shape = shape_of_record(noun, v->verb);
    int e = directory_entity_find(text_of(noun));
    json_t *properties;

    if (!shape)
        return e < 0 ? NULL : schema_named("schemas", noun);
    properties = *shape == '+' ? schema_of_fields((enum entity)e) : json_object();
    shape_put(properties, shape);
    return closed(properties);
}

static json_t *rows_schema(const char *noun, const char *verb)
{
    enum narrows narrows;
    const char *shape = shape_of_rows(noun, verb, &narrows);
    json_t *properties;

    if (!shape)
        return schema_named("schemas", noun);
    properties = json_object();
    shape_put(properties, shape);
    return closed(properties);
}

static void put_list(json_t *properties, const char *noun, const char *verb)
{
    json_object_set_new(properties, "items",
                        json_pack("{s:s, s:o}", "type", "array", "items", rows_schema(noun, verb)));
}

json_t *schema_of_answer(const char *noun, const struct route_verb *v)
{
    json_t *properties = json_object(), *record;
    const char *more = shape_of_more(noun, v->verb);
    enum narrows narrows;

    if (!strcmp(v->verb, "list")) {
        put_list(properties, noun, "list");
        shape_put(properties, "next total:int offset:int");
    } else {
        if (shape_of_rows(noun, v->verb, &narrows))
            put_list(properties, noun, v->verb);
        if ((record = record_schema(noun, v)))
            json_object_set_new(properties, "record", record);
        shape_put(properties, "notes:texts");
    }
    if (word_is_one_of(v->verb, "add set copy delete bulk adopt join leave"))
        shape_put(properties, "plan:flag total:int count:int changes:changes reset:reset");
    if (more)
        shape_put(properties, more);
    return closed(properties);
}

json_t *schemas_of_all(void)
{
    json_t *schemas = json_pack(
        "{s:o, s:o, s:o}", "problem",
        schema_of_shape("type title status:int detail faults:rows(operation:int field text) "
                        "items:rows(line:int field reason) current:any"),
        "change", schema_of_shape("noun name action fields:any"), "reset",
        schema_of_shape("count:int names:texts"));
    char name[40];

    for (int e = 0; e < N_ENTITIES; e++) {
        const struct directory_entity *row = directory_entity((enum entity)e);

        snprintf(name, sizeof(name), "%s_new", row->noun);
        json_object_set_new(schemas, row->noun,
                            titled(row->title, closed(schema_of_fields((enum entity)e))));
        json_object_set_new(schemas, name, schema_of_new((enum entity)e));
    }
    return schemas;
}
