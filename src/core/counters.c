#include "core/counters.h"

const struct counter_row counter_rows[N_COUNTERS] = {
#define COUNTER(id, object, name, help) {object, name, help},
#include "core/counters.def"
#undef COUNTER
};

counter_value counter_values[N_COUNTERS];
