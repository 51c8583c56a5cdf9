/* page.c - a diagnosis as one HTML file that needs nothing else; see report.h. */
#include <time.h>

#include "doctor/report/html.h"
#include "doctor/report/ladder.h"
#include "doctor/report/report.h"
#include "doctor/say.h"

#define DRAWN_MAX      500 /* phones with ladder and timeline; of the others the findings alone */
#define WELL_DRAWN_MAX 50

static const char style[] =
    ":root{color-scheme:light "
    "dark;--ink:#1b1f24;--soft:#57606a;--page:#fff;--card:#f6f8fa;--edge:#d0d7de;"
    "--good:#1f7a4d;--bad:#b3261e;--harm:#9a5b00;--hint:#1a5fb4}"
    "@media(prefers-color-scheme:dark){:root{--ink:#e6e9ed;--soft:#9aa4af;--page:#14171b;--card:#"
    "1d2126;"
    "--edge:#363c44;--good:#5fd39a;--bad:#ff8a80;--harm:#f0b35a;--hint:#8ab8ff}}"
    "*{box-sizing:border-box}"
    "body{margin:0 auto;max-width:60rem;padding:1rem;background:var(--page);color:var(--ink);"
    "font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}"
    "h1{font-size:1.5rem;line-height:1.25;margin:.5rem 0}h2{font-size:1.2rem;margin:2rem 0 .5rem}"
    "h3{font-size:1.05rem;margin:1rem 0 .25rem}h4{font-size:.95rem;margin:1rem 0 "
    ".25rem;color:var(--soft)}"
    "p{margin:.25rem 0}small,.soft,.note,.at{color:var(--soft);font-size:.85rem}"
    "table{border-collapse:collapse;width:100%;font-size:.9rem}"
    "th,td{text-align:left;vertical-align:top;padding:.3rem .5rem .3rem 0;border-bottom:1px solid "
    "var(--edge)}"
    "th{color:var(--soft);font-weight:600}th,td.at,td.n{white-space:nowrap}td.at{width:1%}"
    ".phone{background:var(--card);border:1px solid var(--edge);border-radius:.5rem;padding:.75rem "
    "1rem;margin:1rem 0}"
    ".phone>h2{margin:0}"
    ".badge{display:inline-block;border:1px solid currentColor;border-radius:1rem;padding:0 "
    ".5rem;font-size:.8rem;"
    "font-weight:600;white-space:nowrap}"
    ".FATAL{color:var(--bad)}.HARM{color:var(--harm)}.HINT{color:var(--hint)}"
    "dl{margin:.5rem 0}dl.words{display:grid;grid-template-columns:11rem 1fr;gap:.25rem .75rem}"
    "dl.words dt{color:var(--soft)}dd{margin:0}"
    "dl.timeline{display:grid;grid-template-columns:8.5rem 1fr;gap:.15rem "
    ".5rem;align-items:center;font-size:.85rem}"
    ".bar{width:100%;height:1rem;display:block;background:var(--page);border-radius:.2rem}"
    ".ticks{display:flex;justify-content:space-between;color:var(--soft);font-size:.75rem;"
    "white-space:nowrap}"
    ".lanes .told span{white-space:nowrap;margin-right:.75rem}li.lanes{color:var(--soft)}"
    "text{fill:var(--soft);font:600 11px sans-serif;text-anchor:middle}"
    "code{font:.9em ui-monospace,monospace}"
    "ol.ladder{list-style:none;padding:0;margin:.5rem 0;font-size:.9rem}"
    "ol.ladder li{display:grid;grid-template-columns:5.5rem 128px 1fr;gap:0 .5rem}"
    "li "
    ".at{text-align:right;font-variant-numeric:tabular-nums}li.dropped{display:block;color:var(--"
    "soft)}"
    "li.trouble .told{color:var(--bad)}"
    ".rung{background:repeating-linear-gradient(90deg,transparent 0 7.5px,var(--edge) 7.5px "
    "8.5px,transparent "
    "8.5px 28px)}.rung svg{display:block;width:128px;height:24px}.told{padding-bottom:.15rem}"
    ".life{stroke:var(--edge);fill:none}path.good{stroke:var(--good)}path.bad{stroke:var(--bad)}"
    "path.good,path.bad{fill:none;stroke-width:1.6}rect.good,circle.good{fill:var(--good)}"
    "rect.bad,circle.bad{fill:var(--bad)}"
    "@media(max-width:30rem){body{padding:.6rem}.phone{padding:.6rem}"
    "dl.words{grid-template-columns:1fr;gap:0}dl.words dd{margin-bottom:.4rem}"
    "ol.ladder li{grid-template-columns:128px 1fr;grid-template-rows:auto 1fr;gap:0 .4rem}"
    "ol.ladder .at{text-align:left}.rung{grid-row:2;grid-column:1}"
    ".told{grid-row:1/3;grid-column:2}.ticks span:nth-child(even){display:none}"
    "dl.timeline{grid-template-columns:7rem 1fr}"
    "table.cards thead{display:none}table.cards td{display:block;border:0;padding:0}"
    "table.cards tr{display:block;border-bottom:1px solid var(--edge);padding:.35rem 0}}"
    "@media print{body{max-width:none;font-size:11pt}.phone{break-inside:auto;border-color:#999}"
    "li,tr,dd{break-inside:avoid}}";

