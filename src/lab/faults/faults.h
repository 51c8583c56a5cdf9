/* faults.h - the laboratory's faults (SIM-5): each is made on purpose, between a real server and a
 * real phone, and captured at both ends. A row of faults.def says what the doctor must call it.
 *
 * A fault is a function that is called at three moments; several may be played at once. */
#pragma once

#include "lab/scenario.h"

enum lab_moment {
    LAB_BEFORE, /* nothing runs yet: settings, phones, what the directory shall say */
    LAB_WIRED,  /* the server is ready, the phone is at its port without power: rules of the switch
                 */
    LAB_REGISTERED, /* the phone is registered (only when the row waits for that) */
};

struct lab_play {
    struct stage stage;
    struct stage_phone *phone;
    const char *model, *protocol; /* of the phone */
    const char *configured;       /* model in the directory; NULL: the phone is not added */
    const char *number_of_lines;  /* "7001" … */
    const char *scope[4];         /* more fields of the DHCP scope */
    const char *parameters[4];    /* "station_keepalive_interval=1" … */
    const char *fields[4];        /* more fields of the phone */
    const char *user;             /* to be added, with digest password "secret"; NULL: none */
    bool no_scope;
    unsigned keepalive_s; /* of SCCP phones; 0: as usual */
};

typedef void (*lab_deed)(struct lab_play *p, enum lab_moment moment);

struct lab_fault {
    const char *name;
    lab_deed deed;
    const char *until;     /* what the phone prints when it has come to the fault; "registered": see
                              LAB_REGISTERED */
    unsigned seconds;      /* how long it is watched from then on */
    const char *causes[3]; /* that the doctor must name: both captures, the phone's, the server's */
    const char *done, *lesson;
};

enum lab_view { VIEW_BOTH, VIEW_PHONE, VIEW_SERVER };

extern const struct lab_fault lab_faults[];               /* ends with a NULL name */
const struct lab_fault *lab_fault_find(struct text name); /* NULL: no such */

struct lab_order {
    const char *faults; /* names joined by '+' */
    const char *model, *protocol;
    const char *name, *folder;
    bool quiet; /* nothing is printed that tells what the fault is */
};

int lab_fault_check(const char *names); /* -EINVAL: one of them is no fault */
/* -EINVAL when one of the names is no fault; else as scenario_run(). */
int lab_fault_run(const struct lab_order *order);

/* For deeds. */
bool lab_never(struct stage *s, void *context); /* for stage_wait(): to the end of the time */
void lab_setting(struct lab_play *p, const char *setting);     /* of the server: "tftp.port=0" */
void lab_parameter(struct lab_play *p, const char *parameter); /* "station_keepalive_interval=1" */
void lab_option(struct lab_play *p, const char *word);         /* of the phone's command line */
void lab_stop_server(struct lab_play *p, bool stop);           /* SIGSTOP, SIGCONT */
void lab_nft(struct lab_play *p, struct lab_ns ns, const char *rules); /* of nftables, there */

#define LAB_FAULT(deed, name, until, seconds, both, phone, server, done, lesson)                   \
    void fault_##deed(struct lab_play *p, enum lab_moment moment);
#include "lab/faults/faults.def"
#undef LAB_FAULT

#define LAB_RULE(p, ...) switch_rule((p)->stage.wire, (struct rule){__VA_ARGS__})
