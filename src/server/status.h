/* status.h - real-time status of every device seen: the RIS data collector of this node (RIS-1).
 *
 * Fed by registration events; one map look-up an event, about 80 bytes a device. Devices that are
 * no longer registered are kept until there are too many; registered ones always. */
#pragma once

#include "base/chain.h"
#include "provision/progress/progress.h"

enum device_state {
    STATE_UNKNOWN,
    STATE_REGISTERED,
    STATE_UNREGISTERED,
    STATE_REJECTED,
    N_DEVICE_STATES
};

struct device_status {
    struct device_name name;
    struct ip ip;
    uint8_t state, protocol;
    uint16_t attempts; /* registrations tried; 65535: or more */
    uint16_t reason; /* of the unregistration (reason_unregistered) or refusal (reason_transient); 0
                      registered */
    uint32_t model;
    uint32_t since_s; /* wall clock of the last change of state */
    const char *load; /* active load, as the phone told */
    /* of the module */
    struct chain_node order;
};

struct status;

struct status *status_new(size_t max_registered, size_t max_others); /* NULL without memory */
void status_free(struct status *s);
void status_event(struct status *s,
                  const struct progress_event *e); /* of any stage; most mean nothing here */
const struct device_status *status_find(const struct status *s,
                                        struct text name); /* NULL: never seen */
/* Walks all, in no order: start with *cursor = 0, ends with NULL. A cursor stays good between
 * calls. */
const struct device_status *status_next(const struct status *s, size_t *cursor);
size_t status_count(const struct status *s, enum device_state state);

extern const char *const device_state_names[N_DEVICE_STATES]; /* "registered" */
/* What the reason means, in plain words; "" when there is none. */
const char *status_reason(const struct device_status *d);
