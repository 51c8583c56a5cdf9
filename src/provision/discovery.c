#include "provision/discovery.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/map.h"
#include "base/pool.h"
#include "core/counters.h"
#include "wire/boot/cdp.h"
#include "wire/boot/lldp.h"

#define TOPIC           "discovery"
#define CDP_INTERVAL_MS 60000
#define LLDP_INTERVAL_S 30
#define LLDP_TTL_S      120
#define FAST_MS         1000 /* between the first frames of a link, and after a MED end point came */
#define FAST_FRAMES     4
#define ANSWERS_PER_S   20    /* to CDP queries on a link: each costs a frame to everybody */
#define POWER_MAX_MW    15400 /* what IEEE 802.3af gives */
#define MTU             1500
#define PLATFORM        "Dialtone"

struct link {
    struct discovery_link is;
    uint64_t cdp_ms, lldp_ms; /* when the next frame is due */
    unsigned cdp_fast, lldp_fast;
    bool med; /* an end point was heard */
    uint64_t answers_ms;
    unsigned n_answers;
    bool conflict_told;
};

struct discovery {
    struct discovery_sink sink;
    struct discovery_settings settings;
    struct link links[DISCOVERY_LINKS_MAX];
    size_t n_links;
    struct pool neighbours;
    struct map by_key;
    struct timers timers;
};

/* --- life --- */

static struct text neighbour_key(const void *value)
{
    const struct neighbour *n = value;

    return (struct text){(const char *)n->key, sizeof(n->key)};
}

struct discovery *discovery_new(const struct discovery_sink *sink,
                                const struct discovery_settings *settings, uint64_t now_ms)
{
    struct discovery *d = calloc(1, sizeof(*d));

    if (!d)
        return NULL;
    d->sink = *sink;
    d->settings = *settings;
    pool_init(&d->neighbours, sizeof(struct neighbour), NEIGHBOURS_MAX);
    map_init(&d->by_key, neighbour_key);
    timers_init(&d->timers, now_ms);
    return d;
}

void discovery_free(struct discovery *d)
{
    if (!d)
        return;
    map_done(&d->by_key);
    pool_done(&d->neighbours);
    free(d);
}

void discovery_set_links(struct discovery *d, const struct discovery_link *links, size_t n,
                         uint64_t now_ms)
{
    d->n_links = n < DISCOVERY_LINKS_MAX ? n : DISCOVERY_LINKS_MAX;
    for (size_t i = 0; i < d->n_links; i++)
        d->links[i] = (struct link){
            .is = links[i], .cdp_ms = now_ms, .lldp_ms = now_ms, .cdp_fast = FAST_FRAMES - 1};
}

static struct link *link_of(struct discovery *d, unsigned interface)
{
    for (size_t i = 0; i < d->n_links; i++)
        if (d->links[i].is.interface == interface)
            return &d->links[i];
    return NULL;
}

/* --- what we say --- */

static void send_frame(struct discovery *d, const struct link *l, const uint8_t *frame, int len)
{
    if (len <= 0)
        return;
    count(COUNT_DISCOVERY_SENT);
    d->sink.send(d->sink.context, l->is.interface, frame, (size_t)len);
}

/* A phone asks for what it wants most first; what the standard allows is granted. */
static void put_power(struct cdp *m, const struct cdp_power_request *request)
{
    struct cdp_power_available a = {request->id, request->management, POWER_MAX_MW, UINT32_MAX};

    if (request->n && request->mw[0] && request->mw[0] < a.mw)
        a.mw = request->mw[0];
    cdp_set_power_available(m, a);
}

static void send_cdp(struct discovery *d, const struct link *l,
                     const struct cdp_power_request *request)
{
    uint8_t frame[ETHERNET_FRAME_MAX];
    struct cdp m = {.from = l->is.mac, .protocol = 2, .ttl = CDP_TTL};
    struct cdp_addresses own = {1, {l->is.address}};

    cdp_set_device_id(&m, text_of(d->settings.node));
    if (l->is.address.family)
        cdp_set_addresses(&m, own);
    cdp_set_port_id(&m, text_of(l->is.name));
    cdp_set_capabilities(&m, CDP_CAPABLE_SWITCH);
    cdp_set_version(&m, text_of(d->settings.version));
    cdp_set_platform(&m, TEXT(PLATFORM));
    cdp_set_native_vlan(&m, 1);
    cdp_set_duplex(&m, 1);
    if (d->settings.voice_vlan != DISCOVERY_VLAN_NONE)
        cdp_set_voice_vlan(&m, (struct cdp_voice){1, d->settings.voice_vlan});
    cdp_set_mtu(&m, MTU);
    cdp_set_trust(&m, 0);
    cdp_set_untrusted_cos(&m, 0);
    if (l->is.address.family)
        cdp_set_management(&m, own);
    if (request)
        put_power(&m, request);
    send_frame(d, l, frame, cdp_encode(&m, frame, sizeof(frame)));
}

