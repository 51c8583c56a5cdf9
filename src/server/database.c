/* database.c - the directory on disk: its schema, how it is read and written. */
#include "server/database.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/grow.h"
#include "base/log.h"
#include "core/directory/fields.h"
#include "core/directory/load.h"

#define MAX_LISTS 4 /* of one entity */

struct table {
    struct statement *put, *remove;
    struct statement *put_child[MAX_LISTS], *remove_children[MAX_LISTS];
};

struct database {
    struct store *store;
    struct statement *put_version;
    struct table tables[N_ENTITIES];
};

static bool is_number(const struct directory_field *f)
{
    return f->kind == FIELD_NUM || f->kind == FIELD_FLAG || f->kind == FIELD_ENUM;
}

static int64_t number_of(const void *record, const struct directory_field *f)
{
    const char *at = (const char *)record + f->offset;

    return f->kind == FIELD_NUM    ? *(const int32_t *)at
           : f->kind == FIELD_FLAG ? *(const bool *)at
                                   : *(const uint8_t *)at;
}

static struct text text_in(const void *record, const struct directory_field *f)
{
    return text_of(*(const char *const *)((const char *)record + f->offset));
}

/* "name" TEXT COLLATE NOCASE NOT NULL DEFAULT '' */
static void column(struct grow *sql, const struct directory_field *f)
{
    if (is_number(f))
        grow_format(sql, "\"%s\" INTEGER NOT NULL DEFAULT %d", f->name, f->number);
    else
        grow_format(sql, "\"%s\" TEXT %sNOT NULL DEFAULT '%s'", f->name,
                    f->kind == FIELD_KEY ? "COLLATE NOCASE " : "", f->text);
}

static void entity_table(struct grow *sql, const struct directory_entity *e)
{
    grow_format(sql, "CREATE TABLE IF NOT EXISTS \"%s\"(", e->id);
    for (const struct directory_field *f = e->fields; f->name; f++) {
        if (f->kind == FIELD_LIST)
            continue;
        column(sql, f);
        grow_string(sql, ", ");
    }
    grow_string(sql, "\"changed\" INTEGER NOT NULL DEFAULT 0, PRIMARY KEY(");
    for (unsigned i = 0; i < e->n_keys; i++)
        grow_format(sql, "%s\"%s\"", i ? ", " : "", e->fields[i].name);
    grow_string(sql, ")) WITHOUT ROWID;\n");
}

static void list_table(struct grow *sql, const struct directory_entity *e,
                       const struct directory_field *list)
{
    grow_format(sql,
                "CREATE TABLE IF NOT EXISTS \"%s_%s\"(\"owner\" TEXT COLLATE NOCASE NOT NULL, "
                "\"position\" INTEGER NOT NULL, ",
                e->id, list->name);
    for (const struct directory_field *f = list->item->fields; f->name; f++) {
        column(sql, f);
        grow_string(sql, ", ");
    }
    grow_string(sql, "PRIMARY KEY(\"owner\", \"position\")) WITHOUT ROWID;\n");
}

static int make_tables(struct store *s)
{
    struct grow sql = {0};
    int err;

    grow_string(&sql, "CREATE TABLE IF NOT EXISTS \"meta\"(\"name\" TEXT PRIMARY KEY NOT NULL, "
                      "\"value\" NOT NULL) WITHOUT ROWID;\n");
    for (int i = 0; i < N_ENTITIES; i++) {
        const struct directory_entity *e = directory_entity((enum entity)i);

        entity_table(&sql, e);
        for (const struct directory_field *f = e->fields; f->name; f++) {
            if (f->kind == FIELD_LIST)
                list_table(&sql, e, f);
        }
    }
    err = sql.bad ? -ENOMEM : store_run(s, sql.at);
    grow_done(&sql);
    return err;
}

static const struct database_step steps[] = {
    {make_tables, "first tables"},
};

