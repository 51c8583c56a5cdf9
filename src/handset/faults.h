/* faults.h - what goes wrong on purpose, by name: a row of faults.def each. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

enum fault {
#define FAULT(id, name, help) FAULT_##id,
#include "handset/faults.def"
#undef FAULT
    N_FAULTS
};

struct fault_row {
    const char *name, *help;
};

extern const struct fault_row fault_rows[N_FAULTS];

int fault_parse(struct text name, enum fault *ret); /* -ENOENT */

static inline bool fault_is_on(uint32_t faults, enum fault f)
{
    return faults >> f & 1;
}
