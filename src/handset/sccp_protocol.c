/* sccp_protocol.c - the SCCP phone's row among the protocols; see phone.h. */
#include "wire/phone_config.h"
#include "handset/sccp_phone.h"

static struct sccp_phone *own(struct any_phone *p)
{
    return (struct sccp_phone *)p;
}

static void init(struct any_phone *p, const struct phone_kind *kind, struct mac mac)
{
    sccp_phone_init(own(p), kind, mac);
}

static void done(struct any_phone *p)
{
    sccp_phone_done(own(p));
}

static void start(struct any_phone *p, const struct phone_start *s, uint64_t now_ms,
                  struct effects *fx)
{
    own(p)->delayed = s->config && s->config->delayed_failover;
    sccp_phone_start(own(p), s->own, s->servers, s->n_servers, s->reason, now_ms, fx);
}

static void leave(struct any_phone *p, enum phone_reason reason, enum phone_event after,
                  uint64_t now_ms, struct effects *fx)
{
    sccp_phone_leave(own(p), reason, after, now_ms, fx);
}

static void stop(struct any_phone *p, struct effects *fx)
{
    sccp_phone_stop(own(p), fx);
}

static void opened(struct any_phone *p, unsigned link, uint64_t now_ms, struct effects *fx)
{
    sccp_phone_opened(own(p), link, now_ms, fx);
}

static void closed(struct any_phone *p, unsigned link, int err, uint64_t now_ms, struct effects *fx)
{
    sccp_phone_closed(own(p), link, err, now_ms, fx);
}

static void input(struct any_phone *p, unsigned link, const void *bytes, size_t len,
                  uint64_t now_ms, struct effects *fx)
{
    sccp_phone_input(own(p), link, bytes, len, now_ms, fx);
}

static void tick(struct any_phone *p, uint64_t now_ms, struct effects *fx)
{
    sccp_phone_tick(own(p), now_ms, fx);
}

static uint64_t due(const struct any_phone *p)
{
    return sccp_phone_due((const struct sccp_phone *)p);
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
