/* internal.h - what the parts of the database share: database.c, schema.c, read.c, write.c. */
#pragma once

#include "core/directory/fields.h"
#include "io/seal.h"
#include "server/database.h"

#define MAX_LISTS 4 /* of one entity */

struct table {
    struct statement *put, *remove;
    struct statement *put_child[MAX_LISTS], *remove_children[MAX_LISTS];
};

#define MAX_SECRETS 4 /* of one record */

struct database {
    struct store *store;
    struct seal *seal;
    char sealed[MAX_SECRETS][SEAL_TEXT_MAX]; /* lent to SQLite while a row is put */
    bool has_clear;     /* a secret of an older file is stored as it was typed */
    unsigned n_unknown; /* secrets that the key does not open */
    struct statement *put_version;
    bool hollow; /* the first directory could not be stored: a change alone would not make sense */
    struct table tables[N_ENTITIES]; /* prepared when first needed */
};

extern const struct database_step database_steps[];
extern const int32_t n_database_steps;
/* Adds the columns and tables that entities.def has and the file has not. */
int database_complete(struct store *s);

/* A hash tells nobody anything; whatever else is secret is sealed. */
static inline bool field_is_sealed(const struct directory_field *f, struct text value)
{
    return f->kind == FIELD_SECRET && value.len && value.at[0] != '$';
}

/* Stored as INTEGER; all others as TEXT. */
static inline bool field_is_number(const struct directory_field *f)
{
    return f->kind == FIELD_NUM || f->kind == FIELD_FLAG || f->kind == FIELD_ENUM;
}
