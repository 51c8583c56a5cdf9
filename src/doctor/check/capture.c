/* capture.c - what can be said of the capture: all well, or why it cannot tell. */
#include "doctor/check/check.h"

/* ---- a phone of which no rule holds ---- */

static bool healthy(const struct scene *c, struct finding *f)
{
    struct moment m = registered_at(c->story);
    char at[ENDPOINT_TEXT_MAX];

    if (!is_registered(c->story) || c->one_sided)
        return false;
    for (unsigned i = 0; i < c->story->n_sessions; i++)
        if (c->story->sessions[i].end == SESSION_STANDS && !c->story->sessions[i].standby)
            detail(f, "registered by %s", endpoint_words(&c->story->sessions[i].server, at));
    prove(f, m, "registered");
    return true;
}

/* It came to its registration, and left when the capture was about to end. */
static bool was_healthy(const struct scene *c, struct finding *f)
{
    char at[ENDPOINT_TEXT_MAX];

    if (is_registered(c->story) || c->one_sided)
        return false;
    for (unsigned i = c->story->n_sessions; i-- > 0;) {
        const struct session *e = &c->story->sessions[i];

        if (e->standby || !moment_is(e->accepted))
            continue;
        detail(f, "registered by %s until the end", endpoint_words(&e->server, at));
        prove(f, e->accepted, "registered");
        return true;
    }
    return false;
}

/* Only what it says to everybody: the capture was taken at another port. */
static bool is_overheard(const struct story *s)
{
    return !s->n_peers && !s->n_files && !s->n_sessions && !s->dhcp.offer.n &&
           (!s->dhcp.discover.n || s->dhcp.request.n);
}

static bool one_sided(const struct scene *c, struct finding *f)
{
    if (!c->one_sided || is_overheard(c->story))
        return false;
    detail(f, "the other direction is missing");
    prove(f, c->story->last, "what is acknowledged or answered here is not in the capture");
    doubt(f, APART_BOTH_WAYS);
    f->certain = true;
    return true;
}

static bool was_registered(const struct story *s)
{
    for (unsigned i = 0; i < s->n_sessions; i++)
        if (!s->sessions[i].standby && moment_is(s->sessions[i].accepted))
            return true;
    return false;
}

static bool is_encrypted(const struct story *s)
{
    for (unsigned i = 0; i < s->n_peers; i++)
        if (s->peers[i].tls_done && !s->n_sessions)
            return true;
    return false;
}

static bool only_standby(const struct story *s)
{
    for (unsigned i = 0; i < s->n_sessions; i++)
        if (!s->sessions[i].standby || !s->sessions[i].keepalives.answered.n)
            return false;
    return s->n_sessions != 0;
}

static bool cannot_tell(const struct scene *c, struct finding *f)
{
    const struct story *s = c->story;

    if ((c->one_sided && !is_overheard(s)) || is_registered(s) || was_registered(s))
        return false; /* that is said already */
    if (is_encrypted(s)) {
        detail(f, "the signalling is encrypted (TLS)");
        doubt(f, APART_KEYS);
    } else if (s->n_unseen) {
        detail(f,
               "answers to its requests for files are missing: they come from other ports than 69");
        doubt(f, APART_BOTH_WAYS);
    } else if (is_overheard(s)) {
        detail(f, "only what the phone says to everybody is in it");
        doubt(f, APART_SWITCH_PORT);
    } else if (s->n_peers && s->peers[0].middle && !s->registers.n) {
        detail(f, "the capture begins in the middle");
        doubt(f, APART_FROM_BOOT);
    } else if (only_standby(s)) {
        detail(f, "the phone only keeps a standby connection here");
        doubt(f, APART_FROM_BOOT);
    } else if (!settled(c, s->last, 10 * SECOND)) {
        detail(f, "the capture ends before the phone has registered");
        doubt(f, APART_LONGER);
    } else {
        detail(f, "the capture holds too little of this phone");
        doubt(f, APART_FROM_BOOT);
    }
    prove(f, s->born, "the first packet of the phone");
    prove(f, s->last, "the last");
    f->certain = true;
    return true;
}

const struct rule capture_rules[] = {
    {CAUSE_HEALTHY, healthy},
    {CAUSE_HEALTHY, was_healthy},
    {CAUSE_CAPTURE_ONE_SIDED, one_sided},
    {CAUSE_CANNOT_TELL, cannot_tell},
    {0},
};

/* ---- the whole capture ---- */

static bool nothing_there(const struct scene *c, struct finding *f)
{
    size_t at = 0;

    if (timeline_next(c->timeline, &at))
        return false;
    detail(f, "there is no phone in it");
    return true;
}

static bool loses(const struct scene *c, struct finding *f)
{
    if (!c->facts->lost.n)
        return false;
    detail(f, "%u [time|times]", c->facts->lost.n);
    prove_spell(f, &c->facts->lost, "bytes are acknowledged that are not in the capture");
    return true;
}

/* A standby server never answers keepalives: its silence says nothing. */
static bool was_answered(const struct session *e)
{
    return moment_is(e->accepted) || e->keepalives.answered.n;
}

/* Whether this server, having answered several phones, answers none of those who go on asking. */
static struct silence silence_of(const struct scene *c, struct ip server)
{
    struct silence r = {.server = server};
    const struct story *s;
    size_t at = 0;

    while ((s = timeline_next(c->timeline, &at)))
        for (unsigned i = 0; i < s->n_sessions; i++)
            if (ip_equal(s->sessions[i].server.ip, server)) {
                const struct keepalives *k = &s->sessions[i].keepalives;
                struct moment m = k->answered.n ? k->answered.last : s->sessions[i].accepted;

                r.n_answered += moment_is(m);
                r.last = m.ns > r.last.ns ? m : r.last;
            }
    at = 0;
    while ((s = timeline_next(c->timeline, &at)))
        for (unsigned i = 0; i < s->n_sessions; i++) {
            const struct session *e = &s->sessions[i];

            if (!ip_equal(e->server.ip, server) || !was_answered(e) ||
                e->keepalives.pending.ns <= r.last.ns)
                continue;
            r.n_phones++;
            r.asked = e->keepalives.pending;
        }
    return r;
}

void find_silences(struct scene *c)
{
    for (unsigned i = 0; i < c->facts->n_servers && c->n_silences < SILENCES_MAX; i++) {
        const struct server_seen *server = &c->facts->servers[i];
        struct silence q;

        if (!server->services[SERVICE_SCCP].answered.n && !server->services[SERVICE_SIP].answered.n)
            continue;
        q = silence_of(c, server->ip);
        if (q.n_phones >= 2 && q.n_phones * 2 >= q.n_answered && settled(c, q.asked, 5 * SECOND))
            c->silences[c->n_silences++] = q;
    }
}

const struct rule wide_rules[] = {
    {CAUSE_CAPTURE_LOSS, loses},
    {CAUSE_CANNOT_TELL, nothing_there},
    {0},
};
