/* nic.h - a named interface as phones use it: whole frames in and out, DHCP before there is an
 * address, addresses put on the interface so that the kernel answers ARP for them. Linux; needs
 * CAP_NET_RAW, and CAP_NET_ADMIN to put addresses. */
#pragma once

#include <uv.h>

#include "base/address.h"

struct nic;

typedef void (*nic_input)(void *context, const uint8_t *frame, size_t len);

/* 0, or -errno: -ENODEV no such interface, -EPERM no raw sockets. `error` tells the step. */
int nic_open(uv_loop_t *loop, const char *interface, nic_input input, void *context,
             struct nic **ret, char *error, size_t size);
void nic_close(struct nic *n); /* NULL is fine; takes away the addresses it has put */
const char *nic_name(const struct nic *n);
struct mac nic_mac(const struct nic *n);
int nic_send(struct nic *n, const void *frame, size_t len);
/* A UDP datagram in a frame of its own, from `mac`: for DHCP, when there is no address to send
 * from. */
int nic_send_udp(struct nic *n, struct mac mac, const struct endpoint *from,
                 const struct endpoint *to, const void *bytes, size_t len);
/* The interface's own MAC becomes `mac` (a namespace of one phone). */
int nic_set_mac(struct nic *n, struct mac mac);
int nic_add_address(struct nic *n, struct ip address, struct ip mask);
int nic_remove_address(struct nic *n, struct ip address, struct ip mask);
int nic_set_router(struct nic *n, struct ip router); /* default route; none takes it away */
/* The UDP payload of a frame to port `port`, or len 0. */
struct text nic_udp_payload(const uint8_t *frame, size_t len, uint16_t port);
