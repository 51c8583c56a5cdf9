/* simulated.h - phones that run on this machine as programs of their own (`dialtone handset
 * --remote`), so that somebody without a phone can try things. A few at most; they end with the
 * server, whose pipe they read. */
#pragma once

#include <jansson.h>
#include <uv.h>

#include "core/models.h"
#include "server/bootstrap.h"

#define SIMULATED_MAX 8

struct simulated;

/* `picture` is what remote.c prints, borrowed; NULL: the phone is gone. */
typedef void (*simulated_changed)(void *context, const char *name, const json_t *picture);

struct simulated *simulated_new(uv_loop_t *loop, simulated_changed changed, void *context);
void simulated_stop(struct simulated *s); /* NULL is fine; ends all of them, frees in the loop */

/* Boots one against this server, with the first free name of its kind in `name`. 0 or -errno:
 * -ENOSPC when the settings allow no more, -ENOTSUP when nobody simulates the model, or why the
 * program did not start. */
int simulated_boot(struct simulated *s, const struct bootstrap *settings, const struct model *m,
                   enum device_protocol protocol, char name[static 16]);
int simulated_press(struct simulated *s, const char *name, const char *key,
                    const char *n);                          /* 0 or -ENOENT */
int simulated_unplug(struct simulated *s, const char *name); /* 0 or -ENOENT */
/* The n-th that runs: its picture (borrowed; NULL: none yet) and its name; false: there are fewer.
 */
bool simulated_at(const struct simulated *s, size_t n, const char **name, const json_t **picture);
