/* transactions.h - the SIP transactions of a server: many, found by their messages, bounded.
 *
 *   response:  sip_transactions_heard; false: it belongs to none, forget it (RFC 6026 7.3)
 *   request:   sip_transactions_heard; false: a new one, or ACK of a 2xx. Answer it without a
 *              transaction (REGISTER may be: the answer is made again), or sip_transactions_serve
 *
 * The port's news carry the transaction; its `id` finds it later, and finds nothing once it has
 * ended. Its `user` is the caller's. */
#pragma once

#include "wire/sip/transaction.h"

struct sip_transactions;

struct sip_transactions_options {
    struct sip_port port;
    struct sip_timing timing;
    size_t max, max_bytes; /* transactions, and bytes that they keep */
};

struct sip_transactions *sip_transactions_new(const struct sip_transactions_options *options,
                                              uint64_t now_ms); /* NULL without memory */
void sip_transactions_free(struct sip_transactions *ts);        /* nobody is told */

/* Sends a request. 0 and its id, or what sip_client_start returns; -ENOBUFS when full, -EEXIST when
 * the branch is in use. */
int sip_transactions_request(struct sip_transactions *ts, const struct sip_flow *flow,
                             const void *bytes, size_t len, uint64_t user, uint64_t now_ms,
                             uint64_t *id);
/* The same for a request that is not sent again, by whatever transport; given up after 6.4 s. */
int sip_transactions_request_once(struct sip_transactions *ts, const struct sip_flow *flow,
                                  const void *bytes, size_t len, uint64_t user, uint64_t now_ms,
                                  uint64_t *id);
int sip_transactions_serve(struct sip_transactions *ts, const struct sip_flow *flow,
                           const struct sip_message *request, uint64_t user, uint64_t now_ms,
                           uint64_t *id);
int sip_transactions_respond(struct sip_transactions *ts, uint64_t id, const void *bytes,
                             size_t len, uint64_t now_ms); /* -ENOENT when it is gone */
/* Whether a transaction took it: a response, a request again, an ACK of 300 to 699. */
bool sip_transactions_heard(struct sip_transactions *ts, const struct sip_message *m,
                            uint64_t now_ms);
/* The INVITE that a CANCEL means, or NULL: answer it 481. */
struct sip_transaction *sip_transactions_cancelled(struct sip_transactions *ts,
                                                   const struct sip_message *cancel);
struct sip_transaction *sip_transactions_get(struct sip_transactions *ts, uint64_t id);
/* Sends CANCEL for an INVITE, now or with its first provisional response; 0, -ENOENT, -EALREADY. */
int sip_transactions_cancel(struct sip_transactions *ts, uint64_t id, uint64_t now_ms);
/* ACK of the 2xx of that INVITE has come. */
void sip_transactions_acknowledged(struct sip_transactions *ts, uint64_t id);
/* A link has closed: all transactions over it hear SIP_TOLD_BROKEN. */
void sip_transactions_link_closed(struct sip_transactions *ts, uint64_t link, uint64_t now_ms);
/* Ends one at once, without a word; not from inside the port. One that has ended is fine. */
void sip_transactions_end(struct sip_transactions *ts, uint64_t id);
void sip_transactions_forget(struct sip_transactions *ts, uint64_t id);

/* Serves one that is due, at most one message; false: none is. Call again while there is room for
 * what it wants to send. */
bool sip_transactions_tick(struct sip_transactions *ts, uint64_t now_ms);
uint64_t sip_transactions_next(const struct sip_transactions *ts, uint64_t now_ms);
size_t sip_transactions_count(const struct sip_transactions *ts);
