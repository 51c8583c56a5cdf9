#include "doctor/anonymise.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/map.h"
#include "doctor/anonymise_link.h"
#include "doctor/anonymise_text.h"
#include "doctor/capture_parts.h"
#include "doctor/disguise.h"
#include "doctor/source.h"
#include "wire/boot/datagram.h"
#include "wire/boot/dhcp.h"
#include "wire/boot/dns.h"
#include "wire/boot/tftp.h"
#include "wire/capture/packet.h"
#include "wire/capture/pcap_write.h"

#define FRAME_MAX (RECORD_CAPTURED_MAX + 64)
#define DOCUMENTS 4096 /* flows whose place in a document is remembered */

struct anonymiser {
    uint8_t frame[FRAME_MAX]; /* the packet as it will be */
    uint8_t block[FRAME_MAX + PCAP_WRITE_BLOCK];
    struct document {
        uint64_t flow;
        struct markup markup;
    } documents[DOCUMENTS];
};

/* -- what is in a datagram or a segment ------------------------------------------------------ */

static struct markup *document_of(struct anonymiser *a, const struct packet *p, bool anew)
{
    struct {
        struct endpoint from, to;
    } key;
    struct document *d;
    uint64_t flow;

    memset(&key, 0, sizeof(key));
    key.from.ip = p->from.ip;
    key.from.port = p->from.port;
    key.to.ip = p->to.ip;
    key.to.port = p->to.port;
    flow = hash_bytes(&key, sizeof(key));
    d = &a->documents[flow % DOCUMENTS];
    if (d->flow != flow || anew)
        *d = (struct document){.flow = flow};
    return &d->markup;
}

static bool is_sip(struct text t)
{
    return talk_is_sip(t.at, t.len);
}

/* TLS: headers of records stay, and the type of a handshake message; alerts stay whole. */
static void blank_tls(uint8_t *at, size_t len)
{
    for (size_t i = 0; i < len;) {
        size_t n = len - i < 5 ? 0 : (size_t)(at[i + 3] << 8 | at[i + 4]), keep = at[i] == 0x15 ? n
                                                                                  : at[i] == 0x16
                                                                                      ? 4
                                                                                      : 0;

        if (len - i < 5 || at[i] < 0x14 || at[i] > 0x17 || at[i + 1] != 3) {
            memset(at + i, 0, len - i);
            return;
        }
        n = n < len - i - 5 ? n : len - i - 5;
        keep = keep < n ? keep : n;
        memset(at + i + 5 + keep, 0, n - keep);
        i += 5 + n;
    }
}

static bool is_http_port(uint16_t port)
{
    return port == 6970 || port == 80 || port == 8080;
}

static void disguise_segment(struct anonymiser *a, const struct packet *p, uint8_t *at, size_t len)
{
    struct text t = {(char *)at, len};
    bool http = text_starts(t, "GET ") || text_starts(t, "HTTP/1.") || text_starts(t, "HEAD ") ||
                text_starts(t, "POST ");

    if (is_sip(t) || p->from.port == 5060 || p->to.port == 5060)
        disguise_sip((char *)at, len);
    else if (http || is_http_port(p->from.port) || is_http_port(p->to.port))
        disguise_markup(document_of(a, p, http), (char *)at, len);
    else if (talk_is_sccp(at, len) || p->from.port == 2000 || p->to.port == 2000)
        disguise_sccp(at, len);
    else
        blank_tls(at, len);
}

static void disguise_tftp(struct anonymiser *a, const struct packet *p, uint8_t *at, size_t len)
{
    unsigned op = len >= 4 ? (unsigned)(at[0] << 8 | at[1]) : 0;

    if (op == TFTP_DATA)
        disguise_markup(document_of(a, p, at[2] == 0 && at[3] == 1), (char *)at + 4, len - 4);
    else if (op)
        disguise_addresses((char *)at + 2, len - 2);
}

/* What may be TFTP between two other ports: its words begin with a small number. */
static bool may_be_tftp(const struct packet *p, const uint8_t *at, size_t len)
{
    if (p->to.port == TFTP_PORT)
        return true;
    return len >= 4 && at[0] == 0 && at[1] >= TFTP_RRQ && at[1] <= TFTP_OACK &&
           p->from.port >= 1024 && p->to.port >= 1024;
}

