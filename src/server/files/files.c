/* files.c - the files thread: TFTP (tftp.c), HTTP on TCP 6970, one content behind both. */
#include "server/files/files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "core/alarms.h"
#include "core/counters.h"
#include "core/settings.h"

#define TICK_MS      10
#define TOS          96         /* CS3, as CallManager marks its files */
#define HTTP_QUEUED  (2u << 20) /* bytes that a link may have unsent */
#define HTTP_LEAVING 1024       /* links that are closed and whose last bytes are not out */

static uint64_t now(const struct files *f)
{
    return uv_now(&f->thread->loop);
}

/* --- time --- */

static bool anything_runs(const struct files *f)
{
    return f->n_events || (f->tftp && tftp_server_count(f->tftp)) ||
           (f->http && file_server_count(f->http));
}

static void on_tick(uv_timer_t *timer)
{
    struct files *f = timer->data;

    if (f->tftp) {
        tftp_server_expire(f->tftp, now(f));
        files_tftp_flush(f);
    }
    if (f->http)
        file_server_expire(f->http, now(f));
    file_lookup_tell(f);
    if (!anything_runs(f))
        uv_timer_stop(timer);
}

void files_keep_ticking(struct files *f)
{
    if (!uv_is_active((uv_handle_t *)&f->tick) && anything_runs(f) && !f->closing)
        uv_timer_start(&f->tick, on_tick, TICK_MS, TICK_MS);
}

/* --- HTTP --- */

static void tell(void *context, const struct file_report *r)
{
    file_lookup_report(context, r);
}

struct endpoint files_listen_on(const struct files *f, int32_t port)
{
    struct endpoint e = {.port = (uint16_t)port};

    ip_parse(text_of(server_bootstrap(f->server)->listen_address), &e.ip);
    return e;
}

static int http_send(void *context, uint64_t link, const void *bytes, size_t len)
{
    return tcp_send(((struct files *)context)->http_port, link, bytes, len);
}

static size_t http_queued(void *context, uint64_t link)
{
    return tcp_queued(((struct files *)context)->http_port, link);
}

static void http_close(void *context, uint64_t link)
{
    tcp_close(((struct files *)context)->http_port, link);
}

static void on_pump(uv_idle_t *idle)
{
    struct files *f = idle->data;

    if (!f->http || !file_server_pump(f->http, now(f)))
        uv_idle_stop(idle);
}

static void keep_pumping(struct files *f)
{
    files_keep_ticking(f);
    if (!f->closing)
        uv_idle_start(&f->pump, on_pump);
}

static void on_open(void *context, uint64_t link, const struct endpoint *peer,
                    const struct endpoint *local)
{
    struct files *f = context;

    if (!f->http || !file_server_opened(f->http, now(f), link, peer, local->ip))
        tcp_close(f->http_port, link);
    files_keep_ticking(f);
}

static void on_input(void *context, uint64_t link, const uint8_t *bytes, size_t len)
{
    struct files *f = context;

    if (!f->http)
        return;
    file_server_input(f->http, now(f), link, bytes, len);
    keep_pumping(f);
}

static void on_close(void *context, uint64_t link, int err)
{
    struct files *f = context;

    if (f->http)
        file_server_closed(f->http, link);
}

static void on_drain(void *context, uint64_t link)
{
    struct files *f = context;

    if (!f->http)
        return;
    file_server_drained(f->http, now(f), link);
    keep_pumping(f);
}

static void close_http(struct files *f)
{
    file_server_free(f->http);
    f->http = NULL;
    if (f->http_port)
        tcp_stop(f->http_port);
    f->http_port = NULL;
}

static int open_http(struct files *f, const struct endpoint *local)
{
    struct file_source source = file_lookup_source(f);
    struct file_server_output output = {f, http_send, http_queued, http_close, tell};
    struct file_server_settings settings;
    struct tcp_options o = {
        .local = *local,
        .tos = TOS,
        .max_queued = HTTP_QUEUED,
        .context = f,
        .on_open = on_open,
        .on_input = on_input,
        .on_close = on_close,
        .on_drain = on_drain,
    };
    int err;

    file_server_settings_default(&settings);
    settings.max_links = (size_t)directory_number(f->thread->directory, SET_maximum_serving_count);
    settings.max_per_client =
        (size_t)directory_number(f->thread->directory, SET_maximum_serving_per_client);
    o.max_links = settings.max_links + HTTP_LEAVING;
    if (!(f->http = file_server_new(&settings, &source, &output, now(f))))
        return -ENOMEM;
    err = tcp_listen(&f->thread->loop, &o, &f->http_port);
    if (err) {
        file_server_free(f->http);
        f->http = NULL;
    }
    return err;
}

static void start_http(struct files *f, uint64_t token)
{
    int32_t port = server_bootstrap(f->server)->files_http_port;
    struct endpoint local = files_listen_on(f, port);
    char reason[160];
    int err;

    if (!port) {
        server_service_state(f->server, SERVICE_FILES_HTTP, SERVICE_OFF, token,
                             "files.http_port is 0");
        return;
    }
    if (f->http)
        close_http(f);
    err = open_http(f, &local);
    if (err)
        server_service_state(
            f->server, SERVICE_FILES_HTTP, SERVICE_FAILED, token, "%s",
            server_bind_error(f->server, err, &local, false, reason, sizeof(reason)));
    else
        server_service_state(f->server, SERVICE_FILES_HTTP, SERVICE_RUNNING, token, "TCP %u",
                             tcp_port(f->http_port));
}

/* --- services --- */

