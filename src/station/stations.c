#include "station/stations.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "core/counters.h"
#include "station/sccp_station.h"

#define SWEEP_BATCH 100 /* sessions looked at in one tick */
#define CLOCK_S     900 /* clocks are changed on quarters of an hour */
#define DROP_BATCH  64
#define WAITING_MIN_MS                                                                             \
    2000 /* a connection that says nothing may be cut for a new one after this                     \
          */

static struct text key_of_link(const void *value)
{
    return (struct text){(const char *)&((const struct session *)value)->link, sizeof(uint64_t)};
}

static struct text key_of_name(const void *value)
{
    return text_of(((const struct session *)value)->station.name.s);
}

struct stations *stations_new(const struct stations_options *options)
{
    struct stations *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    s->flapping = flapping_new();
    s->refused = refused_new();
    if (!s->flapping || !s->refused) {
        flapping_free(s->flapping);
        refused_free(s->refused);
        free(s);
        return NULL;
    }
    s->options = *options;
    pool_init(&s->sessions, sizeof(struct session), options->max_sessions);
    pool_init(&s->parked, sizeof(struct parked), 16384);
    map_init(&s->by_link, key_of_link);
    map_init(&s->by_name, key_of_name);
    list_init(&s->waiting);
    timers_init(&s->timers, 0);
    for (int i = 0; i < N_SETTINGS; i++)
        s->settings[i] = setting_rows[i].number;
    return s;
}

static void session_free(struct session *x)
{
    struct stations *s = x->owner;

    stations_leave_name(x);
    map_remove(&s->by_link, key_of_link(x));
    timer_stop(&s->timers, &x->timer);
    list_remove(&x->waiting);
    if (x->parked_id)
        pool_give(&s->parked, x->parked_id);
    s->partial_bytes -= x->partial_size;
    free(x->partial);
    free(x->station.last_alarm);
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
    flapping_free(s->flapping);
    refused_free(s->refused);
    map_done(&s->by_link);
    map_done(&s->by_name);
    pool_done(&s->sessions);
    pool_done(&s->parked);
    free(s);
}

/* To the next quarter of an hour of the wall clock. */
static void clock_arm(struct stations *s)
{
    uint64_t ms = s->now.wall_us / 1000 % (CLOCK_S * 1000);

    timer_set(&s->timers, &s->clock, s->now.ms + CLOCK_S * 1000 - ms);
}

void stations_set_directory(struct stations *s, const struct directory *dir, struct moment now)
{
    s->now = now;
    s->directory = dir;
    s->directory_version++; /* our own count: a restored database may begin again */
    for (int i = 0; i < N_SETTINGS; i++)
        if (setting_rows[i].kind != SETTING_STRING)
            s->settings[i] = directory_number(dir, i);
    s->n_unswept =
        s->sessions.n; /* from where the cursor is: it goes round under frequent changes too */
    if (!timer_is_set(&s->clock))
        clock_arm(s);
}

/* --- what sessions ask of the others -------------------------------------------------------------
 */

const struct phone *session_phone(struct session *x)
{
    struct stations *s = x->owner;

    if (x->phone_version != s->directory_version) {
        x->phone = s->directory ? directory_phone(s->directory, key_of_name(x)) : NULL;
        x->phone_version = s->directory_version;
    }
    return x->phone;
}

const struct device_pool *session_pool(struct session *x)
{
    const struct phone *phone = session_phone(x);

    if (!x->owner->directory)
        return NULL;
    return directory_find(x->owner->directory, ENTITY_device_pool,
                          text_of(phone && *phone->pool ? phone->pool : "Default"));
}

struct session *stations_by_name(const struct stations *s, struct device_name name)
{
    return map_get(&s->by_name, text_of(name.s));
}

struct session *stations_by_id(const struct stations *s, uint64_t id)
{
    return pool_get(&s->sessions, id);
}

int stations_enter_name(struct session *x)
{
    if (stations_by_name(x->owner, x->station.name) == x)
        return 0;
    return map_put(&x->owner->by_name, x);
}

