/* news.h - what others are told of a station: events of its life, alarms, a line of the log. */
#pragma once

#include "base/log.h"
#include "station/registry_own.h"

/* "SEP001122334455 at 10.0.0.7:50123 registered: …"; INFO only so many a second. */
void station_log(const struct station *s, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

void tell_event(struct station *s, enum station_stage stage, uint32_t code, const char *detail,
                struct effects *e);
/* It is registered from now on, and no more: event, binding, alarm, and a phone that does so again
 * and again. `id`: EndPointRegistered, or of a part of its lines only. */
void tell_arrived(struct station *s, enum alarm_id id, struct effects *e);
void tell_registered(struct station *s, enum alarm_id id, struct effects *e); /* the alarm alone */
void tell_gone(struct station *s, uint32_t reason, struct effects *e);

/* EndPointTransientConnection for `times` attempts; other alarms. */
void tell_transient(struct station *s, uint32_t reason, uint32_t times, struct effects *e);
void tell_impatient(struct station *s, uint32_t n_requests, uint32_t wait_s, struct effects *e); /* for a token */
struct keepalive_finding;
void tell_keepalives(struct station *s, uint32_t interval_s, const struct keepalive_finding *found,
                     struct effects *e);
void tell_mismatch(struct station *s, struct effects *e);
void tell_limit(struct station *s, struct effects *e);
/* A phone that is there was claimed at another node. */
void tell_claim(struct station *holder, struct ip claimant, struct effects *e);
void tell_duplicate(struct station *s, struct effects *e); /* with both addresses */
void tell_flood(struct station *s, uint32_t n_events, struct effects *e);
void tell_order(struct station *s, enum alarm_id id, struct effects *e);
