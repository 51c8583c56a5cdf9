/* link.h - what boots a phone, disguised in place: ARP, CDP, LLDP, DHCP, DNS. */
#pragma once

#include "wire/capture/packet.h"

void disguise_link(const struct packet *p, uint8_t *at, size_t len); /* ARP, CDP or LLDP behind the Ethernet header */
void disguise_dhcp(uint8_t *at, size_t len);
void disguise_dns(uint8_t *at, size_t len);
