/* write.h - building SIP messages into a writer.
 *
 * A response starts from the request it answers: Via (with received and rport filled in), From, To
 * with our tag, Call-ID and CSeq are copied as they stand (RFC 3261 8.2.6.2). Every message ends
 * with sip_write_body, which writes Content-Length. A message that did not fit leaves the writer
 * bad. */
#pragma once

#include "base/address.h"
#include "wire/sip/message.h"

/* Status line and the headers that are copied; `tag` is ours for the To (nothing when it has one,
 * or when `tag` is empty: 100). `from` is where the request came from. */
void sip_write_response(struct writer *w, const struct sip_message *request, uint16_t status,
                        const char *reason, struct text tag, const struct endpoint *from);

/* The same in the order of CallManager: Date behind To, Server behind Call-ID; 0 and an empty text
 * leave them out. */
void sip_write_answer(struct writer *w, const struct sip_message *request, uint16_t status,
                      const char *reason, struct text tag, const struct endpoint *from,
                      uint64_t wall_us, struct text server);

/* What every request of ours begins with; all texts without line ends. */
struct sip_request_head {
    enum sip_method method;
    struct text uri;
    enum sip_transport transport;
    struct endpoint local; /* of the Via */
    struct text branch;    /* with its z9hG4bK */
    struct text from, to;  /* whole values, with tags */
    struct text call_id;
    uint32_t cseq;
};
void sip_write_request(struct writer *w, const struct sip_request_head *head);

void sip_write_header(struct writer *w, enum sip_header_id id, struct text value);
void sip_write_named(struct writer *w, const char *name, struct text value);
void sip_write_number(struct writer *w, enum sip_header_id id, uint64_t value);
void sip_write_format(struct writer *w, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void sip_write_date(struct writer *w, uint64_t wall_us); /* Date: Sat, 13 Nov 2010 23:29:00 GMT */
/* Content-Type (unless empty), Content-Length, empty line, body. */
void sip_write_body(struct writer *w, struct text type, struct text body);
