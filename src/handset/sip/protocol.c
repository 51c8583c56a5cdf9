/* protocol.c - the SIP phone's row among the protocols; see phone.h. */
#include "handset/sip/phone.h"

#define OWN        struct sip_phone
#define CORE(verb) sip_phone_##verb
#include "handset/protocol_calls.def"

static void start(struct any_phone *p, const struct phone_start *s, uint64_t now_ms,
                  struct effects *fx)
{
    sip_phone_start(own(p), s, now_ms, fx);
}

const struct phone_protocol sip_protocol = {"sip",  init,   done,  start, leave, stop,
                                            opened, closed, input, tick,  due};
