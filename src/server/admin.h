/* admin.h - what the parts of the admin thread share: its state, questions to other threads, answers. */
#pragma once

#include "base/pool.h"
#include "core/directory/change.h"
#include "core/directory/fields.h"
#include "server/control.h"
#include "server/events/events.h"
#include "server/events/strip.h"
#include "server/events/syslog.h"
#include "server/live_doctor.h"
#include "server/passwords.h"
#include "server/server.h"
#include "server/service_states.h"
#include "server/status.h"
#include "server/web/web.h"

struct admin;
struct ask;
struct views;

/* What came back from another thread, or {"error"} and status 1 when nothing came in time. `body` is borrowed. */
typedef void (*ask_done)(struct admin *a, const struct ask *ask, int status, json_t *body);

/* A question to another thread that is not answered yet. */
struct ask {
    uint64_t who; /* asker at the control socket */
    uint64_t due_ms;
    const char *what; /* for the sentence when no answer comes */
    ask_done done;    /* NULL: the body is the answer */
    json_t *kept;     /* for `done` */
    bool change;      /* a MESSAGE_CHANGE: `kept` is the answer when it was stored */
};

struct service_line {
    enum service_state state;
    uint64_t since_us;
    char text[256];
};

#define MAX_FOLLOWERS 32
#define MAX_WATCHERS  16 /* of simulated phones */
#define MAX_EARLY     64

/* A request that came before the database was open: it waits. */
struct early {
    uint64_t who;
    json_t *request;
};

/* A change that somebody at the control socket has asked for, for the audit log. */
#define MAX_LOCAL 64
struct local_call {
    uint64_t who; /* 0: free */
    char noun[32], verb[16], name[128];
};

struct audit;

struct follower {
    uint64_t who; /* 0: free */
    char device[32], alarm[64], search[64];
    struct event_filter filter; /* its texts are those above */
};

struct admin {
    struct thread *thread;
    struct control *control;
    struct web *web;
    struct status *status;
    struct progress *progress;
    struct live_doctor *doctor;
    struct events *events;
    struct syslog *syslog;
    struct passwords *passwords;
    struct views *views;
    struct strip strip;
    json_t *overview; /* as it was told last, at overview_ms; NULL: never */
    uint64_t overview_ms;
    struct pool asks;
    uv_prepare_t prepare;
    uv_timer_t tick;
    uint64_t started_us; /* server_steady_us */
    struct service_line services[N_SERVICES];
    struct service_states wanted; /* as an administrator left them */
    struct follower followers[MAX_FOLLOWERS];
    struct early early[MAX_EARLY];
    struct local_call local[MAX_LOCAL];
    size_t next_local;
    struct audit *audit;
    size_t n_early;
    char node[64];
    bool web_waits;    /* for the certificate */
    bool web_key_told; /* its state names the key of the first log-in */
    struct {
        uint64_t at_us, used_us;
        int64_t percent;
    } cpu; /* when its use was asked for last (perf.c) */
    bool began; /* the first snapshot is here */
    bool plans; /* the call at hand asks what would happen */
    bool collecting; /* the RIS data collector runs */
    struct bootstrap settings; /* live ones as they are now */
    bool configuring;          /* a change of them is on its way */
    struct simulated *simulated;
    uint64_t watchers[MAX_WATCHERS]; /* 0: free */
};

/* What was asked at the control socket; texts live as long as `request`. */
struct call {
    uint64_t who;
    json_t *request;
    const char *noun, *verb;
    const char *name; /* "" when there is none */
    json_t *names;    /* array of strings, maybe empty */
    json_t *fields;   /* object of strings */
    json_t *options;
    bool full; /* for a program: all columns, times in UTC */
};

