/* shapes.c - the words of asked.def and answers.def. */
#include "server/web/shapes.h"

#include <string.h>

#include "base/text.h"

#define WORD  false
#define FIELD true
static const struct asked asked_rows[] = {
#define ASKED(noun, verb, word, kind, as, help) {noun, verb, word, kind, help, as},
#include "server/web/asked.def"
#undef ASKED
    {NULL},
};
#undef WORD
#undef FIELD

const struct asked *asked_next(const char *noun, const char *verb, const struct asked *after)
{
    for (const struct asked *a = after ? after + 1 : asked_rows; a->noun; a++)
        if ((a->noun[0] == '*' || !strcmp(a->noun, noun)) && !strcmp(a->verb, verb))
            return a;
    return NULL;
}

bool asked_option(const char *noun, const char *verb, const char *word)
{
    for (const struct asked *a = NULL; (a = asked_next(noun, verb, a));)
        if (!a->is_field && !strcmp(a->word, word))
            return true;
    return !strcmp(word, "plan");
}

/* --- answers --- */

struct shape_row {
    const char *noun, *verb, *shape;
    enum narrows narrows;
};

#define ROWS(...)
#define RECORD(...)
#define MORE(...)

static const struct shape_row row_shapes[] = {
#undef ROWS
#define ROWS(noun, verb, narrows, shape) {noun, verb, shape, NARROWS_##narrows},
#include "server/web/answers.def"
#undef ROWS
#define ROWS(...)
    {NULL},
};

static const struct shape_row record_shapes[] = {
#undef RECORD
#define RECORD(noun, verb, shape) {noun, verb, shape, NARROWS_NOT},
#include "server/web/answers.def"
#undef RECORD
#define RECORD(...)
    {NULL},
};

static const struct shape_row more_shapes[] = {
#undef MORE
#define MORE(noun, verb, shape) {noun, verb, shape, NARROWS_NOT},
#include "server/web/answers.def"
    {NULL},
};

static const struct shape_row *find(const struct shape_row *rows, const char *noun,
                                    const char *verb)
{
    for (; rows->noun; rows++)
        if (!strcmp(rows->noun, noun) && !strcmp(rows->verb, verb))
            return rows;
    return NULL;
}

const char *shape_of_rows(const char *noun, const char *verb, enum narrows *ret)
{
    const struct shape_row *row = find(row_shapes, noun, verb);

    *ret = row ? row->narrows : NARROWS_NOT;
    return row ? row->shape : NULL;
}

const char *shape_of_record(const char *noun, const char *verb)
{
    const struct shape_row *row = find(record_shapes, noun, verb);

    return row ? row->shape : NULL;
}

const char *shape_of_more(const char *noun, const char *verb)
{
    const struct shape_row *row = find(more_shapes, noun, verb);

    return row ? row->shape : NULL;
}

/* --- schemas --- */

/* The next word of a shape, with all that stands in its parentheses; without length at the end. */
static struct text next_word(struct text *rest)
{
    struct text word;
    size_t depth = 0, n = 0;

    while (rest->len && rest->at[0] == ' ')
        *rest = text_skip(*rest, 1);
    for (; n < rest->len && (depth || rest->at[n] != ' '); n++)
        depth += (size_t)(rest->at[n] == '(') - (size_t)(rest->at[n] == ')');
    word = (struct text){rest->at, n};
    *rest = text_skip(*rest, n);
    return word;
}

static json_t *object_of(struct text shape)
{
    json_t *properties = json_object();
    char inner[400];

    text_copy(inner, sizeof(inner), shape);
    shape_put(properties, inner);
    return json_pack("{s:s, s:o, s:b}", "type", "object", "properties", properties,
                     "additionalProperties", false);
}

static json_t *list_of(json_t *take_items)
{
    return json_pack("{s:s, s:o}", "type", "array", "items", take_items);
}

static json_t *text_schema(void)
{
    return json_pack("{s:s}", "type", "string");
}

static json_t *named(const char *name)
{
    return json_pack("{s:o}", "$ref", json_sprintf("#/components/schemas/%s", name));
}

json_t *shape_kind(const char *kind, size_t len)
{
    struct text k = {kind, len};
    bool or_null = text_ends(k, "?");
    json_t *schema;

    k.len -= or_null;
    if (text_is(k, "int"))
        schema = json_pack("{s:s}", "type", "integer");
    else if (text_is(k, "number"))
        schema = json_pack("{s:s}", "type", "number");
    else if (text_is(k, "flag"))
        schema = json_pack("{s:s}", "type", "boolean");
    else if (text_is(k, "time"))
        schema = json_pack("{s:s, s:s}", "type", "string", "format", "date-time");
    else if (text_is(k, "texts"))
        schema = list_of(text_schema());
    else if (text_is(k, "map"))
        schema = json_pack("{s:s, s:o}", "type", "object", "additionalProperties", text_schema());
    else if (text_is(k, "any"))
        schema = json_object();
    else if (text_is(k, "changes"))
        schema = list_of(named("change"));
    else if (text_is(k, "reset"))
        schema = named("reset");
    else if (text_starts(k, "one("))
        schema = object_of((struct text){k.at + 4, k.len - 5});
    else if (text_starts(k, "rows("))
        schema = list_of(object_of((struct text){k.at + 5, k.len - 6}));
    else
        schema = text_schema();
    if (or_null && json_object_size(schema)) /* "any" may be null as it is */
        json_object_set_new(schema, "nullable", json_true());
    return schema;
}

void shape_put(json_t *properties, const char *shape)
{
    struct text rest = text_of(*shape == '+' ? shape + 1 : shape), word, name;

    while ((word = next_word(&rest)).len) {
        char key[40];

        name = text_split(&word, ':');
        text_copy(key, sizeof(key), name);
        json_object_set_new(properties, key, shape_kind(word.at ? word.at : "", word.len));
    }
}

bool shape_has(const char *shape, const char *word)
{
    struct text rest = text_of(shape), w;

    while ((w = next_word(&rest)).len)
        if (text_is(text_split(&w, ':'), word))
            return true;
    return false;
}
