#include "provision/file_guard.h"

#include <errno.h>
#include <stdlib.h>

#include "base/list.h"
#include "base/map.h"
#include "base/pool.h"

#define DEVICES_MAX 1000000
#define CLIENTS_MAX 8192 /* watched at once */
#define MINUTE      60000
#define BACKLOG     8 /* answers of one client that may wait */
#define SEEN_BITS                                                                                  \
    1024 /* of names already counted; a few are taken for others, to the client's good */
#define IP_KEY 17

struct device { /* as many as phones: its name is a number that nobody can aim at */
    uint64_t name;
    struct ip ip; /* of those in `by` */
    uint8_t by;   /* a bit for each enum binding_source */
    uint32_t warned_ms; /* cut: a minute in 49 days does no harm */
    struct ip *other;   /* of the source that is not in `by`, or NULL */
};

struct address { /* who has it */
    char key[IP_KEY];
    struct device_name device; /* of the last that took it */
    uint32_t n;
    bool shared;
};

struct client {
    struct list node; /* oldest first */
    char key[IP_KEY];
    uint64_t since_ms, free_ms; /* the minute began; the next answer may leave */
    uint32_t names;
    bool slow;
    uint64_t seen[SEEN_BITS / 64];
};

struct file_guard {
    struct file_guard_settings settings;
    struct pool devices, addresses, clients;
    struct map by_name, by_ip, by_client;
    struct list oldest;
};

static void ip_key(struct ip ip, char to[static IP_KEY])
{
    to[0] = (char)ip.family;
    memset(to + 1, 0, IP_KEY - 1);
    memcpy(to + 1, ip.bytes, ip.family == 4 ? 4 : 16);
}

static struct text device_key(const void *value)
{
    return (struct text){value, sizeof(uint64_t)}; /* `name` */
}

static struct text address_key(const void *value)
{
    return (struct text){((const struct address *)value)->key, IP_KEY};
}

static struct text client_key(const void *value)
{
    return (struct text){((const struct client *)value)->key, IP_KEY};
}

struct file_guard *file_guard_new(void)
{
    struct file_guard *g = calloc(1, sizeof(*g));

    if (!g)
        return NULL;
    g->settings = (struct file_guard_settings){FILE_POLICY_WARN, 60, 1000};
    pool_init(&g->devices, sizeof(struct device), DEVICES_MAX);
    pool_init(&g->addresses, sizeof(struct address), DEVICES_MAX);
    pool_init(&g->clients, sizeof(struct client), CLIENTS_MAX);
    map_init(&g->by_name, device_key);
    map_init(&g->by_ip, address_key);
    map_init(&g->by_client, client_key);
    list_init(&g->oldest);
    return g;
}

void file_guard_free(struct file_guard *g)
{
    const struct device *d;
    size_t cursor = 0;
    uint64_t id;

    if (!g)
        return;
    while ((d = pool_next(&g->devices, &cursor, &id)))
        free(d->other);
    map_done(&g->by_name);
    map_done(&g->by_ip);
    map_done(&g->by_client);
    pool_done(&g->devices);
    pool_done(&g->addresses);
    pool_done(&g->clients);
    free(g);
}

void file_guard_set(struct file_guard *g, const struct file_guard_settings *settings)
{
    g->settings = *settings;
}

size_t file_guard_count(const struct file_guard *g)
{
    return g->devices.n;
}

/* --- what is tied to what --- */

static struct device *device_get(struct file_guard *g, struct device_name name, bool make)
{
    uint64_t number = hash_bytes(name.s, strlen(name.s)), id;
    struct device *d = map_get(&g->by_name, (struct text){(const char *)&number, sizeof(number)});

    if (d || !make || !(d = pool_take(&g->devices, &id)))
        return d;
    d->name = number;
    if (map_put(&g->by_name, d) < 0) {
        pool_give(&g->devices, id);
        return NULL;
    }
    return d;
}

static struct address *address_get(const struct file_guard *g, struct ip ip)
{
    char key[IP_KEY];

    ip_key(ip, key);
    return map_get(&g->by_ip, (struct text){key, IP_KEY});
}

static void address_take(struct file_guard *g, struct ip ip, struct device_name device)
{
    struct address *a = address_get(g, ip);
    uint64_t id;

    if (!a) {
        if (!(a = pool_take(&g->addresses, &id)))
            return;
        ip_key(ip, a->key);
        if (map_put(&g->by_ip, a) < 0) {
            pool_give(&g->addresses, id);
            return;
        }
    } else if (strcmp(a->device.s, device.s) != 0) {
        a->shared = true;
    }
    a->n++;
    a->device = device;
}

static void address_leave(struct file_guard *g, struct ip ip)
{
    struct address *a = address_get(g, ip);

    if (!a || --a->n)
        return;
    map_remove(&g->by_ip, address_key(a));
    pool_give(&g->addresses, pool_id(a));
}

static struct ip ip_by(const struct device *d, enum binding_source by)
{
    if (d->by >> by & 1)
        return d->ip;
    return d->other ? *d->other : (struct ip){0};
}

