/* dial.c - outgoing links on libuv handles; see dial.h. */
#include "io/dial.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/tls/client.h"

#define MAX_QUEUED 65536 /* bytes unsent on a link; a client never has that much to say */

struct dial {
    union {
        uv_handle_t handle;
        uv_tcp_t tcp;
        uv_udp_t udp;
    };
    uv_connect_t connect;
    const struct dial_calls *calls;
    void *context;
    struct tls_session *tls; /* NULL: clear */
    bool closing, connected, is_udp;
};

struct unsent {
    uv_write_t request;
    char bytes[];
};

static void on_room(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
    static _Thread_local char
        room[65536]; /* one for all links: input is consumed before the next read */

    *buf = uv_buf_init(room, sizeof(room));
}

static void on_closed(uv_handle_t *handle)
{
    struct dial *d = handle->data;

    tls_session_free(d->tls);
    free(d); /* the only free of a link */
}

static void finish(struct dial *d)
{
    if (d->closing)
        return;
    d->closing = true;
    uv_close(&d->handle, on_closed);
}

static void lost(struct dial *d, int err)
{
    if (d->closing)
        return;
    finish(d);
    d->calls->on_close(d->context, err);
}

/* ---- TLS in between ---- */

static int send_raw(struct dial *d, const void *bytes, size_t len);

static int tls_out(void *context, const void *bytes, size_t len)
{
    return send_raw(context, bytes, len);
}

static void tls_ready(void *context)
{
    struct dial *d = context;

    d->calls->on_open(d->context);
}

static void tls_clear(void *context, const uint8_t *bytes, size_t len)
{
    struct dial *d = context;

    d->calls->on_input(d->context, NULL, bytes, len);
}

static bool tls_over(void *context)
{
    return ((struct dial *)context)->closing;
}

static const struct tls_session_calls tls_calls = {tls_out, tls_ready, tls_clear, tls_over};

static void on_cipher(struct dial *d, const uint8_t *bytes, size_t len)
{
    int err = tls_session_input(d->tls, bytes, len);

    if (err)
        lost(d, err == -ECONNRESET ? 0 : err);
}

static void on_bytes(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct dial *d = stream->data;

    if (n > 0 && !d->closing && d->tls)
        on_cipher(d, (const uint8_t *)buf->base, (size_t)n);
    else if (n > 0 && !d->closing)
        d->calls->on_input(d->context, NULL, (const uint8_t *)buf->base, (size_t)n);
    else if (n < 0)
        lost(d, n == UV_EOF ? 0 : (int)n);
}

static void on_datagram(uv_udp_t *udp, ssize_t n, const uv_buf_t *buf, const struct sockaddr *from,
                        unsigned flags)
{
    struct dial *d = udp->data;

    if (d->closing || (n == 0 && !from))
        return;
    if (n < 0) {
        d->calls->on_close(d->context, (int)n);
        return;
    }
    struct endpoint peer = endpoint_of_sockaddr(from);
    d->calls->on_input(d->context, &peer, (const uint8_t *)buf->base, (size_t)n);
}

static void on_connected(uv_connect_t *request, int err)
{
    struct dial *d = request->handle->data;

    if (err) {
        lost(d, err);
        return;
    }
    if (d->closing)
        return;
    d->connected = true;
    uv_read_start((uv_stream_t *)&d->tcp, on_room, on_bytes);
    if (!d->tls) {
        d->calls->on_open(d->context);
        return;
    }
    err = tls_session_begin(d->tls);
    if (err)
        lost(d, err);
}

/* Options that must be set before bind: the interface, and ports chosen only at connect, so that
 * one source address can have many connections to different servers. */
static int prepare(int fd, const struct dial_options *o)
{
    int one = 1, tos = o->tos;

    if (o->interface && *o->interface &&
        setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, o->interface, (socklen_t)strlen(o->interface)) <
            0)
        return -errno;
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
    if (tos)
        setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof(tos));
    return 0;
}

static int open_socket(const struct dial_options *o, int family, int type, int *ret)
{
    struct endpoint local = {.ip = o->local};
    struct sockaddr_storage sa;
    socklen_t len = endpoint_to_sockaddr(&local, &sa);
    int err, fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -errno;
    err = prepare(fd, o);
    if (!err && o->local.family && bind(fd, (struct sockaddr *)&sa, len) < 0)
        err = -errno;
    if (err) {
        close(fd);
        return err;
    }
    *ret = fd;
    return 0;
}

static struct dial *dial_new(const struct dial_options *o)
{
    struct dial *d = calloc(1, sizeof(*d));

    if (d) {
        d->calls = o->calls;
        d->context = o->context;
    }
    return d;
}

int dial_tcp(uv_loop_t *loop, const struct dial_options *options, const struct endpoint *to,
             struct dial **ret)
{
    struct sockaddr_storage sa;
    struct dial *d;
    int fd, err;

    endpoint_to_sockaddr(to, &sa);
    err = open_socket(options, sa.ss_family, SOCK_STREAM, &fd);
    if (err)
        return err;
    d = dial_new(options);
    if (!d) {
        close(fd);
        return -ENOMEM;
    }
    if (options->tls && !(d->tls = tls_session_new(options->tls, &tls_calls, d))) {
        close(fd);
        free(d);
        return -ENOMEM;
    }
    uv_tcp_init(loop, &d->tcp);
    d->handle.data = d;
    if ((err = uv_tcp_open(&d->tcp, fd)) != 0)
        close(fd);
    if (!err)
        err = uv_tcp_connect(&d->connect, &d->tcp, (struct sockaddr *)&sa, on_connected);
    if (err) {
        finish(d);
        return err;
    }
    uv_tcp_nodelay(&d->tcp, 1); /* a registration is many small messages */
    *ret = d;
    return 0;
}

