/* tftp_server.c - read requests, windows, time-outs. */
#include "provision/tftp_server.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/pool.h"
#include "base/timers.h"
#include "core/counters.h"
#include "wire/boot/tftp.h"

#define NAME_MAX_LEN   128
#define WINDOW_MAX     64
#define SLOW_MS        250   /* a transfer that takes longer is told before it ends */
#define ALIVE_MS       200   /* a client heard from so recently has not started anew */
#define BURST_MAX      60000 /* bytes handed to the output at once */
#define OUT_MAX        (TFTP_HEADER + TFTP_BLOCK_MAX)
#define TURN_REQUESTS  64   /* the socket for new transfers changes so often */
#define RECENT_CLIENTS 4096 /* slots that remember a client's last socket */
#define ENDPOINT_KEY   19

enum transfer_state { HELD, OFFERED, SENDING }; /* answer held back; OACK sent; DATA sent */

struct transfer {
    struct timer timer;
    struct transfer_client *client;
    uint64_t id;
    char key[ENDPOINT_KEY]; /* of `peer` */
    struct endpoint peer;
    struct ip local;
    struct file_answer file;
    struct tftp_options accepted;
    uint64_t base, sent,
        last; /* blocks: first not acknowledged, last sent, last of the file (0: unknown) */
    uint64_t started_ms, heard_ms;
    uint64_t ascii_offset,
        ascii_next_offset; /* in the file: where block `base` and the next begin */
    uint32_t timeout_ms, resent;
    uint16_t block_size, window;
    uint8_t state, tries, tid;
    bool heard, netascii, timeout_fixed, gap_answered, told_slow;
    int8_t ascii_pending, ascii_next_pending; /* second byte of a pair that did not fit, or -1 */
    uint8_t name_len;
    char name[NAME_MAX_LEN];
};

struct transfer_client {
    struct ip ip;
    char key[17];
    uint64_t id;
    size_t n;
};

struct tftp_server {
    struct tftp_settings settings;
    struct file_source source;
    struct tftp_output output;
    struct pool transfers, clients;
    struct map by_peer, by_ip;
    struct timers timers;
    uint16_t turn;
    uint8_t turn_requests;
    struct {
        uint32_t hash;
        uint16_t tid;
    } recent[RECENT_CLIENTS];
    uint8_t out[OUT_MAX];
};

