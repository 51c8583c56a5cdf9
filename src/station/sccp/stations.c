#include "station/sccp/stations.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "core/counters.h"
#include "station/activation.h"

#define SWEEP_BATCH 100 /* sessions looked at in one tick */
#define CLOCK_S     900 /* clocks are changed on quarters of an hour */
#define WAITING_MIN_MS                                                                             \
    2000 /* a connection that says nothing may be cut for a new one after this                     \
          */

static struct text key_of_link(const void *value)
{
    return (struct text){(const char *)&((const struct session *)value)->link, sizeof(uint64_t)};
}

struct stations *stations_new(const struct stations_options *options)
{
    struct stations *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    s->registry = options->registry;
    s->max_sessions = options->max_sessions;
    if (!(s->activation = activation_new())) {
        free(s);
        return NULL;
    }
    pool_init(&s->sessions, sizeof(struct session), options->max_sessions);
    pool_init(&s->parked, sizeof(struct parked), 16384);
    map_init(&s->by_link, key_of_link);
    list_init(&s->waiting);
    timers_init(&s->timers, 0);
    return s;
}

static void session_free(struct session *x)
{
    struct stations *s = x->owner;

    activation_forget(x);
    station_leave_name(&x->station);
    map_remove(&s->by_link, key_of_link(x));
    timer_stop(&s->timers, &x->timer);
    list_remove(&x->waiting);
    if (x->parked_id)
        pool_give(&s->parked, x->parked_id);
    s->partial_bytes -= x->partial_size;
    free(x->partial);
    station_done(&x->station);
    pool_give(&s->sessions, x->id);
    count_by(COUNT_SCCP_CONNECTIONS, -1);
}

void stations_free(struct stations *s)
{
    size_t cursor = 0;
    uint64_t id;
    struct session *x;

    if (!s)
        return;
    while ((x = pool_next(&s->sessions, &cursor, &id)))
        session_free(x);
    activation_free(s->activation);
    map_done(&s->by_link);
    pool_done(&s->sessions);
    pool_done(&s->parked);
    free(s);
}

/* To the next quarter of an hour of the wall clock. */
static void clock_arm(struct stations *s)
{
    uint64_t ms = s->registry->now.wall_us / 1000 % (CLOCK_S * 1000);

    timer_set(&s->timers, &s->clock, s->registry->now.ms + CLOCK_S * 1000 - ms);
}

/* --- input -------------------------------------------------------------------------------------
 */

static struct session *by_link(const struct stations *s, uint64_t link)
{
    return map_get(&s->by_link, (struct text){(const char *)&link, sizeof(link)});
}

/* What must end ends after the step. */
static void settle(struct session *x)
{
    if (x->station.state == STATION_CLOSED)
        session_free(x);
}

static void step(struct session *x, struct session_input in, struct effects *e)
{
    session_step(x, &in, e);
    session_idle_screen(x, e);
    settle(x);
}

static void replace(struct station *old, struct effects *e)
{
    step(container_of(old, struct session, station), (struct session_input){.event = EV_REPLACED},
         e);
}

static uint64_t link_of(const struct station *x)
{
    return container_of(x, struct session, station)->link;
}

static struct ip own_address(const struct station *x)
{
    return container_of(x, struct session, station)->own_address;
}

static const struct station_kind kind = {.topic = "sccp",
                                         .protocol = "SCCP",
                                         .signal = "Station",
                                         .state_name = station_state_name,
                                         .own_address = own_address,
                                         .link = link_of,
                                         .replace = replace};

/* When the table is nearly full, who has connected and said nothing makes room for who may. */
static void make_room(struct stations *s, struct effects *e)
{
    struct session *oldest;

    if (s->sessions.n < s->max_sessions - s->max_sessions / 16 || list_is_empty(&s->waiting))
        return;
    oldest = container_of(s->waiting.next, struct session, waiting);
    if (s->sessions.n < s->max_sessions && s->registry->now.ms - oldest->state_ms < WAITING_MIN_MS)
        return;
    count(COUNT_SCCP_SILENT_CLOSED);
    effects_close(e, oldest->link);
    step(oldest, (struct session_input){.event = EV_CLOSED}, e);
}

int stations_open(struct stations *s, uint64_t link, const struct endpoint *peer,
                  const struct endpoint *local, struct moment now, struct effects *e)
{
    struct session *x;
    uint64_t id;

    s->registry->now = now;
    make_room(s, e);
    x = pool_take(&s->sessions, &id);
    if (!x)
        return -ENOBUFS;
    x->owner = s;
    x->station.registry = s->registry;
    x->station.kind = &kind;
    x->station.load = "";
    x->id = id;
    x->link = link;
    x->station.peer = *peer;
    x->local = local->ip;
    x->station.local_port = local->port;
    x->station.heard_ms = x->state_ms = now.ms;
    if (map_put(&s->by_link, x) < 0) {
        pool_give(&s->sessions, id);
        return -ENOBUFS;
    }
    list_append(&s->waiting, &x->waiting);
    session_arm(x);
    count(COUNT_SCCP_CONNECTIONS);
    return 0;
}

const struct station *stations_at(const struct stations *s, uint64_t link)
{
    const struct session *x = by_link(s, link);

    return x ? &x->station : NULL;
}

size_t stations_input(struct stations *s, uint64_t link, const uint8_t *bytes, size_t len,
                      struct moment now, struct effects *e)
{
    struct session *x = by_link(s, link);
    size_t n;

