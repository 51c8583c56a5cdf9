#include "station/calendar.h"

#include <string.h>

static uint32_t *second(struct calendar *c, uint64_t s)
{
    return &c->due[s % CALENDAR_SECONDS];
}

static void forget_past(struct calendar *c, uint64_t now_s)
{
    if (now_s < c->now_s || now_s - c->now_s >= CALENDAR_SECONDS)
        memset(c->due, 0, sizeof(c->due));
    else
        for (uint64_t s = c->now_s; s < now_s; s++)
            *second(c, s) = 0;
    c->now_s = now_s;
}

uint32_t calendar_pick(struct calendar *c, uint64_t now_ms, uint32_t longest, uint32_t least,
                       size_t n_phones)
{
    uint64_t full = longest ? 3 * n_phones / (2 * (uint64_t)longest) : 0;
    uint32_t best = longest;

    forget_past(c, now_ms / 1000);
    if (longest >= CALENDAR_SECONDS)
        return longest;
    if (*second(c, c->now_s + longest) >= (full > CALENDAR_LEAST ? full : CALENDAR_LEAST))
        for (uint32_t s = longest; s-- > least;)
            if (*second(c, c->now_s + s) < *second(c, c->now_s + best))
                best = s;
    ++*second(c, c->now_s + best);
    return best;
}
