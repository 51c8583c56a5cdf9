/* flow.h - the way a SIP message came, and the way its answer goes (RFC 5626: a flow). */
#pragma once

#include "base/address.h"
#include "wire/sip/message.h"

struct sip_flow {
    uint8_t transport; /* enum sip_transport */
    uint64_t link;     /* of TCP and TLS; 0: UDP */
    struct endpoint peer, local;
};
