/* ccm.c - lines of CallManager's traces: SDL ("00123.001 |12:00:01.234 |AppInfo  |StationD:
 * (0000045) RegisterAck …"), the older ccm ("12:00:01.234 CCM|StationD - stationOutputRegisterAck
 * tcpHandle=0x…"), ours, ctftp, and alarms. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "core/alarms.h"
#include "doctor/text/parts.h"

#define SAME_NS 3000000000LL /* an alarm and the message that it is about */

/* ---- the head of a line ---- */

static bool is_number(char c)
{
    return (c >= '0' && c <= '9') || c == '.';
}

/* Behind the number "00000123.001 |", also behind what a search puts before it ("Line 12: ",
 * "SDL001_100_000001.txt:"), or behind the bar alone. */
static struct text behind_number(struct text line)
{
    size_t far = line.len < 120 ? line.len : 120;

    for (size_t i = 0; i + 1 < far; i++)
        if (line.at[i] == '|' && i + 9 < line.len && line.at[i + 3] == ':' &&
            (!i || line.at[i - 1] == ' ')) {
            size_t n = i;

            while (n > 1 && is_number(line.at[n - 2]))
                n--;
            if (!i || i - n >= 7)
                return text_skip(line, i + 1);
        }
    return line;
}

/* What stands behind number, time and kind; at == NULL: it is no such line. */
static struct text content_of(struct trace *t, struct text line, struct text *kind)
{
    struct text none = {NULL, 0}, rest = behind_number(line);
    int64_t tod;
    size_t n;
    int month, day, year;
    char date[12];

    if (rest.len > 11 && rest.at[2] == '/' && rest.at[5] == '/') {
        text_copy(date, sizeof(date), (struct text){rest.at, 10});
        if (sscanf(date, "%2d/%2d/%4d", &month, &day, &year) == 3)
            trace_date(t, year, month, day);
        rest = text_skip(rest, 11);
    }
    if (!(n = trace_clock(rest, &tod)) || rest.len < n + 2 || rest.at[n] != ' ')
        return none;
    rest = text_skip(rest, n + 1);
    if (rest.at[0] == '|')
        rest = text_skip(rest, 1);
    else if (!text_starts(rest, "CCM") && !text_starts(rest, "TFTP") && !text_starts(rest, "DHCP"))
        return none;
    line = rest;
    *kind = text_trim(text_split(&rest, '|'));
    if (!rest.at && !text_starts(line, "SIP"))
        return none;
    trace_at(t, tod);
    return rest.at ? rest : line; /* the kind may have been left out */
}

static void file_head(struct trace *t, struct text line)
{
    struct text date = trace_after(line, "Date:"), zone = trace_after(line, "UTC:");
    int y, m, d, h = 0, minute = 0;
    int64_t tod = t->now.tod_ns;
    char words[16];

    text_copy(words, sizeof(words), zone);
    if (sscanf(words, "%3d:%2d", &h, &minute) >= 1 && h > -15 && h < 15)
        t->now.zone_ns =
            (h * 3600LL + (h < 0 || words[0] == '-' ? -minute : minute) * 60LL) * 1000000000LL;
    text_copy(words, sizeof(words), date);
    if (sscanf(words, "%4d/%2d/%2d", &y, &m, &d) == 3)
        trace_date(t, y, m, d);
    trace_at(t, tod);
    ip_parse(trace_after(line, "HostIPAddress:"), &t->now.node);
}

/* ---- whose line it is ---- */

static struct text name_in(struct text line)
{
    static const char *const marks[] = {
        "DeviceName=", "device_name=", "deviceName=", "DEV::", " Name="};

    for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++) {
        struct text name = trace_after(line, marks[i]);

        if (name.len >= 3 && name.len < 16)
            return name;
    }
    return TEXT("");
}

/* "(0033760)", "TCPPid = [1.100.9.7]", "tcpHandle=0x4fbb150"; false: the line names no connection.
 */
