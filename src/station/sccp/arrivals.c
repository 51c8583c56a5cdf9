/* arrivals.c - how a phone registers by SCCP: alarm, token, refused, added, admitted.
 *
 * Acts of the rows in station.c. */
#include "station/sccp/station.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/counters.h"
#include "station/news.h"
#include "station/phone_alarm.h"
#include "station/refusals.h"

#define REFUSED_WAIT_S  60 /* a token is refused for so long when Register would be */
#define ALARMS_A_WINDOW 10 /* of a phone's own; more are counted and ignored */

/* "25: Name=SEP001122334455 Load=P00308010200 Last=Initialized": older phones say it nowhere else.
 */
static void learn_load(struct session *s)
{
    struct text rest = alarm_parameter(s->station.last_alarm, "DeviceText");

    while (rest.at) {
        struct text word = text_split(&rest, ' ');

        if (text_starts(word, "Load="))
            station_set_load(&s->station, text_skip(word, strlen("Load=")));
    }
}

void session_keep_alarm(struct session *s, const struct session_input *in, struct effects *e)
{
    struct alarm_draft d;

    if (s->n_alarms++ >= ALARMS_A_WINDOW || phone_alarm_read(in->message, &d) < 0) {
        count(COUNT_SCCP_MALFORMED);
        return;
    }
    free(s->station.last_alarm);
    s->station.last_alarm = alarm_finish(&d);
    if (s->station.last_alarm)
        s->station.last_alarm->time_us = s->station.registry->now.wall_us;
    if (s->station.last_alarm && !s->station.load[0])
        learn_load(s);
    if (!d.device.s[0])
        d.device = s->station.name;
    d.ip = s->station.peer.ip;
    effects_alarm(e, &d);
}

void session_deny_token(struct session *s, const struct session_input *in, struct effects *e)
{
    uint32_t wait = s->refusal ? REFUSED_WAIT_S : station_token_wait_s(&s->station, e), times;
    const struct refusal_rule *rule = &refusal_rules[s->refusal];

    if (in->event == EV_SPCP_TOKEN)
        SEND(s, e, spcp_register_token_reject, (&(struct sccp_spcp_register_token_reject){wait}));
    else
        SEND(s, e, register_token_reject, (&(struct sccp_register_token_reject){wait}));
    count(COUNT_SCCP_TOKENS_REFUSED);
    if (s->refusal && refusal_note(&s->station, rule->reason, rule->text, &times))
        tell_transient(&s->station, rule->reason, times, e);
}

void session_grant_token(struct session *s, const struct session_input *in, struct effects *e)
{
    if (in->event == EV_SPCP_TOKEN)
        SEND(s, e, spcp_register_token_ack, (&(struct sccp_spcp_register_token_ack){65535}));
    else
        SEND(s, e, register_token_ack, &(struct sccp_register_token_ack){});
    count(COUNT_SCCP_TOKENS_GRANTED);
}

static unsigned negotiate(const struct session *s)
{
    unsigned v = s->station.offered,
             most = (unsigned)SETTING_OF(&s->station, maximum_protocol_version);

    if (v > SCCP_VERSION_MAX) /* ATA 186 and 188 report 33, some SPA phones others */
        v = s->model ? s->model->version : SCCP_VERSION_MAX;
    if (v > most)
        v = most;
    if (v == 7)
        return 6; /* as CallManager 4.1 answers: the layouts of 7 are those of 6 */
    return v >= 12 && v <= 14 ? 11 : v;
}

void session_refuse(struct session *s, const struct session_input *in, struct effects *e)
{
    struct sccp_register_reject reject = {};

    text_copy(reject.text, sizeof(reject.text), text_of(refusal_rules[s->refusal].text));
    s->version = (uint8_t)negotiate(s); /* CallManager 2 has a longer text */
    SEND(s, e, register_reject, &reject);
    count(COUNT_SCCP_REJECTED);
    refusal_tell(&s->station, s->refusal, e);
}

