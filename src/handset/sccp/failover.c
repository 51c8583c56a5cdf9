/* failover.c - keepalives and what their loss means; the standby connection, the way to the
 * backup and back; see parts.h.
 *
 *   registered --loss--> moving --> alarm --> Register on the standby connection, if there is one
 *   registered at a backup --40 s--> connection to a better server, token --> leaving --> moving
 *   --> alarm --> Register there
 *
 * How long each arrow takes stands in timers.def. */
#include "handset/sccp/parts.h"

/* ---- keepalives ---- */

/* Smoothed as RFC 6298 2 does it; one that was asked for twice says nothing (Karn). */
static void learn_ack_time(struct sccp_phone *p, uint32_t ms)
{
    uint32_t off = ms > p->ack_ms ? ms - p->ack_ms : p->ack_ms - ms;

    if (!p->ack_known) {
        p->ack_ms = ms;
        p->ack_off_ms = ms / 2;
        p->ack_known = true;
        return;
    }
    p->ack_off_ms = (3 * p->ack_off_ms + off) / 4;
    p->ack_ms = (7 * p->ack_ms + ms) / 8;
}

/* How long a keepalive may be unanswered. Delayed: three intervals. Normal: as TCP gives up after
 * two repetitions, each twice as late as the one before, from the time that answers usually take.
 */
uint64_t phone_patience_ms(const struct sccp_phone *p)
{
    uint64_t usual = p->ack_ms + 4ull * p->ack_off_ms, delayed = 3000ull * p->keepalive_s;

    if (usual < SCCP_PATIENCE_MS)
        usual = SCCP_PATIENCE_MS;
    return p->delayed || 7 * usual > delayed ? delayed : 7 * usual;
}

void phone_send_keepalive(struct sccp_phone *p, unsigned link, uint64_t now_ms, struct effects *fx)
{
    struct phone_link *l = &p->links[link];
    bool active = link == p->active;

    l->due_ms = now_ms + (active ? p->keepalive_s : p->standby_s) * 1000ull;
    if (active && phone_is_faulty(p, FAULT_LOST_KEEPALIVES))
        return;
    /* The backup answers by TCP alone, and so does CallManager 2. */
    if (active && p->version && !l->unanswered)
        p->lost_ms = now_ms + phone_patience_ms(p);
    if (l->unanswered < UINT8_MAX)
        l->unanswered++;
    l->asked_ms = now_ms;
    phone_put_empty(p, link, SCCP_KEEPALIVE, fx);
}

void phone_on_keepalive_ack(struct sccp_phone *p, unsigned link, uint64_t now_ms,
                            struct effects *fx)
{
    struct phone_link *l = &p->links[link];
    struct effect *e;

    if (!l->unanswered)
        return;
    if (link == p->active) {
        p->lost_ms = UINT64_MAX;
        if (l->unanswered == 1)
            learn_ack_time(p, (uint32_t)(now_ms - l->asked_ms));
    }
    l->unanswered = 0;
    e = effects_add(fx, EFFECT_STATE);
    e->number = PHONE_EVENT_KEEPALIVE;
    e->link = (uint8_t)link;
    e->to.port = (uint16_t)(now_ms - l->asked_ms);
}

/* ---- to the backup ---- */

static void move(struct sccp_phone *p, uint64_t due_ms, struct effects *fx)
{
    p->state = PHONE_MOVING;
    p->due_ms = due_ms;
    p->standby_due_ms = UINT64_MAX;
    if (p->screen)
        screen_clear(p->screen);
}

void phone_lost(struct sccp_phone *p, enum phone_reason reason, uint64_t now_ms, struct effects *fx)
{
    unsigned other = 1u - p->active;
    bool was_registered = p->state == PHONE_REGISTERED || p->state == PHONE_CONFIGURING;

    phone_link_close(p, p->active, fx);
    p->lost_ms = UINT64_MAX;
    p->reason = (uint8_t)reason;
    phone_tell_lost(fx, reason);
    if (p->screen)
        screen_clear(p->screen);
    if (was_registered && p->links[other].state == PHONE_LINK_OPEN) {
        move(p, now_ms + SCCP_DOWN_MS, fx);
    } else if (was_registered && p->n_servers == 1) {
        p->state = PHONE_BETWEEN;
        p->due_ms = now_ms + SCCP_RETURN_MS;
    } else {
        phone_link_close(p, other, fx);
        phone_next_server(p, now_ms, fx);
    }
}

/* A pause of a move is over: the other connection is used, if it is still there. */
void phone_moved(struct sccp_phone *p, uint64_t now_ms, struct effects *fx)
{
    unsigned other = 1u - p->active;

    if (p->links[other].state != PHONE_LINK_OPEN) {
        phone_link_close(p, other, fx);
        phone_next_server(p, now_ms, fx);
    } else if (p->state == PHONE_ALARMED) {
        phone_ask_registration(p, other, now_ms, fx);
    } else {
        phone_send_alarm(p, other, fx);
        p->state = PHONE_ALARMED;
        p->due_ms =
            now_ms + (p->reason == PHONE_REASON_FALLBACK ? SCCP_UP_ASK_MS : SCCP_DOWN_ASK_MS);
    }
}

