/* dhcp_client.c - the client's states of RFC 2131 4.4; see dhcp_client.h. */
#include "handset/boot/dhcp_client.h"

#include "wire/boot/dhcp.h"

#define FIRST_WAIT_MS   4000 /* RFC 2131 4.1 */
#define LONGEST_WAIT_MS 16000
#define REQUEST_TRIES   4
#define DECLINE_WAIT_MS 10000 /* RFC 2131 3.1 5 */

void dhcp_client_init(struct dhcp_client *c, struct mac mac, struct device_name name,
                      const char *vendor_class, const uint8_t *parameters, uint8_t n_parameters)
{
    *c = (struct dhcp_client){.mac = mac,
                              .name = name,
                              .vendor_class = vendor_class,
                              .parameters = parameters,
                              .n_parameters = n_parameters,
                              .due_ms = UINT64_MAX};
}

/* What every message carries. */
static void compose(const struct dhcp_client *c, enum dhcp_type type, uint64_t now_ms,
                    uint8_t client_id[7], struct dhcp_message *m)
{
    *m = (struct dhcp_message){
        .op = DHCP_BOOTREQUEST, .htype = 1, .hlen = 6, .xid = c->xid, .cookie = true};
    m->secs = (uint16_t)((now_ms - c->started_ms) / 1000);
    memcpy(m->chaddr, c->mac.bytes, 6);
    client_id[0] = 1;
    memcpy(client_id + 1, c->mac.bytes, 6);
    dhcp_set_type(m, type);
    dhcp_set_client_id(m, (struct text){(char *)client_id, 7});
    if (type == DHCP_RELEASE || type == DHCP_DECLINE)
        return;
    dhcp_set_host_name(m, text_of(c->name.s));
    if (*c->vendor_class)
        dhcp_set_vendor_class(m, text_of(c->vendor_class));
    dhcp_set_parameters(m, (struct text){(const char *)c->parameters, c->n_parameters});
}

static void put(const struct dhcp_message *m, struct writer *out)
{
    int n = dhcp_encode(m, out->at, writer_left(out));

    if (n < 0)
        out->bad = true;
    else
        out->at += n;
}

static void send_discover(struct dhcp_client *c, uint64_t now_ms, struct writer *out)
{
    struct dhcp_message m;
    uint8_t id[7];

    compose(c, DHCP_DISCOVER, now_ms, id, &m);
    m.flags = DHCP_BROADCAST; /* many phones cannot take a unicast before they have an address */
    put(&m, out);
}

static void send_request(struct dhcp_client *c, uint64_t now_ms, struct writer *out)
{
    struct dhcp_message m;
    uint8_t id[7];

    compose(c, DHCP_REQUEST, now_ms, id, &m);
    if (c->state == DHCP_CLIENT_REQUESTING) {
        m.flags = DHCP_BROADCAST;
        dhcp_set_server_id(&m, c->lease.server);
        dhcp_set_requested_ip(&m, c->lease.address);
    } else {
        m.ciaddr = c->lease.address; /* RFC 2131 4.3.2: neither option 50 nor 54 while renewing */
    }
    put(&m, out);
}

static void wait_again(struct dhcp_client *c, uint64_t now_ms)
{
    c->due_ms = now_ms + c->wait_ms;
    c->wait_ms = c->wait_ms * 2 > LONGEST_WAIT_MS ? LONGEST_WAIT_MS : c->wait_ms * 2;
    c->tries++;
}

static void begin(struct dhcp_client *c, enum dhcp_client_state state, uint64_t now_ms)
{
    c->state = state;
    c->wait_ms = FIRST_WAIT_MS;
    c->tries = 0;
    wait_again(c, now_ms);
}

void dhcp_client_start(struct dhcp_client *c, uint32_t xid, uint64_t now_ms, struct writer *out)
{
    c->xid = xid;
    c->started_ms = now_ms;
    begin(c, DHCP_CLIENT_SELECTING, now_ms);
    send_discover(c, now_ms, out);
}

static void take_tftp(struct dhcp_lease *l, const struct dhcp_message *m)
{
    struct ip ip;

    l->tftp[0] = l->tftp[1] = 0;
    l->tftp_name[0] = 0;
    if (dhcp_has(m, DHCP_tftp_servers) && m->tftp_servers.n) {
        l->tftp[0] = m->tftp_servers.at[0];
        l->tftp[1] = m->tftp_servers.n > 1 ? m->tftp_servers.at[1] : 0;
    } else if (dhcp_has(m, DHCP_tftp_name) && m->tftp_name.len) {
        if (ip_parse(m->tftp_name, &ip) == 0)
            l->tftp[0] = ip_v4_number(ip);
        else
            text_copy(l->tftp_name, sizeof(l->tftp_name), m->tftp_name);
    } else {
        l->tftp[0] = m->siaddr;
    }
}

static void take_lease(struct dhcp_lease *l, const struct dhcp_message *m)
{
    l->address = m->yiaddr;
    l->mask = dhcp_has(m, DHCP_subnet_mask) ? m->subnet_mask : 0;
    l->router = dhcp_has(m, DHCP_routers) && m->routers.n ? m->routers.at[0] : 0;
    l->dns = dhcp_has(m, DHCP_dns_servers) && m->dns_servers.n ? m->dns_servers.at[0] : 0;
    l->server = m->server_id;
    l->lease_s = dhcp_has(m, DHCP_lease_s) ? m->lease_s : UINT32_MAX;
    l->renewal_s = dhcp_has(m, DHCP_renewal_s) ? m->renewal_s : l->lease_s / 2;
    l->rebinding_s =
        dhcp_has(m, DHCP_rebinding_s) ? m->rebinding_s : (uint32_t)((uint64_t)l->lease_s * 7 / 8);
    l->domain[0] = 0;
    if (dhcp_has(m, DHCP_domain_name))
        text_copy(l->domain, sizeof(l->domain), m->domain_name);
    take_tftp(l, m);
}