/* libuv lets a port be shared; the kernel then gives two phones the same one when it chooses. */
static int take_port_alone(int fd)
{
    int no = 0;

    return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &no, sizeof(no)) < 0 ? -errno : 0;
}

int dial_udp(uv_loop_t *loop, const struct dial_options *options, struct dial **ret)
{
    struct dial *d;
    int fd, err = open_socket(options, options->local.family == 6 ? AF_INET6 : AF_INET, SOCK_DGRAM,
                              &fd);

    if (err)
        return err;
    d = dial_new(options);
    if (!d) {
        close(fd);
        return -ENOMEM;
    }
    d->is_udp = true;
    uv_udp_init(loop, &d->udp);
    d->handle.data = d;
    if ((err = uv_udp_open(&d->udp, fd)) != 0)
        close(fd);
    else
        err = take_port_alone(fd);
    if (!err)
        err = uv_udp_recv_start(&d->udp, on_room, on_datagram);
    if (err) {
        finish(d);
        return err;
    }
    *ret = d;
    return 0;
}

int dial_udp_to(uv_loop_t *loop, const struct dial_options *options, const struct endpoint *to,
                struct dial **ret)
{
    struct sockaddr_storage sa;
    struct dial *d;
    int err = dial_udp(loop, options, &d);

    if (err)
        return err;
    endpoint_to_sockaddr(to, &sa);
    err = uv_udp_connect(&d->udp, (struct sockaddr *)&sa);
    if (err) {
        finish(d);
        return err;
    }
    d->connected = true;
    *ret = d;
    return 0;
}

static void on_sent(uv_write_t *request, int err)
{
    free(request->data);
}

int dial_send(struct dial *d, const void *bytes, size_t len)
{
    if (d->tls)
        return d->closing ? -EPIPE : tls_session_send(d->tls, bytes, len);
    return send_raw(d, bytes, len);
}

static int send_raw(struct dial *d, const void *bytes, size_t len)
{
    uv_buf_t buf = uv_buf_init((char *)bytes, (unsigned)len);
    struct unsent *rest;
    int n;

    if (d->closing || !d->connected)
        return -EPIPE;
    if (d->is_udp) {
        n = uv_udp_try_send(&d->udp, &buf, 1, NULL);
        return n < 0 && n != UV_EAGAIN ? n : 0; /* without room it is lost, as on a wire */
    }
    n = uv_try_write((uv_stream_t *)&d->tcp, &buf, 1);
    if (n == (int)len)
        return 0;
    if (n < 0 && n != UV_EAGAIN)
        return n;
    if (n < 0)
        n = 0;
    if (uv_stream_get_write_queue_size((uv_stream_t *)&d->tcp) + len > MAX_QUEUED)
        return -ENOBUFS;
    rest = malloc(sizeof(*rest) + len - (size_t)n);
    if (!rest)
        return -ENOMEM;
    memcpy(rest->bytes, (const char *)bytes + n, len - (size_t)n);
    rest->request.data = rest;
    buf = uv_buf_init(rest->bytes, (unsigned)(len - (size_t)n));
    return uv_write(&rest->request, (uv_stream_t *)&d->tcp, &buf, 1, on_sent);
}

int dial_send_to(struct dial *d, const struct endpoint *to, const void *bytes, size_t len)
{
    uv_buf_t buf = uv_buf_init((char *)bytes, (unsigned)len);
    struct sockaddr_storage sa;
    int n;

    if (d->closing)
        return -EPIPE;
    endpoint_to_sockaddr(to, &sa);
    n = uv_udp_try_send(&d->udp, &buf, 1, (struct sockaddr *)&sa);
    return n < 0 ? n : 0; /* a datagram that finds no room is lost, as on a wire */
}

void dial_peer(const struct dial *d, char *subject, size_t size, char *authority)
{
    *subject = *authority = 0;
    if (d->tls)
        tls_session_peer(d->tls, subject, size, authority);
}

uint16_t dial_local_port(const struct dial *d)
{
    struct sockaddr_storage sa;
    socklen_t len = sizeof(sa);
    uv_os_fd_t fd;

    if (uv_fileno(&d->handle, &fd) || getsockname(fd, (struct sockaddr *)&sa, &len) < 0)
        return 0;
    return endpoint_of_sockaddr((struct sockaddr *)&sa).port;
}

void dial_pause(struct dial *d)
{
    if (d && !d->closing && !d->is_udp)
        uv_read_stop((uv_stream_t *)&d->tcp);
}

void dial_close(struct dial *d)
{
    if (d)
        finish(d);
}

void dial_abort(struct dial *d)
{
    if (!d || d->closing)
        return;
    if (d->is_udp || !d->connected) {
        finish(d);
        return;
    }
    d->closing = true;
    if (uv_tcp_close_reset(&d->tcp, on_closed) != 0)
        uv_close(&d->handle, on_closed);
}

int dial_vanish(struct dial *d)
{
    int one = 1;
    uv_os_fd_t fd;

    if (d->closing || uv_fileno(&d->handle, &fd))
        return -ENOTCONN;
    /* A socket in repair mode is closed without FIN or RST. */
    if (setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &one, sizeof(one)) < 0)
        return -errno;
    finish(d);
    return 0;
}
