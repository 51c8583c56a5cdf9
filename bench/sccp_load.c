/* sccp_load.c - phones that register and send keepalives, as many and as fast as one core can.
 *
 * --mode register: each phone connects and walks through 13 round trips, then closes (--keep 1:
 * stays);
 * --mode keepalive: `count` phones register, then answer each KeepAliveAck with the next KeepAlive
 * for `seconds`; --mode hold: they register, report, and stay until standard input ends. `parallel`
 * phones are under way at once; names are SEP and 12 digits from `first` on. */
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
#include "wire/sccp/message.h"

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

#define VERSION      22
#define N_STEPS      13
#define STEP_MAX     512
#define PARTIAL_MAX  1024
#define N_SPEED_DIAL 2

struct phone {
    int fd;
    bool connected;
    uint8_t step;  /* the round trip under way; N_STEPS: registered */
    uint16_t have; /* bytes of a message that is not complete yet */
    uint32_t skip; /* bytes of a long message that need not be looked at */
    uint32_t number;
    uint64_t started_ns;
    uint8_t partial[12];
};

/* What is sent in each round trip, and the id that ends it. */
static struct step {
    uint32_t awaited;
    size_t len;
    uint8_t bytes[STEP_MAX];
} steps[N_STEPS];

static struct phone *phones;
static size_t n_phones, n_registered, n_started, n_failed, n_keepalives, n_open;
static size_t count, parallel, per_address;
static unsigned long first;
static bool keep, keepalives;
static int loop;
static struct sockaddr_in server;
static uint8_t keepalive[12];
static uint64_t slowest_ns;

/* ---- what a phone says ---- */

static void step_add(size_t i, uint32_t id, const void *body)
{
    struct writer w = writer_of(steps[i].bytes + steps[i].len, STEP_MAX - steps[i].len);

    if (sccp_encode_body(id, body, VERSION, &w))
        exit(1);
    steps[i].len += writer_len(&w);
}

static void step_set(size_t i, uint32_t id, const void *body, uint32_t awaited)
{
    steps[i].awaited = awaited;
    step_add(i, id, body);
}

static void steps_make(uint32_t type)
{
    struct sccp_register_req r = {.device_name = "SEP000000000000",
                                  .instance = 1,
                                  .device_type = type,
                                  .max_streams = 5,
                                  .protocol = VERSION,
                                  .features = {0, 0x72, 0x85},
                                  .max_conferences = 0,
                                  .max_lines = 6,
                                  .load = "SCCP75.9-4-2SR3-1S"};
    struct sccp_capabilities_res c = {
        .count = 4,
        .audio = {{.codec = SCCP_CODEC_G711_ULAW_64K, .max_frames = 40},
                  {.codec = SCCP_CODEC_G711_ALAW_64K, .max_frames = 40},
                  {.codec = SCCP_CODEC_G729A, .max_frames = 60},
                  {.codec = SCCP_CODEC_RFC2833, .max_frames = 1}}};
    struct writer w = writer_of(keepalive, sizeof(keepalive));
    size_t i = 0;

    step_set(i++, SCCP_REGISTER_REQ, &r, SCCP_CAPABILITIES_REQ);
    step_add(i, SCCP_CAPABILITIES_RES, &c);
    step_set(i++, SCCP_BUTTON_TEMPLATE_REQ, "", SCCP_BUTTON_TEMPLATE);
    step_set(i++, SCCP_SOFTKEY_TEMPLATE_REQ, "", SCCP_SOFTKEY_TEMPLATE);
    step_set(i++, SCCP_SOFTKEY_SET_REQ, "", SCCP_SOFTKEY_SET);
    step_set(i++, SCCP_CONFIG_STAT_REQ, "", SCCP_CONFIG_STAT);
    for (uint32_t line = 1; line <= 2; line++) {
        step_set(i++, SCCP_LINE_STAT_REQ, &line, SCCP_LINE_STAT_V2);
        step_set(i++, SCCP_FORWARD_STAT_REQ, &line, SCCP_FORWARD_STAT);
    }
    for (uint32_t dial = 1; dial <= N_SPEED_DIAL; dial++)
        step_set(i++, SCCP_SPEED_DIAL_STAT_REQ, &dial, SCCP_SPEED_DIAL_STAT_V2);
    step_set(i++, SCCP_SERVICE_URL_STAT_REQ, &(uint32_t){1}, SCCP_SERVICE_URL_STAT_V2);
    step_add(i, SCCP_REGISTER_AVAILABLE_LINES, &(uint32_t){2});
    step_set(i, SCCP_TIME_DATE_REQ, "", SCCP_DEFINE_TIME_DATE);
    sccp_put_keepalive(&w, VERSION, &(struct sccp_keepalive){});
}

