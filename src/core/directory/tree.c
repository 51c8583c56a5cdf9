/* tree.c - path copying in a B-tree. */
#include "core/directory/tree.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "core/directory/records.h"

#define FANOUT 32
#define MAX_HEIGHT                                                                                 \
    16 /* 2^16 elements when every node were as empty as merging allows, in fact far more */

/* `low[i]` is the i-th element of a leaf, else the lowest element below child i. Only leaves own
 * references to elements. */
struct tree_node {
    _Atomic uint32_t refs;
    uint16_t n;
    uint16_t height; /* 0: leaf */
    const struct record *low[FANOUT];
    struct tree_node *child[]; /* FANOUT of them, when it is no leaf */
};

struct path {
    struct tree_node *node[MAX_HEIGHT];
    unsigned at[MAX_HEIGHT];
    unsigned n;
};

static struct tree_node *node_new(uint16_t height)
{
    struct tree_node *node = malloc(sizeof(*node) + (height ? FANOUT * sizeof(node->child[0]) : 0));

    if (!node)
        return NULL;
    node->refs = 1;
    node->n = 0;
    node->height = height;
    return node;
}

static struct tree_node *node_ref(struct tree_node *node)
{
    atomic_fetch_add_explicit(&node->refs, 1, memory_order_relaxed);
    return node;
}

