/* events.h - what happened to the phones of a fleet and when, for curves: a line an event,
 *
 *   MICROSECONDS,PHONE,EVENT,SERVER
 *
 * of the monotonic clock; phones are counted from 0, servers as the phone's file lists them from 1.
 * Events: asked (Register was sent), registered, lost, left, reset, restart, rejected, no-server,
 * standby (another server is at hand). Several processes may write to one file. */
#pragma once

#include <stdint.h>

struct fleet_events;

int fleet_events_open(const char *path, struct fleet_events **ret); /* 0 or -errno */
void fleet_events_close(struct fleet_events *e);                    /* NULL is fine */
/* `event` is an enum phone_event; those that are not in the list above are not written. */
void fleet_events_add(struct fleet_events *e, uint64_t now_us, uint32_t phone, unsigned event,
                      unsigned server);
void fleet_events_flush(struct fleet_events *e); /* what was added is in the file */
