/* scopes.c - scopes and reservations that change under leases that stay. */
#include <errno.h>
#include <stdlib.h>

#include "core/leases/own.h"

static int fill_pool(struct leases *l, const struct subnets *subnets, size_t i,
                     struct lease_pool *p)
{
    const struct subnet *s = &subnets->at[i];

    p->first = s->first;
    if (free_set_init(&p->free, s->last - s->first + 1) < 0)
        return -ENOMEM;
    free_set_give_all(&p->free);
    for (uint8_t k = 0; k < s->n_excluded; k++) {
        uint32_t from = s->excluded[k].first > s->first ? s->excluded[k].first : s->first;
        uint32_t to = s->excluded[k].last < s->last ? s->excluded[k].last : s->last;

        for (uint64_t a = from; a <= to; a++)
            free_set_take(&p->free, (uint32_t)a - s->first);
    }
    for (size_t k = 0; k < subnets->n_reserved; k++) {
        if (!subnet_has(s, subnets->addresses[k]))
            continue;
        p->n_reserved++;
        if (subnets->addresses[k] >= s->first)
            free_set_take(&p->free, subnets->addresses[k] - s->first);
    }
    return 0;
}

static struct lease_pool *new_pools(struct leases *l, const struct subnets *subnets,
                                    const uint32_t *own_addresses, size_t n_own)
{
    struct lease_pool *pools = lease_pools_new(subnets->n + 1);

    for (size_t i = 0; pools && i < subnets->n; i++) {
        struct lease_pool *p = &pools[i + 1];

        if (fill_pool(l, subnets, i, p) < 0) {
            lease_pools_free(pools, subnets->n + 1);
            return NULL;
        }
        for (size_t k = 0; k < n_own; k++)
            if (own_addresses[k] >= p->first)
                free_set_take(&p->free, own_addresses[k] - p->first);
    }
    return pools;
}

/* The network of a client's key follows the scope; when two meet, the second one is forgotten. */
static void rekey(struct leases *l, struct lease *lease)
{
    uint32_t network;

    if (!lease->pool || !lease->key_len)
        return;
    network = l->subnets->at[lease->pool - 1].network;
    if (memcmp(lease->key, &network, sizeof(network)) == 0)
        return;
    map_remove(&l->by_client, lease_client_key(lease));
    memcpy(lease->key, &network, sizeof(network));
    if (map_put(&l->by_client, lease) < 0)
        lease->key_len = 0;
}

static void move_to_new_pool(struct leases *l, struct lease *lease)
{
    lease->pool = lease_pool_of(l, lease->address);
    lease_join_pool(l, lease);
    lease_take_bit(l, lease);
    rekey(l, lease);
}

int leases_configure(struct leases *l, struct subnets *take_subnets, const uint32_t *own_addresses,
                     size_t n)
{
    struct lease_pool *old = l->pools, *pools = new_pools(l, take_subnets, own_addresses, n);
    size_t n_old = l->subnets->n + 1;
    uint32_t *copy = malloc((n ? n : 1) * sizeof(*copy));

    if (!pools || !copy || take_subnets->n >= UINT16_MAX) {
        lease_pools_free(pools, take_subnets->n + 1);
        subnets_free(take_subnets);
        free(copy);
        return -ENOMEM;
    }
    if (n)
        memcpy(copy, own_addresses, n * sizeof(*copy));
    subnets_free(l->subnets);
    free(l->own);
    l->subnets = take_subnets;
    l->pools = pools;
    l->own = copy;
    l->n_own = n;
    for (size_t i = 0; i < n_old; i++)
        for (int state = 0; state < LEASE_STATES; state++) {
            struct list *node;

            while ((node = list_take(&old[i].by_state[state])))
                move_to_new_pool(l, container_of(node, struct lease, order));
        }
    lease_pools_free(old, n_old);
    return 0;
}
