/* traces.c - what the signalling thread hands over to the traces thread. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/counters.h"
#include "server/signalling/signalling.h"
#include "server/traces/trace.h"

#define TAG_SHIFT     60
#define KEEPALIVE     0x0000u /* of SCCP */
#define KEEPALIVE_ACK 0x0100u

static bool is_sip(uint64_t link)
{
    return !link || signalling_is_sip((enum port_id)(link >> TAG_SHIFT));
}

/* The third word of an SCCP message is what it is. */
static bool is_keepalive(const uint8_t *bytes, size_t len)
{
    struct reader r = reader_of(bytes, len);
    uint32_t id;

    read_le32(&r);
    read_le32(&r);
    id = read_le32(&r);
    return id == KEEPALIVE || id == KEEPALIVE_ACK;
}

static void hand_over(struct signalling *s, const struct trace_about *about, bool in,
                      const void *bytes, size_t len)
{
    bool sip = is_sip(about->link);
    enum trace_kind kind = sip  ? in ? TRACE_SIP_IN : TRACE_SIP_OUT
                           : in ? TRACE_SCCP_IN
                                : TRACE_SCCP_OUT;

    if (sip || atomic_load_explicit(&trace_keepalives, memory_order_relaxed) ||
        !is_keepalive(bytes, len))
        trace_message(s->thread->server, TRACE_CALLMANAGER, kind, about, bytes, len);
}

void signalling_heard(void *context, struct device_name device, uint64_t link,
                      const struct endpoint *peer, const void *bytes, size_t len)
{
    struct trace_about about;

    if (!trace_wants(TRACE_CALLMANAGER, TRACE_DETAILED))
        return;
    about = (struct trace_about){.device = device, .peer = *peer, .link = link};
    hand_over(context, &about, true, bytes, len);
}

void signalling_said(struct signalling *s, const struct effect *row)
{
    bool datagram = row->kind == EFFECT_DATAGRAM;
    struct trace_about about = {.link = datagram ? 0 : row->link};
    struct tcp *tcp = datagram ? NULL : signalling_tcp(s, row->link);

    if (!trace_wants(TRACE_CALLMANAGER, TRACE_DETAILED))
        return;
    if (datagram)
        about.peer = row->datagram.to;
    else if (!tcp || !tcp_peer(tcp, row->link, &about.peer))
        return;
    hand_over(s, &about, false, effect_bytes(s->effects, row),
              datagram ? row->datagram.len : row->send.len);
}

void signalling_trace_link(struct signalling *s, uint64_t link, const struct endpoint *peer,
                           int err)
{
    struct trace_about about = {.link = link};
    const char *side = is_sip(link) ? "SIPStationInit" : "StationInit";
    char ip[IP_TEXT_MAX];

    if (!trace_wants(TRACE_CALLMANAGER, TRACE_SIGNIFICANT))
        return;
    if (peer)
        about.peer = *peer;
    if (err == -EINPROGRESS)
        trace_line(s->thread->server, TRACE_CALLMANAGER, TRACE_SIGNIFICANT, &about,
                   "%s - New connection accepted. DeviceName=, TCPHandle=0x%llx, IPAddr=%s, "
                   "Port=%u",
                   side, (unsigned long long)(link & UINT32_MAX), ip_print(about.peer.ip, ip),
                   about.peer.port);
    else
        trace_line(s->thread->server, TRACE_CALLMANAGER, TRACE_SIGNIFICANT, &about,
                   "%s - Connection closed. TCPHandle=0x%llx, %s", side,
                   (unsigned long long)(link & UINT32_MAX), err ? strerror(-err) : "by the device");
}

void signalling_trace_event(struct signalling *s, const struct progress_event *e)
{
    struct trace_about about;

    if (!trace_wants(TRACE_CALLMANAGER, TRACE_STATE))
        return;
    about = (struct trace_about){.device = e->device, .peer = {.ip = e->ip}};
    trace_line(s->thread->server, TRACE_CALLMANAGER, TRACE_STATE, &about,
               "%s - DevStat: %s: %s%s%.*s, model %u, code %u",
               e->protocol == PROTOCOL_SCCP ? "StationD" : "SIPStationD", e->device.s,
               progress_stage_titles[e->stage], e->detail[0] ? " " : "", (int)sizeof(e->detail),
               e->detail, e->model, e->code);
}

void signalling_trace_binding(struct signalling *s, const struct effect *row)
{
    struct message m = {.id = MESSAGE_BINDING};

    if (atomic_load_explicit(&trace_follows, memory_order_relaxed) != TRACE_FOLLOWS_AT_ONCE)
        return; /* it hears what the files thread hears */
    m.binding.device = row->binding.device;
    m.binding.ip = row->binding.ip;
    m.binding.gone = row->binding.gone;
    server_post(s->thread->server, THREAD_TRACES, &m);
}

void signalling_secret(void *context, int fd, const char *line)
{
    struct signalling *s = ((struct port *)context)->owner;
    struct message m = {.id = MESSAGE_SECRET};
    struct sockaddr_storage from;
    socklen_t len = sizeof(from);
    size_t n = strlen(line);

    if (!atomic_load_explicit(&trace_secrets, memory_order_relaxed) ||
        getpeername(fd, (struct sockaddr *)&from, &len) < 0)
        return;
    m.secret.ip = endpoint_of_sockaddr((struct sockaddr *)&from).ip;
    if (!(m.secret.take_line = malloc(n + 2)))
        return;
    memcpy(m.secret.take_line, line, n);
    memcpy(m.secret.take_line + n, "\n", 2);
    server_post(s->thread->server, THREAD_TRACES, &m);
}
