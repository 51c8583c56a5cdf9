/* sip_bindings.c - contacts of a device: one block each, as long as its texts. */
#include <stdlib.h>
#include <string.h>

#include "station/sip_station.h"

struct sip_binding *sip_binding_of_line(const struct sip_device *d, unsigned line)
{
    for (struct sip_binding *b = d->bindings; b; b = b->next)
        if (b->line == line)
            return b;
    return NULL;
}

struct sip_binding *sip_binding_of_uri(const struct sip_device *d, const struct sip_uri *uri)
{
    struct sip_uri known;

    for (struct sip_binding *b = d->bindings; b; b = b->next)
        if (sip_uri_parse(binding_uri(b), &known) == 0 && sip_uri_equal(&known, uri))
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

static char *put(char *at, struct text t)
{
    memcpy(at, t.at, t.len);
    return at + t.len;
}

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

uint8_t *sip_source_count(const struct sip_stations *s, const struct endpoint *peer)
{
    uint64_t hash = hash_bytes(&peer->ip, sizeof(peer->ip)) + peer->port * 0x9E3779B1u;

    return &s->sources[hash % SIP_SOURCES];
}

/* A count that is full stays so: it is known for good. */
static void count_source(const struct sip_binding *b, int step)
{
    struct sip_flow flow = sip_binding_flow(b);
    uint8_t *n;

    if (flow.transport != SIP_UDP || !flow.peer.port)
        return; /* a new one has no flow yet */
    n = sip_source_count(b->device->owner, &flow.peer);
    if (*n < UINT8_MAX)
        *n = (uint8_t)(*n + step);
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
    b->transport = flow->transport;
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
                 const struct sip_contact *contact)
{
    b->cseq = b->first_cseq = q->message->cseq;
    b->q = contact->q;
    put(put(put(b->text, text_of(q->reg.user)), contact->uri.all), q->message->call_id);
}

struct sip_binding *sip_binding_put(struct sip_device *d, struct sip_binding *old,
                                    const struct sip_request *q, const struct sip_contact *contact)
{
    struct text user = text_of(q->reg.user), uri = contact->uri.all, id = q->message->call_id;
    struct sip_binding *b = calloc(1, sizeof(*b) + user.len + uri.len + id.len);

    if (!b)
        return NULL;
    b->device = d;
    sip_binding_follow(b, q->flow);
    b->n_user = (uint16_t)user.len;
    b->n_uri = (uint16_t)uri.len;
    b->n_call_id = (uint16_t)id.len;
    fill(b, q, contact);
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
    if (strlen(q->reg.user) != b->n_user || contact->uri.all.len != b->n_uri ||
        q->message->call_id.len != b->n_call_id)
        return false;
    fill(b, q, contact);
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
