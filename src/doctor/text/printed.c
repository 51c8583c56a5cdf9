/* printed.c - a capture as an analyser prints it, a packet a line: source, destination,
 * summary, length.
 *
 *   [144.]  [171.]  SCCP: MsgLen = 8 StationKeypadButton *  70
 *   [171.]  [144.]  TCP: D=51097 S=2000 ACK=1115352689 WIN=16516  60
 *
 * Addresses may be cut ("[144.]": its first byte is known, "00309": the first digits of a MAC
 * address). There are no times; a millisecond a line is given, so that nothing is judged by how
 * long it took, on a day before 1970, so that nothing is told of it. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "doctor/text/parts.h"

#define LINE_NS          1000000LL
#define RECORD_LINES_MAX 4 /* that one is printed on */

struct printed_line {
    struct text source, to, protocol, summary; /* all but the summary in capitals */
    struct text
        capitals; /* the summary in them: what is looked for, and found in both at one place */
};

/* A word of the summary: behind `mark`, as it was printed. */
static struct text value_of(const struct printed_line *l, const char *mark)
{
    struct text found = trace_after(l->capitals, mark);

    if (found.at)
        found.at = l->summary.at + (found.at - l->capitals.at);
    return found;
}

static bool has(const struct printed_line *l, const char *part)
{
    return memmem(l->capitals.at, l->capitals.len, part, strlen(part)) != NULL;
}

/* ---- columns ---- */

#define BETWEEN " \t|,;\"" /* what stands between columns, in tables of any kind */

/* "[144.]", "144.", "10.0.0.1", "00309" (of a MAC address), "Broad". */
static bool is_address(struct text word)
{
    size_t dots = 0, digits = 0;

    if (word.len >= 3 && word.at[0] == '[' && word.at[word.len - 1] == ']')
        return true;
    if (text_starts_nocase(word, "broad") && word.len <= 9)
        return true;
    for (size_t i = 0; i < word.len; i++) {
        if (!strchr("0123456789abcdefABCDEF.:", word.at[i]))
            return false;
        dots += word.at[i] == '.';
        digits += isdigit((unsigned char)word.at[i]) != 0;
    }
    return digits && (dots || word.len == 5 || word.len == 12 || word.len == 17);
}

static bool same_letters(struct text a, const char *b)
{
    char left[8];
    size_t n = strlen(b);

    if (a.len != n || n >= sizeof(left))
        return false;
    memcpy(left, b, n);
    for (size_t i = 0; i < n; i++) {
        char *at = memchr(left, a.at[i], n);

        if (!at)
            return false;
        *at = 0;
    }
    return true;
}

/* The protocol that is meant, also where it was typed wrong ("DCHP:"); "" another one; NULL: it is
 * none. */
static const char *protocol_of(struct text word)
{
    static const char *const names[] = {"SCCP", "TCP", "DHCP", "ARP", "DNS", "TFTP", "EXPERT"};
    bool colon = word.len && word.at[word.len - 1] == ':';
    char capitals[12];

    word.len -= colon;
    if (!word.len || word.len >= sizeof(capitals))
        return NULL;
    for (size_t i = 0; i < word.len; i++)
        capitals[i] = (char)toupper((unsigned char)word.at[i]);
    word.at = capitals;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (text_is(word, names[i]) || same_letters(word, names[i]))
            return names[i];
    return colon ? "" : NULL;
}

static struct text word_of(struct text *rest)
{
    struct text word;

    while (rest->len && strchr(BETWEEN, *rest->at))
        *rest = text_skip(*rest, 1);
    word = *rest;
    for (size_t i = 0; i < word.len; i++)
        if (strchr(BETWEEN, word.at[i])) {
            word.len = i;
            break;
        }
    *rest = text_skip(*rest, word.len);
    return word;
}

/* "[144.254.195.25]", or "[144.]": the rest is 0. */
static struct ip ip_of(struct text word)
{
    unsigned part[4] = {0};
    char digits[20];
    struct ip ip = {0};

