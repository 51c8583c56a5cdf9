/* curve.c - measuring; see curve.h. */
#include "lab/curve.h"

#include <stdlib.h>

void curve_hear(struct curve *c, uint64_t us, unsigned node, unsigned registered)
{
    if (c->n_heard == c->room) {
        size_t room = c->room ? 2 * c->room : 256;
        struct curve_heard *more = realloc(c->heard, room * sizeof(*more));

        if (!more)
            return;
        c->heard = more;
        c->room = room;
    }
    c->heard[c->n_heard++] = (struct curve_heard){us, node, registered};
}

void curve_done(struct curve *c)
{
    free(c->heard);
    c->heard = NULL;
}

/* -- times ---------------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static struct curve_times times_of(double *seconds, unsigned n)
{
    struct curve_times t = {.n = n};

    if (!n)
        return t;
    qsort(seconds, n, sizeof(*seconds), by_value);
    t.p50 = seconds[(n - 1) / 2];
    t.p99 = seconds[(n * 99ull + 99) / 100 - 1];
    t.last = seconds[n - 1];
    return t;
}

struct passage { /* of a phone through a phase; 0: did not happen */
    uint64_t noticed_us, asked_us, there_us;
};

static void follow(const struct curve_phase *phase, const struct crowd *crowd, struct passage *p)
{
    for (size_t i = 0; i < crowd->n_events; i++) {
        const struct crowd_event *e = &crowd->events[i];
        struct passage *x = &p[e->phone];

        if (e->us < phase->begun_us || e->us > phase->ended_us || x->there_us)
            continue;
        if (e->what == CROWD_LOST && !x->noticed_us)
            x->noticed_us = e->us;
        if (e->what == CROWD_ASKED)
            x->asked_us = e->us;
        if (e->what == CROWD_REGISTERED && e->server == phase->node)
            x->there_us = e->us;
    }
}

void curve_measure(const struct curve *c, const struct curve_phase *phase,
                   const struct crowd *crowd, struct curve_times ret[N_CURVE_TIMES])
{
    struct passage *p = calloc(crowd->count, sizeof(*p));
    double *s[N_CURVE_TIMES];
    unsigned n[N_CURVE_TIMES] = {0};

    for (int k = 0; k < N_CURVE_TIMES; k++)
        s[k] = calloc(crowd->count, sizeof(double));
    if (p && s[0] && s[1] && s[2]) {
        follow(phase, crowd, p);
        for (unsigned i = 0; i < crowd->count; i++) {
            uint64_t from = p[i].noticed_us ? p[i].noticed_us : p[i].asked_us;

            if (p[i].noticed_us)
                s[0][n[0]++] = (double)(p[i].noticed_us - phase->begun_us) / 1e6;
            if (p[i].there_us && from)
                s[1][n[1]++] = (double)(p[i].there_us - from) / 1e6;
            if (p[i].there_us)
                s[2][n[2]++] = (double)(p[i].there_us - phase->begun_us) / 1e6;
        }
    }
    for (int k = 0; k < N_CURVE_TIMES; k++) {
        ret[k] = times_of(s[k], n[k]);
        free(s[k]);
    }
    free(p);
}
