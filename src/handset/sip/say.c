/* say.c - what a SIP phone asks: REGISTER in all its forms, the token, its alarms; see
 * parts.h.
 *
 * Headers stand in the order in which Cisco's phones write them. A request is written anew from the
 * registration whenever it is sent again, and comes out the same. */
#include <ctype.h>
#include <stdio.h>

#include "base/names.h"
#include "handset/sip/parts.h"
#include "wire/sip/service_control.h"
#include "wire/sip/write.h"

#define BOUNDARY  "uniqueBoundary"
#define BODY_TYPE "multipart/mixed; boundary=" BOUNDARY
#define PART                                                                                       \
    "Content-Type: application/x-cisco-remotecc-request+xml\r\n"                                   \
    "Content-Disposition: session;handling=optional\r\n\r\n"
#define DRIBBLES 24 /* single bytes at the beginning of a REGISTER that dribbles */

static const char bulk_body[] =
    "--" BOUNDARY "\r\n" PART "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<x-cisco-remotecc-request>\n<bulkregisterreq>\n<contact all=\"true\">\n<register></register>\n"
    "</contact>\n</bulkregisterreq>\n</x-cisco-remotecc-request>\n"
    "\r\n--" BOUNDARY "\r\n" PART "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<x-cisco-remotecc-request>\n<optionsind>\n<combine "
    "max=\"6\">\n<remotecc><status></status></remotecc>\n"
    "<service-control></service-control>\n</combine>\n"
    "<dialog usage=\"hook status\">\n<unot></unot>\n<sub></sub>\n</dialog>\n"
    "<dialog usage=\"shared line\">\n<unot></unot>\n<sub></sub>\n</dialog>\n"
    "<presence usage=\"blf speed dial\">\n<unot></unot>\n<sub></sub>\n</presence>\n"
    "<joinreq></joinreq>\n<cfwdall-anyline></cfwdall-anyline>\n<coaching></coaching>\n"
    "<oosalarm></oosalarm>\n<x-cisco-number></x-cisco-number>\n<rpid-orig-called></"
    "rpid-orig-called>\n"
    "</optionsind>\n</x-cisco-remotecc-request>\n"
    "\r\n--" BOUNDARY "--\r\n";

/* clang-format off */
static const struct name reason_words[] = {
    {PHONE_REASON_TCP_TIMEOUT,          "tcp_timeout"},
    {PHONE_REASON_TCP_RESET,            "cm-reset-tcp"},
    {PHONE_REASON_TCP_ABORTED,          "cm-aborted-tcp"},
    {PHONE_REASON_TCP_CLOSED,           "cm-closed-tcp"},
    {PHONE_REASON_REGISTRATION_TIMEOUT, "reg-timeout"},
    {PHONE_REASON_FALLBACK,             "fallback"},
    {PHONE_REASON_USER_RESET,           "phone-keypad"},
    {PHONE_REASON_RESET,                "reset-reset"},
    {PHONE_REASON_RESTART,              "reset-restart"},
    {PHONE_REASON_REJECTED,             "phone-reg-rej"},
    {PHONE_REASON_INITIALIZED,          "initialized"},
    {PHONE_REASON_VLAN,                 "VLAN-Changed"},
    {0, NULL}};
/* clang-format on */

static const char *words_of(unsigned reason)
{
    const char *words = names_print(reason_words, reason);

    return words ? words : phone_reason_words(reason);
}

/* ---- names and numbers ---- */

/* The same for the same three, and unlike for any other. */
uint32_t sip_mix(uint32_t seed, uint32_t n, uint32_t salt)
{
    uint64_t x = ((uint64_t)seed << 32 | n) + (uint64_t)(salt + 1) * 0x9e3779b97f4a7c15u;

    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return (uint32_t)(x ^ x >> 31);
}

static unsigned long long mac_of(const struct sip_phone *p)
{
    struct mac mac = {{0}};

    device_name_mac(p->name, &mac);
    return (unsigned long long)mac_number(mac);
}

static const char *print_host(struct ip ip, char room[64])
{
    char address[IP_TEXT_MAX];

    ip_print(ip, address);
    snprintf(room, 64, strchr(address, ':') ? "[%s]" : "%s", address);
    return room;
}

const char *sip_server_name(const struct sip_phone *p, unsigned server, char room[64])
{
    return p->setup->names[server] ? p->setup->names[server]
                                   : print_host(p->servers[server].ip, room);
}

const struct sip_line *sip_line_of(const struct sip_phone *p, const struct sip_registration *r)
{
    return &p->setup->lines[sip_is_prime(p, r) ? 0 : r->line];
}

