/* udp.c - datagrams: DHCP, DNS, SIP, TFTP. */
#include "doctor/capture/parts.h"

#define SIP_PORT 5060

static void tell_dhcp(struct capture *c, const struct packet *p)
{
    struct dhcp_message m;

    if (dhcp_decode(p->payload.at, p->payload.len, &m) == 0)
        capture_tell(c, &(struct sight){.kind = SIGHT_DHCP, .dhcp = &m});
}

static void tell_dns(struct capture *c, const struct packet *p)
{
    struct dns_message m;

    capture_matters(c, p);
    dns_init(&m, 0);
    if (dns_decode(p->payload.at, p->payload.len, &m) == 0)
        capture_tell(c, &(struct sight){.kind = SIGHT_DNS, .dns = &m});
}

static void tell_sip(struct capture *c, const struct packet *p)
{
    capture_matters(c, p);
    if (p->payload.len > 4 && sip_parse(p->payload.at, p->payload.len, &c->sip) == 0)
        capture_tell(c, &(struct sight){.kind = SIGHT_SIP, .sip = &c->sip});
}

/* ---- messages of which only the beginning comes ---- */

void capture_begin(struct capture *c, const struct packet *p)
{
    struct reader r = reader_of(p->payload.at, p->payload.len);
    uint16_t from = read_be16(&r), to = read_be16(&r);

    if (p->protocol != PROTOCOL_UDP || r.bad || (from != SIP_PORT && to != SIP_PORT))
        return;
    for (unsigned i = 0; i < BEGUN_MAX; i++)
        if (!c->begun[i].at.number) {
            c->begun[i].id = p->ip_id;
            c->begun[i].at = c->at;
            c->begun[i].at.from.port = from;
            c->begun[i].at.to.port = to;
            return;
        }
}

void capture_complete(struct capture *c, const struct packet *p, uint32_t id)
{
    for (unsigned i = 0; i < BEGUN_MAX; i++)
        if (c->begun[i].id == id && ip_equal(c->begun[i].at.from.ip, p->from.ip) &&
            ip_equal(c->begun[i].at.to.ip, p->to.ip))
            c->begun[i].at.number = 0;
}

void capture_tell_torn(struct capture *c, int64_t before_ns)
{
    for (unsigned i = 0; i < BEGUN_MAX; i++)
        if (c->begun[i].at.number && c->begun[i].at.time_ns < before_ns) {
            capture_tell(c, &(struct sight){.kind = SIGHT_TORN, .at = c->begun[i].at});
            c->begun[i].at.number = 0;
        }
}

static bool is_dhcp(const struct packet *p)
{
    return p->to.port == DHCP_SERVER_PORT || p->to.port == DHCP_CLIENT_PORT;
}

/* SIP at any port: a start line that ends or begins with the version. */
static bool is_sip(const struct packet *p)
{
    uint8_t first;

    if (p->to.port == SIP_PORT || p->from.port == SIP_PORT)
        return true;
    if (p->payload.len < 12)
        return false;
    first = (uint8_t)p->payload.at[0];
    return first >= 'A' && first <= 'Z' && (uint8_t)p->payload.at[1] >= 'A' &&
           (uint8_t)p->payload.at[1] <= 'Z' && talk_is_sip(p->payload.at, p->payload.len);
}

void capture_udp(struct capture *c, const struct packet *p)
{
    if (p->to.port == TFTP_PORT || c->transfer_ports[p->to.port] ||
        c->transfer_ports[p->from.port]) {
        if (capture_is_twice(c, p) || capture_tftp(c, p))
            return;
    }
    if (is_dhcp(p) && !capture_is_twice(c, p))
        tell_dhcp(c, p);
    else if ((p->to.port == DNS_PORT || p->from.port == DNS_PORT) && !capture_is_twice(c, p))
        tell_dns(c, p);
    else if (is_sip(p) && !capture_is_twice(c, p))
        tell_sip(c, p);
}
