/* dns_answerer.h - the few names that phones ask for, for sites without a DNS server: CiscoCM1 and
 * the names of the nodes, bare or with a domain that a scope hands out.
 *
 * It resolves nothing for anybody: other names of our domains and bare names do not exist
 * (NXDOMAIN: a phone goes on at once), everything else is refused. An answer is at most 16 bytes
 * longer than the question, so nobody gains by forging its source. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/text.h"

#define DNS_FALLBACK_NAME "CiscoCM1" /* what phones and gateways look for when told nothing else   \
                                      */

struct dns_answerer;

struct dns_answerer *dns_answerer_new(void);
void dns_answerer_free(struct dns_answerer *d); /* NULL is fine */
/* A bare or full name; ip none: the address the question came to. 0 or -ENOMEM. */
int dns_answerer_add(struct dns_answerer *d, struct text name, struct ip ip);
int dns_answerer_add_domain(struct dns_answerer *d, struct text domain);
/* Length of the answer, 0 when there is none to give. `own` is the address that was asked. */
size_t dns_answerer_input(const struct dns_answerer *d, const void *question, size_t len,
                          struct ip own, void *to, size_t size);
