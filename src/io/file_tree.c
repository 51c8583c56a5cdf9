#include "io/file_tree.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEPTH_MAX   8
#define FILES_MAX   100000
#define FOLDERS_MAX 4096
#define PATH_LEN    512 /* of a relative path; longer ones nobody can ask for */
#define LOOK_AGAIN  250 /* ms after the system told of a change */
#define LOOK_BLIND  5000

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

static void tree_unref(struct file_tree *t)
{
    if (--t->open_handles)
        return;
    free(t->entries);
    free(t->root);
    free(t);
}

/* --- entries --- */

static int compare(const void *a, const void *b)
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

static struct entry *get_exact(const struct file_tree *t, const char *lower, const char *path)
{
    struct entry *e = get(t, lower, path);

    return e && strcmp(e->path, path) == 0 ? e : NULL;
}

static void drop_content(struct file_tree *t, struct entry *e)
{
    if (e->content)
        t->cached_bytes -= e->content->size;
    content_unref(e->content);
    e->content = NULL;
}

static void entry_free(struct file_tree *t, struct entry *e)
{
    drop_content(t, e);
    free(e->path);
    free(e->lower);
    free(e);
}

static struct entry *entry_add(struct file_tree *t, const char *path, const char *lower)
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
        entry_free(t, e);
        return NULL;
    }
    t->entries[t->n++] = e;
    return e;
}

/* --- at rest --- */

