#include "station/sip/guard.h"

#include <stdlib.h>

#include "base/map.h"

#define SETS          2048
#define WAYS          4 /* places that one key may take: who is watched is not pushed out by chance */
#define WINDOW_MS     60000
#define OWED_MOST     4096 /* bytes that an address may get before it has sent as many */
#define ALARMS_MOST   20   /* of throttled addresses a minute */
#define FAILURES_MOST 30   /* wrong passwords of one user a minute; then silence until it is over */
#define FAILURES_ALL  (10 * FAILURES_MOST)

struct slot {
    uint64_t key;
    uint32_t used;    /* answers of the burst */
    uint32_t owed;    /* bytes that it got and did not send, … */
    uint64_t paid_ms; /* … by then */
    uint32_t n_failures, n_untold;
    uint64_t refilled_ms, since_ms, told_ms; /* begin of the minute of failures, last told */
    uint64_t seen_ms, throttled_told_ms;
    uint32_t n_throttled; /* since then */
};

struct sip_guard {
    uint64_t alarms_since_ms;
    uint32_t n_alarms; /* since then */
    struct slot slots[SETS][WAYS];
};

struct sip_guard *sip_guard_new(void)
{
    return calloc(1, sizeof(struct sip_guard));
}

void sip_guard_free(struct sip_guard *g)
{
    free(g);
}

static uint64_t less(uint64_t n, uint64_t by)
{
    return n > by ? n - by : 0;
}

/* A clock that went back has stood still. */
static uint64_t passed(uint64_t since_ms, uint64_t now_ms)
{
    return less(now_ms, since_ms);
}

/* Who guesses passwords stays for his minute; of the others the one longest unseen goes. */
static bool is_of_less_use(const struct slot *a, const struct slot *b, uint64_t now_ms)
{
    bool a_counts = a->n_failures && passed(a->since_ms, now_ms) < WINDOW_MS,
         b_counts = b->n_failures && passed(b->since_ms, now_ms) < WINDOW_MS;

    if (a_counts != b_counts)
        return b_counts;
    return a_counts && a->n_failures != b->n_failures ? a->n_failures < b->n_failures
                                                      : a->seen_ms < b->seen_ms;
}

/* Its place; when all are taken, one gives way. */
static struct slot *slot_of(struct sip_guard *g, struct ip ip, struct text user, uint64_t now_ms)
{
    uint64_t key;
    struct slot *set, *slot;

    if (ip.family == 6)
        memset(ip.bytes + 8, 0, 8);
    key = hash_bytes(&ip, sizeof(ip)) ^ hash_bytes(user.at, user.len);
    set = slot = g->slots[key % SETS];
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].key == key) {
            set[i].seen_ms = now_ms;
            return &set[i];
        }
        if (is_of_less_use(&set[i], slot, now_ms))
            slot = &set[i];
    }
    *slot = (struct slot){.key = key,
                          .refilled_ms = now_ms,
                          .paid_ms = now_ms,
                          .since_ms = now_ms,
                          .seen_ms = now_ms};
    return slot;
}

bool sip_guard_allows(struct sip_guard *g, struct ip ip, uint32_t a_second, uint64_t now_ms)
{
    struct slot *slot = slot_of(g, ip, TEXT(""), now_ms);
    uint64_t ms = passed(slot->refilled_ms, now_ms), refill = ms * a_second / 1000;

    if (!a_second)
        return false;
    slot->used = (uint32_t)less(slot->used, refill);
    slot->refilled_ms += refill * 1000 / a_second;
    if (slot->used >= 2 * a_second)
        return false;
    slot->used++;
    return true;
}

bool sip_guard_pays(struct sip_guard *g, struct ip ip, size_t came, size_t goes, uint64_t now_ms)
{
    struct slot *slot = slot_of(g, ip, TEXT(""), now_ms);
    uint64_t gift = passed(slot->paid_ms, now_ms) * SIP_GUARD_GIFT / 1000,
             before = less(slot->owed, gift), owed = less(before + goes, came);
    bool pays = owed <= OWED_MOST;

    slot->owed = (uint32_t)(pays ? owed : less(before, came));
    slot->paid_ms += gift * 1000 / SIP_GUARD_GIFT;
    return pays;
}

static bool may_alarm(struct sip_guard *g, uint64_t now_ms)
{
    if (passed(g->alarms_since_ms, now_ms) >= WINDOW_MS) {
        g->alarms_since_ms = now_ms;
        g->n_alarms = 0;
    }
    return g->n_alarms < ALARMS_MOST;
}

bool sip_guard_throttled(struct sip_guard *g, struct ip ip, uint64_t now_ms, uint32_t *times)
{
    struct slot *slot = slot_of(g, ip, TEXT(""), now_ms);

    slot->n_throttled++;
    if ((slot->throttled_told_ms && passed(slot->throttled_told_ms, now_ms) < WINDOW_MS) ||
        !may_alarm(g, now_ms))
        return false;
    g->n_alarms++;
    slot->throttled_told_ms = now_ms;
    *times = slot->n_throttled;
    slot->n_throttled = 0;
    return true;
}

static void fail(struct slot *slot, uint64_t now_ms)
{
    if (passed(slot->since_ms, now_ms) >= WINDOW_MS) {
        slot->since_ms = now_ms;
        slot->n_failures = 0;
    }
    slot->n_failures++;
}

bool sip_guard_failed(struct sip_guard *g, struct ip ip, struct text user, uint64_t now_ms,
                      uint32_t *times)
{
    struct slot *slot;

    fail(slot_of(g, ip, user, now_ms), now_ms);
    slot = slot_of(g, ip, TEXT(""), now_ms);
    fail(slot, now_ms);
    slot->n_untold++;
    if (slot->told_ms && passed(slot->told_ms, now_ms) < WINDOW_MS)
        return false;
    slot->told_ms = now_ms;
    *times = slot->n_untold;
    slot->n_untold = 0;
    return true;
}

static bool has_failed(const struct slot *slot, uint32_t most, uint64_t now_ms)
{
    return slot->n_failures >= most && passed(slot->since_ms, now_ms) < WINDOW_MS;
}

bool sip_guard_is_out(struct sip_guard *g, struct ip ip, struct text user, uint64_t now_ms)
{
    return has_failed(slot_of(g, ip, TEXT(""), now_ms), FAILURES_ALL, now_ms) ||
           has_failed(slot_of(g, ip, user, now_ms), FAILURES_MOST, now_ms);
}
