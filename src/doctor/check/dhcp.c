/* dhcp.c - how the phone comes to its address, and what it is told with it. */
#include "doctor/check/check.h"

#include <stdio.h>

/* What DHCP says besides: which of its servers answered anybody. */
static void prove_others(const struct scene *c, struct finding *f)
{
    char ip[IP_TEXT_MAX];

    for (unsigned i = 0; i < c->facts->n_servers; i++) {
        const struct service *s = &c->facts->servers[i].services[SERVICE_DHCP];

        if (s->answered.n) {
            prove(f, s->answered.last, "%s answers other phones by DHCP (%u [time|times])",
                  ip_print(c->facts->servers[i].ip, ip), s->answered.n);
            return;
        }
    }
    prove(f, (struct moment){0}, "no DHCP server answers anybody in this capture");
}

/* REQUESTs alone: an address from before, asked for again. */
static bool no_answer_to_renewal(const struct scene *c, struct finding *f)
{
    const struct story_dhcp *d = &c->story->dhcp;
    char took[24];

    if (!moment_is(d->since) || d->tries < 3 || d->discovers_since_ack ||
        d->nak.last.ns > d->since.ns || !settled(c, d->since, 8 * SECOND))
        return false;
    detail(f, "%u REQUESTs in %s", d->tries, seconds(d->request.last.ns - d->since.ns, took));
    prove(f, d->since, "DHCP REQUEST, the first of %u", d->tries);
    prove(f, d->request.last, "DHCP REQUEST, the last; neither ACK nor NAK");
    prove_others(c, f);
    return true;
}

static bool no_answer(const struct scene *c, struct finding *f)
{
    const struct story_dhcp *d = &c->story->dhcp;
    unsigned n = d->discovers_since_ack;
    char took[24];

    if (c->one_sided)
        return false;
    /* A REQUEST after the DISCOVER: there was an OFFER, not in this capture. */
    if (n < 2 || d->offers_since_ack || d->request.last.ns > d->discover_since.ns ||
        !settled(c, d->discover_since, n < 3 ? 12 * SECOND : 6 * SECOND))
        return no_answer_to_renewal(c, f);
    detail(f, "%u DISCOVERs in %s", n, seconds(d->discover.last.ns - d->discover_since.ns, took));
    f->n_times = n;
    prove(f, d->discover_since, "DHCP DISCOVER, the first of %u in %s", n, took);
    prove(f, d->discover.last, "DHCP DISCOVER, the last");
    prove_others(c, f);
    return true;
}

#define SLOW_NS   (4 * SECOND)
#define PROMPT_NS (1 * SECOND) /* so soon a server that is not slow answers */

/* Its messages that no server answered, ever: not slow, but lost. Several servers answer each. */
static unsigned unanswered(const struct story_dhcp *d)
{
    unsigned offers = 0, closes = d->ack.n + d->nak.n;

    for (unsigned i = 0; i < d->n_servers; i++)
        offers = d->servers[i].offers.n > offers ? d->servers[i].offers.n : offers;
    return (d->discover.n > offers ? d->discover.n - offers : 0) +
           (d->request.n > closes ? d->request.n - closes : 0);
}

static bool slow(const struct scene *c, struct finding *f)
{
    const struct story_dhcp *d = &c->story->dhcp;
    unsigned lost = d->slowest_waited_ns < PROMPT_NS ? unanswered(d) : 0;
    char took[24], at_once[24];

    if (d->slowest_ns < SLOW_NS || !d->ack.n || d->decline.n || lost == 1 || d->slowest_offered)
        return false;
    detail(f, "%s, after %u [message|messages]", seconds(d->slowest_ns, took), d->slowest_tries);
    prove(f, d->slowest, "DHCP ACK, %s after the first message of the phone (%u sent)", took,
          d->slowest_tries);
    if (lost)
        prove(f, (struct moment){0},
              "%u of its [message was|messages were] never answered, the others within %s: lost, "
              "or the "
              "switch port did not yet forward (spanning tree)",
              lost, seconds(d->slowest_waited_ns, at_once));
    return true;
}

