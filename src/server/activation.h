/* activation.h - what happens when a phone in quarantine types an activation code (REG-3). Pure. */
#pragma once

#include "base/address.h"
#include "core/directory/change.h"

/* The change that gives the device the place that was prepared under the code: the record takes the
 * device's name, the one in quarantine goes, and numbers that nobody else has are free again.
 * `today` is "2026-11-21". 0 with the change, or a sentence in `error` and
 *   -EPERM   the device is not in quarantine      -ENOENT  nothing has this code
 *   -ETIME   the code has expired                 -ENOTSUP it is for another model or protocol
 *   -ENOMEM */
int activation_change(const struct directory *dir, struct text code, struct device_name device,
                      uint32_t model, enum device_protocol protocol, const char *today,
                      struct change **ret, char *error, size_t size);

/* A code of ten digits that no phone of the directory has. 0, or -errno without random numbers. */
#define ACTIVATION_CODE_DIGITS 10
int activation_code_make(const struct directory *dir, char to[static ACTIVATION_CODE_DIGITS + 1]);
