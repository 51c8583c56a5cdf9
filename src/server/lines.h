/* lines.h - bytes of a stream cut into lines of JSON. Pure: no socket. */
#pragma once

#include <jansson.h>

#define LINES_MAX (8u << 20) /* a longer line ends the conversation */

struct lines {
    char *bytes;
    size_t len, size;
};

typedef void (*lines_input)(void *context,
                            json_t *take_object); /* NULL: the line was no JSON object */

void lines_done(struct lines *l);
/* 0; -EMSGSIZE when a line is too long, -ENOMEM. Empty lines mean nothing. */
int lines_feed(struct lines *l, const char *bytes, size_t n, lines_input input, void *context);
