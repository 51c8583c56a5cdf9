/* crowd.h - phones of the laboratory in one namespace (`dialtone fleet`), and what happened to each of them. */
#pragma once

#include <stdio.h>

#include "lab/child.h"
#include "lab/network.h"
#include "lab/office.h"

#define CROWD_PHONES_MAX 20000

enum crowd_what { CROWD_ASKED, CROWD_REGISTERED, CROWD_LOST, CROWD_GONE, CROWD_STANDBY, CROWD_OTHER };

struct crowd_event {
    uint64_t us; /* of the monotonic clock */
    uint32_t phone;
    uint8_t what, server; /* enum crowd_what; node 1 to 3 */
};

struct crowd {
    const char *protocol; /* "sccp", "sip" */
    const char *models;   /* as `dialtone fleet --model` takes them */
    struct lab_ns ns;
    unsigned count, clock_rate;
    struct mac first_mac;
    struct child process;
    char events_path[LAB_PATH + 32];
    int events_file;
    char partial[128]; /* of a line */
    size_t n_partial;
    struct crowd_event *events; /* owned */
    size_t n_events, room;
    uint8_t *server;                      /* of each phone: where it is registered; 0: nowhere. Owned */
    uint8_t *standby;                     /* of each phone: another server is at hand. Owned */
    unsigned at[LAB_NODES_MAX + 1];       /* how many are registered where; [0]: nowhere */
    unsigned n_standby;
};

/* `folder` takes log and events. 0 or -errno; nothing runs yet. */
int crowd_open(struct crowd *c, const char *folder);
/* The phones boot with files from `server`. 0 or -errno. */
int crowd_start(struct crowd *c, const char *folder, const char *server, const char *backup); /* of files */
void crowd_read(struct crowd *c); /* what has happened since the last time */
void crowd_close(struct crowd *c);
/* Appends its phones to a list for `dialtone import`; `number` is the first line. */
void crowd_list(const struct crowd *c, FILE *f, unsigned number);
