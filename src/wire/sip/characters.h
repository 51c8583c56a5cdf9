/* characters.h - what the characters of URIs and header values may be (RFC 3261 25.1), and slices
 * of them. Only uri.c and values.c need it. */
#pragma once

#include "base/text.h"

enum {
    C_BLANK = 1, /* what folds and blanks are made of */
    C_TOKEN = 2,
    C_USER = 4,  /* user part without escapes */
    C_URI = 8,   /* parameters and headers of a URI without escapes; a scheme's own part */
    C_HOST = 16, /* names and IPv4 addresses; "_" is no host name, but met */
    C_HEX = 32,
    C_NAME = 64 /* of an unquoted display name: tokens, and what careless senders add */
};

extern const uint8_t sip_characters[256];

static inline bool is_a(char c, uint8_t class)
{
    return sip_characters[(uint8_t)c] & class;
}

static inline size_t span(struct text t, uint8_t class)
{
    size_t n = 0;

    while (n < t.len && is_a(t.at[n], class))
        n++;
    return n;
}

static inline bool all_are(struct text t, uint8_t class)
{
    return span(t, class) == t.len;
}

static inline bool is_escape(struct text t)
{
    return t.len >= 3 && t.at[0] == '%' && is_a(t.at[1], C_HEX) && is_a(t.at[2], C_HEX);
}

/* Characters of a class and %HH. */
static inline bool all_are_or_escapes(struct text t, uint8_t class)
{
    for (t = text_skip(t, span(t, class)); t.len; t = text_skip(t, span(t, class))) {
        if (!is_escape(t))
            return false;
        t = text_skip(t, 3);
    }
    return true;
}

static inline struct text skip_blanks(struct text t)
{
    return text_skip(t, span(t, C_BLANK));
}

static inline struct text first_of(struct text t, size_t n)
{
    return (struct text){t.at, n};
}
