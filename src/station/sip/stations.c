#include "station/sip/stations.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/counters.h"
#include "station/news.h"
#include "station/sip/guard.h"
#include "station/sip/proof.h"
#include "station/sip/station.h"
#include "wire/sip/digest.h"

#define SWEEP_BATCH       100
#define DROP_BATCH        64
#define WAITING_MIN_MS    2000 /* a link that says nothing may be cut for a new one after this */
#define TRANSACTIONS_MAX  200000
#define TRANSACTION_BYTES (256u << 20)
#define PING_MAX          4
#define NONCES_COUNTED    65536
#define SETTLED_S         2 /* since a phone came, by whole seconds of the clock */
#define TOKEN_OF_SIP      (UINT64_C(1) << 63)

static struct text key_of_link(const void *value)
{
    return (struct text){(const char *)&((const struct sip_link *)value)->flow.link,
                         sizeof(uint64_t)};
}

/* --- transactions of our requests --- */

static void on_send(void *context, const struct sip_transaction *t, const void *bytes, size_t len)
{
    struct sip_stations *s = context;
    struct effects *e = s->effects;
    size_t at = writer_len(&e->out);

    count(COUNT_SIP_REQUESTS_OUT);
    write_bytes(&e->out, bytes, len);
    if (e->out.bad) { /* no room behind a huge answer: it is sent again, or the phone asks again */
        e->out.at = e->out.start + at;
        e->out.bad = false;
        return;
    }
    if (t->flow.link)
        effects_send(e, t->flow.link, at);
    else
        effects_datagram(e, &t->flow.peer, t->flow.local.ip, at);
}

void sip_device_answered(struct sip_device *d)
{
    if (!d->proven && !d->told)
        sip_tell_configuration_later(d);
    d->proven = true;
}

/* The device looks at the verdict on its next tick: here may be no room for what follows. */
static void on_told(void *context, struct sip_transaction *t, enum sip_told what,
                    const struct sip_message *m)
{
    struct sip_stations *s = context;
    struct sip_device *d = pool_get(&s->devices, t->user);
    uint16_t status = what == SIP_TOLD_RESPONSE ? m->status : 408;

    if (d && what == SIP_TOLD_RESPONSE)
        sip_device_answered(d);
    if (d && d->question_id == t->id && status >= 200 && what != SIP_TOLD_ENDED)
        sip_holder_says(d, status);
    if (!d || !d->order_id || d->order_id != t->id || status < 200 || what == SIP_TOLD_ENDED)
        return;
    d->order_id = 0;
    d->verdict = status;
    timer_set(&s->timers, &d->timer, s->registry->now.ms);
}

struct sip_stations *sip_stations_new(const struct sip_options *options)
{
    struct sip_stations *s = calloc(1, sizeof(*s));
    struct sip_transactions_options t = {.port = {s, on_send, on_told},
                                         .timing = SIP_TIMING_DEFAULT,
                                         .max = TRANSACTIONS_MAX,
                                         .max_bytes = TRANSACTION_BYTES};

    if (!s)
        return NULL;
    s->registry = options->registry;
    s->options = *options;
    memcpy(s->secret, options->secret, sizeof(s->secret));
    memcpy(&s->unique, options->secret + 8, sizeof(s->unique));
    s->server = setting_rows[SET_sip_server_header].string;
    s->sis = setting_rows[SET_sip_line_side_version].string;
    pool_init(&s->devices, sizeof(struct sip_device), options->max_devices);
    pool_init(&s->links, sizeof(struct sip_link), options->max_links);
    map_init(&s->by_link, key_of_link);
    list_init(&s->waiting);
    timers_init(&s->timers, 0);
    timers_init(&s->link_timers, 0);
    s->guard = sip_guard_new();
    s->digest = digest_new(&(struct digest_options){s->secret, NONCES_COUNTED});
    s->transactions = sip_transactions_new(&t, 0);
    s->sources = calloc(SIP_SOURCES, sizeof(*s->sources));
    if (s->guard && s->digest && s->transactions && s->sources)
        return s;
    sip_stations_free(s);
    return NULL;
}

