#include "lab/sniffer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "doctor/source.h"
#include "io/packets.h"
#include "lab/network.h"
#include "wire/boot/cdp.h"
#include "wire/boot/dhcp.h"
#include "wire/boot/tftp.h"
#include "wire/capture/packet.h"
#include "wire/capture/pcap_write.h"

#define FRAME_MAX (1 << 17) /* a packet that the kernel has not cut up yet, with what is around it */

struct sniffer {
    pthread_t thread;
    atomic_bool over, deaf;
    atomic_uint loses; /* every so many; 0: none */
    unsigned n;
    struct packets *packets;
    int file;
    uint8_t block[FRAME_MAX + PCAP_WRITE_BLOCK];
};

/* -- writing -------------------------------------------------------------------------------- */

static int create(const char *path, const char *interface)
{
    uint8_t header[2 * PCAP_WRITE_BLOCK];
    struct writer w = writer_of(header, sizeof(header));
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    pcap_write_section(&w, TEXT("dialtone " DIALTONE_VERSION), TEXT("laboratory"));
    pcap_write_interface(&w, PCAP_WRITE_ETHERNET, text_of(interface));
    if (fd >= 0 && write(fd, header, writer_len(&w)) != (ssize_t)writer_len(&w)) {
        close(fd);
        return -EIO;
    }
    return fd < 0 ? -errno : fd;
}

static void write_waiting(struct sniffer *s)
{
    struct packets_frame f;

    while (packets_read(s->packets, &f)) {
        struct writer w = writer_of(s->block, sizeof(s->block));
        unsigned loses = atomic_load(&s->loses);

        if ((loses && ++s->n % loses == 0) || (f.outgoing && atomic_load(&s->deaf)))
            continue;
        pcap_write_frame(&w, &(struct pcap_frame){.time_ns = f.time_ns,
                                                  .bytes = {(const char *)f.bytes, f.len},
                                                  .original = f.original,
                                                  .way = f.outgoing ? PCAP_WAY_OUT : PCAP_WAY_IN});
        if (write(s->file, s->block, writer_len(&w)) != (ssize_t)writer_len(&w))
            return;
    }
}

/* Until the end, and then what is left. */
static void *record(void *context)
{
    struct sniffer *s = context;
    struct pollfd p = {packets_fd(s->packets), POLLIN, 0};
    bool over;

    do {
        over = atomic_load(&s->over);
        poll(&p, 1, 50);
        write_waiting(s);
    } while (!over);
    return NULL;
}

int sniffer_open(const char *ns, const char *interface, const char *path, struct sniffer **ret)
{
    struct sniffer *s = calloc(1, sizeof(*s));
    int err = s ? network_enter(ns) : -ENOMEM;

    if (!err) {
        err = packets_open(interface, NULL, &s->packets);
        network_enter(NULL);
    }
    if (!err && (s->file = create(path, interface)) < 0) {
        err = s->file;
        packets_close(s->packets);
    }
    if (!err && (err = -pthread_create(&s->thread, NULL, record, s))) {
        close(s->file);
        packets_close(s->packets);
    }
    if (err) {
        free(s);
        return err;
    }
    *ret = s;
    return 0;
}

void sniffer_spoil(struct sniffer *s, unsigned n, bool deaf)
{
    atomic_store(&s->loses, n);
    atomic_store(&s->deaf, deaf);
}

void sniffer_close(struct sniffer *s)
{
    if (!s)
        return;
    atomic_store(&s->over, true);
    pthread_join(s->thread, NULL);
    packets_close(s->packets);
    close(s->file);
    free(s);
}

/* -- reading -------------------------------------------------------------------------------- */

const char *sighting_words(enum sighting s)
{
    static const char *const words[] = {
#define SIGHTING(id, text) text,
#include "lab/faults/sightings.def"
#undef SIGHTING
    };

    return words[s];
}

static void see_cdp(const struct record *p, struct sightings *s)
{
    struct cdp m;

    if (cdp_decode(p->bytes, p->captured, &m) < 0) {
        s->broken++;
        return;
    }
    s->n[SEEN_CDP_QUERY] += cdp_has(&m, CDP_voice_vlan_query) || m.capabilities & CDP_CAPABLE_PHONE;
    s->n[SEEN_CDP_VLAN] += cdp_has(&m, CDP_voice_vlan);
}

