#include "wire/capture/packet.h"

#include <errno.h>

#include "wire/boot/cdp.h"
#include "wire/capture/upper_pdu.h"

#define DEPTH_MAX 6 /* of packets within packets */

enum { PROTOCOL_IPV4 = 4, PROTOCOL_IPV6 = 41, PROTOCOL_GRE = 47 };
enum {
    EXTENSION_HOPS = 0,
    EXTENSION_ROUTING = 43,
    EXTENSION_FRAGMENT = 44,
    EXTENSION_AH = 51,
    EXTENSION_OPTIONS = 60
};
enum {
    TYPE_MPLS = 0x8847,
    TYPE_PPPOE = 0x8864,
    TYPE_BRIDGED = 0x6558,
    TYPE_ERSPAN2 = 0x88be,
    TYPE_ERSPAN3 = 0x22eb
};
enum { PPP_IPV4 = 0x0021, PPP_IPV6 = 0x0057 };
enum { VXLAN_PORT = 4789, TZSP_PORT = 37008 };

static void decode_type(const uint8_t *p, size_t len, struct packet *to, int depth);
static int decode_ethernet(const uint8_t *p, size_t len, struct packet *to, int depth);

static uint16_t u16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t u32(const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, 4);
    return __builtin_bswap32(v);
}

/* -- UDP, TCP ------------------------------------------------------------------------------- */

static void set_payload(struct packet *p, const uint8_t *bytes, size_t len)
{
    p->payload = (struct text){(const char *)bytes, len};
}

/* VXLAN (RFC 7348) and TZSP: a frame in a datagram. */
static bool decode_tunnel(const uint8_t *p, size_t len, struct packet *to, int depth)
{
    size_t at = 8;

    if (depth >= DEPTH_MAX || (to->to.port != VXLAN_PORT && to->to.port != TZSP_PORT))
        return false;
    if (to->to.port ==
        TZSP_PORT) { /* version 1, type, what is inside (1: Ethernet), tags up to an end (1) */
        if (len < 5 || p[0] != 1 || u16(p + 2) != 1)
            return false;
        for (at = 4; at < len && p[at] != 1; at += p[at] == 0     ? 1
                                                   : at + 1 < len ? 2u + p[at + 1]
                                                                  : 2)
            ;
        at++;
    } else if (len < 8 || p[0] != 8 || p[7] != 0) {
        return false;
    }
    return at < len && decode_ethernet(p + at, len - at, to, depth + 1) == 0;
}

static void decode_udp(const uint8_t *p, size_t len, struct packet *to, int depth)
{
    size_t whole;

    if (len < 8)
        return;
    to->from.port = u16(p);
    to->to.port = u16(p + 2);
    whole = u16(p + 4);
    if (whole < 8)
        return;
    if (whole < len) {
        len = whole;
        to->missing = 0;
    }
    if (decode_tunnel(p + 8, len - 8, to, depth))
        return;
    set_payload(to, p + 8, len - 8);
    to->kind = PACKET_UDP;
}

static void decode_tcp(const uint8_t *p, size_t len, struct packet *to)
{
    size_t header;

    if (len < 20)
        return;
    to->from.port = u16(p);
    to->to.port = u16(p + 2);
    to->tcp_sequence = u32(p + 4);
    to->tcp_acknowledged = u32(p + 8);
    header = (p[12] >> 4) * 4u;
    to->tcp_flags = p[13];
    to->tcp_window = u16(p + 14);
    if (header < 20)
        return;
    if (header > len) { /* cut within its options */
        size_t cut = header - len;

        to->missing -= to->missing < cut ? to->missing : (uint32_t)cut;
        header = len;
    }
    set_payload(to, p + header, len - header);
    to->kind = PACKET_TCP;
}

