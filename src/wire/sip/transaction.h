/* transaction.h - one SIP transaction: RFC 3261 17, RFC 6026; client or server, INVITE or not.
 *
 * Messages and the time go in; what goes out, and what its user must hear, leaves through a port.
 * The struct is small and embedded where it is needed: a phone keeps a few in an array, the server
 * many in a table (wire/sip/transactions.h). It is driven by five calls: a message of the other
 * side, a message of the user, a broken link, the clock, and cancel.
 *
 *   client: write the request (sip_write_request, a branch of its own), then sip_client_start.
 *           Responses that sip_client_owns are given to sip_client_response.
 *   server: sip_server_start when a request belongs to none; then sip_server_respond. What
 *           sip_server_owns (the request again, its ACK) is given to sip_server_request.
 *
 * SIP_TOLD_ENDED comes once and last, whatever happened before; the struct is free after it. A user
 * that wants no more news calls sip_transaction_forget: the transaction goes on absorbing what must
 * be absorbed and ends by itself. */
#pragma once

#include "wire/sip/flow.h"

/* Timers of RFC 3261, table 4, in milliseconds; phones take them from their configuration. */
struct sip_timing {
    uint16_t t1_ms, t2_ms, t4_ms;
    uint8_t max_sends; /* of a request by UDP; 0: until timer B or F only */
};
#define SIP_TIMING_DEFAULT ((struct sip_timing){500, 4000, 5000, 0})

enum sip_role {
    SIP_CLIENT_INVITE,
    SIP_CLIENT_OTHER,
    SIP_SERVER_INVITE,
    SIP_SERVER_OTHER,
    N_SIP_ROLES
};

enum sip_transaction_state {
    SIP_TX_ENDED,
    SIP_TX_CALLING, /* client INVITE: sent, nothing heard */
    SIP_TX_TRYING,  /* others: the request has been sent, or come */
    SIP_TX_PROCEEDING,
    SIP_TX_COMPLETED, /* final response; of INVITE: 300 to 699 */
    SIP_TX_ACCEPTED,  /* INVITE: 2xx (RFC 6026) */
    SIP_TX_CONFIRMED, /* server INVITE: ACK has come */
    N_SIP_TX_STATES
};

enum sip_told {
    SIP_TOLD_RESPONSE, /* client: `message` */
    SIP_TOLD_ACK,      /* server INVITE: `message`, ACK of this transaction or of its 2xx */
    SIP_TOLD_TIMEOUT,  /* client: no final response; server INVITE: no ACK */
    SIP_TOLD_BROKEN,   /* the transport failed */
    SIP_TOLD_ENDED
};

struct sip_transaction {
    uint8_t role, state, method;
    bool forgotten;   /* its user wants no news */
    bool provisional; /* server INVITE: `kept` is a 100 that has not been sent yet */
    bool cancel;      /* client INVITE: cancel as soon as a provisional response has come */
    uint8_t sends;
    uint16_t status; /* last response */
    struct sip_timing timing;
    uint32_t interval_ms;       /* to the next sending but one */
    uint64_t resend_ms, end_ms; /* when timers A, E, G and B, D, F, H–M fire; 0: not running */
    uint64_t key;      /* hash of branch, sent-by and method; of a client of branch and method */
    uint64_t id, user; /* of a table; of its user: never looked at here */
    struct sip_flow flow;
    uint8_t *kept; /* what is sent again; of a client INVITE also what ACK and CANCEL are made of */
    uint32_t n_kept;
};

struct sip_port {
    void *context;
    /* A whole message to t->flow. Bytes are valid during the call. */
    void (*send)(void *context, const struct sip_transaction *t, const void *bytes, size_t len);
    /* `message` is NULL but for SIP_TOLD_RESPONSE and SIP_TOLD_ACK. */
    void (*tell)(void *context, struct sip_transaction *t, enum sip_told what,
                 const struct sip_message *message);
};

/* 0 and the request sent; -ENOMEM, or -EBADMSG when the bytes are no request with a branch. */
int sip_client_start(struct sip_transaction *t, const struct sip_port *port,
                     const struct sip_flow *flow, const struct sip_timing *timing,
                     const void *bytes, size_t len, uint64_t now_ms);
bool sip_client_owns(const struct sip_transaction *t, const struct sip_message *response);
void sip_client_response(struct sip_transaction *t, const struct sip_port *port,
                         const struct sip_message *response, uint64_t now_ms);
/* RFC 3261 9.1: writes a CANCEL for an INVITE, to be started as a transaction of its own; from then
 * the INVITE ends 64 T1 later at most, as one that timed out. -EAGAIN: no provisional response yet;
 * try again after SIP_TOLD_RESPONSE. -EALREADY: it is final. */
int sip_client_cancel(struct sip_transaction *t, struct writer *to, uint64_t now_ms);

/* `request` may not be an ACK. Of an INVITE 100 is sent after 200 ms unless the user answers. */
int sip_server_start(struct sip_transaction *t, const struct sip_flow *flow,
                     const struct sip_timing *timing, const struct sip_message *request,
                     uint64_t now_ms); /* 0, -ENOMEM, -EINVAL */
bool sip_server_owns(const struct sip_transaction *t, const struct sip_message *request);
void sip_server_request(struct sip_transaction *t, const struct sip_port *port,
                        const struct sip_message *request, uint64_t now_ms);
/* A whole response, sent at once; 0, -EALREADY after a final one, -EBADMSG, -ENOMEM. A 2xx to
 * INVITE is sent again, on every transport, until sip_server_acknowledged (13.3.1.4). */
int sip_server_respond(struct sip_transaction *t, const struct sip_port *port, const void *bytes,
                       size_t len, uint64_t now_ms);
/* ACK of a 2xx has come: it has a branch of its own and is found by its dialog. */
void sip_server_acknowledged(struct sip_transaction *t);

/* The link broke, or a datagram came back as unreachable. */
void sip_transaction_broken(struct sip_transaction *t, const struct sip_port *port,
                            uint64_t now_ms);
uint64_t sip_transaction_due(const struct sip_transaction *t); /* UINT64_MAX: nothing runs */
void sip_transaction_tick(struct sip_transaction *t, const struct sip_port *port, uint64_t now_ms);
static inline void sip_transaction_forget(struct sip_transaction *t)
{
    t->forgotten = true;
}
/* Ends it at once, without a word: its user goes away. Not from inside the port. */
void sip_transaction_drop(struct sip_transaction *t);

/* Keys to find a transaction by, 17.1.3 and 17.2.3: never 0. A server's is the same for an INVITE
 * and its ACK; `cancelled`: that of the INVITE that a CANCEL means. */
uint64_t sip_client_key(const struct sip_message *response);
uint64_t sip_server_key(const struct sip_message *request, bool cancelled);

/* "z9hG4bK" and 16 hex digits of `unique`. */
#define SIP_BRANCH_MAX 24
struct text sip_branch(uint64_t unique, char to[static SIP_BRANCH_MAX]);

/* The rows of all machines as graphs, for docs/protocols/sip_transactions.md. */
void sip_transactions_print(struct writer *to);