/* Some answers exist in two forms, and a server may choose by more than the version. */
static bool answers(uint32_t id, uint32_t awaited)
{
    static const uint32_t forms[][2] = {{SCCP_CONFIG_STAT, SCCP_CONFIG_STAT_V2},
                                        {SCCP_LINE_STAT_V2, SCCP_LINE_STAT},
                                        {SCCP_SPEED_DIAL_STAT_V2, SCCP_SPEED_DIAL_STAT},
                                        {SCCP_SERVICE_URL_STAT_V2, SCCP_SERVICE_URL_STAT}};

    for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++)
        if (awaited == forms[i][0] && id == forms[i][1])
            return true;
    return id == awaited;
}

/* ---- a phone's life ---- */

static void phone_start(struct phone *p);
static void next_start(struct phone *free_one);

static void phone_close(struct phone *p)
{
    struct linger abort_it = {1, 0}; /* no TIME_WAIT: ports are few */

    setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &abort_it, sizeof(abort_it));
    close(p->fd);
    p->fd = -1;
    n_open--;
}

static void phone_fail(struct phone *p, const char *why)
{
    if (n_failed++ < 5)
        fprintf(stderr, "phone %u, step %u: %s (%s)\n", p->number, p->step, why, strerror(errno));
    phone_close(p);
    if (p->step < N_STEPS)
        next_start(p);
}

static void next_start(struct phone *free_one)
{
    if (n_started >= count)
        return;
    free_one->number = (uint32_t)n_started++;
    phone_start(free_one);
}

static void phone_send(struct phone *p, const void *bytes, size_t len)
{
    if (send(p->fd, bytes, len, MSG_NOSIGNAL) != (ssize_t)len)
        phone_fail(p, "send");
}

static void step_send(struct phone *p)
{
    struct step *s = &steps[p->step];
    char digits[16];

    if (p->step == 0) {
        snprintf(digits, sizeof(digits), "%012lX", first + p->number);
        memcpy(s->bytes + SCCP_HEADER_SIZE + 3, digits, 12);
    }
    phone_send(p, s->bytes, s->len);
}

static void phone_registered(struct phone *p)
{
    uint64_t took = bench_now_ns() - p->started_ns;

    if (took > slowest_ns)
        slowest_ns = took;
    n_registered++;
    if (!keep && !keepalives) {
        phone_close(p);
        next_start(p);
    } else if (n_started < count) {
        next_start(&phones[n_phones++]);
    }
}

static void phone_message(struct phone *p, uint32_t id)
{
    if (p->step >= N_STEPS) {
        n_keepalives += id == SCCP_KEEPALIVE_ACK;
        if (id == SCCP_KEEPALIVE_ACK && keepalives)
            phone_send(p, keepalive, sizeof(keepalive));
    } else if (id == SCCP_REGISTER_REJECT) {
        phone_fail(p, "rejected");
    } else if (answers(id, steps[p->step].awaited)) {
        if (++p->step < N_STEPS)
            step_send(p);
        else
            phone_registered(p);
    }
}

/* Only headers are looked at: the generator must cost less than the server. */
static void phone_input(struct phone *p, const uint8_t *at, size_t len)
{
    uint32_t number = p->number;

    while (len && p->fd >= 0 &&
           p->number == number) { /* the slot may have gone to the next phone */
        size_t n;

        if (p->skip) {
            n = p->skip < len ? p->skip : len;
            p->skip -= (uint32_t)n;
        } else {
            n = 12u - p->have < len ? 12u - p->have : len;
            memcpy(p->partial + p->have, at, n);
            p->have += (uint16_t)n;
            if (p->have == 12) {
                uint32_t head[3];

                memcpy(head, p->partial, 12);
                p->have = 0;
                p->skip = head[0] - 4;
                phone_message(p, head[2]);
            }
        }
        at += n;
        len -= n;
    }
}

static void phone_readable(struct phone *p)
{
    static uint8_t bytes[65536];
    ssize_t n = recv(p->fd, bytes, sizeof(bytes), 0);

    if (n > 0)
        phone_input(p, bytes, (size_t)n);
    else if (n == 0 || errno != EAGAIN)
        phone_fail(p, "closed by the server");
}