static void put_policy(struct lldp *m, uint8_t application, uint16_t vlan, uint8_t priority,
                       uint8_t dscp)
{
    bool tagged = vlan != DISCOVERY_VLAN_UNTAGGED;

    m->policies[m->n_policies++] = (struct lldp_policy){.application = application,
                                                        .tagged = tagged,
                                                        .vlan = tagged ? vlan : 0,
                                                        .priority = priority,
                                                        .dscp = dscp};
}

static void put_med(const struct discovery_settings *s, struct lldp *m)
{
    m->has_med = true;
    m->med_capabilities = LLDP_MED_CAPABILITIES | LLDP_MED_POLICY;
    m->med_device = LLDP_MED_SWITCH;
    put_policy(m, LLDP_MED_VOICE, s->voice_vlan, s->voice_priority, s->voice_dscp);
    put_policy(m, LLDP_MED_VOICE_SIGNALLING, s->voice_vlan, s->signalling_priority,
               s->signalling_dscp);
}

static void send_lldp(struct discovery *d, const struct link *l, uint16_t ttl)
{
    uint8_t frame[ETHERNET_FRAME_MAX];
    struct lldp m = {.from = l->is.mac, .ttl = ttl};

    m.chassis.subtype = LLDP_CHASSIS_MAC;
    m.chassis.value = (struct text){(const char *)l->is.mac.bytes, sizeof(l->is.mac.bytes)};
    m.port.subtype = LLDP_PORT_NAME;
    m.port.value = text_of(l->is.name);
    if (ttl) { /* a goodbye says no more than who goes (802.1AB 9.1.2) */
        m.port_description = text_of(l->is.name);
        m.system_name = text_of(d->settings.node);
        m.system_description = text_of(d->settings.version);
        m.has_capabilities = true;
        m.capabilities = m.enabled = LLDP_CAPABLE_BRIDGE;
        m.management = l->is.address;
        m.management_interface = l->is.interface;
        if (l->med && d->settings.voice_vlan != DISCOVERY_VLAN_NONE)
            put_med(&d->settings, &m);
    }
    send_frame(d, l, frame, lldp_encode(&m, frame, sizeof(frame)));
}

static void link_tick(struct discovery *d, struct link *l, uint64_t now_ms)
{
    if (now_ms >= l->cdp_ms) {
        send_cdp(d, l, NULL);
        l->cdp_ms = now_ms + (l->cdp_fast ? FAST_MS : CDP_INTERVAL_MS);
        l->cdp_fast -= l->cdp_fast > 0;
    }
    if (now_ms >= l->lldp_ms) {
        send_lldp(d, l, LLDP_TTL_S);
        l->lldp_fast -= l->lldp_fast > 0;
        l->lldp_ms = now_ms + (l->lldp_fast ? FAST_MS : LLDP_INTERVAL_S * 1000);
    }
}

static void expire(struct discovery *d, uint64_t now_ms)
{
    struct timer *timer;

    while ((timer = timers_expire(&d->timers, now_ms))) {
        struct neighbour *n = container_of(timer, struct neighbour, timer);

        map_remove(&d->by_key, neighbour_key(n));
        pool_give(&d->neighbours, n->id);
    }
}

uint64_t discovery_tick(struct discovery *d, uint64_t now_ms)
{
    uint64_t next;

    expire(d, now_ms);
    next = timers_next(&d->timers, now_ms);
    for (size_t i = 0; i < d->n_links; i++) {
        struct link *l = &d->links[i];
        uint64_t due;

        link_tick(d, l, now_ms);
        due = l->cdp_ms < l->lldp_ms ? l->cdp_ms : l->lldp_ms;
        if (due - now_ms < next)
            next = due - now_ms;
    }
    return next;
}

void discovery_leave(struct discovery *d)
{
    for (size_t i = 0; i < d->n_links; i++)
        send_lldp(d, &d->links[i], 0);
}

/* --- whom we hear --- */

