/* sdp_answer.c - offers, answers, hold (RFC 3264). */
#include <errno.h>

#include "wire/sip/sdp.h"

static void begin(const struct sdp_local *local, struct sdp *ret)
{
    memset(ret, 0, offsetof(struct sdp, media));
    ret->user = local->user;
    ret->name = local->name;
    ret->id = local->id;
    ret->version = local->version;
    ret->origin = local->address;
}

void sdp_offer(const struct sdp_local *local, struct sdp *ret)
{
    begin(local, ret);
    for (uint8_t i = 0; i < local->n_abilities && i < SDP_MEDIA_MAX; i++) {
        const struct sdp_ability *a = &local->abilities[i];
        struct sdp_media *m = &ret->media[ret->n_media++];

        *m = (struct sdp_media){.type = text_of(a->type),
                                .protocol = text_of(a->protocol),
                                .port = a->port,
                                .address = local->address,
                                .direction = a->direction,
                                .ptime_ms = a->ptime_ms};
        for (uint8_t f = 0; f < a->n_formats && f < SDP_FORMATS_MAX; f++)
            m->formats[m->n_formats++] = a->formats[f];
    }
}

/* The first ability for this medium that no medium before it has taken. */
static const struct sdp_ability *ability_for(const struct sdp_local *local, uint32_t *taken,
                                             const struct sdp_media *m)
{
    for (uint8_t i = 0; i < local->n_abilities && i < 32; i++)
        if (!(*taken >> i & 1) && text_is(m->type, local->abilities[i].type) &&
            text_is(m->protocol, local->abilities[i].protocol)) {
            *taken |= 1u << i;
            return &local->abilities[i];
        }
    return NULL;
}

/* Encoding names have no case (RFC 8866 6.6). */
static const struct sdp_format *format_in(const struct sdp_ability *a, const struct sdp_format *f)
{
    for (uint8_t i = 0; i < a->n_formats; i++)
        if (f->clock && text_equal_nocase(a->formats[i].encoding, f->encoding) &&
            a->formats[i].clock == f->clock && a->formats[i].channels == f->channels)
            return &a->formats[i];
    return NULL;
}

static void format_add(struct sdp_media *m, const struct sdp_format *offered,
                       const struct sdp_format *ours)
{
    struct sdp_format *f = &m->formats[m->n_formats++];

    *f = *offered;
    f->parameters = ours->parameters;
}

static void common_formats(struct sdp_media *m, const struct sdp_media *offered,
                           const struct sdp_ability *a)
{
    for (uint8_t i = 0; i < offered->n_formats; i++) {
        const struct sdp_format *ours = format_in(a, &offered->formats[i]);

        if (ours)
            format_add(m, &offered->formats[i], ours);
    }
}

static void reduce_to_one(struct sdp_media *m)
{
    struct sdp_format codec = *sdp_codec(m), events;
    const struct sdp_format *found = sdp_events(m);

    if (found)
        events = *found;
    m->formats[0] = codec;
    m->n_formats = 1;
    if (found)
        m->formats[m->n_formats++] = events;
}

/* RFC 3264 6: what is rejected keeps its type and formats, with port 0. */
static void reject(struct sdp_media *m, const struct sdp_media *offered)
{
    m->port = 0;
    m->n_formats = offered->n_formats;
    memcpy(m->formats, offered->formats, sizeof(m->formats));
    for (uint8_t i = 0; i < m->n_formats; i++)
        m->formats[i].parameters = TEXT("");
    m->direction = SDP_INACTIVE;
}

/* The peer's sending is our receiving; then what we want of both. */
static uint8_t turned(enum sdp_direction peer, uint8_t ours)
{
    uint8_t mine = (uint8_t)((peer & SDP_SENDONLY ? SDP_RECVONLY : 0) |
                             (peer & SDP_RECVONLY ? SDP_SENDONLY : 0));

    return mine & ours;
}

static void answer_media(const struct sdp_media *offered, const struct sdp_local *local,
                         uint32_t *taken, struct sdp_media *m)
{
    const struct sdp_ability *a = offered->port ? ability_for(local, taken, offered) : NULL;

    *m = (struct sdp_media){.type = offered->type,
                            .protocol = offered->protocol,
                            .words = offered->words,
                            .address = local->address};
    if (a)
        common_formats(m, offered, a);
    if (!a || !sdp_codec(m)) {
        reject(m, offered);
        return;
    }
    if (local->one_codec)
        reduce_to_one(m);
    m->port = a->port;
    m->ptime_ms = a->ptime_ms;
    m->direction = turned(sdp_peer_direction(offered), a->direction);
}

bool sdp_answer(const struct sdp *offer, const struct sdp_local *local, struct sdp *ret)
{
    uint32_t taken = 0;
    bool any = false;

    begin(local, ret);
    for (uint8_t i = 0; i < offer->n_media; i++) {
        answer_media(&offer->media[i], local, &taken, &ret->media[i]);
        any |= ret->media[i].port != 0;
    }
    ret->n_media = offer->n_media;
    return any;
}

void sdp_hold(struct sdp *own, bool blank)
{
    own->version++;
    for (uint8_t i = 0; i < own->n_media; i++) {
        own->media[i].direction &= SDP_SENDONLY;
        if (blank)
            own->media[i].address = ip_v4(0);
    }
}

bool sdp_follows(const struct sdp *next, const struct sdp *last)
{
    if (next->n_media < last->n_media)
        return false;
    for (uint8_t i = 0; i < last->n_media; i++)
        if (!text_equal(next->media[i].type, last->media[i].type) && last->media[i].port)
            return false;
    return true;
}

bool sdp_answers(const struct sdp *answer, const struct sdp *offer)
{
    if (answer->n_media != offer->n_media)
        return false;
    for (uint8_t i = 0; i < offer->n_media; i++)
        if (!text_equal(answer->media[i].type, offer->media[i].type))
            return false;
    return true;
}

int sdp_sent(struct sdp_exchange *x)
{
    if (x->state == SDP_WE_OFFERED)
        return -EPROTO;
    if (x->state == SDP_THEY_OFFERED) {
        x->state = SDP_STABLE;
        return SDP_IS_ANSWER;
    }
    x->state = SDP_WE_OFFERED;
    return SDP_IS_OFFER;
}

int sdp_came(struct sdp_exchange *x)
{
    if (x->state == SDP_THEY_OFFERED)
        return -EPROTO;
    if (x->state == SDP_WE_OFFERED) {
        x->state = SDP_STABLE;
        return SDP_IS_ANSWER;
    }
    x->state = SDP_THEY_OFFERED;
    return SDP_IS_OFFER;
}

void sdp_gave_up(struct sdp_exchange *x)
{
    x->state = SDP_STABLE;
}
