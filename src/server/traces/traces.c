/* traces.c - the traces thread: trace files, collections, captures. Others hand over; only it
 * writes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "core/settings.h"
#include "server/server.h"
#include "server/traces/captures.h"
#include "server/traces/collect.h"
#include "server/traces/files.h"
#include "server/traces/lines.h"
#include "server/traces/names.h"
#include "wire/sccp/framing.h"

#define FLUSH_MS    200
#define DEVICES_MAX 64
#define TEXT_BYTES  (96 * 1024) /* a SIP message and its head */
#define REGISTER    0x0001u     /* SCCP: its body begins with the name of the device */

static const struct service {
    const char *service, *word, *prefix, *tag;
    enum setting level;
} services[N_TRACES] = {
#define TRACE(id, service, word, prefix, tag, folder, parameter)                                   \
    {service, word, prefix, tag, parameter},
#include "server/traces/traces.def"
#undef TRACE
};

struct traces {
    struct thread *thread;
    uv_timer_t flush;
    struct trace_files *files[N_TRACES],
        *sdl; /* the latter instead of CallManager's, when that form is wanted */
    bool wants_sdl;
    unsigned number; /* of this node */
    struct captures *captures;
    struct trace_names *names;
    uint8_t levels[N_TRACES];                /* of the files */
    struct device_name devices[DEVICES_MAX]; /* whose lines are wanted; none: all */
    size_t n_devices;
    uint32_t sip_number;
    unsigned holders; /* handles and work that still point here */
    char node[64];
    char text[TEXT_BYTES];
};

/* --- what is wanted --- */

static void on_flush(uv_timer_t *timer);

static void tell_wanted(struct traces *t)
{
    bool messages = captures_wants_messages(t->captures), any = messages;

    for (int i = 0; i < N_TRACES; i++) {
        atomic_store(&trace_levels[i], messages ? TRACE_DETAILED : t->levels[i]);
        any = any || t->levels[i];
    }
    any = any || captures_run(t->captures);
    atomic_store(&trace_follows, captures_run(t->captures) ? TRACE_FOLLOWS_AT_ONCE
                                 : any                     ? TRACE_FOLLOWS_SOON
                                                           : TRACE_FOLLOWS_NOT);
    if (any && !uv_is_active((uv_handle_t *)&t->flush))
        uv_timer_start(&t->flush, on_flush, FLUSH_MS, FLUSH_MS);
    else if (!any)
        uv_timer_stop(&t->flush);
    atomic_store(&trace_secrets, captures_wants_secrets(t->captures));
}

static void take_devices(struct traces *t, struct text list)
{
    t->n_devices = 0;
    while (list.at && t->n_devices < DEVICES_MAX) {
        struct text name = text_trim(text_split(&list, ';'));

        if (name.len)
            t->devices[t->n_devices++] = device_name_of(name);
    }
}

/* Nodes are numbered in the order of their names, which is the same at each of them. */
static unsigned number_of(const struct directory *dir, const char *node)
{
    const struct callmanager *c = NULL;

    for (unsigned n = 1; (c = directory_next(dir, ENTITY_callmanager, text_of(c ? c->name : ""))); n++)
        if (!strcmp(c->name, node))
            return n;
    return 1;
}

static void take_settings(struct traces *t)
{
    const struct directory *dir = t->thread->directory;
    struct trace_file_limits limits;

    if (!dir)
        return;
    limits = (struct trace_file_limits){
        .bytes = (uint64_t)directory_number(dir, SET_trace_file_size) << 20,
        .files = (unsigned)directory_number(dir, SET_trace_files),
        .days = (unsigned)directory_number(dir, SET_trace_days),
        .minutes = (unsigned)directory_number(dir, SET_trace_file_minutes),
    };
    for (int i = 0; i < N_TRACES; i++) {
        t->levels[i] = (uint8_t)directory_number(dir, (int)services[i].level);
        trace_files_limit(t->files[i], &limits);
    }
    trace_files_limit(t->sdl, &limits);
    t->number = number_of(dir, t->node);
    trace_files_number(t->sdl, t->number);
    t->wants_sdl = directory_number(dir, SET_trace_form) == TRACE_FORM_SDL;
    take_devices(t, text_of(directory_string(dir, SET_trace_devices)));
    atomic_store(&trace_keepalives, directory_number(dir, SET_trace_keepalives) != 0);
    tell_wanted(t);
}

