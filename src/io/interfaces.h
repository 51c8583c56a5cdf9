/* interfaces.h - the network interfaces of this machine as they are now. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/address.h"

#define INTERFACE_ADDRESSES_MAX 8

struct interface {
    unsigned index;
    char name[16];
    struct mac mac; /* zero when it has none */
    bool up;        /* and there is a carrier */
    bool loopback;
    unsigned n; /* IPv4 addresses, in host order */
    uint32_t address[INTERFACE_ADDRESSES_MAX], mask[INTERFACE_ADDRESSES_MAX];
};

/* 0, or -ENODEV when there is none of that name, or -errno. */
int interface_find(const char *name, struct interface *ret);
/* All of them, as far as there is room; how many, or -errno. */
int interfaces_list(struct interface *to, size_t room);
/* Index, Ethernet address and IPv4 addresses; whether it is up does not count. */
bool interface_equal(const struct interface *a, const struct interface *b);
