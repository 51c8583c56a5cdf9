/* sip_core.c - what a REGISTER costs without sockets: parser and registrar alone, in one process.
 *
 * `count` phones are put in a directory; all register by UDP, then refresh `refreshes` times. Told:
 * microseconds of each, bytes a registration, and the parser's share. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/bench.h"
#include "bench/sip_office.h"
#include "wire/sip/message.h"

static struct sip_office office = {.now = {1000, 1700000000000000}};

/* Ten seconds, for what is kept of transactions. */
static void pass_time(void)
{
    for (int i = 0; i < 100; i++) {
        office.now.ms += 100;
        office.now.wall_us += 100000;
        sip_office_tick(&office);
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
    size_t len = sip_register_write(&office.bench, 0, 0, 0, bytes);
    uint64_t start = bench_now_ns();
    struct sip_message m;

    for (size_t i = 0; i < 1000000; i++)
        if (sip_parse(bytes, len, &m) < 0 || m.problem)
            exit(1);
    printf("parser: %.2f us for %zu bytes\n", us_each(start, 1000000), len);
}

int main(int argc, char **argv)
{
    unsigned long count, refreshes;
    uint64_t start;
    size_t before;

    bench_options(argc, argv);
    count = bench_number("count", 20000);
    refreshes = bench_number("refreshes", 20);
    bench_done();
    sip_office_open(&office, count, true);
    parser_alone();
    before = bytes_used();
    start = bench_now_ns();
    for (size_t i = 0; i < count; i++)
        sip_office_say(&office, i, 0);
    printf("register: %.2f us, %zu of %lu registered", us_each(start, count),
           sip_stations_registered(office.stations), count);
    printf(", %.0f bytes each", (double)(bytes_used() - before) / (double)count);
    pass_time();
    printf(", %.0f after ten seconds\n", (double)(bytes_used() - before) / (double)count);
    start = bench_now_ns();
    for (uint32_t k = 1; k <= refreshes; k++)
        for (size_t i = 0; i < count; i++)
            sip_office_say(&office, i, k);
    printf("refresh: %.2f us\n", us_each(start, refreshes * count));
    printf("200: %zu, asked by the server: %zu, others: %zu\n", office.n_ok, office.n_asked,
           office.n_other);
    return sip_stations_registered(office.stations) == count ? 0 : 1;
}
