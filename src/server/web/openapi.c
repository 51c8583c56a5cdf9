/* openapi.c - the tables as OpenAPI 3.0. */
#include "server/web/openapi.h"

#include <stdio.h>
#include <string.h>

#include "core/directory/fields.h"
#include "server/admin.h"
#include "server/web/routes.h"
#include "server/web/schemas.h"
#include "server/web/shapes.h"

struct described {
    json_t *paths, *schemas;
};

static json_t *json_content(json_t *take_schema)
{
    return json_pack("{s:{s:o}}", "application/json", "schema", take_schema);
}

/* A schema with a name of its own: generated clients name their types so. */
static json_t *component(const struct described *d, const char *id, const char *end,
                         json_t *take_schema)
{
    char name[128];

    if (json_object_get(take_schema, "$ref"))
        return take_schema;
    snprintf(name, sizeof(name), "%s_%s", id, end);
    json_object_set_new(d->schemas, name, take_schema);
    return schema_named("schemas", name);
}

/* --- what a request takes --- */

static void add_parameter(json_t *list, const char *name, const char *in, const char *help,
                          json_t *take_schema)
{
    json_t *one = json_pack("{s:s, s:s, s:o}", "name", name, "in", in, "schema", take_schema);

    if (!strcmp(in, "path"))
        json_object_set_new(one, "required", json_true());
    if (help)
        json_object_set_new(one, "description", json_string(help));
    json_array_append_new(list, one);
}

static void add_text(json_t *list, const char *name, const char *in, const char *help)
{
    add_parameter(list, name, in, help, shape_kind("text", 4));
}

/* field=value of a list */
static void add_filters(json_t *list, const char *noun)
{
    enum narrows narrows;
    const char *shape = shape_of_rows(noun, "list", &narrows), *word;
    int e = shape ? -1 : directory_entity_find(text_of(noun));
    json_t *words = e >= 0 ? schema_of_fields((enum entity)e) : json_object(), *value;

    if (shape && narrows != NARROWS_NOT)
        shape_put(words, shape);
    json_object_foreach(words, word, value) if (!asked_option(noun, "list", word))
        add_text(list, word, "query", NULL);
    json_decref(words);
}

static bool asks_in_query(const struct route_verb *v)
{
    return v->method == ROUTE_GET || v->carries == CARRIES_UPLOAD;
}

static json_t *parameters_of(const char *noun, const struct route_verb *v, bool named)
{
    json_t *list = json_array();

    if (named)
        add_text(list, "name", "path", NULL);
    for (const struct asked *a = NULL; asks_in_query(v) && (a = asked_next(noun, v->verb, a));)
        add_parameter(list, a->word, "query", a->help, shape_kind(a->kind, strlen(a->kind)));
    if (!strcmp(v->verb, "list"))
        add_filters(list, noun);
    if (v->method != ROUTE_GET && (api_plans(text_of(noun), v->verb) ||
                                   word_is_one_of(*v->verb ? "" : noun, "import restore")))
        add_text(list, "plan", "query", "1: tell what would happen, and change nothing");
    if (v->method == ROUTE_PATCH || v->method == ROUTE_DELETE)
        add_text(list, "If-Match", "header",
                 "the ETag that was seen: refused with 412 when it is no longer so");
    return list;
}

static json_t *file_content(const char *type)
{
    return json_pack("{s:{s:{s:s, s:s}}}", type, "schema", "type", "string", "format", "binary");
}

static json_t *content_of(const struct described *d, const char *id, const char *noun,
                          const struct route_verb *v)
{
    json_t *content;

    if (!strcmp(v->verb, "follow"))
        return json_pack("{s:{s:o}}", "text/event-stream", "schema", shape_kind("text", 4));
    if (v->carries == CARRIES_DOWNLOAD && !strcmp(noun, "export")) {
        content = file_content("text/csv");
        json_object_update_new(content, file_content("application/json"));
        return content;
    }
    if (v->carries == CARRIES_DOWNLOAD)
        return file_content(!strcmp(noun, "trace") ? "application/gzip"
                                                   : "application/octet-stream");
    return json_content(component(d, id, "answer", schema_of_answer(noun, v)));
}

static json_t *body_content(const struct described *d, const char *id, const char *noun,
                            const struct route_verb *v)
{
    json_t *content;

    if (v->carries != CARRIES_UPLOAD)
        return json_content(component(d, id, "request", schema_of_body(noun, v)));
    content = file_content("application/octet-stream");
    if (!strcmp(noun, "import")) {
        json_object_update_new(content, file_content("text/csv"));
        json_object_update_new(content, file_content("application/json"));
    }
    return content;
}

/* What was added is a 201; the plan of it is none. */
static json_t *answers_of(const struct described *d, const char *id, const char *noun,
                          const struct route_verb *v)
{
    json_t *good = json_pack("{s:s, s:o}", "description", v->help, "content",
                             content_of(d, id, noun, v)),
           *answers = json_pack("{s:o, s:o}", "200", good, "default",
                                schema_named("responses", "problem"));

    if (!strcmp(v->verb, "add"))
        json_object_set(answers, "201", good);
    return answers;
}

