/* station.c - the life of a SIP device as rows: what it may do when, and what follows. */
#include "station/sip/station.h"

#include <errno.h>

#include "core/counters.h"
#include "station/graph.h"
#include "station/news.h"
#include "station/refusals.h"

#define PARTIAL_MS 1000 /* for the other lines of a phone that registers each */

/* What CallManager calls the last signal of its alarms. */
static const char register_ind[] = "SIPRegisterInd",
                  line_timeout[] = "SIPStationDPrimaryLineTimeout",
                  connection_ind[] = "SIPConnControlInd";

/* --- conditions --- */

static bool refused(struct sip_device *d, const struct sip_input *in)
{
    d->refusal = (uint8_t)refusal_of(&d->station);
    return d->refusal != REFUSAL_NONE && d->refusal != REFUSAL_UNKNOWN;
}

static bool unknown(struct sip_device *d, const struct sip_input *in)
{
    return !station_phone(&d->station);
}

static bool door_is_closed(struct sip_device *d, const struct sip_input *in)
{
    d->refusal = (uint8_t)refusal_of(&d->station);
    return d->refusal == REFUSAL_UNKNOWN;
}

/* With the line that this request registers. */
static bool more_lines(struct sip_device *d, const struct sip_input *in)
{
    unsigned line = in->request->line;
    size_t n = sip_bindings_count(d) + !sip_binding_of_line(d, line);

    return !d->bulk && (n < sip_lines_of(d) || (line != 1 && !sip_binding_of_line(d, 1)));
}

static bool is_first_line(struct sip_device *d, const struct sip_input *in)
{
    return in->request->line == 1;
}

static bool has_first_line(struct sip_device *d, const struct sip_input *in)
{
    return sip_binding_of_line(d, 1);
}

/* Others are still registered after this one has gone. */
static bool others_stay(struct sip_device *d, const struct sip_input *in)
{
    struct sip_binding *b = in->request->binding;

    return !d->bulk && b && sip_bindings_count(d) > 1;
}

static bool only_applies(struct sip_device *d, const struct sip_input *in)
{
    return d->order == STATION_APPLY;
}

/* A load that reboots when it is told to, and says nothing before it is back. */
static bool went_silently(struct sip_device *d, const struct sip_input *in)
{
    return !d->service_control && d->obeyed;
}

static bool is_plain(struct sip_device *d, const struct sip_input *in)
{
    return d->station.protocol == PROTOCOL_SIP_THIRD_PARTY;
}

static bool none_is_left(struct sip_device *d, const struct sip_input *in)
{
    return !d->bindings;
}

/* A contact of a plain client has run out, not the last. */
static bool some_are_left(struct sip_device *d, const struct sip_input *in)
{
    for (struct sip_binding *b = d->bindings; b && is_plain(d, in); b = b->next)
        if (b->expires_ms > d->owner->registry->now.ms)
            return true;
    return false;
}

/* --- what is done --- */

static void nothing(struct sip_device *d, const struct sip_input *in, struct effects *e)
{
}

static void gone(struct sip_device *d, uint32_t reason, const char *signal, struct effects *e)
{
    d->station.last_signal = signal;
    tell_gone(&d->station, d->station.leave_reason ? d->station.leave_reason : reason, e);
}

static void unbind(struct sip_device *d, const struct sip_input *in, struct effects *e)
{
    sip_answer_unregistered(in->request);
    sip_binding_free(in->request->binding);
}

/* Its cisco-alarm says why; what it says of itself counts more than what it was told to do. */
static uint32_t reason_of_leaving(const struct sip_request *q)
{
    static const struct {
        uint32_t alarm, reason;
    } reasons[] = {{18, UNREGISTERED_FALLBACK},          {20, UNREGISTERED_DEVICE_INITIATED_RESET},
                   {22, UNREGISTERED_CALLMANAGER_RESET}, {23, UNREGISTERED_CALLMANAGER_RESTART},
                   {32, UNREGISTERED_POWER_SAVE},        {33, UNREGISTERED_LOW_BATTERY},
                   {34, UNREGISTERED_POWER_OFF},         {104, UNREGISTERED_APPLY_CONFIG}};
    struct sip_details details;

    sip_register_details(q->message, &details);
    for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
        if (reasons[i].alarm == details.alarm.code)
            return reasons[i].reason;
    return UNREGISTERED_DEVICE_UNREGISTERED;
}

