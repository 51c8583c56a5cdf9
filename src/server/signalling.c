/* signalling.c - the signalling thread: the SCCP port, and what its phones want done. */
#include "server/signalling.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "core/counters.h"
#include "core/settings.h"
#include "provision/file_guard.h"

#define LINKS_MAX    250000
#define FILES_SPARED 512 /* of the open files allowed, left to the other threads */
#define LINKS_SPARED 64  /* accepted beyond the sessions, so that silent ones can make room */
#define QUEUED_MAX   (256u * 1024) /* bytes a phone may leave unread */
#define NEWS_MS                                                                                    \
    25 /* how long news may wait for more: later than those of the files a phone read before */

/* --- news for the other threads --- */

void signalling_tell_news(struct signalling *s)
{
    for (size_t i = 0; i < s->n_news; i++)
        server_post(s->thread->server, s->news[i].to, &s->news[i].message);
    s->n_news = 0;
    uv_timer_stop(&s->news_timer);
}

static void on_news_timer(uv_timer_t *timer)
{
    signalling_tell_news(timer->data);
}

static struct message *news_add(struct signalling *s, enum thread_id to, enum message_id id)
{
    struct news *row;

    if (s->n_news == NEWS_MAX)
        signalling_tell_news(s);
    if (!s->n_news)
        uv_timer_start(&s->news_timer, on_news_timer, NEWS_MS, 0);
    row = &s->news[s->n_news++];
    *row = (struct news){to, {.id = id}};
    return &row->message;
}

/* --- effects --- */

static void tell_progress(struct signalling *s, const struct station_event *event)
{
    static const uint16_t stages[] = {
        [STAGE_REGISTER] = PROGRESS_REGISTER,
        [STAGE_REJECTED] = PROGRESS_REJECTED,
        [STAGE_REGISTERED] = PROGRESS_REGISTERED,
        [STAGE_UNREGISTERED] = PROGRESS_UNREGISTERED,
    };
    struct progress_event *e = &news_add(s, THREAD_ADMIN, MESSAGE_PROGRESS)->progress.event;

    *e = (struct progress_event){.time_us = server_wall_us(),
                                 .device = event->device,
                                 .ip = event->ip,
                                 .stage = stages[event->stage],
                                 .model = event->model,
                                 .code = event->code,
                                 .protocol = event->protocol};
    memcpy(e->detail, event->detail, sizeof(e->detail));
    device_name_mac(event->device, &e->mac);
}

static void tell_alarm(struct signalling *s, struct alarm *take_alarm)
{
    take_alarm->time_us = server_wall_us();
    news_add(s, THREAD_ADMIN, MESSAGE_ALARM)->alarm.take_alarm = take_alarm;
}

static void tell_binding(struct signalling *s, const struct effect *row)
{
    struct message *m = news_add(s, THREAD_FILES, MESSAGE_BINDING);

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

void signalling_carry_out(struct signalling *s)
{
    uint64_t not_asked[EFFECTS_MAX];
    size_t n = 0;

    for (size_t i = 0; i < s->effects->n; i++) {
        struct effect *row = &s->effects->rows[i];

        switch (row->kind) {
        case EFFECT_SEND:
            tcp_send(s->tcp, row->link, effect_bytes(s->effects, row), row->send.len);
            break;
        case EFFECT_DATAGRAM: /* of SIP */
            break;
        case EFFECT_CLOSE:
            tcp_close(s->tcp, row->link);
            break;
        case EFFECT_ALARM:
            tell_alarm(s, row->take_alarm);
            break;
        case EFFECT_EVENT:
            tell_progress(s, &row->event);
            break;
        case EFFECT_BINDING:
            tell_binding(s, row);
            break;
        case EFFECT_AUTOREGISTER:
            if (ask_to_add(s, row) < 0)
                not_asked[n++] = row->link;
            break;
        case EFFECT_ACTIVATE:
            ask_for_place(s, row); /* without an answer the phone hears reorder tone */
            break;
        }
    }
    effects_clear(s->effects);
    for (size_t i = 0; i < n; i++) { /* the database's mailbox is full: they try again later */
        stations_admitted(s->stations, not_asked[i], -ENOBUFS, signalling_now(s), s->effects);
        signalling_carry_out(s);
    }
}

/* --- the port --- */

static void on_open(void *context, uint64_t link, const struct endpoint *peer,
                    const struct endpoint *local)
{
    struct signalling *s = context;

    if (stations_open(s->stations, link, peer, local, signalling_now(s), s->effects) < 0)
        tcp_close(s->tcp, link);
    signalling_carry_out(s);
}

static void on_input(void *context, uint64_t link, const uint8_t *bytes, size_t len)
{
    struct signalling *s = context;
    struct moment at = signalling_now(s);
    size_t n = 0;

    do {
        n += stations_input(s->stations, link, bytes + n, len - n, at, s->effects);
        signalling_carry_out(s);
    } while (n < len);
}

static void on_close(void *context, uint64_t link, int err)
{
    struct signalling *s = context;

    stations_closed(s->stations, link, err, signalling_now(s), s->effects);
    signalling_carry_out(s);
}

static void on_timer(uv_timer_t *timer)
{
    struct signalling *s = timer->data;
    bool more;

    s->due_ms = UINT64_MAX;
    do {
        more = stations_tick(s->stations, signalling_now(s), s->effects);
        signalling_carry_out(s);
    } while (more);
}

/* Once a turn of the loop, after all input: when is the next thing due? */
static void on_prepare(uv_prepare_t *prepare)
{
    struct signalling *s = prepare->data;
    uint64_t ms = uv_now(&s->thread->loop), wait = stations_next(s->stations, ms);
    uint64_t due = wait == UINT64_MAX ? UINT64_MAX : ms + wait;

    if (due >= s->due_ms)
        return; /* it fires early enough, and looks again */
    s->due_ms = due;
    uv_timer_start(&s->timer, on_timer, wait, 0);
}

static size_t links_allowed(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= LINKS_MAX + FILES_SPARED)
        return LINKS_MAX;
    return limit.rlim_cur > 2 * FILES_SPARED ? limit.rlim_cur - FILES_SPARED : limit.rlim_cur / 2;
}

