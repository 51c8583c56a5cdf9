#include "core/leases.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "core/free_set.h"

#define N_STATES        (LEASE_ABANDONED + 1)
#define CISCO_CLASS_LEN strlen("Cisco Systems, Inc. ")

struct lease_pool {       /* pools[0] holds what no scope has any more; then one a subnet */
    struct free_set free; /* addresses that were never given, counted from `first` */
    uint32_t first;
    /* Expired and abandoned ones that not everybody may get (reserved, excluded since) stand in the
     * list of LEASE_FREE: the other two hold what can be given to somebody else. */
    struct list by_state[N_STATES];
    uint32_t n[N_STATES];
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

const char *const lease_states[] = {"free", "offered", "active", "expired", "abandoned"};

void lease_rows_free(struct lease_rows *rows)
{
    free(rows);
}

/* --- the parts --- */

static struct text address_key(const void *value)
{
    return (struct text){(const char *)&((const struct lease *)value)->address, sizeof(uint32_t)};
}

static struct text client_key(const void *value)
{
    const struct lease *lease = value;

    return (struct text){(const char *)lease->key, lease->key_len};
}

static void pools_free(struct lease_pool *pools, size_t n)
{
    if (!pools)
        return;
    for (size_t i = 0; i < n; i++)
        free_set_done(&pools[i].free);
    free(pools);
}

static struct lease_pool *pools_new(size_t n)
{
    struct lease_pool *pools = calloc(n, sizeof(*pools));

    for (size_t i = 0; pools && i < n; i++)
        for (int state = 0; state < N_STATES; state++)
            list_init(&pools[i].by_state[state]);
    return pools;
}

struct leases *leases_new(uint64_t now_ms)
{
    struct leases *l = calloc(1, sizeof(*l));

    if (!l)
        return NULL;
    l->subnets = subnets_empty();
    l->pools = pools_new(1);
    if (!l->subnets || !l->pools) {
        subnets_free(l->subnets);
        free(l->pools);
        free(l);
        return NULL;
    }
    pool_init(&l->slots, sizeof(struct slot), LEASES_MAX);
    map_init(&l->by_address, address_key);
    map_init(&l->by_client, client_key);
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
    pools_free(l->pools, l->subnets->n + 1);
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

static uint8_t make_key(uint32_t network, const struct lease_client *c, uint8_t *to)
{
    memcpy(to, &network, sizeof(network));
    memcpy(to + sizeof(network), c->key, c->len);
    return (uint8_t)(sizeof(network) + c->len);
}

struct lease *lease_at(const struct leases *l, uint32_t address)
{
    return map_get(&l->by_address, (struct text){(const char *)&address, sizeof(address)});
}

struct lease *lease_of(const struct leases *l, size_t subnet, const struct lease_client *c)
{
    uint8_t key[sizeof(((struct lease *)NULL)->key)];
    uint8_t len = make_key(l->subnets->at[subnet].network, c, key);

    return map_get(&l->by_client, (struct text){(const char *)key, len});
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
static bool is_common(const struct leases *l, size_t subnet, uint32_t address)
{
    const struct subnet *s = &l->subnets->at[subnet];

    return address >= s->first && address <= s->last && !subnet_excludes(s, address) &&
           !is_own(l, address) && !subnets_is_reserved(l->subnets, address);
}

/* The address reserved for a client there, unless somebody else sits on it still; 0. */
static uint32_t reservation(const struct leases *l, size_t subnet, const struct lease_client *c)
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
    uint32_t reserved = reservation(l, subnet, c);

    return reserved ? address == reserved : is_common(l, subnet, address);
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

