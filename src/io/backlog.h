/* backlog.h - datagrams that are kept until there is time for them: first in, first out, so many
 * bytes at most. Memory is taken by the piece as they come and given back as they go; while there are any, an empty piece is
 * kept: at this size the system maps each anew, page by page. */
#pragma once

#include "io/udp.h"

struct backlog_piece;

struct backlog {
    struct backlog_piece *first, *last; /* NULL: nothing was put yet */
    struct backlog_piece *spare;        /* one that was emptied, while others wait */
    size_t n, bytes, max;
};

void backlog_init(struct backlog *b, size_t max); /* bytes of all pieces */
void backlog_done(struct backlog *b);
/* A copy. 0, -ENOBUFS: it is full, or -ENOMEM. */
int backlog_put(struct backlog *b, const struct udp_datagram *d);
/* The oldest, valid until the next call; false: there is none. */
bool backlog_take(struct backlog *b, struct udp_datagram *ret);
