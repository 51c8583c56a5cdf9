/* sccp_phone.h - one phone that registers over SCCP, stays registered, and leaves: the phone's
 * side.
 *
 * Pure: bytes of its two TCP links and the time go in, effects come out. The ladder of requests is
 * a table by generation: old phones ask one thing and wait for the answer, Java phones ask several
 * at once. A phone keeps a connection to the server it is registered with and, ten seconds after,
 * to the first other one.
 *
 * Small, for fleets: what many phones share is in struct phone_kind; the display is optional. */
#pragma once

#include "core/models.h"
#include "handset/effects.h"
#include "handset/faults.h"

#define PHONE_SERVERS 3
#define PHONE_LINKS   2
#define PHONE_STEPS   20 /* longest ladder */

struct screen;
struct sccp_message;
struct phone_habits;

/* Reasons of the phone's own alarm: why it left last time. */
enum phone_reason {
    PHONE_REASON_TCP_TIMEOUT = 10,
    PHONE_REASON_TCP_RESET = 12,
    PHONE_REASON_TCP_ABORTED = 13,
    PHONE_REASON_TCP_CLOSED = 14,
    PHONE_REASON_KEEPALIVE = 15,
    PHONE_REASON_LOST_ADDRESS = 16,
    PHONE_REASON_REGISTRATION_TIMEOUT = 17,
    PHONE_REASON_FALLBACK = 18,
    PHONE_REASON_USER_RESET = 20,
    PHONE_REASON_RESET = 22,
    PHONE_REASON_RESTART = 23,
    PHONE_REASON_REJECTED = 24,
    PHONE_REASON_INITIALIZED = 25,
    PHONE_REASON_VLAN = 26,
    PHONE_REASON_APPLY_CONFIG = 104
};

/* What all phones of a model in one program share. */
struct phone_kind {
    const struct model *model;
    const struct phone_habits *habits;
    uint32_t type;   /* told in Register; another than the model's for a wrong one */
    uint8_t version; /* offered */
    uint32_t faults; /* a bit for each enum fault */
    char load[33];
    char config_version[49];
};

enum phone_state {
    PHONE_OFF,
    PHONE_CONNECTING,
    PHONE_ASKING_TOKEN, /* SPA: before Register */
    PHONE_REGISTERING,  /* Register sent, no answer yet */
    PHONE_CONFIGURING,  /* acknowledged; the ladder is being climbed */
    PHONE_REGISTERED,
    PHONE_LEAVING,  /* Unregister sent */
    PHONE_REJECTED, /* waits before it tries again */
    PHONE_BETWEEN,  /* no server could be reached; waits */
    N_PHONE_STATES
};

/* `number` of EFFECT_STATE; its bytes carry a text where one belongs. */
enum phone_event {
    PHONE_EVENT_OPENING, /* bytes: the address */
    PHONE_EVENT_OPENED,
    PHONE_EVENT_ASKED, /* Register was sent */
    PHONE_EVENT_ACKED,
    PHONE_EVENT_REGISTERED,
    PHONE_EVENT_REJECTED,  /* bytes: the server's text */
    PHONE_EVENT_LOST,      /* registration or the way to it lost; `link` holds enum phone_reason */
    PHONE_EVENT_LEFT,      /* unregistered as asked by sccp_phone_stop; nothing follows */
    PHONE_EVENT_RESET,     /* unregistered; boot from power */
    PHONE_EVENT_RESTART,   /* unregistered; read the files again */
    PHONE_EVENT_APPLY,     /* still registered; compare the files */
    PHONE_EVENT_LOAD,      /* bytes: the load the server wants */
    PHONE_EVENT_NO_SERVER, /* all servers failed twice: read the files again */
    PHONE_EVENT_KEEPALIVE, /* KeepAliveAck; `to.port` the milliseconds it took */
    PHONE_EVENT_STANDBY,   /* the standby connection is open */
    PHONE_EVENT_REREAD     /* refused, and it has no file of its own: read the files again */
};

/* What an XML alarm says about the phone's place; of a phone on a wire. */
struct phone_surroundings {
    struct ip mask, router;
    uint16_t vlan;
    char neighbour[64], neighbour_port[32];
    uint8_t dns_status[PHONE_SERVERS]; /* as in the alarm: 1 fine, 4 not needed */
};

