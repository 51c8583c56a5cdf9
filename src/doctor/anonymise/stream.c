#include "doctor/anonymise/stream.h"

#include <stdlib.h>

#include "base/map.h"
#include "doctor/anonymise/text.h"
#include "doctor/anonymise/whole.h"
#include "wire/boot/tftp.h"
#include "wire/capture/fragments.h"
#include "wire/capture/stream.h"

#define FILES 1024 /* transfers at once */
#define SETS  64   /* fragmented packets at once */
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
    struct whole_out to;
    struct streams streams;
    struct fragments fragments;
    struct transfer files[FILES];
    struct set sets[SETS];
    unsigned next_set;
};

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
    if (w->lost && !whole_may_begin(bytes, len)) {
        w->start = end; /* zeroes stay */
        return;
    }
    w->lost = false;
    if (!whole_keep(w, bytes, len)) {
        whole_give_up(&s->to, w);
        w->start = end;
        w->lost = true;
        return;
    }
    while (w->len && whole_take_message(&s->to, w))
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
    struct anonymise_streams *s = context;
    struct whole *w = stream->user ? &((struct whole *)stream->user)[side] : NULL;

    if (!w)
        return;
    whole_give_up(&s->to, w);
    w->lost = true;
}

static void on_gone(void *context, struct stream *stream)
{
    struct anonymise_streams *s = context;
    struct whole *w = stream->user;

    for (int side = 0; w && side < 2; side++) {
        whole_give_up(&s->to, &w[side]);
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
        stream = streams_make(&s->streams, p, 0, s->to.now->time_ns);
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

    s->to.now = now;
    if ((stream = stream_of(s, p))) {
        int side = !endpoint_equal(&p->from, &stream->client);

        w = &((struct whole *)stream->user)[side];
        done = w->len ? w->start : stream->sides[side].next;
        again = stream->sides[side].placed && piece.len && (int32_t)(piece.from - done) < 0;
        if (again)
            whole_repeat(&s->to, w, &piece, done);
        if (piece.len)
            whole_piece(w, &piece);
        streams_packet(&s->streams, stream, p, now->time_ns);
    }
    s->to.now = NULL;
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
        whole_give_up(&s->to, &t->whole);
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

    s->to.now = now;
    t = transfer_of(s, p);
    if (block == 1 && (t->next > 2 || t->over)) { /* the ports are used again */
        whole_give_up(&s->to, &t->whole);
        whole_done(&t->whole);
        t->next = 1;
        t->over = false;
    }
    t->block = block == 1 ? n : t->block;
    piece = (struct piece){(block - 1) * t->block, n, now->payload + 4, now->sum};
    t->whole.in_body = true;
    if (block < t->next && block && (int32_t)(piece.from - t->whole.start) < 0)
        whole_repeat(&s->to, &t->whole, &piece, t->whole.start);
    whole_piece(&t->whole, &piece);
    if (block == t->next && !t->over) {
        t->next++;
        if (t->whole.len + n > ANONYMISE_WHOLE_MAX || p->missing ||
            !whole_keep(&t->whole, at + 4, n)) {
            whole_done(&t->whole); /* firmware: its zeroes stay */
            t->over = true;
        } else if (n < t->block || !n) {
            whole_give_up(&s->to, &t->whole);
            t->over = true;
        }
    } else if (block > t->next) { /* one is missing: what there is, and no more */
        whole_give_up(&s->to, &t->whole);
        t->over = true;
    }
    s->to.now = NULL;
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

    s->to.now = now;
    set->whole.len = 1; /* all its pieces are kept */
    whole_piece(&set->whole,
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
    whole_spread(&s->to, &set->whole, 0, bytes, head + whole.payload.len);
    free(bytes);
    set->whole.len = 0;
    whole_done(&set->whole);
    set->used = false;
out:
    s->to.now = NULL;
}

/* -- all ------------------------------------------------------------------------------------- */

struct anonymise_streams *anonymise_streams_new(const struct anonymise_out *out)
{
    struct anonymise_streams *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    s->out = *out;
    s->to.out = &s->out;
    streams_init(&s->streams, &(struct stream_handler){s, on_sign, on_data, on_hole, on_gone});
    fragments_init(&s->fragments);
    return s;
}

void anonymise_streams_end(struct anonymise_streams *s)
{
    streams_done(&s->streams);
    for (unsigned i = 0; i < FILES; i++) {
        whole_give_up(&s->to, &s->files[i].whole);
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
