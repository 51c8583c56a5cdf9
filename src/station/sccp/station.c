/* station.c - the life of an SCCP connection as rows: what it may do when, and what follows.
 */
#include "station/sccp/station.h"

#include <string.h>

#include "base/log.h"
#include "core/counters.h"
#include "station/graph.h"
#include "station/activation.h"
#include "station/news.h"
#include "station/refusals.h"

/* --- conditions --- */

static bool refused(struct session *s, const struct session_input *in)
{
    s->refusal = (uint8_t)refusal_of(&s->station);
    return s->refusal != REFUSAL_NONE;
}

static bool unknown(struct session *s, const struct session_input *in)
{
    return !station_phone(&s->station);
}

static bool no_token(struct session *s, const struct session_input *in)
{
    const struct registry *r = s->station.registry;

    if (refused(s, in) || r->draining)
        return true;
    return in->event == EV_TOKEN && s->station.state != STATION_TOKEN && !registry_has_token(r);
}

/* The backup leaves keepalives to TCP (SCCP-2); the 7985 and 6911 want an answer before they
 * register. */
static bool acknowledged_early(struct session *s, const struct session_input *in)
{
    return SETTING_OF(&s->station, keepalive_ack_unregistered) ||
           stations_is_early(s->owner, s->station.peer.ip);
}

static bool has_no_acks(struct session *s, const struct session_input *in)
{
    return s->version == 0; /* CallManager 2 knows neither KeepAliveAck nor UnregisterAck */
}

static bool parking_is_full(struct session *s, const struct session_input *in)
{
    struct parked *p;

    if (!s->parked_id)
        pool_take(&s->owner->parked, &s->parked_id);
    p = s->parked_id ? pool_get(&s->owner->parked, s->parked_id) : NULL;
    return !p || p->n == PARKED_MAX;
}

static bool only_applies(struct session *s, const struct session_input *in)
{
    return s->order == STATION_APPLY;
}

static bool in_quarantine(struct session *s, const struct session_input *in)
{
    const struct phone *phone = station_phone(&s->station);

    return phone && phone->quarantine;
}

static bool clock_is_right(struct session *s, const struct session_input *in)
{
    return !s->clock || s->clock == session_clock(s);
}

/* --- what is done --- */

static void nothing(struct session *s, const struct session_input *in, struct effects *e)
{
}

static void ack_keepalive(struct session *s, const struct session_input *in, struct effects *e)
{
    SEND(s, e, keepalive_ack, &(struct sccp_keepalive_ack){});
}

static void watch_keepalive(struct session *s, const struct session_input *in, struct effects *e)
{
    struct keepalive_finding found;

    if (s->version)
        ack_keepalive(s, in, e);
    if (keepalive_heard(&s->watch, s->station.registry->now.ms, s->station.registry->awake_ms, s->keepalive_s * 1000u,
                        &found))
        tell_keepalives(&s->station, s->keepalive_s, &found, e);
}

static void type_code(struct session *s, const struct session_input *in, struct effects *e)
{
    activation_key(s, in->message, e);
}

static void answer(struct session *s, const struct session_input *in, struct effects *e)
{
    session_answer(s, in->message->id, sccp_argument_of(in->message), e);
}

static void leave(struct session *s, const struct session_input *in, struct effects *e)
{
    uint32_t reason = UNREGISTERED_DEVICE_UNREGISTERED;

    if (s->version) {
        SEND(s, e, unregister_ack, (&(struct sccp_unregister_ack){SCCP_UNREGISTER_OK}));
        effects_close(e, s->link);
    }
    if (s->station.leave_reason)
        reason = s->station.leave_reason;
    else if (in->message->unregister.reason == SCCP_UNREGISTER_POWER_SAVE)
        reason = UNREGISTERED_POWER_SAVE;
    else if (!station_is_at_home(&s->station))
        reason = UNREGISTERED_FALLBACK;
    tell_gone(&s->station, reason, e);
}

static void say_goodbye(struct session *s, const struct session_input *in, struct effects *e)
{
    SEND(s, e, unregister_ack, (&(struct sccp_unregister_ack){SCCP_UNREGISTER_OK}));
    effects_close(e, s->link);
}

