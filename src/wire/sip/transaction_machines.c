/* transaction_machines.c - the machines of RFC 3261 17 and RFC 6026 as rows, and their timers. */
#include <errno.h>
#include <stdlib.h>

#include "wire/sip/transaction_own.h"
#include "wire/sip/write.h"

#define TRYING_MS  200   /* 17.2.1: 100 unless the user answers before */
#define D_LEAST_MS 32000 /* 17.1.1.2 */

bool sip_tx_reliable(const struct sip_transaction *t)
{
    return t->flow.transport != SIP_UDP;
}

/* --- what is done --- */

void sip_tx_send(const struct sip_transaction *t, const struct sip_tx_input *s, const void *bytes,
                 size_t len)
{
    if (len)
        s->port->send(s->port->context, t, bytes, len);
}

static void tell(struct sip_transaction *t, const struct sip_tx_input *s, enum sip_told what)
{
    if (!t->forgotten)
        s->port->tell(s->port->context, t, what, s->message);
}

static void nothing(struct sip_transaction *t, const struct sip_tx_input *s)
{
}

static void send_kept(struct sip_transaction *t, const struct sip_tx_input *s)
{
    t->provisional = false;
    sip_tx_send(t, s, t->kept, t->n_kept);
}

/* Timers A (no upper limit), E, G and that of a 2xx. */
static void send_again(struct sip_transaction *t, const struct sip_tx_input *s)
{
    uint32_t next = t->interval_ms * 2;

    if (t->role != SIP_CLIENT_INVITE && next > t->timing.t2_ms)
        next = t->timing.t2_ms;
    if (t->role == SIP_CLIENT_OTHER && t->state == SIP_TX_PROCEEDING)
        next = t->timing.t2_ms;
    t->interval_ms = next;
    t->sends++;
    if (!t->timing.max_sends || t->role >= SIP_SERVER_INVITE || t->sends < t->timing.max_sends)
        t->resend_ms = s->now_ms + next;
    send_kept(t, s);
}

static void pass(struct sip_transaction *t, const struct sip_tx_input *s)
{
    tell(t, s, SIP_TOLD_RESPONSE);
}

/* The request will not be sent again. */
static void pass_last(struct sip_transaction *t, const struct sip_tx_input *s)
{
    free(t->kept);
    t->kept = NULL;
    t->n_kept = 0;
    pass(t, s);
}

static void timed_out(struct sip_transaction *t, const struct sip_tx_input *s)
{
    tell(t, s, SIP_TOLD_TIMEOUT);
}

static void broken(struct sip_transaction *t, const struct sip_tx_input *s)
{
    tell(t, s, SIP_TOLD_BROKEN);
}

static void write_copies(struct writer *w, const struct sip_message *m, enum sip_header_id id)
{
    SIP_EACH(m, id, row)
    sip_write_header(w, id, row->value);
}

void sip_tx_follow(struct writer *w, const struct sip_message *invite, enum sip_method method,
                   struct text to)
{
    const struct sip_row *row = sip_row(invite, SIP_VIA);
    struct text rest = row->value, via = TEXT("");
    const char *name = sip_method_name(method);

    sip_next(invite, &row, &rest, &via);
    write_format(w, "%s %.*s SIP/2.0\r\n", name, TEXT_ARG(invite->uri));
    sip_write_header(w, SIP_VIA, via);
    sip_write_header(w, SIP_MAX_FORWARDS, TEXT("70"));
    write_copies(w, invite, SIP_ROUTE);
    write_copies(w, invite, SIP_FROM);
    sip_write_header(w, SIP_TO, to);
    sip_write_header(w, SIP_CALL_ID, invite->call_id);
    sip_write_format(w, sip_header_name(SIP_CSEQ), "%u %s", invite->cseq, name);
    sip_write_body(w, TEXT(""), TEXT(""));
}

static void acknowledge(struct sip_transaction *t, const struct sip_tx_input *s)
{
    uint8_t bytes[SIP_FOLLOW_MAX];
    struct writer w = writer_of(bytes, sizeof(bytes));
    struct sip_message invite;

    if (sip_parse(t->kept, t->n_kept, &invite) < 0)
        return;
    sip_tx_follow(&w, &invite, SIP_ACK, sip_value(s->message, SIP_TO));
    if (!w.bad)
        sip_tx_send(t, s, bytes, writer_len(&w));
}

