/* timeline.h - sights in, stories out: who is who, and what each phone did.
 *
 * The work for a sight does not depend on how many phones or packets there are; memory depends on phones alone.
 *
 *   struct timeline *t = timeline_new();
 *   … timeline_see(t, &sight) for each, in the order of the capture …
 *   timeline_end(t);
 *   for (size_t at = 0; (s = timeline_next(t, &at));) … */
#pragma once

#include "base/map.h"
#include "doctor/story.h"

#define STORIES_MAX    1000000
#define STRANGERS_MAX  4096 /* stories of hosts that have done nothing yet that only phones do */
#define HOSTS_MAX      (2 * STORIES_MAX)
#define NEIGHBOURS_MAX 16
#define SERVERS_MAX    256

/* A switch heard in the capture. */
struct neighbour {
    char device[40], port[32];
    struct mac mac;
    bool by_lldp, has_voice;
    uint16_t voice_vlan, native_vlan;
    struct spell seen;
};

/* What a server does for all phones together. */
struct service {
    struct spell asked, answered, refused;
    struct moment last_answer;
};

enum service_kind { SERVICE_DHCP, SERVICE_DNS, SERVICE_TFTP, SERVICE_HTTP, SERVICE_SCCP, SERVICE_SIP, N_SERVICES };

struct server_seen {
    struct ip ip;
    struct service services[N_SERVICES];
    unsigned n_registered; /* phones it accepted */
};

/* Two MAC addresses that answered for one IP address. */
struct arp_clash {
    uint32_t ip;
    struct mac a, b;
    struct spell seen_a, seen_b;
    unsigned n_more; /* answers since the second came */
};

#define CLASHES_MAX 64

struct timeline;

struct timeline *timeline_new(void); /* NULL without memory */
void timeline_free(struct timeline *t);
void timeline_see(void *timeline, const struct sight *s); /* a sight_fn */
/* The capture is over: what waits is settled. `until_ns`: time of its last packet, which may say nothing about phones; 0: not known. */
void timeline_end(struct timeline *t, int64_t until_ns);

/* Stories in the order they began: start with *cursor = 0, ends with NULL. */
const struct story *timeline_next(const struct timeline *t, size_t *cursor);
const struct story *timeline_story(const struct timeline *t, uint64_t id); /* NULL when there is none */
const struct story *timeline_named(const struct timeline *t, const char *name);
const struct story *timeline_mac(const struct timeline *t, struct mac mac);

/* The whole capture. */
struct capture_facts {
    struct moment first, last;
    uint64_t n_sights;
    unsigned n_tagged;          /* sights in a VLAN */
    struct spell lost;          /* bytes the capture lost */
    struct neighbour neighbours[NEIGHBOURS_MAX];
    struct server_seen servers[SERVERS_MAX];
    struct arp_clash clashes[CLASHES_MAX];
    unsigned n_neighbours, n_servers, n_clashes;
    unsigned n_phones;
    bool told;                  /* by a trace that leaves things out (keepalives, most of all) */
    bool full;                  /* a bound was reached: some phones are missing */
};

const struct capture_facts *timeline_facts(const struct timeline *t);
const struct server_seen *timeline_server(const struct timeline *t, struct ip ip); /* NULL when not seen */