static void lost_connection(struct session *s, const struct session_input *in, struct effects *e)
{
    tell_gone(&s->station,
              s->station.leave_reason ? s->station.leave_reason : UNREGISTERED_CONNECTIVITY_ERROR,
              e);
}

static void lost_keepalive(struct session *s, const struct session_input *in, struct effects *e)
{
    effects_close(e, s->link);
    tell_gone(&s->station, UNREGISTERED_KEEPALIVE_TIMEOUT, e);
}

static void lost_to_newer(struct session *s, const struct session_input *in, struct effects *e)
{
    uint8_t reason = s->station.leave_reason;

    effects_close(e, s->link);
    tell_gone(&s->station, reason ? reason : UNREGISTERED_DEVICE_SWITCH, e);
}

static void ignored_order(struct session *s, const struct session_input *in, struct effects *e)
{
    effects_close(e, s->link);
    tell_gone(&s->station, UNREGISTERED_NO_RESPONSE, e);
}

static void throttled(struct session *s, const struct session_input *in, struct effects *e)
{
    tell_flood(&s->station, s->n_events, e);
    effects_close(e, s->link);
    tell_gone(&s->station, UNREGISTERED_THROTTLING, e);
}

/* It registers again on the same connection. */
static void begin_again(struct session *s, const struct session_input *in, struct effects *e)
{
    if (strcasecmp(in->message->register_req.device_name, s->station.name.s) != 0 &&
        station_is_registered(&s->station))
        tell_gone(&s->station, UNREGISTERED_DEVICE_SWITCH, e);
    station_leave_name(&s->station);
    if (s->parked_id)
        pool_give(&s->owner->parked, s->parked_id);
    s->parked_id = 0;
}

static void send_away(struct session *s, const struct session_input *in, struct effects *e)
{
    static const struct {
        enum alarm_id alarm;
        uint8_t reason;
    } orders[] = {[STATION_RESET] = {ALARM_ENDPOINT_RESET, UNREGISTERED_CALLMANAGER_RESET},
                  [STATION_RESTART] = {ALARM_ENDPOINT_RESTART, UNREGISTERED_CALLMANAGER_RESTART},
                  [STATION_APPLY] = {ALARM_DEVICE_APPLY_CONFIG, UNREGISTERED_APPLY_CONFIG}};

    if (in->event == EV_DELETED)
        s->order = STATION_RESET;
    SEND(s, e, reset, (&(struct sccp_reset){s->order}));
    s->station.leave_reason = orders[s->order].reason;
    tell_order(&s->station, orders[s->order].alarm, e);
}

/* Summer begins or ends, or its date/time group is another: the phone itself knows no zone. */
static void tell_time(struct session *s, const struct session_input *in, struct effects *e)
{
    session_send_time(s, e);
}

static void stay(struct session *s, const struct session_input *in, struct effects *e)
{
    s->station.leave_reason = 0;
}

/* --- whose name it is --- */

static bool has_rival(struct session *s, const struct session_input *in)
{
    return station_other(&s->station, s->own_address) && refusal_may_wait(&s->station);
}

static void ask_rival(struct session *s, const struct session_input *in, struct effects *e)
{
    station_ask(station_other(&s->station, s->own_address), e);
}

static bool rival_answers(struct session *s, const struct session_input *in)
{
    struct station *other = station_other(&s->station, s->own_address);

    s->refusal = REFUSAL_DUPLICATE;
    if (!other || station_answers(other))
        return other;
    station_is_gone(other);
    return false;
}

static void stop_asking(struct session *s, const struct session_input *in, struct effects *e)
{
    struct station *other = station_other(&s->station, s->own_address);

    if (other)
        station_answers(other);
}

static void broke_off(struct session *s, const struct session_input *in, struct effects *e)
{
    refusal_tell_failed(&s->station, TRANSIENT_CONNECTIVITY_ERROR, e);
}

static void out_of_order(struct session *s, const struct session_input *in, struct effects *e)
{
    effects_close(e, s->link);
    refusal_tell_failed(&s->station, TRANSIENT_SEQUENCE_ERROR, e);
}

static void no_capabilities(struct session *s, const struct session_input *in, struct effects *e)
{
    effects_close(e, s->link);
    refusal_tell_failed(&s->station, TRANSIENT_CAPABILITY_TIMEOUT, e);
}

