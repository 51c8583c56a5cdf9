/* runner_parts.h - what runner.c (time, the owner's side) and runner_effects.c (sockets) share. */
#pragma once

#include "handset/runner.h"

void runner_rearm(struct runner *r);
/* Runs the list, and what follows from it, until nothing is left to be done. */
void runner_carry_out(struct runner *r, struct effects *fx);
void runner_begin_boot(struct runner *r, struct effects *fx);
/* Bytes came for this link. */
void runner_heard(struct runner *r, struct runner_link *l, const uint8_t *bytes, size_t len);
/* The socket of the site. */
int runner_share_send(struct runner *r, unsigned link, const void *bytes, size_t len);
void runner_use_address(struct runner *r, uint32_t address); /* 0: gives it up */
