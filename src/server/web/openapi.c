/* openapi.c - the tables as OpenAPI 3.0. */
#include "server/web/openapi.h"

#include <stdio.h>
#include <string.h>

#include "base/names.h"
#include "core/directory/fields.h"
#include "server/web/routes.h"

static json_t *text_schema(void)
{
    return json_pack("{s:s}", "type", "string");
}

static json_t *names_of(const struct name *names)
{
    json_t *list = json_array();

    for (; names->name; names++)
        json_array_append_new(list, json_string(names->name));
    return list;
}

static json_t *field_schema(const struct directory_field *f);

static json_t *properties_of(const struct directory_field *fields)
{
    json_t *properties = json_object();

    for (const struct directory_field *f = fields; f->name; f++)
        json_object_set_new(properties, f->name, field_schema(f));
    return properties;
}

/* x-entity: the value names a record of that kind. x-key: it is (part of) the record's name. */
static json_t *field_schema(const struct directory_field *f)
{
    json_t *schema;

    switch (f->kind) {
    case FIELD_NUM:
        schema = json_pack("{s:s, s:i, s:i, s:i}", "type", "integer", "minimum", f->min, "maximum",
                           f->max, "default", f->number);
        break;
    case FIELD_FLAG:
        schema = json_pack("{s:s, s:b}", "type", "boolean", "default", f->number != 0);
        break;
    case FIELD_ENUM:
        schema = json_pack("{s:s, s:o}", "type", "string", "enum", names_of(f->names));
        break;
    case FIELD_LIST:
        schema = json_pack("{s:s, s:{s:s, s:o}}", "type", "array", "items", "type", "object",
                           "properties", properties_of(f->item->fields));
        break;
    default:
        schema = json_pack("{s:s, s:i}", "type", "string", "maxLength", f->max);
        if (f->text && *f->text)
            json_object_set_new(schema, "default", json_string(f->text));
        break;
    }
    if (f->kind == FIELD_ENUM)
        json_object_set_new(schema, "default", json_string(names_print(f->names, f->number)));
    if (f->kind == FIELD_REF)
        json_object_set_new(schema, "x-entity", json_string(directory_entity(f->entity)->noun));
    if (f->kind == FIELD_KEY)
        json_object_set_new(schema, "x-key", json_true());
    json_object_set_new(schema, "description", json_string(f->title));
    if (f->kind == FIELD_SECRET)
        json_object_set_new(schema, "writeOnly", json_true());
    return schema;
}

/* Of a record in answers and in bodies; what is computed beside the fields (status, address …) is
 * not closed off. */
static json_t *entity_schema(const struct directory_entity *e)
{
    return json_pack("{s:s, s:s, s:o, s:b}", "type", "object", "title", e->title, "properties",
                     properties_of(e->fields), "additionalProperties", true);
}

static json_t *reference(const char *kind, const char *name)
{
    return json_pack("{s:o}", "$ref", json_sprintf("#/components/%s/%s", kind, name));
}

static json_t *json_content(json_t *take_schema)
{
    return json_pack("{s:{s:o}}", "application/json", "schema", take_schema);
}

static json_t *name_parameter(void)
{
    return json_pack("{s:s, s:s, s:b, s:o}", "name", "name", "in", "path", "required", true,
                     "schema", text_schema());
}

static const char *const list_words[][2] = {
    {"search", "only rows that contain this text, in any case"},
    {"sort", "by this column; with - before it, the other way round"},
    {"offset", "skip so many rows; the answer then has \"total\""},
    {"limit", "at most this many rows (1000 at most)"},
    {"after", "what \"next\" of the page before said"},
    {"columns", "these columns only, separated by commas"},
};

static json_t *parameters_of(const struct route_verb *v, bool named)
{
    json_t *list = json_array();

    if (named)
        json_array_append_new(list, name_parameter());
    if (!strcmp(v->verb, "list"))
        for (size_t i = 0; i < sizeof(list_words) / sizeof(*list_words); i++)
            json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:o}", "name", list_words[i][0],
                                                  "in", "query", "description", list_words[i][1],
                                                  "schema", text_schema()));
    if (v->method != ROUTE_GET && v->role == ROUTE_ADMINISTER)
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:{s:s}}", "name", "plan", "in",
                                              "query", "description",
                                              "1: tell what would happen, and change nothing",
                                              "schema", "type", "string"));
    if (v->method == ROUTE_PATCH || v->method == ROUTE_DELETE)
        json_array_append_new(
            list,
            json_pack("{s:s, s:s, s:s, s:o}", "name", "If-Match", "in", "header", "description",
                      "the ETag that was seen: refused with 412 when it is no longer so", "schema",
                      text_schema()));
    return list;
}

