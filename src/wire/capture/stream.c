#include "wire/capture/stream.h"

#include <stdlib.h>

#define REORDER_NS                                                                                 \
    10000000ll /* later than this after the gap showed: sent again, not overtaken                  \
                */
#define LOST_NS                                                                                    \
    50000000ll /* acknowledged bytes may still come this much later: mirror ports mix directions   \
                */
#define GIVE_UP_NS 5000000000ll  /* unacknowledged bytes that did not come by then will not */
#define LINGER_NS  60000000000ll /* a closed connection is known this long, for what still comes */
#define FAR        (16u << 20)   /* no window is larger: sequence numbers of another connection */
#define PARTING_MAX                                                                                \
    65536 /* bytes before a FIN or RST; further away it is no number of this connection */
#define SWEEP      8  /* connections looked at for each new one */
#define SWEEP_FULL 64 /* … when there is no place */

struct stream_piece {
    struct stream_piece *next;
    uint32_t at, len, cut; /* `cut`: bytes behind it that the capture cut off */
    uint8_t bytes[];
};

static bool before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

static uint32_t later(uint32_t a, uint32_t b)
{
    return before(a, b) ? b : a;
}

/* -- table ---------------------------------------------------------------------------------- */

static struct text key_of(const void *value)
{
    const struct stream *s = value;

    return (struct text){(const char *)s->key.bytes, s->key.len};
}

/* Both directions have one key: the lower end point stands first. */
static struct stream_key key_of_packet(const struct packet *p)
{
    size_t n = p->from.ip.family == 4 ? 4 : 16;
    int order = memcmp(p->from.ip.bytes, p->to.ip.bytes, n);
    bool swap = order ? order > 0 : p->from.port > p->to.port;
    const struct endpoint *a = swap ? &p->to : &p->from, *b = swap ? &p->from : &p->to;
    struct stream_key key = {.len = (uint8_t)(2 * n + 4)};

    memcpy(key.bytes, &a->port, 2);
    memcpy(key.bytes + 2, &b->port, 2);
    memcpy(key.bytes + 4, a->ip.bytes, n);
    memcpy(key.bytes + 4 + n, b->ip.bytes, n);
    return key;
}

void streams_init(struct streams *s, const struct stream_handler *handler)
{
    *s = (struct streams){.handler = *handler};
    map_init(&s->map, key_of);
    pool_init(&s->pool, sizeof(struct stream), STREAMS_MAX);
}

static void forget_waiting(struct streams *s, struct stream_side *side)
{
    while (side->waiting) {
        struct stream_piece *piece = side->waiting;

        side->waiting = piece->next;
        free(piece);
    }
    s->waiting -= side->n_waiting;
    side->n_waiting = 0;
}

static void give_up_gap(struct streams *s, struct stream *stream, int side);

static void stream_drop(struct streams *s, struct stream *stream)
{
    for (int side = 0; side < 2; side++)
        if (stream->sides[side].gap_ns && stream->sides[side].gap_ns < stream->last_ns)
            give_up_gap(s, stream, side);
    s->handler.gone(s->handler.context, stream);
    map_remove(&s->map, key_of(stream));
    forget_waiting(s, &stream->sides[0]);
    forget_waiting(s, &stream->sides[1]);
    pool_give(&s->pool, stream->id);
}

void streams_done(struct streams *s)
{
    struct stream *stream;
    size_t cursor = 0;
    uint64_t id;

    while ((stream = pool_next(&s->pool, &cursor, &id)))
        stream_drop(s, stream);
    pool_done(&s->pool);
    map_done(&s->map);
}

struct stream *streams_find(struct streams *s, const struct packet *p)
{
    struct stream_key key = key_of_packet(p);

    return map_get(&s->map, (struct text){(const char *)key.bytes, key.len});
}

/* Takes away connections that ended, and when there is no place, the longest idle one of those
 * looked at. */
static void sweep(struct streams *s, int64_t now_ns)
{
    bool full = s->pool.n >= STREAMS_MAX;
    struct stream *idle = NULL, *stream;
    uint64_t id;

    for (int i = 0; i < (full ? SWEEP_FULL : SWEEP); i++) {
        if (!(stream = pool_next(&s->pool, &s->sweep, &id))) {
            s->sweep = 0;
            continue;
        }
        if (stream->state == STREAM_CLOSED && now_ns - stream->last_ns > LINGER_NS)
            stream_drop(s, stream);
        else if (!idle || stream->last_ns < idle->last_ns)
            idle = stream;
    }
    if (s->pool.n >= STREAMS_MAX && idle)
        stream_drop(s, idle);
}