/* Another process has it open for writing. Where that cannot be asked, the answer is no. */
static bool is_being_written(const char *full)
{
    int fd = open(full, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool written;

    if (fd < 0)
        return false;
    fcntl(fd, F_SETSIG, SIGURG); /* ignored by default, unlike SIGIO: a writer may come just now */
    written = fcntl(fd, F_SETLEASE, F_RDLCK) < 0 && errno == EAGAIN;
    if (!written)
        fcntl(fd, F_SETLEASE, F_UNLCK);
    close(fd);
    return written;
}

static bool is_at_rest(const struct file_tree *t, const struct entry *e, const char *full)
{
    struct timespec now;
    int64_t age_ms;

    clock_gettime(CLOCK_REALTIME, &now);
    age_ms = (now.tv_sec - e->seen.st_mtim.tv_sec) * 1000 +
             (now.tv_nsec - e->seen.st_mtim.tv_nsec) / 1000000;
    if (age_ms < t->options.rest_ms && uv_now(t->loop) - e->seen_ms < t->options.rest_ms)
        return false;
    return !is_being_written(full);
}

/* What lies at the path now: served when it is at rest. */
static void look_at(struct file_tree *t, struct entry *e, const char *full, const struct stat *st)
{
    e->present = true;
    if (e->st.st_ino && content_same(st, &e->st)) {
        e->settling = false;
        return;
    }
    if (!content_same(st, &e->seen)) {
        e->seen = *st;
        e->seen_ms = uv_now(t->loop);
    }
    e->settling = !is_at_rest(t, e, full);
    if (e->settling)
        return;
    drop_content(t, e);
    e->st = *st;
    t->changed = true;
}

/* --- reading folders --- */

static void on_event(uv_fs_event_t *h, const char *name, int events, int status);

static void on_folder_closed(uv_handle_t *h)
{
    struct folder *f = h->data;

    tree_unref(f->tree);
    free(f->path);
    free(f);
}

static void watch_folder(struct file_tree *t, const char *full)
{
    struct folder *f;

    for (f = t->folders; f; f = f->next) {
        if (strcmp(f->path, full) == 0) {
            f->present = true;
            return;
        }
    }
    if (t->n_folders >= FOLDERS_MAX || !(f = calloc(1, sizeof(*f))))
        return;
    if (!(f->path = strdup(full)) || uv_fs_event_init(t->loop, &f->event) < 0) {
        free(f->path);
        free(f);
        return;
    }
    f->event.data = f;
    f->tree = t;
    f->present = true;
    f->next = t->folders;
    t->folders = f;
    t->n_folders++;
    t->open_handles++;
    if (uv_fs_event_start(&f->event, on_event, full, 0) < 0)
        t->blind = true;
}

static void forget_folders(struct file_tree *t)
{
    for (struct folder **at = &t->folders; *at;) {
        struct folder *f = *at;

        if (f->present) {
            at = &f->next;
            continue;
        }
        *at = f->next;
        t->n_folders--;
        uv_close((uv_handle_t *)&f->event, on_folder_closed);
    }
}

/* A link may point to another place of the same tree. */
static bool stays_inside(const struct file_tree *t, const char *full)
{
    char real[PATH_MAX];
    size_t len = strlen(t->root);

    return realpath(full, real) && strncmp(real, t->root, len) == 0 && real[len] == '/';
}

static void read_folder(struct file_tree *t, const char *relative, int depth);

static void look_at_path(struct file_tree *t, const char *path, int depth)
{
    char full[PATH_MAX], lower[PATH_LEN];
    struct entry *e;
    struct stat st;
    size_t len = strlen(path);

    if (len >= PATH_LEN ||
        snprintf(full, sizeof(full), "%s/%s", t->root, path) >= (int)sizeof(full) ||
        lstat(full, &st) < 0)
        return;
    if (S_ISLNK(st.st_mode) &&
        (!stays_inside(t, full) || stat(full, &st) < 0 || S_ISDIR(st.st_mode)))
        return; /* linked folders could go in circles */
    if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
        read_folder(t, path, depth + 1);
    if (!S_ISREG(st.st_mode))
        return;
    for (size_t i = 0; i <= len; i++)
        lower[i] = (char)tolower((unsigned char)path[i]);
    if ((e = get_exact(t, lower, path)) || (e = entry_add(t, path, lower)))
        look_at(t, e, full, &st);
}

static void read_folder(struct file_tree *t, const char *relative, int depth)
{
    char full[PATH_MAX], path[PATH_MAX];
    struct dirent *d;
    DIR *dir;

    snprintf(full, sizeof(full), "%s%s%s", t->root, *relative ? "/" : "", relative);
    watch_folder(t, full); /* before it is read: what changes meanwhile is told */
    if (!(dir = opendir(full)))
        return;
    while ((d = readdir(dir))) {
        if (d->d_name[0] == '.')
            continue;
        if (snprintf(path, sizeof(path), "%s%s%s", relative, *relative ? "/" : "", d->d_name) <
            (int)sizeof(path))
            look_at_path(t, path, depth);
    }
    closedir(dir);
}

/* --- into memory --- */

static void load_next(struct file_tree *t);

static void in_worker(uv_work_t *work)
{
    struct loading *l = work->data;

    l->err = content_load(l->full, &l->st, &l->bytes);
}

static void on_loaded(uv_work_t *work, int status)
{
    struct loading *l = work->data;
    struct file_tree *t = l->tree;
    char lower[PATH_LEN];
    struct entry *e;

    for (size_t i = 0; i <= strlen(l->path); i++)
        lower[i] = (char)tolower((unsigned char)l->path[i]);
    e = t->closing ? NULL : get_exact(t, lower, l->path);
    if (status == 0 && !l->err && e && !e->content && t->options.cache &&
        content_same(&e->st, &l->st) && (e->content = content_of_copy(l->bytes, &l->st)))
        t->cached_bytes += e->content->size;
    else if (status == 0 && !l->err)
        free(l->bytes);
    t->loading = false;
    if (!t->closing)
        load_next(t);
    free(l->path);
    free(l->full);
    free(l);
    tree_unref(t);
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
static void load_next(struct file_tree *t)
{
    for (size_t i = 0; i < t->n && !t->loading; i++) {
        if (wants_memory(t, t->entries[i]))
            load(t, t->entries[i]);
    }
}

/* --- looking again --- */

static void on_look(uv_timer_t *timer);

static bool anything_settling(const struct file_tree *t)
{
    for (size_t i = 0; i < t->n; i++) {
        if (t->entries[i]->settling)
            return true;
    }
    return false;
}

static void forget_entries(struct file_tree *t)
{
    size_t kept = 0;

    for (size_t i = 0; i < t->n; i++) {
        if (t->entries[i]->present) {
            t->entries[kept++] = t->entries[i];
            continue;
        }
        entry_free(t, t->entries[i]);
        t->changed = true;
    }
    t->n = kept;
}

/* Reads the whole tree. New entries are appended while it is read, and sorted in when it is done.
 */
static void look(struct file_tree *t)
{
    for (size_t i = 0; i < t->n; i++)
        t->entries[i]->present = false;
    for (struct folder *f = t->folders; f; f = f->next)
        f->present = false;
    t->changed = false;
    uv_update_time(t->loop);
    read_folder(t, "", 0);
    forget_entries(t);
    forget_folders(t);
    if (t->n)
        qsort(t->entries, t->n, sizeof(t->entries[0]), compare);
    t->n_sorted = t->n;
    for (size_t i = 0; t->changed && i < t->n; i++) {
        if (!t->entries[i]->content)
            t->entries[i]->queued = false;
    }
    load_next(t);
    if (anything_settling(t))
        uv_timer_start(&t->timer, on_look, t->options.rest_ms / 2 + 1, 0);
    else if (t->blind)
        uv_timer_start(&t->timer, on_look, LOOK_BLIND, 0);
    if (t->changed && t->options.on_change)
        t->options.on_change(t->options.context);
}

static void on_look(uv_timer_t *timer)
{
    look(timer->data);
}

static void look_soon(struct file_tree *t)
{
    uint64_t due = uv_timer_get_due_in(&t->timer);

    if (!t->closing && (!uv_is_active((uv_handle_t *)&t->timer) || due > LOOK_AGAIN))
        uv_timer_start(&t->timer, on_look, LOOK_AGAIN, 0);
}

static void on_event(uv_fs_event_t *h, const char *name, int events, int status)
{
    look_soon(((struct folder *)h->data)->tree);
}

/* --- open and close --- */

static void on_timer_closed(uv_handle_t *h)
{
    tree_unref(h->data);
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
    look(t);
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
    forget_folders(t);
    for (size_t i = 0; i < t->n; i++)
        entry_free(t, t->entries[i]);
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
            drop_content(t, e);
        if (!e->content)
            e->queued = false;
    }
    load_next(t);
}

void file_tree_rescan(struct file_tree *t)
{
    look_soon(t);
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
    look_soon(t);
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
