#include "station/keepalive.h"

#define TOLD_S    600
#define JITTER_MS 2000 /* a phone with normal failover leaves after seven seconds */

static uint16_t at_most_16_bits(uint32_t n)
{
    return n < UINT16_MAX ? (uint16_t)n : UINT16_MAX;
}

bool keepalive_heard(struct keepalive_watch *w, uint64_t now_ms, uint64_t awake_ms, uint32_t interval_ms,
                     struct keepalive_finding *ret)
{
    bool is_known = w->last_ms && now_ms - awake_ms >= (uint32_t)now_ms - w->last_ms;
    uint32_t gap = is_known ? (uint32_t)now_ms - w->last_ms : interval_ms;
    uint32_t late = gap > interval_ms ? gap - interval_ms : 0;
    uint32_t of_it = late > interval_ms ? interval_ms : late, now_s = (uint32_t)(now_ms / 1000);

    w->last_ms = (uint32_t)now_ms;
    w->jitter_ms = (uint16_t)((3u * w->jitter_ms + at_most_16_bits(of_it)) / 4);
    *ret = (struct keepalive_finding){.took_ms = gap,
                                      .missed = (gap + interval_ms / 2) / interval_ms,
                                      .jitter_ms = w->jitter_ms};
    ret->missed -= ret->missed > 0;
    w->n++;
    w->n_missed = at_most_16_bits(w->n_missed + ret->missed);
    w->gap_cs = at_most_16_bits(gap / 10);
    w->worst_cs = w->gap_cs > w->worst_cs ? w->gap_cs : w->worst_cs;
    if ((!ret->missed && w->jitter_ms < JITTER_MS) || (w->told_s && now_s - w->told_s < TOLD_S))
        return false;
    w->told_s = now_s ? now_s : 1;
    ret->advice = ret->missed ? "keepalives are lost on the way, or the phone was stuck"
                  : w->jitter_ms * 2u > interval_ms
                      ? "the interval is too short for this path"
                      : "phones with normal failover may leave: delayed failover is for such paths";
    return true;
}
