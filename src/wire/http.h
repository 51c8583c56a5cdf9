/* http.h - as much HTTP/1.1 (RFC 9110, 9112) as phones speak: heads, ranges, bodies by length or in chunks.
 *
 * Incremental: the caller keeps the bytes received so far and asks again when there are more. A
 * phone's whole request may be `GET /name HTTP/1.1`, one `Host:x` without a blank, an empty line.
 * Lines may end in a bare LF. */
#pragma once

#include "base/buf.h"

#define HTTP_HEAD_MAX    8192 /* bytes of a head; more is refused */
#define HTTP_HEADERS_MAX 32

enum http_method { HTTP_OTHER, HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_DELETE };

struct http_header {
    struct text name, value;
};

struct http_range {
    bool given;      /* a single `bytes=` range; several or malformed ones are ignored (RFC 9110 14.2) */
    bool suffix;     /* the last `first` bytes */
    uint64_t first, last; /* last UINT64_MAX: to the end */
};

/* What both kinds of head share. Texts borrow from the bytes given. */
struct http_head {
    uint8_t minor; /* HTTP/1.minor; a request without a version (HTTP/0.9) is refused */
    bool keep_alive;
    bool chunked;
    bool has_length;
    uint64_t length; /* Content-Length */
    struct http_header headers[HTTP_HEADERS_MAX]; /* the rest is dropped */
    uint8_t n_headers;
};

struct http_request {
    struct http_head head;
    enum http_method method;
    struct text method_name;
    struct text target; /* as sent: "/SEP001122334455.cnf.xml?x" */
    struct text host;
    struct http_range range;
};

struct http_response {
    struct http_head head;
    uint16_t status;
    struct text reason;
};

/* The length of the head (what follows is its body or the next request), 0 when more bytes are
 * needed, -EBADMSG when malformed, -E2BIG when longer than HTTP_HEAD_MAX. */
int http_parse_request(const void *bytes, size_t len, struct http_request *ret);
int http_parse_response(const void *bytes, size_t len, struct http_response *ret);

/* at == NULL when there is no such header; any case. */
struct text http_header(const struct http_head *h, const char *name);
/* The path of a target without its query, percent-decoded, with a NUL. The length, -EBADMSG (bad escape, %00), -ENOSPC. */
int http_path(struct text target, char *to, size_t size);
/* Cuts `range` to a body of `size` bytes: true and the part, or false: not satisfiable (416). */
bool http_range_cut(const struct http_range *range, uint64_t size, uint64_t *first, uint64_t *n);

/* The body that follows a head, as it arrives. */
struct http_body {
    enum { HTTP_BODY_LENGTH, HTTP_BODY_CHUNKED, HTTP_BODY_UNTIL_CLOSE } kind;
    uint8_t state;   /* of chunk reading */
    bool done;
    uint64_t left;
};

void http_body_of_request(struct http_body *b, const struct http_request *r);
void http_body_of_response(struct http_body *b, const struct http_response *r, bool to_head);
/* Takes bytes: *data is a part of the body in place (maybe empty). Returns how many bytes were used, -EBADMSG.
 * Call again with the rest until everything is used or b->done. */
int http_body_read(struct http_body *b, const void *bytes, size_t len, struct text *data);

const char *http_reason(uint16_t status); /* "Not Found"; "" when unknown */
void http_write_status(struct writer *w, uint16_t status);
void http_write_header(struct writer *w, const char *name, struct text value); /* CR and LF in it become blanks */
void http_write_number(struct writer *w, const char *name, uint64_t value);
void http_write_end(struct writer *w);
