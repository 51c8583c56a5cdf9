#include "station/news.h"

#include "station/keepalive.h"

#include <stdarg.h>
#include <stdio.h>

#define LINES_A_SECOND 20

/* A storm of registrations must not become a storm of lines; the alarms have them all. */
static bool may_tell(struct registry *o, const char *topic)
{
    uint64_t second = o->now.ms / 1000;

    if (o->log_second != second) {
        if (o->n_untold)
            log_info(topic, "and %u more phones registered or left", o->n_untold);
        o->log_second = second;
        o->n_told = o->n_untold = 0;
    }
    if (o->n_told < LINES_A_SECOND)
        return o->n_told++, true;
    o->n_untold++;
    return false;
}

void station_log(const struct station *s, enum log_level level, const char *format, ...)
{
    char words[400], at[ENDPOINT_TEXT_MAX];
    va_list args;

    if (!log_wants(level) || (level == LOG_LEVEL_INFO && !may_tell(s->registry, s->kind->topic)))
        return;
    va_start(args, format);
    vsnprintf(words, sizeof(words), format, args);
    va_end(args);
    log_print(level, s->kind->topic, "%s at %s %s: %s", s->name.s[0] ? s->name.s : "somebody",
              endpoint_print(&s->peer, at), s->kind->state_name(s->state), words);
}

/* Somebody claims the name of a phone that is registered, from elsewhere: to that phone nothing has happened. */
static bool is_claim(const struct station *s, enum station_stage stage)
{
    const struct station *holder = registry_holder(s->registry, s->name);

    if (!holder || holder == s || !station_is_registered(holder) || !holder->loss_ms)
        return false;
    return stage == STAGE_REJECTED || (stage == STAGE_REGISTER && !ip_equal(holder->peer.ip, s->peer.ip));
}

void tell_event(struct station *s, enum station_stage stage, uint32_t code, const char *detail,
                struct effects *e)
{
    struct station_event *event;

    if (is_claim(s, stage))
        return;
    event = &effects_put(e, EFFECT_EVENT)->event;
    *event = (struct station_event){.stage = (uint8_t)stage,
                                    .protocol = s->protocol,
                                    .device = s->name,
                                    .ip = s->peer.ip,
                                    .model = s->model,
                                    .code = code};
    text_copy(event->detail, sizeof(event->detail), text_of(detail));
}

static void put_signal(struct alarm_draft *d, const struct station *s)
{
    if (s->last_signal)
        alarm_put(d, "LastSignalReceived", "%s%s", s->kind->signal, s->last_signal);
}

void tell_transient(struct station *s, uint32_t reason, uint32_t times, struct effects *e)
{
    struct alarm_draft d;

    alarm_begin(&d, ALARM_ENDPOINT_TRANSIENT);
    d.times = times;
    alarm_put_ip(&d, s->peer.ip);
    alarm_put_device(&d, s->name);
    alarm_put_mac(&d, s->name);
    alarm_put_text(&d, "Protocol", text_of(s->kind->protocol));
    alarm_put_number(&d, "DeviceType", s->model);
    alarm_put_reason(&d, reason);
    alarm_put_number(&d, "ConnectingPort", s->local_port);
    put_signal(&d, s);
    alarm_put_text(&d, "StationState", text_of(s->kind->state_name(s->state)));
    effects_alarm(e, &d);
}

static void tell_unregistered(struct station *s, uint32_t reason, struct effects *e)
{
    const struct phone *phone = station_phone(s);
    struct alarm_draft d;

    alarm_begin(&d, ALARM_ENDPOINT_UNREGISTERED);
    alarm_put_device(&d, s->name);
    alarm_put_mac(&d, s->name);
    alarm_put_ip(&d, s->peer.ip);
    alarm_put_text(&d, "Protocol", text_of(s->kind->protocol));
    alarm_put_number(&d, "DeviceType", s->model);
    alarm_put_text(&d, "Description", text_of(phone ? phone->description : ""));
    alarm_put_reason(&d, reason);
    alarm_put_number(&d, "IPAddrAttributes", s->address_scope);
    if (reason != UNREGISTERED_CONNECTIVITY_ERROR)
        put_signal(&d, s);
    effects_alarm(e, &d);
}

