/* bench.c - options, time, CPU of a process. */
#include "bench/bench.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static char **words;
static int n_words;
static bool known[64];

void bench_options(int argc, char **argv)
{
    words = argv + 1;
    n_words = argc - 1;
    if (n_words % 2 || n_words > 64) {
        fprintf(stderr, "%s: options are --name value pairs\n", argv[0]);
        exit(2);
    }
}

const char *bench_text(const char *name, const char *otherwise)
{
    for (int i = 0; i < n_words; i += 2)
        if (!strncmp(words[i], "--", 2) && !strcmp(words[i] + 2, name)) {
            known[i] = true;
            return words[i + 1];
        }
    return otherwise;
}

unsigned long bench_number(const char *name, unsigned long otherwise)
{
    const char *s = bench_text(name, NULL);

    return s ? strtoul(s, NULL, 0) : otherwise;
}

void bench_done(void)
{
    for (int i = 0; i < n_words; i += 2)
        if (!known[i]) {
            fprintf(stderr, "unknown option %s\n", words[i]);
            exit(2);
        }
}

uint64_t bench_now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

double bench_cpu_s(int pid)
{
    char path[64], line[1024], *p;
    unsigned long user = 0, system = 0;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/stat", pid ? pid : (int)getpid());
    f = fopen(path, "r");
    if (!f)
        return 0;
    p = fgets(line, sizeof(line), f) ? strrchr(line, ')') : NULL;
    fclose(f);
    if (p)
        sscanf(p, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

long bench_memory_kb(int pid)
{
    char path[64], line[256];
    long sum = 0, kb;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
    f = fopen(path, "r");
    if (!f)
        return 0;
    while (fgets(line, sizeof(line), f))
        if (sscanf(line, "Private_Clean: %ld", &kb) == 1 ||
            sscanf(line, "Private_Dirty: %ld", &kb) == 1 || sscanf(line, "Swap: %ld", &kb) == 1)
            sum += kb;
    fclose(f);
    return sum;
}

void bench_files_max(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

void bench_fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

static volatile sig_atomic_t told_to_begin, told_to_end;

static void on_signal(int number)
{
    if (number == SIGUSR1)
        told_to_begin = 1;
    else
        told_to_end = 1;
}

void bench_obey(void)
{
    signal(SIGUSR1, on_signal);
    signal(SIGTERM, on_signal);
}

bool bench_begins(void)
{
    bool begins = told_to_begin;

    told_to_begin = 0;
    return begins;
}

bool bench_is_over(void)
{
    return told_to_end;
}

uint32_t bench_source(size_t client, size_t per_address)
{
    return 0x7f010001u + (uint32_t)(client / per_address);
}

struct bench_run bench_start(int pid)
{
    return (struct bench_run){bench_now_ns(), bench_cpu_s(0), pid ? bench_cpu_s(pid) : 0, pid};
}

void bench_report(const struct bench_run *b, const char *what, double n)
{
    double seconds = (double)(bench_now_ns() - b->start_ns) / 1e9;
    double server = b->pid ? bench_cpu_s(b->pid) - b->server_cpu : 0;

    printf(
        "{\"what\": \"%s\", \"n\": %.0f, \"seconds\": %.3f, \"rate\": %.0f, \"own_cpu_us\": %.2f, "
        "\"server_cpu_us\": %.2f, \"server_kb\": %ld}\n",
        what, n, seconds, n / seconds, n > 0 ? (bench_cpu_s(0) - b->own_cpu) * 1e6 / n : 0,
        n > 0 ? server * 1e6 / n : 0, b->pid ? bench_memory_kb(b->pid) : 0);
    fflush(stdout);
}
