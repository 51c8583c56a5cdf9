/* effects.c - what the cores want done, and what the other threads are told of it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "provision/file_guard.h"
#include "server/peers/peers.h"
#include "server/traces/trace.h"

#define NEWS_MS                                                                                    \
    25 /* how long news may wait for more: later than those of the files a phone read before */
#define TAG_SHIFT 60

/* --- news for the other threads --- */

static void tell(struct signalling *s, enum thread_id to, struct news *news)
{
    server_post_all(s->thread->server, to, news->messages, news->n);
    news->n = 0;
}

void signalling_tell_news(struct signalling *s)
{
    tell(s, THREAD_ADMIN, &s->admin_news);
    if (atomic_load_explicit(&trace_follows, memory_order_relaxed) == TRACE_FOLLOWS_SOON)
        server_post_all(s->thread->server, THREAD_TRACES, s->files_news.messages, s->files_news.n);
    tell(s, THREAD_FILES, &s->files_news);
    uv_timer_stop(&s->news_timer);
}

void signalling_on_news_timer(uv_timer_t *timer)
{
    signalling_tell_news(timer->data);
}

static struct message *news_add(struct signalling *s, struct news *news, enum message_id id)
{
    struct message *m;

    if (news->n == NEWS_MAX)
        signalling_tell_news(s);
    if (!s->admin_news.n && !s->files_news.n)
        uv_timer_start(&s->news_timer, signalling_on_news_timer, NEWS_MS, 0);
    m = &news->messages[news->n++];
    m->id = id;
    return m;
}

/* --- effects --- */

/* The last that admin will be told is the REGISTER that now is answered. */
static bool has_just_asked(const struct news *news, const struct station_event *event,
                           uint64_t now_us)
{
    const struct message *m = news->n ? &news->messages[news->n - 1] : NULL;
    const struct progress_event *e = m && m->id == MESSAGE_PROGRESS ? &m->progress.event : NULL;

    return e && e->stage == PROGRESS_REGISTER && !strcmp(e->device.s, event->device.s) &&
           !strcmp(e->detail, event->detail) && e->time_us == now_us;
}

static void tell_progress(struct signalling *s, const struct station_event *event)
{
    static const uint16_t stages[] = {
        [STAGE_REGISTER] = PROGRESS_REGISTER,
        [STAGE_REJECTED] = PROGRESS_REJECTED,
        [STAGE_REGISTERED] = PROGRESS_REGISTERED,
        [STAGE_UNREGISTERED] = PROGRESS_UNREGISTERED,
    };
    struct progress_event *e;

    if (event->stage == STAGE_REGISTERED && has_just_asked(&s->admin_news, event, s->wall_us)) {
        e = &s->admin_news.messages[s->admin_news.n - 1].progress.event;
        e->stage = PROGRESS_REGISTERED;
        e->at_once = true;
        return;
    }
    e = &news_add(s, &s->admin_news, MESSAGE_PROGRESS)->progress.event;
    *e = (struct progress_event){.time_us = s->wall_us,
                                 .device = event->device,
                                 .ip = event->ip,
                                 .stage = stages[event->stage],
                                 .model = event->model,
                                 .code = event->code,
                                 .protocol = event->protocol};
    memcpy(e->detail, event->detail, sizeof(e->detail));
    device_name_mac(event->device, &e->mac);
    signalling_trace_event(s, e);
}

static void tell_alarm(struct signalling *s, struct alarm *take_alarm)
{
    take_alarm->time_us = s->wall_us;
    news_add(s, &s->admin_news, MESSAGE_ALARM)->alarm.take_alarm = take_alarm;
}

static void tell_binding(struct signalling *s, const struct effect *row)
{
    struct message *m = news_add(s, &s->files_news, MESSAGE_BINDING);

    m->binding.device = row->binding.device;
    m->binding.ip = row->binding.ip;
    m->binding.by = BOUND_BY_REGISTRATION;
    m->binding.gone = row->binding.gone;
}

static int ask_to_add(struct signalling *s, const struct effect *row)
{
    struct message m = {.id = MESSAGE_AUTOREGISTER};

    m.autoregister.token = row->link;
    m.autoregister.device = row->autoregister.device;
    m.autoregister.model = row->autoregister.model;
    m.autoregister.protocol = row->autoregister.protocol;
    return server_post(s->thread->server, THREAD_STORAGE, &m);
}

/* Tokens of SIP have their highest bit set. */
static void admitted(struct signalling *s, uint64_t token, int err)
{
    if (token >> 63)
        sip_stations_admitted(s->sip, token, err, signalling_now(s), s->effects);
    else
        stations_admitted(s->stations, token, err, signalling_now(s), s->effects);
    signalling_carry_out(s);
}

