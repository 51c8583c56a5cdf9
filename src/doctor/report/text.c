/* text.c - the diagnosis for a terminal: a sentence a phone, many phones with one trouble
 * together; see report.h. */
#include <stdlib.h>

#include "doctor/check/check.h"
#include "doctor/report/parts.h"
#include "doctor/told.h"

#define COHORT_MIN 4 /* so many phones with one cause become one line */
#define NAMED_MAX  6 /* of which so many are named */

static void phone_name(const struct story *s, struct grow *to)
{
    char ip[IP_TEXT_MAX], mac[MAC_TEXT_MAX];
    bool told = s->ip.family && (s->name[0] || mac_number(s->mac));

    if (s->name[0])
        say_now(to, LANGUAGE_EN, "%s", s->name);
    else if (mac_number(s->mac))
        grow_string(to, mac_print(s->mac, mac));
    else
        grow_string(to, ip_print(s->ip, ip));
    if (!s->model[0] && !told)
        return;
    grow_string(to, " (");
    say_now(to, LANGUAGE_EN, "%s", s->model);
    if (told)
        grow_format(to, "%s%s", s->model[0] ? ", " : "", ip_print(s->ip, ip));
    grow_string(to, ")");
}

static int by_number(const void *x, const void *y)
{
    const struct evidence *const *a = x, *const *b = y;

    if ((*a)->capture != (*b)->capture)
        return (*a)->capture - (*b)->capture;
    if ((*a)->file != (*b)->file)
        return (*a)->file - (*b)->file;
    return ((*a)->number > (*b)->number) - ((*a)->number < (*b)->number);
}

/* Those of its evidence that are packets, each once, in their order. */
static unsigned packets_of(const struct finding *f, const struct evidence *ret[EVIDENCE_MAX])
{
    unsigned n = 0, kept = 0;

    for (unsigned i = 0; i < f->n_evidence; i++)
        if (f->evidence[i].number)
            ret[n++] = &f->evidence[i];
    qsort(ret, n, sizeof(*ret), by_number);
    for (unsigned i = 0; i < n; i++)
        if (!i || by_number(&ret[i], &ret[kept - 1]) != 0)
            ret[kept++] = ret[i];
    return kept;
}

/* "packets 12, 15, 20": numbers to type into a packet analyser. */
static void packet_numbers(const struct report_view *v, const struct finding *f, struct grow *to)
{
    const struct evidence *packets[EVIDENCE_MAX];
    unsigned n = packets_of(f, packets);
    bool line = n && packets[0]->line;
    const char *file, *before = "";

    grow_string(to, phrase(line    ? n > 1 ? PHRASE_LINES : PHRASE_LINE
                           : n > 1 ? PHRASE_PACKETS
                                   : PHRASE_PACKET,
                           v->language));
    for (unsigned i = 0; i < n; i++) {
        file = report_file(v, packets[i]);
        grow_format(to, "%s %s%s%s%llu", i ? "," : "", strcmp(file, before) ? file : "",
                    strcmp(file, before) ? ":" : "",
                    !v->pair              ? ""
                    : packets[i]->capture ? "B/"
                                          : "A/",
                    (unsigned long long)packets[i]->number);
        before = file;
    }
}

static void sentence(const struct report_view *v, const struct finding *f, struct grow *to)
{
    enum language l = v->language;
    const char *title = cause_words(f->cause, l)->title;
    char detail[SAY_MAX];

    if (!f->certain)
        say_now(to, l, "perhaps ");
    if (f->detail[0])
        say_now(to, l, "%s: %s", title, say(f->detail, l, detail));
    else
        grow_string(to, title);
}

static void short_finding(const struct report_view *v, const struct finding *f, struct grow *to)
{
    sentence(v, f, to);
    grow_format(to, " [%s", cause_row(f->cause)->name);
    if (f->n_evidence && f->evidence[0].number) {
        grow_string(to, "; ");
        packet_numbers(v, f, to);
    }
    grow_string(to, "]");
}

