/* lines.h - records of traces as text: the forms that readers of CallManager's traces know. */
#pragma once

#include "base/buf.h"
#include "server/traces/trace.h"

struct trace_context { /* the columns behind a line */
    const char *cluster, *node;
    struct device_name device; /* whose it is; empty: not known */
    uint32_t number;           /* of SIP messages, running */
    bool sdl;                  /* without the columns */
    unsigned node_number;      /* of the newer form; 0: 1 */
};

/* Whose peer may be a relay agent, or everybody: no phone's address. */
static inline bool trace_is_dhcp(const struct trace_record *r)
{
    return r->kind == TRACE_DHCP_IN || r->kind == TRACE_DHCP_OUT;
}

/* The text of a record, without time and line end; the messages of SCCP a line each. Cut where `to` ends. */
void trace_print(const struct trace_record *r, const struct trace_context *c, struct writer *to);

/* The same for files of the newer form: what happened as a signal ("SdlReadRsp |wait |SIPTcp(1,100,…)…"), false: it is none;
 * and in words, without the columns behind. */
bool trace_print_signal(const struct trace_record *r, const struct trace_context *c, struct writer *to);
void trace_print_words(const struct trace_record *r, const struct trace_context *c, struct writer *to);
