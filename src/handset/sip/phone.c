/* phone.c - a phone around its registrations: links, time, beginning and end; see phone.h.
 */
#include "handset/sip/phone.h"

#include <stdlib.h>

#include "handset/sip/parts.h"

#define NEVER UINT64_MAX

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint32_t sip_random(struct sip_phone *p)
{
    return sip_mix(p->seed, ++p->n_branches, 0x7a11);
}

/* ---- connections ---- */

void sip_phone_opened(struct sip_phone *p, unsigned link, uint64_t now_ms, struct effects *fx)
{
    struct phone_link *l = &p->links[link];

    if (l->state != PHONE_LINK_OPENING)
        return;
    l->state = PHONE_LINK_OPEN;
    if (link == p->active) {
        phone_tell(fx, PHONE_EVENT_OPENED);
        if (p->state == PHONE_CONNECTING)
            p->state = PHONE_REGISTERING;
    }
    sip_event(p, &p->prime[link], REG_OPENED, now_ms, fx);
    for (unsigned i = 1; link == p->active && i < p->setup->n_lines; i++)
        sip_event(p, &p->setup->lines[i].registration, REG_OPENED, now_ms, fx);
}

void sip_phone_closed(struct sip_phone *p, unsigned link, int err, uint64_t now_ms,
                      struct effects *fx)
{
    struct sip_turn t = {
        .p = p, .r = &p->prime[link], .event = REG_BROKEN, .err = err, .now_ms = now_ms, .fx = fx};

    if (p->links[link].state == PHONE_LINK_CLOSED)
        return;
    phone_forget_partial(&p->links[link]);
    p->links[link].state = PHONE_LINK_CLOSED;
    t.r->branch = 0;
    t.r->give_up_ms = t.r->state == REG_IDLE ? t.r->give_up_ms : NEVER;
    t.r->resend_ms = NEVER;
    sip_step(&t);
}

/* ---- time ---- */

static void registration_tick(struct sip_phone *p, struct sip_registration *r, uint64_t now_ms,
                              struct effects *fx)
{
    if (now_ms >= r->give_up_ms) {
        r->give_up_ms = r->resend_ms = NEVER;
        r->branch = 0;
        sip_event(p, r, REG_SILENCE, now_ms, fx);
    } else if (now_ms >= r->resend_ms) {
        sip_send(p, r, now_ms, fx);
    }
    if (now_ms >= r->due_ms) {
        r->due_ms = NEVER;
        sip_event(p, r, REG_DUE, now_ms, fx);
    }
}

static void state_due(struct sip_phone *p, uint64_t now_ms, struct effects *fx)
{
    p->due_ms = NEVER;
    switch ((enum phone_state)p->state) {
    case PHONE_REJECTED:
    case PHONE_BETWEEN:
        if (p->rereads && p->failures > 1) {
            p->state = PHONE_OFF;
            phone_tell(fx, PHONE_EVENT_REREAD);
        } else {
            sip_begin(p, now_ms, fx);
        }
        break;
    case PHONE_LEAVING:
        sip_goodbye_over(p, now_ms, fx);
        break;
    case PHONE_REGISTERED: /* an order that waits a moment, or a phone that cannot stay */
        if (p->leaving)
            sip_phone_leave(p, p->reason, p->leaving, now_ms, fx);
        else
            sip_phone_leave(p, PHONE_REASON_USER_RESET, PHONE_EVENT_RESTART, now_ms, fx);
        break;
    default:
        break;
    }
}

void sip_phone_tick(struct sip_phone *p, uint64_t now_ms, struct effects *fx)
{
    for (unsigned i = 0; i < p->n_servers; i++)
        registration_tick(p, &p->prime[i], now_ms, fx);
    for (unsigned i = 1; p->setup && i < p->setup->n_lines; i++)
        registration_tick(p, &p->setup->lines[i].registration, now_ms, fx);
    if (now_ms >= p->lines_due_ms)
        sip_register_lines(p, now_ms, fx);
    if (now_ms >= p->due_ms)
        state_due(p, now_ms, fx);
    if (p->screen && screen_tick(p->screen, now_ms))
        effects_add(fx, EFFECT_LCD);
}

static uint64_t registration_due(const struct sip_registration *r)
{
    return earlier(earlier(r->due_ms, r->give_up_ms), r->resend_ms);
}

uint64_t sip_phone_due(const struct sip_phone *p)
{
    uint64_t due = earlier(p->due_ms, p->lines_due_ms);

    for (unsigned i = 0; i < p->n_servers; i++)
        due = earlier(due, registration_due(&p->prime[i]));
    for (unsigned i = 1; p->setup && i < p->setup->n_lines; i++)
        due = earlier(due, registration_due(&p->setup->lines[i].registration));
    return p->screen ? earlier(due, screen_due(p->screen)) : due;
}

/* ---- beginning and end ---- */

