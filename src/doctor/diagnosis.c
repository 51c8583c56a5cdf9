/* diagnosis.c - every rule over every story, consequences taken out, alike phones put together; see
 * diagnosis.h. */
#include "doctor/check/check.h"

#include <errno.h>
#include <stdlib.h>

static const struct rule *const phone_rules[] = {
    link_rules, dhcp_rules,         dns_rules,       tftp_rules, files_rules, path_rules,
    tcp_rules,  registration_rules, keepalive_rules, move_rules, pair_rules,
};

static const struct {
    enum cause strong, weak;
} shadows[] = {
#define SHADOW(s, w) {CAUSE_##s, CAUSE_##w},
#include "doctor/shadows.def"
#undef SHADOW
};

static struct finding *room(struct diagnosis *d)
{
    size_t size = d->size ? d->size * 2 : 64;
    struct finding *bigger;

    if (d->n < d->size)
        return &d->findings[d->n];
    if (!(bigger = realloc(d->findings, size * sizeof(*bigger))))
        return NULL;
    d->findings = bigger;
    d->size = size;
    return &d->findings[d->n];
}

static int apply(struct diagnosis *d, const struct scene *c, const struct rule *rule)
{
    for (; rule->holds; rule++) {
        struct finding *f = room(d);

        if (!f)
            return -ENOMEM;
        *f = (struct finding){.cause = rule->cause,
                              .severity = cause_row(rule->cause)->severity,
                              .certain = true,
                              .n_times = 1,
                              .phone = c->story ? c->story->id : 0};
        d->n += rule->holds(c, f);
    }
    return 0;
}

static bool is_there(const struct finding *f, size_t n, enum cause c)
{
    for (size_t i = 0; i < n; i++)
        if (f[i].cause == c && f[i].certain)
            return true;
    return false;
}

/* Rules of one capture and of two may find the same: the certain one is kept. */
static bool is_repeated(const struct finding *f, size_t i, size_t n)
{
    for (size_t k = 0; k < n; k++)
        if (k != i && f[k].cause == f[i].cause &&
            (f[k].certain > f[i].certain || (f[k].certain == f[i].certain && k < i)))
            return true;
    return false;
}

static void drop_repeated(struct diagnosis *d, size_t first)
{
    struct finding *f = d->findings + first;
    size_t n = d->n - first, kept = 0;
    bool repeated[64] = {false};

    for (size_t i = 0; i < n && i < 64; i++)
        repeated[i] = is_repeated(f, i, n);
    for (size_t i = 0; i < n; i++)
        if (i >= 64 || !repeated[i])
            f[kept++] = f[i];
    d->n = first + kept;
}

/* Consequences of what is certain are not told. */
static void drop_shadowed(struct diagnosis *d, size_t first)
{
    struct finding *f = d->findings + first;
    size_t n = d->n - first, kept = 0;
    bool drop[N_CAUSES] = {false};

    for (size_t i = 0; i < sizeof(shadows) / sizeof(*shadows); i++)
        if (is_there(f, n, shadows[i].strong))
            drop[shadows[i].weak] = true;
    for (size_t i = 0; i < n; i++)
        if (!drop[f[i].cause])
            f[kept++] = f[i];
    d->n = first + kept;
}

/* Certain before doubtful, grave before harmless, early stages before late ones. */
static int by_weight(const void *x, const void *y)
{
    const struct finding *a = x, *b = y;

    if (a->certain != b->certain)
        return a->certain ? -1 : 1;
    if (a->severity != b->severity)
        return (int)b->severity - (int)a->severity;
    return (int)a->cause - (int)b->cause;
}

static bool suffers(const struct diagnosis *d, size_t first)
{
    for (size_t i = first; i < d->n; i++)
        if (d->findings[i].severity != SEVERITY_HINT)
            return true;
    return false;
}

/* What did not keep the phone from registering is not why it does not. */
static void weigh_by_outcome(struct diagnosis *d, size_t first, const struct story *s)
{
    for (size_t i = first; i < d->n; i++)
        if (d->findings[i].severity == SEVERITY_FATAL && registered_despite(s, &d->findings[i]))
            d->findings[i].severity = SEVERITY_HARM;
}

static bool is_unclear(const struct finding *f)
{
    return f->cause == CAUSE_CANNOT_TELL || f->cause == CAUSE_CAPTURE_ONE_SIDED;
}

