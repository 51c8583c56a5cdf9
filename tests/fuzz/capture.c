/* capture.c - the whole way: bytes of a capture file, packets, streams, sights, their words; and
 * every packet made anonymous. */
#include <stdlib.h>

#include "doctor/anonymise/anonymise.h"
#include "doctor/capture/capture.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void on_sight(void *context, const struct sight *s)
{
    char line[1024];
    struct writer w = writer_of(line, sizeof(line));

    sight_print(s, &w);
}

/* The output: frames, one behind the other. */
static uint8_t made[1 << 22];
static size_t n_made;

static void change(void *context, uint64_t at, const void *bytes, size_t n)
{
    if (at + n > n_made)
        abort(); /* what is not written yet */
    memcpy(made + at, bytes, n);
}

static void look(void *context, uint64_t at, void *bytes, size_t n)
{
    if (at + n > n_made)
        abort();
    memcpy(bytes, made + at, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const struct capture_options options;
    struct capture *c = capture_new(&options, on_sight, NULL);
    struct anonymiser *a = anonymiser_new(&(struct anonymise_out){NULL, change, look});
    struct records records;
    struct record record;
    size_t used;

    n_made = 0;
    records_init(&records);
    while (c && a && records_next(&records, bytes, len, &used, &record) == RECORDS_PACKET) {
        capture_packet(c, &record, records.n);
        struct text frame = anonymise_packet(a, &record, n_made);

        if (n_made + frame.len > sizeof(made))
            break;
        if (frame.len)
            memcpy(made + n_made, frame.at, frame.len);
        n_made += frame.len;
        bytes += used;
        len -= used;
    }
    if (a)
        anonymiser_end(a);
    capture_free(c);
    anonymiser_free(a);
    return 0;
}
