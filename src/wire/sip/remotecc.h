/* remotecc.h - Cisco's remote control bodies: what phones offer with REGISTER and how it is
 * answered; what a server orders with REFER.
 *
 * The documents are small and come with every registration, so they are read in place, without
 * allocation: elements, attributes and text; entities stay as written, declarations are refused. */
#pragma once

#include "wire/sip/message.h"

#define REMOTECC_REQUEST_TYPE  TEXT("application/x-cisco-remotecc-request+xml")
#define REMOTECC_RESPONSE_TYPE TEXT("application/x-cisco-remotecc-response+xml")
#define REMOTECC_DEPTH         8 /* elements within one another */
#define REMOTECC_COMBINE_MAX   6 /* orders in one REFER, as CallManager has it */
#define REMOTECC_PARTS         4 /* of a body that are looked at */
#define REMOTECC_ANSWER_MAX    512

enum remotecc_option {
#define REMOTECC_OPTION(id, element, usage, choice) REMOTECC_##id,
#include "wire/sip/remotecc.def"
#undef REMOTECC_OPTION
    N_REMOTECC_OPTIONS
};

/* What the body of a REGISTER, or the answer to it, says. */
struct remotecc_offer {
    bool bulk;            /* register all lines with this one */
    bool options;         /* there is an optionsind */
    uint8_t combine;      /* orders in one REFER, at most */
    uint16_t code;        /* of an answer */
    uint32_t can;         /* bits of enum remotecc_option */
    uint32_t unsolicited; /* of these: with <unot>, and with <sub> */
    uint32_t subscribed;
};

/* Reads all remotecc parts of a message; other parts are passed over. 0, or -EBADMSG: malformed. */
int remotecc_read_offer(const struct sip_message *m, struct remotecc_offer *ret);
/* The answer to it, of REMOTECC_RESPONSE_TYPE, as CallManager writes it; unsolicited NOTIFYs are
 * chosen where the phone leaves the choice. */
void remotecc_write_answer(struct writer *w, const struct remotecc_offer *offer);

/* The text of the first element at a path below the root ("statuslineupdatereq/statustext");
 * false when there is none. */
bool remotecc_value(struct text xml, const char *path, struct text *ret);

/* -- orders, each a document of REMOTECC_REQUEST_TYPE -------------------------------------------
 */

struct remotecc_line {
    unsigned line; /* 0: all */
    bool message_waiting;
    bool forwards; /* write the two below */
    struct text forward_to;
    bool to_voicemail;
};
void remotecc_write_bulkupdate(struct writer *w, const struct remotecc_line *lines, size_t n);
/* A line of text on the display. Bytes 0x80 + code are expanded by the phone (X-cisco-escapecodes):
 * the document is then ISO 8859-1. */
void remotecc_write_status(struct writer *w, struct text words, unsigned timeout_s);
/* Whether "do not disturb" is on; calls are shown without a ring. */
void remotecc_write_dnd(struct writer *w, bool on);