static json_t *body_schema(const char *noun, const struct route_verb *v)
{
    bool entity = directory_entity_find(text_of(noun)) >= 0;

    if (entity && (!strcmp(v->verb, "add") || !strcmp(v->verb, "set") || !strcmp(v->verb, "copy")))
        return reference("schemas", noun);
    return json_pack("{s:s, s:b}", "type", "object", "additionalProperties", true);
}

static json_t *list_schema(const char *noun)
{
    json_t *row = directory_entity_find(text_of(noun)) >= 0
                      ? reference("schemas", noun)
                      : json_pack("{s:s, s:b}", "type", "object", "additionalProperties", true);

    return json_pack("{s:s, s:b, s:{s:{s:s, s:o}, s:o, s:{s:s}, s:{s:s}}}", "type", "object",
                     "additionalProperties", true, "properties", "items", "type", "array", "items",
                     row, "next", text_schema(), "total", "type", "integer", "offset", "type",
                     "integer");
}

static json_t *answer_schema(const char *noun, const struct route_verb *v)
{
    if (!strcmp(v->verb, "list"))
        return list_schema(noun);
    return json_pack("{s:s, s:{s:o, s:{s:s, s:o}}, s:b}", "type", "object", "properties", "record",
                     directory_entity_find(text_of(noun)) >= 0
                         ? reference("schemas", noun)
                         : json_pack("{s:s, s:b}", "type", "object", "additionalProperties", true),
                     "notes", "type", "array", "items", text_schema(), "additionalProperties",
                     true);
}

static json_t *file_content(const char *type)
{
    return json_pack("{s:{s:{s:s, s:s}}}", type, "schema", "type", "string", "format", "binary");
}

static json_t *content_of(const char *noun, const struct route_verb *v)
{
    if (!strcmp(v->verb, "follow"))
        return json_pack("{s:{s:o}}", "text/event-stream", "schema", text_schema());
    if (v->carries == CARRIES_DOWNLOAD)
        return file_content("application/octet-stream");
    return json_content(answer_schema(noun, v));
}

static json_t *body_content(const char *noun, const struct route_verb *v)
{
    json_t *content;

    if (v->carries != CARRIES_UPLOAD)
        return json_content(body_schema(noun, v));
    content = file_content("application/octet-stream");
    if (!strcmp(noun, "import"))
        json_object_update_new(content, file_content("text/csv"));
    return content;
}

static json_t *answers_of(const char *noun, const struct route_verb *v)
{
    json_t *good = json_pack("{s:s, s:o}", "description", v->help, "content", content_of(noun, v));

    return json_pack("{s:o, s:o}", !strcmp(v->verb, "add") ? "201" : "200", good, "default",
                     reference("responses", "problem"));
}

static void put_operation(json_t *paths, const char *noun, const struct route_verb *v, bool named)
{
    static const char *const keys[N_ROUTE_METHODS] = {"get", "post", "patch", "delete"};
    char path[160], id[96];
    bool word = !route_verb_is_plain(v);
    json_t *item, *operation;

    snprintf(path, sizeof(path), ROUTES_BASE "%s%s%s%s", noun, named ? "/{name}" : "",
             word ? "/" : "", word ? v->verb : "");
    snprintf(id, sizeof(id), "%s_%s%s", noun, v->verb[0] ? v->verb : "show",
             v->names == ROUTE_BOTH && !named ? "_many" : "");
    for (char *c = id; *c; c++)
        if (*c == '-')
            *c = '_';
    operation = json_pack("{s:s, s:s, s:[s], s:s, s:o, s:o}", "operationId", id, "summary", v->help,
                          "tags", noun, "x-role", route_role_words[route_role(noun, v)],
                          "parameters", parameters_of(v, named), "responses", answers_of(noun, v));
    if (v->method == ROUTE_POST || v->method == ROUTE_PATCH)
        json_object_set_new(operation, "requestBody",
                            json_pack("{s:o}", "content", body_content(noun, v)));
    item = json_object_get(paths, path);
    if (!item) {
        item = json_object();
        json_object_set_new(paths, path, item);
    }
    if (json_object_get(item, keys[v->method])) /* the whole comes before a list of it */
        json_decref(operation);
    else
        json_object_set_new(item, keys[v->method], operation);
}