static void port_alarm(struct signalling *s, enum alarm_id id, unsigned port)
{
    struct alarm_draft d;

    alarm_begin(&d, id);
    if (id != ALARM_STATION_PORT_INIT_ERROR) {
        alarm_put(&d, "Protocol", "SCCP");
        alarm_put(&d, "PortNumber", "%u", port);
    }
    server_alarm(s->thread->server, alarm_finish(&d));
}

static void listen_failed(struct signalling *s, const struct endpoint *at, int err, uint64_t token)
{
    char words[160];

    server_bind_error(err, at, false, words, sizeof(words));
    server_service_state(s->thread->server, SERVICE_CALLMANAGER, SERVICE_FAILED, token, "%s",
                         words);
    port_alarm(s, ALARM_STATION_PORT_INIT_ERROR, at->port);
}

static void service_start(struct signalling *s, uint64_t token)
{
    const struct bootstrap *b = server_bootstrap(s->thread->server);
    struct tcp_options o = {
        .local.port = (uint16_t)b->sccp_port,
        .tos =
            (uint8_t)(directory_number(s->thread->directory, SET_dscp_callmanager_to_device) << 2),
        .max_links = links_allowed() + LINKS_SPARED,
        .max_queued = QUEUED_MAX,
        .context = s,
        .on_open = on_open,
        .on_input = on_input,
        .on_close = on_close};
    int err;

    if (!b->sccp_port) {
        server_service_state(s->thread->server, SERVICE_CALLMANAGER, SERVICE_OFF, token,
                             "sccp.port is 0");
        return;
    }
    if (s->tcp) {
        server_service_state(s->thread->server, SERVICE_CALLMANAGER, SERVICE_RUNNING, token,
                             "SCCP on TCP %u", tcp_port(s->tcp));
        return;
    }
    if (*b->listen_address && ip_parse(text_of(b->listen_address), &o.local.ip) < 0)
        err = -EINVAL;
    else
        err = tcp_listen(&s->thread->loop, &o, &s->tcp);
    if (err < 0) {
        listen_failed(s, &o.local, err, token);
        return;
    }
    server_service_state(s->thread->server, SERVICE_CALLMANAGER, SERVICE_RUNNING, token,
                         "SCCP on TCP %u", tcp_port(s->tcp));
    port_alarm(s, ALARM_SERVICE_PORT_ONLINE, tcp_port(s->tcp));
}

/* Phones are not told: they move to their backup at once, or come back when we do. */
static void service_close(struct signalling *s)
{
    unsigned port;

    if (!s->tcp)
        return;
    while (stations_drop_all(s->stations, signalling_now(s), s->effects))
        signalling_carry_out(s);
    signalling_carry_out(s);
    port = tcp_port(s->tcp);
    tcp_stop(s->tcp);
    s->tcp = NULL;
    port_alarm(s, ALARM_SERVICE_PORT_OFFLINE, port);
}

