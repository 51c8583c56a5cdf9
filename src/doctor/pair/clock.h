/* clock.h - how far the clocks of two captures are apart, from a sample of the packets of both.
 *
 * Both samples keep the packets with the smallest fingerprints, so they keep the same packets however long the files are. */
#pragma once

#include "doctor/capture/capture.h"

#define CLOCK_SAMPLES 65536

struct clock_sample {
    uint64_t fingerprint;
    int64_t time_ns;
    uint32_t ip_id;
    uint8_t way; /* enum pair_way; N_PAIR_WAYS: not known */
};

struct clock_samples {
    uint64_t limit; /* fingerprints above are not kept */
    size_t n;
    struct clock_sample at[CLOCK_SAMPLES];
};

struct pair_clock {
    size_t n;             /* packets found in both; 0: nothing is known */
    bool one_way, ids_kept;
    struct capture_clock shift; /* brings capture 1 into the clock of capture 0 */
};

void clock_samples_init(struct clock_samples *s);
void clock_samples_add(struct clock_samples *s, const struct clock_sample *sample);
/* Sorts the samples. */
struct pair_clock pair_clock_of(struct clock_samples samples[2]);
