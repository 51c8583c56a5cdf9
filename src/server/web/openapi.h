/* openapi.h - the description of the REST API, printed from the tables it is made of: api.def,
 * verbs.def, entities.def. */
#pragma once

#include <jansson.h>

/* An OpenAPI 3.0 document; NULL without memory. */
json_t *openapi_describe(void);
