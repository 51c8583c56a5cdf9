/* tcp.c - the phone's connections: opened, refused, repeated, closed; TLS in the clear;
 * holes in the capture. */
#include "doctor/timeline/own.h"

#include <stdio.h>

#define PORT_SCCP     2000
#define PORT_SCCP_TLS 2443
#define PORT_SIP      5060
#define PORT_SIP_TLS  5061

static bool is_signalling(uint16_t port)
{
    return port == PORT_SCCP || port == PORT_SCCP_TLS || port == PORT_SIP || port == PORT_SIP_TLS;
}

/* Configuration and pages: a connection for each file; told as files. */
static bool is_for_files(uint16_t port)
{
    return (port >= 6970 && port <= 6972) || port == 80 || port == 443 || port == 8080;
}

static struct story *story_of(struct timeline *t, const struct sight *s)
{
    const struct endpoint *server = sight_server(s);
    struct story *story = timeline_of_flow(t, s);
    struct flow_slot *slot;

    if (story)
        return story;
    if (is_signalling(server->port) || is_for_files(server->port))
        story = timeline_at_or_new(t, sight_phone(s)->ip, s, s->from_client);
    else
        story = timeline_at(t, sight_phone(s)->ip);
    if ((slot = timeline_flow(t, s->flow, true)) && story)
        slot->story = story->id;
    return story;
}

static enum service_kind service_of(uint16_t port)
{
    return port == PORT_SCCP || port == PORT_SCCP_TLS ? SERVICE_SCCP
           : is_for_files(port)                       ? SERVICE_HTTP
                                                      : SERVICE_SIP;
}

static void give_up(struct story *story, struct peer *p, const char *to)
{
    if (!moment_is(p->opening))
        return;
    spell_add(&p->silent, p->opening);
    story_tell(story, EVENT_TCP_SILENT, p->opening, "%s", to);
    p->opening = (struct moment){0};
}

#define LARGE 1000 /* bytes of a segment that a tunnel may not take */

static void keep_stuck(struct peer *p)
{
    for (unsigned i = 0; i < 2; i++)
        if (moment_is(p->repeats[i].since) && p->repeats[i].n >= 3 && p->repeats[i].length >= LARGE)
            p->stuck[i] = p->repeats[i];
}

static void keep_gaps(struct peer *p)
{
    for (unsigned i = 0; i < 2; i++)
        if (moment_is(p->gaps[i].since) && p->gaps[i].length >= LARGE)
            p->missed[i] = p->gaps[i];
    memset(p->gaps, 0, sizeof(p->gaps));
}

/* The phone went on speaking, and did not hear the server. */
static void keep_unheard(struct peer *p)
{
    const struct repeat *r = &p->repeats[1];

    if (moment_is(r->since) && r->n >= 2 && p->said.ns > r->since.ns)
        p->unheard = *r;
}

/* Again, or never: the connection is over. */
static void window_opens(struct peer *p, struct moment m)
{
    if (moments_between(p->window_since, m) > p->window_ns)
        p->window_ns = moments_between(p->window_since, m);
    p->window_since = (struct moment){0};
}

static void opening(struct timeline *t, struct story *story, struct peer *p, const struct sight *s,
                    const char *to)
{
    struct moment m = moment_of(s);

    if (s->tcp.again && p->flow == s->flow) {
        p->syns++;
        p->syn_again++;
        return;
    }
    give_up(story, p, to);
    p->flow = s->flow;
    p->port = sight_phone(s)->port;
    p->capture = s->at.capture;
    p->opening = m;
    p->syns = 1 + s->tcp.again;
    p->stands = p->middle = p->tls_done = false;
    p->syn_ack_again = 0;
    keep_stuck(p);
    keep_gaps(p);
    keep_unheard(p);
    memset(p->repeats, 0, sizeof(p->repeats));
    window_opens(p, m);
    p->from_phone = p->from_server = false;
    spell_add(&p->opened, m);
    service_asked(t, p->server.ip, service_of(p->server.port), m);
    if (!is_for_files(p->server.port))
        story_tell(story, EVENT_TCP_OPEN, m, "%s", to);
}

