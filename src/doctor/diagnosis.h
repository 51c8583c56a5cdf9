/* diagnosis.h - stories in, findings out: the rules of the checks applied to every phone and to the capture. */
#pragma once

#include "doctor/timeline/timeline.h"

struct pair;

struct diagnose_options {
    /* Whether a directory knows this device name; NULL: no directory. For labels typed wrong. `near` of a name it does not know:
     * a known one that differs in few characters, "" when there is none. */
    bool (*known)(void *context, const char *name, char near[static 32]);
    void *context;
    /* A second capture, at the server's end: its own stories, and what became of each packet; NULL: there is none. */
    const struct timeline *other;
    const struct pair *pair;
};

/* Phones that suffer the same and what they have in common. */
struct cohort {
    enum cause cause;
    bool certain;
    size_t first, n;   /* its findings are diagnosis.findings[order[first … first + n - 1]] */
    char common[120];  /* as say.h keeps it: "switch sw4, VLAN 20, load SCCP41.9-4-2"; "" when they share nothing */
};

struct diagnosis {
    struct finding *findings; /* of the whole capture first, then by phone in the order of the stories */
    size_t n, size;
    struct cohort *cohorts;   /* of causes, the gravest first */
    size_t *order;
    size_t n_cohorts;
    size_t n_phones, n_well;  /* well: nothing worse than a hint */
    size_t n_unclear;         /* the capture cannot tell */
};

/* 0 or -ENOMEM. A phone about which nothing is found has one finding, HEALTHY or CANNOT_TELL. */
int diagnose(const struct timeline *t, const struct diagnose_options *o, struct diagnosis *ret);
void diagnosis_done(struct diagnosis *d);
/* The findings of one phone: they lie together. */
const struct finding *diagnosis_of(const struct diagnosis *d, uint64_t phone, size_t *n);