static void leave(struct sip_device *d, const struct sip_input *in, struct effects *e)
{
    uint32_t reason = reason_of_leaving(in->request);

    sip_answer_unregistered(in->request);
    if (reason != UNREGISTERED_DEVICE_UNREGISTERED)
        d->station.leave_reason = 0;
    if (station_is_registered(&d->station))
        gone(d, reason, register_ind, e);
}

static void lost_connection(struct sip_device *d, const struct sip_input *in, struct effects *e)
{
    gone(d, UNREGISTERED_CONNECTIVITY_ERROR, connection_ind, e);
}

static void lost_keepalive(struct sip_device *d, const struct sip_input *in, struct effects *e)
{
    gone(d, UNREGISTERED_KEEPALIVE_TIMEOUT, line_timeout, e);
}

static void lost_to_newer(struct sip_device *d, const struct sip_input *in, struct effects *e)
{
    gone(d, UNREGISTERED_DEVICE_SWITCH, register_ind, e);
}

static void ignored_order(struct sip_device *d, const struct sip_input *in, struct effects *e)
{
    d->station.leave_reason = 0;
    gone(d, UNREGISTERED_NO_RESPONSE, register_ind, e);
}

static void moved(struct sip_device *d, const struct sip_input *in, struct effects *e)
{
    struct sip_room room;
    struct sip_uri old;
    bool same_host = sip_uri_parse(sip_binding_uri(in->request->binding, &room), &old) == 0 &&
                     text_equal_nocase(old.host, in->request->reg.contacts[0].uri.host);

    d->station.leave_reason = 0;
    gone(d, same_host ? UNREGISTERED_PORT_CHANGED : UNREGISTERED_ADDRESS_CHANGED, register_ind, e);
    while (d->bindings)
        sip_binding_free(d->bindings);
}

/* It registers anew by the way it had before: it was off, or it starts over. */
static void begin_again(struct sip_device *d, const struct sip_input *in, struct effects *e)
{
    while (d->bindings)
        sip_binding_free(d->bindings);
    station_leave_name(&d->station);
}

static void send_away(struct sip_device *d, const struct sip_input *in, struct effects *e)
{
    static const struct {
        enum alarm_id alarm;
        uint8_t reason;
    } orders[] = {[STATION_RESET] = {ALARM_ENDPOINT_RESET, UNREGISTERED_CALLMANAGER_RESET},
                  [STATION_RESTART] = {ALARM_ENDPOINT_RESTART, UNREGISTERED_CALLMANAGER_RESTART},
                  [STATION_APPLY] = {ALARM_DEVICE_APPLY_CONFIG, UNREGISTERED_APPLY_CONFIG}};

    if (in->event == SIP_EV_DELETED)
        d->order = STATION_RESET;
    if (sip_order_send(d) < 0)
        d->verdict = 503, timer_set(&d->owner->timers, &d->timer, d->owner->registry->now.ms);
    d->obeyed = false;
    d->station.leave_reason = orders[d->order].reason;
    tell_order(&d->station, orders[d->order].alarm, e);
}

static void obey(struct sip_device *d, const struct sip_input *in, struct effects *e)
{
    d->obeyed = true;
}

static void stay(struct sip_device *d, const struct sip_input *in, struct effects *e)
{
    d->station.leave_reason = 0;
}

static void broke_off(struct sip_device *d, const struct sip_input *in, struct effects *e)
{
    d->station.last_signal = connection_ind;
    refusal_tell_failed(&d->station, TRANSIENT_CONNECTIVITY_ERROR, e);
}

static void never_whole(struct sip_device *d, const struct sip_input *in, struct effects *e)
{
    refusal_tell_failed(&d->station, TRANSIENT_SEQUENCE_ERROR, e);
}

/* --- plain clients --- */

