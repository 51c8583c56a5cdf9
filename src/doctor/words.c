/* words.c - words for people about every cause; see words.h. */
#include "doctor/words.h"

#include <stddef.h>

/* clang-format off */
static const struct cause_words rows[N_LANGUAGES][N_CAUSES] = {
#define WORDS(id, ...) [CAUSE_##id] = {__VA_ARGS__},
    [LANGUAGE_EN] = {
#include "doctor/words/en.def"
    },
    [LANGUAGE_FR] = {
#include "doctor/words/fr.def"
    },
    [LANGUAGE_ZH] = {
#include "doctor/words/zh.def"
    },
#undef WORDS
};
/* clang-format on */

const struct cause_words *cause_words(enum cause c, enum language l)
{
    return rows[l][c].title ? &rows[l][c] : &rows[LANGUAGE_EN][c];
}
