/* tell.h - from captures to a report: stories, findings, and how they are printed. */
#pragma once

#include "doctor/capture/capture.h"
#include "doctor/report/report.h"

enum shape { SHAPE_TEXT, SHAPE_JSON, SHAPE_HTML };

struct tell_options {
    enum shape shape;
    bool verbose;
    const char *only; /* one phone */
    enum language language;
    unsigned width; /* of the terminal; 0: none */
    const char *files[2];
    unsigned n_files;
    const char *const *names;   /* as report_view */
    unsigned n_names;
};

/* The report of what `t` has seen, on the heap; NULL without memory. *n_ill: how many phones are
 * not well. */
char *tell(const struct timeline *t, const struct tell_options *o, const struct diagnose_options *how, size_t *n_ill);
/* Words about one cause, or a list of all when `name` is NULL; NULL when there is no such cause. */
char *tell_cause(const char *name, const struct tell_options *o);
