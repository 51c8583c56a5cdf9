/* sip.c - SIP messages that stand whole in a trace or a console log. */
#include "doctor/text/parts.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "core/alarms.h"

#define HEAD SIZE_MAX /* text_sip.body while the head is read */

/* A line that begins with a method and ends with the version, or the other way round. */
static bool is_start(struct text line)
{
    static const char *const methods[] = {"REGISTER sip", "NOTIFY sip", "REFER sip"};

    if (text_starts(line, "SIP/2.0 ") && line.len > 11)
        return true;
    for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++)
        if (text_starts(line, methods[i]) && text_ends(line, "SIP/2.0"))
            return true;
    return false;
}

/* "… from 10.0.0.5 on port 50002 index 5 …", "… to 10.0.0.5:[5060]:", "… to <10.0.0.1>:<5060>": who
 * it is. */
void text_sip_head(struct trace *t, struct text line)
{
    bool from = text_contains_nocase(line, TEXT("Incoming")) ||
                text_contains_nocase(line, TEXT("Received"));
    struct text ip = trace_after(line, from ? " from " : " to "),
                port = trace_after(line, " port ");
    uint32_t number = 5060;

    text_sip_over(t);
    t->sip.peer = (struct endpoint){0};
    t->sip.tcp = text_contains_nocase(line, TEXT("TCP"));
    if (!ip.at)
        return;
    if (!port.at)
        port = trace_after(line, ":[");
    for (size_t i = 0; i < ip.len; i++)
        if (ip.at[i] == ':' && memchr(ip.at, '.', i))
            ip.len = i;
    if (ip_parse(ip, &t->sip.peer.ip) == 0 && text_to_u32(port, 10, &number) == 0)
        t->sip.peer.port = (uint16_t)number;
    if (!t->sip.peer.port)
        t->sip.peer.port = 5060;
}

static bool is_from_phone(const struct sip_message *m)
{
    return !m->status && m->method != SIP_NOTIFY;
}

/* The other end, as far as the message itself tells. */
static struct endpoint from_via(const struct sip_message *m)
{
    struct endpoint e = {.port = m->via.port ? m->via.port : 5060};

    if (ip_parse(m->via.host, &e.ip) < 0)
        e.ip = (struct ip){0};
    return e;
}

/* "SEP…" in it, or out of its instance ("urn:uuid:00000000-0000-0000-0000-001122334455"). */
static struct device_name device_of(struct text message)
{
    struct text name = trace_device_in(message), id = trace_after(message, "urn:uuid:");
    struct mac mac;

    if (name.len)
        return device_name_of(name);
    if (id.len >= 36 && mac_parse((struct text){id.at + 24, 12}, &mac) == 0)
        return device_name_of_mac(mac);
    return (struct device_name){""};
}

static void keep_request(struct trace *t, struct speaker *s, const struct sip_message *m,
                         struct text message)
{
    static const enum sip_header_id rows[] = {SIP_VIA, SIP_FROM, SIP_TO, SIP_CALL_ID};
    static const char *const names[] = {"Via", "From", "To", "Call-ID"};
    struct writer w = writer_of(s->request, sizeof(s->request) - 1);
    struct device_name device = device_of(message);
    struct speaker *d = device.s[0] ? trace_device(t, text_of(device.s)) : NULL;

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        write_format(&w, "%s: ", names[i]);
        write_text(&w, sip_value(m, rows[i]));
        write_string(&w, "\r\n");
    }
    write_format(&w, "CSeq: %u REGISTER\r\n", m->cseq);
    s->request[w.bad ? 0 : writer_len(&w)] = '\0';
    if (d)
        memcpy(d->link, s->key, sizeof(d->link));
}

