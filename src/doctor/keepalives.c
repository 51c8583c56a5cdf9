/* keepalives.c - one series of keepalives: counts and running sums, never a list. */
#include "doctor/timeline/own.h"

#define LATE_NS 1000000000LL

void keepalive_sent(struct keepalives *k, struct moment m)
{
    int64_t interval = m.ns - k->sent.last.ns;

    /* A standby server answers by TCP alone. */
    if (moment_is(k->pending) && (k->answered.n || !k->pending_acked)) {
        k->n_lost++;
        spell_add(&k->lost, k->pending);
        if (++k->lost_streak > k->lost_streak_max)
            k->lost_streak_max = k->lost_streak;
    }
    if (k->sent.n) {
        k->interval_sum_ns += interval;
        if (!k->n_intervals++ || interval < k->interval_min_ns)
            k->interval_min_ns = interval;
        if (interval > k->interval_max_ns)
            k->interval_max_ns = interval;
    }
    spell_add(&k->sent, m);
    if (!k->pending_again)
        k->again_streak = 0;
    k->pending = m;
    k->pending_again = k->pending_acked = false;
}

static unsigned bucket(int64_t ns)
{
    unsigned b = 0;

    for (int64_t us = ns / 1000; us > 0 && b < RTT_BUCKETS - 1; us >>= 1)
        b++;
    return b;
}

void keepalive_answered(struct keepalives *k, struct moment m)
{
    int64_t rtt = m.ns - k->pending.ns;

    if (!moment_is(k->pending)) { /* to one before the last, if not to one before the capture */
        k->n_lost -= k->n_lost > 0;
        return;
    }
    if (k->n_calm >= 2 && rtt > LATE_NS && rtt > 8 * (k->calm_sum_ns / k->n_calm))
        k->n_late++;
    else {
        k->n_calm++;
        k->calm_sum_ns += rtt;
    }
    spell_add(&k->answered, m);
    k->rtt_sum_ns += rtt;
    if (rtt > k->rtt_max_ns)
        k->rtt_max_ns = rtt;
    k->rtt[bucket(rtt)]++;
    k->lost_streak = k->acked_streak = 0;
    k->pending = (struct moment){0};
}

void keepalive_acked(struct keepalives *k)
{
    if (!moment_is(k->pending))
        return;
    k->n_acked++;
    if (k->answered.n && !k->pending_acked && !k->acked_streak++)
        k->unheard_since = k->pending;
    k->pending_acked = true;
}

void keepalive_again(struct keepalives *k, struct moment m, int64_t after_ns)
{
    int64_t off = m.ns - after_ns - k->sent.last.ns;

    if (!k->sent.n || off < -50000000LL || off > 50000000LL)
        return; /* other data */
    if (!k->pending_again) {
        k->n_again++;
        spell_add(&k->again, m);
        k->n_delays++;
        if (++k->again_streak > k->again_streak_max)
            k->again_streak_max = k->again_streak;
    }
    k->pending_again = true;
    k->delays[(k->n_delays - 1) % DELAYS_MAX] = after_ns;
}
