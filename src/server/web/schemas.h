/* schemas.h - records, bodies and answers as OpenAPI has them, from entities.def, asked.def and answers.def. */
#pragma once

#include <jansson.h>

#include "core/directory.h"
#include "server/web/routes.h"

/* {"$ref": "#/components/KIND/NAME"} */
json_t *schema_named(const char *kind, const char *name);
/* An object of a shape (answers.def), and nothing else. */
json_t *schema_of_shape(const char *shape);
/* The properties of a record as it is told. */
json_t *schema_of_fields(enum entity e);
json_t *schema_of_body(const char *noun, const struct route_verb *v);
json_t *schema_of_answer(const char *noun, const struct route_verb *v);
/* Every entity, and what all answers share. */
json_t *schemas_of_all(void);
