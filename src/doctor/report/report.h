/* report.h - a diagnosis told: text for a terminal, JSON for programs, HTML for the eye. */
#pragma once

#include "base/grow.h"
#include "doctor/diagnosis.h"
#include "doctor/words.h"

struct report_view {
    const struct timeline *timeline;
    const struct diagnosis *diagnosis;
    const char *files[2]; /* of the captures */
    unsigned n_files;
    const char *const *names;   /* of all files given, one after the other; place.file counts them */
    unsigned n_names;
    bool pair;            /* they are of both ends: packets are named with their capture */
    bool verbose;         /* text: the whole story of each phone */
    const char *only;     /* device name or address of the one phone to tell of; NULL: all */
    enum language language;
    unsigned width;       /* text: columns of the terminal; 0: lines are as long as they are */
};

void report_text(const struct report_view *v, struct grow *to);
void report_json(const struct report_view *v, struct grow *to); /* docs/doctor.schema.json */
/* A whole file that needs no other: styles inside, no script, everything of the network escaped. */
void report_html(const struct report_view *v, struct grow *to);
/* One phone's story as text: stages, what happened, registrations. `f`: its n findings. */
void report_story(const struct report_view *v, const struct story *s, const struct finding *f, size_t n, struct grow *to);
/* What a cause means and what to do; of one cause. */
void report_explain(enum cause c, enum language l, unsigned width, struct grow *to);

/* The file it is from, the last part of its path; "" where there is one only. */
const char *report_file(const struct report_view *v, const struct evidence *e);

/* What cannot be told, and why: that says more than the general words. */
static inline bool is_told_apart(const struct finding *f)
{
    return f->cause == CAUSE_CANNOT_TELL && f->apart != APART_NONE;
}
