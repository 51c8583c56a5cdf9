/* story.c - one phone's story told as text: stages, what happened when, registrations and
 * their keepalives. */
#include "doctor/check/check.h"
#include "doctor/report/parts.h"
#include "doctor/told.h"

static bool stays_registered(const struct story *s, const struct finding *f, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (f[i].severity != SEVERITY_HINT && !registered_despite(s, &f[i]))
            return false;
    return is_registered(s);
}

static void heading(const struct report_view *v, const struct story *s, bool registered,
                    struct grow *to)
{
    enum language l = v->language;
    struct grow line = {0};
    char ip[IP_TEXT_MAX], mac[MAC_TEXT_MAX];

    say_now(&line, l, "%s",
            s->name[0]           ? s->name
            : mac_number(s->mac) ? mac_print(s->mac, mac)
                                 : ip_print(s->ip, ip));
    if (s->model[0])
        say_now(&line, l, ", %s", s->model);
    if (s->load[0])
        say_now(&line, l, ", load %s", s->load);
    if (mac_number(s->mac) && s->name[0])
        say_now(&line, l, ", %s", mac_print(s->mac, mac));
    for (unsigned i = 0; i < s->n_ips; i++)
        say_now(&line, l, i ? ", then %s" : ", %s", ip_print(s->ips[i], ip));
    if (s->shared_address)
        say_now(&line, l, " (with other phones)");
    if (s->n_vlans && s->vlans[s->n_vlans - 1].vlan)
        say_now(&line, l, ", VLAN %u", s->vlans[s->n_vlans - 1].vlan);
    if (s->neighbour[0])
        say_now(&line, l, ", switch %s", s->neighbour);
    if (registered)
        say_now(&line, l, ", registered");
    report_wrap(v, line.at ? line.at : "", 0, 4, to);
    grow_done(&line);
}

/* ---- stages ---- */

struct stage_line {
    int64_t first_ns, last_ns;
    unsigned n; /* things that happened */
};

static void stages(const struct story *s, enum language l, struct grow *to)
{
    struct stage_line lines[N_DOCTOR_STAGES] = {0};
    char at[CLOCK_MAX], took[24];

    for (unsigned i = 0; i < s->n_events; i++) {
        const struct event *e = &s->events[i];
        struct stage_line *line = &lines[event_rows[e->kind].stage];

        if (!line->n || e->seen.first.ns < line->first_ns)
            line->first_ns = e->seen.first.ns;
        if (e->seen.last.ns > line->last_ns)
            line->last_ns = e->seen.last.ns;
        line->n += e->seen.n;
    }
    for (unsigned i = 0; i < N_DOCTOR_STAGES; i++) {
        if (!lines[i].n || is_untimed(lines[i].first_ns))
            continue;
        grow_string(to, "  ");
        report_pad(stage_words((enum doctor_stage)i, l), 15, to);
        say_now(to, l, "from %s for %s", clock_words(lines[i].first_ns, at),
                seconds(lines[i].last_ns - lines[i].first_ns, took));
        grow_string(to, "\n");
    }
}

/* ---- what happened ---- */

#define TOLD_AT         24 /* the column behind time and number */
#define TOLD_UNTIMED_AT 11

static void event(const struct report_view *v, const struct event *e, struct grow *to)
{
    enum language l = v->language;
    struct grow line = {0};
    char at[CLOCK_MAX], span[24], detail[SAY_MAX];

    bool untimed = is_untimed(e->seen.first.ns);

    if (untimed)
        grow_format(&line, "%7llu  ", (unsigned long long)e->seen.first.number);
    else
        grow_format(&line, "%s %7llu  ", clock_words(e->seen.first.ns, at),
                    (unsigned long long)e->seen.first.number);
    event_say((enum event_kind)e->kind, l, say(e->detail, l, detail), &line);
    if (e->seen.n > 1 && untimed)
        say_now(&line, l, " (%u [time|times], last in line %llu)", e->seen.n,
                (unsigned long long)e->seen.last.number);
    else if (e->seen.n > 1)
        say_now(&line, l,
                e->seen.last.line ? " (%u [time|times] in %s, last in line %llu)"
                                  : " (%u [time|times] in %s, last in packet %llu)",
                e->seen.n, seconds(e->seen.last.ns - e->seen.first.ns, span),
                (unsigned long long)e->seen.last.number);
    report_wrap(v, line.at ? line.at : "", 2, untimed ? TOLD_UNTIMED_AT : TOLD_AT, to);
    grow_done(&line);
}

