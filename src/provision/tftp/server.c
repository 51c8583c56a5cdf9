/* server.c - requests, acknowledgements, time-outs. */
#include "provision/tftp/server.h"

#include <errno.h>

#include "core/counters.h"
#include "provision/tftp/transfers.h"

#define SLOW_MS  250 /* a transfer that takes longer is told before it ends */
#define ALIVE_MS 200 /* a client heard from so recently has not started anew */

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
        transfer_send_refusal(s, t->tid, &t->peer, t->local, t->file.err);
        transfer_end(s, t, result_of(t->file.err));
        return;
    }
    t->state = t->accepted.has ? OFFERED : SENDING;
    transfer_transmit(s, t, now_ms);
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
    transfer_send_refusal(s, tid, &r->client, r->local, a->err);
    s->output.report(s->output.context, &told);
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
            transfer_transmit(s, t, r->now_ms);
            return true;
        }
    }
    transfer_end(s, t, FILE_ABORTED);
    return false;
}

static void read_request(struct tftp_server *s, const struct file_request *r,
                         const struct tftp_packet *p)
{
    struct transfer *running = transfer_find(s, &r->client);
    char key[ENDPOINT_KEY];
    unsigned tid;

    if (running && is_repeated(s, running, r))
        return;
    transfer_key_of(&r->client, key);
    tid = transfer_choose_tid(s, key);
    if (p->mode != TFTP_OCTET && p->mode != TFTP_NETASCII) {
        count(COUNT_TFTP_MALFORMED);
        transfer_send_error(s, tid, &r->client, r->local, TFTP_ERROR_ILLEGAL, "Mode not supported");
    } else if (r->name.len > TRANSFER_NAME_MAX) {
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
            transfer_send_error(s, s->turn, from, local, TFTP_ERROR_ILLEGAL,
                                "Illegal TFTP operation");
    } else if (p.op == TFTP_RRQ) {
        struct file_request r = {.name = p.file, .client = *from, .local = local, .now_ms = now_ms};

        count(COUNT_TFTP_REQUESTS);
        read_request(s, &r, &p);
    } else if (p.op == TFTP_WRQ) {
        count(COUNT_TFTP_WRITES);
        transfer_send_error(s, s->turn, from, local, TFTP_ERROR_ACCESS, "Access violation");
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
    transfer_report(s, t, FILE_SLOW);
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
    transfer_transmit(s, t, now_ms);
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
    transfer_transmit(s, t, now_ms);
}

static void hear(struct transfer *t)
{
    t->heard = true;
    list_remove(&t->node);
}

static void acknowledged(struct tftp_server *s, struct transfer *t, uint64_t now_ms, uint16_t block)
{
    /* Block numbers are 16 bits of a larger one: 0 follows 65535 */
    uint16_t ahead = (uint16_t)(block - (uint16_t)(t->base - 1));

    t->heard_ms = now_ms;
    if (t->state == OFFERED) {
        if (block != 0)
            return;
        hear(t);
        t->state = SENDING;
        t->tries = 0;
        transfer_transmit(s, t, now_ms);
    } else if (t->state == SENDING && ahead == 0) {
        gap(s, t, now_ms);
    } else if (t->state == SENDING && ahead <= t->sent - t->base + 1) {
        hear(t);
        advance(s, t, now_ms, t->base - 1 + ahead);
    }
}

void tftp_server_packet(struct tftp_server *s, uint64_t now_ms, unsigned tid,
                        const struct endpoint *from, const void *bytes, size_t len)
{
    struct transfer *t = transfer_find(s, from);
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
        transfer_send_error(s, tid, from, t->local, TFTP_ERROR_ILLEGAL, "Illegal TFTP operation");
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
    transfer_transmit(s, t, now_ms);
}

void tftp_server_expire(struct tftp_server *s, uint64_t now_ms)
{
    struct timer *due;

    while ((due = timers_expire(&s->timers, now_ms)))
        expire(s, container_of(due, struct transfer, timer), now_ms);
}
