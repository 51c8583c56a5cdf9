/* refusals.h - the checks of a Register, in order, and the answer to each (REG-1). */
#pragma once

#include "station/sccp_station.h"

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
    bool (*check)(struct session *s);
};

extern const struct refusal_rule refusal_rules[N_REFUSALS];

/* The first rule that holds, or REFUSAL_NONE: it may register, or (when its record is missing) ask
 * the database to be added. */
enum refusal_id refusal_of(struct session *s);
bool autoregistration_is_open(const struct stations *s);