/* There is no order that all makes understand; check-sync is what most do. */
static void suggest(struct sip_device *d, const struct sip_input *in, struct effects *e)
{
    sip_order_send(d);
}

static void left_by_itself(struct sip_device *d, const struct sip_input *in, struct effects *e)
{
    gone(d, UNREGISTERED_DEVICE_UNREGISTERED, register_ind, e);
}

/* --- the rows --- */

#define THERE (IN(REGISTERED) | IN(LEAVING))
#define LINES IN(CAPABILITIES)

/* clang-format off */
static const struct row {
    uint32_t in;
    enum sip_event on;
    bool (*when)(struct sip_device *d, const struct sip_input *in);
    SIP_ACT((*act));
    uint8_t to;
    const char *words; /* condition and action, for the printed graph */
} rows[] = {
    { THERE,          SIP_EV_REFRESH,      NULL,           sip_refresh,              SAME,                       "200" },
    { IN(OPEN),       SIP_EV_REGISTER,     sip_has_rival,  nothing,                  STATION_ASKING | AGAIN,     "its name is held at another place" },
    { IN(OPEN),       SIP_EV_REGISTER,     refused,        sip_refuse,               STATION_REFUSED,            "a rule of refusals.def: 403, 485 or 503" },
    { IN(OPEN),       SIP_EV_REGISTER,     unknown,        nothing,                  STATION_ADMITTING | AGAIN,  "not in the directory" },
    { IN(OPEN),       SIP_EV_REGISTER,     more_lines,     sip_admit,                STATION_CAPABILITIES,       "more lines are to come: 200" },
    { IN(OPEN),       SIP_EV_REGISTER,     NULL,           sip_admit_whole,          STATION_REGISTERED,         "200, then what it has to know" },

    { IN(ADMITTING),  SIP_EV_REGISTER,     door_is_closed, sip_refuse,               STATION_REFUSED,            "auto-registration is off: 404" },
    { IN(ADMITTING),  SIP_EV_REGISTER,     NULL,           sip_ask_to_add,           SAME,                       "ask the database, once" },
    { IN(ADMITTING),  SIP_EV_ADMITTED,     refused,        sip_refuse,               STATION_REFUSED,            "a rule of refusals.def: 403, 485 or 503" },
    { IN(ADMITTING),  SIP_EV_ADMITTED,     unknown,        sip_refuse_admission,     STATION_REFUSED,            "not there after all: 404" },
    { IN(ADMITTING),  SIP_EV_ADMITTED,     more_lines,     sip_admit,                STATION_CAPABILITIES,       "more lines are to come: 200" },
    { IN(ADMITTING),  SIP_EV_ADMITTED,     NULL,           sip_admit_whole,          STATION_REGISTERED,         "200, then what it has to know" },
    { IN(ADMITTING),  SIP_EV_NOT_ADMITTED, NULL,           sip_refuse_admission,     STATION_REFUSED,            "404" },
    { IN(ADMITTING),  SIP_EV_CLOSED,       NULL,           broke_off,                STATION_CLOSED,             "" },
    { IN(ADMITTING),  SIP_EV_REPLACED,     NULL,           nothing,                  STATION_CLOSED,             "" },

    { IN(ASKING),     SIP_EV_REGISTER,     sip_rival_has_answered, sip_refuse_rival, STATION_REFUSED,            "the holder said a moment ago that it is there: 403" },
    { IN(ASKING),     SIP_EV_REGISTER,     NULL,           sip_ask_rival,            SAME,                       "100, and the holder is asked" },
    { IN(ASKING),     SIP_EV_THERE,        NULL,           sip_refuse_rival,         STATION_REFUSED,            "403, and an alarm with both addresses" },
    { IN(ASKING),     SIP_EV_SILENT,       NULL,           sip_come_in,              STATION_OPEN | AGAIN,       "the REGISTER goes on" },
    { IN(ASKING),     SIP_EV_CLOSED,       NULL,           nothing,                  STATION_CLOSED,             "" },

    { LINES,          SIP_EV_REGISTER,     more_lines,     sip_bind_line,            SAME,                       "another line, not the last: 200" },
    { LINES,          SIP_EV_REGISTER,     NULL,           sip_registered,           STATION_REGISTERED,         "the last line: 200, then what it has to know" },
    { LINES,          SIP_EV_REFRESH,      NULL,           sip_refresh,              SAME,                       "200" },
    { LINES | THERE,  SIP_EV_REPEAT,       NULL,           sip_repeat,               SAME,                       "the same answer once more" },
    { LINES,          SIP_EV_MOVED,        NULL,           begin_again,              STATION_OPEN | AGAIN,       "" },
    { LINES,          SIP_EV_TIMEOUT,      has_first_line, sip_registered_partly,    STATION_REGISTERED,         "partly registered: an alarm" },
    { LINES,          SIP_EV_TIMEOUT,      NULL,           never_whole,              STATION_CLOSED,             "the first line never came: close" },
    { LINES,          SIP_EV_UNREGISTER,   NULL,           leave,                    STATION_CLOSED,             "200, close" },
    { LINES,          SIP_EV_CLOSED,       NULL,           broke_off,                STATION_CLOSED,             "" },
    { LINES,          SIP_EV_REPLACED,     NULL,           broke_off,                STATION_CLOSED,             "close" },

    { THERE,          SIP_EV_REGISTER,     is_first_line,  begin_again,              STATION_OPEN | AGAIN,       "registers again" },
    { THERE,          SIP_EV_REGISTER,     NULL,           sip_add_line,             SAME,                       "another line, or one anew: 200" },
    { THERE,          SIP_EV_MOVED,        NULL,           moved,                    STATION_OPEN | AGAIN,       "gone from its old address or port" },
    { THERE,          SIP_EV_UNREGISTER,   others_stay,    unbind,                   SAME,                       "one line of several: 200" },
    { THERE,          SIP_EV_UNREGISTER,   NULL,           leave,                    STATION_CLOSED,             "200, close" },
    { THERE,          SIP_EV_CLOSED,       NULL,           lost_connection,          STATION_CLOSED,             "" },
    { THERE,          SIP_EV_REPLACED,     NULL,           lost_to_newer,            STATION_CLOSED,             "close" },
    { THERE,          SIP_EV_ORDER,        is_plain,       suggest,                  SAME,                       "a client of another make: NOTIFY check-sync" },
    { THERE,          SIP_EV_ORDER,        NULL,           send_away,                STATION_LEAVING,            "NOTIFY service-control" },
    { IN(REGISTERED), SIP_EV_DELETED,      is_plain,       left_by_itself,           STATION_CLOSED,             "" },
    { IN(REGISTERED), SIP_EV_DELETED,      NULL,           send_away,                STATION_LEAVING,            "NOTIFY service-control" },
    { IN(REGISTERED), SIP_EV_TIMEOUT,      some_are_left,  sip_client_drop_expired,  SAME,                       "a contact of several has run out" },
    { IN(REGISTERED), SIP_EV_TIMEOUT,      NULL,           lost_keepalive,           STATION_CLOSED,             "no refresh: close" },
    { IN(LEAVING),    SIP_EV_OBEYED,       NULL,           obey,                     SAME,                       "it will leave" },
    { IN(LEAVING),    SIP_EV_DISOBEYED,    only_applies,   stay,                     STATION_REGISTERED,         "need not leave to apply" },
    { IN(LEAVING),    SIP_EV_DISOBEYED,    NULL,           ignored_order,            STATION_CLOSED,             "refused or unanswered: close" },
    { IN(LEAVING),    SIP_EV_TIMEOUT,      only_applies,   stay,                     STATION_REGISTERED,         "need not leave to apply" },
    { IN(LEAVING),    SIP_EV_TIMEOUT,      went_silently,  lost_keepalive,           STATION_CLOSED,             "a load that reboots without a word" },
    { IN(LEAVING),    SIP_EV_TIMEOUT,      NULL,           ignored_order,            STATION_CLOSED,             "did not leave: close" },
    { IN(REGISTERED), SIP_EV_OBEYED,       NULL,           nothing,                  SAME,                       "" },
    { IN(REGISTERED), SIP_EV_DISOBEYED,    NULL,           nothing,                  SAME,                       "" },

    { IN(OPEN),       SIP_EV_CONTACTS,     refused,        sip_refuse,               STATION_REFUSED,            "a rule of refusals.def: 403 or 503" },
    { IN(OPEN),       SIP_EV_CONTACTS,     NULL,           sip_client_welcome,       STATION_REGISTERED | AGAIN, "200 with its contacts" },
    { THERE,          SIP_EV_CONTACTS,     NULL,           sip_client_take_contacts, STATION_REGISTERED | AGAIN, "200 with its contacts" },
    { THERE,          SIP_EV_SETTLED,      none_is_left,   left_by_itself,           STATION_CLOSED,             "no contact is left" },
    { THERE,          SIP_EV_SETTLED,      NULL,           nothing,                  SAME,                       "" },
};

