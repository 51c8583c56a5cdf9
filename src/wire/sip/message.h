/* message.h - a SIP message, read in place: an index of where its headers lie (RFC 3261 7).
 *
 * Nothing is copied and nothing is allocated: the index lives on the caller's stack and borrows
 * from the bytes given. Values keep their folds (CR LF blank counts as a blank for every reader
 * here) and are trimmed. What a request lacks is no reason to drop it: `problem` says how it must
 * be answered.
 *
 *   struct sip_message m;
 *   if (sip_parse(bytes, len, &m) < 0) … no SIP: count it and forget it
 *   if (m.problem) … answer with that status and reason
 *   SIP_EACH(&m, SIP_VIA, row) … row->value */
#pragma once

#include "base/buf.h"
#include "wire/sip/values.h"

#define SIP_HEADERS_MAX 96    /* lines; more make a request 400 and a response nothing */
#define SIP_HEAD_MAX    16384 /* bytes up to the empty line */

enum sip_header_id {
    SIP_OTHER,
#define SIP_HEADER(id, name, letter, flags) SIP_##id,
#include "wire/sip/headers.def"
#undef SIP_HEADER
    N_SIP_HEADERS
};

enum sip_method {
    SIP_UNKNOWN_METHOD,
    SIP_REGISTER,
    SIP_INVITE,
    SIP_ACK,
    SIP_BYE,
    SIP_CANCEL,
    SIP_OPTIONS,
    SIP_NOTIFY,
    SIP_SUBSCRIBE,
    SIP_REFER,
    SIP_PUBLISH,
    SIP_UPDATE,
    SIP_INFO,
    SIP_PRACK,
    SIP_MESSAGE,
    N_SIP_METHODS
};

enum sip_transport { SIP_UDP, SIP_TCP, SIP_TLS };

struct sip_row {
    struct text name, value;
    uint8_t id;   /* enum sip_header_id */
    uint8_t next; /* 1 + index of the next row of the same id; 0: none */
};

struct sip_message {
    uint16_t status;         /* of a response; 0: a request */
    enum sip_method method;  /* of a request; of the CSeq in a response */
    struct text method_name; /* as sent; methods are case-sensitive */
    struct text uri;         /* Request-URI, as sent … */
    struct sip_uri target;   /* … and read */
    struct text reason;      /* of a response */
    struct sip_via via;      /* the topmost */
    struct sip_address from, to;
    struct text from_tag, to_tag; /* at == NULL when there is none */
    struct text call_id;
    uint32_t cseq;
    bool has_length;
    size_t length;     /* Content-Length; of a datagram without one: what is there */
    size_t head;       /* bytes of the head, the empty line included */
    struct text body;  /* as much as is there, cut to `length` (RFC 3261 18.3) */
    uint16_t problem;  /* 0, or the status a request must be answered with: 400, 505, 513 … */
    const char *words; /* of the problem: its reason phrase, static */
    uint8_t n_rows;
    uint8_t first[N_SIP_HEADERS]; /* 1 + index of the first row of an id; 0: none */
    struct sip_row rows[SIP_HEADERS_MAX];
};

/* A datagram. 0, or -EBADMSG: not SIP, or a response or ACK that cannot be understood: drop it. A
 * request that is malformed but can be answered is 0 with `problem` set; what stands in it may then
 * be partly read. Leading CR LF are skipped (RFC 3261 7.5). The start line, Via, From, To, Call-ID,
 * CSeq, Contact, Max-Forwards and lengths are judged; other values are for those who read them. */
int sip_parse(const void *bytes, size_t len, struct sip_message *ret);

/* The head of a message in a stream (framing.h): as sip_parse, but -EAGAIN while the head's end is
 * not there. `length` is what Content-Length says, `body` is empty. */
int sip_parse_head(const void *bytes, size_t len, struct sip_message *ret);

/* The first row of a header, or NULL. */
static inline const struct sip_row *sip_row(const struct sip_message *m, enum sip_header_id id)
{
    return m->first[id] ? &m->rows[m->first[id] - 1] : NULL;
}

static inline const struct sip_row *sip_row_next(const struct sip_message *m,
                                                 const struct sip_row *row)
{
    return row->next ? &m->rows[row->next - 1] : NULL;
}

#define SIP_EACH(m, id, row)                                                                       \
    for (const struct sip_row *row = sip_row(m, id); row; row = sip_row_next(m, row))

/* Its value, or a text with at == NULL. */
struct text sip_value(const struct sip_message *m, enum sip_header_id id);
/* The same for a header that has no row in headers.def; any case. */
struct text sip_value_named(const struct sip_message *m, const char *name);
/* Next element of a list header across its rows and commas, commas in quotes and angle brackets
 * left alone: start with *row = sip_row(…) and *rest = (*row)->value; false at the end. */
bool sip_next(const struct sip_message *m, const struct sip_row **row, struct text *rest,
              struct text *element);
/* Whether a list of tokens (Supported, Require …) holds this one; any case. */
bool sip_has_token(const struct sip_message *m, enum sip_header_id id, const char *token);

enum sip_method sip_method_of(struct text name);
const char *sip_method_name(enum sip_method method);
const char *sip_reason(uint16_t status); /* "Not Found"; "" when unknown */
const char *sip_header_name(enum sip_header_id id);