    if (!memchr(word.at ? word.at : "", '.', word.len))
        return ip;
    text_copy(digits, sizeof(digits), text_skip(word, *word.at == '['));
    if (sscanf(digits, "%3u.%3u.%3u.%3u", &part[0], &part[1], &part[2], &part[3]) >= 1)
        ip = ip_v4((part[0] & 255) << 24 | (part[1] & 255) << 16 | (part[2] & 255) << 8 |
                   (part[3] & 255));
    return ip;
}

/* ---- who is the phone ---- */

void text_printed_look(struct trace *t, struct text head)
{
    struct text name = TEXT("");
    const char *at = memmem(head.at, head.len, " S=2000", 7);

    t->printed = (struct text_printed){.link = NULL};
    for (struct text r = head; r.len >= 20 && !name.len; r = text_skip(r, 1))
        if ((*r.at == 'F' || *r.at == 'f') && text_starts_nocase(r, "file=sep") &&
            mac_parse((struct text){r.at + 8, 12}, &t->printed.phone) == 0)
            name = r;
    if (!name.len && (name = trace_device_in(head)).len)
        mac_parse(text_skip(name, 3), &t->printed.phone);
    if (at && at - head.at > 8)
        for (const char *d = at; d > at - 8; d--)
            if (*d == '=')
                sscanf(d + 1, "%5u", &t->printed.port);
}

/* Whether digits of a MAC address that were cut are those of the phone. */
static bool is_phone_mac(const struct trace *t, struct text word)
{
    char mac[16];

    snprintf(mac, sizeof(mac), "%012llX", (unsigned long long)mac_number(t->printed.phone));
    return word.len >= 5 && word.len <= 12 && text_equal_nocase((struct text){mac, word.len}, word);
}

static void between(struct trace *t, struct ip phone, struct ip server, uint16_t port)
{
    t->r->mac = t->printed.phone;
    t->r->phone = (struct endpoint){phone, 50000};
    t->r->server = (struct endpoint){server, port};
}

/* ---- protocols ---- */

static struct speaker *link_of(struct trace *t, struct ip phone, struct ip server, unsigned port)
{
    struct speaker *s;
    char key[40];

    snprintf(key, sizeof(key), "T%u.%u", ip_v4_number(phone), port);
    if (!(s = trace_speaker(t, key)))
        return NULL;
    s->p.mac = t->printed.phone;
    s->p.phone = (struct endpoint){phone, (uint16_t)port};
    s->p.server = (struct endpoint){server, 2000};
    if (!s->p.flow)
        s->p.flow = retell_flow(t->r);
    retold_place(&s->p);
    return s;
}

static void tcp_line(struct trace *t, const struct printed_line *l)
{
    unsigned d = 0, s = 0;
    char words[40];
    bool from_phone, syn = has(l, "SYN"), fin = has(l, "FIN"), rst = has(l, "RST");
    struct speaker *link;
    enum tcp_sign sign;

    text_copy(words, sizeof(words), l->capitals);
    if (sscanf(words, "D=%5u S=%5u", &d, &s) != 2 || (d != 2000 && s != 2000))
        return; /* somebody else's */
    from_phone = d == 2000;
    link = link_of(t, ip_of(from_phone ? l->source : l->to), ip_of(from_phone ? l->to : l->source),
                   from_phone ? s : d);
    if (!link)
        return;
    if (!t->printed.link || !fin)
        t->printed.link = link;
    if (syn && from_phone) {
        link->p.flow = retell_flow(t->r);
        retell_tcp(t->r, link->p.flow, true, TCP_OPENING, 0);
        link->p.connected = true;
        return;
    }
    if (!link->p.connected && !link->p.asked && !syn) {
        retell_tcp(t->r, link->p.flow, from_phone, TCP_MIDDLE, 0);
        link->p.connected = link->p.asked = true;
    }
    sign = syn ? TCP_ACCEPTED : rst ? TCP_RESET : fin ? TCP_ENDING : TCP_ACKNOWLEDGED;
    if (fin && !link->p.connected)
        sign = TCP_AGAIN; /* the FIN once more */
    if (sign == TCP_ACKNOWLEDGED && !link->p.connected && from_phone)
        sign = TCP_PROBE; /* it goes on */
    if (sign != TCP_ACKNOWLEDGED)
        retell_tcp(t->r, link->p.flow, from_phone, sign, 0);
    link->p.connected = link->p.connected && !fin && !rst;
}

