/* tcp.c - connections: refused, unanswered, late, lossy, frozen, broken off; and TLS in the
 * clear. */
#include "doctor/check/check.h"

static void prove_well(const struct scene *c, struct finding *f, const struct peer *p)
{
    const struct server_seen *server = timeline_server(c->timeline, p->server.ip);
    bool sccp = p->server.port == 2000 || p->server.port == 2443;
    char ip[IP_TEXT_MAX];

    if (server && server->services[sccp ? SERVICE_SCCP : SERVICE_SIP].answered.n)
        prove(f, server->services[sccp ? SERVICE_SCCP : SERVICE_SIP].answered.last,
              "%s answers there in this capture, at other times or for other phones",
              ip_print(p->server.ip, ip));
}

static bool refused(const struct scene *c, struct finding *f)
{
    char to[ENDPOINT_TEXT_MAX], took[24];

    for (unsigned i = 0; i < c->story->n_peers; i++) {
        const struct peer *p = &c->story->peers[i];

        if (!p->refused.n || !is_signalling_port(p->server.port) ||
            p->accepted.last.ns > p->refused.last.ns)
            continue;
        detail(f, "%s, after %s", endpoint_words(&p->server, to), seconds(p->refused_ns, took));
        prove(f, p->opened.last, "SYN to %s", to);
        prove_spell(f, &p->refused, "RST of %s, %s after the SYN", to, took);
        prove_well(c, f, p);
        return true;
    }
    return false;
}

/* SIP over UDP: the same is said by ICMP. */
static bool refused_udp(const struct scene *c, struct finding *f)
{
    const struct story *s = c->story;
    char to[ENDPOINT_TEXT_MAX];

    if (!s->closed.n || !is_signalling_port(s->closed_to.port) ||
        registered_at(s).ns > s->closed.last.ns)
        return false;
    for (unsigned i = 0; i < s->n_lines; i++)
        if (s->lines[i].challenged.last.ns > s->closed.last.ns ||
            s->lines[i].refused.last.ns > s->closed.last.ns)
            return false; /* it listens now */
    detail(f, "%s, by ICMP", endpoint_words(&s->closed_to, to));
    if (s->registers.n)
        prove_spell(f, &s->registers, "REGISTER to %s", to);
    prove_spell(f, &s->closed, "ICMP: port unreachable at %s", to);
    return true;
}

static bool no_answer(const struct scene *c, struct finding *f)
{
    char to[ENDPOINT_TEXT_MAX];

    if (c->one_sided)
        return false;
    for (unsigned i = 0; i < c->story->n_peers; i++) {
        const struct peer *p = &c->story->peers[i];
        bool waiting = moment_is(p->opening) && p->syns >= 2 && settled(c, p->opening, 6 * SECOND);
        bool barred = c->story->barred.n && endpoint_equal(&c->story->barred_to, &p->server) &&
                      settled(c, c->story->barred.first, 2 * SECOND);
        bool unheard = !p->stands &&
                       p->syn_ack_again >= 2; /* the server answers, the phone does not hear it */

        if (!is_signalling_port(p->server.port) ||
            (!waiting && !unheard && !barred && (!p->silent.n || p->syn_again < 2)) || p->stands ||
            (!unheard && p->accepted.last.ns > p->opened.last.ns) ||
            p->refused.last.ns > p->opened.last.ns ||
            (p->accepted.n && !waiting && !unheard && !barred))
            continue;
        detail(f, "%s", endpoint_words(&p->server, to));
        prove(f, p->opened.first, "SYN to %s, the first of %u, no answer", to,
              p->opened.n + p->syn_again);
        prove(f, p->opened.last, "SYN to %s, the last attempt", to);
        prove_barred(c, f, p->server.ip);
        if (unheard)
            prove(f, p->accepted.last,
                  "SYN ACK of %s, sent %u [time|times]: it does not reach the phone", to,
                  p->syn_ack_again + 1);
        prove_well(c, f, p);
        return true;
    }
    return false;
}

/* The path is so long for everything, which keepalive-short tells. */
static bool is_far(const struct story *s, const struct peer *p)
{
    for (unsigned i = 0; i < s->n_sessions; i++) {
        const struct session *e = &s->sessions[i];

        if (endpoint_equal(&e->server, &p->server) && interval_too_short(e) &&
            p->accepted_max_ns < 2 * e->keepalives.rtt_max_ns)
            return true;
    }
    return false;
}

