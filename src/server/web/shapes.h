/* shapes.h - what requests take and what answers hold, from asked.def and answers.def: for the description of the API,
 * and to tell options from fields. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct asked {
    const char *noun, *verb, *word, *kind, *help;
    bool is_field;
};

/* The rows of a request, one after the other; NULL after the last. `after`: NULL at first. */
const struct asked *asked_next(const char *noun, const char *verb, const struct asked *after);
/* Whether the word is an option of that call, and no field. */
bool asked_option(const char *noun, const char *verb, const char *word);

enum narrows { NARROWS_NOT, NARROWS_SELF, NARROWS_HERE };

/* NULL: answers.def has none. */
const char *shape_of_rows(const char *noun, const char *verb, enum narrows *ret);
const char *shape_of_record(const char *noun, const char *verb);
const char *shape_of_more(const char *noun, const char *verb);
bool shape_has(const char *shape, const char *word);

/* An OpenAPI schema of one kind ("text", "int?" …). */
json_t *shape_kind(const char *kind, size_t len);
/* Adds the words of a shape to the properties of a schema. */
void shape_put(json_t *properties, const char *shape);
