/* clients.c - plain SIP clients: one or several contacts an address of record (RFC 3261 10.3).
 */
#include "base/map.h"
#include "core/counters.h"
#include "station/sip/proof.h"
#include "station/sip/station.h"

static void remove_binding(struct sip_binding *b, const struct sip_request *q)
{
    struct sip_link *l = sip_link_find(q->owner, b->link);

    sip_binding_free(b);
    if (l && l != q->link && list_is_empty(&l->bindings))
        sip_link_step(l, SIP_LINK_EV_LEFT, q->effects);
}

/* A registrar may shorten what it is asked for (RFC 3261 10.3 step 7): in a storm it does. */
static uint32_t granted_s(struct sip_device *d, int64_t longest)
{
    uint32_t third = (uint32_t)longest / 3,
             least = (uint32_t)SETTING_OF(&d->station, sip_minimum_expires);

    return registry_spread_s(d->station.registry, CALENDAR_CONTACTS, (uint32_t)longest,
                             third > least ? third : least);
}

/* It is reached as this request came from now on. */
static void follow(struct sip_binding *b, const struct sip_request *q)
{
    struct sip_link *old = sip_link_find(q->owner, b->link);

    sip_binding_follow(b, q->flow);
    list_remove(&b->on_link);
    if (q->link)
        list_append(&q->link->bindings, &b->on_link);
    if (old && old != q->link && list_is_empty(&old->bindings))
        sip_link_step(old, SIP_LINK_EV_LEFT, q->effects);
}

/* A client that comes by another connection, as after its NAT has forgotten the first, says that it is the same (RFC 5626 6):
 * then the old one is of no use. A flow is a connection; by UDP it would be kept open by STUN, which nobody answers here. */
static uint32_t way_of(const struct sip_request *q, const struct sip_contact *c)
{
    if (!q->link || !c->reg_id || !c->instance.len || !sip_has_token(q->message, SIP_SUPPORTED, "outbound"))
        return 0;
    return (uint32_t)(hash_bytes(c->instance.at, c->instance.len) + c->reg_id * 0x9E3779B1u) | 1;
}

static struct sip_binding *binding_of(const struct sip_device *d, const struct sip_contact *c, uint32_t way)
{
    struct sip_binding *b = way ? sip_binding_of_way(d, way) : NULL;

    return b ? b : sip_binding_of_uri(d, &c->uri);
}

/* A client that crashes says nothing of its contact before it comes with the next: who was not heard for
 * longest goes. */
static void make_room(struct sip_device *d, const struct sip_request *q)
{
    while (sip_bindings_count(d) >= SIP_CONTACTS_MAX)
        remove_binding(d->bindings, q);
}

static void take_contact(struct sip_device *d, struct sip_request *q, const struct sip_contact *c)
{
    struct sip_binding *b = binding_of(d, c, q->way = way_of(q, c));
    int64_t most = SETTING_OF(&d->station, sip_maximum_expires), s = sip_contact_asks_s(&q->reg, c);

    if (b && s && sip_binding_renew(b, q, c)) {
        follow(b, q);
    } else {
        if (b)
            remove_binding(b, q);
        if (!s)
            return;
        make_room(d, q);
        b = sip_binding_put(d, NULL, q, c);
    }
    if (!b)
        return; /* no memory: it is not among the contacts of the answer */
    b->expires_ms = q->owner->registry->now.ms + granted_s(d, s < most ? s : most) * 1000ull;
    if (q->link)
        sip_link_step(q->link, SIP_LINK_EV_REGISTERED, q->effects);
}

static void take_contacts(struct sip_device *d, struct sip_request *q, struct effects *e)
{
    d->station.heard_ms = q->owner->registry->now.ms;
    d->station.peer = q->flow->peer;
    while (q->reg.all && d->bindings)
        remove_binding(d->bindings, q);
    for (size_t i = 0; i < q->reg.n_contacts; i++)
        take_contact(d, q, &q->reg.contacts[i]);
}

