/* lines.c - records of traces as text.
 *
 * SCCP in the words of CallManager's older traces ("StationInit - InboundStim - OffHookMessageID
 * tcpHandle=0x…"), SIP as a line that says who and how long, a running number, and the message raw.
 */
#include "server/traces/lines.h"

#include <errno.h>
#include <stdio.h>

#include "wire/boot/dhcp.h"
#include "wire/sccp/framing.h"
#include "wire/sccp/message.h"

#define DUMP_MAX 8192

static void put_context(struct writer *to, const struct trace_record *r,
                        const struct trace_context *c)
{
    char ip[IP_TEXT_MAX];

    if (c->sdl)
        return;
    write_format(to, "|<CLID::%s><NID::%s>", c->cluster, c->node);
    if (!ip_is_any(r->about.peer.ip) && !trace_is_dhcp(r))
        write_format(to, "<IP::%s>", ip_print(r->about.peer.ip, ip));
    if (c->device.s[0])
        write_format(to, "<DEV::%s>", c->device.s);
}

/* "  member value" lines behind the first one become " member=value, …"; what ends with a colon
 * names a part. */
static void put_members(struct writer *to, struct text dump, const char *between)
{
    bool first = true, part = false;

    text_split(&dump, '\n'); /* the name */
    while (dump.at) {
        struct text line = text_split(&dump, '\n'), member;

        while (line.len && *line.at == ' ')
            line = text_skip(line, 1);
        if (!line.len)
            continue;
        write_string(to, first || part ? " " : between);
        first = false;
        part = line.at[line.len - 1] == ':';
        member = part ? line : text_split(&line, ' ');
        write_text(to, member);
        if (part || !line.at)
            continue;
        write_u8(to, '=');
        write_text(to, line);
    }
}

static void put_sccp(struct writer *to, const struct sccp_frame *frame,
                     const struct trace_record *r, const struct trace_context *c)
{
    bool in = r->kind == TRACE_SCCP_IN;
    const char *name = sccp_message_name(frame->id);
    struct sccp_message m;
    char dump[DUMP_MAX];
    struct writer w = writer_of(dump, sizeof(dump));
    int err = sccp_decode(frame, frame->version, in ? SCCP_FROM_PHONE : SCCP_FROM_SERVER, &m);

    if (!err || err == -EBADMSG)
        sccp_dump(&m, frame->version, &w);
    if (c->sdl)
        write_format(to, in ? "StationInit: (%07u) " : "StationD:    (%07u) ",
                     (unsigned)(r->about.link % 10000000));
    else
        write_string(to, in ? "StationInit - InboundStim - " : "StationD - stationOutput");
    if (name)
        write_string(to, name);
    else
        write_format(to, "0x%04x", frame->id);
    if (!c->sdl)
        write_format(to, "%s tcpHandle=0x%llx", in ? "MessageID" : "",
                     (unsigned long long)(r->about.link & UINT32_MAX));
    put_members(to, (struct text){dump, writer_len(&w)}, c->sdl ? " " : ", ");
}

static void print_sccp(const struct trace_record *r, const struct trace_context *c,
                       struct writer *to)
{
    struct reader stream = reader_of(r->bytes, r->len);
    struct sccp_frame frame;

    for (bool more = false; sccp_frame_next(&stream, &frame) == 1; more = true) {
        if (more)
            write_u8(to, '\n');
        put_sccp(to, &frame, r, c);
        put_context(to, r, c);
    }
}

/* Tools find SIP messages by these words. */
static void print_sip(const struct trace_record *r, const struct trace_context *c,
                      struct writer *to)
{
    bool in = r->kind == TRACE_SIP_IN;
    unsigned index = (unsigned)(r->about.link & UINT16_MAX), port = r->about.peer.port;
    char ip[IP_TEXT_MAX];

    ip_print(r->about.peer.ip, ip);
    if (r->about.link && in)
        write_format(to,
                     "SIPTcp - wait_SdlReadRsp: Incoming SIP TCP message from %s on port %u index "
                     "%u with %u bytes:",
                     ip, port, index, r->len);
    else if (r->about.link)
        write_format(to,
                     "SIPTcp - wait_SdlSPISignal: Outgoing SIP TCP message to %s on port %u index "
                     "%u ",
                     ip, port, index);
    else if (in)
        write_format(to,
                     "//SIP/SIPUdp/wait_SdlDataInd: Incoming SIP UDP message size %u from "
                     "%s:[%u]:",
                     r->len, ip, port);
    else
        write_format(to, "//SIP/SIPUdp/wait_SdlSPISignal: Outgoing SIP UDP message to %s:[%u]:", ip,
                     port);
    write_format(to, "\n[%u,NET]\n", c->number);
    write_bytes(to, r->bytes, r->len);
    write_string(to, "\n");
}

