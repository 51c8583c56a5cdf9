/* console.c - console logs and status messages of phones: what the phone itself says of files,
 * DHCP, DNS.
 *
 *   NOT 11:52:15.218462 TFTP: [9]:Requesting SEP001122334455.cnf.xml from 10.0.0.1 with size limit
 * of 6291456 2254 NOT Mar 09 12:58:25.483319 (555:655) downd-…      11:52:15 File Not Found :
 * CTLSEP001122334455.tlv */
#include <stdio.h>
#include <string.h>

#include "doctor/text/parts.h"

#define CLOCK_MAX 48 /* so far from the start of the line the time stands at most */
#define SECOND_NS 1000000000LL
#define TRIES     4 /* what "time-out" means: asked so often, no answer */

static bool has(struct text line, const char *part)
{
    return text_contains_nocase(line, text_of(part));
}

/* A level, or a time, at the start. */
bool text_console_time(struct trace *t, struct text line)
{
    static const char *const levels[] = {"NOT ", "ERR ",  "WRN ",    "INF ",   "DBG ",  "DEB ",
                                         "CRT ", "INFO ", "NOTICE ", "DEBUG ", "ERROR "};
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct text head = {line.at, line.len < CLOCK_MAX ? line.len : CLOCK_MAX};
    bool level = false;
    int64_t tod;

    for (size_t i = 0; i < sizeof(levels) / sizeof(*levels); i++)
        level = level || memmem(head.at, head.len, levels[i], strlen(levels[i]));
    for (struct text r = head; r.len >= 7; r = text_skip(r, 1)) {
        const char *month = r.len > 6 && r.at[3] == ' ' ? memmem(months, 36, r.at, 3) : NULL;
        int day;

        if (month && (month - months) % 3 == 0 && sscanf(r.at + 4, "%2d", &day) == 1 && level)
            trace_date(t, 1970, (int)(month - months) / 3 + 1, day);
        if ((r.at == line.at || strchr(" [", r.at[-1])) && trace_clock(r, &tod)) {
            trace_at(t, tod);
            return level || r.at <= line.at + 12;
        }
    }
    return level;
}

/* Whose log it is: as its SIP messages say. */
void text_console_look(struct trace *t, struct text head)
{
    struct text via = trace_after(head, "Via: SIP/2.0/");
    char host[IP_TEXT_MAX];

    t->device_ip = (struct ip){0};
    if (!via.len || !memmem(head.at, head.len, "sipio-", 6))
        return;
    via = text_skip(via, via.len);
    text_copy(host, sizeof(host),
              trace_after((struct text){via.at, via.at + 40 < head.at + head.len ? 40 : 0}, " "));
    for (char *c = host; *c; c++)
        if (*c == ':')
            *c = '\0';
    ip_parse(text_of(host), &t->device_ip);
}

static void place(struct trace *t, struct ip server, uint16_t port)
{
    struct ip me = t->device_ip.family ? t->device_ip : ip_v4(1); /* it does not say */

    t->r->mac = (struct mac){{0}};
    device_name_mac(t->device, &t->r->mac);
    t->r->phone = (struct endpoint){me, 50000};
    t->r->server = (struct endpoint){server, port};
}

/* "[9]" is a download until it is over. */
static struct speaker *download(struct trace *t, struct text line)
{
    const char *at = memmem(line.at, line.len, "TFTP: [", 7);
    unsigned number = 0;
    char key[24];

    if (at)
        sscanf(at + 7, "%8u", &number);
    snprintf(key, sizeof(key), "C%u", number);
    return trace_speaker(t, key);
}

static void asks(struct trace *t, struct text line)
{
    struct text name = trace_after(line, "Requesting "), from = trace_after(line, " from ");
    struct speaker *s = download(t, line);
    struct ip server = t->now.node;

    if (!s || !name.len)
        return;
    if (text_starts(from, "::ffff:"))
        from = text_skip(from, 7);
    ip_parse(from, &server);
    place(t, server, has(line, "http") ? 6970 : TFTP_PORT);
    s->p.flow = retell_flow(t->r);
    s->p.server = t->r->server;
    text_copy(s->file, sizeof(s->file), name);
    retell_file_asked(t->r, s->p.flow, name);
}

