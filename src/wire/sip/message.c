/* message.c - one pass over a head: start line, rows, and what every message must have. */
#include "wire/sip/message.h"

#include <errno.h>

/* -- names ------------------------------------------------------------------------------------ */

enum { SIP_ONE = 1, SIP_LIST = 2 };

static const struct header_row {
    const char *name;
    uint8_t len;
    char letter;
    uint8_t flags;
} header_rows[N_SIP_HEADERS] = {
#define SIP_HEADER(id, name, letter, flags) [SIP_##id] = {name, sizeof(name) - 1, letter, flags},
#include "wire/sip/headers.def"
#undef SIP_HEADER
};

static const char *const method_names[N_SIP_METHODS] = {
    [SIP_UNKNOWN_METHOD] = "", [SIP_REGISTER] = "REGISTER", [SIP_INVITE] = "INVITE",
    [SIP_ACK] = "ACK",         [SIP_BYE] = "BYE",           [SIP_CANCEL] = "CANCEL",
    [SIP_OPTIONS] = "OPTIONS", [SIP_NOTIFY] = "NOTIFY",     [SIP_SUBSCRIBE] = "SUBSCRIBE",
    [SIP_REFER] = "REFER",     [SIP_PUBLISH] = "PUBLISH",   [SIP_UPDATE] = "UPDATE",
    [SIP_INFO] = "INFO",       [SIP_PRACK] = "PRACK",       [SIP_MESSAGE] = "MESSAGE",
};

/* Which names have this length and this first letter: the first of them, then along `chain`. */
#define NAME_MAX_LEN 24
static uint8_t by_shape[NAME_MAX_LEN][32], chain[N_SIP_HEADERS];

__attribute__((constructor)) static void index_names(void)
{
    for (int id = N_SIP_HEADERS - 1; id > SIP_OTHER; id--) {
        uint8_t *first = &by_shape[header_rows[id].len][header_rows[id].name[0] & 31];

        chain[id] = *first;
        *first = (uint8_t)id;
        if (header_rows[id].letter)
            by_shape[1][header_rows[id].letter & 31] = (uint8_t)id;
    }
}

static uint8_t header_of(struct text name)
{
    uint8_t id;

    if (name.len >= NAME_MAX_LEN)
        return SIP_OTHER;
    id = by_shape[name.len][name.at[0] & 31];
    if (name.len == 1)
        return id && (name.at[0] | 0x20) == header_rows[id].letter ? id : SIP_OTHER;
    for (; id; id = chain[id])
        if (memcmp(name.at, header_rows[id].name, name.len) == 0)
            return id;
    for (id = by_shape[name.len][name.at[0] & 31]; id; id = chain[id])
        if (text_equal_nocase(name, text_of(header_rows[id].name)))
            return id;
    return SIP_OTHER;
}

const char *sip_header_name(enum sip_header_id id)
{
    return header_rows[id].name ? header_rows[id].name : "";
}

enum sip_method sip_method_of(struct text name)
{
    for (int i = SIP_UNKNOWN_METHOD + 1; i < N_SIP_METHODS; i++)
        if (name.len && method_names[i][0] == name.at[0] && text_is(name, method_names[i]))
            return (enum sip_method)i;
    return SIP_UNKNOWN_METHOD;
}

const char *sip_method_name(enum sip_method method)
{
    return method_names[method];
}

const char *sip_reason(uint16_t status)
{
    switch (status) {
#define STATUS(code, words)                                                                        \
    case code:                                                                                     \
        return words;
#include "wire/sip/statuses.def"
#undef STATUS
    default:
        return "";
    }
}

/* -- the start line --------------------------------------------------------------------------- */

