#include "doctor/anonymise_stream.h"

#include <stdlib.h>

#include "base/map.h"
#include "doctor/anonymise_text.h"
#include "doctor/capture_parts.h"
#include "wire/boot/tftp.h"
#include "wire/capture/fragments.h"
#include "wire/capture/stream.h"
#include "wire/sip/framing.h"

#define PIECES_KEPT 16 /* behind what is done, for data that is sent again */
#define PIECES_MAX  4096
#define FILES       1024 /* transfers at once */
#define SETS        64   /* fragmented packets at once */
#define HEAD_MAX    16384

/* Bytes of a stream in the output. */
struct piece {
    uint32_t from, len; /* by sequence */
    uint64_t at, sum;
};

/* One direction of a connection, one file, one fragmented packet. */
struct whole {
    uint8_t *bytes; /* of the message in the making */
    uint32_t len, size, start;
    uint32_t body;              /* bytes of an HTTP body still to come; UINT32_MAX: to the end */
    bool placed, in_body, lost; /* lost: the beginning of the next message is looked for */
    struct piece *pieces;
    unsigned n_pieces, n_room;
};

struct transfer {
    struct endpoint phone, server;
    uint32_t next;  /* block */
    uint32_t block; /* bytes of a full one */
    bool used, over;
    struct whole whole;
};

struct set {
    struct ip from, to;
    uint32_t id;
    bool used;
    struct whole whole;
};

struct anonymise_streams {
    struct anonymise_out out;
    const struct anonymise_now *now;
    struct streams streams;
    struct fragments fragments;
    struct transfer files[FILES];
    struct set sets[SETS];
    unsigned next_set;
    struct sip_message sip;
};

/* -- into the output ------------------------------------------------------------------------- */

static uint8_t *in_frame(const struct anonymise_streams *s, uint64_t at, size_t n)
{
    const struct anonymise_now *now = s->now;

    return now && at >= now->at && at + n <= now->at + now->len ? now->frame + (at - now->at)
                                                                : NULL;
}

static void put(struct anonymise_streams *s, uint64_t at, const void *bytes, size_t n)
{
    uint8_t *frame = in_frame(s, at, n);

    if (frame)
        memcpy(frame, bytes, n);
    else
        s->out.write(s->out.context, at, bytes, n);
}

static void get(struct anonymise_streams *s, uint64_t at, void *bytes, size_t n)
{
    const uint8_t *frame = in_frame(s, at, n);

    if (frame)
        memcpy(bytes, frame, n);
    else
        s->out.read(s->out.context, at, bytes, n);
}

/* The checksum of a frame whose zeroes become these bytes (RFC 1624: eqn. 3); payloads begin at
 * even places. */
static void add_sum(struct anonymise_streams *s, const struct piece *p, uint32_t offset,
                    const uint8_t *bytes, size_t n)
{
    uint8_t sum[2];
    uint32_t v;

    if (!p->sum)
        return;
    get(s, p->sum, sum, 2);
    v = ~(uint32_t)(sum[0] << 8 | sum[1]) & 0xffff;
    for (size_t i = 0; i < n; i++)
        v += (offset + i) & 1 ? bytes[i] : (uint32_t)bytes[i] << 8;
    while (v >> 16)
        v = (v & 0xffff) + (v >> 16);
    v = ~v & 0xffff;
    put(s, p->sum, (uint8_t[]){(uint8_t)(v >> 8), (uint8_t)v}, 2);
}

static void put_piece(struct anonymise_streams *s, const struct piece *p, uint32_t offset,
                      const uint8_t *bytes, size_t n)
{
    put(s, p->at + offset, bytes, n);
    add_sum(s, p, offset, bytes, n);
}

/* -- pieces ---------------------------------------------------------------------------------- */

static void add_piece(struct whole *w, const struct piece *p)
{
    if (w->n_pieces == w->n_room) {
        unsigned keep = w->len ? w->n_pieces : PIECES_KEPT, room = w->n_room ? w->n_room * 2 : 4;
        struct piece *more;

        if (keep < w->n_pieces) { /* nothing waits: the older ones may go */
            memmove(w->pieces, w->pieces + w->n_pieces - keep, keep * sizeof(*p));
            w->n_pieces = keep;
        } else {
            if (room > PIECES_MAX || !(more = realloc(w->pieces, room * sizeof(*p))))
                return;
            w->pieces = more;
            w->n_room = room;
        }
    }
    w->pieces[w->n_pieces++] = *p;
}

