/* graph.h - the rows of a station's state machine, printed: a Mermaid graph, the timeouts, the
 * table. */
#pragma once

#include "base/buf.h"
#include "station/station.h"

#define IN(state) (1u << STATION_##state)
#define SAME      N_STATION_STATES
#define AGAIN     (1u << 7) /* beside a state: the event is then given to that state */

struct state_words {
    const char *name, *timeout; /* timeout "": it does not end by itself */
};

/* What of a row is printed. */
struct graph_row {
    uint32_t in;
    uint8_t on, to;
    const char *words;
};

/* `states` has N_STATION_STATES rows, the first one where it begins; `events` are named by `on`. */
void graph_print(struct writer *w, const struct state_words *states, const char *const *events,
                 const struct graph_row *rows, size_t n);