/* -- pieces --------------------------------------------------------------------------------- */

static void write_phrase(struct grow *to, const char *before, enum phrase p, enum language l,
                         const char *after)
{
    grow_string(to, before);
    html_string(to, phrase(p, l));
    grow_string(to, after);
}

static void write_said(struct grow *to, const char *kept, enum language l)
{
    char words[SAY_MAX];

    html_string(to, say(kept, l, words));
}

static void write_moment(struct grow *to, int64_t ns)
{
    time_t s = (time_t)(ns / 1000000000);
    struct tm t;
    char words[48];

    gmtime_r(&s, &t);
    strftime(words, sizeof(words), "%Y-%m-%d %H:%M:%S", &t);
    grow_format(to, "%s.%03d UTC", words, (int)(ns / 1000000 % 1000));
}

static enum severity gravest(const struct diagnosis *d, const struct cohort *c)
{
    enum severity s = SEVERITY_HINT;

    for (size_t i = c->first; i < c->first + c->n; i++)
        if (d->findings[d->order[i]].severity > s)
            s = d->findings[d->order[i]].severity;
    return s;
}

static void write_badge(struct grow *to, enum severity s, enum language l)
{
    static const char *const classes[] = {"HINT", "HARM", "FATAL"};

    grow_format(to, "<span class=\"badge %s\">", classes[s]);
    html_string(to, severity_words(s, l));
    grow_string(to, "</span>");
}

/* What stands between `backquotes` is to be typed. */
static void write_words(struct grow *to, const char *words)
{
    struct text rest = text_of(words);

    for (bool code = false; rest.at; code = !code) {
        struct text part = text_split(&rest, '`');

        grow_string(to, code ? "<code>" : "");
        html_text(to, part);
        grow_string(to, code ? "</code>" : "");
    }
}

static void write_pair(struct grow *to, const char *name, const char *value)
{
    if (!*value)
        return;
    grow_string(to, "<dt>");
    html_string(to, name);
    grow_string(to, "</dt><dd>");
    write_words(to, value);
    grow_string(to, "</dd>\n");
}

/* -- findings ------------------------------------------------------------------------------- */

static void write_evidence(const struct report_view *v, const struct finding *f, struct grow *to)
{
    enum language l = v->language;

    if (!f->n_evidence)
        return;
    write_phrase(to, "<h4>", PHRASE_EVIDENCE, l, "</h4><table class=cards><tbody>\n");
    for (unsigned i = 0; i < f->n_evidence; i++) {
        const struct evidence *e = &f->evidence[i];

        grow_string(to, "<tr><td class=at>");
        if (e->number) {
            if (v->pair)
                grow_format(to, "%c ", 'A' + e->capture);
            write_phrase(to, "", e->line ? PHRASE_LINE : PHRASE_PACKET, l, " ");
            grow_format(to, "%llu ", (unsigned long long)e->number);
            html_string(to, report_file(v, e));
            if (!is_untimed(e->time_ns)) {
                grow_string(to, "<br>");
                write_moment(to, e->time_ns);
            }
        }
        grow_string(to, "</td><td>");
        write_said(to, e->says, l);
        grow_string(to, "</td></tr>\n");
    }
    grow_string(to, "</tbody></table>\n");
}

