/* watch.h - answers that keep coming: status and counters by asking again, events by being told. */
#pragma once

#include "cli/client.h"
#include "cli/commands.h"

/* Until it is interrupted or the server goes away; returns the exit status. */
int watch(struct client *c, const struct command_line *l, size_t width);
