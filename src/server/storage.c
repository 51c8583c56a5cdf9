/* storage.c - the storage thread: the only writer of the configuration database.
 *
 * Changes that arrive together are stored by one commit, each all or nothing; only then the new
 * snapshot is published and the askers are answered. When the disk fails, the changes are refused
 * with the reason and everybody goes on with the snapshot that is. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "core/histograms.h"
#include "server/activation.h"
#include "server/autoregister.h"
#include "server/bulk/bulk.h"
#include "server/database.h"
#include "server/server.h"

#define MAX_JOBS  1024 /* stored by one commit */
#define REPAIR_MS 5000 /* how often a disk that failed is tried again */

struct job {
    enum message_id id; /* CHANGE, AUTOREGISTER or ACTIVATE */
    uint64_t token;
    uint8_t reply_to;
    struct change *change;
    struct device_name device;
    uint32_t model;
    uint8_t protocol;
    char code[17];
    int err;
    char error[256];
    struct delta delta;
};

struct storage {
    struct thread *thread;
    struct database *db; /* NULL: there is none that can be used */
    const struct directory *current;
    char node[256];
    struct job jobs[MAX_JOBS];
    size_t n_jobs;
    uint64_t full_version; /* of the snapshot in which the range had no free number; 0: not known */
    uv_idle_t idle;        /* runs while there are jobs: after all messages that came together */
    uv_timer_t repair;
    char reason[300];   /* why there is no database */
    bool failed;        /* the disk; told, and tried again now and then */
    bool stopped;       /* by an administrator: nothing is changed */
    unsigned n_handles; /* open ones; the last to close frees this */
};

static void report(struct storage *s, int err, const char *sentence)
{
    if (err && !s->failed)
        server_service_state(s->thread->server, SERVICE_DATABASE, SERVICE_FAILED, 0,
                             "%s; serving from memory, changes are refused", sentence);
    else if (!err && s->failed)
        server_service_state(s->thread->server, SERVICE_DATABASE, SERVICE_RUNNING, 0,
                             "%s; the disk can be written again",
                             store_path(database_store(s->db)));
    s->failed = err != 0;
}

static void database_path(const struct storage *s, char *to, size_t size)
{
    snprintf(to, size, "%s/" DATABASE_FILE, server_bootstrap(s->thread->server)->data);
}

/* A folder that could not be written when we started may have become writable. */
static int open_again(struct storage *s)
{
    struct database *db = NULL;
    const struct directory *stored = NULL;
    char path[600], error[512];
    int err;

    database_path(s, path, sizeof(path));
    if ((err = database_open(path, STORE_WRITE, &db, error, sizeof(error)))) {
        text_copy(s->reason, sizeof(s->reason), text_of(error));
        return err;
    }
    err = store_can_write(database_store(db)) ? database_load(db, &stored, error, sizeof(error))
                                              : -EROFS;
    if (err == -ENODATA || (!err && directory_version(stored) != directory_version(s->current)))
        err = database_replace(db, s->current);
    directory_unref(stored);
    if (err) {
        database_close(db);
        return err;
    }
    database_close(s->db);
    s->db = db;
    return 0;
}

/* Writing the same version once more changes nothing, but shows whether the disk takes it. */
static int try_disk(struct storage *s)
{
    int err;

    if (!s->db || !store_can_write(database_store(s->db)))
        return open_again(s);
    if (database_is_hollow(s->db))
        return database_replace(s->db, s->current);
    err = database_begin(s->db);
    return err ? err : database_commit(s->db, directory_version(s->current));
}

static void on_repair(uv_timer_t *timer)
{
    struct storage *s = timer->data;

    if (try_disk(s))
        return;
    report(s, 0, "");
    uv_timer_stop(timer);
}

static void fail(struct storage *s, int err, const char *sentence)
{
    report(s, err, sentence);
    if (!uv_is_active((uv_handle_t *)&s->repair))
        uv_timer_start(&s->repair, on_repair, REPAIR_MS, REPAIR_MS);
}