static void close_silent(struct session *s, const struct session_input *in, struct effects *e)
{
    count(COUNT_SCCP_SILENT_CLOSED);
    effects_close(e, s->link);
}

static void close_link(struct session *s, const struct session_input *in, struct effects *e)
{
    effects_close(e, s->link);
}

static void too_early(struct session *s, const struct session_input *in, struct effects *e)
{
    count(COUNT_SCCP_OUT_OF_ORDER);
}

/* --- the rows --- */

#define NOBODY (IN(OPEN) | IN(STANDBY) | IN(TOKEN) | IN(REFUSED))
#define THERE  (IN(REGISTERED) | IN(LEAVING))
#define WAITS  (IN(ADMITTING) | IN(ASKING))
#define ANY    (NOBODY | THERE | WAITS | IN(CAPABILITIES))

/* clang-format off */
static const struct row {
    uint32_t in;
    enum session_event on;
    bool (*when)(struct session *s, const struct session_input *in);
    SESSION_ACT((*act));
    uint8_t to;
    const char *words; /* condition and action, for the printed graph */
} rows[] = {
    { ANY,              EV_ALARM,        NULL,               session_keep_alarm,       SAME,                 "keep what it tells" },

    { THERE,            EV_KEEPALIVE,    NULL,               watch_keepalive,          SAME,                 "KeepAliveAck (version 0: no answer); late ones are told" },
    { IN(CAPABILITIES), EV_KEEPALIVE,    has_no_acks,        nothing,                  SAME,                 "version 0: no answer" },
    { IN(CAPABILITIES), EV_KEEPALIVE,    NULL,               ack_keepalive,            SAME,                 "KeepAliveAck" },
    { WAITS | IN(TOKEN) | IN(REFUSED),EV_KEEPALIVE,    acknowledged_early, ack_keepalive,            SAME,                 "expected early: KeepAliveAck" },
    { WAITS | IN(TOKEN) | IN(REFUSED),EV_KEEPALIVE,    NULL, nothing,                  SAME,                 "left to TCP" },
    { IN(OPEN) | IN(STANDBY),EV_KEEPALIVE,    acknowledged_early, ack_keepalive,            STATION_STANDBY,      "expected early: KeepAliveAck" },
    { IN(OPEN) | IN(STANDBY),EV_KEEPALIVE,    NULL,         nothing,                  STATION_STANDBY,      "left to TCP" },

    { NOBODY,           EV_TOKEN,        no_token,           session_deny_token,       SAME,                 "would be refused, or queue full: RegisterTokenReject" },
    { NOBODY,           EV_TOKEN,        NULL,               session_grant_token,      STATION_TOKEN,        "RegisterTokenAck" },
    { THERE | IN(CAPABILITIES) | WAITS,EV_TOKEN,        NULL, session_grant_token,      SAME,                 "RegisterTokenAck" },
    { NOBODY,           EV_SPCP_TOKEN,   no_token,           session_deny_token,       SAME,                 "would be refused: SPCPRegisterTokenReject" },
    { ANY,              EV_SPCP_TOKEN,   NULL,               session_grant_token,      SAME,                 "SPCPRegisterTokenAck" },

    { NOBODY,           EV_REGISTER,     has_rival,          ask_rival,                STATION_ASKING,       "its name is alive elsewhere, by what is known: the holder is asked" },
    { NOBODY,           EV_REGISTER,     refused,            session_refuse,           STATION_REFUSED,      "a rule of refusals.def: RegisterReject" },
    { NOBODY,           EV_REGISTER,     unknown,            session_ask_to_add,       STATION_ADMITTING,    "unknown, auto-registration on: ask the database" },
    { NOBODY,           EV_REGISTER,     NULL,               session_admit,            STATION_CAPABILITIES, "RegisterAck, CapabilitiesReq" },
    { THERE | IN(CAPABILITIES),EV_REGISTER,     NULL,       begin_again,              STATION_OPEN | AGAIN, "registers again" },
    { IN(ADMITTING),    EV_REGISTER,     NULL,               nothing,                  SAME,                 "already asked" },

    { IN(ASKING),       EV_TIMEOUT,      rival_answers,      session_refuse,           STATION_REFUSED,      "it is there: RegisterReject, and an alarm with both addresses" },
    { IN(ASKING),       EV_TIMEOUT,      refused,            session_refuse,           STATION_REFUSED,      "a rule of refusals.def: RegisterReject" },
    { IN(ASKING),       EV_TIMEOUT,      NULL,               session_admit,            STATION_CAPABILITIES, "it is silent or gone: RegisterAck, CapabilitiesReq" },
    { IN(ASKING),       EV_REGISTER,     NULL,               nothing,                  SAME,                 "already asked" },
    { IN(ASKING),       EV_CLOSED,       NULL,               stop_asking,              STATION_CLOSED,       "" },

    { IN(ADMITTING),    EV_ADMITTED,     refused,            session_refuse,           STATION_REFUSED,      "a rule of refusals.def: RegisterReject" },
    { IN(ADMITTING),    EV_ADMITTED,     unknown,            session_refuse_admission, STATION_REFUSED,      "not there after all: RegisterReject" },
    { IN(ADMITTING),    EV_ADMITTED,     NULL,               session_admit,            STATION_CAPABILITIES, "RegisterAck, CapabilitiesReq" },
    { IN(ADMITTING),    EV_NOT_ADMITTED, NULL,               session_refuse_admission, STATION_REFUSED,      "RegisterReject" },
    { IN(ADMITTING),    EV_TIMEOUT,      NULL,               session_refuse_admission, STATION_REFUSED,      "RegisterReject" },
    { IN(ADMITTING),    EV_CLOSED,       NULL,               broke_off,                STATION_CLOSED,       "" },

    { IN(CAPABILITIES), EV_CAPABILITIES, NULL,               session_registered,       STATION_REGISTERED,   "answer what was parked" },
    { IN(CAPABILITIES), EV_REQUEST,      parking_is_full,    out_of_order,             STATION_CLOSED,       "too many parked: close" },
    { IN(CAPABILITIES), EV_REQUEST,      NULL,               session_park,             SAME,                 "park" },
    { IN(CAPABILITIES), EV_TIMEOUT,      NULL,               no_capabilities,          STATION_CLOSED,       "close" },
    { IN(CAPABILITIES), EV_CLOSED,       NULL,               broke_off,                STATION_CLOSED,       "" },
    { IN(CAPABILITIES), EV_REPLACED,     NULL,               out_of_order,             STATION_CLOSED,       "close" },
    { IN(CAPABILITIES), EV_UNREGISTER,   NULL,               say_goodbye,              STATION_CLOSED,       "UnregisterAck, close" },

    { THERE,            EV_CAPABILITIES, NULL,               nothing,                  SAME,                 "" },
    { IN(REGISTERED),   EV_KEY,          in_quarantine,      type_code,                SAME,                 "in quarantine: dial tone for an activation code" },
    { THERE,            EV_KEY,          NULL,               nothing,                  SAME,                 "" },
    { THERE,            EV_REQUEST,      NULL,               answer,                   SAME,                 "answer" },
    { THERE,            EV_UNREGISTER,   has_no_acks,        leave,                    STATION_OPEN,         "version 0: no answer" },
    { THERE,            EV_UNREGISTER,   NULL,               leave,                    STATION_CLOSED,       "UnregisterAck, close" },
    { THERE,            EV_CLOSED,       NULL,               lost_connection,          STATION_CLOSED,       "" },
    { THERE,            EV_REPLACED,     NULL,               lost_to_newer,            STATION_CLOSED,       "close" },
    { THERE,            EV_FLOOD,        NULL,               throttled,                STATION_CLOSED,       "close" },
    { IN(REGISTERED),   EV_CLOCK,        clock_is_right,     nothing,                  SAME,                 "" },
    { IN(REGISTERED),   EV_CLOCK,        NULL,               tell_time,                SAME,                 "its zone or daylight saving changed: DefineTimeDate" },
    { THERE,            EV_ORDER,        NULL,               send_away,                STATION_LEAVING,      "Reset" },
    { IN(REGISTERED),   EV_DELETED,      NULL,               send_away,                STATION_LEAVING,      "Reset" },
    { IN(REGISTERED),   EV_TIMEOUT,      NULL,               lost_keepalive,           STATION_CLOSED,       "keepalives missed: close" },
    { IN(LEAVING),      EV_TIMEOUT,      only_applies,       stay,                     STATION_REGISTERED,   "need not leave to apply" },
    { IN(LEAVING),      EV_TIMEOUT,      NULL,               ignored_order,            STATION_CLOSED,       "close" },

    { NOBODY,           EV_REQUEST,      NULL,               too_early,                SAME,                 "counted" },
    { NOBODY,           EV_CAPABILITIES, NULL,               too_early,                SAME,                 "counted" },
    { NOBODY | WAITS | IN(CAPABILITIES),EV_KEY,          NULL, too_early,                SAME,                 "counted" },
    { WAITS,            EV_REQUEST,      NULL,               too_early,                SAME,                 "counted" },
    { NOBODY,           EV_UNREGISTER,   NULL,               say_goodbye,              STATION_CLOSED,       "UnregisterAck, close" },
    { WAITS,            EV_UNREGISTER,   NULL,               say_goodbye,              STATION_CLOSED,       "UnregisterAck, close" },
    { NOBODY | WAITS | IN(CAPABILITIES),EV_FLOOD,        NULL, close_link,               STATION_CLOSED,       "close" },
    { IN(OPEN),         EV_TIMEOUT,      NULL,               close_silent,             STATION_CLOSED,       "close" },
    { IN(STANDBY),      EV_TIMEOUT,      NULL,               close_link,               STATION_CLOSED,       "keepalives missed: close" },
    { IN(TOKEN) | IN(REFUSED),EV_TIMEOUT,      NULL,        close_link,               STATION_CLOSED,       "close" },
    { IN(TOKEN),        EV_CLOSED,       NULL,               broke_off,                STATION_CLOSED,       "" },
    { NOBODY,           EV_CLOSED,       NULL,               nothing,                  STATION_CLOSED,       "" },
};

