/* histograms.h - how long things take, a row of histograms.def each. Counting is two relaxed atomics;
 * any thread may read. */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum histogram {
#define HISTOGRAM(id, object, name, help) TOOK_##id,
#include "core/histograms.def"
#undef HISTOGRAM
    N_HISTOGRAMS
};

#define HISTOGRAM_BOUNDS 16 /* the last bucket is what took longer */

struct histogram_row {
    const char *object, *name, *help;
};

struct histogram_value {
    _Atomic uint64_t buckets[HISTOGRAM_BOUNDS + 1], sum_us;
};

extern const struct histogram_row histogram_rows[N_HISTOGRAMS];
extern struct histogram_value histogram_values[N_HISTOGRAMS];
extern const uint32_t histogram_bounds_us[HISTOGRAM_BOUNDS]; /* rising */

void histogram_took(enum histogram h, uint64_t us);
