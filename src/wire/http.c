#include "wire/http.h"

#include <errno.h>
#include <stdbool.h>

struct parsing {
    struct http_head *head;
    struct http_request *request; /* NULL: a response */
    bool close, keep;             /* tokens of Connection */
};

/* -- lines ---------------------------------------------------------------------------------- */

/* Where the head ends: behind the first empty line that follows a line with something in it. */
static size_t head_end(struct text t)
{
    bool empty = true, begun = false;

    for (size_t i = 0; i < t.len; i++) {
        if (t.at[i] == '\n') {
            if (empty && begun)
                return i + 1;
            empty = true;
        } else if (t.at[i] != '\r') {
            empty = false;
            begun = true;
        }
    }
    return 0;
}

static struct text next_line(struct text *rest)
{
    struct text line = text_split(rest, '\n');

    if (line.len && line.at[line.len - 1] == '\r')
        line.len--;
    return line;
}

static bool is_visible(struct text t)
{
    for (size_t i = 0; i < t.len; i++)
        if ((uint8_t)t.at[i] <= ' ' || t.at[i] == 127)
            return false;
    return t.len > 0;
}

static bool has_control(struct text t)
{
    for (size_t i = 0; i < t.len; i++)
        if (((uint8_t)t.at[i] < ' ' && t.at[i] != '\t') || t.at[i] == 127)
            return true;
    return false;
}

static int parse_version(struct text t, uint8_t *minor)
{
    if (t.len != 8 || !text_starts(t, "HTTP/1.") || t.at[7] < '0' || t.at[7] > '9')
        return -EBADMSG;
    *minor = (uint8_t)(t.at[7] - '0');
    return 0;
}

/* -- headers -------------------------------------------------------------------------------- */

static int take_length(struct parsing *p, struct text value)
{
    uint64_t n;

    if (text_to_u64(value, 10, &n) < 0 || (p->head->has_length && p->head->length != n))
        return -EBADMSG;
    p->head->has_length = true;
    p->head->length = n;
    return 0;
}

static int take_encoding(struct parsing *p, struct text value)
{
    if (!text_equal_nocase(value, TEXT("chunked")))
        return -EBADMSG; /* we offered no other */
    p->head->chunked = true;
    return 0;
}

static int take_connection(struct parsing *p, struct text value)
{
    while (value.at) {
        struct text token = text_trim(text_split(&value, ','));

        p->close |= text_equal_nocase(token, TEXT("close"));
        p->keep |= text_equal_nocase(token, TEXT("keep-alive"));
    }
    return 0;
}

static int take_host(struct parsing *p, struct text value)
{
    if (p->request)
        p->request->host = value;
    return 0;
}

/* RFC 9110 14.1.2: bytes=FIRST-LAST, FIRST-, -LENGTH. Anything else is as if it were absent. */
static int take_range(struct parsing *p, struct text value)
{
    struct http_range range = {.given = true, .last = UINT64_MAX};
    struct text first;

    if (!p->request || !text_starts_nocase(value, "bytes="))
        return 0;
    value = text_skip(value, strlen("bytes="));
    if (!memchr(value.at, '-', value.len))
        return 0;
    first = text_split(&value, '-');
    range.suffix = first.len == 0;
    if (text_to_u64(range.suffix ? value : first, 10, &range.first) < 0)
        return 0;
    if (!range.suffix && value.len && text_to_u64(value, 10, &range.last) < 0)
        return 0;
    if (range.last >= range.first || range.suffix)
        p->request->range = range;
    return 0;
}

static const struct {
    const char *name;
    int (*take)(struct parsing *p, struct text value);
} header_rows[] = {
    {"host", take_host},
    {"connection", take_connection},
    {"content-length", take_length},
    {"transfer-encoding", take_encoding},
    {"range", take_range},
};

static int parse_header(struct parsing *p, struct text line)
{
    struct text name = line, value = {NULL, 0};
    const char *colon = memchr(line.at, ':', line.len);

    if (!colon)
        return -EBADMSG;
    name.len = (size_t)(colon - line.at);
    value = text_trim(text_skip(line, name.len + 1));
    if (!is_visible(name) || has_control(value))
        return -EBADMSG; /* among them a continued line (RFC 9112 5.2) */
    if (p->head->n_headers < HTTP_HEADERS_MAX)
        p->head->headers[p->head->n_headers++] = (struct http_header){name, value};
    for (size_t i = 0; i < sizeof(header_rows) / sizeof(*header_rows); i++)
        if (text_equal_nocase(name, text_of(header_rows[i].name)))
            return header_rows[i].take(p, value);
    return 0;
}

static int parse_headers(struct parsing *p, struct text rest)
{
    int err = 0;

    for (struct text line = next_line(&rest); line.len && !err; line = next_line(&rest))
        err = parse_header(p, line);
    p->head->keep_alive = p->head->minor ? !p->close : p->keep && !p->close;
    return err;
}

