/* bindings.c - contacts of a device: one block each, as long as its texts.
 *
 * There are as many as phones, and what the texts have in common with each other or with the device
 * is one byte of them: a mark, that no URI and no Call-ID has (RFC 3261 25.1). */
#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "station/sip/station.h"

struct sip_binding *sip_binding_of_line(const struct sip_device *d, unsigned line)
{
    for (struct sip_binding *b = d->bindings; b; b = b->next)
        if (b->line == line)
            return b;
    return NULL;
}

struct sip_binding *sip_binding_of_uri(const struct sip_device *d, const struct sip_uri *uri)
{
    struct sip_room room;
    struct sip_uri known;

    for (struct sip_binding *b = d->bindings; b; b = b->next)
        if (sip_uri_parse(sip_binding_uri(b, &room), &known) == 0 && sip_uri_equal(&known, uri))
            return b;
    return NULL;
}

static size_t texts_len(const struct sip_binding *b)
{
    return (size_t)b->n_user + b->n_uri + b->n_call_id;
}

static uint32_t way_kept(const struct sip_binding *b)
{
    uint32_t way;

    memcpy(&way, b->text + texts_len(b), sizeof(way));
    return way;
}

struct sip_binding *sip_binding_of_way(const struct sip_device *d, uint32_t way)
{
    for (struct sip_binding *b = d->bindings; b; b = b->next)
        if (b->has_way && way_kept(b) == way)
            return b;
    return NULL;
}

size_t sip_bindings_count(const struct sip_device *d)
{
    size_t n = 0;

    for (const struct sip_binding *b = d->bindings; b; b = b->next)
        n++;
    return n;
}

static void append(struct sip_device *d, struct sip_binding *b)
{
    struct sip_binding **at = &d->bindings;

    while (*at)
        at = &(*at)->next;
    *at = b;
}

/* --- texts in short --- */

enum mark { MARK_DIGITS = 1, MARK_HOST, MARK_UDP, MARK_TCP, MARK_SIP, N_MARKS };

struct marks {
    struct text stand_for[N_MARKS];
};

static bool ends_host(char c)
{
    return c == ':' || c == ';' || (uint8_t)c < N_MARKS;
}

/* Behind the @ of a URI as it is kept. */
static struct text host_of(struct text kept)
{
    const char *at = kept.len ? memchr(kept.at, '@', kept.len) : NULL;
    struct text host = {at, 0};

    if (!at)
        return TEXT("");
    host.at++;
    while (host.at + host.len < kept.at + kept.len && !ends_host(host.at[host.len]))
        host.len++;
    return host;
}

/* `uri` as it is kept, or empty for the marks of the URI itself. */
static struct marks marks_of(const struct sip_device *d, struct text uri)
{
    struct text name = text_of(d->station.name.s), digits = text_skip(name, name.len == 15 ? 3 : name.len);

    return (struct marks){{[MARK_DIGITS] = digits,
                           [MARK_HOST] = host_of(uri),
                           [MARK_UDP] = TEXT(";transport=udp"),
                           [MARK_TCP] = TEXT(";transport=tcp"),
                           [MARK_SIP] = TEXT("sip:")}};
}

static enum mark mark_at(const struct marks *m, struct text t)
{
    for (enum mark i = 1; i < N_MARKS; i++) {
        struct text s = m->stand_for[i];

        if (s.len > 1 && *t.at == *s.at && t.len >= s.len && !memcmp(t.at, s.at, s.len))
            return i;
    }
    return 0;
}

static char first_of(struct text t)
{
    return t.len ? *t.at : 0;
}

/* Never longer than it was. */
static size_t shorten(const struct marks *m, struct text t, char *to)
{
    char digits = first_of(m->stand_for[MARK_DIGITS]), host = first_of(m->stand_for[MARK_HOST]);
    size_t n = 0;

    while (t.len) {
        char c = *t.at;
        enum mark mark = c == digits || c == host || c == ';' || c == 's' ? mark_at(m, t) : 0;
        size_t len = mark ? m->stand_for[mark].len : 1;

        to[n++] = mark ? (char)mark : c;
        t = (struct text){t.at + len, t.len - len};
    }
    return n;
}

