#include "wire/capture/fragments.h"

#include <stdlib.h>

void fragments_init(struct fragments *f)
{
    memset(f, 0, sizeof(*f));
}

void fragments_done(struct fragments *f)
{
    for (size_t i = 0; i < FRAGMENTS_MAX; i++)
        free(f->packets[i].bytes);
}

static bool belongs(const struct fragments_packet *w, const struct packet *p, int64_t now_ns)
{
    return w->used && w->id == p->ip_id && w->protocol == p->protocol &&
           now_ns - w->first_ns < FRAGMENTS_WAIT_NS && ip_equal(w->from, p->from.ip) &&
           ip_equal(w->to, p->to.ip);
}

/* The packet of a fragment; a new one takes a free place or the oldest. NULL without memory. */
static struct fragments_packet *find(struct fragments *f, const struct packet *p, int64_t now_ns)
{
    struct fragments_packet *place = &f->packets[0];
    uint8_t *bytes;

    for (struct fragments_packet *w = f->packets; w < f->packets + FRAGMENTS_MAX; w++) {
        if (belongs(w, p, now_ns))
            return w;
        if (place->used && (!w->used || w->first_ns < place->first_ns))
            place = w;
    }
    if (!place->bytes && !(place->bytes = malloc(FRAGMENTS_SIZE)))
        return NULL;
    bytes = place->bytes;
    *place = (struct fragments_packet){.from = p->from.ip,
                                       .to = p->to.ip,
                                       .id = p->ip_id,
                                       .protocol = p->protocol,
                                       .used = true,
                                       .first_ns = now_ns,
                                       .bytes = bytes};
    return place;
}

static void take_units(struct fragments_packet *w, uint32_t at, const uint8_t *bytes, uint32_t len)
{
    for (uint32_t done = 0; done < len; done += FRAGMENT_UNIT) {
        uint32_t unit = (at + done) / FRAGMENT_UNIT,
                 n = len - done < FRAGMENT_UNIT ? len - done : FRAGMENT_UNIT;

        if (w->units[unit / 8] >> (unit % 8) & 1)
            continue;
        w->units[unit / 8] |= (uint8_t)(1u << (unit % 8));
        w->n_units++;
        memcpy(w->bytes + at + done, bytes + done, n);
    }
}

bool fragments_take(struct fragments *f, struct packet *p, int64_t now_ns)
{
    uint32_t at = p->fragment.at, len = (uint32_t)p->payload.len;
    struct fragments_packet *w;

    if (p->missing || !len || at + len > FRAGMENTS_SIZE ||
        (p->fragment.more && len % FRAGMENT_UNIT) || !(w = find(f, p, now_ns)))
        return false;
    if (!p->fragment.more)
        w->end = at + len;
    take_units(w, at, (const uint8_t *)p->payload.at, len);
    if (!w->end || w->n_units < (w->end + FRAGMENT_UNIT - 1) / FRAGMENT_UNIT)
        return false;
    w->used = false;
    packet_decode_whole(p, w->bytes, w->end);
    return true;
}
