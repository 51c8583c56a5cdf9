/* session.c - how a registered phone's connection stands: for `phone show`. */
#include <stdio.h>
#include <string.h>

#include "server/signalling/signalling.h"

#define BINDINGS_SHOWN 200

static void add_last_alarm(json_t *record, const struct alarm *a)
{
    struct text device = alarm_parameter(a, "NeighborDeviceID");
    struct text port = alarm_parameter(a, "NeighborPortID");
    char words[200];

    if (a->reason)
        json_object_set_new(record, "last_absence", json_string(reason_phone(a->reason)->text));
    if (a->id == ALARM_PHONE_OUT_OF_SERVICE) {
        snprintf(words, sizeof(words), "%.*s %.*s", TEXT_ARG(device), TEXT_ARG(port));
        json_object_set_new(record, "neighbour", json_of(text_of(words)));
    }
    json_object_set_new(record, "last_alarm", json_of(text_of(a->parameters)));
}

/* Wall clock; 0: it is not registered. */
static uint64_t registered_us(struct moment now, const struct station *x)
{
    return station_is_registered(x) ? now.wall_us - (now.ms - x->since_ms) * 1000 : 0;
}

static void set_number(json_t *record, const char *key, uint64_t n)
{
    json_object_set_new(record, key, json_integer((json_int_t)n));
}

/* How regularly its keepalives come, and what the kernel measured of its connection. */
static void add_pulse(struct signalling *s, json_t *record, const struct keepalive_watch *w, uint64_t link)
{
    struct tcp *tcp = link ? signalling_tcp(s, link) : NULL;
    struct tcp_health h;

    if (w->n) {
        set_number(record, "keepalives", w->n);
        set_number(record, "keepalives_missed", w->n_missed);
        set_number(record, "keepalive_gap_ms", w->gap_cs * 10);
        set_number(record, "keepalive_worst_ms", w->worst_cs * 10);
        set_number(record, "keepalive_jitter_ms", w->jitter_ms);
    }
    if (!tcp || !tcp_health(tcp, link, &h))
        return;
    json_object_set_new(record, "round_trip_ms", json_real(h.rtt_us / 1000.0));
    json_object_set_new(record, "round_trip_deviation_ms", json_real(h.deviation_us / 1000.0));
    set_number(record, "segments_sent_again", h.total);
    set_number(record, "segments_waiting", h.unacked);
}

/* What every protocol has. */
static json_t *station_record(struct signalling *s, const struct station *x)
{
    const struct phone *phone = directory_phone(s->directory, text_of(x->name.s));
    const struct model *model = model_find(x->model);
    struct moment now = signalling_now(s);
    char address[ENDPOINT_TEXT_MAX], own[IP_TEXT_MAX], type[12];
    json_t *record =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:b}", "name", x->name.s, "state",
                  station_state_name(x->state), "reported_model",
                  model ? model->title : model_print(x->model, type), "connection",
                  endpoint_print(&x->peer, address), "own_address", ip_print(station_own_address(x), own),
                  "last_message", x->last_signal ? x->last_signal : "", "silent_ms",
                  (json_int_t)(now.ms - x->heard_ms), "lost_after_ms", (json_int_t)x->loss_ms,
                  "registered_us", (json_int_t)registered_us(now, x), "quarantine",
                  phone && phone->quarantine);

    json_object_set_new(record, "active_load", json_of(text_of(x->load)));
    if (x->last_alarm)
        add_last_alarm(record, x->last_alarm);
    return record;
}

static bool came_by_tls(struct signalling *s, const struct station *x)
{
    const struct bootstrap *b = server_bootstrap(s->thread->server);

    return x->local_port &&
           (x->local_port == b->sccp_tls_port || x->local_port == b->sccp_old_tls_port);
}

static json_t *sccp_session(struct signalling *s, const struct station *x)
{
    struct station_session session = {0};
    json_t *record = station_record(s, x), *more;

    stations_session(s->stations, x->name, signalling_now(s), &session);
    more = json_pack("{s:s, s:s, s:i, s:i, s:I}", "protocol", "SCCP", "transport",
                     came_by_tls(s, x) ? "TLS" : "TCP", "version", (int)session.version,
                     "offered_version", (int)session.offered, "instance",
                     (json_int_t)session.instance);
    json_object_update(record, more);
    json_decref(more);
    add_pulse(s, record, &session.watch, session.link);
    return json_pack("{s:o}", "record", record);
}

static const char *transport_name(uint8_t transport)
{
    static const char *const names[] = {[SIP_UDP] = "UDP", [SIP_TCP] = "TCP", [SIP_TLS] = "TLS"};

    return names[transport];
}

/* A line of a phone or a contact of a plain client each. */
static json_t *binding_row(const struct sip_binding_view *b)
{
    char address[ENDPOINT_TEXT_MAX];

    return json_pack("[o, o, s, s, I]", json_of(b->user), json_of(b->contact),
                     transport_name(b->flow.transport), endpoint_print(&b->flow.peer, address),
                     (json_int_t)b->expires_s);
}

static json_t *sip_session(struct signalling *s, const struct station *x)
{
    json_t *record = station_record(s, x), *rows = json_array();
    struct sip_binding_view b;
    struct keepalive_watch watch;
    uint64_t link;

    if (sip_stations_watch(s->sip, x->name, &watch, &link))
        add_pulse(s, record, &watch, link);
    json_object_set_new(record, "protocol", json_string("SIP"));
    for (size_t i = 0;
         i < BINDINGS_SHOWN && sip_stations_binding(s->sip, x->name, i, signalling_now(s), &b);
         i++) {
        if (!i)
            json_object_set_new(record, "transport", json_string(transport_name(b.flow.transport)));
        json_array_append_new(rows, binding_row(&b));
    }
    return json_pack("{s:o, s:{s:[s,s,s,s,s], s:o}}", "record", record, "contacts", "columns",
                     "number", "contact", "transport", "from", "expires_s", "rows", rows);
}

void signalling_session(struct signalling *s, const struct message *m)
{
    const char *name = json_string_value(json_object_get(m->request.take_arguments, "name"));
    struct device_name device = device_name_of(text_of(name));
    const struct station *x = registry_find(s->registry, device);
    const struct refusal *refusal = registry_refusal(s->registry, device);
    char words[200];

    if (x) {
        signalling_reply(s, m->request.token, 0,
                         x->protocol == PROTOCOL_SCCP ? sccp_session(s, x) : sip_session(s, x));
        return;
    }
    if (refusal)
        snprintf(words, sizeof(words), "%s is not registered: refused %u times, last because %s.",
                 device.s, refusal->n, reason_transient(refusal->reason)->text);
    else
        snprintf(words, sizeof(words), "%s is not registered.", device.s);
    signalling_reply(s, m->request.token, 1, json_pack("{s:o}", "error", json_of(text_of(words))));
}
