#include "core/cluster/homes.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/pool.h"
#include "core/cluster/members.h"

#define FORGET_BATCH 1000

struct home {
    struct device_name device;
    struct ip ip;
    uint8_t member;
    uint16_t epoch; /* of its member, when it was told */
    uint64_t id, since_ms;
};

struct homes {
    struct pool pool;
    struct map by_device;
    size_t n[MEMBERS_MAX];
    size_t cursor[MEMBERS_MAX]; /* of homes_forget */
    uint16_t epoch[MEMBERS_MAX];
};

static struct text key_of(const void *value)
{
    return text_of(((const struct home *)value)->device.s);
}

struct homes *homes_new(size_t max)
{
    struct homes *h = calloc(1, sizeof(*h));

    if (!h)
        return NULL;
    pool_init(&h->pool, sizeof(struct home), max);
    map_init(&h->by_device, key_of);
    return h;
}

void homes_free(struct homes *h)
{
    if (!h)
        return;
    map_done(&h->by_device);
    pool_done(&h->pool);
    free(h);
}

static struct home *find(const struct homes *h, struct device_name device)
{
    return map_get(&h->by_device, text_of(device.s));
}

static bool is_known(const struct homes *h, const struct home *x)
{
    return x && x->epoch == h->epoch[x->member];
}

static struct home *add(struct homes *h, struct device_name device, unsigned member)
{
    uint64_t id;
    struct home *x = pool_take(&h->pool, &id);

    if (!x)
        return NULL;
    x->id = id;
    x->device = device;
    x->member = (uint8_t)member;
    if (map_put(&h->by_device, x) < 0) {
        pool_give(&h->pool, id);
        return NULL;
    }
    h->n[member]++;
    return x;
}

void homes_put(struct homes *h, struct device_name device, unsigned member, struct ip ip, uint64_t now_ms,
               uint64_t age_ms)
{
    struct home *x = find(h, device);
    uint64_t since = now_ms > age_ms ? now_ms - age_ms : 0;

    if (!x)
        x = add(h, device, member);
    if (!x || (x->member != member && is_known(h, x) && x->since_ms > since))
        return; /* what a third node said is younger */
    h->n[x->member]--;
    h->n[member]++;
    x->member = (uint8_t)member;
    x->epoch = h->epoch[member];
    x->since_ms = since;
    x->ip = ip;
}

static void drop(struct homes *h, struct home *x)
{
    h->n[x->member]--;
    map_remove(&h->by_device, key_of(x));
    pool_give(&h->pool, x->id);
}

bool homes_remove(struct homes *h, struct device_name device, unsigned member)
{
    struct home *x = find(h, device);

    if (!x || x->member != member)
        return false;
    drop(h, x);
    return true;
}

void homes_gone(struct homes *h, struct device_name device)
{
    struct home *x = find(h, device);

    if (x)
        drop(h, x);
}

int homes_find(const struct homes *h, struct device_name device, struct ip *ret)
{
    const struct home *x = find(h, device);

    if (!is_known(h, x))
        return -1;
    *ret = x->ip;
    return x->member;
}

void homes_leave(struct homes *h, unsigned member)
{
    h->epoch[member]++;
    h->cursor[member] = 0;
}

bool homes_forget(struct homes *h, unsigned member)
{
    uint64_t id;

    for (int i = 0; i < FORGET_BATCH; i++) {
        struct home *x = pool_next(&h->pool, &h->cursor[member], &id);

        if (!x)
            return false;
        if (x->member == member && !is_known(h, x))
            drop(h, x);
    }
    return true;
}

bool homes_yields(const struct tenure *theirs, const struct tenure *ours)
{
    int32_t later = theirs->wall_ms ? (int32_t)(theirs->wall_ms - ours->wall_ms) : (int32_t)(ours->age_ms - theirs->age_ms);

    return theirs->knew || (later ? later > 0 : strcmp(theirs->node, ours->node) < 0);
}