enum phone_link_state { PHONE_LINK_CLOSED, PHONE_LINK_OPENING, PHONE_LINK_OPEN };

struct phone_link {
    uint8_t state, server;
    uint8_t unanswered; /* keepalives */
    uint16_t n_partial, partial_room;
    uint8_t *partial;  /* start of a frame whose rest has not come; owned, usually NULL */
    uint64_t due_ms;   /* keepalive, or giving up to connect */
    uint64_t asked_ms; /* last keepalive sent */
};

struct sccp_phone {
    const struct phone_kind *kind;
    struct screen *screen;                   /* NULL in fleets; not owned */
    const struct phone_surroundings *around; /* the same */
    const char *load;                        /* that runs; NULL: the kind's */
    struct device_name name;
    struct ip address;
    struct endpoint servers[PHONE_SERVERS];
    uint8_t n_servers;
    uint8_t state;                /* enum phone_state */
    uint8_t active;               /* link of the registration */
    uint8_t version;              /* agreed; the offered one before RegisterAck */
    uint8_t step, item;           /* of the ladder */
    uint8_t waiting[PHONE_STEPS]; /* answers outstanding of each step */
    uint8_t n_waiting;
    uint8_t reason;          /* of the next alarm */
    uint8_t leaving;         /* enum phone_event that follows the goodbye */
    uint8_t failures;        /* servers tried in vain */
    bool rereads;            /* after a refusal it reads its files again: it has none of its own */
    bool asked_capabilities; /* the server's CapabilitiesReq has come */
    uint8_t n_lines, n_speed_dials, n_features, n_services; /* of the button template */
    uint8_t features[8];                                    /* instances of the feature keys */
    uint16_t keepalive_s, standby_s;
    uint16_t last_sent, last_heard; /* messages, for the next alarm; 0: none (or KeepAlive) */
    bool has_said, has_heard;
    uint32_t line, call;     /* that the keypad talks to */
    uint64_t due_ms;         /* of the state */
    uint64_t standby_due_ms; /* open the second link, or try a server of higher priority */
    struct phone_link links[PHONE_LINKS];
};

/* Fills `ret` from the model: load NULL is the model's last one; fault bits of enum fault. */
void phone_kind_init(struct phone_kind *ret, const struct model *model, const char *load,
                     uint32_t faults);

void sccp_phone_init(struct sccp_phone *p, const struct phone_kind *kind, struct mac mac);
void sccp_phone_done(struct sccp_phone *p);

/* Begins with the first server; `reason` says why it was away. */
void sccp_phone_start(struct sccp_phone *p, struct ip own, const struct endpoint *servers,
                      unsigned n_servers, enum phone_reason reason, uint64_t now_ms,
                      struct effects *fx);
/* Unregisters; PHONE_EVENT_LEFT, _RESET or _RESTART (`after`) follows when the server let it go, 5
 * s at most. */
void sccp_phone_leave(struct sccp_phone *p, enum phone_reason reason, enum phone_event after,
                      uint64_t now_ms, struct effects *fx);
/* As when the power is cut: the links are closed without a word. */
void sccp_phone_stop(struct sccp_phone *p, struct effects *fx);

void sccp_phone_opened(struct sccp_phone *p, unsigned link, uint64_t now_ms, struct effects *fx);
void sccp_phone_closed(struct sccp_phone *p, unsigned link, int err, uint64_t now_ms,
                       struct effects *fx);
void sccp_phone_input(struct sccp_phone *p, unsigned link, const void *bytes, size_t len,
                      uint64_t now_ms, struct effects *fx);
void sccp_phone_tick(struct sccp_phone *p, uint64_t now_ms, struct effects *fx);
uint64_t sccp_phone_due(const struct sccp_phone *p);

/* Keys; nothing is sent unless it is registered. -ENOTCONN then. */
int sccp_phone_keypad(struct sccp_phone *p, char key, struct effects *fx); /* 0-9 * # + */
int sccp_phone_hook(struct sccp_phone *p, bool off, struct effects *fx);
int sccp_phone_stimulus(struct sccp_phone *p, uint32_t button, uint32_t instance,
                        struct effects *fx);
int sccp_phone_softkey(struct sccp_phone *p, uint32_t event, struct effects *fx);

const char *phone_state_name(enum phone_state state);
const char *phone_reason_words(unsigned reason); /* "Initialized", as in Last= of an alarm */
