/* replies.c - what the DHCP server answers, where it goes, and when it leaves. */
#include <string.h>

#include "base/log.h"
#include "core/counters.h"
#include "provision/dhcp/server_own.h"

#define BROADCAST_ADDRESS 0xffffffffu
#define EVENTS_MAX        8192 /* told at once; then so many a second: */
#define EVENTS_PER_S      4096

/* --- progress --- */

/* Boots of many phones at once tell their ends rather than their beginnings. */
static bool may_tell(struct dhcp_server *s, enum progress_stage stage, uint64_t now_ms)
{
    bool early = stage != PROGRESS_DHCP_ACK && stage != PROGRESS_DHCP_NAK;

    if (now_ms > s->event_ms) {
        s->event_tokens += (now_ms - s->event_ms) * EVENTS_PER_S / 1000;
        s->event_ms = now_ms;
        if (s->event_tokens > EVENTS_MAX)
            s->event_tokens = EVENTS_MAX;
    }
    if (s->event_tokens < (early ? EVENTS_MAX / 4 : 1)) {
        count(COUNT_DHCP_EVENTS_SKIPPED);
        return false;
    }
    s->event_tokens--;
    return true;
}

void dhcp_tell(struct request *r, enum progress_stage stage, uint32_t address)
{
    struct progress_event e = {.device = r->device, .mac = r->mac, .stage = (uint16_t)stage};

    if (!r->phone || !may_tell(r->s, stage, r->now_ms))
        return;
    if (address)
        e.ip = ip_v4(address);
    if (stage == PROGRESS_DHCP_DISCOVER && dhcp_has(r->m, DHCP_vendor_class))
        text_copy(e.detail, sizeof(e.detail), r->m->vendor_class);
    r->s->sink.progress(r->s->sink.context, &e);
}

/* --- options --- */

static bool wants(const struct request *r, uint8_t code)
{
    return !dhcp_has(r->m, DHCP_parameters) || dhcp_asks(r->m, code);
}

static struct dhcp_addresses addresses(const struct address_list *list)
{
    struct dhcp_addresses a = {.n = list->n};

    memcpy(a.at, list->at, list->n * sizeof(a.at[0]));
    return a;
}

/* siaddr, 66 and 150 name the same server: which of them a device believes differs. */
static void put_boot(struct request *r, const struct subnet *subnet, struct dhcp_message *out,
                     char *name)
{
    uint32_t tftp = r->s->settings.tftp ? r->s->settings.tftp : r->server_id;
    struct dhcp_addresses servers = {1, {tftp}};

    if (r->overridden && !r->s->settings.tftp)
        servers.at[0] =
            r->in->n ? r->in->address[0] : r->p->to; /* the relay agent serves no files */
    if (subnet && subnet->tftp.n)
        servers = addresses(&subnet->tftp);
    out->siaddr = servers.at[0];
    if (!r->phone && !wants(r, DHCP_tftp_servers) && !wants(r, DHCP_tftp_name))
        return;
    dhcp_set_tftp_servers(out, servers);
    dhcp_set_tftp_name(out, subnet && subnet->tftp_name[0]
                                ? text_of(subnet->tftp_name)
                                : text_of(ip_print(ip_v4(servers.at[0]), name)));
}

static void put_network(struct request *r, const struct subnet *s, struct dhcp_message *out)
{
    dhcp_set_subnet_mask(out, s->mask);
    if (s->routers.n)
        dhcp_set_routers(out, addresses(&s->routers));
    if (s->dns.n && wants(r, DHCP_dns_servers))
        dhcp_set_dns_servers(out, addresses(&s->dns));
    if (s->domain[0] && wants(r, DHCP_domain_name))
        dhcp_set_domain_name(out, text_of(s->domain));
    if (s->ntp.n && wants(r, DHCP_ntp_servers))
        dhcp_set_ntp_servers(out, addresses(&s->ntp));
    if (dhcp_has(r->m, DHCP_parameters) && dhcp_asks(r->m, DHCP_broadcast))
        dhcp_set_broadcast(out, s->network | ~s->mask);
}

static void put_lease(struct request *r, const struct subnet *s, const struct lease *lease,
                      struct dhcp_message *out)
{
    out->yiaddr = lease->address;
    if (out->type == DHCP_BOOTP)
        return;
    dhcp_set_lease_s(out, s->lease_s);
    dhcp_set_renewal_s(out, s->lease_s / 2);
    dhcp_set_rebinding_s(out, (uint32_t)((uint64_t)s->lease_s * 7 / 8));
    if (r->device.s[0] && dhcp_has(r->m, DHCP_parameters) && dhcp_asks(r->m, DHCP_host_name))
        dhcp_set_host_name(out, text_of(r->device.s));
}

/* RFC 2131 4.3.1 table 3; the client identifier comes back (RFC 6842), and so does option 82. */
static void fill(struct request *r, enum dhcp_type type, size_t scope, const struct lease *lease,
                 struct dhcp_message *out, char *tftp_name)
{
    const struct subnet *subnet =
        scope == NO_SCOPE ? NULL : &leases_subnets(r->s->leases)->at[scope];