static void put_verb(json_t *paths, const char *noun, const char *verb)
{
    const struct route_verb *v = route_verb_of(text_of(noun), text_of(verb));

    if (!v)
        return; /* not over HTTP */
    if (v->names != ROUTE_ONE)
        put_operation(paths, noun, v, false);
    if (v->names != ROUTE_NONE)
        put_operation(paths, noun, v, true);
}

static void put_row(json_t *paths, const char *noun, const char *verb)
{
    if (noun[0] != '*') {
        put_verb(paths, noun, verb);
        return;
    }
    for (int e = 0; e < N_ENTITIES; e++)
        put_verb(paths, directory_entity((enum entity)e)->noun, verb);
}

static json_t *paths_of_all(void)
{
    json_t *paths = json_object();

#define API(noun, verb, handler) put_row(paths, noun, verb);
#include "server/api/api.def"
#undef API
    return paths;
}

static json_t *schemas_of_all(void)
{
    json_t *schemas =
        json_pack("{s:{s:s, s:{s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s}}}}", "problem", "type", "object",
                  "properties", "type", "type", "string", "title", "type", "string", "status",
                  "type", "integer", "detail", "type", "string");

    for (int e = 0; e < N_ENTITIES; e++) {
        const struct directory_entity *row = directory_entity((enum entity)e);

        json_object_set_new(schemas, row->noun, entity_schema(row));
    }
    return schemas;
}

static json_t *session_path(void)
{
    json_t *ok = json_pack("{s:{s:s, s:o}, s:o}", "200", "description", "who is logged in",
                           "content", json_content(json_pack("{s:s}", "type", "object")), "default",
                           reference("responses", "problem"));
    json_t *begun = json_pack("{s:{s:s, s:o}, s:o}", "201", "description",
                              "a session: token for programs, cookie and csrf for pages", "content",
                              json_content(json_pack("{s:s}", "type", "object")), "default",
                              reference("responses", "problem"));
    json_t *body =
        json_content(json_pack("{s:s, s:{s:o, s:o, s:o}}", "type", "object", "properties", "user",
                               text_schema(), "password", text_schema(), "key", text_schema()));

    return json_pack("{s:{s:s, s:s, s:[s], s:o}, s:{s:s, s:s, s:[s], s:o}, s:{s:s, s:s, s:[s], "
                     "s:[], s:{s:o}, s:o}}",
                     "get", "operationId", "session_show", "summary", "who is logged in", "tags",
                     "session", "responses", json_incref(ok), "delete", "operationId",
                     "session_end", "summary", "log out", "tags", "session", "responses", ok,
                     "post", "operationId", "session_begin", "summary", "log in", "tags", "session",
                     "security", "requestBody", "content", body, "responses", begun);
}

static json_t *live_path(void)
{
    return json_pack(
        "{s:{s:s, s:s, s:[s], s:{s:{s:s, s:{s:{s:o}}}, s:o}}}", "get", "operationId", "live",
        "summary",
        "what happens, at most twice a second, as server-sent events: phones, events, services, "
        "findings, directory",
        "tags", "live", "responses", "200", "description", "a stream that ends with its session",
        "content", "text/event-stream", "schema", text_schema(), "default",
        reference("responses", "problem"));
}

json_t *openapi_describe(void)
{
    json_t *paths = paths_of_all();

    json_object_set_new(paths, ROUTES_BASE "session", session_path());
    json_object_set_new(paths, ROUTES_BASE "live", live_path());
    return json_pack("{s:s, s:{s:s, s:s, s:s}, s:[{s:[]}], s:o, s:{s:o, s:{s:{s:s, s:{s:{s:o}}}}, "
                     "s:{s:{s:s, s:s}}}}",
                     "openapi", "3.0.3", "info", "title", "Dialtone", "version", "1", "description",
                     "Everything that the command line does, with the same words: GET "
                     "/api/v1/phone is \"dialtone phone list\". "
                     "Names are percent-encoded in paths.",
                     "security", "bearer", "paths", paths, "components", "schemas",
                     schemas_of_all(), "responses", "problem", "description",
                     "refused: why, and what to do", "content", "application/problem+json",
                     "schema", reference("schemas", "problem"), "securitySchemes", "bearer", "type",
                     "http", "scheme", "bearer");
}
