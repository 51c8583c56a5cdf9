/* records.h - records: made from a draft in one block of memory, compared by key, counted.
 *
 * A draft is a struct of entities.def on the stack whose texts and lists point anywhere; a record
 * is the same struct on the heap with all it points to behind it. Inside the directory module. */
#pragma once

#include "core/directory/fields.h"

/* Room for a draft of any entity. */
union draft {
    struct record record;
#define ITEM(...)
#define END_ITEM(...)
#define ENTITY(id, ...) struct id id;
#define KEY(...)
#define STR(...)
#define SECRET(...)
#define NUM(...)
#define FLAG(...)
#define ENUM(...)
#define REF(...)
#define LIST(...)
#define END(...)
#include "core/entities.def"
#undef ITEM
#undef END_ITEM
#undef ENTITY
#undef KEY
#undef STR
#undef SECRET
#undef NUM
#undef FLAG
#undef ENUM
#undef REF
#undef LIST
#undef END
};

/* An element of the indexes from lines, digest users and activation codes to phones: key "line key \1 phone name". */
#define ENTITY_LINE_USE N_ENTITIES
#define ENTITY_USER_USE (N_ENTITIES + 1)
#define ENTITY_CODE_USE (N_ENTITIES + 2)
struct phone_use {
    struct record record;
    const struct phone *phone; /* a reference */
    const char *used;          /* key of line or user, or a code, in the phone's record */
};

void draft_init(union draft *d, enum entity e); /* the defaults of the table, keys empty */
void draft_copy(union draft *d, const struct record *r); /* all but the counts of the record */
void item_init(void *item, const struct directory_item *row);
/* One reference; NULL without memory. */
const struct record *record_new(const union draft *d, uint64_t version);
const struct record *phone_use_new(int index, const struct phone *phone, const char *used);

const void *record_ref(const void *record); /* returns it; NULL is fine */
void record_unref(const void *record);

/* Key of a record, from the record itself or written to `buffer`. */
struct text record_key(const struct record *r, char buffer[static DIRECTORY_KEY_MAX]);
/* Below, at or above zero, as the key is to that of the record; ASCII case does not count. *same is how many bytes at the
 * front are known to be the same, and then how many are. */
int record_compare(struct text key, const struct record *r, size_t *same);
/* All fields and children the same, whatever the version. */
bool record_same(const struct record *a, const struct record *b);
