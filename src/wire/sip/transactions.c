/* transactions.c - a pool of transactions, found by key, by link and by time. */
#include "wire/sip/transactions.h"

#include <errno.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/pool.h"
#include "base/timers.h"

#define ONCE_T1_MS   100 /* 64 of them until it is given up */
#define LINK_BUCKETS 1024
#define CANCEL_MAX   8192

struct entry {
    struct sip_transaction tx;
    struct timer timer;
    struct list by_link;
    uint32_t counted; /* of what it keeps, in `bytes` */
};

struct sip_transactions {
    struct sip_transactions_options options;
    struct sip_port port; /* ours, around the user's */
    struct pool pool;
    struct map by_key;
    struct timers timers;
    struct list links[LINK_BUCKETS];
    size_t bytes;
    uint64_t now_ms;
};

static struct text key_of(const void *value)
{
    const struct entry *e = value;

    return (struct text){(const char *)&e->tx.key, sizeof(e->tx.key)};
}

static struct entry *find(const struct sip_transactions *ts, uint64_t key)
{
    return key ? map_get(&ts->by_key, (struct text){(const char *)&key, sizeof(key)}) : NULL;
}

static struct entry *entry_of(struct sip_transaction *t)
{
    return container_of(t, struct entry, tx);
}

static void give_back(struct sip_transactions *ts, struct entry *e)
{
    map_remove(&ts->by_key, key_of(e));
    list_remove(&e->by_link);
    timer_stop(&ts->timers, &e->timer);
    ts->bytes -= e->counted;
    pool_give(&ts->pool, e->tx.id);
}

static void on_send(void *context, const struct sip_transaction *t, const void *bytes, size_t len)
{
    struct sip_transactions *ts = context;

    ts->options.port.send(ts->options.port.context, t, bytes, len);
}

static void on_tell(void *context, struct sip_transaction *t, enum sip_told what,
                    const struct sip_message *message)
{
    struct sip_transactions *ts = context;

    ts->options.port.tell(ts->options.port.context, t, what, message);
    if (what == SIP_TOLD_ENDED)
        give_back(ts, entry_of(t));
    else if (what == SIP_TOLD_RESPONSE && t->cancel)
        sip_transactions_cancel(ts, t->id, ts->now_ms);
}

struct sip_transactions *sip_transactions_new(const struct sip_transactions_options *options,
                                              uint64_t now_ms)
{
    struct sip_transactions *ts = calloc(1, sizeof(*ts));

    if (!ts)
        return NULL;
    ts->options = *options;
    ts->port = (struct sip_port){ts, on_send, on_tell};
    pool_init(&ts->pool, sizeof(struct entry), options->max);
    map_init(&ts->by_key, key_of);
    timers_init(&ts->timers, now_ms);
    for (size_t i = 0; i < LINK_BUCKETS; i++)
        list_init(&ts->links[i]);
    return ts;
}

void sip_transactions_free(struct sip_transactions *ts)
{
    struct entry *e;
    size_t cursor = 0;
    uint64_t id;

    if (!ts)
        return;
    while ((e = pool_next(&ts->pool, &cursor, &id)))
        sip_transaction_drop(&e->tx);
    map_done(&ts->by_key);
    pool_done(&ts->pool);
    free(ts);
}

/* After every step of a transaction: it may have ended, or be due at another time. */
static void settle(struct sip_transactions *ts, uint64_t id)
{
    struct entry *e = pool_get(&ts->pool, id);
    uint64_t due;

    if (!e)
        return;
    ts->bytes += e->tx.n_kept;
    ts->bytes -= e->counted;
    e->counted = e->tx.n_kept;
    due = sip_transaction_due(&e->tx);
    if (due == UINT64_MAX)
        timer_stop(&ts->timers, &e->timer);
    else
        timer_set(&ts->timers, &e->timer, due);
}

static struct entry *take(struct sip_transactions *ts, uint64_t user, uint64_t now_ms)
{
    struct entry *e;
    uint64_t id;

    ts->now_ms = now_ms;
    if (ts->bytes >= ts->options.max_bytes || !(e = pool_take(&ts->pool, &id)))
        return NULL;
    e->tx.id = id;
    e->tx.user = user;
    return e;
}

static int enlist(struct sip_transactions *ts, struct entry *e)
{
    int err = map_put(&ts->by_key, e);

    if (!err && e->tx.flow.link)
        list_append(&ts->links[e->tx.flow.link % LINK_BUCKETS], &e->by_link);
    return err;
}

static void undo(struct sip_transactions *ts, struct entry *e)
{
    sip_transaction_drop(&e->tx);
    pool_give(&ts->pool, e->tx.id);
}

static int request(struct sip_transactions *ts, const struct sip_flow *flow,
                   const struct sip_timing *timing, const void *bytes, size_t len, uint64_t user,
                   uint64_t now_ms, uint64_t *id)
{
    struct sip_message m;
    struct entry *e;
    int err;

    if (sip_parse(bytes, len, &m) < 0)
        return -EBADMSG;
    if (find(ts, sip_client_key(&m)))
        return -EEXIST;
    if (!(e = take(ts, user, now_ms)))
        return -ENOBUFS;
    err = sip_client_start(&e->tx, &ts->port, flow, timing, bytes, len, now_ms);
    if (!err)
        err = enlist(ts, e);
    if (err) {
        undo(ts, e);
        return err;
    }
    *id = e->tx.id;
    settle(ts, e->tx.id);
    return 0;
}