void sip_phone_init(struct sip_phone *p, const struct phone_kind *kind, struct mac mac)
{
    *p = (struct sip_phone){.protocol = &sip_protocol,
                            .kind = kind,
                            .name = device_name_of_mac(mac),
                            .standby = NO_SERVER,
                            .come_back = NO_SERVER,
                            .due_ms = NEVER,
                            .lines_due_ms = NEVER};
    for (unsigned i = 0; i < PHONE_SERVERS; i++) {
        p->prime[i].link = (uint8_t)i;
        sip_registration_reset(&p->prime[i]);
    }
}

void sip_phone_done(struct sip_phone *p)
{
    for (unsigned i = 0; i < PHONE_LINKS; i++)
        phone_forget_partial(&p->links[i]);
    sip_setup_free(p->setup);
    free(p->challenge);
    p->setup = NULL;
    p->challenge = NULL;
}

/* After a boot everything is counted from the beginning, and the clock is at 1970. */
static void forget_past(struct sip_phone *p, uint64_t now_ms)
{
    struct mac mac = {{0}};

    device_name_mac(p->name, &mac);
    p->seed = sip_mix((uint32_t)mac_number(mac), (uint32_t)now_ms, (uint32_t)(now_ms >> 32));
    p->n_dialogs = 0;
    p->clock_us = -(int64_t)(now_ms * 1000);
    free(p->challenge);
    p->challenge = NULL;
    for (unsigned i = 0; i < PHONE_SERVERS; i++)
        p->prime[i].cseq = 100;
}

void sip_phone_start(struct sip_phone *p, const struct phone_start *start, uint64_t now_ms,
                     struct effects *fx)
{
    bool boots = start->reason == PHONE_REASON_INITIALIZED || start->reason == PHONE_REASON_RESET ||
                 start->reason == PHONE_REASON_USER_RESET || !p->seed;

    sip_phone_stop(p, fx);
    p->address = start->own;
    p->n_servers = (uint8_t)(start->n_servers < PHONE_SERVERS ? start->n_servers : PHONE_SERVERS);
    memcpy(p->servers, start->servers, p->n_servers * sizeof(*p->servers));
    p->reason = (uint8_t)start->reason;
    p->failures = p->moves = 0;
    p->leaving = 0;
    p->was_away = false;
    if (boots)
        forget_past(p, now_ms);
    if (!p->n_servers || sip_setup_take(p, start) < 0)
        return;
    if (*p->setup->lines[0].name)
        sip_begin(p, now_ms, fx);
    else
        phone_display(p->screen, fx, "Unprovisioned");
}

void sip_say_goodbye(struct sip_phone *p, uint64_t now_ms, struct effects *fx)
{
    p->state = PHONE_LEAVING;
    p->due_ms = now_ms + SIP_GOODBYE_MS;
    p->lines_due_ms = NEVER;
    for (unsigned i = 1; i < p->setup->n_lines; i++)
        sip_event(p, &p->setup->lines[i].registration, REG_CANCEL, now_ms, fx);
    sip_event(p, sip_active(p), REG_CANCEL, now_ms, fx);
}

void sip_phone_leave(struct sip_phone *p, enum phone_reason reason, enum phone_event after,
                     uint64_t now_ms, struct effects *fx)
{
    p->reason = (uint8_t)reason;
    p->leaving = (uint8_t)after;
    p->come_back = NO_SERVER;
    if (p->state != PHONE_REGISTERED) {
        sip_after_goodbye(p, fx);
        return;
    }
    if (p->kind->sip->alarms)
        sip_send_alarm(p, p->active, "LastOutOfServiceInformation", now_ms, fx);
    if (p->standby != NO_SERVER && p->links[p->standby].state == PHONE_LINK_OPEN)
        sip_event(p, &p->prime[p->standby], REG_DUE, now_ms, fx);
    sip_say_goodbye(p, now_ms, fx);
    phone_display(p->screen, fx, "Resetting");
}

void sip_goodbye_over(struct sip_phone *p, uint64_t now_ms, struct effects *fx)
{
    if (p->come_back != NO_SERVER)
        sip_fall_back(p, now_ms, fx);
    else
        sip_after_goodbye(p, fx);
}

void sip_after_goodbye(struct sip_phone *p, struct effects *fx)
{
    enum phone_event event = p->leaving;

    sip_phone_stop(p, fx);
    if (p->screen)
        screen_clear(p->screen);
    p->leaving = 0;
    if (event)
        phone_tell(fx, event);
}

void sip_phone_stop(struct sip_phone *p, struct effects *fx)
{
    for (unsigned i = 0; i < PHONE_SERVERS; i++) {
        sip_link_close(p, i, fx);
        sip_registration_reset(&p->prime[i]);
    }
    for (unsigned i = 1; p->setup && i < p->setup->n_lines; i++)
        sip_registration_reset(&p->setup->lines[i].registration);
    p->state = PHONE_OFF;
    p->standby = p->come_back = NO_SERVER;
    p->due_ms = p->lines_due_ms = NEVER;
}
