/* service_states.h - which services an administrator has stopped: they stay so when the server starts again (ADM-3).
 *
 * `services.stopped` of the data folder, a service a line; no such file: all run. */
#pragma once

#include <stdbool.h>

#include "server/server.h"

struct service_states {
    bool stopped[N_SERVICES];
};

void service_states_read(const char *folder, struct service_states *ret);
/* Written whole, then put in place. 0 or -errno. */
int service_states_write(const char *folder, const struct service_states *s);
