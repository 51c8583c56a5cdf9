/* json.c - the diagnosis for programs; docs/doctor.schema.json describes it. */
#include "doctor/report/report.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "doctor/check/check.h"
#include "doctor/told.h"

/* Texts of the network may be anything; JSON is UTF-8. */
static json_t *text_value(const char *s)
{
    json_t *value = json_string(s);

    return value ? value : json_string("?");
}

static json_t *said_value(const struct report_view *v, const char *kept)
{
    char words[SAY_MAX];

    return text_value(say(kept, v->language, words));
}

static json_t *ip_value(struct ip ip)
{
    char to[IP_TEXT_MAX];

    return ip.family ? json_string(ip_print(ip, to)) : json_null();
}

static json_t *endpoint_value(const struct endpoint *e)
{
    char to[ENDPOINT_TEXT_MAX];

    return json_string(endpoint_print(e, to));
}

static json_t *time_value(int64_t ns)
{
    return json_real((double)ns / 1e9);
}

static json_t *date_value(int64_t ns)
{
    return is_untimed(ns) ? json_null() : time_value(ns);
}

/* Null where it never was. */
static json_t *moment_value(struct moment m)
{
    json_t *o;

    if (!moment_is(m))
        return json_null();
    o = json_pack("{so,sI,si}", "time", date_value(m.ns), m.line ? "line" : "packet",
                  (json_int_t)m.number, "capture", m.capture + 1);
    if (m.file)
        json_object_set_new(o, "file", json_integer(m.file + 1));
    return o;
}

static json_t *finding_value(const struct report_view *v, const struct finding *f)
{
    static const char *const severities[] = {"hint", "harm", "fatal"};
    const struct cause_row *row = cause_row(f->cause);
    const struct cause_words *w = cause_words(f->cause, v->language);
    static const char *const stages[N_DOCTOR_STAGES] = {
        "link", "dhcp", "dns", "files", "connect", "register", "keepalive", "move", "capture"};
    json_t *evidence = json_array();

    for (unsigned i = 0; i < f->n_evidence; i++) {
        const struct evidence *e = &f->evidence[i];
        struct moment m = {e->time_ns, e->number, e->capture, e->file, e->line};
        json_t *o = moment_is(m) ? moment_value(m) : json_object();

        json_object_set_new(o, "says", said_value(v, e->says));
        json_array_append_new(evidence, o);
    }
    return json_pack("{ss,ss,ss,sb,so,ss,ss,ss,si,so}", "cause", row->name, "stage",
                     stages[row->stage], "severity", severities[f->severity], "certain", f->certain,
                     "detail", said_value(v, f->detail), "title", w->title, "todo", w->todo,
                     "apart", apart_words(f->apart, v->language), "times", (int)f->n_times,
                     "evidence", evidence);
}

static json_t *events_value(const struct report_view *v, const struct story *s)
{
    json_t *all = json_array();

    for (unsigned i = 0; i < s->n_events; i++) {
        const struct event *e = &s->events[i];

        json_array_append_new(
            all, json_pack("{ss,ss,so,si,so,so}", "event", event_rows[e->kind].name, "what",
                           event_words(e->kind, v->language), "detail", said_value(v, e->detail),
                           "times", (int)e->seen.n, "first", moment_value(e->seen.first), "last",
                           moment_value(e->seen.last)));
    }
    return all;
}

static json_t *keepalives_value(const struct keepalives *k)
{
    return json_pack("{si,si,si,si,si,so,so,so}", "sent", (int)k->sent.n, "answered",
                     (int)k->answered.n, "lost", (int)k->n_lost, "late", (int)k->n_late, "repeated",
                     (int)k->n_again, "interval",
                     time_value(k->n_intervals ? k->interval_sum_ns / k->n_intervals : 0),
                     "rtt_mean", time_value(k->answered.n ? k->rtt_sum_ns / k->answered.n : 0),
                     "rtt_max", time_value(k->rtt_max_ns));
}