static void see_dhcp(struct text payload, struct sightings *s)
{
    static const uint8_t rows[] = {[DHCP_DISCOVER] = SEEN_DISCOVER + 1,
                                   [DHCP_OFFER] = SEEN_OFFER + 1,
                                   [DHCP_REQUEST] = SEEN_REQUEST + 1,
                                   [DHCP_ACK] = SEEN_DHCP_ACK + 1,
                                   [DHCP_NAK] = SEEN_NAK + 1};
    struct dhcp_message m;

    if (dhcp_decode(payload.at, payload.len, &m) < 0)
        s->broken++;
    else if (dhcp_has(&m, DHCP_type) && m.type < sizeof(rows) && rows[m.type])
        s->n[rows[m.type] - 1]++;
}

/* TFTP answers come from ports of their own, so every datagram that is no other protocol may be
 * one. */
static void see_tftp(const struct packet *p, struct sightings *s)
{
    struct tftp_packet t;

    if (tftp_parse(p->payload.at, p->payload.len, &t) < 0)
        return;
    s->n[SEEN_FILE_ASKED] += t.op == TFTP_RRQ && p->to.port == TFTP_PORT;
    s->n[SEEN_FILE_MISSING] += t.op == TFTP_ERROR && t.error == TFTP_ERROR_NOT_FOUND;
    s->n[SEEN_FILE_SENT] += t.op == TFTP_DATA;
}

/* The first message of a segment: length and version, little endian, then the message's number. */
static void see_sccp(const struct packet *p, struct sightings *s)
{
    static const struct {
        uint32_t id;
        enum sighting row;
    } rows[] = {{0x0001, SEEN_REGISTER},
                {0x0081, SEEN_REGISTER_ACK},
                {0x009d, SEEN_REJECT},
                {0x0000, SEEN_KEEPALIVE}};
    struct reader r = reader_of(p->payload.at, p->payload.len);
    uint32_t id;

    read_le32(&r);
    read_le32(&r);
    id = read_le32(&r);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows) && !r.bad; i++)
        s->n[rows[i].row] += rows[i].id == id;
}

/* Messages that begin a segment or a datagram. */
static void see_sip(const struct packet *p, struct sightings *s)
{
    s->n[SEEN_SIP_REGISTER] += text_starts(p->payload, "REGISTER ");
    s->n[SEEN_SIP_NOTIFY] += text_starts(p->payload, "NOTIFY ");
    s->n[SEEN_SIP_OK] += text_starts(p->payload, "SIP/2.0 200 ");
    s->n[SEEN_SIP_REFUSED] +=
        text_starts(p->payload, "SIP/2.0 4") || text_starts(p->payload, "SIP/2.0 5");
}

static void see_tcp(const struct packet *p, struct sightings *s)
{
    bool sccp = p->to.port == 2000 || p->from.port == 2000;

    s->n[SEEN_RST] += (p->tcp_flags & PACKET_RST) != 0;
    s->n[SEEN_SYN] +=
        p->to.port == 2000 && (p->tcp_flags & (PACKET_SYN | PACKET_ACK)) == PACKET_SYN;
    if (sccp)
        see_sccp(p, s);
    if (p->to.port == 5060 || p->from.port == 5060)
        see_sip(p, s);
    if (p->to.port == 6970)
        s->n[SEEN_FILE_ASKED] += text_starts(p->payload, "GET ");
    if (p->from.port == 6970)
        s->n[SEEN_FILE_MISSING] += text_starts(p->payload, "HTTP/1.1 404");
}

static void see(const struct record *packet, struct sightings *s)
{
    struct packet p;

    s->frames++;
    if (packet_decode(packet->bytes, packet->captured, &p) < 0) {
        s->broken++;
        return;
    }
    s->n[SEEN_ARP] += p.kind == PACKET_ARP;
    s->n[SEEN_LLDP] += p.kind == PACKET_LLDP;
    if (p.kind == PACKET_CDP)
        see_cdp(packet, s);
    if (p.kind == PACKET_TCP)
        see_tcp(&p, s);
    if (p.kind == PACKET_UDP && (p.to.port == DHCP_SERVER_PORT || p.to.port == DHCP_CLIENT_PORT))
        see_dhcp(p.payload, s);
    else if (p.kind == PACKET_UDP && (p.to.port == 5060 || p.from.port == 5060))
        see_sip(&p, s);
    else if (p.kind == PACKET_UDP)
        see_tftp(&p, s);
}

int sightings_of(const char *path, struct sightings *ret)
{
    struct source *source;
    struct record record;
    int err = source_open(path, &source);

    memset(ret, 0, sizeof(*ret));
    if (err < 0)
        return err;
    while (source_next(source, &record))
        see(&record, ret);
    err = source_problem(source) ? -EBADMSG : 0;
    source_close(source);
    return err;
}
