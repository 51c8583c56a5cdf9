/* transfers.c - transfers by client, and clients by address; all in pools. */
#include "provision/tftp/transfers.h"

#include <stdlib.h>

#include "core/counters.h"

#define TURN_REQUESTS 64 /* the socket for new transfers changes so often */

void tftp_settings_default(struct tftp_settings *s)
{
    *s = (struct tftp_settings){
        .max_transfers = 5000,
        .max_per_client = 512,
        .timeout_ms = 500,
        .max_timeout_ms = 4000,
        .max_tries = 7,
        .max_first_tries = 4,
        .max_window = TRANSFER_WINDOW_MAX,
        .n_tids = 1,
    };
}

/* --- keys --- */

static struct text transfer_key(const void *value)
{
    return (struct text){((const struct transfer *)value)->key, ENDPOINT_KEY};
}

static struct text client_key(const void *value)
{
    return (struct text){((const struct transfer_client *)value)->key, 17};
}

static void ip_key(struct ip ip, char to[static 17])
{
    to[0] = (char)ip.family;
    memset(to + 1, 0, 16);
    memcpy(to + 1, ip.bytes, ip.family == 4 ? 4 : 16);
}

void transfer_key_of(const struct endpoint *e, char to[static ENDPOINT_KEY])
{
    ip_key(e->ip, to);
    to[17] = (char)(e->port >> 8);
    to[18] = (char)e->port;
}

struct transfer *transfer_find(const struct tftp_server *s, const struct endpoint *peer)
{
    char key[ENDPOINT_KEY];

    transfer_key_of(peer, key);
    return map_get(&s->by_peer, (struct text){key, ENDPOINT_KEY});
}

/* --- life --- */

struct tftp_server *tftp_server_new(const struct tftp_settings *settings,
                                    const struct file_source *source,
                                    const struct tftp_output *output, uint64_t now_ms)
{
    struct tftp_server *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    s->settings = *settings;
    s->source = *source;
    s->output = *output;
    if (!s->settings.n_tids)
        s->settings.n_tids = 1;
    if (!s->settings.max_window || s->settings.max_window > TRANSFER_WINDOW_MAX)
        s->settings.max_window = TRANSFER_WINDOW_MAX;
    pool_init(&s->transfers, sizeof(struct transfer), settings->max_transfers);
    pool_init(&s->clients, sizeof(struct transfer_client), settings->max_transfers);
    map_init(&s->by_peer, transfer_key);
    map_init(&s->by_ip, client_key);
    timers_init(&s->timers, now_ms);
    list_init(&s->unheard);
    return s;
}

void tftp_server_limit(struct tftp_server *s, size_t max_transfers, size_t max_per_client)
{
    s->settings.max_transfers = s->transfers.max = s->clients.max = max_transfers;
    s->settings.max_per_client = max_per_client;
}

size_t tftp_server_count(const struct tftp_server *s)
{
    return s->transfers.n;
}

static struct transfer_client *client_find(const struct tftp_server *s, struct ip ip)
{
    char key[17];

    ip_key(ip, key);
    return map_get(&s->by_ip, (struct text){key, sizeof(key)});
}

static bool client_may_enter(const struct tftp_server *s, struct ip ip)
{
    const struct transfer_client *c = client_find(s, ip);

    return !c || c->n < s->settings.max_per_client;
}

static struct transfer_client *client_enter(struct tftp_server *s, struct ip ip)
{
    struct transfer_client *c = client_find(s, ip);
    uint64_t id;

    if (c) {
        c->n++;
        return c;
    }
    if (!(c = pool_take(&s->clients, &id)))
        return NULL;
    c->ip = ip;
    c->id = id;
    c->n = 1;
    ip_key(ip, c->key);
    if (map_put(&s->by_ip, c) < 0) {
        pool_give(&s->clients, id);
        return NULL;
    }
    return c;
}

static void client_leave(struct tftp_server *s, struct transfer_client *c)
{
    if (--c->n)
        return;
    map_remove(&s->by_ip, client_key(c));
    pool_give(&s->clients, c->id);
}