void text_sip_refused(struct trace *t, struct text device, uint32_t code)
{
    struct speaker *d = trace_device(t, device), *s = d ? trace_known(t, d->link) : NULL;
    char message[800];
    unsigned status;
    const char *words = retold_refusal(code, &status);

    if (!s || !s->request[0])
        return;
    snprintf(message, sizeof(message), "SIP/2.0 %u %s\r\n%sContent-Length: 0\r\n\r\n", status,
             status == 404 ? "Auto-registration failed"
             : words       ? words
                           : reason_transient(code)->text,
             s->request);
    s->request[0] = '\0';
    t->r->mac = (struct mac){{0}};
    retold_place(&s->p);
    retell_sip(t->r, s->p.flow, false, text_of(message));
}

static void tell(struct trace *t, const struct sip_message *m, struct text message)
{
    struct endpoint via = from_via(m), peer = t->sip.peer;
    char key[ENDPOINT_TEXT_MAX + 2] = "S";
    struct speaker *s;
    bool from_phone = is_from_phone(m);
    struct ip host;

    /* A phone's own log names the server as its peer, a server's trace the phone; Via is the
     * phone's in both. */
    if (!peer.ip.family || (via.ip.family && m->method != SIP_NOTIFY && t->now.node.family == 0))
        peer = via;
    if (!peer.ip.family)
        return;
    endpoint_print(&peer, key + 1);
    if (!(s = trace_speaker(t, key)))
        return;
    s->p.phone = peer;
    if (t->now.node.family || !s->p.server.ip.family)
        s->p.server = (struct endpoint){t->now.node, 5060};
    if (!t->now.node.family && !m->status && m->method == SIP_REGISTER &&
        ip_parse(m->target.host, &host) == 0)
        s->p.server.ip = host;
    if (t->sip.tcp && !s->p.connected) {
        s->p.connected = true;
        s->p.flow = retell_flow(t->r);
    }
    if (m->method == SIP_REGISTER && from_phone)
        keep_request(t, s, m, message);
    else if (m->method == SIP_REGISTER && m->status >= 200)
        s->request[0] = '\0';
    t->r->mac = (struct mac){{0}};
    t->r->phone = s->p.phone;
    t->r->server = s->p.server;
    retell_sip(t->r, t->sip.tcp ? s->p.flow : 0, from_phone, message);
}

void text_sip_over(struct trace *t)
{
    struct text message = {t->sip.bytes, t->sip.n};
    static _Thread_local struct sip_message m;

    uint64_t number = t->r->at.number;

    if (!t->sip.open)
        return;
    t->sip.open = false;
    t->r->at.number = t->sip.number;
    if (t->sip.body == HEAD && t->sip.n + 2 <= sizeof(t->sip.bytes)) { /* the empty line was lost */
        memcpy(t->sip.bytes + t->sip.n, "\r\n", 2);
        message.len += 2;
    }
    if (sip_parse(message.at, message.len, &m) == 0)
        tell(t, &m, message);
    t->sip.peer = (struct endpoint){0};
    t->r->at.number = number;
}

/* "Name: value", or the rest of such a line. */
static bool is_header(struct text line)
{
    size_t n = 0;

    if (!line.len || *line.at == ' ' || *line.at == '\t')
        return true;
    while (n < line.len && (isalnum((unsigned char)line.at[n]) || strchr("-.!%*_+`'~", line.at[n])))
        n++;
    while (n < line.len && line.at[n] == ' ')
        n++;
    return n && n < line.len && line.at[n] == ':';
}

/* Without what a log puts around its lines. */
static struct text bare(struct text line)
{
    if (line.len && *line.at == '\t')
        line = text_skip(line, 1);
    if (line.len >= 2 && memcmp(line.at + line.len - 2, "^M", 2) == 0)
        line.len -= 2;
    return line;
}

/* Where a quotation mark was lost, as in prints of such messages ("<urn:uuid:…>;+u.sip…");
 * line.len: nowhere. */
static size_t unclosed(struct text line)
{
    const char *at = memmem(line.at, line.len, "\"<urn:uuid:", 11), *end;

    end = at ? memchr(at, '>', (size_t)(line.at + line.len - at)) : NULL;
    return end && end + 1 < line.at + line.len && end[1] == ';' ? (size_t)(end + 1 - line.at)
                                                                : line.len;
}

