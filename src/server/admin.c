/* admin.c - the admin thread: the control socket, status, boot timelines, events. */
#include "server/admin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "core/histograms.h"
#include "core/settings.h"
#include "server/api/lists.h"
#include "server/events/audit.h"
#include "server/simulated.h"
#include "server/traces/trace.h"

#define MAX_ASKS    1024
#define MAX_PHONES  131072 /* remembered; a node is built for 100 000 */
#define MAX_UNKNOWN 4096
#define MAX_OTHERS  131072
#define EARLY_MS    10000ull /* from the start until the database must be open */
#define TICK_MS     500

static struct admin *admin_of(struct thread *t)
{
    return t->state;
}

/* --- the clock --- */

static void report_web(struct admin *a, uint64_t token);
static void open_web(struct admin *a, uint64_t token);

static void on_tick(uv_timer_t *timer)
{
    struct admin *a = timer->data;
    uint64_t now = uv_now(timer->loop), token;
    struct ask *ask;
    size_t cursor = 0;

    if (a->web_waits)
        open_web(a, 0);
    views_expire(a);
    web_tick(a->web);
    live_doctor_tick(a->doctor);
    if (a->n_early && server_steady_us() - a->started_us > EARLY_MS * 1000)
        api_early(a, true);
    while ((ask = pool_next(&a->asks, &cursor, &token)))
        if (ask->due_ms <= now)
            admin_fail(a, token, 503, "No answer to \"%s\" in time; the server log may say why.",
                       ask->what);
}

/* --- what the other threads say --- */

/* An alarm stands in the trace of the service that raised it. */
static void trace_alarm(struct admin *a, const struct alarm *alarm)
{
    const struct alarm_row *row = &alarm_rows[alarm->id];
    struct trace_about about = {.device = alarm->device, .peer = {.ip = alarm->ip}};

    trace_line(a->thread->server,
               row->catalogue == CATALOGUE_TFTP   ? TRACE_TFTP
               : row->catalogue == CATALOGUE_DHCP ? TRACE_DHCP
                                                  : TRACE_CALLMANAGER,
               alarm_severity(alarm) <= 3 ? TRACE_ERROR : TRACE_SIGNIFICANT, &about,
               "AlarmErr - AlarmName: %s, AlarmSeverity: %u, AlarmMessage: %s, AlarmParameters: %s",
               row->name, alarm_severity(alarm), row->text, alarm->parameters);
}

static void on_alarm(struct admin *a, struct alarm *take_alarm)
{
    const struct directory *dir = a->thread->directory; /* none before storage has started */
    const char *cluster = dir ? directory_string(dir, SET_cluster_id) : "";
    uint64_t sequence = events_add(a->events, take_alarm, cluster);
    char line[2048];

    if (a->syslog) {
        alarm_print(take_alarm, sequence, a->node, cluster, line, sizeof(line));
        syslog_send(a->syslog, alarm_severity(take_alarm), line);
    }
    follow_event(a, take_alarm, sequence);
    web_event(a->web, take_alarm, sequence);
    trace_alarm(a, take_alarm);
}

static int code_of(int err)
{
    switch (err) {
    case -EINVAL:
        return 422;
    case -ESTALE:
        return 412;
    case -ENOSPC:
        return 507;
    default:
        return 503;
    }
}

static void on_changed(struct admin *a, uint64_t token, int err, char *take_error)
{
    struct ask *ask = pool_get(&a->asks, token);
    uint64_t who = ask ? ask->who : 0;

    if (ask && !err) {
        json_t *answer = json_incref(ask->kept);

        json_decref(ask->kept);
        pool_give(&a->asks, token);
        admin_answer(a, who, answer);
    } else if (ask) {
        admin_fail(a, token, code_of(err), "%s", take_error ? take_error : strerror(-err));
    }
    free(take_error);
}

static void on_service_state(struct admin *a, uint64_t token, enum service_id id,
                             enum service_state state, const char *text)
{
    struct service_line *s = &a->services[id];
    json_t *body;

