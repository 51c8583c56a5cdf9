#include "base/chain.h"

static struct chain_node *node_of(const struct chain *c, void *slot)
{
    return (struct chain_node *)((char *)slot + c->offset);
}

static void *slot_at(const struct chain *c, uint32_t place)
{
    return place ? pool_slot(c->pool, place - 1) : NULL;
}

static uint32_t place_of(const void *slot)
{
    return (uint32_t)pool_id(slot) + 1;
}

void chain_init(struct chain *c, const struct pool *pool, size_t offset)
{
    *c = (struct chain){.pool = pool, .offset = offset};
}

void chain_append(struct chain *c, void *slot)
{
    uint32_t place = place_of(slot);

    *node_of(c, slot) = (struct chain_node){.prev = c->last};
    if (c->last)
        node_of(c, slot_at(c, c->last))->next = place;
    else
        c->first = place;
    c->last = place;
}

bool chain_remove(struct chain *c, void *slot)
{
    struct chain_node *n = node_of(c, slot);
    void *prev = slot_at(c, n->prev), *next = slot_at(c, n->next);

    if (!prev && c->first != place_of(slot))
        return false;
    if (prev)
        node_of(c, prev)->next = n->next;
    else
        c->first = n->next;
    if (next)
        node_of(c, next)->prev = n->prev;
    else
        c->last = n->prev;
    *n = (struct chain_node){0};
    return true;
}

void *chain_first(const struct chain *c)
{
    return slot_at(c, c->first);
}

void *chain_last(const struct chain *c)
{
    return slot_at(c, c->last);
}

void *chain_next(const struct chain *c, const void *slot)
{
    return slot_at(c, node_of(c, (void *)slot)->next);
}

void *chain_prev(const struct chain *c, const void *slot)
{
    return slot_at(c, node_of(c, (void *)slot)->prev);
}
