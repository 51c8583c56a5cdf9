/* schema.c - the tables, made from entities.def, and the steps that bring an older file up to date.
 */
#include <errno.h>
#include <stdio.h>

#include "base/grow.h"
#include "base/log.h"
#include "server/database/internal.h"

/* "name" TEXT COLLATE NOCASE NOT NULL DEFAULT '' */
static void column(struct grow *sql, const struct directory_field *f)
{
    if (field_is_number(f))
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

/* Rows that phones without a profile of their own have, as in directory_factory. */
static int add_profiles(struct store *s)
{
    int err = make_tables(s);

    return err ? err
               : store_run(
                     s,
                     "INSERT OR IGNORE INTO \"sip_profile\"(\"name\") VALUES('" STANDARD_SIP_PROFILE
                     "');"
                     "INSERT OR IGNORE INTO \"security_profile\"(\"name\", \"protocol\", "
                     "\"digest_authentication\") VALUES('" STANDARD_SCCP_SECURITY "', 0, 0), "
                     "('" STANDARD_SIP_SECURITY "', 1, 0), ('" STANDARD_THIRD_PARTY_SECURITY
                     "', 2, 1);");
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

/* What was typed before digest passwords became hashes: nothing ever read it. */
static int drop_digest(struct store *s)
{
    int there = has_column(s, "user", "digest");

    return there > 0 ? store_run(s, "ALTER TABLE \"user\" DROP COLUMN \"digest\"") : there;
}

/* Groups whose members share their phones. */
static int add_load_sharing(struct store *s)
{
    int there = has_column(s, "callmanager_group", "load_sharing");

    return there ? (there < 0 ? there : 0)
                 : store_run(s, "ALTER TABLE \"callmanager_group\" ADD COLUMN \"load_sharing\" "
                                "INTEGER NOT NULL DEFAULT 0");
}

/* Nodes whose certificates are known. */
static int add_fingerprint(struct store *s)
{
    int there = has_column(s, "callmanager", "fingerprint");

    return there ? (there < 0 ? there : 0)
                 : store_run(s, "ALTER TABLE \"callmanager\" ADD COLUMN \"fingerprint\" TEXT NOT NULL "
                                "DEFAULT ''");
}

const struct database_step database_steps[] = {
    {make_tables, "first tables"},
    {add_profiles, "profiles of SIP phones"},
    {drop_digest, "digest secrets in clear are gone"},
    {add_load_sharing, "groups that share their phones"},
    {add_fingerprint, "nodes whose certificates are known"},
    {make_tables, "tokens for programs"},
};
const int32_t n_database_steps = sizeof(database_steps) / sizeof(database_steps[0]);

int database_migrate(struct store *s, const struct database_step *rows, int32_t n, char *error,
                     size_t size)
{
    int32_t version = 0, found;
    int err = store_version(s, &version);

    if (!err && version > n) {
        snprintf(error, size,
                 "the database was written by a newer dialtone (schema %d, this one knows %d)",
                 version, n);
        return -EPROTONOSUPPORT;
    }
    found = version;
    for (; !err && version < n; version++) {
        if ((err = store_begin(s)))
            break;
        if (!(err = rows[version].run(s)))
            err = store_set_version(s, version + 1);
        if (!err)
            err = store_commit(s);
        else
            store_rollback(s);
        if (!err && found > 0)
            log_info("database", "brought to schema %d: %s", version + 1, rows[version].what);
    }
    if (err)
        snprintf(error, size, "%s", store_error(s));
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

int database_complete(struct store *s)
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