/* The database when it can take a change, else NULL. */
static struct database *writable(struct storage *s)
{
    if (!s->db || s->stopped || !store_can_write(database_store(s->db)))
        return NULL;
    if (database_is_hollow(s->db) && database_replace(s->db, s->current))
        return NULL;
    return s->db;
}

static const char *why_not(const struct storage *s)
{
    if (s->stopped)
        return "the database service is stopped: changes are refused until it is started";
    if (!s->db)
        return s->reason;
    if (!store_can_write(database_store(s->db)))
        return "the database may not be written (read-only folder or missing rights)";
    return store_error(database_store(s->db));
}

static void publish(struct storage *s, const struct directory *dir)
{
    const struct directory *old = s->current;

    s->current = directory_ref(dir);
    directory_unref(old);
    server_publish(s->thread->server, directory_ref(dir));
}

static int prepare_autoregister(struct storage *s, struct job *j, const struct directory *dir)
{
    int err;

    if (s->full_version ==
        directory_version(dir)) { /* a crowd of strangers must not cost a search each */
        snprintf(j->error, sizeof(j->error), "every number of the range is used");
        return -ERANGE;
    }
    err = autoregister_change(dir, text_of(s->node), j->device, j->model, j->protocol, &j->change,
                              j->error, sizeof(j->error));
    if (err == -ERANGE)
        s->full_version = directory_version(dir);
    return err;
}

static int prepare_activation(struct job *j, const struct directory *dir)
{
    char today[16];
    time_t now = time(NULL);
    struct tm tm;

    strftime(today, sizeof(today), "%Y-%m-%d", localtime_r(&now, &tm));
    return activation_change(dir, text_of(j->code), j->device, j->model, j->protocol, today,
                             &j->change, j->error, sizeof(j->error));
}

/* Applies the job to *dir, which then is the next snapshot; a refused job changes nothing. */
static void prepare(struct storage *s, struct job *j, const struct directory **dir)
{
    if (j->id == MESSAGE_AUTOREGISTER)
        j->err = prepare_autoregister(s, j, *dir);
    if (j->id == MESSAGE_ACTIVATE)
        j->err = prepare_activation(j, *dir);
    if (!j->err)
        j->err = directory_apply(*dir, j->change, NULL, &j->delta, j->error, sizeof(j->error));
    if (j->err)
        return;
    directory_unref(*dir);
    *dir = directory_ref(j->delta.directory);
}

static int store_jobs(struct storage *s, const struct directory *newest)
{
    struct database *db = writable(s);
    int err = db ? database_begin(db) : -EROFS;

    for (size_t i = 0; i < s->n_jobs && !err; i++) {
        if (!s->jobs[i].err)
            err = database_write(db, &s->jobs[i].delta);
    }
    return err ? err : database_commit(db, directory_version(newest));
}

static void answer(struct storage *s, struct job *j)
{
    struct message m = {.id = MESSAGE_CHANGED};
    char *sentence = j->err ? strdup(j->error) : NULL;

    if (j->id == MESSAGE_CHANGE) {
        m.changed.token = j->token;
        m.changed.err = j->err;
        m.changed.take_error = sentence;
        server_post(s->thread->server, (enum thread_id)j->reply_to, &m);
    } else if (j->id == MESSAGE_ACTIVATE) {
        m.id = MESSAGE_ACTIVATED;
        m.activated.token = j->token;
        m.activated.device = j->device;
        m.activated.err = j->err;
        m.activated.take_error = sentence;
        server_post(s->thread->server, THREAD_SIGNALLING, &m);
    } else {
        m.id = MESSAGE_AUTOREGISTERED;
        m.autoregistered.token = j->token;
        m.autoregistered.device = j->device;
        m.autoregistered.err =
            j->err == -EEXIST ? 0 : j->err; /* somebody was faster: all is well */
        m.autoregistered.take_error = sentence;
        server_post(s->thread->server, THREAD_SIGNALLING, &m);
    }
}

