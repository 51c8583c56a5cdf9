/* status.c - real-time status of every device seen. */
#include "server/status.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/pool.h"
#include "base/words.h"
#include "core/alarms.h"

struct status {
    struct pool devices;
    struct map by_name;
    struct words *loads;
    struct chain others; /* not registered, the one seen longest ago first */
    size_t n_others, max_others, counts[N_DEVICE_STATES];
};

const char *const device_state_names[N_DEVICE_STATES] = {"unknown", "registered", "unregistered",
                                                         "rejected"};

static struct text key_of(const void *value)
{
    return text_of(((const struct device_status *)value)->name.s);
}

struct status *status_new(size_t max_registered, size_t max_others)
{
    struct status *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    s->loads = words_new();
    if (!s->loads) {
        free(s);
        return NULL;
    }
    pool_init(&s->devices, sizeof(struct device_status), max_registered + max_others);
    map_init(&s->by_name, key_of);
    chain_init(&s->others, &s->devices, offsetof(struct device_status, order));
    s->max_others = max_others;
    return s;
}

void status_free(struct status *s)
{
    if (!s)
        return;
    map_done(&s->by_name);
    words_free(s->loads);
    pool_done(&s->devices);
    free(s);
}

static void leave_others(struct status *s, struct device_status *d)
{
    s->n_others -= chain_remove(&s->others, d);
}

static void forget_oldest(struct status *s)
{
    struct device_status *d = chain_first(&s->others);

    leave_others(s, d);
    s->counts[d->state]--;
    map_remove(&s->by_name, key_of(d));
    words_give(s->loads, d->load);
    pool_give(&s->devices, pool_id(d));
}

static struct device_status *enter(struct status *s, struct device_name name)
{
    struct device_status *d;
    uint64_t id;

    if (s->n_others >= s->max_others)
        forget_oldest(s);
    if (!(d = pool_take(&s->devices, &id)))
        return NULL;
    d->name = name;
    d->load = "";
    if (map_put(&s->by_name, d) < 0) {
        pool_give(&s->devices, id);
        return NULL;
    }
    s->counts[STATE_UNKNOWN]++;
    return d;
}

static enum device_state state_of(const struct progress_event *e)
{
    switch (e->stage) {
    case PROGRESS_REGISTERED:
        return STATE_REGISTERED;
    case PROGRESS_UNREGISTERED:
        return STATE_UNREGISTERED;
    case PROGRESS_REJECTED:
        return STATE_REJECTED;
    default:
        return STATE_UNKNOWN;
    }
}

static void learn(struct status *s, struct device_status *d, const struct progress_event *e,
                  enum device_state state)
{
    d->since_s = (uint32_t)(e->time_us / 1000000);
    d->reason = state == STATE_REGISTERED ? 0 : (uint16_t)e->code;
    d->protocol = e->protocol;
    d->attempts += state != STATE_UNREGISTERED && d->attempts < UINT16_MAX;
    if (e->model)
        d->model = e->model;
    if (!ip_is_any(e->ip))
        d->ip = e->ip;
    if (state == STATE_REGISTERED) {
        words_give(s->loads, d->load);
        d->load =
            words_take(s->loads, (struct text){e->detail, strnlen(e->detail, sizeof(e->detail))});
    }
}

void status_event(struct status *s, const struct progress_event *e)
{
    enum device_state state = state_of(e);
    struct device_status *d;

    if (state == STATE_UNKNOWN || !e->device.s[0])
        return;
    d = map_get(&s->by_name, text_of(e->device.s));
    if (!d && !(d = enter(s, e->device)))
        return;
    s->counts[d->state]--;
    s->counts[state]++;
    d->state = (uint8_t)state;
    learn(s, d, e, state);
    leave_others(s, d);
    if (state != STATE_REGISTERED) {
        chain_append(&s->others, d);
        s->n_others++;
    }
}

const struct device_status *status_find(const struct status *s, struct text name)
{
    return map_get(&s->by_name, name);
}

const struct device_status *status_next(const struct status *s, size_t *cursor)
{
    uint64_t id;

    return pool_next(&s->devices, cursor, &id);
}

size_t status_count(const struct status *s, enum device_state state)
{
    return s->counts[state];
}

const char *status_reason(const struct device_status *d)
{
    if (d->state == STATE_UNREGISTERED && d->reason)
        return reason_unregistered(d->reason)->text;
    if (d->state == STATE_REJECTED && d->reason)
        return reason_transient(d->reason)->text;
    return "";
}
