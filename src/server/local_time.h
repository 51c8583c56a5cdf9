/* local_time.h - local time of IANA zones, for phones that show the fields they are sent. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct local_times; /* zones read so far; one thread's own */

struct local_times *local_times_new(void); /* NULL without memory */
void local_times_free(struct local_times *z);
/* Seconds east of UTC; a zone that is empty or has no file is the server's own. */
int32_t local_times_offset(struct local_times *z, const char *zone, int64_t utc);