/* --- answers: every call gets exactly one (a follower: many) --- */
void admin_answer(struct admin *a, uint64_t who, json_t *take_answer);
/* One of the answers of a follower. -ENOENT: he is gone; -ENOBUFS: he does not read. */
int admin_deliver(struct admin *a, uint64_t who, json_t *take_answer);
void admin_refuse(struct admin *a, uint64_t who, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* With the HTTP status that says it best; admin_refuse is 422. */
void admin_refuse_as(struct admin *a, uint64_t who, int code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* What another thread answered to a question (`token`), or that it did not. A late answer is nobody's. */
void admin_finish(struct admin *a, uint64_t token, int status, json_t *body);
void admin_fail(struct admin *a, uint64_t token, int code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void admin_remember(struct admin *a, uint64_t who, const json_t *request); /* for the audit log, until its answer */
void admin_gone(struct admin *a, uint64_t who); /* nobody waits for his answers any more */
/* Puts a question; the answer goes to `who`. Takes the arguments and what is kept. */
void admin_ask(struct admin *a, uint64_t who, enum request_id request, json_t *take_arguments, ask_done done,
               json_t *take_kept);
/* Stores a change; `take_answer` is the answer once it is durable, with "changes" and "reset" (plan.h) when they are
 * few. When the call plans: tells what would happen, and changes nothing. */
void admin_change(struct admin *a, uint64_t who, struct change *take_change, json_t *take_answer);
extern const enum thread_id service_threads[N_SERVICES]; /* who runs it */
/* Starts or stops a service; `done` gets {"state", "text"}. */
void admin_service(struct admin *a, uint64_t who, enum service_id service, enum service_state wanted, ask_done done,
                   json_t *take_kept);

/* An administrator has stopped or started it: so it stays. */
void admin_keep_service(struct admin *a, enum service_id service, bool stopped);

/* --- small helpers of the handlers --- */
const char *call_option(const struct call *c, const char *name); /* "" when it was not given */
#define MAX_PAGE 1000 /* rows */
size_t call_limit(const struct call *c);
struct text call_text(json_t *value); /* of a JSON string; empty for all else */
/* "04:12:07" of today, else "2026-11-21 04:12"; in UTC with T and Z for programs; null for 0. */
json_t *admin_time(uint64_t us, bool full);
/* "3 d 4 h", "12 min", "8 s" */
void admin_duration(uint64_t us, char to[static 24]);
/* SEP001122334455 from what a person may type: any case, or the bare Ethernet address in any form. */
struct device_name phone_name(struct text typed);
bool device_is_known(const void *admin, struct device_name name);
void note(json_t *answer, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* FIELD=VALUE: equal in any case; "x*" a beginning, "*x" an end, "*x*" anywhere. */
bool filter_fits(struct text wanted, struct text value);
/* Is it one of the words, which blanks separate? */
bool word_is_one_of(const char *word, const char *words);
void nearest(struct text word, const char *candidate, const char **best, unsigned *distance);

/* --- api.c: finds the handler of a request --- */
void api_request(struct admin *a, uint64_t who, json_t *take_request);
/* Whether a request of that kind has a handler. */
bool api_knows(struct text noun, struct text verb);
/* What ends in a change of the directory, or in phones that are told: the rest cannot be planned. */
bool api_plans(struct text noun, const char *verb);
/* The directory is there, or will not be (`refuse`): requests that waited for it go on. */
void api_early(struct admin *a, bool refuse);
/* True when a plain password is made a hash first; the call is made again with it. */
bool api_hashes_password(struct admin *a, const struct call *c);
void api_password_done(void *admin, void *what, const char *hash);

/* --- columns.c: fields of records, and what is known beside them, as JSON --- */
struct column {
    const char *name;
    const struct directory_field *field; /* NULL: computed by `get`, or by `text` when that is NULL */
    json_t *(*get)(struct admin *a, const void *record, bool full);
    size_t (*text)(struct admin *a, const void *record, char to[]); /* to search and sort by */
    const char *kind; /* of what is computed, as in web/answers.def; NULL: text */
};

#define COLUMN_TEXT 512 /* room that `text` needs */

#define MAX_COLUMNS 48

/* The columns of a list: those asked for, else the usual ones. Returns how many, or -ENOENT with `unknown`. */
int columns_choose(enum entity e, const char *wanted, bool full, struct column to[static MAX_COLUMNS],
                   struct text *unknown);
bool column_find(enum entity e, struct text name, struct column *ret);
/* "lines", "speed_dials": computed, and taken in place of buttons. */
bool column_is_short(const struct column *c);
json_t *column_value(struct admin *a, const struct column *c, const void *record, bool full);
/* The same as text, in `to` or the record, without JSON where it can be: of 100 000 records in tens of ms. */
struct text column_text(struct admin *a, const struct column *c, const void *record, char to[static COLUMN_TEXT]);

/* --- handlers --- */
#define API(noun, verb, handler) void handler(struct admin *a, const struct call *c);
#include "server/api/api.def"
#undef API

/* What an alarm means in plain words, and what it is about: "A file could not be served: x.xml". */
const char *alarm_meaning(const struct alarm *alarm, char to[static 256]);

/* What a person should look at, worst first: id, severity, count, text, noun, command. */
json_t *admin_findings(struct admin *a);
/* The same, and what the doctor finds at phones: each cause once, with names, todo and what the phones have in
 * common (network, model, load, pool). */
json_t *admin_causes(struct admin *a);
/* How many phones are in which state. */
json_t *admin_counts(struct admin *a);
/* The services as the control center shows them. */
json_t *admin_services(struct admin *a, bool full);
const char *service_title(enum service_id service);
/* An alarm with what it means: number, time, severity, alarm, device, address, reason, meaning … */
json_t *event_object(const struct alarm *alarm, uint64_t number, bool full);

/* --- admin.c uses --- */
void api_simulated_changed(void *admin, const char *name, const json_t *picture);
void follow_event(struct admin *a, const struct alarm *alarm, uint64_t sequence);
