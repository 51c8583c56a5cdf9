/* sip_udp_load.c - phones that register and refresh by UDP, as many and as fast as one core can.
 *
 * One socket speaks for all phones, each from its own address, in batches. --mode first: each phone
 * registers once; refresh: they register, then refresh in turn for `seconds`, `parallel` under way
 * at once or `rate` a second; hold: they register, report, and stay until standard input ends. With a
 * rate, a request's time is counted from when it should have left: what holds up the generator or its
 * socket is not left out. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/sip_batch.h"
#include "bench/sip_register.h"

#define RING     (1u << 17) /* requests under way, found by the low bits of their branch */
#define STALL_NS 300000000u
#define OWN_PORT 35060

static struct sip_bench bench;
static int fd;
static uint16_t own_port;
static struct request {
    uint64_t sent_ns;  /* last; 0: answered */
    uint64_t asked_ns; /* first */
    uint32_t phone, nth;
} ring[RING];
static uint32_t next_branch, oldest;
static size_t n_waiting, n_answered, n_refused, n_asked, n_again;
static uint32_t *nth_of; /* REGISTERs of a phone so far */

static void request_send(uint32_t branch, uint64_t now_ns)
{
    struct request *r = &ring[branch % RING];

    r->sent_ns = now_ns;
    batch_add(fd, &bench.server, sip_source(r->phone),
              sip_register_write(&bench, r->phone, r->nth, branch, batch_room()));
}

static bool request_new(size_t phone, uint64_t asked_ns, uint64_t now_ns)
{
    struct request *r = &ring[next_branch % RING];

    if (r->sent_ns)
        return false;
    r->asked_ns = asked_ns;
    r->phone = (uint32_t)phone;
    r->nth = nth_of[phone]++;
    n_waiting++;
    request_send(next_branch++, now_ns);
    return true;
}

static void heard(struct text message, struct msghdr *h, uint64_t now_ns)
{
    struct request *r;
    uint32_t branch;
    size_t len;

    switch (sip_hear(message, &branch)) {
    case SIP_HEARD_OK:
        r = &ring[branch % RING];
        if (!r->sent_ns)
            return;
        sip_latency_note(now_ns - r->asked_ns);
        r->sent_ns = 0;
        n_waiting--;
        n_answered++;
        break;
    case SIP_HEARD_TRYING:
        break;
    case SIP_HEARD_REQUEST:
        n_asked++;
        len = sip_agree(message, batch_room());
        if (len)
            batch_add(fd, &bench.server, batch_destination(h), len);
        break;
    default:
        if (n_refused++ == 0)
            fprintf(stderr, "%.*s\n", TEXT_ARG(message));
    }
}

static bool receive(void)
{
    static char in[BATCH][4096];
    static union control infos[BATCH];
    static struct iovec at[BATCH];
    static struct mmsghdr got[BATCH];
    uint64_t now;
    int n;

    for (unsigned i = 0; i < BATCH; i++) {
        at[i] = (struct iovec){in[i], sizeof(in[i])};
        got[i].msg_hdr = (struct msghdr){.msg_iov = &at[i],
                                         .msg_iovlen = 1,
                                         .msg_control = &infos[i],
                                         .msg_controllen = sizeof(infos[i])};
    }
    n = recvmmsg(fd, got, BATCH, MSG_DONTWAIT, NULL);
    now = bench_now_ns();
    for (int i = 0; i < n; i++)
        heard((struct text){in[i], got[i].msg_len}, &got[i].msg_hdr, now);
    return n > 0;
}

/* What was lost on the way is sent again, as phones do it. */
static void send_stalled(void)
{
    uint64_t now = bench_now_ns();

    for (; oldest != next_branch && !ring[oldest % RING].sent_ns; oldest++)
        ;
    for (uint32_t branch = oldest; branch != next_branch; branch++)
        if (ring[branch % RING].sent_ns && ring[branch % RING].sent_ns + STALL_NS < now) {
            n_again++;
            request_send(branch, now);
        }
}

/* Waits for an answer when there is nothing else to do. */
static void turn(int timeout_ms)
{
    static uint64_t looked_ns;
    struct pollfd p = {fd, POLLIN, 0};

    batch_send(fd);
    if (!receive() && timeout_ms) {
        poll(&p, 1, timeout_ms);
        receive();
    }
    if (bench_now_ns() > looked_ns + STALL_NS) {
        looked_ns = bench_now_ns();
        send_stalled();
    }
}

static void first_all(uint64_t until_ns)
{
    for (size_t phone = 0; n_answered + n_refused < bench.count && bench_now_ns() < until_ns;) {
        uint64_t now = bench_now_ns();

        while (phone < bench.count && n_waiting < bench.parallel && request_new(phone, now, now))
            phone++;
        turn(10);
    }
}

/* How many should have been sent by now. */
static uint64_t due(uint64_t start_ns, uint64_t now_ns, uint64_t sent)
{
    if (bench.rate)
        return (now_ns - start_ns) * bench.rate / 1000000000u;
    return sent + (bench.parallel > n_waiting ? bench.parallel - n_waiting : 0);
}

static void refresh_all(void)
{
    uint64_t start = bench_now_ns(), until = start + bench.seconds * 1000000000u, sent = 0, now;
    size_t phone = 0;

    while ((now = bench_now_ns()) < until && !bench_is_over()) {
        if (bench_begins())
            sip_latency_forget();
        while (sent < due(start, now, sent) && request_new(phone, sip_bench_due_ns(&bench, start, sent, now), now)) {
            sent++;
            phone = (phone + 1) % bench.count;
        }
        turn(sip_bench_pause_ms(&bench));
    }
}

static void hold(void)
{
    struct pollfd p[] = {{fd, POLLIN, 0}, {0, POLLIN, 0}};

    while (!p[1].revents) {
        poll(p, 2, 1000);
        turn(0);
    }
}

static void open_socket(void)
{
    struct sockaddr_in own = {.sin_family = AF_INET};
    int one = 1, size = 16 << 20;

    fd = socket(AF_INET, SOCK_DGRAM, 0);
    own.sin_port = htons(own_port);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
    setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &one, sizeof(one));
    if (bind(fd, (struct sockaddr *)&own, sizeof(own)))
        bench_fail("bind");
}

int main(int argc, char **argv)
{
    struct bench_run run;

    bench_options(argc, argv);
    sip_bench_options(&bench);
    if (bench.refresh)
        bench_obey(); /* before the first word: it may be told while it registers */
    own_port = (uint16_t)bench_number("own-port", OWN_PORT);
    sip_register_make("UDP", own_port, (unsigned)bench_number("model", 684));
    bench_done();
    nth_of = calloc(bench.count, sizeof(*nth_of));
    open_socket();
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
    fprintf(stderr, "answered %zu, refused %zu, sent again %zu, asked by the server %zu\n",
            n_answered, n_refused, n_again, n_asked);
    if (bench.hold)
        hold();
    return n_refused || n_answered < bench.count;
}
