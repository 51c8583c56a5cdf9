/* sip_protocol.c - the SIP phone's row among the protocols; see phone.h. */
#include "handset/sip_phone.h"

static struct sip_phone *own(struct any_phone *p)
{
    return (struct sip_phone *)p;
}

static void init(struct any_phone *p, const struct phone_kind *kind, struct mac mac)
{
    sip_phone_init(own(p), kind, mac);
}

static void done(struct any_phone *p)
{
    sip_phone_done(own(p));
}

static void start(struct any_phone *p, const struct phone_start *s, uint64_t now_ms,
                  struct effects *fx)
{
    sip_phone_start(own(p), s, now_ms, fx);
}

static void leave(struct any_phone *p, enum phone_reason reason, enum phone_event after,
                  uint64_t now_ms, struct effects *fx)
{
    sip_phone_leave(own(p), reason, after, now_ms, fx);
}

static void stop(struct any_phone *p, struct effects *fx)
{
    sip_phone_stop(own(p), fx);
}

static void opened(struct any_phone *p, unsigned link, uint64_t now_ms, struct effects *fx)
{
    sip_phone_opened(own(p), link, now_ms, fx);
}

static void closed(struct any_phone *p, unsigned link, int err, uint64_t now_ms, struct effects *fx)
{
    sip_phone_closed(own(p), link, err, now_ms, fx);
}

static void input(struct any_phone *p, unsigned link, const void *bytes, size_t len,
                  uint64_t now_ms, struct effects *fx)
{
    sip_phone_input(own(p), link, bytes, len, now_ms, fx);
}

static void tick(struct any_phone *p, uint64_t now_ms, struct effects *fx)
{
    sip_phone_tick(own(p), now_ms, fx);
}

static uint64_t due(const struct any_phone *p)
{
    return sip_phone_due((const struct sip_phone *)p);
}

const struct phone_protocol sip_protocol = {"sip",  init,   done,  start, leave, stop,
                                            opened, closed, input, tick,  due};
