/* draft.h - filling a draft from texts, with sentences for what is wrong. Inside the directory
 * module. */
#pragma once

#include "core/directory/records.h"

/* Memory for the texts and children of drafts, all given back at once. Without memory `bad` is set
 * and texts are empty, children NULL. */
struct arena {
    struct arena_block *blocks;
    bool bad;
};
void *arena_take(struct arena *a, size_t size);
const char *arena_text(struct arena *a, struct text t);
void arena_reset(struct arena *a); /* keeps one block for the next use */
void arena_done(struct arena *a);

#define SENTENCE_MAX 200 /* as change_fault.text */

/* Checks a value against its row and stores it. 0, or -EINVAL with a sentence. Not for LIST. */
int draft_value(struct arena *a, void *record, const struct directory_field *f, struct text value,
                char sentence[static SENTENCE_MAX]);
/* The short form of a LIST, see change_field. */
int draft_list(struct arena *a, void *record, const struct directory_field *f, struct text value,
               char sentence[static SENTENCE_MAX]);
/* Adds a child with the defaults of the table to a list that is being filled; NULL when there are
 * too many. */
void *draft_item(struct arena *a, void *record, const struct directory_field *f);
/* The fields that are no rows of the table: `lines` and `speed_dials` of a phone. -ENOENT: not of
 * these. */
int draft_phone_extra(struct arena *a, struct phone *p, struct text field, struct text value,
                      char sentence[static SENTENCE_MAX]);
