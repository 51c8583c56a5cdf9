/* packet.h - an Ethernet frame down to the payload of UDP or TCP. */
#pragma once

#include "wire/boot/ethernet.h"

enum packet_kind {
    PACKET_OTHER,
    PACKET_CDP,
    PACKET_LLDP,
    PACKET_ARP,
    PACKET_ICMP,
    PACKET_UDP,
    PACKET_TCP
};

#define PACKET_FIN 0x01 /* bits of `tcp_flags` */
#define PACKET_SYN 0x02
#define PACKET_RST 0x04
#define PACKET_ACK 0x10

struct packet {
    enum packet_kind kind;
    struct ethernet ethernet;
    struct endpoint from, to; /* of IP packets; port 0 for ICMP and for later fragments */
    uint8_t dscp;
    uint32_t tcp_sequence, tcp_acknowledged;
    uint8_t tcp_flags;
    struct text payload; /* of UDP and TCP; borrowed */
};

/* 0, or -EBADMSG when it is no whole Ethernet frame. What is cut off further up is PACKET_OTHER. */
int packet_decode(const void *frame, size_t len, struct packet *ret);
