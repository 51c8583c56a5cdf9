/* sip_log.h - what the log of a world of SIP phones must say, and must not. */
#pragma once

#include "sip_world.h"

static inline void contains(struct sip_world *w, const char *part)
{
    if (!strstr(w->log, part))
        fail_msg("no '%s' in:\n%s", part, w->log);
}

static inline void lacks(struct sip_world *w, const char *part)
{
    if (strstr(w->log, part))
        fail_msg("'%s' in:\n%s", part, w->log);
}
