/* write.c - from what a change did to rows. */
#include <errno.h>
#include <stdio.h>

#include "base/grow.h"
#include "server/database/internal.h"

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

/* The next column, or what hinders sealing a secret: it is never stored as it was typed. */

static int bind_fields(struct database *db, struct statement *st, int i, const void *record,
                       const struct directory_field *fields)
{
    int n_sealed = 0, err;

    for (const struct directory_field *f = fields; f->name; f++) {
        if (f->kind == FIELD_LIST)
            continue;
        if (field_is_number(f))
            statement_number(st, i++, number_of(record, f));
        else if (!field_is_sealed(f, text_in(record, f)))
            statement_text(st, i++, text_in(record, f));
        else if (n_sealed == MAX_SECRETS)
            return -E2BIG;
        else if ((err = seal_close(db->seal, text_in(record, f), db->sealed[n_sealed])))
            return err;
        else
            statement_text(st, i++, text_of(db->sealed[n_sealed++]));
    }
    return i;
}

static int write_children(struct database *db, struct table *t, const struct directory_entity *e,
                          const void *record, struct text key)
{
    int i = 0, err = 0;

    for (const struct directory_field *f = e->fields; f->name && !err; f++) {
        if (f->kind != FIELD_LIST)
            continue;
        for (size_t at = 0; at < directory_list_count(record, f) && !err; at++) {
            statement_text(t->put_child[i], 1, key);
            statement_number(t->put_child[i], 2, (int64_t)at);
            err = bind_fields(db, t->put_child[i], 3, directory_child(record, f, at),
                              f->item->fields);
            err = err < 0 ? err : statement_run(t->put_child[i]);
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
    if ((i = bind_fields(db, t->put, 1, r, e->fields)) < 0)
        return i;
    statement_number(t->put, i, (int64_t)r->version);
    if (!err)
        err = statement_run(t->put);
    return err ? err : write_children(db, t, e, r, text_of(key));
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
    if (!(err = database_commit(db, directory_version(dir))))
        db->hollow = false;
    return err;
}
