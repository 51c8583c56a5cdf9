/* live_history.h - what this node saw of one phone, retold to the doctor: the boot timeline, what was alarmed of it, how its
 * connection stands. The same sights as a capture's, so that the same rules judge both. */
#pragma once

#include "doctor/retold.h"
#include "io/tcp/tcp.h"
#include "server/events/events.h"
#include "server/status.h"

#define HAPPENINGS_MAX 160 /* of one phone; the newest */

struct live_history {
    const struct progress_phone *boot;    /* NULL: nothing was seen of it */
    const struct device_status *status;   /* NULL: it never tried to register */
    const struct events *events;
    const struct tcp_health *link;        /* NULL: not read, or well */
    uint64_t link_us;                     /* when it was read */
    struct device_name name;
    struct ip node;                       /* our address, for the story */
    uint16_t sccp_port, sip_port;
    uint32_t sccp_interval_s, sip_interval_s; /* of keepalives */
    uint32_t missed;                      /* intervals of silence that make a phone lost */
    const struct progress *progress;
    uint64_t now_us;
};

/* Numbers of its sights count what happened, from 1. */
void live_history_tell(const struct live_history *h, struct retell *r);
