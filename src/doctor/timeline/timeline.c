/* timeline.c - who is who: addresses, names and flows joined to phones; see timeline.h. */
#include "doctor/timeline/own.h"

#include <stdlib.h>

#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
#define SLOTS_FIRST 256 /* a fuzzer begins anew some thousand times a second */
#else
#define SLOTS_FIRST 65536
#endif

static struct text mac_of_story(const void *value)
{
    const struct story *s = value;

    return (struct text){(const char *)s->mac.bytes, sizeof(s->mac.bytes)};
}

static struct text identity_of_story(const void *value)
{
    return text_of(((const struct story *)value)->identity);
}

static struct text ip_of_host(const void *value)
{
    const struct host *h = value;

    return (struct text){(const char *)h->ip.bytes, h->ip.family == 4 ? 4 : 16};
}

static int make_slots(struct timeline *t, size_t n)
{
    struct flow_slot *flows = calloc(n, sizeof(*flows));
    struct dialog_slot *dialogs = calloc(n, sizeof(*dialogs));

    if (!flows || !dialogs) {
        free(flows);
        free(dialogs);
        return -1;
    }
    for (size_t i = 0; i < t->n_slots; i++) {
        flows[t->flows[i].flow & (n - 1)] = t->flows[i];
        dialogs[t->dialogs[i].key & (n - 1)] = t->dialogs[i];
    }
    free(t->flows);
    free(t->dialogs);
    t->flows = flows;
    t->dialogs = dialogs;
    t->n_slots = n;
    return 0;
}

struct timeline *timeline_new(void)
{
    struct timeline *t = calloc(1, sizeof(*t));

    if (!t)
        return NULL;
    pool_init(&t->stories, sizeof(struct story), STORIES_MAX);
    pool_init(&t->hosts, sizeof(struct host), HOSTS_MAX);
    map_init(&t->by_mac, mac_of_story);
    map_init(&t->by_name, identity_of_story);
    map_init(&t->by_ip, ip_of_host);
    if (make_slots(t, SLOTS_FIRST) < 0) {
        timeline_free(t);
        return NULL;
    }
    return t;
}

void timeline_free(struct timeline *t)
{
    struct story *s;
    size_t at = 0;
    uint64_t id;

    if (!t)
        return;
    while ((s = pool_next(&t->stories, &at, &id)))
        story_done(s);
    map_done(&t->by_mac);
    map_done(&t->by_name);
    map_done(&t->by_ip);
    pool_done(&t->stories);
    pool_done(&t->hosts);
    free(t->flows);
    free(t->dialogs);
    free(t);
}

/* ---- stories ---- */

static struct story *story_new(struct timeline *t, struct moment m)
{
    struct story *s;
    uint64_t id;

    if (t->n_strangers >= STRANGERS_MAX || !(s = pool_take(&t->stories, &id))) {
        t->facts.full = true;
        return NULL;
    }
    s->id = id;
    s->born = s->last = m;
    t->n_strangers++;
    if (t->stories.n * 2 > t->n_slots)
        make_slots(t, t->n_slots * 2); /* without memory it goes on with fewer */
    return s;
}

void timeline_phone(struct timeline *t, struct story *story)
{
    if (story->is_phone)
        return;
    story->is_phone = true;
    t->n_strangers--;
}

static struct story *story_get(struct timeline *t, uint64_t id)
{
    return id ? pool_get(&t->stories, id) : NULL;
}

void story_touch(struct story *story, const struct sight *s)
{
    story->last = moment_of(s);
    story->told |= s->at.told;
    story->n_captures |= 1u << (s->at.capture & 7);
    story->on_link |= mac_number(story->mac) && mac_equal(story->mac, s->at.from_mac);
}

static bool mac_is_zero(struct mac m)
{
    return mac_number(m) == 0;
}

struct story *timeline_by_mac(struct timeline *t, struct mac mac, struct moment m, bool make)
{
    struct text key = {(const char *)mac.bytes, sizeof(mac.bytes)};
    struct story *s;