/* These bytes of the stream, to each packet that carried them. */
static void spread(struct anonymise_streams *s, struct whole *w, uint32_t start,
                   const uint8_t *bytes, size_t len)
{
    for (unsigned i = 0; i < w->n_pieces; i++) {
        const struct piece *p = &w->pieces[i];
        int64_t from = (int32_t)(p->from - start), to = from + p->len;

        from = from < 0 ? 0 : from;
        to = to > (int64_t)len ? (int64_t)len : to;
        if (from < to)
            put_piece(s, p, start + (uint32_t)from - p->from, bytes + from, (size_t)(to - from));
    }
}

/* An older piece that has this byte of the stream. */
static const struct piece *piece_with(const struct whole *w, uint32_t sequence)
{
    for (unsigned i = w->n_pieces; i-- > 0;)
        if (sequence - w->pieces[i].from < w->pieces[i].len)
            return &w->pieces[i];
    return NULL;
}

/* Bytes up to `done` are sent again in the packet `p`: as they were written before. */
static void repeat(struct anonymise_streams *s, struct whole *w, const struct piece *p,
                   uint32_t done)
{
    uint32_t end = done - p->from < p->len ? done - p->from : p->len;
    uint8_t bytes[2048];

    for (uint32_t i = 0; i < end;) {
        const struct piece *old = piece_with(w, p->from + i);
        uint32_t skip = old ? p->from + i - old->from : 0, n = old ? old->len - skip : end;

        n = n < end - i ? n : end - i;
        n = n < sizeof(bytes) ? n : sizeof(bytes);
        if (!old)
            return;
        get(s, old->at + skip, bytes, n);
        put_piece(s, p, i, bytes, n);
        i += n;
    }
}

/* -- messages -------------------------------------------------------------------------------- */

static bool keep(struct whole *w, const void *bytes, size_t len)
{
    if (w->len + len > w->size) {
        size_t size = w->size ? w->size : 2048;
        uint8_t *more;

        while (size < w->len + len)
            size *= 2;
        if (size > 2 * ANONYMISE_WHOLE_MAX || !(more = realloc(w->bytes, size)))
            return false;
        w->bytes = more;
        w->size = (uint32_t)size;
    }
    memcpy(w->bytes + w->len, bytes, len);
    w->len += (uint32_t)len;
    return true;
}

/* The first n bytes that wait are done. */
static void take(struct anonymise_streams *s, struct whole *w, size_t n)
{
    spread(s, w, w->start, w->bytes, n);
    memmove(w->bytes, w->bytes + n, w->len - n);
    w->len -= (uint32_t)n;
    w->start += (uint32_t)n;
}

static void blank(struct anonymise_streams *s, struct whole *w, size_t n)
{
    memset(w->bytes, 0, n);
    take(s, w, n);
}

static bool is_http(struct text t)
{
    return text_starts(t, "GET ") || text_starts(t, "HTTP/1.") || text_starts(t, "HEAD ") ||
           text_starts(t, "POST ") || text_starts(t, "PUT ");
}

static bool is_tls(const uint8_t *at, size_t len)
{
    return len >= 3 && at[0] >= 0x14 && at[0] <= 0x17 && at[1] == 3 && at[2] <= 4;
}

static bool may_begin(const uint8_t *at, size_t len)
{
    struct text t = {(const char *)at, len};

    return talk_is_sip(at, len) || is_http(t) || is_tls(at, len) || talk_is_sccp(at, len);
}

/* TLS: headers of records stay, and the type of a handshake message; alerts stay whole. */
static bool take_tls(struct anonymise_streams *s, struct whole *w)
{
    size_t n = w->len < 5 ? 0 : (size_t)(w->bytes[3] << 8 | w->bytes[4]);
    size_t keep_n = w->bytes[0] == 0x15 ? n : w->bytes[0] == 0x16 ? 4 : 0;

    if (w->len < 5 || w->len < 5 + n)
        return false;
    keep_n = keep_n < n ? keep_n : n;
    memset(w->bytes + 5 + keep_n, 0, n - keep_n);
    take(s, w, 5 + n);
    return true;
}

