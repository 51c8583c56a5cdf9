/* framing.h - SIP messages in a byte stream (RFC 3261 18.3, RFC 5626 3.5.1). */
#pragma once

#include "wire/sip/message.h"

#define SIP_BODY_MAX 65536

enum sip_frame_kind {
    SIP_FRAME_MORE,    /* the rest is the start of a message: keep it until more has come */
    SIP_FRAME_MESSAGE, /* `message` is the next one; `used` bytes of the stream are done with */
    SIP_FRAME_PING,    /* CR LF CR LF: answer with CR LF */
    SIP_FRAME_SKIP, /* `used` bytes were a pong, stray line ends, or a response or ACK that cannot
                       be understood */
    SIP_FRAME_BAD   /* no message can start like this, or too large: answer `message.problem` if it
                       is set (a request that can be answered), then close */
};

/* What stands at the start of `bytes`. */
enum sip_frame_kind sip_frame_next(const void *bytes, size_t len, struct sip_message *message,
                                   size_t *used);
