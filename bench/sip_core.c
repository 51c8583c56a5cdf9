/* sip_core.c - what a REGISTER costs without sockets: parser and registrar alone, in one process.
 *
 * `count` phones are put in a directory; all register by UDP, then refresh `refreshes` times. Told:
 * microseconds of each, bytes a registration, and the parser's and the codec's share. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/sip_register.h"
#include "base/log.h"
#include "core/directory/change.h"
#include "station/sip_stations.h"

#define OWN_PORT 35060

static struct sip_stations *stations;
static struct effects *effects;
static struct sip_bench bench;
static struct moment now = {1000, 1700000000000000};
static size_t n_ok, n_requests, n_other;
static char agreed[SIP_BYTES_MAX]; /* the 200 to a request of the server, to be said next */
static size_t n_agreed;

static void local_time(void *context, const char *zone, uint64_t wall_us, struct local_time *ret)
{
    *ret = (struct local_time){2026, 1, 1, 4, 12, 0, 0};
}

static const struct directory *directory_of(size_t count)
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
    uint32_t branch;

    switch (sip_hear(t, &branch)) {
    case SIP_HEARD_OK:
        n_ok++;
        break;
    case SIP_HEARD_TRYING:
        break;
    case SIP_HEARD_REQUEST:
        n_requests++;
        n_agreed = sip_agree(t, agreed);
        break;
    default:
        if (n_other++ == 0)
            fprintf(stderr, "%.*s\n", TEXT_ARG(t));
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

static void phone_say(size_t phone, uint32_t nth)
{
    struct endpoint peer = {ip_v4(ntohl(sip_source(phone).s_addr)), OWN_PORT},
                    local = {ip_v4(0x7f000001), 5060};
    char bytes[SIP_BYTES_MAX];
    size_t len = sip_register_write(&bench, phone, nth, (uint32_t)phone, bytes);

    sip_stations_datagram(stations, &peer, &local, bytes, len, now, effects);
    carry_out();
    if (!n_agreed)
        return;
    sip_stations_datagram(stations, &peer, &local, agreed, n_agreed, now, effects);
    n_agreed = 0;
    carry_out();
}

/* Ten seconds, for what is kept of transactions. */
static void pass_time(void)
{
    for (int i = 0; i < 100; i++) {
        now.ms += 100;
        now.wall_us += 100000;
        while (sip_stations_tick(stations, now, effects))
            carry_out();
        carry_out();
    }
}

static double us_each(uint64_t start_ns, size_t n)
{
    return (double)(bench_now_ns() - start_ns) / 1e3 / (double)n;
}

static size_t bytes_used(void)
{
    struct mallinfo2 m = mallinfo2();

    return m.uordblks + m.hblkhd;
}

static void parser_alone(void)
{
    char bytes[SIP_BYTES_MAX];
    size_t len = sip_register_write(&bench, 0, 0, 0, bytes);
    uint64_t start = bench_now_ns();
    struct sip_message m;

    for (size_t i = 0; i < 1000000; i++)
        if (sip_parse(bytes, len, &m) < 0 || m.problem)
            exit(1);
    printf("parser: %.2f us for %zu bytes\n", us_each(start, 1000000), len);
}

int main(int argc, char **argv)
{
    static const uint8_t secret[32] = {1};
    struct registry_options r = {.node = "cm1", .local_time = local_time};
    struct sip_options o = {.secret = secret};
    unsigned long count, refreshes;
    uint64_t start;
    size_t before;

    bench_options(argc, argv);
    count = bench_number("count", 20000);
    refreshes = bench_number("refreshes", 20);
    bench_done();
    log_set_level(LOG_LEVEL_ERROR);
    sip_register_make("UDP", OWN_PORT, 684);
    parser_alone();
    o.max_devices = count + 16;
    effects = effects_new();
    o.registry = registry_new(&r);
    stations = sip_stations_new(&o);
    registry_set_directory(o.registry, directory_of(count), now);
    before = bytes_used();
    start = bench_now_ns();
    for (size_t i = 0; i < count; i++)
        phone_say(i, 0);
    printf("register: %.2f us, %zu of %lu registered", us_each(start, count),
           sip_stations_registered(stations), count);
    printf(", %.0f bytes each", (double)(bytes_used() - before) / (double)count);
    pass_time();
    printf(", %.0f after ten seconds\n", (double)(bytes_used() - before) / (double)count);
    start = bench_now_ns();
    for (uint32_t k = 1; k <= refreshes; k++)
        for (size_t i = 0; i < count; i++)
            phone_say(i, k);
    printf("refresh: %.2f us\n", us_each(start, refreshes * count));
    printf("200: %zu, asked by the server: %zu, others: %zu\n", n_ok, n_requests, n_other);
    return sip_stations_registered(stations) == count ? 0 : 1;
}
