/* clients.c - who asks the DHCP server, from which network, and what they have there. */
#include <string.h>

#include "base/log.h"
#include "core/counters.h"
#include "provision/dhcp/server_own.h"

#define TOPIC "dhcp"

/* --- who asks, from where --- */

static bool starts_like_device(struct text name)
{
    static const char *const kinds[] = {"SEP", "SIP", "ATA", "CIPC"};
    struct mac mac;

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        size_t n = strlen(kinds[i]);

        if (name.len >= n + 12 && text_starts_nocase(name, kinds[i]) &&
            mac_parse((struct text){name.at + n, 12}, &mac) == 0)
            return true;
    }
    return false;
}

/* The strings real phones send begin in several ways, often end in a NUL, and once say "System". */
bool dhcp_from_phone(const struct dhcp_message *m)
{
    struct text class = dhcp_has(m, DHCP_vendor_class) ? m->vendor_class : TEXT("");

    if (text_starts(class, "Cisco System") && text_contains_nocase(class, TEXT("Phone")))
        return true;
    if (text_starts(class, "CP-") || text_starts(class, "ATA") || text_starts(class, "CISCO ATA"))
        return true;
    if (text_is(class, "Cisco Systems, Inc.")) /* a 6901, or any other box of theirs */
        return dhcp_asks(m, DHCP_tftp_servers) || dhcp_asks(m, DHCP_tftp_name);
    return dhcp_has(m, DHCP_host_name) && starts_like_device(m->host_name);
}

static bool on_link(const struct request *r, const struct subnet *subnet)
{
    if (r->link)
        return subnet_has(subnet, r->link);
    for (uint8_t i = 0; i < r->in->n; i++)
        if (subnet_has(subnet, r->in->address[i]))
            return true;
    return false;
}

/* A unicast renewal reaches us straight from another network than that of our interface. */
static uint32_t link_of(const struct request *r, const struct dhcp_relay *relay)
{
    if (relay->link_selection)
        return relay->link_selection;
    if (r->m->giaddr)
        return r->m->giaddr;
    return r->m->ciaddr && r->p->from == r->m->ciaddr ? r->m->ciaddr : 0;
}

/* Who has a lease there was a phone when it got it, whatever its renewal leaves out. */
static bool may_use(const struct request *r, size_t scope)
{
    return r->phone || !leases_subnets(r->s->leases)->at[scope].phones_only ||
           lease_of(r->s->leases, scope, &r->client);
}

static void find_scopes(struct request *r)
{
    const struct subnets *subnets = leases_subnets(r->s->leases);

    for (size_t i = 0; i < subnets->n && r->n_scopes < DHCP_SCOPES_MAX; i++)
        if (on_link(r, &subnets->at[i]) && may_use(r, i))
            r->scopes[r->n_scopes++] = i;
}

bool dhcp_interface_served(const struct dhcp_interface *in, const struct subnets *subnets)
{
    for (size_t i = 0; i < subnets->n; i++)
        for (uint8_t k = 0; k < in->n; k++)
            if (subnet_has(&subnets->at[i], in->address[k]))
                return true;
    return false;
}

static uint32_t own_address(const struct request *r)
{
    const struct subnets *subnets = leases_subnets(r->s->leases);

    for (size_t i = 0; i < r->n_scopes && !r->m->giaddr; i++) /* the one in the client's network */
        for (uint8_t k = 0; k < r->in->n; k++)
            if (subnet_has(&subnets->at[r->scopes[i]], r->in->address[k]))
                return r->in->address[k];
    for (uint8_t k = 0; k < r->in->n; k++)
        if (r->in->address[k] == r->p->to)
            return r->p->to;
    return r->in->n ? r->in->address[0] : r->p->to;
}

