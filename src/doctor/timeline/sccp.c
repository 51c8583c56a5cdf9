/* sccp.c - SCCP: registration, refusal, keepalive and parting, as both sides say them. */
#include "doctor/timeline/own.h"

#include <stdio.h>

#include "core/models.h"

/* What a phone asks for after RegisterAck, and the answers; a bit each of session.ladder_*. */
static const struct {
    uint32_t ask, answers[3];
} ladder[] = {
    {SCCP_CAPABILITIES_REQ,
     {SCCP_CAPABILITIES_RES, SCCP_UPDATE_CAPABILITIES, SCCP_CAPABILITIES_V2_RES}},
    {SCCP_BUTTON_TEMPLATE_REQ, {SCCP_BUTTON_TEMPLATE}},
    {SCCP_SOFTKEY_TEMPLATE_REQ, {SCCP_SOFTKEY_TEMPLATE}},
    {SCCP_SOFTKEY_SET_REQ, {SCCP_SOFTKEY_SET}},
    {SCCP_CONFIG_STAT_REQ, {SCCP_CONFIG_STAT, SCCP_CONFIG_STAT_V2}},
    {SCCP_LINE_STAT_REQ, {SCCP_LINE_STAT, SCCP_LINE_STAT_V2}},
    {SCCP_TIME_DATE_REQ, {SCCP_DEFINE_TIME_DATE}},
};

static void climb(struct story *story, struct session *e, uint32_t id, struct moment m)
{
    char to[ENDPOINT_TEXT_MAX];

    for (unsigned i = 0; i < sizeof(ladder) / sizeof(*ladder); i++) {
        if (ladder[i].ask == id)
            e->ladder_asked |= 1u << i, e->ladder_last = m;
        for (unsigned k = 0; k < 3 && ladder[i].answers[k]; k++)
            if (ladder[i].answers[k] == id)
                e->ladder_answered |= 1u << i, e->ladder_last = m;
    }
    if (id == SCCP_CAPABILITIES_V3_RES)
        e->ladder_answered |= 1;
    if ((id == SCCP_DEFINE_TIME_DATE || id == SCCP_REGISTER_AVAILABLE_LINES) &&
        moment_is(e->accepted) && !moment_is(e->complete)) {
        e->complete = m;
        story_tell(story, EVENT_REGISTER_DONE, m, "%s", endpoint_print(&e->server, to));
    }
}

/* A refused or unanswered phone tries again without end: one session counts all of it. */
static struct session *session_again(struct story *story, const struct sight *s,
                                     const struct endpoint *server)
{
    struct session *last = story->n_sessions ? &story->sessions[story->n_sessions - 1] : NULL;

    if (!last || last->sip || !last->asked.n || moment_is(last->accepted) ||
        !endpoint_equal(&last->server, server))
        return NULL;
    last->flow = s->flow;
    last->end = SESSION_STANDS;
    last->reused = true;
    return last;
}

static void on_register(struct timeline *t, struct story **story, const struct sight *s,
                        const char *to)
{
    const struct sccp_register_req *r = &s->sccp->register_req;
    const struct endpoint *server = sight_server(s);
    struct flow_slot *slot = timeline_flow(t, s->flow, true);
    uint64_t before = *story ? (*story)->id : 0;
    struct story *named;
    struct session *e;
    char model[12];

    /* Every device has a type; what has none is another protocol that happens to look like it. */
    if ((!r->device_type && server->port != 2000) ||
        !(named = timeline_name(t, *story, text_of(r->device_name), NULL, sight_phone(s)->ip, s)))
        return;
    *story = before ? pool_get(&t->stories, before) : NULL; /* naming may have taken it over */
    if (slot && slot->story && slot->story != named->id && *story && slot->story == before)
        hand_over(*story, named, s);
    *story = named;
    if (slot)
        slot->story = named->id;
    named->device_type = r->device_type;
    if (!named->model[0])
        text_copy(named->model, sizeof(named->model), text_of(model_print(r->device_type, model)));
    if (r->load[0])
        text_copy(named->load, sizeof(named->load), text_of(r->load));
    if ((e = story_session(named, s->flow, server)) && (moment_is(e->accepted) || e->middle)) {
        close_session(named, s->flow, SESSION_REPLACED, moment_of(s));
        e = NULL;
    }
    if (!e && !(e = session_again(named, s, server)) &&
        !(e = story_session_add(named, s, server, false)))
        return;
    e->standby = false;
    spell_add(&e->asked, moment_of(s));
    spell_add(&named->registers, moment_of(s));
    service_asked(t, server->ip, SERVICE_SCCP, moment_of(s));
    story_tell(named, EVENT_REGISTER, moment_of(s), "%s as %s, type %u%s%s", to, named->name,
               r->device_type, r->load[0] ? WORDS(", load ") : "", r->load);
}

