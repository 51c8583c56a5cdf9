/* leases.h - who has which address, until when: pools, stickiness, expiry, and what must be stored.
 *
 * Addresses are numbers in host order. Time is milliseconds of a wall clock that never jumps (the
 * caller adds the wall time of its start to a monotonic clock). Choosing an address costs O(log n)
 * in any pool, however full. A client keeps its address for as long as nobody else needs it.
 *
 * An address once given is remembered (LEASE_EXPIRED) after its end, and goes to somebody else only
 * when the pool has no address that was never given: the one that ended longest ago first.
 *
 * What is acknowledged to a client must be on disk first. lease_commit gives the number of the
 * batch that will hold the change; leases_batch makes the rows of the next batch (one batch under
 * way at a time: group commit), leases_stored ends it. What is stored reaches an eighth of the
 * lease time further than what the client is told, so that a client that asks again soon costs no
 * write. */
#pragma once

#include "base/list.h"
#include "base/map.h"
#include "base/pool.h"
#include "base/timers.h"
#include "core/subnets.h"

#define LEASE_KEY_MAX 32
#define LEASES_MAX    (1u << 20) /* addresses remembered at once */

enum lease_state { LEASE_FREE, LEASE_OFFERED, LEASE_ACTIVE, LEASE_EXPIRED, LEASE_ABANDONED };

extern const char *const lease_states[]; /* "offered", "active", … */

/* Who asks: the client identifier, or hardware type and address (RFC 2131 4.2). */
struct lease_client {
    uint8_t len;
    uint8_t key[LEASE_KEY_MAX];
    struct mac mac; /* zero unless Ethernet */
};

/* What is stored of a lease: one address. */
struct lease_row {
    uint32_t address;
    uint8_t state;
    uint64_t until_s; /* wall clock */
    struct lease_client client;
    char name[16];   /* host name or device name, cut */
    char vendor[24]; /* end of the vendor class, cut */
};

struct lease_rows { /* one heap block, free with lease_rows_free */
    size_t n;
    struct lease_row at[];
};

void lease_rows_free(struct lease_rows *rows); /* NULL is fine */

struct lease {
    struct list order;  /* of its pool and state, oldest first */
    struct list change; /* waits for a batch, or is in the one under way */
    struct list news;   /* its owner changed and nobody has been told */
    struct timer timer;
    uint64_t until_ms;  /* as the client was told; of an offer, how long it is held */
    uint64_t stored_ms; /* as the disk knows it, or will with the present batches */
    uint64_t since_ms;  /* of the state */
    uint32_t address;
    uint16_t pool; /* index + 1; 0: no scope has it any more */
    uint8_t state;
    bool given;           /* was ever acknowledged to this client */
    bool in_batch, again; /* in the batch under way; and changed since */
    bool phone;
    bool probed; /* nobody answered when we asked who has it */
    uint8_t key_len;
    uint8_t key[4 + LEASE_KEY_MAX]; /* network and client: what it is found by */
    struct mac mac;
    char name[16];
    char vendor[24];
};

struct leases;

struct leases *leases_new(uint64_t now_ms); /* NULL without memory */
void leases_free(struct leases *l);

/* Takes new scopes and reservations. Leases stay; `own` are addresses never given (this server's).
 * 0 or -ENOMEM, then nothing changed. Takes ownership of `take_subnets` in any case. */
int leases_configure(struct leases *l, struct subnets *take_subnets, const uint32_t *own, size_t n);
const struct subnets *leases_subnets(const struct leases *l);

/* A row read from disk at the start, in any order of addresses: each address once. */
int leases_load(struct leases *l, const struct lease_row *row);

struct lease_client lease_client_of(struct text id, uint8_t htype, const uint8_t *hardware,
                                    size_t len);
struct lease *lease_at(const struct leases *l, uint32_t address);
/* Any lease of that Ethernet address, active ones first. O(all). */
struct lease *leases_by_mac(const struct leases *l, struct mac mac);
/* The lease of a client in the subnet of that index, or NULL. */
struct lease *lease_of(const struct leases *l, size_t subnet, const struct lease_client *c);
/* Whether this client may have that address there, as far as scopes and reservations say. */
bool lease_fits(const struct leases *l, size_t subnet, const struct lease_client *c,
                uint32_t address);

/* The address to offer: the reserved one, the one it has or had, `wanted` (0: none) when it is
 * free, any free one, the one that ended longest ago, the one abandoned longest ago. Held for the
 * client until `hold_ms` from now unless it is active already. NULL: nothing is left. */
struct lease *lease_offer(struct leases *l, size_t subnet, const struct lease_client *c,
                          uint32_t wanted, uint64_t now_ms, uint64_t hold_ms);
/* Active for so long. Returns the batch after which it may be acknowledged; 0: it is durable
 * already. Another address that the client had in this subnet is given up. */
uint64_t lease_commit(struct leases *l, struct lease *lease, uint64_t now_ms, uint32_t seconds);
void lease_describe(struct lease *lease, struct text name, struct text vendor, bool phone);
void lease_withdraw(struct leases *l, struct lease *lease); /* the client took another offer */
void lease_release(struct leases *l, struct lease *lease, uint64_t now_ms);
void lease_abandon(struct leases *l, struct lease *lease, uint64_t now_ms, uint32_t seconds);

void leases_expire(struct leases *l, uint64_t now_ms);
uint64_t leases_next(const struct leases *l, uint64_t now_ms); /* as timers_next */

/* The rows of the next batch, or NULL: none under way may be, nothing changed, or no memory. */
struct lease_rows *leases_batch(struct leases *l, uint64_t *batch);
/* The end of the batch under way. When it failed its leases wait for the next one. */
void leases_stored(struct leases *l, bool ok);
bool leases_waiting(const struct leases *l); /* changed, and not in a batch under way */

/* The next lease whose owner changed, taken off the list, or NULL: active, then it has an owner;
 * otherwise it has none now. lease_tell_again puts it back. */
struct lease *leases_news(struct leases *l);
void lease_tell_again(struct leases *l, struct lease *lease);

struct lease_counts {
    uint32_t size, n_free, active, offered, expired, abandoned, reserved;
};

struct lease_counts leases_count(const struct leases *l, size_t subnet);
size_t leases_total(const struct leases *l);
/* Up to `max` leases with addresses above `after`, ascending. O(all). Returns how many. */
size_t leases_page(const struct leases *l, uint32_t after, struct lease **to, size_t max);