/* --- lines --- */

/* Whose it is: as it says itself, as Register says, or who was last at this address. */
static struct device_name device_of(struct traces *t, const struct trace_record *r)
{
    struct reader stream = reader_of(r->bytes, r->len);
    struct device_name device = r->about.device;
    struct sccp_frame frame;

    if (r->kind == TRACE_SCCP_IN && sccp_frame_next(&stream, &frame) == 1 && frame.id == REGISTER &&
        frame.len >= 16)
        device = device_name_of(
            (struct text){(const char *)frame.body, strnlen((const char *)frame.body, 15)});
    if (!device.s[0])
        return trace_names_find(t->names, &r->about.peer);
    if (!ip_is_any(r->about.peer.ip) && !trace_is_dhcp(r))
        trace_names_learn(t->names, &r->about.peer, device);
    return device;
}

static bool is_wanted(const struct traces *t, const struct trace_record *r,
                      struct device_name device)
{
    for (size_t i = 0; i < t->n_devices; i++)
        if (text_equal_nocase(text_of(device.s), text_of(t->devices[i].s)) ||
            memmem(r->bytes, r->len, t->devices[i].s, strlen(t->devices[i].s)))
            return true;
    return !t->n_devices;
}

/* The files that a service writes now. */
static struct trace_files *files_of(const struct traces *t, int id)
{
    return id == TRACE_CALLMANAGER && t->wants_sdl ? t->sdl : t->files[id];
}

/* A signal and what was said while it was handled have one number. */
static void write_sdl(struct traces *t, const struct trace_record *r, const struct trace_context *c)
{
    static const char alarm[] = "AlarmErr - ";
    struct writer w = writer_of(t->text, sizeof(t->text));
    bool signal = trace_print_signal(r, c, &w),
         lines = r->kind == TRACE_SCCP_IN || r->kind == TRACE_SCCP_OUT;
    struct text rest;

    if (signal)
        trace_files_write_kind(t->sdl, r->time_us, "SdlSig", true,
                               (struct text){t->text, writer_len(&w)});
    w = writer_of(t->text, sizeof(t->text));
    trace_print_words(r, c, &w);
    rest = (struct text){t->text, writer_len(&w)};
    if (text_starts(rest, alarm)) {
        char head[] = "AlarmClass: CallManager, ";
        size_t n = strlen(alarm), more = strlen(head);

        memmove(t->text + more, t->text + n, rest.len - n);
        memcpy(t->text, head, more);
        trace_files_write_kind(t->sdl, r->time_us, "AlarmErr", true,
                               (struct text){t->text, rest.len - n + more});
        return;
    }
    for (bool first = !signal; rest.at; first = false) {
        struct text line = rest;

        if (lines)
            line = text_split(&rest, '\n');
        else
            rest.at = NULL;
        trace_files_write_kind(t->sdl, r->time_us, "AppInfo", first, line);
    }
}