/* The session of a message; one whose beginning was not seen is made. */
static struct session *session_of(struct story *story, const struct sight *s)
{
    const struct endpoint *server = sight_server(s);
    struct session *e = story_session(story, s->flow, server);
    struct peer *p;

    if (e)
        return e;
    for (unsigned i = story->n_sessions; i-- > 0;)
        if (story->sessions[i].flow == s->flow &&
            endpoint_equal(&story->sessions[i].server, server))
            return &story->sessions[i]; /* last words on a connection that ends */
    if (!(e = story_session_add(story, s, server, false)))
        return NULL;
    p = story_peer(story, server);
    e->middle = !p || p->middle || p->flow != s->flow;
    e->standby = !e->middle;
    return e;
}

static void key_pressed(struct story *story, uint32_t key, struct moment m)
{
    static const char reset[] = "**#**";
    const size_t n = sizeof(story->keys) - 1;
    size_t len = strlen(story->keys);

    if (len == n)
        memmove(story->keys, story->keys + 1, len--);
    story->keys[len++] = key < 10 ? (char)('0' + key) : key == 14 ? '*' : key == 15 ? '#' : '?';
    story->keys[len] = '\0';
    if (len >= 5 && strcmp(story->keys + len - 5, reset) == 0)
        story_tell(story, EVENT_KEYPAD, m, "**#**, a reset by hand");
}

static void from_phone(struct timeline *t, struct story *story, const struct sight *s,
                       const char *to)
{
    const struct sccp_message *m = s->sccp;
    struct moment at = moment_of(s);
    struct session *e;

    note_dscp(story, s);
    switch (m->id) {
    case SCCP_REGISTER_REQ:
        on_register(t, &story, s, to);
        return;
    case SCCP_ALARM:
        note_alarm(story, alarm_code(text_of(m->alarm.text)), text_of(m->alarm.text), at);
        return;
    case SCCP_ENHANCED_ALARM:
        if (alarm_code(m->enhanced_alarm.xml))
            note_alarm(story, alarm_code(m->enhanced_alarm.xml),
                       TEXT("LastOutOfServiceInformation"), at);
        return;
    case SCCP_REGISTER_TOKEN_REQ:
    case SCCP_SPCP_REGISTER_TOKEN_REQ:
        story_tell(story, EVENT_TOKEN, at, "%s", to);
        return;
    }
    if (!(e = session_of(story, s)))
        return;
    switch (m->id) {
    case SCCP_KEEPALIVE:
        if (!e->keepalives.sent.n)
            story_tell(story, e->standby ? EVENT_STANDBY : EVENT_KEEPALIVE, at, "%s", to);
        keepalive_sent(&e->keepalives, at);
        break;
    case SCCP_UNREGISTER:
        spell_add(&story->unregistered, at);
        e->end = SESSION_UNREGISTERED;
        e->ended = at;
        story_tell(story, EVENT_UNREGISTER, at, "%s", to);
        break;
    case SCCP_KEYPAD_BUTTON:
        key_pressed(story, m->keypad_button.key, at);
        break;
    default:
        climb(story, e, m->id, at);
    }
}

