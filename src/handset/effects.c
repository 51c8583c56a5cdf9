/* effects.c - filling a list of effects; see effects.h. */
#include "handset/effects.h"

#include <stdarg.h>
#include <stdio.h>

struct effect *effects_add(struct effects *fx, enum effect_type type)
{
    static struct effect scratch;
    struct effect *e = fx->n < EFFECTS_MAX ? &fx->items[fx->n++] : &scratch;

    if (e == &scratch)
        fx->full = true;
    *e = (struct effect){.type = type, .at = fx->used};
    return e;
}

struct writer effects_writer(struct effects *fx)
{
    return writer_of(fx->bytes + fx->used, EFFECTS_BYTES - fx->used);
}

void effects_bytes(struct effects *fx, struct effect *e, const struct writer *w)
{
    if (w->bad) {
        fx->full = true;
        return;
    }
    e->at = fx->used;
    e->len = (uint32_t)writer_len(w);
    fx->used += e->len;
}

void effects_text(struct effects *fx, enum effect_type type, const char *format, ...)
{
    struct effect *e = effects_add(fx, type);
    size_t room = EFFECTS_BYTES - fx->used;
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf((char *)fx->bytes + fx->used, room, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= room) {
        fx->full = true;
        return;
    }
    e->len = (uint32_t)n;
    fx->used += e->len;
}
