/* timers.h - who is due, and when is the next. A hierarchical wheel of intrusive timers in
 * milliseconds of a clock that the caller brings; setting, moving and stopping are O(1). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

#define TIMER_LEVELS 5
#define TIMER_SLOTS  64

struct timer {
    struct list node; /* zeroed: not running */
    uint64_t due_ms;
};

struct timers {
    uint64_t now_ms;
    uint64_t used[TIMER_LEVELS]; /* a bit a slot */
    size_t n;
    struct list slots[TIMER_LEVELS][TIMER_SLOTS];
};

void timers_init(struct timers *t, uint64_t now_ms);
void timer_set(struct timers *t, struct timer *timer,
               uint64_t due_ms);                        /* also moves one that runs */
void timer_stop(struct timers *t, struct timer *timer); /* fine when it is not running */
bool timer_is_set(const struct timer *timer);
/* The next timer that is due at `now_ms`, taken out, or NULL. In order of due time. */
struct timer *timers_expire(struct timers *t, uint64_t now_ms);
/* Milliseconds from now_ms to when timers_expire should next be called (never later than the first
 * due one); UINT64_MAX when nothing runs. */
uint64_t timers_next(const struct timers *t, uint64_t now_ms);
