/* text.c - traces, logs and printed captures of any kind, to the report. */
#include <stdlib.h>

#include "doctor/tell.h"
#include "doctor/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct tell_options options = {.verbose = true, .files = {"trace.txt"}, .n_files = 1};
    struct timeline *t = timeline_new();
    struct trace *trace = t ? text_new(timeline_see, t, 0) : NULL;
    size_t n_ill;

    if (trace) {
        text_look(trace, bytes, len);
        text_feed(trace, bytes, len / 2);
        text_feed(trace, bytes + len / 2, len - len / 2);
        text_end(trace);
        timeline_end(t, text_totals(trace)->last_ns);
        options.shape = (enum shape)(len % 3);
        free(tell(t, &options, NULL, &n_ill));
    }
    text_free(trace);
    timeline_free(t);
    return 0;
}
