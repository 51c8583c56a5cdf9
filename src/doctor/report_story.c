/* report_story.c - one phone's story told as text: stages, what happened when, registrations and
 * their keepalives. */
#include "doctor/report.h"

#include <stdio.h>
#include <time.h>

#include "doctor/check.h"

static void clock_time(int64_t ns, char to[static 32])
{
    time_t s = (time_t)(ns / SECOND);
    struct tm tm;

    gmtime_r(&s, &tm);
    snprintf(to, 32, "%02d:%02d:%02d.%03d", tm.tm_hour, tm.tm_min, tm.tm_sec,
             (int)(ns / 1000000 % 1000));
}

static void heading(const struct story *s, struct grow *to)
{
    char ip[IP_TEXT_MAX], mac[MAC_TEXT_MAX];

    grow_string(to, s->name[0]           ? s->name
                    : mac_number(s->mac) ? mac_print(s->mac, mac)
                                         : ip_print(s->ip, ip));
    if (s->model[0])
        grow_format(to, ", %s", s->model);
    if (s->load[0])
        grow_format(to, ", load %s", s->load);
    if (mac_number(s->mac) && s->name[0])
        grow_format(to, ", %s", mac_print(s->mac, mac));
    for (unsigned i = 0; i < s->n_ips; i++)
        grow_format(to, "%s%s", i ? ", then " : ", ", ip_print(s->ips[i], ip));
    if (s->shared_address)
        grow_string(to, " (with other phones)");
    if (s->n_vlans && s->vlans[s->n_vlans - 1].vlan)
        grow_format(to, ", VLAN %u", s->vlans[s->n_vlans - 1].vlan);
    if (s->neighbour[0])
        grow_format(to, ", switch %s", s->neighbour);
    grow_string(to, "\n");
}

/* ---- stages ---- */

struct stage_line {
    int64_t first_ns, last_ns;
    unsigned n; /* things that happened */
};

static void stages(const struct story *s, struct grow *to)
{
    static const char *const names[N_DOCTOR_STAGES] = {"link",      "address",    "names",
                                                       "files",     "connection", "registration",
                                                       "keepalive", "moves",      "capture"};
    struct stage_line lines[N_DOCTOR_STAGES] = {0};
    char at[32], took[24];

    for (unsigned i = 0; i < s->n_events; i++) {
        const struct event *e = &s->events[i];
        struct stage_line *l = &lines[event_rows[e->kind].stage];

        if (!l->n || e->seen.first.ns < l->first_ns)
            l->first_ns = e->seen.first.ns;
        if (e->seen.last.ns > l->last_ns)
            l->last_ns = e->seen.last.ns;
        l->n += e->seen.n;
    }
    for (unsigned i = 0; i < N_DOCTOR_STAGES; i++) {
        if (!lines[i].n)
            continue;
        clock_time(lines[i].first_ns, at);
        grow_format(to, "  %-13s from %s for %s\n", names[i], at,
                    seconds(lines[i].last_ns - lines[i].first_ns, took));
    }
}

/* ---- what happened ---- */

static void event(const struct event *e, struct grow *to)
{
    char at[32], span[24];

    clock_time(e->seen.first.ns, at);
    grow_format(to, "  %s %7llu  %s%s%s", at, (unsigned long long)e->seen.first.number,
                event_rows[e->kind].words, e->detail[0] ? " " : "", e->detail);
    if (e->seen.n > 1)
        grow_format(to, " (%u times in %s, last in packet %llu)", e->seen.n,
                    seconds(e->seen.last.ns - e->seen.first.ns, span),
                    (unsigned long long)e->seen.last.number);
    grow_string(to, "\n");
}

static void session(const struct session *e, struct grow *to)
{
    static const char *const ends[] = {
        [SESSION_STANDS] = "stands",
        [SESSION_UNREGISTERED] = "ended: the phone unregistered",
        [SESSION_REJECTED] = "refused",
        [SESSION_PHONE_CLOSED] = "ended: the phone closed the connection",
        [SESSION_SERVER_CLOSED] = "ended: the server closed the connection",
        [SESSION_PHONE_RESET] = "ended: the phone reset the connection",
        [SESSION_SERVER_RESET] = "ended: the connection was reset by the server or on the way",
        [SESSION_REPLACED] = "ended: registered anew",
        [SESSION_EXPIRED] = "ended: not refreshed",
    };
    const struct keepalives *k = &e->keepalives;
    char server[ENDPOINT_TEXT_MAX], at[32], a[24], b[24], c[24];

    clock_time(moment_is(e->accepted)      ? e->accepted.ns
               : moment_is(e->asked.first) ? e->asked.first.ns
                                           : k->sent.first.ns,
               at);
    grow_format(to, "  %s with %s since %s: %s", e->standby ? "standby" : "registration",
                endpoint_print(&e->server, server), at, ends[e->end]);
    if (e->said[0])
        grow_format(to, ": %s", e->said);
    if (e->interval_s)
        grow_format(to, "; interval %u s", e->interval_s);
    grow_string(to, "\n");
    if (!k->sent.n)
        return;
    grow_format(to, "    keepalives: %u sent, %u answered, %u lost, %u late, %u repeated",
                k->sent.n, k->answered.n, k->n_lost, k->n_late, k->n_again);
    if (k->n_intervals)
        grow_format(to, "; every %s (%s to %s)", seconds(k->interval_sum_ns / k->n_intervals, a),
                    seconds(k->interval_min_ns, b), seconds(k->interval_max_ns, c));
    if (k->answered.n)
        grow_format(to, "; answered after %s, at worst %s",
                    seconds(k->rtt_sum_ns / k->answered.n, a), seconds(k->rtt_max_ns, b));
    grow_string(to, "\n");
}

void report_story(const struct report_view *v, const struct story *s, struct grow *to)
{
    (void)v;
    heading(s, to);
    stages(s, to);
    for (unsigned i = 0; i < s->n_events; i++) {
        if (i == EVENTS_HEAD && s->n_events_dropped)
            grow_format(to, "  … %u more …\n", s->n_events_dropped);
        event(&s->events[i], to);
    }
    for (unsigned i = 0; i < s->n_sessions; i++) {
        if (i == SESSIONS_HEAD && s->n_sessions_dropped)
            grow_format(to, "  … %u more registrations …\n", s->n_sessions_dropped);
        session(&s->sessions[i], to);
    }
}
