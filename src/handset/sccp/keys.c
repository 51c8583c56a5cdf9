/* keys.c - what the user presses, as messages; see phone.h. */
#include <errno.h>

#include "handset/sccp/parts.h"

static bool can_talk(const struct sccp_phone *p)
{
    return p->state == PHONE_REGISTERED;
}

int sccp_phone_keypad(struct sccp_phone *p, char key, struct effects *fx)
{
    static const char keys[] = "0123456789ABCD*#+";
    const char *at = strchr(keys, key);
    struct sccp_keypad_button m = {.line = p->line, .call = p->call};

    if (!key || !at)
        return -EINVAL;
    if (!can_talk(p))
        return -ENOTCONN;
    m.key = (uint32_t)(at - keys);
    phone_put(p, p->active, SCCP_KEYPAD_BUTTON, &m, fx);
    return 0;
}

int sccp_phone_hook(struct sccp_phone *p, bool off, struct effects *fx)
{
    struct sccp_off_hook m = {.line = p->line, .call = p->call}; /* OnHook has the same two words */

    if (!can_talk(p))
        return -ENOTCONN;
    phone_put(p, p->active, off ? SCCP_OFF_HOOK : SCCP_ON_HOOK, &m, fx);
    if (p->screen)
        p->screen->off_hook = off;
    return 0;
}

int sccp_phone_stimulus(struct sccp_phone *p, uint32_t button, uint32_t instance,
                        struct effects *fx)
{
    struct sccp_stimulus m = {.stimulus = button, .instance = instance, .call = p->call};

    if (!can_talk(p))
        return -ENOTCONN;
    phone_put(p, p->active, SCCP_STIMULUS, &m, fx);
    return 0;
}

int sccp_phone_softkey(struct sccp_phone *p, uint32_t event, struct effects *fx)
{
    struct sccp_softkey_event m = {.event = event, .line = p->call ? p->line : 0, .call = p->call};

    if (!can_talk(p))
        return -ENOTCONN;
    phone_put(p, p->active, SCCP_SOFTKEY_EVENT, &m, fx);
    return 0;
}
