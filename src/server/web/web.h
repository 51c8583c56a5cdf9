/* web.h - the REST API of the admin thread: log-in, roles, limits, and the calls of the control
 * socket over HTTP.
 *
 * An exchange (a request that waits for its answer) is one more asker of the API; its id carries
 * WEB_ASKER. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/alarms.h"

#define WEB_ASKER (UINT64_C(1) << 62) /* in `who`: the answer goes to a web exchange */

struct admin;
struct web;

/* Listens where the bootstrap settings say. 0, or -errno with a sentence in `error`. -EAGAIN: the
 * certificate is not made yet, try again. */
int web_open(struct admin *a, struct web **ret, char *error, size_t size);
void web_stop(struct web *w); /* NULL is fine; frees in the loop */
/* "http://127.0.0.1:8080/" */
const char *web_url(const struct web *w);
/* The key of the first log-in; NULL: there is an administrator, who has a password. */
const char *web_key(const struct web *w);
/* What a server that died left in the data folder of uploads and downloads goes. */
void web_files_clean(const char *folder);
/* As control_answer. */
int web_answer(struct web *w, uint64_t who, json_t *take_answer);

/* --- what happens, for pages that watch (live.c); `w` may be NULL --- */
void web_phone_changed(struct web *w, struct device_name name); /* registered, refused or gone */
void web_event(struct web *w, const struct alarm *alarm, uint64_t sequence);
void web_tick(struct web *w); /* twice a second: tells it */
