/* arrivals.c - how a SIP device comes: refused, added, admitted line by line, refreshed.
 *
 * Acts of the rows in station.c. */
#include <errno.h>

#include "core/counters.h"
#include "station/news.h"
#include "station/refusals.h"
#include "station/sip/station.h"

#define EXPIRES_LEAST                                                                              \
    30 /* below 25 s phones give up refreshing: SIPCC wants 20 s before its delta */

size_t sip_lines_of(struct sip_device *d)
{
    const struct phone *phone = station_phone(&d->station);
    size_t n = 0;

    for (size_t i = 0; phone && i < phone->n_buttons; i++)
        n += phone->buttons[i].feature == BUTTON_LINE;
    return n;
}

bool sip_is_whole(struct sip_device *d)
{
    return d->bulk || sip_bindings_count(d) >= sip_lines_of(d);
}

void sip_refuse(struct sip_device *d, const struct sip_input *in, struct effects *e)
{
    if (d->station.state == STATION_ADMITTING)
        d->station.last_signal = "DbStationAutoRegisterErr"; /* as CallManager's alarms say */
    count(COUNT_SIP_REJECTED);
    refusal_tell(&d->station, d->refusal, e);
    sip_answer_refused(in->request, d->refusal);
    if (in->request->link)
        sip_link_step(in->request->link, SIP_LINK_EV_REFUSED, e);
}

void sip_refuse_rival(struct sip_device *d, const struct sip_input *in, struct effects *e)
{
    d->refusal = REFUSAL_DUPLICATE;
    sip_refuse(d, in, e);
}

/* It was no claim of somebody else. */
void sip_come_in(struct sip_device *d, const struct sip_input *in, struct effects *e)
{
    tell_event(&d->station, STAGE_REGISTER, in->request->message->cseq, d->station.load, e);
}

void sip_refuse_admission(struct sip_device *d, const struct sip_input *in, struct effects *e)
{
    bool store = in->err == -EIO || in->err == -EROFS || in->err == -ENOSPC || in->err == -ENOMEM ||
                 in->err == -ENOBUFS;

    d->refusal = in->err == -ETIMEDOUT ? REFUSAL_AUTOREGISTER_TIME
                 : store               ? REFUSAL_AUTOREGISTER_STORE
                                       : REFUSAL_AUTOREGISTER;
    sip_refuse(d, in, e);
}

void sip_ask_to_add(struct sip_device *d, const struct sip_input *in, struct effects *e)
{
    struct effect *row;

    if (sip_request_keep(in->request, &d->waiting) < 0)
        return; /* already asked; or no room: it comes again, its timer ends it */
    station_take_name(&d->station, e);
    station_enter_name(&d->station);
    row = effects_put(e, EFFECT_AUTOREGISTER);
    row->link = sip_device_token(d);
    row->autoregister.device = d->station.name;
    row->autoregister.model = d->station.model;
    row->autoregister.protocol = PROTOCOL_SIP;
}

/* A refresh that is due and does not come for so long is the end. */
static uint32_t loss_ms(struct sip_device *d, uint32_t granted_s)
{
    const struct sip_profile *profile =
        sip_profile_of(d->station.registry->directory, station_phone(&d->station));
    uint32_t delta_s = (uint32_t)profile->timer_register_delta;

    return (granted_s - (delta_s < granted_s ? delta_s : 0) +
            (uint32_t)SETTING_OF(&d->station, sip_register_grace)) *
           1000;
}

/* The first line lives for the keepalive interval, the others as long as they ask for; in a storm
 * less, so that all are not refreshed in one again. */
static uint32_t granted_s(struct sip_device *d, const struct sip_request *q)
{
    bool first = q->line == 1;
    uint32_t most = (uint32_t)(first ? SETTING_OF(&d->station, sip_station_keepalive_interval)
                                     : SETTING_OF(&d->station, sip_maximum_expires));
    int64_t asked = sip_register_expires(&q->reg);
    uint32_t longest = asked < most ? (uint32_t)asked : most, third = longest / 3;

    return registry_spread_s(d->station.registry, first ? CALENDAR_REFRESHES : CALENDAR_CONTACTS,
                             longest, third > EXPIRES_LEAST ? third : EXPIRES_LEAST);
}

static void heard(struct sip_device *d, struct sip_binding *b, const struct sip_request *q)
{
    uint64_t now = d->station.registry->now.ms;
    uint32_t granted = granted_s(d, q);

    b->renewed = b->renewed || b->cseq != q->message->cseq;
    b->cseq = q->message->cseq;
    b->expires_ms = now + granted * 1000ull;
    if (b->line != 1)
        return;
    d->station.heard_ms = now;
    d->station.loss_ms = loss_ms(d, granted);
}

