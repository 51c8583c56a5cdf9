/* uri.c - SIP and tel URIs, in place. */
#include "wire/sip/uri.h"

#include <errno.h>

#include "wire/sip/characters.h"
#include "wire/sip/values.h"

static int parse_port(struct text t, uint16_t *ret)
{
    uint32_t port;

    if (text_to_u32(t, 10, &port) < 0 || port == 0 || port > 65535)
        return -EBADMSG;
    *ret = (uint16_t)port;
    return 0;
}

int sip_host_parse(struct text t, struct text *host, uint16_t *port)
{
    struct text rest = t;

    *port = 0;
    if (t.len && t.at[0] == '[') {
        rest = text_skip(t, 1);
        *host = text_split(&rest, ']');
        if (!rest.at || host->len == 0 || !memchr(host->at, ':', host->len))
            return -EBADMSG;
        for (size_t i = 0; i < host->len; i++)
            if (!is_a(host->at[i], C_HEX) && host->at[i] != ':' && host->at[i] != '.')
                return -EBADMSG;
    } else {
        *host = first_of(t, span(t, C_HOST));
        rest = text_skip(t, host->len);
        if (host->len == 0)
            return -EBADMSG;
    }
    rest = skip_blanks(rest);
    if (rest.len == 0)
        return 0;
    return rest.at[0] == ':' ? parse_port(text_trim(text_skip(rest, 1)), port) : -EBADMSG;
}

static int parse_sip(struct text t, struct sip_uri *u)
{
    const char *at = t.len ? memchr(t.at, '@', t.len) : NULL;
    struct text rest = t, user;
    size_t n;

    if (at) {
        user = first_of(t, (size_t)(at - t.at));
        rest = text_skip(t, user.len + 1);
        u->user = text_split(&user, ':');
        if (user.at)
            u->password = user;
        if (u->user.len == 0 || !all_are_or_escapes(u->user, C_USER) ||
            !all_are_or_escapes(u->password, C_USER))
            return -EBADMSG;
    }
    t = rest;
    for (n = 0; n < t.len && t.at[n] != ';' && t.at[n] != '?'; n++)
        ;
    rest = text_skip(t, n);
    if (n && (t.at[n - 1] == ' ' || t.at[n - 1] == '\t'))
        return -EBADMSG;
    if (rest.len && rest.at[0] == ';') {
        u->headers = text_skip(rest, 1);
        u->parameters = text_split(&u->headers, '?');
    } else if (rest.len) {
        u->headers = text_skip(rest, 1);
    }
    if (!u->headers.at)
        u->headers = (struct text){"", 0};
    if (!all_are_or_escapes(u->parameters, C_URI) || !all_are_or_escapes(u->headers, C_URI))
        return -EBADMSG;
    return sip_host_parse(first_of(t, n), &u->host, &u->port);
}

static int parse_tel(struct text t, struct sip_uri *u)
{
    u->parameters = t;
    u->user = text_split(&u->parameters, ';');
    if (!u->parameters.at)
        u->parameters = (struct text){"", 0};
    if (u->user.len == 0 || !all_are_or_escapes(u->user, C_USER) ||
        !all_are_or_escapes(u->parameters, C_URI))
        return -EBADMSG;
    return 0;
}

/* What is in a URI of another scheme: visible ASCII, but nothing that delimits URIs. */
static bool is_opaque(struct text t)
{
    for (size_t i = 0; i < t.len; i++)
        if ((uint8_t)t.at[i] <= ' ' || (uint8_t)t.at[i] >= 127 || memchr("<>\"", t.at[i], 3))
            return false;
    return t.len > 0;
}

int sip_uri_parse(struct text t, struct sip_uri *ret)
{
    const struct text none = {"", 0};
    struct sip_uri u = {.all = t,
                        .user = none,
                        .password = none,
                        .host = none,
                        .parameters = none,
                        .headers = none};
    struct text rest = t, scheme = text_split(&rest, ':');
    int err;

    if (!rest.at || scheme.len == 0 || !all_are(scheme, C_TOKEN))
        return -EBADMSG;
    if (text_equal_nocase(scheme, TEXT("sip")))
        u.scheme = SIP_URI_SIP;
    else if (text_equal_nocase(scheme, TEXT("sips")))
        u.scheme = SIP_URI_SIPS;
    else if (text_equal_nocase(scheme, TEXT("tel")))
        u.scheme = SIP_URI_TEL;
    if (u.scheme == SIP_URI_OTHER)
        err = is_opaque(rest) ? 0 : -EBADMSG;
    else
        err = u.scheme == SIP_URI_TEL ? parse_tel(rest, &u) : parse_sip(rest, &u);
    if (err == 0)
        *ret = u;
    return err;
}

