/* tree.h - persistent ordered map: a B-tree whose nodes are shared by all versions that contain
 * them.
 *
 * Elements are `struct record`s that carry their own keys (records.h) and are reference-counted. A
 * `struct tree` is a value: copying it with tree_ref gives an independent version at no cost, and a
 * change copies only the nodes on its path. Nodes that nobody shares are changed in place, so
 * filling a tree costs no more than filling an ordinary one. */
#pragma once

#include <stddef.h>

#include "base/text.h"

struct record;
struct tree_node;

struct tree {
    struct tree_node *root; /* NULL: empty */
    size_t n;
};

struct tree tree_ref(const struct tree *t);
void tree_done(struct tree *t);

const struct record *tree_find(const struct tree *t, struct text key);
/* The first that is greater, or NULL. */
const struct record *tree_after(const struct tree *t, struct text key);

/* All of them in order, until `each` gives something else than 0: that, or 0. A walk costs a fraction of as many tree_after. */
int tree_each(const struct tree *t, int (*each)(void *context, const struct record *r), void *context);

/* Adds, or replaces what has the same key; takes a reference of its own. 0, or -ENOMEM with the
 * contents as they were. */
int tree_put(struct tree *t, const struct record *r);
/* 0, -ENOENT, or -ENOMEM with the contents as they were. */
int tree_remove(struct tree *t, struct text key);
