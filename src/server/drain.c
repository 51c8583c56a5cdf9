#include "server/drain.h"

#include "core/settings.h"
#include "server/peers.h"

#define AGAIN_MS 5000 /* a phone that came back a moment ago is left alone for so long */

void drain_set(struct signalling *s, bool on)
{
    s->drain = (struct drain){.on = on, .last_ms = uv_now(&s->thread->loop)};
    peers_set_draining(s->peers, on);
    registry_set_draining(s->registry, on);
}

/* The next phone of this round; false at its end. */
static bool send_one(struct signalling *s, uint64_t now_ms)
{
    struct drain *d = &s->drain;
    const struct station *x = signalling_next_registered(s, &d->cursor);

    if (!x) {
        d->cursor = (struct phone_cursor){0};
        d->n_stay = 0;
        return false;
    }
    if (now_ms - x->since_ms < AGAIN_MS)
        return true;
    if (!peers_has_other_home(s->peers, registry_group_of(s->registry, x->name))) {
        d->n_stay++;
        return true;
    }
    d->n_sent++;
    registry_take_off(s->registry, x->name, UNREGISTERED_CALLMANAGER_RESTART, signalling_now(s),
                      s->effects);
    signalling_carry_out(s);
    d->credit_us -= d->credit_us < 1000000 ? d->credit_us : 1000000;
    return true;
}

/* Credit is counted in millionths of a phone. */
void drain_tick(struct signalling *s, uint64_t now_ms)
{
    struct drain *d = &s->drain;
    uint64_t rate;

    if (!d->on || !s->directory)
        return;
    rate = (uint64_t)directory_number(s->directory, SET_drain_rate);
    d->credit_us += (now_ms - d->last_ms) * rate * 1000;
    d->last_ms = now_ms;
    if (d->credit_us > rate * 1000000)
        d->credit_us = rate * 1000000;
    for (int looked = 0; looked < 2000 && d->credit_us >= 1000000; looked++)
        if (!send_one(s, now_ms))
            break;
}