static void from_server(struct timeline *t, struct story *story, const struct sight *s,
                        const char *by)
{
    const struct sccp_message *m = s->sccp;
    struct ip server = sight_server(s)->ip;
    char shown[REFUSAL_SHOWN];
    struct moment at = moment_of(s);
    struct session *e;

    if (m->id == SCCP_UNREGISTER_ACK) { /* its session is closed by the phone's word already */
        story_tell(story, EVENT_UNREGISTERED, at, "%s%s", by,
                   m->unregister_ack.status == SCCP_UNREGISTER_NOT_NOW
                       ? WORDS(": not now, a call is up")
                       : "");
        return;
    }
    if (!(e = session_of(story, s)))
        return;
    switch (m->id) {
    case SCCP_REGISTER_ACK:
        e->interval_s = m->register_ack.keepalive_s;
        service_answered(t, server, SERVICE_SCCP, at);
        open_session(story, e, at);
        break;
    case SCCP_REGISTER_REJECT:
        e->end = SESSION_REJECTED;
        e->ended = at;
        refusal_words(e->said, sizeof(e->said), text_of(m->register_reject.text));
        spell_add(&story->rejected, at);
        service_refused(t, server, SERVICE_SCCP, at);
        keep_cut(shown, sizeof(shown), text_of(e->said));
        story_tell(story, EVENT_REJECTED, at, "\"%s\" by %s", shown, by);
        break;
    case SCCP_KEEPALIVE_ACK:
        if (e->middle || moment_is(e->accepted))
            e->standby = false;
        service_answered(t, server, SERVICE_SCCP, at);
        keepalive_answered(&e->keepalives, at);
        break;
    case SCCP_RESET:
        e->ordered = true;
        e->order = (uint8_t)m->reset.kind;
        e->ordered_at = at;
        spell_add(&story->ordered, at);
        story_tell(story, EVENT_ORDERED, at, "%s",
                   m->reset.kind == SCCP_RESET_FULL      ? WORDS("reset")
                   : m->reset.kind == SCCP_RESET_RESTART ? WORDS("restart")
                                                         : WORDS("apply its configuration"));
        break;
    case SCCP_REGISTER_TOKEN_ACK:
    case SCCP_SPCP_REGISTER_TOKEN_ACK:
        story_tell(story, EVENT_TOKEN_GIVEN, at, "%s", by);
        break;
    case SCCP_REGISTER_TOKEN_REJECT:
    case SCCP_SPCP_REGISTER_TOKEN_REJECT:
        story_tell(story, EVENT_TOKEN_REFUSED, at, "%s: %u s", by, m->register_token_reject.wait_s);
        break;
    default: /* calls, lamps, the display: for registered phones only */
        e->served = at;
        climb(story, e, m->id, at);
    }
}

void see_sccp(struct timeline *t, const struct sight *s)
{
    struct story *story = timeline_of_flow(t, s);
    struct flow_slot *slot;
    struct peer *p;
    char server[ENDPOINT_TEXT_MAX];

    /* Behind one address several phones speak: only the one that names itself is known. */
    if (!story)
        story = timeline_at(t, sight_phone(s)->ip);
    if (!story && s->sccp->id != SCCP_REGISTER_REQ &&
        !(story = timeline_at_or_new(t, sight_phone(s)->ip, s, s->from_client)))
        return;
    endpoint_print(sight_server(s), server);
    if (story) {
        timeline_phone(t, story);
        story_touch(story, s);
        if ((slot = timeline_flow(t, s->flow, true)) && !slot->story)
            slot->story = story->id;
        if ((p = story_peer(story, sight_server(s)))) {
            p->flow = s->flow;
            p->stands = true;
            *(s->from_client ? &p->from_phone : &p->from_server) = true;
            *(s->from_client ? &p->said : &p->heard) = moment_of(s);
        }
    }
    if (!s->from_client && story)
        from_server(t, story, s, server);
    else if (s->from_client && story)
        from_phone(t, story, s, server);
    else if (s->sccp->id == SCCP_REGISTER_REQ)
        on_register(t, &story, s, server);
}
