/* histograms.c - buckets of times. */
#include "core/histograms.h"

const struct histogram_row histogram_rows[N_HISTOGRAMS] = {
#define HISTOGRAM(id, object, name, help) {object, name, help},
#include "core/histograms.def"
#undef HISTOGRAM
};

struct histogram_value histogram_values[N_HISTOGRAMS];

const uint32_t histogram_bounds_us[HISTOGRAM_BOUNDS] = {
    100,    250,    500,     1000,    2500,     5000,     10000,    25000,
    100000, 250000, 1000000, 5000000, 10000000, 30000000, 60000000, 300000000};

void histogram_took(enum histogram h, uint64_t us)
{
    struct histogram_value *v = &histogram_values[h];
    size_t i = 0;

    while (i < HISTOGRAM_BOUNDS && us > histogram_bounds_us[i])
        i++;
    atomic_fetch_add_explicit(&v->buckets[i], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&v->sum_us, us, memory_order_relaxed);
}
