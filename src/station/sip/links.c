/* links.c - connections that carry SIP: framing, what each is used for, when it is closed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/counters.h"
#include "station/news.h"
#include "station/sip/station.h"
#include "wire/sip/framing.h"

#define PARTIAL_BYTES_MAX (64u << 20) /* of messages half received, all links together */
#define PARTIAL_MAX       (SIP_HEAD_MAX + SIP_BODY_MAX + 64)
#define EVENT_WINDOW_MS   5000
#define REFUSED_MS        30000 /* as CallManager keeps the station of a refused phone */
#define STANDBY_INTERVALS 3     /* of keepalives to a backup that may be missed */

struct sip_link *sip_link_find(const struct sip_stations *s, uint64_t link)
{
    return map_get(&s->by_link, (struct text){(const char *)&link, sizeof(link)});
}

static uint64_t due_ms(const struct sip_link *l)
{
    const struct sip_stations *s = l->owner;

    switch (l->state) {
    case SIP_LINK_NEW:
    case SIP_LINK_TOKEN:
        return l->state_ms + (uint64_t)SETTING_OF(s, station_register_timeout) * 1000;
    case SIP_LINK_STANDBY:
        return l->heard_ms +
               (uint64_t)SETTING_OF(s, sip_station_keepalive_interval) * STANDBY_INTERVALS * 1000;
    case SIP_LINK_REFUSED:
        return l->state_ms + REFUSED_MS;
    case SIP_LINK_CLOSED:
        return s->registry->now.ms;
    default:
        return UINT64_MAX;
    }
}

struct sip_link *sip_link_new(struct sip_stations *s, const struct sip_flow *flow,
                              struct text subject)
{
    uint64_t id;
    struct sip_link *l = pool_take(&s->links, &id);

    if (!l)
        return NULL;
    l->owner = s;
    l->id = id;
    l->flow = *flow;
    l->state_ms = l->heard_ms = s->registry->now.ms;
    list_init(&l->bindings);
    if (map_put(&s->by_link, l) < 0 || (subject.len && !(l->subject = text_dup(subject)))) {
        map_remove(&s->by_link, (struct text){(const char *)&flow->link, sizeof(flow->link)});
        pool_give(&s->links, id);
        return NULL;
    }
    list_append(&s->waiting, &l->waiting);
    timer_set(&s->link_timers, &l->timer, due_ms(l));
    count(COUNT_SIP_CONNECTIONS);
    return l;
}

static void partial_drop(struct sip_link *l)
{
    l->owner->partial_bytes -= l->partial_size;
    free(l->partial);
    l->partial = NULL;
    l->n_partial = l->partial_size = 0;
}

void sip_link_free(struct sip_link *l)
{
    struct sip_stations *s = l->owner;

    map_remove(&s->by_link, (struct text){(const char *)&l->flow.link, sizeof(l->flow.link)});
    timer_stop(&s->link_timers, &l->timer);
    list_remove(&l->waiting);
    partial_drop(l);
    free(l->subject);
    pool_give(&s->links, l->id);
    count_by(COUNT_SIP_CONNECTIONS, -1);
}

/* --- its states --- */

static bool is_used(struct sip_link *l)
{
    return !list_is_empty(&l->bindings);
}

static void nothing(struct sip_link *l, struct effects *e)
{
}

static void settle(struct sip_link *l, struct effects *e)
{
    if (l->state != SIP_LINK_USED)
        effects_put(e, EFFECT_SETTLED)->link = l->flow.link;
}

static void close_link(struct sip_link *l, struct effects *e)
{
    effects_close(e, l->flow.link);
}

static void close_silent(struct sip_link *l, struct effects *e)
{
    count(COUNT_SIP_SILENT_CLOSED);
    effects_close(e, l->flow.link);
}

static void set_state(struct sip_link *l, enum sip_link_state to)
{
    l->owner->registry->n_tokens +=
        (size_t)(to == SIP_LINK_TOKEN) - (size_t)(l->state == SIP_LINK_TOKEN);
    l->state = (uint8_t)to;
}

/* A plain client may be reached elsewhere too; of a phone, this is its end. */
static void lose(struct sip_binding *b, struct effects *e)
{
    struct sip_device *d = b->device;

    if (!b->line && sip_bindings_count(d) > 1)
        sip_binding_free(b);
    else
        sip_device_step(d, &(struct sip_input){.event = SIP_EV_CLOSED}, e);
}

/* Whoever was registered over it is gone; when they are many, the rest waits for the next tick. */
static void lose_all(struct sip_link *l, struct effects *e)
{
    sip_transactions_link_closed(l->owner->transactions, l->flow.link, l->owner->registry->now.ms);
    set_state(l, SIP_LINK_CLOSED); /* so that nobody closes it again */
    while (!list_is_empty(&l->bindings) && effects_have_room(e)) {
        struct list *first = l->bindings.next;

        lose(container_of(first, struct sip_binding, on_link), e);
        if (l->bindings.next == first)
            sip_binding_free(container_of(first, struct sip_binding, on_link));
    }
}

