/* control.h - the control socket: a Unix stream in the data folder, JSON objects, one a line. */
#pragma once

#include <jansson.h>
#include <uv.h>

struct control;

struct control_options {
    const char *folder; /* the socket is `control.sock` in it, for owner and group only */
    void *context;
    /* NULL: what came was no JSON object. `who` finds nothing once the asker is gone. */
    void (*on_request)(void *context, uint64_t who, json_t *take_request);
    void (*on_gone)(void *context, uint64_t who);
};

/* 0, or -errno with a sentence in `error`: -EADDRINUSE when a server that is alive holds the
 * socket. What a dead one left is replaced. */
int control_open(uv_loop_t *loop, const struct control_options *options, struct control **ret,
                 char *error, size_t size);
/* -ENOENT when the asker is gone; -ENOBUFS when it does not read: it is closed then. */
int control_answer(struct control *c, uint64_t who, json_t *take_answer);
/* The user at the other end; -1: not known. */
int64_t control_uid(struct control *c, uint64_t who);
void control_stop(struct control *c); /* closes all; frees in the loop; NULL is fine */
