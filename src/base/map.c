#include "base/map.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

/* A slot is a word, 0 when it is empty: the pointer, since user space ends below 2^48, a byte of the
 * hash, and how far it lies behind where its hash points. */
#define POINTER_BITS  48
#define DISTANCE_BITS (POINTER_BITS + 8)
#define POINTER_MASK  ((UINT64_C(1) << POINTER_BITS) - 1)
#define FAR           255 /* or further: ask the key */
#define AHEAD         12  /* keys are far apart: they are fetched while others are put */

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
uint64_t hash_keyed(const uint64_t key[static 2], const void *bytes, size_t len)
{
    const uint8_t *p = bytes;
    uint64_t word, v[4];
    size_t left = len;

    v[0] = key[0] ^ 0x736f6d6570736575u;
    v[1] = key[1] ^ 0x646f72616e646f6du;
    v[2] = key[0] ^ 0x6c7967656e657261u;
    v[3] = key[1] ^ 0x7465646279746573u;
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

uint64_t hash_bytes(const void *bytes, size_t len)
{
    pthread_once(&seeded, make_seed);
    return hash_keyed(seed, bytes, len);
}

static uint64_t hash_key(struct text key)
{
    return hash_bytes(key.at, key.len);
}

static void *value_of(uint64_t slot)
{
    return (void *)(uintptr_t)(slot & POINTER_MASK);
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
static size_t slot_of(const struct map *m, struct text key, uint64_t hash)
{
    size_t mask = m->capacity - 1;

    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        uint64_t slot = m->slots[i];

        if (!slot || ((slot >> POINTER_BITS & 0xff) == hash >> 56 &&
                      text_equal(m->key_of(value_of(slot)), key)))
            return i;
    }
}

void *map_get(const struct map *m, struct text key)
{
    return m->n ? value_of(m->slots[slot_of(m, key, hash_key(key))]) : NULL;
}

static void fill(struct map *m, size_t i, void *value, uint64_t hash)
{
    uint64_t distance = (i - hash) & (m->capacity - 1);

    assert((uintptr_t)value <= POINTER_MASK);
    m->slots[i] = (distance < FAR ? distance : FAR) << DISTANCE_BITS | hash >> 56 << POINTER_BITS |
                  (uintptr_t)value;
}

static int grow(struct map *m)
{
    struct map bigger = {.capacity = m->capacity ? m->capacity * 2 : 16, .key_of = m->key_of};

    bigger.slots = calloc(bigger.capacity, sizeof(*bigger.slots));
    if (!bigger.slots)
        return -ENOMEM;
    for (size_t i = 0; i < m->capacity; i++) {
        void *value = value_of(m->slots[i]);

        __builtin_prefetch(value_of(m->slots[(i + AHEAD) & (m->capacity - 1)]));
        if (value) {
            struct text key = m->key_of(value);
            uint64_t hash = hash_key(key);

            fill(&bigger, slot_of(&bigger, key, hash), value, hash);
        }
    }
    bigger.n = m->n;
    free(m->slots);
    *m = bigger;
    return 0;
}

int map_put(struct map *m, void *value)
{
    struct text key = m->key_of(value);
    uint64_t hash = hash_key(key);
    size_t i;

    if ((m->n + 1) * 16 > m->capacity * 13 && grow(m) < 0)
        return -ENOMEM;
    i = slot_of(m, key, hash);
    if (m->slots[i])
        return -EEXIST;
    fill(m, i, value, hash);
    m->n++;
    return 0;
}

static size_t distance_of(const struct map *m, size_t i)
{
    size_t distance = m->slots[i] >> DISTANCE_BITS;

    if (distance < FAR)
        return distance;
    return (i - hash_key(m->key_of(value_of(m->slots[i])))) & (m->capacity - 1);
}

static void move_back(struct map *m, size_t from, size_t to, size_t distance)
{
    uint64_t slot = m->slots[from] & ((UINT64_C(1) << DISTANCE_BITS) - 1);

    m->slots[to] = slot | (uint64_t)(distance < FAR ? distance : FAR) << DISTANCE_BITS;
}

/* Closes the gap: later members of the same run move back, so that no tombstones are needed. */
static void close_gap(struct map *m, size_t gap)
{
    size_t mask = m->capacity - 1;

    for (size_t i = (gap + 1) & mask; m->slots[i]; i = (i + 1) & mask) {
        size_t distance = distance_of(m, i), back = (i - gap) & mask;

        if (distance < back)
            continue;
        move_back(m, i, gap, distance - back);
        gap = i;
    }
    m->slots[gap] = 0;
}

void *map_remove(struct map *m, struct text key)
{
    size_t i = m->n ? slot_of(m, key, hash_key(key)) : 0;
    void *value = m->n ? value_of(m->slots[i]) : NULL;

    if (!value)
        return NULL;
    close_gap(m, i);
    m->n--;
    return value;
}

void *map_next(const struct map *m, size_t *cursor)
{
    while (*cursor < m->capacity) {
        uint64_t slot = m->slots[(*cursor)++];

        if (slot)
            return value_of(slot);
    }
    return NULL;
}