/* First eight digits of the MAC, the last four and the number of the dialog, two random words. */
void sip_write_call_id(const struct sip_phone *p, unsigned dialog, struct writer *w)
{
    char own[64];
    unsigned long long mac = mac_of(p);

    write_format(w, "%08llx-%04llx%04x-%08x-%08x@%s", mac >> 16, mac & 0xffff, dialog & 0xffff,
                 sip_mix(p->seed, dialog, 1), sip_mix(p->seed, dialog, 2),
                 print_host(p->address, own));
}

static void write_from_tag(const struct sip_phone *p, unsigned dialog, struct writer *w)
{
    write_format(w, ";tag=%012llx%04x%08x-%08x", mac_of(p), dialog & 0xffff,
                 sip_mix(p->seed, dialog, 3), sip_mix(p->seed, dialog, 4));
}

/* ---- headers ---- */

static const char *transport_name(const struct sip_phone *p)
{
    static const char *const names[] = {"TCP", "UDP", "TLS"};

    return names[p->setup->transport];
}

static void write_via(const struct sip_phone *p, unsigned link, uint32_t branch, struct writer *w)
{
    char own[64];

    write_format(w, "Via: SIP/2.0/%s %s:%u;branch=z9hG4bK%08x%s\r\n", transport_name(p),
                 print_host(p->address, own), p->links[link].port, branch,
                 p->kind->sip->rport ? ";rport" : "");
}

void sip_write_user_agent(const struct sip_phone *p, const char *header, struct writer *w)
{
    const struct model *m = p->kind->model;
    char version[16];
    bool g = m->generation == MODEL_7940 || m->generation == MODEL_JAVA;

    if (p->kind->protocol == PROTOCOL_SIP_THIRD_PARTY) {
        write_format(w, "%s: Dialtone simulated client\r\n", header);
        return;
    }
    for (const char *c = m->name; *c; c++)
        g &= isdigit((unsigned char)*c) != 0;
    sip_load_version(sip_load(p), version);
    write_format(w, "%s: Cisco-CP%s%s/%s\r\n", header, m->name, g ? "G" : "", version);
}

static void write_contact(const struct sip_phone *p, const struct sip_line *l, unsigned link,
                          bool keepalive, struct writer *w)
{
    static const char *const transports[] = {";transport=tcp", "", ";transport=tls"};
    const struct sip_habits *h = p->kind->sip;
    bool cisco = p->kind->protocol == PROTOCOL_SIP;
    char own[64];

    write_format(w, "Contact: <sip:%s@%s:%u%s%s>", l->contact, print_host(p->address, own),
                 p->links[link].port, p->setup->phone_users ? ";user=phone" : "",
                 transports[p->setup->transport]);
    for (int i = 0; cisco && i < 1 + h->instance_twice; i++)
        write_format(w, ";+sip.instance=\"<urn:uuid:00000000-0000-0000-0000-%012llx>\"", mac_of(p));
    if (cisco && h->names_device)
        write_format(w, ";+u.sip!devicename.ccm.cisco.com=\"%s\"", p->name.s);
    if (cisco)
        write_format(w, ";+u.sip!model.ccm.cisco.com=\"%u\"", p->kind->type);
    if (keepalive)
        write_string(w, ";expires=0;cisco-keep-alive");
    write_string(w, "\r\n");
}

static void write_reason(const struct sip_phone *p, struct writer *w)
{
    const char *load = sip_load(p);
    bool two = p->kind->sip->two_loads;
    char file[128];

    snprintf(file, sizeof(file), "%s.loads", load);
    cisco_reason_write(w, &(struct cisco_reason){
                              .code = p->reason,
                              .name = text_of(p->name.s),
                              .active_load = text_of(two ? file : load),
                              .inactive_load = two ? text_of(file) : (struct text){NULL, 0},
                              .last = text_of(words_of(p->reason)),
                          });
}

static void write_session_id(const struct sip_phone *p, unsigned dialog, struct writer *w)
{
    if (!p->kind->sip->session_id)
        return;
    write_format(w, "Session-ID: %08x%08x%08x%08x;remote=%032d\r\n", sip_mix(p->seed, dialog, 5),
                 sip_mix(p->seed, dialog, 6), sip_mix(p->seed, dialog, 7),
                 sip_mix(p->seed, dialog, 8), 0);
}

