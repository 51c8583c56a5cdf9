/* phone.h - one phone that registers over SCCP, stays registered, and leaves: the phone's
 * side.
 *
 * Pure: bytes of its two TCP links and the time go in, effects come out. The ladder of requests is
 * a table by generation: old phones ask one thing and wait for the answer, Java phones ask several
 * at once. A phone keeps a connection to the server it is registered with and, ten seconds after,
 * to the first other one.
 *
 * What every phone has is in handset/phone.h. */
#pragma once

#include "handset/phone.h"

#define PHONE_STEPS 20 /* longest ladder */

struct sccp_message;

enum phone_token { PHONE_TOKEN_NONE, PHONE_TOKEN_ASKED, PHONE_TOKEN_GRANTED };

struct sccp_phone {
    PHONE_COMMON
    uint8_t version;              /* agreed; the offered one before RegisterAck */
    uint8_t step, item;           /* of the ladder */
    uint8_t waiting[PHONE_STEPS]; /* answers outstanding of each step */
    uint8_t n_waiting;
    uint8_t leaving;         /* enum phone_event that follows the goodbye */
    uint8_t failures;        /* servers tried in vain */
    bool asked_capabilities; /* the server's CapabilitiesReq has come */
    uint8_t n_lines, n_speed_dials, n_features, n_services; /* of the button template */
    uint8_t features[8];                                    /* instances of the feature keys */
    uint16_t keepalive_s, standby_s;
    uint16_t last_sent, last_heard; /* messages, for the next alarm; 0: none (or KeepAlive) */
    bool has_said, has_heard;
    uint32_t line, call;     /* that the keypad talks to */
    uint64_t due_ms;         /* of the state */
    uint64_t standby_due_ms; /* open the second link, or try a server of higher priority */
    uint64_t lost_ms;        /* without KeepAliveAck until then the server is lost */
    uint32_t ack_ms, ack_off_ms; /* how long KeepAliveAck takes, smoothed; how far it is off */
    bool ack_known, delayed;     /* delayed: failover after three intervals, as its file says */
    uint8_t token;               /* on the second link; enum phone_token */
    uint8_t better;              /* server of higher priority to try next */
};

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
