#include "station/sip_guard.h"

#include <stdlib.h>

#include "base/map.h"

#define SLOTS         8192
#define BURST         40 /* answers at once … */
#define REFILL_MS     50 /* … and one more each */
#define WINDOW_MS     60000
#define FAILURES_MOST 30 /* wrong passwords a minute; then silence until the minute is over */

struct slot {
    struct ip ip;
    uint16_t used; /* answers of the burst */
    uint32_t n_failures, n_told;
    uint64_t refilled_ms, since_ms; /* begin of the minute of failures */
    uint64_t told_ms;
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

static size_t index_of(struct ip *ip)
{
    if (ip->family == 6)
        memset(ip->bytes + 8, 0, 8);
    return hash_bytes(ip, sizeof(*ip)) % SLOTS;
}

/* Its place; who was there before gives way. */
static struct slot *slot_of(struct sip_guard *g, struct ip ip, uint64_t now_ms)
{
    struct slot *slot = &g->slots[index_of(&ip)];

    if (!ip_equal(slot->ip, ip))
        *slot = (struct slot){.ip = ip, .refilled_ms = now_ms, .since_ms = now_ms};
    return slot;
}

bool sip_guard_allows(struct sip_guard *g, struct ip ip, uint64_t now_ms)
{
    struct slot *slot = slot_of(g, ip, now_ms);
    uint64_t refill = (now_ms - slot->refilled_ms) / REFILL_MS;

    slot->used = refill < slot->used ? (uint16_t)(slot->used - refill) : 0;
    slot->refilled_ms += refill * REFILL_MS;
    if (slot->used >= BURST)
        return false;
    slot->used++;
    return true;
}

bool sip_guard_failed(struct sip_guard *g, struct ip ip, uint64_t now_ms, uint32_t *times)
{
    struct slot *slot = slot_of(g, ip, now_ms);

    if (now_ms - slot->since_ms >= WINDOW_MS) {
        slot->since_ms = now_ms;
        slot->n_failures = 0;
    }
    slot->n_failures++;
    slot->n_told++;
    if (slot->told_ms && now_ms - slot->told_ms < WINDOW_MS)
        return false;
    slot->told_ms = now_ms;
    *times = slot->n_told;
    slot->n_told = 0;
    return true;
}

bool sip_guard_is_out(const struct sip_guard *g, struct ip ip, uint64_t now_ms)
{
    const struct slot *slot = &g->slots[index_of(&ip)];

    return ip_equal(slot->ip, ip) && slot->n_failures >= FAILURES_MOST &&
           now_ms - slot->since_ms < WINDOW_MS;
}
