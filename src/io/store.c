/* store.c - SQLite behind a handful of verbs. */
#include "io/store.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define BUSY_MS      2000 /* a reader (backup, sqlite3) may hold us up that long */
#define BACKUP_PAGES 256  /* copied at once */

struct store {
    sqlite3 *db;
    char *path;
    bool can_write;
    char error[300];
};

struct statement {
    struct store *store;
    sqlite3_stmt *st;
};

static int errno_of(sqlite3 *db, int code)
{
    int system = db ? sqlite3_system_errno(db) : 0;

    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_DONE:
        return 0;
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_READONLY:
        return -EROFS;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -EBUSY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return -EBADMSG;
    case SQLITE_NOMEM:
        return -ENOMEM;
    case SQLITE_CONSTRAINT:
        return -EEXIST;
    case SQLITE_CANTOPEN:
        return system > 0 ? -system : -ENOENT;
    default:
        return system > 0 ? -system : -EIO;
    }
}

static void tell(sqlite3 *db, const char *path, int err, char *to, size_t size)
{
    switch (err) {
    case -ENOSPC:
    case -EDQUOT:
        snprintf(to, size, "the disk that holds %s is full", path);
        break;
    case -EROFS:
    case -EACCES:
    case -EPERM:
        snprintf(to, size, "%s may not be written (read-only folder or missing rights)", path);
        break;
    case -EBUSY:
        snprintf(to, size, "%s is locked by another process", path);
        break;
    case -EBADMSG:
        snprintf(to, size, "%s is damaged or no database: %s", path, db ? sqlite3_errmsg(db) : "");
        break;
    case -ENOENT:
        snprintf(to, size, "there is no %s", path);
        break;
    default:
        snprintf(to, size, "%s: %s", path, db ? sqlite3_errmsg(db) : strerror(-err));
    }
}

/* What a call of SQLite means to us, with the sentence kept. */
static int judge(struct store *s, int code)
{
    int err = errno_of(s->db, code);

    if (err)
        tell(s->db, s->path, err, s->error, sizeof(s->error));
    return err;
}

const char *store_error(const struct store *s)
{
    return s->error;
}

bool store_can_write(const struct store *s)
{
    return s->can_write;
}

const char *store_path(const struct store *s)
{
    return s->path;
}

void store_close(struct store *s)
{
    if (!s)
        return;
    sqlite3_close_v2(s->db);
    free(s->path);
    free(s);
}

/* Opens for writing; where that is not allowed, for reading. */
static int open_file(struct store *s, enum store_mode mode)
{
    int flags =
        mode == STORE_WRITE ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
    int code = sqlite3_open_v2(s->path, &s->db, flags | SQLITE_OPEN_NOMUTEX, NULL);

    if (code != SQLITE_OK && mode == STORE_WRITE && access(s->path, R_OK) == 0) {
        sqlite3_close(s->db);
        code = sqlite3_open_v2(s->path, &s->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
    }
    sqlite3_extended_result_codes(s->db, 1);
    sqlite3_busy_timeout(s->db, BUSY_MS);
    return judge(s, code);
}

/* A read-only folder cannot hold the shared memory of the log; with nobody writing, none is needed.
 */
static int open_immutable(struct store *s)
{
    char uri[4200];

    if (snprintf(uri, sizeof(uri), "file:%s?immutable=1", s->path) >= (int)sizeof(uri))
        return -ENAMETOOLONG;
    sqlite3_close(s->db);
    s->db = NULL;
    return judge(s, sqlite3_open_v2(uri, &s->db,
                                    SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI,
                                    NULL));
}

static int set_up(struct store *s, enum store_mode mode)
{
    int err;

    s->can_write = mode == STORE_WRITE && sqlite3_db_readonly(s->db, "main") == 0;
    if (s->can_write) {
        err = store_run(s, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                           "PRAGMA journal_size_limit=4194304");
        if (err != -EROFS && err != -EACCES)
            return err;
        s->can_write = false;
    }
    err = store_run(s, "SELECT count(*) FROM sqlite_schema");
    if (err == -EROFS || err == -EACCES || err == -ENOENT)
        err = open_immutable(s);
    return err ? err : store_run(s, "SELECT count(*) FROM sqlite_schema");
}

int store_open(const char *path, enum store_mode mode, struct store **ret, char *error, size_t size)
{
    struct store *s = calloc(1, sizeof(*s));
    int err;

    if (!s || !(s->path = strdup(path))) {
        store_close(s);
        snprintf(error, size, "there is not enough memory to open %s", path);
        return -ENOMEM;
    }
    if (!(err = open_file(s, mode)))
        err = set_up(s, mode);
    if (err) {
        snprintf(error, size, "%s", s->error);
        store_close(s);
        return err;
    }
    *ret = s;
    return 0;
}

int store_run(struct store *s, const char *sql)
{
    return judge(s, sqlite3_exec(s->db, sql, NULL, NULL, NULL));
}

int store_begin(struct store *s)
{
    return store_run(s, "BEGIN IMMEDIATE");
}

void store_rollback(struct store *s)
{
    if (!sqlite3_get_autocommit(s->db))
        sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
}

int store_commit(struct store *s)
{
    int err = store_run(s, "COMMIT");

    if (err)
        store_rollback(s);
    return err;
}

int store_version(struct store *s, int32_t *ret)
{
    struct statement *st;
    int err = store_prepare(s, "PRAGMA user_version", &st);

    if (err)
        return err;
    err = statement_step(st);
    if (err > 0)
        *ret = (int32_t)statement_get_number(st, 0);
    statement_free(st);
    return err < 0 ? err : 0;
}

int store_set_version(struct store *s, int32_t version)
{
    char sql[64];

    snprintf(sql, sizeof(sql), "PRAGMA user_version=%d", version);
    return store_run(s, sql);
}

int store_prepare(struct store *s, const char *sql, struct statement **ret)
{
    struct statement *st = malloc(sizeof(*st));
    int err;

    if (!st)
        return -ENOMEM;
    st->store = s;
    err = judge(s, sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &st->st, NULL));
    if (err) {
        free(st);
        return err;
    }
    *ret = st;
    return 0;
}

