/* disguise.h - addresses, names and numbers replaced by others: the same by the same, each of the length it had.
 *
 * The key is drawn once for a process, so two runs disguise differently.
 *
 * - Ethernet addresses keep their first half (the maker); in the other half each digit has a substitution of its own, so two that
 *   differed in one digit still do.
 * - IPv4 addresses that share their first n bits share them afterwards; each octet keeps its number of decimal digits. Private,
 *   link-local, multicast, loopback and broadcast stay what they are. IPv6 addresses too share the prefix they shared; their groups
 *   keep their number of digits, and what kind they are (global, local to the site or the link).
 * - Words (letters and digits) become others of the same length and case; SEP001122334455 as its Ethernet address. */
#pragma once

#include "base/address.h"

void disguise_mac_bytes(uint8_t *six);
void disguise_ipv4(uint8_t *four);
void disguise_ipv6(uint8_t *sixteen);
/* Every word in `len` bytes, addresses written as text included. */
void disguise_words(char *at, size_t len);
/* A name of a host: as disguise_words, but labels that say nothing stay (CiscoCM1, _sip, arpa, com …). */
void disguise_host(char *at, size_t len);
/* Only what is an address or carries one: SEP…, 00:11:22…, 10.0.0.5. */
void disguise_addresses(char *at, size_t len);
/* Digests, nonces, passwords: every letter and digit, whatever the words. */
void disguise_secret(char *at, size_t len);