bool dhcp_identify(struct request *r)
{
    const struct dhcp_message *m = r->m;
    struct dhcp_relay relay = {0};
    struct text id = dhcp_has(m, DHCP_client_id) ? m->client_id : TEXT("");

    if (dhcp_has(m, DHCP_relay) && dhcp_relay_decode(m->relay, &relay) < 0)
        return false;
    r->client = lease_client_of(id, m->htype, m->chaddr, m->hlen);
    r->mac = r->client.mac;
    r->phone = dhcp_from_phone(m);
    if (!r->phone && mac_number(r->mac) && r->s->sink.knows)
        r->phone = r->s->sink.knows(r->s->sink.context, device_name_of_mac(r->mac));
    if (r->phone && mac_number(r->mac))
        r->device = device_name_of_mac(r->mac);
    r->link = link_of(r, &relay);
    find_scopes(r);
    r->overridden = relay.server_override != 0;
    r->server_id = r->overridden ? relay.server_override : own_address(r);
    return true;
}

bool dhcp_says_our_id(const struct request *r)
{
    return r->m->server_id == r->server_id || dhcp_is_own(r->s, r->m->server_id);
}

void dhcp_no_scope(struct request *r)
{
    char link[IP_TEXT_MAX];

    count(COUNT_DHCP_NO_SCOPE);
    if (r->now_ms < r->s->no_scope_told_ms)
        return;
    r->s->no_scope_told_ms = r->now_ms + 60000;
    log_notice(TOPIC, "no scope serves %s%s: a client there gets no answer",
               r->link ? "the network of " : "the network on ",
               r->link ? ip_print(ip_v4(r->link), link) : r->in->name);
}

/* --- leases --- */

const struct subnet *dhcp_subnet_of(const struct request *r, size_t scope)
{
    return &leases_subnets(r->s->leases)->at[scope];
}

/* The lease the client has on its link: the one that scopes still let it have, else any. */
struct lease *dhcp_present_lease(const struct request *r, size_t *scope)
{
    struct lease *found = NULL;

    for (size_t i = 0; i < r->n_scopes; i++) {
        struct lease *lease = lease_of(r->s->leases, r->scopes[i], &r->client);
        bool fit = lease && lease_fits(r->s->leases, r->scopes[i], &r->client, lease->address);

        if (!lease || (found && !fit))
            continue;
        found = lease;
        *scope = r->scopes[i];
        if (fit)
            break;
    }
    return found;
}

bool dhcp_fits(const struct request *r, uint32_t address, size_t *scope)
{
    for (size_t i = 0; i < r->n_scopes; i++)
        if (lease_fits(r->s->leases, r->scopes[i], &r->client, address)) {
            *scope = r->scopes[i];
            return true;
        }
    return false;
}

bool dhcp_right_network(const struct request *r, uint32_t address)
{
    for (size_t i = 0; i < r->n_scopes; i++)
        if (subnet_has(dhcp_subnet_of(r, r->scopes[i]), address))
            return true;
    return false;
}

/* What it has or had comes before anything new, in whatever scope of the link. */
struct lease *dhcp_offer(struct request *r, size_t *scope)
{
    uint32_t wanted = dhcp_has(r->m, DHCP_requested_ip) ? r->m->requested_ip : 0;
    uint64_t hold_ms = (uint64_t)r->s->settings.hold_s * 1000;
    struct lease *lease;

    for (size_t i = 0; i < r->n_scopes; i++) {
        *scope = r->scopes[i];
        lease = lease_of(r->s->leases, *scope, &r->client);
        if (lease && lease_fits(r->s->leases, *scope, &r->client, lease->address))
            return lease_offer(r->s->leases, *scope, &r->client, 0, r->now_ms, hold_ms);
    }
    for (size_t i = 0; i < r->n_scopes; i++) {
        *scope = r->scopes[i];
        lease = lease_offer(r->s->leases, *scope, &r->client, wanted, r->now_ms, hold_ms);
        if (lease)
            return lease;
    }
    return NULL;
}

void dhcp_describe(const struct request *r, struct lease *lease)
{
    struct text name = dhcp_has(r->m, DHCP_host_name) ? r->m->host_name : TEXT("");
    struct text vendor = dhcp_has(r->m, DHCP_vendor_class) ? r->m->vendor_class : TEXT("");

    lease_describe(lease, r->device.s[0] ? text_of(r->device.s) : name, vendor, r->phone);
}
