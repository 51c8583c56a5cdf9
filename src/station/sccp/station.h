/* station.h - one SCCP connection: framing, the states of its registration, what it asks.
 *
 * Private to src/station; others use stations.h. */
#pragma once

#include "base/list.h"
#include "base/map.h"
#include "base/pool.h"
#include "base/timers.h"
#include "station/keepalive.h"
#include "station/registry_own.h"
#include "station/sccp/stations.h"
#include "wire/sccp/message.h"

#define PARKED_MAX 32 /* requests that came before the capabilities: a Java phone sends four */

#define EARLY_MAX 64

struct parked {
    uint8_t n;
    struct {
        uint32_t id, argument; /* the line, index … that is asked for */
    } rows[PARKED_MAX];
};

struct session {
    struct station station;
    struct stations *owner;
    uint64_t id, link;
    struct ip local, own_address; /* ours that it came to; its own, as it says */
    struct list waiting; /* in owner->waiting while nothing of weight was said, oldest first */
    struct timer timer;  /* runs late on purpose: it looks at heard_ms when it fires */
    uint64_t state_ms;   /* since when it is in its state */
    uint64_t events_since_ms;
    uint32_t n_events; /* messages since then, keepalives not counted */
    uint32_t n_alarms; /* of its own, in the same time */
    uint32_t instance;
    uint8_t version;     /* negotiated: decides the layouts */
    uint8_t features[3]; /* as the phone said */
    uint8_t order;       /* enum station_order under way */
    uint16_t keepalive_s; /* as RegisterAck said */
    uint16_t clock;  /* 1 + minutes of the day it is ahead of UTC, as it was told; 0: never told */
    uint8_t refusal; /* row of refusals.def to answer with */
    bool idle_softkeys, idle_prompt; /* owed to the phone at the end of the step */
    uint64_t parked_id;              /* in owner->parked, or 0 */
    struct keepalive_watch watch;
    uint64_t typing_id;        /* of activation.c, or 0 */
    const struct model *model; /* NULL: a model nobody knows */
    uint8_t *partial;          /* start of a message whose rest is still to come, or NULL */
    uint16_t partial_len, partial_size;
};

/* The messages of one softkey template: made once, as every phone asks for them. */
struct softkey_messages {
    const struct softkeys *of;              /* NULL: the usual keys */
    uint64_t directory_version;             /* when they were made; 0: not yet */
    struct sccp_softkey_template labels[2]; /* as texts, as label codes */
    struct sccp_softkey_set sets;
};

#define SOFTKEY_MESSAGES 8

struct stations {
    struct registry *registry;
    size_t max_sessions;
    struct pool sessions, parked;
    struct map by_link; /* of session */
    struct timers timers;
    struct timer clock; /* the next quarter of an hour */
    struct list waiting;
    size_t partial_bytes;    /* kept for all sessions together */
    size_t sweep, n_unswept; /* cursor over sessions; those still to look at */
    uint64_t swept_version;  /* of the directory, that a sweep was begun for */
    struct activation *activation;
    struct ip early[EARLY_MAX]; /* phones there want KeepAliveAck before they register */
    size_t early_at;
    struct softkey_messages softkeys[SOFTKEY_MESSAGES]; /* by the address of the template */
};

enum session_event {
    EV_ALARM,
    EV_KEEPALIVE,
    EV_TOKEN,
    EV_SPCP_TOKEN,
    EV_REGISTER,
    EV_CAPABILITIES,
    EV_KEY,     /* hook, key, softkey, line */
    EV_REQUEST, /* anything else that a phone may say */
    EV_UNREGISTER,
    EV_ADMITTED,     /* the database has added it */
    EV_NOT_ADMITTED, /* or not */
    EV_ORDER,        /* reset, restart, apply: session->order */
    EV_REPLACED,     /* a newer connection registered the same name */
    EV_DELETED,      /* its record is gone */
    EV_CLOCK,        /* is its clock still right? */
    EV_FLOOD,        /* more messages than allowed */
    EV_TIMEOUT,
    EV_CLOSED, /* by the peer */
    N_SESSION_EVENTS
};

struct session_input {
    enum session_event event;
    const struct sccp_message *message; /* of the events that are messages */
    int err;                            /* of EV_CLOSED, EV_NOT_ADMITTED */
};

/* One step: the row that fits is done; what has no row is counted. */
void session_step(struct session *s, const struct session_input *in, struct effects *e);
/* As much of the bytes as the effects have room for. */
size_t session_input(struct session *s, const uint8_t *bytes, size_t len, struct effects *e);
/* What is owed at the end of a batch of messages: idle softkeys and prompt. */
void session_idle_screen(struct session *s, struct effects *e);
/* Sets the timer of the state it is in. */
void session_arm(struct session *s);
/* The states and what moves between them, as Markdown with a Mermaid graph. */
void session_print_states(struct writer *w);

/* An act of the table's rows. */
#define SESSION_ACT(name)                                                                          \
    void name(struct session *s, const struct session_input *in, struct effects *e)

/* arrivals.c: how a phone registers */
SESSION_ACT(session_keep_alarm);
SESSION_ACT(session_grant_token);
SESSION_ACT(session_deny_token);
SESSION_ACT(session_refuse);
SESSION_ACT(session_refuse_admission);
SESSION_ACT(session_ask_to_add);
SESSION_ACT(session_admit);
SESSION_ACT(session_park);       /* what it asks before it is there … */
SESSION_ACT(session_registered); /* … is answered then */

/* answers.c */
enum session_event sccp_event_of(uint32_t id);
/* Answers a request of a registered phone; `argument` is its line, index … Some need no answer. */
void session_answer(struct session *s, uint32_t id, uint32_t argument, struct effects *e);
uint32_t sccp_argument_of(const struct sccp_message *m); /* of what may be parked */
void session_send_idle_softkeys(struct session *s, struct effects *e);
void session_send_prompt(struct session *s, struct effects *e);
void session_send_time(struct session *s, struct effects *e); /* and notes `clock` */
uint16_t session_clock(struct session *s);                    /* what it should be now */
void session_send_device_caps(struct session *s, struct effects *e);
void session_ack_features(const struct session *s, uint8_t to[static 3]);
void session_date_template(struct session *s, char to[static 9]);

/* stations.c: what a session needs of the others */
bool stations_is_early(const struct stations *s, struct ip ip);

/* Puts a message of the struct's type on its way: SEND(s, e, button_template, &m). */
#define SEND(s, e, name, message)                                                                  \
    do {                                                                                           \
        size_t from_ = writer_len(&(e)->out);                                                      \
        sccp_put_##name(&(e)->out, (s)->version, message);                                         \
        effects_send(e, (s)->link, from_);                                                         \
    } while (0)