static void write_finding(const struct report_view *v, const struct finding *f, struct grow *to)
{
    enum language l = v->language;
    const struct cause_words *w = cause_words(f->cause, l);

    grow_string(to, "<section class=finding><h3>");
    write_badge(to, f->severity, l);
    grow_string(to, " ");
    html_string(to, w->title);
    if (!f->certain)
        write_phrase(to, " (", PHRASE_POSSIBLE, l, ")");
    grow_format(to, " <small>%s</small></h3>\n", cause_row(f->cause)->name);
    if (*f->detail) {
        grow_string(to, "<p><b>");
        write_said(to, f->detail, l);
        grow_string(to, "</b>");
        if (f->n_times > 1)
            grow_format(to, " ×%u", f->n_times);
        grow_string(to, "</p>");
    }
    grow_string(to, "<dl class=words>");
    if (!is_told_apart(f)) {
        write_pair(to, phrase(PHRASE_MEANS, l), w->means);
        write_pair(to, phrase(PHRASE_TODO, l), w->todo);
    }
    write_pair(to, phrase(PHRASE_HERE, l), w->here);
    write_pair(to, phrase(PHRASE_THERE, l), w->there);
    write_pair(to, phrase(PHRASE_APART, l), apart_words(f->apart, l));
    grow_string(to, "</dl>\n");
    write_evidence(v, f, to);
    grow_string(to, "</section>\n");
}

/* -- a phone -------------------------------------------------------------------------------- */

static void write_fact(struct grow *to, const char *fact, bool *some)
{
    if (!*fact)
        return;
    grow_string(to, *some ? " · " : "");
    html_string(to, fact);
    *some = true;
}

static void write_facts(const struct story *s, enum language l, struct grow *to)
{
    char ip[IP_TEXT_MAX], mac[MAC_TEXT_MAX];

    bool some = false;

    grow_string(to, "<p class=soft>");
    if (mac_number(s->mac))
        write_fact(to, mac_print(s->mac, mac), &some);
    for (unsigned i = 0; i < s->n_ips; i++)
        write_fact(to, ip_print(s->ips[i], ip), &some);
    write_fact(to, s->model, &some);
    write_fact(to, s->load, &some);
    if (*s->neighbour) {
        write_phrase(to, some ? " · " : "", PHRASE_SWITCH, l, " ");
        html_string(to, s->neighbour);
    }
    grow_string(to, "</p>\n");
}

static void write_phone(const struct report_view *v, const struct story *s,
                        const struct finding *findings, size_t n, bool drawn, struct grow *to)
{
    enum language l = v->language;

    grow_string(to, "<article class=phone><h2>");
    html_string(to, *s->name ? s->name : s->identity);
    grow_string(to, "</h2>\n");
    write_facts(s, l, to);
    for (size_t i = 0; i < n; i++)
        write_finding(v, &findings[i], to);
    if (drawn) {
        write_phrase(to, "<h4>", PHRASE_TIMELINE, l, "</h4>\n");
        timeline_draw(s, l, to);
        write_phrase(to, "<h4>", PHRASE_LADDER, l, "</h4>\n");
        ladder_draw(s, l, to);
    }
    grow_string(to, "</article>\n");
}

/* -- the page ------------------------------------------------------------------------------- */

static void write_head(const struct report_view *v, struct grow *to)
{
    enum language l = v->language;
    const struct capture_facts *facts = timeline_facts(v->timeline);
    size_t ill = v->diagnosis->n_phones - v->diagnosis->n_well - v->diagnosis->n_unclear;
    enum phrase title = ill                       ? PHRASE_TITLE
                        : v->diagnosis->n_unclear ? PHRASE_TITLE_UNCLEAR
                                                  : PHRASE_TITLE_WELL;

    grow_format(to, "<!doctype html>\n<html lang=%s>\n<meta charset=utf-8>\n", language_tag(l));
    grow_string(to, "<meta name=viewport content=\"width=device-width\">\n"
                    "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; "
                    "style-src 'unsafe-inline'\">\n");
    write_phrase(to, "<title>", title, l, "</title>\n<style>");
    grow_string(to, style);
    write_phrase(to, "</style>\n<h1>", title, l, "</h1>\n");
    grow_string(to, "<p>");
    say_now(to, l, "%zu [phone|phones]", v->diagnosis->n_phones);
    if (ill)
        say_now(to, l, ", %zu with trouble", ill);
    if (v->diagnosis->n_unclear)
        say_now(to, l, ", of %zu it cannot tell", v->diagnosis->n_unclear);
    grow_string(to, "</p>\n<p class=soft>");
    for (unsigned i = 0; i < v->n_files; i++) {
        grow_format(to, "%c: ", 'A' + (int)i);
        html_string(to, v->files[i]);
        grow_string(to, "<br>");
    }
    if (moment_is(facts->first) && !is_untimed(facts->first.ns)) {
        write_phrase(to, "", PHRASE_FROM, l, " ");
        write_moment(to, facts->first.ns);
        write_phrase(to, " ", PHRASE_TO, l, " ");
        write_moment(to, facts->last.ns);
    }
    grow_string(to, "</p>\n");
    if (facts->full)
        write_phrase(to, "<p class=HARM>", PHRASE_FULL, l, "</p>\n");
}