static void make_key(uint8_t key[static 12], unsigned interface, struct mac mac, uint8_t protocol)
{
    memcpy(key, &interface, sizeof(interface));
    memcpy(key + 4, mac.bytes, 6);
    key[10] = protocol;
    key[11] = 0;
}

static struct neighbour *neighbour_of(struct discovery *d, unsigned interface, struct mac mac,
                                      uint8_t protocol, uint64_t now_ms)
{
    uint8_t key[12];
    struct neighbour *n;
    uint64_t id;

    make_key(key, interface, mac, protocol);
    n = map_get(&d->by_key, (struct text){(const char *)key, sizeof(key)});
    if (n)
        return n;
    if (!(n = pool_take(&d->neighbours, &id)))
        return NULL;
    *n = (struct neighbour){
        .id = id, .interface = interface, .mac = mac, .protocol = protocol, .first_ms = now_ms};
    memcpy(n->key, key, sizeof(key));
    if (map_put(&d->by_key, n) < 0) {
        pool_give(&d->neighbours, id);
        return NULL;
    }
    return n;
}

/* Printable characters only: neighbours write what they like. */
static void take_text(char *to, size_t size, struct text t)
{
    size_t n = text_copy(to, size, t);

    for (size_t i = 0; i < n; i++)
        if ((unsigned char)to[i] < ' ' || to[i] == 127)
            to[i] = ' ';
}

/* A phone that says its name and load for the first time, or another one than before. */
static void tell(struct discovery *d, const struct link *l, const struct neighbour *n)
{
    struct progress_event e = {.mac = n->mac, .ip = n->ip, .stage = PROGRESS_LINK};

    e.device = device_name_of_mac(n->mac);
    e.ip = n->ip;
    snprintf(e.detail, sizeof(e.detail), "%.15s: %.24s %.20s", l->is.name, n->platform, n->version);
    d->sink.progress(d->sink.context, &e);
}

static void warn_conflict(struct discovery *d, struct link *l, const struct neighbour *n)
{
    if (l->conflict_told || n->phone || !n->voice_vlan || !d->settings.voice_vlan ||
        n->voice_vlan == d->settings.voice_vlan)
        return;
    l->conflict_told = true;
    log_warning(TOPIC,
                "%s: %s announces voice VLAN %u and we announce %u: phones that hear both boot "
                "back and forth; set cdp.voice_vlan=%u or take %s out of cdp.interfaces",
                l->is.name, n->device, n->voice_vlan, d->settings.voice_vlan, n->voice_vlan,
                l->is.name);
}

static bool is_new(const struct neighbour *before, const struct neighbour *n)
{
    return !before->last_ms || strcmp(before->device, n->device) != 0 ||
           strcmp(before->version, n->version) != 0;
}

static void seen(struct discovery *d, struct link *l, struct neighbour *n,
                 const struct neighbour *before, uint64_t ttl_s, uint64_t now_ms)
{
    n->last_ms = now_ms;
    timer_set(&d->timers, &n->timer, now_ms + ttl_s * 1000);
    if (n->phone && is_new(before, n))
        tell(d, l, n);
    warn_conflict(d, l, n);
}

static bool looks_like_phone(const char *device, const char *platform)
{
    struct mac mac;
    struct text name = text_of(device);

    return device_name_mac(device_name_of(name), &mac) == 0 || text_starts(name, "SIP") ||
           text_contains_nocase(text_of(platform), TEXT("IP Phone"));
}

static bool may_answer(struct link *l, uint64_t now_ms)
{
    if (now_ms - l->answers_ms >= 1000) {
        l->answers_ms = now_ms;
        l->n_answers = 0;
    }
    return l->n_answers++ < ANSWERS_PER_S;
}

static void fill_from_cdp(struct neighbour *n, const struct cdp *m)
{
    take_text(n->device, sizeof(n->device), m->device_id);
    take_text(n->port, sizeof(n->port), m->port_id);
    take_text(n->platform, sizeof(n->platform), m->platform);
    take_text(n->version, sizeof(n->version), m->version);
    n->ip = cdp_has(m, CDP_addresses) && m->addresses.n ? m->addresses.at[0] : (struct ip){0};
    n->native_vlan = cdp_has(m, CDP_native_vlan) ? m->native_vlan : 0;
    n->voice_vlan = cdp_has(m, CDP_voice_vlan) ? m->voice_vlan.vlan : 0;
    n->power_mw = cdp_has(m, CDP_power_mw) ? m->power_mw : 0;
    if (cdp_has(m, CDP_power_request) && m->power_request.n)
        n->power_mw = m->power_request.mw[0];
    n->phone = (m->capabilities & CDP_CAPABLE_PHONE) || looks_like_phone(n->device, n->platform);
}