    dhcp_init(out, DHCP_BOOTREPLY, r->m->xid, r->mac);
    out->htype = r->m->htype;
    out->hlen = r->m->hlen;
    memcpy(out->chaddr, r->m->chaddr, sizeof(out->chaddr));
    out->flags = r->m->flags;
    out->giaddr = r->m->giaddr;
    out->cookie = r->m->cookie;
    if (type != DHCP_BOOTP) {
        dhcp_set_type(out, (uint8_t)type);
        dhcp_set_server_id(out, r->server_id);
        if (dhcp_has(r->m, DHCP_client_id))
            dhcp_set_client_id(out, r->m->client_id);
    }
    if (dhcp_has(r->m, DHCP_relay))
        dhcp_set_relay(out, r->m->relay);
    if (type == DHCP_NAK) {
        if (r->m->giaddr) /* RFC 2131 4.3.2: the relay agent must broadcast it */
            out->flags |= DHCP_BROADCAST;
        dhcp_set_message(out, TEXT("address not usable here"));
        return;
    }
    if (dhcp_has(r->m, DHCP_parameters))
        out->order = r->m->parameters;
    if (type == DHCP_ACK)
        out->ciaddr = r->m->ciaddr;
    if (lease)
        put_lease(r, subnet, lease, out);
    if (subnet && !r->s->settings.sidecar)
        put_network(r, subnet, out);
    put_boot(r, subnet, out, tftp_name);
    if (type == DHCP_BOOTP && out->tftp_name.len < 64) /* the field of that time (RFC 951) */
        out->sname = out->tftp_name;
}

/* --- where to --- */

static bool is_inform(const struct request *r)
{
    return dhcp_has(r->m, DHCP_type) && r->m->type == DHCP_INFORM;
}

/* RFC 2131 4.1. A sidecar's OFFER has no address to go to and is broadcast. */
static void address_reply(const struct request *r, enum dhcp_type type,
                          const struct dhcp_message *out, struct dhcp_reply *to)
{
    bool odd_port = r->s->settings.port && r->s->settings.port != DHCP_SERVER_PORT;
    uint32_t has = is_inform(r) && !r->m->ciaddr ? r->p->from : r->m->ciaddr;

    *to = (struct dhcp_reply){.interface = r->p->interface, .mac = r->mac};
    to->from = r->in->n ? r->in->address[0] : r->p->to;
    if (!r->overridden)
        to->from = r->server_id;
    to->to_port = odd_port ? r->p->from_port : DHCP_CLIENT_PORT;
    if (r->m->giaddr) {
        to->to = r->m->giaddr;
        to->to_port = odd_port ? r->p->from_port : DHCP_SERVER_PORT;
    } else if (type == DHCP_NAK) {
        to->to = BROADCAST_ADDRESS;
    } else if (has) {
        to->to = has;
    } else if (r->m->flags & DHCP_BROADCAST || !out->yiaddr || !mac_number(r->mac)) {
        to->to = BROADCAST_ADDRESS;
    } else {
        to->to = out->yiaddr;
        to->frame = true;
    }
}

/* --- when --- */

struct waiting {
    uint64_t ticket;
    struct dhcp_reply reply; /* bytes: behind this struct */
    bool tell;
    struct progress_event event;
};

static void count_reply(enum dhcp_type type)
{
    if (type == DHCP_OFFER)
        count(COUNT_DHCP_OFFERS);
    else if (type == DHCP_NAK)
        count(COUNT_DHCP_NAKS);
    else
        count(COUNT_DHCP_ACKS);
}

static void wait_for_disk(struct request *r, const struct dhcp_reply *reply, uint32_t address,
                          uint64_t ticket)
{
    struct waiting *w = reply_queue_put(&r->s->acks, sizeof(*w) + reply->len);

    if (!w) {
        count(COUNT_DHCP_QUEUE_FULL);
        return; /* the client asks again */
    }
    w->ticket = ticket;
    w->reply = *reply;
    memcpy(w + 1, reply->bytes, reply->len);
    w->tell = r->phone;
    if (w->tell)
        w->event = (struct progress_event){
            .device = r->device, .mac = r->mac, .ip = ip_v4(address), .stage = PROGRESS_DHCP_ACK};
}

void dhcp_release_acks(struct dhcp_server *s, uint64_t batch)
{
    struct waiting *w;

    while ((w = reply_queue_first(&s->acks)) && w->ticket <= batch) {
        w->reply.bytes = (const uint8_t *)(w + 1);
        count_reply(DHCP_ACK);
        s->sink.send(s->sink.context, &w->reply);
        if (w->tell && may_tell(s, PROGRESS_DHCP_ACK, s->event_ms))
            s->sink.progress(s->sink.context, &w->event);
        reply_queue_drop(&s->acks);
    }
}

void dhcp_answer(struct request *r, enum dhcp_type type, size_t scope, const struct lease *lease,
                 uint64_t ticket)
{
    struct dhcp_message out;
    struct dhcp_reply reply;
    uint8_t bytes[DHCP_MAX_SIZE];
    char tftp_name[IP_TEXT_MAX];
    int n;

    fill(r, type, scope, lease, &out, tftp_name);
    n = dhcp_encode(&out, bytes, dhcp_room(r->m));
    if (n < 0) {
        log_warning("dhcp", "the options of scope %s do not fit into an answer: shorten its lists",
                    scope == NO_SCOPE ? "-" : leases_subnets(r->s->leases)->at[scope].name);
        return;
    }
    address_reply(r, type, &out, &reply);
    reply.bytes = bytes;
    reply.len = (size_t)n;
    if (ticket) {
        wait_for_disk(r, &reply, out.yiaddr, ticket);
        return;
    }
    count_reply(type);
    r->s->sink.send(r->s->sink.context, &reply);
    if (type == DHCP_ACK && lease)
        dhcp_tell(r, PROGRESS_DHCP_ACK, lease->address);
}
