#include "wire/capture/packet.h"

#include <errno.h>

#include "wire/boot/cdp.h"

enum { PROTOCOL_ICMP = 1, PROTOCOL_TCP = 6, PROTOCOL_UDP = 17, PROTOCOL_ICMP6 = 58 };

static void decode_udp(struct reader *r, struct packet *p)
{
    size_t len;

    p->from.port = read_be16(r);
    p->to.port = read_be16(r);
    len = read_be16(r);
    read_be16(r);
    if (!r->bad && len >= 8) {
        p->payload = read_text(r, len - 8 < reader_left(r) ? len - 8 : reader_left(r));
        p->kind = PACKET_UDP;
    }
}

static void decode_tcp(struct reader *r, struct packet *p)
{
    size_t header;

    p->from.port = read_be16(r);
    p->to.port = read_be16(r);
    p->tcp_sequence = read_be32(r);
    p->tcp_acknowledged = read_be32(r);
    header = (read_u8(r) >> 4) * 4u;
    p->tcp_flags = read_u8(r);
    if (header < 20 || !read_bytes(r, header - 14))
        return;
    p->payload = read_text(r, reader_left(r));
    p->kind = PACKET_TCP;
}

static void decode_transport(struct reader *r, uint8_t protocol, struct packet *p)
{
    if (protocol == PROTOCOL_UDP)
        decode_udp(r, p);
    else if (protocol == PROTOCOL_TCP)
        decode_tcp(r, p);
    else if (protocol == PROTOCOL_ICMP || protocol == PROTOCOL_ICMP6)
        p->kind = PACKET_ICMP;
}

static void decode_ipv4(struct reader *r, struct packet *p)
{
    uint8_t head = read_u8(r), tos = read_u8(r), protocol;
    size_t len = read_be16(r), header = (head & 15) * 4u;
    bool later_fragment;

    read_be16(r);
    later_fragment = read_be16(r) & 0x1fff;
    read_u8(r);
    protocol = read_u8(r);
    read_be16(r);
    p->from.ip = ip_v4(read_be32(r));
    p->to.ip = ip_v4(read_be32(r));
    p->dscp = tos >> 2;
    if (r->bad || head >> 4 != 4 || header < 20 || len < header || !read_bytes(r, header - 20))
        return;
    if (len - header < reader_left(r))
        r->end = r->at + (len - header); /* what follows is padding */
    if (!later_fragment)
        decode_transport(r, protocol, p);
}

static void decode_ipv6(struct reader *r, struct packet *p)
{
    uint32_t head = read_be32(r);
    size_t len = read_be16(r);
    uint8_t protocol = read_u8(r);
    const uint8_t *from, *to;

    read_u8(r);
    from = read_bytes(r, 16);
    to = read_bytes(r, 16);
    if (r->bad || head >> 28 != 6)
        return;
    p->dscp = head >> 22 & 0x3f;
    p->from.ip.family = p->to.ip.family = 6;
    memcpy(p->from.ip.bytes, from, 16);
    memcpy(p->to.ip.bytes, to, 16);
    if (len < reader_left(r))
        r->end = r->at + len;
    decode_transport(r, protocol, p);
}

int packet_decode(const void *frame, size_t len, struct packet *ret)
{
    struct reader r;

    memset(ret, 0, sizeof(*ret));
    if (ethernet_decode(frame, len, &ret->ethernet) < 0)
        return -EBADMSG;
    r = reader_of(ret->ethernet.payload.at, ret->ethernet.payload.len);
    if (cdp_is(&ret->ethernet))
        ret->kind = PACKET_CDP;
    else if (ret->ethernet.type == ETHERNET_LLDP)
        ret->kind = PACKET_LLDP;
    else if (ret->ethernet.type == ETHERNET_ARP)
        ret->kind = PACKET_ARP;
    else if (ret->ethernet.type == ETHERNET_IPV4)
        decode_ipv4(&r, ret);
    else if (ret->ethernet.type == ETHERNET_IPV6)
        decode_ipv6(&r, ret);
    return 0;
}