/* ---- the long form ---- */

static void paragraph(const struct report_view *v, enum phrase label, const char *words,
                      struct grow *to)
{
    struct grow line = {0};

    if (!words[0])
        return;
    if (label != N_PHRASES)
        say_now(&line, v->language, "%s: %s", phrase(label, v->language), words);
    else
        grow_string(&line, words);
    report_wrap(v, line.at, 4, 4, to);
    grow_done(&line);
}

static void evidence(const struct report_view *v, const struct finding *f, struct grow *to)
{
    char at[CLOCK_MAX], says[SAY_MAX];

    for (unsigned i = 0; i < f->n_evidence; i++) {
        const struct evidence *e = &f->evidence[i];
        struct grow line = {0};

        say(e->says, v->language, says);
        if (!e->number)
            grow_string(&line, says);
        else if (e->line && is_untimed(e->time_ns))
            say_now(&line, v->language, "line %llu%s%s: %s", (unsigned long long)e->number,
                    *report_file(v, e) ? " " : "", report_file(v, e), says);
        else if (e->line)
            say_now(&line, v->language, "line %llu%s%s, %s: %s", (unsigned long long)e->number,
                    *report_file(v, e) ? " " : "", report_file(v, e), clock_words(e->time_ns, at),
                    says);
        else if (*report_file(v, e))
            say_now(&line, v->language, "packet %llu %s, %s: %s", (unsigned long long)e->number,
                    report_file(v, e), clock_words(e->time_ns, at), says);
        else if (e->capture)
            say_now(&line, v->language, "packet %llu of the second capture, %s: %s",
                    (unsigned long long)e->number, clock_words(e->time_ns, at), says);
        else
            say_now(&line, v->language, "packet %llu, %s: %s", (unsigned long long)e->number,
                    clock_words(e->time_ns, at), says);
        report_wrap(v, line.at, 6, 6, to);
        grow_done(&line);
    }
}

