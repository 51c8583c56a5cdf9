/* refusals.h - the checks of a Register, in order, and the answer to each (REG-1). */
#pragma once

#include "station/registry_own.h"

enum refusal_id {
    REFUSAL_NONE,
#define REFUSAL(id, reason, text, check) REFUSAL_##id,
#include "station/refusals.def"
#undef REFUSAL
    N_REFUSALS
};

struct refusal_rule {
    uint32_t reason; /* TRANSIENT_… */
    const char *text;
    bool (*check)(struct station *s);
};

extern const struct refusal_rule refusal_rules[N_REFUSALS];

/* The first rule that holds, or REFUSAL_NONE: it may register, or (when its record is missing) ask
 * the database to be added. */
enum refusal_id refusal_of(struct station *s);
bool refusal_may_wait(struct station *s); /* nothing speaks against it but that its name is in use */
/* Remembers one more refusal; true when it is worth an alarm now, for `times` of them. */
bool refusal_note(struct station *s, uint32_t reason, const char *text, uint32_t *times);
/* Tells of a refusal by a rule: event, alarms, a line of the log, no oftener than is sensible. */
void refusal_tell(struct station *s, enum refusal_id id, struct effects *e);
/* The same of one that was named, but never got registered; it gives its name back. */
void refusal_tell_failed(struct station *s, uint32_t reason, struct effects *e);
