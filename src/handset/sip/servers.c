/* servers.c - which server is active, which stands by, and how the phone gets from one to the
 * other; see parts.h. */
#include <stdio.h>

#include "handset/sip/parts.h"

#define AGAIN_MS      100    /* after the first round in vain */
#define PAUSE_MS      120000 /* after the others: so long, and up to a minute more */
#define PAUSE_MORE_MS 60000
#define NEVER         UINT64_MAX

/* ---- links ---- */

void sip_link_open(struct sip_phone *p, unsigned link, struct effects *fx)
{
    struct effect *e;

    if (p->links[link].state != PHONE_LINK_CLOSED)
        return;
    p->links[link].state = PHONE_LINK_OPENING;
    p->links[link].server = (uint8_t)link;
    e = effects_add(fx, EFFECT_CONNECT);
    e->link = (uint8_t)link;
    e->transport = p->setup->transport;
    e->to = p->servers[link];
}

void sip_link_close(struct sip_phone *p, unsigned link, struct effects *fx)
{
    if (p->links[link].state == PHONE_LINK_CLOSED)
        return;
    phone_forget_partial(&p->links[link]);
    p->links[link].state = PHONE_LINK_CLOSED;
    effects_add(fx, EFFECT_CLOSE)->link = (uint8_t)link;
}

/* ---- standby ---- */

/* A phone that is not managed has its next server at hand, but says nothing to it. */
void sip_make_standby(struct sip_phone *p, unsigned server, struct effects *fx)
{
    if (p->standby != NO_SERVER && p->standby != server) {
        sip_link_close(p, p->standby, fx);
        sip_registration_reset(&p->prime[p->standby]);
    }
    p->standby = (uint8_t)server;
    if (!sip_is_managed(p))
        return;
    p->prime[server].state = REG_STANDBY;
    p->prime[server].stable = 0;
    sip_link_open(p, server, fx);
}

/* The first by priority that is neither active nor known to have failed. */
void sip_choose_standby(struct sip_phone *p, struct effects *fx)
{
    for (unsigned i = 0; i < p->n_servers && p->standby == NO_SERVER; i++)
        if (i != p->active && p->prime[i].state == REG_IDLE && (sip_is_managed(p) || i > p->active))
            sip_make_standby(p, i, fx);
}

/* Its first keepalive follows the registration with the active one at once. */
void sip_ask_standby(struct sip_phone *p, uint64_t now_ms, struct effects *fx)
{
    if (p->standby != NO_SERVER && p->state == PHONE_REGISTERED && sip_is_managed(p))
        sip_event(p, &p->prime[p->standby], REG_DUE, now_ms, fx);
}

/* ---- active ---- */

static void activate(struct sip_phone *p, unsigned server, uint64_t now_ms, struct effects *fx)
{
    char address[IP_TEXT_MAX];

    p->active = (uint8_t)server;
    if (p->standby == server)
        p->standby = NO_SERVER;
    sip_registration_reset(&p->prime[server]);
    phone_tell_text(fx, PHONE_EVENT_OPENING, ip_print(p->servers[server].ip, address));
    if (p->links[server].state == PHONE_LINK_OPEN)
        phone_tell(fx, PHONE_EVENT_OPENED);
    sip_event(p, &p->prime[server], REG_WANTED, now_ms, fx);
    sip_choose_standby(p, fx);
}

void sip_begin(struct sip_phone *p, uint64_t now_ms, struct effects *fx)
{
    for (unsigned i = 0; i < p->n_servers; i++)
        sip_registration_reset(&p->prime[i]);
    p->standby = p->come_back = NO_SERVER;
    activate(p, 0, now_ms, fx);
}

/* Every server failed or refused: the list is begun again from the top. */
void sip_give_up(struct sip_phone *p, enum phone_state state, uint64_t now_ms, struct effects *fx)
{
    uint32_t pause = PAUSE_MS + sip_random(p) % PAUSE_MORE_MS;
    uint8_t failures = p->failures;

    sip_phone_stop(p, fx);
    p->state = state;
    p->due_ms = now_ms + (failures ? pause : AGAIN_MS);
    if (p->failures < UINT8_MAX)
        p->failures++;
    if (state == PHONE_BETWEEN)
        phone_display(p->screen, fx, "Registering");
}

static void forget_lines(struct sip_phone *p)
{
    for (unsigned i = 1; i < p->setup->n_lines; i++)
        sip_registration_reset(&p->setup->lines[i].registration);
    p->lines_due_ms = NEVER;
}

void sip_lose_active(struct sip_phone *p, enum phone_reason reason, uint64_t now_ms,
                     struct effects *fx)
{
    struct sip_registration *r = sip_active(p);
    uint32_t poll_s =
        p->setup->keepalive_s < SIP_FALLBACK_POLL_S ? p->setup->keepalive_s : SIP_FALLBACK_POLL_S;
    bool silent = r->silent;

    if (p->state == PHONE_LEAVING) {
        sip_goodbye_over(p, now_ms, fx);
        return;
    }
    if (p->state == PHONE_REGISTERED) {
        phone_tell_lost(fx, reason);
        p->was_away = true;
    }
    p->reason = (uint8_t)reason;
    if (p->screen)
        screen_clear(p->screen);
    sip_link_close(p, p->active, fx);
    forget_lines(p);
    sip_registration_reset(r);
    r->silent = silent;
    if (p->standby == NO_SERVER) {
        sip_give_up(p, p->state == PHONE_REJECTED ? PHONE_REJECTED : PHONE_BETWEEN, now_ms, fx);
        return;
    }
    if (sip_is_managed(p)) {
        r->state = REG_IN_FALLBACK;
        r->due_ms = now_ms + poll_s * 1000ull;
    }
    activate(p, p->standby, now_ms, fx);
}

/* Unregistered with the old server, which closes its connection; it becomes the standby. */
void sip_fall_back(struct sip_phone *p, uint64_t now_ms, struct effects *fx)
{
    unsigned from = p->active, to = p->come_back;

    p->come_back = NO_SERVER;
    p->due_ms = NEVER;
    p->was_away = true;
    sip_link_close(p, from, fx);
    forget_lines(p);
    sip_registration_reset(&p->prime[from]);
    if (p->screen)
        screen_clear(p->screen);
    if (p->standby != NO_SERVER) {
        sip_link_close(p, p->standby, fx);
        sip_registration_reset(&p->prime[p->standby]);
        p->standby = NO_SERVER;
    }
    activate(p, to, now_ms, fx);
}

/* ---- further lines ---- */

void sip_register_lines(struct sip_phone *p, uint64_t now_ms, struct effects *fx)
{
    p->lines_due_ms = NEVER;
    for (unsigned i = 1; i < p->setup->n_lines; i++) {
        struct sip_registration *r = &p->setup->lines[i].registration;

        if (!*p->setup->lines[i].name)
            continue;
        if (r->state != REG_IDLE && r->state != REG_REGISTERED)
            sip_registration_reset(r);
        r->link = p->active;
        sip_event(p, r, REG_WANTED, now_ms, fx);
    }
}
