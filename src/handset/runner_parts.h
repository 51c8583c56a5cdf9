/* runner_parts.h - what runner.c (time, the owner's side) and runner_effects.c (sockets) share. */
#pragma once

#include "handset/runner.h"

void runner_rearm(struct runner *r);
/* Runs the list, and what follows from it, until nothing is left to be done. */
void runner_carry_out(struct runner *r, struct effects *fx);
void runner_begin_boot(struct runner *r, struct effects *fx);
void runner_use_address(struct runner *r, uint32_t address); /* 0: gives it up */
