/* thread.c - the plumbing between threads: loops, mailboxes, the newest snapshot. */
#include "server/thread.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "core/counters.h"
#include "core/directory/change.h"
#include "core/leases/leases.h"
#include "io/mailbox.h"
#include "io/process.h"
#include "server/traces/trace.h"

#define MAILBOX_ITEMS   16384
#define MAILBOX_RESERVE 4096 /* places that progress events leave to what must not be lost */

struct running {
    struct thread thread;
    const struct thread_row *row;
    uv_thread_t id;
    uv_sem_t started;
    bool runs;
    struct mailbox *inbox; /* from server_new to server_free */
    uint64_t seen;         /* number of the snapshot that `thread.directory` is */
    int err;               /* of start */
};

struct server {
    struct bootstrap settings;
    struct running threads[N_THREADS];
    uv_mutex_t lock; /* of what follows */
    const struct directory *newest;
    struct service_report services[N_SERVICES];
    _Atomic uint64_t published; /* how many snapshots there have been */
};

static const struct thread_row *const thread_rows[N_THREADS] = {
    [THREAD_ADMIN] = &admin_thread,           [THREAD_STORAGE] = &storage_thread,
    [THREAD_LEASES] = &leases_thread,         [THREAD_SIGNALLING] = &signalling_thread,
    [THREAD_ADDRESSING] = &addressing_thread, [THREAD_FILES] = &files_thread,
    [THREAD_TRACES] = &traces_thread,
};

const char *const service_names[N_SERVICES] = {
#define SERVICE(id, name, thread, help) name,
#include "server/services.def"
#undef SERVICE
};

uint64_t server_wall_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

const struct bootstrap *server_bootstrap(const struct server *s)
{
    return &s->settings;
}

/* Frees what a message brought when nobody will receive it. */
static void message_done(const struct message *m)
{
    switch (m->id) {
    case MESSAGE_ALARM:
        free(m->alarm.take_alarm);
        break;
    case MESSAGE_CHANGE:
        change_free(m->change.take_change);
        break;
    case MESSAGE_CHANGED:
        free(m->changed.take_error);
        break;
    case MESSAGE_SERVICE_STATE:
        free(m->service_state.take_text);
        break;
    case MESSAGE_ACTIVATED:
        free(m->activated.take_error);
        break;
    case MESSAGE_AUTOREGISTERED:
        free(m->autoregistered.take_error);
        break;
    case MESSAGE_LEASES:
        lease_rows_free(m->leases.take_rows);
        break;
    case MESSAGE_LEASES_LOADED:
        lease_rows_free(m->leases_loaded.take_rows);
        break;
    case MESSAGE_TRACE:
        trace_record_free(m->trace.take_record);
        break;
    case MESSAGE_SECRET:
        free(m->secret.take_line);
        break;
    case MESSAGE_REQUEST:
        json_decref(m->request.take_arguments);
        break;
    case MESSAGE_REPLY:
        json_decref(m->reply.take_body);
        break;
    default:
        break;
    }
}

int server_post(struct server *s, enum thread_id to, const struct message *m)
{
    size_t reserve = m->id == MESSAGE_PROGRESS ? MAILBOX_RESERVE : 0;
    int err = mailbox_post(s->threads[to].inbox, m, reserve);

    if (!err)
        return 0;
    count(COUNT_MESSAGES_LOST);
    message_done(m);
    return err;
}

void server_post_all(struct server *s, enum thread_id to, const struct message *m, size_t n)
{
    size_t posted = mailbox_post_all(s->threads[to].inbox, m, n, MAILBOX_RESERVE);

    for (; posted < n; posted++) /* one by one: what must not be lost may have more room */
        server_post(s, to, &m[posted]);
}

void server_progress(struct server *s, const struct progress_event *e)
{
    struct message m = {.id = MESSAGE_PROGRESS, .progress = {*e}};

    if (!e->time_us)
        m.progress.event.time_us = server_wall_us();
    server_post(s, THREAD_ADMIN, &m);
}

void server_alarm(struct server *s, struct alarm *take_alarm)
{
    struct message m = {.id = MESSAGE_ALARM, .alarm = {take_alarm}};

    if (!take_alarm)
        return;
    if (!take_alarm->time_us)
        take_alarm->time_us = server_wall_us();
    server_post(s, THREAD_ADMIN, &m);
}

void server_service_state(struct server *s, enum service_id service, enum service_state state,
                          uint64_t token, const char *format, ...)
{
    struct message m = {.id = MESSAGE_SERVICE_STATE,
                        .service_state = {token, (uint8_t)service, (uint8_t)state, NULL}};
    char text[256];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    uv_mutex_lock(&s->lock);
    s->services[service].state = state;
    memcpy(s->services[service].text, text, sizeof(s->services[service].text));
    uv_mutex_unlock(&s->lock);
    if (state == SERVICE_FAILED)
        log_error("service", "%s: %s", service_names[service], text);
    m.service_state.take_text = text_dup(text_of(text));
    server_post(s, THREAD_ADMIN, &m);
}

struct service_report server_service(struct server *s, enum service_id id)
{
    struct service_report report;

    uv_mutex_lock(&s->lock);
    report = s->services[id];
    uv_mutex_unlock(&s->lock);
    return report;
}

