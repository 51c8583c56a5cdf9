/* grow.c - text that grows. */
#include "base/grow.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void grow_done(struct grow *g)
{
    free(g->at);
    *g = (struct grow){0};
}

static bool make_room(struct grow *g, size_t n)
{
    size_t size = g->size ? g->size : 256;
    char *at;

    if (g->bad)
        return false;
    while (size - g->len <= n)
        size *= 2;
    if (size == g->size)
        return true;
    if (!(at = realloc(g->at, size))) {
        g->bad = true;
        return false;
    }
    g->at = at;
    g->size = size;
    return true;
}

void grow_text(struct grow *g, struct text t)
{
    if (!make_room(g, t.len))
        return;
    if (t.len)
        memcpy(g->at + g->len, t.at, t.len);
    g->len += t.len;
    g->at[g->len] = 0;
}

void grow_string(struct grow *g, const char *s)
{
    grow_text(g, text_of(s));
}

void grow_fill(struct grow *g, char c, size_t n)
{
    if (!make_room(g, n))
        return;
    memset(g->at + g->len, c, n);
    g->len += n;
    g->at[g->len] = 0;
}

void grow_format(struct grow *g, const char *format, ...)
{
    va_list arguments, again;
    int n;

    va_start(arguments, format);
    va_copy(again, arguments);
    n = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (n >= 0 && make_room(g, (size_t)n)) {
        vsnprintf(g->at + g->len, (size_t)n + 1, format, again);
        g->len += (size_t)n;
    }
    va_end(again);
}

char *grow_take(struct grow *g)
{
    char *at;

    if (!g->bad)
        grow_text(g, TEXT("")); /* an empty text is a text */
    at = g->bad ? NULL : g->at;
    if (!at)
        free(g->at);
    *g = (struct grow){0};
    return at;
}