static void cut_off(struct sip_link *l, struct effects *e)
{
    effects_close(e, l->flow.link);
    lose_all(l, e);
}

#define IN(state) (1u << SIP_LINK_##state)
#define IDLE      (IN(NEW) | IN(STANDBY) | IN(TOKEN) | IN(REFUSED))
#define OPEN      (IDLE | IN(USED))

/* clang-format off */
static const struct row {
    uint32_t in;
    enum sip_link_event on;
    bool (*when)(struct sip_link *l);
    void (*act)(struct sip_link *l, struct effects *e);
    uint8_t to;
    const char *words;
} rows[] = {
    { IN(NEW) | IN(STANDBY), SIP_LINK_EV_KEEPALIVE,  NULL,    nothing,      SIP_LINK_STANDBY, "we are a backup" },
    { OPEN,                  SIP_LINK_EV_KEEPALIVE,  NULL,    nothing,      N_SIP_LINK_STATES, "" },
    { IN(NEW) | IN(STANDBY), SIP_LINK_EV_TOKEN,      NULL,    nothing,      SIP_LINK_TOKEN,   "it may come" },
    { IN(TOKEN),             SIP_LINK_EV_TIMEOUT,    NULL,    nothing,      SIP_LINK_STANDBY, "it did not come" },
    { OPEN,                  SIP_LINK_EV_REGISTERED, NULL,    settle,       SIP_LINK_USED,    "" },
    { IN(USED),              SIP_LINK_EV_REFUSED,    NULL,    nothing,      N_SIP_LINK_STATES, "others use it" },
    { IDLE,                  SIP_LINK_EV_REFUSED,    NULL,    nothing,      SIP_LINK_REFUSED, "until it is closed, REGISTER gets 503" },
    { OPEN,                  SIP_LINK_EV_LEFT,       is_used, nothing,      N_SIP_LINK_STATES, "others use it" },
    { OPEN,                  SIP_LINK_EV_LEFT,       NULL,    close_link,   SIP_LINK_CLOSED,  "close" },
    { IN(NEW),               SIP_LINK_EV_TIMEOUT,    NULL,    close_silent, SIP_LINK_CLOSED,  "close" },
    { IN(STANDBY) | IN(REFUSED), SIP_LINK_EV_TIMEOUT, NULL,   close_link,   SIP_LINK_CLOSED,  "close" },
    { IN(USED),              SIP_LINK_EV_TIMEOUT,    NULL,    nothing,      N_SIP_LINK_STATES, "" },
    { IN(CLOSED),            SIP_LINK_EV_TIMEOUT,    NULL,    lose_all,     SIP_LINK_CLOSED,  "the rest of many" },
    { OPEN,                  SIP_LINK_EV_BAD,        NULL,    cut_off,      SIP_LINK_CLOSED,  "close" },
    { OPEN,                  SIP_LINK_EV_CLOSED,     NULL,    lose_all,     SIP_LINK_CLOSED,  "" },
};

static const struct {
    const char *name, *timeout;
} states[N_SIP_LINK_STATES] = {
    [SIP_LINK_NEW]     = { "new",     "Station Registration Timer" },
    [SIP_LINK_STANDBY] = { "standby", "three times SIP Station KeepAlive Interval" },
    [SIP_LINK_TOKEN]   = { "token",   "Station Registration Timer" },
    [SIP_LINK_USED]    = { "used",    "" },
    [SIP_LINK_REFUSED] = { "refused", "30 s" },
    [SIP_LINK_CLOSED]  = { "closed",  "" },
};
/* clang-format on */

static const char *const event_names[N_SIP_LINK_EVENTS] = {
    [SIP_LINK_EV_TOKEN] = "token",
    [SIP_LINK_EV_KEEPALIVE] = "keepalive",
    [SIP_LINK_EV_REGISTERED] = "registered",
    [SIP_LINK_EV_REFUSED] = "refused",
    [SIP_LINK_EV_LEFT] = "left",
    [SIP_LINK_EV_TIMEOUT] = "timeout",
    [SIP_LINK_EV_BAD] = "no SIP, or too much",
    [SIP_LINK_EV_CLOSED] = "connection closed",
};

static void arm(struct sip_link *l)
{
    uint64_t due = due_ms(l);

    if (due == UINT64_MAX)
        timer_stop(&l->owner->link_timers, &l->timer);
    else
        timer_set(&l->owner->link_timers, &l->timer, due);
}

static void move(struct sip_link *l, enum sip_link_state to)
{
    set_state(l, to);
    l->state_ms = l->owner->registry->now.ms;
    if (to != SIP_LINK_NEW)
        list_remove(&l->waiting);
    arm(l);
    if (to == SIP_LINK_CLOSED && list_is_empty(&l->bindings) && l != l->owner->current)
        sip_link_free(l);
}

void sip_link_step(struct sip_link *l, enum sip_link_event event, struct effects *e)
{
    if (event == SIP_LINK_EV_TIMEOUT && due_ms(l) > l->owner->registry->now.ms) {
        arm(l); /* it was heard since */
        return;
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        if (!(rows[i].in & 1u << l->state) || rows[i].on != event ||
            (rows[i].when && !rows[i].when(l)))
            continue;
        rows[i].act(l, e);
        if (rows[i].to != N_SIP_LINK_STATES)
            move(l, rows[i].to);
        return;
    }
}

