/* events.c - lines of events.log that a disk, or a hand, has changed: read back or refused. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "server/events/events.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    uint64_t sequence = 0;
    struct alarm *a = event_parse((struct text){(const char *)bytes, len}, &sequence);
    char line[4096];

    if (a) {
        assert(a->id < N_ALARMS);
        assert(alarm_print(a, sequence, "n", "", line, sizeof(line)) < sizeof(line));
    }
    free(a);
    return 0;
}
