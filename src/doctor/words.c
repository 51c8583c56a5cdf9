/* words.c - words for people about every cause; see words.h. */
#include "doctor/words.h"

#include <stddef.h>

static const struct cause_words rows[N_LANGUAGES][N_CAUSES] = {
    [LANGUAGE_EN] =
        {
#define WORDS(id, ...) [CAUSE_##id] = {__VA_ARGS__},
#include "doctor/words/en.def"
        },
#undef WORDS
};

const struct cause_words *cause_words(enum cause c, enum language l)
{
    return rows[l][c].title ? &rows[l][c] : &rows[LANGUAGE_EN][c];
}
