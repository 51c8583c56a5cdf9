/* rows.c - leases on their way to disk and back, and for people who look. */
#include <errno.h>
#include <stdlib.h>

#include "core/leases/own.h"

/* --- disk --- */

static void load_owner(struct leases *l, struct lease *lease, const struct lease_row *row)
{
    uint32_t network = lease->pool ? l->subnets->at[lease->pool - 1].network : lease->address;
    struct lease *before;

    lease->key_len = lease_make_key(network, &row->client, lease->key);
    lease->mac = row->client.mac;
    lease->given = true;
    lease->phone = memcmp(row->name, "SEP", 3) == 0;
    memcpy(lease->name, row->name, sizeof(lease->name));
    memcpy(lease->vendor, row->vendor, sizeof(lease->vendor));
    before = map_get(&l->by_client, lease_client_key(lease));
    if (before) /* written earlier: it was given up, and the row that said so was lost */
        lease_forget(l, before, l->timers.now_ms);
    if (map_put(&l->by_client, lease) < 0)
        lease->key_len = 0;
}

static bool worth_remembering(const struct leases *l, const struct lease_row *row, bool over)
{
    bool has_scope = lease_pool_of(l, row->address) != 0;

    switch (row->state) {
    case LEASE_ACTIVE:
        return !over || (has_scope && row->client.len);
    case LEASE_EXPIRED:
        return has_scope && row->client.len;
    default:
        return has_scope && !over;
    }
}

int leases_load(struct leases *l, const struct lease_row *row)
{
    uint64_t now_ms = l->timers.now_ms;
    bool over = row->until_s * 1000 <= now_ms;
    struct lease *lease;

    if (row->state <= LEASE_OFFERED || row->state > LEASE_ABANDONED ||
        row->client.len > LEASE_KEY_MAX || lease_at(l, row->address))
        return -EINVAL;
    if (!worth_remembering(l, row, over))
        return 0;
    if (!(lease = lease_create(l, row->address)))
        return -ENOMEM;
    lease->until_ms = row->until_s * 1000;
    if (row->client.len)
        load_owner(l, lease, row);
    if (row->state == LEASE_ACTIVE && !over) {
        lease->stored_ms = lease->until_ms;
        lease_set_state(l, lease, LEASE_ACTIVE, now_ms);
        lease_tell(l, lease);
    } else {
        lease_set_state(l, lease, row->state == LEASE_ACTIVE ? LEASE_EXPIRED : row->state, now_ms);
    }
    return 0;
}

static void make_row(const struct lease *lease, struct lease_row *row)
{
    *row = (struct lease_row){.address = lease->address, .state = lease->state};
    row->until_s = (lease->state == LEASE_ACTIVE ? lease->stored_ms : lease->until_ms) / 1000;
    if (lease->key_len) {
        row->client.len = (uint8_t)(lease->key_len - sizeof(uint32_t));
        memcpy(row->client.key, lease->key + sizeof(uint32_t), row->client.len);
        row->client.mac = lease->mac;
    }
    if (lease->state == LEASE_OFFERED) /* offered again while its end is being written */
        row->state = LEASE_EXPIRED;
    memcpy(row->name, lease->name, sizeof(row->name));
    memcpy(row->vendor, lease->vendor, sizeof(row->vendor));
}

bool leases_waiting(const struct leases *l)
{
    return !list_is_empty(&l->dirty);
}

struct lease_rows *leases_batch(struct leases *l, uint64_t *batch)
{
    struct lease_rows *rows;
    size_t n = 0;

    if (l->storing || list_is_empty(&l->dirty))
        return NULL;
    list_for_each(&l->dirty, node) n++;
    if (!(rows = malloc(sizeof(*rows) + n * sizeof(rows->at[0]))))
        return NULL;
    rows->n = 0;
    for (struct list *node; (node = list_take(&l->dirty));) {
        struct lease *lease = container_of(node, struct lease, change);

        make_row(lease, &rows->at[rows->n++]);
        lease->in_batch = true;
        list_append(&l->flying, node);
    }
    l->storing = true;
    *batch = ++l->batch;
    return rows;
}

void leases_stored(struct leases *l, bool ok)
{
    for (struct list *node; (node = list_take(&l->flying));) {
        struct lease *lease = container_of(node, struct lease, change);

        if (!ok || lease->again)
            list_append(&l->dirty, node);
        lease->in_batch = lease->again = false;
    }
    l->storing = false;
}

/* --- who wants to know --- */

struct lease *leases_news(struct leases *l)
{
    struct list *node = list_take(&l->news);

    return node ? container_of(node, struct lease, news) : NULL;
}

void lease_tell_again(struct leases *l, struct lease *lease)
{
    lease_tell(l, lease);
}

struct lease_counts leases_count(const struct leases *l, size_t subnet)
{
    const struct lease_pool *p = &l->pools[subnet + 1];

    return (struct lease_counts){p->free.size,        p->free.n_free,      p->n[LEASE_ACTIVE],
                                 p->n[LEASE_OFFERED], p->n[LEASE_EXPIRED], p->n[LEASE_ABANDONED],
                                 p->n_reserved};
}

size_t leases_total(const struct leases *l)
{
    return l->slots.n;
}

/* Puts a lease where it belongs among the smallest `max` seen so far. */
static size_t keep_smallest(struct lease **to, size_t n, size_t max, struct lease *lease)
{
    size_t low = 0, high = n;

    if (n == max && lease->address > to[n - 1]->address)
        return n;
    while (low < high) {
        size_t middle = (low + high) / 2;

        if (to[middle]->address < lease->address)
            low = middle + 1;
        else
            high = middle;
    }
    if (n < max)
        n++;
    memmove(to + low + 1, to + low, (n - 1 - low) * sizeof(struct lease *));
    to[low] = lease;
    return n;
}

static int compare_leases(const void *a, const void *b)
{
    const struct lease *x, *y;

    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return (x->address > y->address) - (x->address < y->address);
}

size_t leases_page(const struct leases *l, uint32_t after, struct lease **to, size_t max)
{
    bool room_for_all = max >= l->slots.n;
    size_t n = 0, cursor = 0;
    struct slot *slot;
    uint64_t id;

    while (max && (slot = pool_next(&l->slots, &cursor, &id))) {
        if (slot->lease.address <= after)
            continue;
        if (room_for_all)
            to[n++] = &slot->lease;
        else
            n = keep_smallest(to, n, max, &slot->lease);
    }
    if (room_for_all && n)
        qsort(to, n, sizeof(struct lease *), compare_leases);
    return n;
}

struct lease *leases_by_mac(const struct leases *l, struct mac mac)
{
    struct lease *found = NULL;
    size_t cursor = 0;
    struct slot *slot;
    uint64_t id;

    while ((slot = pool_next(&l->slots, &cursor, &id)))
        if (mac_equal(slot->lease.mac, mac) && (!found || slot->lease.state == LEASE_ACTIVE))
            found = &slot->lease;
    return found;
}
