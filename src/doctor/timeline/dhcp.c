/* dhcp.c - how the phone came to its address (RFC 2131), and by which server. */
#include "doctor/timeline/own.h"

#include <stdio.h>

/* A phone by its vendor class or host name, or because it wants what only phones want (option 150).
 */
static bool is_phone_client(const struct dhcp_message *m)
{
    static const char *const names[] = {"SEP", "SIP", "ATA", "CIPC"};

    if (dhcp_has(m, DHCP_vendor_class) &&
        ((text_starts_nocase(m->vendor_class, "Cisco System") &&
          text_contains_nocase(m->vendor_class, TEXT("Phone"))) ||
         text_starts_nocase(m->vendor_class, "CP-") || text_starts_nocase(m->vendor_class, "ATA") ||
         text_starts_nocase(m->vendor_class, "CISCO ATA")))
        return true;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (m->host_name.len == 15 && text_starts_nocase(m->host_name, names[i]))
            return true;
    return dhcp_asks(m, DHCP_tftp_servers) && !text_starts_nocase(m->vendor_class, "Cisco AP") &&
           !text_starts_nocase(m->vendor_class, "PXEClient");
}

static struct dhcp_said *said_by(struct story_dhcp *d, struct ip server)
{
    for (unsigned i = 0; i < d->n_servers; i++)
        if (ip_equal(d->servers[i].server, server))
            return &d->servers[i];
    if (d->n_servers == sizeof(d->servers) / sizeof(*d->servers)) {
        d->other_servers = true;
        return NULL;
    }
    d->servers[d->n_servers].server = server;
    return &d->servers[d->n_servers++];
}

/* "10.1.2.3" in place of four octets: what a list of addresses keeps of it. */
static void keep_letters(struct dhcp_said *o, const struct dhcp_message *m)
{
    const struct dhcp_addresses *list = &m->tftp_servers;
    char words[17] = "";
    unsigned n = 0;

    o->boot_text[0] = '\0';
    if (!dhcp_has(m, DHCP_tftp_servers) || list->n < 2)
        return;
    for (; n < 16 && n / 4 < list->n; n++)
        words[n] = (char)(list->at[n / 4] >> (24 - n % 4 * 8));
    if (strspn(words, "0123456789.") == n && strchr(words, '.'))
        keep_words(o->boot_text, sizeof(o->boot_text), "%s…", words);
}

static void keep_contents(struct dhcp_said *o, const struct dhcp_message *m)
{
    o->address = m->yiaddr ? m->yiaddr : m->ciaddr;
    o->relay = m->giaddr;
    o->mask = dhcp_has(m, DHCP_subnet_mask) ? m->subnet_mask : 0;
    o->router = dhcp_has(m, DHCP_routers) && m->routers.n ? m->routers.at[0] : 0;
    o->lease_s = dhcp_has(m, DHCP_lease_s) ? m->lease_s : 0;
    o->n_dns = dhcp_has(m, DHCP_dns_servers) ? m->dns_servers.n : 0;
    o->has_150 = false;
    for (unsigned i = 0; dhcp_has(m, DHCP_tftp_servers) && i < m->tftp_servers.n; i++)
        o->has_150 |= m->tftp_servers.at[i] != 0; /* 0.0.0.0 is nobody */
    o->has_66 = dhcp_has(m, DHCP_tftp_name) && m->tftp_name.len;
    o->boot_from_siaddr = !o->has_150 && m->siaddr;
    o->boot[0] = o->has_150 ? m->tftp_servers.at[0] : m->siaddr;
    for (unsigned i = 1; i < sizeof(o->boot) / sizeof(*o->boot); i++)
        o->boot[i] = o->has_150 && m->tftp_servers.n > i ? m->tftp_servers.at[i] : 0;
    o->siaddr = m->siaddr;
    keep_letters(o, m);
    text_copy(o->boot_name, sizeof(o->boot_name), o->has_66 ? m->tftp_name : TEXT(""));
}

static const char *boot_words(const struct dhcp_said *o, char *to, size_t size)
{
    char a[IP_TEXT_MAX];

    if (o->has_150)
        keep_words(to, size, "%s %s", WORDS("option 150"),
                   o->boot_text[0] ? o->boot_text : ip_print(ip_v4(o->boot[0]), a));
    else if (o->has_66)
        keep_words(to, size, "%s %s", WORDS("option 66"), o->boot_name);
    else if (o->boot[0])
        keep_words(to, size, "%s %s", WORDS("siaddr"), ip_print(ip_v4(o->boot[0]), a));
    else
        keep_words(to, size, "%s", WORDS("no option 150 or 66"));
    return to;
}

