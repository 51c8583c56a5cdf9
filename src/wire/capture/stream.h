/* stream.h - TCP connections out of captured packets: bytes in order, and what happened to them on the way.
 *
 * Every packet of a connection that matters is given to streams_packet; out come signs (what TCP itself tells of the path),
 * bytes in their order, and holes: places where bytes are missing for good. A hole is told apart: bytes that the peer
 * acknowledged were on the wire and the capture lost them; bytes behind the end of what was captured of a packet (snaplen)
 * were cut; for the rest nobody knows. A direction that is not in the capture at all makes no holes.
 *
 * Bounds: STREAMS_MAX connections (the longest idle one goes), STREAM_WAITING_MAX bytes out of order a direction,
 * STREAMS_WAITING_MAX of all. */
#pragma once

#include "base/pool.h"
#include "base/map.h"
#include "wire/capture/packet.h"

#define STREAMS_MAX         262144
#define STREAM_WAITING_MAX  (256 << 10)
#define STREAMS_WAITING_MAX (64 << 20)
#define STREAM_OPEN_MAX     4 /* unacknowledged segments told apart, a direction; further ones count as the last */

enum tcp_sign {
    TCP_OPENING,      /* SYN; `again` counts retries */
    TCP_ACCEPTED,     /* SYN ACK; `after_ns` since the SYN */
    TCP_REFUSED,      /* RST that answers a SYN; `after_ns` */
    TCP_CONNECTED,  /* `after_ns` since the first SYN */
    TCP_AGAIN,        /* data sent once more; `again`, `after_ns` since its first sending */
    TCP_ACKNOWLEDGED, /* data seen earlier is acknowledged; `after_ns` since its first sending; `from` is who acknowledges */
    TCP_WINDOW_CLOSED,
    TCP_WINDOW_OPEN,  /* `after_ns` since it closed */
    TCP_PROBE,        /* keepalive or window probe */
    TCP_ENDING,      /* FIN */
    TCP_RESET,        /* RST of a connection that stood */
    TCP_GAP,          /* what came leaves out `length` bytes before it; `again` 1: it is a FIN or RST */
    TCP_GAP_FILLED,   /* they came */
    TCP_MIDDLE,       /* first packet of a connection whose beginning is not in the capture */
};

struct stream_sign {
    enum tcp_sign sign;
    unsigned again;
    int64_t after_ns;
    uint32_t sequence, length; /* of the data spoken of */
};

enum stream_hole {
    STREAM_LOST,   /* acknowledged, not in the capture */
    STREAM_CUT,    /* behind the snaplen */
    STREAM_UNKNOWN /* never came, never acknowledged; or too much was waiting for it */
};

struct stream_piece;

/* One direction. */
struct stream_side {
    uint32_t next;         /* sequence number of the next byte in order */
    uint32_t high;         /* behind the highest byte seen */
    uint32_t acknowledged; /* by the other side */
    bool seen, placed;     /* a packet came; `next` and `high` are known */
    bool fin, window_closed;
    bool parted;           /* its FIN or RST came before bytes that are missing */
    uint8_t n_open;
    uint16_t last_ip_id;
    int64_t window_ns;     /* when it closed */
    int64_t gap_ns;        /* when it was noticed that bytes are missing; 0: none are */
    struct {
        uint32_t at, end;
        unsigned again;
        int64_t first_ns;
    } open[STREAM_OPEN_MAX]; /* unacknowledged, by sequence */
    struct stream_piece *waiting; /* by sequence */
    uint32_t n_waiting;      /* bytes */
};

struct stream_key {
    uint8_t len;
    uint8_t bytes[36];
};

struct stream {
    struct stream_key key;
    uint64_t id;
    uint32_t number;               /* of whoever has the handler */
    struct endpoint client, server;
    enum { STREAM_OPENING, STREAM_ACCEPTED, STREAM_STANDS, STREAM_CLOSED } state;
    bool middle;                   /* its beginning is not in the capture */
    unsigned n_syn;
    uint32_t isn;                  /* of the client */
    int64_t first_syn_ns, last_syn_ns, last_ns;
    struct stream_side sides[2];   /* what the client sends; what the server sends */
    void *user;                    /* of whoever has the handler */
};

/* Who is told. `side` 0: sent by the client. Bytes are borrowed for the call. */
struct stream_handler {
    void *context;
    void (*sign)(void *context, struct stream *s, int side, const struct stream_sign *sign);
    void (*data)(void *context, struct stream *s, int side, const void *bytes, size_t len);
    void (*hole)(void *context, struct stream *s, int side, enum stream_hole hole, uint32_t bytes);
    void (*gone)(void *context, struct stream *s); /* frees `user` */
};

struct streams {
    struct stream_handler handler;
    struct map map;
    struct pool pool;
    size_t waiting; /* bytes out of order, of all */
    size_t sweep;   /* where the search for ended ones stands */
};

void streams_init(struct streams *s, const struct stream_handler *handler);
void streams_done(struct streams *s); /* every connection is `gone` */

/* The connection of a packet, or NULL. */
struct stream *streams_find(struct streams *s, const struct packet *p);
/* A new one, to whose packet `p` streams_packet is asked next. The client is who sends a SYN, or does not send a SYN ACK, or
 * whose port is not `server_port` (0: the higher port is the client's). An older connection of these ports is gone.
 * NULL without memory. */
struct stream *streams_make(struct streams *s, const struct packet *p, uint16_t server_port, int64_t now_ns);
void streams_packet(struct streams *s, struct stream *stream, const struct packet *p, int64_t now_ns);
/* The packet begins another connection than this one: its ports are used again. */
bool stream_is_over(const struct stream *s, const struct packet *p);
