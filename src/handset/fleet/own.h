/* own.h - between fleet.c (the command line, several processes) and part.c (the phones of one
 * process). Nobody else includes it. */
#pragma once

#include "handset/fleet/tally.h"
#include "handset/options.h"

struct fleet_options {
    struct phone_options phone;
    uint32_t count, ramp, duration_s, wait_s, processes;
    const char *events;  /* file of events.h; NULL: none */
    bool share_socket;  /* of SIP by UDP: one for all phones of the process */
    bool leave_nothing; /* --vanish: no goodbye at the end */
};

/* Runs `count` phones from number `first` on to their end and adds what came of them to `sum`; -EIO
 * when they could not begin. */
int fleet_part_run(const struct fleet_options *o, uint32_t first, uint32_t count,
                   struct tally *sum);