const char *server_bind_error(const struct server *s, int err, const struct endpoint *e, bool udp,
                              char *to, size_t size)
{
    char name[64], where[ENDPOINT_TEXT_MAX];
    pid_t pid;

    endpoint_print(e, where);
    if (err == -EADDRINUSE && process_holding_port(e->port, udp, &pid, name, sizeof(name)) == 0)
        snprintf(to, size,
                 "%s %s is in use by %s (pid %ld): stop it, or choose another port: --set %s=N",
                 udp ? "UDP" : "TCP", where, name, (long)pid,
                 bootstrap_port_key(&s->settings, e->port));
    else if (err == -EADDRINUSE && process_port_owner(e->port, udp, name, sizeof(name)) == 0)
        snprintf(to, size,
                 "%s %s is in use by a program of user %s (ss -lpn shows it to root): stop it, or "
                 "choose another port: --set %s=N",
                 udp ? "UDP" : "TCP", where, name, bootstrap_port_key(&s->settings, e->port));
    else if (err == -EACCES)
        snprintf(to, size,
                 "%s %s needs root or CAP_NET_BIND_SERVICE: start as root, or choose a port above "
                 "1023: --set %s=N",
                 udp ? "UDP" : "TCP", where, bootstrap_port_key(&s->settings, e->port));
    else
        snprintf(to, size, "%s %s: %s", udp ? "UDP" : "TCP", where, strerror(-err));
    return to;
}

void server_publish(struct server *s, const struct directory *take_directory)
{
    struct message m = {.id = MESSAGE_SNAPSHOT};
    const struct directory *old;

    uv_mutex_lock(&s->lock);
    old = s->newest;
    s->newest = take_directory;
    s->published++;
    uv_mutex_unlock(&s->lock);
    directory_unref(old);
    for (int i = 0; i < N_THREADS; i++) /* a full one sees `published` before its next message */
        mailbox_post(s->threads[i].inbox, &m, 0);
}

/* Takes the newest snapshot; false when the thread has it already. */
static bool refresh(struct running *r)
{
    struct server *s = r->thread.server;
    const struct directory *old = r->thread.directory;

    if (s->published == r->seen)
        return false;
    uv_mutex_lock(&s->lock);
    r->thread.directory = directory_ref(s->newest);
    r->seen = s->published;
    uv_mutex_unlock(&s->lock);
    directory_unref(old);
    return true;
}

static void on_message(void *context, const void *item)
{
    static const struct message snapshot = {.id = MESSAGE_SNAPSHOT};
    const struct message *m = item;
    struct running *r = context;

    if (r->err) { /* it never started */
        message_done(m);
        return;
    }
    if (refresh(r))
        r->row->on_message(&r->thread, &snapshot);
    if (m->id == MESSAGE_STOP)
        uv_stop(&r->thread.loop);
    else if (m->id != MESSAGE_SNAPSHOT)
        r->row->on_message(&r->thread, m);
}

/* Last messages are still received; then the thread closes its handles. */
static void end(struct running *r)
{
    mailbox_close(r->inbox);
    r->row->stop(&r->thread);
    uv_run(&r->thread.loop, UV_RUN_DEFAULT);
    if (uv_loop_close(&r->thread.loop) != 0)
        log_error("server", "thread %s left handles open", r->row->name);
    directory_unref(r->thread.directory);
    r->thread.directory = NULL;
}

static void run(void *context)
{
    struct running *r = context;
    bool works;

    pthread_setname_np(pthread_self(), r->row->name); /* for those who look with top -H or perf */
    if (!r->row->first) {
        process_leave_priority();
        process_run_behind();
    }
    refresh(r);
    r->err = r->row->start(&r->thread);
    works = r->err == 0;
    uv_sem_post(&r->started);
    if (works)
        uv_run(&r->thread.loop, UV_RUN_DEFAULT); /* until MESSAGE_STOP */
    end(r);
}

static int prepare(struct server *s, enum thread_id id)
{
    struct running *r = &s->threads[id];
    int err;

    r->thread.server = s;
    r->row = thread_rows[id];
    if ((err = uv_loop_init(&r->thread.loop)))
        return err;
    return mailbox_new(&r->thread.loop, sizeof(struct message), MAILBOX_ITEMS, on_message, r,
                       &r->inbox);
}

struct server *server_new(const struct bootstrap *settings)
{
    struct server *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    s->settings = *settings;
    uv_mutex_init(&s->lock);
    for (int i = 0; i < N_THREADS; i++)
        if (prepare(s, (enum thread_id)i) < 0)
            return NULL; /* no memory at start-up: the process ends */
    return s;
}

void server_free(struct server *s)
{
    if (!s)
        return;
    for (int i = 0; i < N_THREADS; i++)
        mailbox_free(s->threads[i].inbox);
    directory_unref(s->newest);
    uv_mutex_destroy(&s->lock);
    free(s);
}

int server_start_thread(struct server *s, enum thread_id id)
{
    struct running *r = &s->threads[id];
    int err;

    uv_sem_init(&r->started, 0);
    if ((err = uv_thread_create(&r->id, run, r)))
        return err;
    uv_sem_wait(&r->started);
    uv_sem_destroy(&r->started);
    if (r->err)
        uv_thread_join(&r->id);
    else
        r->runs = true;
    return r->err;
}

void server_stop_thread(struct server *s, enum thread_id id)
{
    struct message stop = {.id = MESSAGE_STOP};
    struct running *r = &s->threads[id];

    if (!r->runs)
        return;
    while (mailbox_post(r->inbox, &stop, 0) == -ENOBUFS)
        uv_sleep(1); /* its owner is emptying it */
    uv_thread_join(&r->id);
    r->runs = false;
}