static void add(struct trace *t, struct text line)
{
    struct text_sip *s = &t->sip;
    size_t quote;

    if (s->n + line.len + 3 > sizeof(s->bytes)) {
        text_sip_over(t);
        return;
    }
    quote = unclosed(line);
    memcpy(s->bytes + s->n, line.at, quote);
    s->n += quote;
    if (quote < line.len)
        s->bytes[s->n++] = '"';
    memcpy(s->bytes + s->n, line.at + quote, line.len - quote);
    memcpy(s->bytes + s->n + line.len - quote, "\r\n", 2);
    s->n += line.len - quote + 2;
}

/* Of the head that was read. */
static size_t body_length(const struct text_sip *s)
{
    struct text head = {s->bytes, s->n}, line;
    uint32_t n = 0;

    while (head.at && head.len) {
        line = text_split(&head, '\n');
        if (text_starts_nocase(line, "Content-Length:") || text_starts_nocase(line, "l:"))
            text_to_u32(text_trim(text_skip(line, line.at[0] == 'l' ? 2 : 15)), 10, &n);
    }
    return n < TEXT_LINE_MAX ? n : 0;
}

/* Lines of a trace are known by their clock: they end a message that was cut. */
static bool is_trace_line(struct text line)
{
    int64_t ignored;

    return (line.len > 14 && line.at[8] == '.' && line.at[12] == ' ') ||
           trace_clock(line, &ignored) > 8;
}

/* A record of a log: goes on with the message when its writer was in the middle of it. */
static bool goes_on(struct trace *t, struct text line)
{
    struct text_sip *s = &t->sip;
    char thread[24];
    struct text says = text_console_record(line, thread);

    if (!says.at)
        return false;
    if (!thread[0] || strcmp(thread, s->thread) || text_starts(says, "::End-Of-Sip-Message") ||
        text_starts(says, "SIPCC-") || text_starts(says, "[[") || text_starts(says, "SIP :")) {
        text_sip_over(t);
        return true;
    }
    if (s->n >= 2 && s->n - 2 + says.len + 2 <= sizeof(s->bytes)) {
        s->n -= 2; /* the line was cut in two */
        add(t, bare(says));
    }
    return true;
}

/* An empty line that is none of the message's: every second one is, where the lines were spread. */
static bool is_spread(struct text_sip *s, struct text line)
{
    bool blank = s->blank;

    s->blank = !line.len;
    if (!line.len && memchr(s->bytes, '\n', s->n) == s->bytes + s->n - 1)
        s->spread = true; /* behind the first line */
    return s->spread && !line.len && !blank;
}

bool text_sip_line(struct trace *t, struct text line)
{
    struct text_sip *s = &t->sip;

    if (!s->open)
        return false;
    if (is_trace_line(line) || is_start(line)) {
        text_sip_over(t);
        return false;
    }
    if (goes_on(t, line))
        return s->open;
    line = bare(line);
    if (is_spread(s, line))
        return true;
    if (s->body == HEAD && !is_header(line)) { /* other text: the empty line was lost */
        text_sip_over(t);
        return false;
    }
    if (s->body == HEAD && !line.len) {
        add(t, line);
        if (s->open && !(s->body = body_length(s)))
            text_sip_over(t);
        return true;
    }
    add(t, line);
    if (s->open && s->body != HEAD) {
        s->body -= line.len + 2 < s->body ? line.len + 2 : s->body;
        if (!s->body)
            text_sip_over(t);
    }
    return true;
}

bool text_sip_begins(struct trace *t, struct text line)
{
    if (!is_start(bare(line)))
        return false;
    t->sip.n = 0;
    t->sip.body = HEAD;
    t->sip.open = true;
    t->sip.spread = t->sip.blank = false;
    t->sip.thread[0] = '\0';
    t->sip.number = t->r->at.number;
    add(t, bare(line));
    return true;
}
