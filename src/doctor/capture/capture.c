#include "doctor/capture/capture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "doctor/capture/parts.h"
#include "doctor/source.h"

#define TWICE_NS 5000000ll /* later than this a packet was sent twice, not captured twice */

/* -- what all parts use --------------------------------------------------------------------- */

void capture_tell(struct capture *c, struct sight *s)
{
    if (!s->at.number)
        s->at = c->at;
    c->totals.sights++;
    c->on_sight(c->context, s);
}

bool capture_is_server_port(const struct capture *c, uint16_t port)
{
    return c->ports[port / 8] >> (port % 8) & 1;
}

void capture_add_port(struct capture *c, uint16_t port)
{
    c->ports[port / 8] |= (uint8_t)(1u << (port % 8));
}

bool kept_add(struct capture *c, struct kept *k, const void *bytes, size_t len, size_t max)
{
    size_t size = k->size ? k->size : 256;
    uint8_t *at;

    if (!len)
        return true;
    if (k->len + len > max || c->kept + len > CAPTURE_KEPT_MAX)
        return false;
    while (size < k->len + len)
        size *= 2;
    if (size != k->size) {
        if (!(at = realloc(k->at, size)))
            return false;
        c->kept += size - k->size;
        k->at = at;
        k->size = size;
    }
    memcpy(k->at + k->len, bytes, len);
    k->len += len;
    return true;
}

void kept_drop(struct kept *k, size_t n)
{
    memmove(k->at, k->at + n, k->len - n);
    k->len -= n;
}

void kept_free(struct capture *c, struct kept *k)
{
    c->kept -= k->size;
    free(k->at);
    *k = (struct kept){0};
}

/* -- below IP ------------------------------------------------------------------------------- */

/* The frame of a packet, put together where the link has no Ethernet header. */
static struct text frame_of(struct capture *c, const struct packet *p)
{
    struct writer w = writer_of(c->frame, sizeof(c->frame));

    if (p->frame.at)
        return p->frame;
    ethernet_write(&w, &p->ethernet);
    write_text(&w, p->ethernet.payload);
    return (struct text){(char *)c->frame, w.bad ? 0 : writer_len(&w)};
}

static void tell_link(struct capture *c, const struct packet *p)
{
    struct text frame = frame_of(c, p);
    struct sight s = {0};
    union {
        struct cdp cdp;
        struct lldp lldp;
        struct arp arp;
    } m;
    int err;

    if (p->kind == PACKET_CDP) {
        err = cdp_decode(frame.at, frame.len, &m.cdp);
        s.kind = SIGHT_CDP;
        s.cdp = &m.cdp;
    } else if (p->kind == PACKET_LLDP) {
        err = lldp_decode(frame.at, frame.len, &m.lldp);
        s.kind = SIGHT_LLDP;
        s.lldp = &m.lldp;
    } else {
        err = arp_decode(frame.at, frame.len, &m.arp);
        s.kind = SIGHT_ARP;
        s.arp = &m.arp;
    }
    if (!err)
        capture_tell(c, &s);
}

/* -- ICMP ----------------------------------------------------------------------------------- */

/* Whether it is an error message; then its MTU where it has one (RFC 792, 1191, 4443). */
static bool icmp_error(bool v6, const uint8_t *p, uint16_t *mtu)
{
    *mtu = 0;
    if (v6) {
        if (p[0] == 2)
            *mtu = (uint16_t)(p[4] || p[5] ? 65535 : p[6] << 8 | p[7]);
        return p[0] >= 1 && p[0] <= 4;
    }
    if (p[0] == 3 && p[1] == 4)
        *mtu = (uint16_t)(p[6] << 8 | p[7]);
    return p[0] == 3 || p[0] == 5 || p[0] == 11 || p[0] == 12;
}

static void tell_icmp(struct capture *c, const struct packet *p)
{
    const uint8_t *bytes = (const uint8_t *)p->payload.at;
    struct sight s = {.kind = SIGHT_ICMP};
    struct packet inner;

    if (p->payload.len < 8 || !icmp_error(p->from.ip.family == 6, bytes, &s.icmp.mtu))
        return;
    packet_decode_link(LINK_RAW, bytes + 8, p->payload.len - 8, &inner);
    s.icmp.type = bytes[0];
    s.icmp.code = bytes[1];
    s.icmp.protocol = inner.protocol;
    s.icmp.from = inner.from;
    s.icmp.to = inner.to;
    if (inner.protocol == PROTOCOL_TCP && inner.payload.len >= 4 &&
        inner.kind == PACKET_OTHER) { /* only eight bytes of it are quoted */
        s.icmp.from.port =
            (uint16_t)((uint8_t)inner.payload.at[0] << 8 | (uint8_t)inner.payload.at[1]);
        s.icmp.to.port =
            (uint16_t)((uint8_t)inner.payload.at[2] << 8 | (uint8_t)inner.payload.at[3]);
    }
    capture_tell(c, &s);
}

/* -- a packet ------------------------------------------------------------------------------- */

/* Not keyed: a file gives the same sights each time, and collisions made on purpose only hide
 * packets of the file that has them. */
static uint64_t mix(uint64_t hash, const void *bytes, size_t len)
{
    const uint8_t *p = bytes;
    uint64_t word = 0;

    for (; len >= 8; p += 8, len -= 8) {
        memcpy(&word, p, 8);
        hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 32;
    }
    word = len;
    for (size_t i = 0; i < len; i++)
        word = word << 8 | p[i];
    hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
    return hash ^ hash >> 29;
}

