/* chain.h - a list through slots of a pool, half as large as list.h: for what there are hundreds of
 * thousands of. A slot is in one chain by one `struct chain_node` of it, zeroed as the pool does.
 */
#pragma once

#include "base/pool.h"

struct chain_node { /* index of the slot + 1; 0: none */
    uint32_t prev, next;
};

struct chain {
    const struct pool *pool;
    size_t offset; /* of the node in a slot */
    uint32_t first, last;
};

void chain_init(struct chain *c, const struct pool *pool, size_t offset);
void chain_append(struct chain *c, void *slot); /* that is in none */
bool chain_remove(struct chain *c, void *slot); /* false: it was not in it */
/* Slots, or NULL. */
void *chain_first(const struct chain *c);
void *chain_last(const struct chain *c);
void *chain_next(const struct chain *c, const void *slot);
void *chain_prev(const struct chain *c, const void *slot);
