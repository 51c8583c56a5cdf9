/* collect.h - one archive of traces, events and captures, for a span of time and a phone. Blocks: for worker threads. */
#pragma once

#include "base/address.h"

#define COLLECT_HOSTS_MAX 16

struct collection {
    char data[512];  /* the data folder */
    char node[64];
    char path[1024]; /* of the archive, tar.gz */
    uint64_t now_us, since_us, until_us;
    struct device_name device; /* empty: everything */
    struct ip hosts[COLLECT_HOSTS_MAX]; /* addresses it has; those it had are learnt from the traces */
    size_t n_hosts;
    unsigned files; /* results */
    uint64_t bytes; /* not compressed */
};

int collect(struct collection *c); /* 0 or -errno, then nothing lies at the path */

/* The lines of a trace file (with those that belong to them) that fit are written to `to`, which has room for
 * the whole of it; returns their length, 0: none but the head. Learns addresses of the phone. */
size_t collect_filter(struct collection *c, struct text file, char *to);
