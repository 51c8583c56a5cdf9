/* report.h - one writer, four shapes: a table for people, JSON, CSV and HTML.
 *
 * A report is columns, then cells row by row. Fails softly: without memory report_print says so. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

enum report_shape { REPORT_TABLE, REPORT_JSON, REPORT_CSV, REPORT_HTML };
enum report_kind {
    REPORT_TEXT,
    REPORT_NUMBER, /* right-aligned; JSON: as it is */
    REPORT_FLAG,   /* "yes" or empty for people, true or false in JSON */
    REPORT_RAW,    /* text for people; in JSON the value itself (it must be JSON) */
};

struct report;

struct report *report_new(void); /* NULL without memory */
void report_free(struct report *r); /* NULL is fine */
/* `name` is the key of programs (JSON, CSV); people see it with blanks for underscores. All columns
 * come before the first cell. */
void report_column(struct report *r, struct text name);
/* The next cell, left to right, row by row. */
void report_cell(struct report *r, enum report_kind kind, struct text value);
void report_null(struct report *r);
void report_number(struct report *r, int64_t value);
void report_flag(struct report *r, bool value);
size_t report_rows(const struct report *r);
/* One row only, told downwards: "name  value" lines; an object instead of an array in JSON. */
void report_set_record(struct report *r);

/* The whole text on the heap, to be freed by the caller; NULL without memory. `width` is that of the
 * terminal in columns, 0 for no limit: long cells of a table end in "…" then, but those of its last
 * column and of a record are wrapped, and columns that still do not fit are left out from the right
 * (the heading then ends in "…"). Control characters never reach a terminal. Columns of a table that
 * are empty in every row are left out. */
char *report_print(const struct report *r, enum report_shape shape, size_t width);

/* What a spreadsheet would compute instead of showing it: "=…", "@…", "-1+1|…"; not numbers as +4930. Such a cell is written
 * with an apostrophe before it, which an import takes off again; so does one that has apostrophes already. */
bool report_is_formula(struct text cell);
