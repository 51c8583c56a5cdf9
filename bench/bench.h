/* bench.h - what the load generators and limit responders share: options, time, CPU of a process.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"

/* `--name value` pairs: the value, or what follows it in the call. Exits with a message on an
 * option that no call asked for (bench_done). */
void bench_options(int argc, char **argv);
const char *bench_text(const char *name, const char *otherwise);
unsigned long bench_number(const char *name, unsigned long otherwise);
void bench_done(void);

uint64_t bench_now_ns(void);
double bench_cpu_s(int pid); /* user and system time of a process and its threads; 0: of this one */
long bench_memory_kb(int pid); /* private memory (Private_Clean + Private_Dirty + swap) */
void bench_files_max(void);    /* as many files as the hard limit allows */
void bench_fail(const char *what) __attribute__((noreturn)); /* with errno */

/* A generator beside another is told what to measure: SIGUSR1, what was before does not count;
 * SIGTERM, it is over, report. */
void bench_obey(void);
bool bench_begins(void); /* once for each SIGUSR1 */
bool bench_is_over(void);

/* 127.a.b.c of a client: `per_address` clients share one, beginning at 127.1.0.1. */
uint32_t bench_source(size_t client, size_t per_address);

/* Prints one JSON object: {"what": …, "n": …, "seconds": …, "rate": …, "own_cpu_us": …,
 * "server_cpu_us": …}. */
struct bench_run {
    uint64_t start_ns;
    double own_cpu, server_cpu;
    int pid; /* of the server, 0: none */
};
struct bench_run bench_start(int pid);
void bench_report(const struct bench_run *b, const char *what, double n);