static uint64_t after(const struct dhcp_client *c, uint32_t seconds)
{
    return c->lease.lease_s == UINT32_MAX ? UINT64_MAX : c->leased_ms + seconds * 1000ull;
}

static enum dhcp_client_event take_ack(struct dhcp_client *c, const struct dhcp_message *m,
                                       uint64_t now_ms)
{
    bool first = c->state == DHCP_CLIENT_REQUESTING || m->yiaddr != c->lease.address;

    take_lease(&c->lease, m);
    c->state = DHCP_CLIENT_BOUND;
    c->leased_ms = now_ms;
    c->due_ms = after(c, c->lease.renewal_s);
    return first ? DHCP_CLIENT_LEASED : DHCP_CLIENT_RENEWED;
}

enum dhcp_client_event dhcp_client_input(struct dhcp_client *c, const void *bytes, size_t len,
                                         uint64_t now_ms, struct writer *out)
{
    struct dhcp_message m;

    m.n_joined = 0;
    if (dhcp_decode(bytes, len, &m) < 0 || m.op != DHCP_BOOTREPLY || m.xid != c->xid ||
        !mac_equal(dhcp_mac(&m), c->mac) || !dhcp_has(&m, DHCP_type))
        return DHCP_CLIENT_NOTHING;
    if (m.type == DHCP_OFFER && c->state == DHCP_CLIENT_SELECTING && m.yiaddr) {
        take_lease(&c->lease, &m);
        begin(c, DHCP_CLIENT_REQUESTING, now_ms);
        send_request(c, now_ms, out);
        return DHCP_CLIENT_OFFERED;
    }
    if (c->state != DHCP_CLIENT_REQUESTING && c->state != DHCP_CLIENT_RENEWING &&
        c->state != DHCP_CLIENT_REBINDING)
        return DHCP_CLIENT_NOTHING;
    if (m.type == DHCP_ACK)
        return take_ack(c, &m, now_ms);
    if (m.type != DHCP_NAK)
        return DHCP_CLIENT_NOTHING;
    dhcp_client_start(c, c->xid + 1, now_ms, out);
    return DHCP_CLIENT_REFUSED;
}

static enum dhcp_client_event renew(struct dhcp_client *c, uint64_t now_ms, struct writer *out)
{
    uint64_t rebinding = after(c, c->lease.rebinding_s), ends = after(c, c->lease.lease_s);
    uint64_t next = now_ms < rebinding ? rebinding : ends;

    if (now_ms >= ends) {
        dhcp_client_start(c, c->xid + 1, now_ms, out);
        return DHCP_CLIENT_LOST;
    }
    c->state = now_ms < rebinding ? DHCP_CLIENT_RENEWING : DHCP_CLIENT_REBINDING;
    c->due_ms =
        now_ms + (next - now_ms) / 2; /* RFC 2131 4.4.5: half of what is left, at least a minute */
    if (c->due_ms < now_ms + 60000)
        c->due_ms = next < now_ms + 60000 ? next : now_ms + 60000;
    send_request(c, now_ms, out);
    return DHCP_CLIENT_NOTHING;
}

enum dhcp_client_event dhcp_client_tick(struct dhcp_client *c, uint64_t now_ms, struct writer *out)
{
    if (now_ms < c->due_ms)
        return DHCP_CLIENT_NOTHING;
    switch (c->state) {
    case DHCP_CLIENT_SELECTING:
        wait_again(c, now_ms);
        send_discover(c, now_ms, out);
        return DHCP_CLIENT_SILENCE;
    case DHCP_CLIENT_REQUESTING:
        if (c->tries >= REQUEST_TRIES) {
            dhcp_client_start(c, c->xid + 1, now_ms, out);
        } else {
            wait_again(c, now_ms);
            send_request(c, now_ms, out);
        }
        return DHCP_CLIENT_SILENCE;
    case DHCP_CLIENT_BOUND:
    case DHCP_CLIENT_RENEWING:
    case DHCP_CLIENT_REBINDING:
        return renew(c, now_ms, out);
    case DHCP_CLIENT_OFF:
        break;
    }
    c->due_ms = UINT64_MAX;
    return DHCP_CLIENT_NOTHING;
}

void dhcp_client_decline(struct dhcp_client *c, uint64_t now_ms, struct writer *out)
{
    struct dhcp_message m;
    uint8_t id[7];

    compose(c, DHCP_DECLINE, now_ms, id, &m);
    dhcp_set_server_id(&m, c->lease.server);
    dhcp_set_requested_ip(&m, c->lease.address);
    put(&m, out);
    c->state = DHCP_CLIENT_SELECTING;
    c->tries = 0;
    c->xid++;
    c->wait_ms = FIRST_WAIT_MS;
    c->due_ms = now_ms + DECLINE_WAIT_MS;
}

void dhcp_client_release(struct dhcp_client *c, struct writer *out)
{
    struct dhcp_message m;
    uint8_t id[7];

    if (c->state >= DHCP_CLIENT_BOUND) {
        compose(c, DHCP_RELEASE, c->started_ms, id, &m);
        m.ciaddr = c->lease.address;
        dhcp_set_server_id(&m, c->lease.server);
        put(&m, out);
    }
    c->state = DHCP_CLIENT_OFF;
    c->due_ms = UINT64_MAX;
}

uint32_t dhcp_client_to(const struct dhcp_client *c)
{
    return c->state == DHCP_CLIENT_RENEWING ? c->lease.server : UINT32_MAX;
}