static void write_cohorts(const struct report_view *v, struct grow *to)
{
    enum language l = v->language;

    write_phrase(to, "<h2>", PHRASE_SUMMARY, l, "</h2>\n<table class=cards><thead><tr>");
    write_phrase(to, "<th>", PHRASE_SEVERITY, l, "");
    write_phrase(to, "<th>", PHRASE_CAUSE, l, "");
    write_phrase(to, "<th>", PHRASE_PHONES, l, "");
    write_phrase(to, "<th>", PHRASE_IN_COMMON, l, "</thead><tbody>\n");
    for (size_t i = 0; i < v->diagnosis->n_cohorts; i++) {
        const struct cohort *c = &v->diagnosis->cohorts[i];

        grow_string(to, "<tr><td>");
        write_badge(to, gravest(v->diagnosis, c), l);
        grow_string(to, "<td>");
        html_string(to, cause_words(c->cause, l)->title);
        if (!c->certain)
            write_phrase(to, " (", PHRASE_POSSIBLE, l, ")");
        grow_string(to, "<td class=n>");
        say_now(to, l, "%zu [phone|phones]", c->n);
        grow_string(to, "<td>");
        write_said(to, c->common, l);
        grow_string(to, "</tr>\n");
    }
    grow_string(to, "</tbody></table>\n");
}

static bool is_ill(const struct finding *findings, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (findings[i].cause != CAUSE_HEALTHY)
            return true;
    return false;
}

/* Few phones that are well are told too, behind a click; of many there is a list. */
static void write_well(const struct report_view *v, const struct story *s, bool told,
                       struct grow *to)
{
    char ip[IP_TEXT_MAX];

    if (told) {
        grow_string(to, "<details><summary>");
        html_string(to, *s->name ? s->name : s->identity);
        grow_string(to, "</summary>\n");
        write_phone(v, s, NULL, 0, true, to);
        grow_string(to, "</details>\n");
        return;
    }
    grow_string(to, "<p>");
    html_string(to, *s->name ? s->name : s->identity);
    grow_format(to, " <small>%s ", ip_print(s->ip, ip));
    html_string(to, s->model);
    grow_string(to, " ");
    html_string(to, s->load);
    grow_string(to, "</small></p>\n");
}

static bool is_asked_for(const struct report_view *v, const struct story *s)
{
    char ip[IP_TEXT_MAX];

    return !v->only || strcmp(v->only, s->name) == 0 || strcmp(v->only, ip_print(s->ip, ip)) == 0;
}

static void write_phones(const struct report_view *v, bool ill, struct grow *to)
{
    const struct story *s;
    unsigned drawn = 0;

    for (size_t at = 0; (s = timeline_next(v->timeline, &at));) {
        size_t n;
        const struct finding *f = diagnosis_of(v->diagnosis, s->id, &n);

        if (!n || is_ill(f, n) != ill || !is_asked_for(v, s))
            continue;
        if (ill)
            write_phone(v, s, f, n, drawn++ < DRAWN_MAX, to);
        else
            write_well(v, s, v->diagnosis->n_well <= WELL_DRAWN_MAX, to);
    }
}

void report_html(const struct report_view *v, struct grow *to)
{
    enum language l = v->language;
    size_t n;
    const struct finding *whole = diagnosis_of(v->diagnosis, 0, &n);

    write_head(v, to);
    write_cohorts(v, to);
    if (n)
        write_phrase(to, "<h2>", PHRASE_WHOLE, l, "</h2>\n");
    for (size_t i = 0; i < n; i++)
        write_finding(v, &whole[i], to);
    write_phones(v, true, to);
    if (v->diagnosis->n_well)
        write_phrase(to, "<h2>", PHRASE_WELL_PHONES, l, "</h2>\n");
    write_phones(v, false, to);
    grow_string(to, "</html>\n");
}
