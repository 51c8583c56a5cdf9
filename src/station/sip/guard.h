/* guard.h - how much strangers get: answers to datagrams, and guesses at passwords, a source.
 *
 * A datagram's source may be forged, so a refusal by UDP goes out only so often to one address; a
 * table of fixed size, in which a flood from everywhere costs nobody else more than his place. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/text.h"

struct sip_guard;

struct sip_guard *sip_guard_new(void); /* NULL without memory */
void sip_guard_free(struct sip_guard *g);
/* Whether one more answer may go to a stranger at this address; an IPv6 /64 counts as one. */
bool sip_guard_allows(struct sip_guard *g, struct ip ip, uint32_t a_second, uint64_t now_ms);
/* Whether it has sent enough for an answer of so many bytes: in the long run none gets more than it sends, but for
 * some kilobytes at once and SIP_GUARD_GIFT a second, so that short questions are answered too. */
#define SIP_GUARD_GIFT 128
bool sip_guard_pays(struct sip_guard *g, struct ip ip, size_t came, size_t goes, uint64_t now_ms);
/* It was not allowed; true when that is worth an alarm (once a minute an address, and a few a
 * minute in all: addresses can be forged), for `times` of them. */
bool sip_guard_throttled(struct sip_guard *g, struct ip ip, uint64_t now_ms, uint32_t *times);
/* A wrong password for this user came from there; true when that is worth an alarm (once a minute
 * an address), for `times` of them. */
bool sip_guard_failed(struct sip_guard *g, struct ip ip, struct text user, uint64_t now_ms,
                      uint32_t *times);
/* Whether so many came lately that no more are heard: for one user, so that a client with an old
 * password shuts out nobody behind the same router; for all, ten times as many. */
bool sip_guard_is_out(struct sip_guard *g, struct ip ip, struct text user, uint64_t now_ms);