static bool take_sccp(struct anonymise_streams *s, struct whole *w)
{
    struct reader r = reader_of(w->bytes, w->len);
    struct sccp_frame f;
    int err = sccp_frame_next(&r, &f);

    if (err == 0)
        return false;
    if (err < 0) {
        w->lost = true;
        blank(s, w, w->len);
        return true;
    }
    disguise_sccp(w->bytes, (size_t)(r.at - w->bytes));
    take(s, w, (size_t)(r.at - w->bytes));
    return true;
}

static bool take_sip(struct anonymise_streams *s, struct whole *w)
{
    size_t used = 0;
    enum sip_frame_kind kind = sip_frame_next(w->bytes, w->len, &s->sip, &used);

    if (kind == SIP_FRAME_MORE)
        return false;
    if (kind == SIP_FRAME_BAD || !used || used > w->len)
        used = w->len;
    disguise_sip((char *)w->bytes, used);
    take(s, w, used);
    return true;
}

static bool take_http_head(struct anonymise_streams *s, struct whole *w)
{
    static const char mark[] = "\ncontent-length:";
    const char *end = memmem(w->bytes, w->len, "\r\n\r\n", 4);
    size_t head = end ? (size_t)(end + 4 - (const char *)w->bytes) : 0;
    bool answer = text_starts((struct text){(char *)w->bytes, w->len}, "HTTP/1.");

    if (!end && w->len < HEAD_MAX)
        return false;
    head = end ? head : w->len;
    w->body = answer ? UINT32_MAX : 0;
    for (size_t i = 0; i + sizeof(mark) < head; i++)
        if (text_starts_nocase((struct text){(char *)w->bytes + i, head - i}, mark))
            w->body = (uint32_t)strtoul((char *)w->bytes + i + sizeof(mark) - 1, NULL, 10);
    w->in_body = w->body != 0;
    disguise_http((char *)w->bytes, head);
    take(s, w, head);
    return true;
}

static bool take_http_body(struct anonymise_streams *s, struct whole *w)
{
    uint32_t n = w->body < w->len ? w->body : w->len;

    if (is_http((struct text){(char *)w->bytes, w->len})) { /* the answer to a HEAD has none */
        w->in_body = false;
        return true;
    }
    if (w->body > ANONYMISE_WHOLE_MAX && w->body != UINT32_MAX) { /* firmware */
        blank(s, w, n);
        w->body -= n;
        w->in_body = w->body != 0;
        return true;
    }
    if (w->body > w->len)
        return false;
    disguise_document((char *)w->bytes, n);
    take(s, w, n);
    w->in_body = false;
    return true;
}

/* One message off the front; false: more is needed. */
static bool take_message(struct anonymise_streams *s, struct whole *w)
{
    struct text t = {(const char *)w->bytes, w->len};

    if (w->in_body)
        return take_http_body(s, w);
    if (w->bytes[0] == '\r' || w->bytes[0] == '\n') { /* between messages of SIP */
        take(s, w, 1);
        return true;
    }
    if (w->len < 12 && !w->lost)
        return is_tls(w->bytes, w->len) && take_tls(s, w);
    if (is_http(t))
        return take_http_head(s, w);
    if (talk_is_sip(t.at, t.len))
        return take_sip(s, w);
    if (is_tls(w->bytes, w->len))
        return take_tls(s, w);
    if (talk_is_sccp(w->bytes, w->len))
        return take_sccp(s, w);
    w->lost = true;
    blank(s, w, w->len);
    return true;
}

/* What there is of a message that will not become whole. */
static void give_up(struct anonymise_streams *s, struct whole *w)
{
    struct text t = {(const char *)w->bytes, w->len};

    if (!w->len)
        return;
    if (w->in_body)
        disguise_document((char *)w->bytes, w->len);
    else if (talk_is_sip(t.at, t.len))
        disguise_sip((char *)w->bytes, w->len);
    else if (is_http(t))
        disguise_http((char *)w->bytes, w->len);
    else if (talk_is_sccp(w->bytes, w->len) && w->len >= 12)
        memset(w->bytes + 12, 0, w->len - 12);
    else
        memset(w->bytes, 0, w->len);
    take(s, w, w->len);
    w->in_body = false;
}