static void write_wall_clock(const struct sip_phone *p, uint64_t at_ms, struct writer *w)
{
    int64_t us = (int64_t)(at_ms * 1000) + p->clock_us;

    sip_write_date(w, us > 0 ? (uint64_t)us : 0);
}

/* From, To and Call-ID of a request to a server. */
static void write_ends(const struct sip_phone *p, const struct sip_registration *r,
                       struct writer *w)
{
    const char *user = sip_line_of(p, r)->name, *host;
    char room[64];

    host = sip_server_name(p, r->link, room);
    write_format(w, "From: <sip:%s@%s>", user, host);
    write_from_tag(p, r->dialog, w);
    write_format(w, "\r\nTo: <sip:%s@%s>\r\nCall-ID: ", user, host);
    sip_write_call_id(p, r->dialog, w);
    write_string(w, "\r\nMax-Forwards: 70\r\n");
    write_session_id(p, r->dialog, w);
    write_wall_clock(p, r->sent_ms, w);
}

/* ---- REGISTER ---- */

static bool has_body(const struct sip_phone *p, const struct sip_registration *r)
{
    return r->form == FORM_FIRST && sip_is_prime(p, r) && p->kind->sip->bulk && sip_is_managed(p);
}

static void write_register(const struct sip_phone *p, const struct sip_registration *r,
                           struct writer *w)
{
    const struct sip_line *l = sip_line_of(p, r);
    bool leaves = r->form == FORM_LEAVE || r->form == FORM_KEEPALIVE;
    char room[64];

    write_format(w, "REGISTER sip:%s SIP/2.0\r\n", sip_server_name(p, r->link, room));
    write_via(p, r->link, r->branch, w);
    write_ends(p, r, w);
    write_format(w, "CSeq: %u REGISTER\r\n", r->cseq);
    sip_write_user_agent(p, "User-Agent", w);
    if (!sip_is_faulty(p, FAULT_SHORT_REGISTER))
        write_contact(p, l, r->link, r->form == FORM_KEEPALIVE, w);
    sip_write_authorization(p, r, "REGISTER", w);
    write_format(w, "Supported: %s\r\n", p->kind->sip->supported);
    if ((r->form == FORM_FIRST || r->form == FORM_LEAVE) && sip_is_managed(p))
        write_reason(p, w);
    write_format(w, "Expires: %u\r\n", leaves ? 0 : r->expires_s);
    if (has_body(p, r)) {
        write_string(w, "Content-Type: " BODY_TYPE "\r\nMime-Version: 1.0\r\n");
        sip_write_body(w, (struct text){0}, text_of(bulk_body));
    } else {
        sip_write_body(w, (struct text){0}, (struct text){0});
    }
}

/* ---- REFER ---- */

static void write_token(const struct sip_phone *p, const struct sip_registration *r,
                        struct writer *w)
{
    const struct sip_line *l = sip_line_of(p, r);
    char room[64], other[64];
    const char *host = sip_server_name(p, r->link, room);

    write_format(w, "REFER sip:%s SIP/2.0\r\n", host);
    write_via(p, r->link, r->branch, w);
    write_ends(p, r, w);
    write_string(w, "CSeq: 101 REFER\r\n");
    sip_write_user_agent(p, "User-Agent", w);
    write_contact(p, l, r->link, false, w);
    sip_write_authorization(p, r, "REFER", w);
    write_format(w,
                 "Remote-Party-ID: <sip:%s@%s>;party=calling;id-type=subscriber;privacy=off;"
                 "screen=yes\r\n",
                 l->name, host);
    write_string(w, "Require: norefersub\r\n"
                    "Refer-To: <urn:X-cisco-remotecc:token-registration>\r\n");
    write_format(w, "Referred-By: <sip:%s@%s>\r\n", l->name, sip_server_name(p, p->active, other));
    sip_write_body(w, (struct text){0}, (struct text){0});
}

/* ---- sending ---- */

void sip_put(unsigned link, const void *bytes, size_t n, struct effects *fx)
{
    struct writer w = effects_writer(fx);
    struct effect *e = effects_add(fx, EFFECT_SEND);

    write_bytes(&w, bytes, n);
    e->link = (uint8_t)link;
    effects_bytes(fx, e, &w);
}

