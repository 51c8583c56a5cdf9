/* resolve.c - from a URI to addresses (RFC 3263 4). */
#include "wire/sip/resolve.h"

#include <errno.h>

/* Services of DNS by transport (RFC 3263 4.1). */
static const struct {
    const char *naptr, *srv;
    uint16_t port;
} services[] = {
    [SIP_UDP] = {"SIP+D2U", "_sip._udp.", 5060},
    [SIP_TCP] = {"SIP+D2T", "_sip._tcp.", 5060},
    [SIP_TLS] = {"SIPS+D2T", "_sips._tcp.", 5061},
};

void sip_resolve_uri(const struct sip_uri *uri, struct sip_wish *ret)
{
    struct text value;

    ret->secure = uri->scheme == SIP_URI_SIPS;
    ret->port = uri->port;
    ret->host = sip_parameter(uri->parameters, "maddr", &value) ? value : uri->host;
    ret->transport = SIP_ANY_TRANSPORT;
    if (!sip_parameter(uri->parameters, "transport", &value))
        return;
    if (text_equal_nocase(value, TEXT("udp")))
        ret->transport = SIP_UDP;
    else if (text_equal_nocase(value, TEXT("tcp")))
        ret->transport = ret->secure ? SIP_TLS : SIP_TCP;
    else if (text_equal_nocase(value, TEXT("tls")))
        ret->transport = SIP_TLS;
}

static bool can_do(const struct sip_resolve *r, uint8_t transport)
{
    if (r->wish.secure && transport != SIP_TLS)
        return false;
    for (uint8_t i = 0; i < r->wish.n_transports; i++)
        if (r->wish.transports[i] == transport)
            return true;
    return false;
}

/* NULL when there are too many. */
static struct sip_host *host_add(struct sip_resolve *r, const char *name, uint16_t port,
                                 uint8_t transport)
{
    struct sip_host *h;

    if (r->n_hosts == SIP_HOSTS_MAX)
        return NULL;
    h = &r->hosts[r->n_hosts++];
    *h = (struct sip_host){.port = port, .transport = transport};
    text_copy(h->name, sizeof(h->name), text_of(name));
    return h;
}

static void service_add(struct sip_resolve *r, const char *prefix, const char *name,
                        uint8_t transport)
{
    struct writer w;

    if (r->n_services == sizeof(r->services) / sizeof(*r->services) ||
        strlen(prefix) + strlen(name) >= DNS_NAME_MAX)
        return;
    w = writer_of(r->services[r->n_services].name, DNS_NAME_MAX);
    write_format(&w, "%s%s", prefix, name);
    write_u8(&w, '\0');
    r->services[r->n_services++].transport = transport;
}

static uint8_t plain_transport(const struct sip_resolve *r)
{
    if (r->wish.transport != SIP_ANY_TRANSPORT)
        return r->wish.transport;
    if (r->wish.secure)
        return SIP_TLS;
    return can_do(r, SIP_UDP) || !r->wish.n_transports ? SIP_UDP : r->wish.transports[0];
}

static void host_enter(struct sip_resolve *r)
{
    r->address = 0;
    r->n_addresses = ip_parse(text_of(r->hosts[r->host].name), &r->addresses[0]) == 0;
    r->asking = r->n_addresses ? 0 : DNS_A;
    r->phase = SIP_ASKING_HOST;
}

/* The host itself, without SRV: an address, a port that is said, or nothing better found. */
static void take_host(struct sip_resolve *r)
{
    uint8_t transport = plain_transport(r);

    r->n_hosts = r->host = 0;
    host_add(r, r->name, r->wish.port ? r->wish.port : services[transport].port, transport);
    host_enter(r);
}

static void ask_services(struct sip_resolve *r)
{
    if (r->wish.transport != SIP_ANY_TRANSPORT)
        service_add(r, services[r->wish.transport].srv, r->name, r->wish.transport);
    for (uint8_t i = 0; r->wish.transport == SIP_ANY_TRANSPORT && i < r->wish.n_transports; i++)
        if (can_do(r, r->wish.transports[i]))
            service_add(r, services[r->wish.transports[i]].srv, r->name, r->wish.transports[i]);
    r->phase = SIP_ASKING_SRV;
}