void stations_leave_name(struct session *x)
{
    if (x->station.name.s[0] && stations_by_name(x->owner, x->station.name) == x)
        map_remove(&x->owner->by_name, key_of_name(x));
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

void stations_replace(struct session *old, struct effects *e)
{
    step(old, (struct session_input){.event = EV_REPLACED}, e);
}

/* When the table is nearly full, who has connected and said nothing makes room for who may. */
static void make_room(struct stations *s, struct effects *e)
{
    struct session *oldest;

    if (s->sessions.n < s->options.max_sessions - s->options.max_sessions / 16 ||
        list_is_empty(&s->waiting))
        return;
    oldest = container_of(s->waiting.next, struct session, waiting);
    if (s->sessions.n < s->options.max_sessions && s->now.ms - oldest->state_ms < WAITING_MIN_MS)
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

    s->now = now;
    make_room(s, e);
    x = pool_take(&s->sessions, &id);
    if (!x)
        return -ENOBUFS;
    x->owner = s;
    x->id = id;
    x->link = link;
    x->station.peer = *peer;
    x->station.local = *local;
    x->heard_ms = x->state_ms = now.ms;
    if (map_put(&s->by_link, x) < 0) {
        pool_give(&s->sessions, id);
        return -ENOBUFS;
    }
    list_append(&s->waiting, &x->waiting);
    session_arm(x);
    count(COUNT_SCCP_CONNECTIONS);
    return 0;
}

size_t stations_input(struct stations *s, uint64_t link, const uint8_t *bytes, size_t len,
                      struct moment now, struct effects *e)
{
    struct session *x = by_link(s, link);
    size_t n;

    s->now = now;
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

    s->now = now;
    if (x)
        step(x, (struct session_input){.event = EV_CLOSED, .err = err}, e);
}

void stations_admitted(struct stations *s, uint64_t token, int err, struct moment now,
                       struct effects *e)
{
    struct session *x = pool_get(&s->sessions, token);

    s->now = now;
    if (x)
        step(x, (struct session_input){.event = err ? EV_NOT_ADMITTED : EV_ADMITTED, .err = err},
             e);
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

static struct device_name upper(struct device_name name)
{
    for (char *c = name.s; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    return name;
}

static struct session *find_registered(const struct stations *s, struct device_name name)
{
    struct session *x = stations_by_name(s, name);

    if (!x)
        x = stations_by_name(s, upper(name));
    return x && station_is_registered(&x->station) ? x : NULL;
}

int stations_order(struct stations *s, struct device_name name, enum station_order order,
                   struct moment now, struct effects *e)
{
    struct session *x = find_registered(s, name);

    s->now = now;
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
    return s->n_unswept ? 1 : timers_next(&s->timers, now_ms);
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
            step(x, (struct session_input){.event = session_phone(x) ? EV_CLOCK : EV_DELETED}, e);
    }
}

static void on_due(struct stations *s, struct timer *due, struct effects *e)
{
    if (due == &s->clock) {
        s->n_unswept = s->sessions.n;
        clock_arm(s);
        return;
    }
    step(container_of(due, struct session, timer), (struct session_input){.event = EV_TIMEOUT}, e);
}

bool stations_tick(struct stations *s, struct moment now, struct effects *e)
{
    struct timer *due;

    s->now = now;
    sweep(s, e);
    while (effects_have_room(e)) {
        due = timers_expire(&s->timers, now.ms);
        if (!due)
            return false;
        on_due(s, due, e);
    }
    return true;
}

bool stations_drop_all(struct stations *s, struct moment now, struct effects *e)
{
    uint64_t id;
    struct session *x;

    s->now = now;
    for (int i = 0; i < DROP_BATCH && effects_have_room(e); i++) {
        x = pool_next(&s->sessions, &s->drop_cursor, &id);
        if (!x) {
            s->drop_cursor = 0;
            return false;
        }
        x->station.leave_reason = UNREGISTERED_CALLMANAGER_RESTART;
        effects_close(e, x->link);
        step(x, (struct session_input){.event = EV_CLOSED}, e);
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
        *ret = (struct station_session){x->version, x->offered, x->instance,
                                        (uint32_t)(now.ms - x->heard_ms), x->loss_ms};
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
    return s->n_registered;
}

size_t stations_sessions(const struct stations *s)
{
    return s->sessions.n;
}

const struct refusal *stations_refusal(const struct stations *s, struct device_name name)
{
    return refused_find(s->refused, name);
}

size_t stations_refusals(const struct stations *s)
{
    return refused_count(s->refused);
}
