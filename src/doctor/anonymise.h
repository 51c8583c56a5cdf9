/* anonymise.h - a capture without names, numbers and secrets (DOC-16): what the doctor says of it stays the same.
 *
 * Addresses, device names, numbers and names are replaced as disguise.h says, so lengths, sequence numbers and everything about
 * time and loss stay. What is understood is rewritten (ARP, CDP, LLDP, DHCP, DNS, TFTP, SIP, SCCP, HTTP, configuration files),
 * TLS keeps its headers, ICMP the beginning of what it quotes; of everything else only headers stay, its payload is zeroes.
 * Checksums are made anew. Tunnels are taken off. The output is pcapng with Ethernet frames; packets keep their order and
 * number. */
#pragma once

#include "wire/capture/records.h"

struct anonymised {
    uint64_t packets;
    char problem[160]; /* why the input ended early; empty: it did not */
};

/* 0, or -errno (-EBADMSG: no capture file). The output may not be the input. */
int anonymise(const char *from, const char *to, struct anonymised *ret);

/* One packet after the other; what anonymise does, and tests. */
struct anonymiser;

struct anonymiser *anonymiser_new(void); /* NULL without memory */
void anonymiser_free(struct anonymiser *a);
/* An Ethernet frame, borrowed until the next call; empty when the packet cannot be read. */
struct text anonymise_packet(struct anonymiser *a, const struct record *r);