static void service(struct files *f, const struct message *m)
{
    bool start = m->service.wanted == SERVICE_RUNNING;

    if (m->service.service == SERVICE_TFTP && start) {
        files_tftp_start(f, m->service.token);
    } else if (m->service.service == SERVICE_TFTP) {
        files_tftp_close(f);
        server_service_state(f->server, SERVICE_TFTP, SERVICE_STOPPED, m->service.token, "stopped");
    } else if (m->service.service == SERVICE_FILES_HTTP && start) {
        start_http(f, m->service.token);
    } else if (m->service.service == SERVICE_FILES_HTTP) {
        close_http(f);
        server_service_state(f->server, SERVICE_FILES_HTTP, SERVICE_STOPPED, m->service.token,
                             "stopped");
    }
}

/* --- the thread --- */

/* An address of this host that is not only for itself: what phones most likely see. */
static struct ip usual_address(void)
{
    uv_interface_address_t *list;
    struct ip found = ip_v4(0x7f000001);
    int n;

    if (uv_interface_addresses(&list, &n) < 0)
        return found;
    for (int i = 0; i < n; i++) {
        struct endpoint e = endpoint_of_sockaddr((const struct sockaddr *)&list[i].address);

        if (list[i].is_internal || e.ip.family != 4)
            continue;
        found = e.ip;
        break;
    }
    uv_free_interface_addresses(list, n);
    return found;
}

static void find_node(struct files *f)
{
    const struct bootstrap *b = server_bootstrap(f->server);
    struct ip listen = {0};

    if (ip_parse(text_of(b->node_address), &f->node) < 0)
        f->node = (struct ip){0};
    ip_parse(text_of(b->listen_address), &listen);
    f->usual = f->node.family ? f->node : !ip_is_any(listen) ? listen : usual_address();
    if (*b->node_name)
        snprintf(f->node_name, sizeof(f->node_name), "%s", b->node_name);
    else
        gethostname(f->node_name, sizeof(f->node_name) - 1);
}

/* "Europe/Berlin": where the system keeps its zone, the name stands behind zoneinfo/. */
static void find_time_zone(struct files *f)
{
    const char *variable = getenv("TZ"), *name;
    char link[256];
    ssize_t n;

    if (variable && *variable) {
        snprintf(f->time_zone, sizeof(f->time_zone), "%s",
                 *variable == ':' ? variable + 1 : variable);
        return;
    }
    n = readlink("/etc/localtime", link, sizeof(link) - 1);
    link[n > 0 ? n : 0] = '\0';
    name = strstr(link, "zoneinfo/");
    snprintf(f->time_zone, sizeof(f->time_zone), "%s", name ? name + strlen("zoneinfo/") : "UTC");
}

static void on_tree_change(void *context)
{
    files_tell_state(context, 0);
    file_loads_check_soon(context);
}

static void open_tree(struct files *f)
{
    const struct bootstrap *b = server_bootstrap(f->server);
    const struct directory *dir = f->thread->directory;
    char path[sizeof(b->data) + 16];
    struct file_tree_options o = {
        .path = *b->files_directory ? b->files_directory : path,
        .cache = directory_number(dir, SET_cache_constant_files),
        .cache_max = (uint64_t)directory_number(dir, SET_constant_cache_size) << 20,
        .context = f,
        .on_change = on_tree_change,
    };
    int err;

    snprintf(path, sizeof(path), "%s/files", b->data);
    err = file_tree_open(&f->thread->loop, &o, &f->tree);
    if (err)
        log_error("files", "cannot read the folder of files %s: %s", o.path, strerror(-err));
}

static int start(struct thread *t)
{
    struct files *f = calloc(1, sizeof(*f));
    int err;

    if (!f)
        return -ENOMEM;
    t->state = f;
    f->thread = t;
    f->server = t->server;
    find_node(f);
    find_time_zone(f);
    uv_timer_init(&t->loop, &f->tick);
    uv_timer_init(&t->loop, &f->check);
    uv_idle_init(&t->loop, &f->pump);
    f->tick.data = f->check.data = f->pump.data = f;
    f->holders = 4; /* with the builder's handle */
    file_build_init(f);
    if ((err = file_lookup_init(f)))
        return err;
    open_tree(f);
    files_tftp_start(f, 0);
    start_http(f, 0);
    file_lookup_settings(f);
    file_build_start(f, 0, false);
    file_loads_check_soon(f);
    return 0;
}

static void on_message(struct thread *t, const struct message *m)
{
    struct files *f = t->state;

    switch (m->id) {
    case MESSAGE_SNAPSHOT:
        count(COUNT_FILE_CHANGES);
        file_lookup_settings(f);
        file_loads_check_soon(f);
        break;
    case MESSAGE_BINDING:
        file_guard_bind(f->guard, m->binding.device, m->binding.ip, m->binding.by, m->binding.gone);
        break;
    case MESSAGE_SERVICE:
        service(f, m);
        break;
    case MESSAGE_REQUEST:
        file_request(f, m->request.token, m->request.verb, m->request.take_arguments);
        json_decref(m->request.take_arguments);
        break;
    default:
        break;
    }
}

void files_release(struct files *f)
{
    if (--f->holders)
        return;
    file_lookup_done(f);
    free(f);
}

static void on_closed(uv_handle_t *h)
{
    files_release(h->data);
}

static void stop(struct thread *t)
{
    struct files *f = t->state;

    if (!f)
        return;
    f->closing = true;
    files_tftp_close(f);
    close_http(f);
    file_lookup_tell(f);
    file_build_stop(f);
    file_tree_close(f->tree);
    f->tree = NULL;
    uv_close((uv_handle_t *)&f->pump, on_closed);
    uv_close((uv_handle_t *)&f->tick, on_closed);
    uv_close((uv_handle_t *)&f->check, on_closed);
    uv_close((uv_handle_t *)&f->builder.timer, on_closed);
}

const struct thread_row files_thread = {"files", start, on_message, stop};
