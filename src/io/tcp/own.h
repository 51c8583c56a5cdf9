/* own.h - what the files of TCP share: tcp.c (listeners and what owners call), links.c (a link,
 * what it has queued), handshake.c (TLS before a link is open). Nobody else includes it. */
#pragma once

#include "base/list.h"
#include "base/map.h"
#include "base/pool.h"
#include "io/tcp/tcp.h"
#include "io/tls/link.h"

#define TCP_LISTENERS    4           /* sockets on the port: each brings a backlog of its own */
#define TCP_READ_SIZE    (64 * 1024) /* shared by all links */
#define TCP_SPARE_BLOCKS 64
#define TCP_TAG_SHIFT    60

/* SILENT: TLS, and nothing has come yet: no memory is spent on it. */
enum link_state { LINK_SILENT, LINK_HANDSHAKE, LINK_OPEN, LINK_CLOSING };

struct link {
    uint64_t id;
    struct tls_link *tls; /* or NULL */
    struct list node;     /* in `dirty`; `silent`, `handshakes` before it is open; `closing` once
                             closing     and blocked */
    uint8_t *out;         /* queued bytes, or NULL */
    uint32_t out_len, out_size;
    uint32_t close_by; /* ms of the clock when a link that closes, or is not open yet, is cut */
    int fd;
    int broken; /* -errno that on_close will tell */
    struct ip ip;
    uint8_t state;
    bool blocked; /* waits for EPOLLOUT */
    bool settled; /* in tcp.epoll, not in tcp.fresh */
    uint16_t probes; /* how many want to know whether its peer is there */
};

struct source { /* links of one address, when they are limited */
    struct ip ip;
    size_t n;
};

struct tcp {
    struct tcp_options options;
    uv_poll_t poll, poll_fresh;
    uv_prepare_t prepare;
    uv_timer_t timer;
    int epoll;    /* settled links, … */
    int newcomers; /* … listeners and the others; -1: they are in `epoll` too */
    int spare_fd, listeners[TCP_LISTENERS], n_handles;
    uint16_t port;
    bool stopping;
    struct pool links;
    struct map sources;
    struct list dirty, closing, silent, handshakes;
    size_t n_handshakes;
    unsigned steps; /* of handshakes, left in this turn */
    uint8_t *spare[TCP_SPARE_BLOCKS];
    size_t n_spare;
    uint8_t input[TCP_READ_SIZE];
};

/* links.c */
struct text tcp_source_key(const void *value);
bool tcp_source_enter(struct tcp *t, struct ip ip); /* false: it has as many links as it may */
void tcp_source_leave(struct tcp *t, struct ip ip);
struct link *tcp_link_get(const struct tcp *t, uint64_t id); /* NULL: closed */
int tcp_out_reserve(struct tcp *t, struct link *l, size_t len); /* room for so much more; -ENOMEM */
int tcp_epoll_of(const struct tcp *t, const struct link *l); /* the set that it is in */
void tcp_link_watch(struct tcp *t, struct link *l, bool blocked);
void tcp_link_free(struct tcp *t, struct link *l);
/* The link ends by itself: the owner is told, unless it has closed it already. */
void tcp_link_drop(struct tcp *t, struct link *l, int err);
void tcp_link_flush(struct tcp *t, struct link *l);
void tcp_flush_all(struct tcp *t);

/* tcp.c */
void tcp_announce(struct tcp *t, struct link *l, const struct endpoint *peer);
void tcp_readable(struct tcp *t, struct link *l);

/* handshake.c */
struct endpoint tcp_peer_of(const struct link *l);
void tcp_handshake(struct tcp *t, struct link *l); /* bytes have come to one that is not open yet */
bool tcp_is_late(const struct tcp *t, const struct link *l);
/* Lists in which all have the same patience: the first is due first. */
void tcp_end_handshakes(struct tcp *t, struct list *list);