static struct text lengthen(const struct marks *m, struct text t, struct sip_room *room)
{
    size_t n = 0;

    for (size_t i = 0; i < t.len; i++) {
        uint8_t c = (uint8_t)t.at[i];
        struct text more = c < N_MARKS ? m->stand_for[c] : (struct text){t.at + i, 1};

        if (n + more.len > sizeof(room->bytes))
            break; /* no text was longer */
        if (more.len == 1)
            room->bytes[n] = (char)c;
        else
            memcpy(room->bytes + n, more.at, more.len);
        n += more.len;
    }
    return (struct text){room->bytes, n};
}

struct text sip_binding_uri(const struct sip_binding *b, struct sip_room *room)
{
    struct text kept = {b->text + b->n_user, b->n_uri};
    struct marks m = marks_of(b->device, TEXT(""));

    return b->plain ? kept : lengthen(&m, kept, room);
}

struct text sip_binding_call_id(const struct sip_binding *b, struct sip_room *room)
{
    struct text uri = {b->text + b->n_user, b->n_uri}, kept = {uri.at + uri.len, b->n_call_id};
    struct marks m;

    if (b->plain)
        return kept;
    m = marks_of(b->device, uri);
    return lengthen(&m, kept, room);
}

bool sip_binding_is_of_call(const struct sip_binding *b, struct text call_id)
{
    struct sip_room room;

    return text_equal(sip_binding_call_id(b, &room), call_id);
}

static_assert(sizeof(struct sip_room) == SIP_CONTACT_MAX && SIP_CALL_ID_MAX <= SIP_CONTACT_MAX,
              "a room takes either text");

/* What a binding keeps of a REGISTER. */
struct texts {
    char bytes[SIP_CONTACT_MAX + SIP_CALL_ID_MAX];
    struct text user, uri, call_id;
    bool plain;
};

static bool has_marks(struct text t)
{
    for (size_t i = 0; i < t.len; i++)
        if ((uint8_t)t.at[i] < N_MARKS)
            return true;
    return false;
}

static void texts_of(const struct sip_device *d, const struct sip_request *q,
                     const struct sip_contact *contact, struct texts *ret)
{
    struct text uri = contact->uri.all, id = q->message->call_id;
    struct marks m = marks_of(d, TEXT(""));

    ret->user = text_of(q->reg.user);
    ret->uri = uri;
    ret->call_id = id;
    ret->plain = id.len > SIP_CALL_ID_MAX || uri.len > SIP_CONTACT_MAX || has_marks(uri) || has_marks(id);
    if (ret->plain)
        return;
    ret->uri = (struct text){ret->bytes, shorten(&m, uri, ret->bytes)};
    m = marks_of(d, ret->uri);
    ret->call_id.at = ret->bytes + ret->uri.len;
    ret->call_id.len = shorten(&m, id, ret->bytes + ret->uri.len);
}

static char *put(char *at, struct text t)
{
    memcpy(at, t.at, t.len);
    return at + t.len;
}

/* --- where it is --- */

struct sip_flow sip_binding_flow(const struct sip_binding *b)
{
    struct sip_flow flow = {.transport = b->transport,
                            .link = b->link,
                            .peer = {{4, {0}}, b->peer_port},
                            .local = {{4, {0}}, b->local_port}};

    if (b->is_wide) {
        flow.peer.ip = b->wide[0];
        flow.local.ip = b->wide[1];
    } else {
        memcpy(flow.peer.ip.bytes, b->v4[0], sizeof(b->v4[0]));
        memcpy(flow.local.ip.bytes, b->v4[1], sizeof(b->v4[1]));
    }
    return flow;
}

struct sip_source *sip_source_of(const struct sip_stations *s, const struct endpoint *peer)
{
    uint64_t hash = hash_bytes(&peer->ip, sizeof(peer->ip)) + peer->port * 0x9E3779B1u;

    return &s->sources[hash % SIP_SOURCES];
}

