#include "station/news.h"

#include <stdarg.h>
#include <stdio.h>

#define LINES_A_SECOND 20

/* A storm of registrations must not become a storm of lines; the alarms have them all. */
static bool may_tell(struct stations *o)
{
    uint64_t second = o->now.ms / 1000;

    if (o->log_second != second) {
        if (o->n_untold)
            log_info("sccp", "and %u more phones registered or left", o->n_untold);
        o->log_second = second;
        o->n_told = o->n_untold = 0;
    }
    if (o->n_told < LINES_A_SECOND)
        return o->n_told++, true;
    o->n_untold++;
    return false;
}

void session_log(const struct session *s, enum log_level level, const char *format, ...)
{
    char words[400], at[ENDPOINT_TEXT_MAX];
    va_list args;

    if (!log_wants(level) || (level == LOG_LEVEL_INFO && !may_tell(s->owner)))
        return;
    va_start(args, format);
    vsnprintf(words, sizeof(words), format, args);
    va_end(args);
    log_print(level, "sccp", "%s at %s %s: %s",
              s->station.name.s[0] ? s->station.name.s : "somebody",
              endpoint_print(&s->station.peer, at), station_state_name(s->station.state), words);
}

void tell_event(struct session *s, enum station_stage stage, uint32_t code, const char *detail,
                struct effects *e)
{
    struct station_event *event = &effects_put(e, EFFECT_EVENT)->event;

    *event = (struct station_event){.stage = (uint8_t)stage,
                                    .protocol = PROTOCOL_SCCP,
                                    .device = s->station.name,
                                    .ip = s->station.peer.ip,
                                    .model = s->station.model,
                                    .code = code};
    text_copy(event->detail, sizeof(event->detail), text_of(detail));
}

static void put_signal(struct alarm_draft *d, const struct session *s)
{
    if (s->station.last_signal)
        alarm_put(d, "LastSignalReceived", "Station%s", s->station.last_signal);
}

void tell_transient(struct session *s, uint32_t reason, uint32_t times, struct effects *e)
{
    struct alarm_draft d;

    alarm_begin(&d, ALARM_ENDPOINT_TRANSIENT);
    d.times = times;
    alarm_put_ip(&d, s->station.peer.ip);
    alarm_put_device(&d, s->station.name);
    alarm_put_mac(&d, s->station.name);
    alarm_put(&d, "Protocol", "SCCP");
    alarm_put(&d, "DeviceType", "%u", s->station.model);
    alarm_put_reason(&d, reason);
    alarm_put(&d, "ConnectingPort", "%u", s->station.local.port);
    put_signal(&d, s);
    alarm_put(&d, "StationState", "%s", station_state_name(s->station.state));
    effects_alarm(e, &d);
}

void tell_unregistered(struct session *s, uint32_t reason, struct effects *e)
{
    const struct phone *phone = session_phone(s);
    struct alarm_draft d;

    alarm_begin(&d, ALARM_ENDPOINT_UNREGISTERED);
    alarm_put_device(&d, s->station.name);
    alarm_put_mac(&d, s->station.name);
    alarm_put_ip(&d, s->station.peer.ip);
    alarm_put(&d, "Protocol", "SCCP");
    alarm_put(&d, "DeviceType", "%u", s->station.model);
    alarm_put(&d, "Description", "%s", phone ? phone->description : "");
    alarm_put_reason(&d, reason);
    alarm_put(&d, "IPAddrAttributes", "%u", s->station.address_scope);
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
    *w.at = '\0';
    alarm_put(d, "AssociatedDNs", "%s", list);
}

void tell_registered(struct session *s, struct effects *e)
{
    const struct phone *phone = session_phone(s);
    struct alarm_draft d;

    alarm_begin(&d, ALARM_ENDPOINT_REGISTERED);
    alarm_put_device(&d, s->station.name);
    alarm_put_mac(&d, s->station.name);
    alarm_put_ip(&d, s->station.peer.ip);
    alarm_put(&d, "Protocol", "SCCP");
    alarm_put(&d, "Description", "%s", phone ? phone->description : "");
    alarm_put(&d, "LoadID", "%s", s->station.load);
    put_numbers(&d, phone);
    alarm_put(&d, "PerfMonObjType", "2");
    alarm_put(&d, "DeviceType", "%u", s->station.model);
    alarm_put(&d, "IPAddrAttributes", "%u", s->station.address_scope);
    alarm_put(&d, "ActiveLoadId", "%s", s->station.load);
    effects_alarm(e, &d);
}

void tell_binding(struct session *s, bool gone, struct effects *e)
{
    struct effect *row = effects_put(e, EFFECT_BINDING);

    row->binding.device = s->station.name;
    row->binding.ip = s->station.peer.ip;
    row->binding.gone = gone;
}

void tell_mismatch(struct session *s, struct effects *e)
{
    const struct phone *phone = session_phone(s);
    struct alarm_draft d;

    alarm_begin(&d, ALARM_DEVICE_TYPE_MISMATCH);
    alarm_put(&d, "DBDeviceType", "%d", phone ? phone->model : 0);
    alarm_put(&d, "DeviceType", "%u", s->station.model);
    alarm_put_device(&d, s->station.name);
    d.ip = s->station.peer.ip;
    effects_alarm(e, &d);
}

void tell_limit(struct session *s, struct effects *e)
{
    struct alarm_draft d;

    alarm_begin(&d, ALARM_NUM_DEV_REG_EXCEEDED);
    alarm_put(&d, "MaxDevices", "%d", SETTING_OF(s, max_registered_devices));
    effects_alarm(e, &d);
}

void tell_toggle(struct session *s, struct effects *e)
{
    struct alarm_draft d;

    alarm_begin(&d, ALARM_DEVICE_TOGGLE);
    alarm_put_device(&d, s->station.name);
    alarm_put_ip(&d, s->station.peer.ip);
    alarm_put(&d, "Registrations", "%u", FLAPPING_TIMES);
    alarm_put(&d, "Interval", "%u", FLAPPING_WINDOW_MS / 1000);
    effects_alarm(e, &d);
    session_log(s, LOG_LEVEL_WARNING, "registers again and again: %u times in %u minutes",
                FLAPPING_TIMES, FLAPPING_WINDOW_MS / 60000);
}

void tell_flood(struct session *s, struct effects *e)
{
    struct alarm_draft d;

    alarm_begin(&d, ALARM_DEVICE_MAX_EVENTS);
    alarm_put(&d, "TotalEventsReceived", "%u", s->n_events);
    alarm_put_ip(&d, s->station.peer.ip);
    alarm_put(&d, "MaxEventsAllowed", "%d", SETTING_OF(s, max_station_events));
    d.device = s->station.name;
    effects_alarm(e, &d);
}

void tell_order(struct session *s, enum alarm_id id, struct effects *e)
{
    struct alarm_draft d;

    alarm_begin(&d, id);
    alarm_put_device(&d, s->station.name);
    alarm_put(&d, "DeviceType", "%u", s->station.model);
    d.ip = s->station.peer.ip;
    effects_alarm(e, &d);
}
