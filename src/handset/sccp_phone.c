/* sccp_phone.c - states and moves of a registering phone; see sccp_phone.h. */
#include "handset/sccp_phone.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "handset/sccp_parts.h"

#define CONNECT_MS       20000 /* a SYN without an answer; the next server then */
#define GOODBYE_MS       5000
#define STANDBY_AGAIN_MS 60000
#define BETWEEN_MS       5000
#define RETURN_MS        1000 /* after a connection that was up broke */
#define KEEPALIVE_S      30   /* before the server says otherwise */
#define STANDBY_S        60
#define MAX_UNANSWERED   3 /* keepalives */

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* ---- links ---- */

static void forget_partial(struct phone_link *l)
{
    free(l->partial);
    l->partial = NULL;
    l->n_partial = l->partial_room = 0;
}

static void link_down(struct phone_link *l)
{
    forget_partial(l);
    l->state = PHONE_LINK_CLOSED;
    l->due_ms = UINT64_MAX;
    l->unanswered = 0;
}

static void link_close(struct sccp_phone *p, unsigned link, struct effects *fx)
{
    if (p->links[link].state == PHONE_LINK_CLOSED)
        return;
    link_down(&p->links[link]);
    effects_add(fx, EFFECT_CLOSE)->link = (uint8_t)link;
}

static void link_open(struct sccp_phone *p, unsigned link, unsigned server, uint64_t now_ms,
                      struct effects *fx)
{
    struct effect *e;

    link_close(p, link, fx);
    p->links[link].state = PHONE_LINK_OPENING;
    p->links[link].server = (uint8_t)server;
    p->links[link].due_ms = now_ms + CONNECT_MS;
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
    p->due_ms = p->standby_due_ms = UINT64_MAX;
    link_open(p, link, server, now_ms, fx);
    ip_print(p->servers[server].ip, address);
    snprintf(words, sizeof(words), "Opening %s", address);
    phone_show(p, fx, words);
    phone_tell_text(fx, PHONE_EVENT_OPENING, address);
}

/* All servers failed: a pause, and after the second round the files are read again. */
static void next_server(struct sccp_phone *p, uint64_t now_ms, struct effects *fx)
{
    unsigned next = (p->links[p->active].server + 1u) % p->n_servers;

    p->failures++;
    if (p->failures >= 2 * p->n_servers) {
        p->state = PHONE_OFF;
        p->due_ms = UINT64_MAX;
        phone_tell(fx, PHONE_EVENT_NO_SERVER);
    } else if (p->failures % p->n_servers == 0) {
        p->state = PHONE_BETWEEN;
        p->due_ms = now_ms + BETWEEN_MS;
    } else {
        open_server(p, p->active, next, now_ms, fx);
    }
}

static void lost(struct sccp_phone *p, enum phone_reason reason, uint64_t now_ms,
                 struct effects *fx)
{
    unsigned other = 1u - p->active;
    bool was_registered = p->state == PHONE_REGISTERED || p->state == PHONE_CONFIGURING;
    struct effect *e;

    link_close(p, p->active, fx);
    p->reason = (uint8_t)reason;
    e = effects_add(fx, EFFECT_STATE);
    e->number = PHONE_EVENT_LOST;
    e->link = (uint8_t)reason;
    if (p->screen)
        screen_clear(p->screen);
    if (was_registered && p->links[other].state == PHONE_LINK_OPEN) {
        phone_ask_registration(p, other, now_ms,
                               fx); /* the standby connection was there all along */
    } else if (was_registered && p->n_servers == 1) {
        p->state = PHONE_BETWEEN;
        p->due_ms = now_ms + RETURN_MS;
    } else {
        link_close(p, other, fx);
        next_server(p, now_ms, fx);
    }
}

/* ---- what the server says ---- */

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
    p->due_ms = now_ms + PHONE_REGISTER_MS;
    p->links[p->active].due_ms =
        now_ms + p->keepalive_s * 1000ull; /* the first one an interval after this */
    p->links[p->active].unanswered = 0;
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
    link_close(p, p->active, fx);
    p->state = PHONE_REJECTED;
    p->reason = PHONE_REASON_REJECTED;
    p->due_ms = now_ms + p->kind->habits->reject_wait_ms;
    p->standby_due_ms = UINT64_MAX;
    if (p->screen)
        screen_clear(p->screen);
    phone_show(p, fx, shown);
    phone_tell_text(fx, PHONE_EVENT_REJECTED, words);
}

