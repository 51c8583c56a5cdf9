/* text.c - traces, logs and printed captures of any kind, to the report. */
#include <stdlib.h>
#include <string.h>

#include "doctor/report/tell.h"
#include "doctor/text/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

struct bytes {
    const uint8_t *at;
    size_t len, step;
};

static ssize_t next_bytes(void *context, void *to, size_t size)
{
    struct bytes *b = context;
    size_t n = size < b->step ? size : b->step;

    n = n < b->len ? n : b->len;
    memcpy(to, b->at, n);
    b->at += n;
    b->len -= n;
    return (ssize_t)n;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct tell_options options = {.verbose = true, .files = {"trace.txt"}, .n_files = 1};
    struct bytes b = {bytes, len, len / 2 + 1};
    struct timeline *t = timeline_new();
    struct texts *all = t ? texts_new(timeline_see, t, 0) : NULL;
    struct trace *trace = all ? text_open(all, 0, next_bytes, &b) : NULL;
    int64_t ns;
    size_t n_ill;

    if (trace) {
        while (text_next(trace, &ns) && text_step(trace))
            ;
        text_step(trace);
        timeline_end(t, texts_totals(all)->last_ns);
        options.shape = (enum shape)(len % 3);
        free(tell(t, &options, NULL, &n_ill));
    }
    text_close(trace);
    texts_free(all);
    timeline_free(t);
    return 0;
}