static bool nak(const struct scene *c, struct finding *f)
{
    const struct story_dhcp *d = &c->story->dhcp;
    char ip[IP_TEXT_MAX];

    /* One NAK is how a phone learns that it has moved. */
    if (!d->nak.n || (d->nak.n < 2 &&
                      (d->ack.last.ns > d->nak.last.ns || !settled(c, d->nak.last, 10 * SECOND))))
        return false;
    for (unsigned i = 0; i < d->n_servers; i++)
        if (d->servers[i].naks.n) {
            detail(f, "%s, %u [time|times]", ip_print(d->servers[i].server, ip),
                   d->servers[i].naks.n);
            prove_spell(f, &d->servers[i].naks, "DHCP NAK of %s", ip);
        }
    return f->n_evidence > 0;
}

static bool ignored(const struct scene *c, struct finding *f)
{
    const struct story_dhcp *d = &c->story->dhcp;
    char ip[IP_TEXT_MAX];

    if (d->offers_since_ack < 2 || d->request.last.ns >= d->discover_since.ns || d->decline.n ||
        !settled(c, d->discover_since, 6 * SECOND) || c->one_sided)
        return false;
    for (unsigned i = 0; i < d->n_servers; i++)
        if (d->servers[i].unheeded.n) {
            detail(f, "%u [offer|offers] of %s%s", d->servers[i].unheeded.n,
                   ip_print(d->servers[i].server, ip),
                   d->wants_broadcast && d->servers[i].unicast
                       ? WORDS(", sent to the phone's own address though it wants broadcasts")
                       : "");
            prove_spell(f, &d->servers[i].unheeded, "DHCP OFFER of %s, no REQUEST follows", ip);
        }
    return f->n_evidence > 0;
}

static const struct dhcp_said *taken(const struct story *s)
{
    return s->dhcp.ack.n && s->dhcp.n_servers ? &s->dhcp.servers[s->dhcp.acked] : NULL;
}

static bool has_boot(const struct dhcp_said *o)
{
    return o->has_150 || o->has_66 || o->untold;
}

static bool files_came(const struct story *s)
{
    for (unsigned i = 0; i < s->n_files; i++)
        if (s->files[i].answered)
            return true;
    return false;
}

/* A softphone on a computer asks for no file server. */
static bool wants_boot(const struct story *s)
{
    return s->dhcp.asks_150 || s->cdp.n || s->n_files || strncmp(s->name, "SEP", 3) == 0;
}

static bool no_boot_server(const struct scene *c, struct finding *f)
{
    const struct story *s = c->story;
    const struct dhcp_said *o = taken(s);
    char ip[IP_TEXT_MAX];

    if (!o || !wants_boot(s) || has_boot(o) || files_came(s) || is_registered(s) ||
        !settled(c, s->dhcp.ack.first, 3 * SECOND))
        return false;
    for (unsigned i = 0; i < s->dhcp.n_servers; i++)
        if (has_boot(&s->dhcp.servers[i]))
            return false; /* the boot options come from another (side-car) */
    detail(f, "%s", ip_print(o->server, ip));
    prove_spell(f, &o->acks, "DHCP ACK of %s without option 150 and 66", ip);
    if (o->boot_from_siaddr) {
        prove(f, (struct moment){0}, "its siaddr is %s", ip_print(ip_v4(o->boot[0]), ip));
    }
    return true;
}

/* Phones read four octets an address, whatever was meant. */
static bool boot_in_letters(const struct scene *c, struct finding *f)
{
    const struct story_dhcp *d = &c->story->dhcp;
    char ip[IP_TEXT_MAX];

    for (unsigned i = 0; i < d->n_servers && !is_registered(c->story); i++) {
        const struct dhcp_said *o = &d->servers[i];

        if (!o->boot_text[0])
            continue;
        detail(f, "%s: option 150 is the text %s, not an address", ip_print(o->server, ip),
               o->boot_text);
        prove_spell(f, o->acks.n ? &o->acks : &o->offers,
                    "DHCP answer of %s: its option 150 holds letters, %s", ip, o->boot_text);
        return true;
    }
    return false;
}