static bool sent_by_client(const struct packet *p, uint16_t server_port)
{
    if (p->tcp_flags & PACKET_SYN)
        return !(p->tcp_flags & PACKET_ACK);
    if (server_port && (p->from.port == server_port) != (p->to.port == server_port))
        return p->to.port == server_port;
    return p->from.port > p->to.port;
}

struct stream *streams_make(struct streams *s, const struct packet *p, uint16_t server_port,
                            int64_t now_ns)
{
    struct stream *stream = streams_find(s, p);
    uint64_t id;

    if (stream)
        stream_drop(s, stream);
    sweep(s, now_ns);
    if (!(stream = pool_take(&s->pool, &id)))
        return NULL;
    stream->key = key_of_packet(p);
    stream->id = id;
    stream->last_ns = now_ns;
    if (map_put(&s->map, stream) < 0) {
        pool_give(&s->pool, id);
        return NULL;
    }
    stream->client = sent_by_client(p, server_port) ? p->from : p->to;
    stream->server = sent_by_client(p, server_port) ? p->to : p->from;
    return stream;
}

bool stream_is_over(const struct stream *s, const struct packet *p)
{
    const struct stream_side *side = &s->sides[endpoint_equal(&p->from, &s->client) ? 0 : 1];
    uint32_t ahead = p->tcp_sequence - side->next;

    if ((p->tcp_flags & (PACKET_SYN | PACKET_ACK)) != PACKET_SYN)
        return side->seen && p->payload.len && ahead > FAR && -ahead > FAR;
    return s->middle || p->tcp_sequence != s->isn || !endpoint_equal(&p->from, &s->client);
}

/* -- telling -------------------------------------------------------------------------------- */

static void tell(struct streams *s, struct stream *stream, int side, struct stream_sign sign)
{
    s->handler.sign(s->handler.context, stream, side, &sign);
}

static void hole(struct streams *s, struct stream *stream, int side, enum stream_hole kind,
                 uint32_t bytes)
{
    stream->sides[side].next += bytes;
    s->handler.hole(s->handler.context, stream, side, kind, bytes);
}

/* -- bytes in order ------------------------------------------------------------------------- */

/* Hands on what is new of the `len` bytes at `at`, which do not begin behind `next`. */
static void hand_on(struct streams *s, struct stream *stream, int side, uint32_t at,
                    const uint8_t *bytes, uint32_t len, uint32_t cut)
{
    struct stream_side *me = &stream->sides[side];
    uint32_t old = me->next - at;

    if (old < len) {
        me->next += len - old;
        s->handler.data(s->handler.context, stream, side, bytes + old, len - old);
        old = len;
    }
    if (old < len + cut)
        hole(s, stream, side, STREAM_CUT, len + cut - old);
}

static void hand_on_waiting(struct streams *s, struct stream *stream, int side)
{
    struct stream_side *me = &stream->sides[side];

    while (me->waiting && !before(me->next, me->waiting->at)) {
        struct stream_piece *piece = me->waiting;

        me->waiting = piece->next;
        me->n_waiting -= piece->len;
        s->waiting -= piece->len;
        hand_on(s, stream, side, piece->at, piece->bytes, piece->len, piece->cut);
        free(piece);
    }
    if (!me->waiting && !before(me->next, me->acknowledged))
        me->gap_ns = 0;
}

/* Nothing more is expected of what is missing before the first waiting bytes. */
static void give_up_gap(struct streams *s, struct stream *stream, int side)
{
    struct stream_side *me = &stream->sides[side];
    uint32_t to = me->waiting ? me->waiting->at : me->acknowledged;
    uint32_t lost = before(me->next, me->acknowledged) ? me->acknowledged - me->next : 0;

    if (lost > to - me->next)
        lost = to - me->next;
    if (lost)
        hole(s, stream, side, STREAM_LOST, lost);
    if (before(me->next, to))
        hole(s, stream, side, STREAM_UNKNOWN, to - me->next);
    me->high = later(me->high, me->next);
    hand_on_waiting(s, stream, side);
}

