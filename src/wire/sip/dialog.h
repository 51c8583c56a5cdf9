/* dialog.h - a dialog as RFC 3261 12 has it: who talks with whom, over which route, in which order.
 *
 * Made from a request and its response, or from the NOTIFY that comes before the response (RFC 6665
 * 4.4.1). It owns what it keeps, in one block of memory and one for the remote target. Messages
 * that belong to it are given to it before they are used; it says what must be answered to those
 * that may not be. */
#pragma once

#include "wire/sip/flow.h"

#define SIP_ROUTES_MAX 16
#define SIP_DIALOG_MAX 8192 /* bytes of all that it keeps */

struct sip_dialog {
    enum { SIP_DIALOG_NONE, SIP_DIALOG_EARLY, SIP_DIALOG_CONFIRMED, SIP_DIALOG_OVER } state;
    bool server;                                   /* the first request came; we did not send it */
    bool secure;                                   /* sips over TLS: so must all requests be */
    bool heard;                                    /* remote_cseq is set */
    uint32_t local_cseq, remote_cseq, invite_cseq; /* invite: of our last INVITE, for its ACK */
    struct text call_id, local_tag, remote_tag;
    struct text local, remote; /* values of From and To in our requests, tags included */
    struct text target;        /* where requests go: the other side's Contact */
    uint8_t n_routes;
    struct text routes[SIP_ROUTES_MAX]; /* with angle brackets, in our order */
    char *bytes, *target_bytes;
};

/* UAS: with the response that it sends; the 2xx of an early dialog is given again. 0; -EBADMSG: no
 * Contact that can be used, answer 400; -EMSGSIZE: the route set is too long; -ENOMEM. `*ret` is
 * then as it was. */
int sip_dialog_serve(struct sip_dialog *ret, const struct sip_message *request,
                     struct text local_tag, uint16_t status, bool tls);
/* UAC: a response with a To tag to our INVITE, SUBSCRIBE or REFER. The 2xx of an early dialog is
 * given again: the route set is taken anew (13.2.2.4). */
int sip_dialog_open(struct sip_dialog *d, const struct sip_message *request,
                    const struct sip_message *response, bool tls);
/* UAC: the first NOTIFY of our SUBSCRIBE or REFER. */
int sip_dialog_notified(struct sip_dialog *ret, const struct sip_message *subscribe,
                        const struct sip_message *notify, bool tls);
void sip_dialog_done(struct sip_dialog *d);

/* By Call-ID and tags; a side of RFC 2543 has none. */
bool sip_dialog_owns(const struct sip_dialog *d, const struct sip_message *m);
/* A hash to find it by, of a message that came, or its own; never 0. */
uint64_t sip_dialog_key(const struct sip_message *m);
uint64_t sip_dialog_own_key(const struct sip_dialog *d);

/* A request inside it: 0, or the status to answer: 500 when it is late (12.2.2), 481 when it is
 * over. It may move the remote target. BYE ends the dialog. */
uint16_t sip_dialog_heard(struct sip_dialog *d, const struct sip_message *request);
/* A response to one of ours: 2xx may move the remote target, a failure ends an early dialog, 481
 * and 408 end any (12.2.1.2). */
void sip_dialog_answered(struct sip_dialog *d, const struct sip_message *response);

/* Start of a request inside it: request line, Via, From, To, Call-ID, CSeq, Route (12.2.1.1, 16.12:
 * loose routes, or strict ones). An ACK has the CSeq of our last INVITE, others the next. */
void sip_dialog_write(struct sip_dialog *d, struct writer *to, enum sip_method method,
                      const struct sip_flow *flow, struct text branch);
/* The URI that it is sent to, by RFC 3263: the first route, or the remote target. */
struct text sip_dialog_next_hop(const struct sip_dialog *d);