/* True when the fault was done instead of a proper REGISTER. */
static bool do_fault(struct sip_phone *p, const struct sip_registration *r, const char *message,
                     size_t n, struct effects *fx)
{
    static const char garbage[] = "GET / HTTP/1.0\r\nHost: phone\r\n\r\n";
    static const char longest[] = "REGISTER sip:x SIP/2.0\r\nContent-Length: 2000000000\r\n\r\n";
    static const char unknown[] =
        "DANCE sip:x SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK1"
        "\r\nFrom: <sip:x@x>;tag=1\r\nTo: <sip:x@x>\r\nCall-ID: 1\r\n"
        "CSeq: 1 DANCE\r\nContent-Length: 0\r\n\r\n";

    if (r->form != FORM_FIRST || !p->kind->faults)
        return false;
    if (sip_is_faulty(p, FAULT_SILENT))
        return true;
    if (sip_is_faulty(p, FAULT_GARBAGE))
        sip_put(r->link, garbage, sizeof(garbage) - 1, fx);
    else if (sip_is_faulty(p, FAULT_LONG_MESSAGE))
        sip_put(r->link, longest, sizeof(longest) - 1, fx);
    else if (sip_is_faulty(p, FAULT_HALF_MESSAGE))
        sip_put(r->link, message, n / 2, fx);
    else if (sip_is_faulty(p, FAULT_DRIBBLE) && p->setup->transport != LINK_UDP) {
        for (size_t i = 0; i < DRIBBLES; i++)
            sip_put(r->link, message + i, 1, fx);
        sip_put(r->link, message + DRIBBLES, n - DRIBBLES, fx);
    } else {
        if (sip_is_faulty(p, FAULT_UNKNOWN_MESSAGE))
            sip_put(r->link, unknown, sizeof(unknown) - 1, fx);
        return false;
    }
    return true;
}

static void time_next_send(struct sip_phone *p, struct sip_registration *r, uint64_t now_ms)
{
    uint64_t wait_ms = (uint64_t)SIP_T1_MS << r->sends;

    r->resend_ms = UINT64_MAX;
    if (p->setup->transport != LINK_UDP || ++r->sends >= SIP_SENDS)
        return;
    r->resend_ms = now_ms + (wait_ms < SIP_T2_MS ? wait_ms : SIP_T2_MS);
}

void sip_send(struct sip_phone *p, struct sip_registration *r, uint64_t now_ms, struct effects *fx)
{
    char message[8192];
    struct writer w = writer_of(message, sizeof(message));
    bool first = !r->sends;

    r->pending = false;
    if (first)
        r->sent_ms = now_ms;
    if (first && r->form == FORM_FIRST && !r->challenges && sip_is_prime(p, r)) {
        if (p->kind->sip->alarms && sip_is_managed(p) && !p->kind->faults)
            sip_send_alarm(p, r->link, "LastOutOfServiceInformation", now_ms, fx);
        phone_tell(fx, PHONE_EVENT_ASKED);
    }
    time_next_send(p, r, now_ms);
    if (r->form == FORM_TOKEN)
        write_token(p, r, &w);
    else
        write_register(p, r, &w);
    if (w.bad)
        fx->full = true;
    else if (!do_fault(p, r, message, writer_len(&w), fx))
        sip_put(r->link, message, writer_len(&w), fx);
}

static void ask(struct sip_turn *t)
{
    struct sip_phone *p = t->p;
    struct sip_registration *r = t->r;

    if (r->form != FORM_TOKEN)
        r->cseq++;
    r->branch = sip_mix(p->seed, ++p->n_branches, 9) | 1;
    r->sends = 0;
    r->resend_ms = UINT64_MAX;
    r->give_up_ms = t->now_ms + SIP_SUPERVISION_MS;
    r->pending = p->links[r->link].state != PHONE_LINK_OPEN;
    if (r->pending)
        sip_link_open(p, r->link, t->fx);
    else
        sip_send(p, r, t->now_ms, t->fx);
}

void sip_ask(struct sip_turn *t, enum sip_form form, bool new_dialog)
{
    t->r->form = (uint8_t)form;
    if (new_dialog || !t->r->dialog)
        t->r->dialog = ++t->p->n_dialogs;
    ask(t);
}

void sip_ask_again(struct sip_turn *t)
{
    ask(t);
}

/* ---- alarms ---- */

static void write_alarm(const struct sip_phone *p, unsigned link, const char *name, uint64_t now_ms,
                        struct writer *w)
{
    static const struct phone_surroundings nowhere = {.vlan = 4095, .dns_status = {4, 4, 4}};
    const struct phone_surroundings *a = p->around ? p->around : &nowhere;
    char own[IP_TEXT_MAX], router[IP_TEXT_MAX], server[IP_TEXT_MAX];

