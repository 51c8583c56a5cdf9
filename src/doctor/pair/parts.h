/* parts.h - what the two parts of pair.c share: joining packets, and reading files. */
#pragma once

#include "base/list.h"
#include "doctor/capture/parts.h"
#include "doctor/pair/clock.h"
#include "doctor/pair/pair.h"

#define BUCKETS   65536

/* A packet as one capture shows it. */
struct event {
    struct list bucket, queue;
    uint64_t id; /* in the pool */
    uint64_t fingerprint, number;
    int64_t time_ns;
    struct endpoint from, to;
    uint32_t ip_id, sequence, length;
    uint8_t capture, dscp, ttl, protocol, way;
};

struct host {
    struct ip ip;
    bool server;
    uint32_t joined; /* packets from and to it that were seen at both ends */
    uint32_t unseen; /* packets of it that came here and were not seen leaving */
};

struct flow_slot {
    struct endpoint key[2]; /* phone, server, as the capture of the map shows them */
    uint32_t flow;
};

struct bits {
    uint8_t *at;
    size_t size;
};

struct pair {
    struct pair_facts facts;
    struct capture *captures[2];
    struct clock_samples *samples; /* while the clocks are worked out */
    struct pair_clock clock;
    struct map hosts[2];
    struct map flows_by[2];
    struct pair_flow *flows;
    size_t n_flows;
    struct pair_loss *losses;
    size_t n_losses, losses_size;
    struct bits joined[2];
    struct list *buckets, queues[2];
    struct pool waiting;
    int64_t hops_sum;
    uint64_t n_hops;
};


/* join.c */
void pair_maps_init(struct pair *p);
uint64_t pair_fingerprint(const struct packet *k);
/* The way of a packet, as far as it is known which hosts are servers; N_PAIR_WAYS: it is not. */
uint8_t pair_way_of(struct pair *p, int capture, const struct packet *k);
void pair_take(struct pair *p, const struct event *e); /* in the order of time */
void pair_expire(struct pair *p, int64_t now_ns);      /* packets that waited long enough stay alone */
void pair_count_alone(struct pair *p);                 /* once all is read */
