#include "doctor/anonymise/anonymise.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "doctor/anonymise/disguise.h"
#include "doctor/anonymise/link.h"
#include "doctor/anonymise/text.h"
#include "doctor/capture/parts.h"
#include "doctor/source.h"
#include "wire/boot/datagram.h"
#include "wire/boot/dhcp.h"
#include "wire/boot/dns.h"
#include "wire/boot/tftp.h"
#include "wire/capture/packet.h"
#include "wire/capture/pcap_write.h"

#define FRAME_MAX (RECORD_CAPTURED_MAX + 64)

struct anonymiser {
    uint8_t frame[FRAME_MAX];   /* the packet as it will be */
    uint8_t payload[FRAME_MAX]; /* … and what it carried */
    uint8_t block[FRAME_MAX + PCAP_WRITE_BLOCK];
    struct anonymise_streams *streams;
};

/* -- what is in a datagram ------------------------------------------------------------------- */

static unsigned tftp_op(const uint8_t *at, size_t len)
{
    return len >= 4 ? (unsigned)(at[0] << 8 | at[1]) : 0;
}

/* What may be TFTP between two other ports, or from a server that answers from port 69 itself: its
 * words begin with a small number. */
static bool may_be_tftp(const struct packet *p, const uint8_t *at, size_t len)
{
    if (p->to.port == TFTP_PORT)
        return true;
    return len >= 4 && at[0] == 0 && at[1] >= TFTP_RRQ && at[1] <= TFTP_OACK &&
           (p->from.port >= 1024 || p->from.port == TFTP_PORT) && p->to.port >= 1024;
}

static bool is_printed(const uint8_t *at, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (at[i] < ' ' || at[i] > '~')
            return false;
    return len;
}

static bool is_tftp_word(struct text t)
{
    static const char *const words[] = {"octet",   "netascii", "mail",       "blksize",
                                        "timeout", "tsize",    "windowsize", "utimeout"};
    uint32_t number;

    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (text_equal_nocase(t, text_of(words[i])))
            return true;
    return text_to_u32(t, 10, &number) == 0;
}

static void disguise_tftp(uint8_t *at, size_t len)
{
    unsigned op = tftp_op(at, len);
    bool words = op == TFTP_RRQ || op == TFTP_WRQ || op == TFTP_OACK;
    size_t kept = words ? 2 : op >= TFTP_DATA && op <= TFTP_ERROR ? 4 : 0, n;

    if (op == TFTP_RRQ || op == TFTP_WRQ) {
        kept += n = strnlen((char *)at + kept, len - kept);
        disguise_file_name((char *)at + kept - n, n);
        kept += kept < len;
    }
    if (op == TFTP_ERROR) {
        n = strnlen((char *)at + kept, len - kept);
        disguise_sentence((char *)at + kept, n);
        kept += n;
    }
    while (words && kept < len &&
           is_printed(at + kept, n = strnlen((char *)at + kept, len - kept))) {
        if (!is_tftp_word((struct text){(char *)at + kept, n}))
            disguise_words((char *)at + kept, n);
        kept += n + (kept + n < len);
    } /* the mode; options and their values */
    if (kept < len)
        memset(at + kept, 0, len - kept);
}

static bool is_block(const struct packet *p)
{
    const uint8_t *at = (const uint8_t *)p->payload.at;

    return p->kind == PACKET_UDP && p->from.port != DNS_PORT && p->to.port != DNS_PORT &&
           p->to.port != TFTP_PORT && !talk_is_sip(at, p->payload.len) &&
           may_be_tftp(p, at, p->payload.len) && tftp_op(at, p->payload.len) == TFTP_DATA;
}

