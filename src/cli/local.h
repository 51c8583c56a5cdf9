/* local.h - commands that need no server, or can do without one. */
#pragma once

#include "cli/commands.h"

/* Return the exit status. */
int local_run(const struct command_line *l, int argc, char **argv);
/* import, export, backup and restore on the data folder itself. */
int local_offline(const struct command_line *l, const char *data);
