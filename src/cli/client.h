/* client.h - one connection to the control socket of the running server: JSON objects, a line each.
 */
#pragma once

#include <jansson.h>
#include <stddef.h>

struct client {
    int fd;
    char *buffer;
    size_t len, size;
};

/* The data folder: `wanted`, or ./data when it exists, else /var/lib/dialtone. */
const char *client_data_folder(const char *wanted);
/* 0, or -errno with a sentence in `error`. */
int client_open(struct client *c, const char *data, char *error, size_t size);
void client_close(struct client *c);
int client_send(struct client *c, const json_t *request);
/* The next answer, owned by the caller. -EPIPE when the server went away, -EAGAIN after a timeout.
 */
int client_receive(struct client *c, json_t **ret);
void client_set_timeout(struct client *c, int seconds); /* 0: for ever */