static bool alike(const struct dhcp_said *a, const struct dhcp_said *b)
{
    return a->boot[0] == b->boot[0] && has_boot(a) == has_boot(b) && a->mask == b->mask &&
           a->router == b->router && strcmp(a->boot_name, b->boot_name) == 0;
}

static struct moment latest(const struct dhcp_said *o)
{
    return o->acks.last.ns > o->offers.last.ns ? o->acks.last : o->offers.last;
}

static struct moment earliest(const struct dhcp_said *o)
{
    return o->offers.n && (!o->acks.n || o->offers.first.ns < o->acks.first.ns) ? o->offers.first
                                                                                : o->acks.first;
}

/* Its own MAC address, or that of the router that relays for it. */
static void prove_contents(struct finding *f, const struct dhcp_said *o)
{
    char server[IP_TEXT_MAX], router[IP_TEXT_MAX], mac[MAC_TEXT_MAX];

    prove(f, latest(o), "%s (%s) says: router %s, %s", ip_print(o->server, server),
          mac_print(o->mac, mac), ip_print(ip_v4(o->router), router),
          has_boot(o) ? WORDS("with a boot server") : WORDS("no option 150 or 66"));
}

static bool two_servers(const struct scene *c, struct finding *f)
{
    const struct story_dhcp *d = &c->story->dhcp;
    char a[IP_TEXT_MAX], b[IP_TEXT_MAX];

    for (unsigned i = 0; i < d->n_servers; i++)
        for (unsigned k = i + 1; k < d->n_servers; k++) {
            const struct dhcp_said *one = &d->servers[i], *two = &d->servers[k];

            if (!one->address || !two->address || alike(one, two) ||
                latest(one).ns + 10 * SECOND < earliest(two).ns ||
                latest(two).ns + 10 * SECOND < earliest(one).ns) /* one took the other's place */
                continue;
            detail(f, "%s and %s", ip_print(one->server, a), ip_print(two->server, b));
            prove_contents(f, one);
            prove_contents(f, two);
            return true;
        }
    return false;
}

static bool router_outside(const struct scene *c, struct finding *f)
{
    const struct dhcp_said *o = taken(c->story);
    char router[IP_TEXT_MAX], address[IP_TEXT_MAX];
    unsigned bits = 0;

    if (!o || !o->router || !o->mask || !o->address || !((o->router ^ o->address) & o->mask))
        return false;
    for (uint32_t m = o->mask; m; m <<= 1)
        bits++;
    detail(f, "router %s, address %s/%u", ip_print(ip_v4(o->router), router),
           ip_print(ip_v4(o->address), address), bits);
    prove(f, o->acks.last, "DHCP ACK: address %s/%u, router %s", address, bits, router);
    return true;
}

static bool declined(const struct scene *c, struct finding *f)
{
    const struct story_dhcp *d = &c->story->dhcp;

    if (!d->decline.n)
        return false;
    detail(f, "%u [time|times]", d->decline.n);
    prove_spell(f, &d->decline, "DHCP DECLINE: somebody answers for the address");
    return true;
}

#define STORM_N 16

/* How often it began to fetch its files. */
static unsigned fetches(const struct story *s)
{
    unsigned n = 0;

    for (unsigned i = 0; i < s->n_files; i++)
        n = s->files[i].asked.n > n ? s->files[i].asked.n : n;
    return n;
}

