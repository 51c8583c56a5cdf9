#include "doctor/pair/pair.h"

#include <errno.h>
#include <stdlib.h>

#include "doctor/pair/parts.h"
#include "doctor/source.h"

struct feeder { /* context of a capture's packets */
    struct pair *pair;
    uint8_t capture;
};

/* -- passes --------------------------------------------------------------------------------- */

static void on_sample(void *context, const struct place *at, const struct packet *k)
{
    struct feeder *f = context;
    struct clock_sample s = {pair_fingerprint(k), at->time_ns, k->ip_id,
                             pair_way_of(f->pair, f->capture, k)};

    clock_samples_add(&f->pair->samples[f->capture], &s);
}

static void on_packet(void *context, const struct place *at, const struct packet *k)
{
    struct feeder *f = context;

    pair_take(f->pair, &(struct event){.fingerprint = pair_fingerprint(k),
                                       .number = at->number,
                                       .time_ns = at->time_ns,
                                       .from = k->from,
                                       .to = k->to,
                                       .ip_id = k->ip_id,
                                       .sequence = k->tcp_sequence,
                                       .capture = f->capture,
                                       .length = (uint32_t)k->payload.len + k->missing,
                                       .dscp = k->dscp,
                                       .ttl = k->ttl,
                                       .protocol = k->protocol,
                                       .way = pair_way_of(f->pair, f->capture, k)});
}

static void no_sight(void *context, const struct sight *s)
{
}

static void read_all(struct source *s, struct capture *c)
{
    struct record r;

    while (source_next(s, &r))
        capture_packet(c, &r, source_number(s));
}

/* The first pass over a file. */
static int sample(struct pair *p, const char *path, uint8_t number, const struct capture_options *o)
{
    struct feeder feeder = {p, number};
    struct capture_options mine = *o;
    struct source *s;
    int err = source_open(path, &s);

    if (err < 0)
        return err;
    mine.on_packet = on_sample;
    mine.packet_context = &feeder;
    clock_samples_init(&p->samples[number]);
    p->captures[number] = capture_new(&mine, no_sight, NULL);
    if (p->captures[number]) {
        read_all(s, p->captures[number]);
        capture_note_source(p->captures[number], s);
        p->facts.totals[number] = *capture_totals(p->captures[number]);
    }
    source_close(s);
    err = p->captures[number] ? 0 : -ENOMEM;
    capture_free(p->captures[number]);
    p->captures[number] = NULL;
    return err;
}

/* Clocks, and the time in which both captures ran. */
static void set_clock(struct pair *p)
{
    const struct capture_totals *t = p->facts.totals;
    int64_t first, last;

    p->clock = pair_clock_of(p->samples);
    first = capture_clock_shift(&p->clock.shift, t[1].first_ns);
    last = capture_clock_shift(&p->clock.shift, t[1].last_ns);
    p->facts.joined = p->clock.n > 0;
    p->facts.one_way_clock = p->clock.one_way;
    p->facts.first_ns = t[0].first_ns > first ? t[0].first_ns : first;
    p->facts.last_ns = t[0].last_ns < last ? t[0].last_ns : last;
    p->facts.offset_ns = t[1].first_ns - first;
    p->facts.drift_ppm = p->clock.shift.drift * 1e6;
}

/* Both files at once, by time. */
static void read_both(struct pair *p, struct source *s[2])
{
    struct record r[2];
    bool more[2];

    for (int i = 0; i < 2; i++)
        more[i] = source_next(s[i], &r[i]);
    while (more[0] || more[1]) {
        int next = !more[0] ||
                   (more[1] && capture_clock_shift(&p->clock.shift, r[1].time_ns) < r[0].time_ns);

        capture_packet(p->captures[next], &r[next], source_number(s[next]));
        more[next] = source_next(s[next], &r[next]);
    }
    for (int i = 0; i < 2; i++)
        capture_end(p->captures[i]);
}

