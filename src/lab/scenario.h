/* scenario.h - named scenarios of the laboratory (SIM-5): each says what it does and what was seen, and ends with
 * a verdict. Captures of both ends and all logs stay in its folder. */
#pragma once

#include "lab/office.h"
#include "lab/sniffer.h"
#include "lab/switch.h"

#define STAGE_SNIFFERS_MAX 16
#define LAB_TYPED          "10.99.0.50"
#define STAGE_WATCHED_MAX  8

struct stage_phone {
    struct child process;
    struct mac mac;
    struct device_name name;
    const char *model, *protocol; /* "sccp", "sip" */
    unsigned port;     /* of the switch */
    char last[160];    /* line that it printed */
    const char *more[12]; /* further words of its command line */
    bool typed_address;   /* no boot: LAB_TYPED on its interface, to be registered at once */
    bool translated;      /* the same behind a router: LAB_INSIDE */
    const char *awaited;  /* letters that it is to print; NULL: none */
    unsigned n_awaited;   /* lines that had them */
};

/* What a scenario plays on. */
struct stage {
    struct network network;
    struct office office;
    struct lab_switch *wire; /* in the place of the bridge; NULL: the bridge */
    struct stage_phone phones[LAB_PHONES_MAX];
    unsigned n_phones;
    struct sniffer *sniffers[STAGE_SNIFFERS_MAX];
    unsigned n_sniffers;
    char captures[STAGE_SNIFFERS_MAX][LAB_PATH + 32];
    char folder[LAB_PATH];
    struct child *watched[STAGE_WATCHED_MAX]; /* other programs whose lines are read */
    unsigned n_watched;
    const char *scenario, *protocol; /* "sccp", "sip", "both" */
    unsigned count;                  /* of phones, where the scenario lets choose */
    unsigned clock_rate;             /* of phones of fleets */
    uint64_t begun_ms;
    unsigned failures, checks;
    bool quiet; /* nothing is printed but failures */
};

struct scenario {
    const char *name, *help;
    void (*play)(struct stage *s);
};

extern const struct scenario scenarios[]; /* ends with a NULL name */
const struct scenario *scenario_find(const char *name); /* NULL: no such */

struct scenario_options { /* of those with several nodes */
    unsigned phones;
    const char *protocol;
    bool quick; /* the phones' clocks run faster */
};

/* Builds the stage in `folder`, plays, tells what the captures hold. 0: the verdict is good, 1: not, or -errno
 * when the stage could not be built. */
int scenario_run(const struct scenario *scenario, const char *name, const char *folder,
                 const struct scenario_options *options);

/* stage.c */
int stage_open(struct stage *s, const char *name, const char *folder);
void stage_close(struct stage *s);
void stage_say(struct stage *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Counts and prints; returns `truth`. */
bool stage_expect(struct stage *s, bool truth, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* A new phone at the next port of the switch, without power; NULL after a message when there is no room. */
struct stage_phone *stage_add_phone(struct stage *s, const char *model, const char *protocol);
int stage_power(struct stage *s, struct stage_phone *p, bool on);
/* Lets things happen until `done` says so or the time is over; returns what `done` said last. */
bool stage_wait(struct stage *s, unsigned timeout_ms, bool (*done)(struct stage *s, void *context), void *context);
void stage_turn(struct stage *s, unsigned ms); /* reads children and captures for at most `ms` */
/* Waits until the server lists the phone with this status. */
bool stage_wait_status(struct stage *s, const struct stage_phone *p, const char *status, unsigned timeout_ms);
void stage_watch(struct stage *s, struct child *c);
void stage_capture(struct stage *s, struct lab_ns ns, const char *name);
void stage_end_captures(struct stage *s);
