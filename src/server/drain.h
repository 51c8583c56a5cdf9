/* drain.h - planned leave of a node (FAIL-4): its phones are sent to the other nodes of their
 * groups, in order and so many a second; who has no other node to go to stays. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct signalling;

struct phone_cursor {
    size_t at;
    bool sip;
};

struct drain {
    bool on;
    struct phone_cursor cursor;
    uint64_t credit_us; /* time that has passed and sent nobody away yet */
    uint64_t last_ms;
    uint32_t n_sent, n_stay; /* in this round; stay: nobody else takes them */
};

void drain_set(struct signalling *s, bool on);
/* Sends away whom time allows; call it now and then. */
void drain_tick(struct signalling *s, uint64_t now_ms);
