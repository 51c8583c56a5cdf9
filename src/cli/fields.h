/* fields.h - the fields of the directory's entities, told to a person. */
#pragma once

#include "base/grow.h"
#include "core/directory/fields.h"

/* Fields of the entity of a noun: start with NULL; keys are not among them; none for other nouns.
 * The last ones of a phone are `lines` and `speed_dials`, which are easier to type than its
 * buttons. */
const struct directory_field *field_next(const char *noun, const struct directory_field *after);
void field_help(struct grow *g, const struct directory_field *f);
