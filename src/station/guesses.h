/* guesses.h - wrong activation codes, limited for each phone and for all together (REG-3).
 *
 * One of a thread, whatever its phones speak. Private to src/station. */
#pragma once

#include "station/registry_own.h"

struct guesses *guesses_new(void); /* NULL without memory */
void guesses_free(struct guesses *g);

/* Whether too many were wrong lately: this code is not looked at. */
bool guesses_are_over(const struct station *x);
/* Asks the database; `token` comes back with its answer. */
void guess_ask(const struct station *x, uint64_t token, const char *code, struct effects *e);
/* What the database said, an error of server/activation.h: counted and told. Returns words for the
 * phone's display. */
const char *guess_answered(struct station *x, int err, struct effects *e);
