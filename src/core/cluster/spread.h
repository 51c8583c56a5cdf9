/* spread.h - in which order the members of a CallManager group serve a device (FAIL-3).
 *
 * Where an administrator asks for it, the first server differs from device to device, so that the
 * members share the phones evenly. It is decided by the names alone (highest random weight): every
 * node and every file comes to the same order, and when a member joins or leaves, only the devices
 * move that it gains or loses. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/directory.h"

#define GROUP_MEMBERS_MAX 16

/* Positions in group->members by priority; how many. `group` may be NULL: none. An empty `device`,
 * as in the file for phones nobody knows yet: as they are listed. */
size_t spread_order(const struct callmanager_group *group, const char *device,
                    uint8_t order[static GROUP_MEMBERS_MAX]);