static bool storm(const struct scene *c, struct finding *f)
{
    const struct story_dhcp *d = &c->story->dhcp;
    unsigned n = d->discover.n + d->inform.n;
    int64_t span = d->discover.last.ns - d->discover.first.ns;
    char took[24];

    /* A phone that waits for an answer doubles its pause; one that storms begins anew: once a
     * minute or more often. */
    if (n < STORM_N || span / n > 60 * SECOND)
        return false;
    if (fetches(c->story) * 2 >= n) /* it went on each time: it begins anew for another reason */
        return false;
    detail(f, "%u DISCOVERs in %s", n, seconds(span, took));
    prove_spell(f, &d->discover, "DHCP DISCOVER, %u in %s", d->discover.n, took);
    return true;
}

bool asks_intruder(const struct story *s, struct ip server)
{
    const struct dhcp_said *o = taken(s);

    if (!o || has_boot(o) || !ip_equal(o->server, server))
        return false;
    for (unsigned i = 0; i < s->dhcp.n_servers; i++)
        if (has_boot(&s->dhcp.servers[i]))
            return true;
    return false;
}

static bool named_by_dhcp(const struct story *s, struct ip server)
{
    struct ip ip;

    for (unsigned i = 0; i < s->dhcp.n_servers; i++) {
        const struct dhcp_said *o = &s->dhcp.servers[i];

        if (o->untold)
            return true;
        for (unsigned k = 0; k < sizeof(o->boot) / sizeof(*o->boot); k++)
            if (o->boot[k] && ip_v4_number(server) == o->boot[k])
                return true;
        if (ip_equal(o->server, server) && !has_boot(o))
            return true; /* without a boot server a phone tries the DHCP server itself */
        if (ip_parse(text_of(o->boot_name), &ip) == 0 && ip_equal(ip, server))
            return true;
        if (o->siaddr && ip_v4_number(server) == o->siaddr)
            return true;
    }
    for (unsigned i = 0; i < s->n_dns; i++)
        if (s->dns[i].has_address && ip_equal(s->dns[i].address, server))
            return true;
    return false;
}

static bool overridden(const struct scene *c, struct finding *f)
{
    const struct story *s = c->story;
    const struct dhcp_said *o = taken(s);
    char asked[IP_TEXT_MAX], named[IP_TEXT_MAX];

    if (!o || !has_boot(o))
        return false;
    for (unsigned i = 0; i < s->n_files; i++) {
        const struct story_file *file = &s->files[i];
        struct text name = text_of(file->name);

        if (!file->server.family) /* a trace that does not say whose it is */
            continue;
        if (file->asked.last.ns < s->dhcp.ack.first.ns || named_by_dhcp(s, file->server) ||
            (!text_contains_nocase(name, TEXT(".cnf")) &&
             !text_contains_nocase(name, TEXT(".tlv"))))
            continue;
        ip_print(file->server, asked);
        if (o->has_150)
            ip_print(ip_v4(o->boot[0]), named);
        detail(f, "asks %s, DHCP named %s", asked, o->has_150 ? named : o->boot_name);
        prove(f, o->acks.last, "DHCP ACK names %s", o->has_150 ? named : o->boot_name);
        prove_spell(f, &file->asked, "the phone asks %s for %s", asked, file->name);
        return true;
    }
    return false;
}

const struct rule dhcp_rules[] = {
    {CAUSE_DHCP_NO_ANSWER, no_answer},
    {CAUSE_DHCP_SLOW, slow},
    {CAUSE_DHCP_NAK, nak},
    {CAUSE_DHCP_IGNORED, ignored},
    {CAUSE_DHCP_NO_BOOT_SERVER, no_boot_server},
    {CAUSE_DHCP_NO_BOOT_SERVER, boot_in_letters},
    {CAUSE_DHCP_TWO_SERVERS, two_servers},
    {CAUSE_DHCP_ROUTER_OUTSIDE, router_outside},
    {CAUSE_DHCP_DECLINED, declined},
    {CAUSE_DHCP_STORM, storm},
    {CAUSE_TFTP_OVERRIDDEN, overridden},
    {0},
};
