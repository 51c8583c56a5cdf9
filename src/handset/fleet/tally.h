/* tally.h - what a fleet reports: counts, refusals with their words, how long each stage took;
 * printed for people or programs, and carried from the processes of a fleet to their parent. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "handset/fleet/samples.h"

#define TALLY_REFUSALS 16
#define TALLY_SAMPLES  400000 /* of each stage; beyond, older ones are replaced */

/* What is measured. */
enum tally_time {
    TIME_ADDRESS, /* power to an address; with an interface only */
    TIME_FILES,   /* power to the list of CallManagers */
    TIME_CONNECT, /* to TCP open */
    TIME_REGISTER,
    TIME_TOTAL, /* power to registered */
    TIME_KEEPALIVE,
    TIME_RETURN, /* from a loss to registered again, here or elsewhere */
    N_TIMES
};

struct tally_refusal {
    char text[64];
    uint32_t n;
};

struct tally {
    uint32_t count, registered_once, registered_now, refused, lost, no_server, reboots;
    uint32_t n_refusals;
    struct tally_refusal refusals[TALLY_REFUSALS];
    uint64_t keepalives, first_us, last_us; /* first start, last registration */
    struct samples times[N_TIMES];          /* owned */
};

void tally_init(struct tally *t);
void tally_done(struct tally *t);
void tally_refusal(struct tally *t, struct text words, uint32_t n);
void tally_join(struct tally *sum, const struct tally *t);
void tally_print(struct tally *t, bool json);
/* Over a pipe, between processes of this very program. False: the other side is gone. */
bool tally_send(const struct tally *t, int fd);
bool tally_receive(struct tally *sum, int fd);
