/* sip_office.h - the registrar alone with SIP phones by UDP, in one process and on a clock that is
 * moved by hand: what sip_core and sip_hour share. */
#pragma once

#include "bench/sip_register.h"
#include "station/sip/stations.h"

#define OFFICE_PORT 35060

struct sip_office {
    struct sip_stations *stations;
    struct effects *effects;
    struct moment now;
    size_t n_ok, n_asked, n_other; /* answers to REGISTER, requests of the server, what else came */
    uint32_t granted_s;            /* by the last 200 */
    struct sip_bench bench;
    char agreed[SIP_BYTES_MAX]; /* the 200 to a request of the server, to be said next */
    size_t n_agreed;
};

/* Numbers from 100000 on, in a directory; `paced`: returns are. The clock shows `now`. Exits with a
 * message when it cannot. */
void sip_office_open(struct sip_office *o, size_t count, bool paced);
/* The n-th REGISTER of a phone, and its 200 to what it is asked then. */
void sip_office_say(struct sip_office *o, size_t phone, uint32_t nth);
void sip_office_tick(struct sip_office *o); /* all that is due by now */
