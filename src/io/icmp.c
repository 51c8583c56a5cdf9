/* icmp.c - echo requests and who answers them (RFC 792). */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/raw.h"

#define FILTER_ICMP  1 /* ICMP_FILTER of linux/icmp.h, whose names clash with ours */
#define ECHO_REPLY   0
#define ECHO_REQUEST 8
#define READS_A_TURN 64

struct icmp {
    uv_poll_t poll;
    int fd;
    uint16_t sequence;
    void (*input)(void *context, struct ip from);
    void *context;
};

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct icmp *i = poll->data;
    uint8_t packet[256];
    (void)status;
    (void)events;

    for (int n = 0; n < READS_A_TURN && !uv_is_closing((uv_handle_t *)poll); n++) {
        struct sockaddr_in from;
        socklen_t len = sizeof(from);

        if (recvfrom(i->fd, packet, sizeof(packet), MSG_DONTWAIT, (struct sockaddr *)&from, &len) <
            0)
            return;
        i->input(i->context, ip_v4(ntohl(from.sin_addr.s_addr)));
    }
}

int icmp_open(uv_loop_t *loop, void (*input)(void *context, struct ip from), void *context,
              struct icmp **ret)
{
    uint32_t all_but_replies = ~(1u << ECHO_REPLY);
    struct icmp *i = calloc(1, sizeof(*i));
    int err = 0;

    if (!i)
        return -ENOMEM;
    i->input = input;
    i->context = context;
    i->fd = socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_ICMP);
    if (i->fd < 0 ||
        setsockopt(i->fd, SOL_RAW, FILTER_ICMP, &all_but_replies, sizeof(all_but_replies)) < 0)
        err = -errno;
    if (!err)
        err = uv_poll_init(loop, &i->poll, i->fd);
    if (err) {
        if (i->fd >= 0)
            close(i->fd);
        free(i);
        return err;
    }
    i->poll.data = i;
    uv_poll_start(&i->poll, UV_READABLE, on_readable);
    *ret = i;
    return 0;
}

static void on_closed(uv_handle_t *h)
{
    struct icmp *i = h->data;

    close(i->fd);
    free(i);
}

void icmp_close(struct icmp *i)
{
    if (i && !uv_is_closing((uv_handle_t *)&i->poll))
        uv_close((uv_handle_t *)&i->poll, on_closed);
}

static uint16_t checksum(const uint8_t *bytes, size_t len)
{
    uint32_t sum = 0;

    for (size_t i = 0; i + 1 < len; i += 2)
        sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t) ~(sum + (sum >> 16));
}

void icmp_ask(struct icmp *i, struct ip to)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr = {htonl(ip_v4_number(to))}};
    uint16_t id = (uint16_t)getpid(), sequence = ++i->sequence;
    uint8_t packet[32] = {
        ECHO_REQUEST,     0, 0, 0, (uint8_t)(id >> 8), (uint8_t)id, (uint8_t)(sequence >> 8),
        (uint8_t)sequence};
    uint16_t sum = checksum(packet, sizeof(packet));

    packet[2] = (uint8_t)(sum >> 8);
    packet[3] = (uint8_t)sum;
    sendto(i->fd, packet, sizeof(packet), MSG_DONTWAIT, (struct sockaddr *)&name, sizeof(name));
}
