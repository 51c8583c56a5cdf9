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
/* One parameter of a change; false when it is refused, and the refusal is out. An empty value is the default
 * again. */
bool parameter_put(struct admin *a, const struct call *c, struct change *change, const char *name,
                   struct text value, json_t *answer);
/* "90s", "30m", "12h", "7d" (ago), or a date; false when it is none of them. */
bool admin_parse_time(struct text t, uint64_t *ret);
/* Does a row contain the text of option "search"? */
bool row_fits(const json_t *row, const struct call *c);
