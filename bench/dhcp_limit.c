/* dhcp_limit.c - the least that can answer DHCP clients behind a relay: the packet turned round. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "bench/bench.h"

#define BATCH 64

static uint8_t in[BATCH][1500], out[BATCH][400];
static struct sockaddr_in from[BATCH];
static struct iovec in_parts[BATCH], out_parts[BATCH];
static struct mmsghdr received[BATCH], answers[BATCH];

/* yiaddr is 10 and the lower 24 bits of the transaction; OFFER for DISCOVER, ACK for REQUEST. */
static void answer_make(const uint8_t *p, uint8_t *to)
{
    static const uint8_t options[] = {54, 4, 127, 0, 0,  1, 51, 4, 0,   1, 81,  128, 1, 4, 255, 0,
                                      0,  0, 3,   4, 10, 0, 0,  1, 150, 4, 127, 0,   0, 1, 255};

    memcpy(to, p, 240);
    to[0] = 2;
    memcpy(to + 16, (uint8_t[]){10, p[5], p[6], p[7]}, 4);
    memcpy(to + 240, (uint8_t[]){53, 1, p[242] == 1 ? 2 : 5}, 3);
    memcpy(to + 243, options, sizeof(options));
    memset(to + 243 + sizeof(options), 0, 300 - 243 - sizeof(options));
}

int main(int argc, char **argv)
{
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)};
    struct pollfd p = {.fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), .events = POLLIN};
    int size = 1 << 22;

    bench_options(argc, argv);
    own.sin_port = htons((uint16_t)bench_number("port", 67));
    inet_pton(AF_INET, bench_text("address", "127.0.0.1"), &own.sin_addr);
    bench_done();
    setsockopt(p.fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    if (bind(p.fd, (struct sockaddr *)&own, sizeof(own)))
        bench_fail("bind");
    for (unsigned i = 0; i < BATCH; i++) {
        in_parts[i] = (struct iovec){in[i], sizeof(in[i])};
        out_parts[i] = (struct iovec){out[i], 300};
        received[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
                                              .msg_namelen = sizeof(from[i]),
                                              .msg_iov = &in_parts[i],
                                              .msg_iovlen = 1};
        answers[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
                                             .msg_namelen = sizeof(from[i]),
                                             .msg_iov = &out_parts[i],
                                             .msg_iovlen = 1};
    }
    for (;;) {
        int n = recvmmsg(p.fd, received, BATCH, MSG_DONTWAIT, NULL);

        if (n <= 0) {
            poll(&p, 1, -1);
            continue;
        }
        for (int i = 0; i < n; i++)
            answer_make(in[i], out[i]);
        for (int sent = 0, k; sent<n; sent += k> 0 ? k : 1)
            k = sendmmsg(p.fd, answers + sent, (unsigned)(n - sent), 0);
    }
}
