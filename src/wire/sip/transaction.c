#include "wire/sip/transaction.h"

#include <errno.h>
#include <stdlib.h>

#include "wire/sip/transaction_own.h"
#include "wire/sip/write.h"

static void begin(struct sip_transaction *t, enum sip_role role, const struct sip_flow *flow,
                  const struct sip_timing *timing, enum sip_method method)
{
    *t = (struct sip_transaction){.role = (uint8_t)role,
                                  .method = (uint8_t)method,
                                  .timing = *timing,
                                  .flow = *flow,
                                  .id = t->id,
                                  .user = t->user};
}

int sip_client_start(struct sip_transaction *t, const struct sip_port *port,
                     const struct sip_flow *flow, const struct sip_timing *timing,
                     const void *bytes, size_t len, uint64_t now_ms)
{
    struct sip_tx_input s = {.port = port, .now_ms = now_ms};
    struct sip_message m;
    uint64_t key;

    if (sip_parse(bytes, len, &m) < 0 || m.status || m.problem || m.method == SIP_ACK ||
        !(key = sip_client_key(&m)))
        return -EBADMSG;
    begin(t, m.method == SIP_INVITE ? SIP_CLIENT_INVITE : SIP_CLIENT_OTHER, flow, timing, m.method);
    if ((t->role == SIP_CLIENT_INVITE || !sip_tx_reliable(t)) && sip_tx_keep(t, bytes, len) < 0)
        return -ENOMEM;
    t->key = key;
    t->sends = 1;
    sip_tx_enter(t, t->role == SIP_CLIENT_INVITE ? SIP_TX_CALLING : SIP_TX_TRYING, now_ms);
    if (timing->max_sends == 1)
        t->resend_ms = 0;
    sip_tx_send(t, &s, bytes, len);
    return 0;
}

bool sip_client_owns(const struct sip_transaction *t, const struct sip_message *response)
{
    return t->state && t->role <= SIP_CLIENT_OTHER && response->status &&
           sip_client_key(response) == t->key;
}

void sip_client_response(struct sip_transaction *t, const struct sip_port *port,
                         const struct sip_message *response, uint64_t now_ms)
{
    struct sip_tx_input s = {.port = port, .message = response, .now_ms = now_ms};
    enum sip_tx_on on = sip_tx_event(response->status);

    if (!sip_tx_fits(t, on))
        return;
    t->status = response->status;
    sip_tx_step(t, on, &s);
}

int sip_client_cancel(struct sip_transaction *t, struct writer *to, uint64_t now_ms)
{
    struct sip_message invite;

    if (t->role != SIP_CLIENT_INVITE ||
        (t->state != SIP_TX_CALLING && t->state != SIP_TX_PROCEEDING))
        return -EALREADY;
    t->cancel = t->state == SIP_TX_CALLING;
    if (t->cancel)
        return -EAGAIN;
    if (sip_parse(t->kept, t->n_kept, &invite) < 0)
        return -EBADMSG;
    t->end_ms = now_ms + 64u * t->timing.t1_ms;
    sip_tx_follow(to, &invite, SIP_CANCEL, sip_value(&invite, SIP_TO));
    return to->bad ? -ENOBUFS : 0;
}

static int keep_trying(struct sip_transaction *t, const struct sip_message *request)
{
    uint8_t bytes[SIP_FOLLOW_MAX];
    struct writer w = writer_of(bytes, sizeof(bytes));

    sip_write_response(&w, request, 100, "Trying", TEXT(""), &t->flow.peer);
    sip_write_body(&w, TEXT(""), TEXT(""));
    t->provisional = true;
    return w.bad ? 0 : sip_tx_keep(t, bytes, writer_len(&w));
}

