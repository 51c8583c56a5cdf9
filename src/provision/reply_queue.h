/* reply_queue.h - answers that wait, first in first out, in one ring of bytes that is never grown.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct reply_queue {
    uint8_t *ring;
    size_t size, head, tail; /* taken from head, put at tail; both multiples of 16 */
    size_t n;
};

int reply_queue_init(struct reply_queue *q, size_t size); /* a multiple of 16; 0 or -ENOMEM */
void reply_queue_done(struct reply_queue *q);
/* Room for `len` bytes at the end, aligned to 16; NULL when full. */
void *reply_queue_put(struct reply_queue *q, size_t len);
void *reply_queue_first(const struct reply_queue *q); /* NULL when empty */
void reply_queue_drop(struct reply_queue *q);         /* the first one */
