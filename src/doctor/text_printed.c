/* text_printed.c - a capture as an analyser prints it, a packet a line: source, destination,
 * summary, length.
 *
 *   [144.]  [171.]  SCCP: MsgLen = 8 StationKeypadButton *  70
 *   [171.]  [144.]  TCP: D=51097 S=2000 ACK=1115352689 WIN=16516  60
 *
 * Addresses may be cut ("[144.]": its first byte is known, "00309": the first digits of a MAC
 * address). There are no times; a millisecond a line is given, so that nothing is judged by how
 * long it took. */
#include <stdio.h>
#include <string.h>

#include "doctor/text_parts.h"

#define LINE_NS 1000000LL

struct printed_line {
    struct text source, to, protocol, summary;
};

static bool has(struct text line, const char *part)
{
    return memmem(line.at, line.len, part, strlen(part)) != NULL;
}

/* ---- columns ---- */

static bool is_address(struct text word)
{
    if (word.len >= 3 && word.at[0] == '[' && word.at[word.len - 1] == ']')
        return true;
    if (text_is(word, "Broad") || text_is(word, "Broadcast"))
        return true;
    for (size_t i = 0; i < word.len; i++)
        if (!strchr("0123456789abcdefABCDEF.:", word.at[i]))
            return false;
    return word.len >= 5;
}

static struct text word_of(struct text *rest)
{
    struct text word;

    while (rest->len && strchr(" \t|", *rest->at))
        *rest = text_skip(*rest, 1);
    word = *rest;
    for (size_t i = 0; i < word.len; i++)
        if (strchr(" \t|", word.at[i])) {
            word.len = i;
            break;
        }
    *rest = text_skip(*rest, word.len);
    return word;
}

static bool split(struct text line, struct printed_line *ret)
{
    static const char *const protocols[] = {
        "SCCP:", "TCP:", "DHCP:", "ARP:", "DNS:", "TFTP:", "Expert:"};
    struct text rest = line, word = word_of(&rest);
    uint32_t number;

    if (text_to_u32(word, 10, &number) == 0 && word.len < 5) /* a packet number may come first */
        word = word_of(&rest);
    ret->source = word;
    ret->to = word_of(&rest);
    if (!is_address(ret->source) || !is_address(ret->to))
        return false;
    ret->protocol = word_of(&rest);
    ret->summary = text_trim(rest);
    for (size_t i = 0; i < sizeof(protocols) / sizeof(*protocols); i++)
        if (text_is(ret->protocol, protocols[i]))
            return true;
    return false;
}

/* "[144.254.195.25]", or "[144.]": the rest is 0. */
static struct ip ip_of(struct text word)
{
    unsigned part[4] = {0};
    char digits[20];
    struct ip ip = {0};

    text_copy(digits, sizeof(digits), text_skip(word, word.len && word.at[0] == '['));
    if (word.len && word.at[0] == '[' &&
        sscanf(digits, "%3u.%3u.%3u.%3u", &part[0], &part[1], &part[2], &part[3]) >= 1)
        ip = ip_v4((part[0] & 255) << 24 | (part[1] & 255) << 16 | (part[2] & 255) << 8 |
                   (part[3] & 255));
    return ip;
}

/* ---- who is the phone ---- */