/* Both ways to the same address, as usual, need one place. */
static int set_ip(struct device *d, enum binding_source by, struct ip ip)
{
    struct ip others = ip_by(d, !by);
    bool two = ip.family && others.family && !ip_equal(ip, others);
    struct ip *other = two ? malloc(sizeof(*other)) : NULL;

    if (two && !other)
        return -ENOMEM;
    free(d->other);
    d->other = other;
    d->ip = ip.family ? ip : others;
    d->by = (uint8_t)((ip.family ? 1u << by : 0) | (others.family && !two ? 1u << !by : 0));
    if (two)
        *other = others;
    return 0;
}

void file_guard_bind(struct file_guard *g, struct device_name device, struct ip ip,
                     enum binding_source by, bool gone)
{
    struct device *d = device_get(g, device, !gone);
    struct ip old;

    if (!d || by >= N_BINDING_SOURCES)
        return;
    old = ip_by(d, by);
    if (gone && !ip_equal(old, ip) && ip.family)
        return; /* it has a newer one */
    if (set_ip(d, by, gone ? (struct ip){0} : ip) < 0)
        return;
    if (old.family)
        address_leave(g, old);
    if (!gone && ip.family)
        address_take(g, ip, device);
    if (d->by)
        return;
    map_remove(&g->by_name, device_key(d));
    pool_give(&g->devices, pool_id(d));
}

struct device_name file_guard_owner(const struct file_guard *g, struct ip ip)
{
    const struct address *a = address_get(g, ip);

    return a && !a->shared ? a->device : (struct device_name){""};
}

/* --- who asks for too much --- */

static struct client *client_get(struct file_guard *g, uint64_t now_ms, struct ip ip)
{
    char key[IP_KEY];
    struct client *c;
    uint64_t id;

    ip_key(ip, key);
    if ((c = map_get(&g->by_client, (struct text){key, IP_KEY})))
        return c;
    if (g->clients.n == CLIENTS_MAX) {
        c = container_of(list_take(&g->oldest), struct client, node);
        map_remove(&g->by_client, client_key(c));
        pool_give(&g->clients, pool_id(c));
    }
    if (!(c = pool_take(&g->clients, &id)))
        return NULL;
    c->since_ms = now_ms;
    memcpy(c->key, key, IP_KEY);
    if (map_put(&g->by_client, c) < 0) {
        pool_give(&g->clients, id);
        return NULL;
    }
    list_append(&g->oldest, &c->node);
    return c;
}

/* One more name that is not its own; true when that is the one too many. A client stays slow until
 * a whole minute has passed within the limit. */
static bool count_name(struct file_guard *g, struct client *c, uint64_t now_ms,
                       struct device_name device)
{
    uint64_t bit = hash_bytes(device.s, strlen(device.s)) % SEEN_BITS;
    bool was_slow;

    if (now_ms - c->since_ms >= MINUTE) {
        c->slow =
            c->slow && now_ms - c->since_ms < 2 * MINUTE && c->names > g->settings.names_limit;
        c->since_ms = now_ms;
        c->names = 0;
        memset(c->seen, 0, sizeof(c->seen));
    }
    if (!(c->seen[bit / 64] >> bit % 64 & 1)) {
        c->seen[bit / 64] |= (uint64_t)1 << bit % 64;
        c->names++;
    }
    was_slow = c->slow;
    if (g->settings.names_limit && c->names > g->settings.names_limit)
        c->slow = true;
    return c->slow && !was_slow;
}

/* Answers to a slow client leave one after the other. */
static void slow_down(struct file_guard *g, struct client *c, uint64_t now_ms,
                      struct file_judgement *j)
{
    uint64_t due = (c->free_ms > now_ms ? c->free_ms : now_ms) + g->settings.delay_ms;

    if (due - now_ms > (uint64_t)BACKLOG * g->settings.delay_ms) {
        j->busy = true;
        return;
    }
    c->free_ms = due;
    j->delay_ms = (uint32_t)(due - now_ms);
}

static bool warn_now(struct device *d, uint64_t now_ms)
{
    if (d->warned_ms && (uint32_t)now_ms - d->warned_ms < MINUTE)
        return false;
    d->warned_ms = (uint32_t)now_ms ? (uint32_t)now_ms : 1;
    return true;
}

struct file_judgement file_guard_judge(struct file_guard *g, uint64_t now_ms, struct ip client,
                                       struct device_name device, bool exists)
{
    struct device *d = device_get(g, device, false);
    bool own = d && (ip_equal(d->ip, client) || (d->other && ip_equal(*d->other, client)));
    struct file_judgement j = {0};
    struct client *c;

    if (own)
        return j;
    j.refuse = g->settings.policy == FILE_POLICY_STRICT;
    j.warn = d && g->settings.policy != FILE_POLICY_OPEN && warn_now(d, now_ms);
    if (!j.refuse && exists && (!d || g->settings.policy == FILE_POLICY_OPEN))
        return j;
    if (!(c = client_get(g, now_ms, client)))
        return j;
    j.too_many = count_name(g, c, now_ms, device);
    j.names = c->names;
    if (c->slow)
        slow_down(g, c, now_ms, &j);
    return j;
}
