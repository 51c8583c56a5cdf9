/* lookup.c - what a name stands for, who may have it, and what is told of it. */
#include "server/files/files.h"
#include "server/traces/trace.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "core/counters.h"
#include "core/settings.h"

#define NAMES_MAX 32     /* of other nodes */
#define NAME_AGE  300000 /* ms until a name is looked up again */

/* --- addresses of other nodes: looked up beside, written when they are known --- */

struct node_name {
    uv_getaddrinfo_t request;
    struct files *files;
    char name[256];
    struct ip ip;
    uint64_t asked_ms;
    bool pending;
};

struct file_names_cache {
    struct node_name rows[NAMES_MAX];
    size_t n;
};

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
    struct node_name *n = request->data;
    struct files *f = n->files;
    struct ip ip = {0};

    n->pending = false;
    if (status == UV_ECANCELED || f->closing)
        goto out;
    if (status == 0 && list)
        ip = endpoint_of_sockaddr(list->ai_addr).ip;
    if (status < 0)
        log_warning("files", "server name %s has no address (%s): phones are told the name",
                    n->name, uv_strerror(status));
    if (!ip_equal(ip, n->ip))
        file_cache_clear(f->cache);
    n->ip = ip;
out:
    uv_freeaddrinfo(list);
    files_release(f);
}

static struct node_name *name_row(struct files *f, const char *name)
{
    struct file_names_cache *c = f->names;
    struct node_name *row;

    for (size_t i = 0; i < c->n; i++) {
        if (strcmp(c->rows[i].name, name) == 0)
            return &c->rows[i];
    }
    if (c->n == NAMES_MAX)
        return NULL;
    row = &c->rows[c->n++];
    row->files = f;
    row->request.data = row;
    snprintf(row->name, sizeof(row->name), "%s", name);
    return row;
}

static bool resolve(void *context, const char *name, struct ip *ret)
{
    static const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct files *f = context;
    struct node_name *row = name_row(f, name);
    uint64_t now_ms = uv_now(&f->thread->loop);

    if (!row)
        return false;
    if (!row->pending && !f->closing && (!row->asked_ms || now_ms - row->asked_ms > NAME_AGE)) {
        row->asked_ms = now_ms ? now_ms : 1;
        row->pending =
            uv_getaddrinfo(&f->thread->loop, &row->request, on_resolved, name, NULL, &hints) == 0;
        f->holders += row->pending;
    }
    if (!row->ip.family)
        return false;
    *ret = row->ip;
    return true;
}

/* --- making files --- */

static const char *static_file(void *context, const char *after)
{
    struct files *f = context;
    struct file_tree_file file;
    char lower[FILE_NAME_MAX + 1];
    size_t n = 0;

    for (; after && after[n] && n < FILE_NAME_MAX; n++)
        lower[n] = (char)tolower((unsigned char)after[n]);
    lower[n] = '\0';
    if (!f->tree || !file_tree_next(f->tree, after ? lower : NULL, &file))
        return NULL;
    return file.path;
}

/* Makes the file into `bytes` of PHONE_FILE_MAX; *len is its length. */
static int make(struct files *f, const struct file_name *name, struct ip local,
                struct device_name asker, struct phone_file_stamp *stamp, uint8_t *bytes,
                size_t *len)
{
    struct phone_file_context c = {
        .local = local,
        .node_name = f->node_name,
        .time_zone = f->time_zone,
        .asker = asker,
        .context = f,
        .resolve = resolve,
        .static_file = static_file,
        .stamp = stamp,
    };
    struct writer w = writer_of(bytes, PHONE_FILE_MAX);
    int err = phone_file_build(f->thread->directory, name, &c, &w);

    *len = writer_len(&w);
    return err;
}

static int make_once(struct files *f, const struct file_name *name, struct ip local,
                     struct device_name asker, struct content **ret)
{
    uint8_t bytes[PHONE_FILE_MAX];
    size_t len;
    int err = make(f, name, local, asker, NULL, bytes, &len);

