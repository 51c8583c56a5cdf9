/* softkey_set.h - the softkeys under a display, and those that a SIP phone shows: a set of its
 * softkey file. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define SCREEN_SOFTKEYS 16

struct screen_softkey {
    char label[24];
    uint16_t event; /* of SCCP */
};

/* The keys of the set with this id ("On Hook"), in their order; how many, at most `max`. A file
 * that is no softkey file gives none. */
unsigned softkey_set_read(const void *bytes, size_t len, const char *set, struct screen_softkey *to,
                          unsigned max);
