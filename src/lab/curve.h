/* curve.h - how many phones were registered where, against time: measured from what happened to each phone, beside what
 * the nodes said of themselves; and how long each phone took, by what was done. Printed, and kept as files. */
#pragma once

#include "lab/crowd.h"

#define CURVE_PHASES_MAX 16

/* From something that was done until all phones were at a node. */
struct curve_phase {
    char words[80]; /* "cm1 is killed" */
    uint64_t begun_us, ended_us;
    unsigned node; /* where all had to go; 0: they were to stay */
};

struct curve_heard { /* what a node said */
    uint64_t us;
    unsigned node, registered;
};

struct curve {
    const char *scenario;
    uint64_t begun_us;
    unsigned clock_rate, n_nodes;
    const struct crowd *crowds;
    unsigned n_crowds;
    struct curve_phase phases[CURVE_PHASES_MAX];
    unsigned n_phases;
    struct curve_heard *heard; /* owned */
    size_t n_heard, room;
};

void curve_hear(struct curve *c, uint64_t us, unsigned node, unsigned registered);
/* Prints table and plot, writes curve.json, curve.csv and curve.svg to the folder. 0 or -errno. */
int curve_report(const struct curve *c, const char *folder);
void curve_done(struct curve *c);

/* Of the phones of a crowd in a phase; seconds. */
struct curve_times {
    unsigned n;
    double p50, p99, last;
};
enum curve_time { CURVE_NOTICED, CURVE_MOVED, CURVE_ALL, N_CURVE_TIMES };
/* NOTICED: from what was done until the phone knew of it. MOVED: from then until it was registered at the phase's node.
 * ALL: both. A phone that moves of its own accord (fall-back) notices nothing: there MOVED begins with its Register. */
void curve_measure(const struct curve *c, const struct curve_phase *phase, const struct crowd *crowd,
                   struct curve_times ret[N_CURVE_TIMES]);
