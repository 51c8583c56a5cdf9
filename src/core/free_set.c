#include "core/free_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int free_set_init(struct free_set *f, uint32_t size)
{
    uint32_t n = size ? size : 1;

    *f = (struct free_set){.size = size};
    do {
        n = n / 64 + (n % 64 != 0);
        f->levels[f->n_levels] = calloc(n, sizeof(uint64_t));
        if (!f->levels[f->n_levels]) {
            free_set_done(f);
            return -ENOMEM;
        }
        f->n_levels++;
    } while (n > 1 && f->n_levels < FREE_SET_LEVELS);
    return 0;
}

void free_set_done(struct free_set *f)
{
    for (unsigned level = 0; level < f->n_levels; level++)
        free(f->levels[level]);
    *f = (struct free_set){0};
}

bool free_set_has(const struct free_set *f, uint32_t i)
{
    return i < f->size && f->levels[0][i / 64] >> (i % 64) & 1;
}

void free_set_give_all(struct free_set *f)
{
    uint32_t n = f->size;

    for (unsigned level = 0; level < f->n_levels; level++) {
        uint32_t words = n / 64;

        memset(f->levels[level], 0xff, words * sizeof(uint64_t));
        if (n % 64)
            f->levels[level][words] = UINT64_MAX >> (64 - n % 64);
        n = words + (n % 64 != 0);
    }
    f->n_free = f->size;
}

void free_set_give(struct free_set *f, uint32_t i)
{
    if (i >= f->size || free_set_has(f, i))
        return;
    f->n_free++;
    for (unsigned level = 0; level < f->n_levels; level++, i /= 64)
        f->levels[level][i / 64] |= (uint64_t)1 << (i % 64);
}

void free_set_take(struct free_set *f, uint32_t i)
{
    if (!free_set_has(f, i))
        return;
    f->n_free--;
    for (unsigned level = 0; level < f->n_levels; level++, i /= 64) {
        f->levels[level][i / 64] &= ~((uint64_t)1 << (i % 64));
        if (f->levels[level][i / 64])
            return; /* something else below is free still */
    }
}

/* Down to the first free number below bit `i` of `level`. */
static uint32_t descend(const struct free_set *f, unsigned level, uint32_t i)
{
    while (level--)
        i = i * 64 + (uint32_t)__builtin_ctzll(f->levels[level][i]);
    return i;
}

static uint32_t next_without_wrap(const struct free_set *f, uint64_t from)
{
    uint64_t size = f->size; /* numbers of this level */

    for (unsigned level = 0; level < f->n_levels && from < size; level++) {
        uint64_t word = f->levels[level][from / 64] >> (from % 64);

        if (word)
            return descend(f, level, (uint32_t)from + (uint32_t)__builtin_ctzll(word));
        from = from / 64 + 1;
        size = (size + 63) / 64;
    }
    return FREE_SET_NONE;
}

uint32_t free_set_next(const struct free_set *f, uint32_t from)
{
    uint32_t found;

    if (!f->n_free)
        return FREE_SET_NONE;
    found = next_without_wrap(f, from);
    return found != FREE_SET_NONE ? found : next_without_wrap(f, 0);
}