static bool key_in(struct text line, char to[static 40])
{
    struct text pid = trace_after(line, "TCPPid"), handle = trace_after(line, "cpHandle=");
    const char *open = memchr(line.at, '(', line.len < 24 ? line.len : 24);
    unsigned long number;

    if (!handle.at)
        handle = trace_after(line, "CPHandle=");
    if (open && sscanf(open, "(%8lu)", &number) == 1 && text_starts(line, "StationD:")) {
        snprintf(to, 40, "D%lu", number);
    } else if (open && sscanf(open, "(%8lu)", &number) == 1 && text_starts(line, "StationInit:")) {
        snprintf(to, 40, "D%lu", number);
        return number != 0;
    } else if (pid.at) {
        const char *bracket = memchr(pid.at, '[', (size_t)(line.at + line.len - pid.at));
        struct text digits = {bracket ? bracket + 1 : "", 0};

        while (bracket && digits.at + digits.len < line.at + line.len &&
               digits.at[digits.len] != ']' && digits.len < 30)
            digits.len++;
        snprintf(to, 40, "P%.*s", TEXT_ARG(digits));
    } else if (handle.len) {
        if (text_starts_nocase(handle, "0x"))
            handle = text_skip(handle, 2);
        snprintf(to, 40, "H%.*s", (int)(handle.len > 30 ? 30 : handle.len), handle.at);
    } else
        return false;
    return true;
}

/* The phone behind a connection; what the line tells of it is kept. NULL: nobody knows. */
static struct retold *phone_of(struct trace *t, struct text line, struct text name)
{
    char key[40] = "";
    bool keyed = key_in(line, key);
    struct speaker *link = keyed ? trace_speaker(t, key) : NULL, *device;
    struct text ip = trace_after(line, "IPAddr=");

    if (!name.len && link)
        name = text_of(link->p.name.s);
    if (!name.len || !(device = trace_device(t, name)))
        return NULL;
    if (link)
        link->p.name = device->p.name;
    if (!ip.len)
        ip = trace_after(line, "<IP::");
    text_to_u32(trace_after(line, " device_type="), 10, &device->p.model);
    if (ip.len)
        ip_parse(ip, &device->p.phone.ip);
    device->p.server.ip = t->now.node;
    return &device->p;
}

/* ---- SCCP ---- */

enum said {
    SAID_NOTHING,
    REGISTERS,
    ACCEPTED,
    REFUSED,
    ALIVE,
    ALIVE_TOO,
    LEAVES,
    LEFT,
    ORDERED,
    KEY,
    CLOSED,
    WANTS,
    GIVEN,
    WAIT
};

static const struct {
    const char *word;
    bool from_phone;
    enum said said;
} sayings[] = {
    {"Processing StationReg", true, REGISTERS},
    {"Register", true, REGISTERS},
    {"KeepAlive", true, ALIVE},
    {"Unregister", true, LEAVES},
    {"KeypadButton", true, KEY},
    {"RegisterTokenReq", true, WANTS},
    {"Connection closed", true, CLOSED},
    {"RegisterAck", false, ACCEPTED},
    {"RegisterReject", false, REFUSED},
    {"KeepAliveAck", false, ALIVE_TOO},
    {"UnregisterAck", false, LEFT},
    {"Reset", false, ORDERED},
    {"RegisterTokenAck", false, GIVEN},
    {"RegisterTokenReject", false, WAIT},
};

/* Whether it begins with this name of a message and with no longer one ("Register",
 * "RegisterMessageID", not "RegisterAvailableLines"). */
static bool is_word(struct text t, const char *word)
{
    struct text rest;

    if (!text_starts(t, word))
        return false;
    rest = text_skip(t, strlen(word));
    return !rest.len || !isalpha((unsigned char)*rest.at) || text_starts(rest, "Message") ||
           text_starts(rest, "C1");
}

/* The word that says what passed: behind who says it, and "InboundStim - ", "stationOutput",
 * "Station". */
static enum said said_in(struct text line, bool *from_phone)
{
    static const char *const before[] = {"InboundStim - ", "- ", ") ", "] "};
    static const char *const heads[] = {"star_", "StationOutput", "stationOutput", "Station"};
    struct text word = line;
    enum said best = SAID_NOTHING;
    size_t longest = 0;

