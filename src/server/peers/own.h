/* own.h - what the files of the links between nodes share: peers.c (to the others, and time),
 * in.c (from the others). Nobody else includes it. */
#pragma once

#include "core/settings.h"
#include "io/dial.h"
#include "server/peers/peers.h"
#include "server/peers/trust.h"
#include "wire/peer.h"

#define PEERS_IN_MAX (2 * MEMBERS_MAX)

/* To another node. */
struct out {
    struct peers *owner;
    struct dial *dial;
    bool open, joined, snapshot; /* snapshot: what was there before is being told */
    struct phone_cursor cursor;
    char why[80]; /* it was not linked when it was tried last; "" */
    uint64_t retry_ms, alive_ms, asked_ms;
    uint32_t sequence;
    uint8_t partial[PEER_FRAME_MAX + 8];
    size_t n_partial;
};

/* From another node; 0: free. */
struct in {
    uint64_t link;
    struct ip ip;
    int member; /* -1 until it said Hello */
    uint8_t partial[PEER_FRAME_MAX + 8];
    size_t n_partial;
};

/* A device that is registered here came to another node, from another address: its phone is being asked. */
struct claim {
    struct device_name device;
    struct ip ip; /* of the claimant */
    unsigned member;
    uint64_t due_ms;
    uint32_t age_ms;
    bool late; /* this node looked late, and hears the phone first */
};

#define CLAIMS_MAX 64 /* further ones are believed */

struct peers {
    struct signalling *signalling;
    struct members members;
    struct homes *homes;
    struct tcp *tcp;
    struct peer_trust trust;
    bool bind_failed, draining;
    uv_timer_t timer;
    struct out out[MEMBERS_MAX];
    uint32_t heard_ms[MEMBERS_MAX]; /* the clock of the last device that it told of */
    struct in in[PEERS_IN_MAX];
    bool forgets[MEMBERS_MAX]; /* what it had is being forgotten */
    struct claim claims[CLAIMS_MAX];
    size_t n_claims;
    void (*done)(void *context);
    void *context;
};

static inline uint64_t peers_now(const struct peers *p)
{
    return uv_now(&p->signalling->thread->loop);
}

static inline const struct bootstrap *peers_settings(const struct peers *p)
{
    return server_bootstrap(p->signalling->thread->server);
}

static inline const char *peers_cluster(const struct peers *p)
{
    return directory_string(p->signalling->directory, SET_cluster_id);
}

/* The low bits of the time of day at a moment of the loop's clock; never 0. The loop's own now may be some time ago. */
uint32_t peers_wall_ms(uint64_t ms);
/* Hands on whole messages; what is left stays in `partial`. -EBADMSG: close. */
int peers_read(uint8_t *partial, size_t *n, const uint8_t *bytes, size_t len,
               bool (*take)(void *context, const struct peer_message *m), void *context);

/* It is there from now on, and here no more (in.c). */
void peers_give(struct peers *p, struct device_name device, unsigned member, struct ip ip, uint32_t age_ms);
/* The phone that is here was asked and has answered: whoever came elsewhere leaves (peers.c). */
void peers_hold(struct peers *p, struct device_name device);
/* claims.c: false: there is nothing to ask, it is believed. */
bool peers_claim(struct peers *p, struct device_name device, unsigned member, struct ip ip, uint32_t age_ms);
void peers_claim_ends(struct peers *p, struct device_name device, unsigned member); /* it has left there */
uint64_t peers_claims_look(struct peers *p); /* takes the answers that are due; ms until the next is */

int peers_listen(struct peers *p); /* in.c: for the others; 0 or -errno */
