/* change.h - what somebody wants changed, as texts; and the step from one snapshot to the next.
 *
 * A change is a list of operations that happen all or not at all. It is built from what a person or
 * a file said, checked only by directory_apply, and may cross threads before that:
 *
 *   struct change *c = change_new();
 *   change_add(c, ENTITY_phone, TEXT("SEP001122334455"));
 *   change_field(c, TEXT("model"), TEXT("7960"));
 *   change_field(c, TEXT("lines"), TEXT("7001;7002/Berlin"));
 *   change_set(c, ENTITY_device_pool, TEXT("Default"));
 *   change_field(c, TEXT("name"), TEXT("Head office"));          a new key: all that refer to it
 * follow change_delete(c, ENTITY_line, TEXT("7003")); err = directory_apply(old, c, NULL, &result,
 * error, sizeof(error));
 *
 * Building never fails at once: without memory the change remembers, and applying it gives -ENOMEM.
 */
#pragma once

#include "core/directory.h"

struct change;

/* NULL without memory; the functions below take NULL and do nothing. */
struct change *change_new(void);
void change_free(struct change *c);
size_t change_count(const struct change *c); /* operations */

/* An operation; the fields that follow belong to it. What is added must not be there, what is set must;
 * put does not mind. Fields not named keep the value of what is there, else get the default of the
 * table; replace is put with all defaults. What is deleted must be there, and nobody may refer to it. */
void change_add(struct change *c, enum entity e, struct text key);
void change_set(struct change *c, enum entity e, struct text key);
void change_put(struct change *c, enum entity e, struct text key);
void change_replace(struct change *c, enum entity e, struct text key);
void change_delete(struct change *c, enum entity e, struct text key);
/* A new record with all that `from` has, but its key; a phone gets no lines. */
void change_copy(struct change *c, enum entity e, struct text from, struct text key);
/* The newest operation is refused (-ESTALE) unless the record still has the version that its author saw; 0: it was not
 * there. */
void change_expect(struct change *c, uint64_t version);
/* Where the operations that follow come from, a line of a file for instance: comes back in their
 * faults. */
void change_source(struct change *c, uint32_t source);

/* A field of the newest operation, or of the newest child after change_item. A LIST field takes the
 * short form: children separated by ';', their fields in order separated by ',', `\` before any of
 * the three that is meant literally. Phones also know `lines` ("7001;7002/Berlin") and
 * `speed_dials` ("Taxi=0123;…"), which replace the keys of that kind; and `model` by product name. */
void change_field(struct change *c, struct text field, struct text value);
/* Replaces the children of a LIST field by those that follow, of the newest operation. */
void change_list(struct change *c, struct text field);
void change_item(struct change *c);

/* Why an operation was refused. */
struct change_fault {
    uint32_t source;   /* change_source, else the number of the operation from 1 */
    const char *field; /* of a row of the table, or a constant; "": the whole */
    char text[200];    /* a sentence */
};
struct change_faults { /* of all operations that are wrong, the first `max` are told */
    struct change_fault *rows;
    size_t n, max;
    size_t total; /* that are wrong */
};

/* What a change did: the new snapshot and the rows, in the order in which to store them. */
struct delta_row {
    const void *before, *after; /* NULL: was not there; is gone. One reference each. */
    uint32_t source;            /* of the operation that did it */
};
struct delta {
    const struct directory *directory; /* one reference */
    struct delta_row *rows;
    size_t n, capacity;
};
/* Gives back everything; who wants to keep `directory` takes a reference before. */
void delta_done(struct delta *d);

/* 0, or -EINVAL (with a sentence in `error`, and all faults when `faults` is not NULL), -ESTALE (the same; change_expect
 * was the first to refuse) or -ENOMEM.
 * `old` is untouched. A change that alters nothing gives 0, no rows and the old snapshot. */
int directory_apply(const struct directory *old, const struct change *c,
                    struct change_faults *faults, struct delta *ret, char *error, size_t size);

/* The same when only the snapshot is wanted: replaces *dir. */
int directory_change(const struct directory **dir, const struct change *c, char *error,
                     size_t size);

/* The same contents under another version, to follow a snapshot that they did not come from. */
const struct directory *directory_as_version(const struct directory *dir, uint64_t version);

/* An empty directory, and the one a new node starts with: pool, group, region Default, CMLocal,
 * Hub_None, the standard templates, device defaults, this server and its CallManager. An empty
 * address: phones are told the name. NULL without memory. */
const struct directory *directory_empty(void);
const struct directory *directory_factory(struct text node_name, struct text node_address);

/* `lines` and `speed_dials` of a phone as change_field takes them, added to `to`. */
struct grow;
void phone_print_lines(const struct phone *p, struct grow *to);
void phone_print_speed_dials(const struct phone *p, struct grow *to);
/* SEP… from any form of a MAC or of such a name; other names as they are, cut to 15 characters. In
 * capitals, as devices are named wherever they are asked for. */
void phone_name_normal(struct text typed, char to[static 16]);
