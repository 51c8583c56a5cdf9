/* link.c - CDP, LLDP, ARP and VLAN tags: where the phone is plugged in, and who answers
 * for whom. */
#include "doctor/timeline/own.h"

static struct neighbour *neighbour_of(struct timeline *t, struct text device, struct text port,
                                      struct mac mac, bool by_lldp)
{
    struct capture_facts *f = &t->facts;
    struct neighbour *n = f->neighbours;

    for (; n < f->neighbours + f->n_neighbours; n++)
        if (n->by_lldp == by_lldp && mac_equal(n->mac, mac))
            return n;
    if (f->n_neighbours == NEIGHBOURS_MAX)
        return NULL;
    f->n_neighbours++;
    n->mac = mac;
    n->by_lldp = by_lldp;
    text_copy(n->device, sizeof(n->device), device);
    text_copy(n->port, sizeof(n->port), port);
    return n;
}

/* The one phone on this port: a switch's frames go to a single link, so whoever else speaks there
 * is behind it. */
static struct story *phone_on_link(struct timeline *t)
{
    struct story *s, *only = NULL;
    size_t at = 0;
    uint64_t id;

    if (t->stories.n > NEIGHBOURS_MAX)
        return NULL;
    while ((s = pool_next(&t->stories, &at, &id))) {
        if (!s->cdp.n && !s->lldp.n)
            continue;
        if (only)
            return NULL;
        only = s;
    }
    return only;
}

static bool is_voice_vlan(uint16_t vlan)
{
    return vlan > 0 && vlan < CDP_VLAN_UNTAGGED;
}

static void tell_vlan(struct timeline *t, struct neighbour *n, const struct sight *s)
{
    struct story *story = phone_on_link(t);

    if (!story)
        return;
    text_copy(story->neighbour, sizeof(story->neighbour), text_of(n->device));
    if (!n->has_voice || !is_voice_vlan(n->voice_vlan)) {
        if (!n->by_lldp)
            story_tell(story, EVENT_CDP_NO_VLAN, moment_of(s), "%s %s", n->device, n->port);
        return;
    }
    if (story->voice_vlan != n->voice_vlan)
        story->told_vlan = moment_of(s);
    story->voice_vlan = n->voice_vlan;
    story_tell(story, n->by_lldp ? EVENT_LLDP_VLAN : EVENT_CDP_VLAN, moment_of(s), "%u (%s %s)",
               n->voice_vlan, n->device, n->port);
}

static bool cdp_is_phone(const struct cdp *m)
{
    return (cdp_has(m, CDP_capabilities) && m->capabilities & CDP_CAPABLE_PHONE) ||
           (cdp_has(m, CDP_voice_vlan_query) && !cdp_has(m, CDP_voice_vlan) &&
            !cdp_has(m, CDP_capabilities)) || /* access points ask, too, and say what they are */
           (cdp_has(m, CDP_platform) && text_contains_nocase(m->platform, TEXT("phone")));
}

/* The story of a phone that says itself that it is one. */
static struct story *announced(struct timeline *t, struct mac from, const struct sight *s)
{
    struct story *story = timeline_by_mac(t, from, moment_of(s), true);

    if (story) {
        timeline_phone(t, story);
        story_touch(story, s);
    }
    return story;
}

/* It says its name, and its address: what was seen of that before is its own. */
static struct story *announced_as(struct timeline *t, struct story *story, const struct sight *s)
{
    const struct cdp *m = s->cdp;
    struct ip ip = story->ip;

    if (!is_name_of(m->device_id, m->from))
        return story;
    for (unsigned i = 0; cdp_has(m, CDP_addresses) && i < m->addresses.n && !ip.family; i++)
        if (!ip_is_any(m->addresses.at[i]))
            ip = m->addresses.at[i];
    return timeline_name(t, timeline_at(t, ip), m->device_id, NULL, ip, s);
}

void see_cdp(struct timeline *t, const struct sight *s)
{
    const struct cdp *m = s->cdp;
    struct neighbour *n;
    struct story *story;

    if (!cdp_is_phone(m)) {
        if (!(n = neighbour_of(t, m->device_id, m->port_id, m->from, false)))
            return;
        spell_add(&n->seen, moment_of(s));
        n->has_voice = cdp_has(m, CDP_voice_vlan);
        n->voice_vlan = m->voice_vlan.vlan;
        n->native_vlan = cdp_has(m, CDP_native_vlan) ? m->native_vlan : 0;
        tell_vlan(t, n, s);
        return;
    }
    if (!(story = announced(t, m->from, s)) || !(story = announced_as(t, story, s)))
        return;
    spell_add(&story->cdp, moment_of(s));
    if (cdp_has(m, CDP_platform))
        text_copy(story->model, sizeof(story->model), m->platform);
    if (cdp_has(m, CDP_version))
        text_copy(story->load, sizeof(story->load), m->version);
    story_tell(story, EVENT_CDP_PHONE, moment_of(s), "(%.*s, %.*s)", TEXT_ARG(m->platform),
               TEXT_ARG(m->version));
}

