/* upper_pdu.h - a message without its packets, and who said it to whom: the frames of link type 252 ("upper PDU",
 * epan/exported_pdu.h of Wireshark describes the tags). */
#pragma once

#include "base/address.h"
#include "base/buf.h"

#define UPPER_PDU_HEAD 160 /* room for all tags */

struct upper_pdu {
    const char *dissector; /* as Wireshark calls the protocol: "skinny", "sip", "dhcp" */
    bool tcp;
    struct endpoint from, to;
    struct text message;
};

void upper_pdu_write(struct writer *w, const struct upper_pdu *p);
/* 0, or -EBADMSG: tags that run over the end, or none of addresses. The text borrows; `dissector` is not set, `name` is. */
int upper_pdu_read(const void *bytes, size_t len, struct upper_pdu *ret, struct text *name);