void session_refuse_admission(struct session *s, const struct session_input *in, struct effects *e)
{
    if (in->event == EV_TIMEOUT)
        s->refusal = REFUSAL_AUTOREGISTER_TIME;
    else if (in->err == -EIO || in->err == -EROFS || in->err == -ENOSPC || in->err == -ENOMEM ||
             in->err == -ENOBUFS)
        s->refusal = REFUSAL_AUTOREGISTER_STORE;
    else
        s->refusal = REFUSAL_AUTOREGISTER;
    session_refuse(s, in, e);
}

void session_ask_to_add(struct session *s, const struct session_input *in, struct effects *e)
{
    struct effect *row = effects_put(e, EFFECT_AUTOREGISTER);

    row->link = s->id;
    row->autoregister.device = s->station.name;
    row->autoregister.model = s->station.model;
    row->autoregister.protocol = PROTOCOL_SCCP;
}

void session_admit(struct session *s, const struct session_input *in, struct effects *e)
{
    uint32_t interval_s = (uint32_t)SETTING_OF(&s->station, station_keepalive_interval);
    struct sccp_register_ack ack = {
        .secondary_keepalive_s = (uint32_t)SETTING_OF(&s->station, station_secondary_keepalive),
    };

    text_copy(s->station.name.s, sizeof(s->station.name.s),
              text_of(station_phone(&s->station)->name));
    station_take_name(&s->station, e);
    if (station_enter_name(&s->station) < 0)
        return; /* no memory: it stays unnamed and its timer ends it */
    s->version = (uint8_t)negotiate(s);
    s->keepalive_s = (uint16_t)registry_spread_s(s->station.registry, CALENDAR_KEEPALIVES,
                                                 interval_s, (3 * interval_s + 3) / 4);
    ack.keepalive_s = s->keepalive_s;
    session_date_template(s, ack.date_template);
    ack.protocol = s->version;
    session_ack_features(s, ack.features);
    SEND(s, e, register_ack, &ack);
    SEND(s, e, capabilities_req, &(struct sccp_capabilities_req){});
}

static uint32_t loss_ms(const struct session *s)
{
    uint64_t ms =
        (uint64_t)s->keepalive_s * (uint64_t)SETTING_OF(&s->station, station_keepalive_missed) * 1000;

    return (uint32_t)(ms * (100 + (s->model ? s->model->slack_percent : 0)) / 100);
}

void session_park(struct session *s, const struct session_input *in, struct effects *e)
{
    struct parked *p = pool_get(&s->owner->parked, s->parked_id);

    p->rows[p->n].id = in->message->id;
    p->rows[p->n].argument = sccp_argument_of(in->message);
    p->n++;
}

static void answer_parked(struct session *s, struct effects *e)
{
    struct parked *p = s->parked_id ? pool_get(&s->owner->parked, s->parked_id) : NULL;

    for (size_t i = 0; p && i < p->n; i++)
        session_answer(s, p->rows[i].id, p->rows[i].argument, e);
    if (p)
        pool_give(&s->owner->parked, s->parked_id);
    s->parked_id = 0;
}

static void remember_early(struct session *s)
{
    if (s->model && s->model->quirks & MODEL_KEEPALIVE_FIRST)
        stations_expect_early(s->owner, s->station.peer.ip);
}

void session_registered(struct session *s, const struct session_input *in, struct effects *e)
{
    s->station.loss_ms = loss_ms(s);
    s->station.off_hook = false;
    s->watch = (struct keepalive_watch){.last_ms = (uint32_t)s->station.registry->now.ms};
    remember_early(s);
    effects_put(e, EFFECT_SETTLED)->link = s->link;
    tell_arrived(&s->station, ALARM_ENDPOINT_REGISTERED, e);
    count(COUNT_SCCP_REGISTRATIONS);
    station_log(&s->station, LOG_LEVEL_INFO, "registered, %s, version %u%s%s",
                s->model ? s->model->title : "unknown model", s->version,
                *s->station.load ? ", load " : "", s->station.load);
    session_send_device_caps(s, e);
    answer_parked(s, e);
}
