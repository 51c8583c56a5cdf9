/* control.c - the control socket. */
#include "server/control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/list.h"
#include "base/pool.h"
#include "server/lines.h"

#define MAX_ASKERS 128
#define MAX_QUEUED (64u << 20) /* bytes that an asker has not read */

struct control {
    uv_pipe_t listener;
    struct pool askers;
    struct control_options options;
    int folder; /* open, so that its path may be long */
    size_t n_open;
    bool stopped;
};

struct asker {
    uv_pipe_t pipe;
    struct control *control;
    struct lines lines;
    uint64_t id; /* slot in the pool: a pointer to this */
    bool closing;
};

struct answer {
    uv_write_t write;
    char *bytes;
};

static void release(struct control *c)
{
    if (!c->stopped || c->n_open)
        return;
    pool_done(&c->askers);
    close(c->folder);
    free(c);
}

static void on_asker_closed(uv_handle_t *h)
{
    struct asker *a = h->data;
    struct control *c = a->control;

    lines_done(&a->lines);
    free(a);
    c->n_open--;
    release(c);
}

static void close_asker(struct asker *a)
{
    struct control *c = a->control;

    if (a->closing)
        return;
    a->closing = true;
    pool_give(&c->askers, a->id);
    if (!c->stopped)
        c->options.on_gone(c->options.context, a->id);
    uv_close((uv_handle_t *)&a->pipe, on_asker_closed);
}

static struct asker *find(struct control *c, uint64_t who)
{
    struct asker **slot = pool_get(&c->askers, who);

    return slot ? *slot : NULL;
}

static void on_written(uv_write_t *w, int err)
{
    struct answer *answer = (struct answer *)w;

    free(answer->bytes);
    free(answer);
}

static int send_text(struct asker *a, char *take_bytes)
{
    struct answer *answer = malloc(sizeof(*answer));
    uv_buf_t buffer;

    if (!answer || !take_bytes ||
        uv_stream_get_write_queue_size((uv_stream_t *)&a->pipe) > MAX_QUEUED) {
        free(answer);
        free(take_bytes);
        close_asker(a);
        return -ENOBUFS;
    }
    answer->bytes = take_bytes;
    buffer = uv_buf_init(take_bytes, (unsigned)strlen(take_bytes) + 1);
    buffer.base[buffer.len - 1] = '\n'; /* in place of the NUL */
    if (uv_write(&answer->write, (uv_stream_t *)&a->pipe, &buffer, 1, on_written) < 0) {
        on_written(&answer->write, 0);
        close_asker(a);
        return -ENOBUFS;
    }
    return 0;
}

int control_answer(struct control *c, uint64_t who, json_t *take_answer)
{
    struct asker *a = c ? find(c, who) : NULL;
    int err = a ? send_text(a, json_dumps(take_answer, JSON_COMPACT)) : -ENOENT;

    json_decref(take_answer);
    return err;
}

