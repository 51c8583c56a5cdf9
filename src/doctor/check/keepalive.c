/* keepalive.c - keepalives that are lost, late, or stop; and the two silences that have a
 * pattern. */
#include "doctor/check/check.h"

#include <stdio.h>

#define KEEPALIVE_BYTES 12 /* of SCCP, with its header */

static bool was_registered(const struct session *e)
{
    return !e->standby && (moment_is(e->accepted) || (e->middle && e->keepalives.answered.n));
}

static int64_t mean_interval(const struct keepalives *k)
{
    return k->n_intervals ? k->interval_sum_ns / k->n_intervals : 0;
}

/* Waits of the last keepalives that had to be repeated, oldest first; whether each is about twice
 * the one before. */
static bool doubles(const struct keepalives *k, int64_t *first, int64_t *last)
{
    unsigned n = k->n_delays < DELAYS_MAX ? k->n_delays : DELAYS_MAX, up = 0;

    *first = k->delays[(k->n_delays - n) % DELAYS_MAX];
    *last = k->delays[(k->n_delays - 1) % DELAYS_MAX];
    for (unsigned i = 1; i < n; i++) {
        int64_t a = k->delays[(k->n_delays - n + i - 1) % DELAYS_MAX],
                b = k->delays[(k->n_delays - n + i) % DELAYS_MAX];

        up += b > a + a / 2 && b < 3 * a;
    }
    return n >= 3 && up * 3 >= (n - 1) * 2;
}

/* Each keepalive needs exactly one repeat, nothing else does. */
static bool mac_ageing(const struct scene *c, struct finding *f)
{
    const struct story *s = c->story;
    char to[ENDPOINT_TEXT_MAX], a[24], b[24];

    for (unsigned i = 0; i < s->n_sessions; i++) {
        const struct session *e = &s->sessions[i];
        const struct keepalives *k = &e->keepalives;
        int64_t first, last;
        bool doubling;

        if (!was_registered(e) || k->again_streak_max < 3 ||
            k->n_again * 10 < (k->sent.n - 1) * 7 || k->n_lost > 1)
            continue;
        doubling = doubles(k, &first, &last);
        endpoint_words(&e->server, to);
        detail(f, "%s: %u of %u keepalives arrive at the second try%s", to, k->n_again, k->sent.n,
               doubling ? WORDS(", the wait doubles each time") : "");
        prove_spell(f, &k->again, "keepalive to %s sent again, and then answered", to);
        prove(f, k->again.last, "waits before the repeats: from %s to %s", seconds(first, a),
              seconds(last, b));
        if (doubling && e->end == SESSION_STANDS && k->n_intervals)
            prove(f, k->again.last,
                  "at this pace the wait passes the 15 s of grace after %u more "
                  "[keepalive|keepalives]",
                  last > 15 * SECOND ? 0
                                     : (unsigned)(__builtin_clzll((uint64_t)last) -
                                                  __builtin_clzll(15000000000ull) + 1));
        return true;
    }
    return false;
}

bool is_forgotten(const struct session *e)
{
    const struct keepalives *k = &e->keepalives;
    bool reset = e->end == SESSION_SERVER_RESET && e->ended.ns - k->pending.ns <= 2 * SECOND;
    bool silent = k->pending_again && !k->pending_acked &&
                  (e->end == SESSION_PHONE_CLOSED || e->end == SESSION_PHONE_RESET ||
                   e->end == SESSION_REPLACED);

    /* A pause that a mapping has survived is not too long for it. */
    return was_registered(e) && !k->answered.n && moment_is(k->pending) && (reset || silent);
}

/* After a pause the phone's packet is answered by a reset, or by nothing, and the next connection
 * is fine. */
static bool nat_timeout(const struct scene *c, struct finding *f)
{
    const struct story *s = c->story;
    const struct session *seen = NULL;
    unsigned n = 0;
    char to[ENDPOINT_TEXT_MAX];

    for (unsigned i = 0; i < s->n_sessions && !c->options->other; i++) /* else pair.c */
        if (is_forgotten(&s->sessions[i])) {
            seen = &s->sessions[i];
            n++;
        }
    if (n < 2 || c->one_sided)
        return false;
    detail(f, "%s, %u [time|times]", endpoint_words(&seen->server, to), n);
    prove(f, seen->keepalives.pending, "keepalive to %s after a pause", to);
    if (seen->end == SESSION_SERVER_RESET)
        prove(f, seen->ended, "answered by RST: the way has forgotten the connection");
    else
        prove(f, seen->keepalives.pending, "keepalive to %s, never answered", to);
    doubt(f, APART_SERVER_SIDE);
    return true;
}