static void put_numbers(struct alarm_draft *d, const struct phone *phone)
{
    char list[200];
    struct writer w = writer_of(list, sizeof(list) - 1);

    for (size_t i = 0; phone && i < phone->n_buttons && !w.bad; i++) {
        struct text target = text_of(phone->buttons[i].target);

        if (phone->buttons[i].feature != BUTTON_LINE)
            continue;
        if (writer_len(&w))
            write_string(&w, ",");
        write_text(&w, text_split(&target, '/'));
    }
    alarm_put_text(d, "AssociatedDNs", (struct text){list, writer_len(&w)});
}

void tell_registered(struct station *s, enum alarm_id id, struct effects *e)
{
    const struct phone *phone = station_phone(s);
    struct alarm_draft d;

    alarm_begin(&d, id);
    alarm_put_device(&d, s->name);
    alarm_put_mac(&d, s->name);
    alarm_put_ip(&d, s->peer.ip);
    alarm_put_text(&d, "Protocol", text_of(s->kind->protocol));
    alarm_put_text(&d, "Description", text_of(phone ? phone->description : ""));
    alarm_put_text(&d, "LoadID", text_of(s->load));
    put_numbers(&d, phone);
    alarm_put_number(&d, "PerfMonObjType", 2);
    alarm_put_number(&d, "DeviceType", s->model);
    alarm_put_number(&d, "IPAddrAttributes", s->address_scope);
    alarm_put_text(&d, "ActiveLoadId", text_of(s->load));
    effects_alarm(e, &d);
}

static void tell_binding(struct station *s, bool gone, struct effects *e)
{
    struct effect *row = effects_put(e, EFFECT_BINDING);

    row->binding.device = s->name;
    row->binding.ip = s->peer.ip;
    row->binding.gone = gone;
}

void tell_mismatch(struct station *s, struct effects *e)
{
    const struct phone *phone = station_phone(s);
    struct alarm_draft d;

    alarm_begin(&d, ALARM_DEVICE_TYPE_MISMATCH);
    alarm_put(&d, "DBDeviceType", "%d", phone ? phone->model : 0);
    alarm_put_number(&d, "DeviceType", s->model);
    alarm_put_device(&d, s->name);
    d.ip = s->peer.ip;
    effects_alarm(e, &d);
}

void tell_limit(struct station *s, struct effects *e)
{
    struct alarm_draft d;

    alarm_begin(&d, ALARM_NUM_DEV_REG_EXCEEDED);
    alarm_put(&d, "MaxDevices", "%d", SETTING_OF(s, max_registered_devices));
    effects_alarm(e, &d);
}

void tell_duplicate(struct station *s, struct effects *e)
{
    struct rival rival;
    struct alarm_draft d;
    char at[IP_TEXT_MAX];

    if (!station_namesake(s, &rival))
        return;
    alarm_begin(&d, ALARM_DUPLICATE_DEVICE);
    alarm_put_device(&d, s->name);
    alarm_put_ip(&d, s->peer.ip);
    alarm_put_text(&d, "OtherIPAddress", text_of(ip_print(rival.ip, at)));
    alarm_put_text(&d, "OtherNode", text_of(rival.node));
    effects_alarm(e, &d);
}

void tell_claim(struct station *holder, struct ip claimant, struct effects *e)
{
    struct alarm_draft d;
    char at[IP_TEXT_MAX];

    alarm_begin(&d, ALARM_DUPLICATE_DEVICE);
    alarm_put_device(&d, holder->name);
    alarm_put_ip(&d, claimant);
    alarm_put_text(&d, "OtherIPAddress", text_of(ip_print(holder->peer.ip, at)));
    alarm_put_text(&d, "OtherNode", text_of(holder->registry->options.node));
    effects_alarm(e, &d);
}

