#include "server/signalling/drain.h"

#include "station/station.h"

#define AGAIN_MS 5000 /* a phone that came back a moment ago is left alone for so long */
#define LOOKS    2000 /* at phones in a tick */

void drain_begin(struct drain *d, uint64_t now_ms)
{
    *d = (struct drain){.on = true, .last_ms = now_ms};
}

static void end_round(struct drain *d)
{
    d->cursor = (struct phone_cursor){0};
    d->stayed = d->n_stay;
    d->were_busy = d->n_busy;
    d->n_stay = d->n_busy = 0;
}

/* The next phone of this round; false at its end. */
static bool look_at_one(struct drain *d, const struct drain_calls *calls, void *context,
                        uint64_t now_ms)
{
    const struct station *x = calls->next(context, &d->cursor);

    if (!x) {
        end_round(d);
        return false;
    }
    if (now_ms - x->since_ms < AGAIN_MS)
        return true;
    if (!calls->has_other_home(context, x)) {
        d->n_stay++;
    } else if (calls->is_busy(context, x)) {
        d->n_busy++;
    } else {
        d->n_sent++;
        d->credit -= 1000;
        calls->send_away(context, x);
    }
    return true;
}

void drain_tick(struct drain *d, const struct drain_calls *calls, void *context, uint32_t rate,
                uint64_t now_ms)
{
    if (!d->on)
        return;
    d->credit += (now_ms - d->last_ms) * rate;
    d->last_ms = now_ms;
    if (d->credit > rate * 1000ull)
        d->credit = rate * 1000ull; /* never more than in a second at once */
    for (int i = 0; i < LOOKS && d->credit >= 1000; i++)
        if (!look_at_one(d, calls, context, now_ms))
            break;
}