/* The file of the message, or of the download it belongs to. */
static void over(struct trace *t, struct text line, bool found)
{
    struct speaker *s = download(t, line);
    struct text rest = line, name = trace_device_in(line);
    const char *at = memmem(line.at, line.len, ": ", 2);

    if (!s)
        return;
    if (!found && !s->p.flow) { /* a status message: only the name is told */
        while (at && (rest = text_trim(text_skip(line, (size_t)(at - line.at) + 2))).len &&
               memchr(rest.at, ' ', rest.len))
            at = memmem(rest.at, rest.len, " ", 1);
        name = rest.len && rest.len < sizeof(s->file) ? rest : name;
        if (!memchr(name.at, '.', name.len))
            return;
        text_copy(s->file, sizeof(s->file), name);
        place(t, t->now.node, TFTP_PORT);
        s->p.server = t->r->server;
        retell_file_asked(t->r, s->p.flow = retell_flow(t->r), text_of(s->file));
    }
    if (!s->p.flow)
        return;
    place(t, s->p.server.ip, s->p.server.port);
    if (found)
        retell_file_sent(t->r, s->p.flow, text_of(s->file), SIGHT_SIZE_UNKNOWN);
    else
        retell_file_refused(t->r, s->p.flow, s->p.server.port == TFTP_PORT ? 1 : 404,
                            TEXT("File not found"));
    s->p.flow = 0;
}

static void dhcp_silent(struct trace *t)
{
    place(t, (struct ip){0}, 67);
    t->r->phone = (struct endpoint){ip_v4(0), 68};
    t->r->at.time_ns -= TRIES * 4 * SECOND_NS;
    for (int i = 0; i < TRIES; i++) {
        retell_dhcp_begin(t->r, DHCP_DISCOVER);
        dhcp_set_vendor_class(&t->r->dhcp, TEXT("Cisco Systems, Inc. IP Phone"));
        retell_dhcp(t->r);
        t->r->at.time_ns += 4 * SECOND_NS;
    }
}

static void tftp_silent(struct trace *t, struct text line)
{
    struct text name = trace_device_in(line);
    char file[64];

    if (!name.len)
        name = text_of(t->device.s);
    if (!name.len)
        return;
    snprintf(file, sizeof(file), "%.*s.cnf.xml", TEXT_ARG(name));
    place(t, t->now.node, TFTP_PORT);
    t->r->at.time_ns -= TRIES * 4 * SECOND_NS;
    for (int i = 0; i < TRIES; i++) {
        retell_file_asked(t->r, retell_flow(t->r), text_of(file));
        t->r->at.time_ns += 4 * SECOND_NS;
    }
}

static void dns_failed(struct trace *t, bool unknown)
{
    place(t, t->now.node, 53);
    retell_dns(t->r, false, 0, "(a server's name)");
    if (unknown)
        retell_dns(t->r, true, DNS_NAME_ERROR, "(a server's name)");
}

/* ---- newer kinds: a program each for the list of servers, HTTP, TFTP ---- */

static void fetch_asked(struct trace *t, struct text name)
{
    struct text_fetch *f = &t->fetch;

    text_copy(f->file, sizeof(f->file), name);
    place(t, f->server, f->http ? 6970 : TFTP_PORT);
    f->flow = retell_flow(t->r);
    f->refused = false;
    retell_file_asked(t->r, f->flow, name);
}

static void fetch_over(struct trace *t, unsigned refusal)
{
    struct text_fetch *f = &t->fetch;

    if (!f->flow || f->refused)
        return;
    place(t, f->server, f->http ? 6970 : TFTP_PORT);
    if (refusal) {
        retell_file_refused(t->r, f->flow, refusal,
                            refusal == 503 ? TEXT("Service Unavailable") : TEXT("File not found"));
        f->refused = true;
    } else {
        retell_file_sent(t->r, f->flow, text_of(f->file), SIGHT_SIZE_UNKNOWN);
        f->flow = 0;
    }
}