static void count_source(const struct sip_binding *b, int step)
{
    struct sip_stations *s = b->device->owner;
    struct sip_flow flow = sip_binding_flow(b);
    struct sip_source *source;

    if (flow.transport != SIP_UDP || !flow.peer.port)
        return; /* a new one has no flow yet */
    source = sip_source_of(s, &flow.peer);
    if (!source->n)
        source->since_s = (uint16_t)(s->registry->now.ms / 1000 & SIP_SOURCE_SECONDS);
    if (source->n < SIP_SOURCE_FULL)
        source->n = (uint16_t)(source->n + step) & SIP_SOURCE_FULL;
}

static bool has_flow(const struct sip_binding *b, const struct sip_flow *flow)
{
    struct sip_flow has = sip_binding_flow(b);

    return has.transport == flow->transport && has.link == flow->link &&
           endpoint_equal(&has.peer, &flow->peer) && endpoint_equal(&has.local, &flow->local);
}

void sip_binding_follow(struct sip_binding *b, const struct sip_flow *flow)
{
    bool wide = flow->peer.ip.family != 4 || flow->local.ip.family != 4;
    struct ip *room = wide ? malloc(2 * sizeof(*room)) : NULL;

    if ((wide && !room) || has_flow(b, flow)) {
        free(room);
        return;
    }
    count_source(b, -1);
    if (b->is_wide)
        free(b->wide);
    b->is_wide = wide;
    if (wide) {
        b->wide = room;
        room[0] = flow->peer.ip;
        room[1] = flow->local.ip;
    } else {
        memcpy(b->v4[0], flow->peer.ip.bytes, sizeof(b->v4[0]));
        memcpy(b->v4[1], flow->local.ip.bytes, sizeof(b->v4[1]));
    }
    b->transport = flow->transport & 3;
    b->link = flow->link;
    b->peer_port = flow->peer.port;
    b->local_port = flow->local.port;
    count_source(b, 1);
}

static void detach(struct sip_binding *b)
{
    struct sip_binding **at = &b->device->bindings;

    while (*at != b)
        at = &(*at)->next;
    *at = b->next;
    b->next = NULL;
}

static void fill(struct sip_binding *b, const struct sip_request *q,
                 const struct sip_contact *contact, const struct texts *t)
{
    b->cseq = q->message->cseq;
    b->renewed = false;
    b->q = contact->q & 1023;
    b->plain = t->plain;
    put(put(put(b->text, t->user), t->uri), t->call_id);
    if (b->has_way)
        memcpy(b->text + texts_len(b), &q->way, sizeof(q->way));
}

struct sip_binding *sip_binding_put(struct sip_device *d, struct sip_binding *old,
                                    const struct sip_request *q, const struct sip_contact *contact)
{
    struct sip_binding *b;
    struct texts t;

    texts_of(d, q, contact, &t);
    b = calloc(1, offsetof(struct sip_binding, text) + t.user.len + t.uri.len + t.call_id.len +
                      (q->way ? sizeof(q->way) : 0));
    if (!b)
        return NULL;
    b->device = d;
    sip_binding_follow(b, q->flow);
    b->n_user = (uint8_t)t.user.len;
    b->n_uri = (uint16_t)t.uri.len;
    b->n_call_id = (uint16_t)t.call_id.len;
    b->has_way = q->way;
    fill(b, q, contact, &t);
    if (old) {
        b->line = old->line;
        sip_binding_free(old);
    }
    append(d, b);
    if (q->link)
        list_append(&q->link->bindings, &b->on_link);
    return b;
}

bool sip_binding_renew(struct sip_binding *b, const struct sip_request *q,
                       const struct sip_contact *contact)
{
    struct texts t;

    texts_of(b->device, q, contact, &t);
    if (t.user.len != b->n_user || t.uri.len != b->n_uri || t.call_id.len != b->n_call_id || b->has_way != !!q->way)
        return false;
    fill(b, q, contact, &t);
    detach(b);
    append(b->device, b);
    return true;
}

void sip_binding_free(struct sip_binding *b)
{
    detach(b);
    list_remove(&b->on_link);
    count_source(b, -1);
    if (b->is_wide)
        free(b->wide);
    free(b);
}
