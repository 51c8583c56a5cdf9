#include "io/udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCHES_PER_TURN 4 /* what else the loop serves waits no longer than for these */
#define DEFAULT_LEN      2048
#define TRAIN_SEGMENT    1472 /* what fits an Ethernet frame: longer datagrams are for IP to cut */
#define TRAIN_MAX        64   /* datagrams, as the kernel takes them */
#define OUT_BYTES        (256 * 1024) /* at least three datagrams of the largest size */

union control {
    struct cmsghdr align;
    char room[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(int))];
};

struct lane { /* one direction: the arrays that recvmmsg and sendmmsg want */
    struct mmsghdr headers[UDP_BATCH];
    struct iovec pieces[UDP_BATCH];
    struct sockaddr_storage names[UDP_BATCH];
    union control control[UDP_BATCH];
};

struct udp {
    uv_poll_t poll;
    int fd;
    bool closing, waits_for_room;
    bool v6;
    udp_input input;
    void *context;
    size_t max_len;
    unsigned turn_us;
    size_t n_out, out_used;   /* queued datagrams and trains, and the bytes they take */
    bool no_trains;           /* the kernel does not cut */
    uint16_t segments[UDP_BATCH]; /* of the queued: size of a train's datagrams, 0: a single one */
    struct lane in, out;
    struct udp_datagram batch[UDP_BATCH];
    uint8_t out_bytes[OUT_BYTES];
    uint8_t in_bytes[]; /* UDP_BATCH * max_len */
};

/* --- in --- */

static void lane_point(struct lane *lane, size_t i, void *bytes, size_t len)
{
    lane->pieces[i] = (struct iovec){bytes, len};
    lane->headers[i].msg_hdr = (struct msghdr){
        .msg_name = &lane->names[i],
        .msg_namelen = sizeof(lane->names[i]),
        .msg_iov = &lane->pieces[i],
        .msg_iovlen = 1,
        .msg_control = &lane->control[i],
        .msg_controllen = sizeof(lane->control[i]),
    };
}

static void take_pktinfo(const struct cmsghdr *c, struct udp_datagram *d)
{
    if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
        struct in_pktinfo info;

        memcpy(&info, CMSG_DATA(c), sizeof(info));
        /* ipi_spec_dst is ours even when the datagram was broadcast */
        d->to = ip_v4(ntohl(info.ipi_spec_dst.s_addr));
        d->group = info.ipi_addr.s_addr != info.ipi_spec_dst.s_addr;
        d->interface = (unsigned)info.ipi_ifindex;
    } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
        struct in6_pktinfo info;

        memcpy(&info, CMSG_DATA(c), sizeof(info));
        d->group = IN6_IS_ADDR_MULTICAST(&info.ipi6_addr);
        if (!d->group) {
            d->to.family = 6;
            memcpy(d->to.bytes, &info.ipi6_addr, 16);
        }
        d->interface = info.ipi6_ifindex;
    }
}

/* Turns the n headers that recvmmsg filled into datagrams; returns how many were whole. */
static size_t collect(struct udp *u, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        struct msghdr *h = &u->in.headers[i].msg_hdr;
        struct udp_datagram *d = &u->batch[kept];

        if (!(h->msg_flags & MSG_TRUNC)) {
            *d = (struct udp_datagram){.bytes = u->in_bytes + i * u->max_len,
                                       .len = u->in.headers[i].msg_len};
            d->from = endpoint_of_sockaddr(h->msg_name);
            for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c))
                take_pktinfo(c, d);
            kept++;
        }
        h->msg_namelen = sizeof(u->in.names[i]);
        h->msg_controllen = sizeof(u->in.control[i]);
    }
    return kept;
}

static void receive(struct udp *u)
{
    uint64_t end_ns = u->turn_us ? uv_hrtime() + u->turn_us * 1000ull : 0;

    for (int turn = 0; end_ns ? uv_hrtime() < end_ns : turn < BATCHES_PER_TURN; turn++) {
        int n = recvmmsg(u->fd, u->in.headers, UDP_BATCH, MSG_DONTWAIT, NULL);
        size_t kept;

        if (n <= 0)
            return; /* EAGAIN, or an ICMP error that belongs to some earlier datagram */
        kept = collect(u, (size_t)n);
        if (kept)
            u->input(u->context, u->batch, kept);
        udp_flush(u);
        if (n < UDP_BATCH || u->closing)
            return;
    }
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct udp *u = poll->data;

    if (status < 0 || events & UV_WRITABLE)
        udp_flush(u);
    if (status < 0 || events & UV_READABLE)
        receive(u);
}

static void watch(struct udp *u, bool for_room)
{
    u->waits_for_room = for_room;
    uv_poll_start(&u->poll, UV_READABLE | (for_room ? UV_WRITABLE : 0), on_ready);
}

/* --- out --- */

