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
/* What a program wrote - a line of a trace, a reason, a product -: words of the trade stay (vocabulary.def), and numbers of one or
 * two digits, moments, ports, codes; all else goes. */
void disguise_sentence(char *at, size_t len);
/* Digests, nonces, passwords: every letter and digit, whatever the words. */
void disguise_secret(char *at, size_t len);

/* ---- one of them at the beginning of `at`: the bytes it takes, 0 when there is none ---- */

size_t word_length(const char *at, size_t len);
void disguise_word(char *at, size_t n);
size_t disguise_device(char *at, size_t len);                /* SEP and twelve digits */
size_t disguise_address(char *start, char *at, size_t len); /* what stands before it, from `start` on, may say that it is none */
