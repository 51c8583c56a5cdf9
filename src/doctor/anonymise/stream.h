/* stream.h - payloads whose words go on in the next packet: TCP, files by TFTP, fragments of IP.
 *
 * The frame of such a packet is written with zeroes for its payload; once the whole message or document is there it is disguised,
 * and its parts are put into the frames they came in, wherever those are by then. What never becomes whole is disguised as far as
 * it came, or stays zero. Data sent again gets the same bytes.
 *
 * Bounds: the connections of streams.h; ANONYMISE_WHOLE_MAX bytes of a message, which otherwise stays zero. */
#pragma once

#include "wire/capture/packet.h"

#define ANONYMISE_WHOLE_MAX (256 << 10)

/* Where the output is: frames already written are changed there. */
struct anonymise_out {
    void *context;
    void (*write)(void *context, uint64_t at, const void *bytes, size_t n);
    void (*read)(void *context, uint64_t at, void *bytes, size_t n);
};

/* The packet being written. */
struct anonymise_now {
    uint8_t *frame;
    size_t len;
    uint64_t at;      /* where the frame will stand in the output */
    uint64_t payload; /* where its payload will */
    uint64_t sum;     /* where its checksum will; 0: it needs none */
    int64_t time_ns;
};

struct anonymise_streams;

struct anonymise_streams *anonymise_streams_new(const struct anonymise_out *out); /* NULL without memory */
void anonymise_streams_free(struct anonymise_streams *s);                         /* NULL is fine */
void anonymise_streams_end(struct anonymise_streams *s); /* nothing more comes: what waits is done */
/* A TCP segment, a block of a file (DATA of TFTP), a fragment: `p` as it was captured. */
void anonymise_segment(struct anonymise_streams *s, const struct packet *p, const struct anonymise_now *now);
void anonymise_block(struct anonymise_streams *s, const struct packet *p, const struct anonymise_now *now);
void anonymise_fragment(struct anonymise_streams *s, const struct packet *p, const struct anonymise_now *now);
/* What is in a datagram, in place; anonymise.c. */
void anonymise_datagram(const struct packet *p, uint8_t *at, size_t len);
