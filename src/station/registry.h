/* registry.h - what the stations of one signalling thread share, whatever they speak: the
 * directory, the time, who holds which device name, who was refused and why.
 *
 * A device name is registered once: by SCCP or by SIP, whoever came last. A name for which two devices at
 * two addresses fight, here or at two nodes, stays with the one that has it.
 * Nothing here touches a socket or a clock. */
#pragma once

#include "station/refused.h"
#include "station/station.h"

struct registry;
struct effects;
struct pace;

struct moment {
    uint64_t ms;      /* a clock that never jumps */
    uint64_t wall_us; /* what the time is */
};

struct local_time {
    int year, month, day_of_week, day, hour, minute, second; /* month 1-12, Sunday = 0 */
};

struct registry_options {
    const char *node;  /* name of this node: ConfigStat, alarms */
    struct ip address; /* what phones are told of this node, or none: the one they came to */
    /* Local time of an IANA zone ("": the server's own). */
    void (*local_time)(void *context, const char *zone, uint64_t wall_us, struct local_time *ret);
    /* A whole message has come, before anything is done about it; `device` "" until it is known. NULL:
     * nobody wants to hear it. */
    void (*heard)(void *context, struct device_name device, uint64_t link,
                  const struct endpoint *peer, const void *bytes, size_t len);
    /* The other node at which that device is registered now, and its address there; NULL: at none. NULL:
     * this node is alone. */
    const char *(*elsewhere)(void *context, struct device_name device, struct ip *ret);
    /* Whether the peer of that link was heard within so many milliseconds, EFFECT_PROBE having asked it; ends
     * the asking. NULL: that cannot be told. */
    bool (*answers)(void *context, uint64_t link, uint32_t within_ms);
    void *context;
};

/* Copies the options; the node name is borrowed. NULL without memory. */
struct registry *registry_new(const struct registry_options *options);
void registry_free(struct registry *r); /* after the cores that use it */

/* The snapshot to work with from now on: borrowed until the next one is given. Registered phones
 * that it no longer holds are told to leave by the following ticks of their cores. */
void registry_set_directory(struct registry *r, const struct directory *dir, struct moment now);

/* Registered phone of that name, whatever it speaks, or NULL; any case. */
const struct station *registry_find(const struct registry *r, struct device_name name);
size_t registry_registered(const struct registry *r, enum device_protocol protocol);

/* It ends here and now, as when it registers at another node; `reason` is why, UNREGISTERED_…; false:
 * it was not registered here. */
bool registry_take_off(struct registry *r, struct device_name name, uint32_t reason,
                       struct moment now, struct effects *e);
/* Another node says that this device has come to it, from that address. True: it is registered here from another
 * one, and is asked whether it is still there; registry_holds has to be called RIVAL_MS later. False: there is nothing
 * to ask, whoever came there is believed. */
#define RIVAL_MS      1500
#define RIVAL_LATE_MS 50 /* after this who was asked is heard first, for as long again */
bool registry_claimed(struct registry *r, struct device_name name, struct ip claimant, struct moment now, struct effects *e);
/* Ends the asking: it is there, and DuplicateDevice was told. */
bool registry_holds(struct registry *r, struct device_name name, struct ip claimant, struct moment now, struct effects *e);
/* It is registered at that other node now: what is told of a phone that goes to and fro. */
void registry_note_elsewhere(struct registry *r, struct device_name name, const char *node);
/* The CallManager group that its pool leads to, or NULL. */
const struct callmanager_group *registry_group_of(const struct registry *r,
                                                  struct device_name name);
/* No phone gets a token here any more. */
void registry_set_draining(struct registry *r, bool on);
/* What the last quarter of a second took, for the pace at which phones come back (pace.h). */
void registry_measure(struct registry *r, uint32_t cpu_us, uint32_t late_ms);
/* Since when this node hears without a break: keepalives of before are not called late. */
void registry_set_awake(struct registry *r, uint64_t since_ms);
/* The publisher runs another version: registrations are refused here (REG-1). */
void registry_set_disagreement(struct registry *r, bool on);

/* What is remembered of the refusals of a device name (refused.h), or NULL. */
const struct refusal *registry_refusal(const struct registry *r, struct device_name name);
