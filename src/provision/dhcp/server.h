/* server.h - gives phones their address and tells them where their files are (DHCP-1 to
 * DHCP-4).
 *
 * Datagrams, time, answers to probes and the end of a disk write go in; effects go out through the
 * functions of `struct dhcp_sink`, called before the input function returns. What they point to is
 * theirs only until they return, except what is named take_.
 *
 * RFC 2131 with 2132, 3046 and 3527 (relay agents), 3396, 5107 (server identifier override), 6842.
 * An ACK leaves only when its lease is on disk; many leases share one write. When the disk fails,
 * an alarm says so and the server goes on from memory.
 *
 * Addresses are numbers in host order; time as in leases.h. */
#pragma once

#include "core/alarms.h"
#include "core/leases/leases.h"
#include "provision/progress/progress.h"

#define DHCP_INTERFACES_MAX 32
#define DHCP_PROBES_MAX     64 /* at once; offers beyond that are made without asking first */

struct dhcp_server;

struct dhcp_interface {
    unsigned index;
    char name[16];
    uint8_t n;
    uint32_t address[8], mask[8];
    bool can_probe; /* ARP can be sent and heard */
    bool loopback;  /* every address answers there: nothing is probed */
};

struct dhcp_settings {
    bool sidecar;         /* boot options only, never an address */
    bool authoritative;   /* NAK also to clients of which there is no record */
    uint32_t probe_ms;    /* how long an address is probed before it is offered first; 0: not */
    uint32_t hold_s;      /* how long an offer stands */
    uint32_t abandon_s;   /* how long an address found in use is left alone */
    uint32_t storm_limit; /* messages in ten seconds of a phone that is not configured; 0: any */
    uint32_t tftp;        /* what option 150 says by default; 0: this server on that interface */
    uint16_t port;        /* own; when it is not 67, answers go to the port the request came from */
};

struct dhcp_packet {
    unsigned interface;
    uint32_t from, to; /* `to` is ours, also when the packet was broadcast */
    uint16_t from_port;
    const uint8_t *bytes;
    size_t len;
};

struct dhcp_reply {
    unsigned interface;
    uint32_t from, to;
    uint16_t to_port;
    bool frame; /* the client cannot answer ARP yet: straight to its Ethernet address */
    struct mac mac;
    const uint8_t *bytes;
    size_t len;
};

struct dhcp_probe {
    unsigned interface;
    uint32_t address;
    bool icmp; /* behind a relay agent; otherwise ARP */
};

struct dhcp_sink {
    void *context;
    void (*send)(void *context, const struct dhcp_reply *reply);
    void (*probe)(void *context, const struct dhcp_probe *probe);
    void (*store)(void *context, uint64_t batch, struct lease_rows *take_rows);
    void (*progress)(void *context, const struct progress_event *event);
    void (*alarm)(void *context, struct alarm *take_alarm);
    bool (*knows)(void *context, struct device_name device); /* is it configured */
};

struct dhcp_server *dhcp_server_new(const struct dhcp_sink *sink,
                                    const struct dhcp_settings *settings, uint64_t now_ms);
void dhcp_server_free(struct dhcp_server *s); /* NULL is fine */
struct leases *dhcp_server_leases(struct dhcp_server *s);
void dhcp_server_set(struct dhcp_server *s, const struct dhcp_settings *settings);
/* New scopes, interfaces, or both; -ENOMEM: nothing changed. */
int dhcp_server_configure(struct dhcp_server *s, struct subnets *take_subnets,
                          const struct dhcp_interface *interfaces, size_t n);

void dhcp_server_input(struct dhcp_server *s, const struct dhcp_packet *p, uint64_t now_ms);
/* After the last packet of a batch: starts the next write when none is under way. */
void dhcp_server_flush(struct dhcp_server *s, uint64_t now_ms);
/* The write of that batch has ended; err is 0 or -errno. */
void dhcp_server_stored(struct dhcp_server *s, uint64_t batch, int err, uint64_t now_ms);
/* Somebody answered for this address: ARP (with its Ethernet address) or ICMP (zero). */
void dhcp_server_seen(struct dhcp_server *s, uint32_t address, struct mac mac, uint64_t now_ms);
/* A server's message to a client, heard on the wire. */
void dhcp_server_overheard(struct dhcp_server *s, unsigned interface, const uint8_t *bytes,
                           size_t len, uint64_t now_ms);
/* What is due; returns the milliseconds until it should be called again. */
uint64_t dhcp_server_tick(struct dhcp_server *s, uint64_t now_ms);

/* Whether a message comes from a Cisco phone or analogue adapter (by vendor class or host name). */
struct dhcp_message;
bool dhcp_from_phone(const struct dhcp_message *m);
/* Whether a scope serves one of the interface's own networks. */
bool dhcp_interface_served(const struct dhcp_interface *i, const struct subnets *subnets);
