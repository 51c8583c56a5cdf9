/* keepalive.h - how regularly a phone's keepalives, or the refreshes of its first line by SIP, come:
 * lost, late, jittering (FAIL-3). What is
 * worth an event is told with its numbers, at most every ten minutes for a phone. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct keepalive_watch { /* of a registered phone; zeroed when it registers */
    uint32_t last_ms;    /* the last keepalive, or the registration; cut, 0: not known */
    uint32_t told_s;     /* 0: never */
    uint32_t n;          /* heard since it registered */
    uint16_t n_missed;   /* 65 535: or more */
    uint16_t gap_cs, worst_cs; /* from one to the next, now and at worst: hundredths of a second; 65 535: or more */
    uint16_t jitter_ms;  /* smoothed lateness */
};

struct keepalive_finding {
    uint32_t took_ms, missed, jitter_ms;
    const char *advice;
};

/* A keepalive came; true when that is worth an event. One whose predecessor is older than `awake_ms`, before which nobody
 * listened here, is not judged. */
bool keepalive_heard(struct keepalive_watch *w, uint64_t now_ms, uint64_t awake_ms, uint32_t interval_ms,
                     struct keepalive_finding *ret);
