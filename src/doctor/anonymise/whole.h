/* whole.h - the words of a message that lies in several packets: its bytes are gathered,
 * changed as one, and go back to each packet that carried them. */
#ifndef DIALTONE_DOCTOR_ANONYMISE_WHOLE_H
#define DIALTONE_DOCTOR_ANONYMISE_WHOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "doctor/anonymise/stream.h"
#include "wire/sip/framing.h"

/* Bytes of a stream in the output. */
struct piece {
    uint32_t from, len; /* by sequence */
    uint64_t at, sum;
};

/* One direction of a connection, one file, one fragmented packet. */
struct whole {
    uint8_t *bytes; /* of the message in the making */
    uint32_t len, size, start;
    uint32_t body;              /* bytes of an HTTP body still to come; UINT32_MAX: to the end */
    bool placed, in_body, lost; /* lost: the beginning of the next message is looked for */
    struct piece *pieces;
    unsigned n_pieces, n_room;
};

/* Where changed bytes go: into the frame at hand (`now`; NULL: none is), else into what was
 * written. */
struct whole_out {
    const struct anonymise_out *out;
    const struct anonymise_now *now;
    struct sip_message sip;
};

/* A packet that carries bytes of it; the older ones go when too many are kept. */
void whole_piece(struct whole *w, const struct piece *p);

/* These bytes of the stream, to each packet that carried them. */
void whole_spread(struct whole_out *s, struct whole *w, uint32_t start, const uint8_t *bytes,
                  size_t len);

/* Bytes up to `done` are sent again in the packet `p`: as they were written before. */
void whole_repeat(struct whole_out *s, struct whole *w, const struct piece *p, uint32_t done);

/* Bytes that wait; false: too many, or no memory. */
bool whole_keep(struct whole *w, const void *bytes, size_t len);

/* Whether a message may begin with these bytes. */
bool whole_may_begin(const uint8_t *at, size_t len);

/* One message off the front; false: more is needed. */
bool whole_take_message(struct whole_out *s, struct whole *w);

/* What there is of a message that will not become whole. */
void whole_give_up(struct whole_out *s, struct whole *w);

void whole_done(struct whole *w); /* frees what it holds */

#endif