static void disguise_datagram(struct anonymiser *a, const struct packet *p, uint8_t *at, size_t len)
{
    struct text t = {(char *)at, len};

    if (p->to.port == DHCP_SERVER_PORT || p->to.port == DHCP_CLIENT_PORT)
        disguise_dhcp(at, len);
    else if (p->to.port == DNS_PORT || p->from.port == DNS_PORT)
        disguise_dns(at, len);
    else if (is_sip(t) || p->to.port == 5060 || p->from.port == 5060)
        disguise_sip((char *)at, len);
    else if (may_be_tftp(p, at, len))
        disguise_tftp(a, p, at, len);
    else
        memset(at, 0, len); /* media, and what nobody here knows */
}

/* -- IP ------------------------------------------------------------------------------------- */

static uint32_t sum_of(const uint8_t *at, size_t len, uint32_t sum)
{
    for (size_t i = 0; i + 1 < len; i += 2)
        sum += (uint32_t)(at[i] << 8 | at[i + 1]);
    if (len & 1)
        sum += (uint32_t)at[len - 1] << 8;
    return sum;
}

static void put_sum(uint8_t *at, uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    sum = ~sum & 0xffff;
    at[0] = (uint8_t)(sum >> 8);
    at[1] = (uint8_t)sum;
}

/* The checksum of a transport that is there whole (RFC 793 3.1, RFC 768, RFC 8200 8.1). */
static void sum_transport(const uint8_t *ip, uint8_t protocol, uint8_t *at, size_t len)
{
    bool v4 = ip[0] >> 4 == 4;
    size_t place = protocol == PROTOCOL_TCP ? 16 : protocol == PROTOCOL_UDP ? 6 : 2;
    uint32_t sum = protocol + (uint32_t)len;

    if (len < place + 2 || (protocol == PROTOCOL_UDP && v4 && !at[6] && !at[7]))
        return; /* none was sent */
    at[place] = at[place + 1] = 0;
    sum = protocol == PROTOCOL_ICMP ? 0 : sum_of(v4 ? ip + 12 : ip + 8, v4 ? 8 : 32, sum);
    put_sum(at + place, sum_of(at, len, sum));
}

static void disguise_header(uint8_t *ip, size_t len)
{
    size_t header = (ip[0] & 15) * 4u;

    if (ip[0] >> 4 == 6) {
        disguise_ipv6(ip + 8);
        disguise_ipv6(ip + 24);
        return;
    }
    disguise_ipv4(ip + 12);
    disguise_ipv4(ip + 16);
    if (header > 20 && header <= len)
        memset(ip + 20, 1, header - 20); /* options may hold a route: no-operations instead */
    ip[10] = ip[11] = 0;
    if (header >= 20 && header <= len)
        put_sum(ip + 10, sum_of(ip, header, 0));
}

/* An error quotes the header of a packet and the beginning of what follows. */
static void disguise_icmp(bool v6, uint8_t *at, size_t len)
{
    bool error = len >= 8 && (v6 ? at[0] >= 1 && at[0] <= 4
                                 : at[0] == 3 || at[0] == 5 || at[0] == 11 || at[0] == 12);
    uint8_t *quoted = at + 8;
    size_t header;

    if (!error) {
        if (len > 8)
            memset(at + 8, 0, len - 8);
        return;
    }
    if (!v6 && at[0] == 5)
        disguise_ipv4(at + 4); /* the gateway of a redirect */
    len -= 8;
    if (len < (v6 ? 48u : 28u))
        return;
    header = v6 ? 40 : (quoted[0] & 15) * 4u;
    disguise_header(quoted, len);
    if (header + 8 < len)
        memset(quoted + header + 8, 0, len - header - 8);
}

/* `ip` is the packet from its header on, p what it was decoded to (its texts point into it). */
static void disguise_ip(struct anonymiser *a, const struct packet *p, uint8_t *ip, size_t len)
{
    uint8_t *payload = ip + (p->payload.at - p->network.at),
            *transport = ip + (p->transport.at - p->network.at);

    if (p->kind == PACKET_TCP)
        disguise_segment(a, p, payload, p->payload.len);
    else if (p->kind == PACKET_UDP)
        disguise_datagram(a, p, payload, p->payload.len);
    else if (p->kind == PACKET_ICMP)
        disguise_icmp(p->from.ip.family == 6, payload, p->payload.len);
    else if (p->kind == PACKET_FRAGMENT)
        disguise_markup(&(struct markup){0}, (char *)payload, p->payload.len);
    else if (len > 40)
        memset(ip + 40, 0, len - 40);
    disguise_header(ip, len);
    if (!p->missing && (p->kind == PACKET_TCP || p->kind == PACKET_UDP || p->kind == PACKET_ICMP))
        sum_transport(ip, p->protocol, transport, (size_t)(payload - transport) + p->payload.len);
}

