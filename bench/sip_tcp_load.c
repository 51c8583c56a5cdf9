/* sip_tcp_load.c - phones with a TCP connection each that register and refresh.
 *
 * --mode first, refresh, hold: as sip_udp_load. With `parallel` 0 each connection sends its next
 * REGISTER as soon as the answer has come. With a rate, times are counted from when a request should have left. */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/sip_register.h"

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

static struct sip_bench bench;
static struct phone {
    int fd;
    uint32_t nth;
    uint64_t sent_ns; /* 0: nothing is under way */
    size_t have;      /* of a message that is not complete */
    char *partial;
} * phones;
static size_t n_connected, n_waiting, n_answered, n_refused, n_asked, n_closed, turn_of;
static bool refreshing;
static int loop;

static void phone_close(struct phone *p)
{
    if (n_closed++ < 3)
        fprintf(stderr, "phone %zu: closed (%s)\n", (size_t)(p - phones), strerror(errno));
    n_waiting -= p->sent_ns != 0;
    p->sent_ns = 0;
    close(p->fd);
    p->fd = -1;
}

static void phone_write(struct phone *p, const char *bytes, size_t len)
{
    if (send(p->fd, bytes, len, MSG_NOSIGNAL) != (ssize_t)len)
        phone_close(p);
}

static void phone_register(struct phone *p, uint64_t now_ns)
{
    char bytes[SIP_BYTES_MAX];
    size_t phone = (size_t)(p - phones);
    size_t len = sip_register_write(&bench, phone, p->nth++, (uint32_t)phone, bytes);

    p->sent_ns = now_ns;
    n_waiting++;
    phone_write(p, bytes, len);
}

/* The next refresh, of a phone that has none under way. */
static bool refresh_next(uint64_t asked_ns)
{
    for (size_t tried = 0; tried < bench.count; tried++) {
        struct phone *p = &phones[turn_of];

        turn_of = (turn_of + 1) % bench.count;
        if (p->fd >= 0 && !p->sent_ns) {
            phone_register(p, asked_ns);
            return true;
        }
    }
    return false;
}

static void heard(struct phone *p, struct text message, uint64_t now_ns)
{
    char bytes[SIP_BYTES_MAX];
    uint32_t branch;
    size_t len;

    switch (sip_hear(message, &branch)) {
    case SIP_HEARD_OK:
        if (!p->sent_ns)
            return;
        sip_latency_note(now_ns - p->sent_ns);
        p->sent_ns = 0;
        n_waiting--;
        n_answered++;
        if (refreshing && !bench.parallel && !bench.rate)
            phone_register(p, now_ns);
        break;
    case SIP_HEARD_TRYING:
        break;
    case SIP_HEARD_REQUEST:
        n_asked++;
        len = sip_agree(message, bytes);
        if (len)
            phone_write(p, bytes, len);
        break;
    default:
        if (n_refused++ == 0)
            fprintf(stderr, "%.*s\n", TEXT_ARG(message));
    }
}

/* Length of the first message, 0 when it is not complete. */
static size_t message_len(struct text t)
{
    static const char name[] = "\r\nContent-Length: ";
    const char *end, *at;
    size_t len;

    if (!t.at || !(end = memmem(t.at, t.len, "\r\n\r\n", 4)))
        return 0;
    len = (size_t)(end - t.at) + 4;
    at = memmem(t.at, len, name, sizeof(name) - 1);
    if (at)
        len += strtoul(at + sizeof(name) - 1, NULL, 10);
    return len <= t.len ? len : 0;
}

static void phone_input(struct phone *p, struct text t, uint64_t now_ns)
{
    size_t n;

    while (t.len && p->fd >= 0 && (n = message_len(t))) {
        heard(p, (struct text){t.at, n}, now_ns);
        t = text_skip(t, n);
    }
    if (t.len) {
        char *rest = malloc(t.len);

        memcpy(rest, t.at, t.len);
        free(p->partial);
        p->partial = rest;
    } else if (p->have) {
        free(p->partial);
        p->partial = NULL;
    }
    p->have = t.len;
}

static void phone_readable(struct phone *p)
{
    static char bytes[1 << 17];
    ssize_t n;

    if (p->have)
        memcpy(bytes, p->partial, p->have);
    n = recv(p->fd, bytes + p->have, sizeof(bytes) - p->have, 0);
    if (n > 0)
        phone_input(p, (struct text){bytes, p->have + (size_t)n}, bench_now_ns());
    else if (n == 0 || errno != EAGAIN)
        phone_close(p);
}