static const struct state_words states[N_STATION_STATES] = {
    [STATION_OPEN]         = { "wait_register",  "" },
    [STATION_STANDBY]      = { "standby",        "" },
    [STATION_TOKEN]        = { "token",          "" },
    [STATION_ADMITTING]    = { "auto_register",  "Auto-registration Timer" },
    [STATION_ASKING]       = { "duplicate_check", "1.5 s; sooner when the holder answers or goes" },
    [STATION_CAPABILITIES] = { "line_register",  "1 s; without its first line Station Registration Timer" },
    [STATION_REGISTERED]   = { "registered",     "SIP Station KeepAlive Interval, less the delta of its SIP profile, and SIP Station Registration Grace; a plain client when its last contact has run out" },
    [STATION_LEAVING]      = { "shutting_down",  "Station Reset Timer" },
    [STATION_REFUSED]      = { "wait_subTerm",   "at once; its connection after 30 s" },
    [STATION_CLOSED]       = { "closed",         "" },
};
/* clang-format on */

static const char *const event_names[N_SIP_EVENTS] = {
    [SIP_EV_REGISTER] = "REGISTER",
    [SIP_EV_REFRESH] = "refresh",
    [SIP_EV_REPEAT] = "the same REGISTER",
    [SIP_EV_MOVED] = "refresh from elsewhere",
    [SIP_EV_UNREGISTER] = "REGISTER Expires 0",
    [SIP_EV_CONTACTS] = "REGISTER of a plain client",
    [SIP_EV_SETTLED] = "contacts taken",
    [SIP_EV_ADMITTED] = "added",
    [SIP_EV_NOT_ADMITTED] = "not added",
    [SIP_EV_THERE] = "the holder is there",
    [SIP_EV_SILENT] = "the holder is silent or gone",
    [SIP_EV_ORDER] = "order to reset",
    [SIP_EV_OBEYED] = "NOTIFY answered",
    [SIP_EV_DISOBEYED] = "NOTIFY refused or unanswered",
    [SIP_EV_REPLACED] = "replaced",
    [SIP_EV_DELETED] = "deleted",
    [SIP_EV_TIMEOUT] = "timeout",
    [SIP_EV_CLOSED] = "connection closed",
};

