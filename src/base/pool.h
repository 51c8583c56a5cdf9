/* pool.h - fixed-size slots found by id. An id is slot and generation: once the slot is given back,
 * its old ids find nothing. Slots never move. Bounded: `pool_take` refuses beyond `max`. The top four
 * bits of an id are 0: a caller may mark its ids there. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pool {
    size_t size, n, max, n_chunks;
    uint32_t free_head;
    char **chunks;
};

void pool_init(struct pool *p, size_t slot_size, size_t max);
void pool_done(struct pool *p);
void *pool_take(struct pool *p, uint64_t *id);     /* zeroed; NULL when full; ids are never 0 */
void *pool_get(const struct pool *p, uint64_t id); /* NULL once given back */
void *pool_slot(const struct pool *p, uint32_t index); /* taken or not; the low half of an id is its index */
uint64_t pool_id(const void *slot); /* of one that is taken */
void pool_give(struct pool *p, uint64_t id);
/* Walks all taken slots: start with *cursor = 0, ends with NULL. Giving back the one returned is
 * fine. */
void *pool_next(const struct pool *p, size_t *cursor, uint64_t *id);
