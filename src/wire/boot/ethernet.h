/* ethernet.h - Ethernet II and 802.3/SNAP frames with optional 802.1Q tags. */
#pragma once

#include "base/address.h"
#include "base/buf.h"

#define ETHERNET_FRAME_MAX 1522
#define ETHERNET_ARP       0x0806
#define ETHERNET_IPV4      0x0800
#define ETHERNET_IPV6      0x86dd
#define ETHERNET_VLAN      0x8100
#define ETHERNET_QINQ      0x88a8 /* 802.1ad; older switches use 0x9100 */
#define ETHERNET_QINQ_OLD  0x9100
#define ETHERNET_TAGS_MAX  4
#define ETHERNET_LLDP      0x88cc

struct ethernet {
    struct mac to, from;
    bool tagged;
    uint16_t vlan;       /* of the outermost tag; priority and DEI are left out */
    uint8_t priority;
    uint16_t type;       /* EtherType, or below 0x600: an 802.3 length */
    struct text payload; /* borrowed; of an 802.3 frame exactly `type` bytes */
};

/* 0, or -EBADMSG when too short for its header or its own length. Up to ETHERNET_TAGS_MAX tags are read. */
int ethernet_decode(const void *frame, size_t len, struct ethernet *ret);
/* The header only, without payload; of 802.3 frames the length is given in `type`. */
void ethernet_write(struct writer *w, const struct ethernet *e);