static void acknowledge_and_pass(struct sip_transaction *t, const struct sip_tx_input *s)
{
    acknowledge(t, s);
    pass(t, s);
}

static void hear_ack(struct sip_transaction *t, const struct sip_tx_input *s)
{
    sip_server_acknowledged(t);
    tell(t, s, SIP_TOLD_ACK);
}

int sip_tx_keep(struct sip_transaction *t, const void *bytes, size_t len)
{
    uint8_t *copy = malloc(len);

    free(t->kept);
    t->kept = copy;
    t->n_kept = copy ? (uint32_t)len : 0;
    if (!copy)
        return -ENOMEM;
    memcpy(copy, bytes, len);
    return 0;
}

static void answer(struct sip_transaction *t, const struct sip_tx_input *s)
{
    t->provisional = false;
    if (!sip_tx_reliable(t) || t->state == SIP_TX_ACCEPTED)
        sip_tx_keep(t, s->bytes.at, s->bytes.len);
    else
        t->n_kept = 0; /* a 100 that is outdated */
    sip_tx_send(t, s, s->bytes.at, s->bytes.len);
}

static bool wants_ack(const struct sip_transaction *t)
{
    return t->resend_ms != 0;
}

/* 13.3.1.4: a 2xx that nobody acknowledged means that the call must be ended. */
static void leave_accepted(struct sip_transaction *t, const struct sip_tx_input *s)
{
    if (wants_ack(t))
        timed_out(t, s);
}

/* --- the machines --- */

