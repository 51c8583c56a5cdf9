/* words.h - words for people about every cause, in each language. */
#pragma once

#include "doctor/finding.h"

enum language { LANGUAGE_EN, LANGUAGE_FR, LANGUAGE_ZH, N_LANGUAGES };

struct cause_words {
    const char *title; /* half a sentence: what is wrong */
    const char *means; /* what it means */
    const char *todo;  /* what to do */
    const char *here;  /* where, in our administration; "" when there is nothing to do there */
    const char *there; /* where, in the words of CallManager's */
};

const struct cause_words *cause_words(enum cause c, enum language l); /* English where a language lacks it */
