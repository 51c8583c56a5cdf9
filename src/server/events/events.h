/* events.h - the event store: what happened, in memory for questions and on disk for ever after
 * (EVT-1).
 *
 * The newest are kept in memory; every one is a line of the documented syslog form in `events.log`
 * of the data folder, which is rotated (events.log.1 is the one before, …), so both are bounded. A
 * restart reads the end of the file back. */
#pragma once

#include "core/alarms.h"

#define EVENTS_KEPT 8192 /* in memory */

struct events;

struct event_filter {
    struct text device; /* empty: any; any case */
    struct text alarm;  /* name, any case */
    struct text search; /* anywhere in the parameters or the name, any case */
    int severity;       /* this or worse; 7: all */
    uint32_t reason;    /* 0: any */
    uint64_t since_us, until_us; /* 0: no limit */
};

/* `folder` NULL: memory only. NULL without memory; a file that cannot be opened is told by
 * events_error. */
struct events *events_new(const char *folder, const char *node);
void events_free(struct events *e);
/* `cluster` as in the line of the alarm. Returns its sequence number. Its line goes to the file with
 * events_flush, since many may come together. */
uint64_t events_add(struct events *e, struct alarm *take_alarm, const char *cluster);
void events_flush(struct events *e);
/* The alarm of a sequence number; NULL when it is too old, or not yet there. */
const struct alarm *events_get(const struct events *e, uint64_t sequence);
uint64_t
events_first(const struct events *e); /* oldest in memory; events_last + 1 when there is none */
uint64_t events_last(const struct events *e); /* newest; 0: none yet */
bool event_matches(const struct alarm *a, const struct event_filter *f);
/* Where the files lie (files.h), all lines written to them; "": memory only. */
const char *events_folder(struct events *e);
int events_error(const struct events *e); /* 0, or -errno of the last attempt to write the file */

/* A line of the syslog form back to what it said; NULL when it is none. */
struct alarm *event_parse(struct text line, uint64_t *sequence);
