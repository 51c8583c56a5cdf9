/* sip_limit.c - the least that can answer a REGISTER: its own bytes, with another first line.
 *
 * UDP in batches and TCP on the same port. What it reaches with a generator is what the machine,
 * its kernel and the generator allow. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "bench/bench.h"

#define BATCH 64
#define SIZE  2048

static int loop, datagrams, listener;

/* "REGISTER sip:… SIP/2.0" becomes "SIP/2.0 200 OK", from where that fits. */
static char *answer_make(char *bytes, size_t *len)
{
    static const char status[] = "SIP/2.0 200 OK";
    char *end = memchr(bytes, '\r', *len), *start;

    if (!end || (size_t)(end - bytes) < sizeof(status) - 1)
        return NULL;
    start = end - (sizeof(status) - 1);
    memcpy(start, status, sizeof(status) - 1);
    *len -= (size_t)(start - bytes);
    return start;
}

static void answer_datagrams(void)
{
    static char bytes[BATCH][SIZE];
    static struct sockaddr_in peers[BATCH];
    static struct iovec parts[BATCH];
    static struct mmsghdr in[BATCH];
    unsigned n_out = 0;
    int n;

    for (unsigned i = 0; i < BATCH; i++) {
        parts[i] = (struct iovec){bytes[i], SIZE};
        in[i].msg_hdr = (struct msghdr){&peers[i], sizeof(peers[i]), &parts[i], 1, NULL, 0, 0};
    }
    n = recvmmsg(datagrams, in, BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < n; i++) {
        size_t len = in[i].msg_len;
        char *start = answer_make(bytes[i], &len);

        if (!start)
            continue;
        parts[i] = (struct iovec){start, len};
        in[n_out++].msg_hdr = in[i].msg_hdr;
    }
    for (unsigned sent = 0; sent < n_out;) {
        n = sendmmsg(datagrams, in + sent, n_out - sent, 0);
        if (n <= 0)
            break;
        sent += (unsigned)n;
    }
}

static void accept_all(void)
{
    int one = 1, fd;

    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        struct epoll_event e = {EPOLLIN, {.fd = fd}};

        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        epoll_ctl(loop, EPOLL_CTL_ADD, fd, &e);
    }
}

/* The generator has one request under way on a connection. */
static void answer_stream(int fd)
{
    static char bytes[65536];
    ssize_t n = recv(fd, bytes, sizeof(bytes), 0);
    size_t len = n > 0 ? (size_t)n : 0;
    char *start = len ? answer_make(bytes, &len) : NULL;

    if (start)
        (void)!send(fd, start, len, MSG_NOSIGNAL);
    else if (n == 0 || (n < 0 && errno != EAGAIN))
        close(fd);
}

static int open_one(int type, const struct sockaddr_in *own)
{
    int fd = socket(AF_INET, type | SOCK_NONBLOCK, 0), one = 1, size = 16 << 20;
    struct epoll_event e = {EPOLLIN, {.fd = fd}};

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
    if (bind(fd, (const struct sockaddr *)own, sizeof(*own)) ||
        (type == SOCK_STREAM && listen(fd, 65535)))
        bench_fail("listen");
    epoll_ctl(loop, EPOLL_CTL_ADD, fd, &e);
    return fd;
}

int main(int argc, char **argv)
{
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)};
    struct epoll_event events[256];

    bench_options(argc, argv);
    own.sin_port = htons((uint16_t)bench_number("port", 5060));
    bench_done();
    bench_files_max();
    loop = epoll_create1(0);
    datagrams = open_one(SOCK_DGRAM, &own);
    listener = open_one(SOCK_STREAM, &own);
    for (;;) {
        int n = epoll_wait(loop, events, 256, -1);

        for (int i = 0; i < n; i++)
            if (events[i].data.fd == datagrams)
                answer_datagrams();
            else if (events[i].data.fd == listener)
                accept_all();
            else
                answer_stream(events[i].data.fd);
    }
}
