/* tcp.c - links in one epoll set of their own below the loop: a link costs under 100 bytes, and a
 * turn of the loop serves all that are ready. Where `newcomers_us` is set, those that are not settled
 * are in a second set and get that much of a turn. */
#include "io/tcp/own.h"

#include <errno.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <fcntl.h>

#define BATCH          512  /* events a turn, … */
#define TURN_NS        3000000ull /* … for so long: other ports have a turn too */
#define ACCEPTS        256  /* connections a listener a turn … */
#define ACCEPTS_FEW    32   /* … and where newcomers have their time, between two looks at it */
#define READ_FEW       (16 * 1024) /* bytes of a link there */
#define FEW            16          /* events of newcomers at once */
#define CLOSE_GRACE_MS 5000 /* a closing link may take this long to take its last bytes */
#define HANDSHAKE_MS   10000
#define HANDSHAKES_MAX 4096
/* --- events ------------------------------------------------------------------------------------
 */

void tcp_announce(struct tcp *t, struct link *l, const struct endpoint *peer)
{
    struct endpoint local = {0};
    struct sockaddr_storage to;
    socklen_t len = sizeof(to);

    if (getsockname(l->fd, (struct sockaddr *)&to, &len) == 0)
        local = endpoint_of_sockaddr((const struct sockaddr *)&to);
    l->state = LINK_OPEN;
    t->options.on_open(t->options.context, l->id, peer, &local);
}

static void accepted(struct tcp *t, int fd, const struct sockaddr_storage *from)
{
    struct endpoint peer = endpoint_of_sockaddr((const struct sockaddr *)from);
    struct epoll_event e = {.events = EPOLLIN};
    uint64_t id;
    struct link *l;

    if (!tcp_source_enter(t, peer.ip)) {
        close(fd);
        return;
    }
    l = pool_take(&t->links, &id);
    e.data.u64 = id | (uint64_t)t->options.tag << TCP_TAG_SHIFT;
    if (!l || epoll_ctl(tcp_epoll_of(t, l), EPOLL_CTL_ADD, fd, &e) < 0) {
        tcp_source_leave(t, peer.ip);
        if (l)
            pool_give(&t->links, id);
        close(fd);
        return;
    }
    l->id = e.data.u64;
    l->fd = fd;
    l->ip = peer.ip;
    if (!t->options.tls) {
        tcp_announce(t, l, &peer);
        return;
    }
    l->close_by = (uint32_t)uv_now(t->timer.loop) + t->options.handshake_ms;
    list_append(&t->silent, &l->node);
}

/* Out of descriptors: a spare one is given up to take the connection and close it, so that the peer
 * hears a clear no and the listener does not stay ready for ever. */
static void refuse_one(struct tcp *t, int listener)
{
    int fd;

    close(t->spare_fd);
    fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0)
        close(fd);
    t->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void accept_all(struct tcp *t, int listener)
{
    struct sockaddr_storage from;

    for (int i = 0; i < (t->newcomers < 0 ? ACCEPTS : ACCEPTS_FEW) && !t->stopping; i++) {
        socklen_t len = sizeof(from);
        int fd = accept4(listener, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0)
            accepted(t, fd, &from);
        else if (errno == EMFILE || errno == ENFILE)
            refuse_one(t, listener);
        else if (errno != ECONNABORTED && errno != EINTR && errno != EPROTO)
            return;
    }
}

static ssize_t read_some(struct tcp *t, struct link *l)
{
    size_t size = t->newcomers < 0 ? TCP_READ_SIZE : READ_FEW;
    ssize_t n = l->tls ? tls_read(l->tls, t->input, TCP_READ_SIZE)
                       : recv(l->fd, t->input, size, MSG_DONTWAIT);

    return n < 0 && !l->tls ? -errno : n;
}

void tcp_readable(struct tcp *t, struct link *l)
{
    uint64_t id = l->id;
    ssize_t n = read_some(t, l);
    bool over = l->tls && n > 0 && tls_over(l->tls);

    if (n == -EAGAIN || n == -EINTR)
        return;
    if (n <= 0) {
        tcp_link_drop(t, l, (int)n);
        return;
    }
    if (l->state == LINK_CLOSING)
        return;
    t->options.on_input(t->options.context, id, t->input, (size_t)n);
    l = tcp_link_get(t, id);
    if (l && l->out && !l->blocked)
        tcp_link_flush(t, l); /* while it is in the cache; the rest of the dirty ones wait */
    if (over && (l = tcp_link_get(t, id)))
        tcp_link_drop(t, l, 0);
}

