/* protocol.c - the SCCP phone's row among the protocols; see phone.h. */
#include "wire/phone_config.h"
#include "handset/sccp/phone.h"

#define OWN        struct sccp_phone
#define CORE(verb) sccp_phone_##verb
#include "handset/protocol_calls.def"

static void start(struct any_phone *p, const struct phone_start *s, uint64_t now_ms,
                  struct effects *fx)
{
    own(p)->delayed = s->config && s->config->delayed_failover;
    sccp_phone_start(own(p), s->own, s->servers, s->n_servers, s->reason, now_ms, fx);
}

static int keypad(struct any_phone *p, char key, struct effects *fx)
{
    return sccp_phone_keypad(own(p), key, fx);
}

static int hook(struct any_phone *p, bool off, struct effects *fx)
{
    return sccp_phone_hook(own(p), off, fx);
}

static int stimulus(struct any_phone *p, uint32_t button, uint32_t instance, struct effects *fx)
{
    return sccp_phone_stimulus(own(p), button, instance, fx);
}

static int softkey(struct any_phone *p, uint32_t event, struct effects *fx)
{
    return sccp_phone_softkey(own(p), event, fx);
}

const struct phone_protocol sccp_protocol = {"sccp", init,   done,   start,    leave,
                                             stop,   opened, closed, input,    tick,
                                             due,    keypad, hook,   stimulus, softkey};
