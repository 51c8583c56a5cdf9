/* phone.c - states and moves of a registering phone; see phone.h. */
#include "handset/sccp/phone.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "handset/sccp/parts.h"

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* ---- links ---- */

static void phone_link_down(struct phone_link *l)
{
    phone_forget_partial(l);
    l->state = PHONE_LINK_CLOSED;
    l->due_ms = UINT64_MAX;
    l->unanswered = 0;
}

void phone_link_close(struct sccp_phone *p, unsigned link, struct effects *fx)
{
    if (p->links[link].state == PHONE_LINK_CLOSED)
        return;
    phone_link_down(&p->links[link]);
    effects_add(fx, EFFECT_CLOSE)->link = (uint8_t)link;
}

void phone_link_open(struct sccp_phone *p, unsigned link, unsigned server, uint64_t now_ms,
                     struct effects *fx)
{
    struct effect *e;

    phone_link_close(p, link, fx);
    p->links[link].state = PHONE_LINK_OPENING;
    p->links[link].server = (uint8_t)server;
    p->links[link].due_ms = now_ms + SCCP_CONNECT_MS;
    e = effects_add(fx, EFFECT_CONNECT);
    e->link = (uint8_t)link;
    e->to = p->servers[server];
}

/* ---- from one server to the next ---- */

static void open_server(struct sccp_phone *p, unsigned link, unsigned server, uint64_t now_ms,
                        struct effects *fx)
{
    char words[IP_TEXT_MAX + 16], address[IP_TEXT_MAX];

    p->state = PHONE_CONNECTING;
    p->active = (uint8_t)link;
    p->due_ms = p->standby_due_ms = p->lost_ms = UINT64_MAX;
    phone_link_open(p, link, server, now_ms, fx);
    ip_print(p->servers[server].ip, address);
    snprintf(words, sizeof(words), "Opening %s", address);
    phone_show(p, fx, words);
    phone_tell_text(fx, PHONE_EVENT_OPENING, address);
}

/* All servers failed: a pause, and after the second round the files are read again. */
void phone_next_server(struct sccp_phone *p, uint64_t now_ms, struct effects *fx)
{
    unsigned next = (p->links[p->active].server + 1u) % p->n_servers;

    p->failures++;
    if (p->failures >= 2 * p->n_servers) {
        p->state = PHONE_OFF;
        p->due_ms = UINT64_MAX;
        phone_tell(fx, PHONE_EVENT_NO_SERVER);
    } else if (p->failures % p->n_servers == 0) {
        p->state = PHONE_BETWEEN;
        p->due_ms = now_ms + SCCP_BETWEEN_MS;
    } else {
        open_server(p, p->active, next, now_ms, fx);
    }
}

/* ---- connections ---- */

void sccp_phone_opened(struct sccp_phone *p, unsigned link, uint64_t now_ms, struct effects *fx)
{
    struct phone_link *l = &p->links[link];

    if (l->state != PHONE_LINK_OPENING)
        return;
    l->state = PHONE_LINK_OPEN;
    l->due_ms = UINT64_MAX;
    if (link != p->active) {
        phone_standby_opened(p, link, now_ms, fx);
        return;
    }
    phone_tell(fx, PHONE_EVENT_OPENED);
    if (p->kind->model->quirks & MODEL_KEEPALIVE_FIRST)
        phone_put_empty(p, link, SCCP_KEEPALIVE, fx);
    if (p->kind->model->quirks & MODEL_TOKEN_FIRST) {
        p->state = PHONE_ASKING_TOKEN;
        p->due_ms = now_ms + SCCP_REGISTER_MS;
        phone_ask_token(p, link, fx);
    } else {
        phone_ask_registration(p, link, now_ms, fx);
    }
}

void sccp_phone_closed(struct sccp_phone *p, unsigned link, int err, uint64_t now_ms,
                       struct effects *fx)
{
    bool opening = p->links[link].state == PHONE_LINK_OPENING;

    if (p->links[link].state == PHONE_LINK_CLOSED)
        return;
    phone_link_down(&p->links[link]);
    if (link != p->active) {
        phone_standby_failed(p, now_ms);
        return;
    }
    if (p->state == PHONE_LEAVING)
        phone_on_goodbye(p, now_ms, fx);
    else if (opening)
        phone_next_server(p, now_ms, fx);
    else
        phone_lost(p, phone_reason_of(err), now_ms, fx);
}

/* ---- time ---- */

static void link_tick(struct sccp_phone *p, unsigned link, uint64_t now_ms, struct effects *fx)
{
    struct phone_link *l = &p->links[link];

    if (now_ms < l->due_ms)
        return;
    if (l->state == PHONE_LINK_OPENING) {
        phone_link_close(p, link, fx);
        if (link == p->active)
            phone_next_server(p, now_ms, fx);
        else
            phone_standby_failed(p, now_ms);
    } else if (l->state == PHONE_LINK_OPEN) {
        phone_send_keepalive(p, link, now_ms, fx);
    } else {
        l->due_ms = UINT64_MAX;
    }
}

