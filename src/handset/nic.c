/* nic.c - AF_PACKET for frames, rtnetlink for addresses and routes; see nic.h. */
#include "handset/nic.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"

#define NIC_ADDRESSES 4096
#define NIC_BATCH     64 /* frames read in one turn of the loop */
#define FRAME_MAX     2048

struct nic_address {
    uint32_t address; /* host order; 0: free */
    uint8_t prefix;
};

struct nic {
    uv_poll_t poll;
    int raw, udp, control, index;
    struct mac mac;
    char name[IF_NAMESIZE];
    nic_input input;
    void *context;
    struct nic_address *addresses;
    unsigned n_addresses;
    uint32_t router; /* of the default route that was put; 0: none */
};

/* ---- frames ---- */

static void on_frames(uv_poll_t *poll, int status, int events)
{
    struct nic *n = poll->data;
    uint8_t frame[FRAME_MAX];

    for (unsigned i = 0; i < NIC_BATCH; i++) {
        struct sockaddr_ll from;
        socklen_t from_len = sizeof(from);
        ssize_t len = recvfrom(n->raw, frame, sizeof(frame), MSG_DONTWAIT, (struct sockaddr *)&from,
                               &from_len);

        if (len < 0)
            return;
        if (from.sll_pkttype != PACKET_OUTGOING && n->input)
            n->input(n->context, frame, (size_t)len);
    }
}

int nic_send(struct nic *n, const void *frame, size_t len)
{
    return send(n->raw, frame, len, MSG_DONTWAIT) < 0 ? -errno : 0;
}

static uint16_t checksum(const uint8_t *bytes, size_t len, uint32_t sum)
{
    for (size_t i = 0; i + 1 < len; i += 2)
        sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
    if (len & 1)
        sum += (uint32_t)bytes[len - 1] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void patch16(uint8_t *at, uint16_t v)
{
    at[0] = (uint8_t)(v >> 8);
    at[1] = (uint8_t)v;
}

static int send_broadcast(struct nic *n, struct mac mac, const struct endpoint *from,
                          const struct endpoint *to, const void *bytes, size_t len)
{
    uint8_t frame[FRAME_MAX], *ip, *udp;
    struct writer w = writer_of(frame, sizeof(frame));
    uint32_t source = ip_v4_number(from->ip), target = ip_v4_number(to->ip), pseudo;
    uint16_t udp_len = (uint16_t)(len + 8), sum;

    memset(write_room(&w, 6), 0xff, 6);
    write_bytes(&w, mac.bytes, 6);
    write_be16(&w, ETHERTYPE_IP);
    ip = w.at;
    write_be16(&w, 0x4500);
    write_be16(&w, (uint16_t)(udp_len + 20));
    write_be32(&w, 0);
    write_be16(&w, 64 << 8 | IPPROTO_UDP); /* time to live of a 79xx */
    write_be16(&w, 0);
    write_be32(&w, source);
    write_be32(&w, target);
    patch16(ip + 10, checksum(ip, 20, 0));
    udp = w.at;
    write_be16(&w, from->port);
    write_be16(&w, to->port);
    write_be16(&w, udp_len);
    write_be16(&w, 0);
    write_bytes(&w, bytes, len);
    if (w.bad)
        return -EMSGSIZE;
    pseudo = (source >> 16) + (source & 0xffff) + (target >> 16) + (target & 0xffff) + IPPROTO_UDP +
             udp_len;
    sum = checksum(udp, udp_len, pseudo);
    patch16(udp + 6, sum ? sum : 0xffff);
    return nic_send(n, frame, writer_len(&w));
}

/* To a server it has an address of: the kernel finds the way. */
static int send_unicast(struct nic *n, const struct endpoint *from, const struct endpoint *to,
                        const void *bytes, size_t len)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons(to->port)};
    char room[CMSG_SPACE(sizeof(struct in_pktinfo))] = {0};
    struct iovec iov = {(void *)bytes, len};
    struct msghdr msg = {.msg_name = &sa,
                         .msg_namelen = sizeof(sa),
                         .msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = room,
                         .msg_controllen = sizeof(room)};
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
    struct in_pktinfo info = {.ipi_spec_dst.s_addr = htonl(ip_v4_number(from->ip))};

    sa.sin_addr.s_addr = htonl(ip_v4_number(to->ip));
    c->cmsg_level = IPPROTO_IP;
    c->cmsg_type = IP_PKTINFO;
    c->cmsg_len = CMSG_LEN(sizeof(info));
    memcpy(CMSG_DATA(c), &info, sizeof(info));
    return sendmsg(n->udp, &msg, MSG_DONTWAIT) < 0 ? -errno : 0;
}

int nic_send_udp(struct nic *n, struct mac mac, const struct endpoint *from,
                 const struct endpoint *to, const void *bytes, size_t len)
{
    if (ip_v4_number(to->ip) == UINT32_MAX)
        return send_broadcast(n, mac, from, to, bytes, len);
    return send_unicast(n, from, to, bytes, len);
}