    if (mac_is_zero(mac) || mac.bytes[0] & 1)
        return NULL;
    if ((s = map_get(&t->by_mac, key)) || !make)
        return s;
    if (!(s = story_new(t, m)))
        return NULL;
    s->mac = mac;
    map_put(&t->by_mac, s);
    return s;
}

/* ---- addresses ---- */

static struct host *host_at(struct timeline *t, struct ip ip, bool make)
{
    struct host *h =
        map_get(&t->by_ip, (struct text){(const char *)ip.bytes, ip.family == 4 ? 4 : 16});
    uint64_t id;

    if (h || !make || !(h = pool_take(&t->hosts, &id)))
        return h;
    h->ip = ip;
    map_put(&t->by_ip, h);
    return h;
}

static bool host_drop(struct timeline *t, struct host *h, uint64_t story)
{
    uint64_t *at = &h->first;
    struct story *s;

    while ((s = story_get(t, *at))) {
        if (*at == story) {
            *at = s->next_at_host;
            s->next_at_host = 0;
            return true;
        }
        at = &s->next_at_host;
    }
    return false;
}

static void note_address(struct story *story, struct ip ip)
{
    if (ip.family == 4 &&
        ip_v4_number(ip) < 1u << 24) /* of a log that does not say where its phone is */
        return;
    for (unsigned i = 0; i < story->n_ips; i++)
        if (ip_equal(story->ips[i], ip))
            return;
    if (story->n_ips < sizeof(story->ips) / sizeof(*story->ips))
        story->ips[story->n_ips++] = ip;
}

/* A story stands at one address's list only: the one it was last seen at. */
void timeline_bind(struct timeline *t, struct story *story, struct ip ip)
{
    struct host *h;
    struct story *other;

    if (ip_is_any(ip) || (ip_equal(story->ip, ip) && story->ip.family))
        return;
    if (story->ip.family && (h = host_at(t, story->ip, false)))
        host_drop(t, h, story->id);
    story->ip = ip;
    note_address(story, ip);
    if (!(h = host_at(t, ip, true)))
        return;
    if ((other = story_get(t, h->first)) && other->is_phone)
        other->shared_address = story->shared_address = true;
    story->next_at_host = other ? h->first : 0;
    h->first = story->id;
}

static void absorb(struct timeline *t, struct story *into, struct story *from)
{
    struct host *h = host_at(t, from->ip, false);

    story_absorb(into, from);
    if (h)
        host_drop(t, h, from->id);
    if (!from->is_phone)
        t->n_strangers--;
    if (!mac_is_zero(from->mac))
        map_remove(&t->by_mac, mac_of_story(from));
    story_done(from);
    pool_give(&t->stories, from->id);
}

void timeline_own(struct timeline *t, struct story *story, struct ip ip)
{
    struct host *h = host_at(t, ip, false);
    struct story *other;

    while (h && (other = story_get(t, h->first)) && other != story) {
        if (!other->name[0] && mac_is_zero(other->mac)) {
            absorb(t, story, other); /* nothing says it was another */
            continue;
        }
        host_drop(t, h, other->id);
        other->ip = (struct ip){0};
        other->shared_address = false;
    }
    timeline_bind(t, story, ip);
    story->shared_address = false;
}

/* One of several is taken when the others have been quiet for long: the address changed hands. */
#define QUIET_NS (300 * 1000000000LL)

struct story *timeline_at(struct timeline *t, struct ip ip)
{
    struct host *h = host_at(t, ip, false);
    struct story *a = h ? story_get(t, h->first) : NULL, *b;

    if (!a || !(b = story_get(t, a->next_at_host)))
        return a;
    return a->last.ns > b->last.ns + QUIET_NS ? a : NULL;
}

/* Whether a packet comes from its own link: its TTL is one that hosts begin with. */
static bool is_near(const struct sight *s)
{
    static const uint8_t begins[] = {32, 60, 64, 128, 250, 255};

    return memchr(begins, s->at.ttl, sizeof(begins)) != NULL;
}

