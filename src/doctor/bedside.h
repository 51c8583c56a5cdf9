/* bedside.h - one phone judged by what a running server tells of it: the same stories and the same rules as for captures.
 *
 *   struct bedside *l = bedside_new();
 *   … retell_…(bedside_ear(l), …) …
 *   n = bedside_judge(l, name, now_ns, &options, found, MAX);
 *   bedside_free(l); */
#pragma once

#include "doctor/retell.h"
#include "doctor/words.h"

struct bedside;

struct bedside_options {
    /* As diagnose_options: whether the directory knows a device, and which one is called almost the same. */
    bool (*known)(void *context, const char *name, char near[static 32]);
    void *context;
};

struct bedside *bedside_new(void); /* NULL without memory */
void bedside_free(struct bedside *l); /* NULL is fine */
struct retell *bedside_ear(struct bedside *l);
/* Its findings, gravest first, details in English, but neither `healthy` nor that nothing can be told; how many went to `to`. */
size_t bedside_judge(struct bedside *l, struct device_name name, int64_t now_ns, const struct bedside_options *o,
                  struct finding *to, size_t max);
/* The whole story as text, on the heap; NULL: nothing is known of it. `lang`: "en", "fr", "zh"; "": English. */
char *bedside_story(struct bedside *l, struct device_name name, int64_t now_ns, const struct bedside_options *o, const char *lang);