    if (s->state != state)
        s->since_us = server_wall_us();
    s->state = state;
    text_copy(s->text, sizeof(s->text), text_of(text));
    if (!token)
        return;
    body = json_pack("{s:i, s:o}", "state", (int)state, "text", json_of(text_of(text)));
    admin_finish(a, token, state == SERVICE_FAILED, body);
    json_decref(body);
}

static void on_web_service(struct admin *a, uint64_t token, enum service_state wanted);

static void on_own_service(struct admin *a, uint64_t token, enum service_id id,
                           enum service_state wanted)
{
    if (id == SERVICE_RIS) {
        a->collecting = wanted == SERVICE_RUNNING;
        server_service_state(a->thread->server, id, wanted, token, "%s",
                             a->collecting ? "state of devices, boot timelines"
                                           : "devices are not reported");
    } else if (id == SERVICE_WEB) {
        on_web_service(a, token, wanted);
    } else {
        admin_fail(a, token, 422,
                   "The control socket cannot be stopped through itself; stop the server instead.");
    }
}

void admin_keep_service(struct admin *a, enum service_id service, bool stopped)
{
    int err;

    if (a->wanted.stopped[service] == stopped)
        return;
    a->wanted.stopped[service] = stopped;
    err = service_states_write(server_bootstrap(a->thread->server)->data, &a->wanted);
    if (err)
        log_error("admin",
                  "services.stopped cannot be written, %s is as before after a restart: %s",
                  service_title(service), strerror(-err));
}

/* Those that were stopped when the server ended. Their threads have the snapshot before this. */
static void stop_services(struct admin *a)
{
    for (int i = 0; i < N_SERVICES; i++) {
        struct message m = {.id = MESSAGE_SERVICE, .service = {0, (uint8_t)i, SERVICE_STOPPED}};

        if (a->wanted.stopped[i])
            server_post(a->thread->server, service_threads[i], &m);
    }
}

/* Who has taken a phone's name while it is off keeps it as long as he answers (station/sip/rivals.c): this is told
 * before the phone comes back. Who has a password may come from anywhere. */
static void look_where_from(struct admin *a, const struct progress_phone *phone)
{
    char at[IP_TEXT_MAX];
    struct alarm_draft d;
    struct ip before;

    if (phone->protocol == PROTOCOL_SIP_THIRD_PARTY || !progress_is_from_elsewhere(phone, &before))
        return;
    alarm_begin(&d, ALARM_FROM_ELSEWHERE);
    alarm_put_device(&d, phone->name);
    alarm_put_ip(&d, phone->ip);
    alarm_put_text(&d, "OtherIPAddress", text_of(ip_print(before, at)));
    server_alarm(a->thread->server, alarm_finish(&d));
}

static void on_progress(struct admin *a, const struct progress_event *e)
{
    const struct progress_phone *phone;

    if (!a->collecting)
        return;
    phone = progress_event(a->progress, e);
    live_doctor_event(a->doctor, phone, e);
    if (phone && e->stage == PROGRESS_REGISTERED) {
        histogram_took(TOOK_BOOT, (uint64_t)phone->boot.total_ms * 1000);
        look_where_from(a, phone);
    }
    status_event(a->status, e);
    if (e->stage >= PROGRESS_REJECTED) { /* registered, refused or gone */
        strip_event(&a->strip, e);
        web_phone_changed(a->web, e->device);
    }
}