struct text nic_udp_payload(const uint8_t *frame, size_t len, uint16_t port)
{
    struct text none = {0};
    size_t header, total, udp_len;
    const uint8_t *ip = frame + 14;

    if (len < 14 + 20 || frame[12] != 0x08 || frame[13] != 0x00 || ip[0] >> 4 != 4 ||
        ip[9] != IPPROTO_UDP)
        return none;
    header = (size_t)(ip[0] & 15) * 4;
    total = (size_t)ip[2] << 8 | ip[3];
    if (header < 20 || total < header + 8 || len < 14 + total || (ip[6] & 0x3f) || ip[7])
        return none;
    ip += header;
    udp_len = (size_t)ip[4] << 8 | ip[5];
    if (((unsigned)ip[2] << 8 | ip[3]) != port || udp_len < 8 || udp_len > total - header)
        return none;
    return (struct text){(const char *)ip + 8, udp_len - 8};
}

/* ---- rtnetlink ---- */

struct request {
    struct nlmsghdr header;
    union {
        struct ifaddrmsg address;
        struct rtmsg route;
    };
    char attributes[128];
};

static void add_attribute(struct request *r, uint16_t type, const void *value, size_t len)
{
    struct rtattr *a = (struct rtattr *)((char *)r + NLMSG_ALIGN(r->header.nlmsg_len));

    a->rta_type = type;
    a->rta_len = (uint16_t)RTA_LENGTH(len);
    memcpy(RTA_DATA(a), value, len);
    r->header.nlmsg_len = NLMSG_ALIGN(r->header.nlmsg_len) + RTA_ALIGN(a->rta_len);
}

static int ask_kernel(struct request *r)
{
    char answer[512];
    struct nlmsghdr *h = (struct nlmsghdr *)answer;
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), err = 0;
    ssize_t n;

    if (fd < 0)
        return -errno;
    r->header.nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
    if (send(fd, r, r->header.nlmsg_len, 0) < 0)
        err = -errno;
    n = err ? 0 : recv(fd, answer, sizeof(answer), 0);
    if (!err && n >= (ssize_t)NLMSG_LENGTH(sizeof(struct nlmsgerr)) && h->nlmsg_type == NLMSG_ERROR)
        err = ((struct nlmsgerr *)NLMSG_DATA(h))->error;
    close(fd);
    return err;
}

static int change_address(struct nic *n, uint16_t type, uint32_t address, uint8_t prefix)
{
    struct request r = {
        .header = {.nlmsg_len = NLMSG_LENGTH(sizeof(r.address)), .nlmsg_type = type}};
    uint32_t value = htonl(address);

    if (type == RTM_NEWADDR)
        r.header.nlmsg_flags = NLM_F_CREATE | NLM_F_REPLACE;
    r.address.ifa_family = AF_INET;
    r.address.ifa_prefixlen = prefix;
    r.address.ifa_index = (unsigned)n->index;
    add_attribute(&r, IFA_LOCAL, &value, 4);
    add_attribute(&r, IFA_ADDRESS, &value, 4);
    return ask_kernel(&r);
}

static int change_route(struct nic *n, uint16_t type, uint32_t router)
{
    struct request r = {.header = {.nlmsg_len = NLMSG_LENGTH(sizeof(r.route)), .nlmsg_type = type}};
    uint32_t value = htonl(router), index = (uint32_t)n->index;

    if (type == RTM_NEWROUTE)
        r.header.nlmsg_flags = NLM_F_CREATE | NLM_F_REPLACE;
    r.route.rtm_family = AF_INET;
    r.route.rtm_table = RT_TABLE_MAIN;
    r.route.rtm_protocol = RTPROT_DHCP;
    r.route.rtm_scope = RT_SCOPE_UNIVERSE;
    r.route.rtm_type = RTN_UNICAST;
    add_attribute(&r, RTA_GATEWAY, &value, 4);
    add_attribute(&r, RTA_OIF, &index, 4);
    return ask_kernel(&r);
}

int nic_add_address(struct nic *n, struct ip address, struct ip mask)
{
    uint8_t prefix = (uint8_t)__builtin_popcount(ip_v4_number(mask));
    int err;

    for (unsigned i = 0; i < n->n_addresses; i++)
        if (n->addresses[i].address == ip_v4_number(address) && n->addresses[i].prefix == prefix)
            return 0;
    if (n->n_addresses == NIC_ADDRESSES)
        return -ENOBUFS;
    err = change_address(n, RTM_NEWADDR, ip_v4_number(address), prefix);
    if (!err)
        n->addresses[n->n_addresses++] = (struct nic_address){ip_v4_number(address), prefix};
    return err;
}

int nic_remove_address(struct nic *n, struct ip address, struct ip mask)
{
    for (unsigned i = 0; i < n->n_addresses; i++) {
        if (n->addresses[i].address != ip_v4_number(address))
            continue;
        change_address(n, RTM_DELADDR, n->addresses[i].address, n->addresses[i].prefix);
        n->addresses[i] = n->addresses[--n->n_addresses];
        return 0;
    }
    return -ENOENT;
}

