#include "base/map.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

struct map_slot {
    uint64_t hash; /* 0: empty */
    void *value;
};

static uint64_t seed[2];
static pthread_once_t seeded = PTHREAD_ONCE_INIT;

static void make_seed(void)
{
    if (getrandom(seed, sizeof(seed), 0) != sizeof(seed))
        abort(); /* a kernel without random numbers: nothing here would be safe */
}

static inline uint64_t rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static inline void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

/* SipHash-1-3 (Aumasson, Bernstein: SipHash, a fast short-input PRF). */
uint64_t hash_bytes(const void *bytes, size_t len)
{
    const uint8_t *p = bytes;
    uint64_t word, v[4];
    size_t left = len;

    pthread_once(&seeded, make_seed);
    v[0] = seed[0] ^ 0x736f6d6570736575u;
    v[1] = seed[1] ^ 0x646f72616e646f6du;
    v[2] = seed[0] ^ 0x6c7967656e657261u;
    v[3] = seed[1] ^ 0x7465646279746573u;
    for (; left >= 8; left -= 8, p += 8) {
        memcpy(&word, p, 8);
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    word = (uint64_t)len << 56;
    for (size_t i = 0; i < left; i++)
        word |= (uint64_t)p[i] << (8 * i);
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static uint64_t hash_key(struct text key)
{
    uint64_t hash = hash_bytes(key.at, key.len);

    return hash ? hash : 1;
}

void map_init(struct map *m, struct text (*key_of)(const void *value))
{
    *m = (struct map){.key_of = key_of};
}

void map_done(struct map *m)
{
    free(m->slots);
    *m = (struct map){.key_of = m->key_of};
}

/* The slot of that key, or the empty one where it belongs. There always is an empty one. */
static struct map_slot *slot_of(const struct map *m, struct text key, uint64_t hash)
{
    size_t mask = m->capacity - 1;

    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        struct map_slot *slot = &m->slots[i];

        if (!slot->hash || (slot->hash == hash && text_equal(m->key_of(slot->value), key)))
            return slot;
    }
}

void *map_get(const struct map *m, struct text key)
{
    return m->n ? slot_of(m, key, hash_key(key))->value : NULL;
}

static int grow(struct map *m)
{
    struct map bigger = {.capacity = m->capacity ? m->capacity * 2 : 16, .key_of = m->key_of};

    bigger.slots = calloc(bigger.capacity, sizeof(*bigger.slots));
    if (!bigger.slots)
        return -ENOMEM;
    for (size_t i = 0; i < m->capacity; i++)
        if (m->slots[i].hash)
            *slot_of(&bigger, m->key_of(m->slots[i].value), m->slots[i].hash) = m->slots[i];
    bigger.n = m->n;
    free(m->slots);
    *m = bigger;
    return 0;
}

int map_put(struct map *m, void *value)
{
    struct text key = m->key_of(value);
    uint64_t hash = hash_key(key);
    struct map_slot *slot;

    if ((m->n + 1) * 4 > m->capacity * 3 && grow(m) < 0)
        return -ENOMEM;
    slot = slot_of(m, key, hash);
    if (slot->hash)
        return -EEXIST;
    *slot = (struct map_slot){hash, value};
    m->n++;
    return 0;
}

/* Closes the gap: later members of the same run move back, so that no tombstones are needed. */
static void close_gap(struct map *m, size_t gap)
{
    size_t mask = m->capacity - 1;

    for (size_t i = (gap + 1) & mask; m->slots[i].hash; i = (i + 1) & mask) {
        size_t home = m->slots[i].hash & mask;

        if (((i - home) & mask) < ((i - gap) & mask))
            continue;
        m->slots[gap] = m->slots[i];
        gap = i;
    }
    m->slots[gap] = (struct map_slot){0, NULL};
}

void *map_remove(struct map *m, struct text key)
{
    struct map_slot *slot = m->n ? slot_of(m, key, hash_key(key)) : NULL;
    void *value;

    if (!slot || !slot->hash)
        return NULL;
    value = slot->value;
    close_gap(m, (size_t)(slot - m->slots));
    m->n--;
    return value;
}

void *map_next(const struct map *m, size_t *cursor)
{
    while (*cursor < m->capacity) {
        struct map_slot *slot = &m->slots[(*cursor)++];

        if (slot->hash)
            return slot->value;
    }
    return NULL;
}
