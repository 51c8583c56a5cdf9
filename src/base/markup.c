#include "base/markup.h"

static struct text reference(char c)
{
    switch (c) {
    case '&':
        return TEXT("&amp;");
    case '<':
        return TEXT("&lt;");
    case '>':
        return TEXT("&gt;");
    case '"':
        return TEXT("&quot;");
    case '\'':
        return TEXT("&apos;");
    default:
        return (struct text){0};
    }
}

static bool is_control(char c)
{
    return ((uint8_t)c < ' ' && c != '\n' && c != '\t') || c == 127;
}

/* Bytes of the UTF-8 character that begins there; 0: none does. */
static size_t character(struct text t)
{
    uint8_t c = (uint8_t)t.at[0];
    size_t n = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;

    return n <= t.len && text_utf8_valid((struct text){t.at, n}) ? n : 0;
}

struct text markup_next(struct text *rest, struct text control, struct text broken)
{
    struct text piece = {rest->at, 0}, other = {0};
    size_t n = 0;

    while (!other.at && piece.len < rest->len) {
        struct text t = text_skip(*rest, piece.len);

        other = reference(t.at[0]);
        if (is_control(t.at[0]))
            other = control;
        else if (!other.at && !(n = character(t)))
            other = broken;
        else if (!other.at)
            piece.len += n;
    }
    if (piece.len || !rest->len) {
        *rest = text_skip(*rest, piece.len);
        return piece;
    }
    *rest = text_skip(*rest, 1);
    return other;
}