static bool late(const struct scene *c, struct finding *f)
{
    char to[ENDPOINT_TEXT_MAX], took[24];

    for (unsigned i = 0; i < c->story->n_peers; i++) {
        const struct peer *p = &c->story->peers[i];

        if (!p->accepted_late || !is_signalling_port(p->server.port) || is_far(c->story, p))
            continue;
        detail(f, "%s, %s", endpoint_words(&p->server, to), seconds(p->accepted_max_ns, took));
        prove(f, p->accepted.last, "SYN ACK of %s, %s after the SYN", to, took);
        return true;
    }
    return false;
}

static bool window(const struct scene *c, struct finding *f)
{
    char to[ENDPOINT_TEXT_MAX], took[24];

    for (unsigned i = 0; i < c->story->n_peers; i++) {
        const struct peer *p = &c->story->peers[i];
        bool stays = moment_is(p->window_since) && !c->story->told;
        int64_t open = stays ? c->facts->last.ns - p->window_since.ns : 0;
        int64_t ns = open > p->window_ns ? open : p->window_ns;

        if (!p->window.n || ns < SECOND)
            continue;
        detail(f, "%s, %s", endpoint_words(&p->server, to), seconds(ns, took));
        prove_spell(f, &p->window, "receive window 0 in the connection with %s, for %s", to, took);
        return true;
    }
    return false;
}

static bool loss(const struct scene *c, struct finding *f)
{
    char to[ENDPOINT_TEXT_MAX];

    for (unsigned i = 0; i < c->story->n_peers; i++) {
        const struct peer *p = &c->story->peers[i];
        unsigned n = p->again_phone.n + p->again_server.n;

        if (p->recovered < 3 || !is_signalling_port(p->server.port))
            continue;
        detail(f, "%s, %u [time|times]", endpoint_words(&p->server, to), n);
        if (p->again_phone.n)
            prove_spell(f, &p->again_phone, "data of the phone to %s sent again", to);
        if (p->again_server.n)
            prove_spell(f, &p->again_server, "data of %s sent again", to);
        for (unsigned k = 0; k < 2; k++)
            if (moment_is(p->repeats[k].since))
                forecast(f, &p->repeats[k]);
        return true;
    }
    return false;
}

/* The server ends what has not been heard of for two intervals: that is told as keepalives that
 * stop. */
static bool timed_out(const struct session *e)
{
    struct moment last = e->keepalives.sent.n ? e->keepalives.sent.last : e->accepted;

    return e->interval_s && e->end == SESSION_SERVER_CLOSED &&
           e->ended.ns - last.ns > 2 * (int64_t)e->interval_s * SECOND;
}

/* A reset of the phone's own, and no word of it since: it was switched off, or its program ended.
 * Not where only the reset was told of. */
static bool went_away(const struct scene *c, const struct session *e)
{
    return e->end == SESSION_PHONE_RESET && c->story->last.ns - e->ended.ns < SECOND &&
           !c->facts->told;
}

static bool ended(const struct scene *c, struct finding *f)
{
    char to[ENDPOINT_TEXT_MAX];

    for (unsigned i = 0; i < c->story->n_sessions; i++) {
        const struct session *e = &c->story->sessions[i];
        bool reset = e->end == SESSION_SERVER_RESET || e->end == SESSION_PHONE_RESET;

        if ((!reset && e->end != SESSION_SERVER_CLOSED) || e->ordered || e->standby ||
            timed_out(e) || went_away(c, e) || (!moment_is(e->accepted) && !e->middle))
            continue;
        detail(f, "%s, %s by %s", endpoint_words(&e->server, to),
               reset ? WORDS("reset (RST)") : WORDS("closed"),
               e->end == SESSION_PHONE_RESET ? WORDS("the phone")
                                             : WORDS("the server or on the way"));
        if (moment_is(e->accepted))
            prove(f, e->accepted, "registered by %s", to);
        prove(f, e->ended, "%s in the connection with %s",
              reset ? "RST" : WORDS("FIN of the server"), to);
        return true;
    }
    return false;
}

/* The connection that a file was asked for on, and which brought no answer. */
const struct peer *file_cut_off(const struct story *s, const struct story_file *file)
{
    for (unsigned i = 0; i < s->n_peers; i++) {
        const struct peer *p = &s->peers[i];

        if (file->http && text_contains_nocase(text_of(file->name), TEXT(".cnf")) &&
            file->state == FILE_ASKED && ip_equal(p->server.ip, file->server) &&
            (p->reset_server.last.ns > file->asked.last.ns ||
             p->closed_server.last.ns > file->asked.last.ns))
            return p;
    }
    return NULL;
}

