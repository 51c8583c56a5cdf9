/* sip_hour.c - an hour after all phones came back, on a virtual clock, by the registrar alone: 100
 * 000 phones register within --over seconds (20), then refresh five seconds before what they were
 * granted is over. How many came in which second; what it took. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "bench/bench.h"
#include "bench/sip_register.h"
#include "core/directory/change.h"
#include "station/sip_stations.h"

#define OWN_PORT 35060
#define HOUR_S   3600
#define DELTA_S  5

static struct sip_stations *stations;
static struct effects *effects;
static struct sip_bench bench;
static struct moment now = {1000000, 1700000000000000};
static char agreed[SIP_BYTES_MAX]; /* the 200 to a request of the server, to be said next */
static size_t n_agreed, n_refused;
static uint32_t granted_s; /* by the last 200 */
static uint32_t came[HOUR_S];
static struct caller {
    uint32_t due_s, nth, next;
} * phones;
static uint32_t *due; /* first phone of each second, chained by `next`; 0: none, else 1 + index */

static void local_time(void *context, const char *zone, uint64_t wall_us, struct local_time *ret)
{
    *ret = (struct local_time){2026, 1, 1, 4, 12, 0, 0};
}

static const struct directory *directory_of(size_t count, bool paced)
{
    const struct directory *dir = directory_factory(TEXT("cm1"), TEXT("127.0.0.1"));
    struct change *c = change_new();
    char name[32], number[32], error[200];

    for (size_t i = 0; i < count; i++) {
        snprintf(name, sizeof(name), "SEP%012zu", i % 1000000000000);
        snprintf(number, sizeof(number), "%zu", 100000 + i);
        change_add(c, ENTITY_phone, text_of(name));
        change_field(c, TEXT("model"), TEXT("684"));
        change_field(c, TEXT("protocol"), TEXT("sip"));
        change_field(c, TEXT("lines"), text_of(number));
    }
    if (!paced) {
        change_add(c, ENTITY_parameter, TEXT("paced_return"));
        change_field(c, TEXT("value"), TEXT("false"));
    }
    if (directory_change(&dir, c, error, sizeof(error))) {
        fprintf(stderr, "%s\n", error);
        exit(1);
    }
    change_free(c);
    return dir;
}

static void heard(const struct effect *row)
{
    struct text t = {(const char *)effect_bytes(effects, row), row->datagram.len};
    const char *at;
    uint32_t branch;

    switch (sip_hear(t, &branch)) {
    case SIP_HEARD_OK:
        at = memmem(t.at, t.len, "\r\nExpires: ", 11);
        granted_s = at ? (uint32_t)strtoul(at + 11, NULL, 10) : 0;
        break;
    case SIP_HEARD_REQUEST:
        n_agreed = sip_agree(t, agreed);
        break;
    case SIP_HEARD_TRYING:
        break;
    default:
        n_refused++;
    }
}

static void carry_out(void)
{
    for (size_t i = 0; i < effects->n; i++) {
        if (effects->rows[i].kind == EFFECT_DATAGRAM)
            heard(&effects->rows[i]);
        if (effects->rows[i].kind == EFFECT_ALARM)
            free(effects->rows[i].take_alarm);
    }
    effects_clear(effects);
}

static void say(size_t phone)
{
    struct endpoint peer = {ip_v4(ntohl(sip_source(phone).s_addr)), OWN_PORT},
                    local = {ip_v4(0x7f000001), 5060};
    char bytes[SIP_BYTES_MAX];
    size_t len = sip_register_write(&bench, phone, phones[phone].nth++, (uint32_t)phone, bytes);

    granted_s = 0;
    sip_stations_datagram(stations, &peer, &local, bytes, len, now, effects);
    carry_out();
    if (!n_agreed)
        return;
    sip_stations_datagram(stations, &peer, &local, agreed, n_agreed, now, effects);
    n_agreed = 0;
    carry_out();
}

static void plan(size_t phone, uint32_t second)
{
    if (second >= HOUR_S)
        return;
    phones[phone].next = due[second];
    due[second] = (uint32_t)phone + 1;
}

/* Those of a second, spread over it. */
static void play_second(uint32_t second)
{
    uint32_t n = 0, i = 0;

    for (uint32_t p = due[second]; p; p = phones[p - 1].next)
        n++;
    came[second] = n;
    for (uint32_t p = due[second], next; p; p = next, i++) {
        next = phones[p - 1].next;
        now.ms = 1000000 + second * 1000ull + i * 1000ull / n;
        now.wall_us = 1700000000000000 + now.ms * 1000;
        say(p - 1);
        plan(p - 1, second + (granted_s > DELTA_S ? granted_s - DELTA_S : 60));
        if (i % 64 == 0) {
            while (sip_stations_tick(stations, now, effects))
                carry_out();
            carry_out();
        }
    }
}

static void report(uint32_t from_s, uint32_t to_s)
{
    uint32_t least = UINT32_MAX, most = 0;
    uint64_t sum = 0;

    for (uint32_t s = from_s; s < to_s; s++) {
        least = came[s] < least ? came[s] : least;
        most = came[s] > most ? came[s] : most;
        sum += came[s];
    }
    printf("{\"from_s\": %u, \"to_s\": %u, \"least\": %u, \"mean\": %.0f, \"most\": %u, "
           "\"times_the_mean\": %.2f}\n",
           from_s, to_s, least, (double)sum / (to_s - from_s), most,
           sum ? (double)most * (to_s - from_s) / (double)sum : 0);
}

int main(int argc, char **argv)
{
    static const uint8_t secret[32] = "0123456789abcdefghijklmnopqrstu";
    struct registry_options r = {.node = "cm1", .local_time = local_time};
    struct sip_options o = {.secret = secret};
    const struct directory *dir;
    uint64_t sum = 0;
    double cpu;
    unsigned long over_s;
    bool paced;

    log_set_level(LOG_LEVEL_ERROR);
    bench_options(argc, argv);
    sip_bench_options(&bench);
    over_s = bench_number("over", 20);
    paced = bench_number("paced", 1);
    bench_done();
    sip_register_make("UDP", OWN_PORT, 684);
    o.max_devices = o.max_links = bench.count + 10;
    dir = directory_of(bench.count, paced);
    o.registry = registry_new(&r);
    stations = sip_stations_new(&o);
    effects = effects_new();
    registry_set_directory(o.registry, dir, now);
    phones = calloc(bench.count, sizeof(*phones));
    due = calloc(HOUR_S, sizeof(*due));
    for (size_t i = 0; i < bench.count; i++)
        plan(i, (uint32_t)(i * over_s / bench.count));
    cpu = bench_cpu_s(0);
    for (uint32_t s = 0; s < HOUR_S; s++) {
        play_second(s);
        sum += came[s];
    }
    cpu = bench_cpu_s(0) - cpu;
    report(0, (uint32_t)over_s);
    report((uint32_t)over_s, 300);
    for (uint32_t s = 300; s < HOUR_S; s += 660)
        report(s, s + 660);
    printf("{\"phones\": %zu, \"registered\": %zu, \"refused\": %zu, \"requests\": %llu, "
           "\"cpu_s\": %.2f, \"us_each\": %.2f}\n",
           bench.count, sip_stations_registered(stations), n_refused, (unsigned long long)sum, cpu,
           cpu * 1e6 / (double)sum);
    return n_refused > 0;
}