int sip_resolve_start(struct sip_resolve *r, const struct sip_wish *wish)
{
    struct ip literal;

    *r = (struct sip_resolve){.wish = *wish};
    if (!wish->host.len || wish->host.len >= DNS_NAME_MAX - 1 ||
        memchr(wish->host.at, '\0', wish->host.len))
        return -EINVAL;
    text_copy(r->name, sizeof(r->name), wish->host);
    if (r->name[wish->host.len - 1] == '.')
        r->name[wish->host.len - 1] = '\0';
    r->wish.host = text_of(r->name);
    if (!can_do(r, plain_transport(r)))
        return -EINVAL;
    if (ip_parse(r->wish.host, &literal) == 0 || wish->port)
        take_host(r);
    else if (wish->naptr && wish->transport == SIP_ANY_TRANSPORT)
        r->phase = SIP_ASKING_NAPTR;
    else
        ask_services(r);
    return 0;
}

/* ---- answers ---- */

static int transport_of(struct text service)
{
    for (int i = SIP_UDP; i <= SIP_TLS; i++)
        if (text_equal_nocase(service, text_of(services[i].naptr)))
            return i;
    return -1;
}

static bool comes_before(const struct sip_resolve *r, size_t a, size_t b)
{
    return r->services[a].order < r->services[b].order ||
           (r->services[a].order == r->services[b].order &&
            r->services[a].preference < r->services[b].preference);
}

static void sort_services(struct sip_resolve *r)
{
    for (size_t i = 1; i < r->n_services; i++)
        for (size_t at = i; at > 0 && comes_before(r, at, at - 1); at--) {
            __typeof__(r->services[0]) moved = r->services[at];

            r->services[at] = r->services[at - 1];
            r->services[at - 1] = moved;
        }
}

/* RFC 3263 4.1: what we cannot do is left out; flag "s" leads to SRV. */
static void take_naptr(struct sip_resolve *r, const struct dns_message *m)
{
    for (uint8_t i = 0; m && i < m->n_records; i++) {
        const struct dns_record *rr = &m->records[i];
        int transport = rr->type == DNS_NAPTR ? transport_of(rr->service) : -1;
        uint8_t before = r->n_services;

        if (rr->section != DNS_ANSWER || transport < 0 || !can_do(r, (uint8_t)transport) ||
            !text_equal_nocase(rr->flags, TEXT("s")) || !rr->target[0])
            continue;
        service_add(r, "", rr->target, (uint8_t)transport);
        if (r->n_services == before)
            continue;
        r->services[before].order = rr->priority;
        r->services[before].preference = rr->weight;
    }
    sort_services(r);
    if (r->n_services)
        r->phase = SIP_ASKING_SRV;
    else
        ask_services(r);
}

static uint32_t draw(struct sip_resolve *r, uint32_t below)
{
    r->wish.random = r->wish.random * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)r->wish.random * below >> 32);
}

/* RFC 2782: of those with the lowest priority, one by chance, the heavier the likelier. */
static size_t choose(struct sip_resolve *r, size_t from)
{
    uint32_t sum = 0, drawn;
    uint16_t least = UINT16_MAX;
    size_t last = from;

    for (size_t i = from; i < r->n_hosts; i++)
        if (r->hosts[i].priority < least)
            least = r->hosts[i].priority;
    for (size_t i = from; i < r->n_hosts; i++)
        sum += r->hosts[i].priority == least ? r->hosts[i].weight : 0u;
    drawn = draw(r, sum + 1);
    sum = 0;
    for (size_t i = from; i < r->n_hosts; i++) {
        if (r->hosts[i].priority != least)
            continue;
        last = i;
        sum += r->hosts[i].weight;
        if (sum >= drawn)
            break;
    }
    return last;
}

