/* transaction_own.h - what the files of a transaction share: transaction.c (what its user calls),
 * transaction_machines.c (the machines as rows, and their timers). Nobody else includes it. */
#pragma once

#include "wire/sip/transaction.h"

#define SIP_FOLLOW_MAX 8192 /* an ACK or CANCEL; larger ones, with an absurd route set, are not sent */

enum sip_tx_on {
    ON_REQUEST, /* server: the request again */
    ON_ACK,
    ON_1XX, /* client: has come; server: its user answers */
    ON_2XX,
    ON_FAILURE, /* 300 to 699 */
    ON_RESEND,
    ON_END,
    ON_BROKEN,
    N_EVENTS
};

struct sip_tx_input {
    const struct sip_port *port;
    const struct sip_message *message;
    struct text bytes; /* of the user's response */
    uint64_t now_ms;
};

bool sip_tx_reliable(const struct sip_transaction *t);
void sip_tx_send(const struct sip_transaction *t, const struct sip_tx_input *s, const void *bytes,
                 size_t len);
/* Keeps a copy of what may have to be sent again; without memory it is sent once only: -ENOMEM. */
int sip_tx_keep(struct sip_transaction *t, const void *bytes, size_t len);
/* An ACK of a failure (17.1.1.3) or a CANCEL (9.1): as the INVITE, with its topmost Via alone. */
void sip_tx_follow(struct writer *w, const struct sip_message *invite, enum sip_method method,
                   struct text to);
enum sip_tx_on sip_tx_event(uint16_t status);
void sip_tx_enter(struct sip_transaction *t, enum sip_transaction_state state, uint64_t now_ms);
bool sip_tx_fits(const struct sip_transaction *t, enum sip_tx_on on); /* there is a row for it */
void sip_tx_step(struct sip_transaction *t, enum sip_tx_on on, const struct sip_tx_input *s);