static size_t put_pktinfo(union control *control, struct ip from, unsigned interface, bool v6)
{
    struct cmsghdr *c = &control->align;

    if (v6) {
        struct in6_pktinfo info = {.ipi6_ifindex = interface};

        if (from.family == 6)
            memcpy(&info.ipi6_addr, from.bytes, 16);
        c->cmsg_level = IPPROTO_IPV6;
        c->cmsg_type = IPV6_PKTINFO;
        c->cmsg_len = CMSG_LEN(sizeof(info));
        memcpy(CMSG_DATA(c), &info, sizeof(info));
        return CMSG_SPACE(sizeof(info));
    } else {
        struct in_pktinfo info = {.ipi_ifindex = (int)interface};

        info.ipi_spec_dst.s_addr = htonl(ip_v4_number(from));
        c->cmsg_level = IPPROTO_IP;
        c->cmsg_type = IP_PKTINFO;
        c->cmsg_len = CMSG_LEN(sizeof(info));
        memcpy(CMSG_DATA(c), &info, sizeof(info));
        return CMSG_SPACE(sizeof(info));
    }
}

void *udp_room(struct udp *u, size_t len)
{
    if (len > 65535 || u->closing)
        return NULL;
    if (u->n_out == UDP_BATCH || u->out_used + len > OUT_BYTES)
        udp_flush(u);
    if (u->n_out == UDP_BATCH || u->out_used + len > OUT_BYTES)
        return NULL; /* the kernel has no room either */
    return u->out_bytes + u->out_used;
}

static size_t put_segment(union control *control, size_t used, uint16_t segment)
{
    struct cmsghdr *c = (struct cmsghdr *)(control->room + used);

    c->cmsg_level = SOL_UDP;
    c->cmsg_type = UDP_SEGMENT;
    c->cmsg_len = CMSG_LEN(sizeof(segment));
    memcpy(CMSG_DATA(c), &segment, sizeof(segment));
    return used + CMSG_SPACE(sizeof(segment));
}

/* Room is kept for what is lent too: it is copied there when the kernel does not take it at once. */
static void queue(struct udp *u, const struct endpoint *to, struct ip from, unsigned interface,
                  const void *bytes, size_t len, size_t segment, bool lent)
{
    struct lane *lane = &u->out;
    uint8_t *at = udp_room(u, len);
    size_t i, used = 0;

    if (!at)
        return;
    i = u->n_out++;
    if (!lent && at != bytes)
        memmove(at, bytes, len);
    lane_point(lane, i, lent ? (void *)bytes : at, len);
    u->out_used += len;
    u->segments[i] = (uint16_t)segment;
    lane->headers[i].msg_hdr.msg_namelen = endpoint_to_sockaddr(to, &lane->names[i]);
    if (from.family || interface)
        used = put_pktinfo(&lane->control[i], from, interface, u->v6);
    if (segment)
        used = put_segment(&lane->control[i], used, (uint16_t)segment);
    lane->headers[i].msg_hdr.msg_controllen = used;
}

void udp_send(struct udp *u, const struct endpoint *to, struct ip from, unsigned interface,
              const void *bytes, size_t len)
{
    queue(u, to, from, interface, bytes, len, 0, false);
}

void udp_lend(struct udp *u, const struct endpoint *to, struct ip from, unsigned interface,
              const void *bytes, size_t len)
{
    queue(u, to, from, interface, bytes, len, 0, true);
}

void udp_send_train(struct udp *u, const struct endpoint *to, struct ip from, unsigned interface,
                    const void *bytes, size_t len, size_t segment)
{
    const uint8_t *at = bytes;

    if (segment && segment < len && segment <= TRAIN_SEGMENT && len <= segment * TRAIN_MAX &&
        !u->no_trains) {
        queue(u, to, from, interface, bytes, len, segment, false);
        return;
    }
    for (size_t n; len; at += n, len -= n) {
        n = segment && segment < len ? segment : len;
        queue(u, to, from, interface, at, n, 0, false);
    }
}

/* Keeps what the kernel did not take, at the front of the queue. */
static void keep_from(struct udp *u, size_t first)
{
    size_t used = 0;

    for (size_t i = first; i < u->n_out; i++) {
        size_t to = i - first, len = u->out.pieces[i].iov_len;
        struct msghdr old = u->out.headers[i].msg_hdr;

        memmove(u->out_bytes + used, u->out.pieces[i].iov_base, len);
        u->out.names[to] = u->out.names[i];
        u->out.control[to] = u->out.control[i];
        u->segments[to] = u->segments[i];
        lane_point(&u->out, to, u->out_bytes + used, len);
        u->out.headers[to].msg_hdr.msg_namelen = old.msg_namelen;
        u->out.headers[to].msg_hdr.msg_controllen = old.msg_controllen;
        used += len;
    }
    u->n_out -= first;
    u->out_used = used;
}

/* A train that the kernel does not cut (the path takes smaller datagrams only, or the device
 * cannot) leaves as single datagrams; what finds no room is lost as on any network. */