static void tell_toggle(struct station *s, const struct toggle *t, struct effects *e)
{
    const char *other = flapping_other(s->registry->flapping, s->name);
    struct alarm_draft d;

    alarm_begin(&d, ALARM_DEVICE_TOGGLE);
    alarm_put_device(&d, s->name);
    alarm_put_ip(&d, s->peer.ip);
    alarm_put_number(&d, "Registrations", t->n);
    alarm_put_number(&d, "Interval", t->window_ms / 1000);
    alarm_put_number(&d, "Period", t->period_ms / 1000);
    if (t->cause)
        alarm_put_text(&d, "Cause", text_of(reason_unregistered(t->cause)->text));
    alarm_put_text(&d, "OtherNode", text_of(other));
    effects_alarm(e, &d);
    station_log(s, LOG_LEVEL_WARNING, "registers again and again, every %u s%s%s: %s",
                t->period_ms / 1000, *other ? ", in between at " : "", other,
                t->cause ? reason_unregistered(t->cause)->text : "no known cause");
}

void tell_arrived(struct station *s, enum alarm_id id, struct effects *e)
{
    struct toggle toggle;

    s->since_ms = s->registry->now.ms;
    s->registry->n_arrived++;
    s->leave_reason = 0;
    refused_forget(s->registry->refused, s->name);
    tell_event(s, STAGE_REGISTERED, 0, s->load, e);
    tell_binding(s, false, e);
    tell_registered(s, id, e);
    if (flapping_note(s->registry->flapping, s->name, s->registry->now.ms, &toggle))
        tell_toggle(s, &toggle, e);
}

void tell_keepalives(struct station *s, uint32_t interval_s, const struct keepalive_finding *found,
                     struct effects *e)
{
    struct alarm_draft d;

    alarm_begin(&d, ALARM_KEEPALIVE_LATE);
    alarm_put_device(&d, s->name);
    alarm_put_ip(&d, s->peer.ip);
    alarm_put_number(&d, "Expected", interval_s);
    alarm_put(&d, "Took", "%u.%01u", found->took_ms / 1000, found->took_ms % 1000 / 100);
    alarm_put_number(&d, "Missed", found->missed);
    alarm_put(&d, "Jitter", "%u ms", found->jitter_ms);
    alarm_put_text(&d, "Advice", text_of(found->advice));
    effects_alarm(e, &d);
}

void tell_impatient(struct station *s, uint32_t n_requests, uint32_t wait_s, struct effects *e)
{
    struct alarm_draft d;

    alarm_begin(&d, ALARM_TOKEN_REQUEST_STORM);
    alarm_put_device(&d, s->name);
    alarm_put_ip(&d, s->peer.ip);
    alarm_put_number(&d, "Requests", n_requests);
    alarm_put_number(&d, "Wait", wait_s);
    effects_alarm(e, &d);
    station_log(s, LOG_LEVEL_WARNING, "asked %u times for a token and did not wait %u s", n_requests, wait_s);
}

void tell_gone(struct station *s, uint32_t reason, struct effects *e)
{
    flapping_left(s->registry->flapping, s->name, reason);
    tell_event(s, STAGE_UNREGISTERED, reason, reason_unregistered(reason)->text, e);
    tell_binding(s, true, e);
    tell_unregistered(s, reason, e);
    station_log(s, LOG_LEVEL_INFO, "unregistered: %s", reason_unregistered(reason)->text);
    station_leave_name(s);
}

void tell_flood(struct station *s, uint32_t n_events, struct effects *e)
{
    struct alarm_draft d;

    alarm_begin(&d, ALARM_DEVICE_MAX_EVENTS);
    alarm_put_number(&d, "TotalEventsReceived", n_events);
    alarm_put_ip(&d, s->peer.ip);
    alarm_put(&d, "MaxEventsAllowed", "%d", SETTING_OF(s, max_station_events));
    d.device = s->name;
    effects_alarm(e, &d);
}

void tell_order(struct station *s, enum alarm_id id, struct effects *e)
{
    struct alarm_draft d;

    alarm_begin(&d, id);
    alarm_put_device(&d, s->name);
    alarm_put_number(&d, "DeviceType", s->model);
    d.ip = s->peer.ip;
    effects_alarm(e, &d);
}
