/* trace.h - traces: what a service does, line by line, for those who look for a fault (TRC-1).
 *
 * Any thread hands over lines and messages; the traces thread makes text of them and writes. Nobody waits:
 * what is too much is dropped and counted. Nothing is handed over, and nothing costs more than a look at a
 * number, unless a parameter or a capture of messages asks for it. */
#pragma once

#include <stdatomic.h>

#include "base/address.h"

struct server;

enum trace_id {
#define TRACE(id, service, word, prefix, tag, folder, parameter) TRACE_##id,
#include "server/traces/traces.def"
#undef TRACE
    N_TRACES
};

/* As a service's trace is set, least to most; the choices of the parameters, in order. */
enum trace_level { TRACE_OFF, TRACE_ERROR, TRACE_SPECIAL, TRACE_STATE, TRACE_SIGNIFICANT, TRACE_ENTRY, TRACE_ARBITRARY, TRACE_DETAILED };

enum trace_kind { TRACE_LINE, TRACE_SCCP_IN, TRACE_SCCP_OUT, TRACE_SIP_IN, TRACE_SIP_OUT, TRACE_DHCP_IN, TRACE_DHCP_OUT };

struct trace_about { /* what is known of it; zeroes: nothing */
    struct device_name device;
    struct endpoint peer, local;
    uint64_t link;   /* 0: a datagram */
};

struct trace_record {
    uint64_t time_us;
    uint8_t id, level, kind;
    struct trace_about about;
    uint32_t len;
    uint8_t bytes[]; /* of a line its text, else whole messages */
};

/* SOON: for the names in lines, with other news; AT_ONCE: a capture takes the packets of that address. */
enum trace_follow { TRACE_FOLLOWS_NOT, TRACE_FOLLOWS_SOON, TRACE_FOLLOWS_AT_ONCE };

extern _Atomic uint8_t trace_levels[N_TRACES]; /* what is wanted; set by the traces thread */
extern _Atomic bool trace_keepalives; /* of SCCP */
extern _Atomic uint8_t trace_follows; /* who has which address is to be told to the traces thread: enum trace_follow */
extern _Atomic bool trace_secrets;    /* a capture wants the secrets of TLS */

static inline bool trace_wants(enum trace_id id, enum trace_level level)
{
    return atomic_load_explicit(&trace_levels[id], memory_order_relaxed) >= level;
}

void trace_line(struct server *s, enum trace_id id, enum trace_level level, const struct trace_about *about,
                const char *format, ...) __attribute__((format(printf, 5, 6)));
/* Whole messages, as they were sent or came; level detailed. */
void trace_message(struct server *s, enum trace_id id, enum trace_kind kind, const struct trace_about *about,
                   const void *bytes, size_t len);
void trace_record_free(struct trace_record *r); /* by whom it was handed to */
