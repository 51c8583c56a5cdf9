/* front.c - libmicrohttpd under uv_poll: its epoll descriptor wakes the loop, the loop runs it. */
#include "server/web/front.h"

#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/grow.h"
#include "base/pool.h"
#include "server/web/heads.h"
#include "server/web/shown.h"

#define MAX_CONNECTIONS 512
#define MEMORY_OF_ONE   32768 /* bytes: line and headers of a request */
#define SILENCE_S       30    /* a connection that says nothing is closed */
#define MAX_UNREAD      (4u << 20)
#define MAX_OF_ONE      128 /* connections from one address */
#define REQUEST_MS      60000
#define UPLOAD_MS       1800000

/* A connection: since when the head of its next request is awaited; 0: it has come. */
struct line {
    int fd;
    bool used;
    uint64_t since_ms;
};

struct front {
    struct line lines[MAX_CONNECTIONS];
    struct front_options options;
    uv_loop_t *loop;
    struct MHD_Daemon *daemon;
    struct pool askers;
    uv_poll_t poll;
    uv_prepare_t prepare;
    uv_timer_t timer;
    unsigned n_handles;
    uint16_t port;
    bool due; /* something was answered and is not sent yet */
    bool stopping;
};

/* A request on its way. */
struct asker {
    struct front *front;
    uint64_t id;
    struct MHD_Connection *connection;
    char method[16], *path;
    struct grow body;
    void *kept;
    struct MHD_Response *response;
    unsigned status;
    struct grow unread; /* of a stream */
    bool told, asleep, streams, ended;
    struct front_room room;
    char *file; /* where the body is written */
    int fd;
    size_t n_written;
    unsigned refused; /* the status that says why its body was not taken */
    uint64_t begun_ms;
};

static struct asker *find(const struct front *f, uint64_t id)
{
    struct asker **slot = pool_get(&f->askers, id);

    return slot ? *slot : NULL;
}

static void wake(struct asker *a)
{
    if (!a->asleep)
        return;
    a->asleep = false;
    a->front->due = true;
    MHD_resume_connection(a->connection);
}

static void sleep_now(struct asker *a)
{
    a->asleep = true;
    MHD_suspend_connection(a->connection);
}

/* --- connections: a head that comes byte by byte must not hold one for ever --- */

static void on_connection(void *context, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode what)
{
    struct front *f = context;
    struct line *line = *socket_context;

    if (what == MHD_CONNECTION_NOTIFY_CLOSED && line)
        *line = (struct line){.fd = -1};
    for (size_t i = 0;
         what == MHD_CONNECTION_NOTIFY_STARTED && i < MAX_CONNECTIONS && !*socket_context; i++)
        if (!f->lines[i].used) {
            f->lines[i] = (struct line){
                MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd,
                true, uv_now(f->loop)};
            *socket_context = &f->lines[i];
        }
}

static void await_head(struct MHD_Connection *connection, uint64_t since_ms)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct line *line = info ? info->socket_context : NULL;

    if (line)
        line->since_ms = since_ms;
}

void front_end_slow(struct front *f)
{
    uint64_t now = uv_now(f->loop);

    for (size_t i = 0; i < MAX_CONNECTIONS; i++) {
        struct line *line = &f->lines[i];

        if (!line->used || !line->since_ms || now - line->since_ms < f->options.patience_ms)
            continue;
        shutdown(line->fd, SHUT_RDWR); /* the daemon finds its end */
        line->since_ms = 0;
    }
}

/* --- requests --- */

/* The line of the request has come; its path is kept as it was sent, since an encoded slash is no
 * separator. */
static void *on_uri(void *context, const char *uri, struct MHD_Connection *connection)
{
    struct front *f = context;
    struct asker *a = calloc(1, sizeof(*a)), **slot = a ? pool_take(&f->askers, &a->id) : NULL;
    size_t len = strcspn(uri, "?");

    if (!slot || !(a->path = strndup(uri, len))) {
        if (slot)
            pool_give(&f->askers, a->id);
        free(a);
        return NULL;
    }
    a->front = f;
    a->connection = connection;
    a->fd = -1;
    a->begun_ms = uv_now(f->loop);
    await_head(connection, a->begun_ms);
    *slot = a;
    return a;
}