static void whole_done(struct whole *w)
{
    free(w->bytes);
    free(w->pieces);
    *w = (struct whole){0};
}

/* -- TCP ------------------------------------------------------------------------------------- */

static void on_data(void *context, struct stream *stream, int side, const void *bytes, size_t len)
{
    struct anonymise_streams *s = context;
    struct whole *w = stream->user ? &((struct whole *)stream->user)[side] : NULL;
    uint32_t end = stream->sides[side].next;

    if (!w)
        return;
    if (!w->len)
        w->start = end - (uint32_t)len;
    if (w->lost && !may_begin(bytes, len)) {
        w->start = end; /* zeroes stay */
        return;
    }
    w->lost = false;
    if (!keep(w, bytes, len)) {
        give_up(s, w);
        w->start = end;
        w->lost = true;
        return;
    }
    while (w->len && take_message(s, w))
        ;
    if (!w->len) {
        free(w->bytes);
        w->bytes = NULL;
        w->size = 0;
    }
}

static void on_hole(void *context, struct stream *stream, int side, enum stream_hole hole,
                    uint32_t bytes)
{
    struct whole *w = stream->user ? &((struct whole *)stream->user)[side] : NULL;

    if (!w)
        return;
    give_up(context, w);
    w->lost = true;
}

static void on_gone(void *context, struct stream *stream)
{
    struct whole *w = stream->user;

    for (int side = 0; w && side < 2; side++) {
        give_up(context, &w[side]);
        whole_done(&w[side]);
    }
    free(w);
    stream->user = NULL;
}

static void on_sign(void *context, struct stream *stream, int side, const struct stream_sign *sign)
{
}

static struct stream *stream_of(struct anonymise_streams *s, const struct packet *p)
{
    struct stream *stream = streams_find(&s->streams, p);

    if (!stream || stream_is_over(stream, p))
        stream = streams_make(&s->streams, p, 0, s->now->time_ns);
    if (stream && !stream->user)
        stream->user = calloc(2, sizeof(struct whole));
    return stream && stream->user ? stream : NULL;
}

void anonymise_segment(struct anonymise_streams *s, const struct packet *p,
                       const struct anonymise_now *now)
{
    struct piece piece = {p->tcp_sequence + ((p->tcp_flags & PACKET_SYN) != 0),
                          (uint32_t)p->payload.len, now->payload, now->sum};
    struct stream *stream;
    struct whole *w;
    uint32_t done;
    bool again;

    s->now = now;
    if ((stream = stream_of(s, p))) {
        int side = !endpoint_equal(&p->from, &stream->client);

        w = &((struct whole *)stream->user)[side];
        done = w->len ? w->start : stream->sides[side].next;
        again = stream->sides[side].placed && piece.len && (int32_t)(piece.from - done) < 0;
        if (again)
            repeat(s, w, &piece, done);
        if (piece.len)
            add_piece(w, &piece);
        streams_packet(&s->streams, stream, p, now->time_ns);
    }
    s->now = NULL;
}

/* -- files by TFTP --------------------------------------------------------------------------- */

static struct transfer *transfer_of(struct anonymise_streams *s, const struct packet *p)
{
    struct {
        struct endpoint a, b;
    } key;
    struct transfer *t;

    memset(&key, 0, sizeof(key));
    key.a.ip = p->from.ip, key.a.port = p->from.port;
    key.b.ip = p->to.ip, key.b.port = p->to.port;
    t = &s->files[hash_bytes(&key, sizeof(key)) % FILES];
    if (!t->used || !endpoint_equal(&t->server, &p->from) || !endpoint_equal(&t->phone, &p->to)) {
        give_up(s, &t->whole);
        whole_done(&t->whole);
        *t = (struct transfer){.used = true, .server = p->from, .phone = p->to, .next = 1};
    }
    return t;
}

