/* csv.h - rows of comma-separated values (RFC 4180), read in place.
 *
 * Quotes are taken off inside the given bytes, so the cells borrow from them. A byte order mark, CR
 * LF or LF, and blank lines are no matter. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

#define CSV_CELLS_MAX 1024

struct csv {
    char *at, *end;
    uint32_t line; /* of the row that was read last, from 1: where it begins */
    uint32_t next_line;
};

void csv_init(struct csv *c, char *bytes, size_t len);
/* The next row: 1 and its cells, 0 at the end, or -EINVAL with a sentence (the row is passed over).
 */
int csv_row(struct csv *c, struct text cells[static CSV_CELLS_MAX], size_t *n,
            const char **sentence);