/* The message that is meant, also where it was typed wrong ("StationUnregster"). */
static uint32_t message_of(struct text word)
{
    static const struct {
        const char *word;
        uint32_t id;
    } words[] = {{"KEYPADBUTTON", SCCP_KEYPAD_BUTTON},
                 {"REGISTER", SCCP_REGISTER_REQ},
                 {"UNREGISTER", SCCP_UNREGISTER},
                 {"UNREGISTERACK", SCCP_UNREGISTER_ACK},
                 {"REGISTERACK", SCCP_REGISTER_ACK},
                 {"REGISTERREJECT", SCCP_REGISTER_REJECT},
                 {"KEEPALIVE", SCCP_KEEPALIVE},
                 {"KEEPALIVEACK", SCCP_KEEPALIVE_ACK},
                 {"RESET", SCCP_RESET},
                 {"CAPABILITIESREQ", SCCP_CAPABILITIES_REQ},
                 {"CAPABILITIESRES", SCCP_CAPABILITIES_RES},
                 {"BUTTONTEMPLATEREQ", SCCP_BUTTON_TEMPLATE_REQ},
                 {"BUTTONTEMPLATE", SCCP_BUTTON_TEMPLATE},
                 {"DEFINETIMEDATE", SCCP_DEFINE_TIME_DATE}};
    unsigned best = 2, distance;
    uint32_t id = UINT32_MAX;

    word = text_skip(word, 7); /* "STATION" */
    if (word.len > 31)
        return id;
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if ((distance = text_distance(word, text_of(words[i].word), 3)) < best) {
            best = distance;
            id = words[i].id;
        }
    return id;
}

static void said(struct trace *t, bool from_phone, struct text word, struct text rest)
{
    struct sccp_message *m = &t->r->sccp;
    uint32_t flow = t->printed.link->p.flow, id = UINT32_MAX;

    if (message_of(word) == SCCP_KEYPAD_BUTTON) {
        struct text key = word_of(&rest);

        m->keypad_button.key = !key.len         ? 0
                               : *key.at == '*' ? 14
                               : *key.at == '#' ? 15
                                                : (uint32_t)(*key.at - '0');
        id = SCCP_KEYPAD_BUTTON;
    } else if (message_of(word) == SCCP_REGISTER_REQ) {
        snprintf(m->register_req.device_name, sizeof(m->register_req.device_name), "SEP%012llX",
                 (unsigned long long)mac_number(t->printed.phone));
        m->register_req.device_type = 1;
        id = SCCP_REGISTER_REQ;
    } else {
        id = message_of(word);
    }
    /* Data that is repeated together is printed with the direction of the packet it came in. */
    if (id != UINT32_MAX && !!(sccp_message_from(id) & SCCP_FROM_PHONE) == from_phone)
        retell_sccp(t->r, flow, from_phone, id);
}

static void sccp_line(struct trace *t, const struct printed_line *l)
{
    struct text rest = l->capitals, word;
    bool from_phone = false, known = false;

    while ((word = word_of(&rest)).len) {
        if (!text_starts(word, "STATION"))
            continue;
        if (!known) {
            from_phone = text_is(l->source, "") || !t->printed.link ||
                         ip_equal(ip_of(l->source), t->printed.link->p.phone.ip);
            known = true;
        }
        if (!t->printed.link)
            t->printed.link = link_of(t, ip_of(l->source), ip_of(l->to),
                                      t->printed.port ? t->printed.port : 49152);
        if (!t->printed.link)
            return;
        retold_place(&t->printed.link->p);
        if (!t->printed.link->p.connected && !t->printed.link->p.asked) {
            retell_tcp(t->r, t->printed.link->p.flow, from_phone, TCP_MIDDLE, 0);
            t->printed.link->p.connected = t->printed.link->p.asked = true;
        }
        said(t, from_phone, word, rest);
    }
}

