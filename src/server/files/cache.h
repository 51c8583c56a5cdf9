/* cache.h - configuration files as they were made, until the directory changes. A name here stands for
 * all phones whose files are alike.
 *
 * A fixed number of slots, and of bytes: a file that finds neither is made again for each request. */
#pragma once

#include "base/address.h"
#include "io/content.h"

struct file_cache;

struct file_cache *file_cache_new(void); /* NULL without memory */
void file_cache_free(struct file_cache *c);
void file_cache_limit(struct file_cache *c, uint64_t max_bytes); /* 0: keeps nothing */
void file_cache_clear(struct file_cache *c);

/* What was made for that name and local address from that version of the directory, or NULL; not a
 * reference of the caller's. */
struct content *file_cache_get(const struct file_cache *c, const char *name, struct ip local, uint64_t version);
void file_cache_put(struct file_cache *c, const char *name, struct ip local, uint64_t version,
                    struct content *content); /* takes a reference of its own */
size_t file_cache_count(const struct file_cache *c);