static const struct state_words states[N_STATION_STATES] = {
    [STATION_OPEN]         = { "open",         "Station and Backup Server KeepAlive Interval, then Station Registration Timer: a standby connection says nothing before" },
    [STATION_STANDBY]      = { "standby",      "Station and Backup Server KeepAlive Interval, as often as may be missed" },
    [STATION_TOKEN]        = { "token",        "Station Registration Timer" },
    [STATION_ADMITTING]    = { "auto_register", "Auto-registration Timer" },
    [STATION_ASKING]       = { "duplicate_check", "1.5 s" },
    [STATION_CAPABILITIES] = { "wait_capabilities", "Station Registration Timer" },
    [STATION_REGISTERED]   = { "registered",   "Station KeepAlive Interval, as often as may be missed, and the slack of the model" },
    [STATION_LEAVING]      = { "leaving",      "Station Reset Timer" },
    [STATION_REFUSED]      = { "refused",      "Close After Reject" },
    [STATION_CLOSED]       = { "closed",       "" },
};
/* clang-format on */

static const char *const event_names[N_SESSION_EVENTS] = {
    [EV_ALARM] = "Alarm",
    [EV_KEEPALIVE] = "KeepAlive",
    [EV_TOKEN] = "RegisterTokenReq",
    [EV_SPCP_TOKEN] = "SPCPRegisterTokenReq",
    [EV_REGISTER] = "Register",
    [EV_CAPABILITIES] = "capabilities",
    [EV_KEY] = "key or hook",
    [EV_REQUEST] = "request",
    [EV_UNREGISTER] = "Unregister",
    [EV_ADMITTED] = "added",
    [EV_NOT_ADMITTED] = "not added",
    [EV_ORDER] = "order to reset",
    [EV_REPLACED] = "replaced",
    [EV_DELETED] = "deleted",
    [EV_FLOOD] = "too many messages",
    [EV_CLOCK] = "quarter of an hour",
    [EV_TIMEOUT] = "timeout",
    [EV_CLOSED] = "connection closed",
};

