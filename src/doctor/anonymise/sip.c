/* sip.c - SIP messages and heads of HTTP disguised in place; see text.h. */
#include <ctype.h>

#include "doctor/anonymise/disguise.h"
#include "doctor/anonymise/text.h"

#define PARTS_MAX   64
#define NUMBERS_MAX 48 /* the longest value of a header of numbers: a date */

/* A line, and the parts of it that are disguised: nothing is disguised twice. */
struct line {
    char *at;
    size_t len;
    struct part {
        size_t from, to;
    } parts[PARTS_MAX];
    size_t n;
};

static void disguise_part(struct line *l, size_t from, size_t to, void (*with)(char *, size_t))
{
    size_t k = l->n;

    if (from >= to || l->n == PARTS_MAX)
        return;
    for (size_t i = 0; i < l->n; i++)
        if (from < l->parts[i].to && to > l->parts[i].from)
            return;
    with(l->at + from, to - from);
    for (; k && l->parts[k - 1].from > from; k--)
        l->parts[k] = l->parts[k - 1];
    l->parts[k] = (struct part){from, to};
    l->n++;
}

static void disguise_rest(struct line *l, void (*with)(char *, size_t))
{
    size_t from = 0;

    for (size_t i = 0; i <= l->n; i++) {
        size_t to = i < l->n ? l->parts[i].from : l->len;

        with(l->at + from, to - from);
        from = i < l->n ? l->parts[i].to : to;
    }
}

static size_t scheme(const char *at, size_t len)
{
    struct text t = {at, len};

    return text_starts_nocase(t, "sips:")                                   ? 5
           : text_starts_nocase(t, "http://")                               ? 7
           : text_starts_nocase(t, "https://")                              ? 8
           : text_starts_nocase(t, "sip:") || text_starts_nocase(t, "tel:") ? 4
                                                                            : 0;
}

static size_t find_any(const struct line *l, size_t from, const char *ends)
{
    while (from < l->len && !strchr(ends, l->at[from]))
        from++;
    return from;
}

/* user@host of every URI. */
static void disguise_uris(struct line *l)
{
    for (size_t i = 0; i < l->len; i++) {
        size_t from = i + scheme(l->at + i, l->len - i), end;

        if (from == i || (i && isalnum((unsigned char)l->at[i - 1])))
            continue;
        end = find_any(l, from, "@?> \t\r\n,\"");
        if (end < l->len && l->at[end] == '@') {
            disguise_part(l, from, end, disguise_words);
            from = end + 1;
        }
        end = l->at[from] == '[' ? find_any(l, from, "]") : find_any(l, from, ":;?>/ \t\r\n,\"");
        disguise_part(l, from, end,
                      l->at[i] == 't' || l->at[i] == 'T' ? disguise_words : disguise_host);
        i = end;
    }
}

static void disguise_quoted(struct line *l, size_t from, size_t to, void (*with)(char *, size_t))
{
    const char *open = from < to ? memchr(l->at + from, '"', to - from) : NULL;
    const char *close = open ? memchr(open + 1, '"', (size_t)(l->at + l->len - open - 1)) : NULL;

    if (close)
        disguise_part(l, (size_t)(open + 1 - l->at), (size_t)(close - l->at), with);
}

static void disguise_reason(char *at, size_t len)
{
    (memmem(at, len, "alarm:", 6) ? disguise_alarm : disguise_sentence)(at, len);
}

/* Quoted values of parameters. */
static void disguise_parameters(struct line *l)
{
    static const struct {
        const char *key;
        void (*with)(char *, size_t);
    } rows[] = {{"response=", disguise_secret},     {"nonce=", disguise_secret},
                {"opaque=", disguise_secret},       {"nextnonce=", disguise_secret},
                {"rspauth=", disguise_secret},      {"username=", disguise_words},
                {"realm=", disguise_words},         {"domain=", disguise_words},
                {"+sip.instance=", disguise_words}, {"devicename.ccm.cisco.com=", disguise_words},
                {"text=", disguise_reason}};

    for (size_t i = 0; i < l->len; i++)
        for (size_t k = 0; k < sizeof(rows) / sizeof(*rows); k++)
            if (text_starts_nocase((struct text){l->at + i, l->len - i}, rows[k].key))
                disguise_quoted(l, i, i + strlen(rows[k].key) + 1, rows[k].with);
}

