/* notation.h - messages in the notation of RFC 4475 2: lines end in CR LF; <allOneLine> joins its
 * lines, <hex>00</hex> are bytes, <repeat count=3>x</repeat> repeats. */
#pragma once

#include <stdlib.h>

#include "base/buf.h"

/* The text up to `end`, cut off `t` with it. */
static inline struct text take_until(struct text *t, const char *end)
{
    const char *at = memmem(t->at, t->len, end, strlen(end));
    struct text part = *t;

    if (!at)
        abort(); /* the file is not of that notation */
    part.len = (size_t)(at - t->at);
    *t = text_skip(*t, part.len + strlen(end));
    return part;
}

static inline void expand(struct text t, bool one_line, struct writer *w);

static inline void expand_hex(struct text t, struct writer *w)
{
    uint32_t byte;

    for (t = text_trim(t); t.len; t = text_trim(text_skip(t, 2))) {
        if (text_to_u32((struct text){t.at, 2}, 16, &byte) < 0)
            abort();
        write_u8(w, (uint8_t)byte);
    }
}

static inline void expand_repeat(struct text t, bool one_line, struct writer *w)
{
    uint32_t n;

    if (text_to_u32(text_split(&t, '>'), 10, &n) < 0)
        abort();
    while (n--)
        expand(t, one_line, w);
}

static inline void expand(struct text t, bool one_line, struct writer *w)
{
    while (t.len) {
        if (text_starts(t, "<allOneLine>\n")) {
            t = text_skip(t, strlen("<allOneLine>\n"));
            expand(take_until(&t, "</allOneLine>"), true, w);
        } else if (text_starts(t, "<hex>")) {
            t = text_skip(t, strlen("<hex>"));
            expand_hex(take_until(&t, "</hex>"), w);
        } else if (text_starts(t, "<repeat count=")) {
            t = text_skip(t, strlen("<repeat count="));
            expand_repeat(take_until(&t, "</repeat>"), one_line, w);
        } else {
            if (t.at[0] != '\n')
                write_u8(w, (uint8_t)t.at[0]);
            else if (!one_line)
                write_bytes(w, "\r\n", 2);
            t = text_skip(t, 1);
        }
    }
}
