/* requests.c - what people ask of registered phones: reset, restart, apply. */
#include <string.h>

#include "server/signalling/signalling.h"

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

void signalling_answer(struct signalling *s, const struct message *m)
{
    static const struct {
        enum request_id id;
        void (*answer)(struct signalling *s, const struct message *m);
    } requests[] = {
        {REQUEST_PHONE_RESET, phone_reset},
        {REQUEST_PHONE_RESTART, phone_restart},
        {REQUEST_PHONE_APPLY, phone_apply},
        {REQUEST_PHONE_SESSION, signalling_session},
        {REQUEST_CERTIFICATE_LIST, signalling_certificate_list},
        {REQUEST_CERTIFICATE_SHOW, signalling_certificate_show},
        {REQUEST_CERTIFICATE_RENEW, signalling_certificate_renew},
        {REQUEST_NODE_LIST, signalling_node_list},
        {REQUEST_NODE_TOKEN, signalling_node_token},
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