static struct ip peer_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

    return info && info->client_addr ? endpoint_of_sockaddr(info->client_addr).ip : (struct ip){0};
}

static struct front_request request_of(const struct asker *a)
{
    return (struct front_request){.id = a->id,
                                  .method = a->method,
                                  .path = a->path,
                                  .body = {a->body.at ? a->body.at : "", a->body.len},
                                  .file = a->file,
                                  .refused = a->refused,
                                  .peer = peer_of(a->connection),
                                  .connection = a->connection};
}

static void tell(struct asker *a)
{
    struct front_request r = request_of(a);

    a->told = true;
    a->front->options.on_request(a->front->options.context, &r);
}

/* --- bodies --- */

static void open_file(struct asker *a)
{
    struct grow name = {0};

    grow_format(&name, "%s/upload-XXXXXX", a->room.folder);
    a->file = grow_take(&name);
    a->fd = a->file ? mkostemp(a->file, O_CLOEXEC) : -1;
    if (a->fd < 0) {
        a->refused = MHD_HTTP_INSUFFICIENT_STORAGE;
        free(a->file);
        a->file = NULL;
    }
}

static void take_head(struct asker *a, const char *method)
{
    struct front_request r;

    text_copy(a->method, sizeof(a->method), text_of(method));
    r = request_of(a);
    a->room = a->front->options.on_head(a->front->options.context, &r);
    if (a->room.folder)
        open_file(a);
}

static void take_body(struct asker *a, const char *bytes, size_t n)
{
    size_t size = a->room.folder ? a->n_written : a->body.len;

    if (size + n > a->room.max)
        a->refused = MHD_HTTP_CONTENT_TOO_LARGE;
    if (a->refused)
        return;
    if (!a->room.folder)
        grow_text(&a->body, (struct text){bytes, n});
    else if (write(a->fd, bytes, n) != (ssize_t)n)
        a->refused = MHD_HTTP_INSUFFICIENT_STORAGE;
    a->n_written += n;
}

/* Who sends a byte now and then would hold his connection for ever. */
static bool takes_too_long(const struct asker *a)
{
    return uv_now(a->front->loop) - a->begun_ms > (a->room.folder ? UPLOAD_MS : REQUEST_MS);
}

static enum MHD_Result on_access(void *context, struct MHD_Connection *connection, const char *path,
                                 const char *method, const char *version, const char *bytes,
                                 size_t *n, void **asker)
{
    struct asker *a = *asker;

    (void)context;
    (void)path;
    (void)version;
    if (!a)
        return MHD_NO; /* no room */
    if (!a->method[0]) {
        await_head(connection, 0);
        if (head_is_ambiguous(connection))
            return head_refuse(connection);
        take_head(a, method);
        return MHD_YES;
    }
    if (*n) {
        take_body(a, bytes, *n);
        *n = 0;
        return takes_too_long(a) ? MHD_NO : MHD_YES;
    }
    if (!a->told)
        tell(a);
    if (a->response)
        return MHD_queue_response(connection, a->status, a->response);
    if (!a->asleep)
        sleep_now(a);
    return MHD_YES;
}

static void on_completed(void *context, struct MHD_Connection *connection, void **asker,
                         enum MHD_RequestTerminationCode why)
{
    struct front *f = context;
    struct asker *a = *asker;

    (void)why;
    await_head(connection, uv_now(f->loop));
    if (!a)
        return;
    f->options.on_gone(f->options.context, a->id, a->kept);
    pool_give(&f->askers, a->id);
    if (a->response)
        MHD_destroy_response(a->response);
    grow_done(&a->body);
    grow_done(&a->unread);
    if (a->file) {
        unlink(a->file);
        close(a->fd);
    }
    free(a->file);
    free(a->path);
    free(a);
    *asker = NULL;
}