static void keepalive_line(const struct report_view *v, const struct keepalives *k, struct grow *to)
{
    enum language l = v->language;
    struct grow line = {0};
    char a[24], b[24], c[24];

    say_now(&line, l, "keepalives: %u sent, %u answered, %u lost, %u late, %u repeated", k->sent.n,
            k->answered.n, k->n_lost, k->n_late, k->n_again);
    if (k->n_intervals)
        say_now(&line, l, "; every %s (%s to %s)", seconds(k->interval_sum_ns / k->n_intervals, a),
                seconds(k->interval_min_ns, b), seconds(k->interval_max_ns, c));
    if (k->answered.n)
        say_now(&line, l, "; answered after %s, at worst %s",
                seconds(k->rtt_sum_ns / k->answered.n, a), seconds(k->rtt_max_ns, b));
    report_wrap(v, line.at ? line.at : "", 4, 6, to);
    grow_done(&line);
}

static void session(const struct report_view *v, const struct session *e, struct grow *to)
{
    enum language l = v->language;
    struct grow line = {0};
    static const char *const ends[] = {
        [SESSION_STANDS] = WORDS("stands"),
        [SESSION_UNREGISTERED] = WORDS("ended: the phone unregistered"),
        [SESSION_REJECTED] = WORDS("refused"),
        [SESSION_PHONE_CLOSED] = WORDS("ended: the phone closed the connection"),
        [SESSION_SERVER_CLOSED] = WORDS("ended: the server closed the connection"),
        [SESSION_PHONE_RESET] = WORDS("ended: the phone reset the connection"),
        [SESSION_SERVER_RESET] =
            WORDS("ended: the connection was reset by the server or on the way"),
        [SESSION_REPLACED] = WORDS("ended: registered anew"),
        [SESSION_EXPIRED] = WORDS("ended: not refreshed"),
    };
    const struct keepalives *k = &e->keepalives;
    char server[ENDPOINT_TEXT_MAX], at[CLOCK_MAX];

    struct moment since = moment_is(e->accepted)      ? e->accepted
                          : moment_is(e->asked.first) ? e->asked.first
                                                      : k->sent.first;

    clock_words(since.ns, at);
    endpoint_print(&e->server, server);
    if (!moment_is(since) || is_untimed(since.ns))
        say_now(&line, l, e->standby ? "standby with %s: %s" : "registration with %s: %s", server,
                ends[e->end]);
    else if (e->standby)
        say_now(&line, l, "standby with %s since %s: %s", server, at, ends[e->end]);
    else if (e->middle && !moment_is(e->accepted) && !moment_is(e->asked.first))
        say_now(&line, l, "registration with %s from before the capture: %s", server, ends[e->end]);
    else
        say_now(&line, l, "registration with %s since %s: %s", server, at, ends[e->end]);
    if (e->said[0])
        say_now(&line, l, ": %s", e->said);
    if (e->interval_s)
        say_now(&line, l, "; interval %u s", e->interval_s);
    report_wrap(v, line.at ? line.at : "", 2, 4, to);
    grow_done(&line);
    if (k->sent.n && (k->sent.n > 1 || !k->answered.n ||
                      k->rtt_max_ns)) /* else it is made up, for a server that says so */
        keepalive_line(v, k, to);
}

void report_story(const struct report_view *v, const struct story *s, const struct finding *f,
                  size_t n, struct grow *to)
{
    enum language l = v->language;

    heading(v, s, stays_registered(s, f, n), to);
    stages(s, l, to);
    for (unsigned i = 0; i < s->n_events; i++) {
        if (i == EVENTS_HEAD && s->n_events_dropped)
            say_now(to, l, "  … %u more …", s->n_events_dropped), grow_string(to, "\n");
        event(v, &s->events[i], to);
    }
    for (unsigned i = 0; i < s->n_sessions; i++) {
        if (i == SESSIONS_HEAD && s->n_sessions_dropped)
            say_now(to, l, "  … %u more [registration|registrations] …", s->n_sessions_dropped),
                grow_string(to, "\n");
        session(v, &s->sessions[i], to);
    }
}