void text_printed_look(struct trace *t, struct text head)
{
    struct text name = trace_device_in(head);
    const char *at;

    t->printed = (struct text_printed){.link = NULL};
    if (!head.len)
        return;
    if (name.len)
        mac_parse(text_skip(name, 3), &t->printed.phone);
    at = memmem(head.at, head.len, " S=2000", 7);
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
    bool from_phone, syn = has(l->summary, "SYN"), fin = has(l->summary, "FIN"),
                     rst = has(l->summary, "RST");
    struct speaker *link;
    enum tcp_sign sign;

    text_copy(words, sizeof(words), l->summary);
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

static void said(struct trace *t, bool from_phone, struct text word, struct text rest)
{
    struct sccp_message *m = &t->r->sccp;
    uint32_t flow = t->printed.link->p.flow, id = UINT32_MAX;

    if (text_is(word, "StationKeypadButton")) {
        struct text key = word_of(&rest);

        m->keypad_button.key = !key.len         ? 0
                               : *key.at == '*' ? 14
                               : *key.at == '#' ? 15
                                                : (uint32_t)(*key.at - '0');
        id = SCCP_KEYPAD_BUTTON;
    } else if (text_is(word, "StationRegister")) {
        snprintf(m->register_req.device_name, sizeof(m->register_req.device_name), "SEP%012llX",
                 (unsigned long long)mac_number(t->printed.phone));
        m->register_req.device_type = 1;
        id = SCCP_REGISTER_REQ;
    } else {
        static const struct {
            const char *word;
            uint32_t id;
        } words[] = {{"StationUnregister", SCCP_UNREGISTER},
                     {"StationUnregisterAck", SCCP_UNREGISTER_ACK},
                     {"StationRegisterAck", SCCP_REGISTER_ACK},
                     {"StationRegisterReject", SCCP_REGISTER_REJECT},
                     {"StationKeepAlive", SCCP_KEEPALIVE},
                     {"StationKeepAliveAck", SCCP_KEEPALIVE_ACK},
                     {"StationReset", SCCP_RESET},
                     {"StationCapabilitiesReq", SCCP_CAPABILITIES_REQ},
                     {"StationCapabilitiesRes", SCCP_CAPABILITIES_RES},
                     {"StationButtonTemplateReq", SCCP_BUTTON_TEMPLATE_REQ},
                     {"StationButtonTemplate", SCCP_BUTTON_TEMPLATE},
                     {"StationDefineTimeDate", SCCP_DEFINE_TIME_DATE}};

        for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
            if (text_is(word, words[i].word))
                id = words[i].id;
    }
    /* Data that is repeated together is printed with the direction of the packet it came in. */
    if (id != UINT32_MAX && !!(sccp_message_from(id) & SCCP_FROM_PHONE) == from_phone)
        retell_sccp(t->r, flow, from_phone, id);
}

static void sccp_line(struct trace *t, const struct printed_line *l)
{
    struct text rest = l->summary, word;
    bool from_phone = false, known = false;

    while ((word = word_of(&rest)).len) {
        if (!text_starts(word, "Station"))
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
    struct text type = trace_after(l->summary, "Message type: DHCP");
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
    struct ip asked =
        ip_of(trace_after(l->summary, "PA=").at
                  ? (struct text){memmem(l->summary.at, l->summary.len, "PA=", 3) + 3, 20}
                  : TEXT(""));
    struct arp a = {.op = 1, .target_ip = ip_v4_number(asked)};

    if (text_starts(l->summary, "C") && is_phone_mac(t, l->source)) {
        a.sender_mac = t->printed.phone;
        retell_arp(t->r, &a);
    } else if (text_starts(l->summary, "R") && is_phone_mac(t, l->to)) {
        a = (struct arp){.op = 2, .sender_ip = ip_v4_number(asked), .target_mac = t->printed.phone};
        mac_parse(trace_after(l->summary, "HA="), &a.sender_mac);
        retell_arp(t->r, &a);
    }
}

static void dns_line(struct trace *t, const struct printed_line *l)
{
    struct text name = trace_after(l->summary, "NAME="), rest = l->summary;
    bool answer = text_starts(word_of(&rest), "R");
    char words[64];

    text_copy(words, sizeof(words), name);
    if (answer)
        between(t, ip_of(l->to), ip_of(l->source), 53);
    else
        between(t, ip_of(l->source), ip_of(l->to), 53);
    if (name.len)
        retell_dns(t->r, answer,
                   has(l->summary, "Name error")       ? DNS_NAME_ERROR
                   : has(l->summary, "Server failure") ? DNS_SERVER_FAILURE
                   : has(l->summary, "Refused")        ? DNS_REFUSED
                                                       : DNS_OK,
                   words);
}

static void tftp_line(struct trace *t, const struct printed_line *l)
{
    struct text_printed *p = &t->printed;
    struct text name = trace_after(l->summary, "File=");
    bool asks = has(l->summary, "Read request"), ack = text_starts(l->summary, "Ack");

    if (asks || ack)
        between(t, ip_of(l->source), ip_of(l->to), 69);
    else
        between(t, ip_of(l->to), ip_of(l->source), 69);
    if (asks && name.len) {
        text_copy(p->file, sizeof(p->file), name);
        p->file_flow = retell_flow(t->r);
        p->file_done = false;
        retell_file_asked(t->r, p->file_flow, name);
    } else if (p->file_flow && has(l->summary, "Error"))
        retell_file_refused(t->r, p->file_flow, 1, TEXT("File not found"));
    else if (p->file_flow && !ack && has(l->summary, "(Last)") && !p->file_done) {
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
    if (has(l->summary, "Retransmission"))
        retell_tcp(t->r, s->p.flow, from_phone, TCP_AGAIN, 0);
    else if (has(l->summary, "Window Frozen") || has(l->summary, "Zero Window"))
        retell_tcp(t->r, s->p.flow, from_phone, TCP_WINDOW_CLOSED, 0);
}

bool text_printed_line(struct trace *t, struct text line)
{
    struct printed_line l;

    if (!split(line, &l))
        return false;
    trace_at(t, t->now.tod_ns + LINE_NS);
    trace_told(t);
    if (text_is(l.protocol, "TCP:"))
        tcp_line(t, &l);
    else if (text_is(l.protocol, "SCCP:"))
        sccp_line(t, &l);
    else if (text_is(l.protocol, "DHCP:"))
        dhcp_line(t, &l);
    else if (text_is(l.protocol, "ARP:"))
        arp_line(t, &l);
    else if (text_is(l.protocol, "DNS:"))
        dns_line(t, &l);
    else if (text_is(l.protocol, "TFTP:"))
        tftp_line(t, &l);
    else
        expert_line(t, &l);
    return true;
}
