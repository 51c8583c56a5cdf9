#include "server/traces/trace.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/counters.h"
#include "server/server.h"

#define WAITING_MAX   8192 /* records on their way: fewer than a mailbox holds */
#define WAITING_BYTES (16u << 20)
#define LINE_BYTES    1024

_Atomic uint8_t trace_levels[N_TRACES];
_Atomic bool trace_keepalives, trace_secrets;
_Atomic uint8_t trace_follows;

static _Atomic size_t waiting, waiting_bytes;

static size_t size_of(size_t len)
{
    return sizeof(struct trace_record) + len;
}

void trace_record_free(struct trace_record *r)
{
    if (!r)
        return;
    atomic_fetch_sub_explicit(&waiting, 1, memory_order_relaxed);
    atomic_fetch_sub_explicit(&waiting_bytes, size_of(r->len), memory_order_relaxed);
    free(r);
}

static bool has_room(size_t len)
{
    return atomic_load_explicit(&waiting, memory_order_relaxed) < WAITING_MAX &&
           atomic_load_explicit(&waiting_bytes, memory_order_relaxed) + len < WAITING_BYTES;
}

static void post(struct server *s, const struct trace_record *head, const void *bytes)
{
    struct trace_record *r = has_room(head->len) ? malloc(size_of(head->len)) : NULL;
    struct message m = {.id = MESSAGE_TRACE, .trace = {r}};

    if (!r) {
        count(COUNT_TRACES_DROPPED);
        return;
    }
    *r = *head;
    r->time_us = server_wall_us();
    memcpy(r->bytes, bytes, head->len);
    atomic_fetch_add_explicit(&waiting, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&waiting_bytes, size_of(head->len), memory_order_relaxed);
    if (server_post(s, THREAD_TRACES, &m) < 0)
        count(COUNT_TRACES_DROPPED);
}

void trace_line(struct server *s, enum trace_id id, enum trace_level level,
                const struct trace_about *about, const char *format, ...)
{
    struct trace_record head = {.id = (uint8_t)id, .level = (uint8_t)level};
    char line[LINE_BYTES];
    va_list arguments;
    int n;

    if (!trace_wants(id, level))
        return;
    va_start(arguments, format);
    n = vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    if (about)
        head.about = *about;
    head.len = n < 0 ? 0 : n < LINE_BYTES ? (uint32_t)n : LINE_BYTES - 1;
    post(s, &head, line);
}

void trace_message(struct server *s, enum trace_id id, enum trace_kind kind,
                   const struct trace_about *about, const void *bytes, size_t len)
{
    struct trace_record head = {.id = (uint8_t)id,
                                .level = TRACE_DETAILED,
                                .kind = (uint8_t)kind,
                                .about = *about,
                                .len = (uint32_t)len};

    if (trace_wants(id, TRACE_DETAILED))
        post(s, &head, bytes);
}
