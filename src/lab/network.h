/* network.h - the laboratory's wires: a namespace with a switch, one for the server, one for each phone.
 *
 *   NAME-server eth0 --- server  +--------+  phone1 --- eth0 NAME-phone1
 *                                | bridge |  phone2 --- eth0 NAME-phone2
 *   NAME-server2 eth0 -- server2 +--------+  …
 *
 * Everything is named after the laboratory and removed with it, also what an earlier run left. Needs root
 * and the `ip` program. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/address.h"

#define LAB_NAME_MAX   12
#define LAB_NODES_MAX  3
#define LAB_PHONES_MAX 64
#define LAB_NS_MAX     32

struct network {
    char name[LAB_NAME_MAX + 1];
    unsigned n_phones;
};

struct lab_ns {
    char s[LAB_NS_MAX];
};

/* Removes what bears the name, then makes switch and server. 0 or -errno; the step that failed is printed. */
int network_up(struct network *n, const char *name);
/* Kills every process in the namespaces of that name and removes them. The number of namespaces removed. */
unsigned network_down(const char *name);
/* Phones are numbered from 1, in the order in which they are added. */
int network_add_phone(struct network *n, struct mac mac);
int network_plug(const struct network *n, unsigned phone, bool in); /* the port of the switch goes up or down */
/* Nodes are numbered from 1; the first is the server that network_up has made. */
int network_add_node(struct network *n, unsigned node);
int network_plug_node(const struct network *n, unsigned node, bool in);
/* Frames to `address` leave the namespace for an Ethernet address that ends in the switch, as if a filter there dropped them;
 * what comes from there still arrives. */
int network_filter(struct lab_ns ns, const char *address, bool on);
/* Everything that passes the node's port, "PORT", goes through a wire (wire.h) between it and "PORT-in" of the switch's
 * namespace. `on` false: straight again. */
int network_splice(const struct network *n, unsigned node, bool on);
int network_unbridge(const struct network *n, const char *port); /* the port no longer belongs to the bridge */
int network_set_address(const struct network *n, struct lab_ns ns, const char *address_and_prefix);

int network_nft(struct lab_ns ns, const char *rules); /* by the `nft` program */
int network_set_router(struct lab_ns ns, const char *address); /* the default one */
/* What a TCP socket there keeps of what nobody has read, from now on. */
int network_set_receive_room(struct lab_ns ns, unsigned bytes);

/* A router comes into the cable of a phone that is added: `eth0` of the router, LAB_OUTSIDE, is at the switch now, the phone's
 * is a new one, of that MAC address and without an IP address. */
#define LAB_INSIDE  "192.168.99.50"
#define LAB_ROUTER  "192.168.99.1"
#define LAB_OUTSIDE "10.99.0.60"
#define LAB_ROUTER_MAC "02:bd:00:00:00:60"
int network_translate(const struct network *n, unsigned phone, struct mac mac);
struct lab_ns network_router(const struct network *n);
struct lab_ns network_server(const struct network *n);
struct lab_ns network_node(const struct network *n, unsigned node);
struct lab_ns network_switch(const struct network *n);
struct lab_ns network_phone(const struct network *n, unsigned phone);
/* Calling thread enters the namespace; NULL: back to where the process began. 0 or -errno. */
int network_enter(const char *ns);
