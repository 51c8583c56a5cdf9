/* told.h - what reports say besides the causes, in each language: fixed texts, stages, events. */
#pragma once

#include "base/grow.h"
#include "doctor/story.h"
#include "doctor/words.h"

enum phrase {
#define PHRASE(id, en, fr, zh) PHRASE_##id,
#include "doctor/words/told.def"
    N_PHRASES
};

const char *phrase(enum phrase p, enum language l);
const char *stage_words(enum doctor_stage s, enum language l);
const char *severity_words(enum severity s, enum language l);
const char *event_words(enum event_kind e, enum language l);
/* The event and its detail, which is said already. */
void event_say(enum event_kind e, enum language l, const char *detail, struct grow *to);
const char *cause_seen(enum cause c, enum language l); /* what is seen of it */
const char *apart_words(enum apart a, enum language l);
const char *language_tag(enum language l); /* "en", "fr", "zh" */
/* "fr", "fr_FR.UTF-8", "zh-CN" … 0 or -ENOENT. */
int language_named(struct text name, enum language *ret);
