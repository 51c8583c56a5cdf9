/* load.h - a directory filled from where it was stored: field by field, record by record,
 * unchecked.
 *
 * What is stored was checked when it came in; here only what would break the program is mended
 * (numbers out of range are brought into it). Records that come in order of their keys load
 * fastest. */
#pragma once

#include "core/directory/fields.h"

struct loader;

struct loader *loader_new(void); /* NULL without memory */
void loader_free(struct loader *l);
/* A record; its version is that of the snapshot that last changed it. */
void loader_begin(struct loader *l, enum entity e, uint64_t version);
/* A child of the list; the values that follow are its own. */
void loader_item(struct loader *l, const struct directory_field *list);
/* The text is copied. */
void loader_text(struct loader *l, const struct directory_field *f, struct text value);
/* NUM, FLAG, ENUM. */
void loader_number(struct loader *l, const struct directory_field *f, int64_t value);
int loader_end(struct loader *l); /* the record is complete: 0 or -ENOMEM */
/* Everything so far as a snapshot of that version; NULL without memory. Ends the loader. */
const struct directory *loader_finish(struct loader *take_loader, uint64_t version);
