/* calendar.h - in which second how many phones will be heard next, so that those that came in one
 * storm do not come back in one for ever (FAIL-4): a second that is full sends the next phone to an
 * emptier, earlier one. Who comes alone gets exactly what the settings say. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define CALENDAR_SECONDS 4096 /* ahead of now; what lies further is not planned */
#define CALENDAR_LEAST   8    /* phones in a second that are never too many */

struct calendar {
    uint64_t now_s;
    uint32_t due[CALENDAR_SECONDS]; /* by the second, modulo their number */
};

/* Seconds until a phone shall be heard again: `longest`, unless that second has one and a half
 * times the mean of `n_phones` that come once in `longest` seconds; then that of the seconds from
 * `least` on that has the fewest. */
uint32_t calendar_pick(struct calendar *c, uint64_t now_ms, uint32_t longest, uint32_t least,
                       size_t n_phones);
