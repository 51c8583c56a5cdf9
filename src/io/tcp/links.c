/* links.c - one link: what it has queued, and how it ends. */
#include "io/tcp/own.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define BLOCK 4096 /* first size of what a link has queued */

static uint8_t *block_take(struct tcp *t)
{
    return t->n_spare ? t->spare[--t->n_spare] : malloc(BLOCK);
}

static void block_give(struct tcp *t, struct link *l)
{
    if (l->out_size == BLOCK && t->n_spare < TCP_SPARE_BLOCKS)
        t->spare[t->n_spare++] = l->out;
    else
        free(l->out);
    l->out = NULL;
    l->out_len = l->out_size = 0;
}

int tcp_out_reserve(struct tcp *t, struct link *l, size_t len)
{
    size_t size = l->out_size ? l->out_size : BLOCK;
    uint8_t *out;

    while (size < l->out_len + len)
        size *= 2;
    if (size == l->out_size)
        return 0;
    if (!l->out && size == BLOCK)
        out = block_take(t);
    else
        out = realloc(l->out, size);
    if (!out)
        return -ENOMEM;
    l->out = out;
    l->out_size = (uint32_t)size;
    return 0;
}

struct text tcp_source_key(const void *value)
{
    const struct source *s = value;

    return (struct text){(const char *)&s->ip, sizeof(s->ip)};
}

bool tcp_source_enter(struct tcp *t, struct ip ip)
{
    struct source *s;

    if (!t->options.max_per_ip)
        return true;
    s = map_get(&t->sources, (struct text){(const char *)&ip, sizeof(ip)});
    if (!s) {
        s = calloc(1, sizeof(*s));
        if (!s)
            return false;
        s->ip = ip;
        if (map_put(&t->sources, s) < 0) {
            free(s);
            return false;
        }
    }
    if (s->n >= t->options.max_per_ip)
        return false;
    s->n++;
    return true;
}

void tcp_source_leave(struct tcp *t, struct ip ip)
{
    struct text key = {(const char *)&ip, sizeof(ip)};
    struct source *s;

    if (!t->options.max_per_ip || !(s = map_get(&t->sources, key)) || --s->n)
        return;
    free(map_remove(&t->sources, key));
}

struct link *tcp_link_get(const struct tcp *t, uint64_t id)
{
    return id >> TCP_TAG_SHIFT == t->options.tag
               ? pool_get(&t->links, id & ~(15ull << TCP_TAG_SHIFT))
               : NULL;
}

int tcp_epoll_of(const struct tcp *t, const struct link *l)
{
    return l->settled || t->newcomers < 0 ? t->epoll : t->newcomers;
}

void tcp_link_watch(struct tcp *t, struct link *l, bool blocked)
{
    struct epoll_event e = {.events = EPOLLIN | (blocked ? EPOLLOUT : 0), .data.u64 = l->id};

    if (l->blocked == blocked)
        return;
    l->blocked = blocked;
    epoll_ctl(tcp_epoll_of(t, l), EPOLL_CTL_MOD, l->fd, &e);
}

void tcp_link_free(struct tcp *t, struct link *l)
{
    list_remove(&l->node);
    if (l->state == LINK_HANDSHAKE)
        t->n_handshakes--;
    tls_end(l->tls);
    if (l->out)
        block_give(t, l);
    tcp_source_leave(t, l->ip);
    close(l->fd);
    pool_give(&t->links, l->id & ~(15ull << TCP_TAG_SHIFT));
}

void tcp_link_drop(struct tcp *t, struct link *l, int err)
{
    uint64_t id = l->id;
    bool tell = l->state == LINK_OPEN && !t->stopping;

    tcp_link_free(t, l);
    if (tell)
        t->options.on_close(t->options.context, id, err);
}

/* Unread input would make the kernel answer with a reset, which can overtake our last bytes. */
static void link_finish(struct tcp *t, struct link *l)
{
    for (int i = 0; i < 4 && recv(l->fd, t->input, TCP_READ_SIZE, MSG_DONTWAIT) == TCP_READ_SIZE;
         i++)
        ;
    tcp_link_free(t, l);
}

static ssize_t write_some(struct link *l)
{
    ssize_t n;

    if (l->tls)
        return tls_write(l->tls, l->out, l->out_len);
    do
        n = send(l->fd, l->out, l->out_len, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

static int link_write(struct tcp *t, struct link *l)
{
    while (l->out_len) {
        ssize_t n = write_some(l);

        if (n < 0)
            return n == -EAGAIN ? 0 : (int)n;
        l->out_len -= (uint32_t)n;
        if (l->out_len)
            memmove(l->out, l->out + n, l->out_len);
    }
    return 0;
}

void tcp_link_flush(struct tcp *t, struct link *l)
{
    int err = l->broken ? l->broken : link_write(t, l);

    list_remove(&l->node);
    if (err < 0) {
        tcp_link_drop(t, l, err);
        return;
    }
    tcp_link_watch(t, l, l->out_len > 0);
    if (l->out_len) {
        if (l->state == LINK_CLOSING)
            list_append(&t->closing, &l->node);
        return;
    }
    if (l->out)
        block_give(t, l);
    if (l->state == LINK_CLOSING)
        link_finish(t, l);
}

void tcp_flush_all(struct tcp *t)
{
    struct list *node;

    while ((node = list_take(&t->dirty)))
        tcp_link_flush(t, container_of(node, struct link, node));
}