/* -- frames --------------------------------------------------------------------------------- */

/* The frame as it will be written, before it is disguised: without what was around it. */
static size_t unwrap(struct anonymiser *a, const struct packet *p)
{
    struct writer w = writer_of(a->frame, sizeof(a->frame));

    if (p->frame.at && (!p->network.at || p->network.at == p->ethernet.payload.at)) {
        write_text(&w, p->frame);
        return writer_len(&w);
    }
    struct ethernet e = p->ethernet;

    if (p->network.at)
        e.type = (uint8_t)p->network.at[0] >> 4 == 6 ? ETHERNET_IPV6 : ETHERNET_IPV4;
    ethernet_write(&w, &e);
    write_text(&w, p->network.at ? p->network : e.payload);
    return w.bad ? 0 : writer_len(&w);
}

struct text anonymise_packet(struct anonymiser *a, const struct record *r)
{
    struct packet p;
    size_t len;

    if (packet_decode_link(r->link_type, r->bytes, r->captured, &p) < 0)
        return (struct text){0};
    if (!(len = unwrap(a, &p)) || packet_decode(a->frame, len, &p) < 0)
        return (struct text){0};
    disguise_mac_bytes(a->frame);
    disguise_mac_bytes(a->frame + 6);
    if (p.network.at)
        disguise_ip(a, &p, a->frame + ((const uint8_t *)p.network.at - a->frame), p.network.len);
    else if (p.kind == PACKET_ARP || p.kind == PACKET_CDP || p.kind == PACKET_LLDP)
        disguise_link(&p, a->frame + ((const uint8_t *)p.ethernet.payload.at - a->frame),
                      p.ethernet.payload.len);
    else
        memset(a->frame + 14, 0, len - 14);
    return (struct text){(char *)a->frame, len};
}

struct anonymiser *anonymiser_new(void)
{
    return calloc(1, sizeof(struct anonymiser));
}

void anonymiser_free(struct anonymiser *a)
{
    free(a);
}

/* -- files ---------------------------------------------------------------------------------- */

static void put_start(FILE *to)
{
    uint8_t bytes[PCAP_WRITE_BLOCK];
    struct writer w = writer_of(bytes, sizeof(bytes));

    pcap_write_section(&w, TEXT("dialtone"), TEXT("anonymised"));
    pcap_write_interface(&w, PCAP_WRITE_ETHERNET, TEXT("anonymised"));
    fwrite(bytes, 1, writer_len(&w), to);
}

/* Packets of unknown links are written empty, so that those behind keep their numbers. */
static void put_packet(struct anonymiser *a, const struct record *r, FILE *to)
{
    struct writer w = writer_of(a->block, sizeof(a->block));
    struct pcap_frame f = {.time_ns = (uint64_t)r->time_ns, .bytes = anonymise_packet(a, r)};

    f.original =
        f.bytes.len + (f.bytes.len && r->original > r->captured ? r->original - r->captured : 0);
    pcap_write_frame(&w, &f);
    fwrite(w.start, 1, writer_len(&w), to);
}

static int write_all(struct source *s, FILE *to, struct anonymised *ret)
{
    struct anonymiser *a = anonymiser_new();
    struct record r;

    if (!a)
        return -ENOMEM;
    put_start(to);
    for (; source_next(s, &r); ret->packets++)
        put_packet(a, &r, to);
    if (source_problem(s))
        snprintf(ret->problem, sizeof(ret->problem), "%s, after packet %llu", source_problem(s),
                 (unsigned long long)source_number(s));
    anonymiser_free(a);
    return ferror(to) ? -EIO : 0;
}

int anonymise(const char *from, const char *to, struct anonymised *ret)
{
    struct source *s = NULL;
    int err = source_open(from, &s);
    FILE *out;

    *ret = (struct anonymised){0};
    if (err < 0)
        return err;
    if (!(out = fopen(to, "wbx"))) {
        err = -errno;
        source_close(s);
        return err;
    }
    err = write_all(s, out, ret);
    if (fclose(out) != 0 && !err)
        err = -errno;
    source_close(s);
    return err;
}
