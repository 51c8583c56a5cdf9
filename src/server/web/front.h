/* front.h - the administration's HTTP: libmicrohttpd in the loop of the thread that opened it.
 *
 * A request is collected whole, then told; its connection waits, asleep, until it is answered or
 * begun as a stream. An id finds nothing once its connection is gone. Nothing here knows what is
 * asked. */
#pragma once

#include <uv.h>

#include "base/address.h"

#define FRONT_BODY_MAX (1u << 20) /* more is answered 413 */

struct front;
struct MHD_Connection;

struct front_request {
    uint64_t id;
    const char *method, *path; /* path: as sent, without the query */
    struct text body;
    const char *file; /* where the body lies instead, until on_gone; NULL: in `body` */
    unsigned refused; /* 0, or the status that says why the body was not taken */
    struct ip peer;
    struct MHD_Connection *connection; /* for the two functions below */
};

struct front_header {
    const char *name, *value;
};

/* How much of a body is wanted. */
struct front_room {
    size_t max;         /* more is answered 413 */
    const char *folder; /* where it is written to; NULL: kept in memory */
};

struct front_options {
    struct endpoint at;
    const char *certificate, *key; /* PEM texts; NULL: HTTP in the clear */
    void *context;
    /* The head has come, of a request that may have a body. */
    struct front_room (*on_head)(void *context, const struct front_request *r);
    void (*on_request)(void *context, const struct front_request *r);
    void (*on_gone)(void *context, uint64_t id, void *kept); /* `kept` may be NULL */
    uint64_t patience_ms; /* for the head of a request */
};

/* 0, or -errno (-EADDRINUSE …; -EINVAL: certificate and key cannot be used). */
int front_open(uv_loop_t *loop, const struct front_options *options, struct front **ret);
void front_stop(struct front *f); /* NULL is fine; closes all; frees in the loop */
/* From time to time: who takes too long for the head of a request is cut off. */
void front_end_slow(struct front *f);
uint16_t front_port(const struct front *f);

const char *front_header(const struct front_request *r, const char *name); /* NULL: not sent */
const char *front_cookie(const struct front_request *r, const char *name);
/* Calls `each` for every word of the query. */
void front_each_query(const struct front_request *r,
                      void (*each)(void *context, const char *name, const char *value),
                      void *context);

/* What the caller keeps with a request until on_gone. */
void front_keep(struct front *f, uint64_t id, void *kept);
void *front_kept(const struct front *f, uint64_t id);

/* Takes `take_body` (from malloc; NULL: empty). Headers end with a NULL name. 0 or -ENOENT: it is
 * gone. */
int front_answer(struct front *f, uint64_t id, unsigned status, const struct front_header *headers,
                 char *take_body, size_t len);
/* The same with what an open file holds; takes it, from its beginning. */
int front_answer_file(struct front *f, uint64_t id, const struct front_header *headers, int take_fd);
/* From now on the answer is what front_stream sends (text/event-stream). */
int front_stream_begin(struct front *f, uint64_t id, const struct front_header *headers);
/* -ENOBUFS: it does not read; it is closed. */
int front_stream(struct front *f, uint64_t id, const char *bytes, size_t len);
/* Bytes of a stream that its reader has not taken; 0 when it is gone. */
size_t front_unread(const struct front *f, uint64_t id);
/* What was streamed still goes out, then the answer is over. */
void front_stream_end(struct front *f, uint64_t id);
