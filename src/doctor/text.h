/* text.h - traces, logs and printed captures in, sights out: what was written instead of captured.
 *
 *   CallManager's traces (SDL, ccm, ctftp) and ours, its event log, console logs and status messages of phones, problem reports
 *   and trace collections (tar.gz, zip), a capture as an analyser prints it ("Source Dest Summary").
 *
 * Each line is known by its form, so files may be mixed. Bounds: TEXT_LINE_MAX bytes a line (the rest is dropped),
 * TEXT_SPEAKERS_MAX connections, one entry of an archive at a time. */
#pragma once

#include "doctor/sight.h"

#define TEXT_LINE_MAX     65536
#define TEXT_SPEAKERS_MAX 65536
#define TEXT_NESTED_MAX   (256u << 20) /* a compressed file in an archive */

struct trace; /* of the text_parts.h */

struct text_totals {
    uint64_t lines, understood, sights;
    int64_t first_ns, last_ns;
    char problem[160]; /* why reading ended early; "" when it did not */
};

struct trace *text_new(sight_fn on_sight, void *context, uint8_t capture); /* NULL without memory */
void text_free(struct trace *t);
void text_name(struct trace *t, uint8_t file); /* place.file of what comes */
/* 0; -EBADMSG when nothing in it looks like a trace; -errno when it cannot be opened. */
int text_file(struct trace *t, const char *path);
/* Bytes of one file, in any pieces, after a look at its first ones; text_end when it is over. What text_file calls, and tests. */
void text_look(struct trace *t, const void *bytes, size_t len);
void text_feed(struct trace *t, const void *bytes, size_t len);
void text_end(struct trace *t);
const struct text_totals *text_totals(const struct trace *t);
