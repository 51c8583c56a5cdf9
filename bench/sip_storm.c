/* sip_storm.c - all SIP phones of a site come back by UDP at once, as phones do it: each repeats
 * its REGISTER after 0.5, 1, 2, 4 s (RFC 3261 17.1.2), waits as long as Retry-After says, and
 * refreshes five seconds before what it was granted is over.
 *
 *   --count N phones begin within --over MS (1000); then, with --seconds S, their refreshes are
 * carried out and counted for so long.
 *
 * Two lines of JSON: the return, and the refreshes: how many the busiest second had, and the mean.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/timers.h"
#include "bench/bench.h"
#include "bench/sip_batch.h"
#include "bench/sip_register.h"

#define OWN_PORT  35061
#define T1_MS     500
#define T2_MS     4000
#define GIVE_UP_S 120
#define DELTA_S   5
#define SECONDS   4096

struct phone {
    struct timer timer;
    uint64_t asked_ns; /* first sending of this request; 0: answered */
    uint32_t wait_ms, nth;
    uint16_t granted_s;
    bool registered;
};

static struct sip_bench bench;
static struct phone *phones;
static struct timers wheel;
static int fd;
static uint64_t start_ns, last_ns;
static size_t n_registered, n_refreshed, n_again, n_refused, n_asked;
static uint64_t granted_sum, granted_least = UINT64_MAX, granted_most;
static uint32_t per_second[SECONDS], planned[SECONDS], refreshed[SECONDS];

/* ---- a phone ---- */

static uint64_t now_ms(void)
{
    return bench_now_ns() / 1000000;
}

static uint32_t second_of(uint64_t ns)
{
    uint64_t s = (ns - start_ns) / 1000000000;

    return s < SECONDS ? (uint32_t)s : SECONDS - 1;
}

/* The branch is the phone's number: one request of a phone is under way at a time. */
static void phone_send(struct phone *p)
{
    size_t n = (size_t)(p - phones);

    batch_add(fd, &bench.server, sip_source(n),
              sip_register_write(&bench, n, p->nth, (uint32_t)n, batch_room()));
    timer_set(&wheel, &p->timer, now_ms() + p->wait_ms);
}

static void phone_due(struct phone *p)
{
    if (p->asked_ns) {
        n_again++;
        p->wait_ms = 2 * p->wait_ms < T2_MS ? 2 * p->wait_ms : T2_MS;
    } else {
        p->asked_ns = bench_now_ns();
        p->wait_ms = T1_MS;
        p->nth++;
    }
    phone_send(p);
}

static uint32_t number_behind(struct text message, const char *header)
{
    const char *at = memmem(message.at, message.len, header, strlen(header));

    return at ? (uint32_t)strtoul(at + strlen(header), NULL, 10) : 0;
}

static void phone_granted(struct phone *p, uint32_t seconds, uint64_t now_ns)
{
    uint64_t next_ns = now_ns + (uint64_t)(seconds - DELTA_S) * 1000000000;

    sip_latency_note(now_ns - p->asked_ns);
    if (p->registered) {
        n_refreshed++;
        refreshed[second_of(now_ns)]++;
    } else {
        p->registered = true;
        n_registered++;
        last_ns = now_ns;
        per_second[second_of(now_ns)]++;
        planned[second_of(next_ns)]++;
        granted_sum += seconds;
        granted_least = seconds < granted_least ? seconds : granted_least;
        granted_most = seconds > granted_most ? seconds : granted_most;
    }
    p->asked_ns = 0;
    p->granted_s = (uint16_t)seconds;
    timer_set(&wheel, &p->timer, next_ns / 1000000);
}

static bool phone_of(struct text message, struct phone **ret)
{
    static const char mark[] = "branch=z9hG4bK";
    const char *at = memmem(message.at, message.len, mark, sizeof(mark) - 1);
    unsigned long n = at ? strtoul(at + sizeof(mark) - 1, NULL, 16) : bench.count;

    *ret = &phones[n < bench.count ? n : 0];
    return n < bench.count && (*ret)->asked_ns;
}

