/* doctor.c - the whole doctor: bytes of a capture file, sights, stories, findings, every report. */
#include <stdlib.h>

#include "doctor/report/tell.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const struct capture_options options;
    struct timeline *t = timeline_new();
    struct capture *c = t ? capture_new(&options, timeline_see, t) : NULL;
    struct tell_options tell_options = {.verbose = true, .files = {"fuzz.pcap"}, .n_files = 1};
    struct records records;
    struct record record;
    size_t used, n_ill;

    records_init(&records);
    while (c && records_next(&records, bytes, len, &used, &record) == RECORDS_PACKET) {
        capture_packet(c, &record, records.n);
        bytes += used;
        len -= used;
    }
    if (c) {
        capture_end(c);
        timeline_end(t, capture_totals(c)->last_ns);
        tell_options.shape = (enum shape)(records.n % 3);
        free(tell(t, &tell_options, NULL, &n_ill));
    }
    capture_free(c);
    timeline_free(t);
    return 0;
}
