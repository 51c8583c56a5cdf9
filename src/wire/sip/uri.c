/* uri.c - URIs, addresses, parameters and Via values, in place. */
#include "wire/sip/uri.h"

#include <errno.h>

/* -- characters (RFC 3261 25.1) --------------------------------------------------------------- */

enum {
    C_BLANK = 1, /* what folds and blanks are made of */
    C_TOKEN = 2,
    C_USER = 4,  /* user part without escapes */
    C_URI = 8,   /* parameters and headers of a URI without escapes; a scheme's own part */
    C_HOST = 16, /* names and IPv4 addresses; "_" is no host name, but met */
    C_HEX = 32,
    C_NAME = 64 /* of an unquoted display name: tokens, and what careless senders add */
};

#define ALPHANUMERIC (C_TOKEN | C_USER | C_URI | C_HOST | C_NAME)
#define UNRESERVED   (C_TOKEN | C_USER | C_URI | C_NAME)

static const uint8_t classes[256] = {
    ['\t'] = C_BLANK | C_NAME,
    ['\n'] = C_BLANK | C_NAME,
    ['\r'] = C_BLANK | C_NAME,
    [' '] = C_BLANK | C_NAME,
    ['0' ... '9'] = ALPHANUMERIC | C_HEX,
    ['a' ... 'f'] = ALPHANUMERIC | C_HEX,
    ['A' ... 'F'] = ALPHANUMERIC | C_HEX,
    ['g' ... 'z'] = ALPHANUMERIC,
    ['G' ... 'Z'] = ALPHANUMERIC,
    ['-'] = UNRESERVED | C_HOST,
    ['.'] = UNRESERVED | C_HOST,
    ['_'] = UNRESERVED | C_HOST,
    ['!'] = UNRESERVED,
    ['~'] = UNRESERVED,
    ['*'] = UNRESERVED,
    ['\''] = UNRESERVED,
    ['`'] = C_TOKEN | C_NAME,
    ['%'] = C_TOKEN | C_NAME,
    ['('] = C_USER | C_URI | C_NAME,
    [')'] = C_USER | C_URI | C_NAME,
    ['&'] = C_USER | C_URI | C_NAME,
    ['='] = C_USER | C_URI | C_NAME,
    ['+'] = C_TOKEN | C_USER | C_URI | C_NAME,
    ['$'] = C_USER | C_URI | C_NAME,
    ['/'] = C_USER | C_URI | C_NAME,
    ['?'] = C_USER | C_URI | C_NAME,
    [';'] = C_USER | C_URI,
    [','] = C_USER,
    [':'] = C_URI,
    ['['] = C_URI | C_NAME,
    [']'] = C_URI | C_NAME,
    ['#'] = C_USER | C_NAME, /* phones dial it unescaped */
    ['@'] = C_NAME,
    [0x80 ... 0xff] = C_NAME,
};

static inline bool is_a(char c, uint8_t class)
{
    return classes[(uint8_t)c] & class;
}

static size_t span(struct text t, uint8_t class)
{
    size_t n = 0;

    while (n < t.len && is_a(t.at[n], class))
        n++;
    return n;
}

static bool all_are(struct text t, uint8_t class)
{
    return span(t, class) == t.len;
}

static bool is_escape(struct text t)
{
    return t.len >= 3 && t.at[0] == '%' && is_a(t.at[1], C_HEX) && is_a(t.at[2], C_HEX);
}

/* Characters of a class and %HH. */
static bool all_are_or_escapes(struct text t, uint8_t class)
{
    for (t = text_skip(t, span(t, class)); t.len; t = text_skip(t, span(t, class))) {
        if (!is_escape(t))
            return false;
        t = text_skip(t, 3);
    }
    return true;
}

static struct text skip_blanks(struct text t)
{
    return text_skip(t, span(t, C_BLANK));
}

static struct text first_of(struct text t, size_t n)
{
    return (struct text){t.at, n};
}

/* Length of the quoted string `t` begins with, quotes included; 0 when it does not end. */
static size_t quoted_span(struct text t)
{
    for (size_t i = 1; i < t.len; i++) {
        if (t.at[i] == '"')
            return i + 1;
        if (t.at[i] == '\\')
            i++;
    }
    return 0;
}

/* -- URIs ------------------------------------------------------------------------------------- */

/* Cuts at the first `c`: what stands before it is returned, `rest` has what follows or at ==
 * NULL. */