static bool ended_file(const struct scene *c, struct finding *f)
{
    const struct story *s = c->story;
    char to[ENDPOINT_TEXT_MAX];

    for (unsigned i = 0; i < s->n_files; i++) {
        const struct story_file *file = &s->files[i];
        const struct peer *p = file_cut_off(s, file);
        bool reset = p && p->reset_server.last.ns > file->asked.last.ns;

        if (!p || c->lossy || file->asked.n < 2 ||
            (s->config && s->config->at.ns > file->asked.last.ns) ||
            registered_at(s).ns > file->asked.last.ns)
            continue;
        detail(f, "%s, %s by %s", endpoint_words(&p->server, to),
               reset ? WORDS("reset (RST)") : WORDS("closed"), WORDS("the server or on the way"));
        prove_spell(f, &file->asked, "%s request for %s to %s, no answer", "HTTP", file->name, to);
        prove_spell(f, reset ? &p->reset_server : &p->closed_server, "%s in the connection with %s",
                    reset ? "RST" : WORDS("FIN of the server"), to);
        return true;
    }
    return false;
}

static bool tls_failed(const struct scene *c, struct finding *f)
{
    char to[ENDPOINT_TEXT_MAX];

    for (unsigned i = 0; i < c->story->n_peers; i++) {
        const struct peer *p = &c->story->peers[i];
        struct moment since = p->hello.n > 1 ? p->hello.first : p->hello.last;

        if (!p->hello.n || (!p->alert.n && !settled(c, since, 5 * SECOND)) || c->one_sided)
            continue;
        endpoint_words(&p->server, to);
        prove_spell(f, &p->hello, "TLS ClientHello to %s", to);
        if (p->alert.n && p->alert_code == TLS_HIDDEN) {
            detail(f, "%s, an encrypted alert of %s", to,
                   p->alert_phone ? WORDS("the phone") : WORDS("the server"));
            prove_spell(f, &p->alert, "TLS alert, encrypted");
        } else if (p->alert.n) {
            detail(f, "%s, alert %u of %s", to, p->alert_code,
                   p->alert_phone ? WORDS("the phone") : WORDS("the server"));
            prove_spell(f, &p->alert, "TLS alert %u", p->alert_code);
        } else
            detail(f, "%s, %s", to,
                   p->server_hello.n ? WORDS("it stops after the ServerHello")
                                     : WORDS("no ServerHello"));
        return true;
    }
    return false;
}

#define FLASH_NS (300 * SECOND) /* to write its firmware and start again */

/* It is busy with its firmware, or could not have got further. */
static bool fetches(const struct scene *c, struct moment since)
{
    const struct story *s = c->story;

    for (unsigned i = 0; i < s->n_files; i++) {
        const struct story_file *f = &s->files[i];

        if (f->asked.last.ns > since.ns + 30 * SECOND || f->state == FILE_RUNNING ||
            (is_firmware(f) && f->whole.n && !settled(c, f->whole.last, FLASH_NS)))
            return true;
    }
    return false;
}

static bool no_server_tried(const struct scene *c, struct finding *f)
{
    const struct story *s = c->story;

    if (!s->config || !s->config->n_servers || s->registers.n ||
        !settled(c, s->config->at, 20 * SECOND) || fetches(c, s->config->at) || c->one_sided)
        return false;
    for (unsigned i = 0; i < s->n_peers; i++)
        if (is_signalling_port(s->peers[i].server.port))
            return false;
    for (unsigned i = 0; i < s->n_peers; i++)
        for (unsigned k = 0; k < s->config->n_servers; k++)
            if (s->peers[i].server.port == s->config->ports[k])
                return false;
    detail(f, "%s", s->config->servers[0]);
    prove(f, s->config->at, "%s names the server %s", s->config->file, s->config->servers[0]);
    prove(f, s->last, "the last packet of the phone; no connection in between");
    if (!s->on_link) /* it may have tried, and been lost on the way here */
        doubt(f, APART_PHONE_SIDE);
    return true;
}

const struct rule tcp_rules[] = {
    {CAUSE_TCP_REFUSED, refused},
    {CAUSE_TCP_REFUSED, refused_udp},
    {CAUSE_TCP_NO_ANSWER, no_answer},
    {CAUSE_TCP_LATE, late},
    {CAUSE_TCP_WINDOW, window},
    {CAUSE_TCP_LOSS, loss},
    {CAUSE_TCP_ENDED, ended},
    {CAUSE_TCP_ENDED, ended_file},
    {CAUSE_TLS_FAILED, tls_failed},
    {CAUSE_NO_SERVER_TRIED, no_server_tried},
    {0},
};
