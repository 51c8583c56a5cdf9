#include "io/backlog.h"

#include <errno.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#define PIECE (256u * 1024) /* at least one datagram of the largest size */
#define ALIGN alignof(struct udp_datagram)

struct backlog_piece {
    struct backlog_piece *next;
    size_t read, written;
    alignas(struct udp_datagram) uint8_t bytes[]; /* rows: a datagram, then its bytes */
};

void backlog_init(struct backlog *b, size_t max)
{
    *b = (struct backlog){.max = max};
}

void backlog_done(struct backlog *b)
{
    for (struct backlog_piece *p = b->first, *next; p; p = next) {
        next = p->next;
        free(p);
    }
    free(b->spare);
    backlog_init(b, b->max);
}

static size_t row_size(const struct udp_datagram *d)
{
    return sizeof(*d) + (d->len + ALIGN - 1) / ALIGN * ALIGN;
}

static int piece_add(struct backlog *b)
{
    struct backlog_piece *p = b->spare;

    if (b->bytes + PIECE > b->max)
        return -ENOBUFS;
    if (!p && !(p = malloc(sizeof(*p) + PIECE)))
        return -ENOMEM;
    b->spare = NULL;
    p->next = NULL;
    p->read = p->written = 0;
    if (b->last)
        b->last->next = p;
    else
        b->first = p;
    b->last = p;
    b->bytes += PIECE;
    return 0;
}

int backlog_put(struct backlog *b, const struct udp_datagram *d)
{
    size_t size = row_size(d);
    struct udp_datagram *row;
    int err;

    if (!b->n && b->first)
        b->first->read = b->first->written = 0;
    if ((!b->last || b->last->written + size > PIECE) && (err = piece_add(b)) < 0)
        return err;
    row = (struct udp_datagram *)(b->last->bytes + b->last->written);
    *row = *d;
    row->bytes = memcpy(row + 1, d->bytes, d->len);
    b->last->written += size;
    b->n++;
    return 0;
}

bool backlog_take(struct backlog *b, struct udp_datagram *ret)
{
    struct backlog_piece *p = b->first;

    if (p && p->read == p->written && p->next) {
        b->first = p->next;
        b->bytes -= PIECE;
        free(b->spare);
        b->spare = p;
        p = b->first;
    }
    if (!b->n) {
        free(b->spare);
        b->spare = NULL;
        return false;
    }
    *ret = *(const struct udp_datagram *)(p->bytes + p->read);
    p->read += row_size(ret);
    b->n--;
    return true;
}
