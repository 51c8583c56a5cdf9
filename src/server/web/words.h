/* words.h - what the server says, in the language of who asks for it over HTTP.
 *
 * Sentences are made in English, wherever something happens, by threads that know no reader. Where they leave for a
 * reader of another language each is found again by its pattern (sentences.def: the printf formats), and said with
 * the same values. What has no row stays English: names, texts of people, technical words. */
#pragma once

#include <jansson.h>

#include "base/grow.h"
#include "doctor/words.h"

/* Of a tag ("fr", "zh-CN") or a whole Accept-Language (RFC 9110 12.5.4); English for all that is not known. */
enum language words_language(const char *accepted); /* NULL is fine */
extern const char *const words_tags[N_LANGUAGES];

/* One sentence; `english` itself, when it has no row. */
void words_say(struct grow *to, enum language l, struct text english);
/* A copy in which the members that hold sentences are said in `l`. NULL without memory. */
json_t *words_said(const json_t *answer, enum language l);

/* Whether it has a row. */
bool words_know(struct text english);
