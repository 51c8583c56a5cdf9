#include "doctor/report/ladder.h"

#include <stdio.h>
#include <stdlib.h>

#include "doctor/report/html.h"
#include "doctor/say.h"

enum lane { LANE_PHONE, LANE_SWITCH, LANE_SERVICE, LANE_FILES, LANE_SERVER, N_LANES };
enum direction { STEP_OUT, STEP_IN, STEP_NOTE };

#define LANE_FIRST 8    /* pixels from the left */
#define LANE_WIDTH 28   /* between two lifelines */
#define AXIS       1000 /* units of the time axis */

struct step {
    uint8_t lane, direction;
    bool trouble;
};

static const struct step steps[N_EVENT_KINDS] = {
#define STEP(id, lane, direction, trouble) [EVENT_##id] = {LANE_##lane, STEP_##direction, trouble},
#include "doctor/report/ladder.def"
#undef STEP
};

static int lane_x(unsigned lane)
{
    return LANE_FIRST + (int)lane * LANE_WIDTH;
}

/* -- the ladder ----------------------------------------------------------------------------- */

static void draw_arrow(struct step s, struct grow *to)
{
    int from = lane_x(s.direction == STEP_IN ? s.lane : LANE_PHONE),
        tip = lane_x(s.direction == STEP_IN ? LANE_PHONE : s.lane), back = tip > from ? -6 : 6;
    const char *mood = s.trouble ? "bad" : "good";

    if (s.direction == STEP_NOTE)
        grow_format(to, "<circle class=%s cx=%d cy=12 r=4 />", mood, lane_x(s.lane));
    else
        grow_format(to, "<path class=%s d=\"M%d 12H%dm%d -4l%d 4l%d 4\"/>", mood, from, tip, back,
                    -back, back);
}

static void write_time(int64_t ns, enum language l, struct grow *to)
{
    char seconds_words[32];

    snprintf(seconds_words, sizeof(seconds_words), "%.3f", (double)ns / 1e9);
    if (l == LANGUAGE_FR)
        seconds_words[strcspn(seconds_words, ".")] = ',';
    say_now(to, l, "%s s", seconds_words);
}

static void write_step(const struct event *e, int64_t begun_ns, enum language l, struct grow *to)
{
    struct step s = steps[e->kind];
    char detail[SAY_MAX];

    grow_format(to, "<li%s><span class=at>", s.trouble ? " class=trouble" : "");
    if (is_untimed(e->seen.first.ns))
        grow_format(to, "%llu", (unsigned long long)e->seen.first.number);
    else
        write_time(e->seen.first.ns - begun_ns, l, to);
    grow_string(to, "</span><span class=rung><svg viewBox=\"0 0 128 24\" aria-hidden=true>");
    draw_arrow(s, to);
    grow_string(to, "</svg></span><span class=told>");
    html_string(to, event_words((enum event_kind)e->kind, l));
    grow_string(to, " <b>");
    html_string(to, say(e->detail, l, detail));
    grow_string(to, "</b>");
    if (e->seen.n > 1)
        grow_format(to, " <i>×%u</i>", e->seen.n);
    grow_format(to, " <small>#%llu", (unsigned long long)e->seen.first.number);
    if (e->seen.n > 1 && e->seen.last.number != e->seen.first.number)
        grow_format(to, "–%llu", (unsigned long long)e->seen.last.number);
    grow_string(to, "</small></span></li>\n");
}

static void write_lanes(enum language l, struct grow *to)
{
    static const enum phrase names[N_LANES] = {PHRASE_PHONE, PHRASE_SWITCH, PHRASE_SERVICES,
                                               PHRASE_FILES, PHRASE_SERVER};

    grow_string(to, "<li class=lanes><span class=at></span><span><svg viewBox=\"0 0 128 24\" "
                    "width=128 height=24 aria-hidden=true>");
    for (unsigned lane = 0; lane < N_LANES; lane++)
        grow_format(to, "<text x=%d y=16>%u</text>", lane_x(lane), lane + 1);
    grow_string(to, "</svg></span><span class=told>");
    for (unsigned lane = 0; lane < N_LANES; lane++) {
        grow_format(to, "<span>%u ", lane + 1);
        html_string(to, phrase(names[lane], l));
        grow_string(to, "</span> ");
    }
    grow_string(to, "</span></li>\n");
}

