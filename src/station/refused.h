/* refused.h - who was refused, why and how often: thousands of phones that try for years cost a row
 * each in a bounded memory, the oldest give way, and are told of ever more rarely. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"

#define REFUSED_MAX 4096

/* Refusals of a device name since it was last registered. */
struct refusal {
    struct device_name name;
    struct ip ip;
    uint32_t model, reason; /* TRANSIENT_… */
    uint32_t n;
    uint64_t first_us, last_us; /* wall clock */
    const char *text;           /* on the LCD, static */
};

struct refused;

struct refused *refused_new(void); /* NULL without memory */
void refused_free(struct refused *r);
/* Remembers one more: name, ip, model, reason, text and last_us of `refusal` count. True when it is
 * worth an alarm and a line now; `times` is for how many, this one included. */
bool refused_note(struct refused *r, const struct refusal *refusal, uint64_t now_ms,
                  uint32_t *times);
void refused_forget(struct refused *r, struct device_name name);
const struct refusal *refused_find(const struct refused *r, struct device_name name); /* or NULL */
