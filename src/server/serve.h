/* serve.h - the program that runs a node. */
#pragma once

#include "server/bootstrap.h"

int serve_main(int argc, char **argv); /* argv[0] is "serve"; returns the exit status */

/* Reads --data, --config and --set: 0, or the exit status with the reason on standard error. */
int serve_settings(int argc, char **argv, struct bootstrap *ret);
