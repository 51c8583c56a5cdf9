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

struct sip_binding *sip_binding_put(struct sip_device *d, struct sip_binding *old,
                                    const struct sip_request *q, const struct sip_contact *contact)
{
    struct text user = text_of(q->reg.user), uri = contact->uri.all, id = q->message->call_id;
    struct sip_binding *b = calloc(1, sizeof(*b) + user.len + uri.len + id.len);

    if (!b)
        return NULL;
    b->device = d;
    b->flow = *q->flow;
    b->cseq = b->first_cseq = q->message->cseq;
    b->q = contact->q;
    b->n_user = (uint16_t)user.len;
    b->n_uri = (uint16_t)uri.len;
    b->n_call_id = (uint16_t)id.len;
    put(put(put(b->text, user), uri), id);
    if (old) {
        b->line = old->line;
        sip_binding_free(old);
    }
    append(d, b);
    if (q->link)
        list_append(&q->link->bindings, &b->on_link);
    return b;
}

void sip_binding_free(struct sip_binding *b)
{
    struct sip_binding **at = &b->device->bindings;

    while (*at != b)
        at = &(*at)->next;
    *at = b->next;
    list_remove(&b->on_link);
    free(b);
}
