/* packets.h - what passes an interface, both directions, with the kernel's times: for captures. Needs
 * CAP_NET_RAW.
 *
 * Pulled, not pushed: frames wait in the socket until packets_read is called. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>

#include "base/address.h"

#define PACKETS_HOSTS_MAX 8

struct packets;

struct packets_filter { /* frames that fit any; nothing given: all */
    struct mac mac;     /* zero: none */
    struct ip hosts[PACKETS_HOSTS_MAX];
    size_t n_hosts;
};

struct packets_frame {
    uint64_t time_ns; /* since 1970 */
    bool outgoing;
    const uint8_t *bytes; /* with the VLAN tag that the kernel had taken off; until the next read */
    size_t len, original;
};

/* `interface`: empty or NULL for all of this namespace. 0, or -errno: EPERM without the capability, ENODEV. */
int packets_open(const char *interface, const struct packets_filter *filter, struct packets **ret);
int packets_filter(struct packets *p, const struct packets_filter *filter); /* from now on */
int packets_fd(const struct packets *p); /* readable when frames wait */
bool packets_read(struct packets *p, struct packets_frame *ret); /* false: none waits */
uint32_t packets_dropped(struct packets *p); /* by the kernel, since the last call */
void packets_close(struct packets *p);       /* NULL is fine */
