/* fragments.h - IP packets out of their fragments (RFC 791 3.2, RFC 8200 4.5).
 *
 * Where fragments overlap, the bytes that came first stay. Bounds: FRAGMENTS_MAX packets at once, the oldest goes; a packet of
 * which a fragment is cut off by the capture is never whole. */
#pragma once

#include "wire/capture/packet.h"

#define FRAGMENTS_MAX     64
#define FRAGMENT_UNIT     8
#define FRAGMENTS_SIZE    65536
#define FRAGMENTS_WAIT_NS 30000000000ll /* RFC 1122 3.3.2: 60 s at most; an id comes again sooner on busy hosts */

struct fragments_packet {
    struct ip from, to;
    uint32_t id;
    uint8_t protocol;
    bool used;
    int64_t first_ns;
    uint32_t end;      /* bytes of the whole; 0: the last fragment did not come yet */
    uint32_t n_units;  /* that came */
    uint8_t units[FRAGMENTS_SIZE / FRAGMENT_UNIT / 8]; /* a bit for each eight bytes */
    uint8_t *bytes;    /* FRAGMENTS_SIZE on the heap */
};

struct fragments {
    struct fragments_packet packets[FRAGMENTS_MAX];
};

void fragments_init(struct fragments *f);
void fragments_done(struct fragments *f);
/* Takes the fragment `p`. The whole payload once it is there (borrowed until the next call, `p` is then decoded: kind, ports, payload), else false. */
bool fragments_take(struct fragments *f, struct packet *p, int64_t now_ns);