static void on_service(struct signalling *s, const struct message *m)
{
    if (m->service.wanted == SERVICE_RUNNING) {
        service_start(s, m->service.token);
        return;
    }
    service_close(s);
    server_service_state(s->thread->server, SERVICE_CALLMANAGER, SERVICE_STOPPED, m->service.token,
                         "stopped by the administrator");
}

/* --- the thread --- */

static void take_snapshot(struct signalling *s)
{
    const struct directory *old = s->directory;

    if (!s->thread->directory || s->thread->directory == old)
        return;
    s->directory = directory_ref(s->thread->directory);
    registry_set_directory(s->registry, s->directory, signalling_now(s));
    directory_unref(old);
}

static void local_time(void *context, const char *zone, uint64_t wall_us, struct local_time *ret)
{
    struct signalling *s = context;
    int64_t utc = (int64_t)(wall_us / 1000000);
    time_t local = (time_t)(utc + local_times_offset(s->times, zone, utc));
    struct tm tm;

    gmtime_r(&local, &tm);
    *ret = (struct local_time){tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_wday, tm.tm_mday,
                               tm.tm_hour,        tm.tm_min,     tm.tm_sec};
}

static int cores_new(struct signalling *s)
{
    const struct bootstrap *b = server_bootstrap(s->thread->server);
    struct registry_options r = {.node = s->node, .local_time = local_time, .context = s};
    struct stations_options o = {.max_sessions = links_allowed()};

    if (*b->node_name)
        text_copy(s->node, sizeof(s->node), text_of(b->node_name));
    else
        gethostname(s->node, sizeof(s->node) - 1);
    ip_parse(text_of(b->node_address), &r.address);
    s->registry = o.registry = registry_new(&r);
    s->stations = o.registry ? stations_new(&o) : NULL;
    s->effects = effects_new();
    s->times = local_times_new();
    return s->stations && s->effects && s->times ? 0 : -ENOMEM;
}

static void signalling_free(struct signalling *s)
{
    effects_free(s->effects);
    stations_free(s->stations);
    registry_free(s->registry);
    local_times_free(s->times);
    directory_unref(s->directory);
    free(s);
}

static int start(struct thread *t)
{
    struct signalling *s = calloc(1, sizeof(*s));

    if (!s)
        return -ENOMEM;
    s->thread = t;
    s->due_ms = UINT64_MAX;
    if (cores_new(s) < 0) {
        signalling_free(s);
        return -ENOMEM;
    }
    t->state = s;
    uv_timer_init(&t->loop, &s->timer);
    uv_timer_init(&t->loop, &s->news_timer);
    uv_prepare_init(&t->loop, &s->prepare);
    s->timer.data = s->news_timer.data = s->prepare.data = s;
    uv_prepare_start(&s->prepare, on_prepare);
    take_snapshot(s);
    service_start(s, 0);
    return 0;
}

static void on_message(struct thread *t, const struct message *m)
{
    struct signalling *s = t->state;

    take_snapshot(s);
    switch (m->id) {
    case MESSAGE_REQUEST:
        signalling_answer(s, m);
        break;
    case MESSAGE_SERVICE:
        on_service(s, m);
        break;
    case MESSAGE_BINDING:
        stations_expect_early(s->stations, m->binding.ip);
        break;
    case MESSAGE_AUTOREGISTERED:
        if (m->autoregistered.take_error)
            log_notice("sccp", "%s was not added: %s", m->autoregistered.device.s,
                       m->autoregistered.take_error);
        free(m->autoregistered.take_error);
        stations_admitted(s->stations, m->autoregistered.token, m->autoregistered.err,
                          signalling_now(s), s->effects);
        signalling_carry_out(s);
        break;
    case MESSAGE_ACTIVATED:
        if (m->activated.take_error)
            log_notice("sccp", "%s: %s", m->activated.device.s, m->activated.take_error);
        free(m->activated.take_error);
        stations_activated(s->stations, m->activated.token, m->activated.err, signalling_now(s),
                           s->effects);
        signalling_carry_out(s);
        break;
    default:
        break;
    }
}

static void on_closed(uv_handle_t *handle)
{
    struct signalling *s = handle->data;

    if (--s->n_handles == 0)
        signalling_free(s);
}

static void stop(struct thread *t)
{
    struct signalling *s = t->state;

    service_close(s);
    signalling_tell_news(s);
    s->n_handles = 3;
    uv_close((uv_handle_t *)&s->prepare, on_closed);
    uv_close((uv_handle_t *)&s->timer, on_closed);
    uv_close((uv_handle_t *)&s->news_timer, on_closed);
}

const struct thread_row signalling_thread = {
    .name = "signalling", .start = start, .on_message = on_message, .stop = stop};