static void on_record(struct traces *t, const struct trace_record *r)
{
    struct device_name device = device_of(t, r);
    struct writer w = writer_of(t->text, sizeof(t->text));
    const struct directory *dir = t->thread->directory;
    struct trace_context c = {.cluster = dir ? directory_string(dir, SET_cluster_id) : "",
                              .node = t->node,
                              .node_number = t->number,
                              .device = device};

    captures_message(t->captures, r, device);
    if (r->level > t->levels[r->id] || !is_wanted(t, r, device))
        return;
    if (r->kind == TRACE_SIP_IN || r->kind == TRACE_SIP_OUT)
        c.number = ++t->sip_number;
    if (files_of(t, r->id) == t->sdl) {
        write_sdl(t, r, &c);
        return;
    }
    trace_print(r, &c, &w);
    for (struct text rest = {t->text, writer_len(&w)}; rest.at;) {
        struct text line = rest;

        if (r->kind == TRACE_SCCP_IN || r->kind == TRACE_SCCP_OUT)
            line = text_split(&rest, '\n'); /* a message each */
        else
            rest.at = NULL;
        trace_files_write(t->files[r->id], r->time_us, line);
    }
}

static void on_flush(uv_timer_t *timer)
{
    struct traces *t = timer->data;

    for (int i = 0; i < N_TRACES; i++)
        trace_files_flush(t->files[i]);
    trace_files_flush(t->sdl);
    tell_wanted(t); /* a capture may have ended */
}

/* --- what people ask --- */

static const char *argument(const struct message *m, const char *name)
{
    const char *s = json_string_value(json_object_get(m->request.take_arguments, name));

    return s ? s : "";
}

static json_int_t number(const struct message *m, const char *name)
{
    return json_integer_value(json_object_get(m->request.take_arguments, name));
}

static size_t take_hosts(const struct message *m, struct ip *to, size_t max)
{
    json_t *list = json_object_get(m->request.take_arguments, "addresses");
    size_t n = 0;

    for (size_t i = 0; i < json_array_size(list) && n < max; i++)
        if (ip_parse(text_of(json_string_value(json_array_get(list, i))), &to[n]) == 0)
            n++;
    return n;
}

static void trace_list(struct traces *t, const struct message *m)
{
    json_t *rows = json_array();
    char scratch[16];

    for (int i = 0; i < N_TRACES; i++) {
        struct trace_file_state s = trace_files_state(files_of(t, i));
        struct text level = setting_print(services[i].level, t->levels[i], NULL, scratch);

        json_array_append_new(rows, json_pack("[s, s%, i, I, I, s, s, s]", services[i].word,
                                              level.at, level.len, (int)s.files,
                                              (json_int_t)s.bytes, (json_int_t)s.lines, s.newest,
                                              s.err ? strerror(-s.err) : "", services[i].service));
    }
    server_reply(t->thread->server, m->request.token, 0,
                 json_pack("{s:[s,s,s,s,s,s,s,s], s:o}", "columns", "name", "level", "files",
                           "bytes", "lines", "newest", "error", "service", "rows", rows));
}

struct collecting {
    uv_work_t work;
    struct traces *t;
    uint64_t token;
    int err;
    struct collection c;
};

static void release(struct traces *t);

static void in_worker(uv_work_t *work)
{
    struct collecting *w = work->data;

    w->err = collect(&w->c);
}

static void on_collected(uv_work_t *work, int status)
{
    struct collecting *w = work->data;
    struct server *server = w->t->thread->server;

    if (status == UV_ECANCELED)
        w->err = status;
    if (w->err)
        server_refuse_as(server, w->token, w->err == -ENOSPC ? 507 : 422, "%s cannot be written: %s", w->c.path, strerror(-w->err));
    else
        server_reply(server, w->token, 0,
                     json_pack("{s:{s:s, s:i, s:I}}", "record", "path", w->c.path, "files",
                               (int)w->c.files, "bytes", (json_int_t)w->c.bytes));
    release(w->t);
    free(w);
}

