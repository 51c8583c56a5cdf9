#include "core/leases/leases.h"

#include <errno.h>
#include <stdlib.h>

#include "core/leases/own.h"

#define CISCO_CLASS_LEN strlen("Cisco Systems, Inc. ")

const char *const lease_states[] = {"free", "offered", "active", "expired", "abandoned"};

void lease_rows_free(struct lease_rows *rows)
{
    free(rows);
}

/* --- life --- */

struct leases *leases_new(uint64_t now_ms)
{
    struct leases *l = calloc(1, sizeof(*l));

    if (!l)
        return NULL;
    l->subnets = subnets_empty();
    l->pools = lease_pools_new(1);
    if (!l->subnets || !l->pools) {
        subnets_free(l->subnets);
        free(l->pools);
        free(l);
        return NULL;
    }
    pool_init(&l->slots, sizeof(struct slot), LEASES_MAX);
    map_init(&l->by_address, lease_address_key);
    map_init(&l->by_client, lease_client_key);
    timers_init(&l->timers, now_ms);
    list_init(&l->dirty);
    list_init(&l->flying);
    list_init(&l->news);
    return l;
}

void leases_free(struct leases *l)
{
    if (!l)
        return;
    map_done(&l->by_address);
    map_done(&l->by_client);
    pool_done(&l->slots);
    lease_pools_free(l->pools, l->subnets->n + 1);
    subnets_free(l->subnets);
    free(l->own);
    free(l);
}

const struct subnets *leases_subnets(const struct leases *l)
{
    return l->subnets;
}

/* A long identifier keeps its first bytes and ends in a hash of all (FNV-1a: the same for ever). */
struct lease_client lease_client_of(struct text id, uint8_t htype, const uint8_t *hardware,
                                    size_t len)
{
    struct lease_client c = {.len = LEASE_KEY_MAX};
    uint64_t hash = 0xcbf29ce484222325u;

    if (len > 16)
        len = 16;
    if (htype == 1 && len == 6)
        memcpy(c.mac.bytes, hardware, 6);
    if (id.len < 2) { /* RFC 2132 9.14: at least two octets */
        c.len = (uint8_t)(len + 1);
        c.key[0] = htype;
        memcpy(c.key + 1, hardware, len);
    } else if (id.len <= LEASE_KEY_MAX) {
        c.len = (uint8_t)id.len;
        memcpy(c.key, id.at, id.len);
    } else {
        for (size_t i = 0; i < id.len; i++)
            hash = (hash ^ (uint8_t)id.at[i]) * 0x100000001b3u;
        memcpy(c.key, id.at, LEASE_KEY_MAX - sizeof(hash));
        memcpy(c.key + LEASE_KEY_MAX - sizeof(hash), &hash, sizeof(hash));
    }
    return c;
}

struct lease *lease_at(const struct leases *l, uint32_t address)
{
    return map_get(&l->by_address, (struct text){(const char *)&address, sizeof(address)});
}

struct lease *lease_of(const struct leases *l, size_t subnet, const struct lease_client *c)
{
    uint8_t key[sizeof(((struct lease *)NULL)->key)];
    uint8_t len = lease_make_key(l->subnets->at[subnet].network, c, key);

    return map_get(&l->by_client, (struct text){(const char *)key, len});
}

/* --- offers --- */

static uint32_t preferred(const struct lease_client *c, uint32_t size)
{
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a: the same address after every restart */

    for (uint8_t i = 0; i < c->len; i++)
        hash = (hash ^ c->key[i]) * 0x100000001b3u;
    return (uint32_t)((hash ^ hash >> 32) % size);
}

static struct lease *oldest(const struct leases *l, size_t subnet, enum lease_state state)
{
    struct list *list = &l->pools[subnet + 1].by_state[state];

    return list_is_empty(list) ? NULL : container_of(list->next, struct lease, order);
}

static bool is_free(const struct leases *l, size_t subnet, uint32_t address)
{
    const struct lease_pool *p = &l->pools[subnet + 1];

    return address >= p->first && free_set_has(&p->free, address - p->first);
}

/* The lease of `address` made ready for a new owner, or NULL while somebody has it. */
static struct lease *vacant(struct leases *l, uint32_t address)
{
    struct lease *lease = lease_at(l, address);

    if (!lease)
        return lease_create(l, address);
    return lease->state == LEASE_EXPIRED || lease->state == LEASE_OFFERED ? lease : NULL;
}

static struct lease *choose(struct leases *l, size_t subnet, const struct lease_client *c,
                            uint32_t wanted)
{
    struct lease_pool *p = &l->pools[subnet + 1];
    struct lease *lease = wanted ? lease_at(l, wanted) : NULL;
    uint32_t free;

    if (lease && lease->state == LEASE_EXPIRED && !lease->key_len &&
        lease_is_common(l, subnet, wanted))
        return lease; /* its client gave it up for another */
    if (wanted && is_free(l, subnet, wanted) && (lease = lease_create(l, wanted)))
        return lease;
    free = p->free.n_free ? free_set_next(&p->free, preferred(c, p->free.size)) : FREE_SET_NONE;
    if (free != FREE_SET_NONE && (lease = lease_create(l, p->first + free)))
        return lease;
    lease = oldest(l, subnet, LEASE_EXPIRED);
    return lease ? lease : oldest(l, subnet, LEASE_ABANDONED);
}

