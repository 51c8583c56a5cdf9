#include "provision/dhcp/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "core/counters.h"
#include "provision/dhcp/server_own.h"

#define TOPIC          "dhcp"
#define ACK_QUEUE_SIZE (8 << 20)
#define STORE_AGAIN_MS 1000
#define BOOTP_LEASE_S  (365 * 86400) /* BOOTP knows no lease time (RFC 1534) */

/* --- life --- */

struct dhcp_server *dhcp_server_new(const struct dhcp_sink *sink,
                                    const struct dhcp_settings *settings, uint64_t now_ms)
{
    struct dhcp_server *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    s->sink = *sink;
    s->settings = *settings;
    s->leases = leases_new(now_ms);
    if (!s->leases || reply_queue_init(&s->acks, ACK_QUEUE_SIZE) < 0) {
        leases_free(s->leases);
        free(s);
        return NULL;
    }
    return s;
}

void dhcp_server_free(struct dhcp_server *s)
{
    if (!s)
        return;
    reply_queue_done(&s->acks);
    leases_free(s->leases);
    free(s);
}

struct leases *dhcp_server_leases(struct dhcp_server *s)
{
    return s->leases;
}

void dhcp_server_set(struct dhcp_server *s, const struct dhcp_settings *settings)
{
    s->settings = *settings;
}

int dhcp_server_configure(struct dhcp_server *s, struct subnets *take_subnets,
                          const struct dhcp_interface *interfaces, size_t n)
{
    uint32_t own[DHCP_INTERFACES_MAX * 8];
    size_t n_own = 0;
    int err;

    if (n > DHCP_INTERFACES_MAX)
        n = DHCP_INTERFACES_MAX;
    for (size_t i = 0; i < n; i++)
        for (uint8_t k = 0; k < interfaces[i].n; k++)
            own[n_own++] = interfaces[i].address[k];
    err = leases_configure(s->leases, take_subnets, own, n_own);
    if (err)
        return err;
    memmove(s->interfaces, interfaces, n * sizeof(*interfaces));
    s->n_interfaces = n;
    return 0;
}

const struct dhcp_interface *dhcp_interface_of(const struct dhcp_server *s, unsigned index)
{
    for (size_t i = 0; i < s->n_interfaces; i++)
        if (s->interfaces[i].index == index)
            return &s->interfaces[i];
    return NULL;
}

bool dhcp_is_own(const struct dhcp_server *s, uint32_t address)
{
    for (size_t i = 0; i < s->n_interfaces; i++)
        for (uint8_t k = 0; k < s->interfaces[i].n; k++)
            if (s->interfaces[i].address[k] == address)
                return true;
    return false;
}

/* --- the messages --- */

static void grant(struct request *r, size_t scope, struct lease *lease)
{
    uint64_t ticket;

    dhcp_describe(r, lease);
    ticket = lease_commit(r->s->leases, lease, r->now_ms, dhcp_subnet_of(r, scope)->lease_s);
    dhcp_answer(r, DHCP_ACK, scope, lease, r->s->disk_failed ? 0 : ticket);
}

static void nak(struct request *r)
{
    dhcp_tell(r, PROGRESS_DHCP_NAK, 0);
    dhcp_answer(r, DHCP_NAK, NO_SCOPE, NULL, 0);
}

/* Without a record a server is silent (RFC 2131 4.3.2), unless it is the only one there is. */
static void no_record(struct request *r)
{
    count(COUNT_DHCP_UNKNOWN_CLIENTS);
    if (r->s->settings.authoritative)
        nak(r);
}

static void on_discover(struct request *r)
{
    struct lease *lease;
    size_t scope = 0;

    count(COUNT_DHCP_DISCOVERS);
    dhcp_tell(r, PROGRESS_DHCP_DISCOVER, 0);
    if (!r->n_scopes) {
        dhcp_no_scope(r);
        return;
    }
    lease = dhcp_offer(r, &scope);
    if (!lease) {
        dhcp_no_address(r);
        return;
    }
    dhcp_describe(r, lease);
    if (dhcp_probe_first(r, lease))
        return;
    dhcp_tell(r, PROGRESS_DHCP_OFFER, lease->address);
    dhcp_answer(r, DHCP_OFFER, scope, lease, 0);
}

/* SELECTING: the answer to an OFFER. After a restart we do not know the offer any more, but the
 * address may be as good as then. */