static void dhcp_line(struct trace *t, const struct printed_line *l)
{
    static const struct {
        const char *word;
        enum dhcp_type type;
    } types[] = {{"Discover", DHCP_DISCOVER}, {"Offer", DHCP_OFFER},  {"Request", DHCP_REQUEST},
                 {"Decline", DHCP_DECLINE},   {"Ack", DHCP_ACK},      {"Nak", DHCP_NAK},
                 {"Release", DHCP_RELEASE},   {"Inform", DHCP_INFORM}};
    struct text type = value_of(l, "TYPE: DHCP");
    struct ip nobody = {0};

    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
        if (!text_equal_nocase(type, text_of(types[i].word)))
            continue;
        between(t, nobody, ip_of(l->source), DHCP_SERVER_PORT);
        t->r->phone = (struct endpoint){ip_v4(0), DHCP_CLIENT_PORT};
        retell_dhcp_begin(t->r, types[i].type);
        if (types[i].type == DHCP_REQUEST || types[i].type == DHCP_DISCOVER)
            dhcp_set_vendor_class(&t->r->dhcp, TEXT("Cisco Systems, Inc. IP Phone"));
        retell_dhcp(t->r);
    }
}

static void arp_line(struct trace *t, const struct printed_line *l)
{
    struct ip asked = ip_of(value_of(l, "PA="));
    struct arp a = {.op = 1, .target_ip = ip_v4_number(asked)};

    if (text_starts(l->capitals, "C") && is_phone_mac(t, l->source)) {
        a.sender_mac = t->printed.phone;
        retell_arp(t->r, &a);
    } else if (text_starts(l->capitals, "R") && is_phone_mac(t, l->to)) {
        a = (struct arp){.op = 2, .sender_ip = ip_v4_number(asked), .target_mac = t->printed.phone};
        mac_parse(value_of(l, "HA="), &a.sender_mac);
        retell_arp(t->r, &a);
    }
}

static void dns_line(struct trace *t, const struct printed_line *l)
{
    struct text name = value_of(l, "NAME="), rest = l->capitals;
    bool answer = text_starts(word_of(&rest), "R");
    char words[64];

    text_copy(words, sizeof(words), name);
    if (answer)
        between(t, ip_of(l->to), ip_of(l->source), 53);
    else
        between(t, ip_of(l->source), ip_of(l->to), 53);
    if (name.len)
        retell_dns(t->r, answer,
                   has(l, "STAT=NAME")   ? DNS_NAME_ERROR
                   : has(l, "STAT=SERV") ? DNS_SERVER_FAILURE
                   : has(l, "STAT=REF")  ? DNS_REFUSED
                                         : DNS_OK,
                   words);
}

static void tftp_line(struct trace *t, const struct printed_line *l)
{
    struct text_printed *p = &t->printed;
    struct text name = value_of(l, "FILE=");
    bool asks = has(l, "FILE="), ack = text_starts(l->capitals, "ACK");

    if (asks || ack)
        between(t, ip_of(l->source), ip_of(l->to), 69);
    else
        between(t, ip_of(l->to), ip_of(l->source), 69);
    if (asks && name.len) {
        text_copy(p->file, sizeof(p->file), name);
        p->file_flow = retell_flow(t->r);
        p->file_done = false;
        retell_file_asked(t->r, p->file_flow, name);
    } else if (p->file_flow && has(l, "ERROR"))
        retell_file_refused(t->r, p->file_flow, 1, TEXT("File not found"));
    else if (p->file_flow && !ack && has(l, "LAST") && !p->file_done) {
        p->file_done = true;
        retell_file_sent(t->r, p->file_flow, text_of(p->file), SIGHT_SIZE_UNKNOWN);
    }
}

static void expert_line(struct trace *t, const struct printed_line *l)
{
    struct speaker *s = t->printed.link;
    bool from_phone;

    if (!s)
        return;
    from_phone = ip_equal(ip_of(l->source), s->p.phone.ip);
    retold_place(&s->p);
    if (has(l, "RETRANSMISSION"))
        retell_tcp(t->r, s->p.flow, from_phone, TCP_AGAIN, 0);
    else if (has(l, "WINDOW FROZEN") || has(l, "ZERO WINDOW"))
        retell_tcp(t->r, s->p.flow, from_phone, TCP_WINDOW_CLOSED, 0);
}

/* ---- records ---- */