static void print_dhcp(const struct trace_record *r, const struct trace_context *c,
                       struct writer *to)
{
    struct dhcp_message m;
    char dump[DUMP_MAX], peer[ENDPOINT_TEXT_MAX];
    struct writer w = writer_of(dump, sizeof(dump));

    endpoint_print(&r->about.peer, peer);
    write_format(to, "%s %s:", r->kind == TRACE_DHCP_IN ? "Received from" : "Sent to", peer);
    if (dhcp_decode(r->bytes, r->len, &m) == 0)
        dhcp_print(&m, &w);
    else
        write_format(&w, "no DHCP message, %u bytes\n", r->len);
    for (struct text rest = {dump, writer_len(&w)}; rest.at;) {
        struct text line = text_split(&rest, '\n');

        write_string(to, line.len ? " " : "");
        write_text(to, line);
        write_string(to, line.len && rest.len ? "," : "");
    }
    put_context(to, r, c);
}

void trace_print(const struct trace_record *r, const struct trace_context *c, struct writer *to)
{
    switch ((enum trace_kind)r->kind) {
    case TRACE_LINE:
        write_bytes(to, r->bytes, r->len);
        put_context(to, r, c);
        break;
    case TRACE_SCCP_IN:
    case TRACE_SCCP_OUT:
        print_sccp(r, c, to);
        break;
    case TRACE_SIP_IN:
    case TRACE_SIP_OUT:
        print_sip(r, c, to);
        break;
    case TRACE_DHCP_IN:
    case TRACE_DHCP_OUT:
        print_dhcp(r, c, to);
        break;
    }
}

/* --- the newer form --- */

/* Process, its type, the state it waits in; the other one of the two. The numbers of types are
 * those of the original's processes. */
static const struct way {
    const char *signal, *state, *to, *from;
    unsigned to_type, from_type;
    bool from_network;
} ways[] = {
    [TRACE_SCCP_IN] = {"Station", "restart0", "StationD", "StationInit", 63, 64, true},
    [TRACE_SCCP_OUT] = {"StationOutput", "restart0", "StationInit", "StationD", 64, 63, false},
    [TRACE_SIP_IN] = {"SdlReadRsp", "wait", "SIPTcp", "SdlTCPConnection", 71, 14, true},
    [TRACE_SIP_OUT] = {"SIPSPISignal", "wait", "SIPTcp", "SIPHandler", 71, 80, false},
};

bool trace_print_signal(const struct trace_record *r, const struct trace_context *c,
                        struct writer *to)
{
    const struct way *w = r->kind < sizeof(ways) / sizeof(*ways) ? &ways[r->kind] : NULL;
    unsigned instance = (unsigned)(r->about.link % 10000000), node = c->node_number ? c->node_number : 1;
    struct reader stream = reader_of(r->bytes, r->len);
    char signal[64], process[2][48], ip[IP_TEXT_MAX], tag[160];
    struct sccp_frame frame;
    const char *name = "";

    if (!w || !w->signal)
        return false;
    if ((r->kind == TRACE_SCCP_IN || r->kind == TRACE_SCCP_OUT) &&
        sccp_frame_next(&stream, &frame) == 1 && !(name = sccp_message_name(frame.id)))
        name = "Unknown";
    snprintf(signal, sizeof(signal), "%s%s", w->signal, name);
    snprintf(process[0], sizeof(process[0]), "%s(%u,100,%u,%u)", w->to, node, w->to_type, instance);
    snprintf(process[1], sizeof(process[1]), "%s(%u,100,%u,%u)", w->from, node, w->from_type, instance);
    snprintf(tag, sizeof(tag), "%u,100,14,%u.%u^%s^%s", node, instance, c->number,
             ip_is_any(r->about.peer.ip) ? "*" : ip_print(r->about.peer.ip, ip),
             c->device.s[0] ? c->device.s : "*");
    write_format(to, "%-39s|%-31s|%-33s|%-33s|%-41s|%s", signal, w->state, process[0], process[1],
                 tag, w->from_network ? "*TraceFlagOverrode" : "[R:N-H:0,N:0,L:0,V:0,Z:0,D:0]");
    return true;
}

void trace_print_words(const struct trace_record *r, const struct trace_context *c,
                       struct writer *to)
{
    struct trace_context sdl = *c;

    sdl.sdl = true;
    trace_print(r, &sdl, to);
}