void sip_stations_free(struct sip_stations *s)
{
    size_t cursor = 0;
    uint64_t id;
    void *x;

    if (!s)
        return;
    while ((x = pool_next(&s->devices, &cursor, &id)))
        sip_device_free(x);
    cursor = 0;
    while ((x = pool_next(&s->links, &cursor, &id)))
        sip_link_free(x);
    sip_transactions_free(s->transactions);
    sip_guard_free(s->guard);
    digest_free(s->digest);
    free(s->untold);
    free(s->sources);
    map_done(&s->by_link);
    pool_done(&s->devices);
    pool_done(&s->links);
    free(s);
}

/* Every call begins here. */
static void enter(struct sip_stations *s, struct moment now, struct effects *e)
{
    struct registry *r = s->registry;

    r->now = now;
    s->effects = e;
    if (s->seen_version == r->directory_version)
        return;
    s->seen_version = r->directory_version;
    s->server = directory_string(r->directory, SET_sip_server_header);
    s->sis = directory_string(r->directory, SET_sip_line_side_version);
}

/* --- devices --- */

struct sip_device *sip_device_new(struct sip_stations *s, struct device_name name,
                                  const struct sip_flow *flow)
{
    uint64_t id;
    struct sip_device *d = pool_take(&s->devices, &id);

    if (!d)
        return NULL;
    d->owner = s;
    d->station.registry = s->registry;
    d->station.kind = &sip_kind;
    d->station.load = "";
    d->station.protocol = PROTOCOL_SIP;
    d->station.name = name;
    d->station.peer = flow->peer;
    d->station.local_port = flow->local.port;
    d->station.phone_version = UINT32_MAX;
    d->station.heard_ms = d->state_ms = s->registry->now.ms;
    return d;
}

void sip_device_free(struct sip_device *d)
{
    struct sip_stations *s = d->owner;

    sip_newcomer_stops(d);
    sip_transactions_end(s->transactions, d->question_id);
    station_leave_name(&d->station);
    while (d->bindings)
        sip_binding_free(d->bindings);
    timer_stop(&s->timers, &d->timer);
    sip_request_drop(s, &d->waiting);
    sip_request_drop(s, &d->asking);
    station_done(&d->station);
    pool_give(&s->devices, pool_id(d));
}

struct sip_device *sip_device_find(const struct sip_stations *s, struct device_name name)
{
    struct station *x = registry_holder(s->registry, name);

    return x && x->kind == &sip_kind ? container_of(x, struct sip_device, station) : NULL;
}

static void replace(struct station *old, struct effects *e)
{
    sip_device_step(container_of(old, struct sip_device, station),
                    &(struct sip_input){.event = SIP_EV_REPLACED}, e);
}

/* The host of its Contact, unless that is a name. */
static struct ip own_address(const struct station *x)
{
    const struct sip_device *d = container_of(x, struct sip_device, station);
    struct ip ip = {0};
    struct sip_room room;
    struct sip_uri uri;

    if (d->bindings && sip_uri_parse(sip_binding_uri(d->bindings, &room), &uri) == 0)
        ip_parse(uri.host, &ip);
    return ip;
}

static uint64_t link_of(const struct station *x)
{
    const struct sip_device *d = container_of(x, struct sip_device, station);

    return d->bindings ? d->bindings->link : 0;
}

static bool has_proof(struct station *x)
{
    return x->protocol == PROTOCOL_SIP_THIRD_PARTY || sip_phone_has_proof(container_of(x, struct sip_device, station));
}

static void ask(struct station *x, struct effects *e)
{
    struct sip_device *d = container_of(x, struct sip_device, station);

    enter(d->owner, x->registry->now, e);
    sip_holder_ask(d);
}

static bool answers(struct station *x)
{
    return sip_holder_is_there(container_of(x, struct sip_device, station));
}

