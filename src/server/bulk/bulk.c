/* bulk.c - import, export, backup and restore as requests, on a running server or on its folder. */
#include "server/bulk/bulk.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/grow.h"
#include "core/directory/fields.h"
#include "io/process.h"
#include "server/addressing/lease_file.h"
#include "server/api/plan.h"
#include "server/server.h"

#define FILE_MAX   ((off_t)1 << 30)
#define FAULTS_MAX 100

struct blob {
    char *bytes;
    size_t len;
};

static int read_fd(int fd, struct blob *ret)
{
    struct stat st;
    size_t len = 0;

    if (fstat(fd, &st) < 0)
        return -errno;
    if (S_ISDIR(st.st_mode))
        return -EISDIR;
    if (st.st_size > FILE_MAX)
        return -EFBIG;
    if (!(ret->bytes = malloc((size_t)st.st_size + 1)))
        return -ENOMEM;
    while (len < (size_t)st.st_size) {
        ssize_t n = read(fd, ret->bytes + len, (size_t)st.st_size - len);

        if (n < 0 && errno != EINTR)
            return -errno;
        if (n == 0)
            break;
        len += n > 0 ? (size_t)n : 0;
    }
    ret->len = len;
    return 0;
}

/* The server is often another user than who typed the name. */
static void tell_file(const char *path, int err, char *error, size_t size)
{
    bool rights = err == -EACCES || err == -EPERM;
    const struct passwd *user = rights ? getpwuid(geteuid()) : NULL;

    snprintf(error, size, "%s: %s%s%s%s", path, strerror(-err),
             user ? " (it is opened as user " : "", user ? user->pw_name : "", user ? ")" : "");
}

static int read_file(const char *path, struct blob *ret, char *error, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int err = fd < 0 ? -errno : read_fd(fd, ret);

    if (err)
        tell_file(path, err, error, size);
    if (fd >= 0)
        close(fd);
    return err;
}