/* Not even by TCP: no standby server, and none that answers no keepalives, is like that. */
static bool unacknowledged(const struct keepalives *k)
{
    return k->pending_again && !k->pending_acked;
}

/* Unanswered to the end, long enough to say so. */
static bool ends_unanswered(const struct scene *c, const struct session *e)
{
    const struct keepalives *k = &e->keepalives;
    struct moment until = e->end == SESSION_STANDS ? c->facts->last : e->ended;

    return moment_is(k->pending) && (k->answered.n || unacknowledged(k)) &&
           until.ns - k->pending.ns >= (k->pending_again ? 3 : 8) * SECOND;
}

/* Seen from the server: what it sends is repeated and never acknowledged, while the phone goes on
 * speaking, or may be there. */
static bool answers_unheard(const struct scene *c, struct finding *f)
{
    char to[ENDPOINT_TEXT_MAX];

    for (unsigned i = 0; i < c->story->n_peers; i++) {
        const struct peer *p = &c->story->peers[i];
        bool spoke = p->said.ns > p->repeats[1].since.ns;
        bool now = moment_is(p->repeats[1].since) && (spoke || p->stands);
        const struct repeat *r = now ? &p->repeats[1] : &p->unheard;

        if (!moment_is(r->since) || r->n < 2 || !is_signalling_port(p->server.port))
            continue;
        detail(f, "%s, its answers are not acknowledged", endpoint_words(&p->server, to));
        prove(f, r->since, "data of %s, sent again %u [time|times] and never acknowledged", to,
              r->n);
        if (now)
            forecast(f, r);
        f->apart = APART_PHONE_SIDE;
        f->certain = !now || spoke; /* else it may be without power */
        return true;
    }
    if (c->story->unheard[1].n < 3)
        return false;
    prove_spell(f, &c->story->unheard[1],
                "REGISTER sent once more though it was answered: the phone does not hear it");
    f->apart = APART_PHONE_SIDE;
    return true;
}

/* Seen from the server: the phone's parting words show that it had said something that never came.
 */
static bool words_missing(const struct scene *c, struct finding *f)
{
    char to[ENDPOINT_TEXT_MAX];

    for (unsigned i = 0; i < c->story->n_sessions; i++) {
        const struct session *e = &c->story->sessions[i];

        if (!was_registered(e) || e->end == SESSION_STANDS || !moment_is(e->missing.since) ||
            e->missing.length < KEEPALIVE_BYTES)
            continue;
        endpoint_words(&e->server, to);
        detail(f, "%u bytes never come, what follows them does", e->missing.length);
        prove(f, e->missing.since, "TCP with %s: %u bytes of %s are missing before this", to,
              e->missing.length, WORDS("the phone"));
        return true;
    }
    return false;
}

#define KEEPALIVE_FAILED 15 /* ReasonForOutOfService */

/* Servers that answer none at all may be as old as that (CallManager 2): there the phone's own
 * words count, which it says as soon as it is connected again. */
static bool missed_by_phone(const struct story *s, const struct session *e)
{
    for (unsigned i = 0; i < s->n_alarms; i++)
        if (s->alarms[i].code == KEEPALIVE_FAILED && s->alarms[i].seen.last.ns >= e->ended.ns &&
            s->alarms[i].seen.first.ns - e->ended.ns < 120 * SECOND)
            return e->end != SESSION_STANDS && e->keepalives.sent.n && !e->keepalives.answered.n;
    return false;
}