void front_keep(struct front *f, uint64_t id, void *kept)
{
    struct asker *a = find(f, id);

    if (a)
        a->kept = kept;
}

void *front_kept(const struct front *f, uint64_t id)
{
    struct asker *a = find(f, id);

    return a ? a->kept : NULL;
}

/* --- answers --- */

static int respond(struct asker *a, unsigned status, const struct front_header *headers,
                   struct MHD_Response *take_response)
{
    if (!take_response)
        return -ENOMEM;
    for (; headers && headers->name; headers++)
        MHD_add_response_header(take_response, headers->name, headers->value);
    a->status = status;
    a->response = take_response;
    wake(a);
    return 0;
}

int front_answer(struct front *f, uint64_t id, unsigned status, const struct front_header *headers,
                 char *take_body, size_t len)
{
    struct asker *a = find(f, id);

    if (!a || a->response) {
        free(take_body);
        return -ENOENT;
    }
    return respond(a, status, headers,
                   MHD_create_response_from_buffer(take_body ? len : 0, take_body ? take_body : "",
                                                   take_body ? MHD_RESPMEM_MUST_FREE
                                                             : MHD_RESPMEM_PERSISTENT));
}

int front_answer_file(struct front *f, uint64_t id, const struct front_header *headers, int take_fd)
{
    struct asker *a = find(f, id);
    struct stat st;

    if (!a || a->response || fstat(take_fd, &st) < 0) {
        close(take_fd);
        return -ENOENT;
    }
    return respond(a, MHD_HTTP_OK, headers,
                   MHD_create_response_from_fd64((uint64_t)st.st_size, take_fd));
}

/* libmicrohttpd asks for more of a stream: without any, the connection sleeps until there is. */
static ssize_t on_more(void *asker, uint64_t at, char *to, size_t size)
{
    struct asker *a = asker;
    size_t n = a->unread.len < size ? a->unread.len : size;

    (void)at;
    if (!n && a->ended)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (!n) {
        sleep_now(a);
        return 0;
    }
    memcpy(to, a->unread.at, n);
    memmove(a->unread.at, a->unread.at + n, a->unread.len - n);
    a->unread.len -= n;
    return (ssize_t)n;
}

int front_stream_begin(struct front *f, uint64_t id, const struct front_header *headers)
{
    struct asker *a = find(f, id);

    if (!a || a->response)
        return -ENOENT;
    a->streams = true;
    return respond(a, MHD_HTTP_OK, headers,
                   MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 16384, on_more, a, NULL));
}

int front_stream(struct front *f, uint64_t id, const char *bytes, size_t len)
{
    struct asker *a = find(f, id);

    if (!a || !a->streams)
        return -ENOENT;
    if (a->unread.len + len > MAX_UNREAD)
        a->ended = true;
    else if (!a->ended)
        grow_text(&a->unread, (struct text){bytes, len});
    wake(a);
    return a->ended ? -ENOBUFS : 0;
}

size_t front_unread(const struct front *f, uint64_t id)
{
    struct asker *a = find(f, id);

    return a ? a->unread.len : 0;
}

void front_stream_end(struct front *f, uint64_t id)
{
    struct asker *a = find(f, id);

    if (!a || !a->streams)
        return;
    a->ended = true;
    wake(a);
}

/* --- the loop --- */

static void on_timer(uv_timer_t *timer);

static void run(struct front *f)
{
    MHD_UNSIGNED_LONG_LONG ms;

    if (f->stopping)
        return;
    f->due = false;
    MHD_run(f->daemon);
    if (MHD_get_timeout(f->daemon, &ms) == MHD_YES)
        uv_timer_start(&f->timer, on_timer, ms, 0);
    else
        uv_timer_stop(&f->timer);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    run(poll->data);
}

static void on_timer(uv_timer_t *timer)
{
    run(timer->data);
}