void anonymise_datagram(const struct packet *p, uint8_t *at, size_t len)
{
    if (p->to.port == DHCP_SERVER_PORT || p->to.port == DHCP_CLIENT_PORT)
        disguise_dhcp(at, len);
    else if (p->to.port == DNS_PORT || p->from.port == DNS_PORT)
        disguise_dns(at, len);
    else if (talk_is_sip(at, len))
        disguise_sip((char *)at, len);
    else if (may_be_tftp(p, at, len))
        disguise_tftp(at, len);
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

/* Its first eight bytes are a header: the ports say what was torn. */
static bool begins_udp(const struct packet *p)
{
    return p->kind == PACKET_FRAGMENT && !p->fragment.at && p->protocol == PROTOCOL_UDP;
}

/* Of a packet whose transport nobody here knows only the header is left. */
static void blank_behind_header(uint8_t *ip, size_t len)
{
    size_t header = ip[0] >> 4 == 6 ? 40 : (ip[0] & 15) * 4u;

    if (header < len)
        memset(ip + header, 0, len - header);
}

/* `ip` is the packet from its header on, p what it was decoded to; its payload is in a->payload.
 * True: what it carries belongs to a stream. */
static bool disguise_ip(struct anonymiser *a, const struct packet *p, uint8_t *ip, size_t len)
{
    uint8_t *payload = ip + (p->payload.at - p->network.at),
            *transport = ip + (p->transport.at - p->network.at);
    bool later = p->kind == PACKET_TCP || p->kind == PACKET_FRAGMENT || is_block(p);
    size_t kept = p->kind == PACKET_UDP ? 4 : begins_udp(p) ? 8 : 0;

    kept = kept < p->payload.len ? kept : p->payload.len;
    if (p->payload.at &&
        payload + p->payload.len < ip + len) /* of a datagram that says it is shorter */
        memset(payload + p->payload.len, 0, (size_t)(ip + len - payload) - p->payload.len);
    if (later)
        memset(payload + kept, 0, p->payload.len - kept);
    else if (p->kind == PACKET_UDP)
        anonymise_datagram(p, payload, p->payload.len);
    else if (p->kind == PACKET_ICMP)
        disguise_icmp(p->from.ip.family == 6, payload, p->payload.len);
    else
        blank_behind_header(ip, len);
    disguise_header(ip, len);
    if (!p->missing && (p->kind == PACKET_TCP || p->kind == PACKET_UDP || p->kind == PACKET_ICMP))
        sum_transport(ip, p->protocol, transport, (size_t)(payload - transport) + p->payload.len);
    return later;
}

/* Where the checksum of the transport stands, behind the header; 0: there is none to keep right. */
static size_t sum_place(const struct packet *p)
{
    if (p->missing)
        return 0;
    if (p->kind == PACKET_TCP)
        return 16;
    return p->kind == PACKET_UDP && (p->transport.at[6] || p->transport.at[7]) ? 6 : 0;
}

static void disguise_later(struct anonymiser *a, struct packet *p, const struct record *r,
                           size_t len, uint64_t at)
{
    size_t sum = sum_place(p);
    struct anonymise_now now = {.frame = a->frame,
                                .len = len,
                                .at = at,
                                .payload = at + (size_t)(p->payload.at - (char *)a->frame),
                                .sum = sum ? at + (size_t)(p->transport.at - (char *)a->frame) + sum
                                           : 0,
                                .time_ns = r->time_ns};

    p->payload.at = (char *)a->payload;
    if (p->kind == PACKET_TCP)
        anonymise_segment(a->streams, p, &now);
    else if (p->kind == PACKET_FRAGMENT)
        anonymise_fragment(a->streams, p, &now);
    else
        anonymise_block(a->streams, p, &now);
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

struct text anonymise_packet(struct anonymiser *a, const struct record *r, uint64_t at)
{
    struct packet p;
    bool later = false;
    size_t len;

    if (packet_decode_link(r->link_type, r->bytes, r->captured, &p) < 0)
        return (struct text){0};
    if (!(len = unwrap(a, &p)) || packet_decode(a->frame, len, &p) < 0)
        return (struct text){0};
    if (p.payload.len)
        memcpy(a->payload, p.payload.at, p.payload.len);
    disguise_mac_bytes(a->frame);
    disguise_mac_bytes(a->frame + 6);
    if (p.network.at && p.network.at + p.network.len < (char *)a->frame + len) /* padding */
        memset((char *)p.network.at + p.network.len, 0,
               (size_t)((char *)a->frame + len - p.network.at) - p.network.len);
    if (p.network.at)
        later = disguise_ip(a, &p, a->frame + ((const uint8_t *)p.network.at - a->frame),
                            p.network.len);
    else if (p.kind == PACKET_ARP || p.kind == PACKET_CDP || p.kind == PACKET_LLDP)
        disguise_link(&p, a->frame + ((const uint8_t *)p.ethernet.payload.at - a->frame),
                      p.ethernet.payload.len);
    else
        memset(a->frame + 14, 0, len - 14);
    if (later)
        disguise_later(a, &p, r, len, at);
    return (struct text){(char *)a->frame, len};
}

struct anonymiser *anonymiser_new(const struct anonymise_out *out)
{
    struct anonymiser *a = calloc(1, sizeof(*a));

    if (a && !(a->streams = anonymise_streams_new(out))) {
        free(a);
        return NULL;
    }
    return a;
}

void anonymiser_end(struct anonymiser *a)
{
    anonymise_streams_end(a->streams);
}

void anonymiser_free(struct anonymiser *a)
{
    if (a)
        anonymise_streams_free(a->streams);
    free(a);
}

/* -- files ---------------------------------------------------------------------------------- */

/* An output whose beginning can be changed while its end grows. */
static void change(void *context, uint64_t at, const void *bytes, size_t n)
{
    FILE *f = context;

    if (fflush(f) != 0 || pwrite(fileno(f), bytes, n, (off_t)at) != (ssize_t)n)
        errno = EIO; /* shown by the next write: the file is full or broken */
}

static void look(void *context, uint64_t at, void *bytes, size_t n)
{
    FILE *f = context;
    ssize_t got = fflush(f) == 0 ? pread(fileno(f), bytes, n, (off_t)at) : -1;

    if (got < (ssize_t)n)
        memset((char *)bytes + (got > 0 ? got : 0), 0, n - (size_t)(got > 0 ? got : 0));
}

static uint64_t put_start(FILE *to)
{
    uint8_t bytes[PCAP_WRITE_BLOCK];
    struct writer w = writer_of(bytes, sizeof(bytes));

    pcap_write_section(&w, TEXT("dialtone"), TEXT("anonymised"));
    pcap_write_interface(&w, PCAP_WRITE_ETHERNET, TEXT("anonymised"));
    fwrite(bytes, 1, writer_len(&w), to);
    return writer_len(&w);
}

/* Packets of unknown links are written empty, so that those behind keep their numbers. The bytes
 * written. */
static size_t put_packet(struct anonymiser *a, const struct record *r, FILE *to, uint64_t at)
{
    struct writer w = writer_of(a->block, sizeof(a->block));
    struct pcap_frame f = {.time_ns = (uint64_t)r->time_ns,
                           .bytes = anonymise_packet(a, r, at + PCAP_WRITE_FRAME_AT)};

    f.original =
        f.bytes.len + (f.bytes.len && r->original > r->captured ? r->original - r->captured : 0);
    pcap_write_frame(&w, &f);
    fwrite(w.start, 1, writer_len(&w), to);
    return writer_len(&w);
}

int anonymise_capture(struct source *from, const struct record *first, FILE *to,
                      struct anonymised *ret)
{
    struct anonymiser *a = anonymiser_new(&(struct anonymise_out){to, change, look});
    struct record r = first ? *first : (struct record){0};
    bool more = first != NULL;
    uint64_t at;

    if (!a)
        return -ENOMEM;
    for (at = put_start(to); more; more = source_next(from, &r), ret->packets++)
        at += put_packet(a, &r, to, at);
    anonymiser_end(a);
    if (source_problem(from))
        snprintf(ret->problem, sizeof(ret->problem), "%s, after packet %llu", source_problem(from),
                 (unsigned long long)source_number(from));
    anonymiser_free(a);
    return ferror(to) ? -EIO : 0;
}

static void no_sight(void *context, const struct sight *s)
{
}

int anonymise_text(text_read read, void *context, FILE *to, struct anonymised *ret)
{
    struct texts *all = texts_new(no_sight, NULL, 0);
    struct trace *t = all ? text_open(all, 0, read, context) : NULL;
    struct text line;
    bool any = t;

    for (; t && text_line(t, &line); ret->lines++) {
        disguise_sentence((char *)(uintptr_t)line.at, line.len);
        fwrite(line.at, 1, line.len, to);
        fputc('\n', to);
    }
    text_close(t);
    texts_free(all);
    return !any ? -ENOMEM : ferror(to) ? -EIO : 0;
}