const struct station_kind sip_kind = {.topic = "sip",
                                      .protocol = "SIP",
                                      .signal = "",
                                      .state_name = sip_device_state_name,
                                      .own_address = own_address,
                                      .link = link_of,
                                      .has_proof = has_proof,
                                      .ask = ask,
                                      .answers = answers,
                                      .replace = replace};

/* --- input --- */

void sip_stations_message(struct sip_stations *s, const struct sip_message *m,
                          const struct sip_flow *flow, struct sip_link *link, struct effects *e)
{
    struct sip_request q = {.owner = s, .message = m, .flow = flow, .link = link, .effects = e};

    if (m->status) {
        count(COUNT_SIP_RESPONSES_IN);
        if (!sip_transactions_heard(s->transactions, m, s->registry->now.ms))
            count(COUNT_SIP_STRAY_RESPONSES);
        return;
    }
    count(COUNT_SIP_REQUESTS_IN);
    if ((m->method == SIP_INVITE || m->method == SIP_ACK) &&
        sip_transactions_heard(s->transactions, m, s->registry->now.ms))
        return;
    if (m->problem) {
        count(COUNT_SIP_MALFORMED);
        if (m->method != SIP_ACK)
            sip_answer(&q, m->problem, m->words);
    } else if (m->method == SIP_REGISTER) {
        sip_registrar_request(&q);
    } else {
        sip_request_answer(&q);
    }
}

void sip_stations_datagram(struct sip_stations *s, const struct endpoint *peer,
                           const struct endpoint *local, const void *bytes, size_t len,
                           struct moment now, struct effects *e)
{
    struct sip_flow flow = {.transport = SIP_UDP, .peer = *peer, .local = *local};
    struct sip_message m;

    enter(s, now, e);
    if (len <= PING_MAX)
        return; /* CR LF or a NUL that keeps a NAT open */
    if (sip_parse(bytes, len, &m) < 0) {
        count(COUNT_SIP_MALFORMED);
        return;
    }
    sip_stations_message(s, &m, &flow, NULL, e);
}

/* When the table is nearly full, who has connected and said nothing makes room for who may. */
static void make_room(struct sip_stations *s, struct effects *e)
{
    struct sip_link *oldest;
    size_t max = s->options.max_links;

    if (s->links.n < max - max / 16 || list_is_empty(&s->waiting))
        return;
    oldest = container_of(s->waiting.next, struct sip_link, waiting);
    if (s->links.n == max || s->registry->now.ms - oldest->state_ms >= WAITING_MIN_MS) {
        count(COUNT_SIP_SILENT_CLOSED);
        sip_link_step(oldest, SIP_LINK_EV_BAD, e);
    }
}

int sip_stations_open(struct sip_stations *s, uint64_t link, enum sip_transport transport,
                      const struct endpoint *peer, const struct endpoint *local,
                      struct text subject, struct moment now, struct effects *e)
{
    struct sip_flow flow = {(uint8_t)transport, link, *peer, *local};

    enter(s, now, e);
    make_room(s, e);
    return sip_link_new(s, &flow, subject) ? 0 : -ENOBUFS;
}

size_t sip_stations_input(struct sip_stations *s, uint64_t link, const uint8_t *bytes, size_t len,
                          struct moment now, struct effects *e)
{
    struct sip_link *l = sip_link_find(s, link);

    enter(s, now, e);
    return l ? sip_link_input(l, bytes, len, e) : len;
}

/* Who was registered over it left because the service stopped. */
static void mark_stopped(struct sip_link *l)
{
    list_for_each(&l->bindings, node)
    {
        container_of(node, struct sip_binding, on_link)->device->station.leave_reason =
            UNREGISTERED_CALLMANAGER_RESTART;
    }
}

void sip_stations_closed(struct sip_stations *s, uint64_t link, int err, struct moment now,
                         struct effects *e)
{
    struct sip_link *l = sip_link_find(s, link);