static const struct row {
    uint8_t role, in, on;
    void (*act)(struct sip_transaction *, const struct sip_tx_input *);
    uint8_t to;
    const char *event, *done; /* for people */
} rows[] = {
#define CI(state) SIP_CLIENT_INVITE, SIP_TX_##state
#define CO(state) SIP_CLIENT_OTHER, SIP_TX_##state
#define SI(state) SIP_SERVER_INVITE, SIP_TX_##state
#define SO(state) SIP_SERVER_OTHER, SIP_TX_##state
    /* clang-format off */
    {CI(CALLING),    ON_RESEND,  send_again,           SIP_TX_CALLING,    "timer A",           "INVITE again"},
    {CI(CALLING),    ON_END,     timed_out,            SIP_TX_ENDED,      "timer B",           "timeout"},
    {CI(CALLING),    ON_BROKEN,  broken,               SIP_TX_ENDED,      "transport error",   "broken"},
    {CI(CALLING),    ON_1XX,     pass,                 SIP_TX_PROCEEDING, "1xx",               "passed on"},
    {CI(CALLING),    ON_2XX,     pass,                 SIP_TX_ACCEPTED,   "2xx",               "passed on"},
    {CI(CALLING),    ON_FAILURE, acknowledge_and_pass, SIP_TX_COMPLETED,  "300 to 699",        "ACK, passed on"},
    {CI(PROCEEDING), ON_1XX,     pass,                 SIP_TX_PROCEEDING, "1xx",               "passed on"},
    {CI(PROCEEDING), ON_2XX,     pass,                 SIP_TX_ACCEPTED,   "2xx",               "passed on"},
    {CI(PROCEEDING), ON_FAILURE, acknowledge_and_pass, SIP_TX_COMPLETED,  "300 to 699",        "ACK, passed on"},
    {CI(PROCEEDING), ON_END,     timed_out,            SIP_TX_ENDED,      "64 T1 after CANCEL", "timeout"},
    {CI(PROCEEDING), ON_BROKEN,  broken,               SIP_TX_ENDED,      "transport error",   "broken"},
    {CI(COMPLETED),  ON_FAILURE, acknowledge,          SIP_TX_COMPLETED,  "300 to 699",        "ACK again"},
    {CI(COMPLETED),  ON_END,     nothing,              SIP_TX_ENDED,      "timer D",           ""},
    {CI(COMPLETED),  ON_BROKEN,  broken,               SIP_TX_ENDED,      "transport error",   "broken"},
    {CI(ACCEPTED),   ON_2XX,     pass,                 SIP_TX_ACCEPTED,   "2xx",               "passed on"},
    {CI(ACCEPTED),   ON_END,     nothing,              SIP_TX_ENDED,      "timer M",           ""},

    {CO(TRYING),     ON_RESEND,  send_again,           SIP_TX_TRYING,     "timer E",           "request again"},
    {CO(TRYING),     ON_END,     timed_out,            SIP_TX_ENDED,      "timer F",           "timeout"},
    {CO(TRYING),     ON_BROKEN,  broken,               SIP_TX_ENDED,      "transport error",   "broken"},
    {CO(TRYING),     ON_1XX,     pass,                 SIP_TX_PROCEEDING, "1xx",               "passed on"},
    {CO(TRYING),     ON_2XX,     pass_last,            SIP_TX_COMPLETED,  "2xx",               "passed on"},
    {CO(TRYING),     ON_FAILURE, pass_last,            SIP_TX_COMPLETED,  "300 to 699",        "passed on"},
    {CO(PROCEEDING), ON_RESEND,  send_again,           SIP_TX_PROCEEDING, "timer E",           "request again"},
    {CO(PROCEEDING), ON_END,     timed_out,            SIP_TX_ENDED,      "timer F",           "timeout"},
    {CO(PROCEEDING), ON_BROKEN,  broken,               SIP_TX_ENDED,      "transport error",   "broken"},
    {CO(PROCEEDING), ON_1XX,     pass,                 SIP_TX_PROCEEDING, "1xx",               "passed on"},
    {CO(PROCEEDING), ON_2XX,     pass_last,            SIP_TX_COMPLETED,  "2xx",               "passed on"},
    {CO(PROCEEDING), ON_FAILURE, pass_last,            SIP_TX_COMPLETED,  "300 to 699",        "passed on"},
    {CO(COMPLETED),  ON_END,     nothing,              SIP_TX_ENDED,      "timer K",           ""},

    {SI(PROCEEDING), ON_RESEND,  send_kept,            SIP_TX_PROCEEDING, "200 ms",            "100"},
    {SI(PROCEEDING), ON_REQUEST, send_kept,            SIP_TX_PROCEEDING, "INVITE",            "1xx again"},
    {SI(PROCEEDING), ON_1XX,     answer,               SIP_TX_PROCEEDING, "1xx from user",     "sent"},
    {SI(PROCEEDING), ON_2XX,     answer,               SIP_TX_ACCEPTED,   "2xx from user",     "sent"},
    {SI(PROCEEDING), ON_FAILURE, answer,               SIP_TX_COMPLETED,  "300 to 699 from user", "sent"},
    {SI(PROCEEDING), ON_BROKEN,  broken,               SIP_TX_ENDED,      "transport error",   "broken"},
    {SI(COMPLETED),  ON_RESEND,  send_again,           SIP_TX_COMPLETED,  "timer G",           "response again"},
    {SI(COMPLETED),  ON_REQUEST, send_kept,            SIP_TX_COMPLETED,  "INVITE",            "response again"},
    {SI(COMPLETED),  ON_ACK,     hear_ack,             SIP_TX_CONFIRMED,  "ACK",               "passed on"},
    {SI(COMPLETED),  ON_END,     timed_out,            SIP_TX_ENDED,      "timer H",           "timeout"},
    {SI(COMPLETED),  ON_BROKEN,  broken,               SIP_TX_ENDED,      "transport error",   "broken"},
    {SI(CONFIRMED),  ON_END,     nothing,              SIP_TX_ENDED,      "timer I",           ""},
    {SI(ACCEPTED),   ON_RESEND,  send_again,           SIP_TX_ACCEPTED,   "T1, doubled up to T2", "2xx again until ACK"},
    {SI(ACCEPTED),   ON_ACK,     hear_ack,             SIP_TX_ACCEPTED,   "ACK",               "passed on"},
    {SI(ACCEPTED),   ON_END,     leave_accepted,       SIP_TX_ENDED,      "timer L",           "timeout unless acknowledged"},
    {SI(ACCEPTED),   ON_BROKEN,  broken,               SIP_TX_ACCEPTED,   "transport error",   "broken"},

    {SO(TRYING),     ON_1XX,     answer,               SIP_TX_PROCEEDING, "1xx from user",     "sent"},
    {SO(TRYING),     ON_2XX,     answer,               SIP_TX_COMPLETED,  "2xx from user",     "sent"},
    {SO(TRYING),     ON_FAILURE, answer,               SIP_TX_COMPLETED,  "300 to 699 from user", "sent"},
    {SO(TRYING),     ON_END,     timed_out,            SIP_TX_ENDED,      "64 T1",             "timeout: the client has given up"},
    {SO(TRYING),     ON_BROKEN,  broken,               SIP_TX_ENDED,      "transport error",   "broken"},
    {SO(PROCEEDING), ON_REQUEST, send_kept,            SIP_TX_PROCEEDING, "request",           "1xx again"},
    {SO(PROCEEDING), ON_1XX,     answer,               SIP_TX_PROCEEDING, "1xx from user",     "sent"},
    {SO(PROCEEDING), ON_2XX,     answer,               SIP_TX_COMPLETED,  "2xx from user",     "sent"},
    {SO(PROCEEDING), ON_FAILURE, answer,               SIP_TX_COMPLETED,  "300 to 699 from user", "sent"},
    {SO(PROCEEDING), ON_END,     timed_out,            SIP_TX_ENDED,      "64 T1",             "timeout: the client has given up"},
    {SO(PROCEEDING), ON_BROKEN,  broken,               SIP_TX_ENDED,      "transport error",   "broken"},
    {SO(COMPLETED),  ON_REQUEST, send_kept,            SIP_TX_COMPLETED,  "request",           "response again"},
    {SO(COMPLETED),  ON_END,     nothing,              SIP_TX_ENDED,      "timer J",           ""},
    {SO(COMPLETED),  ON_BROKEN,  broken,               SIP_TX_ENDED,      "transport error",   "broken"},
    /* clang-format on */
};
#define N_ROWS (sizeof(rows) / sizeof(*rows))

