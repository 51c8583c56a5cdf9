/* http_get.h - one file by HTTP, as phones ask for it: a connection a file, `GET /name HTTP/1.1`,
 * one Host line. */
#pragma once

#include "io/dial.h"

struct http_get;

/* `done` is called once, with status 0 when there was no connection or no proper answer; the bytes
 * are valid during the call, after which the transfer is gone. NULL when it could not even begin.
 */
struct http_get *http_get_new(uv_loop_t *loop, const struct dial_options *from,
                              const struct endpoint *server, struct text path,
                              void (*done)(void *context, unsigned status, const void *body,
                                           size_t len),
                              void *context);
void http_get_free(struct http_get *g); /* NULL is fine; `done` is not called any more */
