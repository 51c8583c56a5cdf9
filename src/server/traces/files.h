/* files.h - the trace files of one service: numbered, of a bounded size and number, of one day (UTC) each.
 *
 * A file begins with a line that says the date and whose it is; each line begins with the time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

struct trace_files;

struct trace_file_limits {
    uint64_t bytes;   /* of one file */
    unsigned files;   /* kept */
    unsigned days;    /* older ones are removed */
    unsigned minutes; /* written to one file; 0: no limit */
};

struct trace_file_state {
    unsigned files;
    uint64_t bytes, lines; /* bytes of all files; lines written since the start */
    int err;               /* -errno of the last attempt to write */
    char newest[32];       /* its name; empty: none */
};

/* "12:00:01.234 CCM|…" in ccm00000001.txt, or as servers from release 9 on write it: "00000012.001 |12:00:01.234 |AppInfo  |…"
 * in SDL001_100_000001.txt.gz, which ends with gzo as long as it is open; SDL001_100.index names it then. */
enum trace_form { TRACE_FORM_CCM, TRACE_FORM_SDL };
#define TRACE_SDL_FILES  "SDL"
#define TRACE_SDL_PREFIX TRACE_SDL_FILES "001_100_" /* node 1; application 100 is CallManager */

/* Files lie in `folder` (made when it is needed) as PREFIX00000001.txt; those that are there are gone on from.
 * NULL without memory. */
struct trace_files *trace_files_new(const char *folder, const char *prefix, const char *tag,
                                    const char *node, enum trace_form form);
void trace_files_free(struct trace_files *f); /* NULL is fine */
void trace_files_limit(struct trace_files *f, const struct trace_file_limits *limits);
/* Number of the node among those of the cluster, 1 and up: in names and lines of the newer form. */
void trace_files_number(struct trace_files *f, unsigned node);
/* `text` may have several lines; no line end at its end. */
void trace_files_write(struct trace_files *f, uint64_t time_us, struct text text);
/* A line of a kind ("SdlSig", "AppInfo", "AlarmErr"); `first`: of a number of its own. */
void trace_files_write_kind(struct trace_files *f, uint64_t time_us, const char *kind, bool first, struct text text);
void trace_files_flush(struct trace_files *f); /* to the disk */
struct trace_file_state trace_files_state(const struct trace_files *f);

/* The number in "PREFIX%08u.txt", or "PREFIX%06u.txt.gz"; 0: none of them. */
unsigned trace_file_number(const char *prefix, enum trace_form form, const char *name);
