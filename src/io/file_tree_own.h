/* file_tree_own.h - what the files of a watched folder share: file_tree.c (what is known, what is in
 * memory), file_tree_look.c (reading and watching the folders). Nobody else includes it. */
#pragma once

#include <sys/stat.h>

#include "io/file_tree.h"

#define FILE_TREE_PATH 512 /* of a relative path; longer ones nobody can ask for */

struct entry {
    char *path, *lower;
    struct stat st;          /* what is served; st_ino 0: nothing yet */
    struct stat seen;        /* what lay there when it was last looked at */
    uint64_t seen_ms;        /* since when it has looked so */
    struct content *content; /* in memory */
    bool settling, queued, present;
};

struct folder {
    uv_fs_event_t event;
    struct file_tree *tree;
    struct folder *next;
    char *path;
    bool present;
};

struct loading {
    uv_work_t work;
    struct file_tree *tree;
    char *path, *full;
    struct stat st;
    uint8_t *bytes;
    int err;
};

struct file_tree {
    uv_loop_t *loop;
    uv_timer_t timer;
    struct file_tree_options options;
    char *root;
    struct entry **entries; /* sorted by lower path, then path */
    size_t n, n_sorted, room,
        n_folders; /* those behind the sorted ones came with the look that runs */
    uint64_t cached_bytes;
    struct folder *folders;
    unsigned open_handles; /* what must be closed before it is freed */
    bool blind, loading, closing, changed;
};
/* file_tree.c */
void file_tree_unref(struct file_tree *t);
int file_tree_compare(const void *a, const void *b); /* pointers to entries, for qsort */
struct entry *file_tree_exact(const struct file_tree *t, const char *lower, const char *path);
struct entry *file_tree_add(struct file_tree *t, const char *path, const char *lower); /* NULL: full */
void file_tree_drop(struct file_tree *t, struct entry *e); /* its content */
void file_tree_forget(struct file_tree *t, struct entry *e);
void file_tree_load_next(struct file_tree *t); /* into memory, in a worker */

/* file_tree_look.c */
void file_tree_look(struct file_tree *t); /* reads the whole tree */
void file_tree_forget_folders(struct file_tree *t); /* those that were not present */