/* What may still be sent to its source without sending more than it did. */
static uint32_t left_over(const struct sip_request *q, size_t answered)
{
    size_t came = q->message->head + q->message->length;

    return came > answered ? (uint32_t)(came - answered) : 0;
}

void sip_bind_line(struct sip_device *d, const struct sip_input *in, struct effects *e)
{
    struct sip_request *q = in->request;
    size_t at = writer_len(&e->out);
    struct sip_binding *b =
        sip_binding_put(d, sip_binding_of_line(d, q->line), q, &q->reg.contacts[0]);

    if (!b)
        return; /* no memory: it comes again */
    b->line = (uint8_t)q->line;
    if (b->line == 1)
        d->watch = (struct keepalive_watch){.last_ms = (uint32_t)d->owner->registry->now.ms};
    heard(d, b, q);
    q->known = true;
    sip_answer_registered(q, b, b->line == 1);
    d->credit += left_over(q, writer_len(&e->out) - at);
    if (q->link)
        sip_link_step(q->link, SIP_LINK_EV_REGISTERED, e);
}

void sip_admit(struct sip_device *d, const struct sip_input *in, struct effects *e)
{
    station_leave_name(&d->station);
    d->proven = d->told = false;
    d->credit = 0;
    text_copy(d->station.name.s, sizeof(d->station.name.s),
              text_of(station_phone(&d->station)->name));
    station_take_name(&d->station, e);
    if (station_enter_name(&d->station) < 0)
        return; /* no memory: it comes again */
    sip_bind_line(d, in, e);
}

void sip_arrive(struct sip_device *d, enum alarm_id alarm, struct effects *e)
{
    const struct model *model = model_find(d->station.model);

    tell_arrived(&d->station, alarm, e);
    count(COUNT_SIP_REGISTRATIONS);
    station_log(&d->station, LOG_LEVEL_INFO, "registered, %s, %zu of %zu lines%s%s",
                model ? model->title : "unknown model",
                d->bulk ? sip_lines_of(d) : sip_bindings_count(d), sip_lines_of(d),
                *d->station.load ? ", load " : "", d->station.load);
}

void sip_registered(struct sip_device *d, const struct sip_input *in, struct effects *e)
{
    sip_bind_line(d, in, e);
    sip_arrive(d, ALARM_ENDPOINT_REGISTERED, e);
    sip_tell_configuration(d);
}

void sip_admit_whole(struct sip_device *d, const struct sip_input *in, struct effects *e)
{
    sip_admit(d, in, e);
    sip_arrive(d, ALARM_ENDPOINT_REGISTERED, e);
    sip_tell_configuration(d);
}

void sip_registered_partly(struct sip_device *d, const struct sip_input *in, struct effects *e)
{
    sip_arrive(d, ALARM_DEVICE_PARTIALLY_REGISTERED, e);
    sip_tell_configuration(d);
}

/* A line came late, or anew. */
void sip_add_line(struct sip_device *d, const struct sip_input *in, struct effects *e)
{
    bool was_whole = sip_is_whole(d);

    sip_bind_line(d, in, e);
    if (!was_whole && sip_is_whole(d))
        tell_registered(&d->station, ALARM_ENDPOINT_REGISTERED, e);
}

/* A phone repeats what is not acknowledged, over TCP later and later each time: a refresh that comes
 * late was lost before. */
static void watch_refresh(struct sip_device *d, const struct sip_request *q, struct effects *e)
{
    uint32_t due_ms = d->station.loss_ms - (uint32_t)SETTING_OF(&d->station, sip_register_grace) * 1000;
    struct keepalive_finding found;

    if (q->binding->line != 1 ||
        !keepalive_heard(&d->watch, d->station.registry->now.ms, d->station.registry->awake_ms, due_ms, &found))
        return;
    if (!found.missed)
        found.advice = "refreshes are lost on the way at first, as behind a switch that forgets a port "
                       "sooner than the phone refreshes";
    tell_keepalives(&d->station, due_ms / 1000, &found, e);
}

void sip_refresh(struct sip_device *d, const struct sip_input *in, struct effects *e)
{
    struct sip_request *q = in->request;
    size_t at = writer_len(&e->out);

    if (!q->link) { /* a NAT may have given it another port */
        sip_binding_follow(q->binding, q->flow);
        d->station.peer = q->flow->peer;
    }
    watch_refresh(d, q, e);
    heard(d, q->binding, q);
    sip_answer_registered(q, q->binding, false);
    if (!q->link && !d->told && !d->proven) {
        d->credit += left_over(q, writer_len(&e->out) - at);
        sip_tell_configuration(d);
    }
}

void sip_repeat(struct sip_device *d, const struct sip_input *in, struct effects *e)
{
    struct sip_request *q = in->request;

    sip_answer_registered(q, q->binding, q->binding->line == 1 && !q->binding->renewed);
}
