/* counters.h - named counters from a table. Adding is one relaxed atomic; any thread may read. */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct counter_row {
    const char *object; /* as the performance monitor groups them: "Cisco TFTP" */
    const char *name;   /* "Requests" */
    const char *help;
};

typedef _Atomic uint64_t counter_value; /* the one typedef: _Atomic arrays read badly without */

static inline void counter_add(counter_value *c, int64_t n)
{
    atomic_fetch_add_explicit(c, (uint64_t)n, memory_order_relaxed);
}

static inline uint64_t counter_read(const counter_value *c)
{
    return atomic_load_explicit(c, memory_order_relaxed);
}
