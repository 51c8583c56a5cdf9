/* words.h - texts that many have in common: the load of a model, the name of a file. Each is kept
 * once, for as long as somebody has it; so it can be compared by its address. */
#pragma once

#include "base/text.h"

struct words;

struct words *words_new(void); /* NULL without memory */
void words_free(struct words *w);
/* One more has this text. "" for an empty one, and without memory. */
const char *words_take(struct words *w, struct text t);
/* He has it no more. NULL and "" are fine. */
void words_give(struct words *w, const char *word);