static struct text cut(struct text *rest, char c)
{
    return text_split(rest, c);
}

static int parse_port(struct text t, uint16_t *ret)
{
    uint32_t port;

    if (text_to_u32(t, 10, &port) < 0 || port == 0 || port > 65535)
        return -EBADMSG;
    *ret = (uint16_t)port;
    return 0;
}

/* host, host:port, [v6], [v6]:port; blanks around the colon as in a Via (RFC 3261 25.1 COLON). */
static int parse_host(struct text t, struct text *host, uint16_t *port)
{
    struct text rest = t;

    *port = 0;
    if (t.len && t.at[0] == '[') {
        rest = text_skip(t, 1);
        *host = cut(&rest, ']');
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
        u->user = cut(&user, ':');
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
        u->parameters = cut(&u->headers, '?');
    } else if (rest.len) {
        u->headers = text_skip(rest, 1);
    }
    if (!u->headers.at)
        u->headers = (struct text){"", 0};
    if (!all_are_or_escapes(u->parameters, C_URI) || !all_are_or_escapes(u->headers, C_URI))
        return -EBADMSG;
    return parse_host(first_of(t, n), &u->host, &u->port);
}

static int parse_tel(struct text t, struct sip_uri *u)
{
    u->parameters = t;
    u->user = cut(&u->parameters, ';');
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
    struct text rest = t, scheme = cut(&rest, ':');
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
        struct text one = cut(&a, '&'), rest = b;
        bool found = false;

        while (rest.len && !found)
            found = equal_unescaped(one, cut(&rest, '&'), true);
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

/* -- parameters ------------------------------------------------------------------------------- */

/* 1: one was read; 0: the end; -EBADMSG. Blanks may stand around every separator. `strict` refuses
 * empty ones (";;"), which are else passed over. */
static int parameter(struct text *rest, struct text *name, struct text *value, bool strict)
{
    struct text t = skip_blanks(*rest);
    size_t n;

    while (!strict && t.len && t.at[0] == ';')
        t = skip_blanks(text_skip(t, 1));
    if (t.len == 0)
        return 0;
    for (n = 0; n < t.len && t.at[n] != '=' && t.at[n] != ';' && !is_a(t.at[n], C_BLANK); n++)
        ;
    *name = first_of(t, n);
    *value = (struct text){"", 0};
    t = skip_blanks(text_skip(t, n));
    if (n == 0)
        return -EBADMSG;
    if (t.len && t.at[0] == '=') {
        t = skip_blanks(text_skip(t, 1));
        if (t.len && t.at[0] == '"') {
            n = quoted_span(t);
            if (n == 0)
                return -EBADMSG;
            *value = (struct text){t.at + 1, n - 2};
        } else {
            for (n = 0; n < t.len && t.at[n] != ';' && !is_a(t.at[n], C_BLANK); n++)
                ;
            *value = first_of(t, n);
        }
        t = skip_blanks(text_skip(t, n));
    }
    if (t.len && t.at[0] != ';')
        return -EBADMSG;
    if (strict && t.len == 1)
        return -EBADMSG;
    *rest = text_skip(t, 1);
    return 1;
}

bool sip_parameter_next(struct text *rest, struct text *name, struct text *value)
{
    return parameter(rest, name, value, false) == 1;
}

bool sip_parameter(struct text parameters, const char *name, struct text *value)
{
    struct text wanted = text_of(name), each, v;

    while (sip_parameter_next(&parameters, &each, &v))
        if (text_equal_nocase(each, wanted)) {
            *value = v;
            return true;
        }
    return false;
}

/* -- addresses -------------------------------------------------------------------------------- */

/* The angle brackets and what stands behind them. */
static int parse_bracketed(struct text t, struct sip_address *a)
{
    t = text_skip(t, 1);
    a->uri = cut(&t, '>');
    if (!t.at || a->uri.len == 0 || is_a(a->uri.at[0], C_BLANK) ||
        is_a(a->uri.at[a->uri.len - 1], C_BLANK))
        return -EBADMSG;
    t = skip_blanks(t);
    if (t.len && t.at[0] != ';')
        return -EBADMSG;
    a->parameters = text_skip(t, 1);
    return 0;
}

static int parse_quoted_name(struct text t, struct sip_address *a)
{
    size_t n = quoted_span(t);

    if (n == 0)
        return -EBADMSG;
    a->display = (struct text){t.at + 1, n - 2};
    t = skip_blanks(text_skip(t, n));
    return t.len && t.at[0] == '<' ? parse_bracketed(t, a) : -EBADMSG;
}

/* Without brackets the URI ends at the first semicolon, and may hold neither comma nor question
 * mark (RFC 3261 20). */
static int parse_bare(struct text t, struct sip_address *a)
{
    struct text uri = cut(&t, ';');

    uri = text_trim(uri);
    a->parameters = t.at ? t : (struct text){"", 0};
    a->uri = uri;
    if (uri.len == 0 || memchr(uri.at, '?', uri.len) || memchr(uri.at, ',', uri.len))
        return -EBADMSG;
    return 0;
}

int sip_address_parse(struct text t, struct sip_address *ret)
{
    struct sip_address a = {.display = {"", 0}};
    size_t n;
    int err;

    t = text_trim(t);
    if (t.len == 0)
        return -EBADMSG;
    if (t.at[0] == '<') {
        err = parse_bracketed(t, &a);
    } else if (t.at[0] == '"') {
        err = parse_quoted_name(t, &a);
    } else {
        n = span(t, C_NAME);
        if (n < t.len && t.at[n] == '<') {
            a.display = text_trim(first_of(t, n));
            err = parse_bracketed(text_skip(t, n), &a);
        } else {
            err = parse_bare(t, &a);
        }
    }
    if (err == 0)
        *ret = a;
    return err;
}

struct text sip_element(struct text *rest)
{
    struct text t = *rest;
    bool bracket = false;

    *rest = (struct text){NULL, 0};
    if (t.len == 0 || !memchr(t.at, ',', t.len))
        return text_trim(t); /* as nearly always */
    for (size_t i = 0; i < t.len; i++) {
        char c = t.at[i];

        if (c == '"' && !bracket) {
            size_t n = quoted_span(text_skip(t, i));

            i += n ? n - 1 : t.len - i;
        } else if (c == '<') {
            bracket = true;
        } else if (c == '>') {
            bracket = false;
        } else if (c == ',' && !bracket) {
            *rest = text_skip(t, i + 1);
            return text_trim(first_of(t, i));
        }
    }
    return text_trim(t);
}

/* -- Via -------------------------------------------------------------------------------------- */

/* "SIP / 2.0 / UDP" (RFC 3261 20.42); what follows is left in `rest`. Any version: one that is not
 * ours has to be answered too (505). */
static int parse_protocol(struct text *rest, struct text *transport)
{
    struct text t = *rest, part[3];

    for (int i = 0; i < 3; i++) {
        size_t n;

        t = skip_blanks(t);
        n = span(t, C_TOKEN);
        part[i] = first_of(t, n);
        t = text_skip(t, n);
        if (i == 2)
            break;
        t = skip_blanks(t);
        if (t.len == 0 || t.at[0] != '/')
            return -EBADMSG;
        t = text_skip(t, 1);
    }
    if (!text_equal_nocase(part[0], TEXT("SIP")) || part[1].len == 0 || part[2].len == 0 ||
        t.len == 0 || !is_a(t.at[0], C_BLANK))
        return -EBADMSG;
    *transport = part[2];
    *rest = skip_blanks(t);
    return 0;
}

/* Some write an IPv6 address in received with brackets (RFC 5118 4.5). */
static struct text without_brackets(struct text t)
{
    if (t.len > 2 && t.at[0] == '[' && t.at[t.len - 1] == ']')
        return (struct text){t.at + 1, t.len - 2};
    return t;
}

int sip_via_parse(struct text t, struct sip_via *ret)
{
    struct sip_via v = {.received = {NULL, 0}};
    struct text host, rest, name, value;
    int err;

    t = text_trim(t);
    if (parse_protocol(&t, &v.transport) < 0)
        return -EBADMSG;
    rest = t;
    host = cut(&rest, ';');
    if (parse_host(text_trim(host), &v.host, &v.port) < 0)
        return -EBADMSG;
    v.parameters = rest.at ? rest : (struct text){"", 0};
    rest = v.parameters;
    while ((err = parameter(&rest, &name, &value, true)) == 1) {
        if (text_equal_nocase(name, TEXT("branch")) && !v.branch.at)
            v.branch = value;
        else if (text_equal_nocase(name, TEXT("received")) && !v.received.at)
            v.received = without_brackets(value);
        else if (text_equal_nocase(name, TEXT("rport")))
            v.rport = true;
    }
    *ret = v;
    return err;
}
