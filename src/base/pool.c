#include "base/pool.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK       256
#define GENERATIONS 0x0fffffffu /* the top four bits of an id are the caller's */

/* In front of each slot. A free slot keeps its generation. */
struct slot {
    uint32_t generation; /* odd: taken */
    uint32_t next_free;  /* index + 1 of the next free one; 0: none; of a taken slot its own index */
};

static size_t slot_size(const struct pool *p)
{
    return sizeof(struct slot) + p->size;
}

static struct slot *slot_at(const struct pool *p, size_t index)
{
    return (struct slot *)(p->chunks[index / CHUNK] + index % CHUNK * slot_size(p));
}

void pool_init(struct pool *p, size_t size, size_t max)
{
    *p = (struct pool){.size = (size + 7) & ~(size_t)7, .max = max};
}

void pool_done(struct pool *p)
{
    for (size_t i = 0; i < p->n_chunks; i++)
        free(p->chunks[i]);
    free(p->chunks);
    *p = (struct pool){.size = p->size, .max = p->max};
}

static int add_chunk(struct pool *p)
{
    char **chunks = realloc(p->chunks, (p->n_chunks + 1) * sizeof(*chunks));
    size_t first = p->n_chunks * CHUNK;

    if (!chunks)
        return -1;
    p->chunks = chunks;
    if (!(chunks[p->n_chunks] = calloc(CHUNK, slot_size(p))))
        return -1;
    p->n_chunks++;
    for (size_t i = CHUNK; i-- > 0;) {
        if (first + i >= p->max)
            continue;
        slot_at(p, first + i)->next_free = p->free_head;
        p->free_head = (uint32_t)(first + i + 1);
    }
    return 0;
}

void *pool_take(struct pool *p, uint64_t *id)
{
    size_t index;
    struct slot *slot;

    if (p->n >= p->max || (!p->free_head && add_chunk(p) < 0))
        return NULL;
    index = p->free_head - 1;
    slot = slot_at(p, index);
    p->free_head = slot->next_free;
    slot->next_free = (uint32_t)index;
    slot->generation = (slot->generation + 1) & GENERATIONS;
    p->n++;
    *id = pool_id(slot + 1);
    return memset(slot + 1, 0, p->size);
}

uint64_t pool_id(const void *payload)
{
    const struct slot *slot = (const struct slot *)payload - 1;

    return (uint64_t)slot->generation << 32 | slot->next_free;
}

void *pool_slot(const struct pool *p, uint32_t index)
{
    return slot_at(p, index) + 1;
}

void *pool_get(const struct pool *p, uint64_t id)
{
    size_t index = (uint32_t)id;
    struct slot *slot;

    if (index >= p->n_chunks * CHUNK)
        return NULL;
    slot = slot_at(p, index);
    return slot->generation == id >> 32 && slot->generation & 1 ? slot + 1 : NULL;
}

void pool_give(struct pool *p, uint64_t id)
{
    char *payload = pool_get(p, id);
    struct slot *slot;

    assert(payload);
    slot = (struct slot *)payload - 1;
    slot->generation = (slot->generation + 1) & GENERATIONS;
    slot->next_free = p->free_head;
    p->free_head = (uint32_t)id + 1;
    p->n--;
}

void *pool_next(const struct pool *p, size_t *cursor, uint64_t *id)
{
    while (*cursor < p->n_chunks * CHUNK) {
        size_t index = (*cursor)++;
        struct slot *slot = slot_at(p, index);

        if (!(slot->generation & 1))
            continue;
        *id = (uint64_t)slot->generation << 32 | index;
        return slot + 1;
    }
    return NULL;
}