static bool keepalive_lost(const struct scene *c, struct finding *f)
{
    const struct story *s = c->story;
    char to[ENDPOINT_TEXT_MAX];

    if (c->one_sided)
        return false;
    for (unsigned i = 0; i < s->n_sessions; i++) {
        const struct session *e = &s->sessions[i];
        const struct keepalives *k = &e->keepalives;
        bool missed = missed_by_phone(s, e);
        unsigned n = missed ? k->sent.n : k->n_lost + ends_unanswered(c, e);

        if (!was_registered(e) || !n ||
            (!k->answered.n && k->n_lost < 2 && !unacknowledged(k) && !missed) ||
            (c->lossy && n < 3))
            continue;
        detail(f, "%s, %u of %u", endpoint_words(&e->server, to), n, k->sent.n);
        if (k->n_lost)
            prove_spell(f, &k->lost, "keepalive to %s, not answered before the next", to);
        if (ends_unanswered(c, e) || (missed && !k->n_lost))
            prove(f, missed ? k->sent.last : k->pending, "keepalive to %s, never answered", to);
        if (k->n_acked >= k->sent.n && k->n_acked)
            prove(f, k->sent.last,
                  "TCP acknowledges it: the host lives, its service does not answer");
        f->apart = APART_SERVER_SIDE;
        return true;
    }
    return answers_unheard(c, f) || (!c->lossy && words_missing(c, f));
}

static bool keepalive_stopped(const struct scene *c, struct finding *f)
{
    const struct story *s = c->story;
    char to[ENDPOINT_TEXT_MAX], gap[24], every[24];

    if (c->one_sided)
        return false;
    for (unsigned i = 0; i < s->n_sessions; i++) {
        const struct session *e = &s->sessions[i];
        const struct keepalives *k = &e->keepalives;
        int64_t interval = mean_interval(k) ? mean_interval(k) : (int64_t)e->interval_s * SECOND;
        struct moment last = k->sent.n ? k->sent.last : e->accepted;
        struct moment until = e->end == SESSION_STANDS ? c->facts->last : e->ended;
        int64_t enough = s->told ? interval : interval * 2; /* who tells of it gave it up */
        bool broken = e->end == SESSION_STANDS || e->end == SESSION_SERVER_CLOSED ||
                      e->end == SESSION_SERVER_RESET;

        if (interval > 86400 * SECOND || e->interval_s > 86400 ||
            (s->told && e->end == SESSION_STANDS))
            continue; /* nobody watches that long; and traces leave keepalives out */
        if (!was_registered(e) || !broken || moment_is(k->pending) || moment_is(e->missing.since) ||
            interval < SECOND || e->ordered ||
            until.ns - last.ns < (e->end == SESSION_STANDS ? 3 * interval + 5 * SECOND : enough) ||
            (!e->interval_s && k->n_intervals < 2))
            continue;
        detail(f, "%s, nothing for %s, the interval is %s", endpoint_words(&e->server, to),
               seconds(until.ns - last.ns, gap), seconds(interval, every));
        prove(f, last, "%s, the last", k->sent.n ? WORDS("keepalive") : WORDS("registration"));
        prove(f, until,
              e->end == SESSION_STANDS ? "the capture ends" : "the server ends the connection");
        /* Nothing of the phone at all: it may speak and not be heard here. */
        if (s->last.ns < last.ns + interval * 2 && !s->told)
            doubt(f, APART_PHONE_SIDE);
        return true;
    }
    return false;
}

static int64_t percentile(const struct keepalives *k, unsigned per_mille)
{
    uint64_t sum = 0, want = (uint64_t)k->answered.n * per_mille / 1000;

    for (unsigned i = 0; i < RTT_BUCKETS; i++)
        if ((sum += k->rtt[i]) > want)
            return (1LL << i) * 1000 < k->rtt_max_ns ? (1LL << i) * 1000 : k->rtt_max_ns;
    return k->rtt_max_ns;
}

bool interval_too_short(const struct session *e)
{
    const struct keepalives *k = &e->keepalives;

    return was_registered(e) && !e->sip && k->answered.n >= 3 && mean_interval(k) &&
           percentile(k, 900) * 3 >= mean_interval(k);
}

/* On the whole slow, but evenly and only for the interval: that is keepalive_short. */
static bool slow(const struct session *e)
{
    const struct keepalives *k = &e->keepalives;
    int64_t mean = k->answered.n >= 3 ? k->rtt_sum_ns / k->answered.n : 0;

    return mean > SECOND &&
           (percentile(k, 200) * 2 < mean || k->rtt_max_ns > 2 * mean || !interval_too_short(e));
}