static void state_due(struct sccp_phone *p, uint64_t now_ms, struct effects *fx)
{
    p->due_ms = UINT64_MAX;
    switch ((enum phone_state)p->state) {
    case PHONE_REGISTERING:
    case PHONE_CONFIGURING:
        p->state =
            PHONE_REGISTERING; /* not yet registered: the standby connection is not for this */
        if (phone_is_faulty(p, FAULT_SILENT) || phone_is_faulty(p, FAULT_HALF_MESSAGE))
            return; /* sleeps on */
        phone_lost(p, PHONE_REASON_REGISTRATION_TIMEOUT, now_ms, fx);
        break;
    case PHONE_ASKING_TOKEN:
        phone_ask_token(p, p->active, fx);
        p->due_ms = now_ms + SCCP_REGISTER_MS;
        break;
    case PHONE_LEAVING:
        phone_on_goodbye(p, now_ms, fx);
        break;
    case PHONE_MOVING:
    case PHONE_ALARMED:
        phone_moved(p, now_ms, fx);
        break;
    case PHONE_REJECTED:
        if (p->rereads) {
            p->state = PHONE_OFF;
            phone_tell(fx, PHONE_EVENT_REREAD);
            break;
        }
        open_server(p, p->active, p->links[p->active].server, now_ms, fx);
        break;
    case PHONE_BETWEEN:
        open_server(p, p->active, 0, now_ms, fx);
        break;
    case PHONE_REGISTERED:
        if (phone_is_faulty(p, FAULT_FLAP))
            sccp_phone_leave(p, PHONE_REASON_USER_RESET, PHONE_EVENT_RESTART, now_ms, fx);
        break;
    case PHONE_OFF:
    case PHONE_CONNECTING:
    case N_PHONE_STATES:
        break;
    }
}

void sccp_phone_tick(struct sccp_phone *p, uint64_t now_ms, struct effects *fx)
{
    if (now_ms >= p->lost_ms)
        phone_lost(p, PHONE_REASON_KEEPALIVE, now_ms, fx);
    for (unsigned i = 0; i < PHONE_LINKS; i++)
        link_tick(p, i, now_ms, fx);
    if (now_ms >= p->standby_due_ms)
        phone_standby_due(p, now_ms, fx);
    if (now_ms >= p->due_ms)
        state_due(p, now_ms, fx);
    if (p->screen && screen_tick(p->screen, now_ms))
        effects_add(fx, EFFECT_LCD);
}

uint64_t sccp_phone_due(const struct sccp_phone *p)
{
    uint64_t due = earlier(earlier(p->due_ms, p->standby_due_ms), p->lost_ms);

    for (unsigned i = 0; i < PHONE_LINKS; i++)
        due = earlier(due, p->links[i].due_ms);
    return p->screen ? earlier(due, screen_due(p->screen)) : due;
}

/* ---- beginning and end ---- */

void sccp_phone_init(struct sccp_phone *p, const struct phone_kind *kind, struct mac mac)
{
    *p = (struct sccp_phone){.protocol = &sccp_protocol,
                             .kind = kind,
                             .name = device_name_of_mac(mac),
                             .due_ms = UINT64_MAX,
                             .standby_due_ms = UINT64_MAX,
                             .lost_ms = UINT64_MAX};
    for (unsigned i = 0; i < PHONE_LINKS; i++)
        p->links[i].due_ms = UINT64_MAX;
}

void sccp_phone_done(struct sccp_phone *p)
{
    for (unsigned i = 0; i < PHONE_LINKS; i++)
        phone_forget_partial(&p->links[i]);
}

void sccp_phone_start(struct sccp_phone *p, struct ip own, const struct endpoint *servers,
                      unsigned n_servers, enum phone_reason reason, uint64_t now_ms,
                      struct effects *fx)
{
    sccp_phone_stop(p, fx);
    p->address = own;
    p->n_servers = (uint8_t)(n_servers < PHONE_SERVERS ? n_servers : PHONE_SERVERS);
    memcpy(p->servers, servers, p->n_servers * sizeof(*servers));
    p->reason = (uint8_t)reason;
    p->failures = 0;
    if (p->n_servers)
        open_server(p, 0, 0, now_ms, fx);
}

void sccp_phone_leave(struct sccp_phone *p, enum phone_reason reason, enum phone_event after,
                      uint64_t now_ms, struct effects *fx)
{
    bool registered_now = p->state == PHONE_REGISTERED || p->state == PHONE_CONFIGURING;

    p->reason = (uint8_t)reason;
    p->leaving = (uint8_t)after;
    if (!registered_now) {
        phone_after_goodbye(p, now_ms, fx);
        return;
    }
    p->state = PHONE_LEAVING;
    p->due_ms = now_ms + SCCP_GOODBYE_MS;
    p->standby_due_ms = p->lost_ms = UINT64_MAX;
    phone_put_empty(p, p->active, SCCP_UNREGISTER, fx);
    if (!p->version) /* CallManager 2 does not answer */
        p->due_ms = now_ms;
    phone_show(p, fx, "Resetting");
}

void sccp_phone_stop(struct sccp_phone *p, struct effects *fx)
{
    for (unsigned i = 0; i < PHONE_LINKS; i++)
        phone_link_close(p, i, fx);
    p->state = PHONE_OFF;
    p->due_ms = p->standby_due_ms = p->lost_ms = UINT64_MAX;
}