/* Shows of one direction only: the other side's answers are acted upon and not there. */
static bool one_sided(const struct story *s)
{
    unsigned proofs = 0, both = 0;

    for (unsigned i = 0; i < s->n_peers; i++) {
        proofs += s->peers[i].opened.n && !s->peers[i].accepted.n && s->peers[i].from_phone;
        proofs += !s->peers[i].opened.n && s->peers[i].accepted.n;
        proofs += s->peers[i].from_phone && !s->peers[i].from_server && s->peers[i].lost.n > 1;
        both += s->peers[i].from_phone && s->peers[i].from_server;
    }
    for (unsigned i = 0; i < s->n_files; i++) {
        proofs += !s->files[i].http && s->files[i].acks.n && !s->files[i].data.n;
        both += s->files[i].data.n && s->files[i].acks.n;
    }
    return proofs && !both;
}

static bool hears_anything(const struct story *s)
{
    if (s->dhcp.offer.n || s->dhcp.ack.n || s->dhcp.nak.n || s->closed.n || s->barred.n)
        return true;
    for (unsigned i = 0; i < s->n_files; i++)
        if (s->files[i].answered || s->files[i].closed.n)
            return true;
    for (unsigned i = 0; i < s->n_dns; i++)
        if (s->dns[i].answered.n)
            return true;
    for (unsigned i = 0; i < s->n_peers; i++)
        if (s->peers[i].from_server || s->peers[i].accepted.n || s->peers[i].refused.n)
            return true;
    return false;
}

/* It requests an address that nobody offered, or sends files' requests to a station whose MAC
 * address nobody told: it was answered, and of the answers none is in the capture. */
static bool acts_on_the_unseen(const struct story *s)
{
    const struct story_dhcp *d = &s->dhcp;

    if (hears_anything(s))
        return false;
    if (d->discover.n && d->request.last.ns > d->discover.first.ns)
        return true;
    for (unsigned i = 0; i < s->n_files; i++)
        if (s->arp_silent && s->files[i].asked.last.ns > s->arp_asked.first.ns)
            return true;
    return false;
}

static bool lossy(const struct story *s)
{
    for (unsigned i = 0; i < s->n_peers; i++)
        if (s->peers[i].lost.n)
            return true;
    return false;
}

static int diagnose_phone(struct diagnosis *d, struct scene *c)
{
    size_t first = d->n;
    int err = 0;

    c->one_sided = one_sided(c->story) || (!c->facts->told && acts_on_the_unseen(c->story));
    c->lossy = lossy(c->story);
    for (size_t i = 0; i < sizeof(phone_rules) / sizeof(*phone_rules) && !err; i++)
        err = apply(d, c, phone_rules[i]);
    drop_repeated(d, first);
    drop_shadowed(d, first);
    weigh_by_outcome(d, first, c->story);
    if (!err && d->n == first)
        err = apply(d, c, capture_rules); /* HEALTHY or CANNOT_TELL */
    if (d->n > first)
        qsort(d->findings + first, d->n - first, sizeof(*d->findings), by_weight);
    d->n_phones++;
    if (d->n > first && is_unclear(&d->findings[first]))
        d->n_unclear++;
    else
        d->n_well += !suffers(d, first);
    return err;
}

int diagnose(const struct timeline *t, const struct diagnose_options *o, struct diagnosis *ret)
{
    static const struct diagnose_options none;
    struct scene c = {.timeline = t, .facts = timeline_facts(t), .options = o ? o : &none};
    struct diagnosis d = {0};
    size_t at = 0;
    int err = apply(&d, &c, wide_rules);

    find_silences(&c);
    while (!err && (c.story = timeline_next(t, &at)))
        err = diagnose_phone(&d, &c);
    if (!err)
        err = make_cohorts(&d, t);
    if (err) {
        diagnosis_done(&d);
        return err;
    }
    *ret = d;
    return 0;
}

void diagnosis_done(struct diagnosis *d)
{
    free(d->findings);
    free(d->cohorts);
    free(d->order);
    *d = (struct diagnosis){0};
}

const struct finding *diagnosis_of(const struct diagnosis *d, uint64_t phone, size_t *n)
{
    size_t first = 0, last;

    while (first < d->n && d->findings[first].phone != phone)
        first++;
    for (last = first; last < d->n && d->findings[last].phone == phone; last++)
        ;
    *n = last - first;
    return d->findings + first;
}