static void trace_collect(struct traces *t, const struct message *m)
{
    struct collecting *w = calloc(1, sizeof(*w));

    on_flush(&t->flush);
    if (!w) {
        server_refuse(t->thread->server, m->request.token, "there is no memory");
        return;
    }
    w->work.data = w;
    w->t = t;
    w->token = m->request.token;
    w->c = (struct collection){.now_us = server_wall_us(),
                               .since_us = (uint64_t)number(m, "since_us"),
                               .until_us = (uint64_t)number(m, "until_us"),
                               .device = device_name_of(text_of(argument(m, "device")))};
    if (!w->c.until_us)
        w->c.until_us = UINT64_MAX;
    w->c.n_hosts = take_hosts(m, w->c.hosts, COLLECT_HOSTS_MAX);
    text_copy(w->c.path, sizeof(w->c.path), text_of(argument(m, "path")));
    text_copy(w->c.node, sizeof(w->c.node), text_of(t->node));
    text_copy(w->c.data, sizeof(w->c.data), text_of(server_bootstrap(t->thread->server)->data));
    t->holders++;
    if (uv_queue_work(&t->thread->loop, &w->work, in_worker, on_collected) < 0)
        on_collected(&w->work, UV_ECANCELED);
}

static void capture_start(struct traces *t, const struct message *m)
{
    struct capture_order o = {
        .duration_s = (uint32_t)number(m, "duration_s"),
        .max_bytes = (uint64_t)number(m, "max_bytes"),
        .secrets = json_is_true(json_object_get(m->request.take_arguments, "secrets")),
        .messages = json_is_true(json_object_get(m->request.take_arguments, "messages"))};
    bool asked = o.messages;
    char name[64], words[1024];
    json_t *body;

    text_copy(o.device, sizeof(o.device), text_of(argument(m, "device")));
    text_copy(o.interface, sizeof(o.interface), text_of(argument(m, "interface")));
    mac_parse(text_of(argument(m, "mac")), &o.mac);
    o.n_hosts = take_hosts(m, o.hosts, CAPTURE_HOSTS);
    if (captures_start(t->captures, &o, name, words, sizeof(words)) < 0) {
        server_refuse(t->thread->server, m->request.token, "%s", words);
        return;
    }
    tell_wanted(t);
    body = json_pack("{s:{s:s, s:s, s:I, s:I}, s:[]}", "record", "name", name, "of",
                     o.messages ? "messages" : "packets", "seconds", (json_int_t)o.duration_s,
                     "max_bytes", (json_int_t)o.max_bytes, "notes");
    if (o.messages && !asked)
        json_array_append_new(json_object_get(body, "notes"),
                              json_string("This server may not see packets (root, or CAP_NET_RAW): "
                                          "its own messages are captured instead."));
    server_reply(t->thread->server, m->request.token, 0, body);
}

static void capture_stop(struct traces *t, const struct message *m)
{
    const char *name = argument(m, "name");
    char stopped[64];

    if (captures_stop(t->captures, text_of(name), stopped) < 0)
        server_refuse_as(t->thread->server, m->request.token, *name ? 404 : 422,
                         *name ? "no capture %s runs" : "none runs, or several: which?%s", name);
    else
        server_reply(t->thread->server, m->request.token, 0,
                     json_pack("{s:{s:s}}", "record", "name", stopped));
    tell_wanted(t);
}

static void capture_list(struct traces *t, const struct message *m)
{
    server_reply(t->thread->server, m->request.token, 0, captures_list(t->captures));
}

static int copy_file(const char *from, const char *to)
{
    uv_fs_t request;
    int err = uv_fs_copyfile(NULL, &request, from, to, UV_FS_COPYFILE_FICLONE, NULL);

    uv_fs_req_cleanup(&request);
    return err;
}

static void capture_fetch(struct traces *t, const struct message *m)
{
    const char *name = argument(m, "name"), *path = argument(m, "path");
    char from[900];
    int err = captures_path(t->captures, text_of(name), from, sizeof(from));

    if (err) {
        server_refuse_as(t->thread->server, m->request.token, 404,
                         "there is no capture %s; \"dialtone capture list\" shows them", name);
        return;
    }
    err = copy_file(from, path);
    if (err)
        server_refuse_as(t->thread->server, m->request.token, err == -ENOSPC ? 507 : 422,
                         "%s cannot be written: %s", path,
                      strerror(-err));
    else
        server_reply(t->thread->server, m->request.token, 0,
                     json_pack("{s:{s:s}}", "record", "path", path));
}

