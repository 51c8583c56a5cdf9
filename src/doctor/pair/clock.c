#include "doctor/pair/clock.h"

#include <stdlib.h>

#include "doctor/pair/pair.h"

#define PARTS      16            /* of the whole time, each with an estimate of its own */
#define FAR_NS     10000000000ll /* from the middle of all differences: not the same packet */
#define DRIFT_SPAN 60000000000ll /* in less time no drift can be told from noise */

struct difference {
    int64_t time_ns, ns; /* clock of capture 0; what capture 1's says more */
    uint8_t way;
};

struct part {
    int64_t time_ns, up_ns, down_ns; /* the least to the server, the most to the phone */
    bool up, down;
};

/* -- samples -------------------------------------------------------------------------------- */

void clock_samples_init(struct clock_samples *s)
{
    s->limit = UINT64_MAX;
    s->n = 0;
}

void clock_samples_add(struct clock_samples *s, const struct clock_sample *sample)
{
    size_t n = 0;

    if (sample->fingerprint > s->limit)
        return;
    while (s->n == CLOCK_SAMPLES) {
        s->limit /= 2;
        for (size_t i = n = 0; i < s->n; i++)
            if (s->at[i].fingerprint <= s->limit)
                s->at[n++] = s->at[i];
        s->n = n;
    }
    if (sample->fingerprint <= s->limit)
        s->at[s->n++] = *sample;
}

static int by_fingerprint(const void *a, const void *b)
{
    const struct clock_sample *x = a, *y = b;

    if (x->fingerprint != y->fingerprint)
        return x->fingerprint < y->fingerprint ? -1 : 1;
    return x->time_ns < y->time_ns ? -1 : x->time_ns > y->time_ns;
}

static size_t same(const struct clock_samples *s, size_t from)
{
    size_t n = 1;

    while (from + n < s->n && s->at[from + n].fingerprint == s->at[from].fingerprint)
        n++;
    return n;
}

/* Packets that are as often in each: requests sent again are alike, the first of one is the first
 * of the other. `*kept` counts those whose IP id is the same. */
static size_t join(const struct clock_samples s[2], struct difference *to, size_t *kept)
{
    size_t n = 0, i = 0, k = 0;

    while (i < s[0].n && k < s[1].n) {
        const struct clock_sample *a = &s[0].at[i], *b = &s[1].at[k];
        size_t na = same(&s[0], i), nb = same(&s[1], k);

        for (size_t m = 0; a->fingerprint == b->fingerprint && na == nb && m < na; m++) {
            to[n++] = (struct difference){a[m].time_ns, b[m].time_ns - a[m].time_ns,
                                          a[m].way < N_PAIR_WAYS ? a[m].way : b[m].way};
            *kept += a[m].ip_id == b[m].ip_id;
        }
        if (a->fingerprint <= b->fingerprint)
            i += na;
        if (b->fingerprint <= a->fingerprint)
            k += nb;
    }
    return n;
}

/* -- clocks --------------------------------------------------------------------------------- */

