/* files.c - lines of the file servers: ctftp, HTTP on 6970, and ours. */
#include <string.h>

#include "doctor/text/parts.h"
#include "wire/boot/tftp.h"

static struct text bracketed(struct text line, const char *mark)
{
    const char *at = memmem(line.at, line.len, mark, strlen(mark)), *end;
    struct text none = {NULL, 0};

    if (!at)
        return none;
    at += strlen(mark);
    end = memchr(at, ']', (size_t)(line.at + line.len - at));
    return end ? (struct text){at, (size_t)(end - at)} : none;
}

/* "[0xf4d26318~5~192.0.2.11~51909]": the client. */
static bool client_in(struct text line, struct endpoint *ret)
{
    struct text list = bracketed(line, "["), part[4];
    uint32_t port;

    for (int i = 0; i < 4; i++)
        part[i] = text_split(&list, '~');
    if (!part[3].len || ip_parse(part[2], &ret->ip) < 0 || text_to_u32(part[3], 10, &port) < 0)
        return false;
    ret->port = (uint16_t)port;
    return true;
}

static struct speaker *transfer(struct trace *t, const struct endpoint *client, uint16_t port)
{
    char key[ENDPOINT_TEXT_MAX + 2] = "F";
    struct speaker *s;

    endpoint_print(client, key + 1);
    if ((s = trace_speaker(t, key))) {
        s->p.phone = *client;
        s->p.server = (struct endpoint){t->now.node, port};
        s->p.mac = (struct mac){{0}};
        retold_place(&s->p);
    }
    return s;
}

static void asked(struct trace *t, struct speaker *s, struct text name)
{
    struct tftp_packet oack = {.op = TFTP_OACK};
    struct sight begun = {.kind = SIGHT_TFTP, .flow = s->p.flow = retell_flow(t->r), .tftp = &oack};

    retell_file_asked(t->r, s->p.flow, name);
    if (s->p.server.port != TFTP_PORT)
        return;
    begun.at = t->r->at; /* what came of it the trace tells only when it is a refusal */
    begun.at.from = s->p.server;
    begun.at.to = s->p.phone;
    t->r->on_sight(t->r->context, &begun);
}

static bool tftp_line(struct trace *t, struct text line)
{
    struct endpoint client = {.port = 0};
    struct text file;
    struct speaker *s;
    uint32_t code = 0;

    if (!trace_has(line, "TFTPEngine::isReadRequest") && !trace_has(line, "TFTPEngine::sendNAK"))
        return false;
    if (!client_in(line, &client) || !(s = transfer(t, &client, TFTP_PORT)))
        return true;
    if (trace_has(line, "isReadRequest") && (file = bracketed(line, ", [")).len) {
        asked(t, s, file);
    } else if (trace_has(line, "sendNAK")) {
        text_to_u32(trace_after(line, "Error("), 10, &code);
        if (s->p.flow)
            retell_file_refused(t->r, s->p.flow, code, TEXT(""));
    }
    return true;
}

/* One request at a time: its file, who asked, and "File Not Found - 404". */
static bool http_line(struct trace *t, struct text line)
{
    struct endpoint client = {.ip = t->asker, .port = 0};
    struct speaker *s;
    struct text file;

    if (trace_has(line, "ReassociateIndication from ")) {
        ip_parse(trace_after(line, "ReassociateIndication from "), &t->asker);
        return true;
    }
    if (trace_has(line, "Decode successful - Filename is : ")) {
        file = trace_after(line, "Filename is : ");
        if (t->asker.family && (s = transfer(t, &client, 6970)))
            asked(t, s, file);
        return true;
    }
    if (!trace_has(line, "File Not Found - 404"))
        return false;
    if (t->asker.family && (s = transfer(t, &client, 6970)) && s->p.flow)
        retell_file_refused(t->r, s->p.flow, 404, TEXT("Not Found"));
    return true;
}

/* Ours: "TFTPEngine - SEP….cnf.xml to 10.0.0.5: sent, 1234 bytes, …". */
static bool our_file_line(struct trace *t, struct text line)
{
    bool http = text_starts(line, "HTTPServer - ");
    struct endpoint client = {.port = 1};
    struct text rest = line, name, to;
    struct speaker *s;
    uint32_t bytes = 0, flow;

    if (!http && !text_starts(line, "TFTPEngine - "))
        return false;
    rest = text_skip(rest, 13);
    name = trace_after(rest, "");
    to = trace_after(rest, " to ");
    if (to.len && to.at[to.len - 1] == ':')
        to.len--;
    if (ip_parse(to, &client.ip) < 0 || !(s = transfer(t, &client, http ? 6970 : TFTP_PORT)))
        return true;
    flow = retell_flow(t->r);
    retell_file_asked(t->r, flow, name);
    if (trace_has(line, ": not found"))
        retell_file_refused(t->r, flow, http ? 404 : TFTP_ERROR_NOT_FOUND, TEXT("not found"));
    else if (trace_has(line, ": refused"))
        retell_file_refused(t->r, flow, http ? 403 : TFTP_ERROR_ACCESS, TEXT("refused"));
    else if (trace_has(line, ": sent, ") &&
             text_to_u32(trace_after(line, ": sent, "), 10, &bytes) == 0)
        retell_file_sent(t->r, flow, name, SIGHT_SIZE_UNKNOWN);
    return true;
}

bool text_file_line(struct trace *t, struct text line)
{
    return our_file_line(t, line) || tftp_line(t, line) || http_line(t, line);
}
