/* station.h - what every phone that is or wants to be registered has, whatever it speaks. */
#pragma once

#include <stdbool.h>

#include "base/address.h"
#include "core/alarms.h"
#include "core/directory.h"
#include "core/models.h"

/* Where a connection stands. A row of station_states each; docs/protocols/sccp_states.md is
 * printed from the rows that move between them. */
enum station_state {
    STATION_OPEN,         /* connected, nothing of weight was said */
    STATION_STANDBY,      /* sends keepalives without registering: we are its backup */
    STATION_TOKEN,        /* was told that it may come */
    STATION_ADMITTING,    /* unknown; the database is asked to add it */
    STATION_ASKING,       /* its name is alive at another place, which is asked first */
    STATION_CAPABILITIES, /* acknowledged; its capabilities are awaited, requests are parked */
    STATION_REGISTERED,
    STATION_LEAVING, /* was told to reset, restart or apply its configuration */
    STATION_REFUSED, /* rejected; may try again or is closed soon */
    STATION_CLOSED,  /* gone; freed after the step */
    N_STATION_STATES
};

struct registry;
struct station_kind;

struct station {
    struct registry *registry;
    const struct station_kind *kind; /* registry_own.h */
    struct device_name name;         /* empty until it named itself */
    struct endpoint peer;            /* where its connection comes from */
    uint16_t local_port;             /* which of our ports it came to */
    uint8_t state;                   /* enum station_state */
    uint8_t protocol;                /* enum device_protocol */
    uint8_t
        address_scope; /* IPAddrAttributes of alarms: 0 unknown … 3 administration and signalling */
    uint8_t leave_reason;      /* UNREGISTERED_… that a leave will have; 0: none was asked for */
    bool has_name;             /* it is in the registry under its name */
    bool off_hook;             /* as it last said */
    uint8_t offered;           /* protocol version, as the phone said */
    uint32_t model;            /* as it reports */
    uint32_t loss_ms;          /* silence that makes it lost */
    uint32_t phone_version;    /* of the registry's directory that `phone` belongs to */
    const struct phone *phone; /* of that snapshot, or NULL; see station_phone */
    uint64_t since_ms;         /* registered since, of the clock that never jumps */
    const char *load;          /* active load as it reports, or "" or NULL; see station_set_load */
    const char *last_signal;   /* what was last heard, static: for alarms */
    struct alarm *last_alarm;  /* what it told of its last absence, or NULL; owned */
    uint64_t heard_ms;         /* when the last whole message came */
};

const char *station_state_name(enum station_state state);
struct ip station_own_address(const struct station *x); /* as it says; none: it said a name, or nothing */

/* Somebody uses it: it is not to be sent away just now. Phones that speak SCCP say when they are off hook; those
 * that speak SIP say nothing of it before they call. */
static inline bool station_is_busy(const struct station *s)
{
    return s->off_hook;
}

static inline bool station_is_registered(const struct station *s)
{
    return s->state == STATION_REGISTERED || s->state == STATION_LEAVING;
}
