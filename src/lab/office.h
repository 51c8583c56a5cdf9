/* office.h - the server of the laboratory: `dialtone serve` in its namespace, and an administrator who talks to it. */
#pragma once

#include <jansson.h>

#include "lab/child.h"
#include "lab/network.h"

#define LAB_ADDRESS "10.99.0.1" /* of the server */
#define LAB_PREFIX  24
#define LAB_SUBNET  "10.99.0."
#define LAB_PATH    512

struct office {
    const struct network *network;
    unsigned node; /* 1, or more where several nodes are one cluster */
    const char *cluster; /* setting cluster.servers; NULL: alone, with DHCP and CDP */
    char folder[LAB_PATH]; /* data folder and log are here */
    struct child server;
    bool ready;
    const char *settings[8]; /* more of the server's command line: "tftp.port=0" … */
};

/* The server's address and the data folder; nothing runs yet. 0 or -errno. */
int office_open(struct office *o, const struct network *network, const char *folder);
/* The same for node 2 or 3 of a cluster, 10.99.0.2 or .3, in a namespace that is made here. */
int office_open_node(struct office *o, struct network *network, const char *folder, unsigned node);
/* Starts the server and waits until it is ready; -ETIMEDOUT, or -ECHILD when it ended (its log says why). */
int office_start(struct office *o);
void office_stop(struct office *o, int signal);

/* Runs `dialtone WORDS…` against the server. The exit status of the command, or -errno. What it printed is shown
 * when it failed. The words end with NULL. */
int office_do(struct office *o, const char *word, ...);
/* The same with --json; NULL when it failed. To be released by the caller. */
json_t *office_ask(struct office *o, const char *word, ...);
/* "registered", "rejected" …, "" when the server has never heard of the device. */
const char *office_status(struct office *o, const char *device, char *to, size_t size);
/* A field of the row of a list that has this name; "" when there is none. */
const char *row_field(const json_t *rows, const char *name, const char *field);
unsigned rows_count(const json_t *rows, const char *field, const char *value);
