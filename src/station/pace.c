#include "station/pace.h"

#define COST_US   200  /* before anything was measured */
#define SHARE     1024 /* of which half of the time goes to returning phones */
#define LATE_MS   20   /* the loop is behind: others feel it */
#define RATE_MIN  10
#define RATE_MAX  20000
#define WAIT_MAX  3600

void pace_init(struct pace *p)
{
    *p = (struct pace){.cost_us = COST_US, .share = SHARE};
}

void pace_measure(struct pace *p, uint32_t cpu_us, uint32_t n_registered, uint32_t late_ms)
{
    if (n_registered >= 5) {
        uint32_t cost = cpu_us / n_registered;

        p->cost_us = (3 * p->cost_us + (cost ? cost : 1)) / 4;
    }
    if (late_ms > LATE_MS)
        p->share = p->share > SHARE / 16 ? p->share / 2 : SHARE / 16;
    else if (p->share < SHARE)
        p->share += p->share / 8;
    if (p->share > SHARE)
        p->share = SHARE;
}

uint32_t pace_rate(const struct pace *p)
{
    uint64_t rate = 500000ull * p->share / SHARE / (p->cost_us ? p->cost_us : 1);

    return rate < RATE_MIN ? RATE_MIN : rate > RATE_MAX ? RATE_MAX : (uint32_t)rate;
}

uint32_t pace_depth(const struct pace *p, uint32_t least)
{
    uint32_t rate = pace_rate(p);

    return rate > least ? rate : least;
}

uint32_t pace_wait_s(struct pace *p, uint64_t now_ms, uint32_t least)
{
    uint64_t first = (now_ms + least * 1000ull) * 1000, wait;

    if (p->slot_us < first)
        p->slot_us = first;
    wait = (p->slot_us / 1000 - now_ms + 999) / 1000;
    p->slot_us += 1000000 / pace_rate(p);
    return wait > WAIT_MAX ? WAIT_MAX : (uint32_t)wait;
}
