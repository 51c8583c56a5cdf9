#include "doctor/told.h"

#include <errno.h>

static const char *const tags[N_LANGUAGES] = {"en", "fr", "zh"};

static const char *const phrases[N_PHRASES][N_LANGUAGES] = {
#define PHRASE(id, en, fr, zh) [PHRASE_##id] = {en, fr, zh},
#include "doctor/words/told.def"
};

static const char *const stages[N_DOCTOR_STAGES][N_LANGUAGES] = {
#define STAGE_WORDS(id, en, fr, zh) [STAGE_##id] = {en, fr, zh},
#include "doctor/words/told.def"
};

static const char *const severities[][N_LANGUAGES] = {
#define SEVERITY_WORDS(id, en, fr, zh) [SEVERITY_##id] = {en, fr, zh},
#include "doctor/words/told.def"
};

static const char *const events[N_LANGUAGES][N_EVENT_KINDS] = {
    {
#define EVENT(id, stage, words) [EVENT_##id] = words,
#include "doctor/events.def"
#undef EVENT
    },
    {
#define EVENT_WORDS(id, fr, zh) [EVENT_##id] = fr,
#include "doctor/words/told.def"
    },
    {
#define EVENT_WORDS(id, fr, zh) [EVENT_##id] = zh,
#include "doctor/words/told.def"
    },
};

static const char *const aparts[N_LANGUAGES][N_APARTS] = {
    {
#define APART(id, english) [APART_##id] = english,
#include "doctor/apart.def"
#undef APART
    },
    {
#define APART_WORDS(id, fr, zh) [APART_##id] = fr,
#include "doctor/words/told.def"
    },
    {
#define APART_WORDS(id, fr, zh) [APART_##id] = zh,
#include "doctor/words/told.def"
    },
};

static const char *const seen[N_LANGUAGES][N_CAUSES] = {
    {
#define CAUSE(id, name, stage, severity, words) [CAUSE_##id] = words,
#include "doctor/causes.def"
#undef CAUSE
    },
    {
#define SEEN_WORDS(id, fr, zh) [CAUSE_##id] = fr,
#include "doctor/words/told.def"
    },
    {
#define SEEN_WORDS(id, fr, zh) [CAUSE_##id] = zh,
#include "doctor/words/told.def"
    },
};

/* English where a language lacks it: a row that somebody has just added. */
static const char *or_english(const char *words, const char *english)
{
    return words ? words : english;
}

const char *phrase(enum phrase p, enum language l)
{
    return phrases[p][l];
}

const char *stage_words(enum doctor_stage s, enum language l)
{
    return stages[s][l];
}

const char *severity_words(enum severity s, enum language l)
{
    return severities[s][l];
}

const char *event_words(enum event_kind e, enum language l)
{
    return or_english(events[l][e], events[LANGUAGE_EN][e]);
}

void event_say(enum event_kind e, enum language l, const char *detail, struct grow *to)
{
    const char *words = event_words(e, l);

    grow_string(to, words);
    if (detail[0] && !text_ends(text_of(words), "：")) /* a wide colon is blank enough */
        grow_string(to, " ");
    grow_string(to, detail);
}

const char *cause_seen(enum cause c, enum language l)
{
    return or_english(seen[l][c], seen[LANGUAGE_EN][c]);
}

const char *apart_words(enum apart a, enum language l)
{
    return or_english(aparts[l][a], aparts[LANGUAGE_EN][a]);
}

const char *language_tag(enum language l)
{
    return tags[l];
}

int language_named(struct text name, enum language *ret)
{
    for (unsigned i = 0; i < N_LANGUAGES; i++) {
        bool ends = name.len == 2 || (name.len > 2 && strchr("_-.@", name.at[2]));

        if (!ends || !text_starts_nocase(name, tags[i]))
            continue;
        *ret = (enum language)i;
        return 0;
    }
    return -ENOENT;
}
