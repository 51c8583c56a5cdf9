/* homes.h - which device is registered at which other node, as the others tell it.
 *
 * A device that registers at one node is taken off the node where it was: the younger registration
 * counts, by age, never by a wall clock that may jump. Memory is bounded: what does not fit is not
 * known, and its node still knows it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"

struct homes;

/* NULL without memory. */
struct homes *homes_new(size_t max);
void homes_free(struct homes *h);

/* It registered at that member so long ago, from that address. */
void homes_put(struct homes *h, struct device_name device, unsigned member, struct ip ip, uint64_t now_ms,
               uint64_t age_ms);
/* It is registered there no more; false when it was not known to be there. */
bool homes_remove(struct homes *h, struct device_name device, unsigned member);
/* It is registered at this node now. */
void homes_gone(struct homes *h, struct device_name device);
/* The member, and its address there; or -1. */
int homes_find(const struct homes *h, struct device_name device, struct ip *ret);
/* The link of a node has gone, or a new one has come and tells all again: what was told before is unknown. Its memory is
 * given back by homes_forget: a batch a call, true while there are more. */
void homes_leave(struct homes *h, unsigned member);
bool homes_forget(struct homes *h, unsigned member);

/* A registration of a device at one of two nodes. */
struct tenure {
    const char *node;
    uint32_t age_ms;
    uint32_t wall_ms; /* when it came, low bits; 0: unknown */
    bool knew; /* its node had been told of the other one before */
};

/* Two nodes have the device: does the other one keep it? The later one does: who knew of the other is; of two that did
 * not know of each other, who says the later time of day (ages, when that is unknown); of equals the lower name.
 * Both decide the same, also while news are on the way. */
bool homes_yields(const struct tenure *theirs, const struct tenure *ours);
