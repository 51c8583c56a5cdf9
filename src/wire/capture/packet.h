/* packet.h - a captured frame down to the payload of UDP, TCP or ICMP.
 *
 * Goes through VLAN tags, MPLS, PPPoE and what monitor ports wrap around frames (GRE, ERSPAN, VXLAN, TZSP, IP in IP); what
 * is reported is the innermost packet. Checksums are not looked at: network cards leave them to be filled in. */
#pragma once

#include "wire/boot/ethernet.h"

enum packet_kind {
    PACKET_OTHER,
    PACKET_CDP,
    PACKET_LLDP,
    PACKET_ARP,
    PACKET_ICMP,
    PACKET_UDP,
    PACKET_TCP,
    PACKET_MESSAGE, /* of SCCP or SIP over TCP, alone in `payload` (upper_pdu.h) */
    PACKET_FRAGMENT /* of an IP packet: fragments.h puts them together */
};

/* Link types of captures (the list of tcpdump.org/linktypes.html); others give PACKET_OTHER. */
enum packet_link {
    LINK_NULL = 0,
    LINK_ETHERNET = 1,
    LINK_PPP = 9,
    LINK_RAW_OLD = 12,
    LINK_RAW_BSD = 14,
    LINK_PPP_HDLC = 50,
    LINK_RAW = 101,
    LINK_CISCO_HDLC = 104,
    LINK_LOOP = 108,
    LINK_COOKED = 113,
    LINK_IPV4 = 228,
    LINK_IPV6 = 229,
    LINK_MESSAGES = 252,
    LINK_COOKED2 = 276
};

#define PACKET_FIN 0x01 /* bits of `tcp_flags` */
#define PACKET_SYN 0x02
#define PACKET_RST 0x04
#define PACKET_ACK 0x10

enum packet_protocol { PROTOCOL_ICMP = 1, PROTOCOL_TCP = 6, PROTOCOL_UDP = 17, PROTOCOL_ICMP6 = 58 };

struct packet {
    enum packet_kind kind;
    struct ethernet ethernet; /* the innermost; cooked links: type, payload and the sender's address */
    struct text frame;        /* … as it was read; at == NULL where the link is not Ethernet */
    struct text network, transport; /* from the header of IP on, and from what is behind it; at == NULL where there is none */
    struct endpoint from, to; /* of IP packets; port 0 for ICMP and fragments */
    uint8_t dscp, ttl, protocol;
    uint32_t ip_id;           /* IPv4, and of fragments */
    struct {
        uint16_t at; /* bytes */
        bool more;
    } fragment;
    uint32_t tcp_sequence, tcp_acknowledged;
    uint16_t tcp_window;
    uint8_t tcp_flags;
    struct text payload; /* of UDP, TCP, ICMP (from its type on) and of fragments; borrowed */
    uint32_t missing;    /* bytes of the payload that the capture cut off */
};

/* 0, or -EBADMSG when it is no whole frame of that link. What is cut off further up is PACKET_OTHER. */
int packet_decode_link(uint32_t link_type, const void *frame, size_t len, struct packet *ret);
int packet_decode(const void *frame, size_t len, struct packet *ret); /* Ethernet */
/* The transport of a packet whose fragments were put together: sets kind, ports and payload of `p`. */
void packet_decode_whole(struct packet *p, const void *bytes, size_t len);