static void order_hosts(struct sip_resolve *r)
{
    for (size_t i = 0; i < r->n_hosts; i++) {
        size_t chosen = choose(r, i);
        struct sip_host h = r->hosts[chosen];

        memmove(&r->hosts[i + 1], &r->hosts[i], (chosen - i) * sizeof(h));
        r->hosts[i] = h;
    }
}

static void take_srv(struct sip_resolve *r, const struct dns_message *m)
{
    uint8_t transport = r->services[r->service].transport;

    r->n_hosts = r->host = 0;
    for (uint8_t i = 0; m && i < m->n_records; i++) {
        const struct dns_record *rr = &m->records[i];
        struct sip_host *h;

        if (rr->section != DNS_ANSWER || rr->type != DNS_SRV)
            continue;
        if (!rr->target[0]) { /* ".": decidedly not there */
            r->none = true;
            continue;
        }
        if (!(h = host_add(r, rr->target, rr->port, transport)))
            continue;
        h->priority = rr->priority;
        h->weight = rr->weight;
    }
    r->service++;
    if (!r->n_hosts)
        return;
    r->found = true;
    order_hosts(r);
    host_enter(r);
}

static void take_addresses(struct sip_resolve *r, const struct dns_message *m, uint16_t type)
{
    for (uint8_t i = 0; m && i < m->n_records; i++)
        if (m->records[i].section == DNS_ANSWER && m->records[i].type == type &&
            r->n_addresses < SIP_ADDRESSES_MAX)
            r->addresses[r->n_addresses++] = m->records[i].ip;
    r->asking = type == DNS_A && r->wish.ipv6 ? DNS_AAAA : 0;
}

void sip_resolve_answer(struct sip_resolve *r, const struct dns_message *m)
{
    uint16_t asked = r->asking;

    if (m && m->rcode)
        m = NULL;
    r->asking = 0;
    if (asked == DNS_NAPTR)
        take_naptr(r, m);
    else if (asked == DNS_SRV)
        take_srv(r, m);
    else if (asked)
        take_addresses(r, m, asked);
}

/* ---- steps ---- */

static enum sip_resolve_step ask(struct sip_resolve *r, struct sip_question *q, uint16_t type,
                                 const char *name)
{
    r->asking = type;
    q->type = type;
    text_copy(q->name, sizeof(q->name), text_of(name));
    return SIP_RESOLVE_ASK;
}

static enum sip_resolve_step aim(struct sip_resolve *r, struct sip_target *t)
{
    const struct sip_host *h = &r->hosts[r->host];

    *t =
        (struct sip_target){.transport = h->transport, .to = {r->addresses[r->address++], h->port}};
    text_copy(t->host, sizeof(t->host), r->wish.host);
    return SIP_RESOLVE_TRY;
}

/* The present host has been tried with all its addresses: the next of its service, the next
 * service, or, if there was none at all, the name itself. */
static void host_leave(struct sip_resolve *r)
{
    if (++r->host < r->n_hosts)
        host_enter(r);
    else
        r->phase = r->service < r->n_services ? SIP_ASKING_SRV : SIP_RESOLVED;
}

enum sip_resolve_step sip_resolve_next(struct sip_resolve *r, struct sip_question *question,
                                       struct sip_target *target)
{
    for (;;) {
        switch (r->phase) {
        case SIP_ASKING_NAPTR:
            return ask(r, question, DNS_NAPTR, r->name);
        case SIP_ASKING_SRV:
            if (r->service < r->n_services)
                return ask(r, question, DNS_SRV, r->services[r->service].name);
            if (r->found || r->none)
                return SIP_RESOLVE_END;
            take_host(r);
            break;
        case SIP_ASKING_HOST:
            if (r->asking)
                return ask(r, question, r->asking, r->hosts[r->host].name);
            if (r->address < r->n_addresses)
                return aim(r, target);
            host_leave(r);
            break;
        case SIP_RESOLVED:
            return SIP_RESOLVE_END;
        }
    }
}