struct story *timeline_at_or_new(struct timeline *t, struct ip ip, const struct sight *s, bool from)
{
    struct host *h = host_at(t, ip, false);
    struct story *story = timeline_at(t, ip), *known;

    if (story || (h && h->first) || ip_is_any(ip))
        return story;
    known = from && is_near(s) ? timeline_by_mac(t, s->at.from_mac, moment_of(s), false) : NULL;
    if (known && known->is_phone)
        story = known;
    else
        story = story_new(t, moment_of(s));
    if (story)
        timeline_bind(t, story, ip);
    return story;
}

/* ---- names ---- */

/* "SEP", "SIP", "ATA" …, then the twelve digits. */
static bool name_mac(struct text name, struct mac *ret)
{
    return name.len == 15 && mac_parse(text_skip(name, 3), ret) == 0;
}

bool is_name_of(struct text name, struct mac mac)
{
    struct mac said;

    return text_starts(name, "SEP") && name_mac(name, &said) && mac_equal(said, mac);
}

static void name_it(struct timeline *t, struct story *s, struct text name, const char *identity)
{
    struct mac mac;

    text_copy(s->name, sizeof(s->name), name);
    text_copy(s->identity, sizeof(s->identity), identity ? text_of(identity) : name);
    map_put(&t->by_name, s);
    if (mac_is_zero(s->mac) && name_mac(name, &mac) && !timeline_by_mac(t, mac, s->born, false)) {
        s->mac = mac;
        map_put(&t->by_mac, s);
    }
}

/* A story without a name of its own, and without a MAC address that says it is another. */
static bool may_be(const struct story *s, const struct story *known, struct text name)
{
    struct mac mac;

    if (s->name[0])
        return false;
    if (mac_is_zero(s->mac))
        return true;
    if (known)
        return !mac_is_zero(known->mac) ? mac_equal(known->mac, s->mac) : true;
    return !name_mac(name, &mac) || mac_equal(mac, s->mac);
}

struct story *timeline_name(struct timeline *t, struct story *there, struct text name,
                            const char *identity, struct ip ip, const struct sight *s)
{
    struct text key = identity ? text_of(identity) : name;
    struct story *known = map_get(&t->by_name, key);
    struct mac mac;

    if (!known && name_mac(name, &mac))
        known = timeline_by_mac(t, mac, moment_of(s), false);
    if (there && there != known && may_be(there, known, name)) {
        if (known)
            absorb(t, known, there);
        else
            known = there;
    }
    if (!known && !(known = story_new(t, moment_of(s))))
        return NULL;
    if (!known->name[0])
        name_it(t, known, name, identity);
    timeline_bind(t, known, ip);
    timeline_phone(t, known);
    return known;
}

/* ---- flows ---- */

struct flow_slot *timeline_flow(struct timeline *t, uint32_t flow, bool make)
{
    struct flow_slot *slot = &t->flows[flow & (t->n_slots - 1)];

    if (!flow)
        return NULL;
    if (slot->flow == flow)
        return slot;
    if (!make)
        return NULL;
    *slot = (struct flow_slot){.flow = flow};
    return slot;
}

struct story *timeline_of_flow(struct timeline *t, const struct sight *s)
{
    struct flow_slot *slot = timeline_flow(t, s->flow, false);

    return slot ? story_get(t, slot->story) : NULL;
}

struct dialog_slot *timeline_dialog(struct timeline *t, uint64_t key)
{
    return &t->dialogs[key & (t->n_slots - 1)];
}

/* ---- servers ---- */

static struct server_seen *server_at(struct timeline *t, struct ip ip)
{
    uint64_t at = hash_bytes(ip.bytes, ip.family == 4 ? 4 : 16);
    struct capture_facts *f = &t->facts;

    for (unsigned i = 0; i < SERVER_INDEX; i++, at++) {
        uint16_t *index = &t->server_index[at % SERVER_INDEX];

        if (*index && ip_equal(f->servers[*index - 1].ip, ip))
            return &f->servers[*index - 1];
        if (*index)
            continue;
        if (f->n_servers == SERVERS_MAX)
            break;
        f->servers[f->n_servers].ip = ip;
        *index = (uint16_t)++f->n_servers;
        return &f->servers[f->n_servers - 1];
    }
    return &f->servers[SERVERS_MAX - 1]; /* all that do not fit, together */
}