void anonymise_block(struct anonymise_streams *s, const struct packet *p,
                     const struct anonymise_now *now)
{
    const uint8_t *at = (const uint8_t *)p->payload.at;
    uint32_t n = (uint32_t)p->payload.len - 4, block = (uint32_t)(at[2] << 8 | at[3]);
    struct transfer *t;
    struct piece piece;

    s->now = now;
    t = transfer_of(s, p);
    if (block == 1 && (t->next > 2 || t->over)) { /* the ports are used again */
        give_up(s, &t->whole);
        whole_done(&t->whole);
        t->next = 1;
        t->over = false;
    }
    t->block = block == 1 ? n : t->block;
    piece = (struct piece){(block - 1) * t->block, n, now->payload + 4, now->sum};
    t->whole.in_body = true;
    if (block < t->next && block && (int32_t)(piece.from - t->whole.start) < 0)
        repeat(s, &t->whole, &piece, t->whole.start);
    add_piece(&t->whole, &piece);
    if (block == t->next && !t->over) {
        t->next++;
        if (t->whole.len + n > ANONYMISE_WHOLE_MAX || p->missing || !keep(&t->whole, at + 4, n)) {
            whole_done(&t->whole); /* firmware: its zeroes stay */
            t->over = true;
        } else if (n < t->block || !n) {
            give_up(s, &t->whole);
            t->over = true;
        }
    } else if (block > t->next) { /* one is missing: what there is, and no more */
        give_up(s, &t->whole);
        t->over = true;
    }
    s->now = NULL;
}

/* -- fragments ------------------------------------------------------------------------------- */

static struct set *set_of(struct anonymise_streams *s, const struct packet *p)
{
    struct set *set;

    for (unsigned i = 0; i < SETS; i++)
        if (s->sets[i].used && s->sets[i].id == p->ip_id && ip_equal(s->sets[i].from, p->from.ip) &&
            ip_equal(s->sets[i].to, p->to.ip))
            return &s->sets[i];
    set = &s->sets[s->next_set++ % SETS];
    whole_done(&set->whole);
    *set = (struct set){.from = p->from.ip, .to = p->to.ip, .id = p->ip_id, .used = true};
    return set;
}

void anonymise_fragment(struct anonymise_streams *s, const struct packet *p,
                        const struct anonymise_now *now)
{
    struct set *set = set_of(s, p);
    struct packet whole = *p;
    uint8_t *bytes;
    size_t head;

    s->now = now;
    set->whole.len = 1; /* all its pieces are kept */
    add_piece(&set->whole,
              &(struct piece){p->fragment.at, (uint32_t)p->payload.len, now->payload, 0});
    if (!fragments_take(&s->fragments, &whole, now->time_ns) || whole.kind != PACKET_UDP)
        goto out;
    head = 8;
    if (!(bytes = malloc(head + whole.payload.len)))
        goto out;
    memcpy(bytes, whole.payload.at - head, head);
    bytes[6] = bytes[7] = 0; /* no checksum (RFC 768) */
    memcpy(bytes + head, whole.payload.at, whole.payload.len);
    anonymise_datagram(&whole, bytes + head, whole.payload.len);
    spread(s, &set->whole, 0, bytes, head + whole.payload.len);
    free(bytes);
    set->whole.len = 0;
    whole_done(&set->whole);
    set->used = false;
out:
    s->now = NULL;
}

/* -- all ------------------------------------------------------------------------------------- */

struct anonymise_streams *anonymise_streams_new(const struct anonymise_out *out)
{
    struct anonymise_streams *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    s->out = *out;
    streams_init(&s->streams, &(struct stream_handler){s, on_sign, on_data, on_hole, on_gone});
    fragments_init(&s->fragments);
    return s;
}

void anonymise_streams_end(struct anonymise_streams *s)
{
    streams_done(&s->streams);
    for (unsigned i = 0; i < FILES; i++) {
        give_up(s, &s->files[i].whole);
        whole_done(&s->files[i].whole);
    }
    for (unsigned i = 0; i < SETS; i++)
        whole_done(&s->sets[i].whole);
}

void anonymise_streams_free(struct anonymise_streams *s)
{
    if (!s)
        return;
    fragments_done(&s->fragments);
    free(s);
}
