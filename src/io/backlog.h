/* backlog.h - datagrams that are kept until there is time for them: first in, first out, so many
 * bytes at most. Memory is taken by the piece as they come and given back as they go. */
#pragma once

#include "io/udp.h"

struct backlog_piece;

struct backlog {
    struct backlog_piece *first, *last; /* NULL: nothing was put yet */
    size_t n, bytes, max;
};

void backlog_init(struct backlog *b, size_t max); /* bytes of all pieces */
void backlog_done(struct backlog *b);
/* A copy. 0, -ENOBUFS: it is full, or -ENOMEM. */
int backlog_put(struct backlog *b, const struct udp_datagram *d);
/* The oldest, valid until the next call; false: there is none. */
bool backlog_take(struct backlog *b, struct udp_datagram *ret);