/* Server identifier, else the sender, else (through a relay) what the packet says. */
static struct ip server_of(const struct dhcp_message *m, const struct sight *s)
{
    if (dhcp_has(m, DHCP_server_id))
        return ip_v4(m->server_id);
    return s->at.from.ip;
}

/* In another VLAN it begins anew. The same message under two tags is a mirror's doing. */
static void note_vlan(struct story_dhcp *d, const struct sight *s)
{
    bool moved = d->vlan != s->at.vlan, same = d->xid == s->dhcp->xid;

    d->two_tags |= moved && same;
    if (moved && !d->two_tags) {
        d->since = (struct moment){0};
        d->discovers_since_ack = d->offers_since_ack = 0;
    }
    d->vlan = s->at.vlan;
    d->xid = s->dhcp->xid;
}

#define ATTEMPT_NS (130 * 1000000000LL) /* twice the longest pause (RFC 2131 4.1) */

/* Its answer is not in the capture, and was there: the phone has gone on since, or ceased to ask.
 */
static bool is_over(const struct story *story, struct moment m)
{
    const struct story_dhcp *d = &story->dhcp;
    int64_t last =
        d->request.last.ns > d->discover.last.ns ? d->request.last.ns : d->discover.last.ns;

    return m.ns - last > ATTEMPT_NS ||
           (story->n_files && story->files[story->file_last].asked.last.ns > d->since.ns);
}

static void begin(struct story *story, struct moment m)
{
    struct story_dhcp *d = &story->dhcp;

    if (moment_is(d->since) && is_over(story, m))
        d->since = (struct moment){0};
    if (!moment_is(d->since)) {
        d->since = m;
        d->tries = 0;
        d->waited_ns = 0;
        d->offered_ns = -1;
        d->n_attempts++;
    }
    d->tries++;
}

/* "…" where who tells of it does not say. */
static const char *address_words(const struct sight *s, uint32_t address,
                                 char to[static IP_TEXT_MAX])
{
    return address || !s->at.told ? ip_print(ip_v4(address), to) : "…";
}

static void heeded(struct story_dhcp *d)
{
    for (unsigned i = 0; i < d->n_servers; i++)
        d->servers[i].unheeded = (struct spell){0};
}

static void asks(struct timeline *t, struct story *story, const struct sight *s)
{
    const struct dhcp_message *d = s->dhcp;
    struct story_dhcp *mine = &story->dhcp;
    struct moment m = moment_of(s);
    char ip[IP_TEXT_MAX];

    see_vlan(story, s);
    note_vlan(mine, s);
    mine->wants_broadcast = d->flags & DHCP_BROADCAST;
    switch (d->type) {
    case DHCP_BOOTP:
    case DHCP_DISCOVER:
        if (!mine->discovers_since_ack++) {
            mine->discover_since = m;
            story->n_boots++;
        }
        begin(story, m);
        spell_add(&mine->discover, m);
        story_tell(story, EVENT_DHCP_DISCOVER, m, "%s", "");
        break;
    case DHCP_REQUEST:
        begin(story, m);
        heeded(mine);
        spell_add(&mine->request, m);
        story_tell(
            story, EVENT_DHCP_REQUEST, m, "%s",
            address_words(s, dhcp_has(d, DHCP_requested_ip) ? d->requested_ip : d->ciaddr, ip));
        break;
    case DHCP_DECLINE:
        spell_add(&mine->decline, m);
        story_tell(story, EVENT_DHCP_DECLINE, m, "%s", ip_print(ip_v4(d->requested_ip), ip));
        break;
    case DHCP_RELEASE:
        spell_add(&mine->release, m);
        story_tell(story, EVENT_DHCP_RELEASE, m, "%s", ip_print(ip_v4(d->ciaddr), ip));
        break;
    case DHCP_INFORM:
        spell_add(&mine->inform, m);
        story_tell(story, EVENT_DHCP_INFORM, m, "%s", "");
        break;
    default:
        break;
    }
    (void)t;
}

static void answered(struct story_dhcp *d, struct moment m)
{
    struct moment asked =
        d->request.last.ns > d->discover.last.ns ? d->request.last : d->discover.last;

    if (moment_is(d->since) && m.ns - asked.ns > d->waited_ns)
        d->waited_ns = m.ns - asked.ns;
}

#define PROMPT_NS 1000000000LL

