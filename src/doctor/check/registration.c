/* registration.c - accepted, refused, unanswered, partly done; and who ended it. */
#include "doctor/check/check.h"

#include <stdio.h>
#include <stdlib.h>

static const struct {
    const char *part;
    enum cause cause;
} refusals[] = {
#define REFUSAL(part, cause) {part, CAUSE_##cause},
#include "doctor/refusals.def"
#undef REFUSAL
};

/* Who was never asked for a password gave none that was wrong. */
static bool was_challenged(const struct story *s)
{
    for (unsigned i = 0; i < s->n_lines; i++)
        if (s->lines[i].challenged.n || s->lines[i].authorized)
            return true;
    return s->told;
}

static enum cause cause_of(const struct story *s, const char *said)
{
    for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++)
        if (text_contains_nocase(text_of(said), text_of(refusals[i].part)))
            return strcmp(refusals[i].part, "403") == 0 && !was_challenged(s) ? CAUSE_REJECTED_OTHER
                                                                              : refusals[i].cause;
    return CAUSE_REJECTED_OTHER;
}

/* The phone's words are lost on the way, or their acknowledgements are: the service may not know.
 */
static const struct repeat *unacknowledged(const struct story *s, const struct session *e)
{
    for (unsigned i = 0; i < s->n_peers; i++) {
        const struct peer *p = &s->peers[i];

        if (moment_is(p->repeats[0].since) && p->repeats[0].flow == e->flow && p->repeats[0].n >= 3)
            return &p->repeats[0];
        if (moment_is(p->stuck[0].since) && endpoint_equal(&p->server, &e->server))
            return &p->stuck[0];
    }
    return NULL;
}

/* That server takes no connection now: a cause of its own. */
static bool is_closed(const struct story *s, const struct session *e)
{
    if (s->closed.n && endpoint_equal(&s->closed_to, &e->server))
        return true;
    for (unsigned i = 0; i < s->n_peers; i++)
        if (s->peers[i].refused.n && endpoint_equal(&s->peers[i].server, &e->server))
            return true;
    return false;
}

static bool no_answer(const struct scene *c, struct finding *f)
{
    const struct story *s = c->story;
    const struct repeat *r;
    char to[ENDPOINT_TEXT_MAX];

    if (c->one_sided)
        return false;
    for (unsigned i = 0; i < s->n_sessions; i++) {
        const struct session *e = &s->sessions[i];

        if (e->standby || !e->asked.n || moment_is(e->accepted) || e->answered_401.n ||
            e->said[0] || c->lossy || e->keepalives.answered.n || e->ladder_asked ||
            !settled(c, e->asked.n > 1 ? e->asked.first : e->asked.last, 8 * SECOND) ||
            registered_at(s).ns > e->asked.last.ns || is_closed(s, e))
            continue;
        detail(f, "%s", endpoint_words(&e->server, to));
        prove_spell(f, &e->asked, "%s to %s, no answer", e->sip ? "REGISTER" : "Register", to);
        if ((r = unacknowledged(s, e))) {
            prove(f, r->since, "TCP sends it again %u [time|times]: nothing acknowledges it", r->n);
            doubt(f, APART_SERVER_SIDE);
        }
        return true;
    }
    return false;
}

/* Seen from the server: it answers, and the phone asks again. */
static bool not_heard(const struct scene *c, struct finding *f)
{
    const struct spell *again = &c->story->unheard[0];

    if (again->n < 3)
        return false;
    prove_spell(f, again,
                "REGISTER sent once more though it was answered: the phone does not hear it");
    f->apart = APART_PHONE_SIDE;
    return true;
}

/* The last refusal that nothing better followed. */
static const struct session *refused_session(const struct story *s, enum cause cause)
{
    for (unsigned i = s->n_sessions; i-- > 0;) {
        const struct session *e = &s->sessions[i];

        bool again = e->reused && !moment_is(e->accepted); /* refused, and tries once more */

        if ((e->end == SESSION_REJECTED || again) && e->said[0] && cause_of(s, e->said) == cause &&
            registered_at(s).ns <= e->ended.ns)
            return e;
    }
    return NULL;
}

static bool refused(const struct scene *c, struct finding *f, enum cause cause)
{
    const struct session *e = refused_session(c->story, cause);
    char by[ENDPOINT_TEXT_MAX];

    if (!e)
        return false;
    detail(f, "\"%s\" of %s", e->said, endpoint_words(&e->server, by));
    prove_spell(f, &e->asked, "%s as %s, model %s", e->sip ? "REGISTER" : "Register",
                c->story->name, c->story->model);
    prove(f, e->ended, "refused by %s: \"%s\"", by, e->said);
    return true;
}

