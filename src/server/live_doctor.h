/* live_doctor.h - the doctor beside the server: looks at a phone when something happened to it, and at all that are not
 * registered at a slow pace; keeps what it found.
 *
 * What a message costs does not grow with the number of phones, and never more than a small part of the admin thread's
 * time goes into looking (LOOK_US of each tick). Memory: PATIENTS_MAX phones at once; who does not fit is looked at later. */
#pragma once

#include <jansson.h>

#include "base/address.h"

struct admin;
struct progress_event;
struct progress_phone;
struct tcp_health;
struct live_doctor;

struct live_doctor *live_doctor_new(struct admin *a); /* NULL without memory */
void live_doctor_free(struct live_doctor *d);         /* NULL is fine */
/* Something happened to `phone` (NULL: nobody knows whose event it is). */
void live_doctor_event(struct live_doctor *d, const struct progress_phone *phone, const struct progress_event *e);
/* The kernel repeats what was sent to a phone. */
void live_doctor_link(struct live_doctor *d, struct device_name name, const struct tcp_health *link);
void live_doctor_tick(struct live_doctor *d); /* each half second */

size_t live_doctor_ill(const struct live_doctor *d); /* phones with findings worse than a hint */
/* Columns and rows of findings: of one phone, or (empty name) of all in pages: `after` is what "next" said. */
json_t *live_doctor_list(struct live_doctor *d, struct text name, size_t after, size_t limit, bool full);
/* Looks now, and tells the whole story as text on the heap; NULL: nothing is known of it. `lang`: en, fr, zh; "": English. */
char *live_doctor_story(struct live_doctor *d, struct device_name name, const char *lang);
