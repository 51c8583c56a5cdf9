/* raw.h - whole Ethernet frames on one interface, in batches, and ICMP echo. Needs CAP_NET_RAW. */
#pragma once

#include <linux/filter.h>
#include <uv.h>

#include "base/address.h"

struct raw;

typedef void (*raw_input)(void *context, const uint8_t *frame, size_t len);

struct raw_options {
    unsigned interface;
    const struct sock_filter *filter; /* what the kernel passes on; copied */
    unsigned short n_filter;
    const struct mac *groups; /* multicast addresses to listen to */
    size_t n_groups;
    raw_input input; /* frames that others sent; a VLAN tag is taken off by the kernel */
    void *context;
};

/* 0, or -errno (EPERM without the capability, ENODEV …). */
int raw_open(uv_loop_t *loop, const struct raw_options *options, struct raw **ret);
void raw_close(struct raw *r); /* frees in the loop; NULL is fine */
/* Queues a copy of a frame of at most 1522 bytes; it leaves with raw_flush, or when the queue is
 * full. */
void raw_send(struct raw *r, const void *frame, size_t len);
void raw_flush(struct raw *r);

struct icmp;

/* Echo requests out; `input` hears who answered (any echo reply to this machine). */
int icmp_open(uv_loop_t *loop, void (*input)(void *context, struct ip from), void *context,
              struct icmp **ret);
void icmp_close(struct icmp *i);
void icmp_ask(struct icmp *i, struct ip to);
