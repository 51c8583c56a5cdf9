/* files.h - what the parts of the files thread share: files.c (sockets, messages), lookup.c (which
 * content a name stands for), alarms.c, build.c (all files at once), loads.c (firmware),
 * requests.c (what people ask). */
#pragma once

#include "io/file_tree.h"
#include "io/tcp/tcp.h"
#include "io/udp.h"
#include "provision/downloads.h"
#include "provision/file_guard.h"
#include "provision/file_server.h"
#include "provision/phone_files.h"
#include "provision/tftp/server.h"
#include "server/files/cache.h"
#include "server/server.h"

#define FILES_TIDS   16  /* sockets for transfers */
#define FILES_EVENTS 512 /* events of boots that wait for the next tick */

struct file_names_cache; /* addresses of other nodes' names */
struct file_alarms;      /* what was told lately */

struct file_builder {
    uv_timer_t timer;
    bool runs;
    char after[16];       /* the phone that was built last */
    uint64_t version;     /* of the directory it began with */
    uint64_t started_ms;
    size_t built, failed;
    uint64_t token;       /* of who asked */
    bool asked;
    uint64_t n_asked;     /* single files, by phones, until the last turn */
};

struct tid_context { /* which socket: the context of its input */
    struct files *files;
    unsigned tid;
};

struct files {
    struct server *server;
    struct thread *thread;
    struct ip node;          /* node.address, or none: the address that was asked */
    struct ip usual;         /* what phones see when nobody has asked yet */
    char node_name[256], time_zone[64];
    struct file_tree *tree;  /* NULL: the static folder cannot be read */
    struct file_guard *guard;
    struct downloads *downloads;
    struct file_cache *cache;
    struct file_names_cache *names;
    struct file_alarms *alarms;
    struct file_builder builder;
    uv_timer_t tick;         /* runs while there are transfers */
    uv_timer_t check;        /* of loads, a while after a change */
    uint64_t loads_told;     /* what was said of them */
    uv_idle_t pump;          /* runs while HTTP links have more to send */
    struct udp *listener[2], *tids[2][FILES_TIDS]; /* IPv4, IPv6 where the system has it */
    struct tid_context tid_contexts[FILES_TIDS];
    struct tftp_server *tftp; /* NULL: stopped */
    struct tcp *http_port;
    struct file_server *http;
    struct progress_event events[FILES_EVENTS]; /* told together: who hears them is woken once a tick */
    size_t n_events;
    unsigned holders;         /* handles and look-ups that still point here */
    bool closing;
};

/* Tells the state of TFTP with what there is to serve; `token` 0: nobody waits for it. */
void files_tell_state(struct files *f, uint64_t token);
void files_keep_ticking(struct files *f); /* while anything runs */
struct endpoint files_listen_on(const struct files *f, int32_t port);
void files_release(struct files *f); /* one holder less; the last frees */

/* tftp.c */
void files_tftp_start(struct files *f, uint64_t token);
void files_tftp_close(struct files *f);
void files_tftp_flush(struct files *f); /* what transfers have to say leaves */

/* lookup.c */
struct file_source file_lookup_source(struct files *f);
void file_lookup_report(struct files *f, const struct file_report *r);
void file_lookup_tell(struct files *f); /* sends the events that wait */
/* The file of that name as a phone at `local` would get it; 0 with a reference, -ENOENT, -EBUSY … */
int file_lookup(struct files *f, const struct file_name *name, struct ip local, struct device_name asker,
                struct content **ret);
int file_lookup_init(struct files *f); /* makes guard, cache and the rest; 0 or -ENOMEM */
void file_lookup_done(struct files *f);
void file_lookup_settings(struct files *f); /* takes the settings of the newest snapshot */

/* alarms.c */
struct file_alarms *file_alarms_new(void); /* NULL without memory; free() */
/* How often it happened since it was told last; 0: not now. */
uint32_t file_alarm_due(struct files *f, enum alarm_id id, const char *what, struct ip ip);
void file_alarm_missing(struct files *f, const struct file_name *name, const struct file_report *r);
void file_alarm_not_yours(struct files *f, const struct file_name *name, struct ip client);
void file_alarm_guessed(struct files *f, struct ip client, uint32_t names);

/* build.c */
void file_build_init(struct files *f);
void file_build_start(struct files *f, uint64_t token, bool asked);
void file_build_stop(struct files *f);

/* loads.c: answers to `load list`, `load check`, `load import` */
void file_loads_list(struct files *f, uint64_t token, const json_t *arguments);
void file_loads_check(struct files *f, uint64_t token, const json_t *arguments);
void file_loads_import(struct files *f, uint64_t token, const json_t *arguments);
/* A phone begins to fetch a file: false when it is a part of a load that enough others fetch (BOOT-5). */
bool file_loads_begin(struct files *f, const struct file_name *name, struct ip phone);
void file_loads_ended(struct files *f, const struct file_name *name, struct ip phone);
void file_loads_check_soon(struct files *f); /* logs loads that are wanted and not complete */

/* requests.c */
void file_request(struct files *f, uint64_t token, const char *verb, const json_t *arguments);
