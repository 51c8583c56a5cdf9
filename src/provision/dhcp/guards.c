/* guards.c - what protects the DHCP server and its network: storms, addresses in use, rivals.
 */
#include <string.h>

#include "base/log.h"
#include "core/counters.h"
#include "provision/dhcp/server_own.h"

#define TOPIC           "dhcp"
#define STORM_WINDOW_MS 10000
#define TAKEN_MAX       4
#define TELL_AGAIN_MS   60000
#define RIVAL_AGAIN_MS  600000

/* --- storms (DHCP-3) --- */

static void tell_storm(struct request *r, const struct storm_slot *slot)
{
    struct alarm_draft d;

    alarm_begin(&d, ALARM_DHCP_REQUEST_STORM);
    alarm_put_device(&d, r->device);
    alarm_put_mac(&d, r->device);
    if (r->m->ciaddr)
        alarm_put_ip(&d, ip_v4(r->m->ciaddr));
    alarm_put(&d, "Requests", "%u", slot->n);
    alarm_put(&d, "Interval", "%u", STORM_WINDOW_MS / 1000);
    r->s->sink.alarm(r->s->sink.context, alarm_finish(&d));
    log_warning(TOPIC, "%s is not configured and asks too often: %u messages in %u s, dropped",
                r->device.s, slot->n, STORM_WINDOW_MS / 1000);
}

/* Slots are shared by hash: a new window takes over a slot whose window has passed. */
bool dhcp_storm(struct request *r)
{
    struct dhcp_server *s = r->s;
    uint64_t mac = mac_number(r->mac);
    struct storm_slot *slot = &s->storms[(mac ^ mac >> 13 ^ mac >> 29) % STORM_SLOTS];

    if (!r->device.s[0] || !s->settings.storm_limit)
        return false;
    if (r->now_ms - slot->window_ms >= STORM_WINDOW_MS || r->now_ms < slot->window_ms) {
        uint64_t told_ms = slot->mac == mac ? slot->told_ms : 0;

        *slot = (struct storm_slot){.mac = mac, .window_ms = r->now_ms, .told_ms = told_ms};
    }
    if (slot->mac != mac || ++slot->n <= s->settings.storm_limit)
        return false;
    if (s->sink.knows && s->sink.knows(s->sink.context, r->device))
        return false;
    count(COUNT_DHCP_LIMITED);
    if (r->now_ms >= slot->told_ms) {
        slot->told_ms = r->now_ms + TELL_AGAIN_MS;
        tell_storm(r, slot);
    }
    return true;
}

/* --- addresses in use (DHCP-2) --- */

void dhcp_conflict(struct dhcp_server *s, struct lease *lease, struct mac mac, uint64_t now_ms)
{
    char address[IP_TEXT_MAX], by[MAC_TEXT_MAX];
    struct alarm_draft d;

    count(COUNT_DHCP_CONFLICTS);
    ip_print(ip_v4(lease->address), address);
    log_warning(TOPIC, "%s is in use by somebody else (%s): left alone for %u s", address,
                mac_number(mac) ? mac_print(mac, by) : "it answers ICMP", s->settings.abandon_s);
    alarm_begin(&d, ALARM_DHCP_ADDRESS_IN_USE);
    alarm_put_ip(&d, ip_v4(lease->address));
    if (mac_number(mac))
        alarm_put_mac(&d, device_name_of_mac(mac));
    s->sink.alarm(s->sink.context, alarm_finish(&d));
    lease_abandon(s->leases, lease, now_ms, s->settings.abandon_s);
}

static size_t probe_of(const struct dhcp_server *s, uint32_t address)
{
    for (size_t i = 0; s->n_probing && i < DHCP_PROBES_MAX; i++)
        if (s->probed[i] == address)
            return i;
    return DHCP_PROBES_MAX;
}

static void probe_end(struct dhcp_server *s, size_t i)
{
    s->probed[i] = 0;
    s->probing[i].due_ms = 0;
    s->n_probing--;
}

static void probe_begin(struct request *r, size_t i, uint32_t address)
{
    struct dhcp_server *s = r->s;
    struct probing *p = &s->probing[i];
    struct dhcp_probe probe = {r->p->interface, address, r->m->giaddr != 0};

    s->probed[i] = address;
    s->n_probing++;
    p->packet = *r->p;
    p->mac = r->mac;
    p->n_taken = s->n_taken;
    p->due_ms = r->now_ms + s->settings.probe_ms;
    memcpy(p->bytes, r->p->bytes, r->p->len);
    count(COUNT_DHCP_PROBES);
    s->sink.probe(s->sink.context, &probe);
}

static bool can_probe(const struct request *r)
{
    return !r->in->loopback && r->s->n_probing < DHCP_PROBES_MAX && r->p->len <= DHCP_MAX_SIZE &&
           (r->m->giaddr || r->in->can_probe);
}