void sip_link_print_states(struct writer *w)
{
    write_string(w, "```mermaid\nstateDiagram-v2\n    [*] --> new\n");
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        for (size_t from = 0; from < N_SIP_LINK_STATES; from++)
            if (rows[i].in & 1u << from && rows[i].to != N_SIP_LINK_STATES && rows[i].to != from)
                write_format(w, "    %s --> %s : %s\n", states[from].name, states[rows[i].to].name,
                             event_names[rows[i].on]);
    write_string(w, "    closed --> [*]\n```\n\n| state | ends by itself after |\n| --- | --- |\n");
    for (size_t i = 0; i < SIP_LINK_CLOSED; i++)
        write_format(w, "| %s | %s |\n", states[i].name, states[i].timeout);
}

/* --- its bytes --- */

static bool floods(struct sip_link *l)
{
    uint64_t now = l->owner->registry->now.ms;

    if (now - l->events_since_ms >= EVENT_WINDOW_MS) {
        l->events_since_ms = now;
        l->n_events = 0;
    }
    return ++l->n_events > (uint32_t)SETTING_OF(l->owner, max_station_events);
}

static void on_message(struct sip_link *l, const struct sip_message *m, struct effects *e)
{
    l->heard_ms = l->owner->registry->now.ms;
    sip_stations_message(l->owner, m, &l->flow, l, e);
}

/* One frame from the start of `bytes`: how many are done with, 0 when more are needed; the link
 * may be closed after. */
static size_t take_frame(struct sip_link *l, const uint8_t *bytes, size_t len, struct effects *e)
{
    const struct registry_options *o = &l->owner->registry->options;
    struct sip_message m;
    size_t used = 0, at;

    switch (sip_frame_next(bytes, len, &m, &used)) {
    case SIP_FRAME_MORE:
        return 0;
    case SIP_FRAME_MESSAGE:
        if (floods(l))
            break;
        if (o->heard)
            o->heard(o->context, (struct device_name){""}, l->flow.link, &l->flow.peer, bytes,
                     used);
        on_message(l, &m, e);
        return used;
    case SIP_FRAME_PING: /* RFC 5626 4.4.1 */
        at = writer_len(&e->out);
        write_string(&e->out, "\r\n");
        effects_send(e, l->flow.link, at);
        l->heard_ms = l->owner->registry->now.ms;
        return used;
    case SIP_FRAME_SKIP:
        return used;
    case SIP_FRAME_BAD:
        if (m.problem)
            on_message(l, &m, e);
        break;
    }
    count(COUNT_SIP_MALFORMED);
    sip_link_step(l, SIP_LINK_EV_BAD, e);
    return len;
}

static int partial_grow(struct sip_link *l, size_t want)
{
    uint8_t *grown;

    if (want <= l->partial_size)
        return 0;
    if (want > PARTIAL_MAX || l->owner->partial_bytes + want > PARTIAL_BYTES_MAX)
        return -ENOBUFS;
    grown = realloc(l->partial, want);
    if (!grown)
        return -ENOMEM;
    l->owner->partial_bytes += want - l->partial_size;
    l->partial = grown;
    l->partial_size = (uint32_t)want;
    return 0;
}

static void partial_keep(struct sip_link *l, const uint8_t *bytes, size_t len, struct effects *e)
{
    if (partial_grow(l, l->n_partial + len) < 0) {
        count(COUNT_SIP_MALFORMED);
        sip_link_step(l, SIP_LINK_EV_BAD, e);
        return;
    }
    memcpy(l->partial + l->n_partial, bytes, len);
    l->n_partial += (uint32_t)len;
}

/* Completes the message that straddles; how many of the new bytes were needed. */
static size_t take_straddling(struct sip_link *l, const uint8_t *bytes, size_t len,
                              struct effects *e)
{
    size_t had = l->n_partial, used;

    if (len > PARTIAL_MAX - had)
        len = PARTIAL_MAX - had;
    partial_keep(l, bytes, len, e);
    if (l->state == SIP_LINK_CLOSED)
        return len;
    used = take_frame(l, l->partial, l->n_partial, e);
    if (!used)
        return len;
    partial_drop(l);
    return used > had ? used - had : 0;
}

size_t sip_link_input(struct sip_link *l, const uint8_t *bytes, size_t len, struct effects *e)
{
    size_t done = 0, used;

    l->owner->current = l;
    while (done < len && l->state != SIP_LINK_CLOSED && effects_have_room(e)) {
        if (l->partial) {
            used = take_straddling(l, bytes + done, len - done, e);
        } else if (!(used = take_frame(l, bytes + done, len - done, e))) {
            used = len - done;
            partial_keep(l, bytes + done, used, e);
        }
        done += used;
    }
    l->owner->current = NULL;
    if (l->state != SIP_LINK_CLOSED)
        return done;
    if (list_is_empty(&l->bindings))
        sip_link_free(l);
    return len;
}
