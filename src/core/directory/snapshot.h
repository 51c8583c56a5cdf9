/* snapshot.h - what a snapshot holds. Inside the directory module; others see directory.h. */
#pragma once

#include "core/directory/records.h"
#include "core/directory/tree.h"
#include "core/settings.h"

#define N_TREES (N_ENTITIES + 3) /* the last: line, digest user, activation code to phones, struct phone_use */

struct directory {
    _Atomic uint32_t refs;
    uint64_t version;
    struct tree trees[N_TREES];
    uint64_t settings_stamp;           /* another number when any parameter has another value */
    int32_t numbers[N_SETTINGS];       /* values of the parameters, stored or default */
    const char *strings[N_SETTINGS];   /* in the records of `trees`, or of the table */
};

/* A new version that shares everything with `dir` (NULL: an empty one); NULL without memory. */
struct directory *directory_fork(const struct directory *dir, uint64_t version);
/* After parameters have changed: reads `numbers` and `strings` anew. */
void directory_read_settings(struct directory *dir);

/* Puts a record and what is derived from it (the lines and digest user of a phone); takes a reference of its own.
 * 0 or -ENOMEM; the directory is then to be thrown away. */
int directory_put(struct directory *dir, const struct record *r);
int directory_remove(struct directory *dir, const struct record *r);
