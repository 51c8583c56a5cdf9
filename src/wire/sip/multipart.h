/* multipart.h - bodies of several parts, in place (RFC 2046 5.1, RFC 5621).
 *
 * Slices borrow from the body. */
#pragma once

#include "wire/sip/message.h"

#define SIP_PARTS_DEPTH  4  /* multiparts within one another */
#define SIP_BOUNDARY_MAX 70 /* RFC 2046 5.1.1 */

struct sip_part {
    struct text type;        /* Content-Type; empty: none was given */
    struct text disposition; /* Content-Disposition */
    struct text id;          /* Content-ID without its angle brackets */
    struct text body;
};

/* The leaves of the whole, multiparts taken apart, a plain body as one part: their number, 0 without
 * a body. -EBADMSG: no boundary, or no part begins with it, or a part's head is malformed; -E2BIG:
 * more than `max`, or nested too deeply. A last part without closing line is accepted. */
int sip_parts(const struct sip_part *whole, struct sip_part *parts, unsigned max);
/* The same of a whole message. */
int sip_message_parts(const struct sip_message *m, struct sip_part *parts, unsigned max);

/* Whether a Content-Type is this one, whatever its parameters; any case. */
bool sip_type_is(struct text type, const char *name);
/* The value of a parameter of a Content-Type or Content-Disposition. */
bool sip_type_parameter(struct text type, const char *name, struct text *value);

/* Writes one part, then the closing line once all are there. Empty fields are left out. */
void sip_write_part(struct writer *w, const char *boundary, const struct sip_part *part);
void sip_write_parts_end(struct writer *w, const char *boundary);