static bool is_one_of(struct text name, const char *names)
{
    struct text list = text_of(names);

    while (list.at)
        if (text_equal_nocase(name, text_split(&list, ' ')))
            return true;
    return false;
}

/* host[:port] behind the protocol of a Via, and that of "received=". */
static void disguise_via(struct line *l, size_t from)
{
    size_t blank = find_any(l, from, "/"), end;

    blank = find_any(l, blank, " \t");
    while (blank < l->len && (l->at[blank] == ' ' || l->at[blank] == '\t'))
        blank++;
    end = find_any(l, blank, l->at[blank] == '[' ? "]" : ":;, \t\r\n");
    disguise_part(l, blank, end, disguise_host);
}

static void stays(char *at, size_t len)
{
}

static void disguise_header(char *at, size_t len)
{
    static const char names[] =
        "From f To t Contact m Remote-Party-ID P-Asserted-Identity P-Preferred-Identity Diversion "
        "Refer-To r Referred-By b Route Record-Route Path Service-Route P-Associated-URI "
        "Authorization Proxy-Authorization WWW-Authenticate Proxy-Authenticate "
        "Authentication-Info Replaces";
    static const char kept[] =
        "Content-Type c Allow Allow-Events u Supported k Require Unsupported Accept "
        "Accept-Encoding Accept-Language Event o Subscription-State User-Agent Server Retry-After "
        "MIME-Version Reason Content-Disposition Content-Encoding e "
        "Content-ID Refer-Sub Proxy-Require Connection Transfer-Encoding ETag Accept-Ranges "
        "Cache-Control Keep-Alive";
    static const char numbers[] =
        "CSeq RAck Session-Expires x Content-Length l Expires Min-Expires Max-Forwards Date "
        "Timestamp RSeq Min-SE Last-Modified Range Content-Range";
    struct line l = {.at = at, .len = len};
    size_t colon = find_any(&l, 0, ":");
    struct text name = text_trim((struct text){at, colon});
    size_t from = colon < len ? colon + 1 : len;

    if (colon < len)
        disguise_part(&l, 0, from, stays);
    if (is_one_of(name, "Via v"))
        disguise_via(&l, from);
    else if (is_one_of(name, "Call-ID i"))
        disguise_part(&l, from, len, disguise_words);
    else if (is_one_of(name, "Warning") && from + 5 < len)
        disguise_part(&l, from + 5, find_any(&l, from + 5, " \""), disguise_host);
    else if (is_one_of(name, "Host"))
        disguise_part(&l, from, len, disguise_host);
    else if (is_one_of(name, names))
        disguise_quoted(&l, from, find_any(&l, 0, "<"), disguise_words); /* the display name */
    else if (is_one_of(name, numbers) && len - from <= NUMBERS_MAX)
        disguise_part(&l, from, len, disguise_addresses);
    else if (!is_one_of(name, kept))
        disguise_part(&l, from, len, disguise_words);
    disguise_parameters(&l);
    disguise_uris(&l);
    if (is_one_of(name, names) && !memchr(at, '"', find_any(&l, 0, "<")) && memchr(at, '<', len))
        disguise_part(&l, from, find_any(&l, 0, "<"), disguise_words); /* … without quotes */
    disguise_rest(&l, disguise_sentence);
}

/* The first line. */
static void disguise_start(char *at, size_t len)
{
    struct line l = {.at = at, .len = len};

    disguise_uris(&l);
    disguise_rest(&l, disguise_sentence);
}

/* "a=rtpmap:0 PCMU/8000": what says how, not who. */
static void disguise_attribute(struct line *l)
{
    struct text name = {l->at + 2, find_any(l, 2, ":\r\n") - 2};

    if (is_one_of(name, "rtpmap fmtp ptime maxptime sendrecv sendonly recvonly inactive setup mid "
                        "group rtcp-mux rtcp-fb"))
        disguise_part(l, 2, l->len, disguise_addresses);
    else if (is_one_of(name, "crypto ice-pwd ice-ufrag fingerprint key-mgmt"))
        disguise_part(l, 2 + name.len, l->len, disguise_secret);
}

