#include "provision/reply_queue.h"

#include <errno.h>
#include <stdlib.h>

struct block {   /* in front of each answer */
    size_t size; /* with this header; 0: nothing follows, go on at the start of the ring */
    size_t unused;
};

int reply_queue_init(struct reply_queue *q, size_t size)
{
    *q = (struct reply_queue){.ring = aligned_alloc(16, size), .size = size};
    return q->ring ? 0 : -ENOMEM;
}

void reply_queue_done(struct reply_queue *q)
{
    free(q->ring);
    *q = (struct reply_queue){0};
}

static struct block *block_at(const struct reply_queue *q, size_t at)
{
    return (struct block *)(void *)(q->ring + at);
}

/* Bytes in a row that can be put at `tail` without meeting the head. */
static size_t room(const struct reply_queue *q)
{
    if (q->n && q->tail <= q->head)
        return q->head - q->tail;
    return q->size - q->tail;
}

void *reply_queue_put(struct reply_queue *q, size_t len)
{
    size_t need = sizeof(struct block) + ((len + 15) & ~(size_t)15);

    if (!q->n)
        q->head = q->tail = 0;
    if (room(q) < need && q->tail > q->head) { /* the rest of the ring is too short: wrap */
        if (q->head < need)
            return NULL;
        if (q->tail < q->size)
            block_at(q, q->tail)->size = 0;
        q->tail = 0;
    }
    if (room(q) < need)
        return NULL;
    block_at(q, q->tail)->size = need;
    q->tail += need;
    q->n++;
    return q->ring + q->tail - need + sizeof(struct block);
}

static size_t first_at(const struct reply_queue *q)
{
    return q->head == q->size || block_at(q, q->head)->size == 0 ? 0 : q->head;
}

void *reply_queue_first(const struct reply_queue *q)
{
    return q->n ? q->ring + first_at(q) + sizeof(struct block) : NULL;
}

void reply_queue_drop(struct reply_queue *q)
{
    size_t at = first_at(q);

    q->head = at + block_at(q, at)->size;
    q->n--;
}
