/* apply.h - one change being applied: what apply.c and rules.c share. Inside the directory module.
 */
#pragma once

#include "core/directory/change.h"
#include "core/directory/draft.h"
#include "core/directory/snapshot.h"

struct apply {
    struct directory *dir; /* the new version, ours alone */
    struct delta *delta;
    struct change_faults *faults;
    char *error; /* the first sentence, also when there are no faults to fill */
    size_t error_size, n_faults;
    struct arena arena; /* of the operation at hand */
    bool no_memory;

    /* The operation at hand. */
    bool open, failed;
    bool stale; /* the first fault is that of an expectation */
    bool protocol_said; /* of a phone */
    int verb; /* enum token_kind */
    enum entity entity;
    uint32_t source, n_ops;
    const struct record *base;   /* what the draft started from, a reference; or NULL */
    const struct record *before; /* what is there now under its key: `base` too, or NULL */
    union draft draft;
    const struct directory_field *list; /* filled by change_item, or NULL */
    void *item;
};

/* Refuses the operation at hand. */
void apply_fault(struct apply *a, const char *field, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts the record of a draft, or removes a record, and notes it in the delta. */
void apply_put(struct apply *a, const struct record *before, const union draft *draft);
void apply_remove(struct apply *a, const struct record *before);

/* "there is no phone "x": did you mean "y"?" */
void apply_fault_missing(struct apply *a, enum entity e, struct text key, const char *field);
/* The record of that key has another one now: every text that names `from` becomes `to`. */
void apply_rename(struct apply *a, enum entity e, struct text from, struct text to);
/* Whether any of these fields of a record of `of` names an entity of `e`. */
bool apply_may_refer(enum entity of, const struct directory_field *fields, enum entity e);
/* Refuses the change when a name in what it has touched is that of nothing, or when what is gone is
 * still named somewhere. */
void apply_check_references(struct apply *a);

/* Brings what was given as the key into the form in which it is stored. */
void rules_key(struct apply *a, enum entity e, struct text given, union draft *d);
/* What must hold for the draft of the operation at hand, beyond the table; may complete it. */
void rules_check(struct apply *a);
/* Which entity the text of a field names, or N_ENTITIES: a REF, or a key that is also a name
 * elsewhere. */
enum entity rules_refers(enum entity of, const struct directory_field *f);
/* What must follow when a record goes or changes its key, before nobody may refer to it any more.
 */
void rules_before_delete(struct apply *a, const struct record *r);
/* True when the record says no more than what holds without it: a parameter at its default. */
bool rules_needs_no_row(const union draft *d);
