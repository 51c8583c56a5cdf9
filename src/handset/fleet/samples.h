/* samples.h - how long things took: a bounded set of values with percentiles. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct samples {
    uint32_t *values; /* microseconds, owned */
    size_t n, room, max;
    uint64_t n_all; /* also those beyond max, which replace older ones */
};

void samples_init(struct samples *s, size_t max);
void samples_done(struct samples *s);
void samples_add(struct samples *s, uint64_t microseconds); /* dropped without memory */
void samples_join(struct samples *s, const uint32_t *values, size_t n);
/* The value below which `percent` (0-100) of them lie, 0 without any. Sorts. */
uint32_t samples_percentile(struct samples *s, double percent);
