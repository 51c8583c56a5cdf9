/* phone.h - one phone that registers over SIP, stays registered, and leaves: the phone's side.
 *
 * Pure: bytes of its links and the time go in, effects come out. A registration is a machine of its
 * own: one for the first line with each server (of which one is active, one stands by, the others
 * are tried again), one for each further line of loads that register line by line. Its states,
 * events and moves are a table (moves.c). Link n leads to server n.
 *
 * What every phone has is in handset/phone.h. */
#pragma once

#include "handset/phone.h"
#include "wire/phone_config.h"

enum sip_state {
    REG_IDLE,
    REG_REGISTERING,
    REG_REGISTERED,
    REG_UNREGISTERING,
    REG_STANDBY,     /* keepalives to the server that stands by */
    REG_IN_FALLBACK, /* a server that failed is polled */
    REG_STABILITY,   /* it answers; it shall do so for the connection monitor duration */
    REG_TOKEN_WAIT,  /* asked whether the phone may come back */
    N_REG_STATES
};

/* What happens to a registration. */
enum sip_event {
    REG_WANTED, /* register anew */
    REG_CANCEL,
    REG_OPENED,   /* the link is up */
    REG_TRYING,   /* 100 */
    REG_PROGRESS, /* another 1xx */
    REG_OK,
    REG_MOVED,     /* 3xx with a Contact */
    REG_CHALLENGE, /* 401, 407 */
    REG_BRIEF,     /* 423 */
    REG_LATER,     /* Retry-After */
    REG_REFUSED,   /* another 4xx */
    REG_FAILED,    /* 5xx, 6xx */
    REG_OTHER,     /* any of these from 3xx on that has no row of its own */
    REG_SILENCE,   /* no final answer in 32 s */
    REG_BROKEN,    /* the link was closed, or could not be opened */
    REG_DUE,       /* refresh, keepalive, poll or retry */
    N_REG_EVENTS
};

/* Last request of a registration: what has to be written again to repeat it. */
enum sip_form {
    FORM_FIRST, /* Reason, and the body of loads with bulk registration */
    FORM_REFRESH,
    FORM_LEAVE,     /* Expires: 0, Reason */
    FORM_KEEPALIVE, /* Expires: 0, cisco-keep-alive */
    FORM_TOKEN      /* REFER token-registration */
};

struct sip_registration {
    uint8_t state, form;
    uint8_t line, link;
    uint8_t sends;      /* of one request, over UDP */
    uint8_t challenges; /* answered in a row */
    uint8_t stable;     /* answers still wanted in REG_STABILITY */
    bool pending;       /* the request waits for the link */
    bool silent;        /* it was lost by silence, not by a closed connection */
    uint16_t dialog;    /* number of its Call-ID and From tag */
    uint16_t expires_s; /* asked for */
    uint32_t cseq;      /* last one sent */
    uint32_t branch;    /* of the request that waits for its answer; 0: none */
    uint64_t sent_ms;
    uint64_t give_up_ms, resend_ms, due_ms; /* UINT64_MAX: not running */
};

struct sip_setup;
struct sip_challenge;

struct sip_phone {
    PHONE_COMMON
    uint8_t standby;   /* server; NO_SERVER: none */
    uint8_t leaving;   /* enum phone_event that follows the goodbye */
    uint8_t come_back; /* server that granted a token */
    uint8_t failures;  /* rounds over all servers in vain */
    uint8_t moves;     /* 3xx and 423 in a row */
    bool was_away;     /* the registration moved: check-version is waited for */
    uint16_t n_dialogs;
    uint32_t seed; /* of everything that must be different each time */
    uint32_t n_branches;
    uint64_t due_ms;                 /* of the state */
    uint64_t lines_due_ms;           /* register the further lines */
    int64_t clock_us;                /* wall clock less the phone's: it begins in 1970 */
    struct sip_setup *setup;         /* owned; NULL before the first start */
    struct sip_challenge *challenge; /* owned; the last one that was answered */
    struct sip_registration prime[PHONE_SERVERS];
};

extern const struct phone_protocol sip_protocol;

void sip_phone_init(struct sip_phone *p, const struct phone_kind *kind, struct mac mac);
void sip_phone_done(struct sip_phone *p);
void sip_phone_start(struct sip_phone *p, const struct phone_start *start, uint64_t now_ms,
                     struct effects *fx);
/* Unregisters; PHONE_EVENT_LEFT, _RESET or _RESTART (`after`) follows when the server let it go, 5
 * s at most. */
void sip_phone_leave(struct sip_phone *p, enum phone_reason reason, enum phone_event after,
                     uint64_t now_ms, struct effects *fx);
/* As when the power is cut: the links are closed without a word. */
void sip_phone_stop(struct sip_phone *p, struct effects *fx);

void sip_phone_opened(struct sip_phone *p, unsigned link, uint64_t now_ms, struct effects *fx);
void sip_phone_closed(struct sip_phone *p, unsigned link, int err, uint64_t now_ms,
                      struct effects *fx);
void sip_phone_input(struct sip_phone *p, unsigned link, const void *bytes, size_t len,
                     uint64_t now_ms, struct effects *fx);
void sip_phone_tick(struct sip_phone *p, uint64_t now_ms, struct effects *fx);
uint64_t sip_phone_due(const struct sip_phone *p);

/* The table of moves, for docs/protocols/sip_phone.md. */
void sip_phone_print_moves(struct writer *w);