static void wait_for_gap(struct streams *s, struct stream *stream, int side, uint32_t at,
                         struct text bytes, uint32_t cut, int64_t now_ns)
{
    struct stream_side *me = &stream->sides[side];
    struct stream_piece **link = &me->waiting, *piece;

    while (*link && before((*link)->at, at))
        link = &(*link)->next;
    if (*link && (*link)->at == at && (*link)->len >= bytes.len)
        return; /* it waits already */
    if (me->n_waiting + bytes.len > STREAM_WAITING_MAX ||
        s->waiting + bytes.len > STREAMS_WAITING_MAX ||
        !(piece = malloc(sizeof(*piece) + bytes.len)))
        return; /* as if it had not been captured */
    *piece = (struct stream_piece){*link, at, (uint32_t)bytes.len, cut};
    memcpy(piece->bytes, bytes.at, bytes.len);
    *link = piece;
    me->n_waiting += piece->len;
    s->waiting += piece->len;
    if (me->gap_ns)
        return;
    me->gap_ns = now_ns;
    tell(s, stream, side,
         (struct stream_sign){.sign = TCP_GAP, .sequence = me->next, .length = at - me->next});
}

/* -- signs of data -------------------------------------------------------------------------- */

static void note_sent(struct stream_side *me, uint32_t at, uint32_t end, int64_t now_ns)
{
    if (me->n_open == STREAM_OPEN_MAX) {
        me->open[STREAM_OPEN_MAX - 1].end = end;
        return;
    }
    me->open[me->n_open].at = at;
    me->open[me->n_open].end = end;
    me->open[me->n_open].again = 0;
    me->open[me->n_open++].first_ns = now_ns;
}

static void sent_again(struct streams *s, struct stream *stream, int side, uint32_t at,
                       uint32_t len, int64_t now_ns)
{
    struct stream_side *me = &stream->sides[side];
    struct stream_sign sign = {.sign = TCP_AGAIN, .again = 1, .sequence = at, .length = len};

    for (unsigned i = 0; i < me->n_open; i++)
        if (!before(at, me->open[i].at) && before(at, me->open[i].end)) {
            sign.again = ++me->open[i].again;
            sign.after_ns = now_ns - me->open[i].first_ns;
        }
    if (!sign.after_ns && me->gap_ns)
        sign.after_ns = now_ns - me->gap_ns;
    tell(s, stream, side, sign);
}

static bool is_probe(const struct stream_side *me, const struct stream_side *peer,
                     const struct packet *p)
{
    uint32_t len = (uint32_t)p->payload.len + p->missing;

    if (!me->placed || len > 1 || p->tcp_flags & (PACKET_SYN | PACKET_FIN | PACKET_RST))
        return false;
    return p->tcp_sequence == me->high - 1 || (len == 1 && peer->window_closed);
}

static void take_data(struct streams *s, struct stream *stream, int side, const struct packet *p,
                      int64_t now_ns)
{
    struct stream_side *me = &stream->sides[side];
    uint32_t at = p->tcp_sequence, len = (uint32_t)p->payload.len, end = at + len + p->missing;
    bool missing;

    if (before(me->high, end)) {
        note_sent(me, before(at, me->high) ? me->high : at, end, now_ns);
        if (before(at, me->high))
            sent_again(s, stream, side, at, me->high - at, now_ns);
        me->high = end;
    } else if (!before(at, me->next) && me->gap_ns && now_ns - me->gap_ns < REORDER_NS) {
        ; /* overtaken on its way */
    } else {
        sent_again(s, stream, side, at, end - at, now_ns);
    }
    if (before(me->next, at)) {
        wait_for_gap(s, stream, side, at, p->payload, p->missing, now_ns);
        return;
    }
    missing = me->waiting || me->parted;
    me->parted = false;
    hand_on(s, stream, side, at, (const uint8_t *)p->payload.at, len, p->missing);
    hand_on_waiting(s, stream, side);
    if (missing && !me->waiting)
        tell(s, stream, side, (struct stream_sign){.sign = TCP_GAP_FILLED, .sequence = me->next});
}

