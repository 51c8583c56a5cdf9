/* strip.h - how many phones registered, were lost and were refused, for the last 24 hours in steps
 * of ten minutes. Fixed size. */
#pragma once

#include "provision/progress/progress.h"

#define STRIP_SLOTS  144
#define STRIP_SLOT_S 600

struct strip_slot {
    uint64_t number; /* since 1970, in slots */
    uint32_t registered, lost, refused;
};

struct strip {
    struct strip_slot slots[STRIP_SLOTS];
};

/* Of any stage; most mean nothing here. A phone that was told to leave is not lost. */
void strip_event(struct strip *s, const struct progress_event *e);
/* The i-th of the 144 slots that end with `now_us`, the oldest is 0. */
struct strip_slot strip_slot(const struct strip *s, uint64_t now_us, size_t i);