struct service *timeline_service(struct timeline *t, struct ip ip, enum service_kind kind)
{
    return &server_at(t, ip)->services[kind];
}

void service_asked(struct timeline *t, struct ip ip, enum service_kind kind, struct moment m)
{
    spell_add(&timeline_service(t, ip, kind)->asked, m);
}

void service_answered(struct timeline *t, struct ip ip, enum service_kind kind, struct moment m)
{
    spell_add(&timeline_service(t, ip, kind)->answered, m);
}

void service_refused(struct timeline *t, struct ip ip, enum service_kind kind, struct moment m)
{
    spell_add(&timeline_service(t, ip, kind)->refused, m);
}

/* ---- the door ---- */

static void (*const seen[])(struct timeline *, const struct sight *) = {
    [SIGHT_CDP] = see_cdp,
    [SIGHT_LLDP] = see_lldp,
    [SIGHT_ARP] = see_arp,
    [SIGHT_DHCP] = see_dhcp,
    [SIGHT_DNS] = see_dns,
    [SIGHT_TFTP] = see_tftp,
    [SIGHT_ICMP] = see_icmp,
    [SIGHT_HTTP_REQUEST] = see_http_request,
    [SIGHT_HTTP_RESPONSE] = see_http_response,
    [SIGHT_FILE] = see_file,
    [SIGHT_SCCP] = see_sccp,
    [SIGHT_SIP] = see_sip,
    [SIGHT_TORN] = see_torn,
    [SIGHT_TLS] = see_tls,
    [SIGHT_TCP] = see_tcp,
    [SIGHT_LOST] = see_lost,
};

void timeline_see(void *timeline, const struct sight *s)
{
    struct timeline *t = timeline;
    struct capture_facts *f = &t->facts;

    if (!f->n_sights++)
        f->first = f->last = moment_of(s);
    if (s->at.time_ns > f->last.ns)
        f->last = moment_of(s);
    f->n_tagged += s->at.vlan != 0;
    f->told = f->told || s->at.told;
    if (s->at.device) {
        struct ip phone = s->from_client ? s->at.from.ip : s->at.to.ip;

        timeline_name(t, timeline_at(t, phone), text_of(s->at.device), NULL, phone, s);
    }
    if (s->kind < sizeof(seen) / sizeof(*seen) && seen[s->kind])
        seen[s->kind](t, s);
}

void timeline_end(struct timeline *t, int64_t until_ns)
{
    struct story *s;
    size_t at = 0;
    uint64_t id;

    if (until_ns > t->facts.last.ns)
        t->facts.last.ns = until_ns;
    t->facts.n_phones = 0;
    while ((s = pool_next(&t->stories, &at, &id)))
        t->facts.n_phones += s->is_phone;
}

const struct story *timeline_next(const struct timeline *t, size_t *cursor)
{
    const struct story *s;
    uint64_t id;

    while ((s = pool_next(&t->stories, cursor, &id)))
        if (s->is_phone)
            return s;
    return NULL;
}

const struct story *timeline_story(const struct timeline *t, uint64_t id)
{
    return id ? pool_get(&t->stories, id) : NULL;
}

const struct story *timeline_named(const struct timeline *t, const char *name)
{
    return map_get(&t->by_name, text_of(name));
}

const struct story *timeline_mac(const struct timeline *t, struct mac mac)
{
    return map_get(&t->by_mac, (struct text){(const char *)mac.bytes, sizeof(mac.bytes)});
}

const struct capture_facts *timeline_facts(const struct timeline *t)
{
    return &t->facts;
}

const struct server_seen *timeline_server(const struct timeline *t, struct ip ip)
{
    for (unsigned i = 0; i < t->facts.n_servers; i++)
        if (ip_equal(t->facts.servers[i].ip, ip))
            return &t->facts.servers[i];
    return NULL;
}