void transfer_report(struct tftp_server *s, const struct transfer *t, enum file_result result)
{
    uint64_t sent = (t->base - 1) * t->block_size;
    struct file_report r = {
        .result = result,
        .name = {t->name, t->name_len},
        .client = t->peer,
        .local = t->local,
        .sent = sent > t->file.size || result == FILE_SENT ? t->file.size : sent,
        .started_ms = t->started_ms,
        .resent = t->resent,
    };

    s->output.report(s->output.context, &r);
}

static void transfer_free(struct tftp_server *s, struct transfer *t)
{
    timer_stop(&s->timers, &t->timer);
    list_remove(&t->node);
    map_remove(&s->by_peer, transfer_key(t));
    if (!t->file.err)
        s->source.close(s->source.context, t->file.hold);
    client_leave(s, t->client);
    count_by(COUNT_TFTP_IN_PROGRESS, -1);
    pool_give(&s->transfers, t->id);
}

void transfer_end(struct tftp_server *s, struct transfer *t, enum file_result result)
{
    if (result == FILE_SENT)
        count(COUNT_TFTP_PROCESSED);
    else if (result == FILE_ABORTED)
        count(COUNT_TFTP_ABORTED);
    transfer_report(s, t, result);
    transfer_free(s, t);
}

void tftp_server_free(struct tftp_server *s)
{
    struct transfer *t;
    size_t cursor = 0;
    uint64_t id;

    if (!s)
        return;
    while ((t = pool_next(&s->transfers, &cursor, &id)))
        transfer_end(s, t, FILE_ABORTED);
    map_done(&s->by_peer);
    map_done(&s->by_ip);
    pool_done(&s->transfers);
    pool_done(&s->clients);
    free(s);
}

/* Requests with forged senders fill all places sooner than time-outs empty them: the oldest transfer
 * whose client was never heard gives up its place. */
static struct transfer *take_place(struct tftp_server *s, uint64_t *id)
{
    struct transfer *t = pool_take(&s->transfers, id);

    if (t || list_is_empty(&s->unheard))
        return t;
    transfer_end(s, container_of(s->unheard.next, struct transfer, node), FILE_ABORTED);
    return pool_take(&s->transfers, id);
}

struct transfer *transfer_new(struct tftp_server *s, const struct file_request *r, unsigned tid)
{
    struct transfer_client *client;
    struct transfer *t;
    uint64_t id;

    if (!client_may_enter(s, r->client.ip) || !(t = take_place(s, &id)))
        return NULL;
    if (!(client = client_enter(s, r->client.ip))) {
        pool_give(&s->transfers, id);
        return NULL;
    }
    t->id = id;
    t->client = client;
    t->peer = r->client;
    t->local = r->local;
    t->tid = (uint8_t)tid;
    t->started_ms = t->heard_ms = r->now_ms;
    t->base = 1;
    t->ascii_pending = t->ascii_next_pending = -1;
    t->name_len = (uint8_t)r->name.len;
    memcpy(t->name, r->name.at, r->name.len);
    transfer_key_of(&r->client, t->key);
    if (map_put(&s->by_peer, t) < 0) {
        client_leave(s, client);
        pool_give(&s->transfers, id);
        return NULL;
    }
    list_append(&s->unheard, &t->node);
    count(COUNT_TFTP_IN_PROGRESS);
    return t;
}

/* --- which socket ---
 *
 * Consecutive transfers of one client endpoint never use the same socket, so that a late datagram
 * of one is not taken for the other's (RFC 1350 4). All others share a socket for a while: what
 * arrives together is then read together. */
unsigned transfer_choose_tid(struct tftp_server *s, const char key[static ENDPOINT_KEY])
{
    uint64_t hash = hash_bytes(key, ENDPOINT_KEY);
    size_t slot = hash % RECENT_CLIENTS;
    uint32_t mark = (uint32_t)(hash >> 32) | 1;
    unsigned tid;

    if (++s->turn_requests >= TURN_REQUESTS) {
        s->turn_requests = 0;
        s->turn = (uint16_t)((s->turn + 1) % s->settings.n_tids);
    }
    tid = s->turn;
    if (s->recent[slot].hash == mark && s->recent[slot].tid == tid)
        tid = (tid + 1) % s->settings.n_tids;
    s->recent[slot].hash = mark;
    s->recent[slot].tid = (uint16_t)tid;
    return tid;
}