/* Where the bytes of a direction begin: behind its SYN, or where it is first heard. */
static void place(struct stream_side *me, const struct packet *p)
{
    uint32_t at = p->tcp_sequence + (p->tcp_flags & PACKET_SYN ? 1 : 0);

    if (me->placed)
        return;
    me->placed = true;
    me->next = me->high = me->acknowledged = at;
}

/* -- signs of acknowledgements and windows --------------------------------------------------- */

static void tell_acknowledged(struct streams *s, struct stream *stream, int side, uint32_t to,
                              int64_t now_ns)
{
    struct stream_side *peer = &stream->sides[!side];
    struct stream_sign sign = {
        .sign = TCP_ACKNOWLEDGED, .sequence = peer->open[0].at, .again = peer->open[0].again};
    unsigned n = 0;

    if (!peer->n_open || !before(peer->open[0].at, to))
        return;
    sign.after_ns = now_ns - peer->open[0].first_ns;
    sign.length = to - peer->open[0].at;
    while (n < peer->n_open && !before(to, peer->open[n].end))
        n++;
    peer->n_open -= (uint8_t)n;
    memmove(peer->open, peer->open + n, peer->n_open * sizeof(peer->open[0]));
    if (peer->n_open && before(peer->open[0].at, to))
        peer->open[0].at = to;
    tell(s, stream, side, sign);
}

static void take_acknowledgement(struct streams *s, struct stream *stream, int side,
                                 const struct packet *p, int64_t now_ns)
{
    struct stream_side *peer = &stream->sides[!side];
    uint32_t to = p->tcp_acknowledged;

    if (!(p->tcp_flags & PACKET_ACK) || p->tcp_flags & PACKET_RST)
        return;
    if (!peer->placed) { /* nothing of that direction came yet, perhaps nothing ever comes */
        peer->placed = true;
        peer->next = peer->high = peer->acknowledged = to;
        return;
    }
    if (!before(peer->acknowledged, to))
        return;
    peer->acknowledged = to;
    tell_acknowledged(s, stream, side, to, now_ns);
    if (before(peer->next, to - (peer->fin && to == peer->next + 1 ? 1 : 0)) && !peer->gap_ns)
        peer->gap_ns = now_ns;
    if (!peer->seen) { /* that direction is not in the capture: nothing was lost */
        peer->next = peer->high = to;
        peer->gap_ns = 0;
    }
}

static void take_window(struct streams *s, struct stream *stream, int side, const struct packet *p,
                        int64_t now_ns)
{
    struct stream_side *me = &stream->sides[side];
    bool closed = !p->tcp_window;

    if (p->tcp_flags & (PACKET_RST | PACKET_SYN) || closed == me->window_closed)
        return;
    me->window_closed = closed;
    if (closed)
        me->window_ns = now_ns;
    tell(s, stream, side,
         (struct stream_sign){.sign = closed ? TCP_WINDOW_CLOSED : TCP_WINDOW_OPEN,
                              .after_ns = closed ? 0 : now_ns - me->window_ns});
}

/* -- opening and closing -------------------------------------------------------------------- */

static void take_syn(struct streams *s, struct stream *stream, int side, const struct packet *p,
                     int64_t now_ns)
{
    if (side == 0) {
        if (!stream->n_syn)
            stream->first_syn_ns = now_ns;
        if (stream->state == STREAM_CLOSED)
            stream->state = STREAM_OPENING; /* some try again after they were refused */
        stream->isn = p->tcp_sequence;
        stream->last_syn_ns = now_ns;
        tell(s, stream, side,
             (struct stream_sign){.sign = TCP_OPENING,
                                  .again = stream->n_syn++,
                                  .after_ns = now_ns - stream->first_syn_ns,
                                  .sequence = p->tcp_sequence});
        return;
    }
    if (stream->state == STREAM_OPENING)
        stream->state = STREAM_ACCEPTED;
    tell(s, stream, side,
         (struct stream_sign){.sign = TCP_ACCEPTED,
                              .after_ns = stream->n_syn ? now_ns - stream->last_syn_ns : 0,
                              .sequence = p->tcp_sequence});
}

static void take_reset(struct streams *s, struct stream *stream, int side, int64_t now_ns)
{
    bool refused = stream->state == STREAM_OPENING && stream->n_syn && side == 1;

    if (stream->state == STREAM_CLOSED)
        return;
    stream->state = STREAM_CLOSED;
    tell(s, stream, side,
         (struct stream_sign){.sign = refused ? TCP_REFUSED : TCP_RESET,
                              .after_ns = refused ? now_ns - stream->last_syn_ns : 0});
}

