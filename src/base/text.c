#include "base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>

bool text_is(struct text t, const char *s)
{
    return text_equal(t, text_of(s));
}

bool text_equal(struct text a, struct text b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

bool text_equal_nocase(struct text a, struct text b)
{
    return a.len == b.len && (a.len == 0 || strncasecmp(a.at, b.at, a.len) == 0);
}

int text_compare(struct text a, struct text b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n ? memcmp(a.at, b.at, n) : 0;

    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static struct text head(struct text t, size_t n)
{
    return (struct text){t.at, n < t.len ? n : t.len};
}

bool text_starts(struct text t, const char *prefix)
{
    return text_is(head(t, strlen(prefix)), prefix);
}

bool text_starts_nocase(struct text t, const char *prefix)
{
    struct text wanted = text_of(prefix);

    return text_equal_nocase(head(t, wanted.len), wanted);
}

bool text_ends(struct text t, const char *suffix)
{
    size_t n = strlen(suffix);

    return t.len >= n && text_is(text_skip(t, t.len - n), suffix);
}

bool text_contains_nocase(struct text t, struct text needle)
{
    char first = needle.len ? (char)(needle.at[0] | 0x20) : 0;

    for (size_t i = 0; i + needle.len <= t.len; i++) /* most places differ in their first byte */
        if (!needle.len || ((char)(t.at[i] | 0x20) == first &&
                            !strncasecmp(t.at + i, needle.at, needle.len)))
            return true;
    return false;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct text text_trim(struct text t)
{
    while (t.len && is_blank(t.at[0]))
        t = text_skip(t, 1);
    while (t.len && is_blank(t.at[t.len - 1]))
        t.len--;
    return t;
}

struct text text_skip(struct text t, size_t n)
{
    if (n > t.len)
        n = t.len;
    return (struct text){n ? t.at + n : t.at, t.len - n}; /* `at` may be NULL */
}

struct text text_split(struct text *rest, char separator)
{
    const char *cut = rest->len ? memchr(rest->at, separator, rest->len) : NULL;
    struct text part = *rest;

    if (cut) {
        part.len = (size_t)(cut - rest->at);
        *rest = text_skip(*rest, part.len + 1);
    } else {
        *rest = (struct text){NULL, 0};
    }
    return part;
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return 99;
}

int text_to_u64(struct text t, int base, uint64_t *ret)
{
    uint64_t value = 0;

    if (t.len == 0)
        return -EINVAL;
    for (size_t i = 0; i < t.len; i++) {
        int digit = digit_value(t.at[i]);

        if (digit >= base)
            return -EINVAL;
        if (__builtin_mul_overflow(value, (uint64_t)base, &value) ||
            __builtin_add_overflow(value, (uint64_t)digit, &value))
            return -ERANGE;
    }
    *ret = value;
    return 0;
}

int text_to_u32(struct text t, int base, uint32_t *ret)
{
    uint64_t value;
    int err = text_to_u64(t, base, &value);

    if (err)
        return err;
    if (value > UINT32_MAX)
        return -ERANGE;
    *ret = (uint32_t)value;
    return 0;
}

size_t text_copy(char *to, size_t size, struct text t)
{
    if (size == 0)
        return 0;
    if (t.len >= size)
        t.len = size - 1;
    if (t.len)
        memcpy(to, t.at, t.len);
    to[t.len] = '\0';
    return t.len;
}

char *text_dup(struct text t)
{
    char *copy = malloc(t.len + 1);

    if (copy)
        text_copy(copy, t.len + 1, t);
    return copy;
}

/* How many bytes the character that begins with `lead` has; 0 when nothing begins so (RFC 3629). */
static size_t utf8_length(uint8_t lead)
{
    if (lead < 0x80)
        return 1;
    if (lead >= 0xc2 && lead <= 0xdf)
        return 2;
    if (lead >= 0xe0 && lead <= 0xef)
        return 3;
    return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}

static bool is_continuation(char c)
{
    return ((uint8_t)c & 0xc0) == 0x80;
}

size_t text_utf8_cut(struct text t, size_t max)
{
    size_t n = max;

    if (t.len <= max)
        return t.len;
    while (n > 0 && is_continuation(t.at[n]))
        n--;
    return n;
}

/* The second byte of some leads is narrower: no overlong forms, no surrogates, nothing above
 * U+10FFFF. */
static bool second_byte_fits(uint8_t lead, uint8_t second)
{
    switch (lead) {
    case 0xe0:
        return second >= 0xa0;
    case 0xed:
        return second <= 0x9f;
    case 0xf0:
        return second >= 0x90;
    case 0xf4:
        return second <= 0x8f;
    default:
        return true;
    }
}

bool text_utf8_valid(struct text t)
{
    while (t.len) {
        size_t n = utf8_length((uint8_t)t.at[0]);

        if (n == 0 || n > t.len)
            return false;
        for (size_t i = 1; i < n; i++)
            if (!is_continuation(t.at[i]))
                return false;
        if (n > 2 && !second_byte_fits((uint8_t)t.at[0], (uint8_t)t.at[1]))
            return false;
        t = text_skip(t, n);
    }
    return true;
}

static unsigned smaller(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

unsigned text_distance(struct text a, struct text b, unsigned limit)
{
    unsigned row[33];

    if (a.len > 32 || b.len > 32)
        return limit;
    for (size_t j = 0; j <= b.len; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; i <= a.len; i++) {
        unsigned diagonal = row[0];

        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b.len; j++) {
            unsigned above = row[j];

            row[j] =
                smaller(smaller(above, row[j - 1]) + 1, diagonal + (a.at[i - 1] != b.at[j - 1]));
            diagonal = above;
        }
    }
    return smaller(row[b.len], limit);
}