const char *sip_device_state_name(enum station_state state)
{
    return states[state].name;
}

static uint64_t first_expiry(const struct sip_device *d)
{
    uint64_t due = UINT64_MAX;

    for (const struct sip_binding *b = d->bindings; b; b = b->next)
        due = b->expires_ms < due ? b->expires_ms : due;
    return due;
}

static uint64_t due_ms(struct sip_device *d)
{
    switch (d->station.state) {
    case STATION_REGISTERED:
        return is_plain(d, NULL) ? first_expiry(d) : d->station.heard_ms + d->station.loss_ms;
    case STATION_ADMITTING:
        return d->state_ms + (uint64_t)SETTING_OF(&d->station, autoregister_timeout) * 1000;
    case STATION_ASKING:
        return d->state_ms + RIVAL_MS;
    case STATION_CAPABILITIES:
        return d->state_ms +
               (has_first_line(d, NULL)
                    ? PARTIAL_MS
                    : (uint64_t)SETTING_OF(&d->station, station_register_timeout) * 1000);
    default:
        return d->state_ms + (uint64_t)SETTING_OF(&d->station, station_reset_timeout) * 1000;
    }
}

void sip_device_arm(struct sip_device *d)
{
    timer_set(&d->owner->timers, &d->timer, due_ms(d));
}

