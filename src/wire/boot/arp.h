/* arp.h - ARP for IPv4 over Ethernet (RFC 826, probes RFC 5227). Addresses are numbers in host order. */
#pragma once

#include "wire/boot/ethernet.h"

#define ARP_FRAME_SIZE 60 /* with header and padding */

enum arp_op { ARP_REQUEST = 1, ARP_REPLY = 2 };

struct arp {
    uint16_t op;
    struct mac sender_mac, target_mac;
    uint32_t sender_ip, target_ip;
};

/* From a whole frame. 0, -EBADMSG when it is too short or no ARP for IPv4 over Ethernet. */
int arp_decode(const void *frame, size_t len, struct arp *ret);
/* A whole frame: a reply goes to its target, a request to everybody. ARP_FRAME_SIZE, or -ENOSPC. */
int arp_encode(const struct arp *a, void *to, size_t size);
/* Asks who has `ip` without claiming an address ourselves (sender 0.0.0.0, RFC 5227 2.1.1). */
struct arp arp_probe(struct mac sender, uint32_t ip);
