/* server.h - one running node: its threads, its services, and how they talk.
 *
 * Each thread owns its state and its loop (ARCHITECTURE.md); `server_post` is the only way across. */
#pragma once

#include <jansson.h>
#include <uv.h>

#include "core/directory.h"
#include "core/alarms.h"
#include "provision/progress/progress.h"
#include "server/bootstrap.h"

#include "io/tcp/tcp.h"

struct change;
struct lease_rows;
struct trace_record;

enum thread_id { THREAD_ADMIN, THREAD_STORAGE, THREAD_LEASES, THREAD_SIGNALLING, THREAD_ADDRESSING, THREAD_FILES, THREAD_TRACES, N_THREADS };

/* What the control center shows; a row of services.def each. */
enum service_id {
#define SERVICE(id, name, thread, help) SERVICE_##id,
#include "server/services.def"
#undef SERVICE
    N_SERVICES
};

enum service_state { SERVICE_OFF, SERVICE_RUNNING, SERVICE_STOPPED, SERVICE_FAILED }; /* OFF: not configured */

enum message_id {
#define MESSAGE(id, name, ...) MESSAGE_##id,
#include "server/messages.def"
#undef MESSAGE
};

struct message {
    enum message_id id;
    union {
#define MESSAGE(id, name, ...) struct { __VA_ARGS__ } name;
#include "server/messages.def"
#undef MESSAGE
    };
};

struct server;

/* One thread as its own code sees it. `state` is the thread's own. */
struct thread {
    struct server *server;
    uv_loop_t loop;
    const struct directory *directory; /* the newest snapshot this thread holds */
    void *state;
};

/* A thread is these functions, all run in that thread. */
struct thread_row {
    const char *name;
    int (*start)(struct thread *t); /* opens what it serves; a service that cannot start is reported by
                                       server_service_state and is no error; only what makes the thread useless is */
    void (*on_message)(struct thread *t, const struct message *m); /* t->directory is already the new one at SNAPSHOT */
    void (*stop)(struct thread *t); /* closes its handles; the loop then runs until they are closed */
    bool first;                     /* keeps the priority that the process took (run.priority) */
};

/* MESSAGE_REQUEST carries the verb of one of these rows; requests.def says what goes in and out. */
struct request_row {
    const char *verb;
    enum thread_id thread;
};

enum request_id {
#define REQUEST(id, verb, thread, arguments, answer) REQUEST_##id,
#include "server/api/requests.def"
#undef REQUEST
    N_REQUESTS
};

extern const struct request_row request_rows[N_REQUESTS];

extern const struct thread_row admin_thread, storage_thread, leases_thread, signalling_thread,
    addressing_thread, files_thread, traces_thread;

const struct bootstrap *server_bootstrap(const struct server *s);
/* Copies the message into the mailbox of `to`. When it is full: `take_` things are freed, counted, -ENOBUFS. */
int server_post(struct server *s, enum thread_id to, const struct message *m);
/* The same for many that lie in a row; those that find no room are freed and counted. */
void server_post_all(struct server *s, enum thread_id to, const struct message *m, size_t n);
void server_progress(struct server *s, const struct progress_event *e); /* fills time_us when 0 */
void server_alarm(struct server *s, struct alarm *take_alarm);
void server_service_state(struct server *s, enum service_id service, enum service_state state, uint64_t token,
                          const char *format, ...) __attribute__((format(printf, 5, 6)));
/* "in use by dnsmasq (pid 812)" for a port that could not be bound, or the errno text. */
const char *server_bind_error(const struct server *s, int err, const struct endpoint *e, bool udp, char *to,
                              size_t size);
/* Publishes to all threads; takes one reference. Storage only. */
void server_publish(struct server *s, const struct directory *take_directory);
uint64_t server_wall_us(void);
/* Of a clock that is never set: for durations, and for what is due. */
static inline uint64_t server_steady_us(void)
{
    return uv_hrtime() / 1000;
}

/* Answers a MESSAGE_REQUEST; takes the body (NULL: an empty one). */
void server_reply(struct server *s, uint64_t token, int status, json_t *take_body);
/* The same with {"error": "…"} and status 1. */
void server_refuse(struct server *s, uint64_t token, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The same with a status of HTTP: 404 there is no such thing, 507 the disk is full. */
void server_refuse_as(struct server *s, uint64_t token, int code, const char *format, ...) __attribute__((format(printf, 4, 5)));
/* A JSON string, also of bytes that a peer sent and that are no UTF-8 ("?" in their place). */
json_t *json_of(struct text t);