static void refuse_all(struct storage *s, int err)
{
    const char *sentence = why_not(s);

    for (size_t i = 0; i < s->n_jobs; i++) {
        struct job *j = &s->jobs[i];

        if (j->err)
            continue;
        j->err = err;
        text_copy(j->error, sizeof(j->error), text_of(sentence));
    }
    if (!s->stopped)
        fail(s, err, sentence);
}

static void run_jobs(struct storage *s)
{
    const struct directory *newest = directory_ref(s->current);
    uint64_t begun_us = server_steady_us();
    int err = 0;

    for (size_t i = 0; i < s->n_jobs; i++)
        prepare(s, &s->jobs[i], &newest);
    if (newest != s->current)
        err = store_jobs(s, newest);
    if (err)
        refuse_all(s, err);
    else if (newest != s->current) {
        publish(s, newest);
        report(s, 0, "");
        histogram_took(TOOK_COMMIT, server_steady_us() - begun_us);
    }
    directory_unref(newest);
    for (size_t i = 0; i < s->n_jobs; i++) {
        answer(s, &s->jobs[i]);
        delta_done(&s->jobs[i].delta);
        change_free(s->jobs[i].change);
    }
    s->n_jobs = 0;
    uv_idle_stop(&s->idle);
}

static void on_idle(uv_idle_t *idle)
{
    run_jobs(idle->data);
}

static struct job *add_job(struct storage *s, enum message_id id, uint64_t token)
{
    struct job *j;

    if (s->n_jobs == MAX_JOBS)
        run_jobs(s);
    if (s->n_jobs == 0)
        uv_idle_start(&s->idle, on_idle);
    j = &s->jobs[s->n_jobs++];
    *j = (struct job){.id = id, .token = token};
    return j;
}

/* Live settings stand in a file of their own: a backup that goes to another machine has other
 * interfaces there. */
static void keep_settings(struct storage *s, const struct message *m)
{
    struct bootstrap b = *server_bootstrap(s->thread->server);
    const char *key;
    char error[384];
    json_t *value;
    int err;

    json_object_foreach(m->request.take_arguments, key, value)
        bootstrap_keep(&b, text_of(key), text_of(json_string_value(value)), error, sizeof(error));
    err = bootstrap_store_kept(&b);
    json_decref(m->request.take_arguments);
    if (err)
        server_refuse(s->thread->server, m->request.token, "It cannot be kept in %s: %s.", b.data,
                      strerror(-err));
    else
        server_reply(s->thread->server, m->request.token, 0, NULL);
}

static void on_request(struct storage *s, const struct message *m)
{
    struct bulk_host host;
    json_t *body = NULL;
    int status;

    if (!strcmp(m->request.verb, "config keep")) {
        keep_settings(s, m);
        return;
    }
    if (s->n_jobs)
        run_jobs(s); /* what was asked before comes before */
    host = (struct bulk_host){
        .db = s->db, .can_write = writable(s) != NULL, .directory = directory_ref(s->current)};
    status = bulk_request(&host, m->request.verb, m->request.take_arguments, &body);
    if (host.directory != s->current) {
        publish(s, host.directory);
        report(s, 0, "");
    } else if (host.disk_error && !s->stopped) {
        fail(s, host.disk_error, why_not(s));
    }
    directory_unref(host.directory);
    if (!status && !strcmp(m->request.verb, "restore"))
        server_post(s->thread->server, THREAD_LEASES,
                    &(struct message){.id = MESSAGE_LEASES_RESTORED});
    json_decref(m->request.take_arguments);
    server_reply(s->thread->server, m->request.token, status, body);
}

static void tell_running(struct storage *s, uint64_t token)
{
    server_service_state(s->thread->server, SERVICE_DATABASE, SERVICE_RUNNING, token, "%s",
                         store_path(database_store(s->db)));
}