static void on_selecting(struct request *r)
{
    uint32_t wanted = r->m->requested_ip;
    size_t scope = 0;
    struct lease *lease = dhcp_present_lease(r, &scope);

    if (!dhcp_says_our_id(r)) {
        count(COUNT_DHCP_NOT_FOR_US);
        if (lease)
            lease_withdraw(r->s->leases, lease);
        if (!r->m->giaddr)
            dhcp_other_server(r->s, r->p->interface, r->m->server_id, r->now_ms);
        return;
    }
    if (!dhcp_has(r->m, DHCP_requested_ip) || !dhcp_fits(r, wanted, &scope)) {
        nak(r);
        return;
    }
    if (!lease || lease->address != wanted)
        lease = lease_offer(r->s->leases, scope, &r->client, wanted, r->now_ms, 1000);
    if (lease && lease->address == wanted)
        grant(r, scope, lease);
    else
        nak(r);
}

/* INIT-REBOOT, RENEWING and REBINDING: the client says what it has. */
static void on_has_address(struct request *r, uint32_t address)
{
    size_t scope = 0;
    struct lease *lease = dhcp_present_lease(r, &scope);

    if (!dhcp_right_network(r, address))
        nak(r);
    else if (!lease)
        no_record(r);
    else if (lease->address == address && dhcp_fits(r, address, &scope))
        grant(r, scope, lease);
    else
        nak(r);
}

/* Which of the four kinds it is: RFC 2131 4.3.2, table 4. */
static void on_request(struct request *r)
{
    const struct dhcp_message *m = r->m;

    count(COUNT_DHCP_REQUESTS);
    dhcp_tell(r, PROGRESS_DHCP_REQUEST,
              dhcp_has(m, DHCP_requested_ip) ? m->requested_ip : m->ciaddr);
    if (!r->n_scopes)
        dhcp_no_scope(r);
    else if (dhcp_has(m, DHCP_server_id))
        on_selecting(r);
    else if (dhcp_has(m, DHCP_requested_ip) && m->requested_ip)
        on_has_address(r, m->requested_ip);
    else if (m->ciaddr)
        on_has_address(r, m->ciaddr);
    else
        count(COUNT_DHCP_MALFORMED);
}

/* Only the client itself can give up, or complain of, its address. */
static struct lease *lease_named(const struct request *r, uint32_t address)
{
    size_t scope = 0;
    struct lease *lease = dhcp_present_lease(r, &scope);

    if (dhcp_has(r->m, DHCP_server_id) && !dhcp_says_our_id(r))
        return NULL;
    return lease && lease->address == address ? lease : NULL;
}

static void on_decline(struct request *r)
{
    struct lease *lease = lease_named(r, r->m->requested_ip);

    count(COUNT_DHCP_DECLINES);
    if (lease)
        dhcp_conflict(r->s, lease, r->mac, r->now_ms);
}

static void on_release(struct request *r)
{
    struct lease *lease = lease_named(r, r->m->ciaddr);

    count(COUNT_DHCP_RELEASES);
    if (!lease)
        return;
    dhcp_tell(r, PROGRESS_DHCP_RELEASE, lease->address);
    lease_release(r->s->leases, lease, r->now_ms);
}

static size_t any_scope(const struct request *r)
{
    return r->n_scopes ? r->scopes[0] : NO_SCOPE;
}

static void on_inform(struct request *r)
{
    count(COUNT_DHCP_INFORMS);
    if (r->n_scopes || (r->phone && r->s->settings.sidecar))
        dhcp_answer(r, DHCP_ACK, any_scope(r), NULL, 0);
    else
        dhcp_no_scope(r);
}

/* Without option 53: the clients of RFC 951, only where an address is reserved for them. */
static void on_bootp(struct request *r)
{
    size_t scope = 0;
    uint32_t address = subnets_reserved_for(leases_subnets(r->s->leases), r->mac);
    struct lease *lease;

    if (!address || !dhcp_fits(r, address, &scope) || !(lease = dhcp_offer(r, &scope)) ||
        lease->address != address) {
        count(COUNT_DHCP_NOT_FOR_US);
        return;
    }
    dhcp_describe(r, lease);
    dhcp_answer(r, DHCP_BOOTP, scope, lease,
                lease_commit(r->s->leases, lease, r->now_ms, BOOTP_LEASE_S));
}

/* Beside another server (DHCP-4): phones learn where their files are, and never an address. */
static void on_discover_sidecar(struct request *r)
{
    count(COUNT_DHCP_DISCOVERS);
    dhcp_tell(r, PROGRESS_DHCP_DISCOVER, 0);
    if (r->phone)
        dhcp_answer(r, DHCP_OFFER, any_scope(r), NULL, 0);
    else
        count(COUNT_DHCP_NOT_FOR_US);
}

