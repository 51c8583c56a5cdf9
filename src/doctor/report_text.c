/* report_text.c - the diagnosis for a terminal: a sentence a phone, many phones with one trouble
 * together; see report.h. */
#include "doctor/report.h"

#include <stdio.h>
#include <time.h>

#include "doctor/check.h"

#define COHORT_MIN 4 /* so many phones with one cause become one line */
#define NAMED_MAX  6 /* of which so many are named */

static void clock_time(int64_t ns, char to[static 32])
{
    time_t s = (time_t)(ns / SECOND);
    struct tm tm;

    gmtime_r(&s, &tm);
    snprintf(to, 32, "%02d:%02d:%02d.%03d", tm.tm_hour, tm.tm_min, tm.tm_sec,
             (int)(ns / 1000000 % 1000));
}

static void phone_name(const struct story *s, struct grow *to)
{
    char ip[IP_TEXT_MAX], mac[MAC_TEXT_MAX];

    if (s->name[0])
        grow_string(to, s->name);
    else if (mac_number(s->mac))
        grow_string(to, mac_print(s->mac, mac));
    else
        grow_string(to, ip_print(s->ip, ip));
    if (!s->model[0] && !s->ip.family)
        return;
    grow_string(to, " (");
    grow_string(to, s->model);
    if (s->ip.family && (s->name[0] || mac_number(s->mac)))
        grow_format(to, "%s%s", s->model[0] ? ", " : "", ip_print(s->ip, ip));
    grow_string(to, ")");
}

/* "packets 12, 15 and 20": numbers to type into a packet analyser. */
static void packet_numbers(const struct finding *f, struct grow *to)
{
    const char *before = f->n_evidence > 1 ? "packets " : "packet ";

    for (unsigned i = 0; i < f->n_evidence; i++) {
        if (!f->evidence[i].number)
            continue;
        grow_format(to, "%s%llu", before, (unsigned long long)f->evidence[i].number);
        if (f->evidence[i].capture)
            grow_format(to, " of capture %u", f->evidence[i].capture + 1u);
        before = ", ";
    }
}

static void sentence(const struct report_view *v, const struct finding *f, struct grow *to)
{
    const struct cause_words *w = cause_words(f->cause, v->language);

    grow_format(to, "%s%s", f->certain ? "" : "perhaps ", w->title);
    if (f->detail[0])
        grow_format(to, ": %s", f->detail);
}

static void short_finding(const struct report_view *v, const struct finding *f, struct grow *to)
{
    sentence(v, f, to);
    grow_string(to, " [");
    grow_string(to, cause_row(f->cause)->name);
    if (f->n_evidence && f->evidence[0].number) {
        grow_string(to, "; ");
        packet_numbers(f, to);
    }
    grow_string(to, "]\n");
}

static void advice(const struct report_view *v, const struct finding *f, const char *indent,
                   struct grow *to)
{
    static const char *const aparts[N_APARTS] = {
#define APART(id, english) [APART_##id] = english,
#include "doctor/apart.def"
#undef APART
    };
    const struct cause_words *w = cause_words(f->cause, v->language);

    if (!f->certain && aparts[f->apart][0])
        grow_format(to, "%sTo be sure: %s.\n", indent, aparts[f->apart]);
    grow_format(to, "%sDo: %s\n", indent, w->todo);
}

/* ---- the long form ---- */

static void evidence(const struct finding *f, struct grow *to)
{
    char at[32];

    for (unsigned i = 0; i < f->n_evidence; i++) {
        const struct evidence *e = &f->evidence[i];

        if (!e->number) {
            grow_format(to, "      %s\n", e->says);
            continue;
        }
        clock_time(e->time_ns, at);
        grow_format(to, "      packet %llu%s, %s: %s\n", (unsigned long long)e->number,
                    e->capture ? " of the second capture" : "", at, e->says);
    }
}

static void long_finding(const struct report_view *v, const struct finding *f, struct grow *to)
{
    const struct cause_words *w = cause_words(f->cause, v->language);

    grow_string(to, "  * ");
    sentence(v, f, to);
    grow_format(to, " [%s]\n", cause_row(f->cause)->name);
    grow_format(to, "    %s\n", w->means);
    evidence(f, to);
    if (f->cause != CAUSE_HEALTHY)
        advice(v, f, "    ", to);
    if (w->here[0])
        grow_format(to, "    Here: %s\n", w->here);
    if (w->there[0])
        grow_format(to, "    CallManager: %s\n", w->there);
}

/* ---- the whole ---- */

