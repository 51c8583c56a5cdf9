/* say.h - sentences with values: made once without a language, said in any.
 *
 * English stands where a sentence is made, as a printf format that the compiler checks; words/sentences.def
 * has a row for each, found by the English, with the other languages. There arguments may come in
 * another order ("%2$s"), and "[one|many]" chooses by the number said last before it. A format
 * without letters ("%s: %s") needs no row. A kept sentence is a C string of the row's number and the
 * arguments, so it is no longer than its text, and equal sentences are equal strings. */
#pragma once

#include <stdarg.h>

#include "base/grow.h"
#include "doctor/words.h"

#define SAY_MAX 768

/* An argument that is itself said in the language: a row without arguments, or a span of time. */
#define WORDS(english) "\x12" english "\x1f"
const char *seconds(int64_t ns, char to[static 24]); /* "0.2 s", "16 min", "3.0 h" */

/* Keeps it in `to`, cut where it does not fit; control characters of arguments become '?'. */
void keep_words(char *to, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void keep_words_of(char *to, size_t size, const char *format, va_list args);
/* Copies `t`; what does not fit is cut behind a word, and "…" says so. */
void keep_cut(char *to, size_t size, struct text t);
/* Adds one more to what `to` keeps: they are said as a list. */
void keep_also(char *to, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* What is kept, in language `l`; anything else is said as it stands. */
const char *say(const char *kept, enum language l, char to[static SAY_MAX]);
const char *say_row(const char *english, enum language l); /* of a row without arguments; else itself */
/* At once. */
void say_now(struct grow *to, enum language l, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* -- for the test of the table -- */

struct sentence {
    const char *text[N_LANGUAGES];
};
const struct sentence *sentence_row(size_t i); /* NULL behind the last; in the order of the English */
const struct sentence *sentence_find(const char *english);
