/* tftp_load.c - clients that fetch files by TFTP, one after the other, from one core.
 *
 * `clients` are under way at once, each transfer from another port than the one before. --name may
 * hold one %lX-like format, filled with first … first + count - 1 in turn. --blksize and
 * --windowsize add the options; --missing 1 expects `file not found`. Runs for `seconds`, reports
 * files or bytes per second. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/bench.h"
#include "wire/boot/tftp.h"

#define PORTS_PER_CLIENT 8
#define BATCH            16

struct client {
    int fds[PORTS_PER_CLIENT];
    unsigned turn;       /* transfers begun */
    uint16_t tid;        /* the server's port, network order; 0: not heard yet */
    uint16_t acked, got; /* blocks */
    uint64_t heard_ns;
    size_t bytes;
};

static struct client *clients;
static size_t n_clients, n_files, n_missing, n_bad, n_again;
static uint64_t n_bytes;
static unsigned long first, count, next_number, blksize, windowsize, timeout_ms;
static const char *name_format;
static bool missing;
static struct sockaddr_in server;
static int loop;

static void send_to(struct client *c, uint16_t port, const void *bytes, size_t len)
{
    struct sockaddr_in to = server;

    if (port)
        to.sin_port = port;
    sendto(c->fds[c->turn % PORTS_PER_CLIENT], bytes, len, 0, (struct sockaddr *)&to, sizeof(to));
}

#pragma GCC diagnostic ignored "-Wformat-nonliteral"

static void request_send(struct client *c, unsigned long number)
{
    char packet[512];
    size_t n = 2;

    packet[0] = 0, packet[1] = 1;
    n += (size_t)snprintf(packet + n, sizeof(packet) - n, name_format, number) + 1;
    n += (size_t)snprintf(packet + n, sizeof(packet) - n, "octet") + 1;
    if (blksize != 512) {
        n += (size_t)snprintf(packet + n, sizeof(packet) - n, "blksize") + 1;
        n += (size_t)snprintf(packet + n, sizeof(packet) - n, "%lu", blksize) + 1;
    }
    if (windowsize > 1) {
        n += (size_t)snprintf(packet + n, sizeof(packet) - n, "windowsize") + 1;
        n += (size_t)snprintf(packet + n, sizeof(packet) - n, "%lu", windowsize) + 1;
    }
    send_to(c, 0, packet, n);
}

static void transfer_start(struct client *c)
{
    c->turn++;
    c->tid = 0;
    c->acked = c->got = 0;
    c->bytes = 0;
    c->heard_ns = bench_now_ns();
    request_send(c, first + next_number++ % count);
}

static void ack_send(struct client *c)
{
    uint8_t ack[4] = {0, TFTP_ACK, (uint8_t)(c->got >> 8), (uint8_t)c->got};

    c->acked = c->got;
    send_to(c, c->tid, ack, sizeof(ack));
}

static void data_got(struct client *c, const uint8_t *p, size_t len)
{
    uint16_t block = (uint16_t)(p[2] << 8 | p[3]);
    bool last = len - 4 < blksize;

    if (block != (uint16_t)(c->got + 1)) { /* a gap or a repetition */
        if (block != c->got || !last)
            n_again++;
        ack_send(c);
        return;
    }
    c->got = block;
    c->bytes += len - 4;
    if (last || (uint16_t)(c->got - c->acked) >= windowsize)
        ack_send(c);
    if (last) {
        n_files++;
        n_bytes += c->bytes;
        transfer_start(c);
    }
}

static void packet_got(struct client *c, const uint8_t *p, size_t len, uint16_t port)
{
    if (len < 4 || (c->tid && port != c->tid))
        return;
    c->tid = port;
    if (p[1] == TFTP_DATA) {
        data_got(c, p, len);
    } else if (p[1] == TFTP_OACK && !c->got) {
        ack_send(c);
    } else if (p[1] == TFTP_ERROR) {
        if (missing && p[3] == TFTP_ERROR_NOT_FOUND)
            n_missing++;
        else if (n_bad++ < 3)
            fprintf(stderr, "error %u: %.*s\n", p[3], (int)len - 4, (const char *)p + 4);
        transfer_start(c);
    }
}

