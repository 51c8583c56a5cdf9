/* file_tree.h - a folder of files that others change while they are served.
 *
 * The tree is read at once and watched. A file that changes is served as it was until it has been at
 * rest for a moment, so that nobody gets half of one; what is new appears when it is at rest. Names
 * are found without regard to case. Links that lead out of the folder are not followed. */
#pragma once

#include <stdbool.h>
#include <uv.h>

#include "io/content.h"

struct file_tree;

struct file_tree_options {
    const char *path;
    bool cache;         /* keep contents in memory, read by worker threads */
    uint64_t cache_max; /* bytes; what does not fit is read for each request */
    uint32_t rest_ms;   /* how long a file must be unchanged; 0: 1000 */
    void *context;
    void (*on_change)(void *context); /* files have come, gone or changed; may be NULL */
};

struct file_tree_file {
    const char *path;  /* relative, as on disk */
    uint64_t size;
    int64_t modified;  /* seconds */
    bool cached;
    bool settling;     /* being written; not served, or served as it was */
};

/* Creates the folder when there is none. 0, or -errno: cannot be read. */
int file_tree_open(uv_loop_t *loop, const struct file_tree_options *options, struct file_tree **ret);
void file_tree_close(struct file_tree *t); /* frees in the loop; NULL is fine */
void file_tree_cache(struct file_tree *t, bool cache, uint64_t cache_max); /* changes the options */

/* The content of a file, by its path in lower case; `given` is preferred among files whose names differ by
 * case alone. 0 with a reference that the caller gives back, -ENOENT, -EBUSY (being replaced), -errno. */
int file_tree_get(struct file_tree *t, const char *lower, const char *given, struct content **ret);
/* The files in byte order of their lower-case paths, from the first greater than `after` (NULL: the first
 * of all); false at the end. What `ret` points to lives until the loop turns. */
bool file_tree_next(const struct file_tree *t, const char *after, struct file_tree_file *ret);
const char *file_tree_path(const struct file_tree *t);
void file_tree_rescan(struct file_tree *t); /* looks again at everything, soon */

struct file_tree_state {
    size_t files, folders, cached;
    uint64_t bytes, cached_bytes;
    bool watched; /* false: the system does not tell of changes, the tree is read again every few seconds */
};

struct file_tree_state file_tree_state(const struct file_tree *t);