void tftp_settings_default(struct tftp_settings *s)
{
    *s = (struct tftp_settings){
        .max_transfers = 5000,
        .max_per_client = 512,
        .timeout_ms = 500,
        .max_timeout_ms = 8000,
        .max_tries = 6,
        .max_first_tries = 4,
        .max_window = WINDOW_MAX,
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

static void endpoint_key(const struct endpoint *e, char to[static ENDPOINT_KEY])
{
    ip_key(e->ip, to);
    to[17] = (char)(e->port >> 8);
    to[18] = (char)e->port;
}

static struct transfer *find_transfer(const struct tftp_server *s, const struct endpoint *peer)
{
    char key[ENDPOINT_KEY];

    endpoint_key(peer, key);
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
    if (!s->settings.max_window || s->settings.max_window > WINDOW_MAX)
        s->settings.max_window = WINDOW_MAX;
    pool_init(&s->transfers, sizeof(struct transfer), settings->max_transfers);
    pool_init(&s->clients, sizeof(struct transfer_client), settings->max_transfers);
    map_init(&s->by_peer, transfer_key);
    map_init(&s->by_ip, client_key);
    timers_init(&s->timers, now_ms);
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

static struct transfer_client *client_enter(struct tftp_server *s, struct ip ip)
{
    char key[17];
    struct transfer_client *c;
    uint64_t id;

    ip_key(ip, key);
    c = map_get(&s->by_ip, (struct text){key, sizeof(key)});
    if (c) {
        if (c->n >= s->settings.max_per_client)
            return NULL;
        c->n++;
        return c;
    }
    if (!(c = pool_take(&s->clients, &id)))
        return NULL;
    c->ip = ip;
    c->id = id;
    c->n = 1;
    memcpy(c->key, key, sizeof(key));
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

static void report(struct tftp_server *s, const struct transfer *t, enum file_result result)
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
    map_remove(&s->by_peer, transfer_key(t));
    if (!t->file.err)
        s->source.close(s->source.context, t->file.hold);
    client_leave(s, t->client);
    count_by(COUNT_TFTP_IN_PROGRESS, -1);
    pool_give(&s->transfers, t->id);
}

static void transfer_end(struct tftp_server *s, struct transfer *t, enum file_result result)
{
    if (result == FILE_SENT)
        count(COUNT_TFTP_PROCESSED);
    else if (result == FILE_ABORTED)
        count(COUNT_TFTP_ABORTED);
    report(s, t, result);
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

/* --- which socket ---
 *
 * Consecutive transfers of one client endpoint never use the same socket, so that a late datagram
 * of one is not taken for the other's (RFC 1350 4). All others share a socket for a while: what
 * arrives together is then read together. */
static unsigned choose_tid(struct tftp_server *s, const char key[static ENDPOINT_KEY])
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

/* --- sending --- */

static void send_error(struct tftp_server *s, unsigned tid, const struct endpoint *to,
                       struct ip local, enum tftp_error error, const char *words)
{
    struct writer w = writer_of(s->out, sizeof(s->out));

    tftp_write_error(&w, (uint16_t)error, words);
    s->output.send(s->output.context, tid, to, local, s->out, writer_len(&w), 0);
}

/* What a client is told when there is no file for it; the same for every reason that is not its
 * own. */
static void send_refusal(struct tftp_server *s, unsigned tid, const struct endpoint *to,
                         struct ip local, int err)
{
    if (err == -EBUSY)
        send_error(s, tid, to, local, TFTP_ERROR_OTHER, "Server busy");
    else
        send_error(s, tid, to, local, TFTP_ERROR_NOT_FOUND, "File not found");
}

static void set_timer(struct tftp_server *s, struct transfer *t, uint64_t now_ms)
{
    uint64_t ms = t->timeout_ms;

    for (unsigned i = 0; i < t->tries && !t->timeout_fixed && ms < s->settings.max_timeout_ms; i++)
        ms *= 2;
    if (!t->timeout_fixed && ms > s->settings.max_timeout_ms)
        ms = s->settings.max_timeout_ms;
    timer_set(&s->timers, &t->timer, now_ms + ms);
}

static void send_offer(struct tftp_server *s, struct transfer *t)
{
    struct writer w = writer_of(s->out, sizeof(s->out));

    tftp_write_oack(&w, &t->accepted);
    s->output.send(s->output.context, t->tid, &t->peer, t->local, s->out, writer_len(&w), 0);
}

/* `n` bytes of the file from `offset`, or NULL when they are gone. */
static const uint8_t *file_bytes(struct tftp_server *s, struct transfer *t, uint64_t offset,
                                 size_t n)
{
    if (t->file.bytes)
        return t->file.bytes + offset;
    if (!n)
        return (const uint8_t *)"";
    count_by(COUNT_TFTP_FROM_DISK, (int64_t)((n + TFTP_BLOCK - 1) / TFTP_BLOCK));
    return s->source.read(s->source.context, t->file.hold, offset, n);
}

static void write_ascii(struct writer *w, const uint8_t *bytes, size_t n, size_t room,
                        uint64_t *offset, int8_t *pending)
{
    while (room && (*pending >= 0 || n)) {
        if (*pending >= 0) {
            write_u8(w, (uint8_t)*pending);
            *pending = -1;
        } else {
            uint8_t c = *bytes++;

            /* RFC 764: a line ends with CR LF, a CR of its own is CR NUL */
            write_u8(w, c == '\n' ? '\r' : c);
            if (c == '\n' || c == '\r')
                *pending = c == '\n' ? '\n' : '\0';
            n--;
            ++*offset;
        }
        room--;
    }
}

/* Block `base` of a netascii transfer: the size of what came before is only known by doing it. */
static int send_ascii_block(struct tftp_server *s, struct transfer *t)
{
    struct writer w = writer_of(s->out, sizeof(s->out));
    uint64_t left = t->file.size - t->ascii_offset;
    size_t n = left < t->block_size ? (size_t)left : t->block_size;
    const uint8_t *bytes = file_bytes(s, t, t->ascii_offset, n);

    if (!bytes)
        return -EIO;
    write_be16(&w, TFTP_DATA);
    write_be16(&w, (uint16_t)t->base);
    t->ascii_next_offset = t->ascii_offset;
    t->ascii_next_pending = t->ascii_pending;
    write_ascii(&w, bytes, n, t->block_size, &t->ascii_next_offset, &t->ascii_next_pending);
    t->sent = t->base;
    t->last = writer_len(&w) - TFTP_HEADER < t->block_size ? t->base : 0;
    s->output.send(s->output.context, t->tid, &t->peer, t->local, s->out, writer_len(&w), 0);
    return 0;
}

/* Appends blocks from t->sent + 1 up to `until` to the output while they fit; returns their number,
 * -EIO. */
static int fill_burst(struct tftp_server *s, struct transfer *t, uint64_t until, struct writer *w)
{
    int n = 0;

    while (t->sent < until && (!n || writer_len(w) + TFTP_HEADER + t->block_size <= BURST_MAX)) {
        uint64_t offset = t->sent * t->block_size, left = t->file.size - offset;
        size_t len = left < t->block_size ? (size_t)left : t->block_size;
        const uint8_t *bytes = file_bytes(s, t, offset, len);

        if (!bytes)
            return -EIO;
        tftp_write_data(w, (uint16_t)(t->sent + 1), bytes, len);
        t->sent++;
        n++;
    }
    return n;
}

/* Room for one block, or for a window up to a burst. */
static struct writer room_for(struct tftp_server *s, struct transfer *t, uint64_t blocks)
{
    size_t block = TFTP_HEADER + (size_t)t->block_size, size = block;
    uint8_t *room = NULL;

    if (blocks > 1)
        size = blocks * block < BURST_MAX ? (size_t)blocks * block : block > BURST_MAX ? block : BURST_MAX;
    if (s->output.room)
        room = s->output.room(s->output.context, t->tid, size);
    return room ? writer_of(room, size) : writer_of(s->out, sizeof(s->out));
}

/* The window from `base` on. */
static int send_window(struct tftp_server *s, struct transfer *t)
{
    uint64_t until = t->base + t->window - 1;

    if (t->netascii)
        return send_ascii_block(s, t);
    if (until > t->last)
        until = t->last;
    t->sent = t->base - 1;
    while (t->sent < until) {
        struct writer w = room_for(s, t, until - t->sent);
        int n = fill_burst(s, t, until, &w);

        if (n < 0)
            return n;
        count_by(COUNT_TFTP_SEGMENTS_SENT, n);
        s->output.send(s->output.context, t->tid, &t->peer, t->local, w.start, writer_len(&w),
                       n > 1 ? (size_t)TFTP_HEADER + t->block_size : 0);
    }
    return 0;
}

/* What the client has not answered yet, for the first time or again. Ends the transfer when it
 * cannot. */
static void transmit(struct tftp_server *s, struct transfer *t, uint64_t now_ms)
{
    if (t->state == OFFERED) {
        send_offer(s, t);
    } else if (send_window(s, t) < 0) {
        send_error(s, t->tid, &t->peer, t->local, TFTP_ERROR_OTHER, "File changed");
        transfer_end(s, t, FILE_ABORTED);
        return;
    }
    set_timer(s, t, now_ms);
}

/* --- the request --- */

/* RFC 2347: what is not in the answer was not accepted. A smaller window may be offered (RFC 7440
 * 3). */
static void negotiate(struct tftp_server *s, struct transfer *t, const struct tftp_options *asked)
{
    t->block_size = TFTP_BLOCK;
    t->window = 1;
    t->timeout_ms = s->settings.timeout_ms;
    if (tftp_has(asked, TFTP_BLKSIZE)) {
        t->block_size = (uint16_t)asked->value[TFTP_BLKSIZE];
        tftp_set(&t->accepted, TFTP_BLKSIZE, t->block_size);
    }
    if (tftp_has(asked, TFTP_TIMEOUT)) {
        t->timeout_ms = (uint32_t)asked->value[TFTP_TIMEOUT] * 1000;
        t->timeout_fixed = true;
        tftp_set(&t->accepted, TFTP_TIMEOUT, asked->value[TFTP_TIMEOUT]);
    }
    if (tftp_has(asked, TFTP_TSIZE) && !t->netascii) /* in netascii it is not known before */
        tftp_set(&t->accepted, TFTP_TSIZE, t->file.size);
    if (tftp_has(asked, TFTP_WINDOWSIZE)) {
        uint64_t max = t->netascii ? 1 : s->settings.max_window;

        t->window =
            (uint16_t)(asked->value[TFTP_WINDOWSIZE] < max ? asked->value[TFTP_WINDOWSIZE] : max);
        tftp_set(&t->accepted, TFTP_WINDOWSIZE, t->window);
    }
    t->last = t->netascii ? 0 : t->file.size / t->block_size + 1;
    t->state = t->accepted.has ? OFFERED : SENDING;
}

static void count_refusal(const struct file_answer *a)
{
    count(a->err == -EBUSY    ? COUNT_TFTP_OVERFLOW
          : a->err == -EACCES ? COUNT_TFTP_REFUSED
                              : COUNT_TFTP_NOT_FOUND);
}

static enum file_result result_of(int err)
{
    return err == -EBUSY ? FILE_BUSY : err == -EACCES ? FILE_REFUSED : FILE_MISSING;
}

/* The answer of a transfer whose time has come. */
static void answer(struct tftp_server *s, struct transfer *t, uint64_t now_ms)
{
    if (t->file.err) {
        count_refusal(&t->file);
        send_refusal(s, t->tid, &t->peer, t->local, t->file.err);
        transfer_end(s, t, result_of(t->file.err));
        return;
    }
    t->state = t->accepted.has ? OFFERED : SENDING;
    transmit(s, t, now_ms);
}

static void refuse_at_once(struct tftp_server *s, const struct file_request *r, unsigned tid,
                           const struct file_answer *a)
{
    struct file_report told = {
        .result = result_of(a->err),
        .name = r->name,
        .client = r->client,
        .local = r->local,
        .started_ms = r->now_ms,
    };

    count_refusal(a);
    send_refusal(s, tid, &r->client, r->local, a->err);
    s->output.report(s->output.context, &told);
}

static struct transfer *transfer_new(struct tftp_server *s, const struct file_request *r,
                                     unsigned tid)
{
    struct transfer_client *client;
    struct transfer *t;
    uint64_t id;

    if (!(client = client_enter(s, r->client.ip)))
        return NULL;
    if (!(t = pool_take(&s->transfers, &id))) {
        client_leave(s, client);
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
    endpoint_key(&r->client, t->key);
    if (map_put(&s->by_peer, t) < 0) {
        client_leave(s, client);
        pool_give(&s->transfers, id);
        return NULL;
    }
    count(COUNT_TFTP_IN_PROGRESS);
    return t;
}

static void start(struct tftp_server *s, const struct file_request *r, const struct tftp_packet *p,
                  unsigned tid)
{
    struct file_answer a = {0};
    struct transfer *t;

    s->source.open(s->source.context, r, &a);
    if (a.err && !a.delay_ms) {
        refuse_at_once(s, r, tid, &a);
        return;
    }
    if (!(t = transfer_new(s, r, tid))) {
        if (!a.err)
            s->source.close(s->source.context, a.hold);
        refuse_at_once(s, r, tid, &(struct file_answer){.err = -EBUSY});
        return;
    }
    t->file = a;
    t->netascii = p->mode == TFTP_NETASCII;
    if (!a.err)
        negotiate(s, t, &p->options);
    if (!a.delay_ms) {
        answer(s, t, r->now_ms);
        return;
    }
    t->state = HELD;
    timer_set(&s->timers, &t->timer, r->now_ms + a.delay_ms);
}

/* A request from an endpoint that has a transfer already: true when nothing new must start. */
static bool is_repeated(struct tftp_server *s, struct transfer *t, const struct file_request *r)
{
    if (text_equal(r->name, (struct text){t->name, t->name_len})) {
        if (t->state == HELD || (t->heard && r->now_ms - t->heard_ms < ALIVE_MS))
            return true;
        if (!t->heard) { /* the first answer was lost, or is still on its way */
            t->resent++;
            count(COUNT_TFTP_RESENT);
            transmit(s, t, r->now_ms);
            return true;
        }
    }
    transfer_end(s, t, FILE_ABORTED);
    return false;
}

static void read_request(struct tftp_server *s, const struct file_request *r,
                         const struct tftp_packet *p)
{
    struct transfer *running = find_transfer(s, &r->client);
    char key[ENDPOINT_KEY];
    unsigned tid;

    if (running && is_repeated(s, running, r))
        return;
    endpoint_key(&r->client, key);
    tid = choose_tid(s, key);
    if (p->mode != TFTP_OCTET && p->mode != TFTP_NETASCII) {
        count(COUNT_TFTP_MALFORMED);
        send_error(s, tid, &r->client, r->local, TFTP_ERROR_ILLEGAL, "Mode not supported");
    } else if (r->name.len > NAME_MAX_LEN) {
        refuse_at_once(s, r, tid, &(struct file_answer){.err = -ENOENT});
    } else {
        start(s, r, p, tid);
    }
}

void tftp_server_request(struct tftp_server *s, uint64_t now_ms, const struct endpoint *from,
                         struct ip local, const void *bytes, size_t len)
{
    const uint8_t *b = bytes;
    struct tftp_packet p;

    if (!from->port)
        return;
    if (tftp_parse(bytes, len, &p) < 0) {
        count(COUNT_TFTP_MALFORMED);
        if (len >= 2 && b[0] == 0 && b[1] == TFTP_RRQ) /* anything else may be forged: no answer */
            send_error(s, s->turn, from, local, TFTP_ERROR_ILLEGAL, "Illegal TFTP operation");
    } else if (p.op == TFTP_RRQ) {
        struct file_request r = {.name = p.file, .client = *from, .local = local, .now_ms = now_ms};

        count(COUNT_TFTP_REQUESTS);
        read_request(s, &r, &p);
    } else if (p.op == TFTP_WRQ) {
        count(COUNT_TFTP_WRITES);
        send_error(s, s->turn, from, local, TFTP_ERROR_ACCESS, "Access violation");
    } else {
        count(COUNT_TFTP_MALFORMED);
    }
}

/* --- the client's answers --- */

static void tell_when_slow(struct tftp_server *s, struct transfer *t, uint64_t now_ms)
{
    if (t->told_slow || now_ms - t->started_ms < SLOW_MS)
        return;
    t->told_slow = true;
    report(s, t, FILE_SLOW);
}

/* Blocks up to `block` have arrived. */
static void advance(struct tftp_server *s, struct transfer *t, uint64_t now_ms, uint64_t block)
{
    count_by(COUNT_TFTP_SEGMENTS_ACKED, (int64_t)(block - t->base + 1));
    t->base = block + 1;
    if (t->netascii) {
        t->ascii_offset = t->ascii_next_offset;
        t->ascii_pending = t->ascii_next_pending;
    }
    if (t->last && block == t->last) {
        transfer_end(s, t, FILE_SENT);
        return;
    }
    t->tries = 0;
    t->gap_answered = false;
    tell_when_slow(s, t, now_ms);
    transmit(s, t, now_ms);
}

/* An ACK for the block before the window: in lock-step a duplicate, never answered; with a window
 * the client may be saying that the first block is missing: answered once (RFC 7440 4). */
static void gap(struct tftp_server *s, struct transfer *t, uint64_t now_ms)
{
    if (t->window == 1 || t->gap_answered)
        return;
    t->gap_answered = true;
    t->resent += (uint32_t)(t->sent - t->base + 1);
    count_by(COUNT_TFTP_RESENT, (int64_t)(t->sent - t->base + 1));
    transmit(s, t, now_ms);
}

static void acknowledged(struct tftp_server *s, struct transfer *t, uint64_t now_ms, uint16_t block)
{
    /* Block numbers are 16 bits of a larger one: 0 follows 65535 */
    uint16_t ahead = (uint16_t)(block - (uint16_t)(t->base - 1));

    t->heard_ms = now_ms;
    if (t->state == OFFERED) {
        if (block != 0)
            return;
        t->heard = true;
        t->state = SENDING;
        t->tries = 0;
        transmit(s, t, now_ms);
    } else if (t->state == SENDING && ahead == 0) {
        gap(s, t, now_ms);
    } else if (t->state == SENDING && ahead <= t->sent - t->base + 1) {
        t->heard = true;
        advance(s, t, now_ms, t->base - 1 + ahead);
    }
}

void tftp_server_packet(struct tftp_server *s, uint64_t now_ms, unsigned tid,
                        const struct endpoint *from, const void *bytes, size_t len)
{
    struct transfer *t = find_transfer(s, from);
    struct tftp_packet p;

    if (!t || t->tid != tid) {
        count(COUNT_TFTP_UNKNOWN_TRANSFER);
        return; /* late, or forged: silence is the answer that harms nobody */
    }
    if (tftp_parse(bytes, len, &p) < 0) {
        count(COUNT_TFTP_MALFORMED);
        return;
    }
    if (p.op == TFTP_ACK) {
        acknowledged(s, t, now_ms, p.block);
    } else if (p.op == TFTP_ERROR) {
        transfer_end(s, t, FILE_ABORTED);
    } else {
        count(COUNT_TFTP_MALFORMED);
        send_error(s, tid, from, t->local, TFTP_ERROR_ILLEGAL, "Illegal TFTP operation");
        transfer_end(s, t, FILE_ABORTED);
    }
}

/* --- time --- */

static void expire(struct tftp_server *s, struct transfer *t, uint64_t now_ms)
{
    if (t->state == HELD) {
        answer(s, t, now_ms);
        return;
    }
    if (++t->tries >= (t->heard ? s->settings.max_tries : s->settings.max_first_tries)) {
        transfer_end(s, t, FILE_ABORTED);
        return;
    }
    t->resent += t->state == OFFERED ? 1 : (uint32_t)(t->sent - t->base + 1);
    count_by(COUNT_TFTP_RESENT, t->state == OFFERED ? 1 : (int64_t)(t->sent - t->base + 1));
    tell_when_slow(s, t, now_ms);
    transmit(s, t, now_ms);
}

void tftp_server_expire(struct tftp_server *s, uint64_t now_ms)
{
    struct timer *due;

    while ((due = timers_expire(&s->timers, now_ms)))
        expire(s, container_of(due, struct transfer, timer), now_ms);
}

uint64_t tftp_server_next(const struct tftp_server *s, uint64_t now_ms)
{
    return timers_next(&s->timers, now_ms);
}
