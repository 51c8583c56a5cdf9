/* handshake.c - TLS before a link is open: few at a time, each with a limit of time. */
#include "io/tcp/own.h"

#include <errno.h>
#include <sys/socket.h>

struct endpoint tcp_peer_of(const struct link *l)
{
    struct sockaddr_storage from;
    socklen_t len = sizeof(from);

    if (getpeername(l->fd, (struct sockaddr *)&from, &len) == 0)
        return endpoint_of_sockaddr((const struct sockaddr *)&from);
    return (struct endpoint){.ip = l->ip};
}

static void handshake_failed(struct tcp *t, struct link *l, const char *why)
{
    struct endpoint peer = tcp_peer_of(l);

    tcp_link_free(t, l);
    if (t->options.on_failed && !t->stopping)
        t->options.on_failed(t->options.context, &peer, why);
}

/* The first bytes have come. Those who began and do not go on make room for others. */
static bool handshake_begin(struct tcp *t, struct link *l)
{
    if (t->n_handshakes >= t->options.max_handshakes)
        handshake_failed(t, container_of(t->handshakes.next, struct link, node),
                         "it made room for others");
    if (!(l->tls = tls_accept(t->options.tls, l->fd)))
        return false;
    list_remove(&l->node);
    list_append(&t->handshakes, &l->node);
    l->close_by = (uint32_t)uv_now(t->timer.loop) + t->options.handshake_ms;
    l->state = LINK_HANDSHAKE;
    t->n_handshakes++;
    return true;
}

static void handshake_done(struct tcp *t, struct link *l)
{
    struct endpoint peer = tcp_peer_of(l);
    uint64_t id = l->id;

    list_remove(&l->node);
    t->n_handshakes--;
    tcp_link_watch(t, l, false);
    tcp_announce(t, l, &peer);
    if ((l = tcp_link_get(t, id)))
        tcp_readable(t, l); /* bytes may have come in one packet with the end of the handshake */
}

/* A step costs up to a millisecond: what is over the measure of this turn stays readable for the
 * next one. */
void tcp_handshake(struct tcp *t, struct link *l)
{
    int err;

    if (!t->steps)
        return;
    t->steps--;
    if (l->state == LINK_SILENT && !handshake_begin(t, l)) {
        handshake_failed(t, l, "no memory");
        return;
    }
    err = tls_handshake(l->tls);
    if (!err)
        handshake_done(t, l);
    else if (err == -EAGAIN || err == -ENOBUFS)
        tcp_link_watch(t, l, err == -ENOBUFS);
    else
        handshake_failed(t, l, tls_why(l->tls));
}

bool tcp_is_late(const struct tcp *t, const struct link *l)
{
    return (int32_t)((uint32_t)uv_now(t->timer.loop) - l->close_by) >= 0;
}

void tcp_end_handshakes(struct tcp *t, struct list *list)
{
    while (!list_is_empty(list)) {
        struct link *l = container_of(list->next, struct link, node);

        if (!tcp_is_late(t, l))
            return;
        handshake_failed(t, l, l->tls ? "the handshake was not finished" : "nothing was said");
    }
}
