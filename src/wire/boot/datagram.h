/* datagram.h - UDP over IPv4 in an Ethernet frame, whole, for clients that have no address yet.
 * Addresses are numbers in host order. */
#pragma once

#include "wire/boot/ethernet.h"

struct datagram {
    struct mac to_mac, from_mac;
    uint32_t to, from;
    uint16_t to_port, from_port;
    uint8_t tos;
    struct text payload; /* borrowed */
};

#define DATAGRAM_HEADERS (14 + 20 + 8)

/* From a whole frame: 0, or -EBADMSG when it is no unfragmented UDP over IPv4 or is cut off.
 * Checksums are not looked at: network cards leave them to be filled in. */
int datagram_decode(const void *frame, size_t len, struct datagram *ret);
/* The length of the frame with both checksums, or -ENOSPC. */
int datagram_encode(const struct datagram *d, void *to, size_t size);