static bool keepalive_late(const struct scene *c, struct finding *f)
{
    char to[ENDPOINT_TEXT_MAX], mean[24], worst[24];

    for (unsigned i = 0; i < c->story->n_sessions; i++) {
        const struct session *e = &c->story->sessions[i];
        const struct keepalives *k = &e->keepalives;

        if (!was_registered(e) || !k->answered.n || k->n_again * 2 > k->sent.n ||
            (k->n_late < 2 && !slow(e)))
            continue;
        detail(f, "%s, %s on average, at worst %s", endpoint_words(&e->server, to),
               seconds(k->rtt_sum_ns / k->answered.n, mean), seconds(k->rtt_max_ns, worst));
        prove_spell(f, &k->answered, "answers of %s after %s on average, at worst %s", to, mean,
                    worst);
        prove(f, (struct moment){0}, "99 of 100 within %s", seconds(percentile(k, 990), mean));
        return true;
    }
    return false;
}

static bool keepalive_short(const struct scene *c, struct finding *f)
{
    char to[ENDPOINT_TEXT_MAX], every[24], worst[24];

    for (unsigned i = 0; i < c->story->n_sessions; i++) {
        const struct session *e = &c->story->sessions[i];
        const struct keepalives *k = &e->keepalives;

        if (!interval_too_short(e))
            continue;
        detail(f, "%s, every %s, answers take up to %s", endpoint_words(&e->server, to),
               seconds(mean_interval(k), every), seconds(k->rtt_max_ns, worst));
        prove_spell(f, &k->sent, "keepalive to %s every %s", to, every);
        return true;
    }
    return false;
}

/* Its host acknowledges by TCP, its program does not answer: it hangs, and one phone is enough to
 * say so. */
static bool server_hangs(const struct scene *c, struct finding *f)
{
    char to[ENDPOINT_TEXT_MAX];

    for (unsigned i = 0; i < c->story->n_sessions; i++) {
        const struct session *e = &c->story->sessions[i];
        const struct keepalives *k = &e->keepalives;

        if (!was_registered(e) || !moment_is(k->pending) || k->acked_streak < 2 ||
            !settled(c, k->unheard_since, 5 * SECOND))
            continue;
        detail(f, "%s", endpoint_words(&e->server, to));
        if (k->answered.n)
            prove(f, k->answered.last, "the last answer of %s", to);
        prove(f, k->unheard_since,
              "keepalives from here on: acknowledged by TCP, not answered (%u)", k->acked_streak);
        return true;
    }
    return false;
}

static bool server_silent(const struct scene *c, struct finding *f)
{
    char ip[IP_TEXT_MAX];

    for (unsigned i = 0; i < c->story->n_sessions; i++)
        for (unsigned k = 0; k < c->n_silences; k++) {
            const struct session *e = &c->story->sessions[i];
            const struct silence *q = &c->silences[k];

            if (!ip_equal(e->server.ip, q->server) || !was_registered(e) ||
                e->keepalives.pending.ns <= q->last.ns)
                continue;
            detail(f, "%s, %u [phone|phones]", ip_print(q->server, ip), q->n_phones);
            prove(f, q->last, "the last answer of %s to anybody", ip);
            prove(f, e->keepalives.pending,
                  "this phone's keepalive after that stays unanswered, like those of %u "
                  "[phone|phones]",
                  q->n_phones);
            return true;
        }
    return server_hangs(c, f);
}

const struct rule keepalive_rules[] = {
    {CAUSE_SERVER_SILENT, server_silent},
    {CAUSE_MAC_AGEING, mac_ageing},
    {CAUSE_NAT_TIMEOUT, nat_timeout},
    {CAUSE_KEEPALIVE_LOST, keepalive_lost},
    {CAUSE_KEEPALIVE_STOPPED, keepalive_stopped},
    {CAUSE_KEEPALIVE_LATE, keepalive_late},
    {CAUSE_KEEPALIVE_SHORT, keepalive_short},
    {0},
};