static int by_number(const void *a, const void *b)
{
    const struct pair_loss *x = a, *y = b;

    if (x->way != y->way)
        return x->way < y->way ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

static int join(struct pair *p, const char *const files[2], const struct capture_options *o,
                sight_fn on_sight, void *context, int *failed)
{
    struct feeder feeders[2] = {{p, 0}, {p, 1}};
    struct source *s[2] = {0};
    int err = 0;

    for (int i = 0; i < 2 && !err; i++) {
        struct capture_options mine = *o;

        *failed = i;
        mine.number = (uint8_t)i;
        mine.first_flow = i ? 0x80000000u : 0;
        mine.clock = i ? p->clock.shift : (struct capture_clock){0};
        mine.on_packet = on_packet;
        mine.packet_context = &feeders[i];
        p->captures[i] = capture_new(&mine, on_sight ? on_sight : no_sight, context);
        err = p->captures[i] ? source_open(files[i], &s[i]) : -ENOMEM;
    }
    if (!err)
        read_both(p, s);
    for (int i = 0; i < 2; i++) {
        if (p->captures[i] && s[i])
            capture_note_source(p->captures[i], s[i]);
        if (p->captures[i])
            p->facts.totals[i] = *capture_totals(p->captures[i]);
        source_close(s[i]);
    }
    pair_expire(p, INT64_MAX / 2);
    pair_count_alone(p);
    if (p->n_losses)
        qsort(p->losses, p->n_losses, sizeof(*p->losses), by_number);
    p->facts.hops =
        p->n_hops ? (int)((p->hops_sum + (int64_t)p->n_hops / 2) / (int64_t)p->n_hops) : -1;
    return err;
}

/* -- life ----------------------------------------------------------------------------------- */

static struct pair *pair_new(void)
{
    struct pair *p = calloc(1, sizeof(*p));

    if (!p)
        return NULL;
    pair_maps_init(p);
    for (int i = 0; i < 2; i++)
        list_init(&p->queues[i]);
    pool_init(&p->waiting, sizeof(struct event), PAIR_WAITING_MAX);
    p->samples = calloc(2, sizeof(*p->samples));
    p->buckets = malloc(BUCKETS * sizeof(*p->buckets));
    p->flows =
        calloc(PAIR_FLOWS_MAX, sizeof(*p->flows)); /* pages that are never touched cost nothing */
    if (!p->samples || !p->buckets || !p->flows) {
        pair_free(p);
        return NULL;
    }
    for (size_t i = 0; i < BUCKETS; i++)
        list_init(&p->buckets[i]);
    return p;
}

static void free_values(struct map *m)
{
    size_t cursor = 0;
    void *value;

    while ((value = map_next(m, &cursor)))
        free(value);
    map_done(m);
}

void pair_free(struct pair *p)
{
    if (!p)
        return;
    for (int i = 0; i < 2; i++) {
        capture_free(p->captures[i]);
        free_values(&p->hosts[i]);
        free_values(&p->flows_by[i]);
        free(p->joined[i].at);
    }
    pool_done(&p->waiting);
    free(p->samples);
    free(p->buckets);
    free(p->flows);
    free(p->losses);
    free(p);
}

static int sample_both(struct pair *p, const char *const files[2], const struct capture_options *o,
                       int *failed)
{
    int err = 0;

    for (int i = 0; i < 2 && !err; i++) {
        *failed = i;
        err = sample(p, files[i], (uint8_t)i, o);
    }
    if (!err)
        set_clock(p);
    return err;
}

int pair_read(const char *const files[2], const struct capture_options *o, sight_fn on_sight,
              void *context, struct pair **ret, int *failed)
{
    struct pair *p = pair_new();
    int err = p ? sample_both(p, files, o, failed) : -ENOMEM;

    if (!err) {
        free(p->samples);
        p->samples = NULL;
        err = join(p, files, o, on_sight, context, failed);
    }
    if (err) {
        pair_free(p);
        return err;
    }
    *ret = p;
    return 0;
}

/* -- answers -------------------------------------------------------------------------------- */

const struct pair_facts *pair_facts(const struct pair *p)
{
    return &p->facts;
}

enum pair_fate pair_fate(const struct pair *p, uint8_t capture, uint64_t number)
{
    struct pair_loss key = {.number = number, .way = capture == 0 ? PAIR_TO_SERVER : PAIR_TO_PHONE};

    if (capture > 1)
        return PAIR_UNKNOWN;
    if (number / 8 < p->joined[capture].size &&
        p->joined[capture].at[number / 8] >> (number % 8) & 1)
        return PAIR_ARRIVED;
    return p->n_losses && bsearch(&key, p->losses, p->n_losses, sizeof(key), by_number)
               ? PAIR_LOST
               : PAIR_UNKNOWN;
}

const struct pair_loss *pair_losses(const struct pair *p, size_t *n)
{
    *n = p->n_losses;
    return p->losses;
}

const struct pair_flow *pair_flows(const struct pair *p, size_t *n)
{
    *n = p->n_flows;
    return p->flows;
}