    if (err)
        return err;
    *ret = content_of_bytes(bytes, len);
    return *ret ? 0 : -ENOMEM;
}

/* What is remembered: a file, and in front of it where its stamp stands. Thousands of phones that
 * are alike share one. */
struct remembered {
    struct phone_file_stamp stamp;
    uint8_t bytes[PHONE_FILE_MAX];
};

static int remember(struct files *f, const struct file_name *name, const char *key, struct ip local,
                    struct remembered *made, size_t *len)
{
    struct content *c;
    int err;

    made->stamp = (struct phone_file_stamp){0};
    err = make(f, name, local, (struct device_name){""}, &made->stamp, made->bytes, len);
    if (err)
        return err;
    count(COUNT_FILE_SEP_NOT_FOUND);
    c = content_of_bytes(made, offsetof(struct remembered, bytes) + *len);
    if (c)
        file_cache_put(f->cache, key, local, directory_version(f->thread->directory), c);
    content_unref(c);
    return 0;
}

static int recall(struct files *f, const struct file_name *name, struct ip local,
                  struct content **ret)
{
    const struct phone *phone = directory_phone(f->thread->directory, text_of(name->device.s));
    const struct content *c;
    struct remembered made;
    char key[24];
    size_t len;
    int err;

    if (!phone || name->is_signed)
        return -ENOENT;
    snprintf(key, sizeof(key), "%d %016llx", (int)name->kind,
             (unsigned long long)phone_file_likeness(f->thread->directory, phone));
    c = file_cache_get(f->cache, key, local, directory_version(f->thread->directory));
    if (c) {
        count(COUNT_FILE_SEP_FOUND);
        memcpy(&made, c->bytes, (size_t)c->size);
        len = (size_t)c->size - offsetof(struct remembered, bytes);
        phone_file_restamp(made.bytes, &made.stamp, phone);
    } else if ((err = remember(f, name, key, local, &made, &len))) {
        return err;
    }
    *ret = content_of_bytes(made.bytes, len);
    return *ret ? 0 : -ENOMEM;
}

static int make_or_remember(struct files *f, const struct file_name *name, struct ip local,
                            struct device_name asker, struct content **ret)
{
    int err;

    if (directory_number(f->thread->directory, SET_cache_configuration_files))
        err = recall(f, name, local, ret);
    else
        err = make_once(f, name, local, asker, ret);
    if (!err)
        count(COUNT_FILE_DEVICES_BUILT);
    return err;
}

static int from_tree(struct files *f, const struct file_name *name, struct content **ret)
{
    int err = f->tree ? file_tree_get(f->tree, name->path, name->given, ret) : -ENOENT;

    if (err && err != -ENOENT && err != -EBUSY &&
        file_alarm_due(f, ALARM_SERVING_FILE_WARNING, name->path, (struct ip){0}))
        log_error("files", "%s/%s cannot be read: %s", file_tree_path(f->tree), name->given,
                  strerror(-err));
    return err;
}

/* Rings, loader line, softkeys and dial rules of the owner come before ours; what the directory
 * decides about phones and defaults does not. */
int file_lookup(struct files *f, const struct file_name *name, struct ip local,
                struct device_name asker, struct content **ret)
{
    int err = -ENOENT;

    switch (name->kind) {
    case FILE_TRUST: /* TFTP-4: no mixed mode, no trust list */
    case FILE_NEVER:
        return -ENOENT;
    case FILE_PHONE_XML:
    case FILE_PHONE_BINARY:
    case FILE_PHONE_TEXT:
        err = make_or_remember(f, name, local, asker, ret);
        return err == -ENOENT && !name->is_signed ? from_tree(f, name, ret) : err;
    case FILE_DEFAULT_XML:
    case FILE_DEFAULT_BINARY:
        return make_once(f, name, local, asker, ret);
    case FILE_PLAIN:
    case FILE_PHONE_OTHER:
        return name->is_signed ? -ENOENT : from_tree(f, name, ret);
    default:
        err = name->is_signed ? -ENOENT : from_tree(f, name, ret);
        return err == -ENOENT ? make_once(f, name, local, asker, ret) : err;
    }
}

