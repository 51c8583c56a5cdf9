/* finding.h - what the doctor found: a cause, whom it concerns, and the evidence.
 *
 * Checks make findings, reports print them, tests compare them. */
#pragma once

#include "doctor/sight.h"

enum doctor_stage {
    STAGE_LINK,
    STAGE_DHCP,
    STAGE_DNS,
    STAGE_FILES,
    STAGE_CONNECT,
    STAGE_REGISTER,
    STAGE_KEEPALIVE,
    STAGE_MOVE,
    STAGE_CAPTURE,
    N_DOCTOR_STAGES
};
enum severity { SEVERITY_HINT, SEVERITY_HARM, SEVERITY_FATAL };

enum cause {
#define CAUSE(id, name, stage, severity, seen) CAUSE_##id,
#include "doctor/causes.def"
#undef CAUSE
    N_CAUSES
};

struct cause_row {
    const char *name, *seen;
    enum doctor_stage stage;
    enum severity severity;
};

const struct cause_row *cause_row(enum cause c);
int cause_named(struct text name, enum cause *ret); /* -ENOENT */

/* What would settle which of two competing causes it is. */
enum apart {
#define APART(id, english) APART_##id,
#include "doctor/apart.def"
#undef APART
    N_APARTS
};

#define EVIDENCE_MAX   8
#define EVIDENCE_VALUE 120

/* One packet that proves it, or a value worked out from many (number 0). */
struct evidence {
    uint8_t capture, file; /* as place */
    bool line;
    uint64_t number;
    int64_t time_ns;
    char says[EVIDENCE_VALUE]; /* in the words of the protocol: "DHCP OFFER from 10.0.0.1, no option
                                  150" */
};

struct finding {
    enum cause cause;
    enum severity severity; /* of the row; no more than harm for a phone that registered all the same */
    bool certain;   /* the rule holds whole; otherwise a competing cause, `apart` tells what would
                       settle it */
    enum apart apart;
    uint64_t phone; /* id of its story; 0: the whole capture */
    int64_t first_ns, last_ns;
    unsigned n_times;
    char detail[200]; /* the values that fill the words: name of the file, text of the reject … */
    struct evidence evidence[EVIDENCE_MAX];
    unsigned n_evidence;
};
