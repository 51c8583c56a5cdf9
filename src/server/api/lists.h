/* lists.h - what handlers of several topics share about records, rows and changes. */
#pragma once

#include "server/admin.h"

/* The key of what a person typed, in `to`. */
struct text entity_key(enum entity e, struct text typed, char to[static DIRECTORY_KEY_MAX]);
void refuse_missing(struct admin *a, const struct call *c, enum entity e,
                    struct text key); /* "Did you mean …?" */
json_t *entity_record(struct admin *a, const void *owner, bool full);
/* Asks the files thread for a file of the phone that the call names ("": its own); `done` keeps its name. */
void api_ask_file(struct admin *a, const struct call *c, const char *file, ask_done done);
void change_fields(struct change *change, json_t *fields);
/* Option "expect": the version that the asker has seen of the record that the change names last; 0: none
 * was there. */
void expect_seen(struct change *change, const struct call *c);
json_t *done_answer(const char *did, enum entity e, struct text key); /* an answer with one note */
/* Of a server that phones are told of: a warning when it is a name and not an address. */
void note_server(struct admin *a, json_t *answer, struct text server);
bool phone_is_registered(const struct admin *a, struct text name);
/* One parameter of a change; false when it is refused, and the refusal is out. An empty value is the default
 * again. */
bool parameter_put(struct admin *a, const struct call *c, struct change *change, const char *name,
                   struct text value, json_t *answer);
/* "90s", "30m", "12h", "7d" (ago), or a date; false when it is none of them. */
bool admin_parse_time(struct text t, uint64_t *ret);
/* Does a row contain the text of option "search"? */
bool row_fits(const json_t *row, const struct call *c);

/* Texts as filter_fits; numbers, true and false by their words; a list: one of its values. */
bool value_fits(const json_t *value, struct text wanted);

/* What "field=value" of a list demands. */
#define MAX_FILTERS 16
struct filters {
    struct {
        struct column column;
        struct text wanted; /* borrowed from the call */
    } rows[MAX_FILTERS];
    size_t n;
};
/* False: there is no such field, and the refusal is out. */
bool filters_read(struct admin *a, const struct call *c, enum entity e, struct filters *f);
bool filters_pass(struct admin *a, const struct filters *f, const void *record);
json_t *columns_row(struct admin *a, const struct column *columns, int n, const void *record, bool full);
json_t *columns_names(const struct column *columns, int n);

/* --- views.c: lists in another order than that of their keys, and their pages by number --- */
struct views *views_new(void); /* NULL without memory */
void views_free(struct views *v);
/* Lets go of what nobody has asked for lately; now and then. */
void views_expire(struct admin *a);
/* Answers with the page that "sort", "offset" and "limit" name, and "total". */
void views_list(struct admin *a, const struct call *c, enum entity e, const struct filters *f,
                const struct column *columns, size_t n_columns);