static void node_unref(struct tree_node *node)
{
    if (atomic_fetch_sub_explicit(&node->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (unsigned i = 0; i < node->n; i++) {
        if (node->height)
            node_unref(node->child[i]);
        else
            record_unref(node->low[i]);
    }
    free(node);
}

static void move_entries(struct tree_node *to, unsigned to_at, struct tree_node *from,
                         unsigned from_at, unsigned n)
{
    memmove(&to->low[to_at], &from->low[from_at], n * sizeof(to->low[0]));
    if (to->height)
        memmove(&to->child[to_at], &from->child[from_at], n * sizeof(to->child[0]));
}

/* Makes *slot a node that only this tree has. */
static struct tree_node *node_own(struct tree_node **slot)
{
    struct tree_node *old = *slot, *copy;

    if (atomic_load_explicit(&old->refs, memory_order_acquire) == 1)
        return old;
    if (!(copy = node_new(old->height)))
        return NULL;
    move_entries(copy, 0, old, 0, old->n);
    copy->n = old->n;
    for (unsigned i = 0; i < copy->n; i++) {
        if (copy->height)
            node_ref(copy->child[i]);
        else
            record_ref(copy->low[i]);
    }
    node_unref(old);
    return *slot = copy;
}

/* How much of the key the nearest entries below and above it have at their front: so have all
 * between them. Keys of phones differ in their last bytes. */
struct near {
    size_t below, above;
};

static size_t common(const struct near *near)
{
    return near->below < near->above ? near->below : near->above;
}

/* How many entries are not above the key; *same tells whether the last of them has it. */
static unsigned node_rank(const struct tree_node *node, struct text key, struct near *near,
                          bool *same)
{
    unsigned from = 0, to = node->n;

    *same = false;
    while (from < to) {
        unsigned middle = (from + to) / 2;
        size_t alike = common(near);
        int order = record_compare(key, node->low[middle], &alike);

        if (order < 0) {
            to = middle;
            near->above = alike;
        } else {
            from = middle + 1;
            near->below = alike;
        }
        if ((*same = order == 0))
            break;
    }
    return from;
}

static unsigned child_of(const struct tree_node *node, struct text key, struct near *near)
{
    bool same;
    unsigned rank = node_rank(node, key, near, &same);

    if (!rank)
        *near = (struct near){0}; /* the key is below all that come */
    return rank ? rank - 1 : 0;
}

struct tree tree_ref(const struct tree *t)
{
    if (t->root)
        node_ref(t->root);
    return *t;
}

void tree_done(struct tree *t)
{
    if (t->root)
        node_unref(t->root);
    *t = (struct tree){0};
}

const struct record *tree_find(const struct tree *t, struct text key)
{
    const struct tree_node *node = t->root;
    struct near near = {0};
    unsigned rank;
    bool same;

    if (!node)
        return NULL;
    while (node->height)
        node = node->child[child_of(node, key, &near)];
    rank = node_rank(node, key, &near, &same);
    return same ? node->low[rank - 1] : NULL;
}

static int node_each(const struct tree_node *node, int (*each)(void *, const struct record *),
                     void *context)
{
    int err = 0;

    for (unsigned i = 0; i < node->n && !err; i++)
        err = node->height ? node_each(node->child[i], each, context) : each(context, node->low[i]);
    return err;
}

int tree_each(const struct tree *t, int (*each)(void *context, const struct record *r),
              void *context)
{
    return t->root ? node_each(t->root, each, context) : 0;
}

const struct record *tree_after(const struct tree *t, struct text key)
{
    const struct record *next = NULL; /* the lowest of the subtree to the right of the path */
    const struct tree_node *node = t->root;
    struct near near = {0};
    unsigned i;
    bool same;

    if (!node)
        return NULL;
    for (; node->height; node = node->child[i]) {
        i = child_of(node, key, &near);
        if (i + 1 < node->n)
            next = node->low[i + 1];
    }
    i = node_rank(node, key, &near, &same);
    return i < node->n ? node->low[i] : next;
}

/* Splits the full child `i` of a node that has room. An entry that will go to the very end leaves
 * the left half full, so that filling in order wastes nothing. */
static int split_child(struct tree_node *node, unsigned i, bool at_end)
{
    struct tree_node *left = node->child[i], *right = node_new(left->height);
    unsigned keep = at_end ? FANOUT - 1 : FANOUT / 2;

    if (!right)
        return -ENOMEM;
    right->n = (uint16_t)(left->n - keep);
    move_entries(right, 0, left, keep, right->n);
    left->n = (uint16_t)keep;
    move_entries(node, i + 2, node, i + 1, node->n - i - 1);
    node->low[i + 1] = right->low[0];
    node->child[i + 1] = right;
    node->n++;
    return 0;
}

static int grow_root(struct tree *t)
{
    struct tree_node *root = node_new((uint16_t)(t->root->height + 1));

    if (!root)
        return -ENOMEM;
    root->low[0] = t->root->low[0];
    root->child[0] = t->root;
    root->n = 1;
    t->root = root;
    return 0;
}

static bool goes_last(const struct tree_node *node, struct text key)
{
    return record_compare(key, node->low[node->n - 1], &(size_t){0}) > 0;
}

/* Walks to the leaf for the key, with every node owned; with `room` each has place for one more. */
static int descend(struct tree *t, struct text key, bool room, struct path *p)
{
    struct tree_node *node = node_own(&t->root);

    if (!node)
        return -ENOMEM;
    if (room && node->n == FANOUT) {
        if (grow_root(t) < 0)
            return -ENOMEM;
        node = t->root;
    }
    for (p->n = 0;; p->n++) {
        unsigned i = child_of(node, key, &(struct near){0});
        struct tree_node *child;

        p->node[p->n] = node;
        p->at[p->n] = i;
        if (!node->height)
            break;
        if (!(child = node_own(&node->child[i])))
            return -ENOMEM;
        if (room && child->n == FANOUT) {
            if (split_child(node, i, i == node->n - 1u && goes_last(child, key)) < 0)
                return -ENOMEM;
            i = p->at[p->n] = child_of(node, key, &(struct near){0});
            child = node->child[i];
        }
        node = child;
    }
    return 0;
}

/* The lowest elements of the nodes on the path, after the leaf has changed. */
static void refresh_low(struct path *p)
{
    for (unsigned level = p->n; level > 0; level--)
        p->node[level - 1]->low[p->at[level - 1]] = p->node[level]->low[0];
}

int tree_put(struct tree *t, const struct record *r)
{
    char buffer[DIRECTORY_KEY_MAX];
    struct text key = record_key(r, buffer);
    struct tree_node *leaf;
    struct path path;
    unsigned rank;
    bool same;

    if (!t->root && !(t->root = node_new(0)))
        return -ENOMEM;
    if (descend(t, key, true, &path) < 0)
        return -ENOMEM;
    leaf = path.node[path.n];
    rank = node_rank(leaf, key, &(struct near){0}, &same);
    if (same) {
        const struct record *old = leaf->low[rank - 1];

        leaf->low[rank - 1] = record_ref(r);
        refresh_low(&path);
        record_unref(old);
        return 0;
    }
    move_entries(leaf, rank + 1, leaf, rank, leaf->n - rank);
    leaf->low[rank] = record_ref(r);
    leaf->n++;
    t->n++;
    refresh_low(&path);
    return 0;
}

static void take_entry(struct tree_node *node, unsigned i)
{
    move_entries(node, i, node, i + 1, node->n - i - 1u);
    node->n--;
}

/* Puts two thin neighbours together; leaves them alone without memory. */
static void merge_children(struct tree_node *node, unsigned i)
{
    struct tree_node *left, *right;

    if (i + 1 >= node->n || node->child[i]->n + node->child[i + 1]->n > FANOUT / 2)
        return;
    if (!(left = node_own(&node->child[i])) || !(right = node_own(&node->child[i + 1])))
        return;
    move_entries(left, left->n, right, 0, right->n);
    left->n = (uint16_t)(left->n + right->n);
    right->n = 0;
    node_unref(right);
    take_entry(node, i + 1);
}

/* After the leaf has lost an entry: drops empty nodes, merges thin ones, lowers the root. */
static void tidy(struct tree *t, struct path *p)
{
    for (unsigned level = p->n; level > 0; level--) {
        struct tree_node *parent = p->node[level - 1], *node = p->node[level];
        unsigned i = p->at[level - 1];

        if (!node->n) {
            node_unref(node);
            take_entry(parent, i);
            continue;
        }
        parent->low[i] = node->low[0];
        merge_children(parent, i);
        if (i > 0)
            merge_children(parent, i - 1);
    }
    while (t->root->height && t->root->n == 1) {
        struct tree_node *root = t->root;

        t->root = node_ref(root->child[0]);
        node_unref(root);
    }
    if (!t->root->n)
        tree_done(t);
}

int tree_remove(struct tree *t, struct text key)
{
    const struct record *old;
    struct tree_node *leaf;
    struct path path;
    bool same;

    if (!tree_find(t, key))
        return -ENOENT;
    if (descend(t, key, false, &path) < 0)
        return -ENOMEM;
    leaf = path.node[path.n];
    path.at[path.n] = node_rank(leaf, key, &(struct near){0}, &same) - 1;
    old = leaf->low[path.at[path.n]];
    take_entry(leaf, path.at[path.n]);
    t->n--;
    tidy(t, &path);
    record_unref(old);
    return 0;
}