static void on_message(struct thread *t, const struct message *m)
{
    struct admin *a = admin_of(t);

    switch (m->id) {
    case MESSAGE_SNAPSHOT:
        progress_directory_changed(a->progress);
        if (!a->began)
            stop_services(a);
        a->began = true;
        if (a->web && a->web_key_told != !!web_key(a->web))
            report_web(a, 0);
        if (a->n_early)
            api_early(a, false);
        break;
    case MESSAGE_PROGRESS:
        on_progress(a, &m->progress.event);
        break;
    case MESSAGE_PULSE:
        live_doctor_link(a->doctor, m->pulse.device, &m->pulse.health);
        break;
    case MESSAGE_ALARM:
        on_alarm(a, m->alarm.take_alarm);
        break;
    case MESSAGE_CHANGED:
        on_changed(a, m->changed.token, m->changed.err, m->changed.take_error);
        break;
    case MESSAGE_REPLY:
        admin_finish(a, m->reply.token, m->reply.status, m->reply.take_body);
        json_decref(m->reply.take_body);
        break;
    case MESSAGE_SERVICE:
        on_own_service(a, m->service.token, (enum service_id)m->service.service,
                       (enum service_state)m->service.wanted);
        break;
    case MESSAGE_SERVICE_STATE:
        on_service_state(a, m->service_state.token, (enum service_id)m->service_state.service,
                         (enum service_state)m->service_state.state,
                         m->service_state.take_text ? m->service_state.take_text : "");
        free(m->service_state.take_text);
        break;
    default: /* not for this thread */
        break;
    }
}

/* --- the control socket --- */

static void on_request(void *context, uint64_t who, json_t *take_request)
{
    admin_remember(context, who, take_request);
    api_request(context, who, take_request);
}

void admin_gone(struct admin *a, uint64_t who)
{
    for (size_t i = 0; i < MAX_FOLLOWERS; i++)
        if (a->followers[i].who == who)
            a->followers[i].who = 0;
    for (size_t i = 0; i < MAX_WATCHERS; i++)
        if (a->watchers[i] == who)
            a->watchers[i] = 0;
}

static void on_gone(void *context, uint64_t who)
{
    admin_gone(context, who);
}

static void open_control(struct admin *a, const char *folder)
{
    struct control_options options = {folder, a, on_request, on_gone};
    char error[256];
    int err = control_open(&a->thread->loop, &options, &a->control, error, sizeof(error));

    if (err)
        server_service_state(a->thread->server, SERVICE_CONTROL, SERVICE_FAILED, 0, "%s", error);
    else
        server_service_state(a->thread->server, SERVICE_CONTROL, SERVICE_RUNNING, 0,
                             "%.100s/control.sock", folder);
}

/* --- the administration by HTTP --- */

static void report_web(struct admin *a, uint64_t token)
{
    const char *key = web_key(a->web);

    a->web_key_told = key;
    server_service_state(
        a->thread->server, SERVICE_WEB, SERVICE_RUNNING, token, "%s%s%s", web_url(a->web),
        key ? ", no administrator yet, first log-in with the key " : "", key ? key : "");
}

static void open_web(struct admin *a, uint64_t token)
{
    char error[256] = "";
    int err = web_open(a, &a->web, error, sizeof(error));

    a->web_waits = err == -EAGAIN; /* for the certificate */
    if (!err)
        report_web(a, token);
    else if (!a->web_waits || token)
        server_service_state(a->thread->server, SERVICE_WEB, SERVICE_FAILED, token, "%s",
                             error[0] ? error : strerror(-err));
}

static void on_web_service(struct admin *a, uint64_t token, enum service_state wanted)
{
    if (wanted == SERVICE_RUNNING && !a->web) {
        open_web(a, token);
        return;
    }
    if (wanted == SERVICE_RUNNING) {
        report_web(a, token);
        return;
    }
    web_stop(a->web);
    a->web = NULL;
    a->web_waits = false;
    server_service_state(a->thread->server, SERVICE_WEB, SERVICE_STOPPED, token, "stopped");
}

/* --- start and stop --- */

bool device_is_known(const void *admin, struct device_name name)
{
    const struct directory *dir = ((const struct admin *)admin)->thread->directory;

    return dir && directory_phone(dir, text_of(name.s));
}