    s->registry->now = now;
    if (!x)
        return len;
    n = session_input(x, bytes, len, e);
    session_idle_screen(x, e);
    settle(x);
    return n;
}

void stations_closed(struct stations *s, uint64_t link, int err, struct moment now,
                     struct effects *e)
{
    struct session *x = by_link(s, link);

    s->registry->now = now;
    if (!x)
        return;
    if (err == -ESHUTDOWN)
        x->station.leave_reason = UNREGISTERED_CALLMANAGER_RESTART;
    step(x, (struct session_input){.event = EV_CLOSED, .err = err}, e);
}

void stations_admitted(struct stations *s, uint64_t token, int err, struct moment now,
                       struct effects *e)
{
    struct session *x = pool_get(&s->sessions, token);

    s->registry->now = now;
    if (x)
        step(x, (struct session_input){.event = err ? EV_NOT_ADMITTED : EV_ADMITTED, .err = err},
             e);
}

void stations_activated(struct stations *s, uint64_t token, int err, struct moment now,
                        struct effects *e)
{
    struct session *x = pool_get(&s->sessions, token);

    s->registry->now = now;
    if (!x || x->station.state != STATION_REGISTERED)
        return;
    activation_answer(x, err, e);
    if (err)
        return;
    x->order = STATION_RESTART;
    step(x, (struct session_input){.event = EV_ORDER}, e);
}

bool stations_is_early(const struct stations *s, struct ip ip)
{
    for (size_t i = 0; i < EARLY_MAX; i++)
        if (ip_equal(s->early[i], ip))
            return true;
    return false;
}

void stations_expect_early(struct stations *s, struct ip ip)
{
    if (!stations_is_early(s, ip))
        s->early[s->early_at++ % EARLY_MAX] = ip;
}

static struct session *find_registered(const struct stations *s, struct device_name name)
{
    const struct station *x = registry_find(s->registry, name);

    return x && x->kind == &kind ? container_of(x, struct session, station) : NULL;
}

int stations_order(struct stations *s, struct device_name name, enum station_order order,
                   struct moment now, struct effects *e)
{
    struct session *x = find_registered(s, name);

    s->registry->now = now;
    if (!x)
        return -ENOENT;
    x->order = (uint8_t)order;
    step(x, (struct session_input){.event = EV_ORDER}, e);
    return 0;
}

/* --- time --------------------------------------------------------------------------------------
 */

uint64_t stations_next(const struct stations *s, uint64_t now_ms)
{
    uint64_t timer = timers_next(&s->timers, now_ms), code = activation_next(s->activation, now_ms);

    if (s->n_unswept || s->swept_version != s->registry->directory_version)
        return 1;
    return timer < code ? timer : code;
}

/* After a new snapshot, whose record is gone has to leave; then, and each quarter of an hour, whose
 * clock is off is told the time. A batch a tick, so that 100 000 phones hold nobody up. */
static void sweep(struct stations *s, struct effects *e)
{
    uint64_t id;

    for (int i = 0; i < SWEEP_BATCH && s->n_unswept && effects_have_room(e); i++) {
        struct session *x = pool_next(&s->sessions, &s->sweep, &id);

        if (!x)
            s->sweep = 0;
        if (!x && !s->sessions.n)
            s->n_unswept = 0;
        if (!x)
            continue;
        s->n_unswept--;
        if (x->station.state == STATION_REGISTERED)
            step(
                x,
                (struct session_input){.event = station_phone(&x->station) ? EV_CLOCK : EV_DELETED},
                e);
    }
}

static void sweep_begin(struct stations *s)
{
    s->swept_version = s->registry->directory_version;
    s->n_unswept =
        s->sessions.n; /* from where the cursor is: it goes round under frequent changes too */
    if (!timer_is_set(&s->clock))
        clock_arm(s);
}

static void on_due(struct stations *s, struct timer *due, struct effects *e)
{
    if (due == &s->clock) {
        sweep_begin(s);
        return;
    }
    step(container_of(due, struct session, timer), (struct session_input){.event = EV_TIMEOUT}, e);
}

bool stations_tick(struct stations *s, struct moment now, struct effects *e)
{
    struct timer *due;

    s->registry->now = now;
    if (s->swept_version != s->registry->directory_version)
        sweep_begin(s);
    sweep(s, e);
    activation_tick(s, e);
    while (effects_have_room(e)) {
        due = timers_expire(&s->timers, now.ms);
        if (!due)
            return false;
        on_due(s, due, e);
    }
    return true;
}

/* --- who is there ------------------------------------------------------------------------------
 */

const struct station *stations_find(const struct stations *s, struct device_name name)
{
    struct session *x = find_registered(s, name);

    return x ? &x->station : NULL;
}

bool stations_session(const struct stations *s, struct device_name name, struct moment now,
                      struct station_session *ret)
{
    struct session *x = find_registered(s, name);

    if (x)
        *ret =
            (struct station_session){x->version, x->station.offered, x->instance,
                                     (uint32_t)(now.ms - x->station.heard_ms), x->station.loss_ms, x->link, x->watch};
    return x;
}

const struct station *stations_next_registered(const struct stations *s, size_t *cursor)
{
    uint64_t id;
    struct session *x;

    while ((x = pool_next(&s->sessions, cursor, &id)))
        if (station_is_registered(&x->station))
            return &x->station;
    return NULL;
}

size_t stations_registered(const struct stations *s)
{
    return registry_registered(s->registry, PROTOCOL_SCCP);
}

size_t stations_sessions(const struct stations *s)
{
    return s->sessions.n;
}