int sip_transactions_request(struct sip_transactions *ts, const struct sip_flow *flow,
                             const void *bytes, size_t len, uint64_t user, uint64_t now_ms,
                             uint64_t *id)
{
    return request(ts, flow, &ts->options.timing, bytes, len, user, now_ms, id);
}

int sip_transactions_request_once(struct sip_transactions *ts, const struct sip_flow *flow,
                                  const void *bytes, size_t len, uint64_t user, uint64_t now_ms,
                                  uint64_t *id)
{
    struct sip_timing timing = ts->options.timing;

    timing.max_sends = 1;
    timing.t1_ms = ONCE_T1_MS;
    return request(ts, flow, &timing, bytes, len, user, now_ms, id);
}

int sip_transactions_serve(struct sip_transactions *ts, const struct sip_flow *flow,
                           const struct sip_message *request, uint64_t user, uint64_t now_ms,
                           uint64_t *id)
{
    struct entry *e = take(ts, user, now_ms);
    int err;

    if (!e)
        return -ENOBUFS;
    err = sip_server_start(&e->tx, flow, &ts->options.timing, request, now_ms);
    if (!err)
        err = enlist(ts, e);
    if (err) {
        undo(ts, e);
        return err;
    }
    *id = e->tx.id;
    settle(ts, e->tx.id);
    return 0;
}

int sip_transactions_respond(struct sip_transactions *ts, uint64_t id, const void *bytes,
                             size_t len, uint64_t now_ms)
{
    struct entry *e = pool_get(&ts->pool, id);
    int err;

    if (!e)
        return -ENOENT;
    err = sip_server_respond(&e->tx, &ts->port, bytes, len, now_ms);
    settle(ts, id);
    return err;
}

bool sip_transactions_heard(struct sip_transactions *ts, const struct sip_message *m,
                            uint64_t now_ms)
{
    struct entry *e = find(ts, m->status ? sip_client_key(m) : sip_server_key(m, false));
    uint64_t id;

    if (!e)
        return false;
    ts->now_ms = now_ms;
    id = e->tx.id;
    if (m->status)
        sip_client_response(&e->tx, &ts->port, m, now_ms);
    else
        sip_server_request(&e->tx, &ts->port, m, now_ms);
    settle(ts, id);
    return true;
}

struct sip_transaction *sip_transactions_cancelled(struct sip_transactions *ts,
                                                   const struct sip_message *cancel)
{
    struct entry *e = find(ts, sip_server_key(cancel, true));

    return e ? &e->tx : NULL;
}

struct sip_transaction *sip_transactions_get(struct sip_transactions *ts, uint64_t id)
{
    struct entry *e = pool_get(&ts->pool, id);

    return e ? &e->tx : NULL;
}

int sip_transactions_cancel(struct sip_transactions *ts, uint64_t id, uint64_t now_ms)
{
    struct entry *e = pool_get(&ts->pool, id);
    uint8_t bytes[CANCEL_MAX];
    struct writer w = writer_of(bytes, sizeof(bytes));
    struct sip_flow flow;
    uint64_t cancel;
    int err;

    if (!e)
        return -ENOENT;
    err = sip_client_cancel(&e->tx, &w, now_ms);
    flow = e->tx.flow;
    settle(ts, id);
    if (err)
        return err == -EAGAIN ? 0 : err; /* with its first provisional response */
    err = sip_transactions_request(ts, &flow, bytes, writer_len(&w), 0, now_ms, &cancel);
    if (!err)
        sip_transactions_forget(ts, cancel);
    return err;
}

void sip_transactions_acknowledged(struct sip_transactions *ts, uint64_t id)
{
    struct entry *e = pool_get(&ts->pool, id);

    if (e)
        sip_server_acknowledged(&e->tx);
    settle(ts, id);
}

/* What the user does when it is told may end others of the same link. */
void sip_transactions_link_closed(struct sip_transactions *ts, uint64_t link, uint64_t now_ms)
{
    struct list closing, *node;

    ts->now_ms = now_ms;
    list_init(&closing);
    list_for_each(&ts->links[link % LINK_BUCKETS],
                  here) if (container_of(here, struct entry, by_link)->tx.flow.link == link)
    {
        list_remove(here);
        list_append(&closing, here);
    }
    while ((node = list_take(&closing))) {
        struct entry *e = container_of(node, struct entry, by_link);
        uint64_t id = e->tx.id;

        sip_transaction_broken(&e->tx, &ts->port, now_ms);
        settle(ts, id);
    }
}

void sip_transactions_forget(struct sip_transactions *ts, uint64_t id)
{
    struct entry *e = pool_get(&ts->pool, id);

    if (e)
        sip_transaction_forget(&e->tx);
}

void sip_transactions_end(struct sip_transactions *ts, uint64_t id)
{
    struct entry *e = pool_get(&ts->pool, id);

    if (!e)
        return;
    sip_transaction_drop(&e->tx);
    give_back(ts, e);
}

bool sip_transactions_tick(struct sip_transactions *ts, uint64_t now_ms)
{
    struct timer *timer = timers_expire(&ts->timers, now_ms);
    struct entry *e;
    uint64_t id;

    if (!timer)
        return false;
    ts->now_ms = now_ms;
    e = container_of(timer, struct entry, timer);
    id = e->tx.id;
    sip_transaction_tick(&e->tx, &ts->port, now_ms);
    settle(ts, id);
    return true;
}

uint64_t sip_transactions_next(const struct sip_transactions *ts, uint64_t now_ms)
{
    return timers_next(&ts->timers, now_ms);
}

size_t sip_transactions_count(const struct sip_transactions *ts)
{
    return ts->pool.n;
}
