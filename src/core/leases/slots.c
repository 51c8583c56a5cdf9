/* slots.c - one lease: its owner, its state, its place in a pool. */
#include <errno.h>
#include <stdlib.h>

#include "core/leases/own.h"

struct text lease_address_key(const void *value)
{
    return (struct text){(const char *)&((const struct lease *)value)->address, sizeof(uint32_t)};
}

struct text lease_client_key(const void *value)
{
    const struct lease *lease = value;

    return (struct text){(const char *)lease->key, lease->key_len};
}

uint8_t lease_make_key(uint32_t network, const struct lease_client *c, uint8_t *to)
{
    memcpy(to, &network, sizeof(network));
    memcpy(to + sizeof(network), c->key, c->len);
    return (uint8_t)(sizeof(network) + c->len);
}

void lease_pools_free(struct lease_pool *pools, size_t n)
{
    if (!pools)
        return;
    for (size_t i = 0; i < n; i++)
        free_set_done(&pools[i].free);
    free(pools);
}

struct lease_pool *lease_pools_new(size_t n)
{
    struct lease_pool *pools = calloc(n, sizeof(*pools));

    for (size_t i = 0; pools && i < n; i++)
        for (int state = 0; state < LEASE_STATES; state++)
            list_init(&pools[i].by_state[state]);
    return pools;
}

static bool belongs_to(const struct lease *lease, const struct lease_client *c)
{
    return lease->key_len == sizeof(uint32_t) + c->len &&
           memcmp(lease->key + sizeof(uint32_t), c->key, c->len) == 0;
}

/* --- what may be given --- */

static bool is_own(const struct leases *l, uint32_t address)
{
    for (size_t i = 0; i < l->n_own; i++)
        if (l->own[i] == address)
            return true;
    return false;
}

/* Whether the address is one of those that anybody may get there. */
bool lease_is_common(const struct leases *l, size_t subnet, uint32_t address)
{
    const struct subnet *s = &l->subnets->at[subnet];

    return address >= s->first && address <= s->last && !subnet_excludes(s, address) &&
           !is_own(l, address) && !subnets_is_reserved(l->subnets, address);
}

/* The address reserved for a client there, unless somebody else sits on it still; 0. */
uint32_t lease_reservation(const struct leases *l, size_t subnet, const struct lease_client *c)
{
    uint32_t address = subnets_reserved_for(l->subnets, c->mac);
    const struct lease *there;

    if (!address || !subnet_has(&l->subnets->at[subnet], address))
        return 0;
    there = lease_at(l, address);
    if (there && !belongs_to(there, c) &&
        (there->state == LEASE_ACTIVE || there->state == LEASE_ABANDONED))
        return 0;
    return address;
}

bool lease_fits(const struct leases *l, size_t subnet, const struct lease_client *c,
                uint32_t address)
{
    uint32_t reserved = lease_reservation(l, subnet, c);

    return reserved ? address == reserved : lease_is_common(l, subnet, address);
}

/* --- moving a lease between states, pools, owners --- */

static void leave_pool(struct leases *l, struct lease *lease)
{
    if (!list_is_linked(&lease->order))
        return;
    l->pools[lease->pool].n[lease->state]--;
    list_remove(&lease->order);
}

static struct list *list_of(const struct leases *l, const struct lease *lease)
{
    struct lease_pool *p = &l->pools[lease->pool];
    bool idle = lease->state == LEASE_EXPIRED || lease->state == LEASE_ABANDONED;

    if (idle && lease->pool && !lease_is_common(l, lease->pool - 1u, lease->address))
        return &p->by_state[LEASE_FREE];
    return &p->by_state[lease->state];
}

void lease_join_pool(struct leases *l, struct lease *lease)
{
    list_append(list_of(l, lease), &lease->order);
    l->pools[lease->pool].n[lease->state]++;
}