static struct lease *hold(struct leases *l, struct lease *lease, uint64_t now_ms, uint64_t hold_ms)
{
    if (lease->state != LEASE_ACTIVE) {
        lease->until_ms = now_ms + hold_ms;
        lease_set_state(l, lease, LEASE_OFFERED, now_ms);
    }
    return lease;
}

struct lease *lease_offer(struct leases *l, size_t subnet, const struct lease_client *c,
                          uint32_t wanted, uint64_t now_ms, uint64_t hold_ms)
{
    uint32_t reserved = lease_reservation(l, subnet, c);
    struct lease *has = lease_of(l, subnet, c), *lease = NULL;

    if (has && lease_fits(l, subnet, c, has->address))
        return hold(l, has, now_ms, hold_ms);
    lease = reserved ? vacant(l, reserved) : choose(l, subnet, c, wanted);
    if (!lease)
        return NULL;
    if (has)
        lease_forget(l, has, now_ms);
    if (lease_own(l, subnet, lease, c) < 0)
        return NULL;
    return hold(l, lease, now_ms, hold_ms);
}

void lease_describe(struct lease *lease, struct text name, struct text vendor, bool phone)
{
    if (name.len >= sizeof(lease->name))
        name.len = text_utf8_cut(name, sizeof(lease->name) - 1);
    text_copy(lease->name, sizeof(lease->name), name);
    if (text_starts(vendor, "Cisco System") && vendor.len > CISCO_CLASS_LEN)
        vendor = text_skip(vendor, CISCO_CLASS_LEN); /* what differs stands at the end */
    text_copy(lease->vendor, sizeof(lease->vendor), vendor);
    lease->phone = phone;
}

/* --- commits --- */

static uint64_t ticket(const struct leases *l, const struct lease *lease)
{
    if (lease->in_batch)
        return lease->again ? l->batch + 1 : l->batch;
    return list_is_linked(&lease->change) ? l->batch + 1 : 0;
}

uint64_t lease_commit(struct leases *l, struct lease *lease, uint64_t now_ms, uint32_t seconds)
{
    uint64_t length_ms = (uint64_t)seconds * 1000;

    if (lease->state != LEASE_ACTIVE)
        lease_tell(l, lease);
    lease->given = true;
    lease->until_ms = now_ms + length_ms;
    lease_set_state(l, lease, LEASE_ACTIVE, now_ms);
    if (lease->until_ms > lease->stored_ms) {
        lease->stored_ms = lease->until_ms + length_ms / 8;
        lease_store(l, lease);
    }
    return ticket(l, lease);
}

void lease_withdraw(struct leases *l, struct lease *lease)
{
    if (lease->state != LEASE_OFFERED)
        return;
    if (lease->given)
        lease_set_state(l, lease, LEASE_EXPIRED, lease->since_ms);
    else
        lease_drop(l, lease);
}

void lease_release(struct leases *l, struct lease *lease, uint64_t now_ms)
{
    if (lease->state == LEASE_ACTIVE) {
        lease->until_ms = now_ms;
        lease->stored_ms = 0;
        lease_set_state(l, lease, LEASE_EXPIRED, now_ms);
        lease_tell(l, lease);
        lease_store(l, lease);
    } else if (lease->state == LEASE_OFFERED) {
        lease_withdraw(l, lease);
    } else if (lease->state == LEASE_ABANDONED) {
        lease_forget(l, lease, now_ms);
        lease_store(l, lease);
    }
}

void lease_abandon(struct leases *l, struct lease *lease, uint64_t now_ms, uint32_t seconds)
{
    if (lease->state == LEASE_ACTIVE)
        lease_tell(l, lease);
    lease_disown(l, lease);
    lease->until_ms = now_ms + (uint64_t)seconds * 1000;
    lease_set_state(l, lease, LEASE_ABANDONED, now_ms);
    lease_store(l, lease);
}

/* --- time --- */

static void end(struct leases *l, struct lease *lease, uint64_t now_ms)
{
    if (lease->state == LEASE_ACTIVE)
        lease_tell(l, lease);
    if (lease->state == LEASE_ABANDONED || !lease->given)
        lease_drop(l, lease);
    else
        lease_set_state(l, lease, LEASE_EXPIRED, now_ms);
}

void leases_expire(struct leases *l, uint64_t now_ms)
{
    struct timer *timer;

    while ((timer = timers_expire(&l->timers, now_ms)))
        end(l, container_of(timer, struct lease, timer), now_ms);
}

uint64_t leases_next(const struct leases *l, uint64_t now_ms)
{
    return timers_next(&l->timers, now_ms);
}
