/* flapping.h - phones that register again and again: here, then there (FAIL-3). A bounded memory.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"

#define FLAPPING_WINDOW_MS (10 * 60 * 1000)
#define FLAPPING_TAKEOVERS_MS (5 * 60 * 1000)
#define FLAPPING_TIMES     6 /* registrations in the window that are too many */
/* Slow ones: a switch that forgets the phone's port has it move every 18 minutes (docs/failover-stories.md). */
#define FLAPPING_LOSSES_MS (2 * 60 * 60 * 1000)
#define FLAPPING_LOSSES    3 /* times lost and back in that time that are too many */

struct flapping;

struct flapping *flapping_new(void); /* NULL without memory */
void flapping_free(struct flapping *f);
struct toggle {
    uint32_t n, window_ms; /* so many registrations in that time */
    uint32_t period_ms;    /* between two of them */
    uint32_t cause;        /* why it left last: UNREGISTERED_…, 0: not known */
};
/* The phone has registered; true when that was once too often, told once a window. */
bool flapping_note(struct flapping *f, struct device_name name, uint64_t now_ms, struct toggle *ret);
/* It has registered at that other node; and which was the last such, "" when none is known. */
void flapping_elsewhere(struct flapping *f, struct device_name name, const char *node);
const char *flapping_other(const struct flapping *f, struct device_name name);
/* It took its name from another address; and how often that was within FLAPPING_TAKEOVERS_MS of the last time. */
void flapping_takeover(struct flapping *f, struct device_name name, uint64_t now_ms);
unsigned flapping_takeovers(const struct flapping *f, struct device_name name, uint64_t now_ms);
void flapping_left(struct flapping *f, struct device_name name, uint32_t cause);
