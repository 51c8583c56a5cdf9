/* addressing.h - what the files of the addressing thread share: DHCP, CDP and LLDP-MED, DNS. */
#pragma once

#include "core/subnets.h"
#include "io/interfaces.h"
#include "io/raw.h"
#include "io/udp.h"
#include "provision/dhcp/server.h"
#include "provision/discovery.h"
#include "provision/dns_answerer.h"
#include "server/server.h"
#include "server/traces/trace.h"

#define LINKS_MAX 16 /* interfaces named for one service */

struct addressing;

struct dhcp_link { /* an interface named in dhcp.interfaces */
    struct addressing *a;
    char name[16];
    struct interface interface; /* index 0: not there yet */
    struct udp *udp;
    struct raw *raw; /* NULL without the capability: no probes, broadcasts instead of frames */
};

struct discovery_port { /* an interface named in cdp.interfaces */
    struct addressing *a;
    char name[16];
    struct interface interface; /* index 0: not there */
    struct raw *raw;
};

struct addressing {
    struct thread *thread;
    struct server *server;
    struct bootstrap settings; /* live ones as they are now */
    uint64_t
        wall_ms; /* what to add to the loop's clock: leases live by wall time that never jumps */
    uv_timer_t tick;  /* of the DHCP core */
    uv_timer_t watch; /* interfaces and scopes that change */
    unsigned n_timers;

    struct dhcp_server *dhcp;
    bool dhcp_wanted, dhcp_runs, leases_loaded, scopes_changed;
    bool dhcp_stopped, discovery_stopped; /* by an administrator */
    uint64_t scopes_mark, quick_mark; /* what was looked at last */
    struct dhcp_link links[LINKS_MAX];
    size_t n_links;
    struct icmp *icmp;
    char unserved[900], dhcp_error[160]; /* told last */

    struct discovery *discovery; /* NULL: off */
    struct discovery_port ports[LINKS_MAX];
    size_t n_ports;
    uv_timer_t discovery_tick;

    struct dns_answerer *names; /* NULL: off */
    struct udp *dns;
    uint64_t names_version; /* of the directory they were made from */

    struct probe *probe; /* NULL: none runs */
};

uint64_t addressing_now(const struct addressing *a);
void addressing_arm(struct addressing *a,
                    uint64_t after_ms); /* when dhcp_service_tick is called; UINT64_MAX: not */
void addressing_watch_soon(struct addressing *a);
/* A DHCP message for the trace, when one is wanted. */
void addressing_trace(struct addressing *a, enum trace_kind kind, const struct endpoint *peer,
                      const uint8_t *bytes, size_t len);
/* The node's name: as configured, else the host's. */
void addressing_node_name(const struct addressing *a, char *to, size_t size);
/* Splits "eth0, eth1"; returns how many names of at most 15 characters were found. */
size_t addressing_names(const char *list, char names[][16], size_t max);

/* dhcp.c */
int dhcp_service_init(struct addressing *a);
void dhcp_service_done(struct addressing *a);
void dhcp_service_start(struct addressing *a, uint64_t token);
void dhcp_service_stop(struct addressing *a, uint64_t token);
void dhcp_service_close(struct addressing *a); /* the same without a word */
void dhcp_service_loaded(struct addressing *a, const struct lease_rows *rows);
void dhcp_service_stored(struct addressing *a, uint64_t batch, int err);
void dhcp_service_directory_changed(struct addressing *a);
void dhcp_service_watch(struct addressing *a);
void dhcp_service_tick(struct addressing *a);

/* scopes.c */
void dhcp_read_settings(const struct addressing *a, struct dhcp_settings *s);
void dhcp_configure(
    struct addressing *a); /* scopes, reservations, open links and settings into the core */
/* What to type for the first interface without a scope; empty when there is none. */
void dhcp_find_unserved(struct addressing *a, char *to, size_t size);
/* A number that changes with any scope or reservation; at once: not with each of many reservations.
 */
uint64_t dhcp_scopes_mark(const struct directory *dir, bool at_once);

/* discovery.c */
void discovery_service_start(struct addressing *a, uint64_t token);
void discovery_service_stop(struct addressing *a, uint64_t token);
void discovery_service_watch(struct addressing *a);
void discovery_service_done(struct addressing *a);

/* dns.c */
void dns_service_start(struct addressing *a, uint64_t token);
void dns_service_stop(struct addressing *a, uint64_t token);
void dns_service_watch(struct addressing *a);
void dns_service_done(struct addressing *a);

/* interfaces.c: for whoever chooses where to give addresses */
void interface_list(struct addressing *a, uint64_t token, const json_t *arguments);
void interface_probe(struct addressing *a, uint64_t token, const json_t *arguments);
void interface_probe_done(struct addressing *a); /* one that runs is not answered any more */
/* Takes live settings over: services that they concern begin anew, unless an administrator stopped them. */
void addressing_configure(struct addressing *a, uint64_t token, const json_t *arguments);

/* requests.c */
void addressing_request(struct addressing *a, uint64_t token, const char *verb,
                        const json_t *arguments);