    *from_phone = text_starts(line, "StationInit");
    for (size_t i = 0; i < sizeof(before) / sizeof(*before); i++) {
        const char *at = memmem(line.at, line.len, before[i], strlen(before[i]));

        if (at) {
            word = text_skip(line, (size_t)(at - line.at) + strlen(before[i]));
            break;
        }
    }
    word = text_trim(word);
    if (text_starts(word, "InboundStim - "))
        word = text_skip(word, 14);
    for (size_t i = 0; i < sizeof(heads) / sizeof(*heads); i++)
        if (text_starts(word, heads[i]))
            word = text_skip(word, strlen(heads[i]));
    for (size_t i = 0; i < sizeof(sayings) / sizeof(*sayings); i++)
        if (sayings[i].from_phone == *from_phone && is_word(word, sayings[i].word) &&
            strlen(sayings[i].word) > longest) {
            longest = strlen(sayings[i].word);
            best = sayings[i].said;
        }
    return best;
}

bool trace_is_new(const struct retold *p, int64_t *last_ns)
{
    bool new = p->r->at.time_ns - *last_ns > SAME_NS || p->r->at.time_ns < *last_ns;

    *last_ns = p->r->at.time_ns;
    return new;
}

/* Between quotes behind "text", or up to the context. */
static void reject_words(struct text line, char to[static 40])
{
    struct text rest = line;
    const char *at = memmem(line.at, line.len, "text", 4);

    to[0] = '\0';
    if (!at)
        return;
    rest = text_skip(line, (size_t)(at - line.at) + 4);
    while (rest.len && strchr("='\" ", *rest.at))
        rest = text_skip(rest, 1);
    for (size_t i = 0; i < rest.len; i++)
        if (strchr("'\"|,", rest.at[i]))
            rest.len = i;
    text_copy(to, 40, rest);
}

static void key_pressed(struct retold *p, struct text line)
{
    struct text key = trace_after(line, "kpButton");

    while (key.len && strchr(":= ", *key.at))
        key = text_skip(key, 1);
    if (!key.len) {
        const char *at = memmem(line.at, line.len, "kpButton: ", 10);

        key = at ? text_skip(line, (size_t)(at - line.at) + 10) : TEXT("");
    }
    text_to_u32(
        (struct text){key.at, key.len && key.at[0] == '1' && key.len > 1 ? 2 : key.len != 0}, 10,
        &p->r->sccp.keypad_button.key);
    retell_sccp(p->r, p->flow, true, SCCP_KEYPAD_BUTTON);
}

static void sccp(struct trace *t, struct retold *p, enum said said, struct text line)
{
    struct sccp_message *m = &t->r->sccp;
    bool again = (said == LEAVES || said == LEFT || said == CLOSED) && !p->connected &&
                 p->r->at.time_ns - p->left_ns <= SAME_NS && p->r->at.time_ns >= p->left_ns;
    char words[40];

    if (again) /* its alarm was told before it */
        return;
    if (said != REGISTERS && said != REFUSED && said != CLOSED)
        retold_connected(p);
    retold_place(p);
    switch (said) {
    case REGISTERS:
        if (!p->asked || trace_is_new(p, &p->told_ns))
            retold_registers(p);
        p->told_ns = t->r->at.time_ns;
        break;
    case ACCEPTED:
        text_to_u32(trace_after(line, "keepAliveInterval="), 10, &p->interval_s);
        text_to_u32(trace_after(line, " keepalive_s="), 10, &p->interval_s);
        retold_registered(p);
        break;
    case REFUSED:
        reject_words(line, words);
        if (p->asked || trace_is_new(p, &p->refused_ns))
            retold_refused(p, 0, words[0] ? words : "refused");
        p->refused_ns = t->r->at.time_ns;
        break;
    case ALIVE:
        retell_sccp(t->r, p->flow, true, SCCP_KEEPALIVE);
        break;
    case ALIVE_TOO:
        retell_sccp(t->r, p->flow, false, SCCP_KEEPALIVE_ACK);
        break;
    case LEAVES:
        retell_sccp(t->r, p->flow, true, SCCP_UNREGISTER);
        p->left_ns = t->r->at.time_ns;
        break;
    case LEFT:
        retell_sccp(t->r, p->flow, false, SCCP_UNREGISTER_ACK);
        retold_ended(p, true, TCP_ENDING);
        break;
    case ORDERED:
        m->reset.kind = trace_has(line, "=2") ? SCCP_RESET_RESTART : SCCP_RESET_FULL;
        retell_sccp(t->r, p->flow, false, SCCP_RESET);
        break;
    case KEY:
        key_pressed(p, line);
        break;
    case CLOSED:
        retold_ended(p, true, TCP_ENDING);
        break;
    case WANTS:
        retell_sccp(t->r, p->flow, true, SCCP_REGISTER_TOKEN_REQ);
        break;
    case GIVEN:
        retell_sccp(t->r, p->flow, false, SCCP_REGISTER_TOKEN_ACK);
        break;
    case WAIT:
        text_to_u32(trace_after(line, "wait_s="), 10, &m->register_token_reject.wait_s);
        retell_sccp(t->r, p->flow, false, SCCP_REGISTER_TOKEN_REJECT);
        break;
    case SAID_NOTHING:
        break;
    }
}

