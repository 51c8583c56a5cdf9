/* failover_show.h - the words of a story: what the phone says and hears, at its own end of the wire. Keepalives and refreshes
 * that follow each other are one line. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define SHOW_NODES 2

void show_begin(struct writer *w);
void show_end(void); /* what was kept back is written */
void show_tell(uint64_t now_ms, const char *format, ...) __attribute__((format(printf, 2, 3)));
void show_sccp(uint64_t now_ms, unsigned node, bool from_phone, const uint8_t *bytes, size_t len);
void show_sip(uint64_t now_ms, unsigned node, bool from_phone, const uint8_t *bytes, size_t len);
