/* capture.c - the whole way: bytes of a capture file, packets, streams, sights, their words; and
 * every packet made anonymous. */
#include "doctor/anonymise.h"
#include "doctor/capture.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void on_sight(void *context, const struct sight *s)
{
    char line[1024];
    struct writer w = writer_of(line, sizeof(line));

    sight_print(s, &w);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const struct capture_options options;
    struct capture *c = capture_new(&options, on_sight, NULL);
    struct anonymiser *a = anonymiser_new();
    struct records records;
    struct record record;
    size_t used;

    records_init(&records);
    while (c && a && records_next(&records, bytes, len, &used, &record) == RECORDS_PACKET) {
        capture_packet(c, &record, records.n);
        anonymise_packet(a, &record);
        bytes += used;
        len -= used;
    }
    capture_free(c);
    anonymiser_free(a);
    return 0;
}
