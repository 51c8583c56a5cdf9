/* dial.h - outgoing links of a program that plays many clients: TCP connections and UDP sockets.
 *
 * A link belongs to the loop it was made in and is named by its pointer until `dial_close`,
 * `dial_vanish` or `on_close`; after that the pointer is gone and no callback follows. Callbacks
 * may close their own link. Nothing is allocated per message unless the kernel refuses to take it.
 */
#pragma once

#include <uv.h>

#include "base/address.h"

struct dial;
struct tls_client;

struct dial_calls {
    void (*on_open)(void *context); /* TCP only: connected */
    void (*on_input)(void *context, const struct endpoint *from, const uint8_t *bytes, size_t len);
    void (*on_close)(void *context,
                     int err); /* TCP: 0 the peer closed, else -errno (refused, reset, timed out …).
                                  UDP: -ECONNREFUSED for an ICMP error; the socket stays */
};

struct dial_options {
    struct ip local;        /* family 0: the kernel's choice */
    const char *interface;  /* bind to it, or NULL; copied into the kernel only */
    uint8_t tos;            /* IP TOS byte; phones mark signalling CS3 = 0x60 */
    struct tls_client *tls; /* NULL: clear. on_open is told when the handshake is done */
    const struct dial_calls *calls;
    void *context;
};

/* 0, or -errno of socket/bind/connect; whether it connects is told by on_open or on_close. */
int dial_tcp(uv_loop_t *loop, const struct dial_options *options, const struct endpoint *to,
             struct dial **ret);
int dial_udp(uv_loop_t *loop, const struct dial_options *options, struct dial **ret);
/* A UDP socket that talks with one peer only: dial_send goes there, others are not heard. */
int dial_udp_to(uv_loop_t *loop, const struct dial_options *options, const struct endpoint *to,
                struct dial **ret);

/* Copies what the kernel does not take at once. -EPIPE when not connected, -ENOBUFS when the peer
 * does not read. */
int dial_send(struct dial *d, const void *bytes, size_t len);
int dial_send_to(struct dial *d, const struct endpoint *to, const void *bytes, size_t len);

/* Who is at the other end, by its certificate; both "" without TLS or without one (tls_client_peer). */
void dial_peer(const struct dial *d, char *subject, size_t size, char *authority);
uint16_t dial_local_port(const struct dial *d);
void dial_pause(struct dial *d); /* stops reading: the peer's bytes pile up */
void dial_close(struct dial *d); /* FIN for TCP; NULL is fine */
void dial_abort(struct dial *d); /* RST for TCP */
/* Forgets a TCP connection without a word to the peer, as when the cable is pulled. -EPERM without
 * CAP_NET_ADMIN; the link is then left as it is. */
int dial_vanish(struct dial *d);