int nic_set_router(struct nic *n, struct ip router)
{
    int err = 0;

    if (n->router && n->router != ip_v4_number(router))
        change_route(n, RTM_DELROUTE, n->router);
    n->router = ip_v4_number(router);
    if (n->router)
        err = change_route(n, RTM_NEWROUTE, n->router);
    return err;
}

/* ---- the interface ---- */

int nic_set_mac(struct nic *n, struct mac mac)
{
    struct ifreq r = {0};

    memcpy(r.ifr_name, n->name, sizeof(n->name));
    r.ifr_hwaddr.sa_family = ARPHRD_ETHER;
    memcpy(r.ifr_hwaddr.sa_data, mac.bytes, 6);
    if (ioctl(n->control, SIOCSIFHWADDR, &r) < 0)
        return -errno;
    n->mac = mac;
    return 0;
}

static int bring_up(struct nic *n)
{
    struct ifreq r = {0};

    memcpy(r.ifr_name, n->name, sizeof(n->name));
    if (ioctl(n->control, SIOCGIFHWADDR, &r) < 0)
        return -errno;
    memcpy(n->mac.bytes, r.ifr_hwaddr.sa_data, 6);
    if (ioctl(n->control, SIOCGIFFLAGS, &r) < 0)
        return -errno;
    if (r.ifr_flags & IFF_UP)
        return 0;
    r.ifr_flags |= IFF_UP;
    return ioctl(n->control, SIOCSIFFLAGS, &r) < 0 ? -errno : 0;
}

/* All frames of the wire: phones on one interface have MAC addresses of their own, CDP and LLDP are
 * multicast. */
static int open_raw(struct nic *n)
{
    struct sockaddr_ll sa = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = n->index};
    struct packet_mreq all = {.mr_ifindex = n->index, .mr_type = PACKET_MR_PROMISC};
    int size = 1 << 20;

    n->raw =
        socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); /* nothing before the bind */
    if (n->raw < 0 || bind(n->raw, (struct sockaddr *)&sa, sizeof(sa)) < 0)
        return -errno;
    setsockopt(n->raw, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    setsockopt(n->raw, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof(all));
    return 0;
}

/* Keeps port 68 open, so that the kernel does not answer offers with ICMP; what comes is read raw.
 */
static int open_udp(struct nic *n)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons(68)};
    int one = 1, smallest = 1;

    n->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (n->udp < 0 ||
        setsockopt(n->udp, SOL_SOCKET, SO_BINDTODEVICE, n->name, (socklen_t)strlen(n->name)) < 0)
        return -errno;
    setsockopt(n->udp, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    setsockopt(n->udp, SOL_SOCKET, SO_RCVBUF, &smallest, sizeof(smallest));
    return bind(n->udp, (struct sockaddr *)&sa, sizeof(sa)) < 0 ? -errno : 0;
}

static void nic_free(struct nic *n)
{
    if (n->raw >= 0)
        close(n->raw);
    if (n->udp >= 0)
        close(n->udp);
    if (n->control >= 0)
        close(n->control);
    free(n->addresses);
    free(n);
}

static int nic_start(struct nic *n, const char **step)
{
    int err;

    *step = "find the interface";
    n->control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    n->index = (int)if_nametoindex(n->name);
    if (n->control < 0 || !n->index)
        return -errno;
    *step = "bring the interface up";
    if ((err = bring_up(n)) < 0)
        return err;
    *step = "open a raw socket";
    if ((err = open_raw(n)) < 0)
        return err;
    *step = "open port 68";
    return open_udp(n);
}

int nic_open(uv_loop_t *loop, const char *interface, nic_input input, void *context,
             struct nic **ret, char *error, size_t size)
{
    struct nic *n = calloc(1, sizeof(*n));
    const char *step = "find memory";
    int err;

    if (!n)
        return -ENOMEM;
    n->raw = n->udp = n->control = -1;
    n->input = input;
    n->context = context;
    text_copy(n->name, sizeof(n->name), text_of(interface));
    n->addresses = calloc(NIC_ADDRESSES, sizeof(*n->addresses));
    err = n->addresses ? nic_start(n, &step) : -ENOMEM;
    if (err) {
        snprintf(error, size, "%s: cannot %s: %s", interface, step, strerror(-err));
        nic_free(n);
        return err;
    }
    uv_poll_init(loop, &n->poll, n->raw);
    n->poll.data = n;
    uv_poll_start(&n->poll, UV_READABLE, on_frames);
    *ret = n;
    return 0;
}

static void on_closed(uv_handle_t *handle)
{
    nic_free(handle->data);
}

void nic_close(struct nic *n)
{
    if (!n)
        return;
    nic_set_router(n, (struct ip){0});
    while (n->n_addresses) {
        struct nic_address *a = &n->addresses[--n->n_addresses];

        change_address(n, RTM_DELADDR, a->address, a->prefix);
    }
    n->input = NULL;
    uv_close((uv_handle_t *)&n->poll, on_closed);
}

const char *nic_name(const struct nic *n)
{
    return n->name;
}

struct mac nic_mac(const struct nic *n)
{
    return n->mac;
}
