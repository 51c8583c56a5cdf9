/* pace.h - how fast phones may come back (FAIL-4): what a registration costs here is measured, and
 * from it follow how many may hold a token at once, and when the others ask again. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pace {
    uint32_t cost_us; /* of a registration, smoothed */
    uint32_t share;   /* of the capacity that is given to returning phones, in 1/1024 */
    uint64_t slot_us; /* when the next phone that was sent away shall ask again */
};

void pace_init(struct pace *p);

/* What the last quarter of a second took: processor time, registrations completed, and how late
 * the loop was at its worst. */
void pace_measure(struct pace *p, uint32_t cpu_us, uint32_t n_registered, uint32_t late_ms);
/* Registrations a second that returning phones may cause. */
uint32_t pace_rate(const struct pace *p);

/* How many may hold a token: what is registered in a second, `least` at least. */
uint32_t pace_depth(const struct pace *p, uint32_t least);
/* Seconds after which a phone that is sent away asks again, `least` at least: each gets a place of
 * its own in the queue, a place every 1/rate seconds. */
uint32_t pace_wait_s(struct pace *p, uint64_t now_ms, uint32_t least);
