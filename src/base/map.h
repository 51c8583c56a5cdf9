/* map.h - hash table of values that carry their own keys.
 *
 * The map stores pointers it does not own. `key_of` says where a value keeps its key. Hashes are
 * keyed by a random seed of the process, so that peers cannot aim at one bucket. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

struct map {
    uint64_t *slots;
    size_t n, capacity;
    struct text (*key_of)(const void *value);
};

uint64_t hash_bytes(const void *bytes, size_t len); /* SipHash-1-3 under the seed of the process */
uint64_t hash_keyed(const uint64_t key[static 2], const void *bytes, size_t len);

void map_init(struct map *m, struct text (*key_of)(const void *value));
void map_done(struct map *m); /* frees the table, not the values */
void *map_get(const struct map *m, struct text key);
int map_put(struct map *m, void *value);          /* 0, -EEXIST, -ENOMEM */
void *map_remove(struct map *m, struct text key); /* the value taken out, or NULL */
/* Walks all values in no order: start with *cursor = 0, ends with NULL. No put or remove meanwhile.
 */
void *map_next(const struct map *m, size_t *cursor);