    enter(s, now, e);
    if (!l)
        return;
    if (err == -ESHUTDOWN)
        mark_stopped(l);
    sip_link_step(l, SIP_LINK_EV_CLOSED, e);
}

void sip_stations_admitted(struct sip_stations *s, uint64_t token, int err, struct moment now,
                           struct effects *e)
{
    struct sip_device *d = sip_device_of_token(s, token, now, e);

    if (d)
        sip_registrar_admitted(d, err, e);
}

struct sip_device *sip_device_of_token(struct sip_stations *s, uint64_t token, struct moment now,
                                       struct effects *e)
{
    enter(s, now, e);
    return token & TOKEN_OF_SIP ? pool_get(&s->devices, token & ~TOKEN_OF_SIP) : NULL;
}

uint64_t sip_device_token(const struct sip_device *d)
{
    return pool_id(d) | TOKEN_OF_SIP;
}

static struct sip_device *find_registered(const struct sip_stations *s, struct device_name name)
{
    const struct station *x = registry_find(s->registry, name);

    return x && x->kind == &sip_kind ? container_of(x, struct sip_device, station) : NULL;
}

int sip_stations_order(struct sip_stations *s, struct device_name name, enum station_order order,
                       struct moment now, struct effects *e)
{
    struct sip_device *d = find_registered(s, name);

    enter(s, now, e);
    if (!d)
        return -ENOENT;
    d->order = (uint8_t)order;
    sip_device_step(d, &(struct sip_input){.event = SIP_EV_ORDER}, e);
    return 0;
}

/* --- time --- */

