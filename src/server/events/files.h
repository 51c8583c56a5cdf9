/* files.h - alarms that are no longer in memory, out of events.log and the files before it.
 *
 * Numbers and times only grow from line to line, so that a place is found by halving. */
#pragma once

#include "core/alarms.h"

#define EVENT_FILES 5 /* events.log and four before it */

struct event_cursor {
    struct text files[EVENT_FILES]; /* mapped, oldest first */
    size_t n, at;
    struct text rest; /* of files[at] */
};

/* What cannot be read is left out. Stands before the oldest. */
void event_cursor_open(struct event_cursor *c, const char *folder);
void event_cursor_close(struct event_cursor *c);
void event_cursor_seek(struct event_cursor *c, uint64_t sequence); /* to this one, or the next that is there */
void event_cursor_seek_time(struct event_cursor *c, uint64_t time_us); /* to the first that is not older */
/* The next alarm, to be freed; NULL at the end. */
struct alarm *event_cursor_next(struct event_cursor *c, uint64_t *sequence);
