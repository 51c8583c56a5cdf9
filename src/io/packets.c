#include "io/packets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BUFFER_BYTES (8 << 20) /* what may come while nobody reads */
#define FRAME_MAX    65536
#define TAG_SIZE     4
#define PROGRAM_MAX  (16 + PACKETS_HOSTS_MAX * 20)

struct packets {
    int fd;
    uint8_t frame[TAG_SIZE + FRAME_MAX];
};

/* --- the filter: tests one after the other, each ends in "take it" --- */

struct program {
    struct sock_filter at[PROGRAM_MAX];
    unsigned short n;
};

static void put(struct program *p, uint16_t code, uint32_t k, uint8_t yes, uint8_t no)
{
    p->at[p->n++] = (struct sock_filter){code, yes, no, k};
}

/* The words at `offset` are those of `bytes`: taken; else the program goes on behind. */
static void take_if(struct program *p, uint32_t offset, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i += len - i >= 4 ? 4 : 2) {
        bool wide = len - i >= 4;
        uint32_t value = wide ? (uint32_t)bytes[i] << 24 | (uint32_t)bytes[i + 1] << 16 |
                                    (uint32_t)bytes[i + 2] << 8 | bytes[i + 3]
                              : (uint32_t)bytes[i] << 8 | bytes[i + 1];
        size_t left = (len - i - (wide ? 4 : 2) + 3) / 4; /* words still to compare */

        put(p, (uint16_t)(BPF_LD | (wide ? BPF_W : BPF_H) | BPF_ABS), offset + (uint32_t)i, 0, 0);
        put(p, BPF_JMP | BPF_JEQ | BPF_K, value, 0, (uint8_t)(2 * left + 1));
    }
    put(p, BPF_RET | BPF_K, UINT32_MAX, 0, 0);
}

static void take_host(struct program *p, struct ip ip)
{
    bool six = ip.family == 6;
    uint8_t len = six ? 16 : 4, words = six ? 4 : 1;

    put(p, BPF_LD | BPF_H | BPF_ABS, 12, 0, 0);
    put(p, BPF_JMP | BPF_JEQ | BPF_K, six ? ETHERTYPE_IPV6 : ETHERTYPE_IP, 0,
        (uint8_t)(2 * (2 * words + 1)));
    take_if(p, six ? 22 : 26, ip.bytes, len);
    take_if(p, six ? 38 : 30, ip.bytes, len);
}

int packets_filter(struct packets *p, const struct packets_filter *f)
{
    struct program program = {.n = 0};
    struct sock_fprog set;

    if (!mac_number(f->mac) && !f->n_hosts)
        return 0;
    if (mac_number(f->mac)) {
        take_if(&program, 0, f->mac.bytes, 6);
        take_if(&program, 6, f->mac.bytes, 6);
    }
    for (size_t i = 0; i < f->n_hosts; i++)
        take_host(&program, f->hosts[i]);
    put(&program, BPF_RET | BPF_K, 0, 0, 0);
    set = (struct sock_fprog){program.n, program.at};
    return setsockopt(p->fd, SOL_SOCKET, SO_ATTACH_FILTER, &set, sizeof(set)) < 0 ? -errno : 0;
}

/* --- the socket --- */

/* The filter comes before the bind: nothing else slips in. */
static int set_up(struct packets *p, const char *interface, const struct packets_filter *filter)
{
    struct sockaddr_ll local = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
    int on = 1, size = BUFFER_BYTES, err;

    if (interface && *interface && !(local.sll_ifindex = (int)if_nametoindex(interface)))
        return -ENODEV;
    if (setsockopt(p->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
        setsockopt(p->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    if (filter && (err = packets_filter(p, filter)) < 0)
        return err;
    if (setsockopt(p->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) < 0 ||
        setsockopt(p->fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on)) < 0 ||
        bind(p->fd, (struct sockaddr *)&local, sizeof(local)) < 0)
        return -errno;
    return 0;
}

int packets_open(const char *interface, const struct packets_filter *filter, struct packets **ret)
{
    struct packets *p = malloc(sizeof(*p));
    int err;

    if (!p)
        return -ENOMEM;
    p->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    err = p->fd < 0 ? -errno : set_up(p, interface, filter);
    if (err < 0) {
        packets_close(p);
        return err;
    }
    *ret = p;
    return 0;
}

void packets_close(struct packets *p)
{
    if (p && p->fd >= 0)
        close(p->fd);
    free(p);
}

int packets_fd(const struct packets *p)
{
    return p->fd;
}

uint32_t packets_dropped(struct packets *p)
{
    struct tpacket_stats stats;
    socklen_t len = sizeof(stats);

    return getsockopt(p->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len) < 0 ? 0 : stats.tp_drops;
}

/* --- reading --- */

/* The kernel takes the tag out of the frame and tells it beside: the addresses move down to make
 * room. Returns where the frame begins. */
static uint8_t *put_tag_back(uint8_t *frame, size_t len, const struct tpacket_auxdata *aux)
{
    uint16_t kind = aux->tp_status & TP_STATUS_VLAN_TPID_VALID ? aux->tp_vlan_tpid : ETHERTYPE_VLAN;
    uint8_t *start = frame - TAG_SIZE;

    if (!(aux->tp_status & TP_STATUS_VLAN_VALID) || len < 12)
        return frame;
    memmove(start, frame, 12);
    start[12] = (uint8_t)(kind >> 8);
    start[13] = (uint8_t)kind;
    start[14] = (uint8_t)(aux->tp_vlan_tci >> 8);
    start[15] = (uint8_t)aux->tp_vlan_tci;
    return start;
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

/* Loopback shows each frame twice: as it leaves and as it comes. Other kinds have no Ethernet head.
 */
static bool is_wanted(const struct sockaddr_ll *from)
{
    return from->sll_hatype == ARPHRD_ETHER ||
           (from->sll_hatype == ARPHRD_LOOPBACK && from->sll_pkttype != PACKET_OUTGOING);
}

bool packets_read(struct packets *p, struct packets_frame *ret)
{
    uint8_t *frame = p->frame + TAG_SIZE;
    struct iovec at = {frame, FRAME_MAX};
    _Alignas(struct cmsghdr) char control[256];
    struct sockaddr_ll from = {0};
    struct msghdr m = {.msg_name = &from,
                       .msg_namelen = sizeof(from),
                       .msg_iov = &at,
                       .msg_iovlen = 1,
                       .msg_control = control,
                       .msg_controllen = sizeof(control)};
    struct tpacket_auxdata aux = {0};
    ssize_t n;

    do {
        m.msg_namelen = sizeof(from);
        m.msg_controllen = sizeof(control);
        n = recvmsg(p->fd, &m, 0);
    } while ((n < 0 && errno == EINTR) || (n >= 0 && !is_wanted(&from)));
    if (n < 0)
        return false;
    ret->time_ns = control_of(&m, &aux);
    ret->outgoing = from.sll_pkttype == PACKET_OUTGOING;
    ret->bytes = put_tag_back(frame, (size_t)n, &aux);
    ret->len = (size_t)(frame + n - ret->bytes);
    ret->original = aux.tp_len > (uint32_t)n ? ret->len + aux.tp_len - (size_t)n : ret->len;
    return true;
}
