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