int sip_server_start(struct sip_transaction *t, const struct sip_flow *flow,
                     const struct sip_timing *timing, const struct sip_message *request,
                     uint64_t now_ms)
{
    uint64_t key = sip_server_key(request, false);

    if (!key || request->status || request->method == SIP_ACK)
        return -EINVAL;
    begin(t, request->method == SIP_INVITE ? SIP_SERVER_INVITE : SIP_SERVER_OTHER, flow, timing,
          request->method);
    t->key = key;
    if (t->role == SIP_SERVER_INVITE && keep_trying(t, request) < 0)
        return -ENOMEM;
    sip_tx_enter(t, t->role == SIP_SERVER_INVITE ? SIP_TX_PROCEEDING : SIP_TX_TRYING, now_ms);
    return 0;
}

bool sip_server_owns(const struct sip_transaction *t, const struct sip_message *request)
{
    return t->state && t->role >= SIP_SERVER_INVITE && !request->status &&
           sip_server_key(request, false) == t->key;
}

void sip_server_request(struct sip_transaction *t, const struct sip_port *port,
                        const struct sip_message *request, uint64_t now_ms)
{
    struct sip_tx_input s = {.port = port, .message = request, .now_ms = now_ms};

    sip_tx_step(t, request->method == SIP_ACK ? ON_ACK : ON_REQUEST, &s);
}

/* The status of "SIP/2.0 200 OK", 0 when it is none. */
static uint16_t status_of(const void *bytes, size_t len)
{
    struct text line = {bytes, len}, version = text_split(&line, ' ');
    uint32_t status;

    if (!text_is(version, "SIP/2.0") || !line.at ||
        text_to_u32(text_split(&line, ' '), 10, &status) < 0 || status < 100 || status > 699)
        return 0;
    return (uint16_t)status;
}

int sip_server_respond(struct sip_transaction *t, const struct sip_port *port, const void *bytes,
                       size_t len, uint64_t now_ms)
{
    struct sip_tx_input s = {.port = port, .bytes = {bytes, len}, .now_ms = now_ms};
    uint16_t status = status_of(bytes, len);

    if (!status)
        return -EBADMSG;
    if (t->role < SIP_SERVER_INVITE || !sip_tx_fits(t, sip_tx_event(status)))
        return -EALREADY;
    t->status = status;
    t->resend_ms = 0;
    sip_tx_step(t, sip_tx_event(status), &s);
    return 0;
}

void sip_server_acknowledged(struct sip_transaction *t)
{
    if (t->role == SIP_SERVER_INVITE && t->state == SIP_TX_ACCEPTED)
        t->resend_ms = 0;
}

void sip_transaction_broken(struct sip_transaction *t, const struct sip_port *port, uint64_t now_ms)
{
    sip_tx_step(t, ON_BROKEN, &(struct sip_tx_input){.port = port, .now_ms = now_ms});
}

uint64_t sip_transaction_due(const struct sip_transaction *t)
{
    uint64_t resend = t->resend_ms ? t->resend_ms : UINT64_MAX;
    uint64_t last = t->end_ms ? t->end_ms : UINT64_MAX;

    return !t->state ? UINT64_MAX : resend < last ? resend : last;
}

void sip_transaction_tick(struct sip_transaction *t, const struct sip_port *port, uint64_t now_ms)
{
    struct sip_tx_input s = {.port = port, .now_ms = now_ms};

    if (sip_transaction_due(t) > now_ms)
        return;
    if (t->end_ms && t->end_ms <= now_ms) {
        sip_tx_step(t, ON_END, &s);
        return;
    }
    /* What is sent again only until an acknowledgement keeps its mark until then. */
    if (t->state != SIP_TX_ACCEPTED)
        t->resend_ms = 0;
    sip_tx_step(t, ON_RESEND, &s);
}

void sip_transaction_drop(struct sip_transaction *t)
{
    free(t->kept);
    t->kept = NULL;
    t->n_kept = 0;
    t->state = SIP_TX_ENDED;
    t->resend_ms = t->end_ms = 0;
}
