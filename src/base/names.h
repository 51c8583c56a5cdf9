/* names.h - number <-> name tables for dumps, settings and logs. A table ends with a NULL name. */
#pragma once

#include <stdint.h>

#include "base/text.h"

struct name {
    uint32_t value;
    const char *name;
};

const char *names_print(const struct name *table, uint32_t value);       /* NULL when unknown */
int names_parse(const struct name *table, struct text t, uint32_t *ret); /* any case; -ENOENT */