int database_migrate(struct store *s, const struct database_step *rows, int32_t n, char *error,
                     size_t size)
{
    int32_t version = 0;
    int err = store_version(s, &version);

    if (!err && version > n) {
        snprintf(error, size,
                 "the database was written by a newer dialtone (schema %d, this one knows %d)",
                 version, n);
        return -EPROTONOSUPPORT;
    }
    for (; !err && version < n; version++) {
        if ((err = store_begin(s)))
            break;
        if (!(err = rows[version].run(s)))
            err = store_set_version(s, version + 1);
        if (!err)
            err = store_commit(s);
        else
            store_rollback(s);
        if (!err && version > 0)
            log_info("database", "brought to schema %d: %s", version + 1, rows[version].what);
    }
    if (err)
        snprintf(error, size, "%s", store_error(s));
    return err;
}

static int has_column(struct store *s, const char *table, const char *name)
{
    struct statement *st;
    int err = store_prepare(s, "SELECT 1 FROM pragma_table_info(?) WHERE name = ?", &st);

    if (err)
        return err;
    statement_text(st, 1, text_of(table));
    statement_text(st, 2, text_of(name));
    err = statement_step(st);
    statement_free(st);
    return err;
}

/* Columns that the table of entities has and the file has not. */
static int missing_columns(struct store *s, const char *table, const struct directory_field *fields,
                           struct grow *sql)
{
    for (const struct directory_field *f = fields; f->name; f++) {
        int there = f->kind == FIELD_LIST ? 1 : has_column(s, table, f->name);

        if (there < 0)
            return there;
        if (there)
            continue;
        grow_format(sql, "ALTER TABLE \"%s\" ADD COLUMN ", table);
        column(sql, f);
        grow_string(sql, ";\n");
    }
    return 0;
}

static int complete_tables(struct store *s)
{
    struct grow sql = {0};
    int err = make_tables(s);

    for (int i = 0; i < N_ENTITIES && !err; i++) {
        const struct directory_entity *e = directory_entity((enum entity)i);
        char table[100];

        err = missing_columns(s, e->id, e->fields, &sql);
        for (const struct directory_field *f = e->fields; f->name && !err; f++) {
            snprintf(table, sizeof(table), "%s_%s", e->id, f->name);
            if (f->kind == FIELD_LIST)
                err = missing_columns(s, table, f->item->fields, &sql);
        }
    }
    if (!err && sql.len)
        err = sql.bad ? -ENOMEM : store_run(s, sql.at);
    grow_done(&sql);
    return err;
}

static int set_up(struct database *db, char *error, size_t size)
{
    struct store *s = db->store;
    int32_t version = 0, newest = (int32_t)(sizeof(steps) / sizeof(steps[0]));
    int err;

    if (!store_can_write(s)) {
        err = store_version(s, &version);
        if (!err && version != newest) {
            snprintf(
                error, size,
                "the database has schema %d, this dialtone needs %d, and it may not be written",
                version, newest);
            return -EROFS;
        }
    } else if ((err = database_migrate(s, steps, newest, error, size))) {
        return err;
    } else if (!(err = store_begin(s))) {
        if (!(err = complete_tables(s)))
            err = store_commit(s);
        else
            store_rollback(s);
    }
    if (err)
        snprintf(error, size, "%s", store_error(s));
    return err;
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
    if (!(err = store_open(path, mode, &db->store, error, size)))
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
    free(db);
}

struct store *database_store(const struct database *db)
{
    return db->store;
}

/* Reading: both tables of an entity and its list are walked in the order of the key. */

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