const char *station_state_name(enum station_state state)
{
    return states[state].name;
}

static uint64_t due_ms(const struct session *s)
{
    const uint64_t standby = (uint64_t)SETTING_OF(&s->station, station_secondary_keepalive) *
                             (uint64_t)SETTING_OF(&s->station, station_keepalive_missed) * 1000;

    switch (s->station.state) {
    case STATION_OPEN: /* the first keepalive of a standby connection comes after its interval */
        return s->state_ms + (uint64_t)(SETTING_OF(&s->station, station_secondary_keepalive) +
                                        SETTING_OF(&s->station, station_register_timeout)) *
                                 1000;
    case STATION_STANDBY:
        return s->station.heard_ms + standby;
    case STATION_REGISTERED:
        return s->station.heard_ms + s->station.loss_ms;
    case STATION_ADMITTING:
        return s->state_ms + (uint64_t)SETTING_OF(&s->station, autoregister_timeout) * 1000;
    case STATION_ASKING:
        return s->state_ms + RIVAL_MS;
    case STATION_LEAVING:
        return s->state_ms + (uint64_t)SETTING_OF(&s->station, station_reset_timeout) * 1000;
    case STATION_REFUSED:
        return s->state_ms + (uint64_t)SETTING_OF(&s->station, close_after_reject) * 1000;
    default:
        return s->state_ms + (uint64_t)SETTING_OF(&s->station, station_register_timeout) * 1000;
    }
}