static bool is_wanted(const struct report_view *v, const struct story *s)
{
    struct ip ip;

    if (!v->only)
        return true;
    if (text_equal_nocase(text_of(v->only), text_of(s->name)))
        return true;
    return ip_parse(text_of(v->only), &ip) == 0 && ip_equal(ip, s->ip);
}

/* Whether many share it and it is told of all together. */
static bool in_cohort(const struct report_view *v, const struct finding *f)
{
    for (size_t i = 0; i < v->diagnosis->n_cohorts && !v->only; i++) {
        const struct cohort *c = &v->diagnosis->cohorts[i];

        if (c->cause == f->cause && c->certain == f->certain)
            return c->n >= COHORT_MIN;
    }
    return false;
}

static bool is_worth(const struct finding *f)
{
    return f->cause != CAUSE_HEALTHY;
}

static void cohort(const struct report_view *v, const struct cohort *c, struct grow *to)
{
    const struct diagnosis *d = v->diagnosis;
    const struct finding *f = &d->findings[d->order[c->first]];
    const char *between = "";

    grow_format(to, "%zu phones: %s%s", c->n, c->certain ? "" : "perhaps ",
                cause_words(c->cause, v->language)->title);
    if (c->common[0])
        grow_format(to, " (all: %s)", c->common);
    grow_format(to, " [%s]\n    ", cause_row(c->cause)->name);
    for (size_t i = 0; i < c->n && i < NAMED_MAX; i++) {
        const struct story *s =
            timeline_story(v->timeline, d->findings[d->order[c->first + i]].phone);

        if (!s)
            continue;
        grow_string(to, between);
        phone_name(s, to);
        between = ", ";
    }
    if (c->n > NAMED_MAX)
        grow_format(to, " and %zu more", c->n - NAMED_MAX);
    grow_string(to, "\n");
    if (f->detail[0])
        grow_format(to, "    For example: %s; ", f->detail), packet_numbers(f, to),
            grow_string(to, "\n");
    advice(v, f, "    ", to);
}

static void one_phone(const struct report_view *v, const struct story *s, const struct finding *f,
                      size_t n, struct grow *to)
{
    if (v->verbose) {
        report_story(v, s, to);
        for (size_t i = 0; i < n; i++)
            long_finding(v, &f[i], to);
        grow_string(to, "\n");
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (!is_worth(&f[i]) || in_cohort(v, &f[i]))
            continue;
        phone_name(s, to);
        grow_string(to, ": ");
        short_finding(v, &f[i], to);
        if (f[i].certain || f[i].apart)
            advice(v, &f[i], "    ", to);
    }
}

static void total(const struct report_view *v, struct grow *to)
{
    const struct diagnosis *d = v->diagnosis;
    size_t ill = d->n_phones - d->n_well - d->n_unclear;

    grow_format(to, "%zu phone%s: %zu well", d->n_phones, d->n_phones == 1 ? "" : "s", d->n_well);
    if (ill)
        grow_format(to, ", %zu not", ill);
    if (d->n_unclear)
        grow_format(to, ", of %zu it cannot tell", d->n_unclear);
    grow_format(to, ".%s\n", ill && !v->verbose ? " -v tells the whole story." : "");
}

void report_text(const struct report_view *v, struct grow *to)
{
    const struct diagnosis *d = v->diagnosis;
    size_t n;

    for (size_t i = 0; i < d->n; i += n) {
        const struct story *s = timeline_story(v->timeline, d->findings[i].phone);

        for (n = 1; i + n < d->n && d->findings[i + n].phone == d->findings[i].phone;)
            n++;
        if (s && is_wanted(v, s))
            one_phone(v, s, &d->findings[i], n, to);
        for (size_t k = 0; !s && k < n; k++) {
            grow_string(to, "The capture: ");
            short_finding(v, &d->findings[i + k], to);
        }
    }
    for (size_t i = 0; i < d->n_cohorts && !v->verbose && !v->only; i++)
        if (d->cohorts[i].n >= COHORT_MIN && d->cohorts[i].cause != CAUSE_HEALTHY)
            cohort(v, &d->cohorts[i], to);
    if (!v->only)
        total(v, to);
}

void report_explain(enum cause c, enum language l, struct grow *to)
{
    const struct cause_words *w = cause_words(c, l);
    const struct cause_row *row = cause_row(c);

    grow_format(to, "%s: %s\n\nSeen: %s.\n\nIt means: %s\n\nWhat to do: %s\n", row->name, w->title,
                row->seen, w->means, w->todo);
    if (w->here[0])
        grow_format(to, "\nHere: %s\n", w->here);
    if (w->there[0])
        grow_format(to, "\nCallManager: %s\n", w->there);
}
