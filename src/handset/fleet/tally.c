/* tally.c - counting, joining and printing what a fleet did; see tally.h. */
#include "handset/fleet/tally.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const time_names[N_TIMES] = {"address", "files",     "connect", "register",
                                                "total",   "keepalive", "return"};

void tally_init(struct tally *t)
{
    *t = (struct tally){0};
    for (unsigned i = 0; i < N_TIMES; i++)
        samples_init(&t->times[i], TALLY_SAMPLES);
}

void tally_done(struct tally *t)
{
    for (unsigned i = 0; i < N_TIMES; i++)
        samples_done(&t->times[i]);
}

void tally_refusal(struct tally *t, struct text words, uint32_t n)
{
    uint32_t i = 0;

    while (i < t->n_refusals && !text_is(words, t->refusals[i].text))
        i++;
    if (i == TALLY_REFUSALS)
        return;
    if (i == t->n_refusals) {
        text_copy(t->refusals[i].text, sizeof(t->refusals[i].text), words);
        t->n_refusals++;
    }
    t->refusals[i].n += n;
}

void tally_join(struct tally *sum, const struct tally *t)
{
    sum->count += t->count;
    sum->registered_once += t->registered_once;
    sum->registered_now += t->registered_now;
    sum->refused += t->refused;
    sum->lost += t->lost;
    sum->no_server += t->no_server;
    sum->reboots += t->reboots;
    sum->keepalives += t->keepalives;
    if (t->first_us && (!sum->first_us || t->first_us < sum->first_us))
        sum->first_us = t->first_us;
    if (t->last_us > sum->last_us)
        sum->last_us = t->last_us;
    for (uint32_t i = 0; i < t->n_refusals && i < TALLY_REFUSALS; i++)
        tally_refusal(sum, text_of(t->refusals[i].text), t->refusals[i].n);
    for (unsigned i = 0; i < N_TIMES; i++)
        samples_join(&sum->times[i], t->times[i].values, t->times[i].n);
}

static double rate(const struct tally *t)
{
    double s = (double)(t->last_us - t->first_us) / 1e6;

    return t->registered_once && s > 0 ? t->registered_once / s : 0;
}

static void print_people(struct tally *t)
{
    printf("%u phones: %u registered in %.3f s (%.0f/s), %u registered now, %u refused, %u losses, "
           "%u restarts\n",
           t->count, t->registered_once,
           t->registered_once ? (double)(t->last_us - t->first_us) / 1e6 : 0, rate(t),
           t->registered_now, t->refused, t->lost, t->reboots);
    printf("%-10s %10s %10s %10s %10s   milliseconds\n", "stage", "n", "p50", "p99", "max");
    for (unsigned i = 0; i < N_TIMES; i++)
        if (t->times[i].n)
            printf("%-10s %10llu %10.2f %10.2f %10.2f\n", time_names[i],
                   (unsigned long long)t->times[i].n_all,
                   samples_percentile(&t->times[i], 50) / 1e3,
                   samples_percentile(&t->times[i], 99) / 1e3,
                   samples_percentile(&t->times[i], 100) / 1e3);
    for (uint32_t i = 0; i < t->n_refusals; i++)
        printf("refused %u times: %s\n", t->refusals[i].n, t->refusals[i].text);
    if (t->no_server)
        printf("no server could be reached %u times\n", t->no_server);
}

static void print_json(struct tally *t)
{
    json_t *root = json_pack(
        "{s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:I,s:f,s:f}", "phones", t->count, "registered",
        t->registered_once, "registered_now", t->registered_now, "refused", t->refused, "losses",
        t->lost, "restarts", t->reboots, "no_server", t->no_server, "keepalives",
        (json_int_t)t->keepalives, "seconds",
        t->registered_once ? (double)(t->last_us - t->first_us) / 1e6 : 0, "per_second", rate(t));
    json_t *stages = json_object(), *refusals = json_array();

    for (unsigned i = 0; i < N_TIMES; i++)
        json_object_set_new(stages, time_names[i],
                            json_pack("{s:I,s:f,s:f,s:f}", "n", (json_int_t)t->times[i].n_all,
                                      "p50_ms", samples_percentile(&t->times[i], 50) / 1e3,
                                      "p99_ms", samples_percentile(&t->times[i], 99) / 1e3,
                                      "max_ms", samples_percentile(&t->times[i], 100) / 1e3));
    for (uint32_t i = 0; i < t->n_refusals; i++)
        json_array_append_new(refusals,
                              json_pack("{s:s%,s:i}", "text", t->refusals[i].text,
                                        strlen(t->refusals[i].text), "n", t->refusals[i].n));
    json_object_set_new(root, "stages", stages);
    json_object_set_new(root, "refusals", refusals);
    json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    putchar('\n');
    json_decref(root);
}

void tally_print(struct tally *t, bool json)
{
    if (json)
        print_json(t);
    else
        print_people(t);
}

static bool write_all(int fd, const void *bytes, size_t n)
{
    for (const char *at = bytes; n;) {
        ssize_t done = write(fd, at, n);

        if (done <= 0)
            return false;
        at += done;
        n -= (size_t)done;
    }
    return true;
}

static bool read_all(int fd, void *bytes, size_t n)
{
    for (char *at = bytes; n;) {
        ssize_t done = read(fd, at, n);

        if (done <= 0)
            return false;
        at += done;
        n -= (size_t)done;
    }
    return true;
}

bool tally_send(const struct tally *t, int fd)
{
    bool fine = write_all(fd, t, sizeof(*t));

    for (unsigned i = 0; i < N_TIMES && fine; i++)
        fine = write_all(fd, t->times[i].values, t->times[i].n * sizeof(uint32_t));
    return fine;
}

bool tally_receive(struct tally *sum, int fd)
{
    struct tally t;
    bool fine = read_all(fd, &t, sizeof(t));

    for (unsigned i = 0; i < N_TIMES; i++) /* the pointers are the other process's */
        t.times[i].values = fine ? malloc(t.times[i].n * sizeof(uint32_t) + 1) : NULL;
    for (unsigned i = 0; i < N_TIMES && fine; i++)
        fine =
            t.times[i].values && read_all(fd, t.times[i].values, t.times[i].n * sizeof(uint32_t));
    if (fine)
        tally_join(sum, &t);
    for (unsigned i = 0; i < N_TIMES; i++)
        free(t.times[i].values);
    return fine;
}
