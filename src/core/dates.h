/* dates.h - how phones are told to write the date, and in which zone they are. */
#pragma once

#include "core/directory.h"

#define DATE_TEMPLATE_MAX 8

/* "D.M.Y", "M/D/YA": letters in order, their separator, and A for a 12-hour clock, as RegisterAck and
 * configuration files carry it. NULL gives the one that a CallManager without settings uses. Returns `to`. */
const char *date_template(const struct datetime *d, char to[static DATE_TEMPLATE_MAX]);

/* The name phones know for an IANA zone: "W. Europe Standard/Daylight Time" for "Europe/Berlin"; GMT when
 * the zone is not in the table. A name that is already one of those is returned as it is. */
const char *time_zone_of_phones(struct text iana);