static void put_operation(const struct described *d, const char *noun, const struct route_verb *v,
                          bool named)
{
    static const char *const keys[N_ROUTE_METHODS] = {"get", "post", "patch", "delete"};
    char path[160], id[96];
    bool word = !route_verb_is_plain(v);
    json_t *item, *operation;

    snprintf(path, sizeof(path), ROUTES_BASE "%s%s%s%s", noun, named ? "/{name}" : "",
             word ? "/" : "", word ? v->verb : "");
    snprintf(id, sizeof(id), "%s_%s%s", noun, v->verb[0] ? v->verb : keys[v->method],
             v->names == ROUTE_BOTH && !named ? "_many" : "");
    for (char *c = id; *c; c++)
        if (*c == '-')
            *c = '_';
    item = json_object_get(d->paths, path);
    if (json_object_get(item, keys[v->method]))
        return; /* the whole comes before a list of it */
    if (!item)
        json_object_set_new(d->paths, path, item = json_object());
    operation =
        json_pack("{s:s, s:s, s:[s], s:s, s:o, s:o}", "operationId", id, "summary", v->help, "tags",
                  noun, "x-role", route_role_words[route_role(noun, v)], "parameters",
                  parameters_of(noun, v, named), "responses", answers_of(d, id, noun, v));
    if (v->method == ROUTE_POST || v->method == ROUTE_PATCH)
        json_object_set_new(operation, "requestBody",
                            json_pack("{s:o}", "content", body_content(d, id, noun, v)));
    json_object_set_new(item, keys[v->method], operation);
}

static void put_verb(const struct described *d, const char *noun, const char *verb)
{
    const struct route_verb *v = route_verb_of(text_of(noun), text_of(verb));

    if (!v)
        return; /* not over HTTP */
    if (v->names != ROUTE_ONE)
        put_operation(d, noun, v, false);
    if (v->names != ROUTE_NONE)
        put_operation(d, noun, v, true);
}

static void put_row(const struct described *d, const char *noun, const char *verb)
{
    if (noun[0] != '*') {
        put_verb(d, noun, verb);
        return;
    }
    for (int e = 0; e < N_ENTITIES; e++)
        put_verb(d, directory_entity((enum entity)e)->noun, verb);
}

static void put_all(const struct described *d)
{
#define API(noun, verb, handler) put_row(d, noun, verb);
#include "server/api/api.def"
#undef API
}

static json_t *session_answers(const char *status, const char *description, const char *shape)
{
    return json_pack("{s:{s:s, s:o}, s:o}", status, "description", description, "content",
                     json_content(schema_of_shape(shape)), "default",
                     schema_named("responses", "problem"));
}

static json_t *session_path(void)
{
    static const char who[] = "user role:int csrf";

    return json_pack(
        "{s:{s:s, s:s, s:[s], s:o}, s:{s:s, s:s, s:[s], s:o}, s:{s:s, s:s, s:[s], "
        "s:[], s:{s:o}, s:o}}",
        "get", "operationId", "session_show", "summary", "who is logged in", "tags", "session",
        "responses", session_answers("200", "who is logged in", who), "delete", "operationId",
        "session_end", "summary", "log out", "tags", "session", "responses",
        session_answers("200", "who was logged in", who), "post", "operationId", "session_begin",
        "summary", "log in", "tags", "session", "security", "requestBody", "content",
        json_content(schema_of_shape("user password key")), "responses",
        session_answers("201", "a session: token for programs, cookie and csrf for pages",
                        "user role:int token csrf"));
}

static json_t *live_path(void)
{
    return json_pack(
        "{s:{s:s, s:s, s:[s], s:{s:{s:s, s:{s:{s:o}}}, s:o}}}", "get", "operationId", "live",
        "summary",
        "what happens, at most twice a second, as server-sent events: phones, events, services, "
        "findings, directory",
        "tags", "live", "responses", "200", "description", "a stream that ends with its session",
        "content", "text/event-stream", "schema", shape_kind("text", 4), "default",
        schema_named("responses", "problem"));
}

json_t *openapi_describe(void)
{
    struct described d = {json_object(), schemas_of_all()};

    put_all(&d);
    json_object_set_new(d.paths, ROUTES_BASE "session", session_path());
    json_object_set_new(d.paths, ROUTES_BASE "live", live_path());
    return json_pack("{s:s, s:{s:s, s:s, s:s}, s:[{s:[]}], s:o, s:{s:o, s:{s:{s:s, s:{s:{s:o}}}}, "
                     "s:{s:{s:s, s:s}}}}",
                     "openapi", "3.0.3", "info", "title", "Dialtone", "version", "1", "description",
                     "Everything that the command line does, with the same words: GET "
                     "/api/v1/phone is \"dialtone phone list\". "
                     "Names are percent-encoded in paths.",
                     "security", "bearer", "paths", d.paths, "components", "schemas", d.schemas,
                     "responses", "problem", "description", "refused: why, and what to do",
                     "content", "application/problem+json", "schema",
                     schema_named("schemas", "problem"), "securitySchemes", "bearer", "type",
                     "http", "scheme", "bearer");
}