static void writable(struct tcp *t, struct link *l)
{
    uint64_t id = l->id;

    tcp_link_flush(t, l);
    l = tcp_link_get(t, id);
    if (l && !l->blocked && l->state == LINK_OPEN && t->options.on_drain)
        t->options.on_drain(t->options.context, id);
}

static void on_event(struct tcp *t, const struct epoll_event *e)
{
    struct link *l;

    if (e->data.u64 < TCP_LISTENERS) { /* ids of a pool are far above */
        accept_all(t, t->listeners[e->data.u64]);
        return;
    }
    if ((l = tcp_link_get(t, e->data.u64)) && l->state < LINK_OPEN) {
        tcp_handshake(t, l);
        return;
    }
    if ((e->events & EPOLLOUT) && l)
        writable(t, l);
    if ((e->events & ~EPOLLOUT) && (l = tcp_link_get(t, e->data.u64)))
        tcp_readable(t, l);
}

static void on_ready(uv_poll_t *handle, int status, int events)
{
    struct tcp *t = handle->data;
    struct epoll_event ready[BATCH];
    uint64_t end_ns = uv_hrtime() + TURN_NS;
    int n = epoll_wait(t->epoll, ready, BATCH, 0);

    t->steps = t->options.tls ? tls_handshakes(t->options.tls) : 0;
    for (int i = 0; i < n && !t->stopping && (i == 0 || uv_hrtime() < end_ns); i++)
        on_event(t, &ready[i]); /* who is left stays ready, behind those who were not looked at */
    tcp_flush_all(t);
}

/* Newcomers, for as long as they may take: who is left stays ready for the next turn, behind the
 * settled ones. */
static void on_newcomers(uv_poll_t *handle, int status, int events)
{
    struct tcp *t = handle->data;
    uint64_t end_ns = uv_hrtime() + t->options.newcomers_us * 1000ull;
    struct epoll_event ready[FEW];
    int n = 0, i = 0;

    t->steps = UINT_MAX; /* their time is the measure */
    do {
        if (i == n) {
            i = 0;
            n = epoll_wait(t->newcomers, ready, FEW, 0);
        }
        if (i < n && !t->stopping)
            on_event(t, &ready[i++]);
    } while (n > 0 && !t->stopping && uv_hrtime() < end_ns);
    tcp_flush_all(t);
}

static void on_prepare(uv_prepare_t *handle)
{
    tcp_flush_all(handle->data);
}

static void on_timer(uv_timer_t *handle)
{
    struct tcp *t = handle->data;

    list_for_each(&t->closing, node)
    {
        struct link *l = container_of(node, struct link, node);

        if (tcp_is_late(t, l))
            tcp_link_free(t, l);
    }
    tcp_end_handshakes(t, &t->silent);
    tcp_end_handshakes(t, &t->handshakes);
}

/* --- life --------------------------------------------------------------------------------------
 */

static int listener_open(const struct tcp_options *o, const struct endpoint *at, bool shared)
{
    struct sockaddr_storage sa;
    socklen_t len = endpoint_to_sockaddr(at, &sa);
    int on = 1, off = 0, tos = o->tos, err;
    int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (shared)
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* links inherit these */
    setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof(tos));
    if (sa.ss_family == AF_INET6) {
        setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof(tos));
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    }
    if (bind(fd, (struct sockaddr *)&sa, len) == 0 &&
        listen(fd, o->backlog ? o->backlog : 65535) == 0)
        return fd;
    err = -errno;
    close(fd);
    return err;
}

static int fd_port(int fd, uint16_t *ret)
{
    struct sockaddr_storage sa;
    socklen_t len = sizeof(sa);

    if (getsockname(fd, (struct sockaddr *)&sa, &len) < 0)
        return -errno;
    *ret = endpoint_of_sockaddr((struct sockaddr *)&sa).port;
    return 0;
}

