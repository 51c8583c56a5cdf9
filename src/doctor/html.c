#include "doctor/html.h"

#include <stdio.h>

#define REPLACEMENT "\xef\xbf\xbd"

static const char *entity(unsigned char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return c < 0x20 && c != '\n' && c != '\t' ? REPLACEMENT : NULL;
    }
}

/* Bytes of the UTF-8 character that begins there; 0: none does. */
static size_t character(struct text t)
{
    unsigned char c = (unsigned char)t.at[0];
    size_t n = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;

    return n <= t.len && text_utf8_valid((struct text){t.at, n}) ? n : 0;
}

void html_text(struct grow *to, struct text t)
{
    while (t.len) {
        const char *e = entity((unsigned char)t.at[0]);
        size_t n = character(t);

        if (e)
            grow_string(to, e);
        else if (n == 0 || t.at[0] == 0x7f)
            grow_string(to, REPLACEMENT);
        else
            grow_text(to, (struct text){t.at, n});
        t = text_skip(t, n ? n : 1);
    }
}

void html_string(struct grow *to, const char *s)
{
    html_text(to, text_of(s));
}
