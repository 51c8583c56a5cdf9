/* pair.h - two captures of the same traffic, at the phone's end (number 0) and at the server's (number 1), joined packet by packet.
 *
 *   err = pair_read(files, &options, timeline_see, timeline, &pair);
 *   … pair_fate(pair, at.capture, at.number) of the packets a story names …
 *   pair_free(pair);
 *
 * Packets are joined by what does not change on the way: sequence and acknowledgement numbers, flags and payload of TCP, the payload
 * of UDP; of several alike (data sent again) by the id of the IP header where the path keeps it, else by time. Addresses and ports
 * may change (NAT). How far the clocks are apart is worked out first, from the quickest packets of each direction over the whole
 * time (delays add to it in one direction and take from it in the other), drift included; the sights of both captures then come in
 * one order of time, those of the server's end in the clock of the phone's end.
 *
 * For checks: of a keepalive (or SYN, REGISTER …) that stayed without answer, pair_fate of its packet in capture 0 is PAIR_LOST when
 * it never reached the server's end (KEEPALIVE_TO_SERVER); when it is PAIR_ARRIVED, look whether the answer, a packet of capture 1,
 * is PAIR_LOST (KEEPALIVE_TO_PHONE). pair_ways says how many of all packets each direction lost; pair_marks which DSCP became
 * which (DSCP_LOST: from nonzero to 0); pair_nats which address became which.
 *
 * A packet counts as lost only when the other end's capture shows the host it goes to: packets of it were joined, and few of those
 * it sent were missing where they left. So captures of many phones may be paired with one of a single phone.
 *
 * Bounds: PAIR_WAITING_MAX packets wait for their other half, PAIR_FLOWS_MAX flows and PAIR_LOSSES_MAX losses are told apart; a bit
 * for every packet of both files. */
#pragma once

#include "base/grow.h"
#include "doctor/capture/capture.h"
#include "doctor/words.h"

#define PAIR_WAITING_MAX 262144
#define PAIR_FLOWS_MAX   262144
#define PAIR_LOSSES_MAX  1000000
#define PAIR_MARKS_MAX   32
#define PAIR_NATS_MAX    64

enum pair_way { PAIR_TO_SERVER, PAIR_TO_PHONE, N_PAIR_WAYS };
enum pair_fate { PAIR_UNKNOWN, PAIR_ARRIVED, PAIR_LOST };

/* A packet that left one end and never came to the other. */
struct pair_loss {
    uint64_t number;           /* in the capture of the end it left: 0 on the way to the server, 1 to the phone */
    int64_t time_ns;           /* in the clock of capture 0 */
    struct endpoint from, to;  /* as it left */
    uint32_t sequence, length; /* of TCP; bytes of payload */
    uint32_t flow;             /* index of pair_flow */
    uint8_t way, protocol;
};

/* One direction of all flows. */
struct pair_way_facts {
    uint64_t joined, lost;
    uint64_t unseen;           /* arrived and were never seen leaving: the capture at this end missed them */
    int64_t least_ns, most_ns, sum_ns; /* delay of the joined ones, as far as the clocks are known */
};

struct pair_mark {
    uint8_t left, arrived; /* DSCP */
    uint8_t way;
    uint64_t n, first_left, first_arrived; /* numbers of packets */
};

struct pair_nat {
    struct ip there, here; /* as seen in capture 0 and in capture 1 */
    bool server;           /* the address of the server is changed, not the phone's */
    uint64_t n;            /* packets */
};

struct pair_flow {
    struct endpoint phone[2], server[2]; /* as seen in each capture; family 0: never seen there */
    uint8_t protocol;
    uint32_t joined[N_PAIR_WAYS], lost[N_PAIR_WAYS], unseen[N_PAIR_WAYS];
};

struct pair_facts {
    bool joined;            /* something was seen at both ends; nothing else is known otherwise */
    bool one_way_clock;     /* packets of one direction only: delays are what exceeds the quickest packet */
    int64_t offset_ns;      /* clock of capture 1 less that of capture 0, at `first_ns` */
    double drift_ppm;
    int64_t first_ns, last_ns; /* both captures run, in the clock of capture 0 */
    int hops;               /* routers between the ends, from the time to live; -1: cannot be told */
    struct pair_way_facts ways[N_PAIR_WAYS];
    struct pair_mark marks[PAIR_MARKS_MAX];
    struct pair_nat nats[PAIR_NATS_MAX];
    unsigned n_marks, n_nats;
    bool full;              /* a bound was reached: some packets are not told of */
    struct capture_totals totals[2];
};

struct pair;

/* Reads both files twice. 0, -errno; `*failed` is then the file it concerns. `on_sight` may be NULL. */
int pair_read(const char *const files[2], const struct capture_options *o, sight_fn on_sight, void *context, struct pair **ret,
              int *failed);
void pair_free(struct pair *p); /* NULL is fine */
const struct pair_facts *pair_facts(const struct pair *p);
/* What became of a packet that left the end of `capture` (0: the phone's). */
enum pair_fate pair_fate(const struct pair *p, uint8_t capture, uint64_t number);
/* Losses by way, then number. */
const struct pair_loss *pair_losses(const struct pair *p, size_t *n);
const struct pair_flow *pair_flows(const struct pair *p, size_t *n);
void pair_print(const struct pair *p, enum language l, struct grow *to); /* for people */