/* --- requests --- */

/* Files with contents of one device; trust lists say nothing and are always 'not found'. */
static bool is_private(const struct file_name *name)
{
    return name->device.s[0] && name->kind != FILE_TRUST;
}

/* False: nothing is to be looked up; `a` holds the answer. */
static bool judge(struct files *f, const struct file_request *r, const struct file_name *name,
                  struct file_answer *a)
{
    const struct directory *dir = f->thread->directory;
    /* while anyone may add itself, an unknown name is a new phone and no guess */
    bool expected =
        directory_phone(dir, text_of(name->device.s)) || phone_files_autoregistration(dir);
    struct file_judgement j =
        file_guard_judge(f->guard, r->now_ms, r->client.ip, name->device, expected);

    a->delay_ms = j.delay_ms;
    if (j.too_many)
        file_alarm_guessed(f, r->client.ip, j.names);
    if (j.warn)
        file_alarm_not_yours(f, name, r->client.ip);
    if (j.busy)
        a->err = -EBUSY;
    else if (j.refuse)
        a->err = -EACCES;
    return !a->err;
}

static void open_file(void *context, const struct file_request *r, struct file_answer *a)
{
    struct files *f = context;
    struct file_name name;
    struct content *c = NULL;
    struct ip local = f->node.family ? f->node : ip_is_any(r->local) ? f->usual : r->local;

    if (file_name_parse(r->name, &name) < 0) {
        a->err = -ENOENT;
        return;
    }
    if (is_private(&name) && !judge(f, r, &name, a))
        return;
    a->err = file_lookup(f, &name, local, file_guard_owner(f->guard, r->client.ip), &c);
    if (a->err) {
        if (a->err != -EBUSY)
            a->err = -ENOENT;
        return;
    }
    if (!file_loads_begin(f, &name, r->client.ip)) {
        content_unref(c);
        a->err = -EBUSY;
        return;
    }
    a->size = c->size;
    a->tag = c->tag;
    a->bytes = c->bytes;
    a->hold = c;
}

static const uint8_t *read_file(void *context, void *hold, uint64_t offset, size_t n)
{
    return content_read(hold, offset, n);
}

static void close_file(void *context, void *hold)
{
    content_unref(hold);
}

struct file_source file_lookup_source(struct files *f)
{
    return (struct file_source){f, open_file, read_file, close_file};
}

/* --- reports --- */

static const struct {
    uint16_t stage;
    const char *words;
} result_rows[] = {
    [FILE_SENT] = {PROGRESS_FILE_SENT, "sent"},
    [FILE_MISSING] = {PROGRESS_FILE_MISSING, "not found"},
    [FILE_REFUSED] = {PROGRESS_FILE_REFUSED, "refused"},
    [FILE_BUSY] = {PROGRESS_FILE_ASKED, "too busy"},
    [FILE_ABORTED] = {PROGRESS_FILE_ASKED, "aborted"},
    [FILE_SLOW] = {PROGRESS_FILE_ASKED, "still running"},
};

void file_lookup_tell(struct files *f)
{
    for (size_t i = 0; i < f->n_events; i++)
        server_progress(f->server, &f->events[i]);
    f->n_events = 0;
}

static void tell_later(struct files *f, const struct progress_event *e)
{
    if (f->n_events == FILES_EVENTS)
        file_lookup_tell(f);
    f->events[f->n_events++] = *e;
}

