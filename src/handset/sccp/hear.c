/* hear.c - what the server says: bytes to messages, messages to moves; see parts.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "handset/sccp/parts.h"

#define KEEPALIVE_S 30 /* before the server says otherwise */
#define STANDBY_S   60

static void on_ack(struct sccp_phone *p, const struct sccp_register_ack *m, uint64_t now_ms,
                   struct effects *fx)
{
    if (p->state != PHONE_REGISTERING)
        return;
    p->state = PHONE_CONFIGURING;
    p->version = m->protocol < p->kind->version ? m->protocol : p->kind->version;
    p->keepalive_s =
        m->keepalive_s && m->keepalive_s <= 3600 ? (uint16_t)m->keepalive_s : KEEPALIVE_S;
    p->standby_s = m->secondary_keepalive_s && m->secondary_keepalive_s <= 3600
                       ? (uint16_t)m->secondary_keepalive_s
                       : STANDBY_S;
    p->step = p->item = p->n_waiting = 0;
    memset(p->waiting, 0, sizeof(p->waiting));
    p->asked_capabilities = false;
    p->n_lines = p->n_speed_dials = p->n_features = p->n_services = 0;
    p->due_ms = now_ms + SCCP_REGISTER_MS;
    p->links[p->active].due_ms =
        now_ms + p->keepalive_s * 1000ull; /* the first one an interval after this */
    p->links[p->active].unanswered = 0;
    p->ack_known = false; /* another server, another path */
    p->ack_ms = p->ack_off_ms = 0;
    phone_tell(fx, PHONE_EVENT_ACKED);
}

static void on_reject(struct sccp_phone *p, const struct sccp_register_reject *m, uint64_t now_ms,
                      struct effects *fx)
{
    char shown[128], words[64];
    struct writer w = writer_of(words, sizeof(words) - 1);

    sccp_label_expand(text_of(m->text), &w);
    words[writer_len(&w)] = 0;
    snprintf(shown, sizeof(shown), "Registration Rejected: %s", words);
    phone_link_close(p, p->active, fx);
    p->state = PHONE_REJECTED;
    p->reason = PHONE_REASON_REJECTED;
    p->due_ms = now_ms + p->kind->habits->reject_wait_ms;
    p->standby_due_ms = UINT64_MAX;
    if (p->screen)
        screen_clear(p->screen);
    phone_show(p, fx, shown);
    phone_tell_text(fx, PHONE_EVENT_REJECTED, words);
}

void phone_after_goodbye(struct sccp_phone *p, uint64_t now_ms, struct effects *fx)
{
    enum phone_event event = p->leaving;

    for (unsigned i = 0; i < PHONE_LINKS; i++)
        phone_link_close(p, i, fx);
    p->state = PHONE_OFF;
    p->due_ms = p->standby_due_ms = p->lost_ms = UINT64_MAX;
    if (p->screen)
        screen_clear(p->screen);
    phone_tell(fx, event);
}

void phone_on_goodbye(struct sccp_phone *p, uint64_t now_ms, struct effects *fx)
{
    if (p->leaving == PHONE_EVENT_OPENED)
        phone_fall_back(p, now_ms, fx);
    else
        phone_after_goodbye(p, now_ms, fx);
}

static void on_reset(struct sccp_phone *p, uint32_t kind, uint64_t now_ms, struct effects *fx)
{
    if (kind == SCCP_RESET_APPLY)
        phone_tell(fx, PHONE_EVENT_APPLY);
    else if (kind == SCCP_RESET_FULL)
        sccp_phone_leave(p, PHONE_REASON_RESET, PHONE_EVENT_RESET, now_ms, fx);
    else if (kind == SCCP_RESET_RESTART)
        sccp_phone_leave(p, PHONE_REASON_RESTART, PHONE_EVENT_RESTART, now_ms, fx);
}

static void on_load(struct sccp_phone *p, const char *load, struct effects *fx)
{
    if (*load && strncmp(load, phone_load(p), 16) != 0)
        phone_tell_text(fx, PHONE_EVENT_LOAD, load);
}

static void on_unregister_ack(struct sccp_phone *p, uint32_t status, uint64_t now_ms,
                              struct effects *fx)
{
    if (p->state != PHONE_LEAVING)
        return;
    if (status != SCCP_UNREGISTER_NOT_NOW) {
        phone_on_goodbye(p, now_ms, fx);
        return;
    }
    p->state = PHONE_REGISTERED; /* a call is up: it stays */
    p->due_ms = UINT64_MAX;
    phone_plan_standby(p, now_ms);
}