static void acked(struct timeline *t, struct story *story, struct dhcp_said *o, struct moment m)
{
    struct story_dhcp *d = &story->dhcp;
    int64_t took = moments_between(d->since, m);

    spell_add(&d->ack, m);
    if (took > d->slowest_ns || d->tries > d->slowest_tries) {
        d->slowest_ns = took;
        d->slowest_tries = d->tries;
        d->slowest_waited_ns = d->waited_ns;
        d->slowest_offered = d->tries <= 3 && d->offered_ns >= 0 && d->offered_ns < PROMPT_NS;
        d->slowest = m;
    }
    d->since = (struct moment){0};
    d->discovers_since_ack = d->offers_since_ack = 0;
    if (o)
        d->acked = (uint8_t)(o - d->servers);
    if (o && o->address)
        timeline_own(t, story, ip_v4(o->address));
}

static void tell_address(struct story *story, enum event_kind kind, struct moment m,
                         const char *address, const char *by, const char *boot)
{
    if (boot[0])
        story_tell(story, kind, m, "%s by %s, %s", address, by, boot);
    else
        story_tell(story, kind, m, "%s by %s", address, by);
}

static void answers(struct timeline *t, struct story *story, const struct sight *s)
{
    const struct dhcp_message *d = s->dhcp;
    struct story_dhcp *mine = &story->dhcp;
    struct ip server = server_of(d, s);
    struct dhcp_said *o = said_by(mine, server);
    struct moment m = moment_of(s);
    char ip[IP_TEXT_MAX], by[IP_TEXT_MAX], boot[80] = "";

    service_answered(t, server, SERVICE_DHCP, m);
    answered(mine, m);
    ip_print(server, by);
    if (o)
        o->mac = s->at.from_mac;
    if (d->type == DHCP_NAK) {
        spell_add(&mine->nak, m);
        if (o)
            spell_add(&o->naks, m);
        story_tell(story, EVENT_DHCP_NAK, m, "%s", by);
        return;
    }
    if (o)
        keep_contents(o, d);
    if (o)
        boot_words(o, boot, sizeof(boot));
    if (o && s->at.told) { /* what was in it is not told */
        o->untold = true;
        boot[0] = '\0';
    }
    if (d->type == DHCP_OFFER || d->type == DHCP_BOOTP) {
        spell_add(&mine->offer, m);
        mine->offers_since_ack++;
        if (mine->offered_ns < 0 && moment_is(mine->since))
            mine->offered_ns = m.ns - mine->since.ns;
        if (o) {
            o->unicast = !(s->at.to_mac.bytes[0] & 1) && ip_v4_number(s->at.to.ip) != UINT32_MAX;
            spell_add(&o->offers, m);
            spell_add(&o->unheeded, m);
        }
        tell_address(story, EVENT_DHCP_OFFER, m, address_words(s, d->yiaddr, ip), by, boot);
    }
    if (d->type == DHCP_ACK || d->type == DHCP_BOOTP) {
        if (o)
            spell_add(&o->acks, m);
        tell_address(story, EVENT_DHCP_ACK, m,
                     address_words(s, d->yiaddr ? d->yiaddr : d->ciaddr, ip), by, boot);
        acked(t, story, o, m);
    }
}

void see_dhcp(struct timeline *t, const struct sight *s)
{
    const struct dhcp_message *d = s->dhcp;
    struct story *story = timeline_by_mac(t, dhcp_mac(d), moment_of(s), true);
    bool asking = d->op == DHCP_BOOTREQUEST;

    if (!story)
        return;
    if (asking && is_phone_client(d))
        timeline_phone(t, story);
    if (asking && d->vendor_class.len && !story->model[0]) {
        struct text v = d->vendor_class;

        if (text_starts_nocase(v, "Cisco Systems, Inc. IP Phone "))
            v = text_skip(v, sizeof("Cisco Systems, Inc. IP Phone ") - 1);
        if (!text_is(v, "Cisco Systems, Inc. IP Phone"))
            text_copy(story->model, sizeof(story->model), v);
    }
    if (asking && dhcp_asks(d, DHCP_tftp_servers))
        story->dhcp.asks_150 = true;
    if (asking && is_name_of(d->host_name, dhcp_mac(d))) /* before it asks for any file */
        story = timeline_name(t, story, d->host_name, NULL, ip_v4(d->ciaddr), s);
    if (!story)
        return;
    story_touch(story, s);
    if (asking)
        asks(t, story, s);
    else
        answers(t, story, s);
}