static void disguise_sdp_line(char *at, size_t len)
{
    struct line l = {.at = at, .len = len};

    if (len < 3 || at[1] != '=')
        disguise_part(&l, 0, len, disguise_words);
    else if (at[0] == 'o')
        disguise_part(&l, 2, find_any(&l, 2, " "), disguise_words);
    else if (strchr("siepuk", at[0]))
        disguise_part(&l, 2, len, disguise_words);
    else if (strchr("vtbmzr", at[0]))
        disguise_part(&l, 2, len, disguise_addresses);
    else if (at[0] == 'a')
        disguise_attribute(&l);
    if (len > 2 && (at[0] == 'o' || at[0] == 'c')) { /* … IN IP4 host */
        size_t end = len;

        while (end && isspace((unsigned char)at[end - 1]))
            end--;
        for (size_t from = end; from > 2; from--)
            if (at[from - 1] == ' ') {
                disguise_part(&l, from, end, disguise_host);
                break;
            }
    }
    disguise_rest(&l, disguise_sentence);
}

static size_t line_at(const char *at, size_t len)
{
    const char *end = memchr(at, '\n', len);

    return end ? (size_t)(end - at) + 1 : len;
}

static void disguise_body(char *at, size_t len);

/* Parts between lines that begin with "--", each with headers of its own. */
static void disguise_parts(char *at, size_t len)
{
    size_t body = 0;
    bool head = true;

    for (size_t from = 0, n; from < len; from += n) {
        n = line_at(at + from, len - from);
        if (text_starts((struct text){at + from, n}, "--")) {
            if (!head)
                disguise_body(at + body, from - body);
            head = true;
        } else if (head && n > 2) {
            disguise_header(at + from, n);
        } else if (head) {
            head = false;
            body = from + n;
        }
    }
    if (!head && body < len)
        disguise_body(at + body, len - body);
}

/* "ConfigVersionStamp={…}" is that of the file, where it stays, too. */
static bool is_order(struct text line)
{
    return text_starts_nocase(line, "action=") || text_contains_nocase(line, TEXT("VersionStamp="));
}

/* A body says what it is by how it begins. Orders to phones ("action=restart") are no secret. */
static void disguise_body(char *at, size_t len)
{
    bool sdp = len > 2 && at[0] == 'v' && at[1] == '=';
    struct text t = {at, len};

    if (text_starts(t, "--")) {
        disguise_parts(at, len);
        return;
    }
    if (!sdp && !text_contains_nocase(t, TEXT("action="))) {
        disguise_document(at, len);
        return;
    }
    for (size_t from = 0, n; from < len; from += n) {
        n = line_at(at + from, len - from);
        if (sdp)
            disguise_sdp_line(at + from, n);
        else if (!is_order((struct text){at + from, n}))
            disguise_words(at + from, n);
    }
}

/* Lines up to an empty one; the bytes they take. */
static size_t disguise_head(char *at, size_t len)
{
    size_t from = 0;

    while (from < len) {
        size_t n = line_at(at + from, len - from);
        bool empty = n <= 2 && (at[from] == '\r' || at[from] == '\n');

        if (from == 0)
            disguise_start(at, n);
        else if (!empty)
            disguise_header(at + from, n);
        from += n;
        if (empty && from > 2)
            break;
    }
    return from;
}

void disguise_sip(char *at, size_t len)
{
    size_t head = disguise_head(at, len);

    if (head < len)
        disguise_body(at + head, len - head);
}

/* "GET /SEP001122334455.cnf.xml HTTP/1.1": the target is the name of a file. */
void disguise_http(char *at, size_t len)
{
    struct text rest = {at, line_at(at, len)}, method = text_split(&rest, ' '), target;
    size_t first = line_at(at, len);

    if (!text_starts(method, "HTTP") && rest.at) {
        target = text_split(&rest, ' ');
        if (text_starts(target, "http"))
            disguise_words(at + (target.at - at), target.len);
        else
            disguise_file_name(at + (target.at - at), target.len);
    }
    if (first < len)
        disguise_head(at + first, len - first);
}
