/* activation.c - a SIP phone in quarantine calls its activation code (REG-3). */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "core/counters.h"
#include "station/guesses.h"
#include "station/sip/station.h"
#include "wire/sip/write.h"

#define CODE_MIN 4 /* a phone that sends its digits one by one has not ended yet */
#define CODE_MAX 16

static int code_of(const struct sip_message *m, char to[static CODE_MAX + 1])
{
    int n = sip_unescape(m->target.user, to, CODE_MAX + 1);

    for (int i = 0; i < n; i++)
        if (!isdigit((unsigned char)to[i]))
            return -EBADMSG;
    return n;
}

/* The INVITE waits with its transaction for what the database says. */
static int wait_for_answer(struct sip_device *d, const struct sip_request *q)
{
    int err = sip_request_keep(q, &d->asking);

    if (err)
        return err;
    err = sip_transactions_serve(d->owner->transactions, q->flow, q->message, pool_id(d),
                                 d->owner->registry->now.ms, &d->asking->transaction);
    if (err)
        sip_request_drop(d->owner, &d->asking);
    return err;
}

void sip_activation_invite(struct sip_request *q, struct sip_device *d)
{
    char code[CODE_MAX + 1];
    int n = code_of(q->message, code);

    if (n < 0) {
        sip_answer(q, 404, NULL);
    } else if (n < CODE_MIN) {
        sip_answer(q, 484, NULL);
    } else if (guesses_are_over(&d->station)) {
        count(COUNT_ACTIVATIONS_LIMITED);
        sip_answer(q, 403, "Too Many Tries");
    } else if (d->asking || wait_for_answer(d, q) < 0) {
        sip_answer(q, 486, NULL);
    } else {
        guess_ask(&d->station, sip_device_token(d), code, q->effects);
    }
}

/* Writes the final answer where transactions take it from. */
static void respond(struct sip_device *d, uint16_t status, const char *words)
{
    struct sip_stations *s = d->owner;
    char bytes[4096];
    struct writer w = writer_of(bytes, sizeof(bytes));
    struct sip_message m;

    if (sip_parse(d->asking->bytes, d->asking->len, &m) == 0) {
        sip_write_answer(&w, &m, status, words, TEXT("activation"), &d->asking->flow.peer,
                         s->registry->now.wall_us, text_of(s->server));
        sip_write_body(&w, TEXT(""), TEXT(""));
        if (!w.bad)
            sip_transactions_respond(s->transactions, d->asking->transaction, bytes, writer_len(&w),
                                     s->registry->now.ms);
    }
    sip_request_drop(s, &d->asking);
}

void sip_activation_cancel(struct sip_request *q)
{
    struct sip_transaction *t = sip_transactions_cancelled(q->owner->transactions, q->message);
    struct sip_device *d = t ? pool_get(&q->owner->devices, t->user) : NULL;

    sip_answer(q, t ? 200 : 481, NULL);
    if (d && d->asking && d->asking->transaction == t->id)
        respond(d, 487, NULL);
}

void sip_stations_activated(struct sip_stations *s, uint64_t token, int err, struct moment now,
                            struct effects *e)
{
    struct sip_device *d = sip_device_of_token(s, token, now, e);
    const char *words;

    if (!d || d->station.state != STATION_REGISTERED)
        return;
    words = guess_answered(&d->station, err, e);
    if (d->asking)
        respond(d, err ? 404 : 480, err ? words : "Activated");
    if (err) {
        sip_tell_text(d, words);
        return;
    }
    d->order = STATION_RESTART;
    sip_device_step(d, &(struct sip_input){.event = SIP_EV_ORDER}, e);
}