static void tell_record(struct trace *t, const struct printed_line *l)
{
    static const struct {
        const char *name;
        void (*tell)(struct trace *t, const struct printed_line *l);
    } tellers[] = {{"TCP", tcp_line},      {"SCCP", sccp_line}, {"DHCP", dhcp_line},
                   {"ARP", arp_line},      {"DNS", dns_line},   {"TFTP", tftp_line},
                   {"EXPERT", expert_line}};

    for (size_t i = 0; i < sizeof(tellers) / sizeof(*tellers); i++)
        if (text_is(l->protocol, tellers[i].name))
            tellers[i].tell(t, l);
}

void text_printed_over(struct trace *t)
{
    struct text_record *r = &t->printed.record;
    char capitals[sizeof(r->summary)];
    uint64_t number = t->r->at.number;
    struct printed_line l = {.source = text_of(r->address[0]),
                             .to = text_of(r->address[1]),
                             .protocol = text_of(r->protocol ? r->protocol : ""),
                             .summary = text_of(r->summary)};

    if (r->step == RECORD_SUMMARY) {
        for (size_t i = 0; i <= l.summary.len; i++)
            capitals[i] = (char)toupper((unsigned char)r->summary[i]);
        l.capitals = (struct text){capitals, l.summary.len};
        if (!t->now.date_ns)
            t->now.date_ns = -DAY_NS; /* nobody says when */
        trace_at(t, t->now.tod_ns + LINE_NS);
        t->r->at.number = r->number;
        tell_record(t, &l);
        t->r->at.number = number;
    }
    *r = (struct text_record){.step = RECORD_NONE};
}

static void add_word(struct text_record *r, struct text word)
{
    size_t n = strlen(r->summary);

    if (n + word.len + 2 > sizeof(r->summary))
        return;
    if (n)
        r->summary[n++] = ' ';
    text_copy(r->summary + n, sizeof(r->summary) - n, word);
}

/* Two addresses and a protocol begin a record, wherever lines end. */
static void take_word(struct trace *t, struct text word)
{
    struct text_record *r = &t->printed.record;
    bool address = is_address(word) && word.len < sizeof(r->address[0]);
    const char *protocol = protocol_of(word);

    if (address && (r->step == RECORD_NONE || r->step == RECORD_SUMMARY) && !r->held[0]) {
        text_copy(r->held, sizeof(r->held), word);
        r->held_number = t->r->at.number;
    } else if (address && r->held[0]) {
        char first[sizeof(r->held)];
        uint64_t number = r->held_number;

        memcpy(first, r->held, sizeof(first));
        text_printed_over(t);
        memcpy(r->address[0], first, sizeof(first));
        text_copy(r->address[1], sizeof(r->address[1]), word);
        r->number = number;
        r->step = RECORD_ADDRESSES;
    } else if (address &&
               r->step == RECORD_ADDRESSES) { /* what was the first is a number of the line */
        memcpy(r->address[0], r->address[1], sizeof(r->address[0]));
        text_copy(r->address[1], sizeof(r->address[1]), word);
    } else if (r->step == RECORD_ADDRESSES) {
        r->step = protocol ? RECORD_SUMMARY : RECORD_NONE;
        r->protocol = protocol;
    } else {
        if (r->step == RECORD_SUMMARY && r->held[0])
            add_word(r, text_of(r->held));
        if (r->step == RECORD_SUMMARY)
            add_word(r, word);
        r->held[0] = '\0';
    }
}

/* The last column is the length: nothing of it comes in the next line. */
static bool ends_with_length(const struct text_record *r)
{
    size_t n = strlen(r->summary), digits = 0;

    while (digits < n && isdigit((unsigned char)r->summary[n - 1 - digits]))
        digits++;
    return digits >= 2 && digits < 5 && n > digits + 1 && r->summary[n - digits - 1] == ' ' &&
           r->summary[n - digits - 2] != '=';
}

bool text_printed_line(struct trace *t, struct text line)
{
    struct text_record *r = &t->printed.record;
    bool before = r->step != RECORD_NONE;
    struct text rest = line, word;

    if (before && t->r->at.number > r->number + RECORD_LINES_MAX) {
        text_printed_over(t);
        before = false;
    }
    while ((word = word_of(&rest)).len)
        take_word(t, word);
    if (r->step == RECORD_SUMMARY && ends_with_length(r)) {
        text_printed_over(t);
        return true;
    }
    return before || r->step != RECORD_NONE;
}
