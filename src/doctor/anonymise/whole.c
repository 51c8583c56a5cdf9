#include "doctor/anonymise/whole.h"

#include <stdlib.h>

#include "doctor/anonymise/text.h"
#include "doctor/capture/parts.h"

#define PIECES_KEPT 16 /* behind what is done, for data that is sent again */
#define PIECES_MAX  4096
#define HEAD_MAX    16384

/* -- into the output ------------------------------------------------------------------------- */

static uint8_t *in_frame(const struct whole_out *s, uint64_t at, size_t n)
{
    const struct anonymise_now *now = s->now;

    return now && at >= now->at && at + n <= now->at + now->len ? now->frame + (at - now->at)
                                                                : NULL;
}

static void put(struct whole_out *s, uint64_t at, const void *bytes, size_t n)
{
    uint8_t *frame = in_frame(s, at, n);

    if (frame)
        memcpy(frame, bytes, n);
    else
        s->out->write(s->out->context, at, bytes, n);
}

static void get(struct whole_out *s, uint64_t at, void *bytes, size_t n)
{
    const uint8_t *frame = in_frame(s, at, n);

    if (frame)
        memcpy(bytes, frame, n);
    else
        s->out->read(s->out->context, at, bytes, n);
}

/* The checksum of a frame whose zeroes become these bytes (RFC 1624: eqn. 3); payloads begin at
 * even places. */
static void add_sum(struct whole_out *s, const struct piece *p, uint32_t offset,
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

static void put_piece(struct whole_out *s, const struct piece *p, uint32_t offset,
                      const uint8_t *bytes, size_t n)
{
    put(s, p->at + offset, bytes, n);
    add_sum(s, p, offset, bytes, n);
}

/* -- pieces ---------------------------------------------------------------------------------- */

void whole_piece(struct whole *w, const struct piece *p)
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

void whole_spread(struct whole_out *s, struct whole *w, uint32_t start, const uint8_t *bytes,
                  size_t len)
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

void whole_repeat(struct whole_out *s, struct whole *w, const struct piece *p, uint32_t done)
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

bool whole_keep(struct whole *w, const void *bytes, size_t len)
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
static void take(struct whole_out *s, struct whole *w, size_t n)
{
    whole_spread(s, w, w->start, w->bytes, n);
    memmove(w->bytes, w->bytes + n, w->len - n);
    w->len -= (uint32_t)n;
    w->start += (uint32_t)n;
}

static void blank(struct whole_out *s, struct whole *w, size_t n)
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

bool whole_may_begin(const uint8_t *at, size_t len)
{
    struct text t = {(const char *)at, len};

    return talk_is_sip(at, len) || is_http(t) || is_tls(at, len) || talk_is_sccp(at, len);
}

/* Of a ServerHello the versions, the cipher and which extensions there are stay (RFC 8446 4.1.3).
 */
static size_t keep_hello(uint8_t *at, size_t len)
{
    size_t session = len > 38 ? at[38] : 0, i = 39 + session + 3 + 2;

    if (len < 38 || at[0] != 2 || i > len)
        return len < 4 ? len : 4;
    memset(at + 6, 0, 32); /* random */
    memset(at + 39, 0, session);
    while (i + 4 <= len) {
        size_t n = (size_t)(at[i + 2] << 8 | at[i + 3]);

        if (n > len - i - 4)
            break;
        if (at[i] || at[i + 1] != 43) /* supported_versions */
            memset(at + i + 4, 0, n);
        i += 4 + n;
    }
    return i;
}

/* TLS: headers of records stay, the type of a handshake message and what the server chose; alerts
 * stay whole. */
static bool take_tls(struct whole_out *s, struct whole *w)
{
    size_t n = w->len < 5 ? 0 : (size_t)(w->bytes[3] << 8 | w->bytes[4]), keep_n = 0;

    if (w->len < 5 || w->len < 5 + n)
        return false;
    if (w->bytes[0] == 0x15)
        keep_n = n;
    else if (w->bytes[0] == 0x16)
        keep_n = keep_hello(w->bytes + 5, n);
    memset(w->bytes + 5 + keep_n, 0, n - keep_n);
    take(s, w, 5 + n);
    return true;
}

static bool take_sccp(struct whole_out *s, struct whole *w)
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

static bool take_sip(struct whole_out *s, struct whole *w)
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

/* What a Content-Length says; 0 when it says nothing. */
static uint32_t length_of(struct text rest)
{
    uint32_t n = 0;

    text_to_u32(text_trim(text_split(&rest, '\n')), 10, &n);
    return n;
}

static bool take_http_head(struct whole_out *s, struct whole *w)
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
            w->body =
                length_of(text_skip((struct text){(char *)w->bytes, head}, i + sizeof(mark) - 1));
    w->in_body = w->body != 0;
    disguise_http((char *)w->bytes, head);
    take(s, w, head);
    return true;
}

static bool take_http_body(struct whole_out *s, struct whole *w)
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

bool whole_take_message(struct whole_out *s, struct whole *w)
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

void whole_give_up(struct whole_out *s, struct whole *w)
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
        disguise_sccp_part(w->bytes, w->len);
    else
        memset(w->bytes, 0, w->len);
    take(s, w, w->len);
    w->in_body = false;
}

void whole_done(struct whole *w)
{
    free(w->bytes);
    free(w->pieces);
    *w = (struct whole){0};
}
