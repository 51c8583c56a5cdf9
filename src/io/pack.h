/* pack.h - makes an archive (tar, compressed by gzip) of files that are handed over whole. Blocks: for worker
 * threads. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct pack;

/* The archive appears at `path` with pack_close. 0 or -errno. */
int pack_open(const char *path, struct pack **ret);
int pack_add(struct pack *p, const char *name, int64_t modified_s, const void *bytes, size_t len);
int pack_close(struct pack *p); /* frees; 0, or the first -errno of all, and nothing lies at the path */