static void readable(struct client *c, unsigned which)
{
    static uint8_t bytes[BATCH][65536];
    static struct sockaddr_in from[BATCH];
    static struct iovec parts[BATCH];
    static struct mmsghdr batch[BATCH];
    unsigned most = windowsize > 1 ? BATCH : 1;
    int n;

    for (unsigned i = 0; i < most; i++) {
        parts[i] = (struct iovec){bytes[i], sizeof(bytes[i])};
        batch[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
                                           .msg_namelen = sizeof(from[i]),
                                           .msg_iov = &parts[i],
                                           .msg_iovlen = 1};
    }
    n = recvmmsg(c->fds[which], batch, most, MSG_DONTWAIT, NULL);
    if (n > 0)
        c->heard_ns = bench_now_ns();
    for (int i = 0; i < n; i++)
        if (which == c->turn % PORTS_PER_CLIENT) /* late packets of an older transfer are dropped */
            packet_got(c, bytes[i], batch[i].msg_len, from[i].sin_port);
}

/* What was lost is asked for again: the request, or the block after the last one in order. */
static void repeat_late(void)
{
    uint64_t now = bench_now_ns();

    for (size_t i = 0; i < n_clients; i++) {
        struct client *c = &clients[i];

        if (now - c->heard_ns < timeout_ms * 1000000u)
            continue;
        n_again++;
        c->heard_ns = now;
        if (c->tid)
            ack_send(c);
        else
            request_send(c, first + next_number++ % count);
    }
}

static void client_open(struct client *c, size_t number)
{
    struct sockaddr_in own = {.sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(bench_source(number, 1))};
    int size = 1 << 20;

    for (unsigned i = 0; i < PORTS_PER_CLIENT; i++) {
        struct epoll_event e = {EPOLLIN, {.u64 = number << 8 | i}};

        c->fds[i] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
        if (c->fds[i] < 0 || bind(c->fds[i], (struct sockaddr *)&own, sizeof(own)))
            bench_fail("socket");
        setsockopt(c->fds[i], SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
        epoll_ctl(loop, EPOLL_CTL_ADD, c->fds[i], &e);
    }
}

static void turns(uint64_t until_ns)
{
    struct epoll_event events[128];
    uint64_t swept = bench_now_ns(), now;

    while ((now = bench_now_ns()) < until_ns) {
        int n = epoll_wait(loop, events, 128, 50);

        for (int i = 0; i < n; i++)
            readable(&clients[events[i].data.u64 >> 8], events[i].data.u64 & 0xff);
        if (now - swept > 50000000) {
            swept = now;
            repeat_late();
        }
    }
}

int main(int argc, char **argv)
{
    struct bench_run run;
    unsigned long seconds;
    int pid;

    bench_options(argc, argv);
    name_format = bench_text("name", "SEP%012lX.cnf.xml");
    first = bench_number("first", 0);
    count = bench_number("count", 1);
    n_clients = bench_number("clients", 32);
    blksize = bench_number("blksize", 512);
    windowsize = bench_number("windowsize", 1);
    timeout_ms = bench_number("timeout-ms", 500);
    missing = bench_number("missing", 0);
    seconds = bench_number("seconds", 3);
    pid = (int)bench_number("pid", 0);
    server = (struct sockaddr_in){.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)bench_number("port", 69))};
    inet_pton(AF_INET, bench_text("server", "127.0.0.1"), &server.sin_addr);
    bench_done();
    bench_files_max();
    clients = calloc(n_clients, sizeof(*clients));
    loop = epoll_create1(0);
    for (size_t i = 0; i < n_clients; i++) {
        client_open(&clients[i], i);
        transfer_start(&clients[i]);
    }
    turns(bench_now_ns() + 200000000); /* warm */
    n_files = n_missing = n_again = 0, n_bytes = 0;
    run = bench_start(pid);
    turns(bench_now_ns() + seconds * 1000000000u);
    if (missing)
        bench_report(&run, "not found", (double)n_missing);
    else
        bench_report(&run, "files", (double)n_files);
    for (size_t i = 0; i < n_clients; i++)
        n_bytes += clients[i].bytes;
    bench_report(&run, "megabytes", (double)n_bytes / 1e6);
    fprintf(stderr, "%zu repeated, %zu other errors\n", n_again, n_bad);
    return n_bad || !(n_files + n_missing + n_bytes) ? 1 : 0;
}