/* Stopped, the database is left alone: for whoever wants to look after the file. */
static void on_service(struct storage *s, uint64_t token, enum service_state wanted)
{
    int err;

    if (s->n_jobs)
        run_jobs(s);
    s->stopped = wanted != SERVICE_RUNNING;
    if (s->stopped) {
        uv_timer_stop(&s->repair);
        s->failed = false;
        server_service_state(s->thread->server, SERVICE_DATABASE, SERVICE_STOPPED, token,
                             "phones are served from memory, changes are refused");
    } else if ((err = try_disk(s))) {
        fail(s, err, why_not(s));
        server_service_state(s->thread->server, SERVICE_DATABASE, SERVICE_FAILED, token, "%s",
                             why_not(s));
    } else {
        s->failed = false;
        tell_running(s, token);
    }
}

static void storage_on_message(struct thread *t, const struct message *m)
{
    struct storage *s = t->state;
    struct job *j;

    switch (m->id) {
    case MESSAGE_CHANGE:
        j = add_job(s, m->id, m->change.token);
        j->reply_to = m->change.reply_to;
        j->change = m->change.take_change;
        break;
    case MESSAGE_AUTOREGISTER:
        j = add_job(s, m->id, m->autoregister.token);
        j->device = m->autoregister.device;
        j->model = m->autoregister.model;
        j->protocol = m->autoregister.protocol;
        break;
    case MESSAGE_ACTIVATE:
        j = add_job(s, m->id, m->activate.token);
        j->device = m->activate.device;
        j->model = m->activate.model;
        j->protocol = m->activate.protocol;
        memcpy(j->code, m->activate.code, sizeof(j->code));
        break;
    case MESSAGE_REQUEST:
        on_request(s, m);
        break;
    case MESSAGE_SERVICE:
        on_service(s, m->service.token, (enum service_state)m->service.wanted);
        break;
    default:
        break;
    }
}

/* A folder where nothing may be made is no reason not to serve: as it is on a live medium. */
static int open_database(struct storage *s, const struct bootstrap *b, char *error, size_t size)
{
    char path[600];
    int err;

    database_path(s, path, sizeof(path));
    err = database_open(path, STORE_WRITE, &s->db, error, size);
    if (!err)
        return database_load_or_make(s->db, text_of(s->node), text_of(b->node_address), &s->current,
                                     error, size);
    if (access(path, F_OK) == 0 && err != -ENOSPC)
        return err; /* damaged, newer, locked: starting empty would hide it */
    text_copy(s->reason, sizeof(s->reason), text_of(error));
    s->current = directory_factory(text_of(s->node), text_of(b->node_address));
    return s->current ? 0 : -ENOMEM;
}

static void tell_state(struct storage *s)
{
    if (!writable(s))
        fail(s, -EROFS, why_not(s));
    else
        tell_running(s, 0);
}

static int storage_start(struct thread *t)
{
    const struct bootstrap *b = server_bootstrap(t->server);
    struct storage *s = calloc(1, sizeof(*s));
    char error[512] = "";
    int err;

    if (!s)
        return -ENOMEM;
    t->state = s;
    s->thread = t;
    text_copy(s->node, sizeof(s->node), text_of(b->node_name));
    if (!*s->node && gethostname(s->node, sizeof(s->node) - 1) < 0)
        snprintf(s->node, sizeof(s->node), "dialtone");
    uv_idle_init(&t->loop, &s->idle);
    uv_timer_init(&t->loop, &s->repair);
    s->idle.data = s->repair.data = s;
    s->n_handles = 2;
    if ((err = open_database(s, b, error, sizeof(error)))) {
        log_error("storage", "%s", error);
        return err;
    }
    tell_state(s);
    server_publish(t->server, directory_ref(s->current));
    return 0;
}

static void on_closed(uv_handle_t *handle)
{
    struct storage *s = handle->data;

    if (--s->n_handles == 0)
        free(s);
}

static void storage_stop(struct thread *t)
{
    struct storage *s = t->state;

    if (!s)
        return;
    if (s->n_jobs)
        run_jobs(s);
    database_close(s->db);
    directory_unref(s->current);
    t->state = NULL;
    uv_close((uv_handle_t *)&s->idle, on_closed);
    uv_close((uv_handle_t *)&s->repair, on_closed);
}

const struct thread_row storage_thread = {"storage", storage_start, storage_on_message,
                                          storage_stop};
