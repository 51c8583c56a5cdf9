/* walk.h - all records of a kind, for who looks at each of them. */
#pragma once

#include "core/directory.h"

/* In the order of their keys, until `each` gives something else than 0: that, or 0. */
int directory_each(const struct directory *dir, enum entity e, int (*each)(void *context, const void *record),
                   void *context);
