/* station_core.c - what registration and keepalive cost without sockets: the core alone, in one
 * process.
 *
 * `count` phones are put in a directory; all register, each in 13 steps, then send `keepalives`
 * each. Told: microseconds a registration, nanoseconds a keepalive, bytes a registered phone. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/bench.h"
#include "core/directory/change.h"
#include "station/sccp/stations.h"
#include "wire/sccp/message.h"

#define VERSION 22

static struct stations *stations;
static struct effects *effects;
static struct moment now = {1000, 1700000000000000};
static size_t n_answers;

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
        snprintf(name, sizeof(name), "SEP%012lX", (unsigned long)i & 0xffffffffffff);
        snprintf(number, sizeof(number), "%zu", 100000 + i);
        change_add(c, ENTITY_phone, text_of(name));
        change_field(c, TEXT("model"), TEXT("437"));
        change_field(c, TEXT("lines"), text_of(number));
        change_field(c, TEXT("speed_dials"), TEXT("Taxi=0123"));
    }
    if (directory_change(&dir, c, error, sizeof(error))) {
        fprintf(stderr, "%s\n", error);
        exit(1);
    }
    change_free(c);
    return dir;
}

static void carry_out(void)
{
    for (size_t i = 0; i < effects->n; i++) {
        n_answers += effects->rows[i].kind == EFFECT_SEND;
        if (effects->rows[i].kind == EFFECT_ALARM)
            free(effects->rows[i].take_alarm);
    }
    effects_clear(effects);
}

static void say(uint64_t link, uint32_t id, const void *body)
{
    uint8_t bytes[1024];
    struct writer w = writer_of(bytes, sizeof(bytes));

    sccp_encode_body(id, body, VERSION, &w);
    stations_input(stations, link, bytes, writer_len(&w), now, effects);
    carry_out();
}

static void phone_register(size_t i)
{
    struct sccp_register_req r = {.instance = 1,
                                  .device_type = 437,
                                  .max_streams = 5,
                                  .protocol = VERSION,
                                  .features = {0, 0x72, 0x85},
                                  .load = "SCCP75.9-4-2SR3-1S"};
    struct sccp_capabilities_res c = {.count = 1, .audio = {{.codec = SCCP_CODEC_G711_ULAW_64K}}};
    struct endpoint peer = {ip_v4(bench_source(i, 250)), (uint16_t)(30000 + i % 250)},
                    local = {ip_v4(0x7f000001), 2000};
    uint64_t link = i + 1;

    stations_open(stations, link, &peer, &local, now, effects);
    carry_out();
    snprintf(r.device_name, sizeof(r.device_name), "SEP%012lX", (unsigned long)i & 0xffffffffffff);
    say(link, SCCP_REGISTER_REQ, &r);
    say(link, SCCP_CAPABILITIES_RES, &c);
    say(link, SCCP_BUTTON_TEMPLATE_REQ, "");
    say(link, SCCP_SOFTKEY_TEMPLATE_REQ, "");
    say(link, SCCP_SOFTKEY_SET_REQ, "");
    say(link, SCCP_CONFIG_STAT_REQ, "");
    for (uint32_t line = 1; line <= 2; line++) {
        say(link, SCCP_LINE_STAT_REQ, &line);
        say(link, SCCP_FORWARD_STAT_REQ, &line);
        say(link, SCCP_SPEED_DIAL_STAT_REQ, &line);
    }
    say(link, SCCP_SERVICE_URL_STAT_REQ, &(uint32_t){1});
    say(link, SCCP_REGISTER_AVAILABLE_LINES, &(uint32_t){2});
    say(link, SCCP_TIME_DATE_REQ, "");
    now.ms++;
    now.wall_us += 1000;
}

static double ns_each(double start_s, size_t n)
{
    return ((double)bench_now_ns() / 1e9 - start_s) * 1e9 / (double)n;
}

int main(int argc, char **argv)
{
    struct registry_options r = {.node = "cm1", .local_time = local_time};
    struct stations_options o = {0};
    unsigned long count, keepalives;
    size_t before;
    double start;

    bench_options(argc, argv);
    count = bench_number("count", 10000);
    keepalives = bench_number("keepalives", 20);
    bench_done();
    o.max_sessions = count + 16;
    effects = effects_new();
    before = mallinfo2().uordblks;
    start = (double)bench_now_ns() / 1e9;
    const struct directory *dir = directory_of(count);
    printf("directory: %.0f bytes a phone, %.1f us\n",
           (double)(mallinfo2().uordblks - before) / (double)count, ns_each(start, count) / 1e3);
    o.registry = registry_new(&r);
    stations = stations_new(&o);
    registry_set_directory(o.registry, dir, now);
    before = mallinfo2().uordblks + mallinfo2().hblkhd;
    start = (double)bench_now_ns() / 1e9;
    for (size_t i = 0; i < count; i++)
        phone_register(i);
    printf("register: %.2f us, %zu of %lu registered, %.0f bytes a phone\n",
           ns_each(start, count) / 1e3, stations_registered(stations), count,
           (double)(mallinfo2().uordblks + mallinfo2().hblkhd - before) / (double)count);
    start = (double)bench_now_ns() / 1e9;
    for (unsigned long k = 0; k < keepalives; k++)
        for (size_t i = 0; i < count; i++)
            say(i + 1, SCCP_KEEPALIVE, "");
    printf("keepalive: %.0f ns\n", ns_each(start, keepalives * count));
    return stations_registered(stations) == count ? 0 : 1;
}