void ladder_draw(const struct story *s, enum language l, struct grow *to)
{
    grow_string(to, "<ol class=ladder>\n");
    write_lanes(l, to);
    for (unsigned i = 0; i < s->n_events; i++) {
        if (i == EVENTS_HEAD && s->n_events_dropped) {
            grow_string(to, "<li class=dropped>");
            grow_format(to, phrase(PHRASE_DROPPED, l), s->n_events_dropped);
            grow_string(to, "</li>\n");
        }
        write_step(&s->events[i], s->born.ns, l, to);
    }
    grow_string(to, "</ol>\n");
}

/* -- the time axis -------------------------------------------------------------------------- */

struct axis {
    int64_t at[2 * EVENTS_MAX]; /* moments in order … */
    double x[2 * EVENTS_MAX];   /* … and where they stand */
    unsigned n;
};

static int earlier(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* Milliseconds and hours on one axis: a pause counts by the logarithm of its length. */
static unsigned weight(int64_t ns)
{
    unsigned bits = 0;

    for (int64_t ms = ns / 1000000; ms > 0; ms >>= 1)
        bits++;
    return bits;
}

static void build_axis(const struct story *s, struct axis *a)
{
    double sum = 0;

    a->n = 0;
    for (unsigned i = 0; i < s->n_events && a->n + 2 <= 2 * EVENTS_MAX; i++) {
        a->at[a->n++] = s->events[i].seen.first.ns;
        a->at[a->n++] = s->events[i].seen.last.ns;
    }
    qsort(a->at, a->n, sizeof(a->at[0]), earlier);
    for (unsigned i = 0; i < a->n; i++) {
        if (i > 0)
            sum += weight(a->at[i] - a->at[i - 1]);
        a->x[i] = sum;
    }
    for (unsigned i = 0; i < a->n; i++)
        a->x[i] = sum > 0 ? a->x[i] / sum * AXIS : 0;
}

static double axis_x(const struct axis *a, int64_t ns)
{
    const int64_t *at = bsearch(&ns, a->at, a->n, sizeof(a->at[0]), earlier);

    return at ? a->x[at - a->at] : 0;
}

static void draw_bar(const struct event *e, const struct axis *a, struct grow *to)
{
    double from = axis_x(a, e->seen.first.ns), until = axis_x(a, e->seen.last.ns);

    grow_format(to, "<rect class=%s x=%.1f y=2 width=%.1f height=12 />",
                steps[e->kind].trouble ? "bad" : "good", from * 0.99,
                until - from < 6 ? 6 : until - from);
}

static bool has_stage(const struct story *s, enum doctor_stage stage)
{
    for (unsigned i = 0; i < s->n_events; i++)
        if (event_rows[s->events[i].kind].stage == stage)
            return true;
    return false;
}

static void draw_stage(const struct story *s, enum doctor_stage stage, const struct axis *a,
                       enum language l, struct grow *to)
{
    grow_string(to, "<dt>");
    html_string(to, stage_words(stage, l));
    grow_format(to,
                "</dt><dd><svg class=bar viewBox=\"0 0 %d 16\" preserveAspectRatio=none role=img>",
                AXIS);
    for (unsigned i = 0; i < s->n_events; i++)
        if (event_rows[s->events[i].kind].stage == stage)
            draw_bar(&s->events[i], a, to);
    grow_string(to, "</svg></dd>\n");
}

/* Times at the quarters: of the last event that stands left of each. */
static void write_ticks(const struct axis *a, int64_t begun_ns, enum language l, struct grow *to)
{
    grow_string(to, "<dt></dt><dd class=ticks>");
    for (unsigned q = 0; q <= 4 && !is_untimed(begun_ns); q++) {
        unsigned i = 0;

        while (i + 1 < a->n && a->x[i + 1] <= q * AXIS / 4.0)
            i++;
        grow_string(to, "<span>");
        write_time(a->at[i] - begun_ns, l, to);
        grow_string(to, "</span>");
    }
    grow_string(to, "</dd>\n");
}

void timeline_draw(const struct story *s, enum language l, struct grow *to)
{
    struct axis a;

    if (!s->n_events)
        return;
    build_axis(s, &a);
    grow_string(to, "<dl class=timeline>\n");
    for (unsigned i = 0; i < N_DOCTOR_STAGES; i++)
        if (has_stage(s, (enum doctor_stage)i))
            draw_stage(s, (enum doctor_stage)i, &a, l, to);
    write_ticks(&a, s->born.ns, l, to);
    grow_string(to, "</dl><p class=note>");
    html_string(to, phrase(PHRASE_COMPRESSED, l));
    grow_string(to, "</p>\n");
}