/* Unregistered here: register on the other link, whose token was granted. */
void phone_fall_back(struct sccp_phone *p, uint64_t now_ms, struct effects *fx)
{
    phone_link_close(p, p->active, fx);
    p->lost_ms = UINT64_MAX;
    p->reason = PHONE_REASON_FALLBACK;
    move(p, now_ms + SCCP_UP_MS, fx);
}

/* ---- the other connection ---- */

static bool is_better(const struct sccp_phone *p, unsigned link)
{
    return p->links[link].server < p->links[p->active].server;
}

static void try_later(struct sccp_phone *p, uint64_t now_ms)
{
    p->token = PHONE_TOKEN_NONE;
    p->standby_due_ms = now_ms + SCCP_STANDBY_AGAIN_MS;
}

static void ask_back(struct sccp_phone *p, unsigned link, uint64_t now_ms, struct effects *fx)
{
    p->token = PHONE_TOKEN_ASKED;
    p->standby_due_ms = now_ms + SCCP_TOKEN_MS;
    phone_ask_token(p, link, fx);
}

/* With a token: no goodbye, the way to the better server. */
static void go_back(struct sccp_phone *p, uint64_t now_ms, struct effects *fx)
{
    p->token = PHONE_TOKEN_NONE;
    p->state = PHONE_LEAVING;
    p->leaving = PHONE_EVENT_OPENED;
    p->lost_ms = UINT64_MAX;
    p->due_ms = now_ms + SCCP_GOODBYE_MS;
    phone_put_empty(p, p->active, SCCP_UNREGISTER, fx);
}

/* Registered at the first server: the second is the backup. Registered at a backup: each server
 * before it in turn, the first one first. */
static unsigned next_other(struct sccp_phone *p)
{
    unsigned here = p->links[p->active].server;

    if (!here)
        return 1;
    if (p->better >= here)
        p->better = 0;
    return p->better++;
}

void phone_standby_due(struct sccp_phone *p, uint64_t now_ms, struct effects *fx)
{
    unsigned other = 1u - p->active;

    p->standby_due_ms = UINT64_MAX;
    if (p->state != PHONE_REGISTERED || p->n_servers < 2)
        return;
    if (p->links[other].state == PHONE_LINK_OPEN && p->token == PHONE_TOKEN_GRANTED) {
        go_back(p, now_ms, fx);
    } else if (p->links[other].state == PHONE_LINK_OPEN && p->token == PHONE_TOKEN_ASKED) {
        phone_link_close(p, other, fx); /* it listens, but does not answer */
        try_later(p, now_ms);
    } else if (p->links[other].state == PHONE_LINK_OPEN && is_better(p, other)) {
        ask_back(p, other, now_ms, fx); /* refused before; the wait is over */
    } else if (p->links[other].state == PHONE_LINK_CLOSED) {
        phone_link_open(p, other, next_other(p), now_ms, fx);
    }
}

void phone_standby_opened(struct sccp_phone *p, unsigned link, uint64_t now_ms, struct effects *fx)
{
    phone_tell(fx, PHONE_EVENT_STANDBY);
    p->links[link].due_ms = now_ms + p->standby_s * 1000ull;
    p->better = 0;
    if (is_better(p, link))
        ask_back(p, link, now_ms, fx);
}

void phone_standby_failed(struct sccp_phone *p, uint64_t now_ms)
{
    if (p->state == PHONE_REGISTERED)
        try_later(p, now_ms);
}

void phone_on_token(struct sccp_phone *p, unsigned link, uint64_t now_ms, struct effects *fx)
{
    if (p->state == PHONE_ASKING_TOKEN && link == p->active) {
        phone_ask_registration(p, link, now_ms, fx);
    } else if (p->state == PHONE_REGISTERED && link != p->active &&
               p->token != PHONE_TOKEN_GRANTED) {
        p->token = PHONE_TOKEN_GRANTED;
        p->standby_due_ms = now_ms + SCCP_GO_MS;
    }
}

void phone_on_no_token(struct sccp_phone *p, unsigned link, uint32_t wait_s, uint64_t now_ms)
{
    uint64_t again = now_ms + (wait_s ? wait_s : 60) * 1000ull;

    if (p->state == PHONE_ASKING_TOKEN && link == p->active) {
        p->due_ms = again;
    } else if (p->state == PHONE_REGISTERED && link != p->active) {
        p->token = PHONE_TOKEN_NONE;
        p->standby_due_ms = again;
    }
}

/* Registered: when the other connection is looked after next. */
void phone_plan_standby(struct sccp_phone *p, uint64_t now_ms)
{
    p->better = 0;
    p->token = PHONE_TOKEN_NONE;
    p->standby_due_ms = p->n_servers < 2 ? UINT64_MAX
                                         : now_ms + (p->links[p->active].server ? SCCP_FALLBACK_MS
                                                                                : SCCP_STANDBY_MS);
}
