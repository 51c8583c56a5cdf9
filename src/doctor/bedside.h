/* bedside.h - one phone judged by what a running server tells of it: the same stories and the same rules as for captures.
 *
 *   struct bedside *l = bedside_new();
 *   … retell_…(bedside_ear(l), …) …
 *   n = bedside_judge(l, name, now_ns, &options, found, MAX);
 *   bedside_free(l); */
#pragma once

#include "base/grow.h"
#include "doctor/retell.h"
#include "doctor/words.h"

struct bedside;

struct bedside_options {
    /* As diagnose_options: whether the directory knows a device, and which one is called almost the same. */
    bool (*known)(void *context, const char *name, char near[static 32]);
    void *context;
};

/* How the connection of a registered phone fares now. */
struct bedside_pulse {
    uint32_t n, missed;                       /* keepalives heard, and not, since it registered */
    int64_t gap_ns, worst_ns, jitter_ns;      /* from one to the next: the last time, at worst; how unevenly */
    bool told;                                /* the kernel tells of it: */
    int64_t round_trip_ns, deviation_ns;
    uint32_t again, waiting;                  /* segments sent again since it began; not acknowledged now */
};

struct bedside *bedside_new(void); /* NULL without memory */
void bedside_free(struct bedside *l); /* NULL is fine */
struct retell *bedside_ear(struct bedside *l);
/* Its findings, gravest first, details in English, but neither `healthy` nor that nothing can be told; how many went to `to`. */
size_t bedside_judge(struct bedside *l, struct device_name name, int64_t now_ns, const struct bedside_options *o,
                  struct finding *to, size_t max);
/* The whole story as text, on the heap; NULL: nothing is known of it. `lang`: "en", "fr", "zh"; "": English. */
char *bedside_story(struct bedside *l, struct device_name name, int64_t now_ns, const struct bedside_options *o, const char *lang);
/* Adds it to a story, a line each; nothing of what is not known. */
void bedside_pulse(const struct bedside_pulse *p, enum language l, struct grow *to);
