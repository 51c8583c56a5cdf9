#include "doctor/capture/talk.h"

#include <errno.h>
#include <stdlib.h>

#define MESSAGE_MAX (SIP_BODY_MAX + SIP_HEAD_MAX) /* the longest of all kinds */

static const talk_reader readers[] = {
    [TALK_SCCP] = talk_sccp, [TALK_SIP] = talk_sip, [TALK_HTTP] = talk_http, [TALK_TLS] = talk_tls};

void talk_tell(struct capture *c, const struct stream *s, int side, struct sight *sight)
{
    sight->flow = s->number;
    sight->from_client = side == 0;
    if (!sight->at.number)
        sight->at = c->at;
    if (endpoint_equal(&c->at.from, side ? &s->client : &s->server)) {
        /* Bytes that waited for others, let go by a packet of the other direction. */
        sight->at.from = c->at.to;
        sight->at.to = c->at.from;
        sight->at.from_mac = c->at.to_mac;
        sight->at.to_mac = c->at.from_mac;
    }
    capture_tell(c, sight);
}

/* -- what it is ----------------------------------------------------------------------------- */

bool talk_is_sip(const void *bytes, size_t len)
{
    struct text line = {bytes, len < 300 ? len : 300};
    const char *end = memchr(line.at, '\n', line.len);
    struct text method;

    if (end)
        line.len = (size_t)(end - line.at);
    if (text_starts(line, "SIP/2.0 "))
        return true;
    method = text_split(&line, ' ');
    if (!line.at || sip_method_of(method) == SIP_UNKNOWN_METHOD)
        return false;
    return text_starts_nocase(line, "sip:") || text_starts_nocase(line, "sips:") ||
           text_ends(text_trim(line), " SIP/2.0");
}

bool talk_is_sccp(const uint8_t *p, size_t len)
{
    uint32_t length, version, id;

    if (len < SCCP_HEADER_SIZE)
        return false;
    memcpy(&length, p, 4);
    memcpy(&version, p + 4, 4);
    memcpy(&id, p + 8, 4);
    return length >= 4 && length <= SCCP_FRAME_MAX - 8 && version <= SCCP_VERSION_MAX + 10 &&
           sccp_message_name(id);
}

static bool is_tls(const uint8_t *p, size_t len)
{
    return len >= 5 && p[0] >= 0x14 && p[0] <= 0x17 && p[1] == 3 && p[2] <= 4 &&
           p[2] >= (p[3] | p[4] ? 0 : 1);
}

static bool is_http(struct text t)
{
    return text_starts(t, "GET ") || text_starts(t, "HEAD ") || text_starts(t, "POST ") ||
           text_starts(t, "PUT ") || text_starts(t, "HTTP/1.");
}

static enum talk_kind kind_of(const uint8_t *p, size_t len)
{
    if (talk_is_sip(p, len))
        return TALK_SIP;
    if (is_http((struct text){(const char *)p, len}))
        return TALK_HTTP;
    if (is_tls(p, len))
        return TALK_TLS;
    return talk_is_sccp(p, len) ? TALK_SCCP : TALK_UNKNOWN;
}

/* A file only phones ask for. */
static bool is_phone_file(struct text t)
{
    static const char *const parts[] = {".cnf",   ".loads", ".sbn", ".sgn",   "XMLDefault",
                                        "CTLSEP", "ITLSEP", "/SEP", "ITLFile"};
    const char *end = memchr(t.at, '\n', t.len < 300 ? t.len : 300);

    t.len = end ? (size_t)(end - t.at) : t.len < 300 ? t.len : 300;
    if (!text_starts(t, "GET "))
        return false;
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
        if (text_contains_nocase(t, text_of(parts[i])))
            return true;
    return false;
}

/* A device name: at least three capitals or digits. */
static bool is_name(const uint8_t *p)
{
    for (int i = 0; i < 3; i++)
        if (!(p[i] >= 'A' && p[i] <= 'Z') && !(p[i] >= '0' && p[i] <= '9'))
            return false;
    return true;
}

/* Of SCCP only what begins a session or keeps it, whole: a header of twelve bytes alone looks like
 * too much else. */
static bool is_sccp_for_sure(const uint8_t *p, uint32_t id, size_t len)
{
    uint32_t length;

    memcpy(&length, p, 4);
    if (len < length + 8)
        return false;
    if (id == SCCP_REGISTER_REQ || id == SCCP_REGISTER_TOKEN_REQ)
        return length >= 32 && is_name(p + SCCP_HEADER_SIZE);
    if (id == SCCP_ALARM)
        return length >= 96 && p[SCCP_HEADER_SIZE + 4] >= ' ' && p[SCCP_HEADER_SIZE + 4] < 127;
    if (id == SCCP_REGISTER_ACK)
        return (length == 24 || length == 28) && !p[SCCP_HEADER_SIZE + 2] &&
               !p[SCCP_HEADER_SIZE + 3];
    return id == SCCP_KEEPALIVE_ACK && len == SCCP_HEADER_SIZE;
}

enum talker talk_is_known(const void *bytes, size_t len)
{
    uint32_t id;

