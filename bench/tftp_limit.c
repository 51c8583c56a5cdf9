/* tftp_limit.c - the least that can serve TFTP: one file of `size` bytes under every name, no
 * state.
 *
 * Block size and window are told at the start and confirmed to whoever asks; `--missing 1` answers
 * each request with `file not found`. Batches by recvmmsg and sendmmsg, windows by UDP
 * segmentation. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/bench.h"
#include "wire/boot/tftp.h"

#define BATCH 64

static unsigned long size, blksize, windowsize;
static bool missing;
static struct sockaddr_in from[BATCH];
static uint8_t in[BATCH][600], out[BATCH][65536];
static char control[BATCH][CMSG_SPACE(sizeof(uint16_t))];
static struct iovec in_parts[BATCH], out_parts[BATCH];
static struct mmsghdr received[BATCH], answers[BATCH];

static size_t oack(uint8_t *to)
{
    size_t n = 2;

    to[0] = 0, to[1] = TFTP_OACK;
    n += (size_t)sprintf((char *)to + n, "blksize") + 1;
    n += (size_t)sprintf((char *)to + n, "%lu", blksize) + 1;
    if (windowsize > 1) {
        n += (size_t)sprintf((char *)to + n, "windowsize") + 1;
        n += (size_t)sprintf((char *)to + n, "%lu", windowsize) + 1;
    }
    return n;
}

static size_t error(uint8_t *to)
{
    static const char text[] = "\0\5\0\1File not found";

    memcpy(to, text, sizeof(text));
    return sizeof(text);
}

/* The blocks behind `acked` as far as the window and the file go; 0 bytes behind the last one.
 * Blocks count modulo 65536, so a file beyond that is served again from the position that the
 * number means. */
static size_t blocks(uint8_t *to, uint16_t acked)
{
    size_t n = 0, last = size / blksize + 1;

    for (size_t b = acked + 1u; b <= last && b <= acked + windowsize; b++) {
        size_t len = b < last ? blksize : size % blksize;

        to[n] = 0, to[n + 1] = TFTP_DATA, to[n + 2] = (uint8_t)(b >> 8), to[n + 3] = (uint8_t)b;
        n += 4 + len;
    }
    return n;
}

static size_t answer(const uint8_t *p, size_t len, uint8_t *to)
{
    if (len >= 4 && p[1] == TFTP_ACK)
        return blocks(to, (uint16_t)(p[2] << 8 | p[3]));
    if (missing)
        return error(to);
    return blksize != 512 || windowsize > 1 ? oack(to) : blocks(to, 0);
}

static void segments_set(unsigned i)
{
    struct msghdr *h = &answers[i].msg_hdr;
    struct cmsghdr *c;

    h->msg_control = control[i];
    h->msg_controllen = sizeof(control[i]);
    c = CMSG_FIRSTHDR(h);
    c->cmsg_level = IPPROTO_UDP;
    c->cmsg_type = UDP_SEGMENT;
    c->cmsg_len = CMSG_LEN(sizeof(uint16_t));
    memcpy(CMSG_DATA(c), &(uint16_t){(uint16_t)(blksize + 4)}, sizeof(uint16_t));
}

static void serve(int fd, int answer_fd)
{
    unsigned n_answers = 0;
    int n;

    for (unsigned i = 0; i < BATCH; i++) {
        in_parts[i] = (struct iovec){in[i], sizeof(in[i])};
        received[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
                                              .msg_namelen = sizeof(from[i]),
                                              .msg_iov = &in_parts[i],
                                              .msg_iovlen = 1};
    }
    n = recvmmsg(fd, received, BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < n; i++) {
        size_t len = answer(in[i], received[i].msg_len, out[n_answers]);

        if (!len)
            continue;
        out_parts[n_answers] = (struct iovec){out[n_answers], len};
        answers[n_answers].msg_hdr = (struct msghdr){.msg_name = &from[i],
                                                     .msg_namelen = sizeof(from[i]),
                                                     .msg_iov = &out_parts[n_answers],
                                                     .msg_iovlen = 1};
        if (len > blksize + 4)
            segments_set(n_answers);
        n_answers++;
    }
    for (unsigned sent = 0; sent < n_answers;) {
        n = sendmmsg(answer_fd, answers + sent, n_answers - sent, 0);
        sent += n > 0 ? (unsigned)n : 1;
    }
}

int main(int argc, char **argv)
{
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)};
    struct pollfd fds[2] = {{.events = POLLIN}, {.events = POLLIN}};
    int room = 1 << 22;

    bench_options(argc, argv);
    own.sin_port = htons((uint16_t)bench_number("port", 69));
    size = bench_number("size", 1024);
    blksize = bench_number("blksize", 512);
    windowsize = bench_number("windowsize", 1);
    missing = bench_number("missing", 0);
    bench_done();
    for (int i = 0; i < 2; i++) {
        fds[i].fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
        setsockopt(fds[i].fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
        setsockopt(fds[i].fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
        if (bind(fds[i].fd, (struct sockaddr *)&own, sizeof(own)))
            bench_fail("bind");
        own.sin_port = 0;
    }
    for (;;) {
        poll(fds, 2, -1);
        for (int i = 0; i < 2; i++)
            if (fds[i].revents)
                serve(fds[i].fd, fds[1].fd);
    }
}