static int by_difference(const void *a, const void *b)
{
    const struct difference *x = a, *y = b;

    return x->ns < y->ns ? -1 : x->ns > y->ns;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static double median(double *values, size_t n)
{
    qsort(values, n, sizeof(*values), by_value);
    return values[n / 2];
}

static void take(struct part *p, const struct difference *d)
{
    if (d->way == PAIR_TO_PHONE) {
        p->down_ns = p->down && p->down_ns > d->ns ? p->down_ns : d->ns;
        p->down = true;
    } else {
        p->up_ns = p->up && p->up_ns < d->ns ? p->up_ns : d->ns;
        p->up = true;
    }
}

/* The difference of the clocks in a part: delays count once with each sign. */
static double middle(const struct part *p)
{
    return p->up && p->down ? ((double)p->up_ns + (double)p->down_ns) / 2
                            : (double)(p->up ? p->up_ns : p->down_ns);
}

/* Parts of the time that have packets; of both directions wherever there are any of both. */
static size_t divide(const struct difference *d, size_t n, struct part parts[PARTS], bool *one_way)
{
    int64_t first = INT64_MAX, last = INT64_MIN;
    size_t kept = 0, both = 0;

    memset(parts, 0, PARTS * sizeof(*parts));
    for (size_t i = 0; i < n; i++) {
        first = d[i].time_ns < first ? d[i].time_ns : first;
        last = d[i].time_ns > last ? d[i].time_ns : last;
    }
    for (size_t i = 0; i < n; i++)
        take(
            &parts[(size_t)((double)(d[i].time_ns - first) / ((double)(last - first) + 1) * PARTS)],
            &d[i]);
    for (size_t i = 0; i < PARTS; i++) {
        parts[i].time_ns = first + (int64_t)((double)(last - first) * ((double)i + 0.5) / PARTS);
        both += parts[i].up && parts[i].down;
    }
    *one_way = !both;
    for (size_t i = 0; i < PARTS; i++)
        if (both ? parts[i].up && parts[i].down : parts[i].up || parts[i].down)
            parts[kept++] = parts[i];
    return kept;
}

/* The slope that half of all pairs of parts exceed (Theil and Sen): a few wrong ones do not move
 * it. */
static double slope(const struct part *p, size_t n)
{
    double slopes[PARTS * PARTS];
    size_t m = 0;

    for (size_t i = 0; i < n; i++)
        for (size_t k = i + 1; k < n; k++)
            slopes[m++] = (middle(&p[k]) - middle(&p[i])) / (double)(p[k].time_ns - p[i].time_ns);
    return m ? median(slopes, m) : 0;
}

/* The offset at the first part with this drift, and how far the parts are from it. */
static double fit(const struct part *p, size_t n, double drift, double *error)
{
    double values[PARTS], offset;

    for (size_t i = 0; i < n; i++)
        values[i] = middle(&p[i]) - drift * (double)(p[i].time_ns - p[0].time_ns);
    offset = median(values, n);
    for (size_t i = 0; i < n; i++)
        values[i] = values[i] < offset ? offset - values[i] : values[i] - offset;
    *error = median(values, n);
    return offset;
}

static struct capture_clock clock_of(const struct part *p, size_t n)
{
    double drift = p[n - 1].time_ns - p[0].time_ns > DRIFT_SPAN ? slope(p, n) : 0, with, without,
           offset;
    double still = fit(p, n, 0, &without);

    offset = fit(p, n, drift, &with);
    if (drift == 0 || with > without / 2)
        return (struct capture_clock){.base_ns = p[0].time_ns, .offset_ns = (int64_t)still};
    return (struct capture_clock){
        .base_ns = p[0].time_ns, .offset_ns = (int64_t)offset, .drift = drift};
}

struct pair_clock pair_clock_of(struct clock_samples samples[2])
{
    struct difference *d = malloc(CLOCK_SAMPLES * sizeof(*d));
    struct pair_clock ret = {0};
    struct part parts[PARTS];
    size_t kept = 0, n, from = 0;
    int64_t centre;

    if (!d)
        return ret;
    for (int i = 0; i < 2; i++)
        qsort(samples[i].at, samples[i].n, sizeof(samples[i].at[0]), by_fingerprint);
    n = join(samples, d, &kept);
    if (n) {
        ret.ids_kept = kept * 10 >= n * 9;
        qsort(d, n, sizeof(*d), by_difference);
        centre = d[n / 2].ns;
        while (d[from].ns < centre - FAR_NS)
            from++;
        while (d[n - 1].ns > centre + FAR_NS)
            n--;
        ret.n = n - from;
        n = divide(d + from, ret.n, parts, &ret.one_way);
        ret.shift = clock_of(parts, n);
    }
    free(d);
    return ret;
}