/* Before the loop waits, what was answered in this turn goes out. */
static void on_prepare(uv_prepare_t *prepare)
{
    struct front *f = prepare->data;

    if (f->due)
        run(f);
}

static void on_closed(uv_handle_t *h)
{
    struct front *f = h->data;

    if (--f->n_handles)
        return;
    pool_done(&f->askers);
    free(f);
}

void front_stop(struct front *f)
{
    struct asker **slot;
    size_t cursor = 0;
    uint64_t id;

    if (!f)
        return;
    f->stopping = true;
    while ((slot = pool_next(&f->askers, &cursor, &id)))
        wake(*slot); /* a daemon that has sleepers must not be stopped */
    uv_close((uv_handle_t *)&f->poll, on_closed);
    uv_close((uv_handle_t *)&f->prepare, on_closed);
    uv_close((uv_handle_t *)&f->timer, on_closed);
    MHD_stop_daemon(f->daemon);
    shown_done();
}

/* --- opening --- */

static int listen_at(const struct endpoint *at)
{
    struct sockaddr_storage sa;
    socklen_t len = endpoint_to_sockaddr(at, &sa);
    int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), err;

    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(fd, (struct sockaddr *)&sa, len) < 0 || listen(fd, SOMAXCONN) < 0) {
        err = -errno;
        close(fd);
        return err;
    }
    return fd;
}

static uint16_t port_of(int fd)
{
    struct sockaddr_storage sa;
    socklen_t len = sizeof(sa);

    getsockname(fd, (struct sockaddr *)&sa, &len);
    return endpoint_of_sockaddr((struct sockaddr *)&sa).port;
}

static struct MHD_Daemon *start(struct front *f, int fd)
{
    bool tls = f->options.certificate && f->options.key;
    struct MHD_OptionItem secret[] = {
        {MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)shown_retrieve},
        {MHD_OPTION_HTTPS_PRIORITIES, 0,
         (void *)(uintptr_t) "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"},
        {MHD_OPTION_END, 0, NULL}};

    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | (tls ? MHD_USE_TLS : 0), 0, NULL, NULL,
        on_access, f, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_COMPLETED, on_completed, f,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, f, MHD_OPTION_URI_LOG_CALLBACK, on_uri, f,
        MHD_OPTION_CONNECTION_LIMIT, MAX_CONNECTIONS, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        MAX_OF_ONE, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_OF_ONE,
        MHD_OPTION_CONNECTION_TIMEOUT, SILENCE_S, tls ? MHD_OPTION_ARRAY : MHD_OPTION_END, secret,
        MHD_OPTION_END);
}

int front_open(uv_loop_t *loop, const struct front_options *options, struct front **ret)
{
    int fd = listen_at(&options->at);
    struct front *f = fd < 0 ? NULL : calloc(1, sizeof(*f));
    bool shows = options->certificate && options->key;

    if (fd < 0)
        return fd;
    if (f && (!shows || shown_take(options->certificate, options->key) == 0)) {
        f->options = *options;
        f->loop = loop;
        f->port = port_of(fd);
        pool_init(&f->askers, sizeof(struct asker *), MAX_CONNECTIONS);
        f->daemon = start(f, fd);
    }
    if (!f || !f->daemon) {
        int err = f ? -EINVAL : -ENOMEM;

        close(fd);
        if (f)
            pool_done(&f->askers);
        shown_done();
        free(f);
        return err;
    }
    f->poll.data = f->prepare.data = f->timer.data = f;
    f->n_handles = 3;
    uv_poll_init(loop, &f->poll,
                 MHD_get_daemon_info(f->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd);
    uv_prepare_init(loop, &f->prepare);
    uv_timer_init(loop, &f->timer);
    uv_poll_start(&f->poll, UV_READABLE, on_readable);
    uv_prepare_start(&f->prepare, on_prepare);
    *ret = f;
    return 0;
}

uint16_t front_port(const struct front *f)
{
    return f->port;
}
