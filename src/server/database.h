/* database.h - the directory on disk: <data>/dialtone.db.
 *
 * One table per entity and one per list of children, made from entities.def; rows are named by
 * their natural keys, so a set of rows means the same on every node and can be captured by SQLite's
 * session extension. A file of an older schema is brought up to date when it is opened: columns and
 * tables that are new are added with their defaults, anything else is a step in database/schema.c.
 *
 * Errors are those of io/store.h, and -EPROTONOSUPPORT for a file that a newer dialtone has
 * written; `error` gets a sentence. */
#pragma once

#include "core/directory/change.h"
#include "io/store.h"

#define DATABASE_FILE     "dialtone.db"
#define DATABASE_KEY_FILE "secrets.key" /* in the same folder: what seals the secrets in it */

struct database;

/* `path` is the file itself. Made when it is not there. */
int database_open(const char *path, enum store_mode mode, struct database **ret, char *error,
                  size_t size);
void database_close(struct database *db); /* NULL is fine */
struct store *database_store(const struct database *db);

/* Everything as a snapshot; -ENODATA when nothing has ever been stored. */
int database_load(struct database *db, const struct directory **ret, char *error, size_t size);
/* The same, but a new file is filled with directory_factory first. Where that cannot be written,
 * the directory is made all the same. */
int database_load_or_make(struct database *db, struct text node_name, struct text node_address,
                          const struct directory **ret, char *error, size_t size);

/* That happened, and nothing may be stored before database_replace has stored all of it. */
bool database_is_hollow(const struct database *db);

/* A transaction: begin, any number of deltas in the order in which they happened, commit with the
 * version of the last. After an error the transaction is over and nothing of it is stored. */
int database_begin(struct database *db);
int database_write(struct database *db, const struct delta *d);
int database_commit(struct database *db, uint64_t version);
/* The three in one. */
int database_apply(struct database *db, const struct delta *d);
/* Replaces all that is stored by this directory, in one transaction. */
int database_replace(struct database *db, const struct directory *dir);

/* Steps that bring a file from schema `i` to `i + 1`, each in a transaction of its own. */
struct database_step {
    int (*run)(struct store *s);
    const char *what;
};
int database_migrate(struct store *s, const struct database_step *steps, int32_t n, char *error,
                     size_t size);