void sip_device_timer(struct sip_device *d, struct effects *e)
{
    struct sip_input in = {.event = SIP_EV_TIMEOUT};

    if (d->station.state == STATION_ASKING) {
        if (!sip_rival_is_awaited(d))
            sip_registrar_resume(d, sip_rival_says(d), 0, e);
        return;
    }
    if (d->verdict) {
        in.event = d->verdict < 300 ? SIP_EV_OBEYED : SIP_EV_DISOBEYED;
        d->verdict = 0;
    } else if (d->station.state == STATION_ADMITTING && due_ms(d) <= d->owner->registry->now.ms) {
        sip_registrar_admitted(d, -ETIMEDOUT, e);
        return;
    }
    sip_device_step(d, &in, e);
}

/* Connections that nobody else uses are closed. */
static void let_go(struct sip_device *d, struct effects *e)
{
    while (d->bindings) {
        struct sip_link *l = sip_link_find(d->owner, d->bindings->link);

        sip_binding_free(d->bindings);
        if (l)
            sip_link_step(l, SIP_LINK_EV_LEFT, e);
    }
}

static void move(struct sip_device *d, enum station_state to, struct effects *e)
{
    if (d->station.state == STATION_LEAVING)
        d->order_id = d->verdict = 0;
    station_move(&d->station, to);
    d->state_ms = d->owner->registry->now.ms;
    if (to == STATION_CLOSED)
        let_go(d, e);
    else if (to != STATION_REFUSED && to != STATION_OPEN)
        sip_device_arm(d);
}

static const struct row *find_row(struct sip_device *d, const struct sip_input *in)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        if (rows[i].in & 1u << d->station.state && rows[i].on == in->event &&
            (!rows[i].when || rows[i].when(d, in)))
            return &rows[i];
    return NULL;
}

static struct sip_input follow_up(struct sip_input in)
{
    in.event = in.event == SIP_EV_CONTACTS ? SIP_EV_SETTLED : SIP_EV_REGISTER;
    return in;
}

static void step(struct sip_device *d, const struct sip_input *in, struct effects *e)
{
    const struct row *row = find_row(d, in);

    if (!row) {
        count(COUNT_SIP_OUT_OF_ORDER);
        station_log(&d->station, LOG_LEVEL_NOTICE, "%s has no place", event_names[in->event]);
        return;
    }
    row->act(d, in, e);
    if (row->to != SAME)
        move(d, row->to & ~AGAIN, e);
    if (row->to & AGAIN) {
        struct sip_input next = follow_up(*in);

        step(d, &next, e);
    }
}

void sip_device_step(struct sip_device *d, const struct sip_input *in, struct effects *e)
{
    if (in->event == SIP_EV_TIMEOUT && due_ms(d) > d->owner->registry->now.ms) {
        sip_device_arm(d); /* it was heard since */
        return;
    }
    if (in->event == SIP_EV_REGISTER || in->event == SIP_EV_CONTACTS)
        d->station.last_signal = register_ind;
    step(d, in, e);
    if (d->station.state == STATION_OPEN || d->station.state >= STATION_REFUSED)
        sip_device_free(d);
    else if (!timer_is_set(&d->timer))
        sip_device_arm(d);
}

/* --- the graph --- */

void sip_print_states(struct writer *w)
{
    struct graph_row printed[sizeof(rows) / sizeof(*rows)];

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        printed[i] = (struct graph_row){rows[i].in, (uint8_t)rows[i].on, rows[i].to, rows[i].words};
    write_string(w, "## A device\n\n");
    graph_print(w, states, event_names, printed, sizeof(rows) / sizeof(*rows));
    write_string(w, "\n## A connection\n\n");
    sip_link_print_states(w);
}