void statement_free(struct statement *st)
{
    if (!st)
        return;
    sqlite3_finalize(st->st);
    free(st);
}

void statement_text(struct statement *st, int i, struct text value)
{
    sqlite3_bind_text(st->st, i, value.at ? value.at : "", (int)value.len, SQLITE_STATIC);
}

void statement_number(struct statement *st, int i, int64_t value)
{
    sqlite3_bind_int64(st->st, i, value);
}

int statement_step(struct statement *st)
{
    int code = sqlite3_step(st->st), err;

    if (code == SQLITE_ROW)
        return 1;
    err = judge(st->store, code);
    sqlite3_reset(st->st);
    return err;
}

int statement_run(struct statement *st)
{
    int err;

    while ((err = statement_step(st)) > 0)
        ;
    return err;
}

struct text statement_get_text(struct statement *st, int column)
{
    const char *s = (const char *)sqlite3_column_text(st->st, column);

    return s ? (struct text){s, (size_t)sqlite3_column_bytes(st->st, column)} : TEXT("");
}

int64_t statement_get_number(struct statement *st, int column)
{
    return sqlite3_column_int64(st->st, column);
}

static int copy_pages(struct store *s, sqlite3 *to)
{
    sqlite3_backup *b = sqlite3_backup_init(to, "main", s->db, "main");
    int code;

    if (!b)
        return sqlite3_errcode(to);
    do
        code = sqlite3_backup_step(b, BACKUP_PAGES);
    while (code == SQLITE_OK);
    sqlite3_backup_finish(b);
    return code;
}

static int sync_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), err = 0;

    if (fd < 0)
        return -errno;
    if (fsync(fd) < 0)
        err = -errno;
    close(fd);
    return err;
}

int store_backup(struct store *s, const char *path, char *error, size_t size)
{
    sqlite3 *to = NULL;
    int err;

    if (access(path, F_OK) == 0) {
        snprintf(error, size, "%s is there already", path);
        return -EEXIST;
    }
    err = errno_of(to, sqlite3_open(path, &to));
    if (!err)
        err = errno_of(to, copy_pages(s, to));
    if (!err) /* one file to carry away: no log beside it */
        err = errno_of(to, sqlite3_exec(to, "PRAGMA journal_mode=DELETE", NULL, NULL, NULL));
    if (err)
        tell(to, path, err, error, size);
    sqlite3_close(to);
    if (!err && (err = sync_file(path)))
        tell(NULL, path, err, error, size);
    if (err)
        unlink(path);
    return err;
}

int store_check(struct store *s, char *error, size_t size)
{
    struct statement *st;
    int err = store_prepare(s, "PRAGMA integrity_check(1)", &st);

    if (!err) {
        err = statement_step(st);
        if (err > 0) {
            struct text found = statement_get_text(st, 0);

            err = text_is(found, "ok") ? 0 : -EBADMSG;
            snprintf(s->error, sizeof(s->error), "%s is damaged: %.*s", s->path,
                     found.len > 100 ? 100 : (int)found.len, found.at);
        }
        statement_free(st);
    }
    if (err)
        snprintf(error, size, "%s", s->error);
    return err;
}

