/* udp.h - UDP sockets for servers: batches in, batches out, with the address and the interface
 * each datagram came to.
 *
 * `input` gets all datagrams of one recvmmsg; what it sends leaves by sendmmsg when it returns (or
 * when the batch is full). A turn of the loop reads a bounded number of batches, or for a bounded time. */
#pragma once

#include <uv.h>

#include "base/address.h"

#define UDP_BATCH 64 /* that `input` gets at most: so many say that there may be more */

struct udp;

struct udp_datagram {
    struct endpoint from;
    struct ip to;           /* this host's address that an answer should come from */
    bool group;             /* it was sent to a broadcast or multicast address */
    unsigned interface;     /* index it came in on, 0 when unknown */
    const uint8_t *bytes;   /* valid until `input` returns */
    size_t len;
};

typedef void (*udp_input)(void *context, const struct udp_datagram *batch, size_t n);

struct udp_options {
    struct endpoint local; /* no address: all of IPv4 */
    const char *interface; /* bind to this interface, or NULL */
    bool broadcast;
    uint8_t tos;           /* IP TOS byte of what is sent */
    size_t receive_buffer; /* bytes asked from the kernel, 0: default */
    size_t max_len;        /* longer datagrams are dropped; 0: 2048 */
    unsigned turn_us;      /* a turn of the loop reads for so long; 0: four batches */
    udp_input input;
    void *context;
};

/* Copies the options. 0, or -errno of socket/bind (EADDRINUSE, EACCES, ENODEV …). */
int udp_open(uv_loop_t *loop, const struct udp_options *options, struct udp **ret);
void udp_close(struct udp *u); /* the port is free at once, the memory in the loop; NULL is fine; no input after it */
uint16_t udp_port(const struct udp *u);
/* Bytes that the kernel gave of `receive_buffer`: without privileges no more than net.core.rmem_max. */
size_t udp_receive_room(const struct udp *u);

/* Queues a copy; the kernel out of room for long means that datagrams are dropped, as on any network.
 * `from` and `interface` choose the source (ip none, 0: the kernel's choice). */
void udp_send(struct udp *u, const struct endpoint *to, struct ip from, unsigned interface,
              const void *bytes, size_t len);
/* The same without a copy: the bytes must stay as they are until the next udp_flush. */
void udp_lend(struct udp *u, const struct endpoint *to, struct ip from, unsigned interface,
              const void *bytes, size_t len);
/* The same for a train: `len` bytes as datagrams of `segment` bytes each, the last may be shorter. The kernel
 * cuts it (UDP_SEGMENT) where it can. */
void udp_send_train(struct udp *u, const struct endpoint *to, struct ip from, unsigned interface,
                    const void *bytes, size_t len, size_t segment);
/* Where the next datagram or train of up to `len` bytes will be queued: written there and then sent from there, it
 * is not copied. NULL when there is no room. */
void *udp_room(struct udp *u, size_t len);
void udp_flush(struct udp *u); /* for sends outside of `input` */