static void send_singly(struct udp *u, size_t i)
{
    struct msghdr h = u->out.headers[i].msg_hdr;
    uint8_t *at = u->out.pieces[i].iov_base;
    size_t left = u->out.pieces[i].iov_len, segment = u->segments[i];

    h.msg_controllen -= CMSG_SPACE(sizeof(uint16_t));
    for (size_t n; left; at += n, left -= n) {
        struct iovec piece = {at, n = segment < left ? segment : left};

        h.msg_iov = &piece;
        sendmsg(u->fd, &h, MSG_DONTWAIT);
    }
}

/* The first of the queue cannot leave: no route, too long, or a train that is not cut. The others
 * can. */
static void give_up_one(struct udp *u, size_t i, int err)
{
    if (!u->segments[i])
        return;
    if (err == EIO || err == EOPNOTSUPP)
        u->no_trains = true;
    send_singly(u, i);
}

void udp_flush(struct udp *u)
{
    size_t done = 0;

    while (done < u->n_out && !u->closing) {
        int n = sendmmsg(u->fd, u->out.headers + done, (unsigned)(u->n_out - done), MSG_DONTWAIT);

        if (n > 0)
            done += (size_t)n;
        else if (errno == EAGAIN || errno == EWOULDBLOCK)
            break;
        else if (errno != EINTR)
            give_up_one(u, done++, errno);
    }
    if (done || u->n_out) /* what was lent is ours from here on */
        keep_from(u, done);
    if (!u->closing && u->waits_for_room != (u->n_out > 0))
        watch(u, u->n_out > 0);
}

/* --- open and close --- */

static int set_options(struct udp *u, const struct udp_options *o)
{
    int on = 1, tos = o->tos, size = (int)o->receive_buffer;
    bool v6 = u->v6;

    if (setsockopt(u->fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_RECVPKTINFO : IP_PKTINFO, &on,
                   sizeof(on)) < 0)
        return -errno;
    if (v6)
        setsockopt(u->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    if (tos)
        setsockopt(u->fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_TCLASS : IP_TOS, &tos,
                   sizeof(tos));
    if (size && setsockopt(u->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
        setsockopt(u->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    if (o->broadcast && setsockopt(u->fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)) < 0)
        return -errno;
    if (o->interface && setsockopt(u->fd, SOL_SOCKET, SO_BINDTODEVICE, o->interface,
                                   (socklen_t)strlen(o->interface)) < 0)
        return -errno;
    return 0;
}

static int open_socket(struct udp *u, const struct udp_options *o)
{
    struct endpoint local = o->local;
    struct sockaddr_storage name;
    socklen_t len;
    int err, on = 1;

    if (!local.ip.family)
        local.ip = ip_v4(0);
    u->v6 = local.ip.family == 6;
    u->fd = socket(u->v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (u->fd < 0)
        return -errno;
    if ((err = set_options(u, o)) < 0)
        return err;
    len = endpoint_to_sockaddr(&local, &name);
    if (bind(u->fd, (struct sockaddr *)&name, len) < 0)
        return -errno;
    /* After the bind: a second server that begins like this one finds the port taken, and a relay
     * agent of this host may still have the port at an address of its own. */
    if (o->interface)
        setsockopt(u->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    return 0;
}

int udp_open(uv_loop_t *loop, const struct udp_options *options, struct udp **ret)
{
    size_t max_len = options->max_len ? options->max_len : DEFAULT_LEN;
    struct udp *u = calloc(1, sizeof(*u) + UDP_BATCH * max_len);
    int err;

    if (!u)
        return -ENOMEM;
    u->fd = -1;
    u->input = options->input;
    u->context = options->context;
    u->max_len = max_len;
    u->turn_us = options->turn_us;
    for (size_t i = 0; i < UDP_BATCH; i++)
        lane_point(&u->in, i, u->in_bytes + i * max_len, max_len);
    err = open_socket(u, options);
    if (!err)
        err = uv_poll_init(loop, &u->poll, u->fd);
    if (err) {
        if (u->fd >= 0)
            close(u->fd);
        free(u);
        return err;
    }
    u->poll.data = u;
    watch(u, false);
    *ret = u;
    return 0;
}

static void on_closed(uv_handle_t *h)
{
    free(h->data);
}

void udp_close(struct udp *u)
{
    if (!u || u->closing)
        return;
    udp_flush(u);
    u->closing = true;
    uv_close((uv_handle_t *)&u->poll, on_closed);
    close(u->fd); /* at once: the port may be opened again in the same turn */
}

uint16_t udp_port(const struct udp *u)
{
    struct sockaddr_storage name;
    socklen_t len = sizeof(name);

    if (getsockname(u->fd, (struct sockaddr *)&name, &len) < 0)
        return 0;
    return endpoint_of_sockaddr((struct sockaddr *)&name).port;
}

size_t udp_receive_room(const struct udp *u)
{
    socklen_t len = sizeof(int);
    int size = 0;

    getsockopt(u->fd, SOL_SOCKET, SO_RCVBUF, &size, &len);
    return (size_t)size / 2; /* twice of what was asked is for what surrounds it (socket(7)) */
}