static void phone_event(struct phone *p, uint32_t events)
{
    struct epoll_event e = {EPOLLIN, {.ptr = p}};

    if (events & EPOLLOUT) { /* connected */
        epoll_ctl(loop, EPOLL_CTL_MOD, p->fd, &e);
        phone_register(p, bench_now_ns());
    } else {
        phone_readable(p);
    }
}

static void phone_connect(struct phone *p)
{
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr = sip_source((size_t)(p - phones))};
    struct epoll_event e = {EPOLLOUT, {.ptr = p}};
    int one = 1;

    p->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (p->fd < 0)
        bench_fail("socket");
    setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    setsockopt(p->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
    if (bind(p->fd, (struct sockaddr *)&own, sizeof(own)) ||
        (connect(p->fd, (struct sockaddr *)&bench.server, sizeof(bench.server)) &&
         errno != EINPROGRESS))
        bench_fail("connect");
    epoll_ctl(loop, EPOLL_CTL_ADD, p->fd, &e);
}

static void turn(int timeout_ms)
{
    struct epoll_event events[256];
    int n = epoll_wait(loop, events, 256, timeout_ms);

    for (int i = 0; i < n; i++) {
        struct phone *p = events[i].data.ptr;

        if (p->fd >= 0)
            phone_event(p, events[i].events);
    }
}

static void first_all(uint64_t until_ns)
{
    size_t together = bench.parallel ? bench.parallel : 256;

    while (n_answered + n_refused + n_closed < bench.count && bench_now_ns() < until_ns) {
        while (n_connected < bench.count &&
               n_connected - n_answered - n_refused - n_closed < together)
            phone_connect(&phones[n_connected++]);
        turn(100);
    }
}

static void refresh_all(void)
{
    uint64_t start = bench_now_ns(), until = start + bench.seconds * 1000000000u, sent = 0, now;

    refreshing = true;
    while (!bench.parallel && !bench.rate && refresh_next(bench_now_ns()))
        ;
    while ((now = bench_now_ns()) < until && !bench_is_over()) {
        if (bench_begins())
            sip_latency_forget();
        while (bench.rate ? sent < (now - start) * bench.rate / 1000000000u
                          : n_waiting < bench.parallel) {
            if (!refresh_next(sip_bench_due_ns(&bench, start, sent, now)))
                break;
            sent++;
        }
        turn(sip_bench_pause_ms(&bench));
    }
}

static void hold(void)
{
    static struct phone standard_input;
    struct epoll_event events[64], e = {EPOLLIN, {.ptr = &standard_input}};

    epoll_ctl(loop, EPOLL_CTL_ADD, 0, &e);
    for (;;) {
        int n = epoll_wait(loop, events, 64, -1);

        for (int i = 0; i < n; i++)
            if (events[i].data.ptr == &standard_input)
                return;
            else if (((struct phone *)events[i].data.ptr)->fd >= 0)
                phone_event(events[i].data.ptr, events[i].events);
    }
}

int main(int argc, char **argv)
{
    struct bench_run run;

    bench_options(argc, argv);
    sip_bench_options(&bench);
    if (bench.refresh)
        bench_obey(); /* before the first word: it may be told while it registers */
    sip_register_make("TCP", 49152, (unsigned)bench_number("model", 684));
    bench_done();
    bench_files_max();
    phones = calloc(bench.count, sizeof(*phones));
    loop = epoll_create1(0);
    run = bench_start(bench.pid);
    first_all(bench_now_ns() + 120000000000u);
    if (!bench.refresh) {
        sip_latency_report();
        bench_report(&run, "registrations", (double)n_answered);
    } else {
        size_t before = n_answered;

        sip_latency_forget();
        run = bench_start(bench.pid);
        refresh_all();
        sip_latency_report();
        bench_report(&run, "refreshes", (double)(n_answered - before));
    }
    fprintf(stderr, "answered %zu, refused %zu, closed %zu, asked by the server %zu\n", n_answered,
            n_refused, n_closed, n_asked);
    if (bench.hold)
        hold();
    return n_refused || n_closed || n_answered < bench.count;
}
