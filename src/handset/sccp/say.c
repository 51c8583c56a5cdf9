/* say.c - messages to the server, words on the display; see
 * parts.h. */
#include "handset/sccp/parts.h"

void phone_show(struct sccp_phone *p, struct effects *fx, const char *words)
{
    phone_display(p->screen, fx, words);
}

/* ---- sending ---- */

void phone_put(struct sccp_phone *p, unsigned link, uint32_t id, const void *body,
               struct effects *fx)
{
    struct writer w = effects_writer(fx);
    struct effect *last = fx->n ? &fx->items[fx->n - 1] : NULL;
    struct effect *e;

    if (sccp_encode_body(id, body, p->version, &w) < 0) {
        fx->full = true;
        return;
    }
    p->last_sent = (uint16_t)id;
    p->has_said = true;
    if (last && last->type == EFFECT_SEND && last->link == link &&
        last->at + last->len == fx->used) {
        last->len += (uint32_t)writer_len(&w); /* one segment for what is said in one breath */
        fx->used += (uint32_t)writer_len(&w);
        return;
    }
    e = effects_add(fx, EFFECT_SEND);
    e->link = (uint8_t)link;
    effects_bytes(fx, e, &w);
}

void phone_put_bytes(unsigned link, const void *bytes, size_t n, struct effects *fx)
{
    struct writer w = effects_writer(fx);
    struct effect *e = effects_add(fx, EFFECT_SEND);

    write_bytes(&w, bytes, n);
    e->link = (uint8_t)link;
    effects_bytes(fx, e, &w);
}

void phone_put_number(struct sccp_phone *p, uint32_t id, uint32_t number, struct effects *fx)
{
    phone_put(p, p->active, id, &number, fx); /* messages of one word */
}

void phone_put_empty(struct sccp_phone *p, unsigned link, uint32_t id, struct effects *fx)
{
    uint64_t nothing[2] = {0};

    phone_put(p, link, id, nothing, fx);
}