static unsigned hex_digit(char c)
{
    return c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
}

/* The next character with its escape taken off; -1 at the end. */
static int next_character(struct text *t)
{
    int c;

    if (t->len == 0)
        return -1;
    if (is_escape(*t)) {
        c = (int)(hex_digit(t->at[1]) << 4 | hex_digit(t->at[2]));
        *t = text_skip(*t, 3);
    } else {
        c = (uint8_t)t->at[0];
        *t = text_skip(*t, 1);
    }
    return c;
}

static int lower(int c)
{
    return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

static bool equal_unescaped(struct text a, struct text b, bool any_case)
{
    int x, y;

    do {
        x = next_character(&a);
        y = next_character(&b);
        if (any_case ? lower(x) != lower(y) : x != y)
            return false;
    } while (x >= 0);
    return true;
}

int sip_unescape(struct text t, char *to, size_t size)
{
    size_t n = 0;

    for (int c = 0; t.len; to[n++] = (char)c) {
        if (t.at[0] == '%' && !is_escape(t))
            return -EBADMSG;
        c = next_character(&t);
        if (n + 1 >= size)
            return -ENOSPC;
    }
    if (size == 0)
        return -ENOSPC;
    to[n] = '\0';
    return (int)n;
}

#define COMPARED_MAX 32 /* parameters, and headers, of one URI */

/* These must be in both or in neither (RFC 3261 19.1.4). */
static bool must_be_in_both(struct text name)
{
    return text_equal_nocase(name, TEXT("user")) || text_equal_nocase(name, TEXT("ttl")) ||
           text_equal_nocase(name, TEXT("method")) || text_equal_nocase(name, TEXT("maddr")) ||
           text_equal_nocase(name, TEXT("transport"));
}

/* Comparing takes the square of their number: with more of them, URIs are equal only when they are
 * written alike. */
static bool has_too_many(struct text t, char separator)
{
    unsigned n = 0;

    while (t.at && n <= COMPARED_MAX) {
        text_split(&t, separator);
        n++;
    }
    return n > COMPARED_MAX;
}

static bool find_parameter(struct text parameters, struct text wanted, struct text *value)
{
    struct text name;

    while (sip_parameter_next(&parameters, &name, value))
        if (equal_unescaped(name, wanted, true))
            return true;
    return false;
}

static bool parameters_agree(struct text a, struct text b)
{
    struct text name, mine, other;

    while (sip_parameter_next(&a, &name, &mine)) {
        if (find_parameter(b, name, &other) ? !equal_unescaped(mine, other, true)
                                            : must_be_in_both(name))
            return false;
    }
    return true;
}

/* Every header of `a` is in `b`; headers are never ignored, and their order means nothing. */
static bool headers_within(struct text a, struct text b)
{
    while (a.len) {
        struct text one = text_split(&a, '&'), rest = b;
        bool found = false;

        while (rest.len && !found)
            found = equal_unescaped(one, text_split(&rest, '&'), true);
        if (!found)
            return false;
    }
    return true;
}

/* Digits of a tel URI, its visual separators left out (RFC 3966 4). */
static bool numbers_equal(struct text a, struct text b)
{
    size_t i = 0, j = 0;

    for (;; i++, j++) {
        while (i < a.len && memchr("-.()", a.at[i], 4))
            i++;
        while (j < b.len && memchr("-.()", b.at[j], 4))
            j++;
        if (i >= a.len || j >= b.len)
            return i >= a.len && j >= b.len;
        if (lower(a.at[i]) != lower(b.at[j]))
            return false;
    }
}

static bool cannot_be_compared(const struct sip_uri *u)
{
    return has_too_many(u->parameters, ';') || has_too_many(u->headers, '&');
}

bool sip_uri_equal(const struct sip_uri *a, const struct sip_uri *b)
{
    if (text_equal(a->all, b->all))
        return true;
    if (a->scheme != b->scheme || a->scheme == SIP_URI_OTHER || cannot_be_compared(a) ||
        cannot_be_compared(b))
        return false;
    if (!parameters_agree(a->parameters, b->parameters) ||
        !parameters_agree(b->parameters, a->parameters))
        return false;
    if (a->scheme == SIP_URI_TEL)
        return numbers_equal(a->user, b->user);
    return equal_unescaped(a->user, b->user, false) &&
           equal_unescaped(a->password, b->password, false) &&
           text_equal_nocase(a->host, b->host) && a->port == b->port &&
           headers_within(a->headers, b->headers) && headers_within(b->headers, a->headers);
}
