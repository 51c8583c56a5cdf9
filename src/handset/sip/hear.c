/* hear.c - what comes to a SIP phone: bytes to messages, answers to the registration that
 * waits for them; see parts.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "handset/sip/parts.h"
#include "wire/sip/framing.h"
#include "wire/sip/uri.h"

#define STREAM_MAX 16384 /* of what was kept and what has come, looked at in one go */

/* RFC 3261 20.17: "Sat, 13 Nov 2010 23:29:00 GMT". */
bool sip_read_date(struct text t, uint64_t *wall_s)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char copy[40], month[4];
    struct tm tm = {0};
    const char *at;
    time_t s;

    text_copy(copy, sizeof(copy), t);
    if (sscanf(copy, "%*3s, %d %3s %d %d:%d:%d", &tm.tm_mday, month, &tm.tm_year, &tm.tm_hour,
               &tm.tm_min, &tm.tm_sec) != 6 ||
        !(at = strstr(months, month)) || tm.tm_year < 1970 || tm.tm_year > 9999)
        return false;
    tm.tm_mon = (int)(at - months) / 3;
    tm.tm_year -= 1900;
    s = timegm(&tm);
    *wall_s = (uint64_t)s;
    return s >= 0;
}

/* ---- answers ---- */

static enum sip_event event_of(struct sip_phone *p, const struct sip_registration *r,
                               const struct sip_message *m)
{
    bool later = sip_row(m, SIP_RETRY_AFTER) != NULL;

    if (m->status < 200)
        return m->status == 100 ? REG_TRYING : REG_PROGRESS;
    if (m->status < 300)
        return REG_OK;
    if (m->status < 400)
        return REG_MOVED;
    switch (m->status) {
    case 401:
    case 407:
        return sip_take_challenge(p, m) ? REG_CHALLENGE : REG_REFUSED;
    case 423:
        return REG_BRIEF;
    case 486:
    case 503:
        return later || r->state == REG_TOKEN_WAIT ? REG_LATER
               : m->status == 503                  ? REG_FAILED
                                                   : REG_REFUSED;
    case 404:
    case 413:
    case 480:
        return later ? REG_LATER : REG_REFUSED;
    default:
        return m->status < 500 ? REG_REFUSED : REG_FAILED;
    }
}

static uint32_t branch_of(const struct sip_message *m)
{
    struct sip_via via;
    uint32_t branch;

    if (sip_via_parse(sip_value(m, SIP_VIA), &via) < 0 || !text_starts(via.branch, "z9hG4bK") ||
        text_to_u32(text_skip(via.branch, 7), 16, &branch) < 0)
        return 0;
    return branch;
}

static struct sip_registration *waiting_for(struct sip_phone *p, unsigned link, uint32_t branch)
{
    if (!branch)
        return NULL;
    if (p->prime[link].branch == branch)
        return &p->prime[link];
    for (unsigned i = 1; i < p->setup->n_lines; i++)
        if (p->setup->lines[i].registration.branch == branch)
            return &p->setup->lines[i].registration;
    return NULL;
}

static void on_answer(struct sip_phone *p, unsigned link, const struct sip_message *m,
                      uint64_t now_ms, struct effects *fx)
{
    struct sip_turn t = {
        .p = p, .r = waiting_for(p, link, branch_of(m)), .m = m, .now_ms = now_ms, .fx = fx};

    if (!t.r)
        return; /* of an alarm, or one that is not waited for any more */
    if (m->status < 200) {
        if (t.r->resend_ms != UINT64_MAX) /* RFC 3261 17.1.2.2: proceeding, each T2 */
            t.r->resend_ms = now_ms + SIP_T2_MS;
    } else {
        t.r->branch = 0;
        t.r->give_up_ms = t.r->resend_ms = UINT64_MAX;
    }
    t.event = event_of(p, t.r, m);
    sip_step(&t);
}

static void on_message(struct sip_phone *p, unsigned link, const struct sip_message *m,
                       uint64_t now_ms, struct effects *fx)
{
    if (m->status)
        on_answer(p, link, m, now_ms, fx);
    else
        sip_on_request(p, link, m, now_ms, fx);
}

/* ---- bytes ---- */

static void pong(unsigned link, struct effects *fx)
{
    sip_put(link, "\r\n", 2, fx);
}

/* How much of the stream is done with; -EBADMSG. */
static int read_stream(struct sip_phone *p, unsigned link, struct reader *stream, uint64_t now_ms,
                       struct effects *fx)
{
    struct sip_message m;
    size_t used;

    while (reader_left(stream)) {
        switch (sip_frame_next(stream->at, reader_left(stream), &m, &used)) {
        case SIP_FRAME_MORE:
            return 0;
        case SIP_FRAME_BAD:
            return -EBADMSG;
        case SIP_FRAME_PING:
            pong(link, fx);
            break;
        case SIP_FRAME_MESSAGE:
            on_message(p, link, &m, now_ms, fx);
            break;
        case SIP_FRAME_SKIP:
            break;
        }
        read_bytes(stream, used);
        if (p->links[link].state != PHONE_LINK_OPEN)
            return 0; /* closed by what was read */
    }
    return 0;
}

static void on_stream(struct sip_phone *p, unsigned link, const uint8_t *at, size_t len,
                      uint64_t now_ms, struct effects *fx)
{
    struct phone_link *l = &p->links[link];
    uint8_t joined[STREAM_MAX];
    struct reader stream;
    int err = 0;

    while (len && !err && l->state == PHONE_LINK_OPEN) {
        size_t kept = l->n_partial, n = kept + len > sizeof(joined) ? sizeof(joined) - kept : len;

        if (kept && !n)
            err = -EMSGSIZE;
        else if (kept) {
            memcpy(joined, l->partial, kept);
            memcpy(joined + kept, at, n);
            stream = reader_of(joined, kept + n);
        } else {
            n = len;
            stream = reader_of(at, n);
        }
        if (!err)
            err = read_stream(p, link, &stream, now_ms, fx);
        at += n;
        len -= n;
        if (!err && l->state == PHONE_LINK_OPEN)
            err = phone_keep_partial(l, &stream);
    }
    if (err < 0 && l->state == PHONE_LINK_OPEN) {
        effects_add(fx, EFFECT_CLOSE)->link = (uint8_t)link;
        sip_phone_closed(p, link, -ECONNABORTED, now_ms, fx);
    }
}

void sip_phone_input(struct sip_phone *p, unsigned link, const void *bytes, size_t len,
                     uint64_t now_ms, struct effects *fx)
{
    struct sip_message m;

    if (p->links[link].state != PHONE_LINK_OPEN)
        return;
    if (p->setup->transport != LINK_UDP)
        on_stream(p, link, bytes, len, now_ms, fx);
    else if (sip_parse(bytes, len, &m) == 0)
        on_message(p, link, &m, now_ms, fx);
}
