/* values.c - parameters, addresses, lists and Via values, in place. */
#include "wire/sip/values.h"

#include <errno.h>

#include "wire/sip/characters.h"

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
    a->uri = text_split(&t, '>');
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
    struct text uri = text_split(&t, ';');

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
    const char *comma = t.len ? memchr(t.at, ',', t.len) : NULL;
    size_t plain = comma ? (size_t)(comma - t.at) : 0; /* before it */
    bool bracket = false;

    *rest = (struct text){NULL, 0};
    if (!comma) /* as nearly always */
        return text_trim(t);
    if (!memchr(t.at, '"', plain) && !memchr(t.at, '<', plain)) { /* a list of words */
        *rest = text_skip(t, plain + 1);
        return text_trim(first_of(t, plain));
    }
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
    host = text_split(&rest, ';');
    if (sip_host_parse(text_trim(host), &v.host, &v.port) < 0)
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
