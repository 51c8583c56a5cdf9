/* link.c - VLAN and ARP: whether the phone is where it thinks it is. */
#include "doctor/check/check.h"

static bool any_address(const struct story *s)
{
    return s->dhcp.ack.n || s->n_files || s->n_peers || s->n_sessions;
}

/* It asked for a VLAN and got none, and where it is nobody gives it an address. */
static bool vlan_not_offered(const struct scene *c, struct finding *f)
{
    const struct story *s = c->story;
    const struct neighbour *quiet = NULL;

    for (unsigned i = 0; i < c->facts->n_neighbours; i++) {
        const struct neighbour *n = &c->facts->neighbours[i];

        if (n->has_voice)
            return false;
        if (!n->by_lldp)
            quiet = n;
    }
    if (!quiet || !s->cdp.n || any_address(s) || s->dhcp.discover.n < 2 || s->dhcp.offer.n)
        return false;
    for (unsigned i = 0; i < s->n_vlans; i++)
        if (s->vlans[i].vlan)
            return false; /* it knows a VLAN all the same */
    detail(f, "%s %s", quiet->device, quiet->port);
    prove_spell(f, &quiet->seen, "CDP of %s without a voice VLAN", quiet->device);
    prove_spell(f, &s->dhcp.discover, "DHCP DISCOVER without a VLAN tag, never answered");
    if (!c->facts->n_tagged) /* nothing tells that there is another VLAN at all */
        doubt(f, APART_TAGS);
    return true;
}

/* The switch that told the VLAN heard last need not be the phone's own: a mirrored trunk shows more
 * of them. */
static bool told_by_any(const struct scene *c, uint16_t vlan)
{
    for (unsigned i = 0; i < c->facts->n_neighbours; i++)
        if (c->facts->neighbours[i].has_voice && c->facts->neighbours[i].voice_vlan == vlan)
            return true;
    return false;
}

static bool vlan_not_used(const struct scene *c, struct finding *f)
{
    const struct story *s = c->story;
    const struct vlan_use *other = NULL;

    if (!s->voice_vlan || any_address(s) || s->dhcp.offer.n)
        return false; /* where somebody offers an address, it is not the VLAN that stops it */
    for (unsigned i = 0; i < s->n_vlans; i++) {
        const struct vlan_use *v = &s->vlans[i];

        if (v->vlan && told_by_any(c, v->vlan) && v->seen.last.ns >= s->told_vlan.ns)
            return false;
        if (v->vlan != s->voice_vlan && v->seen.last.ns > s->told_vlan.ns)
            other = v;
    }
    if (!other || (!other->vlan && other->seen.n < 2))
        return false;
    if (other->vlan)
        detail(f, "told VLAN %u, sends in VLAN %u", s->voice_vlan, (unsigned)other->vlan);
    else
        detail(f, "told VLAN %u, sends without a tag", s->voice_vlan);
    prove(f, s->told_vlan, "the switch names voice VLAN %u", s->voice_vlan);
    prove_spell(f, &other->seen, "the phone sends in VLAN %u (0: untagged)", other->vlan);
    if (!other->vlan && !c->facts->n_tagged && s->dhcp.discover.n < 3)
        doubt(f, APART_TAGS);
    return true;
}

static bool vlan_disagree(const struct scene *c, struct finding *f)
{
    const struct capture_facts *facts = c->facts;

    if (!c->story->cdp.n && !c->story->lldp.n)
        return false;
    for (unsigned i = 0; i < facts->n_neighbours; i++)
        for (unsigned k = 0; k < facts->n_neighbours; k++) {
            const struct neighbour *a = &facts->neighbours[i], *b = &facts->neighbours[k];

            if (a->by_lldp || !b->by_lldp || !a->has_voice || !b->has_voice ||
                a->voice_vlan == b->voice_vlan || !mac_equal(a->mac, b->mac))
                continue;
            detail(f, "CDP %u, LLDP-MED %u (%s)", a->voice_vlan, b->voice_vlan, a->device);
            prove_spell(f, &a->seen, "CDP: voice VLAN %u", a->voice_vlan);
            prove_spell(f, &b->seen, "LLDP-MED: voice VLAN %u", b->voice_vlan);
            return true;
        }
    return false;
}

