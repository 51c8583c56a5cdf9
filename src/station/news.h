/* news.h - what others are told of a station: events of its life, alarms, a line of the log. */
#pragma once

#include "base/log.h"
#include "station/sccp_station.h"

/* "SEP001122334455 at 10.0.0.7:50123 registered: …"; INFO only so many a second. */
void session_log(const struct session *s, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

void tell_event(struct session *s, enum station_stage stage, uint32_t code, const char *detail,
                struct effects *e);
void tell_binding(struct session *s, bool gone, struct effects *e); /* the address it is at */

/* EndPointTransientConnection for `times` attempts, EndPointUnregistered, EndPointRegistered … */
void tell_transient(struct session *s, uint32_t reason, uint32_t times, struct effects *e);
void tell_unregistered(struct session *s, uint32_t reason, struct effects *e);
void tell_registered(struct session *s, struct effects *e);
void tell_mismatch(struct session *s, struct effects *e);
void tell_limit(struct session *s, struct effects *e);
void tell_toggle(struct session *s, struct effects *e);
void tell_flood(struct session *s, struct effects *e);
void tell_order(struct session *s, enum alarm_id id, struct effects *e);