static void long_finding(const struct report_view *v, const struct finding *f, struct grow *to)
{
    const struct cause_words *w = cause_words(f->cause, v->language);
    struct grow line = {0};

    grow_string(&line, "* ");
    sentence(v, f, &line);
    grow_format(&line, " [%s]", cause_row(f->cause)->name);
    report_wrap(v, line.at, 2, 4, to);
    grow_done(&line);
    if (!is_told_apart(f))
        paragraph(v, N_PHRASES, w->means, to);
    evidence(v, f, to);
    if (!f->certain || is_told_apart(f))
        paragraph(v, PHRASE_APART, apart_words(f->apart, v->language), to);
    if (f->cause != CAUSE_HEALTHY && !is_told_apart(f))
        paragraph(v, PHRASE_TODO, w->todo, to);
    paragraph(v, PHRASE_HERE, w->here, to);
    paragraph(v, PHRASE_THERE, w->there, to);
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

static void cohort(const struct report_view *v, const struct cohort *c, struct grow *to)
{
    const struct diagnosis *d = v->diagnosis;
    const struct finding *f = &d->findings[d->order[c->first]];
    enum language l = v->language;
    char words[SAY_MAX];

    say_now(to, l, "%zu [phone|phones]: ", c->n);
    if (!c->certain)
        say_now(to, l, "perhaps ");
    grow_string(to, cause_words(c->cause, l)->title);
    if (c->common[0])
        say_now(to, l, " (all: %s)", say(c->common, l, words));
    grow_format(to, " [%s]\n    ", cause_row(c->cause)->name);
    for (size_t i = 0; i < c->n && i < NAMED_MAX; i++) {
        const struct story *s =
            timeline_story(v->timeline, d->findings[d->order[c->first + i]].phone);

        if (!s)
            continue;
        grow_string(to, i ? ", " : "");
        phone_name(s, to);
    }
    if (c->n > NAMED_MAX)
        say_now(to, l, " and %zu more", c->n - NAMED_MAX);
    grow_string(to, "\n");
    if (!f->detail[0])
        return;
    grow_string(to, "    ");
    say_now(to, l, "For example: %s; ", say(f->detail, l, words));
    packet_numbers(v, f, to);
    grow_string(to, "\n");
}

static void whole_story(const struct report_view *v, const struct story *s, const struct finding *f,
                        size_t n, struct grow *to)
{
    report_story(v, s, f, n, to);
    for (size_t i = 0; i < n; i++)
        long_finding(v, &f[i], to);
    grow_string(to, "\n");
}

/* One line: all that was found, the gravest first. */
static void one_phone(const struct report_view *v, const struct story *s, const struct finding *f,
                      size_t n, struct grow *to)
{
    bool begun = false;

    for (size_t i = 0; i < n; i++) {
        if ((f[i].cause == CAUSE_HEALTHY && !v->only) || in_cohort(v, &f[i]))
            continue;
        if (!begun)
            phone_name(s, to);
        if (!begun && f[i].cause != CAUSE_HEALTHY && registered_despite(s, &f[i]))
            say_now(to, v->language, ", registered");
        say_now(to, v->language, begun ? "; also " : ": ");
        short_finding(v, &f[i], to);
        begun = true;
    }
    if (begun)
        grow_string(to, "\n");
}

static void total(const struct report_view *v, struct grow *to)
{
    const struct diagnosis *d = v->diagnosis;
    size_t ill = d->n_phones - d->n_well - d->n_unclear;
    enum language l = v->language;

    say_now(to, l, "%zu [phone|phones]: ", d->n_phones);
    say_now(to, l, "%zu well", d->n_well);
    if (ill)
        say_now(to, l, ", %zu not", ill);
    if (d->n_unclear)
        say_now(to, l, ", of %zu it cannot tell", d->n_unclear);
    say_now(to, l, ". ");
    if ((ill || d->n_unclear) && !v->verbose)
        say_now(to, l, "-v tells the whole story and what to do.");
    while (to->len && to->at[to->len - 1] == ' ')
        to->at[--to->len] = '\0';
    grow_string(to, "\n");
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
            (v->verbose ? whole_story : one_phone)(v, s, &d->findings[i], n, to);
        for (size_t k = 0; !s && k < n; k++) {
            say_now(to, v->language, "The capture: ");
            short_finding(v, &d->findings[i + k], to);
            grow_string(to, "\n");
        }
    }
    for (size_t i = 0; i < d->n_cohorts && !v->verbose && !v->only; i++)
        if (d->cohorts[i].n >= COHORT_MIN && d->cohorts[i].cause != CAUSE_HEALTHY)
            cohort(v, &d->cohorts[i], to);
    if (!v->only)
        total(v, to);
}

static void explain_line(const struct report_view *v, enum phrase label, const char *words,
                         struct grow *to)
{
    struct grow line = {0};

    if (!words[0])
        return;
    say_now(&line, v->language, "%s: %s", phrase(label, v->language), words);
    grow_string(to, "\n");
    report_wrap(v, line.at, 0, 0, to);
    grow_done(&line);
}

void report_explain(enum cause c, enum language l, unsigned width, struct grow *to)
{
    const struct report_view v = {.language = l, .width = width};
    const struct cause_words *w = cause_words(c, l);

    say_now(to, l, "%s: %s", cause_row(c)->name, w->title);
    grow_string(to, "\n");
    explain_line(&v, PHRASE_SEEN, cause_seen(c, l), to);
    explain_line(&v, PHRASE_MEANS, w->means, to);
    explain_line(&v, PHRASE_TODO, w->todo, to);
    explain_line(&v, PHRASE_HERE, w->here, to);
    explain_line(&v, PHRASE_THERE, w->there, to);
}