void see_lldp(struct timeline *t, const struct sight *s)
{
    const struct lldp *m = s->lldp;
    const struct lldp_policy *policy = lldp_policy(m, LLDP_MED_VOICE);
    bool phone = (m->has_med && m->med_device == LLDP_MED_PHONE) ||
                 (m->has_capabilities && m->capabilities & LLDP_CAPABLE_TELEPHONE);
    struct neighbour *n;
    struct story *story;

    if (!phone) {
        if (!(n = neighbour_of(t, m->system_name, m->port_description, m->from, true)))
            return;
        spell_add(&n->seen, moment_of(s));
        n->has_voice = policy && !policy->unknown && policy->tagged;
        n->voice_vlan = policy ? policy->vlan : 0;
        if (policy)
            tell_vlan(t, n, s);
        return;
    }
    if (!(story = announced(t, m->from, s)))
        return;
    spell_add(&story->lldp, moment_of(s));
    if (m->model.len && !story->model[0])
        text_copy(story->model, sizeof(story->model), m->model);
    story_tell(story, EVENT_LLDP_PHONE, moment_of(s), "(%.*s)", TEXT_ARG(m->system_name));
}

/* ---- VLAN ---- */

void see_vlan(struct story *story, const struct sight *s)
{
    for (unsigned i = 0; i < story->n_vlans; i++)
        if (story->vlans[i].vlan == s->at.vlan) {
            spell_add(&story->vlans[i].seen, moment_of(s));
            return;
        }
    if (story->n_vlans == sizeof(story->vlans) / sizeof(*story->vlans))
        return;
    story->vlans[story->n_vlans].vlan = s->at.vlan;
    spell_add(&story->vlans[story->n_vlans++].seen, moment_of(s));
    if (s->at.vlan)
        story_tell(story, EVENT_VLAN, moment_of(s), "%u", s->at.vlan);
}

/* ---- ARP ---- */

/* Answers and announcements say who has an address; a second MAC address for the same is remembered
 * for the capture. */
static void note_answer(struct timeline *t, uint32_t ip, struct mac mac, struct moment m)
{
    struct capture_facts *f = &t->facts;
    struct arp_clash *c = f->clashes;

    for (; c < f->clashes + f->n_clashes && c->ip != ip; c++)
        ;
    if (c == f->clashes + CLASHES_MAX)
        return;
    if (c == f->clashes + f->n_clashes) {
        f->n_clashes++;
        *c = (struct arp_clash){.ip = ip, .a = mac};
    }
    if (mac_equal(c->a, mac))
        spell_add(&c->seen_a, m);
    else if (!c->seen_b.n || mac_equal(c->b, mac)) {
        c->b = mac;
        spell_add(&c->seen_b, m);
    }
    c->n_more += c->seen_b.n != 0;
}

/* Whose address it is, when DHCP or the phone itself has said so: another MAC that claims it takes
 * it away. */
static void judge_owner(struct timeline *t, const struct arp *a, struct moment m)
{
    struct story *owner = timeline_at(t, ip_v4(a->sender_ip));
    char mac[MAC_TEXT_MAX], ip[IP_TEXT_MAX];

    if (!owner || !owner->is_phone || !owner->on_link || !mac_number(owner->mac) ||
        mac_equal(owner->mac, a->sender_mac))
        return;
    spell_add(&owner->address_used, m);
    owner->address_user = a->sender_mac;
    owner->address_used_at = owner->ip;
    story_tell(owner, EVENT_ADDRESS_USED, m, "%s at %s", mac_print(a->sender_mac, mac),
               ip_print(ip_v4(a->sender_ip), ip));
}

static void arp_asks(struct story *story, const struct arp *a, struct moment m)
{
    char ip[IP_TEXT_MAX];

    if (a->sender_ip == a->target_ip || !a->target_ip || !a->sender_ip)
        return; /* a probe or an announcement */
    if (story->arp_for != a->target_ip) {
        story->arp_for = a->target_ip;
        story->arp_silent = 0;
        story->arp_asked = (struct spell){0};
    }
    if (!story->arp_silent++)
        story->arp_since = m;
    spell_add(&story->arp_asked, m);
    story_tell(story, EVENT_ARP_ASK, m, "%s", ip_print(ip_v4(a->target_ip), ip));
}

static void arp_answers(struct story *story, const struct arp *a, struct moment m)
{
    char ip[IP_TEXT_MAX], mac[MAC_TEXT_MAX];

    if (story->arp_for == a->sender_ip)
        story->arp_silent = 0;
    story_tell(story, EVENT_ARP_ANSWER, m, "%s is at %s", ip_print(ip_v4(a->sender_ip), ip),
               mac_print(a->sender_mac, mac));
}

void see_arp(struct timeline *t, const struct sight *s)
{
    const struct arp *a = s->arp;
    struct moment m = moment_of(s);
    struct story *from = timeline_by_mac(t, a->sender_mac, m, false),
                 *to = timeline_by_mac(t, a->target_mac, m, false);

    if (a->sender_ip && (a->op == ARP_REPLY || a->sender_ip == a->target_ip)) {
        note_answer(t, a->sender_ip, a->sender_mac, m);
        judge_owner(t, a, m);
    }
    if (from) {
        story_touch(from, s);
        see_vlan(from, s);
        if (a->sender_ip && !from->ip.family)
            timeline_bind(t, from, ip_v4(a->sender_ip));
        if (a->op == ARP_REQUEST)
            arp_asks(from, a, m);
    }
    if (to && a->op == ARP_REPLY)
        arp_answers(to, a, m);
}
