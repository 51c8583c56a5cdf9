/* anonymise.h - a capture without names, numbers and secrets (DOC-16): what the doctor says of it stays the same.
 *
 * Addresses, device names, numbers and names are replaced as disguise.h says, so lengths, sequence numbers and everything about
 * time and loss stay. What is understood is rewritten (ARP, CDP, LLDP, DHCP, DNS, TFTP, SIP, SCCP, HTTP, configuration files),
 * also where a message or a file goes on in the next packet; TLS keeps its headers, ICMP the beginning of what it quotes; of
 * everything else only headers stay, its payload is zeroes.
 * Checksums are made anew. Tunnels are taken off. The output is pcapng with Ethernet frames; packets keep their order and
 * number. */
#pragma once

#include <stdio.h>

#include "doctor/anonymise/stream.h"
#include "doctor/text/text.h"
#include "wire/capture/records.h"

struct anonymised {
    uint64_t packets, lines;
    char problem[160]; /* why the input ended early; empty: it did not */
};

struct source;

/* What is left of a capture, `first` and what follows; `to` can be read and written. 0, or -errno; adds to *ret. */
int anonymise_capture(struct source *from, const struct record *first, FILE *to, struct anonymised *ret);
/* A trace or a log, line by line, as disguise_sentence says: by the same key, so it still fits a capture. */
int anonymise_text(text_read read, void *context, FILE *to, struct anonymised *ret);

/* One packet after the other; what anonymise does, and tests. */
struct anonymiser;

struct anonymiser *anonymiser_new(const struct anonymise_out *out); /* NULL without memory */
void anonymiser_free(struct anonymiser *a);                         /* NULL is fine */
/* An Ethernet frame, borrowed until the next call, which the caller writes at `at` of the output; empty when the packet cannot be
 * read. Frames written earlier are changed when a message that goes on in this one has become whole. */
struct text anonymise_packet(struct anonymiser *a, const struct record *r, uint64_t at);
void anonymiser_end(struct anonymiser *a); /* behind the last: what never became whole */
