/* discovery.h - plays the switch that a phone expects: voice VLAN by CDP and LLDP-MED; and listens:
 * which phone, or switch, is seen on which interface (CDP-1).
 *
 * Frames and time go in, frames and news come out through `struct discovery_sink`; what they point
 * to is valid only until they return. Both protocols always name the same VLAN: phones that hear
 * two different ones boot back and forth. LLDP-MED is sent once a MED end point was heard, then
 * quickly four times (TIA-1057 10.2.1); a CDP query is answered at once: a booting phone does not
 * wait long. */
#pragma once

#include "base/address.h"
#include "base/list.h"
#include "base/timers.h"
#include "provision/progress/progress.h"

#define DISCOVERY_LINKS_MAX     16
#define NEIGHBOURS_MAX          16384 /* further ones are not remembered */
#define DISCOVERY_VLAN_NONE     0
#define DISCOVERY_VLAN_UNTAGGED 4095

struct discovery;

struct discovery_link {
    unsigned interface;
    char name[16];
    struct mac mac;
    struct ip address; /* family 0: none */
};

struct discovery_settings {
    uint16_t
        voice_vlan; /* 1..4094, DISCOVERY_VLAN_NONE: say nothing of it, DISCOVERY_VLAN_UNTAGGED */
    uint8_t voice_priority, voice_dscp, signalling_priority, signalling_dscp;
    char node[64];    /* name of this node */
    char version[32]; /* of the program */
};

enum neighbour_protocol { NEIGHBOUR_CDP, NEIGHBOUR_LLDP };

struct neighbour {
    struct timer timer; /* its time to live */
    uint64_t id;
    uint64_t first_ms, last_ms;
    unsigned interface;
    struct mac mac;
    struct ip ip;
    uint8_t protocol;
    bool phone;
    bool med;             /* an LLDP-MED end point */
    uint16_t native_vlan; /* 0: not said */
    uint16_t voice_vlan;  /* what it announces (a switch) or uses (a phone); 0: not said */
    uint32_t power_mw;    /* 0: not said */
    uint8_t key[12];
    char device[64], port[32], platform[64], version[64];
};

struct discovery_sink {
    void *context;
    void (*send)(void *context, unsigned interface, const uint8_t *frame, size_t len);
    void (*progress)(void *context, const struct progress_event *event);
};

struct discovery *discovery_new(const struct discovery_sink *sink,
                                const struct discovery_settings *settings, uint64_t now_ms);
void discovery_free(struct discovery *d); /* NULL is fine */
/* Replaces the links; the first frames leave at the next tick. */
void discovery_set_links(struct discovery *d, const struct discovery_link *links, size_t n,
                         uint64_t now_ms);
void discovery_input(struct discovery *d, unsigned interface, const uint8_t *frame, size_t len,
                     uint64_t now_ms);
/* What is due; returns the milliseconds until it should be called again. */
uint64_t discovery_tick(struct discovery *d, uint64_t now_ms);
/* Says goodbye by LLDP (a time to live of 0), so that nobody waits for us. */
void discovery_leave(struct discovery *d);

size_t discovery_count(const struct discovery *d);
/* Walks all neighbours: start with *cursor = 0; NULL at the end. No input meanwhile. */
const struct neighbour *discovery_next(const struct discovery *d, size_t *cursor);