/* "arg[2] 10.0.0.1", "arg[4] SEP….cnf.xml.sgn" of the program that fetches, "complete - status =
 * 100". */
static bool fetch_line(struct trace *t, struct text line)
{
    struct text file = trace_after(line, "arg[4] "), status = trace_after(line, "HTTP/1.1 ");
    uint32_t code = 0;

    if (!has(line, "downd-") && !has(line, "GHTTP-") && !has(line, "TFTPD-"))
        return false;
    if (has(line, "arg[0] ")) {
        t->fetch = (struct text_fetch){.server = t->fetch.server, .http = has(line, "gethtp")};
    } else if (has(line, "arg[2] ")) {
        ip_parse(trace_after(line, "arg[2] "), &t->fetch.server);
    } else if (file.len && memchr(file.at, '.', file.len)) {
        fetch_asked(t, file);
    } else if (status.len && text_to_u32(status, 10, &code) == 0 && code >= 400) {
        fetch_over(t, code);
    } else if (has(line, "TFTPD-Error") && has(line, "file not found")) {
        fetch_over(t, TFTP_ERROR_NOT_FOUND);
    } else if (has(line, "complete - status = 100")) {
        fetch_over(t, 0);
    }
    return true;
}

struct text text_console_record(struct text line, char thread[static 24])
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct text rest = line, number = text_split(&rest, ' '), level = text_split(&rest, ' '), who;
    struct text none = {NULL, 0};
    const char *dash;
    uint32_t ignored;
    int64_t tod;

    thread[0] = '\0';
    if (text_to_u32(number, 10, &ignored) < 0) { /* older ones do not count their records */
        rest = line;
        level = text_split(&rest, ' ');
    }
    if (level.len != 3 || !rest.at)
        return none;
    if (rest.len > 16 && rest.at[3] == ' ' && memmem(months, 36, rest.at, 3))
        rest = text_skip(rest, 7);
    if (!trace_clock(rest, &tod))
        return none;
    text_split(&rest, ' ');
    who = rest;
    if (rest.len && *rest.at == '(') {
        text_copy(thread, 24, text_split(&who, ' '));
        rest = who;
    }
    dash = rest.at ? memchr(rest.at, '-', rest.len) : NULL;
    return dash ? text_skip(rest, (size_t)(dash - rest.at) + 1) : rest.at ? rest : TEXT("");
}

/* "… sipio-sent---> REGISTER sip:10.0.0.1 SIP/2.0": the message begins in the line of the log. */
static bool sip_starts(struct trace *t, struct text line)
{
    const char *at = memmem(line.at, line.len, "sipio-", 6);
    struct text rest;

    if (!at || !(at = memmem(at, (size_t)(line.at + line.len - at), "---", 3)))
        return false;
    rest = text_trim(text_skip(line, (size_t)(at - line.at) + 3));
    while (rest.len && strchr("->< ", *rest.at))
        rest = text_skip(rest, 1);
    t->sip.tcp = true;
    if (!text_sip_begins(t, rest))
        return false;
    text_console_record(line, t->sip.thread);
    return true;
}

bool text_console_line(struct trace *t, struct text line)
{
    struct text name = trace_device_in(line);

    if (!text_console_time(t, line) || sip_starts(t, line))
        return t->sip.open;
    if (name.len)
        t->device = device_name_of(name);
    if (fetch_line(t, line))
        return true;
    if (has(line, "Requesting ") && has(line, " from "))
        asks(t, line);
    else if (has(line, "Finished --> rcvd") || has(line, "Finished -->"))
        over(t, line, true);
    else if (has(line, "file not found"))
        over(t, line, false);
    else if (has(line, "DHCP timeout") || has(line, "Could not acquire an IP address from DHCP"))
        dhcp_silent(t);
    else if (has(line, "TFTP timeout"))
        tftp_silent(t, line);
    else if (has(line, "DNS unknown host"))
        dns_failed(t, true);
    else if (has(line, "DNS timeout"))
        dns_failed(t, false);
    else if (has(line, "SIP message"))
        text_sip_head(t, line);
    return true;
}