static void read_fields(struct loader *l, struct statement *st,
                        const struct directory_field *fields)
{
    int i = 1;

    for (const struct directory_field *f = fields; f->name; f++) {
        if (f->kind == FIELD_LIST)
            continue;
        if (is_number(f))
            loader_number(l, f, statement_get_number(st, i));
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
static int read_children(struct loader *l, struct children *c, struct text owner)
{
    while (c->more > 0) {
        struct text of = statement_get_text(c->st, 0);

        if (!text_equal_nocase(of, owner))
            return 0;
        loader_item(l, c->list);
        read_fields(l, c->st, c->list->item->fields);
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
        read_fields(l, st, e->fields);
        err = 0;
        for (int i = 0; i < n && !err; i++)
            err = read_children(l, &children[i], key_in_row(e, st, buffer));
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
    if (err)
        snprintf(error, size, "%s",
                 err == -ENODATA  ? "the database is empty"
                 : err == -ENOMEM ? "there is not enough memory"
                                  : store_error(db->store));
    return err;
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
    if ((err = database_replace(db, *ret)))
        log_error("database", "the first directory could not be stored: %s",
                  store_error(db->store));
    return 0;
}

/* Writing. */

static int prepare_put(struct store *s, const char *table, const char *front, const char *back,
                       const struct directory_field *fields, struct statement **ret)
{
    struct grow sql = {0};
    int n = 0, err;

    grow_format(&sql, "INSERT OR REPLACE INTO \"%s\"(%s", table, front);
    for (const struct directory_field *f = fields; f->name; f++) {
        if (f->kind == FIELD_LIST)
            continue;
        grow_format(&sql, "%s\"%s\"", n || *front ? ", " : "", f->name);
        n++;
    }
    grow_format(&sql, "%s) VALUES(?", back);
    for (n += (*front ? 2 : 0) + (*back ? 1 : 0); n > 1; n--)
        grow_string(&sql, ", ?");
    grow_string(&sql, ")");
    err = sql.bad ? -ENOMEM : store_prepare(s, sql.at, ret);
    grow_done(&sql);
    return err;
}

static int prepare_table(struct database *db, enum entity id)
{
    const struct directory_entity *e = directory_entity(id);
    struct table *t = &db->tables[id];
    char sql[200];
    int i = 0, err;

    if (t->put)
        return 0;
    snprintf(sql, sizeof(sql), "DELETE FROM \"%s\" WHERE \"%s\" = ?%s%s%s", e->id,
             e->fields[0].name, e->n_keys > 1 ? " AND \"" : "",
             e->n_keys > 1 ? e->fields[1].name : "", e->n_keys > 1 ? "\" = ?" : "");
    err = store_prepare(db->store, sql, &t->remove);
    for (const struct directory_field *f = e->fields; f->name && !err; f++) {
        char table[100];

        if (f->kind != FIELD_LIST)
            continue;
        snprintf(table, sizeof(table), "%s_%s", e->id, f->name);
        snprintf(sql, sizeof(sql), "DELETE FROM \"%s\" WHERE \"owner\" = ?", table);
        if (!(err = store_prepare(db->store, sql, &t->remove_children[i])))
            err = prepare_put(db->store, table, "\"owner\", \"position\"", "", f->item->fields,
                              &t->put_child[i]);
        i++;
    }
    return err ? err : prepare_put(db->store, e->id, "", ", \"changed\"", e->fields, &t->put);
}

static int bind_fields(struct statement *st, int i, const void *record,
                       const struct directory_field *fields)
{
    for (const struct directory_field *f = fields; f->name; f++) {
        if (f->kind == FIELD_LIST)
            continue;
        if (is_number(f))
            statement_number(st, i++, number_of(record, f));
        else
            statement_text(st, i++, text_in(record, f));
    }
    return i;
}

static int write_children(struct table *t, const struct directory_entity *e, const void *record,
                          struct text key)
{
    int i = 0, err = 0;

    for (const struct directory_field *f = e->fields; f->name && !err; f++) {
        if (f->kind != FIELD_LIST)
            continue;
        for (size_t at = 0; at < directory_list_count(record, f) && !err; at++) {
            statement_text(t->put_child[i], 1, key);
            statement_number(t->put_child[i], 2, (int64_t)at);
            bind_fields(t->put_child[i], 3, directory_child(record, f, at), f->item->fields);
            err = statement_run(t->put_child[i]);
        }
        i++;
    }
    return err;
}

static int remove_children(struct table *t, struct text key)
{
    int err = 0;

    for (int i = 0; i < MAX_LISTS && t->remove_children[i] && !err; i++) {
        statement_text(t->remove_children[i], 1, key);
        err = statement_run(t->remove_children[i]);
    }
    return err;
}

static int put_record(struct database *db, const struct record *r, bool is_new)
{
    const struct directory_entity *e = directory_entity(record_entity(r));
    struct table *t = &db->tables[r->entity];
    char key[DIRECTORY_KEY_MAX];
    int err = prepare_table(db, record_entity(r)), i;

    if (err)
        return err;
    directory_key(r, key);
    if (!is_new)
        err = remove_children(t, text_of(key));
    i = bind_fields(t->put, 1, r, e->fields);
    statement_number(t->put, i, (int64_t)r->version);
    if (!err)
        err = statement_run(t->put);
    return err ? err : write_children(t, e, r, text_of(key));
}

static int remove_record(struct database *db, const struct record *r)
{
    const struct directory_entity *e = directory_entity(record_entity(r));
    struct table *t = &db->tables[r->entity];
    char key[DIRECTORY_KEY_MAX];
    int err = prepare_table(db, record_entity(r));

    if (err)
        return err;
    directory_key(r, key);
    for (unsigned i = 0; i < e->n_keys; i++)
        statement_text(t->remove, (int)i + 1, text_in(r, &e->fields[i]));
    err = statement_run(t->remove);
    return err ? err : remove_children(t, text_of(key));
}

int database_begin(struct database *db)
{
    return store_begin(db->store);
}

void database_rollback(struct database *db)
{
    store_rollback(db->store);
}

int database_write(struct database *db, const struct delta *d)
{
    int err = 0;

    for (size_t i = 0; i < d->n && !err; i++) {
        const struct delta_row *row = &d->rows[i];

        err =
            row->after ? put_record(db, row->after, !row->before) : remove_record(db, row->before);
    }
    if (err)
        store_rollback(db->store);
    return err;
}

static int write_version(struct database *db, uint64_t version)
{
    int err = db->put_version
                  ? 0
                  : store_prepare(db->store,
                                  "INSERT OR REPLACE INTO meta(name, value) VALUES('version', ?)",
                                  &db->put_version);

    if (err)
        return err;
    statement_number(db->put_version, 1, (int64_t)version);
    return statement_run(db->put_version);
}

int database_commit(struct database *db, uint64_t version)
{
    int err = write_version(db, version);

    if (!err)
        return store_commit(db->store);
    store_rollback(db->store);
    return err;
}

int database_apply(struct database *db, const struct delta *d)
{
    int err = d->n ? database_begin(db) : 0;

    if (err || !d->n)
        return err;
    err = database_write(db, d);
    return err ? err : database_commit(db, directory_version(d->directory));
}

static int empty_tables(struct database *db)
{
    struct grow sql = {0};
    int err;

    for (int i = 0; i < N_ENTITIES; i++) {
        const struct directory_entity *e = directory_entity((enum entity)i);

        grow_format(&sql, "DELETE FROM \"%s\";", e->id);
        for (const struct directory_field *f = e->fields; f->name; f++) {
            if (f->kind == FIELD_LIST)
                grow_format(&sql, "DELETE FROM \"%s_%s\";", e->id, f->name);
        }
    }
    err = sql.bad ? -ENOMEM : store_run(db->store, sql.at);
    grow_done(&sql);
    return err;
}

static int write_all(struct database *db, const struct directory *dir)
{
    int err = empty_tables(db);

    for (int e = 0; e < N_ENTITIES && !err; e++) {
        char key[DIRECTORY_KEY_MAX] = "";
        const struct record *r;

        while (!err && (r = directory_next(dir, (enum entity)e, text_of(key)))) {
            directory_key(r, key);
            err = put_record(db, r, true);
        }
    }
    return err;
}

int database_replace(struct database *db, const struct directory *dir)
{
    int err = database_begin(db);

    if (err)
        return err;
    if ((err = write_all(db, dir))) {
        store_rollback(db->store);
        return err;
    }
    return database_commit(db, directory_version(dir));
}
