#include "station/sip_guard.h"

#include <stdlib.h>

#include "base/map.h"

#define SLOTS         8192
#define WINDOW_MS     60000
#define FAILURES_MOST 30 /* wrong passwords of one user a minute; then silence until it is over */
#define FAILURES_ALL  (10 * FAILURES_MOST)

struct slot {
    uint64_t key;
    uint32_t used; /* answers of the burst */
    uint32_t n_failures, n_untold;
    uint64_t refilled_ms, since_ms, told_ms; /* begin of the minute of failures, last told */
};

struct sip_guard {
    struct slot slots[SLOTS];
};

struct sip_guard *sip_guard_new(void)
{
    return calloc(1, sizeof(struct sip_guard));
}

void sip_guard_free(struct sip_guard *g)
{
    free(g);
}

/* Its place; who was there before gives way. */
static struct slot *slot_of(struct sip_guard *g, struct ip ip, struct text user, uint64_t now_ms)
{
    uint64_t key;
    struct slot *slot;

    if (ip.family == 6)
        memset(ip.bytes + 8, 0, 8);
    key = hash_bytes(&ip, sizeof(ip)) ^ hash_bytes(user.at, user.len);
    slot = &g->slots[key % SLOTS];
    if (slot->key != key)
        *slot = (struct slot){.key = key, .refilled_ms = now_ms, .since_ms = now_ms};
    return slot;
}

bool sip_guard_allows(struct sip_guard *g, struct ip ip, uint32_t a_second, uint64_t now_ms)
{
    struct slot *slot = slot_of(g, ip, TEXT(""), now_ms);
    uint64_t refill = (now_ms - slot->refilled_ms) * a_second / 1000;

    slot->used = refill < slot->used ? (uint32_t)(slot->used - refill) : 0;
    slot->refilled_ms += refill * 1000 / a_second;
    if (slot->used >= 2 * a_second)
        return false;
    slot->used++;
    return true;
}

static void fail(struct slot *slot, uint64_t now_ms)
{
    if (now_ms - slot->since_ms >= WINDOW_MS) {
        slot->since_ms = now_ms;
        slot->n_failures = 0;
    }
    slot->n_failures++;
}

bool sip_guard_failed(struct sip_guard *g, struct ip ip, struct text user, uint64_t now_ms,
                      uint32_t *times)
{
    struct slot *slot = slot_of(g, ip, TEXT(""), now_ms);

    fail(slot_of(g, ip, user, now_ms), now_ms);
    fail(slot, now_ms);
    slot->n_untold++;
    if (slot->told_ms && now_ms - slot->told_ms < WINDOW_MS)
        return false;
    slot->told_ms = now_ms;
    *times = slot->n_untold;
    slot->n_untold = 0;
    return true;
}

static bool has_failed(const struct slot *slot, uint32_t most, uint64_t now_ms)
{
    return slot->n_failures >= most && now_ms - slot->since_ms < WINDOW_MS;
}

bool sip_guard_is_out(struct sip_guard *g, struct ip ip, struct text user, uint64_t now_ms)
{
    return has_failed(slot_of(g, ip, TEXT(""), now_ms), FAILURES_ALL, now_ms) ||
           has_failed(slot_of(g, ip, user, now_ms), FAILURES_MOST, now_ms);
}