static void trace_report(struct files *f, const struct file_report *r, struct device_name device)
{
    struct trace_about about = {.device = device, .peer = r->client};
    enum trace_level level = r->result == FILE_SENT      ? TRACE_SIGNIFICANT
                             : r->result == FILE_MISSING ? TRACE_SPECIAL /* every boot has some */
                                                         : TRACE_ERROR;
    char client[IP_TEXT_MAX];

    if (!trace_wants(TRACE_TFTP, level))
        return;
    trace_line(f->server, TRACE_TFTP, level, &about,
               "%s - %.*s to %s: %s, %llu bytes, %llu ms, %u sent again",
               r->http ? "HTTPServer" : "TFTPEngine", TEXT_ARG(r->name),
               ip_print(r->client.ip, client), result_rows[r->result].words,
               (unsigned long long)r->sent,
               (unsigned long long)(uv_now(&f->thread->loop) - r->started_ms), r->resent);
}

void file_lookup_report(struct files *f, const struct file_report *r)
{
    struct progress_event e = {
        .time_us = server_wall_us(),
        .ip = r->client.ip,
        .stage = result_rows[r->result].stage,
        .code = r->sent > UINT32_MAX ? UINT32_MAX : (uint32_t)r->sent,
    };
    char client[ENDPOINT_TEXT_MAX];
    struct file_name name;
    bool parsed = file_name_parse(r->name, &name) == 0;

    if (parsed)
        e.device = name.device;
    if (r->result == FILE_ABORTED && !r->http && r->resent)
        e.stage = PROGRESS_FILE_BROKEN;
    text_copy(e.detail, sizeof(e.detail), r->name);
    tell_later(f, &e);
    trace_report(f, r, parsed ? name.device : (struct device_name){""});
    if (parsed && (r->result == FILE_SENT || r->result == FILE_ABORTED))
        file_loads_ended(f, &name, r->client.ip);
    if (parsed && (r->result == FILE_MISSING || r->result == FILE_REFUSED) && is_private(&name))
        file_alarm_missing(f, &name, r);
    if (!log_wants(LOG_LEVEL_DEBUG))
        return;
    log_debug("files", "%s %.*s to %s: %s, %llu bytes, %llu ms, %u sent again",
              r->http ? "HTTP" : "TFTP", TEXT_ARG(r->name), endpoint_print(&r->client, client),
              result_rows[r->result].words, (unsigned long long)r->sent,
              (unsigned long long)(uv_now(&f->thread->loop) - r->started_ms), r->resent);
}

/* --- settings and life --- */

void file_lookup_settings(struct files *f)
{
    const struct directory *dir = f->thread->directory;
    struct file_guard_settings guard = {
        .policy = (enum file_policy)directory_number(dir, SET_device_file_policy),
        .names_limit = (uint32_t)directory_number(dir, SET_device_names_limit),
        .delay_ms = (uint32_t)directory_number(dir, SET_device_names_delay),
    };

    file_guard_set(f->guard, &guard);
    file_cache_limit(f->cache, directory_number(dir, SET_cache_configuration_files)
                                   ? (uint64_t)directory_number(dir, SET_configuration_cache_size)
                                         << 20
                                   : 0);
    if (f->tree)
        file_tree_cache(f->tree, directory_number(dir, SET_cache_constant_files),
                        (uint64_t)directory_number(dir, SET_constant_cache_size) << 20);
    if (f->tftp)
        tftp_server_limit(f->tftp, (size_t)directory_number(dir, SET_maximum_serving_count),
                          (size_t)directory_number(dir, SET_maximum_serving_per_client));
}

int file_lookup_init(struct files *f)
{
    f->guard = file_guard_new();
    f->cache = file_cache_new();
    f->downloads = downloads_new();
    f->names = calloc(1, sizeof(*f->names));
    f->alarms = file_alarms_new();
    return f->guard && f->downloads && f->cache && f->names && f->alarms ? 0 : -ENOMEM;
}

void file_lookup_done(struct files *f)
{
    file_guard_free(f->guard);
    downloads_free(f->downloads);
    file_cache_free(f->cache);
    free(f->names);
    free(f->alarms);
}
