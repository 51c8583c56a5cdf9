#include "io/interfaces.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>

static void take_address(struct interface *i, const struct ifaddrs *a)
{
    const struct sockaddr_in *address = (const void *)a->ifa_addr;
    const struct sockaddr_in *mask = (const void *)a->ifa_netmask;

    if (i->n == INTERFACE_ADDRESSES_MAX || !mask)
        return;
    i->address[i->n] = ntohl(address->sin_addr.s_addr);
    i->mask[i->n++] = ntohl(mask->sin_addr.s_addr);
}

static void take_link(struct interface *i, const struct ifaddrs *a)
{
    const struct sockaddr_ll *link = (const void *)a->ifa_addr;

    if (link->sll_hatype == ARPHRD_ETHER && link->sll_halen == sizeof(i->mac.bytes))
        memcpy(i->mac.bytes, link->sll_addr, sizeof(i->mac.bytes));
}

int interface_find(const char *name, struct interface *ret)
{
    struct interface found = {.index = if_nametoindex(name)};
    struct ifaddrs *all;

    if (!found.index)
        return -ENODEV;
    if (getifaddrs(&all) < 0)
        return -errno;
    snprintf(found.name, sizeof(found.name), "%s", name);
    for (const struct ifaddrs *a = all; a; a = a->ifa_next) {
        if (strcmp(a->ifa_name, name) != 0)
            continue;
        found.up = (a->ifa_flags & IFF_UP) && (a->ifa_flags & IFF_RUNNING);
        found.loopback = a->ifa_flags & IFF_LOOPBACK;
        if (a->ifa_addr && a->ifa_addr->sa_family == AF_INET)
            take_address(&found, a);
        else if (a->ifa_addr && a->ifa_addr->sa_family == AF_PACKET)
            take_link(&found, a);
    }
    freeifaddrs(all);
    *ret = found;
    return 0;
}

int interfaces_list(struct interface *to, size_t room)
{
    struct if_nameindex *all = if_nameindex();
    size_t n = 0;

    if (!all)
        return -errno;
    for (size_t i = 0; all[i].if_index && n < room; i++)
        if (interface_find(all[i].if_name, &to[n]) == 0)
            n++;
    if_freenameindex(all);
    return (int)n;
}

bool interface_equal(const struct interface *a, const struct interface *b)
{
    return a->index == b->index && mac_equal(a->mac, b->mac) && a->n == b->n &&
           memcmp(a->address, b->address, a->n * sizeof(a->address[0])) == 0 &&
           memcmp(a->mask, b->mask, a->n * sizeof(a->mask[0])) == 0;
}
