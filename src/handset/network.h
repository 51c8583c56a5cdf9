/* network.h - what a phone keeps in its flash about the network, and what it uses now.
 *
 * A static value beats what DHCP says; an alternate TFTP server beats option 150 and survives until
 * it is changed on the phone. */
#pragma once

#include <stdbool.h>

#include "base/address.h"

#define NETWORK_TFTP   2 /* phones use the first two of option 150 */
#define NETWORK_DOMAIN 64

struct network {
    bool dhcp;           /* false: the addresses below are used as they are */
    bool alternate_tftp; /* tftp[] was typed on the phone, DHCP's is ignored */
    struct ip address, mask, router, dns;
    struct ip tftp[NETWORK_TFTP];
    char domain[NETWORK_DOMAIN];
    uint16_t admin_vlan; /* typed on the phone; 0: none */
};

/* As it leaves the factory: DHCP, nothing else. */
static inline struct network network_factory(void)
{
    return (struct network){.dhcp = true};
}