bool capture_is_twice(struct capture *c, const struct packet *p)
{
    struct {
        struct ip from, to;
        uint32_t id, sequence, acknowledged, len;
        uint16_t from_port, to_port, window, at;
        uint8_t flags, protocol;
    } key;
    uint64_t hash;
    struct recent *recent;
    bool twice;

    memset(&key, 0, sizeof(key));
    key.from = p->from.ip;
    key.to = p->to.ip;
    key.id = p->ip_id;
    key.sequence = p->tcp_sequence;
    key.acknowledged = p->tcp_acknowledged;
    key.len = (uint32_t)p->payload.len + p->missing;
    key.from_port = p->from.port;
    key.to_port = p->to.port;
    key.window = p->tcp_window;
    key.at = p->fragment.at;
    key.flags = p->tcp_flags;
    key.protocol = p->protocol;
    hash = mix(1, &key, sizeof(key)); /* a tag moves the place where the capture cuts */
    if (p->from.ip.family)
        hash = mix(hash, p->payload.at, p->missing && p->payload.len > 4 ? 4 : p->payload.len);
    else
        hash = mix(hash, p->ethernet.payload.at, p->ethernet.payload.len);
    recent = &c->recent[hash % TWICE_WINDOW];
    twice = recent->hash == hash && llabs(c->at.time_ns - recent->time_ns) < TWICE_NS;
    c->totals.twice += twice;
    recent->hash = hash;
    recent->time_ns = twice ? recent->time_ns : c->at.time_ns;
    return twice;
}

int64_t capture_clock_shift(const struct capture_clock *clock, int64_t time_ns)
{
    int64_t t = time_ns - clock->offset_ns;

    return clock->drift == 0 ? t : t - (int64_t)(clock->drift * (double)(t - clock->base_ns));
}

void capture_matters(struct capture *c, const struct packet *p)
{
    if (c->options.on_packet)
        c->options.on_packet(c->options.packet_context, &c->at, p);
}

static void set_place(struct capture *c, const struct record *r, uint64_t number,
                      const struct packet *p)
{
    c->at.number = number;
    c->at.time_ns = capture_clock_shift(&c->options.clock, r->time_ns);
    c->at.from_mac = p->ethernet.from;
    c->at.to_mac = p->ethernet.to;
    c->at.vlan = p->ethernet.vlan;
    c->at.dscp = p->dscp;
    c->at.ttl = p->ttl;
    c->at.from = p->from;
    c->at.to = p->to;
}

static void count(struct capture *c, const struct record *r)
{
    c->totals.packets++;
    c->totals.bytes += r->captured;
    c->totals.cut += r->captured < r->original;
    if (!c->totals.first_ns)
        c->totals.first_ns = r->time_ns;
    c->totals.last_ns = r->time_ns;
}

/* True once it makes a packet whole. */
static bool take_fragment(struct capture *c, struct packet *p)
{
    uint32_t id = p->ip_id;

    capture_tell_torn(c, c->at.time_ns - TORN_NS);
    if (p->missing) /* cut off by the capture: whether it came whole is not known */
        capture_complete(c, p, id);
    else if (!p->fragment.at)
        capture_begin(c, p);
    if (!fragments_take(&c->fragments, p, c->at.time_ns))
        return false;
    capture_complete(c, p, id);
    return true;
}

void capture_packet(struct capture *c, const struct record *r, uint64_t number)
{
    struct packet p;

    count(c, r);
    if (packet_decode_link(r->link_type, r->bytes, r->captured, &p) < 0) {
        c->totals.unreadable++;
        return;
    }
    if (p.kind == PACKET_OTHER)
        return;
    set_place(c, r, number, &p);
    if (p.kind == PACKET_FRAGMENT && capture_is_twice(c, &p))
        return;
    if (p.kind == PACKET_FRAGMENT && !take_fragment(c, &p))
        return;
    c->at.from = p.from;
    c->at.to = p.to;
    if (p.kind == PACKET_UDP)
        capture_udp(c, &p);
    else if (p.kind == PACKET_TCP)
        capture_tcp(c, &p);
    else if (p.kind == PACKET_MESSAGE)
        talk_message(c, &p);
    else if (!capture_is_twice(c, &p))
        (p.kind == PACKET_ICMP ? tell_icmp : tell_link)(c, &p);
}

/* -- a file --------------------------------------------------------------------------------- */

void capture_note_source(struct capture *c, const struct source *s)
{
    const char *problem = source_problem(s);

    c->totals.dropped += source_dropped(s);
    if (problem)
        snprintf(c->totals.problem, sizeof(c->totals.problem), "%s, after packet %llu", problem,
                 (unsigned long long)source_number(s));
}

void capture_name(struct capture *c, uint8_t file)
{
    c->at.file = file;
}

/* -- life ----------------------------------------------------------------------------------- */

struct capture *capture_new(const struct capture_options *o, sight_fn on_sight, void *context)
{
    struct capture *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    c->options = *o;
    c->at.capture = o->number;
    c->n_flows = o->first_flow;
    c->on_sight = on_sight;
    c->context = context;
    fragments_init(&c->fragments);
    capture_udp_init(c);
    if (capture_tcp_init(c) < 0) {
        capture_free(c);
        return NULL;
    }
    for (unsigned i = 0; i < o->n_ports && i < CAPTURE_PORTS_MAX; i++)
        capture_add_port(c, o->ports[i]);
    return c;
}

void capture_end(struct capture *c)
{
    capture_tell_torn(c, c->at.time_ns - TORN_NS);
    capture_tcp_done(c);
    capture_udp_end(c);
}

void capture_free(struct capture *c)
{
    if (!c)
        return;
    capture_end(c);
    capture_udp_done(c);
    fragments_done(&c->fragments);
    free(c);
}

const struct capture_totals *capture_totals(const struct capture *c)
{
    return &c->totals;
}
