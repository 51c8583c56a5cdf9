/* text.h - traces, logs and printed captures in, sights out: what was written instead of captured.
 *
 *   CallManager's traces (SDL, ccm, ctftp) and ours, its event log, console logs and status messages of phones,
 *   a capture as an analyser prints it ("Source Dest Summary").
 *
 *   struct texts *all = texts_new(on_sight, &stories, 0);
 *   struct trace *t = text_open(all, 0, read, file);
 *   while (text_step(t))
 *       ;
 *   text_close(t);
 *
 * Each line is known by its form, so files may be mixed. Several texts may be read beside each other, a line of each as text_next says:
 * who speaks in one node's trace is known in its next file. UTF-8, or UTF-16 of either order; lines end as in any system.
 *
 * Bounds: TEXT_LINE_MAX bytes a line (the rest is dropped), TEXT_SPEAKERS_MAX connections. */
#pragma once

#include "doctor/sight.h"

#define TEXT_LINE_MAX     65536
#define TEXT_SPEAKERS_MAX 65536

struct texts; /* of parts.h */
struct trace;

struct text_totals {
    uint64_t lines, understood, sights;
    int64_t first_ns, last_ns;
};

/* Up to `size` bytes, 0 at the end, negative when it cannot be read: what follows is as if it ended. */
typedef ssize_t (*text_read)(void *context, void *to, size_t size);

struct texts *texts_new(sight_fn on_sight, void *context, uint8_t capture); /* NULL without memory */
void texts_free(struct texts *all); /* after its traces */
const struct text_totals *texts_totals(const struct texts *all);

/* `file` becomes place.file; the read is of the trace's life. NULL without memory. */
struct trace *text_open(struct texts *all, uint8_t file, text_read read, void *context);
void text_close(struct trace *t); /* NULL is fine */
/* Instead of text_step: the next line as it is, in UTF-8, which the caller may change; false: it is over. */
bool text_line(struct trace *t, struct text *ret);
bool text_step(struct trace *t); /* one line; false: it is over */
/* When the next line was written: INT64_MIN as long as none has said; false: it is over. */
bool text_next(struct trace *t, int64_t *ret_ns);