static uint64_t sooner(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t sip_stations_next(const struct sip_stations *s, uint64_t now_ms)
{
    if (s->n_unswept || s->swept_version != s->registry->directory_version)
        return 1;
    return sooner(
        sooner(sip_transactions_next(s->transactions, now_ms), sip_tell_wait_ms(s, now_ms)),
        sooner(timers_next(&s->timers, now_ms), timers_next(&s->link_timers, now_ms)));
}

/* After a new snapshot, whose record is gone has to leave: a batch a tick. */
static void sweep(struct sip_stations *s, struct effects *e)
{
    uint64_t id;

    if (s->swept_version != s->registry->directory_version) {
        s->swept_version = s->registry->directory_version;
        s->n_unswept = s->devices.n;
    }
    for (int i = 0; i < SWEEP_BATCH && s->n_unswept && effects_have_room(e); i++) {
        struct sip_device *d = pool_next(&s->devices, &s->sweep, &id);

        if (!d && !s->devices.n)
            s->n_unswept = 0;
        if (!d) {
            s->sweep = 0;
            continue;
        }
        s->n_unswept--;
        if (d->station.state == STATION_REGISTERED && !station_phone(&d->station))
            sip_device_step(d, &(struct sip_input){.event = SIP_EV_DELETED}, e);
    }
}

static bool one_is_due(struct sip_stations *s, struct effects *e)
{
    struct timer *device = timers_expire(&s->timers, s->registry->now.ms), *link;

    if (device)
        sip_device_timer(container_of(device, struct sip_device, timer), e);
    link = device ? NULL : timers_expire(&s->link_timers, s->registry->now.ms);
    if (link)
        sip_link_step(container_of(link, struct sip_link, timer), SIP_LINK_EV_TIMEOUT, e);
    return device || link || sip_transactions_tick(s->transactions, s->registry->now.ms);
}

bool sip_stations_tick(struct sip_stations *s, struct moment now, struct effects *e)
{
    enter(s, now, e);
    sweep(s, e);
    while (effects_have_room(e))
        if (!one_is_due(s, e) && !sip_tell_next(s))
            return false;
    return true;
}

static bool drop_device(struct sip_stations *s, struct effects *e)
{
    uint64_t id;
    struct sip_device *d = pool_next(&s->devices, &s->drop_devices, &id);

    if (!d)
        return false;
    d->station.leave_reason = UNREGISTERED_CALLMANAGER_RESTART;
    sip_device_step(d, &(struct sip_input){.event = SIP_EV_CLOSED}, e);
    return true;
}

static bool drop_link(struct sip_stations *s, struct effects *e)
{
    uint64_t id;
    struct sip_link *l = pool_next(&s->links, &s->drop_links, &id);

    if (l)
        sip_link_step(l, SIP_LINK_EV_BAD, e);
    return l;
}

bool sip_stations_drop_all(struct sip_stations *s, struct moment now, struct effects *e)
{
    enter(s, now, e);
    for (int i = 0; i < DROP_BATCH && effects_have_room(e); i++)
        if (!drop_device(s, e) && !drop_link(s, e)) {
            s->drop_devices = s->drop_links = 0;
            return false;
        }
    return true;
}

/* --- who is there --- */

const struct station *sip_stations_find(const struct sip_stations *s, struct device_name name)
{
    struct sip_device *d = find_registered(s, name);

    return d ? &d->station : NULL;
}

static bool view(const struct sip_stations *s, const struct sip_binding *b, struct text user,
                 struct moment now, struct sip_binding_view *ret)
{
    uint64_t end = b->expires_ms;

    *ret =
        (struct sip_binding_view){.user = user,
                                  .expires_s = end > now.ms ? (uint32_t)((end - now.ms) / 1000) : 0,
                                  .flow = sip_binding_flow(b)};
    ret->contact = sip_binding_uri(b, &ret->room);
    return true;
}

/* The i-th line of a phone that registered all with one. */
static bool view_bulk(struct sip_device *d, size_t i, struct moment now,
                      struct sip_binding_view *ret)
{
    const struct phone *phone = station_phone(&d->station);

    for (size_t at = 0; phone && at < phone->n_buttons; at++) {
        struct text target = text_of(phone->buttons[at].target);

        if (phone->buttons[at].feature == BUTTON_LINE && i-- == 0)
            return view(d->owner, d->bindings, text_split(&target, '/'), now, ret);
    }
    return false;
}

bool sip_stations_binding(const struct sip_stations *s, struct device_name name, size_t i,
                          struct moment now, struct sip_binding_view *ret)
{
    struct sip_device *d = find_registered(s, name);
    struct sip_binding *b = d ? d->bindings : NULL;

    if (d && d->bulk && b)
        return view_bulk(d, i, now, ret);
    while (b && i--)
        b = b->next;
    return b && view(s, b, binding_user(b), now, ret);
}

bool sip_stations_watch(const struct sip_stations *s, struct device_name name,
                        struct keepalive_watch *ret, uint64_t *link)
{
    const struct sip_device *d = find_registered(s, name);

    if (!d)
        return false;
    *ret = d->watch;
    *link = d->bindings ? d->bindings->link : 0;
    return true;
}

const struct station *sip_stations_next_registered(const struct sip_stations *s, size_t *cursor)
{
    uint64_t id;
    struct sip_device *d;

    while ((d = pool_next(&s->devices, cursor, &id)))
        if (station_is_registered(&d->station))
            return &d->station;
    return NULL;
}

bool sip_stations_knows(const struct sip_stations *s, const struct endpoint *peer, uint64_t now_ms)
{
    const struct sip_source *source = sip_source_of(s, peer);

    return source->n && ((now_ms / 1000 - source->since_s) & SIP_SOURCE_SECONDS) >= SETTLED_S;
}

size_t sip_stations_registered(const struct sip_stations *s)
{
    return registry_registered(s->registry, PROTOCOL_SIP) +
           registry_registered(s->registry, PROTOCOL_SIP_THIRD_PARTY);
}

const struct station *sip_stations_at(const struct sip_stations *s, uint64_t link)
{
    const struct sip_link *l = sip_link_find(s, link);

    return l && !list_is_empty(&l->bindings)
               ? &container_of(l->bindings.next, struct sip_binding, on_link)->device->station
               : NULL;
}

size_t sip_stations_links(const struct sip_stations *s)
{
    return s->links.n;
}