/* --- timers: what runs in a state --- */

enum lasting {
    AS_IT_WAS,
    NEVER,
    T1,
    T1_BY_UDP,
    T4_BY_UDP,
    T4_IF_REPEATED,
    T1_64,
    T1_64_BY_UDP,
    D_BY_UDP,
    TRYING
};

static const struct running {
    uint8_t role, state, resend, end;
} running[] = {
    /* clang-format off */
    {CI(CALLING),    T1_BY_UDP, T1_64},         /* A, B */
    {CI(PROCEEDING), NEVER,     NEVER},         /* its user cancels, or waits */
    {CI(COMPLETED),  NEVER,     D_BY_UDP},      /* D */
    {CI(ACCEPTED),   NEVER,     T1_64},         /* M */
    {CO(TRYING),     T1_BY_UDP, T1_64},         /* E, F */
    {CO(PROCEEDING), AS_IT_WAS, AS_IT_WAS},     /* E, F */
    {CO(COMPLETED),  NEVER,     T4_IF_REPEATED}, /* K: only what was sent twice is answered twice */
    {SI(PROCEEDING), TRYING,    NEVER},
    {SI(COMPLETED),  T1_BY_UDP, T1_64},         /* G, H */
    {SI(CONFIRMED),  NEVER,     T4_BY_UDP},     /* I */
    {SI(ACCEPTED),   T1,        T1_64},         /* L */
    {SO(TRYING),     NEVER,     T1_64},
    {SO(PROCEEDING), NEVER,     AS_IT_WAS},
    {SO(COMPLETED),  NEVER,     T1_64_BY_UDP},  /* J */
    /* clang-format on */
};

/* 0: at once. */
static uint32_t lasting_ms(const struct sip_transaction *t, enum lasting how)
{
    uint32_t t1_64 = 64u * t->timing.t1_ms;

    switch (how) {
    case T1:
    case T1_BY_UDP:
        return t->timing.t1_ms;
    case T4_BY_UDP:
        return sip_tx_reliable(t) ? 0 : t->timing.t4_ms;
    case T4_IF_REPEATED:
        return t->sends > 1 ? t->timing.t4_ms : 0;
    case T1_64_BY_UDP:
        return sip_tx_reliable(t) ? 0 : t1_64;
    case D_BY_UDP:
        return sip_tx_reliable(t) ? 0 : t1_64 > D_LEAST_MS ? t1_64 : D_LEAST_MS;
    case TRYING:
        return TRYING_MS;
    default:
        return t1_64;
    }
}