/* -- heads ---------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    enum http_method method;
} method_rows[] = {
    {"GET", HTTP_GET}, {"HEAD", HTTP_HEAD},     {"POST", HTTP_POST},
    {"PUT", HTTP_PUT}, {"DELETE", HTTP_DELETE},
};

static enum http_method method_of(struct text t)
{
    for (size_t i = 0; i < sizeof(method_rows) / sizeof(*method_rows); i++)
        if (text_is(t, method_rows[i].name))
            return method_rows[i].method;
    return HTTP_OTHER;
}

static int parse_request_line(struct text line, struct http_request *ret)
{
    ret->method_name = text_split(&line, ' ');
    ret->target = text_split(&line, ' ');
    ret->method = method_of(ret->method_name);
    if (!is_visible(ret->method_name) || !is_visible(ret->target))
        return -EBADMSG;
    return parse_version(line, &ret->head.minor);
}

static int parse_status_line(struct text line, struct http_response *ret)
{
    struct text version = text_split(&line, ' '), code = text_split(&line, ' ');
    uint32_t status;

    if (code.len != 3 || text_to_u32(code, 10, &status) < 0 || status < 100)
        return -EBADMSG;
    ret->status = (uint16_t)status;
    ret->reason = line;
    return parse_version(version, &ret->head.minor);
}

/* The first line that is not empty; `*rest` is what follows it. 1 when the head is whole. */
static int whole_head(const void *bytes, size_t len, struct text *first, struct text *rest,
                      size_t *size)
{
    struct text t = {bytes, len < HTTP_HEAD_MAX ? len : HTTP_HEAD_MAX};

    *size = head_end(t);
    if (!*size)
        return len >= HTTP_HEAD_MAX ? -E2BIG : 0;
    *rest = (struct text){bytes, *size};
    do
        *first = next_line(rest);
    while (!first->len);
    return 1;
}

int http_parse_request(const void *bytes, size_t len, struct http_request *ret)
{
    struct parsing p = {&ret->head, ret, false, false};
    struct text first, rest;
    size_t size;
    int err = whole_head(bytes, len, &first, &rest, &size);

    if (err <= 0)
        return err;
    memset(ret, 0, sizeof(*ret));
    if (parse_request_line(first, ret) < 0 || parse_headers(&p, rest) < 0)
        return -EBADMSG;
    if (ret->head.chunked && ret->head.has_length)
        return -EBADMSG; /* two answers to where the next request begins (RFC 9112 6.1) */
    return (int)size;
}

int http_parse_response(const void *bytes, size_t len, struct http_response *ret)
{
    struct parsing p = {&ret->head, NULL, false, false};
    struct text first, rest;
    size_t size;
    int err = whole_head(bytes, len, &first, &rest, &size);

    if (err <= 0)
        return err;
    memset(ret, 0, sizeof(*ret));
    if (parse_status_line(first, ret) < 0 || parse_headers(&p, rest) < 0)
        return -EBADMSG;
    return (int)size;
}

struct text http_header(const struct http_head *h, const char *name)
{
    for (unsigned i = 0; i < h->n_headers; i++)
        if (text_equal_nocase(h->headers[i].name, text_of(name)))
            return h->headers[i].value;
    return (struct text){NULL, 0};
}

