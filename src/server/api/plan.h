/* plan.h - what a change would do, told without doing it; and what one did, for answers and the audit log. */
#pragma once

#include <jansson.h>

#include "core/directory/change.h"

#define PLAN_ROWS  200 /* records described */
#define PLAN_NAMES 100 /* phones named */

struct admin;

/* [{"noun", "name", "action": "add"|"set"|"delete", "fields": {"description": {"old", "new"}}}]; secrets are "(set)". */
json_t *plan_changes(const struct delta *d);
/* {"count", "names"}: registered phones that see the change only after a reset. */
json_t *plan_resets(struct admin *a, const struct delta *d);
/* The whole answer: {"plan": true, "total", "changes", "reset"}, or a refusal with "faults". */
json_t *plan_of(struct admin *a, const struct change *change);