static void after_goodbye(struct sccp_phone *p, uint64_t now_ms, struct effects *fx)
{
    enum phone_event event = p->leaving;

    for (unsigned i = 0; i < PHONE_LINKS; i++)
        link_close(p, i, fx);
    p->state = PHONE_OFF;
    p->due_ms = p->standby_due_ms = UINT64_MAX;
    if (p->screen)
        screen_clear(p->screen);
    phone_tell(fx, event);
}

/* Unregistered here: register on the other link, whose token was granted. */
static void fall_back(struct sccp_phone *p, uint64_t now_ms, struct effects *fx)
{
    unsigned other = 1u - p->active;

    link_close(p, p->active, fx);
    if (p->screen)
        screen_clear(p->screen);
    p->reason = PHONE_REASON_FALLBACK;
    phone_ask_registration(p, other, now_ms, fx);
}

static void on_goodbye(struct sccp_phone *p, uint64_t now_ms, struct effects *fx)
{
    if (p->leaving == PHONE_EVENT_OPENED)
        fall_back(p, now_ms, fx);
    else
        after_goodbye(p, now_ms, fx);
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

static void on_token(struct sccp_phone *p, unsigned link, uint64_t now_ms, struct effects *fx)
{
    if (p->state == PHONE_ASKING_TOKEN && link == p->active) {
        phone_ask_registration(p, link, now_ms, fx);
    } else if (p->state == PHONE_REGISTERED && link != p->active) {
        p->state = PHONE_LEAVING;
        p->leaving = PHONE_EVENT_OPENED; /* no goodbye: the way to the better server */
        p->due_ms = now_ms + GOODBYE_MS;
        phone_put_empty(p, p->active, SCCP_UNREGISTER, fx);
    }
}

static void on_no_token(struct sccp_phone *p, unsigned link, uint32_t wait_s, uint64_t now_ms,
                        struct effects *fx)
{
    uint64_t again = now_ms + (wait_s ? wait_s : 60) * 1000ull;

    if (p->state == PHONE_ASKING_TOKEN && link == p->active)
        p->due_ms = again;
    else if (p->state == PHONE_REGISTERED && link != p->active)
        p->standby_due_ms = again;
}

static void on_keepalive_ack(struct sccp_phone *p, unsigned link, uint64_t now_ms,
                             struct effects *fx)
{
    struct effect *e;

    if (!p->links[link].unanswered)
        return;
    p->links[link].unanswered = 0;
    e = effects_add(fx, EFFECT_STATE);
    e->number = PHONE_EVENT_KEEPALIVE;
    e->link = (uint8_t)link;
    e->to.port = (uint16_t)(now_ms - p->links[link].asked_ms);
}

static void on_load(struct sccp_phone *p, const char *load, struct effects *fx)
{
    if (*load && strncmp(load, phone_load(p), 16) != 0)
        phone_tell_text(fx, PHONE_EVENT_LOAD, load);
}

static void on_message(struct sccp_phone *p, unsigned link, const struct sccp_message *m,
                       uint64_t now_ms, struct effects *fx)
{
    switch (m->id) {
    case SCCP_REGISTER_ACK:
        on_ack(p, &m->register_ack, now_ms, fx);
        break;
    case SCCP_REGISTER_REJECT:
        if (link == p->active)
            on_reject(p, &m->register_reject, now_ms, fx);
        return;
    case SCCP_CAPABILITIES_REQ:
        if (p->state == PHONE_CONFIGURING && !p->asked_capabilities)
            p->asked_capabilities = true;
        else if (p->state >= PHONE_CONFIGURING && !phone_is_faulty(p, FAULT_NO_CAPABILITIES))
            phone_send_capabilities(p, fx);
        break;
    case SCCP_KEEPALIVE_ACK:
        on_keepalive_ack(p, link, now_ms, fx);
        return;
    case SCCP_RESET:
        on_reset(p, m->reset.kind, now_ms, fx);
        return;
    case SCCP_UNREGISTER_ACK:
        if (p->state != PHONE_LEAVING)
            return;
        if (m->unregister_ack.status == SCCP_UNREGISTER_NOT_NOW) {
            p->state = PHONE_REGISTERED; /* a call is up: it stays */
            p->due_ms = UINT64_MAX;
        } else {
            on_goodbye(p, now_ms, fx);
        }
        return;
    case SCCP_REGISTER_TOKEN_ACK:
    case SCCP_SPCP_REGISTER_TOKEN_ACK:
        on_token(p, link, now_ms, fx);
        return;
    case SCCP_REGISTER_TOKEN_REJECT:
        on_no_token(p, link, m->register_token_reject.wait_s, now_ms, fx);
        return;
    case SCCP_SPCP_REGISTER_TOKEN_REJECT:
        on_no_token(p, link, m->spcp_register_token_reject.wait_s, now_ms, fx);
        return;
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

/* ---- bytes ---- */

static int keep_partial(struct phone_link *l, const struct reader *rest)
{
    size_t n = reader_left(rest);
    uint8_t *room = l->partial;

    if (!n) {
        forget_partial(l);
        return 0;
    }
    if (n > l->partial_room) {
        room = malloc(n);
        if (!room)
            return -ENOMEM;
    }
    memmove(room, rest->at, n);
    if (room != l->partial) {
        free(l->partial);
        l->partial = room;
        l->partial_room = (uint16_t)n;
    }
    l->n_partial = (uint16_t)n;
    return 0;
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
            err = keep_partial(l, &stream);
    }
    if (err < 0 && l->state == PHONE_LINK_OPEN) {
        if (link == p->active)
            lost(p, PHONE_REASON_TCP_ABORTED, now_ms, fx);
        else
            link_close(p, link, fx);
    }
}

void sccp_phone_opened(struct sccp_phone *p, unsigned link, uint64_t now_ms, struct effects *fx)
{
    struct phone_link *l = &p->links[link];

    if (l->state != PHONE_LINK_OPENING)
        return;
    l->state = PHONE_LINK_OPEN;
    l->due_ms = UINT64_MAX;
    if (link != p->active) {
        phone_tell(fx, PHONE_EVENT_STANDBY);
        l->due_ms = now_ms + p->standby_s * 1000ull;
        if (l->server < p->links[p->active].server)
            phone_ask_token(p, link, fx);
        return;
    }
    phone_tell(fx, PHONE_EVENT_OPENED);
    if (p->kind->model->quirks & MODEL_KEEPALIVE_FIRST)
        phone_put_empty(p, link, SCCP_KEEPALIVE, fx);
    if (p->kind->model->quirks & MODEL_TOKEN_FIRST) {
        p->state = PHONE_ASKING_TOKEN;
        p->due_ms = now_ms + PHONE_REGISTER_MS;
        phone_ask_token(p, link, fx);
    } else {
        phone_ask_registration(p, link, now_ms, fx);
    }
}

static enum phone_reason reason_of(int err)
{
    switch (err) {
    case 0:
        return PHONE_REASON_TCP_CLOSED;
    case -ECONNRESET:
    case -ECONNREFUSED:
    case -EPIPE:
        return PHONE_REASON_TCP_RESET;
    case -ETIMEDOUT:
        return PHONE_REASON_TCP_TIMEOUT;
    default:
        return PHONE_REASON_TCP_ABORTED;
    }
}

void sccp_phone_closed(struct sccp_phone *p, unsigned link, int err, uint64_t now_ms,
                       struct effects *fx)
{
    bool opening = p->links[link].state == PHONE_LINK_OPENING;

    if (p->links[link].state == PHONE_LINK_CLOSED)
        return;
    link_down(&p->links[link]);
    if (link != p->active) {
        if (p->state == PHONE_REGISTERED)
            p->standby_due_ms = now_ms + STANDBY_AGAIN_MS;
        return;
    }
    if (p->state == PHONE_LEAVING)
        on_goodbye(p, now_ms, fx);
    else if (opening)
        next_server(p, now_ms, fx);
    else
        lost(p, reason_of(err), now_ms, fx);
}

/* ---- time ---- */

static void send_keepalive(struct sccp_phone *p, unsigned link, uint64_t now_ms, struct effects *fx)
{
    struct phone_link *l = &p->links[link];
    bool active = link == p->active;

    l->due_ms = now_ms + (active ? p->keepalive_s : p->standby_s) * 1000ull;
    if (active && phone_is_faulty(p, FAULT_LOST_KEEPALIVES))
        return;
    /* The backup answers by TCP alone, and so does CallManager 2. */
    if (active && p->version && l->unanswered >= MAX_UNANSWERED) {
        lost(p, PHONE_REASON_KEEPALIVE, now_ms, fx);
        return;
    }
    if (l->unanswered < MAX_UNANSWERED)
        l->unanswered++;
    l->asked_ms = now_ms;
    phone_put_empty(p, link, SCCP_KEEPALIVE, fx);
}

static void link_tick(struct sccp_phone *p, unsigned link, uint64_t now_ms, struct effects *fx)
{
    struct phone_link *l = &p->links[link];

    if (now_ms < l->due_ms)
        return;
    if (l->state == PHONE_LINK_OPENING) {
        link_close(p, link, fx);
        if (link == p->active)
            next_server(p, now_ms, fx);
        else
            p->standby_due_ms = now_ms + STANDBY_AGAIN_MS;
    } else if (l->state == PHONE_LINK_OPEN) {
        send_keepalive(p, link, now_ms, fx);
    } else {
        l->due_ms = UINT64_MAX;
    }
}

/* The second link leads to the first server that is not the one of the registration. */
static void standby(struct sccp_phone *p, uint64_t now_ms, struct effects *fx)
{
    unsigned other = 1u - p->active, server = p->links[p->active].server ? 0 : 1;

    p->standby_due_ms = UINT64_MAX;
    if (p->state != PHONE_REGISTERED || server >= p->n_servers)
        return;
    if (p->links[other].state == PHONE_LINK_OPEN && server == 0)
        phone_ask_token(p, other, fx); /* refused before; the wait is over */
    else if (p->links[other].state == PHONE_LINK_CLOSED)
        link_open(p, other, server, now_ms, fx);
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
        lost(p, PHONE_REASON_REGISTRATION_TIMEOUT, now_ms, fx);
        break;
    case PHONE_ASKING_TOKEN:
        phone_ask_token(p, p->active, fx);
        p->due_ms = now_ms + PHONE_REGISTER_MS;
        break;
    case PHONE_LEAVING:
        on_goodbye(p, now_ms, fx);
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
    for (unsigned i = 0; i < PHONE_LINKS; i++)
        link_tick(p, i, now_ms, fx);
    if (now_ms >= p->standby_due_ms)
        standby(p, now_ms, fx);
    if (now_ms >= p->due_ms)
        state_due(p, now_ms, fx);
    if (p->screen && screen_tick(p->screen, now_ms))
        effects_add(fx, EFFECT_LCD);
}

uint64_t sccp_phone_due(const struct sccp_phone *p)
{
    uint64_t due = earlier(p->due_ms, p->standby_due_ms);

    for (unsigned i = 0; i < PHONE_LINKS; i++)
        due = earlier(due, p->links[i].due_ms);
    return p->screen ? earlier(due, screen_due(p->screen)) : due;
}

/* ---- beginning and end ---- */

void phone_kind_init(struct phone_kind *ret, const struct model *model, const char *load,
                     uint32_t faults)
{
    *ret = (struct phone_kind){.model = model,
                               .habits = phone_habits_of(model),
                               .type = model->type,
                               .version = model->version,
                               .faults = faults};
    text_copy(ret->load, sizeof(ret->load),
              text_of(load ? load : model->default_load[PROTOCOL_SCCP]));
    if (fault_is_on(
            faults,
            FAULT_WRONG_TYPE)) /* the classic: a 7961 that is a 7961G-GE, and the other way round */
        ret->type = model->type == 308     ? 30018
                    : model->type == 30018 ? 308
                    : model->type == 7     ? 8
                                           : 7;
}

void sccp_phone_init(struct sccp_phone *p, const struct phone_kind *kind, struct mac mac)
{
    *p = (struct sccp_phone){.kind = kind,
                             .name = device_name_of_mac(mac),
                             .due_ms = UINT64_MAX,
                             .standby_due_ms = UINT64_MAX};
    for (unsigned i = 0; i < PHONE_LINKS; i++)
        p->links[i].due_ms = UINT64_MAX;
}

void sccp_phone_done(struct sccp_phone *p)
{
    for (unsigned i = 0; i < PHONE_LINKS; i++)
        forget_partial(&p->links[i]);
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
        after_goodbye(p, now_ms, fx);
        return;
    }
    p->state = PHONE_LEAVING;
    p->due_ms = now_ms + GOODBYE_MS;
    p->standby_due_ms = UINT64_MAX;
    phone_put_empty(p, p->active, SCCP_UNREGISTER, fx);
    if (!p->version) /* CallManager 2 does not answer */
        p->due_ms = now_ms;
    phone_show(p, fx, "Resetting");
}

void sccp_phone_stop(struct sccp_phone *p, struct effects *fx)
{
    for (unsigned i = 0; i < PHONE_LINKS; i++)
        link_close(p, i, fx);
    p->state = PHONE_OFF;
    p->due_ms = p->standby_due_ms = UINT64_MAX;
}

const char *phone_state_name(enum phone_state state)
{
    static const char *const names[N_PHONE_STATES] = {
        [PHONE_OFF] = "off",
        [PHONE_CONNECTING] = "connecting",
        [PHONE_ASKING_TOKEN] = "asking for a token",
        [PHONE_REGISTERING] = "registering",
        [PHONE_CONFIGURING] = "configuring",
        [PHONE_REGISTERED] = "registered",
        [PHONE_LEAVING] = "leaving",
        [PHONE_REJECTED] = "rejected",
        [PHONE_BETWEEN] = "waiting",
    };

    return state < N_PHONE_STATES ? names[state] : "?";
}
