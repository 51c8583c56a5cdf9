/* database.c - the directory on disk: opening it, and filling a new one. */
#include "server/database.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "server/database/internal.h"

static int set_up(struct database *db, char *error, size_t size)
{
    struct store *s = db->store;
    int32_t version = 0, newest = n_database_steps;
    int err;

    if (!store_can_write(s)) {
        err = store_version(s, &version);
        if (!err && version != newest) {
            snprintf(error, size, "the database has schema %d, not %d, and may not be written",
                     version, newest);
            return -EROFS;
        }
    } else if ((err = database_migrate(s, database_steps, newest, error, size))) {
        return err;
    } else if (!(err = store_begin(s))) {
        if (!(err = database_complete(s)))
            err = store_commit(s);
        else
            store_rollback(s);
    }
    if (err)
        snprintf(error, size, "%s", store_error(s));
    return err;
}

/* Beside the file itself; a copy of the file is of no use without it. */
static int open_key(struct database *db, const char *path, char *error, size_t size)
{
    const char *slash = strrchr(path, '/');
    char key[700];

    snprintf(key, sizeof(key), "%.*s%s", slash ? (int)(slash - path) + 1 : 0, path,
             DATABASE_KEY_FILE);
    return seal_new(key, &db->seal, error, size);
}

int database_open(const char *path, enum store_mode mode, struct database **ret, char *error,
                  size_t size)
{
    struct database *db = calloc(1, sizeof(*db));
    int err;

    if (!db) {
        snprintf(error, size, "there is not enough memory to open %s", path);
        return -ENOMEM;
    }
    if (!(err = open_key(db, path, error, size)) &&
        !(err = store_open(path, mode, &db->store, error, size)))
        err = set_up(db, error, size);
    if (err) {
        database_close(db);
        return err;
    }
    *ret = db;
    return 0;
}

void database_close(struct database *db)
{
    if (!db)
        return;
    for (int e = 0; e < N_ENTITIES; e++) {
        statement_free(db->tables[e].put);
        statement_free(db->tables[e].remove);
        for (int i = 0; i < MAX_LISTS; i++) {
            statement_free(db->tables[e].put_child[i]);
            statement_free(db->tables[e].remove_children[i]);
        }
    }
    statement_free(db->put_version);
    store_close(db->store);
    seal_free(db->seal);
    free(db);
}

struct store *database_store(const struct database *db)
{
    return db->store;
}

int database_load_or_make(struct database *db, struct text node_name, struct text node_address,
                          const struct directory **ret, char *error, size_t size)
{
    int err = database_load(db, ret, error, size);

    if (err != -ENODATA)
        return err;
    if (!(*ret = directory_factory(node_name, node_address))) {
        snprintf(error, size, "there is not enough memory");
        return -ENOMEM;
    }
    db->hollow = true;
    if (database_replace(db, *ret))
        log_error("database", "the first directory could not be stored: %s",
                  store_error(db->store));
    return 0;
}

bool database_is_hollow(const struct database *db)
{
    return db->hollow;
}