/* The kernel caps a backlog at net.core.somaxconn, so several sockets share the port. A first one
 * without SO_REUSEPORT finds out whether somebody else holds it. */
static int listeners_open(struct tcp *t)
{
    struct endpoint at = t->options.local;
    bool all = ip_is_any(at.ip) && at.ip.family != 4;
    int probe, err;

    at.ip.family = all ? 6 : at.ip.family; /* one socket for IPv6 and IPv4 */
    probe = listener_open(&t->options, &at, false);
    if ((probe == -EAFNOSUPPORT || probe == -EADDRNOTAVAIL) && all) { /* a system without IPv6 */
        at.ip.family = 4;
        probe = listener_open(&t->options, &at, false);
    }
    if (probe < 0)
        return probe;
    err = fd_port(probe, &t->port);
    close(probe);
    if (err < 0)
        return err;
    at.port = t->port;
    for (int i = 0; i < TCP_LISTENERS; i++) {
        struct epoll_event e = {.events = EPOLLIN, .data.u64 = (uint64_t)i};

        t->listeners[i] = listener_open(&t->options, &at, true);
        if (t->listeners[i] < 0)
            return t->listeners[i];
        if (epoll_ctl(t->newcomers < 0 ? t->epoll : t->newcomers, EPOLL_CTL_ADD, t->listeners[i], &e) <
            0)
            return -errno;
    }
    return 0;
}

static void tcp_free(struct tcp *t)
{
    for (int i = 0; i < TCP_LISTENERS; i++)
        if (t->listeners[i] >= 0)
            close(t->listeners[i]);
    if (t->epoll >= 0)
        close(t->epoll);
    if (t->newcomers >= 0)
        close(t->newcomers);
    if (t->spare_fd >= 0)
        close(t->spare_fd);
    while (t->n_spare)
        free(t->spare[--t->n_spare]);
    map_done(&t->sources);
    pool_done(&t->links);
    free(t);
}

static void on_closed(uv_handle_t *h)
{
    struct tcp *t = h->data;

    if (--t->n_handles == 0)
        tcp_free(t);
}

static void handle_close(struct tcp *t, uv_handle_t *h)
{
    h->data = t;
    uv_close(h, on_closed);
}

static int handles_start(uv_loop_t *loop, struct tcp *t)
{
    int err = uv_poll_init(loop, &t->poll, t->epoll);

    if (err < 0)
        return err;
    uv_prepare_init(loop, &t->prepare);
    uv_timer_init(loop, &t->timer);
    t->poll.data = t->prepare.data = t->timer.data = t;
    t->n_handles = 3;
    if (t->newcomers >= 0) { /* as the first: an epoll set can be polled */
        uv_poll_init(loop, &t->poll_fresh, t->newcomers);
        t->poll_fresh.data = t;
        t->n_handles++;
        uv_poll_start(&t->poll_fresh, UV_READABLE, on_newcomers);
    }
    uv_poll_start(&t->poll, UV_READABLE, on_ready);
    uv_prepare_start(&t->prepare, on_prepare);
    uv_timer_start(&t->timer, on_timer, 1000, 1000);
    return 0;
}

int tcp_listen(uv_loop_t *loop, const struct tcp_options *options, struct tcp **ret)
{
    struct tcp *t = calloc(1, sizeof(*t));
    int err;

    if (!t)
        return -ENOMEM;
    t->options = *options;
    if (!options->handshake_ms)
        t->options.handshake_ms = HANDSHAKE_MS;
    if (!options->max_handshakes)
        t->options.max_handshakes = HANDSHAKES_MAX;
    for (int i = 0; i < TCP_LISTENERS; i++)
        t->listeners[i] = -1;
    list_init(&t->dirty);
    list_init(&t->closing);
    list_init(&t->silent);
    list_init(&t->handshakes);
    map_init(&t->sources, tcp_source_key);
    pool_init(&t->links, sizeof(struct link), options->max_links);
    t->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    t->epoll = epoll_create1(EPOLL_CLOEXEC);
    t->newcomers = options->newcomers_us ? epoll_create1(EPOLL_CLOEXEC) : -1;
    err = t->epoll < 0 || (options->newcomers_us && t->newcomers < 0) ? -errno : listeners_open(t);
    if (!err)
        err = handles_start(loop, t);
    if (err) {
        tcp_free(t);
        return err;
    }
    *ret = t;
    return 0;
}