/* Edges: one for the connection, then one for each arrival. */
static void phone_event(struct phone *p, uint32_t events)
{
    if (!p->connected && (events & EPOLLOUT)) {
        p->connected = true;
        step_send(p);
    }
    if (p->fd >= 0 && (events & ~(uint32_t)EPOLLOUT))
        phone_readable(p);
}

static void phone_start(struct phone *p)
{
    struct sockaddr_in own = {.sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(bench_source(p->number, per_address))};
    struct epoll_event e = {EPOLLIN | EPOLLOUT | EPOLLET, {.ptr = p}};
    int one = 1;

    p->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (p->fd < 0)
        bench_fail("socket");
    setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    setsockopt(p->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
    if (bind(p->fd, (struct sockaddr *)&own, sizeof(own)))
        bench_fail("bind");
    p->step = 0;
    p->connected = false;
    p->have = 0;
    p->skip = 0;
    p->started_ns = bench_now_ns();
    n_open++;
    if (connect(p->fd, (struct sockaddr *)&server, sizeof(server)) && errno != EINPROGRESS)
        phone_fail(p, "connect");
    else
        epoll_ctl(loop, EPOLL_CTL_ADD, p->fd, &e);
}

/* ---- the runs ---- */

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

static bool registering(uint64_t until_ns)
{
    return n_registered + n_failed < count && bench_now_ns() < until_ns;
}

static void register_all(uint64_t limit_ns)
{
    uint64_t until = bench_now_ns() + limit_ns;

    while (n_phones < parallel && n_started < count)
        next_start(&phones[n_phones++]);
    while (registering(until))
        turn(100);
}

static void keepalive_run(uint64_t duration_ns, int pid)
{
    struct bench_run run;
    uint64_t until;

    for (size_t i = 0; i < n_phones; i++)
        if (phones[i].fd >= 0 && phones[i].step == N_STEPS)
            phone_send(&phones[i], keepalive, sizeof(keepalive));
    for (until = bench_now_ns() + 200000000; bench_now_ns() < until;)
        turn(10);
    n_keepalives = 0;
    run = bench_start(pid);
    for (until = bench_now_ns() + duration_ns; bench_now_ns() < until;)
        turn(10);
    bench_report(&run, "keepalives", (double)n_keepalives);
}

static void hold(void)
{
    struct epoll_event e = {EPOLLIN, {.ptr = NULL}};
    struct epoll_event events[64];
    bool over = false;

    epoll_ctl(loop, EPOLL_CTL_ADD, 0, &e);
    while (!over) {
        int n = epoll_wait(loop, events, 64, 20000);

        for (int i = 0; i < n; i++)
            if (!events[i].data.ptr)
                over = true;
            else if (((struct phone *)events[i].data.ptr)->fd >= 0)
                phone_event(events[i].data.ptr, events[i].events);
        for (size_t i = 0; n == 0 && i < n_phones; i++)
            if (phones[i].fd >= 0)
                phone_send(&phones[i], keepalive, sizeof(keepalive));
    }
}

int main(int argc, char **argv)
{
    struct bench_run run;
    const char *mode;
    unsigned long seconds;
    int pid;

    bench_options(argc, argv);
    mode = bench_text("mode", "register");
    count = bench_number("count", 10000);
    parallel = bench_number("parallel", 64);
    per_address = bench_number("per-address", 250);
    first = bench_number("first", 0);
    seconds = bench_number("seconds", 5);
    pid = (int)bench_number("pid", 0);
    keepalives = !strcmp(mode, "keepalive");
    keep = bench_number("keep", !strcmp(mode, "hold"));
    server = (struct sockaddr_in){.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)bench_number("port", 2000))};
    inet_pton(AF_INET, bench_text("server", "127.0.0.1"), &server.sin_addr);
    steps_make((uint32_t)bench_number("type", 437));
    bench_number("quiet", 0);
    bench_done();
    bench_files_max();
    phones = calloc(count + parallel, sizeof(*phones));
    loop = epoll_create1(0);
    run = bench_start(pid);
    if (keepalives) {
        bool forever = keepalives;

        keepalives = false, keep = true;
        register_all(60000000000u);
        keepalives = forever;
        keepalive_run(seconds * 1000000000u, pid);
        return n_failed ? 1 : 0;
    }
    register_all(seconds * 1000000000u);
    bench_report(&run, "registrations", (double)n_registered);
    fprintf(stderr, "registered %zu, failed %zu, slowest %.1f ms\n", n_registered, n_failed,
            (double)slowest_ns / 1e6);
    if (!strcmp(mode, "hold"))
        hold();
    return n_failed ? 1 : 0;
}