void lease_set_state(struct leases *l, struct lease *lease, enum lease_state state, uint64_t now_ms)
{
    leave_pool(l, lease);
    if (lease->state != state)
        lease->since_ms = now_ms;
    lease->state = state;
    lease_join_pool(l, lease);
    if (state == LEASE_EXPIRED)
        timer_stop(&l->timers, &lease->timer);
    else
        timer_set(&l->timers, &lease->timer, lease->until_ms);
}

void lease_tell(struct leases *l, struct lease *lease)
{
    if (!list_is_linked(&lease->news))
        list_append(&l->news, &lease->news);
}

void lease_store(struct leases *l, struct lease *lease)
{
    if (lease->in_batch)
        lease->again = true;
    else if (!list_is_linked(&lease->change))
        list_append(&l->dirty, &lease->change);
}

/* The pool that has this address: index + 1 of its subnet, or 0. */
uint16_t lease_pool_of(const struct leases *l, uint32_t address)
{
    uint16_t fits = 0;

    for (size_t i = 0; i < l->subnets->n; i++) {
        const struct subnet *s = &l->subnets->at[i];

        if (address >= s->first && address <= s->last)
            return (uint16_t)(i + 1);
        if (subnet_has(s, address)) /* a reservation outside of the range */
            fits = (uint16_t)(i + 1);
    }
    return fits;
}

void lease_take_bit(struct leases *l, const struct lease *lease)
{
    struct lease_pool *p = &l->pools[lease->pool];

    if (lease->pool && lease->address >= p->first)
        free_set_take(&p->free, lease->address - p->first);
}

static void give_bit(struct leases *l, const struct lease *lease)
{
    struct lease_pool *p = &l->pools[lease->pool];

    if (lease->pool && lease_is_common(l, lease->pool - 1u, lease->address))
        free_set_give(&p->free, lease->address - p->first);
}

struct lease *lease_create(struct leases *l, uint32_t address)
{
    uint64_t id;
    struct slot *slot = pool_take(&l->slots, &id);

    if (!slot)
        return NULL;
    slot->id = id;
    slot->lease.address = address;
    if (map_put(&l->by_address, &slot->lease) < 0) {
        pool_give(&l->slots, id);
        return NULL;
    }
    slot->lease.pool = lease_pool_of(l, address);
    lease_take_bit(l, &slot->lease);
    return &slot->lease;
}

void lease_disown(struct leases *l, struct lease *lease)
{
    if (lease->key_len && map_get(&l->by_client, lease_client_key(lease)) == lease)
        map_remove(&l->by_client, lease_client_key(lease));
    lease->key_len = 0;
    lease->mac = (struct mac){0};
    lease->name[0] = lease->vendor[0] = '\0';
    lease->stored_ms = 0;
    lease->given = lease->phone = lease->probed = false;
}

void lease_drop(struct leases *l, struct lease *lease)
{
    lease_disown(l, lease);
    leave_pool(l, lease);
    timer_stop(&l->timers, &lease->timer);
    list_remove(&lease->change);
    list_remove(&lease->news);
    give_bit(l, lease);
    map_remove(&l->by_address, lease_address_key(lease));
    pool_give(&l->slots, container_of(lease, struct slot, lease)->id);
}

/* The client has gone for good: the address is the first to go to somebody else. */
void lease_forget(struct leases *l, struct lease *lease, uint64_t now_ms)
{
    if (lease->state == LEASE_ACTIVE)
        lease_tell(l, lease);
    lease->until_ms = now_ms;
    lease_set_state(l, lease, LEASE_EXPIRED, now_ms);
    list_remove(&lease->order);
    list_append(list_of(l, lease)->next, &lease->order); /* in front */
    if (lease->given)
        lease_store(l, lease);
    lease_disown(l, lease);
}

/* Makes `c` the owner of a lease that nobody uses. */
int lease_own(struct leases *l, size_t subnet, struct lease *lease, const struct lease_client *c)
{
    lease_disown(l, lease);
    lease->key_len = lease_make_key(l->subnets->at[subnet].network, c, lease->key);
    lease->mac = c->mac;
    if (map_put(&l->by_client, lease) == 0)
        return 0;
    lease->key_len = 0;
    return -ENOMEM;
}