int64_t control_uid(struct control *c, uint64_t who)
{
    struct asker *a = c ? find(c, who) : NULL;
    struct ucred peer = {0};
    socklen_t len = sizeof(peer);
    uv_os_fd_t fd;

    if (!a || uv_fileno((uv_handle_t *)&a->pipe, &fd) < 0 ||
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
        return -1;
    return peer.uid;
}

static void on_line(void *context, json_t *take_object)
{
    struct asker *a = context;

    if (a->closing) {
        json_decref(take_object);
        return;
    }
    a->control->options.on_request(a->control->options.context, a->id, take_object);
}

static void on_buffer(uv_handle_t *h, size_t suggested, uv_buf_t *ret)
{
    static char bytes[65536]; /* one loop reads at a time */

    *ret = uv_buf_init(bytes, sizeof(bytes));
}

static void on_bytes(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
    struct asker *a = stream->data;

    if (n < 0 || lines_feed(&a->lines, buffer->base, (size_t)n, on_line, a) < 0)
        close_asker(a);
}

static void on_connection(uv_stream_t *listener, int err)
{
    struct control *c = listener->data;
    struct asker *a = err ? NULL : calloc(1, sizeof(*a)), **slot;

    if (!a)
        return;
    a->control = c;
    a->pipe.data = a;
    uv_pipe_init(listener->loop, &a->pipe, 0);
    c->n_open++;
    slot = pool_take(&c->askers, &a->id);
    if (uv_accept(listener, (uv_stream_t *)&a->pipe) < 0 || !slot) {
        a->closing = true; /* too many ask at once */
        if (slot)
            pool_give(&c->askers, a->id);
        uv_close((uv_handle_t *)&a->pipe, on_asker_closed);
        return;
    }
    *slot = a;
    uv_read_start((uv_stream_t *)&a->pipe, on_buffer, on_bytes);
}

/* --- opening --- */

/* The name of a socket has 108 bytes; a long path goes by way of the open folder. */
static struct sockaddr_un address(int folder)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};

    snprintf(sun.sun_path, sizeof(sun.sun_path), "/proc/self/fd/%d/control.sock", folder);
    return sun;
}

/* The process that answers on the socket; 0: nobody. */
static pid_t holder(const struct sockaddr_un *sun)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct ucred peer = {0};
    socklen_t len = sizeof(peer);

    if (fd < 0)
        return 0;
    if (!connect(fd, (const struct sockaddr *)sun, sizeof(*sun)))
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len);
    close(fd);
    return peer.pid;
}

static int bind_socket(int folder, char *error, size_t size)
{
    struct sockaddr_un sun = address(folder);
    pid_t other = holder(&sun);
    int fd = -1, err;

    if (other) {
        snprintf(error, size, "another server (pid %ld) holds the control socket", (long)other);
        return -EADDRINUSE;
    }
    unlinkat(folder, "control.sock", 0);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || fchmod(fd, 0660) < 0 || bind(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0 ||
        fchmodat(folder, "control.sock", 0660, 0) < 0) {
        err = -errno;
        snprintf(error, size, "control.sock cannot be made: %s", strerror(-err));
        if (fd >= 0)
            close(fd);
        return err;
    }
    return fd;
}

int control_open(uv_loop_t *loop, const struct control_options *options, struct control **ret,
                 char *error, size_t size)
{
    struct control *c = calloc(1, sizeof(*c));
    int fd, err;

    if (!c)
        return -ENOMEM;
    c->options = *options;
    pool_init(&c->askers, sizeof(struct asker *), MAX_ASKERS);
    c->folder = open(options->folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    fd = c->folder < 0 ? -errno : bind_socket(c->folder, error, size);
    if (c->folder < 0)
        snprintf(error, size, "the data folder cannot be opened: %s", strerror(-fd));
    if (fd < 0) {
        if (c->folder >= 0)
            close(c->folder);
        free(c);
        return fd;
    }
    uv_pipe_init(loop, &c->listener, 0);
    c->listener.data = c;
    c->n_open = 1;
    if ((err = uv_pipe_open(&c->listener, fd)) < 0 ||
        (err = uv_listen((uv_stream_t *)&c->listener, 128, on_connection)) < 0) {
        snprintf(error, size, "control.sock cannot be listened on: %s", uv_strerror(err));
        control_stop(c);
        return err;
    }
    *ret = c;
    return 0;
}

static void on_listener_closed(uv_handle_t *h)
{
    struct control *c = h->data;

    c->n_open--;
    release(c);
}

void control_stop(struct control *c)
{
    struct asker **slot;
    size_t cursor = 0;
    uint64_t id;

    if (!c)
        return;
    c->stopped = true;
    while ((slot = pool_next(&c->askers, &cursor, &id)))
        close_asker(*slot);
    unlinkat(c->folder, "control.sock", 0);
    uv_close((uv_handle_t *)&c->listener, on_listener_closed);
}
