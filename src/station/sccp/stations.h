/* stations.h - the SCCP phones of one signalling thread: who is registered, where, since when.
 *
 * Bytes, events and the time go in, effects come out. A
 * connection is known by its link id, a phone by its device name, never by its address (SCCP-3).
 * Nothing here touches a socket or a clock. */
#pragma once

#include "station/keepalive.h"
#include "station/effects.h"
#include "station/registry.h"

struct stations;

struct stations_options {
    struct registry *registry; /* borrowed */
    size_t max_sessions;       /* connections */
};

/* Copies the options. NULL without memory. */
struct stations *stations_new(const struct stations_options *options);
void stations_free(struct stations *s);

/* 0, or -ENOBUFS when there is no room: close the link. */
int stations_open(struct stations *s, uint64_t link, const struct endpoint *peer,
                  const struct endpoint *local, struct moment now, struct effects *e);
/* Takes bytes until the effects are full; returns how many. Carry the effects out, clear them and
 * come again with the rest. */
size_t stations_input(struct stations *s, uint64_t link, const uint8_t *bytes, size_t len,
                      struct moment now, struct effects *e);
/* The peer has closed it (0 or -errno), or we do, because the port closes: -ESHUTDOWN (ADM-3 stop). */
void stations_closed(struct stations *s, uint64_t link, int err, struct moment now,
                     struct effects *e);

/* Milliseconds until stations_tick wants to be called; UINT64_MAX: only after an input. */
uint64_t stations_next(const struct stations *s, uint64_t now_ms);
/* Does what is due; true when the effects were full before it was done: come again. */
bool stations_tick(struct stations *s, struct moment now, struct effects *e);

/* Answer to EFFECT_AUTOREGISTER. 0: the phone is in the directory that was set; -errno: refused. */
void stations_admitted(struct stations *s, uint64_t token, int err, struct moment now,
                       struct effects *e);

/* Answer to EFFECT_ACTIVATE: as activation_change of server/activation.h; 0: the directory that was
 * set has the phone's new place, and it is told to restart. */
void stations_activated(struct stations *s, uint64_t token, int err, struct moment now,
                        struct effects *e);

/* A phone at this address wants KeepAliveAck before it registers (7985, 6911). */
void stations_expect_early(struct stations *s, struct ip ip);

enum station_order {
    STATION_RESET = 1,
    STATION_RESTART = 2,
    STATION_APPLY = 3
}; /* as SCCP's Reset */
/* 0, or -ENOENT when no phone of that name is registered here. */
int stations_order(struct stations *s, struct device_name name, enum station_order order,
                   struct moment now, struct effects *e);

/* How the connection of a registered phone stands. */
struct station_session {
    unsigned version, offered; /* protocol versions spoken, and offered by the phone */
    uint32_t instance;
    uint32_t silent_ms, loss_ms; /* since the last message; how long that may be */
    uint64_t link;
    struct keepalive_watch watch;
};

/* Who speaks on this link, or NULL. */
const struct station *stations_at(const struct stations *s, uint64_t link);
/* Registered phone of that name, or NULL; any case. */
const struct station *stations_find(const struct stations *s, struct device_name name);
bool stations_session(const struct stations *s, struct device_name name, struct moment now,
                      struct station_session *ret);
/* All registered: start with *cursor = 0, ends with NULL. */
const struct station *stations_next_registered(const struct stations *s, size_t *cursor);
size_t stations_registered(const struct stations *s);
size_t stations_sessions(const struct stations *s);
