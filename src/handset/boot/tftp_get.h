/* tftp_get.h - one file by TFTP, as a phone asks for it (RFC 1350): octet, no options, RRQ repeated
 * after 0.5 s.
 *
 * Pure: packets and the time go in, the next packet to send is written to `out` (nothing written:
 * nothing to send). The server answers from a new port, which is kept from its first packet on;
 * block numbers wrap to 0. */
#pragma once

#include "base/address.h"
#include "base/buf.h"

#define TFTP_GET_TRIES   6 /* of the request or of an acknowledgement, each wait doubled */
#define TFTP_GET_WAIT_MS 500
#define TFTP_GET_MAX_MS  4000
#define TFTP_GET_PACKET  160 /* largest packet that is sent */

enum tftp_get_state {
    TFTP_GET_IDLE,
    TFTP_GET_ASKED,
    TFTP_GET_RUNNING,
    TFTP_GET_DONE,      /* all bytes were handed out */
    TFTP_GET_NOT_FOUND, /* error 1 */
    TFTP_GET_ERROR,     /* another error of the server, or its port is closed */
    TFTP_GET_TIMEOUT
};

struct tftp_get {
    enum tftp_get_state state;
    struct endpoint server; /* port 69, then the transfer's own */
    uint16_t block;         /* last one received */
    uint16_t error;
    uint8_t tries;
    uint32_t wait_ms;
    uint64_t due_ms;   /* UINT64_MAX: nothing to wait for */
    uint64_t received; /* bytes */
    uint32_t retransmitted;
    char file[64];
};

void tftp_get_start(struct tftp_get *g, const char *file, const struct endpoint *server,
                    uint64_t now_ms, struct writer *out);
/* `data` is the next part of the file, in place, or empty. */
void tftp_get_input(struct tftp_get *g, const struct endpoint *from, const void *bytes, size_t len,
                    uint64_t now_ms, struct writer *out, struct text *data);
void tftp_get_tick(struct tftp_get *g, uint64_t now_ms, struct writer *out);
void tftp_get_unreachable(struct tftp_get *g); /* ICMP: nobody listens there */

static inline bool tftp_get_is_running(const struct tftp_get *g)
{
    return g->state == TFTP_GET_ASKED || g->state == TFTP_GET_RUNNING;
}
