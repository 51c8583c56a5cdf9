/* unicode.c - what a terminal does with a character. */
#include "base/unicode.h"

uint32_t unicode_next(struct text *t)
{
    const uint8_t *s = (const uint8_t *)t->at;
    size_t len = s[0] < 0x80 ? 1 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    uint32_t c = len == 1 ? s[0] : s[0] & (0xffu >> (len + 1));

    if (s[0] >= 0x80 && (s[0] < 0xc2 || s[0] > 0xf4 || len > t->len))
        len = 1, c = 0xfffd;
    for (size_t i = 1; i < len; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            c = 0xfffd;
            len = 1;
            break;
        }
        c = c << 6 | (s[i] & 0x3f);
    }
    *t = text_skip(*t, len);
    return c;
}

struct span {
    uint32_t first, last;
};

/* Ranges of Unicode's East Asian Width W and F, and of combining or invisible characters. */
static const struct span wide[] = {
    {0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0xa4cf},   {0xac00, 0xd7a3},
    {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},   {0xffe0, 0xffe6},
    {0x1f300, 0x1f64f}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd},
};
static const struct span invisible[] = {
    {0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd}, {0x064b, 0x065f},
    {0x200b, 0x200d}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f},
};

static bool is_in(const struct span *spans, size_t n, uint32_t c)
{
    for (size_t i = 0; i < n; i++)
        if (c >= spans[i].first && c <= spans[i].last)
            return true;
    return false;
}

size_t unicode_width(uint32_t c)
{
    if (c < 0x300)
        return 1;
    if (is_in(invisible, sizeof(invisible) / sizeof(*invisible), c))
        return 0;
    return is_in(wide, sizeof(wide) / sizeof(*wide), c) ? 2 : 1;
}

bool unicode_is_harmful(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xfffd || (c >= 0x200e && c <= 0x200f) ||
           (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

size_t text_columns(struct text t)
{
    size_t width = 0;

    while (t.len)
        width += unicode_width(unicode_next(&t));
    return width;
}
