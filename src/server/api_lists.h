/* api_lists.h - what handlers of several topics share about records, rows and changes. */
#pragma once

#include "server/admin.h"

/* The key of what a person typed, in `to`. */
struct text entity_key(enum entity e, struct text typed, char to[static DIRECTORY_KEY_MAX]);
void refuse_missing(struct admin *a, const struct call *c, enum entity e,
                    struct text key); /* "Did you mean …?" */
json_t *entity_record(struct admin *a, const void *owner, bool full);
void change_fields(struct change *change, json_t *fields);
json_t *done_answer(const char *did, enum entity e, struct text key); /* an answer with one note */
bool phone_is_registered(const struct admin *a, struct text name);
/* Does a row contain the text of option "search"? */
bool row_fits(const json_t *row, const struct call *c);
