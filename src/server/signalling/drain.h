/* drain.h - planned leave of a node (FAIL-4): its phones are sent to the other nodes of their
 * groups, in order and so many a second. Who has no other node to go to stays; who is busy, off hook
 * or in a call, is left alone until he is not. Pure: the phones are seen through drain_calls. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct station;

struct phone_cursor {
    size_t at;
    bool sip;
};

struct drain_calls {
    /* All that are registered, in order; NULL at the end. Starts with a zeroed cursor. */
    const struct station *(*next)(void *context, struct phone_cursor *cursor);
    bool (*has_other_home)(void *context, const struct station *x);
    bool (*is_busy)(void *context, const struct station *x);
    void (*send_away)(void *context, const struct station *x); /* it is gone after that */
};

struct drain {
    bool on;
    struct phone_cursor cursor;
    uint64_t credit; /* thousandths of a phone that time allows */
    uint64_t last_ms;
    uint32_t n_sent, n_stay, n_busy; /* sent: since it began; the others: in this round so far … */
    uint32_t stayed, were_busy;      /* … and in the last whole one */
};

void drain_begin(struct drain *d, uint64_t now_ms);
/* Sends away whom `rate`, phones a second, allows; call it now and then. */
void drain_tick(struct drain *d, const struct drain_calls *calls, void *context, uint32_t rate,
                uint64_t now_ms);
