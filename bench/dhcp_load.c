/* dhcp_load.c - clients behind a relay agent that get an address: DISCOVER, OFFER, REQUEST, ACK.
 *
 * `count` clients, `parallel` under way at once, from the relay address `relay` (port 67 or
 * --relay-port);
 * --rounds 2 lets all come again, with the lease they have. Reports each round on a line. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/bench.h"

#define BATCH    64
#define MAGIC    0x63825363u
#define DISCOVER 1
#define OFFER    2
#define REQUEST  3
#define ACK      5
#define NAK      6

struct client {
    uint32_t address; /* network order, 0: none yet */
    uint64_t sent_ns;
    uint8_t waits_for; /* OFFER, ACK or 0 */
};

static struct client *clients;
static size_t count, parallel, n_begun, n_done, n_again, n_nak;
static uint32_t relay, first;
static int fd;
static struct sockaddr_in server;
static uint8_t out[BATCH * 2][400], in[BATCH][1500];
static struct iovec out_parts[BATCH * 2], in_parts[BATCH];
static struct mmsghdr to_send[BATCH * 2], received[BATCH];
static unsigned n_out;

static void flush(void)
{
    for (unsigned sent = 0; sent < n_out;) {
        int n = sendmmsg(fd, to_send + sent, n_out - sent, 0);

        sent += n > 0 ? (unsigned)n : 1;
    }
    n_out = 0;
}

/* Fixed part and options of RFC 2131; chaddr and xid carry the client's number. */
static size_t packet_make(uint8_t *p, uint32_t number, uint8_t type, uint32_t address,
                          uint32_t server_id)
{
    static const uint8_t wanted[] = {55, 7, 1, 3, 6, 15, 51, 66, 150};
    static const uint8_t class[] = "\x3c\x29"
                                   "Cisco Systems, Inc. IP Phone CP-7975G\0\0\0\0";
    uint32_t be = htonl(first + number);
    size_t n = 240;

    memset(p, 0, 240);
    p[0] = 1, p[1] = 1, p[2] = 6, p[3] = 1;
    memcpy(p + 4, &be, 4);
    memcpy(p + 24, &relay, 4);
    p[28] = 0x02;
    memcpy(p + 30, &be, 4);
    memcpy(p + 236, &(uint32_t){htonl(MAGIC)}, 4);
    memcpy(p + n, (uint8_t[]){53, 1, type}, 3), n += 3;
    if (address) {
        memcpy(p + n, (uint8_t[]){50, 4}, 2), memcpy(p + n + 2, &address, 4), n += 6;
    }
    if (server_id) {
        memcpy(p + n, (uint8_t[]){54, 4}, 2), memcpy(p + n + 2, &server_id, 4), n += 6;
    }
    memcpy(p + n, wanted, sizeof(wanted)), n += sizeof(wanted);
    memcpy(p + n, class, 43), n += 43;
    p[n++] = 255;
    if (n < 300)
        memset(p + n, 0, 300 - n);
    return n < 300 ? 300 : n;
}

static void ask(uint32_t number, uint8_t type, uint32_t server_id)
{
    struct client *c = &clients[number];

    out_parts[n_out] =
        (struct iovec){out[n_out], packet_make(out[n_out], number, type, c->address, server_id)};
    to_send[n_out].msg_hdr = (struct msghdr){.msg_iov = &out_parts[n_out], .msg_iovlen = 1};
    c->sent_ns = bench_now_ns();
    c->waits_for = type == DISCOVER ? OFFER : ACK;
    if (++n_out == BATCH * 2)
        flush();
}

static void next_begin(void)
{
    if (n_begun < count)
        ask((uint32_t)n_begun++, DISCOVER, 0);
}

static const uint8_t *option(const uint8_t *p, size_t len, uint8_t code)
{
    for (size_t i = 240; i + 1 < len && p[i] != 255; i += p[i] ? 2u + p[i + 1] : 1u)
        if (p[i] == code && i + 2u + p[i + 1] <= len)
            return p + i + 2;
    return NULL;
}

static void answer_got(const uint8_t *p, size_t len)
{
    const uint8_t *type = len > 240 ? option(p, len, 53) : NULL, *id;
    uint32_t number, server_id = 0;
    struct client *c;

    if (!type)
        return;
    memcpy(&number, p + 4, 4);
    number = ntohl(number) - first;
    if (number >= count || (c = &clients[number])->waits_for != (*type == NAK ? ACK : *type))
        return;
    memcpy(&c->address, p + 16, 4);
    if (*type == OFFER) {
        if ((id = option(p, len, 54)))
            memcpy(&server_id, id, 4);
        ask(number, REQUEST, server_id);
        return;
    }
    n_nak += *type == NAK;
    c->waits_for = 0;
    n_done++;
    next_begin();
}

static void repeat_late(void)
{
    uint64_t now = bench_now_ns();

    for (size_t i = 0; i < n_begun; i++)
        if (clients[i].waits_for && now - clients[i].sent_ns > 500000000) {
            n_again++;
            ask((uint32_t)i, DISCOVER, 0);
        }
    flush();
}

static void round_run(const char *what, uint64_t limit_ns, int pid)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    struct bench_run run = bench_start(pid);
    uint64_t until = bench_now_ns() + limit_ns, swept = bench_now_ns(), now;

    n_begun = n_done = 0;
    for (size_t i = 0; i < parallel; i++)
        next_begin();
    flush();
    while (n_done < count && (now = bench_now_ns()) < until) {
        int n = recvmmsg(fd, received, BATCH, MSG_DONTWAIT, NULL);

        for (int i = 0; i < n; i++)
            answer_got(in[i], received[i].msg_len);
        flush();
        if (n <= 0)
            poll(&p, 1, 50);
        if (now - swept > 250000000) {
            swept = now;
            repeat_late();
        }
    }
    bench_report(&run, what, (double)n_done);
}

int main(int argc, char **argv)
{
    struct sockaddr_in own = {.sin_family = AF_INET};
    unsigned long seconds, rounds;
    int size = 1 << 22, pid;

    bench_options(argc, argv);
    count = bench_number("count", 10000);
    parallel = bench_number("parallel", 256);
    first = (uint32_t)bench_number("first", 1);
    seconds = bench_number("seconds", 10);
    rounds = bench_number("rounds", 2);
    pid = (int)bench_number("pid", 0);
    inet_pton(AF_INET, bench_text("relay", "127.0.0.2"), &relay);
    own.sin_addr.s_addr = relay;
    own.sin_port = htons((uint16_t)bench_number("relay-port", 67));
    server = (struct sockaddr_in){.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)bench_number("port", 67))};
    inet_pton(AF_INET, bench_text("server", "127.0.0.1"), &server.sin_addr);
    bench_done();
    clients = calloc(count, sizeof(*clients));
    fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    if (bind(fd, (struct sockaddr *)&own, sizeof(own)) ||
        connect(fd, (struct sockaddr *)&server, sizeof(server)))
        bench_fail("bind");
    for (unsigned i = 0; i < BATCH; i++) {
        in_parts[i] = (struct iovec){in[i], sizeof(in[i])};
        received[i].msg_hdr = (struct msghdr){.msg_iov = &in_parts[i], .msg_iovlen = 1};
    }
    for (unsigned long r = 0; r < rounds; r++)
        round_run(r ? "DORA again" : "DORA first", seconds * 1000000000u, pid);
    fprintf(stderr, "%zu repeated, %zu refused\n", n_again, n_nak);
    return n_nak || n_done < count ? 1 : 0;
}