    if (idle && lease->pool && !is_common(l, lease->pool - 1u, lease->address))
        return &p->by_state[LEASE_FREE];
    return &p->by_state[lease->state];
}

static void join_pool(struct leases *l, struct lease *lease)
{
    list_append(list_of(l, lease), &lease->order);
    l->pools[lease->pool].n[lease->state]++;
}

static void set_state(struct leases *l, struct lease *lease, enum lease_state state,
                      uint64_t now_ms)
{
    leave_pool(l, lease);
    if (lease->state != state)
        lease->since_ms = now_ms;
    lease->state = state;
    join_pool(l, lease);
    if (state == LEASE_EXPIRED)
        timer_stop(&l->timers, &lease->timer);
    else
        timer_set(&l->timers, &lease->timer, lease->until_ms);
}

static void tell(struct leases *l, struct lease *lease)
{
    if (!list_is_linked(&lease->news))
        list_append(&l->news, &lease->news);
}

static void store(struct leases *l, struct lease *lease)
{
    if (lease->in_batch)
        lease->again = true;
    else if (!list_is_linked(&lease->change))
        list_append(&l->dirty, &lease->change);
}

/* The pool that has this address: index + 1 of its subnet, or 0. */
static uint16_t pool_of(const struct leases *l, uint32_t address)
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

static void take_bit(struct leases *l, const struct lease *lease)
{
    struct lease_pool *p = &l->pools[lease->pool];

    if (lease->pool && lease->address >= p->first)
        free_set_take(&p->free, lease->address - p->first);
}

static void give_bit(struct leases *l, const struct lease *lease)
{
    struct lease_pool *p = &l->pools[lease->pool];

    if (lease->pool && is_common(l, lease->pool - 1u, lease->address))
        free_set_give(&p->free, lease->address - p->first);
}

static struct lease *create(struct leases *l, uint32_t address)
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
    slot->lease.pool = pool_of(l, address);
    take_bit(l, &slot->lease);
    return &slot->lease;
}

static void disown(struct leases *l, struct lease *lease)
{
    if (lease->key_len && map_get(&l->by_client, client_key(lease)) == lease)
        map_remove(&l->by_client, client_key(lease));
    lease->key_len = 0;
    lease->mac = (struct mac){0};
    lease->name[0] = lease->vendor[0] = '\0';
    lease->stored_ms = 0;
    lease->given = lease->phone = lease->probed = false;
}

static void drop(struct leases *l, struct lease *lease)
{
    disown(l, lease);
    leave_pool(l, lease);
    timer_stop(&l->timers, &lease->timer);
    list_remove(&lease->change);
    list_remove(&lease->news);
    give_bit(l, lease);
    map_remove(&l->by_address, address_key(lease));
    pool_give(&l->slots, container_of(lease, struct slot, lease)->id);
}

/* The client has gone for good: the address is the first to go to somebody else. */
static void forget(struct leases *l, struct lease *lease, uint64_t now_ms)
{
    if (lease->state == LEASE_ACTIVE)
        tell(l, lease);
    lease->until_ms = now_ms;
    set_state(l, lease, LEASE_EXPIRED, now_ms);
    list_remove(&lease->order);
    list_append(list_of(l, lease)->next, &lease->order); /* in front */
    if (lease->given)
        store(l, lease);
    disown(l, lease);
}

/* Makes `c` the owner of a lease that nobody uses. */
static int own(struct leases *l, size_t subnet, struct lease *lease, const struct lease_client *c)
{
    disown(l, lease);
    lease->key_len = make_key(l->subnets->at[subnet].network, c, lease->key);
    lease->mac = c->mac;
    if (map_put(&l->by_client, lease) == 0)
        return 0;
    lease->key_len = 0;
    return -ENOMEM;
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
        return create(l, address);
    return lease->state == LEASE_EXPIRED || lease->state == LEASE_OFFERED ? lease : NULL;
}

static struct lease *choose(struct leases *l, size_t subnet, const struct lease_client *c,
                            uint32_t wanted)
{
    struct lease_pool *p = &l->pools[subnet + 1];
    struct lease *lease = wanted ? lease_at(l, wanted) : NULL;
    uint32_t free;

    if (lease && lease->state == LEASE_EXPIRED && !lease->key_len && is_common(l, subnet, wanted))
        return lease; /* its client gave it up for another */
    if (wanted && is_free(l, subnet, wanted) && (lease = create(l, wanted)))
        return lease;
    free = p->free.n_free ? free_set_next(&p->free, preferred(c, p->free.size)) : FREE_SET_NONE;
    if (free != FREE_SET_NONE && (lease = create(l, p->first + free)))
        return lease;
    lease = oldest(l, subnet, LEASE_EXPIRED);
    return lease ? lease : oldest(l, subnet, LEASE_ABANDONED);
}

static struct lease *hold(struct leases *l, struct lease *lease, uint64_t now_ms, uint64_t hold_ms)
{
    if (lease->state != LEASE_ACTIVE) {
        lease->until_ms = now_ms + hold_ms;
        set_state(l, lease, LEASE_OFFERED, now_ms);
    }
    return lease;
}

struct lease *lease_offer(struct leases *l, size_t subnet, const struct lease_client *c,
                          uint32_t wanted, uint64_t now_ms, uint64_t hold_ms)
{
    uint32_t reserved = reservation(l, subnet, c);
    struct lease *has = lease_of(l, subnet, c), *lease = NULL;

    if (has && lease_fits(l, subnet, c, has->address))
        return hold(l, has, now_ms, hold_ms);
    lease = reserved ? vacant(l, reserved) : choose(l, subnet, c, wanted);
    if (!lease)
        return NULL;
    if (has)
        forget(l, has, now_ms);
    if (own(l, subnet, lease, c) < 0)
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
        tell(l, lease);
    lease->given = true;
    lease->until_ms = now_ms + length_ms;
    set_state(l, lease, LEASE_ACTIVE, now_ms);
    if (lease->until_ms > lease->stored_ms) {
        lease->stored_ms = lease->until_ms + length_ms / 8;
        store(l, lease);
    }
    return ticket(l, lease);
}

void lease_withdraw(struct leases *l, struct lease *lease)
{
    if (lease->state != LEASE_OFFERED)
        return;
    if (lease->given)
        set_state(l, lease, LEASE_EXPIRED, lease->since_ms);
    else
        drop(l, lease);
}

void lease_release(struct leases *l, struct lease *lease, uint64_t now_ms)
{
    if (lease->state == LEASE_ACTIVE) {
        lease->until_ms = now_ms;
        lease->stored_ms = 0;
        set_state(l, lease, LEASE_EXPIRED, now_ms);
        tell(l, lease);
        store(l, lease);
    } else if (lease->state == LEASE_OFFERED) {
        lease_withdraw(l, lease);
    } else if (lease->state == LEASE_ABANDONED) {
        forget(l, lease, now_ms);
        store(l, lease);
    }
}

void lease_abandon(struct leases *l, struct lease *lease, uint64_t now_ms, uint32_t seconds)
{
    if (lease->state == LEASE_ACTIVE)
        tell(l, lease);
    disown(l, lease);
    lease->until_ms = now_ms + (uint64_t)seconds * 1000;
    set_state(l, lease, LEASE_ABANDONED, now_ms);
    store(l, lease);
}

void lease_abandon_address(struct leases *l, uint32_t address, uint64_t now_ms, uint32_t seconds)
{
    struct lease *lease = lease_at(l, address);

    if (!lease && pool_of(l, address))
        lease = create(l, address);
    if (lease)
        lease_abandon(l, lease, now_ms, seconds);
}

/* --- time --- */

static void end(struct leases *l, struct lease *lease, uint64_t now_ms)
{
    if (lease->state == LEASE_ACTIVE)
        tell(l, lease);
    if (lease->state == LEASE_ABANDONED || !lease->given)
        drop(l, lease);
    else
        set_state(l, lease, LEASE_EXPIRED, now_ms);
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

/* --- scopes that change --- */

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
    struct lease_pool *pools = pools_new(subnets->n + 1);

    for (size_t i = 0; pools && i < subnets->n; i++) {
        struct lease_pool *p = &pools[i + 1];

        if (fill_pool(l, subnets, i, p) < 0) {
            pools_free(pools, subnets->n + 1);
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
    map_remove(&l->by_client, client_key(lease));
    memcpy(lease->key, &network, sizeof(network));
    if (map_put(&l->by_client, lease) < 0)
        lease->key_len = 0;
}

static void move_to_new_pool(struct leases *l, struct lease *lease)
{
    lease->pool = pool_of(l, lease->address);
    join_pool(l, lease);
    take_bit(l, lease);
    rekey(l, lease);
}

int leases_configure(struct leases *l, struct subnets *take_subnets, const uint32_t *own_addresses,
                     size_t n)
{
    struct lease_pool *old = l->pools, *pools = new_pools(l, take_subnets, own_addresses, n);
    size_t n_old = l->subnets->n + 1;
    uint32_t *copy = malloc((n ? n : 1) * sizeof(*copy));

    if (!pools || !copy || take_subnets->n >= UINT16_MAX) {
        pools_free(pools, take_subnets->n + 1);
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
        for (int state = 0; state < N_STATES; state++) {
            struct list *node;

            while ((node = list_take(&old[i].by_state[state])))
                move_to_new_pool(l, container_of(node, struct lease, order));
        }
    pools_free(old, n_old);
    return 0;
}

/* --- disk --- */

static void load_owner(struct leases *l, struct lease *lease, const struct lease_row *row)
{
    uint32_t network = lease->pool ? l->subnets->at[lease->pool - 1].network : lease->address;
    struct lease *before;

    lease->key_len = make_key(network, &row->client, lease->key);
    lease->mac = row->client.mac;
    lease->given = true;
    lease->phone = memcmp(row->name, "SEP", 3) == 0;
    memcpy(lease->name, row->name, sizeof(lease->name));
    memcpy(lease->vendor, row->vendor, sizeof(lease->vendor));
    before = map_get(&l->by_client, client_key(lease));
    if (before) /* written earlier: it was given up, and the row that said so was lost */
        forget(l, before, l->timers.now_ms);
    if (map_put(&l->by_client, lease) < 0)
        lease->key_len = 0;
}

static bool worth_remembering(const struct leases *l, const struct lease_row *row, bool over)
{
    bool has_scope = pool_of(l, row->address) != 0;

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
    if (!(lease = create(l, row->address)))
        return -ENOMEM;
    lease->until_ms = row->until_s * 1000;
    if (row->client.len)
        load_owner(l, lease, row);
    if (row->state == LEASE_ACTIVE && !over) {
        lease->stored_ms = lease->until_ms;
        set_state(l, lease, LEASE_ACTIVE, now_ms);
        tell(l, lease);
    } else {
        set_state(l, lease, row->state == LEASE_ACTIVE ? LEASE_EXPIRED : row->state, now_ms);
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

bool leases_storing(const struct leases *l)
{
    return l->storing;
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
    tell(l, lease);
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