static json_t *sessions_value(const struct story *s)
{
    static const char *const ends[] = {"stands",       "unregistered",  "rejected",
                                       "phone-closed", "server-closed", "phone-reset",
                                       "server-reset", "replaced",      "expired"};
    json_t *all = json_array();

    for (unsigned i = 0; i < s->n_sessions; i++) {
        const struct session *e = &s->sessions[i];

        json_array_append_new(
            all, json_pack("{so,ss,sb,so,so,so,ss,so,si,so}", "server", endpoint_value(&e->server),
                           "protocol", e->sip ? "SIP" : "SCCP", "standby", e->standby, "asked",
                           moment_value(e->asked.first), "accepted", moment_value(e->accepted),
                           "ended", moment_value(e->ended), "end", ends[e->end], "said",
                           text_value(e->said), "interval", (int)e->interval_s, "keepalives",
                           keepalives_value(&e->keepalives)));
    }
    return all;
}

static json_t *phone_value(const struct report_view *v, const struct story *s, json_t *findings)
{
    char mac[MAC_TEXT_MAX] = "";
    json_t *ips = json_array();

    if (mac_number(s->mac))
        mac_print(s->mac, mac);
    for (unsigned i = 0; i < s->n_ips; i++)
        json_array_append_new(ips, ip_value(s->ips[i]));
    return json_pack("{so,ss,so,so,so,so,si,sb,so,so,so,so,so}", "name", text_value(s->name), "mac",
                     mac, "addresses", ips, "model", text_value(s->model), "load",
                     text_value(s->load), "switch", text_value(s->neighbour), "vlan",
                     s->n_vlans ? s->vlans[s->n_vlans - 1].vlan : 0, "shared_address",
                     s->shared_address, "first", moment_value(s->born), "last",
                     moment_value(s->last), "findings", findings, "registrations",
                     sessions_value(s), "story", v->verbose ? events_value(v, s) : json_array());
}

static json_t *cohorts_value(const struct report_view *v)
{
    const struct diagnosis *d = v->diagnosis;
    json_t *all = json_array();

    for (size_t i = 0; i < d->n_cohorts; i++) {
        const struct cohort *c = &d->cohorts[i];
        json_t *names = json_array();

        for (size_t k = 0; k < c->n; k++) {
            const struct story *s =
                timeline_story(v->timeline, d->findings[d->order[c->first + k]].phone);

            if (s)
                json_array_append_new(names, text_value(s->name));
        }
        json_array_append_new(all, json_pack("{ss,sb,si,so,so}", "cause", cause_row(c->cause)->name,
                                             "certain", c->certain, "n", (int)c->n, "common",
                                             said_value(v, c->common), "phones", names));
    }
    return all;
}

void report_json(const struct report_view *v, struct grow *to)
{
    const struct diagnosis *d = v->diagnosis;
    const struct capture_facts *facts = timeline_facts(v->timeline);
    json_t *phones = json_array(), *wide = json_array(), *files = json_array(), *root;
    char *text;
    size_t n;

    for (unsigned i = 0; i < v->n_files; i++)
        json_array_append_new(files, text_value(v->files[i]));
    for (size_t i = 0; i < d->n; i += n) {
        const struct story *s = timeline_story(v->timeline, d->findings[i].phone);
        json_t *findings = s ? json_array() : wide;

        for (n = 0; i + n < d->n && d->findings[i + n].phone == d->findings[i].phone; n++)
            json_array_append_new(findings, finding_value(v, &d->findings[i + n]));
        if (s)
            json_array_append_new(phones, phone_value(v, s, findings));
    }
    root = json_pack("{si,so,so,so,si,si,si,so,so,so}", "version", 1, "files", files, "first",
                     moment_value(facts->first), "last", moment_value(facts->last), "n_phones",
                     (int)d->n_phones, "n_well", (int)d->n_well, "n_unclear", (int)d->n_unclear,
                     "capture", wide, "phones", phones, "cohorts", cohorts_value(v));
    text = root ? json_dumps(root, JSON_INDENT(1) | JSON_REAL_PRECISION(16)) : NULL;
    json_decref(root);
    if (!text)
        to->bad = true;
    grow_string(to, text ? text : "");
    grow_string(to, "\n");
    free(text);
}
