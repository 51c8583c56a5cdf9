/* signalling_requests.c - what people ask of registered phones: reset, restart, apply, session. */
#include <stdio.h>
#include <string.h>

#include "server/signalling.h"

void signalling_reply(struct signalling *s, uint64_t token, int status, json_t *take_body)
{
    struct message m = {.id = MESSAGE_REPLY};

    m.reply.token = token;
    m.reply.status = status;
    m.reply.take_body = take_body;
    signalling_tell_news(s); /* what the request did is known before its answer */
    server_post(s->thread->server, THREAD_ADMIN, &m);
}

static void order_phones(struct signalling *s, const struct message *m, enum station_order order,
                         const char *did)
{
    json_t *names = json_object_get(m->request.take_arguments, "names"), *name;
    json_int_t done = 0, absent = 0;
    size_t i;

    json_array_foreach(names, i, name)
    {
        struct device_name device = device_name_of(text_of(json_string_value(name)));

        if (stations_order(s->stations, device, order, signalling_now(s), s->effects) == 0 ||
            sip_stations_order(s->sip, device, order, signalling_now(s), s->effects) == 0)
            done++;
        else
            absent++;
        signalling_carry_out(s);
    }
    signalling_reply(s, m->request.token, 0,
                     json_pack("{s:{s:I, s:I}}", "record", did, done, "absent", absent));
}

static void phone_reset(struct signalling *s, const struct message *m)
{
    order_phones(s, m, STATION_RESET, "reset");
}

static void phone_restart(struct signalling *s, const struct message *m)
{
    order_phones(s, m, STATION_RESTART, "restarted");
}

static void phone_apply(struct signalling *s, const struct message *m)
{
    order_phones(s, m, STATION_APPLY, "applied");
}

/* UTF-8, whatever the phone put there. */
static json_t *json_words(const char *words)
{
    json_t *text = json_string(words);

    return text ? text : json_string("");
}

static void add_last_alarm(json_t *record, const struct alarm *a)
{
    struct text device = alarm_parameter(a, "NeighborDeviceID");
    struct text port = alarm_parameter(a, "NeighborPortID");
    char words[200];

    if (a->reason)
        json_object_set_new(record, "last_absence", json_string(reason_phone(a->reason)->text));
    if (a->id == ALARM_PHONE_OUT_OF_SERVICE) {
        snprintf(words, sizeof(words), "%.*s %.*s", TEXT_ARG(device), TEXT_ARG(port));
        json_object_set_new(record, "neighbour", json_words(words));
    }
    json_object_set_new(record, "last_alarm", json_words(a->parameters));
}

static json_t *session_record(struct signalling *s, const struct station *x)
{
    const struct phone *phone = directory_phone(s->directory, text_of(x->name.s));
    const struct model *model = model_find(x->model);
    struct station_session session = {0};
    char address[ENDPOINT_TEXT_MAX], own[IP_TEXT_MAX], type[12];
    json_t *record;

    stations_session(s->stations, x->name, signalling_now(s), &session);
    record = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:I, s:s, s:I, s:I, s:b}", "name", x->name.s,
        "state", station_state_name(x->state), "reported_model",
        model ? model->title : model_print(x->model, type), "connection",
        endpoint_print(&x->peer, address), "own_address", ip_print(x->own_address, own), "protocol",
        "SCCP", "version", (int)session.version, "offered_version", (int)session.offered,
        "instance", (json_int_t)session.instance, "last_message",
        x->last_signal ? x->last_signal : "", "silent_ms", (json_int_t)session.silent_ms,
        "lost_after_ms", (json_int_t)session.loss_ms, "quarantine", phone && phone->quarantine);
    json_object_set_new(record, "active_load", json_words(x->load));
    json_object_set_new(record, "registered_us", json_integer((json_int_t)x->since_us));
    if (x->last_alarm)
        add_last_alarm(record, x->last_alarm);
    return record;
}

static void phone_session(struct signalling *s, const struct message *m)
{
    const char *name = json_string_value(json_object_get(m->request.take_arguments, "name"));
    struct device_name device = device_name_of(text_of(name));
    const struct station *x = stations_find(s->stations, device);
    const struct refusal *refusal = registry_refusal(s->registry, device);
    char words[200];

    if (x) {
        signalling_reply(s, m->request.token, 0,
                         json_pack("{s:o}", "record", session_record(s, x)));
        return;
    }
    if (refusal)
        snprintf(words, sizeof(words), "%s is not registered: refused %u times, last because %s.",
                 device.s, refusal->n, reason_transient(refusal->reason)->text);
    else
        snprintf(words, sizeof(words), "%s is not registered.", device.s);
    signalling_reply(s, m->request.token, 1, json_pack("{s:o}", "error", json_words(words)));
}

void signalling_answer(struct signalling *s, const struct message *m)
{
    static const struct {
        enum request_id id;
        void (*answer)(struct signalling *s, const struct message *m);
    } requests[] = {
        {REQUEST_PHONE_RESET, phone_reset},
        {REQUEST_PHONE_RESTART, phone_restart},
        {REQUEST_PHONE_APPLY, phone_apply},
        {REQUEST_PHONE_SESSION, phone_session},
        {REQUEST_CERTIFICATE_LIST, signalling_certificate_list},
        {REQUEST_CERTIFICATE_SHOW, signalling_certificate_show},
        {REQUEST_CERTIFICATE_RENEW, signalling_certificate_renew},
        {REQUEST_NODE_LIST, signalling_node_list},
        {REQUEST_NODE_DRAIN, signalling_node_drain},
    };

    for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++)
        if (strcmp(request_rows[requests[i].id].verb, m->request.verb) == 0) {
            requests[i].answer(s, m);
            json_decref(m->request.take_arguments);
            return;
        }
    signalling_reply(s, m->request.token, 1,
                     json_pack("{s:s}", "error", "The CallManager service does not know this."));
    json_decref(m->request.take_arguments);
}
