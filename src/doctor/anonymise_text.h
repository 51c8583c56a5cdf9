/* anonymise_text.h - SIP, SCCP, HTTP and configuration files disguised in place, length for length. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where a document stands that comes in pieces. */
struct markup {
    enum { MARKUP_TEXT, MARKUP_TAG } in;
    uint8_t n;     /* of `tag` */
    char tag[31];  /* the element being read, its name in small letters */
};

void disguise_markup(struct markup *m, char *at, size_t len);
void disguise_sip(char *at, size_t len);
/* As many messages as stand in the segment, from its start on; the rest is blanked. */
void disguise_sccp(uint8_t *at, size_t len);
/* Runs of text in bytes of any form. */
void disguise_runs(uint8_t *at, size_t len);