void signalling_admitted(struct signalling *s, const struct message *m)
{
    if (m->autoregistered.take_error)
        log_notice("signalling", "%s was not added: %s", m->autoregistered.device.s,
                   m->autoregistered.take_error);
    free(m->autoregistered.take_error);
    admitted(s, m->autoregistered.token, m->autoregistered.err);
}

static void ask_for_place(struct signalling *s, const struct effect *row)
{
    struct message m = {.id = MESSAGE_ACTIVATE};

    m.activate.token = row->link;
    m.activate.device = row->activate.device;
    m.activate.model = row->activate.model;
    m.activate.protocol = row->activate.protocol;
    memcpy(m.activate.code, row->activate.code, sizeof(m.activate.code));
    server_post(s->thread->server, THREAD_STORAGE, &m);
}

void signalling_activated(struct signalling *s, const struct message *m)
{
    if (m->activated.take_error)
        log_notice("signalling", "%s: %s", m->activated.device.s, m->activated.take_error);
    free(m->activated.take_error);
    stations_activated(s->stations, m->activated.token, m->activated.err, signalling_now(s),
                       s->effects);
    signalling_carry_out(s);
    sip_stations_activated(s->sip, m->activated.token, m->activated.err, signalling_now(s),
                           s->effects);
    signalling_carry_out(s);
}

struct tcp *signalling_tcp(const struct signalling *s, uint64_t link)
{
    return s->ports[link >> TAG_SHIFT].tcp;
}

static void send_bytes(struct signalling *s, const struct effect *row)
{
    struct tcp *tcp = signalling_tcp(s, row->link);

    if (tcp)
        tcp_send(tcp, row->link, effect_bytes(s->effects, row), row->send.len);
}

static void settle(struct signalling *s, const struct effect *row)
{
    struct tcp *tcp = signalling_tcp(s, row->link);

    if (tcp)
        tcp_settle(tcp, row->link);
}

static void probe(struct signalling *s, const struct effect *row)
{
    struct tcp *tcp = signalling_tcp(s, row->link);

    if (tcp)
        tcp_probe(tcp, row->link);
}

static void close_link(struct signalling *s, const struct effect *row)
{
    struct tcp *tcp = signalling_tcp(s, row->link);

    if (tcp)
        tcp_close(tcp, row->link);
}

/* They leave together, from where the core has written them. */
static struct udp *send_datagram(struct signalling *s, const struct effect *row)
{
    struct udp *udp = s->ports[PORT_SIP_UDP].udp[row->datagram.to.ip.family == 6];

    if (udp)
        udp_lend(udp, &row->datagram.to, row->datagram.from, 0, effect_bytes(s->effects, row),
                 row->datagram.len);
    return udp;
}

/* Datagrams wait in `udp` until all are done. Who could not be asked for is kept in `not_asked`. */
static void carry_out_one(struct signalling *s, struct effect *row, struct udp *udp[static 2],
                          uint64_t *not_asked, size_t *n_not_asked)
{
    switch (row->kind) {
    case EFFECT_SEND:
        signalling_said(s, row);
        send_bytes(s, row);
        break;
    case EFFECT_DATAGRAM:
        signalling_said(s, row);
        udp[row->datagram.to.ip.family == 6] = send_datagram(s, row);
        break;
    case EFFECT_CLOSE:
        close_link(s, row);
        break;
    case EFFECT_PROBE:
        probe(s, row);
        break;
    case EFFECT_SETTLED:
        settle(s, row);
        break;
    case EFFECT_ALARM:
        tell_alarm(s, row->take_alarm);
        break;
    case EFFECT_EVENT:
        tell_progress(s, &row->event);
        break;
    case EFFECT_BINDING:
        tell_binding(s, row);
        signalling_trace_binding(s, row);
        peers_tell(s->peers, row->binding.device, row->binding.ip, row->binding.gone);
        break;
    case EFFECT_AUTOREGISTER:
        if (ask_to_add(s, row) < 0)
            not_asked[(*n_not_asked)++] = row->link;
        break;
    case EFFECT_ACTIVATE:
        ask_for_place(s, row); /* without an answer the phone hears reorder tone */
        break;
    }
}

void signalling_carry_out(struct signalling *s)
{
    struct udp *udp[2] = {NULL, NULL};
    uint64_t not_asked[EFFECTS_MAX];
    size_t n = 0;

    for (size_t i = 0; i < s->effects->n; i++)
        carry_out_one(s, &s->effects->rows[i], udp, not_asked, &n);
    for (int i = 0; i < 2; i++)
        if (udp[i])
            udp_flush(udp[i]);
    effects_clear(s->effects);
    for (size_t i = 0; i < n; i++) /* the database's mailbox is full: they try again later */
        admitted(s, not_asked[i], -ENOBUFS);
}
