/* autoregister.h - what an unknown phone gets when auto-registration is on (REG-2). Pure. */
#pragma once

#include "base/address.h"
#include "core/directory/change.h"

/* The change that adds the phone with the next free number of the range: the row of this node's
 * CallManager, or the only one that is enabled. 0 with the change, or a sentence in `error` and
 *   -EPERM   auto-registration is off            -ENOENT  no such model is known
 *   -ERANGE  every number of the range is used   -ENOMEM
 *   -EEXIST  the phone is there already */
int autoregister_change(const struct directory *dir, struct text node_name,
                        struct device_name device, uint32_t model, enum device_protocol protocol,
                        struct change **ret, char *error, size_t size);