    write_format(w,
                 "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<x-cisco-alarm>\n"
                 "<Alarm Name=\"%s\">\n<ParameterList>\n",
                 name);
    write_format(w, "<String name=\"DeviceName\">%s</String>\n", p->name.s);
    write_format(w, "<String name=\"DeviceIPv4Address\">%s/%d</String>\n",
                 ip_print(p->address, own), __builtin_popcount(ip_v4_number(a->mask)));
    if (strcmp(name, "DeviceApplyConfigResult") == 0) {
        write_string(w,
                     "<Enum name=\"CUCM_Result\">3</Enum>\n<Enum name=\"Phone_Result\">3</Enum>\n"
                     "<Enum name=\"Reason\">0</Enum>\n");
    } else {
        write_format(w, "<String name=\"IPv4DefaultGateway\">%s</String>\n",
                     ip_print(a->router, router));
        write_format(w, "<String name=\"ModelNumber\">CP-%s</String>\n", p->kind->model->name);
        write_format(w, "<String name=\"NeighborDeviceID\">%s</String>\n", a->neighbour);
        write_format(w, "<String name=\"NeighborPortID\">%s</String>\n", a->neighbour_port);
        write_string(
            w, "<Enum name=\"DHCPv4Status\">1</Enum>\n<Enum name=\"TFTPCfgStatus\">1</Enum>\n");
        for (unsigned i = 0; i < PHONE_SERVERS; i++)
            write_format(w, "<Enum name=\"DNSStatusUnifiedCM%u\">%u</Enum>\n", i + 1,
                         a->dns_status[i]);
        write_format(w, "<String name=\"VoiceVLAN\">%u</String>\n", a->vlan);
        write_format(w, "<String name=\"UnifiedCMIPAddress\">%s</String>\n",
                     ip_print(p->servers[link].ip, server));
        write_format(w, "<String name=\"LocalPort\">%u</String>\n", p->links[link].port);
        write_format(w, "<String name=\"TimeStamp\">%lld</String>\n",
                     (long long)(((int64_t)(now_ms * 1000) + p->clock_us) / 1000));
        write_format(w, "<Enum name=\"ReasonForOutOfService\">%u</Enum>\n", p->reason);
        write_format(w, "<String name=\"ReasonForOutOfServiceText\">%s</String>\n",
                     phone_reason_words(p->reason));
        write_string(w, "<String name=\"ActiveInterface\">Wired</String>\n");
    }
    write_string(w, "</ParameterList>\n</Alarm>\n</x-cisco-alarm>\n");
}

/* Out of dialog, CSeq 1000; its answer is not waited for. */
void sip_send_alarm(struct sip_phone *p, unsigned link, const char *name, uint64_t now_ms,
                    struct effects *fx)
{
    char message[4096], xml[2560], room[64], own[64];
    struct writer w = writer_of(message, sizeof(message)), body = writer_of(xml, sizeof(xml));
    const char *host = sip_server_name(p, link, room), *user = p->setup->lines[0].name;
    unsigned dialog = ++p->n_dialogs;
    uint32_t id = sip_mix(p->seed, dialog, 10);

    write_alarm(p, link, name, now_ms, &body);
    print_host(p->address, own);
    write_format(&w, "REFER sip:%s SIP/2.0\r\n", host);
    write_via(p, link, sip_mix(p->seed, ++p->n_branches, 9) & ~1u, &w);
    write_format(&w, "From: \"%s\" <sip:%s@%s>", user, user, own);
    write_from_tag(p, dialog, &w);
    write_format(&w, "\r\nTo: <sip:%s>\r\nCall-ID: ", host);
    sip_write_call_id(p, dialog, &w);
    write_string(&w, "\r\n");
    write_session_id(p, dialog, &w);
    write_wall_clock(p, now_ms, &w);
    write_string(&w, "CSeq: 1000 REFER\r\n");
    sip_write_user_agent(p, "User-Agent", &w);
    write_string(&w, "Expires: 10\r\nMax-Forwards: 70\r\n");
    write_contact(p, &p->setup->lines[0], link, false, &w);
    write_format(&w,
                 "Require: norefersub\r\nReferred-By: \"%s\" <sip:%s@%s>\r\n"
                 "Refer-To: cid:%08x@%s\r\nContent-Id: <%08x@%s>\r\n",
                 user, user, own, id, own, id, own);
    write_string(&w, "Content-Disposition: session;handling=required\r\n");
    sip_write_body(&w, TEXT("application/x-cisco-alarm+xml"),
                   (struct text){xml, writer_len(&body)});
    if (w.bad || body.bad)
        fx->full = true;
    else
        sip_put(link, message, writer_len(&w), fx);
}