void session_arm(struct session *s)
{
    timer_set(&s->owner->timers, &s->timer, due_ms(s));
}

static void move(struct session *s, enum station_state to)
{
    station_move(&s->station, to);
    s->state_ms = s->station.registry->now.ms;
    if (to != STATION_OPEN)
        list_remove(&s->waiting);
    if (to != STATION_CLOSED)
        session_arm(s);
}

/* Who it is, as it says, before the rows look at it. */
static void identify(struct session *s, const struct session_input *in, struct effects *e)
{
    const struct sccp_register_req *r = &in->message->register_req;
    const struct sccp_register_token_req *t = &in->message->register_token_req;
    const struct sccp_spcp_register_token_req *p = &in->message->spcp_register_token_req;
    bool registers = in->event == EV_REGISTER;

    s->station.name = device_name_of(text_of(registers               ? r->device_name
                                             : in->event == EV_TOKEN ? t->device_name
                                                                     : p->device_name));
    s->station.model = registers               ? r->device_type
                       : in->event == EV_TOKEN ? t->device_type
                                               : p->device_type;
    s->station.protocol = PROTOCOL_SCCP;
    s->model = model_find(s->station.model);
    s->station.phone_version = UINT32_MAX;
    if (!registers)
        return;
    s->instance = r->instance;
    s->own_address = r->address;
    s->station.address_scope = (uint8_t)r->address_scope;
    s->station.offered = r->protocol;
    memcpy(s->features, r->features, sizeof(s->features));
    if (r->load[0])
        station_set_load(&s->station, text_of(r->load));
    tell_event(&s->station, STAGE_REGISTER, r->protocol, s->station.load, e);
}

static bool names_itself(enum session_event event)
{
    return event == EV_REGISTER || event == EV_TOKEN || event == EV_SPCP_TOKEN;
}

static const struct row *find_row(struct session *s, const struct session_input *in)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        if (rows[i].in & 1u << s->station.state && rows[i].on == in->event &&
            (!rows[i].when || rows[i].when(s, in)))
            return &rows[i];
    return NULL;
}

void session_step(struct session *s, const struct session_input *in, struct effects *e)
{
    const struct row *row;

    if (in->event == EV_TIMEOUT && due_ms(s) > s->station.registry->now.ms) {
        session_arm(s); /* it was heard since */
        return;
    }
    if (in->event == EV_KEY && (in->message->id == SCCP_OFF_HOOK || in->message->id == SCCP_ON_HOOK))
        s->station.off_hook = in->message->id == SCCP_OFF_HOOK;
    if (names_itself(in->event) && NOBODY & 1u << s->station.state)
        identify(s, in, e);
    row = find_row(s, in);
    if (!row) {
        count(COUNT_SCCP_OUT_OF_ORDER);
        station_log(&s->station, LOG_LEVEL_NOTICE, "%s has no place", event_names[in->event]);
        return;
    }
    row->act(s, in, e);
    if (row->to != SAME)
        move(s, row->to & ~AGAIN);
    if (row->to & AGAIN && s->station.state != STATION_CLOSED)
        session_step(s, in, e);
}

/* --- the graph --- */

void session_print_states(struct writer *w)
{
    struct graph_row printed[sizeof(rows) / sizeof(*rows)];

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        printed[i] = (struct graph_row){rows[i].in, (uint8_t)rows[i].on, rows[i].to, rows[i].words};
    graph_print(w, states, event_names, printed, sizeof(rows) / sizeof(*rows));
}
