#include "io/file_tree.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/file_tree_own.h"

#define FILES_MAX 100000

void file_tree_unref(struct file_tree *t)
{
    if (--t->open_handles)
        return;
    free(t->entries);
    free(t->root);
    free(t);
}

/* --- entries --- */

int file_tree_compare(const void *a, const void *b)
{
    const struct entry *x = *(struct entry *const *)a, *y = *(struct entry *const *)b;
    int order = strcmp(x->lower, y->lower);

    return order ? order : strcmp(x->path, y->path);
}

/* The first entry whose lower path is not less than `lower`. */
static size_t find(const struct file_tree *t, const char *lower)
{
    size_t low = 0, high = t->n_sorted;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (strcmp(t->entries[middle]->lower, lower) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Among files that differ by case, the one spelt `given`, else the first. */
static struct entry *get(const struct file_tree *t, const char *lower, const char *given)
{
    size_t first = find(t, lower);

    for (size_t i = first; i < t->n_sorted && strcmp(t->entries[i]->lower, lower) == 0; i++) {
        if (strcmp(t->entries[i]->path, given) == 0)
            return t->entries[i];
    }
    return first < t->n_sorted && strcmp(t->entries[first]->lower, lower) == 0 ? t->entries[first]
                                                                               : NULL;
}

struct entry *file_tree_exact(const struct file_tree *t, const char *lower, const char *path)
{
    struct entry *e = get(t, lower, path);

    return e && strcmp(e->path, path) == 0 ? e : NULL;
}

void file_tree_drop(struct file_tree *t, struct entry *e)
{
    if (e->content)
        t->cached_bytes -= e->content->size;
    content_unref(e->content);
    e->content = NULL;
}

void file_tree_forget(struct file_tree *t, struct entry *e)
{
    file_tree_drop(t, e);
    free(e->path);
    free(e->lower);
    free(e);
}

struct entry *file_tree_add(struct file_tree *t, const char *path, const char *lower)
{
    struct entry *e;

    if (t->n == t->room) {
        size_t room = t->room ? t->room * 2 : 64;
        struct entry **more =
            room > FILES_MAX ? NULL : realloc(t->entries, room * sizeof(struct entry *));

        if (!more)
            return NULL;
        t->entries = more;
        t->room = room;
    }
    if (!(e = calloc(1, sizeof(*e))))
        return NULL;
    e->path = strdup(path);
    e->lower = strdup(lower);
    if (!e->path || !e->lower) {
        file_tree_forget(t, e);
        return NULL;
    }
    t->entries[t->n++] = e;
    return e;
}

/* --- into memory --- */

void file_tree_load_next(struct file_tree *t);

static void in_worker(uv_work_t *work)
{
    struct loading *l = work->data;

    l->err = content_load(l->full, &l->st, &l->bytes);
}

static void on_loaded(uv_work_t *work, int status)
{
    struct loading *l = work->data;
    struct file_tree *t = l->tree;
    char lower[FILE_TREE_PATH];
    struct entry *e;

    for (size_t i = 0; i <= strlen(l->path); i++)
        lower[i] = (char)tolower((unsigned char)l->path[i]);
    e = t->closing ? NULL : file_tree_exact(t, lower, l->path);
    if (status == 0 && !l->err && e && !e->content && t->options.cache &&
        content_same(&e->st, &l->st) && (e->content = content_of_copy(l->bytes, &l->st)))
        t->cached_bytes += e->content->size;
    else if (status == 0 && !l->err)
        free(l->bytes);
    t->loading = false;
    if (!t->closing)
        file_tree_load_next(t);
    free(l->path);
    free(l->full);
    free(l);
    file_tree_unref(t);
}

static bool wants_memory(const struct file_tree *t, const struct entry *e)
{
    return t->options.cache && !e->content && !e->queued && !e->settling && e->st.st_ino &&
           t->cached_bytes + (uint64_t)e->st.st_size <= t->options.cache_max;
}

static int load(struct file_tree *t, struct entry *e)
{
    struct loading *l = calloc(1, sizeof(*l));
    char full[PATH_MAX];

    e->queued = true; /* one attempt per content: what cannot be read is not tried for ever */
    if (!l)
        return -ENOMEM;
    snprintf(full, sizeof(full), "%s/%s", t->root, e->path);
    l->work.data = l;
    l->tree = t;
    l->st = e->st;
    l->path = strdup(e->path);
    l->full = strdup(full);
    if (!l->path || !l->full || uv_queue_work(t->loop, &l->work, in_worker, on_loaded) < 0) {
        free(l->path);
        free(l->full);
        free(l);
        return -ENOMEM;
    }
    t->loading = true;
    t->open_handles++;
    return 0;
}

/* One after the other: the disk serves nobody faster with more. */
void file_tree_load_next(struct file_tree *t)
{
    for (size_t i = 0; i < t->n && !t->loading; i++) {
        if (wants_memory(t, t->entries[i]))
            load(t, t->entries[i]);
    }
}

/* --- open and close --- */

static void on_timer_closed(uv_handle_t *h)
{
    file_tree_unref(h->data);
}

int file_tree_open(uv_loop_t *loop, const struct file_tree_options *options, struct file_tree **ret)
{
    struct file_tree *t = calloc(1, sizeof(*t));
    DIR *dir;

    if (!t)
        return -ENOMEM;
    mkdir(options->path, 0755);
    if (!(dir = opendir(options->path)) || !(t->root = realpath(options->path, NULL))) {
        int err = -errno;

        if (dir)
            closedir(dir);
        free(t);
        return err;
    }
    closedir(dir);
    t->loop = loop;
    t->options = *options;
    t->options.path = NULL;
    if (!t->options.rest_ms)
        t->options.rest_ms = 1000;
    t->open_handles = 1;
    uv_timer_init(loop, &t->timer);
    t->timer.data = t;
    file_tree_look(t);
    *ret = t;
    return 0;
}

void file_tree_close(struct file_tree *t)
{
    if (!t || t->closing)
        return;
    t->closing = true;
    for (struct folder *f = t->folders; f; f = f->next)
        f->present = false;
    file_tree_forget_folders(t);
    for (size_t i = 0; i < t->n; i++)
        file_tree_forget(t, t->entries[i]);
    t->n = t->n_sorted = 0;
    uv_close((uv_handle_t *)&t->timer, on_timer_closed);
}

void file_tree_cache(struct file_tree *t, bool cache, uint64_t cache_max)
{
    if (cache == t->options.cache && cache_max == t->options.cache_max)
        return;
    t->options.cache = cache;
    t->options.cache_max = cache_max;
    for (size_t i = 0; i < t->n; i++) {
        struct entry *e = t->entries[i];

        if (!cache || t->cached_bytes > cache_max)
            file_tree_drop(t, e);
        if (!e->content)
            e->queued = false;
    }
    file_tree_load_next(t);
}

/* --- asking --- */

int file_tree_get(struct file_tree *t, const char *lower, const char *given, struct content **ret)
{
    struct entry *e = get(t, lower, given);
    char full[PATH_MAX];
    int err;

    if (!e || !e->st.st_ino)
        return -ENOENT;
    if (e->content) {
        *ret = content_ref(e->content);
        return 0;
    }
    snprintf(full, sizeof(full), "%s/%s", t->root, e->path);
    err = content_of_file(full, &e->st, ret);
    if (err != -ESTALE)
        return err;
    file_tree_rescan(t);
    return -EBUSY;
}

bool file_tree_next(const struct file_tree *t, const char *after, struct file_tree_file *ret)
{
    size_t i = after ? find(t, after) : 0;
    const struct entry *e;

    while (after && i < t->n && strcmp(t->entries[i]->lower, after) == 0)
        i++;
    if (i >= t->n)
        return false;
    e = t->entries[i];
    *ret = (struct file_tree_file){
        .path = e->path,
        .size = (uint64_t)(e->st.st_ino ? e->st.st_size : e->seen.st_size),
        .modified = e->st.st_ino ? e->st.st_mtim.tv_sec : e->seen.st_mtim.tv_sec,
        .cached = e->content != NULL,
        .settling = e->settling,
    };
    return true;
}

const char *file_tree_path(const struct file_tree *t)
{
    return t->root;
}

struct file_tree_state file_tree_state(const struct file_tree *t)
{
    struct file_tree_state s = {
        .files = t->n,
        .folders = t->n_folders,
        .cached_bytes = t->cached_bytes,
        .watched = !t->blind,
    };

    for (size_t i = 0; i < t->n; i++) {
        s.bytes += (uint64_t)t->entries[i]->st.st_size;
        s.cached += t->entries[i]->content != NULL;
    }
    return s;
}
