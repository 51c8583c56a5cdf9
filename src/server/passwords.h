/* passwords.h - passwords become yescrypt hashes beside the loop: one takes some 18 ms of a core.
 */
#pragma once

#include <uv.h>

#include "base/text.h"

struct passwords;

/* `hash` is NULL when it failed. */
typedef void (*password_done)(void *context, void *what, const char *hash);

struct passwords *passwords_new(uv_loop_t *loop, void *context,
                                password_done done); /* NULL without memory */
/* 0, or -ENOMEM; `what` comes back with the hash. */
int passwords_hash(struct passwords *p, struct text password, void *what);
/* The hash that `password` gives under `expected`: the same text when it is right. An empty `expected` costs as much and gives
 * a hash that nobody has. 0 or -ENOMEM. */
int passwords_check(struct passwords *p, struct text password, const char *expected, void *what);
bool password_is_hash(struct text t);
/* Those that are still being made come back with NULL, at once; frees in the loop. NULL is fine. */
void passwords_stop(struct passwords *p);
