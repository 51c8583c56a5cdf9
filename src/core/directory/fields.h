/* fields.h - the rows of entities.def at run time: what a record is made of, field by field.
 *
 * With these, CSV, JSON, the command line, the database and the web page need no code per entity:
 *
 *   const struct directory_entity *e = directory_entity(ENTITY_phone);
 *   for (const struct directory_field *f = e->fields; f->name; f++)
 *       if (f->kind != FIELD_LIST)
 *           value = directory_value(record, f, scratch); */
#pragma once

#include "core/directory.h"

enum directory_kind {
    FIELD_KEY,    /* text, part of the key */
    FIELD_STR,    /* text */
    FIELD_SECRET, /* text that is never shown or exported in clear */
    FIELD_NUM,
    FIELD_FLAG,   /* "true" or "false" */
    FIELD_ENUM,   /* one of `names` */
    FIELD_REF,    /* key of a record of `entity`, or empty */
    FIELD_LIST,   /* children: directory_list */
};

struct directory_field {
    enum directory_kind kind;
    const char *name;  /* "max_calls"; NULL ends the rows */
    const char *title; /* for people */
    size_t offset;     /* in the record or child */
    size_t n_offset;   /* LIST: of the uint16_t count */
    int32_t max;       /* texts: bytes; NUM: highest value */
    int32_t min;       /* NUM: lowest value */
    int32_t number;    /* default of NUM, FLAG, ENUM */
    const char *text;  /* default of texts */
    const struct name *names;           /* ENUM */
    enum entity entity;                 /* REF */
    const struct directory_item *item;  /* LIST */
};

struct directory_item {
    const char *title;
    size_t size;
    const struct directory_field *fields;
};

struct directory_entity {
    const char *id;    /* "device_pool": of the struct and the database table */
    const char *noun;  /* "pool": as on the command line and in JSON */
    const char *title; /* "Device Pool" */
    size_t size;
    const struct directory_field *fields;
    unsigned n_keys;   /* 1 or 2: the first fields */
};

extern struct directory_entity directory_entities[N_ENTITIES]; /* filled before main, then constant */

static inline const struct directory_entity *directory_entity(enum entity e)
{
    return &directory_entities[e];
}

static inline enum entity record_entity(const void *record)
{
    return (enum entity)((const struct record *)record)->entity;
}

/* By noun or id ("pool", "device_pool"), any case; -ENOENT. */
int directory_entity_find(struct text noun);
/* By name, any case; NULL when there is none. The nearest name for "did you mean …", or NULL. */
const struct directory_field *directory_field_find(const struct directory_field *fields, struct text name);
const struct directory_field *directory_field_nearest(const struct directory_field *fields, struct text name);

/* The value of a field of a record or child as text, the one that is accepted back. Borrowed from the
 * record or from `scratch`. For a LIST: how many children. */
#define DIRECTORY_SCRATCH 16
struct text directory_value(const void *record, const struct directory_field *f, char scratch[static DIRECTORY_SCRATCH]);
/* True when the field holds what the table gives when nothing is said. */
bool directory_is_default(const void *record, const struct directory_field *f);

/* The children of a LIST field: the i-th is directory_child(record, f, i), to be read with f->item->fields. */
size_t directory_list_count(const void *record, const struct directory_field *f);
const void *directory_child(const void *record, const struct directory_field *f, size_t i);