static void heard(struct text message, struct msghdr *h, uint64_t now_ns)
{
    uint32_t branch, seconds;
    struct phone *p;
    size_t len;

    switch (sip_hear(message, &branch)) {
    case SIP_HEARD_TRYING:
        break;
    case SIP_HEARD_REQUEST:
        n_asked++;
        len = sip_agree(message, batch_room());
        if (len)
            batch_add(fd, &bench.server, batch_destination(h), len);
        break;
    case SIP_HEARD_OK:
        if (!phone_of(message, &p))
            break;
        seconds = number_behind(message, "\r\nExpires: ");
        phone_granted(p, seconds > DELTA_S ? seconds : 2 * DELTA_S, now_ns);
        break;
    default:
        if (!phone_of(message, &p))
            break;
        if (!n_refused++)
            fprintf(stderr, "%.*s\n", TEXT_ARG(message));
        seconds = number_behind(message, "\r\nRetry-After: ");
        p->asked_ns = 0;
        timer_set(&wheel, &p->timer, now_ms() + (seconds ? seconds : 60) * 1000ull);
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

static void turn(void)
{
    struct pollfd p = {fd, POLLIN, 0};
    uint64_t now = now_ms();
    struct timer *due;

    for (int i = 0; i < 4 * BATCH && (due = timers_expire(&wheel, now)); i++)
        phone_due(container_of(due, struct phone, timer));
    batch_send(fd);
    if (!receive()) {
        uint64_t wait = timers_next(&wheel, now_ms());

        poll(&p, 1, wait > 100 ? 100 : (int)wait);
    }
}

/* ---- the reports ---- */

static uint32_t most_of(const uint32_t *rows)
{
    uint32_t most = 0;

    for (size_t i = 0; i < SECONDS; i++)
        most = rows[i] > most ? rows[i] : most;
    return most;
}

static void report_return(void)
{
    double mean_s = n_registered ? (double)granted_sum / (double)n_registered - DELTA_S : 1;

    printf("{\"what\": \"return\", \"phones\": %zu, \"registered\": %zu, \"last_s\": %.3f, "
           "\"busiest_second\": %u, \"sent_again\": %zu, \"sent_away\": %zu, \"asked\": %zu, "
           "\"granted_least_s\": %llu, \"granted_most_s\": %llu, \"refreshes_mean\": %.1f, "
           "\"refreshes_busiest\": %u, \"times_the_mean\": %.2f}\n",
           bench.count, n_registered, (double)(last_ns - start_ns) / 1e9, most_of(per_second),
           n_again, n_refused, n_asked, (unsigned long long)granted_least,
           (unsigned long long)granted_most, (double)n_registered / mean_s, most_of(planned),
           most_of(planned) * mean_s / (double)(n_registered ? n_registered : 1));
    sip_latency_report();
}

static void report_refreshes(uint64_t from_ns, uint64_t to_ns)
{
    uint32_t first = second_of(from_ns) + 1, last = second_of(to_ns), most = 0;
    uint64_t sum = 0;

    for (uint32_t i = first; i < last; i++) {
        sum += refreshed[i];
        most = refreshed[i] > most ? refreshed[i] : most;
    }
    printf("{\"what\": \"refreshes\", \"n\": %zu, \"seconds\": %u, \"busiest_second\": %u, "
           "\"mean\": %.1f}\n",
           n_refreshed, last - first, most, last > first ? (double)sum / (last - first) : 0);
    sip_latency_report();
}

static void open_socket(uint16_t port)
{
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(port)};
    int one = 1, size = 16 << 20;

    fd = socket(AF_INET, SOCK_DGRAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
    setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &one, sizeof(one));
    if (bind(fd, (struct sockaddr *)&own, sizeof(own)))
        bench_fail("bind");
}

int main(int argc, char **argv)
{
    uint64_t over_ms, until;
    uint16_t port;

    bench_options(argc, argv);
    sip_bench_options(&bench);
    over_ms = bench_number("over", 1000);
    port = (uint16_t)bench_number("own-port", OWN_PORT);
    sip_register_make("UDP", port, (unsigned)bench_number("model", 684));
    bench_done();
    phones = calloc(bench.count + 1, sizeof(*phones));
    open_socket(port);
    start_ns = bench_now_ns();
    timers_init(&wheel, now_ms());
    for (size_t i = 0; i < bench.count; i++)
        timer_set(&wheel, &phones[i].timer, now_ms() + 1 + i * over_ms / bench.count);
    until = start_ns + GIVE_UP_S * 1000000000ull;
    while (n_registered < bench.count && bench_now_ns() < until)
        turn();
    report_return();
    fflush(stdout);
    sip_latency_forget();
    until = bench_now_ns();
    while (bench.seconds && bench_now_ns() < until + bench.seconds * 1000000000ull)
        turn();
    if (bench.seconds)
        report_refreshes(until, bench_now_ns());
    return n_registered < bench.count;
}
