/* sip_hour.c - an hour after all phones came back, on a virtual clock, by the registrar alone: 100
 * 000 phones register within --over seconds (20), then refresh five seconds before what they were
 * granted is over. How many came in which second; what it took. */
#include <stdio.h>
#include <stdlib.h>

#include "bench/bench.h"
#include "bench/sip_office.h"

#define HOUR_S   3600
#define DELTA_S  5
#define BEGAN_MS 1000000ull

static struct sip_office office = {.now = {BEGAN_MS, 1700000000000000}};
static uint32_t came[HOUR_S];
static struct caller {
    uint32_t nth, next;
} * phones;
static uint32_t *due; /* first phone of each second, chained by `next`; 0: none, else 1 + index */

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
        office.now.ms = BEGAN_MS + second * 1000ull + i * 1000ull / n;
        office.now.wall_us = 1700000000000000 + office.now.ms * 1000;
        sip_office_say(&office, p - 1, phones[p - 1].nth++);
        plan(p - 1, second + (office.granted_s > DELTA_S ? office.granted_s - DELTA_S : 60));
        if (i % 64 == 0)
            sip_office_tick(&office);
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
    struct sip_bench *bench = &office.bench;
    unsigned long over_s;
    uint64_t sum = 0;
    double cpu;
    bool paced;

    bench_options(argc, argv);
    sip_bench_options(bench);
    over_s = bench_number("over", 20);
    paced = bench_number("paced", 1);
    bench_done();
    sip_office_open(&office, bench->count, paced);
    phones = calloc(bench->count, sizeof(*phones));
    due = calloc(HOUR_S, sizeof(*due));
    for (size_t i = 0; i < bench->count; i++)
        plan(i, (uint32_t)(i * over_s / bench->count));
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
           bench->count, sip_stations_registered(office.stations), office.n_other, (unsigned long long)sum, cpu,
           cpu * 1e6 / (double)sum);
    return office.n_other > 0;
}
