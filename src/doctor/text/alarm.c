/* alarm.c - alarms in traces and event logs: CallManager's
 * ("%UC_CALLMANAGER-3-EndPointUnregistered: %[DeviceName=…]", before 8.5
 * "%CCM_CALLMANAGER-CALLMANAGER-3-DeviceUnregistered: … Device name.:SEP… Reason Code
 * [Optional].:8"), and those of a router that is one ("%IPPHONE-6-REGISTER: ephone-1:SEP…
 * IP:10.0.0.5 …"). */
#include <stdio.h>
#include <string.h>

#include "core/alarms.h"
#include "doctor/text/parts.h"

/* As words: "Device name [Optional].:SEP001122334455". */
static struct text in_words(struct text line, const char *words)
{
    static const char optional[] = "[Optional]";
    const char *at = memmem(line.at, line.len, words, strlen(words));
    struct text rest = {NULL, 0};

    if (!at)
        return rest;
    rest = text_skip(line, (size_t)(at - line.at) + strlen(words));
    while (rest.len && strchr(" .[", *rest.at))
        rest = text_skip(rest, text_starts(rest, optional) ? sizeof(optional) - 1 : 1);
    if (!rest.len || (*rest.at != ':' && *rest.at != '='))
        return (struct text){NULL, 0};
    return trace_after(rest, (const char[]){*rest.at, '\0'});
}

static struct text parameter(struct text line, const char *key, const char *words)
{
    struct text value = {NULL, 0};
    char mark[40];

    for (unsigned i = 0; i < 3 && !value.at; i++) {
        snprintf(mark, sizeof(mark), i == 0 ? "[%s=" : i == 1 ? " %s:" : ",%s:", key);
        value = trace_after(line, mark);
    }
    return value.at ? value : in_words(line, words);
}

/* "EndPointRegistered", before 8.5 "DeviceRegistered". */
static bool is_named(struct text name, const char *what)
{
    return (text_starts(name, "EndPoint") && text_is(text_skip(name, 8), what)) ||
           (text_starts(name, "Device") && text_is(text_skip(name, 6), what));
}

static void alarm_of(struct trace *t, struct text name, struct text line)
{
    struct text device = parameter(line, "DeviceName", "Device name"),
                ip = parameter(line, "IPAddress", "Device IP address");
    struct speaker *s = device.len ? trace_device(t, device) : NULL;
    uint32_t reason = 0;

    if (!s)
        return;
    text_to_u32(parameter(line, "Reason", "Reason Code"), 10, &reason);
    text_to_u32(parameter(line, "DeviceType", "Device type"), 10, &s->p.model);
    if (ip.len)
        ip_parse(ip, &s->p.phone.ip);
    s->p.sip = text_is(parameter(line, "Protocol", "Protocol"), "SIP");
    s->p.server = (struct endpoint){t->now.node, s->p.sip ? 5060 : 2000};
    s->p.interval_s = s->p.sip ? 120 : 30;
    s->p.silence_s = s->p.sip ? 130 : 90;
    if (s->p.sip && s->link[0]) { /* its messages are in the trace themselves */
        if (is_named(name, "TransientConnection"))
            text_sip_refused(t, device, reason);
        return;
    }
    if (is_named(name, "Registered") && trace_is_new(&s->p, &s->p.told_ns) && !s->p.registered)
        retold_registered(&s->p);
    else if (is_named(name, "TransientConnection") &&
             (s->p.asked || trace_is_new(&s->p, &s->p.refused_ns))) {
        retold_refused(&s->p, reason, NULL);
        s->p.refused_ns = t->r->at.time_ns;
    } else if (is_named(name, "Unregistered") && trace_is_new(&s->p, &s->p.left_ns))
        retold_gone(&s->p, reason);
}

bool text_alarm_text(struct trace *t, struct text line)
{
    struct text name = trace_after(line, "AlarmName:");

    if (!name.len)
        return false;
    alarm_of(t, name, line);
    return true;
}

/* ---- a router ---- */

/* "%IPPHONE-6-UNREGISTER_ABNORMAL: ephone-1:SEP… IP:10.0.0.5 Socket:2 DeviceType:Phone has
 * unregistered abnormally." */
