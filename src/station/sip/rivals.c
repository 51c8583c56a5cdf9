/* rivals.c - a phone that registers while its name is alive at another place: who holds it is
 * asked first.
 *
 * A device name is printed on the phone and no secret. Over a connection the kernel of its peer is
 * asked; by UDP the phone, whether that is still its registration: another may have been given its
 * address since. */
#include "station/refusals.h"
#include "station/sip/proof.h"
#include "station/sip/station.h"

#define VOUCHED_MS 10000 /* an answer is as good as new for so long */

static struct ip own_of(const struct sip_request *q)
{
    struct ip ip = {0};

    if (q->reg.n_contacts)
        ip_parse(q->reg.contacts[0].uri.host, &ip);
    return ip;
}

static struct sip_device *other_of(const struct sip_device *d, const struct sip_request *q)
{
    struct station *x = station_other(&d->station, own_of(q));
    struct sip_device *other =
        x && x->kind == &sip_kind ? container_of(x, struct sip_device, station) : NULL;

    return other && other->bindings ? other : NULL;
}

bool sip_has_rival(struct sip_device *d, const struct sip_input *in)
{
    return other_of(d, in->request) && !sip_phone_has_proof(d) && refusal_may_wait(&d->station);
}

static bool was_there_lately(const struct sip_device *d)
{
    uint32_t now = (uint32_t)d->owner->registry->now.ms;

    return d->vouched_ms && now - d->vouched_ms < VOUCHED_MS;
}

static void note_that_it_is_there(struct sip_device *d)
{
    d->vouched_ms = ((uint32_t)d->owner->registry->now.ms - 1) | 1;
}

bool sip_rival_has_answered(struct sip_device *d, const struct sip_input *in)
{
    return was_there_lately(other_of(d, in->request));
}

/* --- asked by UDP --- */

void sip_holder_ask(struct sip_device *d)
{
    if (d->question_id || was_there_lately(d))
        return;
    d->vouched_ms = 0;
    sip_ask_whether_it_is_registered(d);
}

void sip_holder_says(struct sip_device *d, uint16_t status)
{
    d->question_id = 0;
    if (status / 100 == 2)
        note_that_it_is_there(d);
    sip_newcomer_stops(d);
}

bool sip_holder_is_there(struct sip_device *d)
{
    sip_transactions_end(d->owner->transactions, d->question_id);
    d->question_id = 0;
    return was_there_lately(d);
}

/* --- who claims its name here --- */

/* The REGISTER is kept, as for the database. */
void sip_ask_rival(struct sip_device *d, const struct sip_input *in, struct effects *e)
{
    struct sip_request *q = in->request;
    struct sip_device *other = other_of(d, q);

    if (sip_request_keep(q, &d->waiting) < 0) {
        sip_answer_later(q, "", 1);
        return;
    }
    other->newcomer = pool_id(d);
    if (!q->link || !SETTING_OF(&d->station, sip_trying_on_register))
        sip_answer_trying(q);
    station_ask(&other->station, e);
}

bool sip_rival_is_awaited(struct sip_device *d)
{
    const struct sip_device *other = sip_device_find(d->owner, d->station.name);
    uint64_t now = d->owner->registry->now.ms;

    if (d->late || !other || !other->question_id || now < d->state_ms + RIVAL_MS + RIVAL_LATE_MS)
        return false;
    d->late = true;
    d->state_ms = now + RIVAL_LATE_MS - RIVAL_MS;
    sip_device_arm(d);
    return true;
}

enum sip_event sip_rival_says(struct sip_device *d)
{
    struct sip_device *other = sip_device_find(d->owner, d->station.name);

    if (!other || !other->bindings || other->newcomer != pool_id(d))
        return SIP_EV_SILENT;
    if (station_answers(&other->station)) {
        note_that_it_is_there(other);
        return SIP_EV_THERE;
    }
    station_is_gone(&other->station);
    return SIP_EV_SILENT;
}

void sip_newcomer_stops(struct sip_device *other)
{
    struct sip_device *d = pool_get(&other->owner->devices, other->newcomer);

    if (d && d->station.state == STATION_ASKING)
        timer_set(&other->owner->timers, &d->timer, other->owner->registry->now.ms);
}

static bool is_same_source(const struct sip_flow *a, const struct sip_flow *b)
{
    return a->link == b->link && endpoint_equal(&a->peer, &b->peer);
}

bool sip_newcomer_again(struct sip_device *other, struct sip_request *q)
{
    struct sip_device *d = pool_get(&other->owner->devices, other->newcomer);

    if (!d || d->station.state != STATION_ASKING)
        return false;
    if (!q->link && is_same_source(&d->waiting->flow, q->flow))
        sip_answer_trying(q);
    else
        sip_answer_later(q, "Registration is active for another client", 2);
    return true;
}