#define REFUSED(name, cause)                                                                       \
    static bool name(const struct scene *c, struct finding *f)                                     \
    {                                                                                              \
        return refused(c, f, CAUSE_##cause);                                                       \
    }

REFUSED(refused_unknown, REJECTED_UNKNOWN)
REFUSED(refused_type, REJECTED_TYPE)
REFUSED(refused_version, REJECTED_VERSION)
REFUSED(refused_full, REJECTED_FULL)
REFUSED(refused_duplicate, REJECTED_DUPLICATE)
REFUSED(refused_other, REJECTED_OTHER)

static bool authentication(const struct scene *c, struct finding *f)
{
    const struct story *s = c->story;
    const struct session *e;
    char by[ENDPOINT_TEXT_MAX];

    if (refused(c, f, CAUSE_AUTHENTICATION))
        return true;
    /* Some servers forbid whom they know for wrong passwords without asking once more. */
    if ((e = refused_session(s, CAUSE_REJECTED_OTHER)) && e->status == 403 && !was_challenged(s)) {
        detail(f, "\"%s\" of %s", e->said, endpoint_words(&e->server, by));
        prove(f, e->ended, "refused by %s: \"%s\"", by, e->said);
        doubt(f, APART_SERVER_LOG);
        return true;
    }
    for (unsigned i = 0; i < s->n_lines; i++) {
        const struct story_line *l = &s->lines[i];
        /* Asked for a password and never answering: it has none. */
        bool mute = !l->authorized && (l->status == 401 || l->status == 407) &&
                    settled(c,
                            l->challenged_again || l->challenged.n == 1 ? l->challenged.last
                                                                        : l->challenged.first,
                            5 * SECOND);

        if (l->registered || !l->challenged.n || (!l->challenged_again && !mute))
            continue;
        detail(f, "%s at %s%s", l->user, endpoint_words(&l->server, by),
               mute ? WORDS(", the phone gives no password") : "");
        prove_spell(f, &l->challenged, "401 or 407 of %s for %s", by, l->user);
        return true;
    }
    return false;
}

#define SHORTEST_S                                                                                 \
    25 /* Cisco phones leave at once when less is granted (20 s behind the 5 they refresh early)   \
        */

static bool expires_wrong(const struct scene *c, struct finding *f)
{
    const struct story *s = c->story;
    bool cisco = text_contains_nocase(text_of(s->model), TEXT("Cisco")) ||
                 text_starts_nocase(text_of(s->model), "CP-") ||
                 text_starts_nocase(text_of(s->name), "SEP");

    for (unsigned i = 0; i < s->n_sessions; i++) {
        const struct session *e = &s->sessions[i];
        /* Others than Cisco's refresh as they asked, and lose nothing. */
        bool longer = cisco && e->asked_s && e->interval_s > e->asked_s;

        if (!e->sip || e->standby || !moment_is(e->accepted) || !e->asked_s ||
            (e->interval_s >= (cisco ? SHORTEST_S : 5u) && !longer))
            continue;
        detail(f, "asked %u s, granted %u s", e->asked_s, e->interval_s);
        prove(f, e->asked.first, "REGISTER with Expires %u", e->asked_s);
        prove(f, e->accepted, "200 with Expires %u", e->interval_s);
        return true;
    }
    return false;
}

/* A line that the phone has not tried for so long before another one was accepted belonged to a
 * configuration from before: phones try a refused line again every three minutes. */
#define GIVEN_UP_NS (300 * SECOND)

static bool lines_partial(const struct scene *c, struct finding *f)
{
    const struct story *s = c->story;
    const struct story_line *good = NULL, *bad = NULL;

    for (unsigned i = 0; i < s->n_lines; i++) {
        const struct story_line *l = &s->lines[i];

        if (l->registered)
            good = l;
        else if (l->refused.n || l->challenged_again ||
                 (moment_is(l->pending) && settled(c, l->pending, 10 * SECOND)))
            bad = l;
    }
    if (!good || !bad || !ip_equal(good->server.ip, bad->server.ip) ||
        bad->asked.last.ns < good->accepted.first.ns - GIVEN_UP_NS)
        return false;
    detail(f, "%s is not, %s is", bad->user, good->user);
    prove_spell(f, &good->accepted, "200 for %s", good->user);
    if (bad->refused.n)
        prove_spell(f, &bad->refused, "%u for %s", bad->status, bad->user);
    else
        prove(f, bad->asked.last, "REGISTER of %s, not accepted", bad->user);
    return true;
}

/* Bytes of the connection are missing: who is silent may never have been asked. */
static bool has_gap(const struct story *s, const struct session *e)
{
    for (unsigned i = 0; i < s->n_peers; i++)
        for (unsigned k = 0; k < 2; k++)
            if (s->peers[i].gaps[k].flow == e->flow && moment_is(s->peers[i].gaps[k].since))
                return true;
    return false;
}

/* What the phone or the server waits for, after RegisterAck. */
static bool incomplete(const struct scene *c, struct finding *f)
{
    static const char *const steps[] = {WORDS("the phone's capabilities"),
                                        WORDS("the button template"),
                                        WORDS("the softkey template"),
                                        WORDS("the softkey set"),
                                        WORDS("the configuration"),
                                        WORDS("a line"),
                                        WORDS("the time")};
    const char *what;

    for (unsigned i = 0; i < c->story->n_sessions; i++) {
        const struct session *e = &c->story->sessions[i];
        unsigned waits = e->ladder_asked & ~e->ladder_answered, step = 0;
        bool bare = !e->ladder_asked && settled(c, e->accepted, 15 * SECOND);
        bool over =
            bare || (e->end == SESSION_STANDS ? settled(c, e->ladder_last, 10 * SECOND)
                                              : e->ended.ns - e->ladder_last.ns > 5 * SECOND);

        if (e->sip || !moment_is(e->accepted) || moment_is(e->complete) || !(waits || bare) ||
            !over || c->one_sided || c->lossy || has_gap(c->story, e))
            continue;
        if (bare) {
            detail(f, "the server never asks for its capabilities");
            prove(f, e->accepted, "RegisterAck, and nothing after it");
            doubt(f, APART_SERVER_LOG);
            return true;
        }
        while (!(waits >> step & 1))
            step++;
        what = step < sizeof(steps) / sizeof(*steps) ? steps[step] : "";
        detail(f, "what never comes: %s", what);
        prove(f, e->accepted, "RegisterAck");
        prove(f, e->ladder_last, "the last message of the registration; no answer gives %s", what);
        return true;
    }
    return false;
}

/* The same as the server tells it: it gave up waiting for the end. */
static bool given_up(const struct scene *c, struct finding *f)
{
    static const struct {
        const char *part, *words;
    } reasons[] = {{"bad capabilities", WORDS("the phone's capabilities make no sense")},
                   {"wrong order", WORDS("the phone asks at the wrong time")},
                   {"", WORDS("the connection ends before the registration does")}};
    const struct session *e = refused_session(c->story, CAUSE_REGISTER_INCOMPLETE);
    size_t i = 0;

    if (!e)
        return false;
    while (!text_contains_nocase(text_of(e->said), text_of(reasons[i].part)))
        i++;
    if (text_contains_nocase(text_of(e->said), TEXT("no capabilities")))
        detail(f, "what never comes: %s", WORDS("the phone's capabilities"));
    else
        detail(f, "%s", reasons[i].words);
    prove_spell(f, &e->asked, "%s as %s, model %s", e->sip ? "REGISTER" : "Register",
                c->story->name, c->story->model);
    prove(f, e->ended, "the server gives up: %s", e->said);
    return true;
}

static bool reset_by_server(const struct scene *c, struct finding *f)
{
    static const char *const kinds[] = {"", WORDS("reset"), WORDS("restart"),
                                        WORDS("apply its configuration")};
    char by[ENDPOINT_TEXT_MAX];

    for (unsigned i = 0; i < c->story->n_sessions; i++) {
        const struct session *e = &c->story->sessions[i];

        if (!e->ordered)
            continue;
        detail(f, "%s by %s", e->order < 4 ? kinds[e->order] : "", endpoint_words(&e->server, by));
        prove_spell(f, &c->story->ordered, "%s ordered by %s",
                    e->order < 4 ? kinds[e->order] : kinds[1], by);
        return true;
    }
    return false;
}

/* ---- leaving ---- */

static const struct story_alarm *alarm_said(const struct story *s, uint16_t from, uint16_t to)
{
    for (unsigned i = 0; i < s->n_alarms; i++)
        if (s->alarms[i].code >= from && s->alarms[i].code <= to)
            return &s->alarms[i];
    return NULL;
}

static bool keypad_reset(const struct story *s)
{
    for (unsigned i = 0; i < s->n_events; i++)
        if (s->events[i].kind == EVENT_KEYPAD)
            return true;
    return false;
}

/* A phone that goes to another server unregisters, too: it is not gone. */
static bool moved_on(const struct story *s, const struct session *e)
{
    for (unsigned i = 0; i < s->n_sessions; i++)
        if (moment_is(s->sessions[i].accepted) &&
            !endpoint_equal(&s->sessions[i].server, &e->server) &&
            s->sessions[i].accepted.ns - e->ended.ns < 60 * SECOND &&
            e->ended.ns - s->sessions[i].accepted.ns < 60 * SECOND)
            return true;
    return false;
}

static bool left_by_itself(const struct scene *c, struct finding *f)
{
    const struct story *s = c->story;
    const struct story_alarm *power = alarm_said(s, 32, 34);
    char to[ENDPOINT_TEXT_MAX];

    for (unsigned i = 0; i < s->n_sessions; i++) {
        const struct session *e = &s->sessions[i];
        bool keypad = keypad_reset(s) || alarm_said(s, 20, 20);

        if (e->end != SESSION_UNREGISTERED || e->ordered || moved_on(s, e) ||
            (!keypad && !power && !settled(c, e->ended, 3 * SECOND)))
            continue;
        detail(f, "from %s%s", endpoint_words(&e->server, to),
               keypad  ? WORDS(", by a reset from the keypad")
               : power ? WORDS(", to save power")
                       : "");
        prove(f, e->ended, "the phone unregisters from %s", to);
        return true;
    }
    return false;
}

static int by_length(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

/* Times between registrations with one server, most of which are about the same. */
static bool is_steady(const struct story *s, int64_t *period)
{
    unsigned n = s->n_again < 8 ? s->n_again : 8, alike = 0;
    int64_t times[8];

    if (n < 3)
        return false;
    memcpy(times, s->again_ns, n * sizeof(*times));
    qsort(times, n, sizeof(*times), by_length);
    *period = times[n / 2];
    for (unsigned i = 0; i < n; i++)
        alike += times[i] * 3 > *period * 2 && times[i] * 2 < *period * 3;
    return alike >= 3 && alike * 3 >= n * 2 && *period < 3600 * SECOND;
}

static bool restart_loop(const struct scene *c, struct finding *f)
{
    const struct story *s = c->story;
    char every[24];
    int64_t mean;

    unsigned n = 0;

    for (unsigned i = 0; i < s->n_sessions; i++) /* it leaves, and is not thrown out */
        n += s->sessions[i].end == SESSION_UNREGISTERED ||
             s->sessions[i].end == SESSION_PHONE_CLOSED;
    if (n < 2 || !is_steady(s, &mean))
        return false;
    detail(f, "every %s, %u [time|times]", seconds(mean, every), s->accepted.n);
    prove_spell(f, &s->accepted, "registered, again every %s", every);
    return true;
}

static bool version_stamps(const struct scene *c, struct finding *f)
{
    const struct story_alarm *a = alarm_said(c->story, 100, 105);

    if (!a || a->code == 104 || a->seen.n < 2)
        return false;
    detail(f, "reason %u, %u [time|times]", a->code, a->seen.n);
    prove_spell(f, &a->seen, "the phone says why it restarted: %.80s", a->text);
    return true;
}

const struct rule registration_rules[] = {
    {CAUSE_REGISTER_NO_ANSWER, no_answer},         {CAUSE_REGISTER_NO_ANSWER, not_heard},
    {CAUSE_REJECTED_UNKNOWN, refused_unknown},     {CAUSE_REJECTED_TYPE, refused_type},
    {CAUSE_REJECTED_VERSION, refused_version},     {CAUSE_REJECTED_FULL, refused_full},
    {CAUSE_REJECTED_DUPLICATE, refused_duplicate}, {CAUSE_REJECTED_OTHER, refused_other},
    {CAUSE_AUTHENTICATION, authentication},        {CAUSE_EXPIRES_WRONG, expires_wrong},
    {CAUSE_LINES_PARTIAL, lines_partial},          {CAUSE_REGISTER_INCOMPLETE, incomplete},
    {CAUSE_REGISTER_INCOMPLETE, given_up},         {CAUSE_RESET_BY_SERVER, reset_by_server},
    {CAUSE_LEFT_BY_ITSELF, left_by_itself},        {CAUSE_RESTART_LOOP, restart_loop},
    {CAUSE_VERSION_STAMPS, version_stamps},        {0},
};