uint16_t tcp_port(const struct tcp *t)
{
    return t->port;
}

void tcp_stop(struct tcp *t)
{
    size_t cursor = 0;
    uint64_t id;
    struct link *l;

    if (!t || t->stopping)
        return;
    tcp_flush_all(t);
    t->stopping = true;
    while ((l = pool_next(&t->links, &cursor, &id)))
        tcp_link_free(t, l);
    for (int i = 0; i < TCP_LISTENERS; i++) {
        close(t->listeners[i]); /* now, so that the port is free when this returns */
        t->listeners[i] = -1;
    }
    handle_close(t, (uv_handle_t *)&t->poll);
    if (t->newcomers >= 0)
        handle_close(t, (uv_handle_t *)&t->poll_fresh);
    handle_close(t, (uv_handle_t *)&t->prepare);
    handle_close(t, (uv_handle_t *)&t->timer);
}

int tcp_send(struct tcp *t, uint64_t link, const void *bytes, size_t len)
{
    struct link *l = tcp_link_get(t, link);
    int err;

    if (!l || l->state != LINK_OPEN || t->stopping)
        return -ENOENT;
    if (!list_is_linked(&l->node))
        list_append(&t->dirty, &l->node);
    if (!l->broken && l->out_len + len > t->options.max_queued)
        l->broken = -ENOBUFS;
    if (l->broken)
        return l->broken;
    err = tcp_out_reserve(t, l, len);
    if (err < 0)
        return l->broken = err;
    memcpy(l->out + l->out_len, bytes, len);
    l->out_len += (uint32_t)len;
    return 0;
}

void tcp_settle(struct tcp *t, uint64_t link)
{
    struct link *l = tcp_link_get(t, link);
    struct epoll_event e = {.events = EPOLLIN};

    if (!l || l->settled || t->newcomers < 0 || t->stopping)
        return;
    e.data.u64 = l->id;
    if (l->blocked)
        e.events |= EPOLLOUT;
    if (epoll_ctl(t->epoll, EPOLL_CTL_ADD, l->fd, &e) < 0)
        return; /* it stays where it is, and is served there */
    epoll_ctl(t->newcomers, EPOLL_CTL_DEL, l->fd, NULL);
    l->settled = true;
}

void tcp_close(struct tcp *t, uint64_t link)
{
    struct link *l = tcp_link_get(t, link);

    if (!l || l->state == LINK_CLOSING || t->stopping)
        return;
    l->state = LINK_CLOSING;
    l->close_by = (uint32_t)uv_now(t->timer.loop) + CLOSE_GRACE_MS;
    if (!list_is_linked(&l->node))
        list_append(&t->dirty, &l->node);
}

bool tcp_peer(const struct tcp *t, uint64_t link, struct endpoint *ret)
{
    const struct link *l = tcp_link_get(t, link);

    if (l)
        *ret = tcp_peer_of(l);
    return l != NULL;
}

void tcp_subject(const struct tcp *t, uint64_t link, char *to, size_t size)
{
    const struct link *l = tcp_link_get(t, link);

    *to = 0;
    if (l && l->tls)
        tls_subject(l->tls, to, size);
}

void tcp_authority(const struct tcp *t, uint64_t link, char *to)
{
    const struct link *l = tcp_link_get(t, link);

    *to = 0;
    if (l && l->tls)
        tls_authority(l->tls, to);
}

uint64_t tcp_next(const struct tcp *t, size_t *cursor)
{
    const struct link *l;
    uint64_t id;

    while ((l = pool_next(&t->links, cursor, &id)))
        if (l->state == LINK_OPEN)
            return l->id;
    return 0;
}

size_t tcp_count(const struct tcp *t)
{
    return t->links.n;
}

size_t tcp_queued(const struct tcp *t, uint64_t link)
{
    const struct link *l = tcp_link_get(t, link);

    return l ? l->out_len : 0;
}
