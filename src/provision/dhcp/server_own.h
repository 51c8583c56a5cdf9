/* server_own.h - what the files of the DHCP server share, and nobody else sees. */
#pragma once

#include "provision/dhcp/server.h"
#include "provision/reply_queue.h"
#include "wire/boot/dhcp.h"

#define DHCP_SCOPES_MAX 8    /* that share a link */
#define STORM_SLOTS     8192 /* Ethernet addresses whose requests are counted at once */

struct storm_slot {
    uint64_t mac, window_ms, told_ms;
    uint32_t n;
};

struct probing {
    struct dhcp_packet packet; /* bytes: below */
    struct mac mac;            /* of the client */
    unsigned n_taken;          /* addresses found in use for this DISCOVER */
    uint64_t due_ms;           /* 0: not in use */
    uint8_t bytes[DHCP_MAX_SIZE];
};

struct dhcp_server {
    struct dhcp_sink sink;
    struct dhcp_settings settings;
    struct leases *leases;
    struct dhcp_interface interfaces[DHCP_INTERFACES_MAX];
    size_t n_interfaces;

    struct reply_queue acks; /* wait for the disk */
    bool disk_failed;
    uint64_t store_again_ms;

    uint64_t event_tokens, event_ms; /* how many progress events may be told */
    uint64_t no_address_told_ms, no_scope_told_ms, other_told_ms;
    uint32_t other_server; /* told last */

    uint32_t probed[DHCP_PROBES_MAX]; /* addresses; 0: not in use */
    size_t n_probing;
    unsigned n_taken; /* of the DISCOVER that is handled again */
    struct probing probing[DHCP_PROBES_MAX];
    struct storm_slot storms[STORM_SLOTS];
};

/* One message and all that is known about who sent it. */
struct request {
    struct dhcp_server *s;
    const struct dhcp_packet *p;
    const struct dhcp_message *m;
    const struct dhcp_interface *in;
    uint64_t now_ms;
    struct lease_client client;
    struct mac mac;
    struct device_name device; /* empty unless a phone */
    bool phone;
    uint32_t server_id; /* as we name ourselves to this client */
    bool overridden;    /* by the relay agent (RFC 5107) */
    uint32_t link;      /* an address of the client's network; 0: that of the interface */
    size_t scopes[DHCP_SCOPES_MAX];
    size_t n_scopes;
};

/* clients.c */
bool dhcp_identify(struct request *r); /* false: malformed */
bool dhcp_says_our_id(const struct request *r);
void dhcp_no_scope(struct request *r); /* counts, and tells now and then */
const struct subnet *dhcp_subnet_of(const struct request *r, size_t scope);
/* The lease the client has on its link: the one that scopes still let it have, else any; NULL. */
struct lease *dhcp_present_lease(const struct request *r, size_t *scope);
bool dhcp_fits(const struct request *r, uint32_t address,
               size_t *scope); /* it may have that address */
bool dhcp_right_network(const struct request *r, uint32_t address);
struct lease *dhcp_offer(struct request *r, size_t *scope); /* NULL: no address is left */
void dhcp_describe(const struct request *r, struct lease *lease);

/* replies.c */
#define NO_SCOPE SIZE_MAX
/* Sends an OFFER, ACK or NAK; `lease` NULL: without an address. A ticket that is not 0 is waited
 * for. */
void dhcp_answer(struct request *r, enum dhcp_type type, size_t scope, const struct lease *lease,
                 uint64_t ticket);
void dhcp_release_acks(struct dhcp_server *s, uint64_t batch);
void dhcp_tell(struct request *r, enum progress_stage stage, uint32_t address);

/* guards.c: storms, probes, other servers */
bool dhcp_storm(struct request *r); /* drop it */
/* True when the OFFER has to wait until nobody answered for the address. */
bool dhcp_probe_first(struct request *r, const struct lease *lease);
void dhcp_probe_tick(struct dhcp_server *s, uint64_t now_ms);
uint64_t dhcp_probe_next(const struct dhcp_server *s, uint64_t now_ms);
void dhcp_conflict(struct dhcp_server *s, struct lease *lease, struct mac mac, uint64_t now_ms);
void dhcp_other_server(struct dhcp_server *s, unsigned interface, uint32_t address,
                       uint64_t now_ms);
void dhcp_no_address(struct request *r);
bool dhcp_is_own(const struct dhcp_server *s, uint32_t address);
const struct dhcp_interface *dhcp_interface_of(const struct dhcp_server *s, unsigned index);
