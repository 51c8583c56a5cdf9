/* file_tree_look.c - reads the folders, watches them, and judges which files are at rest. */
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

#include "io/file_tree_own.h"

#define DEPTH_MAX   8
#define FOLDERS_MAX 4096
#define LOOK_AGAIN  250 /* ms after the system told of a change */
#define LOOK_BLIND  5000

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
    file_tree_drop(t, e);
    e->st = *st;
    t->changed = true;
}

/* --- reading folders --- */

static void on_event(uv_fs_event_t *h, const char *name, int events, int status);

static void on_folder_closed(uv_handle_t *h)
{
    struct folder *f = h->data;

    file_tree_unref(f->tree);
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

void file_tree_forget_folders(struct file_tree *t)
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
    char full[PATH_MAX], lower[FILE_TREE_PATH];
    struct entry *e;
    struct stat st;
    size_t len = strlen(path);

    if (len >= FILE_TREE_PATH ||
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
    if ((e = file_tree_exact(t, lower, path)) || (e = file_tree_add(t, path, lower)))
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
        file_tree_forget(t, t->entries[i]);
        t->changed = true;
    }
    t->n = kept;
}

/* Reads the whole tree. New entries are appended while it is read, and sorted in when it is done.
 */
void file_tree_look(struct file_tree *t)
{
    for (size_t i = 0; i < t->n; i++)
        t->entries[i]->present = false;
    for (struct folder *f = t->folders; f; f = f->next)
        f->present = false;
    t->changed = false;
    uv_update_time(t->loop);
    read_folder(t, "", 0);
    forget_entries(t);
    file_tree_forget_folders(t);
    if (t->n)
        qsort(t->entries, t->n, sizeof(t->entries[0]), file_tree_compare);
    t->n_sorted = t->n;
    for (size_t i = 0; t->changed && i < t->n; i++) {
        if (!t->entries[i]->content)
            t->entries[i]->queued = false;
    }
    file_tree_load_next(t);
    if (anything_settling(t))
        uv_timer_start(&t->timer, on_look, t->options.rest_ms / 2 + 1, 0);
    else if (t->blind)
        uv_timer_start(&t->timer, on_look, LOOK_BLIND, 0);
    if (t->changed && t->options.on_change)
        t->options.on_change(t->options.context);
}

static void on_look(uv_timer_t *timer)
{
    file_tree_look(timer->data);
}

void file_tree_rescan(struct file_tree *t)
{
    uint64_t due = uv_timer_get_due_in(&t->timer);

    if (!t->closing && (!uv_is_active((uv_handle_t *)&t->timer) || due > LOOK_AGAIN))
        uv_timer_start(&t->timer, on_look, LOOK_AGAIN, 0);
}

static void on_event(uv_fs_event_t *h, const char *name, int events, int status)
{
    file_tree_rescan(((struct folder *)h->data)->tree);
}