/* Whole or not at all: a neighbour is written first. */
static int write_file(const char *path, const struct grow *text, char *error, size_t size)
{
    char neighbour[4200];
    int fd, err = 0;

    if (snprintf(neighbour, sizeof(neighbour), "%s.part", path) >= (int)sizeof(neighbour))
        return -ENAMETOOLONG;
    if ((fd = open(neighbour, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) < 0)
        err = -errno;
    for (size_t at = 0; !err && at < text->len;) {
        ssize_t n = write(fd, text->at + at, text->len - at);

        if (n < 0 && errno != EINTR)
            err = -errno;
        at += n > 0 ? (size_t)n : 0;
    }
    if (!err && fsync(fd) < 0)
        err = -errno;
    if (fd >= 0)
        close(fd);
    if (!err && rename(neighbour, path) < 0)
        err = -errno;
    if (err) {
        tell_file(path, err, error, size);
        unlink(neighbour);
    }
    return err;
}

static const char *string_of(const json_t *arguments, const char *name)
{
    const char *s = json_string_value(json_object_get(arguments, name));

    return s ? s : "";
}

static bool wants_json(const char *path, const char *format)
{
    return *format ? !strncmp(format, "json", 4) : text_ends(text_of(path), ".json");
}

/* A status of HTTP goes with it: 507 is a full disk. */
static json_t *refusal_of(int err, const char *sentence)
{
    return json_pack("{s:s, s:i}", "error", sentence, "code", err == -ENOSPC ? 507 : 422);
}

static json_t *refusal(const char *sentence)
{
    return refusal_of(0, sentence);
}

struct import {
    struct change *change;
    struct change_faults faults;
    struct change_fault rows[FAULTS_MAX];
    struct delta delta;
    size_t n_read;
    char error[512];
};

/* Every fault costs a look at the rest, so that a person sees all of them at once. */
static int import_prepare(struct import *i, const struct directory *dir, const char *path,
                          const char *format)
{
    struct text model = text_of(format);
    struct blob file = {0};
    int err;

    i->faults = (struct change_faults){.rows = i->rows, .max = FAULTS_MAX};
    if (!(i->change = change_new()))
        return -ENOMEM;
    text_split(&model, ':');
    if ((err = read_file(path, &file, i->error, sizeof(i->error))))
        goto out;
    if (wants_json(path, format))
        err =
            bulk_json_read(file.bytes, file.len, i->change, &i->faults, i->error, sizeof(i->error));
    else
        err = bulk_csv_read(file.bytes, file.len, model.at ? model : TEXT(""), i->change,
                            &i->faults, i->error, sizeof(i->error));
    i->n_read = change_count(i->change);
    free(file.bytes);
    file.bytes = NULL;
    if (!err)
        err = directory_apply(dir, i->change, &i->faults, &i->delta, i->error, sizeof(i->error));
    if (!err && i->faults.total)
        err = -EINVAL;
    if (i->faults.total)
        snprintf(i->error, sizeof(i->error), "nothing was imported: %zu %s", i->faults.total,
                 i->faults.total == 1 ? "line is wrong" : "lines are wrong");
out:
    free(file.bytes);
    return err;
}

static int compare_faults(const void *a, const void *b)
{
    const struct change_fault *one = a, *other = b;

    return (one->source > other->source) - (one->source < other->source);
}

static json_t *import_body(struct import *i, int err, bool dry)
{
    size_t added = 0, changed = 0;
    json_t *body, *rows = json_array();

    for (size_t r = 0; r < i->delta.n; r++) {
        added += !i->delta.rows[r].before;
        changed += i->delta.rows[r].before && i->delta.rows[r].after;
    }
    qsort(i->rows, i->faults.n, sizeof(i->rows[0]), compare_faults);
    for (size_t f = 0; f < i->faults.n; f++)
        json_array_append_new(rows, json_pack("[i, s, o]", (int)i->rows[f].source, i->rows[f].field,
                                              json_of(text_of(i->rows[f].text))));
    body = json_pack("{s:{s:I, s:I, s:I, s:I}, s:[s, s, s], s:o}", "record", "read",
                     (json_int_t)i->n_read, "added", (json_int_t)(err ? 0 : added), "changed",
                     (json_int_t)(err ? 0 : changed), "refused", (json_int_t)i->faults.total,
                     "columns", "line", "field", "reason", "rows", rows);
    if (err)
        json_object_set_new(body, "error", json_of(text_of(i->error)));
    else if (dry) {
        json_object_set_new(body, "changes", plan_changes(&i->delta));
        json_object_set_new(body, "notes",
                            json_pack("[s]", "Nothing was stored: this was a dry run."));
    }
    return body;
}

static const char no_writing[] =
    "the database cannot be written now; `dialtone service list` says why";

static int store_failed(struct bulk_host *h, int err, char *error, size_t size)
{
    h->disk_error = err;
    snprintf(error, size, "%s", h->can_write ? store_error(database_store(h->db)) : no_writing);
    return err;
}

static void take_directory(struct bulk_host *h, const struct directory *take)
{
    directory_unref(h->directory);
    h->directory = take;
}

static int run_import(struct bulk_host *h, const json_t *arguments, json_t **body)
{
    bool dry = json_is_true(json_object_get(arguments, "dry_run"));
    struct import *i = calloc(1, sizeof(*i));
    int err;

    if (!i) {
        *body = refusal("there is not enough memory");
        return 1;
    }
    err = import_prepare(i, h->directory, string_of(arguments, "path"),
                         string_of(arguments, "format"));
    if (err == -ENOMEM && !*i->error)
        snprintf(i->error, sizeof(i->error), "there is not enough memory");
    if (!err && !dry && i->delta.n) {
        err = h->can_write ? database_apply(h->db, &i->delta) : -EROFS;
        if (err)
            store_failed(h, err, i->error, sizeof(i->error));
        else
            take_directory(h, directory_ref(i->delta.directory));
    }
    *body = import_body(i, err, dry);
    delta_done(&i->delta);
    change_free(i->change);
    free(i);
    return err ? 1 : 0;
}

static int run_export(struct bulk_host *h, const json_t *arguments, json_t **body)
{
    const char *path = string_of(arguments, "path"), *format = string_of(arguments, "format");
    struct grow text = {0};
    char error[512];
    int err;

    if (wants_json(path, format))
        bulk_json_write(h->directory, !strcmp(format, "json+secrets"), &text);
    else
        bulk_csv_write(h->directory, &text);
    if (text.bad) {
        snprintf(error, sizeof(error), "there is not enough memory");
        err = -ENOMEM;
    } else {
        err = write_file(path, &text, error, sizeof(error));
    }
    *body = err ? refusal_of(err, error)
                : json_pack("{s:{s:s, s:I, s:I}}", "record", "path", path, "phones",
                            (json_int_t)directory_count(h->directory, ENTITY_phone), "bytes",
                            (json_int_t)text.len);
    grow_done(&text);
    return err ? 1 : 0;
}

static const char *folder_of(const struct bulk_host *h, char *to, size_t size)
{
    char *slash;

    snprintf(to, size, "%s", store_path(database_store(h->db)));
    slash = strrchr(to, '/');
    if (slash)
        *slash = '\0';
    return slash ? to : ".";
}

static int run_backup(struct bulk_host *h, const json_t *arguments, json_t **body)
{
    const char *path = string_of(arguments, "path");
    char error[512] = "there is no database";
    struct stat st = {0};
    char folder[4200];
    int err = h->db ? store_backup(database_store(h->db), path, error, sizeof(error)) : -ENOENT;

    if (!err && (err = lease_file_backup(folder_of(h, folder, sizeof(folder)), path))) {
        snprintf(error, sizeof(error), "its leases: %s", strerror(-err));
        unlink(path);
    }
    if (!err)
        stat(path, &st);
    *body =
        err ? refusal_of(err, error)
            : json_pack("{s:{s:s, s:I}}", "record", "path", path, "bytes", (json_int_t)st.st_size);
    return err ? 1 : 0;
}

/* Reads the backup through a copy in our folder, which may be brought up to date without touching
 * it. */
static int read_backup(const char *path, const char *copy, const struct directory **ret,
                       char *error, size_t size)
{
    struct database *db = NULL;
    struct store *s = NULL;
    int err;

    unlink(copy);
    if ((err = store_open(path, STORE_READ, &s, error, size)))
        return err;
    err = store_check(s, error, size);
    if (!err)
        err = store_backup(s, copy, error, size);
    store_close(s);
    if (!err)
        err = database_open(copy, STORE_WRITE, &db, error, size);
    if (!err)
        err = database_load(db, ret, error, size);
    database_close(db);
    return err;
}

static void remove_copy(const char *copy)
{
    char name[4300];

    unlink(copy);
    snprintf(name, sizeof(name), "%s-wal", copy);
    unlink(name);
    snprintf(name, sizeof(name), "%s-shm", copy);
    unlink(name);
}

static int replace_all(struct bulk_host *h, const struct directory *dir, const char *aside,
                       char *error, size_t size)
{
    const struct directory *next = directory_as_version(dir, directory_version(h->directory) + 1);
    int err = next ? store_backup(database_store(h->db), aside, error, size) : -ENOMEM;

    if (!err && (err = database_replace(h->db, next)))
        store_failed(h, err, error, size);
    if (err)
        directory_unref(next);
    else
        take_directory(h, next);
    return err;
}

/* A name that nothing has yet for what is replaced now. */
static void name_aside(const char *database, char *to, size_t size)
{
    time_t now = time(NULL);
    char stamp[32];

    strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", gmtime(&now));
    snprintf(to, size, "%s.before-restore-%s", database, stamp);
    for (int i = 2; i < 1000 && access(to, F_OK) == 0; i++)
        snprintf(to, size, "%s.before-restore-%s-%d", database, stamp, i);
}

static int run_restore(struct bulk_host *h, const json_t *arguments, json_t **body)
{
    char error[512], copy[4200], aside[4300], note[4400], folder[4200];
    const struct directory *dir = NULL;
    const char *path = string_of(arguments, "path"), *leases = "";
    int err = -EROFS;

    snprintf(error, sizeof(error), "%s", no_writing);
    if (h->can_write) {
        snprintf(copy, sizeof(copy), "%s.restoring", store_path(database_store(h->db)));
        name_aside(store_path(database_store(h->db)), aside, sizeof(aside));
        err = read_backup(path, copy, &dir, error, sizeof(error));
        remove_copy(copy);
        if (!err && json_is_true(json_object_get(arguments, "dry_run"))) {
            *body = json_pack("{s:{s:s, s:I}, s:[s]}", "record", "path", path, "phones",
                              (json_int_t)directory_count(dir, ENTITY_phone), "notes",
                              "It is a good backup; nothing was changed.");
            directory_unref(dir);
            return 0;
        }
        if (!err)
            err = replace_all(h, dir, aside, error, sizeof(error));
        if (!err && lease_file_restore(path, folder_of(h, folder, sizeof(folder))) < 0)
            leases = " Its leases could not be read.";
    }
    directory_unref(dir);
    if (err) {
        *body = refusal(error);
        return 1;
    }
    snprintf(note, sizeof(note), "What was there before is kept in %s.%s", aside, leases);
    *body = json_pack("{s:{s:s, s:I}, s:[s]}", "record", "path", path, "phones",
                      (json_int_t)directory_count(h->directory, ENTITY_phone), "notes", note);
    return 0;
}

static const struct {
    const char *verb;
    int (*run)(struct bulk_host *h, const json_t *arguments, json_t **body);
} verbs[] = {
    {"import", run_import},
    {"export", run_export},
    {"backup", run_backup},
    {"restore", run_restore},
};

int bulk_request(struct bulk_host *h, const char *verb, const json_t *arguments, json_t **body)
{
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (!strcmp(verb, verbs[i].verb))
            return verbs[i].run(h, arguments, body);
    }
    *body = refusal("storage does not know this verb");
    return 1;
}