static void problem(struct sip_message *m, uint16_t status, const char *words)
{
    if (m->problem == 0) {
        m->problem = status;
        m->words = words;
    }
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* token (RFC 3261 25.1). */
static inline bool is_token(char c)
{
    static const bool tokens[256] = {
        ['0' ... '9'] = true, ['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['-'] = true,
        ['.'] = true,         ['!'] = true,         ['%'] = true,         ['*'] = true,
        ['_'] = true,         ['+'] = true,         ['`'] = true,         ['\''] = true,
        ['~'] = true,
    };

    return tokens[(uint8_t)c];
}

static size_t token_span(struct text t)
{
    size_t n = 0;

    while (n < t.len && is_token(t.at[n]))
        n++;
    return n;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "SIP/2.0 200 OK": anything wrong and it is dropped. */
static int status_line(struct text line, struct sip_message *m)
{
    if (line.len < 11 || line.at[7] != ' ' || !is_digit(line.at[8]) || !is_digit(line.at[9]) ||
        !is_digit(line.at[10]) || (line.len > 11 && line.at[11] != ' ') ||
        !text_equal_nocase((struct text){line.at, 7}, TEXT("SIP/2.0")))
        return -EBADMSG;
    m->status = (uint16_t)((line.at[8] - '0') * 100 + (line.at[9] - '0') * 10 + line.at[10] - '0');
    m->reason = text_skip(line, 12);
    return m->status >= 100 && m->status <= 699 ? 0 : -EBADMSG;
}

static bool has_blank(struct text t)
{
    return memchr(t.at, ' ', t.len) || memchr(t.at, '\t', t.len);
}

/* "METHOD uri SIP/2.0", one blank between them (RFC 3261 7.1). */
static int request_line(struct text line, struct sip_message *m)
{
    struct text trimmed = text_trim(line), version;
    size_t n = token_span(line), i = trimmed.len;

    if (n == 0 || n == line.len || line.at[n] != ' ')
        return -EBADMSG;
    while (i > 0 && trimmed.at[i - 1] != ' ')
        i--;
    version = text_skip(trimmed, i);
    if (i <= n + 1 || !text_starts_nocase(version, "SIP/"))
        return -EBADMSG;
    m->method_name = (struct text){line.at, n};
    m->method = sip_method_of(m->method_name);
    m->uri = (struct text){line.at + n + 1, i - n - 2};
    if (!text_equal_nocase(version, TEXT("SIP/2.0")))
        problem(m, 505, "Version Not Supported");
    if (trimmed.len != line.len || has_blank(m->uri))
        problem(m, 400, "Malformed Request-Line");
    if (sip_uri_parse(m->uri, &m->target) < 0 || m->target.headers.len)
        problem(m, 400, "Malformed Request-URI");
    return 0;
}

static int start_line(struct text line, struct sip_message *m)
{
    return text_starts_nocase(line, "SIP/") ? status_line(line, m) : request_line(line, m);
}

/* -- rows ------------------------------------------------------------------------------------- */

static void take_length(struct sip_message *m, struct text value)
{
    uint64_t n;

    m->has_length = text_to_u64(value, 10, &n) == 0 && n <= SIZE_MAX;
    if (m->has_length)
        m->length = (size_t)n;
    else
        problem(m, 400, "Malformed Content-Length");
}

/* Behind the rows of the same header; a second one of some is an error. */
static void take_again(struct sip_message *m, uint8_t id, uint8_t number)
{
    struct sip_row *row = &m->rows[m->first[id] - 1];

    if (header_rows[id].flags & SIP_ONE)
        problem(m, 400, "Repeated Header");
    if (id == SIP_CONTENT_LENGTH)
        m->has_length = false;
    while (row->next)
        row = &m->rows[row->next - 1];
    row->next = number;
}

static void take_row(struct sip_message *m, struct text name, struct text value)
{
    uint8_t id = header_of(name);

    if (m->n_rows == SIP_HEADERS_MAX) {
        problem(m, 400, "Too Many Headers");
        return;
    }
    m->rows[m->n_rows++] = (struct sip_row){name, value, id, 0};
    if (id == SIP_OTHER)
        return;
    if (m->first[id])
        take_again(m, id, m->n_rows);
    else if ((m->first[id] = m->n_rows), id == SIP_CONTENT_LENGTH)
        take_length(m, value);
}

/* One header with its folds; `end` is behind its last byte. */
static void take_header(struct sip_message *m, const char *at, const char *end)
{
    const char *colon = at;
    struct text name = {at, 0}, value;

    while (colon < end && is_token(*colon))
        colon++;
    name.len = (size_t)(colon - at);
    while (colon < end && (*colon == ' ' || *colon == '\t'))
        colon++;
    if (name.len == 0 || colon == end || *colon != ':') {
        problem(m, 400, "Malformed Header");
        return;
    }
    at = colon + 1;
    while (at < end && is_blank(*at))
        at++;
    while (end > at && is_blank(end[-1]))
        end--;
    value = (struct text){at, (size_t)(end - at)};
    take_row(m, name, value);
}

/* The headers up to the empty line; `at` stands behind the start line. 0 with `head` set, or
 * -EAGAIN. */
static int take_headers(struct sip_message *m, const char *start, const char *at, const char *end)
{
    while (at < end) {
        const char *line = at, *stop;

        if (*at == '\n' || (*at == '\r' && at + 1 < end && at[1] == '\n')) {
            m->head = (size_t)(at - start) + (*at == '\n' ? 1 : 2);
            return 0;
        }
        do {
            stop = memchr(at, '\n', (size_t)(end - at));
            if (!stop || stop + 1 == end)
                return -EAGAIN; /* whether it is folded is not known */
            at = stop + 1;
        } while (*at == ' ' || *at == '\t');
        take_header(m, line, stop);
    }
    return -EAGAIN;
}

/* -- what every message has ------------------------------------------------------------------- */

static void judge_address(struct sip_message *m, enum sip_header_id id, struct sip_address *a,
                          struct text *tag)
{
    const char *words = id == SIP_FROM ? "Malformed From" : "Malformed To";
    const struct sip_row *row = sip_row(m, id);
    struct sip_uri uri;

    if (!row)
        problem(m, 400, id == SIP_FROM ? "Missing From" : "Missing To");
    else if (sip_address_parse(row->value, a) < 0 || sip_uri_parse(a->uri, &uri) < 0)
        problem(m, 400, words);
    else
        sip_parameter(a->parameters, "tag", tag);
}

/* The method of a response is that of its CSeq. */
static void judge_cseq(struct sip_message *m)
{
    struct text t = sip_value(m, SIP_CSEQ), method;
    size_t n = 0;

    while (n < t.len && is_digit(t.at[n]))
        n++;
    method = text_trim(text_skip(t, n));
    if (!m->first[SIP_CSEQ])
        problem(m, 400, "Missing CSeq");
    else if (text_to_u32((struct text){t.at, n}, 10, &m->cseq) < 0 || m->cseq > INT32_MAX ||
             method.len == 0 || !is_blank(t.at[n]) || token_span(method) != method.len)
        problem(m, 400, "Malformed CSeq");
    else if (m->status == 0 && !text_equal(method, m->method_name))
        problem(m, 400, "CSeq Method Mismatch");
    if (m->status) {
        m->method_name = method;
        m->method = sip_method_of(method);
    }
}

/* Contacts name where others are to be sent: whoever keeps one must be able to trust its form. */
static void judge_contacts(struct sip_message *m)
{
    const struct sip_row *row = sip_row(m, SIP_CONTACT);
    struct text rest = sip_value(m, SIP_CONTACT), element;
    struct sip_address a;
    struct sip_uri uri;

    while (sip_next(m, &row, &rest, &element))
        if (sip_address_parse(element, &a) < 0 ||
            (!text_is(a.uri, "*") && sip_uri_parse(a.uri, &uri) < 0))
            problem(m, 400, "Malformed Contact");
}

static int judge_via(struct sip_message *m)
{
    struct text rest = sip_value(m, SIP_VIA);
    int err = rest.at ? sip_via_parse(sip_element(&rest), &m->via) : -EBADMSG;

    if (m->via.host.len == 0)
        return -EBADMSG; /* nothing to answer to */
    if (err)
        problem(m, 400, "Malformed Via");
    return 0;
}

static int judge(struct sip_message *m)
{
    const struct sip_row *hops = sip_row(m, SIP_MAX_FORWARDS);
    uint32_t n;

    if (judge_via(m) < 0)
        return -EBADMSG;
    judge_address(m, SIP_FROM, &m->from, &m->from_tag);
    judge_address(m, SIP_TO, &m->to, &m->to_tag);
    m->call_id = sip_value(m, SIP_CALL_ID);
    if (m->call_id.len == 0)
        problem(m, 400, "Missing Call-ID");
    judge_cseq(m);
    judge_contacts(m);
    if (hops && (text_to_u32(hops->value, 10, &n) < 0 || n > 255))
        problem(m, 400, "Malformed Max-Forwards");
    return m->problem && (m->status || m->method == SIP_ACK) ? -EBADMSG : 0;
}

/* -- whole messages --------------------------------------------------------------------------- */

int sip_parse_head(const void *bytes, size_t len, struct sip_message *m)
{
    const char *at = bytes, *end = at + len, *stop;
    int err;

    memset(m, 0, offsetof(struct sip_message, rows));
    while (at < end && (*at == '\r' || *at == '\n'))
        at++;
    if (end - at > SIP_HEAD_MAX)
        end = at + SIP_HEAD_MAX;
    stop = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
    if (!stop)
        return end - at == SIP_HEAD_MAX ? -EBADMSG : -EAGAIN;
    err = start_line((struct text){at, (size_t)(stop - at) - (stop > at && stop[-1] == '\r')}, m);
    if (err)
        return err;
    err = take_headers(m, bytes, stop + 1, end);
    if (err && end - at == SIP_HEAD_MAX)
        problem(m, 513, "Message Too Large"); /* the end is not looked for any further */
    else if (err)
        return err;
    return judge(m);
}

int sip_parse(const void *bytes, size_t len, struct sip_message *ret)
{
    struct sip_message *m = ret;
    int err = sip_parse_head(bytes, len, m);
    size_t there = len - m->head;

    if (err == -EAGAIN) { /* a datagram has no more to come */
        problem(m, 400, "Head Without End");
        err = judge(m);
    }
    if (err)
        return -EBADMSG;
    if (m->head == 0)
        return 0;
    if (!m->has_length)
        m->length = there;
    if (m->length > there) {
        if (m->status || m->method == SIP_ACK)
            return -EBADMSG;
        problem(m, 400, "Body Shorter Than Content-Length");
    }
    m->body = (struct text){(const char *)bytes + m->head, m->length < there ? m->length : there};
    return 0;
}

/* -- looking things up ------------------------------------------------------------------------ */

struct text sip_value(const struct sip_message *m, enum sip_header_id id)
{
    const struct sip_row *row = sip_row(m, id);

    return row ? row->value : (struct text){NULL, 0};
}

struct text sip_value_named(const struct sip_message *m, const char *name)
{
    struct text wanted = text_of(name);

    for (unsigned i = 0; i < m->n_rows; i++)
        if (text_equal_nocase(m->rows[i].name, wanted))
            return m->rows[i].value;
    return (struct text){NULL, 0};
}

bool sip_next(const struct sip_message *m, const struct sip_row **row, struct text *rest,
              struct text *element)
{
    while (*row) {
        while (rest->at) {
            *element = sip_element(rest);
            if (element->len)
                return true;
        }
        *row = sip_row_next(m, *row);
        if (*row)
            *rest = (*row)->value;
    }
    return false;
}

bool sip_has_token(const struct sip_message *m, enum sip_header_id id, const char *token)
{
    const struct sip_row *row = sip_row(m, id);
    struct text rest = sip_value(m, id), element, wanted = text_of(token);

    while (sip_next(m, &row, &rest, &element))
        if (text_equal_nocase(element, wanted))
            return true;
    return false;
}
