/* failover.h - scenarios with several nodes: something happens to a node, and the phones of its group go elsewhere and
 * come back. A scenario is a list of steps (failover.c); its row stands in scenarios.def. */
#pragma once

struct stage;

enum failover {
#define SCENARIO(function, name, help)
#define FAILOVER(id, name, help) FAILOVER_##id,
#include "lab/scenarios.def"
#undef FAILOVER
#undef SCENARIO
    N_FAILOVERS
};

void failover_play(struct stage *s, enum failover which);