static void router_says(struct trace *t, struct text name, struct text line)
{
    struct text device = trace_device_in(line), ip = trace_after(line, "IP:"),
                last = trace_after(line, "Last=");
    struct speaker *s = device.len ? trace_device(t, device) : NULL;

    if (!s)
        return;
    if (ip.len)
        ip_parse(ip, &s->p.phone.ip);
    s->p.interval_s = 30;
    s->p.silence_s = 90;
    if (text_starts(name, "REGISTER"))
        retold_registered(&s->p);
    else if (text_is(name, "UNREGISTER_NORMAL"))
        retold_gone(&s->p, UNREGISTERED_DEVICE_UNREGISTERED);
    else if (text_starts(name, "UNREGISTER"))
        retold_gone(&s->p, UNREGISTERED_CONNECTIVITY_ERROR);
    else if (text_is(name, "REG_ALARM") && last.len) {
        char words[80];

        text_copy(words, sizeof(words),
                  (struct text){last.at, (size_t)(line.at + line.len - last.at)});
        retold_said(&s->p, 0, words);
    }
}

/* ---- lines of an event log ---- */

static const char *mark_of(struct text line)
{
    static const char *const marks[] = {"%UC_", "%CCM_", "%IPPHONE-", "%VOIPPHONE-"};
    const char *at = NULL;

    for (size_t i = 0; i < sizeof(marks) / sizeof(*marks) && !at; i++)
        at = memmem(line.at, line.len, marks[i], strlen(marks[i]));
    return at;
}

/* "Jul 02 2015 06:22:31.123 UTC", "*Mar  1 00:12:31.123", "Nov  1 06:22:31" at the start; false: it
 * is no date. */
static bool date_at(struct trace *t, struct text r)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const char *month = r.len > 14 && r.at[3] == ' ' ? memmem(months, 36, r.at, 3) : NULL;
    int64_t tod;
    int day, year = 1970, used = 0;
    char date[24];

    if (!month || (month - months) % 3)
        return false;
    text_copy(date, sizeof(date), text_skip(r, 4));
    if (sscanf(date, "%2d %4d%n", &day, &year, &used) != 2 || year < 1970) {
        year = 1970;
        if (sscanf(date, "%2d%n", &day, &used) != 1)
            return false;
    }
    if (!trace_clock(text_trim(text_skip(r, 4 + (size_t)used)), &tod))
        return false;
    trace_date(t, year, (int)(month - months) / 3 + 1, day);
    t->now.zone_ns = 0;
    trace_at(t, tod);
    return true;
}

bool text_alarm_time(struct trace *t, struct text line)
{
    const char *at = mark_of(line);

    if (!at && text_ends(text_trim(line), " UTC :")) /* its alarm stands in the next line */
        at = line.at + line.len;
    if (!at)
        return false;
    for (struct text r = {line.at, (size_t)(at - line.at)}; r.len > 14; r = text_skip(r, 1))
        if (date_at(t, r))
            break;
    return true;
}

bool text_alarm_line(struct trace *t, struct text line)
{
    struct text rest, name;

    if (!mark_of(line) && t->alarm[0] && trace_has(line, "DeviceName=")) {
        alarm_of(t, text_of(t->alarm), line);
        t->alarm[0] = '\0';
        return true;
    }
    if (!text_alarm_time(t, line) || !mark_of(line))
        return mark_of(line) || text_ends(text_trim(line), " UTC :");
    rest = text_skip(line, (size_t)(mark_of(line) - line.at));
    name = text_trim(text_split(&rest, ':'));
    for (const char *dash = memchr(name.at, '-', name.len); dash;
         dash = memchr(name.at, '-', name.len))
        name = text_skip(name, (size_t)(dash - name.at) + 1);
    if (memmem(line.at, line.len, "PHONE-", 6))
        router_says(t, name, rest);
    else if (rest.at && text_trim(rest).len)
        alarm_of(t, name, rest);
    else
        text_copy(t->alarm, sizeof(t->alarm), name);
    return true;
}