static bool station_line(struct trace *t, struct text line)
{
    bool from_phone;
    enum said said;
    struct retold *p;

    if (!text_starts(line, "StationInit") && !text_starts(line, "StationD"))
        return false;
    said = said_in(line, &from_phone);
    p = phone_of(t, line, name_in(line));
    if (p && said)
        sccp(t, p, said, line);
    return true;
}

/* "StationRegister |wait_register |StationD(2,100,63,33760) |…|2,100,62,1.33752^10.1.1.5^* |…
 * Name=SEP… Type=495 …" */
static bool signal_line(struct trace *t, struct text line)
{
    const char *at = memmem(line.at, line.len, "StationD(", 9);
    struct text tag, type = trace_after(line, " Type="), name = trace_after(line, " Name=");
    struct speaker *link;
    struct retold *p;
    unsigned a, b, c, instance;
    char key[40], words[32];

    if (!text_starts(line, "StationRegister ") || !at || !name.len)
        return false;
    text_copy(words, sizeof(words), text_skip(line, (size_t)(at - line.at) + 9));
    if (sscanf(words, "%u,%u,%u,%u", &a, &b, &c, &instance) != 4)
        return false;
    snprintf(key, sizeof(key), "D%u", instance);
    if (!(link = trace_speaker(t, key)) || !(p = phone_of(t, line, name)))
        return true;
    link->p.name = p->name;
    text_to_u32(type, 10, &p->model);
    tag = trace_after(line, "^");
    for (size_t i = 0; i < tag.len; i++)
        if (tag.at[i] == '^')
            tag.len = i;
    ip_parse(tag, &p->phone.ip);
    sccp(t, p, REGISTERS, line);
    return true;
}

bool text_ccm_time(struct trace *t, struct text line)
{
    struct text kind, text = content_of(t, line, &kind);

    if (text.at && (text_is(kind, "FileHead") || text_starts(text, "FileHead ")))
        file_head(t, text);
    return text.at != NULL;
}

bool text_ccm_line(struct trace *t, struct text line)
{
    struct text kind, text = content_of(t, line, &kind);

    if (!text.at)
        return false;
    if (text_is(kind, "FileHead") || text_starts(text, "FileHead "))
        file_head(t, text);
    else if (trace_has(text, "SIP") && trace_has(text, "message") &&
             (trace_has(text, "Incoming") || trace_has(text, "Outgoing")))
        text_sip_head(t, text);
    else if (text_is(kind, "SdlSig"))
        signal_line(t, text);
    else if (!station_line(t, text) && !text_alarm_text(t, text) && !text_dhcp_line(t, text))
        text_file_line(t, text);
    return true;
}
