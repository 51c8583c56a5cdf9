/* dhcp_client.h - a phone's DHCP (RFC 2131): ask, take the first offer that names a TFTP server or
 * else the first one, renew by unicast at T1, by broadcast at T2, start again on NAK or at the end
 * of the lease.
 *
 * Pure: messages and the time go in; the message to send is written to `out` (nothing written:
 * nothing to send) and goes to `dhcp_client_to`. Addresses are numbers in host order. */
#pragma once

#include "base/address.h"
#include "base/buf.h"

#define DHCP_CLIENT_ROOM 1472

enum dhcp_client_state {
    DHCP_CLIENT_OFF,
    DHCP_CLIENT_SELECTING,
    DHCP_CLIENT_REQUESTING,
    DHCP_CLIENT_BOUND,
    DHCP_CLIENT_RENEWING,
    DHCP_CLIENT_REBINDING
};

enum dhcp_client_event {
    DHCP_CLIENT_NOTHING,
    DHCP_CLIENT_OFFERED,
    DHCP_CLIENT_LEASED,
    DHCP_CLIENT_RENEWED,
    DHCP_CLIENT_REFUSED, /* NAK: asking again */
    DHCP_CLIENT_LOST,    /* the lease ended: asking again */
    DHCP_CLIENT_SILENCE  /* a question was repeated */
};

struct dhcp_lease {
    uint32_t address, mask, router, dns, server;
    uint32_t tftp[2]; /* option 150, else 66 as an address, else siaddr */
    uint32_t lease_s, renewal_s, rebinding_s;
    char domain[64];
    char tftp_name[64]; /* option 66 when it is a name */
};

struct dhcp_client {
    enum dhcp_client_state state;
    struct mac mac;
    struct device_name name;
    const char *vendor_class;
    const uint8_t *parameters; /* option 55 */
    uint8_t n_parameters;
    uint8_t tries;
    uint32_t xid, wait_ms;
    uint64_t started_ms, leased_ms, due_ms; /* due UINT64_MAX: nothing to wait for */
    struct dhcp_lease lease;
};

/* What a generation asks for and calls itself: `parameters` are static. */
void dhcp_client_init(struct dhcp_client *c, struct mac mac, struct device_name name,
                      const char *vendor_class, const uint8_t *parameters, uint8_t n_parameters);
/* `xid` from a random source. */
void dhcp_client_start(struct dhcp_client *c, uint32_t xid, uint64_t now_ms, struct writer *out);
enum dhcp_client_event dhcp_client_input(struct dhcp_client *c, const void *bytes, size_t len,
                                         uint64_t now_ms, struct writer *out);
enum dhcp_client_event dhcp_client_tick(struct dhcp_client *c, uint64_t now_ms, struct writer *out);
void dhcp_client_decline(struct dhcp_client *c, uint64_t now_ms,
                         struct writer *out); /* somebody has it; asks again in 10 s */
void dhcp_client_release(struct dhcp_client *c, struct writer *out);
uint32_t
dhcp_client_to(const struct dhcp_client *c); /* where `out` goes: the server, or 255.255.255.255 */