static void run(const struct sip_transaction *t, uint64_t *timer, enum lasting how, uint64_t now_ms)
{
    if (how == NEVER || (how == T1_BY_UDP && sip_tx_reliable(t)))
        *timer = 0;
    else if (how != AS_IT_WAS)
        *timer = now_ms + lasting_ms(t, how);
}

void sip_tx_enter(struct sip_transaction *t, enum sip_transaction_state state, uint64_t now_ms)
{
    t->state = (uint8_t)state;
    for (size_t i = 0; i < sizeof(running) / sizeof(*running); i++)
        if (running[i].role == t->role && running[i].state == state) {
            run(t, &t->resend_ms, running[i].resend, now_ms);
            run(t, &t->end_ms, running[i].end, now_ms);
            if (running[i].resend != AS_IT_WAS)
                t->interval_ms = t->timing.t1_ms;
        }
}

static void end(struct sip_transaction *t, const struct sip_tx_input *s)
{
    struct sip_tx_input last = {.port = s->port, .now_ms = s->now_ms};

    sip_transaction_drop(t);
    last.port->tell(last.port->context, t, SIP_TOLD_ENDED, NULL);
}

static const struct row *row_of(const struct sip_transaction *t, enum sip_tx_on on)
{
    for (size_t i = 0; i < N_ROWS; i++)
        if (rows[i].role == t->role && rows[i].in == t->state && rows[i].on == on)
            return &rows[i];
    return NULL;
}

bool sip_tx_fits(const struct sip_transaction *t, enum sip_tx_on on)
{
    return row_of(t, on) != NULL;
}

void sip_tx_step(struct sip_transaction *t, enum sip_tx_on on, const struct sip_tx_input *s)
{
    const struct row *row = row_of(t, on);

    if (!row)
        return;
    if (row->to != row->in)
        sip_tx_enter(t, row->to, s->now_ms);
    row->act(t, s);
    if (row->to == SIP_TX_ENDED || (t->end_ms && t->end_ms <= s->now_ms))
        end(t, s);
}

enum sip_tx_on sip_tx_event(uint16_t status)
{
    return status < 200 ? ON_1XX : status < 300 ? ON_2XX : ON_FAILURE;
}

/* --- for people --- */

static const char *const role_names[] = {"Client, INVITE", "Client, other methods",
                                         "Server, INVITE", "Server, other methods"};
static const char *const state_names[] = {"ended",     "calling",  "trying",   "proceeding",
                                          "completed", "accepted", "confirmed"};

static void print_machine(struct writer *w, unsigned role)
{
    const char *first = role == SIP_CLIENT_INVITE   ? "calling"
                        : role == SIP_SERVER_INVITE ? "proceeding"
                                                    : "trying";

    write_format(w, "## %s\n\n```mermaid\nstateDiagram-v2\n    [*] --> %s\n", role_names[role],
                 first);
    for (size_t i = 0; i < N_ROWS; i++)
        if (rows[i].role == role && rows[i].to != rows[i].in)
            write_format(w, "    %s --> %s : %s\n", state_names[rows[i].in],
                         state_names[rows[i].to], rows[i].event);
    write_string(w, "    ended --> [*]\n```\n\n| in | on | what is done | then |\n"
                    "| --- | --- | --- | --- |\n");
    for (size_t i = 0; i < N_ROWS; i++)
        if (rows[i].role == role)
            write_format(w, "| %s | %s | %s | %s |\n", state_names[rows[i].in], rows[i].event,
                         rows[i].done, rows[i].to == rows[i].in ? "" : state_names[rows[i].to]);
    write_string(w, "\n");
}

void sip_transactions_print(struct writer *to)
{
    for (unsigned role = 0; role < N_SIP_ROLES; role++)
        print_machine(to, role);
}
