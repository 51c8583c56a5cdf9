#include "server/files/cache.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"

#define SLOTS (1u << 17)

struct slot {
    struct content *content; /* NULL: empty */
    uint64_t hash, version;
};

struct file_cache {
    uint64_t bytes, max_bytes;
    size_t n;
    struct slot slots[SLOTS];
};

struct file_cache *file_cache_new(void)
{
    return calloc(1, sizeof(struct file_cache));
}

static void empty(struct file_cache *c, struct slot *s)
{
    if (!s->content)
        return;
    c->bytes -= s->content->size;
    c->n--;
    content_unref(s->content);
    s->content = NULL;
}

void file_cache_clear(struct file_cache *c)
{
    for (size_t i = 0; i < SLOTS && c->n; i++)
        empty(c, &c->slots[i]);
}

void file_cache_free(struct file_cache *c)
{
    if (c)
        file_cache_clear(c);
    free(c);
}

void file_cache_limit(struct file_cache *c, uint64_t max_bytes)
{
    c->max_bytes = max_bytes;
    if (c->bytes > max_bytes)
        file_cache_clear(c);
}

/* 64 bits under a secret seed stand for name and address: nobody can make two that meet. */
static uint64_t hash_of(const char *name, struct ip local)
{
    uint8_t key[160] = {local.family};
    size_t len = strlen(name);

    memcpy(key + 1, local.bytes, local.family == 4 ? 4 : 16);
    if (len > sizeof(key) - 17)
        len = sizeof(key) - 17;
    memcpy(key + 17, name, len);
    return hash_bytes(key, 17 + len);
}

struct content *file_cache_get(const struct file_cache *c, const char *name, struct ip local,
                               uint64_t version)
{
    uint64_t hash = hash_of(name, local);
    const struct slot *s = &c->slots[hash % SLOTS];

    return s->content && s->hash == hash && s->version == version ? s->content : NULL;
}

void file_cache_put(struct file_cache *c, const char *name, struct ip local, uint64_t version,
                    struct content *content)
{
    uint64_t hash = hash_of(name, local);
    struct slot *s = &c->slots[hash % SLOTS];

    empty(c, s);
    if (c->bytes + content->size > c->max_bytes)
        return;
    *s = (struct slot){content_ref(content), hash, version};
    c->bytes += content->size;
    c->n++;
}

size_t file_cache_count(const struct file_cache *c)
{
    return c->n;
}