static void take_fin(struct streams *s, struct stream *stream, int side)
{
    if (stream->sides[side].fin)
        return;
    stream->sides[side].fin = true;
    tell(s, stream, side, (struct stream_sign){.sign = TCP_ENDING});
    if (stream->sides[!side].fin)
        stream->state = STREAM_CLOSED;
}

/* Its sender has said more than what came. */
static void tell_parting_gap(struct streams *s, struct stream *stream, int side,
                             const struct packet *p, int64_t now_ns)
{
    struct stream_side *me = &stream->sides[side];
    uint32_t length = p->tcp_sequence - me->next;

    if (!before(me->next, p->tcp_sequence) || length > PARTING_MAX || me->gap_ns || me->fin)
        return;
    me->gap_ns = now_ns;
    me->parted = true;
    tell(s, stream, side,
         (struct stream_sign){.sign = TCP_GAP, .again = 1, .sequence = me->next, .length = length});
}

static void first_packet(struct streams *s, struct stream *stream, int side, const struct packet *p)
{
    if (p->tcp_flags & PACKET_SYN) {
        stream->middle = side == 1;
        return;
    }
    stream->middle =
        !stream->n_syn; /* or its opening was seen before anybody knew that it matters */
    stream->state = STREAM_STANDS;
    tell(s, stream, side,
         (struct stream_sign){.sign = stream->middle ? TCP_MIDDLE : TCP_CONNECTED});
}

/* -- one packet ----------------------------------------------------------------------------- */

static void look_at_gap(struct streams *s, struct stream *stream, int side, int64_t now_ns)
{
    struct stream_side *me = &stream->sides[side];
    int64_t limit = before(me->next, me->acknowledged) ? LOST_NS : GIVE_UP_NS;

    if (me->gap_ns && (now_ns - me->gap_ns > limit || me->n_waiting > STREAM_WAITING_MAX / 2))
        give_up_gap(s, stream, side);
}

void streams_packet(struct streams *s, struct stream *stream, const struct packet *p,
                    int64_t now_ns)
{
    int side = endpoint_equal(&p->from, &stream->client) ? 0 : 1;
    struct stream_side *me = &stream->sides[side], *peer = &stream->sides[!side];

    if (!me->seen && !peer->seen)
        first_packet(s, stream, side, p);
    stream->last_ns = now_ns;
    look_at_gap(s, stream, 0, now_ns);
    look_at_gap(s, stream, 1, now_ns);
    place(me, p);
    if (!me->seen && !(p->tcp_flags & PACKET_SYN) && before(me->next, p->tcp_sequence))
        me->next = me->high = me->acknowledged =
            p->tcp_sequence; /* its acknowledgements were heard first */
    me->seen = true;
    if (p->tcp_flags & PACKET_SYN)
        take_syn(s, stream, side, p, now_ns);
    take_acknowledgement(s, stream, side, p, now_ns);
    if (stream->state == STREAM_ACCEPTED && side == 0 &&
        !(p->tcp_flags & (PACKET_SYN | PACKET_RST))) {
        stream->state = STREAM_STANDS;
        tell(s, stream, side,
             (struct stream_sign){.sign = TCP_CONNECTED,
                                  .after_ns = stream->n_syn ? now_ns - stream->first_syn_ns : 0});
    }
    if (p->tcp_flags & (PACKET_RST | PACKET_FIN) && !p->payload.len && !p->missing &&
        stream->state == STREAM_STANDS)
        tell_parting_gap(s, stream, side, p, now_ns);
    if (p->tcp_flags & PACKET_RST) {
        take_reset(s, stream, side, now_ns);
        return;
    }
    take_window(s, stream, side, p, now_ns);
    if (is_probe(me, peer, p))
        tell(s, stream, side,
             (struct stream_sign){.sign = TCP_PROBE,
                                  .sequence = p->tcp_sequence,
                                  .length = (uint32_t)p->payload.len});
    else if (p->payload.len + p->missing && !(p->tcp_flags & PACKET_SYN))
        take_data(s, stream, side, p, now_ns);
    if (p->tcp_flags & PACKET_FIN)
        take_fin(s, stream, side);
}