/* -- targets and ranges --------------------------------------------------------------------- */

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int unescape(struct text *t)
{
    int high, low;

    if (t->len < 3)
        return -1;
    high = hex_value(t->at[1]);
    low = hex_value(t->at[2]);
    *t = text_skip(*t, 3);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

int http_path(struct text target, char *to, size_t size)
{
    struct writer w = writer_of(to, size);

    while (target.len && target.at[0] != '?' && target.at[0] != '#') {
        int c = (uint8_t)target.at[0];

        if (c == '%')
            c = unescape(&target);
        else
            target = text_skip(target, 1);
        if (c <= 0)
            return -EBADMSG;
        write_u8(&w, (uint8_t)c);
    }
    write_u8(&w, 0);
    return w.bad ? -ENOSPC : (int)writer_len(&w) - 1;
}

bool http_range_cut(const struct http_range *range, uint64_t size, uint64_t *first, uint64_t *n)
{
    uint64_t from = range->first, last = range->last;

    if (!range->given) {
        *first = 0;
        *n = size;
        return true;
    }
    if (range->suffix) {
        if (range->first == 0 || size == 0)
            return false;
        from = range->first < size ? size - range->first : 0;
    }
    if (from >= size)
        return false;
    *first = from;
    *n = (last < size - 1 ? last : size - 1) - from + 1;
    return true;
}

/* -- bodies --------------------------------------------------------------------------------- */

enum { CHUNK_SIZE, CHUNK_EXTENSION, CHUNK_DATA, CHUNK_AFTER, TRAILER_START, TRAILER_LINE };

static void body_of(struct http_body *b, const struct http_head *h)
{
    memset(b, 0, sizeof(*b));
    b->kind = h->chunked ? HTTP_BODY_CHUNKED : HTTP_BODY_LENGTH;
    b->left = h->chunked || !h->has_length ? 0 : h->length;
    b->done = !h->chunked && !b->left;
}

void http_body_of_request(struct http_body *b, const struct http_request *r)
{
    body_of(b, &r->head);
}

void http_body_of_response(struct http_body *b, const struct http_response *r, bool to_head)
{
    body_of(b, &r->head);
    if (to_head || r->status < 200 || r->status == 204 || r->status == 304)
        *b = (struct http_body){.kind = HTTP_BODY_LENGTH, .done = true};
    else if (!r->head.chunked && !r->head.has_length)
        *b = (struct http_body){.kind = HTTP_BODY_UNTIL_CLOSE};
}

static int take_part(struct http_body *b, struct text in, struct text *data)
{
    size_t n = in.len < b->left ? in.len : (size_t)b->left;

    *data = (struct text){in.at, n};
    b->left -= n;
    return (int)n;
}

/* `state` counts the digits of a size in its upper bits, so that a size without digits is refused.
 */
#define DIGIT      0x10
#define STATE_MASK 0x0f

static int size_octet(struct http_body *b, char c)
{
    int digit = hex_value(c);

    if (digit >= 0) {
        if (b->state >> 4 == 15)
            return -EBADMSG; /* 60 bits are enough */
        b->left = b->left << 4 | (uint64_t)digit;
        b->state += DIGIT;
        return 0;
    }
    if (!(b->state >> 4) || (c != '\r' && c != '\n' && c != ';' && c != ' ' && c != '\t'))
        return -EBADMSG;
    b->state = CHUNK_EXTENSION;
    return 0;
}

static int line_octet(struct http_body *b, char c)
{
    switch (b->state & STATE_MASK) {
    case CHUNK_AFTER:
        if (c == '\n')
            b->state = CHUNK_SIZE;
        return c == '\n' || c == '\r' ? 0 : -EBADMSG;
    case TRAILER_START:
        b->done = c == '\n';
        if (c != '\n' && c != '\r')
            b->state = TRAILER_LINE;
        return 0;
    case TRAILER_LINE:
        if (c == '\n')
            b->state = TRAILER_START;
        return 0;
    default:
        if ((b->state & STATE_MASK) == CHUNK_SIZE && size_octet(b, c) < 0)
            return -EBADMSG;
        if (b->state == CHUNK_EXTENSION && c == '\n')
            b->state = b->left ? CHUNK_DATA : TRAILER_START;
        return 0;
    }
}

static int read_chunked(struct http_body *b, struct text in, struct text *data)
{
    size_t at = 0;

    while (at < in.len && !b->done) {
        if (b->state == CHUNK_DATA) {
            at += (size_t)take_part(b, text_skip(in, at), data);
            if (!b->left)
                b->state = CHUNK_AFTER;
            return (int)at;
        }
        if (line_octet(b, in.at[at++]) < 0)
            return -EBADMSG;
    }
    return (int)at;
}

int http_body_read(struct http_body *b, const void *bytes, size_t len, struct text *data)
{
    struct text in = {bytes, len < INT32_MAX ? len : INT32_MAX};
    int used;

    *data = (struct text){in.at, 0};
    if (b->done)
        return 0;
    if (b->kind == HTTP_BODY_CHUNKED)
        return read_chunked(b, in, data);
    if (b->kind == HTTP_BODY_UNTIL_CLOSE)
        b->left = in.len;
    used = take_part(b, in, data);
    b->done = b->kind == HTTP_BODY_LENGTH && !b->left;
    return used;
}

/* -- writing -------------------------------------------------------------------------------- */

static const struct {
    uint16_t status;
    const char *reason;
} reasons[] = {
    {100, "Continue"},
    {200, "OK"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {411, "Length Required"},
    {413, "Content Too Large"},
    {416, "Range Not Satisfiable"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
};

const char *http_reason(uint16_t status)
{
    for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "";
}

/* No value can begin a line of its own. */
static void write_line_text(struct writer *w, struct text t)
{
    for (size_t i = 0; i < t.len; i++)
        write_u8(w, (uint8_t)t.at[i] < ' ' ? ' ' : (uint8_t)t.at[i]);
}

void http_write_status(struct writer *w, uint16_t status)
{
    write_format(w, "HTTP/1.1 %u %s\r\n", status, http_reason(status));
}

void http_write_header(struct writer *w, const char *name, struct text value)
{
    write_string(w, name);
    write_string(w, ": ");
    write_line_text(w, value);
    write_string(w, "\r\n");
}

void http_write_number(struct writer *w, const char *name, uint64_t value)
{
    write_format(w, "%s: %llu\r\n", name, (unsigned long long)value);
}

void http_write_end(struct writer *w)
{
    write_string(w, "\r\n");
}
