/* store.h - SQLite behind a handful of verbs.
 *
 * A store is one database file with one writer, in write-ahead logging with every commit on disk
 * before it returns (synchronous=FULL). Errors are -errno, and store_error has a sentence for
 * people: -ENOSPC  the disk is full          -EROFS   nothing may be written there -EBUSY   another
 * process has it    -EBADMSG the file is damaged or no database -ENOENT  no such file -ENOMEM, -EIO
 * A statement or store is used by one thread at a time. Nothing here knows what the tables mean. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

struct store;
struct statement;

enum store_mode {
    STORE_WRITE, /* made when it is not there; see store_can_write */
    STORE_READ,
};

/* 0, or -errno with a sentence that names the file. */
int store_open(const char *path, enum store_mode mode, struct store **ret, char *error,
               size_t size);
void store_close(struct store *s); /* with all its statements; NULL is fine */
/* False for STORE_READ, and where nothing may be written: the store then only reads. */
bool store_can_write(const struct store *s);
const char *store_path(const struct store *s);
/* What the last verb that failed on this store had to say; valid until the next one. */
const char *store_error(const struct store *s);

int store_run(struct store *s, const char *sql); /* one or more statements without values */
/* Takes the write lock at once. When a commit fails, nothing of the transaction is stored and it is
 * over; a rollback without one is fine. */
int store_begin(struct store *s);
int store_commit(struct store *s);
void store_rollback(struct store *s);
/* PRAGMA user_version: which steps of a migration have been done. Setting it belongs into their
 * transaction. */
int store_version(struct store *s, int32_t *ret);
int store_set_version(struct store *s, int32_t version);

/* Values are bound from 1, columns read from 0. A text that was bound must stay until the step. */
int store_prepare(struct store *s, const char *sql, struct statement **ret);
void statement_free(struct statement *st); /* NULL is fine */
void statement_text(struct statement *st, int i, struct text value);
void statement_number(struct statement *st, int i, int64_t value);
/* 1: a row; 0: done, and ready for the next values; or -errno. */
int statement_step(struct statement *st);
int statement_run(struct statement *st); /* steps to the end, whatever rows come: 0 or -errno */
/* Valid until the next step; texts end with a NUL behind them and are never NULL. */
struct text statement_get_text(struct statement *st, int column);
int64_t statement_get_number(struct statement *st, int column);

/* A consistent copy while others read and this store goes on writing between its steps; the copy is
 * whole and on disk when this returns 0. The file must not be there yet. */
int store_backup(struct store *s, const char *path, char *error, size_t size);
/* Looks through the whole file; 0, or -EBADMSG with the first thing found. */
int store_check(struct store *s, char *error, size_t size);