#define LATE_NS 800000000LL

static void accepted(struct timeline *t, struct story *story, struct peer *p, const struct sight *s,
                     const char *to)
{
    struct moment m = moment_of(s);
    int64_t took;

    p->from_server = true;
    if (!moment_is(p->opening) && p->flow == s->flow) {
        p->syn_ack_again++; /* the phone has not heard it */
        return;
    }
    /* From the first SYN. One that was lost, and answered at once when repeated, does not make the
     * answer late. */
    took = moment_is(p->opening) ? moments_between(p->opening, m) : s->tcp.after_ns;
    p->accepted_ns = took;
    p->accepted_sum_ns += took;
    if (took > p->accepted_max_ns)
        p->accepted_max_ns = took;
    p->accepted_late += took >= LATE_NS && s->tcp.after_ns >= LATE_NS / 10;
    spell_add(&p->accepted, m);
    p->opening = (struct moment){0};
    service_answered(t, p->server.ip, service_of(p->server.port), m);
    if (!is_for_files(p->server.port))
        story_tell(story, EVENT_TCP_ACCEPTED, m, "%s", to);
}

static void again(struct story *story, struct peer *p, const struct sight *s, const char *to)
{
    struct moment m = moment_of(s);
    struct session *e = story_session(story, s->flow, &p->server);
    struct repeat *r = &p->repeats[!s->from_client];

    spell_add(s->from_client ? &p->again_phone : &p->again_server, m);
    if (s->tcp.again > p->again_most)
        p->again_most = s->tcp.again;
    keep_stuck(p);
    if (!moment_is(r->since) || r->flow != s->flow || s->tcp.after_ns < r->waited_ns)
        *r = (struct repeat){.since = m, .flow = s->flow, .first_ns = s->tcp.after_ns};
    r->length = s->tcp.length;
    r->n++;
    r->before_ns = r->waited_ns;
    r->waited_ns = s->tcp.after_ns;
    if (e && s->from_client)
        keepalive_again(&e->keepalives, m, s->tcp.after_ns);
    if (!is_for_files(p->server.port))
        story_tell(story, s->from_client ? EVENT_TCP_AGAIN : EVENT_TCP_AGAIN_SERVER, m, "%s", to);
}

/* Who acknowledges is the sender of the packet. */
static void acknowledged(struct story *story, struct peer *p, const struct sight *s)
{
    struct repeat *r = &p->repeats[s->from_client]; /* of the other side's data */
    struct session *e;

    if (moment_is(r->since) && r->flow == s->flow) {
        p->recovered += r->n;
        r->since = (struct moment){0};
    }
    if (s->tcp.length > p->passed_length)
        p->passed_length = s->tcp.length;
    if (s->from_client)
        return;
    p->n_rtt++;
    p->rtt_sum_ns += s->tcp.after_ns;
    if (s->tcp.after_ns > p->rtt_max_ns)
        p->rtt_max_ns = s->tcp.after_ns;
    if ((e = story_session(story, s->flow, &p->server)))
        keepalive_acked(&e->keepalives);
}

/* Bytes of that side are missing before what came. */
static void note_gap(struct story *story, struct peer *p, const struct sight *s)
{
    struct session *e = story_session(story, s->flow, &p->server);
    struct gap g = {.flow = s->flow, .length = s->tcp.length};

    if (s->tcp.sign == TCP_GAP)
        g.since = moment_of(s);
    if (!s->tcp.again) /* nothing got through behind what is missing before a FIN */
        p->gaps[!s->from_client] = g;
    if (e && s->from_client)
        e->missing = g;
}

