#include "station/effects.h"

#include <assert.h>
#include <stdlib.h>

struct effects *effects_new(void)
{
    struct effects *e = malloc(sizeof(*e));

    if (e)
        effects_clear(e);
    return e;
}

void effects_clear(struct effects *e)
{
    e->n = 0;
    e->out = writer_of(e->bytes, sizeof(e->bytes));
}

void effects_free(struct effects *e)
{
    if (!e)
        return;
    for (size_t i = 0; i < e->n; i++)
        if (e->rows[i].kind == EFFECT_ALARM)
            free(e->rows[i].take_alarm);
    free(e);
}

bool effects_have_room(const struct effects *e)
{
    return e->n + EFFECTS_STEP <= EFFECTS_MAX && writer_left(&e->out) >= EFFECTS_STEP_BYTES;
}

struct effect *effects_put(struct effects *e, enum effect_kind kind)
{
    struct effect *row;

    assert(e->n < EFFECTS_MAX);
    if (e->n == EFFECTS_MAX)
        return NULL;
    row = &e->rows[e->n++];
    row->kind = (uint8_t)kind;
    return row;
}

void effects_send(struct effects *e, uint64_t link, size_t from)
{
    struct effect *last = e->n ? &e->rows[e->n - 1] : NULL;
    size_t len = writer_len(&e->out) - from;

    if (!len)
        return;
    if (last && last->kind == EFFECT_SEND && last->link == link &&
        last->send.at + last->send.len == from) {
        last->send.len += (uint32_t)len;
        return;
    }
    last = effects_put(e, EFFECT_SEND);
    last->link = link;
    last->send.at = (uint32_t)from;
    last->send.len = (uint32_t)len;
}

void effects_datagram(struct effects *e, const struct endpoint *to, struct ip from, size_t at)
{
    struct effect *row = effects_put(e, EFFECT_DATAGRAM);

    row->datagram.at = (uint32_t)at;
    row->datagram.len = (uint32_t)(writer_len(&e->out) - at);
    row->datagram.to = *to;
    row->datagram.from = from;
}

void effects_close(struct effects *e, uint64_t link)
{
    effects_put(e, EFFECT_CLOSE)->link = link;
}

void effects_alarm(struct effects *e, const struct alarm_draft *d)
{
    struct alarm *a = alarm_finish(d);

    if (a)
        effects_put(e, EFFECT_ALARM)->take_alarm = a;
}
