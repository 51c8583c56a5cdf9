/* subnets.h - the DHCP scopes and reservations of a directory, checked and ready for use.
 *
 * Addresses are numbers in host order. */
#pragma once

#include <stdbool.h>

#include "base/address.h"

#define SUBNET_ADDRESSES_MAX 16
#define SUBNET_RANGES_MAX    64
#define SUBNET_SIZE_MAX      (1u << 24) /* addresses given by one scope: a whole /8 */

struct directory;
struct scope;

struct address_list {
    uint8_t n;
    uint32_t at[SUBNET_ADDRESSES_MAX];
};

struct address_range {
    uint32_t first, last;
};

struct subnet {
    char name[51];
    uint32_t network, mask;
    uint32_t first, last; /* what is given from */
    struct address_range excluded[SUBNET_RANGES_MAX];
    uint8_t n_excluded;
    struct address_list routers, dns, ntp, tftp; /* tftp empty: the server itself */
    char domain[256], tftp_name[256];
    uint32_t lease_s;
    bool phones_only;
};

struct reserved {
    struct mac mac;
    uint32_t address;
};

struct subnets {
    struct subnet *at;
    size_t n;
    struct reserved *reserved; /* by MAC */
    uint32_t *addresses;       /* of the reservations, ascending */
    size_t n_reserved;
};

/* 0, or -EINVAL with a sentence in `error` that names what is wrong and what is right. Without
 * first and last it gives from the whole subnet. The network and broadcast address and the routers
 * are never given. */
int subnet_parse(const struct scope *record, struct subnet *ret, char *error, size_t size);

/* All enabled scopes and all reservations; what is wrong is told to `complain` (may be NULL) and
 * left out. NULL without memory. */
struct subnets *subnets_new(const struct directory *dir,
                            void (*complain)(void *context, const char *text), void *context);
struct subnets *subnets_empty(void);
int subnets_add(struct subnets *s, const struct subnet *subnet); /* 0 or -ENOMEM */
int subnets_reserve(struct subnets *s, struct mac mac, uint32_t address);
void subnets_sort(struct subnets *s); /* after the last reserve, before any find */
void subnets_free(struct subnets *s);

static inline bool subnet_has(const struct subnet *s, uint32_t address)
{
    return (address & s->mask) == s->network;
}

bool subnet_excludes(const struct subnet *s, uint32_t address);
uint32_t subnets_reserved_for(const struct subnets *s, struct mac mac); /* 0: none */
bool subnets_is_reserved(const struct subnets *s, uint32_t address);

int subnet_address_parse(struct text t, uint32_t *ret); /* IPv4, blanks around it; -EINVAL */
/* "10.1.0.0/24"; 0, or -EINVAL (also when host bits are set). */
int subnet_prefix_parse(struct text t, uint32_t *network, uint32_t *mask);