static const struct {
    const char *verb;
    void (*act)(struct traces *t, const struct message *m);
} verbs[] = {
    {"trace list", trace_list},       {"trace collect", trace_collect},
    {"capture start", capture_start}, {"capture stop", capture_stop},
    {"capture list", capture_list},   {"capture fetch", capture_fetch},
};

static void on_request(struct traces *t, const struct message *m)
{
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
        if (!strcmp(verbs[i].verb, m->request.verb)) {
            verbs[i].act(t, m);
            return;
        }
    server_refuse(t->thread->server, m->request.token, "'%s' is not known here", m->request.verb);
}

/* --- the thread --- */

static void release(struct traces *t)
{
    if (--t->holders)
        return;
    for (int i = 0; i < N_TRACES; i++)
        trace_files_free(t->files[i]);
    trace_files_free(t->sdl);
    free(t->names);
    free(t);
}

static void on_captures_closed(void *context)
{
    release(context);
}

static void on_closed(uv_handle_t *handle)
{
    release(handle->data);
}

static int files_open(struct traces *t)
{
    const struct bootstrap *b = server_bootstrap(t->thread->server);
    char folder[sizeof(b->data) + 16];

    if (*b->node_name)
        text_copy(t->node, sizeof(t->node), text_of(b->node_name));
    else
        gethostname(t->node, sizeof(t->node) - 1);
    snprintf(folder, sizeof(folder), "%s/traces", b->data);
    for (int i = 0; i < N_TRACES; i++)
        if (!(t->files[i] = trace_files_new(folder, services[i].prefix, services[i].tag, t->node,
                                            TRACE_FORM_CCM)))
            return -ENOMEM;
    t->sdl = trace_files_new(folder, TRACE_SDL_PREFIX, "CCM", t->node, TRACE_FORM_SDL);
    t->names = trace_names_new();
    t->captures = captures_new(&t->thread->loop, b->data, t->node);
    return t->names && t->captures && t->sdl ? 0 : -ENOMEM;
}

static int start(struct thread *thread)
{
    struct traces *t = calloc(1, sizeof(*t));
    int err;

    if (!t)
        return -ENOMEM;
    thread->state = t;
    t->thread = thread;
    t->holders = 2; /* the timers, here and of the captures */
    if ((err = files_open(t)))
        return err;
    uv_timer_init(&thread->loop, &t->flush);
    t->flush.data = t;
    take_settings(t);
    return 0;
}

static void on_message(struct thread *thread, const struct message *m)
{
    struct traces *t = thread->state;

    switch (m->id) {
    case MESSAGE_SNAPSHOT:
        take_settings(t);
        break;
    case MESSAGE_TRACE:
        on_record(t, m->trace.take_record);
        trace_record_free(m->trace.take_record);
        break;
    case MESSAGE_BINDING:
        if (m->binding.gone)
            break;
        trace_names_learn(t->names, &(struct endpoint){.ip = m->binding.ip}, m->binding.device);
        captures_address(t->captures, m->binding.device, m->binding.ip);
        break;
    case MESSAGE_SECRET:
        captures_secret(t->captures, m->secret.ip, text_of(m->secret.take_line));
        free(m->secret.take_line);
        break;
    case MESSAGE_REQUEST:
        on_request(t, m);
        json_decref(m->request.take_arguments);
        break;
    default:
        break;
    }
}

static void stop(struct thread *thread)
{
    struct traces *t = thread->state;

    for (int i = 0; i < N_TRACES; i++)
        atomic_store(&trace_levels[i], TRACE_OFF);
    atomic_store(&trace_follows, TRACE_FOLLOWS_NOT);
    captures_close(t->captures, on_captures_closed, t);
    uv_close((uv_handle_t *)&t->flush, on_closed);
}

const struct thread_row traces_thread = {"traces", start, on_message, stop};
