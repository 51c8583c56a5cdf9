/* perf.h - the performance monitor's counters (PERF-1): those of counters.def and those that are computed, under one
 * numbering; and all of them as Prometheus reads them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct admin;
struct grow;

struct perf_counter {
    const char *object, *name, *help; /* "Cisco TFTP", "Requests" */
    bool gauge;                       /* may fall */
    int64_t value;
};

size_t perf_count(void);
struct perf_counter perf_get(struct admin *a, size_t i);
/* Prometheus' text format 0.0.4. */
void perf_print_metrics(struct admin *a, struct grow *to);
