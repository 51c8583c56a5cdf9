/* text_console.c - console logs and status messages of phones: what the phone itself says of files,
 * DHCP, DNS.
 *
 *   NOT 11:52:15.218462 TFTP: [9]:Requesting SEP001122334455.cnf.xml from 10.0.0.1 with size limit
 * of 6291456 2254 NOT Mar 09 12:58:25.483319 (555:655) downd-…      11:52:15 File Not Found :
 * CTLSEP001122334455.tlv */
#include <stdio.h>
#include <string.h>

#include "doctor/text_parts.h"

#define CLOCK_MAX 48 /* so far from the start of the line the time stands at most */
#define SECOND_NS 1000000000LL
#define TRIES     4 /* what "time-out" means: asked so often, no answer */

static bool has(struct text line, const char *part)
{
    return text_contains_nocase(line, text_of(part));
}

/* A level, or a time, at the start. */
static bool is_console(struct trace *t, struct text line)
{
    static const char *const levels[] = {"NOT ", "ERR ",  "WRN ",   "INF ",
                                         "DBG ", "INFO ", "NOTICE "};
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
    struct ip server = t->node;

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
        place(t, t->node, TFTP_PORT);
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
    place(t, t->node, TFTP_PORT);
    t->r->at.time_ns -= TRIES * 4 * SECOND_NS;
    for (int i = 0; i < TRIES; i++) {
        retell_file_asked(t->r, retell_flow(t->r), text_of(file));
        t->r->at.time_ns += 4 * SECOND_NS;
    }
}

static void dns_failed(struct trace *t, bool unknown)
{
    place(t, t->node, 53);
    retell_dns(t->r, false, 0, "(a server's name)");
    if (unknown)
        retell_dns(t->r, true, DNS_NAME_ERROR, "(a server's name)");
}

/* "… sipio-sent---> REGISTER sip:10.0.0.1 SIP/2.0": the message begins in the line of the log. */
static bool sip_starts(struct trace *t, struct text line)
{
    const char *at = memmem(line.at, line.len, "---", 3);
    struct text rest;

    if (!at)
        return false;
    rest = text_trim(text_skip(line, (size_t)(at - line.at) + 3));
    while (rest.len && strchr("->< ", *rest.at))
        rest = text_skip(rest, 1);
    t->sip.tcp = true;
    return text_sip_begins(t, rest);
}

bool text_console_line(struct trace *t, struct text line)
{
    struct text name = trace_device_in(line);

    if (!is_console(t, line) || sip_starts(t, line))
        return t->sip.open;
    if (name.len)
        t->device = device_name_of(name);
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
