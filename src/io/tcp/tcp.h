/* tcp.h - TCP listeners and links: bytes in, bytes out, by id.
 *
 * A link is named by an id that finds nothing once it is closed. What is sent during one turn of
 * the loop leaves in one write. A peer that does not read is closed when `max_queued` is reached.
 */
#pragma once

#include <uv.h>

#include "base/address.h"

struct tcp;
struct tls;

struct tcp_options {
    struct endpoint local; /* no address: all, IPv6 and IPv4; port 0: the kernel's choice */
    uint8_t tag;     /* 0-15, the top four bits of the ids: for several listeners of a thread */
    struct tls *tls; /* borrowed; NULL: bytes go as they are */
    uint32_t handshake_ms; /* a TLS handshake may take that long; 0: 10 s */
    size_t max_handshakes; /* under way; the oldest gives way; 0: 4096 */
    int backlog;           /* 0: as deep as the system allows */
    uint8_t tos;
    size_t max_links;  /* further connections are refused: closed at once */
    size_t max_per_ip; /* 0: no limit */
    size_t max_queued; /* bytes unsent on a link */
    /* Microseconds a turn of the loop may spend on new connections and on links that are not settled
     * (tcp_settle), so that those that are do not wait for them; 0: all links are alike. */
    uint32_t newcomers_us;
    void *context;
    /* All may call tcp_send and tcp_close for any link. */
    void (*on_open)(void *context, uint64_t link, const struct endpoint *peer,
                    const struct endpoint *local);
    void (*on_input)(void *context, uint64_t link, const uint8_t *bytes, size_t len);
    void (*on_close)(void *context, uint64_t link,
                     int err); /* 0: the peer closed; not after tcp_close */
    /* May be NULL: a TLS handshake failed, why in static words. The link was never open. */
    void (*on_failed)(void *context, const struct endpoint *peer, const char *why);
    void (*on_drain)(void *context, uint64_t link); /* may be NULL: all that was queued behind a
                                                       full socket has left, more can be sent */
};

/* How the kernel fares with a phone's connection: what was sent and is not acknowledged (TCP_INFO). */
struct tcp_health {
    uint32_t tries;      /* repeats of the data that waits now; 0: all is well */
    uint32_t timeout_ms; /* until the next one */
    uint32_t rtt_us, deviation_us; /* smoothed round trip */
    uint32_t unacked, lost;  /* segments */
    uint32_t total;      /* segments sent again since the connection began */
    uint32_t silent_ms;  /* since the last acknowledgement */
};

int tcp_listen(uv_loop_t *loop, const struct tcp_options *options,
               struct tcp **ret); /* -errno of bind … */
uint16_t tcp_port(const struct tcp *t);
void tcp_stop(struct tcp *t); /* closes the listener and all links; frees in the loop; NULL is fine */
int tcp_send(struct tcp *t, uint64_t link, const void *bytes,
             size_t len);                     /* copies; -ENOENT, -ENOBUFS */
void tcp_settle(struct tcp *t, uint64_t link); /* it is no newcomer any more; again is fine */
void tcp_close(struct tcp *t, uint64_t link); /* after what is queued has left */
bool tcp_peer(const struct tcp *t, uint64_t link, struct endpoint *ret); /* false: it is closed */
/* Common name of the verified certificate of the peer; "" without TLS or without one. */
void tcp_subject(const struct tcp *t, uint64_t link, char *to, size_t size);
/* Fingerprint of the last certificate of its verified chain, TLS_FINGERPRINT_MAX bytes; or "". */
void tcp_authority(const struct tcp *t, uint64_t link, char *to);
/* The next link that is open: start with *cursor = 0, ends with 0. */
uint64_t tcp_next(const struct tcp *t, size_t *cursor);
size_t tcp_count(const struct tcp *t);
bool tcp_health(const struct tcp *t, uint64_t link, struct tcp_health *ret); /* false: it is closed, or the kernel does not tell */
/* Lets the kernel ask the peer whether it is there, once a second, until as many have taken the answer as have
 * asked; whether it was heard within so many milliseconds. A peer that was restarted ends the link. */
void tcp_probe(struct tcp *t, uint64_t link);
bool tcp_answers(struct tcp *t, uint64_t link, uint32_t within_ms);
size_t tcp_queued(const struct tcp *t, uint64_t link); /* bytes not yet taken by the kernel */