static void on_cdp(struct discovery *d, struct link *l, const struct cdp *m, uint64_t now_ms)
{
    struct neighbour *n = neighbour_of(d, l->is.interface, m->from, NEIGHBOUR_CDP, now_ms);
    bool asks = cdp_has(m, CDP_voice_vlan_query) || cdp_has(m, CDP_power_request);

    if (n) {
        struct neighbour before = *n;

        fill_from_cdp(n, m);
        seen(d, l, n, &before, m->ttl, now_ms);
    }
    if (asks && may_answer(l, now_ms))
        send_cdp(d, l, cdp_has(m, CDP_power_request) ? &m->power_request : NULL);
}

static void fill_from_lldp(struct neighbour *n, const struct lldp *m)
{
    const struct lldp_policy *voice = lldp_policy(m, LLDP_MED_VOICE);
    struct text address = m->chassis.value;

    take_text(n->device, sizeof(n->device), m->system_name);
    take_text(n->port, sizeof(n->port),
              m->port.subtype == LLDP_PORT_MAC ? m->port_description : m->port.value);
    take_text(n->platform, sizeof(n->platform), m->model.at ? m->model : m->system_description);
    take_text(n->version, sizeof(n->version), m->software.at ? m->software : m->firmware);
    n->ip = m->management;
    if (m->chassis.subtype == LLDP_CHASSIS_ADDRESS && address.len == 5 && address.at[0] == 1) {
        n->ip = (struct ip){.family = 4};
        memcpy(n->ip.bytes, address.at + 1, 4);
    }
    if (ip_is_any(n->ip)) /* 0.0.0.0 before DHCP */
        n->ip = (struct ip){0};
    n->native_vlan = m->has_native_vlan ? m->native_vlan : 0;
    n->voice_vlan = voice ? voice->vlan : 0;
    n->power_mw = m->has_power ? m->power_tenths * 100u : 0;
    n->med = m->has_med && m->med_device != LLDP_MED_SWITCH;
    n->phone = (m->has_capabilities && m->capabilities & LLDP_CAPABLE_TELEPHONE) ||
               (m->has_med && m->med_device == LLDP_MED_PHONE);
}

/* A new end point hears the policy four times, a second apart, from now (TIA-1057 11.2.1). */
static void fast_start(struct link *l, uint64_t now_ms)
{
    l->med = true;
    l->lldp_fast = FAST_FRAMES;
    l->lldp_ms = now_ms;
}

static void on_lldp(struct discovery *d, struct link *l, const struct lldp *m, uint64_t now_ms)
{
    struct neighbour *n = neighbour_of(d, l->is.interface, lldp_mac(m), NEIGHBOUR_LLDP, now_ms);
    struct neighbour before;

    if (!n)
        return;
    before = *n;
    fill_from_lldp(n, m);
    if (!m->ttl) { /* it says goodbye */
        timer_set(&d->timers, &n->timer, now_ms);
        return;
    }
    seen(d, l, n, &before, m->ttl, now_ms);
    if (n->med && !before.med) {
        fast_start(l, now_ms);
        link_tick(d, l, now_ms);
    }
}

void discovery_input(struct discovery *d, unsigned interface, const uint8_t *frame, size_t len,
                     uint64_t now_ms)
{
    struct link *l = link_of(d, interface);
    struct ethernet e;
    struct cdp cdp;
    struct lldp lldp;

    if (!l)
        return;
    count(COUNT_DISCOVERY_HEARD);
    if (ethernet_decode(frame, len, &e) < 0)
        count(COUNT_DISCOVERY_MALFORMED);
    else if (e.type == ETHERNET_LLDP && lldp_decode(frame, len, &lldp) == 0)
        on_lldp(d, l, &lldp, now_ms);
    else if (cdp_is(&e) && cdp_decode(frame, len, &cdp) == 0)
        on_cdp(d, l, &cdp, now_ms);
    else
        count(COUNT_DISCOVERY_MALFORMED);
}

size_t discovery_count(const struct discovery *d)
{
    return d->neighbours.n;
}

const struct neighbour *discovery_next(const struct discovery *d, size_t *cursor)
{
    uint64_t id;

    return pool_next(&d->neighbours, cursor, &id);
}