int bulk_offline(const char *folder, const char *verb, const json_t *arguments, json_t **body)
{
    struct bulk_host h = {0};
    char path[4200], error[512], host[256] = "dialtone";
    pid_t other = 0;
    int fd = -1, status = 1, err;

    *body = NULL;
    snprintf(path, sizeof(path), "%s/dialtone.pid", folder);
    err = process_lock(path, &fd, &other);
    if (err == -EBUSY)
        return err;
    if (err && err != -EROFS && err != -EACCES) {
        if (err == -ENOENT)
            snprintf(error, sizeof(error),
                     "there is no data folder %s: make it, or start the server once", folder);
        else
            snprintf(error, sizeof(error), "%s: %s", folder, strerror(-err));
        *body = refusal(error);
        return 1;
    }
    gethostname(host, sizeof(host) - 1);
    snprintf(path, sizeof(path), "%s/" DATABASE_FILE, folder);
    if (database_open(path, STORE_WRITE, &h.db, error, sizeof(error)) ||
        database_load_or_make(h.db, text_of(host), TEXT(""), &h.directory, error, sizeof(error)))
        *body = refusal(error);
    else {
        h.can_write = store_can_write(database_store(h.db)) && !database_is_hollow(h.db);
        status = bulk_request(&h, verb, arguments, body);
    }
    directory_unref(h.directory);
    database_close(h.db);
    if (fd >= 0)
        close(fd);
    return status;
}
