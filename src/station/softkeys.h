/* softkeys.h - the softkeys a phone is given: the template, and which keys each call state shows.
 */
#pragma once

#include "core/directory.h"
#include "wire/sccp/message.h"

/* `softkeys` NULL: the sets of CallManager 4.1. `codes`: labels as codes that the phone translates.
 */
void softkeys_template(const struct softkeys *softkeys, bool codes,
                       struct sccp_softkey_template *ret);
void softkeys_sets(const struct softkeys *softkeys, struct sccp_softkey_set *ret);