/* RFC 3261 10.3 steps 6 and 7, before anything is changed: 0, or the status. */
static uint16_t check_contacts(const struct sip_request *q, const struct sip_device *d)
{
    for (const struct sip_binding *b = d && q->reg.all ? d->bindings : NULL; b; b = b->next)
        if (q->message->cseq <= b->cseq && sip_binding_is_of_call(b, q->message->call_id))
            return 500;
    for (size_t i = 0; i < q->reg.n_contacts; i++) {
        const struct sip_contact *c = &q->reg.contacts[i];
        const struct sip_binding *b = d ? sip_binding_of_uri(d, &c->uri) : NULL;
        int64_t s = sip_contact_asks_s(&q->reg, c);

        if (s && s < SETTING_OF(q->owner, sip_minimum_expires))
            return 423;
        if (b && q->message->cseq < b->cseq && sip_binding_is_of_call(b, q->message->call_id))
            return 500;
    }
    return 0;
}

static bool asks_for_some(const struct sip_register *r)
{
    for (size_t i = 0; i < r->n_contacts; i++)
        if (sip_contact_asks_s(r, &r->contacts[i]))
            return true;
    return false;
}

static struct sip_device *client_new(struct sip_request *q, const struct phone *phone)
{
    struct device_name name = device_name_of(text_of(phone->name));
    struct sip_device *d = sip_device_new(q->owner, name, q->flow);

    if (!d)
        return NULL;
    d->station.protocol = PROTOCOL_SIP_THIRD_PARTY;
    d->station.model = (uint32_t)phone->model;
    station_set_load(&d->station, sip_value(q->message, SIP_USER_AGENT));
    return d;
}

static void take(struct sip_request *q, const struct phone *phone, struct sip_device *d)
{
    if (!d && !asks_for_some(&q->reg)) {
        sip_answer_contacts(q, NULL);
        return;
    }
    if (!d)
        d = client_new(q, phone);
    if (!d) {
        sip_answer_busy(q, "Too many devices");
        return;
    }
    sip_device_step(d, &(struct sip_input){.event = SIP_EV_CONTACTS, .request = q}, q->effects);
    if (q->link && q->link->state == SIP_LINK_USED)
        sip_link_step(q->link, SIP_LINK_EV_LEFT, q->effects);
}

void sip_client_register(struct sip_request *q)
{
    const struct phone *phone = sip_client_prove(q);
    struct sip_device *d;
    uint16_t status;

    if (!phone)
        return;
    q->known = true;
    d = sip_device_find(q->owner, device_name_of(text_of(phone->name)));
    status = check_contacts(q, d);
    if (status == 423)
        sip_answer_too_brief(q, (uint32_t)SETTING_OF(q->owner, sip_minimum_expires));
    else if (status)
        sip_answer(q, status, "CSeq Out of Order");
    else if (!q->reg.n_contacts && !q->reg.all)
        sip_answer_contacts(q, d);
    else
        take(q, phone, d);
}

/* --- acts of the rows in station.c --- */

void sip_client_take_contacts(struct sip_device *d, const struct sip_input *in, struct effects *e)
{
    in->request->known = true;
    d->proven = true; /* a password is no forgery */
    take_contacts(d, in->request, e);
    sip_answer_contacts(in->request, d);
}

void sip_client_welcome(struct sip_device *d, const struct sip_input *in, struct effects *e)
{
    station_take_name(&d->station, e);
    if (station_enter_name(&d->station) < 0)
        return;
    sip_client_take_contacts(d, in, e);
    if (d->bindings)
        sip_arrive(d, ALARM_ENDPOINT_REGISTERED, e);
}

void sip_client_drop_expired(struct sip_device *d, const struct sip_input *in, struct effects *e)
{
    uint64_t now = d->owner->registry->now.ms;

    for (struct sip_binding *b = d->bindings, *next; b; b = next) {
        next = b->next;
        if (b->expires_ms <= now)
            sip_binding_free(b);
    }
}
