/* source.h - the packets of a capture file, one after the other. */
#pragma once

#include "wire/capture/records.h"

struct source;

/* 0, -errno when it cannot be opened, -EBADMSG when it is no capture file. "-" is the standard input. */
int source_open(const char *path, struct source **ret);
/* The same of bytes that were opened already: they are the source's from then on, unless it is no capture (-EBADMSG): then
 * nothing of them was used. */
struct input;
int source_of(struct input *take_in, struct source **ret);
void source_close(struct source *s); /* NULL is fine */
/* The next packet, borrowed until the next call; false at the end of what can be read. */
bool source_next(struct source *s, struct record *ret);
uint64_t source_number(const struct source *s);  /* of the last packet, from 1 */
uint64_t source_dropped(const struct source *s); /* packets the capturing program says it lost */
const char *source_problem(const struct source *s); /* why reading ended early; NULL: it did not */
