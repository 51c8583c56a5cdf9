/* free_set.h - which of n numbers are free; finds the next free one in O(log n).
 *
 * A tree of bitmaps, 64 children a node: 2 MB for the 16 million addresses of a /8. A bit of an
 * upper level says that something below is free. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FREE_SET_LEVELS 5
#define FREE_SET_NONE   UINT32_MAX

struct free_set {
    uint32_t size, n_free;
    unsigned n_levels;
    uint64_t *levels[FREE_SET_LEVELS];
};

int free_set_init(struct free_set *f, uint32_t size); /* none is free; 0 or -ENOMEM */
void free_set_done(struct free_set *f);               /* zeroed is fine */
void free_set_give_all(struct free_set *f);
void free_set_give(struct free_set *f, uint32_t i); /* becomes free; nothing when it is */
void free_set_take(struct free_set *f, uint32_t i); /* is not free any more */
bool free_set_has(const struct free_set *f, uint32_t i);
/* The first free number from `from` on, wrapped round at the end; FREE_SET_NONE. */
uint32_t free_set_next(const struct free_set *f, uint32_t from);