/* Where it is registered, and whether it may stay there. False: it is not about that. */
static bool heard_of_registration(struct sccp_phone *p, unsigned link, const struct sccp_message *m,
                                  uint64_t now_ms, struct effects *fx)
{
    switch (m->id) {
    case SCCP_REGISTER_REJECT:
        if (link == p->active)
            on_reject(p, &m->register_reject, now_ms, fx);
        return true;
    case SCCP_KEEPALIVE_ACK:
        phone_on_keepalive_ack(p, link, now_ms, fx);
        return true;
    case SCCP_RESET:
        on_reset(p, m->reset.kind, now_ms, fx);
        return true;
    case SCCP_UNREGISTER_ACK:
        on_unregister_ack(p, m->unregister_ack.status, now_ms, fx);
        return true;
    case SCCP_REGISTER_TOKEN_ACK:
    case SCCP_SPCP_REGISTER_TOKEN_ACK:
        phone_on_token(p, link, now_ms, fx);
        return true;
    case SCCP_REGISTER_TOKEN_REJECT:
        phone_on_no_token(p, link, m->register_token_reject.wait_s, now_ms);
        return true;
    case SCCP_SPCP_REGISTER_TOKEN_REJECT:
        phone_on_no_token(p, link, m->spcp_register_token_reject.wait_s, now_ms);
        return true;
    default:
        return false;
    }
}

static void on_message(struct sccp_phone *p, unsigned link, const struct sccp_message *m,
                       uint64_t now_ms, struct effects *fx)
{
    if (heard_of_registration(p, link, m, now_ms, fx))
        return;
    switch (m->id) {
    case SCCP_REGISTER_ACK:
        on_ack(p, &m->register_ack, now_ms, fx);
        break;
    case SCCP_CAPABILITIES_REQ:
        if (p->state == PHONE_CONFIGURING && !p->asked_capabilities)
            p->asked_capabilities = true;
        else if (p->state >= PHONE_CONFIGURING && !phone_is_faulty(p, FAULT_NO_CAPABILITIES))
            phone_send_capabilities(p, fx);
        break;
    case SCCP_BUTTON_TEMPLATE:
        phone_take_buttons(p, &m->button_template);
        break;
    case SCCP_VERSION:
        on_load(p, m->version.load, fx);
        break;
    case SCCP_CALL_STATE:
        p->line = m->call_state.line;
        p->call = m->call_state.state == SCCP_STATE_ON_HOOK ? 0 : m->call_state.call;
        break;
    default:
        break;
    }
    if (link != p->active)
        return;
    phone_note_answer(p, m);
    if (p->screen && screen_message(p->screen, m, now_ms))
        effects_add(fx, EFFECT_LCD);
    phone_climb(p, now_ms, fx);
}

static int read_frames(struct sccp_phone *p, unsigned link, struct reader *stream, uint64_t now_ms,
                       struct effects *fx)
{
    struct phone_link *l = &p->links[link];
    struct sccp_frame frame;
    struct sccp_message m;
    int more;

    while ((more = sccp_frame_next(stream, &frame)) == 1) {
        p->last_heard = (uint16_t)frame.id;
        p->has_heard = true;
        if (sccp_decode(&frame, p->version, SCCP_FROM_SERVER, &m) == 0)
            on_message(p, link, &m, now_ms, fx);
        if (l->state != PHONE_LINK_OPEN)
            return 0; /* closed by what was read */
    }
    return more;
}

void sccp_phone_input(struct sccp_phone *p, unsigned link, const void *bytes, size_t len,
                      uint64_t now_ms, struct effects *fx)
{
    struct phone_link *l = &p->links[link];
    uint8_t joined[SCCP_FRAME_MAX * 2];
    const uint8_t *at = bytes;
    struct reader stream;
    int err = 0;

    if (l->state != PHONE_LINK_OPEN)
        return;
    while (len && !err && l->state == PHONE_LINK_OPEN) {
        size_t kept = l->n_partial, n = kept + len > sizeof(joined) ? sizeof(joined) - kept : len;

        if (kept) {
            memcpy(joined, l->partial, kept);
            memcpy(joined + kept, at, n);
            stream = reader_of(joined, kept + n);
        } else {
            n = len;
            stream = reader_of(at, n);
        }
        at += n;
        len -= n;
        err = read_frames(p, link, &stream, now_ms, fx);
        if (!err && l->state == PHONE_LINK_OPEN)
            err = phone_keep_partial(l, &stream);
    }
    if (err < 0 && l->state == PHONE_LINK_OPEN) {
        if (link == p->active)
            phone_lost(p, PHONE_REASON_TCP_ABORTED, now_ms, fx);
        else
            phone_link_close(p, link, fx);
    }
}