/* Generic routing encapsulation (RFC 2784, 2890), and ERSPAN in it (draft-foschiano-erspan). */
static void decode_gre(const uint8_t *p, size_t len, struct packet *to, int depth)
{
    uint16_t flags, type;
    size_t at = 4;

    if (len < 4)
        return;
    flags = u16(p);
    type = u16(p + 2);
    at += (flags & 0x8000 ? 4 : 0) + (flags & 0x2000 ? 4 : 0) + (flags & 0x1000 ? 4 : 0);
    if (type == TYPE_ERSPAN2 && flags & 0x1000)
        at += 8; /* type I has neither sequence number nor header */
    else if (type == TYPE_ERSPAN3)
        at += at + 12 <= len && p[at + 11] & 1 ? 20 : 12;
    if (flags & 7 || at >= len)
        return;
    if (type == TYPE_ERSPAN2 || type == TYPE_ERSPAN3 || type == TYPE_BRIDGED) {
        decode_ethernet(p + at, len - at, to, depth + 1);
        return;
    }
    to->ethernet.type = type;
    decode_type(p + at, len - at, to, depth + 1);
}

static void decode_transport(const uint8_t *p, size_t len, struct packet *to, int depth)
{
    to->transport = (struct text){(const char *)p, len};
    if (to->protocol == PROTOCOL_UDP) {
        decode_udp(p, len, to, depth);
    } else if (to->protocol == PROTOCOL_TCP) {
        decode_tcp(p, len, to);
    } else if (to->protocol == PROTOCOL_ICMP || to->protocol == PROTOCOL_ICMP6) {
        set_payload(to, p, len);
        to->kind = PACKET_ICMP;
    } else if (to->protocol == PROTOCOL_GRE && depth < DEPTH_MAX) {
        decode_gre(p, len, to, depth);
    } else if ((to->protocol == PROTOCOL_IPV4 || to->protocol == PROTOCOL_IPV6) &&
               depth < DEPTH_MAX) {
        to->ethernet.type = to->protocol == PROTOCOL_IPV4 ? ETHERNET_IPV4 : ETHERNET_IPV6;
        decode_type(p, len, to, depth + 1);
    }
}

void packet_decode_whole(struct packet *p, const void *bytes, size_t len)
{
    p->kind = PACKET_OTHER;
    p->missing = 0;
    decode_transport(bytes, len, p, 1);
}

/* -- IP ------------------------------------------------------------------------------------- */

static void decode_fragment(const uint8_t *p, size_t len, struct packet *to)
{
    set_payload(to, p, len);
    to->kind = PACKET_FRAGMENT;
}

static void decode_ipv4(const uint8_t *p, size_t len, struct packet *to, int depth)
{
    size_t total, header;
    uint16_t fragment;

    if (len < 20 || p[0] >> 4 != 4)
        return;
    header = (p[0] & 15) * 4u;
    total = u16(p + 2);
    if (!total)
        total = len; /* the network card was to fill it in */
    if (header < 20 || total < header || len < header)
        return;
    fragment = u16(p + 6);
    to->dscp = p[1] >> 2;
    to->ip_id = u16(p + 4);
    to->ttl = p[8];
    to->protocol = p[9];
    to->from = to->to = (struct endpoint){.ip.family = 4};
    memcpy(to->from.ip.bytes, p + 12, 4);
    memcpy(to->to.ip.bytes, p + 16, 4);
    to->missing = total > len ? (uint32_t)(total - len) : 0;
    if (len > total)
        len = total; /* what follows is padding */
    to->network = (struct text){(const char *)p, len};
    to->fragment.at = (uint16_t)((fragment & 0x1fff) * 8u);
    to->fragment.more = fragment & 0x2000;
    if (to->fragment.at || to->fragment.more)
        decode_fragment(p + header, len - header, to);
    else
        decode_transport(p + header, len - header, to, depth);
}

static bool is_extension(uint8_t protocol)
{
    return protocol == EXTENSION_HOPS || protocol == EXTENSION_ROUTING ||
           protocol == EXTENSION_FRAGMENT || protocol == EXTENSION_OPTIONS ||
           protocol == EXTENSION_AH;
}

/* Past the extension headers (RFC 8200 4): where the transport, or the payload of a fragment,
 * begins; 0: it is not there. */
