/* sip_guard.h - how much strangers get: answers to datagrams, and guesses at passwords, a source.
 *
 * A datagram's source may be forged, so a refusal by UDP goes out only so often to one address; a
 * table of fixed size, in which a flood from everywhere costs nobody else more than his place. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"

struct sip_guard;

struct sip_guard *sip_guard_new(void); /* NULL without memory */
void sip_guard_free(struct sip_guard *g);
/* Whether one more answer may go to a stranger at this address; an IPv6 /64 counts as one. */
bool sip_guard_allows(struct sip_guard *g, struct ip ip, uint64_t now_ms);
/* A wrong password came from there; true when that is worth an alarm (once a minute). */
bool sip_guard_failed(struct sip_guard *g, struct ip ip, uint64_t now_ms, uint32_t *times);
/* Whether it has guessed so much lately that it is no longer heard. */
bool sip_guard_is_out(const struct sip_guard *g, struct ip ip, uint64_t now_ms);
