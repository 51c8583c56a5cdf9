#include "doctor/bedside.h"

#include <stdlib.h>

#include "doctor/report/tell.h"
#include "doctor/say.h"
#include "doctor/told.h"

struct bedside {
    struct timeline *timeline;
    struct retell *ear;
};

struct bedside *bedside_new(void)
{
    struct bedside *l = calloc(1, sizeof(*l));

    if (!l)
        return NULL;
    l->timeline = timeline_new();
    l->ear = l->timeline ? retell_new(timeline_see, l->timeline) : NULL;
    if (l->ear)
        return l;
    bedside_free(l);
    return NULL;
}

void bedside_free(struct bedside *l)
{
    if (!l)
        return;
    timeline_free(l->timeline);
    free(l->ear);
    free(l);
}

struct retell *bedside_ear(struct bedside *l)
{
    return l->ear;
}

static const struct story *story_of(const struct bedside *l, struct device_name name)
{
    const struct story *s = timeline_named(l->timeline, name.s);
    struct mac mac;

    if (!s && device_name_mac(name, &mac) == 0)
        s = timeline_mac(l->timeline, mac);
    return s && s->is_phone ? s : NULL;
}

static struct diagnose_options options_of(const struct bedside_options *o)
{
    return (struct diagnose_options){.known = o->known, .context = o->context};
}

size_t bedside_judge(struct bedside *l, struct device_name name, int64_t now_ns,
                     const struct bedside_options *o, struct finding *to, size_t max)
{
    struct diagnose_options options = options_of(o);
    const struct story *s = story_of(l, name);
    const struct finding *f;
    struct diagnosis d;
    size_t n, kept = 0;
    char words[SAY_MAX];

    timeline_end(l->timeline, now_ns);
    if (!s || diagnose(l->timeline, &options, &d) < 0)
        return 0;
    f = diagnosis_of(&d, s->id, &n);
    for (size_t i = 0; i < n && kept < max; i++)
        if (cause_row(f[i].cause)->stage != STAGE_CAPTURE) {
            to[kept] = f[i];
            text_copy(to[kept].detail, sizeof(to[kept].detail),
                      text_of(say(f[i].detail, LANGUAGE_EN, words)));
            kept++;
        }
    diagnosis_done(&d);
    return kept;
}

char *bedside_story(struct bedside *l, struct device_name name, int64_t now_ns,
                    const struct bedside_options *o, const char *lang)
{
    struct diagnose_options options = options_of(o);
    const struct story *s = story_of(l, name);
    struct tell_options as = {.verbose = true, .only = s ? s->name : NULL};
    size_t n_ill;

    timeline_end(l->timeline, now_ns);
    language_named(text_of(lang), &as.language);
    return s ? tell(l->timeline, &as, &options, &n_ill) : NULL;
}

void bedside_pulse(const struct bedside_pulse *p, enum language l, struct grow *to)
{
    char a[24], b[24], c[24];

    if (p->n) {
        say_now(to, l,
                "Now: %u [keepalive|keepalives] heard since it registered, the last after %s, at "
                "worst after %s; %u missed, uneven by %s",
                p->n, seconds(p->gap_ns, a), seconds(p->worst_ns, b), p->missed,
                seconds(p->jitter_ns, c));
        grow_string(to, "\n");
    }
    if (!p->told)
        return;
    say_now(to, l,
            "Now: round trip of its connection %s, give or take %s; %u [segment|segments] sent "
            "again since it began, %u not acknowledged",
            seconds(p->round_trip_ns, a), seconds(p->deviation_ns, b), p->again, p->waiting);
    grow_string(to, "\n");
}
