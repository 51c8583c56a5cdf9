/* downloads.h - how many phones of one site fetch a load at once (BOOT-5).
 *
 * A phone takes a place with the first part it asks for and keeps it until it has asked for nothing for a while:
 * between two parts it writes its flash. Who gets no place is told that the server is busy; it goes on with
 * the load it has and asks again when it boots. */
#pragma once

#include "base/address.h"

#define DOWNLOADS_PATIENCE_MS 60000 /* between two parts */

struct downloads;

struct downloads *downloads_new(void); /* NULL without memory */
void downloads_free(struct downloads *d);
/* `site`: whose phones are counted together, such as a device pool. False: as many as `max` others of the site
 * fetch this load now. True: downloads_ended must follow. */
bool downloads_begin(struct downloads *d, const char *load, const char *site, struct ip phone, size_t max,
                     uint64_t now_ms);
/* A part is through, or given up. Phones that began before there was a limit are not known here. */
void downloads_ended(struct downloads *d, struct ip phone, uint64_t now_ms);
