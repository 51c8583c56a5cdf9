/* counters.h - every counter of the program; a row of counters.def each. */
#pragma once

#include "base/counters.h"

enum counter {
#define COUNTER(id, object, name, help) COUNT_##id,
#include "core/counters.def"
#undef COUNTER
    N_COUNTERS
};

extern const struct counter_row counter_rows[N_COUNTERS];
extern counter_value counter_values[N_COUNTERS];

static inline void count(enum counter c)
{
    counter_add(&counter_values[c], 1);
}

static inline void count_by(enum counter c, int64_t n) /* gauges go down with a negative n */
{
    counter_add(&counter_values[c], n);
}