static void window(struct story *story, struct peer *p, const struct sight *s, const char *to)
{
    struct moment m = moment_of(s);

    if (s->tcp.sign == TCP_WINDOW_CLOSED) {
        spell_add(&p->window, m);
        if (!moment_is(p->window_since))
            p->window_since = m;
        story_tell(story, EVENT_TCP_WINDOW, m, "%s", s->from_client ? WORDS("the phone") : to);
        return;
    }
    window_opens(p, m);
}

static void ended(struct timeline *t, struct story *story, struct peer *p, const struct sight *s,
                  const char *to)
{
    static const struct {
        enum event_kind event;
        enum session_end end;
    } rows[2][2] = {{{EVENT_TCP_CLOSE_SERVER, SESSION_SERVER_CLOSED},
                     {EVENT_TCP_CLOSE_PHONE, SESSION_PHONE_CLOSED}},
                    {{EVENT_TCP_RESET_SERVER, SESSION_SERVER_RESET},
                     {EVENT_TCP_RESET_PHONE, SESSION_PHONE_RESET}}};
    bool reset = s->tcp.sign == TCP_RESET;
    struct moment m = moment_of(s);
    struct spell *spell = reset            ? s->from_client ? &p->reset_phone : &p->reset_server
                          : s->from_client ? &p->closed_phone
                                           : &p->closed_server;

    if (p->flow == s->flow && !p->stands && !p->middle && reset)
        return; /* it was closed already: the last words of a dead connection */
    spell_add(spell, m);
    close_session(story, s->flow, rows[reset][s->from_client].end, m);
    if (p->flow == s->flow) {
        p->stands = p->middle = false;
        window_opens(p, m);
    }
    if (!is_for_files(p->server.port))
        story_tell(story, rows[reset][s->from_client].event, m, "%s", to);
    (void)t;
}

static void middle(struct story *story, struct peer *p, const struct sight *s, const char *to)
{
    p->flow = s->flow;
    p->port = sight_phone(s)->port;
    p->capture = s->at.capture;
    p->middle = p->stands = true;
    p->opening = (struct moment){0};
    if (!is_for_files(p->server.port))
        story_tell(story, EVENT_TCP_MIDDLE, moment_of(s), "%s", to);
}

static void refused(struct timeline *t, struct story *story, struct peer *p, const struct sight *s,
                    const char *to)
{
    p->refused_ns = s->tcp.after_ns;
    spell_add(&p->refused, moment_of(s));
    p->opening = (struct moment){0};
    service_refused(t, p->server.ip, service_of(p->server.port), moment_of(s));
    story_tell(story, EVENT_TCP_REFUSED, moment_of(s), "%s", to);
}

void see_tcp(struct timeline *t, const struct sight *s)
{
    struct story *story = story_of(t, s);
    struct peer *p = story ? story_peer(story, sight_server(s)) : NULL;
    char to[ENDPOINT_TEXT_MAX];

    if (!p)
        return;
    if (p->server.port == PORT_SCCP || p->server.port == PORT_SCCP_TLS)
        timeline_phone(t, story);
    story_touch(story, s);
    endpoint_print(&p->server, to);
    if (s->from_client)
        see_vlan(story, s);
    switch (s->tcp.sign) {
    case TCP_OPENING:
        opening(t, story, p, s, to);
        break;
    case TCP_ACCEPTED:
        accepted(t, story, p, s, to);
        break;
    case TCP_REFUSED:
        refused(t, story, p, s, to);
        break;
    case TCP_CONNECTED:
        p->stands = true;
        p->opening = (struct moment){0};
        break;
    case TCP_AGAIN:
        again(story, p, s, to);
        break;
    case TCP_ACKNOWLEDGED:
        acknowledged(story, p, s);
        break;
    case TCP_WINDOW_CLOSED:
    case TCP_WINDOW_OPEN:
        window(story, p, s, to);
        break;
    case TCP_ENDING:
    case TCP_RESET:
        ended(t, story, p, s, to);
        break;
    case TCP_MIDDLE:
        middle(story, p, s, to);
        break;
    case TCP_GAP:
    case TCP_GAP_FILLED:
        note_gap(story, p, s);
        break;
    case TCP_PROBE:
        if (s->at.told && s->from_client)
            story_tell(story, EVENT_TCP_SENDS, moment_of(s), "%s", to);
        break;
    }
    if (s->from_client)
        p->said = moment_of(s);
    else
        p->heard = moment_of(s);
}