/* Who had the address before is not asked about again, and boots without delay. */
bool dhcp_probe_first(struct request *r, const struct lease *lease)
{
    size_t i;

    if (lease->given || lease->probed || lease->state == LEASE_ACTIVE || !r->s->settings.probe_ms)
        return false;
    if (probe_of(r->s, lease->address) < DHCP_PROBES_MAX)
        return true; /* the client is faster than the answer */
    if (!can_probe(r))
        return false;
    i = probe_of(r->s, 0);
    if (i == DHCP_PROBES_MAX)
        i = 0; /* none runs */
    probe_begin(r, i, lease->address);
    return true;
}

/* Takes the waiting DISCOVER out and handles it again. */
static void discover_again(struct dhcp_server *s, size_t i, uint64_t now_ms)
{
    uint8_t bytes[DHCP_MAX_SIZE];
    struct dhcp_packet p = s->probing[i].packet;

    memcpy(bytes, s->probing[i].bytes, p.len);
    p.bytes = bytes;
    s->n_taken = s->probing[i].n_taken;
    probe_end(s, i);
    count_by(COUNT_DHCP_DISCOVERS, -1); /* it is counted again */
    dhcp_server_input(s, &p, now_ms);
    s->n_taken = 0;
}

void dhcp_server_seen(struct dhcp_server *s, uint32_t address, struct mac mac, uint64_t now_ms)
{
    size_t i = address ? probe_of(s, address) : DHCP_PROBES_MAX;
    struct lease *lease;

    if (i == DHCP_PROBES_MAX || (mac_number(mac) && mac_equal(mac, s->probing[i].mac)))
        return;
    lease = lease_at(s->leases, address);
    if (lease && lease->state == LEASE_OFFERED)
        dhcp_conflict(s, lease, mac, now_ms);
    if (++s->probing[i].n_taken < TAKEN_MAX)
        discover_again(s, i, now_ms);
    else
        probe_end(s, i); /* the client asks again: no chain of probes without an end */
}

void dhcp_probe_tick(struct dhcp_server *s, uint64_t now_ms)
{
    for (size_t i = 0; s->n_probing && i < DHCP_PROBES_MAX; i++) {
        struct lease *lease;

        if (!s->probed[i] || s->probing[i].due_ms > now_ms)
            continue;
        lease = lease_at(s->leases, s->probed[i]);
        if (lease)
            lease->probed = true;
        discover_again(s, i, now_ms);
    }
}

uint64_t dhcp_probe_next(const struct dhcp_server *s, uint64_t now_ms)
{
    uint64_t next = UINT64_MAX;

    for (size_t i = 0; s->n_probing && i < DHCP_PROBES_MAX; i++)
        if (s->probed[i] && s->probing[i].due_ms < next)
            next = s->probing[i].due_ms;
    if (next == UINT64_MAX)
        return next;
    return next > now_ms ? next - now_ms : 0;
}

/* --- rivals and want --- */

void dhcp_other_server(struct dhcp_server *s, unsigned interface, uint32_t address, uint64_t now_ms)
{
    const struct dhcp_interface *in = dhcp_interface_of(s, interface);
    char text[IP_TEXT_MAX];
    struct alarm_draft d;

    if (s->settings.sidecar || !address || dhcp_is_own(s, address) ||
        (s->other_server == address && now_ms < s->other_told_ms))
        return;
    s->other_server = address;
    s->other_told_ms = now_ms + RIVAL_AGAIN_MS;
    log_warning(TOPIC,
                "another DHCP server, %s, answers on %s: phones may get its answer; stop one of "
                "the two, or run this one with dhcp.mode=sidecar",
                ip_print(ip_v4(address), text), in ? in->name : "an interface");
    alarm_begin(&d, ALARM_DHCP_OTHER_SERVER);
    alarm_put_ip(&d, ip_v4(address));
    alarm_put(&d, "Interface", "%s", in ? in->name : "");
    s->sink.alarm(s->sink.context, alarm_finish(&d));
}

void dhcp_server_overheard(struct dhcp_server *s, unsigned interface, const uint8_t *bytes,
                           size_t len, uint64_t now_ms)
{
    struct dhcp_message m;

    if (dhcp_decode(bytes, len, &m) == 0 && m.op == DHCP_BOOTREPLY && dhcp_has(&m, DHCP_type) &&
        (m.type == DHCP_OFFER || m.type == DHCP_ACK) && dhcp_has(&m, DHCP_server_id))
        dhcp_other_server(s, interface, m.server_id, now_ms);
}

void dhcp_no_address(struct request *r)
{
    const struct subnet *subnet = &leases_subnets(r->s->leases)->at[r->scopes[0]];
    struct alarm_draft d;

    count(COUNT_DHCP_NO_ADDRESS);
    if (r->now_ms < r->s->no_address_told_ms)
        return;
    r->s->no_address_told_ms = r->now_ms + TELL_AGAIN_MS;
    log_error(TOPIC, "scope %s has no free address left: widen it or shorten its lease time",
              subnet->name);
    alarm_begin(&d, ALARM_DHCP_NO_FREE_ADDRESS);
    alarm_put(&d, "Scope", "%s", subnet->name);
    if (mac_number(r->mac))
        alarm_put_mac(&d, device_name_of_mac(r->mac));
    r->s->sink.alarm(r->s->sink.context, alarm_finish(&d));
}
