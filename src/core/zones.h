/* zones.h - local time of an IANA zone from its compiled file (TZif, RFC 8536).
 *
 * Reading the file is the caller's; phones know no zone and show the local fields they are sent. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Seconds east of UTC at `utc`; false when the bytes are no such file. */
bool zone_offset(const uint8_t *tzif, size_t len, int64_t utc, int32_t *ret);

/* Seconds east of UTC by a POSIX TZ string, "CET-1CEST,M3.5.0,M10.5.0/3"; false when malformed. */
bool zone_offset_of_rule(const char *rule, int64_t utc, int32_t *ret);
