/* effects.h - what a phone's pure cores want done: a list of values that the edge carries out in
 * order.
 *
 * Bytes lie in the list itself: they are valid until the list is cleared. A list that is full drops
 * nothing that was asked before and sets `full`; sizes are such that this is our own mistake. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/buf.h"

enum effect_type {
    /* boot */
    EFFECT_FRAME, /* send a whole Ethernet frame: CDP, LLDP, ARP */
    EFFECT_DHCP,  /* send bytes from port 68 to `to` (255.255.255.255 or the server), port 67 */
    EFFECT_UDP, /* send bytes to `to`; `fresh`: from a new port, what came to the old one is dropped
                 */
    EFFECT_HTTP,    /* get the path in bytes from `to` */
    EFFECT_VLAN,    /* tag with VLAN `number`; 0: untagged */
    EFFECT_ADDRESS, /* use boot's address, mask and router; `number` 0: give them up */
    EFFECT_STAGE,   /* boot came to another stage */
    EFFECT_STATUS,  /* bytes: a line of the phone's status messages */
    EFFECT_READY,   /* boot is done: register with boot's servers */
    EFFECT_REBOOT, /* begin again from power; `number` is the new load's mark: boot.load has changed
                    */
    /* registration */
    EFFECT_CONNECT, /* open `link` to `to` by `transport`; over UDP it is open at once */
    EFFECT_SEND,    /* bytes on `link` */
    EFFECT_CLOSE,   /* close `link`; no report of it is wanted */
    EFFECT_STATE,   /* the phone's registration state changed; `number` is what happened (enum
                       phone_event) */
    EFFECT_LCD      /* something on the display changed */
};

enum link_transport { LINK_TCP, LINK_UDP, LINK_TLS, N_LINK_TRANSPORTS };

struct effect {
    enum effect_type type;
    uint8_t link;
    uint8_t transport; /* of EFFECT_CONNECT: enum link_transport */
    bool fresh;
    uint32_t number;
    struct endpoint to;
    uint32_t at, len; /* of `bytes` in the list */
};

#define EFFECTS_MAX   96
#define EFFECTS_BYTES 16384

struct effects {
    struct effect items[EFFECTS_MAX];
    uint8_t bytes[EFFECTS_BYTES];
    uint32_t n, used;
    bool full;
};

static inline void effects_clear(struct effects *fx)
{
    fx->n = fx->used = 0;
    fx->full = false;
}

/* The next item, zeroed but for its type; a scratch one when the list is full. */
struct effect *effects_add(struct effects *fx, enum effect_type type);
/* A writer over the free bytes; `effects_bytes` then makes what was written the item's. */
struct writer effects_writer(struct effects *fx);
void effects_bytes(struct effects *fx, struct effect *e, const struct writer *w);
void effects_text(struct effects *fx, enum effect_type type, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static inline struct text effect_text(const struct effects *fx, const struct effect *e)
{
    return (struct text){(const char *)fx->bytes + e->at, e->len};
}