    if (talk_is_sip(bytes, len))
        return TALKER_ANY;
    if (is_phone_file((struct text){bytes, len}))
        return TALKER_CLIENT;
    if (!talk_is_sccp(bytes, len))
        return TALKER_NONE;
    memcpy(&id, (const uint8_t *)bytes + 8, 4);
    if (!is_sccp_for_sure(bytes, id, len))
        return TALKER_NONE;
    return sccp_message_from(id) & SCCP_FROM_PHONE ? TALKER_CLIENT : TALKER_SERVER;
}

/* -- messages ------------------------------------------------------------------------------- */

/* The offset of what may begin a message, at `len` when there is none. */
static size_t find_beginning(enum talk_kind kind, const uint8_t *p, size_t len)
{
    for (size_t at = 0; at < len; at++) {
        if (kind == TALK_SCCP && talk_is_sccp(p + at, len - at))
            return at;
        if (kind == TALK_TLS && is_tls(p + at, len - at))
            return at;
        if ((kind == TALK_SIP || kind == TALK_HTTP) && (at == 0 || p[at - 1] == '\n') &&
            kind_of(p + at, len - at) == kind)
            return at;
    }
    return len;
}

/* As many messages as there are; returns the bytes used. */
static size_t read_all(struct capture *c, struct stream *s, int side, const uint8_t *p, size_t len)
{
    struct talk *t = s->user;
    struct talk_side *me = &t->sides[side];
    size_t at = 0;

    while (at < len) {
        size_t n = len - at;
        int used;

        if (me->skip) {
            n = me->skip < n ? (size_t)me->skip : n;
            me->skip -= n;
            at += n;
            continue;
        }
        if (me->lost && (at += find_beginning(t->kind, p + at, n)) == len)
            break;
        me->lost = false;
        used = readers[t->kind](c, s, side, p + at, len - at);
        if (used == 0)
            break;
        me->lost = used < 0;
        at += used < 0 ? 1 : (size_t)used;
    }
    return at;
}

static void read_kept(struct capture *c, struct stream *s, int side, const void *bytes, size_t len)
{
    struct talk_side *me = &((struct talk *)s->user)->sides[side];

    if (!kept_add(c, &me->kept, bytes, len, MESSAGE_MAX + len)) {
        kept_free(c, &me->kept);
        me->lost = true;
        return;
    }
    kept_drop(&me->kept, read_all(c, s, side, me->kept.at, me->kept.len));
    if (!me->kept.len)
        kept_free(c, &me->kept);
    else if (me->kept.len > MESSAGE_MAX) { /* no message is that long */
        kept_free(c, &me->kept);
        me->lost = true;
    }
}

void talk_data(void *context, struct stream *s, int side, const void *bytes, size_t len)
{
    struct capture *c = context;
    struct talk *t = s->user;
    size_t used;

    if (!t && !(t = s->user = calloc(1, sizeof(*t))))
        return;
    if (t->kind == TALK_UNKNOWN && (t->kind = kind_of(bytes, len)) == TALK_UNKNOWN) {
        if (s->server.port != 2000 && s->server.port != 5060)
            return;
        t->kind = s->server.port == 2000 ? TALK_SCCP : TALK_SIP;
        t->sides[side].lost = s->middle && t->kind == TALK_SCCP;
    }
    if (t->sides[side].kept.len) {
        read_kept(c, s, side, bytes, len);
        return;
    }
    used = read_all(c, s, side, bytes, len);
    if (used < len)
        read_kept(c, s, side, (const uint8_t *)bytes + used, len - used);
}

void talk_hole(void *context, struct stream *s, int side, enum stream_hole hole, uint32_t bytes)
{
    struct capture *c = context;
    struct talk *t = s->user;
    struct sight lost = {.kind = SIGHT_LOST, .lost.bytes = bytes};
    struct talk_side *me;

    if (hole == STREAM_LOST) {
        lost.at = c->at; /* perhaps a packet of another connection showed that this one is over */
        lost.at.from = side ? s->server : s->client;
        lost.at.to = side ? s->client : s->server;
        talk_tell(c, s, side, &lost);
    }
    if (!t)
        return;
    me = &t->sides[side];
    if (hole == STREAM_CUT && t->kind == TALK_SCCP && me->kept.len)
        talk_sccp_cut(c, s, side, me->kept.at, me->kept.len);
    if (t->kind == TALK_HTTP && side == 1 && t->in_body && !me->kept.len) {
        talk_http_hole(c, s, bytes);
        return;
    }
    if (me->skip >= bytes) {
        me->skip -= bytes;
        return;
    }
    me->skip = 0;
    me->lost = true;
    kept_free(c, &me->kept);
}

void talk_sign(void *context, struct stream *s, int side, const struct stream_sign *sign)
{
    struct sight sight = {
        .kind = SIGHT_TCP,
        .tcp = {sign->sign, sign->again, sign->after_ns, sign->sequence, sign->length}};
    struct talk *t = s->user;

    talk_tell(context, s, side, &sight);
    if (t && t->in_body && (sign->sign == TCP_RESET || (sign->sign == TCP_ENDING && side == 1)))
        talk_http_end(context, s,
                      sign->sign == TCP_ENDING && t->body.kind == HTTP_BODY_UNTIL_CLOSE);
}

void talk_gone(void *context, struct stream *s)
{
    struct talk *t = s->user;

    if (!t)
        return;
    if (t->in_body)
        talk_http_end(context, s, false);
    kept_free(context, &t->sides[0].kept);
    kept_free(context, &t->sides[1].kept);
    kept_free(context, &t->content);
    free(t);
    s->user = NULL;
}