static size_t pass_extensions(const uint8_t *p, size_t len, size_t at, struct packet *to)
{
    for (int n = 0; n < 8 && is_extension(to->protocol) && !to->fragment.at; n++) {
        size_t size;

        if (len - at < 8)
            return 0;
        size = to->protocol == EXTENSION_AH ? (p[at + 1] + 2u) * 4 : (p[at + 1] + 1u) * 8;
        if (to->protocol == EXTENSION_FRAGMENT) {
            size = 8;
            to->fragment.at = u16(p + at + 2) & 0xfff8;
            to->fragment.more = p[at + 3] & 1;
            to->ip_id = u32(p + at + 4);
        }
        to->protocol = p[at];
        if (size > len - at)
            return 0;
        at += size;
        if (to->fragment.more)
            break;
    }
    return at;
}

static void decode_ipv6(const uint8_t *p, size_t len, struct packet *to, int depth)
{
    size_t total, at;

    if (len < 40 || p[0] >> 4 != 6)
        return;
    total = 40u + u16(p + 4);
    if (total == 40)
        total = len;
    to->dscp = u16(p) >> 6 & 0x3f;
    to->protocol = p[6];
    to->ttl = p[7];
    to->from = to->to = (struct endpoint){.ip.family = 6};
    memcpy(to->from.ip.bytes, p + 8, 16);
    memcpy(to->to.ip.bytes, p + 24, 16);
    to->missing = total > len ? (uint32_t)(total - len) : 0;
    if (len > total)
        len = total;
    to->network = (struct text){(const char *)p, len};
    at = pass_extensions(p, len, 40, to);
    if (at && (to->fragment.at || to->fragment.more))
        decode_fragment(p + at, len - at, to);
    else if (at)
        decode_transport(p + at, len - at, to, depth);
}

/* -- links ---------------------------------------------------------------------------------- */

static void decode_pppoe(const uint8_t *p, size_t len, struct packet *to, int depth)
{
    if (len < 8 || p[0] != 0x11 || p[1] != 0)
        return;
    to->ethernet.type = u16(p + 6) == PPP_IPV4   ? ETHERNET_IPV4
                        : u16(p + 6) == PPP_IPV6 ? ETHERNET_IPV6
                                                 : 0xffff;
    decode_type(p + 8, len - 8, to, depth + 1);
}

/* Labels to the bottom of the stack (RFC 3032); what is below tells by its first half byte. */
static void decode_mpls(const uint8_t *p, size_t len, struct packet *to, int depth)
{
    while (len >= 4 && !(p[2] & 1)) {
        p += 4;
        len -= 4;
    }
    if (len < 5)
        return;
    to->ethernet.type = p[4] >> 4 == 4 ? ETHERNET_IPV4 : p[4] >> 4 == 6 ? ETHERNET_IPV6 : 0xffff;
    decode_type(p + 4, len - 4, to, depth + 1);
}

/* What the type of `to->ethernet` says. */
static void decode_type(const uint8_t *p, size_t len, struct packet *to, int depth)
{
    if (depth > DEPTH_MAX)
        return;
    switch (to->ethernet.type) {
    case ETHERNET_IPV4:
        decode_ipv4(p, len, to, depth);
        break;
    case ETHERNET_IPV6:
        decode_ipv6(p, len, to, depth);
        break;
    case ETHERNET_ARP:
        to->kind = PACKET_ARP;
        break;
    case ETHERNET_LLDP:
        to->kind = PACKET_LLDP;
        break;
    case TYPE_PPPOE:
        decode_pppoe(p, len, to, depth);
        break;
    case TYPE_MPLS:
        decode_mpls(p, len, to, depth);
        break;
    default:
        if (cdp_is(&to->ethernet))
            to->kind = PACKET_CDP;
    }
}

static int decode_ethernet(const uint8_t *p, size_t len, struct packet *to, int depth)
{
    memset(to, 0, sizeof(*to));
    if (ethernet_decode(p, len, &to->ethernet) < 0)
        return -EBADMSG;
    to->frame = (struct text){(const char *)p, len};
    decode_type((const uint8_t *)to->ethernet.payload.at, to->ethernet.payload.len, to, depth);
    return 0;
}