static void on_inform_sidecar(struct request *r)
{
    if (r->phone)
        on_inform(r);
    else
        count(COUNT_DHCP_NOT_FOR_US);
}

static void on_nothing(struct request *r)
{
    count(COUNT_DHCP_NOT_FOR_US);
}

static void (*const full[])(struct request *r) = {
    [DHCP_BOOTP] = on_bootp,     [DHCP_DISCOVER] = on_discover, [DHCP_REQUEST] = on_request,
    [DHCP_DECLINE] = on_decline, [DHCP_RELEASE] = on_release,   [DHCP_INFORM] = on_inform,
};

static void (*const sidecar[])(struct request *r) = {
    [DHCP_BOOTP] = on_nothing,   [DHCP_DISCOVER] = on_discover_sidecar,
    [DHCP_REQUEST] = on_nothing, [DHCP_DECLINE] = on_nothing,
    [DHCP_RELEASE] = on_nothing, [DHCP_INFORM] = on_inform_sidecar,
};

void dhcp_server_input(struct dhcp_server *s, const struct dhcp_packet *p, uint64_t now_ms)
{
    struct dhcp_message m;
    struct request r = {.s = s, .p = p, .m = &m, .now_ms = now_ms};
    uint8_t type;

    r.in = dhcp_interface_of(s, p->interface);
    if (!r.in)
        return; /* DHCP-2: nobody named it */
    if (dhcp_decode(p->bytes, p->len, &m) < 0 || m.op != DHCP_BOOTREQUEST || !dhcp_identify(&r)) {
        count(COUNT_DHCP_MALFORMED);
        return;
    }
    type = dhcp_has(&m, DHCP_type) ? m.type : DHCP_BOOTP;
    if (type >= sizeof(full) / sizeof(full[0]) || !full[type])
        count(COUNT_DHCP_MALFORMED); /* a server's message, or one of later standards */
    else if (!dhcp_storm(&r))
        (s->settings.sidecar ? sidecar : full)[type](&r);
}

/* --- the disk --- */

void dhcp_server_flush(struct dhcp_server *s, uint64_t now_ms)
{
    struct lease_rows *rows;
    uint64_t batch;

    if (!leases_waiting(s->leases) || (s->disk_failed && now_ms < s->store_again_ms))
        return;
    rows = leases_batch(s->leases, &batch);
    if (rows)
        s->sink.store(s->sink.context, batch, rows);
}

static void disk_failed(struct dhcp_server *s, int err, uint64_t now_ms)
{
    struct alarm_draft d;

    count(COUNT_DHCP_STORE_ERRORS);
    s->store_again_ms = now_ms + STORE_AGAIN_MS;
    if (s->disk_failed)
        return;
    s->disk_failed = true;
    log_error(TOPIC,
              "leases cannot be written (%s): they live in memory only until they can be; "
              "make room or check the data folder",
              strerror(-err));
    alarm_begin(&d, ALARM_DHCP_LEASES_NOT_STORED);
    alarm_put(&d, "FileName", "%s", "leases.log");
    alarm_put(&d, "Reason", "%s", strerror(-err));
    s->sink.alarm(s->sink.context, alarm_finish(&d));
}

void dhcp_server_stored(struct dhcp_server *s, uint64_t batch, int err, uint64_t now_ms)
{
    leases_stored(s->leases, err == 0);
    if (err)
        disk_failed(s, err, now_ms);
    else if (s->disk_failed) {
        s->disk_failed = false;
        log_notice(TOPIC, "leases are written to disk again");
    }
    dhcp_release_acks(s, s->disk_failed ? UINT64_MAX : batch);
    dhcp_server_flush(s, now_ms);
}

/* --- time --- */

static uint64_t sooner(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t dhcp_server_tick(struct dhcp_server *s, uint64_t now_ms)
{
    uint64_t next;

    leases_expire(s->leases, now_ms);
    dhcp_probe_tick(s, now_ms);
    dhcp_server_flush(s, now_ms);
    next = sooner(leases_next(s->leases, now_ms), dhcp_probe_next(s, now_ms));
    if (s->disk_failed && leases_waiting(s->leases))
        next = sooner(next, s->store_again_ms > now_ms ? s->store_again_ms - now_ms : 0);
    return next;
}