void hand_over(struct story *from, struct story *to, const struct sight *s)
{
    const struct endpoint *server = sight_server(s);
    struct peer *had = story_peer(from, server), *has = story_peer(to, server);

    if (!had || !has || had->flow != s->flow)
        return;
    has->flow = s->flow;
    has->port = sight_phone(s)->port;
    has->stands = true;
    has->accepted_ns = had->accepted_ns;
    if (had->opened.n && had->opened.n == had->accepted.n) {
        spell_add(&has->opened, had->opened.last);
        spell_add(&has->accepted, had->accepted.last);
        had->opened.n--;
        had->accepted.n--;
    }
    for (unsigned i = 0; i < from->n_sessions; i++) /* what it really had */
        if (from->sessions[i].end == SESSION_STANDS &&
            endpoint_equal(&from->sessions[i].server, server))
            had->flow = from->sessions[i].flow;
}

/* ---- TLS ---- */

#define TLS_ALERT        21
#define TLS_HANDSHAKE    22
#define TLS_DATA         23
#define TLS_CLIENT_HELLO 1
#define TLS_SERVER_HELLO 2
#define TLS_WARNING      1
#define TLS_CLOSE_NOTIFY 0

void see_tls(struct timeline *t, const struct sight *s)
{
    struct story *story = story_of(t, s);
    struct peer *p = story ? story_peer(story, sight_server(s)) : NULL;
    char to[ENDPOINT_TEXT_MAX];

    if (!p)
        return;
    story_touch(story, s);
    endpoint_print(&p->server, to);
    if (s->tls.record == TLS_HANDSHAKE && s->tls.type == TLS_CLIENT_HELLO) {
        spell_add(&p->hello, moment_of(s));
        story_tell(story, EVENT_TLS_HELLO, moment_of(s), "%s", to);
    } else if (s->tls.record == TLS_HANDSHAKE && s->tls.type == TLS_SERVER_HELLO)
        spell_add(&p->server_hello, moment_of(s));
    else if (s->tls.record == TLS_DATA) {
        p->tls_done = true;
        p->hello = p->server_hello = p->alert = (struct spell){0};
    } else if (s->tls.record == TLS_ALERT && s->tls.level != TLS_WARNING && s->tls.level <= 2) {
        spell_add(&p->alert, moment_of(s));
        p->alert_level = s->tls.level;
        p->alert_code = s->tls.type;
        p->alert_phone = s->from_client;
        story_tell(story, EVENT_TLS_ALERT, moment_of(s), "%u, sent by %s", s->tls.type,
                   s->from_client ? WORDS("the phone") : to);
    }
}

void see_lost(struct timeline *t, const struct sight *s)
{
    struct story *story = story_of(t, s);
    struct peer *p = story ? story_peer(story, sight_server(s)) : NULL;
    struct session *e;

    spell_add(&t->facts.lost, moment_of(s));
    if (!p)
        return;
    spell_add(&p->lost, moment_of(s));
    if (p->gaps[!s->from_client].flow == s->flow) /* it came, the capture missed it */
        p->gaps[!s->from_client].since = (struct moment){0};
    if (p->missed[!s->from_client].flow == s->flow)
        p->missed[!s->from_client].since = (struct moment){0};
    if (s->from_client && (e = story_session(story, s->flow, &p->server)))
        e->missing = (struct gap){0};
}
