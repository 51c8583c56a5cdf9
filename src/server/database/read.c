/* read.c - from the file to a snapshot: the tables of an entity and of its lists are walked
 * together, in the order of the key. */
#include <errno.h>
#include <stdio.h>

#include "base/grow.h"
#include "base/log.h"
#include "core/directory/load.h"
#include "server/database/internal.h"

struct children {
    const struct directory_field *list;
    struct statement *st;
    int more; /* 1: a row waits to be taken */
};

static int select_columns(struct store *s, const char *table, const char *front, const char *order,
                          const struct directory_field *fields, struct statement **ret)
{
    struct grow sql = {0};
    int err;

    grow_format(&sql, "SELECT \"%s\"", front);
    for (const struct directory_field *f = fields; f->name; f++) {
        if (f->kind != FIELD_LIST)
            grow_format(&sql, ", \"%s\"", f->name);
    }
    grow_format(&sql, " FROM \"%s\" ORDER BY %s", table, order);
    err = sql.bad ? -ENOMEM : store_prepare(s, sql.at, ret);
    grow_done(&sql);
    return err;
}

/* One that the key does not open is lost: somebody has to give it again. */
static void read_secret(struct database *db, struct loader *l, const struct directory_field *f,
                        struct text stored)
{
    char clear[SEAL_CLEAR_MAX + 1];

    if (!seal_is(stored)) {
        db->has_clear |= field_is_sealed(f, stored);
        loader_text(l, f, stored);
    } else if (seal_open(db->seal, stored, clear) == 0) {
        loader_text(l, f, text_of(clear));
    } else {
        db->n_unknown++;
    }
    explicit_bzero(clear, sizeof(clear));
}

static void read_fields(struct database *db, struct loader *l, struct statement *st,
                        const struct directory_field *fields)
{
    int i = 1;

    for (const struct directory_field *f = fields; f->name; f++) {
        if (f->kind == FIELD_LIST)
            continue;
        if (field_is_number(f))
            loader_number(l, f, statement_get_number(st, i));
        else if (f->kind == FIELD_SECRET)
            read_secret(db, l, f, statement_get_text(st, i));
        else
            loader_text(l, f, statement_get_text(st, i));
        i++;
    }
}

/* The key as text, from the first columns of a row. */
static struct text key_in_row(const struct directory_entity *e, struct statement *st,
                              char to[static DIRECTORY_KEY_MAX])
{
    struct text second = e->n_keys > 1 ? statement_get_text(st, 2) : TEXT("");

    if (!second.len)
        return statement_get_text(st, 1);
    snprintf(to, DIRECTORY_KEY_MAX, "%s/%s", statement_get_text(st, 1).at, second.at);
    return text_of(to);
}

/* Children of the owner; those of owners that are no more are passed over. */
static int read_children(struct database *db, struct loader *l, struct children *c,
                         struct text owner)
{
    while (c->more > 0) {
        struct text of = statement_get_text(c->st, 0);

        if (!text_equal_nocase(of, owner))
            return 0;
        loader_item(l, c->list);
        read_fields(db, l, c->st, c->list->item->fields);
        c->more = statement_step(c->st);
    }
    return c->more;
}

static int open_children(struct store *s, const struct directory_entity *e, struct children *rows,
                         int *n)
{
    char table[100];
    int err = 0;

    *n = 0;
    for (const struct directory_field *f = e->fields; f->name && !err; f++) {
        if (f->kind != FIELD_LIST)
            continue;
        snprintf(table, sizeof(table), "%s_%s", e->id, f->name);
        rows[*n].list = f;
        err = select_columns(s, table, "owner", "\"owner\", \"position\"", f->item->fields,
                             &rows[*n].st);
        if (!err) {
            rows[*n].more = statement_step(rows[*n].st);
            err = rows[*n].more < 0 ? rows[*n].more : 0;
            ++*n;
        }
    }
    return err;
}

static int load_entity(struct database *db, struct loader *l, enum entity id)
{
    const struct directory_entity *e = directory_entity(id);
    struct children children[MAX_LISTS];
    char order[100], buffer[DIRECTORY_KEY_MAX];
    struct statement *st = NULL;
    int n = 0, err;

    snprintf(order, sizeof(order), "\"%s\"%s%s%s", e->fields[0].name, e->n_keys > 1 ? ", \"" : "",
             e->n_keys > 1 ? e->fields[1].name : "", e->n_keys > 1 ? "\"" : "");
    err = open_children(db->store, e, children, &n);
    if (!err)
        err = select_columns(db->store, e->id, "changed", order, e->fields, &st);
    while (!err && (err = statement_step(st)) > 0) {
        loader_begin(l, id, (uint64_t)statement_get_number(st, 0));
        read_fields(db, l, st, e->fields);
        err = 0;
        for (int i = 0; i < n && !err; i++)
            err = read_children(db, l, &children[i], key_in_row(e, st, buffer));
        if (!err)
            err = loader_end(l);
    }
    statement_free(st);
    while (n > 0)
        statement_free(children[--n].st);
    return err;
}

static int load_version(struct database *db, uint64_t *ret)
{
    struct statement *st;
    int err = store_prepare(db->store, "SELECT value FROM meta WHERE name = 'version'", &st);

    if (err)
        return err;
    err = statement_step(st);
    if (err > 0)
        *ret = (uint64_t)statement_get_number(st, 0);
    statement_free(st);
    return err > 0 ? 0 : err < 0 ? err : -ENODATA;
}

/* Secrets that came in clear, with a file of an older dialtone, do not stay so. */
static void look_after_secrets(struct database *db, const struct directory *dir)
{
    if (db->n_unknown)
        log_error("database",
                  "%u secrets (digest and unlock passwords) were sealed with another key than that "
                  "of " DATABASE_KEY_FILE " and have to be given again",
                  db->n_unknown);
    if (db->has_clear && store_can_write(db->store) &&
        (database_replace(db, dir) ||
         store_run(db->store, "VACUUM; PRAGMA wal_checkpoint(TRUNCATE)")))
        log_error("database", "secrets could not be sealed: %s", store_error(db->store));
    db->n_unknown = 0;
    db->has_clear = false;
}

int database_load(struct database *db, const struct directory **ret, char *error, size_t size)
{
    struct loader *l = loader_new();
    uint64_t version = 0;
    int err = l ? load_version(db, &version) : -ENOMEM;

    for (int e = 0; e < N_ENTITIES && !err; e++)
        err = load_entity(db, l, (enum entity)e);
    if (!err && !(*ret = loader_finish(l, version)))
        err = -ENOMEM;
    else if (err)
        loader_free(l);
    if (!err)
        look_after_secrets(db, *ret);
    if (err)
        snprintf(error, size, "%s",
                 err == -ENODATA  ? "the database is empty"
                 : err == -ENOMEM ? "there is not enough memory"
                                  : store_error(db->store));
    return err;
}
