/* own.h - what the files of the leases share, and nobody else sees. */
#pragma once

#include "core/free_set.h"
#include "core/leases/leases.h"

#define LEASE_STATES (LEASE_ABANDONED + 1)

struct lease_pool {       /* pools[0] holds what no scope has any more; then one a subnet */
    struct free_set free; /* addresses that were never given, counted from `first` */
    uint32_t first;
    /* Expired and abandoned ones that not everybody may get (reserved, excluded since) stand in the
     * list of LEASE_FREE: the other two hold what can be given to somebody else. */
    struct list by_state[LEASE_STATES];
    uint32_t n[LEASE_STATES];
    uint32_t n_reserved;
};

struct leases {
    struct pool slots;
    struct map by_address, by_client;
    struct timers timers;
    struct subnets *subnets;
    struct lease_pool *pools;
    uint32_t *own;
    size_t n_own;
    struct list dirty, flying, news;
    uint64_t batch;
    bool storing;
};

struct slot {
    struct lease lease;
    uint64_t id;
};

/* slots.c: one lease, its owner, its place */
struct text lease_address_key(const void *value);
struct text lease_client_key(const void *value);
uint8_t lease_make_key(uint32_t network, const struct lease_client *c, uint8_t *to);
struct lease_pool *lease_pools_new(size_t n);
void lease_pools_free(struct lease_pool *pools, size_t n);
bool lease_is_common(const struct leases *l, size_t subnet,
                     uint32_t address); /* anybody may get it */
/* The address reserved for a client there, unless somebody else sits on it still; 0. */
uint32_t lease_reservation(const struct leases *l, size_t subnet, const struct lease_client *c);
uint16_t lease_pool_of(const struct leases *l,
                       uint32_t address); /* index + 1 of its subnet, or 0 */
void lease_take_bit(struct leases *l, const struct lease *lease);
void lease_join_pool(struct leases *l, struct lease *lease);
void lease_set_state(struct leases *l, struct lease *lease, enum lease_state state,
                     uint64_t now_ms);
struct lease *lease_create(struct leases *l,
                           uint32_t address); /* of nobody; NULL when it exists or without room */
void lease_drop(struct leases *l, struct lease *lease); /* no longer remembered */
void lease_forget(struct leases *l, struct lease *lease,
                  uint64_t now_ms); /* its client has gone for good */
void lease_disown(struct leases *l, struct lease *lease); /* it has no client any more */
/* Makes `c` the owner of a lease that nobody uses; 0 or -ENOMEM. */
int lease_own(struct leases *l, size_t subnet, struct lease *lease, const struct lease_client *c);
void lease_tell(struct leases *l, struct lease *lease);  /* its owner changed */
void lease_store(struct leases *l, struct lease *lease); /* it belongs into a batch */
