#include "lab/sniffer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lab/network.h"
#include "wire/boot/cdp.h"
#include "wire/boot/dhcp.h"
#include "wire/boot/tftp.h"
#include "wire/capture/packet.h"
#include "wire/capture/pcap.h"

#define BUFFER_BYTES (8 << 20) /* what may come while the scenario does something else */
#define FRAME_MAX    65536
#define TAG_SIZE     4

struct sniffer {
    int socket, file;
    uint8_t frame[PCAP_RECORD_SIZE + TAG_SIZE + FRAME_MAX];
};

/* -- writing -------------------------------------------------------------------------------- */

static int packet_socket(const char *interface)
{
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ALL));
    int on = 1, size = BUFFER_BYTES;
    struct sockaddr_ll local = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};

    local.sll_ifindex = (int)if_nametoindex(interface);
    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
    if (!local.sll_ifindex || setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) < 0 ||
        setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on)) < 0 ||
        bind(fd, (struct sockaddr *)&local, sizeof(local)) < 0) {
        int err = local.sll_ifindex ? -errno : -ENODEV;

        close(fd);
        return err;
    }
    return fd;
}

static int create(const char *path)
{
    uint8_t header[PCAP_HEADER_SIZE];
    struct writer w = writer_of(header, sizeof(header));
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    pcap_write_header(&w, PCAP_ETHERNET);
    if (fd >= 0 && write(fd, header, sizeof(header)) != sizeof(header)) {
        close(fd);
        return -EIO;
    }
    return fd < 0 ? -errno : fd;
}

int sniffer_open(const char *ns, const char *interface, const char *path, struct sniffer **ret)
{
    struct sniffer *s = malloc(sizeof(*s));
    int err = s ? network_enter(ns) : -ENOMEM;

    if (err) {
        free(s);
        return err;
    }
    s->socket = packet_socket(interface);
    network_enter(NULL);
    s->file = s->socket < 0 ? -1 : create(path);
    if (s->file < 0) {
        err = s->socket < 0 ? s->socket : s->file;
        if (s->socket >= 0)
            close(s->socket);
        free(s);
        return err;
    }
    *ret = s;
    return 0;
}

/* The kernel takes the tag out of the frame and tells it beside. */
static void put_tag_back(uint8_t *frame, size_t *len, const struct tpacket_auxdata *aux)
{
    struct writer tag = writer_of(frame + 12, TAG_SIZE);

    if (!(aux->tp_status & TP_STATUS_VLAN_VALID) || *len < 12)
        return;
    memmove(frame + 12 + TAG_SIZE, frame + 12, *len - 12);
    write_be16(&tag,
               aux->tp_status & TP_STATUS_VLAN_TPID_VALID ? aux->tp_vlan_tpid : ETHERNET_VLAN);
    write_be16(&tag, aux->tp_vlan_tci);
    *len += TAG_SIZE;
}

static uint64_t control_of(struct msghdr *m, struct tpacket_auxdata *aux)
{
    struct timespec t = {0};

    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS)
            memcpy(&t, CMSG_DATA(c), sizeof(t));
        if (c->cmsg_level == SOL_PACKET && c->cmsg_type == PACKET_AUXDATA)
            memcpy(aux, CMSG_DATA(c), sizeof(*aux));
    }
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static bool read_one(struct sniffer *s)
{
    uint8_t *frame = s->frame + PCAP_RECORD_SIZE;
    struct iovec at = {frame, FRAME_MAX};
    _Alignas(struct cmsghdr) char control[256];
    struct msghdr m = {
        .msg_iov = &at, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
    struct tpacket_auxdata aux = {0};
    ssize_t n = recvmsg(s->socket, &m, 0);
    size_t len = (size_t)n;
    struct writer w = writer_of(s->frame, PCAP_RECORD_SIZE);
    uint64_t time_ns;

    if (n < 0)
        return false;
    time_ns = control_of(&m, &aux);
    put_tag_back(frame, &len, &aux);
    pcap_write_record(&w, time_ns, len, len);
    len += PCAP_RECORD_SIZE;
    return write(s->file, s->frame, len) == (ssize_t)len;
}

void sniffer_read(struct sniffer *s)
{
    while (read_one(s))
        ;
}

void sniffer_close(struct sniffer *s)
{
    if (!s)
        return;
    sniffer_read(s);
    close(s->socket);
    close(s->file);
    free(s);
}

/* -- reading -------------------------------------------------------------------------------- */

const char *sighting_words(enum sighting s)
{
    static const char *const words[] = {
#define SIGHTING(id, text) text,
#include "lab/sightings.def"
#undef SIGHTING
    };

    return words[s];
}

static void see_cdp(const struct pcap_packet *p, struct sightings *s)
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

static void see(const struct pcap_packet *packet, struct sightings *s)
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
    struct pcap_packet packet;
    struct pcap_file file;
    struct stat st;
    void *bytes = MAP_FAILED;
    int fd = open(path, O_RDONLY | O_CLOEXEC), err = 0;

    memset(ret, 0, sizeof(*ret));
    if (fd < 0)
        return -errno;
    if (fstat(fd, &st) == 0)
        bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (bytes == MAP_FAILED)
        return -errno;
    err = pcap_open(bytes, (size_t)st.st_size, &file);
    while (!err && (err = pcap_next(&file, &packet)) == 1) {
        see(&packet, ret);
        err = 0;
    }
    munmap(bytes, (size_t)st.st_size);
    return err;
}