/* ---- ARP ---- */

/* Both answer the same question, or take turns: not a host that was replaced. */
static bool at_once(const struct arp_clash *a)
{
    int64_t apart = a->seen_b.first.ns - a->seen_a.last.ns;

    return a->seen_b.n &&
           (a->seen_a.last.ns > a->seen_b.first.ns || (apart >= 0 && apart < 2 * SECOND));
}

static bool concerns(const struct story *s, uint32_t ip)
{
    const struct dhcp_said *o = s->dhcp.ack.n ? &s->dhcp.servers[s->dhcp.acked] : NULL;
    struct ip address = ip_v4(ip);

    if ((o && (o->router == ip || o->boot[0] == ip)) || s->arp_for == ip)
        return true;
    for (unsigned i = 0; i < s->n_peers; i++)
        if (ip_equal(s->peers[i].server.ip, address))
            return true;
    for (unsigned i = 0; i < s->n_files; i++)
        if (ip_equal(s->files[i].server, address))
            return true;
    return false;
}

static void prove_clash(struct finding *f, const struct arp_clash *a)
{
    char ip[IP_TEXT_MAX], one[MAC_TEXT_MAX], two[MAC_TEXT_MAX];

    ip_print(ip_v4(a->ip), ip);
    mac_print(a->a, one);
    mac_print(a->b, two);
    detail(f, "%s: %s and %s", ip, one, two);
    prove_spell(f, &a->seen_a, "ARP: %s is at %s", ip, one);
    prove_spell(f, &a->seen_b, "ARP: %s is at %s", ip, two);
}

static bool arp_two_answers(const struct scene *c, struct finding *f)
{
    for (unsigned i = 0; i < c->facts->n_clashes; i++) {
        const struct arp_clash *a = &c->facts->clashes[i];

        if (!at_once(a) || !concerns(c->story, a->ip) || ip_v4_number(c->story->ip) == a->ip)
            continue;
        prove_clash(f, a);
        return true;
    }
    return false;
}

static struct moment last_said(const struct story *s)
{
    struct moment m = {0};

    for (unsigned i = 0; i < s->n_peers; i++)
        if (s->peers[i].heard.ns > m.ns)
            m = s->peers[i].heard;
    for (unsigned i = 0; i < s->n_files; i++)
        if (s->files[i].asked.last.ns > m.ns)
            m = s->files[i].asked.last;
    return m;
}

static bool arp_no_answer(const struct scene *c, struct finding *f)
{
    const struct story *s = c->story;
    char ip[IP_TEXT_MAX];

    if (c->one_sided || s->arp_silent < 3 || !settled(c, s->arp_since, 2 * SECOND) ||
        !concerns(s, s->arp_for) || last_said(s).ns > s->arp_asked.first.ns)
        return false;
    detail(f, "%s", ip_print(ip_v4(s->arp_for), ip));
    prove_spell(f, &s->arp_asked, "ARP: who has %s? Nobody answers", ip);
    return true;
}

static bool address_duplicate(const struct scene *c, struct finding *f)
{
    const struct story *s = c->story;
    char mac[MAC_TEXT_MAX], ip[IP_TEXT_MAX];

    if (!s->address_used.n || !ip_equal(s->address_used_at, s->ip) ||
        s->last.ns <= s->address_used.first.ns)
        return false;
    detail(f, "%s is also at %s", ip_print(s->ip, ip), mac_print(s->address_user, mac));
    prove_spell(f, &s->address_used, "ARP: %s is at %s", ip, mac);
    return true;
}

const struct rule link_rules[] = {
    {CAUSE_VLAN_NOT_OFFERED, vlan_not_offered},
    {CAUSE_VLAN_NOT_USED, vlan_not_used},
    {CAUSE_VLAN_DISAGREE, vlan_disagree},
    {CAUSE_ARP_TWO_ANSWERS, arp_two_answers},
    {CAUSE_ARP_NO_ANSWER, arp_no_answer},
    {CAUSE_ADDRESS_DUPLICATE, address_duplicate},
    {0},
};
