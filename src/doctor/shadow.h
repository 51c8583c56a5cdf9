/* shadow.h - the doctor at an interface: stories of what passes there while it passes, touching nothing; and a phone of
 * our own that walks the whole boot there, and is told what it met (DOC-14, DOC-15). Needs CAP_NET_RAW. */
#pragma once

#include "doctor/report/tell.h"

struct shadow_options {
    const char *interface; /* of a mirror port, or where phones are */
    unsigned seconds;      /* 0: until interrupted */
    const char *model;     /* of a probe; NULL: only look on */
    unsigned vlan;         /* of a probe: 0: untagged */
    struct capture_options capture;
    struct tell_options tell;
    struct diagnose_options how;
};

/* The exit status of the doctor. */
int shadow(const struct shadow_options *o);