/* A link whose header is `header` bytes and holds an EtherType at `type_at`. */
static int decode_typed(const uint8_t *p, size_t len, size_t header, size_t type_at,
                        struct packet *to)
{
    uint16_t type;

    if (len < header)
        return -EBADMSG;
    type = u16(p + type_at);
    while ((type == ETHERNET_VLAN || type == ETHERNET_QINQ) &&
           len - header >= 4) { /* cooked frames keep their tags */
        if (!to->ethernet.tagged)
            to->ethernet.vlan = u16(p + header) & 0x0fff;
        to->ethernet.tagged = true;
        type = u16(p + header + 2);
        header += 4;
    }
    to->ethernet.type = type == 4 ? (uint16_t)(len - header) : type; /* 4: 802.2, as CDP uses */
    set_payload(to, NULL, 0);
    to->ethernet.payload = (struct text){(const char *)p + header, len - header};
    decode_type(p + header, len - header, to, 0);
    return 0;
}

static int decode_cooked(const uint8_t *p, size_t len, struct packet *to)
{
    if (len < 16)
        return -EBADMSG;
    if (u16(p + 4) == 6)
        memcpy(to->ethernet.from.bytes, p + 6, 6);
    return decode_typed(p, len, 16, 14, to);
}

static int decode_cooked2(const uint8_t *p, size_t len, struct packet *to)
{
    if (len < 20)
        return -EBADMSG;
    if (p[11] == 6)
        memcpy(to->ethernet.from.bytes, p + 12, 6);
    return decode_typed(p, len, 20, 0, to);
}

static int decode_raw(const uint8_t *p, size_t len, struct packet *to)
{
    if (!len)
        return -EBADMSG;
    to->ethernet.type = p[0] >> 4 == 6 ? ETHERNET_IPV6 : ETHERNET_IPV4;
    decode_type(p, len, to, 0);
    return 0;
}

static int decode_ppp(const uint8_t *p, size_t len, struct packet *to)
{
    if (len >= 2 && p[0] == 0xff && p[1] == 3) {
        p += 2;
        len -= 2;
    }
    if (len < 3)
        return -EBADMSG;
    return u16(p) == PPP_IPV4 || u16(p) == PPP_IPV6 ? decode_raw(p + 2, len - 2, to) : 0;
}

static int decode_message(const uint8_t *p, size_t len, struct packet *to)
{
    struct upper_pdu m;
    struct text name;

    if (upper_pdu_read(p, len, &m, &name) < 0)
        return -EBADMSG;
    to->kind = m.tcp ? PACKET_MESSAGE : PACKET_UDP;
    to->from = m.from;
    to->to = m.to;
    to->payload = m.message;
    return 0;
}

int packet_decode_link(uint32_t link_type, const void *frame, size_t len, struct packet *ret)
{
    if (link_type == LINK_ETHERNET)
        return decode_ethernet(frame, len, ret, 0);
    memset(ret, 0, sizeof(*ret));
    switch (link_type) {
    case LINK_NULL: /* a family in the byte order of its machine: the packet itself tells */
    case LINK_LOOP:
        return len < 4 ? -EBADMSG : decode_raw((const uint8_t *)frame + 4, len - 4, ret);
    case LINK_RAW:
    case LINK_RAW_OLD:
    case LINK_RAW_BSD:
    case LINK_IPV4:
    case LINK_IPV6:
        return decode_raw(frame, len, ret);
    case LINK_COOKED:
        return decode_cooked(frame, len, ret);
    case LINK_COOKED2:
        return decode_cooked2(frame, len, ret);
    case LINK_MESSAGES:
        return decode_message(frame, len, ret);
    case LINK_CISCO_HDLC:
        return decode_typed(frame, len, 4, 2, ret);
    case LINK_PPP:
    case LINK_PPP_HDLC:
        return decode_ppp(frame, len, ret);
    }
    return 0;
}

int packet_decode(const void *frame, size_t len, struct packet *ret)
{
    return packet_decode_link(LINK_ETHERNET, frame, len, ret);
}