static void name_node(struct admin *a, const struct bootstrap *b)
{
    char host[sizeof(a->node)] = "dialtone";

    if (!b->node_name[0])
        gethostname(host, sizeof(host) - 1);
    text_copy(a->node, sizeof(a->node), text_of(b->node_name[0] ? b->node_name : host));
}

/* Before the thread waits again: the lines of all events of this turn in one write. */
static void on_prepare(uv_prepare_t *handle)
{
    events_flush(((struct admin *)handle->data)->events);
}

static int make_parts(struct admin *a, const struct bootstrap *b)
{
    uv_loop_t *loop = &a->thread->loop;

    a->status = status_new(MAX_PHONES, MAX_OTHERS);
    a->progress = progress_new(MAX_PHONES, MAX_UNKNOWN, device_is_known, a);
    a->events = events_new(b->data, a->node);
    a->views = views_new();
    a->audit = audit_new(b->data);
    a->doctor = live_doctor_new(a);
    a->passwords = passwords_new(loop, a, api_password_done);
    a->simulated = simulated_new(loop, api_simulated_changed, a);
    return a->status && a->progress && a->events && a->views && a->audit && a->doctor && a->passwords &&
                   a->simulated
               ? 0
               : -ENOMEM;
}

static int start(struct thread *t)
{
    const struct bootstrap *b = server_bootstrap(t->server);
    struct admin *a = calloc(1, sizeof(*a));

    if (!a)
        return -ENOMEM;
    t->state = a;
    a->thread = t;
    a->settings = *b;
    a->started_us = server_steady_us();
    a->collecting = true;
    name_node(a, b);
    service_states_read(b->data, &a->wanted);
    web_files_clean(b->data);
    pool_init(&a->asks, sizeof(struct ask), MAX_ASKS);
    uv_timer_init(&t->loop, &a->tick);
    uv_prepare_init(&t->loop, &a->prepare);
    a->tick.data = a->prepare.data = a;
    if (make_parts(a, b) < 0)
        return -ENOMEM;
    if (events_error(a->events))
        log_warning("admin", "events are kept in memory only: events.log cannot be written: %s",
                    strerror(-events_error(a->events)));
    syslog_open(&t->loop, b->log_syslog, &a->syslog);
    open_control(a, b->data);
    if (b->admin_port)
        open_web(a, 0);
    else
        server_service_state(t->server, SERVICE_WEB, SERVICE_STOPPED, 0, "off: admin.port is 0");
    server_service_state(t->server, SERVICE_RIS, SERVICE_RUNNING, 0,
                         "state of devices, boot timelines");
    uv_prepare_start(&a->prepare, on_prepare);
    return uv_timer_start(&a->tick, on_tick, TICK_MS, TICK_MS);
}

static void on_tick_closed(uv_handle_t *h)
{
    struct admin *a = h->data;

    live_doctor_free(a->doctor);
    status_free(a->status);
    progress_free(a->progress);
    events_free(a->events);
    views_free(a->views);
    audit_free(a->audit);
    json_decref(a->overview);
    pool_done(&a->asks);
    free(a);
}

static void on_prepare_closed(uv_handle_t *h)
{
    struct admin *a = h->data;

    uv_close((uv_handle_t *)&a->tick, on_tick_closed);
}

static void stop(struct thread *t)
{
    struct admin *a = admin_of(t);
    struct ask *ask;
    size_t cursor = 0;
    uint64_t token;

    if (!a)
        return;
    while ((ask = pool_next(&a->asks, &cursor, &token)))
        json_decref(ask->kept);
    for (size_t i = 0; i < a->n_early; i++)
        json_decref(a->early[i].request);
    passwords_stop(a->passwords);
    simulated_stop(a->simulated);
    uv_timer_stop(
        &a->tick); /* all that it looks at ends here; its handle is closed after the others */
    web_stop(a->web);
    a->web = NULL;
    control_stop(a->control);
    syslog_stop(a->syslog);
    uv_close((uv_handle_t *)&a->prepare, on_prepare_closed);
}

const struct thread_row admin_thread = {"admin", start, on_message, stop};
