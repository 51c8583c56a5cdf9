#include "doctor/retold.h"

#include <stdio.h>

#include "core/alarms.h"

#define SECOND_NS  1000000000LL
#define PORT_FIRST 50000

/* ---- connections ---- */

void retold_place(struct retold *p)
{
    p->r->mac = p->mac;
    p->r->phone = p->phone;
    p->r->server = p->server;
}

void retold_connected(struct retold *p)
{
    struct retell *r = p->r;

    p->last_ns = r->at.time_ns;
    retold_place(p);
    if (p->connected)
        return;
    p->flow = retell_flow(r);
    if (!p->phone.port || p->made_port) { /* ports of phones are seldom told */
        p->made_port = true;
        r->phone.port = p->phone.port = (uint16_t)(PORT_FIRST + p->flow % 10000);
    }
    retell_tcp(r, p->flow, true, TCP_OPENING, 0);
    retell_tcp(r, p->flow, false, TCP_ACCEPTED, 0);
    retell_tcp(r, p->flow, true, TCP_CONNECTED, 0);
    p->connected = true;
}

void retold_ended(struct retold *p, bool by_phone, enum tcp_sign how)
{
    retold_place(p);
    if (p->connected)
        retell_tcp(p->r, p->flow, by_phone, how, 0);
    p->connected = p->registered = false;
}

/* What stands for it in SIP where nobody says its address. */
static void name_server(const struct retold *p, char to[static IP_TEXT_MAX])
{
    if (p->server.ip.family)
        ip_print(p->server.ip, to);
    else
        text_copy(to, IP_TEXT_MAX, TEXT("server.invalid"));
}

static void sip_register(struct retold *p, uint32_t expires)
{
    char message[700], phone[IP_TEXT_MAX], node[IP_TEXT_MAX];

    ip_print(p->phone.ip, phone);
    name_server(p, node);
    snprintf(message, sizeof(message),
             "REGISTER sip:%1$s SIP/2.0\r\nVia: SIP/2.0/TCP %2$s;branch=z9hG4bK%4$u\r\n"
             "From: <sip:%3$s@%1$s>;tag=%4$u\r\nTo: <sip:%3$s@%1$s>\r\nCall-ID: %3$s\r\n"
             "CSeq: %4$u REGISTER\r\nContact: <sip:%3$s@%2$s>;"
             "+u.sip!devicename.ccm.cisco.com=\"%3$s\"\r\nExpires: %5$u\r\n"
             "Content-Length: 0\r\n\r\n",
             node, phone, p->name.s, ++p->sequence, expires);
    retell_sip(p->r, p->flow, true, text_of(message));
}

static void sip_answer(struct retold *p, unsigned status, const char *words, uint32_t expires)
{
    char message[700], phone[IP_TEXT_MAX], node[IP_TEXT_MAX];

    ip_print(p->phone.ip, phone);
    name_server(p, node);
    snprintf(message, sizeof(message),
             "SIP/2.0 %6$u %7$s\r\nVia: SIP/2.0/TCP %2$s;branch=z9hG4bK%4$u\r\n"
             "From: <sip:%3$s@%1$s>;tag=%4$u\r\nTo: <sip:%3$s@%1$s>;tag=s\r\nCall-ID: %3$s\r\n"
             "CSeq: %4$u REGISTER\r\nContact: <sip:%3$s@%2$s>;expires=%5$u\r\n"
             "Content-Length: 0\r\n\r\n",
             node, phone, p->name.s, p->sequence, expires, status, words);
    retell_sip(p->r, p->flow, false, text_of(message));
}

void retold_keepalive(struct retold *p)
{
    retold_connected(p);
    if (p->sip) {
        sip_register(p, p->interval_s);
        sip_answer(p, 200, "OK", p->interval_s);
        return;
    }
    retell_sccp(p->r, p->flow, true, SCCP_KEEPALIVE);
    retell_sccp(p->r, p->flow, false, SCCP_KEEPALIVE_ACK);
}

/* ---- registration ---- */

void retold_registers(struct retold *p)
{
    struct sccp_register_req *q = &p->r->sccp.register_req;

    if (p->registered)
        retold_ended(p, true, TCP_ENDING); /* it comes anew while it stands */
    retold_connected(p);
    p->asked = true;
    if (p->sip) {
        sip_register(p, p->interval_s);
        return;
    }
    text_copy(q->device_name, sizeof(q->device_name), text_of(p->name.s));
    q->device_type = p->model;
    retell_sccp(p->r, p->flow, true, SCCP_REGISTER_REQ);
}

void retold_registered(struct retold *p)
{
    retold_place(p);
    if (!p->asked)
        retold_registers(p);
    p->asked = false;
    if (p->sip) {
        sip_answer(p, 200, "OK", p->interval_s);
    } else {
        p->r->sccp.register_ack.keepalive_s = p->interval_s;
        retell_sccp(p->r, p->flow, false, SCCP_REGISTER_ACK);
        retell_sccp(p->r, p->flow, false, SCCP_DEFINE_TIME_DATE);
    }
    p->registered = true;
}

/* How CallManager's words and statuses name the reasons of EndPointTransientConnection; where it
 * has none, words that fit into a RegisterReject. */
static const struct {
    uint32_t code;
    unsigned status;
    const char *words;
} refusals[] = {
    {TRANSIENT_NO_ENTRY, 404, "Error: DB Config"},
    {TRANSIENT_DB_CONFIG, 404, "Error: DB Config"},
    {TRANSIENT_AUTOREGISTER_DB, 404, "Error: DB Config"},
    {TRANSIENT_AUTHENTICATION_ERROR, 403, "Authentication error"},
    {TRANSIENT_X509_NAME, 403, "Security Error"},
    {TRANSIENT_TLS_CIPHER, 403, "Security Error"},
    {TRANSIENT_SECURITY_MISMATCH, 403, "Security Error"},
    {TRANSIENT_DIGEST_CHALLENGE, 403, "Authentication error"},
    {TRANSIENT_DIGEST_CHALLENGE_ID, 403, "Authentication error"},
    {TRANSIENT_DIGEST_TIMEOUT, 403, "Authentication error"},
    {TRANSIENT_AUTHORIZATION_ERROR, 403, "Authentication error"},
    {TRANSIENT_PROTOCOL_MISMATCH, 485, "Protocol mismatch"},
    {TRANSIENT_TYPE_MISMATCH, 485, "Device type mismatch"},
    {TRANSIENT_ALREADY_EXISTS, 503, "Device is registered already"},
    {TRANSIENT_OBSOLETE_VERSION, 400, "Version Error"},
    {TRANSIENT_NAME_UNRESOLVED, 400, "Device name not understood"},
    {TRANSIENT_CONNECTIVITY_ERROR, 400, UNFINISHED "connection ended"},
    {TRANSIENT_SEQUENCE_ERROR, 400, UNFINISHED "wrong order"},
    {TRANSIENT_INVALID_CAPABILITIES, 400, UNFINISHED "bad capabilities"},
    {TRANSIENT_CAPABILITY_TIMEOUT, 400, UNFINISHED "no capabilities"},
    {TRANSIENT_INITIALIZATION_ERROR, 500, "Internal error"},
    {TRANSIENT_MALFORMED_REGISTER, 400, "Register not understood"},
    {TRANSIENT_NOT_ACTIVE, 403, "Device is not active"},
    {TRANSIENT_EXPIRES_TOO_SMALL, 423, "Expires is too small"},
    {TRANSIENT_DB_TIMEOUT, 500, "Error: Database"},
    {TRANSIENT_DB_ACCESS, 500, "Error: Database"},
    {TRANSIENT_AUTOREGISTER_TIMEOUT, 500, "Error: Database"},
    {TRANSIENT_USER_NOT_UNIQUE, 400, "The user has several devices"},
    {TRANSIENT_ADDRESSING_MISMATCH, 400, "No address of its family"},
    {TRANSIENT_SOURCE_UNVERIFIED, 403, "Unknown media server"},
};

const char *retold_refusal(uint32_t code, unsigned *status)
{
    *status = 400;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++)
        if (refusals[i].code == code) {
            *status = refusals[i].status;
            return refusals[i].words;
        }
    return NULL;
}

void retold_refused(struct retold *p, uint32_t code, const char *words)
{
    unsigned status;
    const char *known = retold_refusal(code, &status);

    if (!words || !words[0])
        words = known ? known : "unknown reason";
    retold_place(p);
    if (!p->asked)
        retold_registers(p);
    p->asked = false;
    if (p->sip) {
        sip_answer(p, status, words, 0);
    } else {
        text_copy(p->r->sccp.register_reject.text, sizeof(p->r->sccp.register_reject.text),
                  text_of(words));
        retell_sccp(p->r, p->flow, false, SCCP_REGISTER_REJECT);
    }
    retold_ended(p, true, TCP_ENDING);
}

void retold_ordered(struct retold *p, uint32_t kind)
{
    static const char *const actions[] = {"", "reset", "restart", "apply-config"};
    char message[400];

    if (!p->connected)
        return;
    retold_place(p);
    if (!p->sip) {
        p->r->sccp.reset.kind = kind;
        retell_sccp(p->r, p->flow, false, SCCP_RESET);
        return;
    }
    snprintf(message, sizeof(message),
             "NOTIFY sip:%1$s SIP/2.0\r\nVia: SIP/2.0/TCP n;branch=z9hG4bKn%2$u\r\n"
             "From: <sip:n>;tag=n\r\nTo: <sip:%1$s>\r\nCall-ID: n%2$u\r\nCSeq: %2$u NOTIFY\r\n"
             "Event: service-control\r\nContent-Length: %3$zu\r\n\r\naction=%4$s",
             p->name.s, ++p->sequence, strlen(actions[kind & 3]) + 7, actions[kind & 3]);
    retell_sip(p->r, p->flow, false, text_of(message));
}

static void leaves(struct retold *p)
{
    retold_place(p);
    if (p->sip) {
        sip_register(p, 0);
        sip_answer(p, 200, "OK", 0);
    } else {
        retell_sccp(p->r, p->flow, true, SCCP_UNREGISTER);
        retell_sccp(p->r, p->flow, false, SCCP_UNREGISTER_ACK);
    }
    retold_ended(p, true, TCP_ENDING);
}

/* The server's timer fired: the last keepalive came so long ago. */
static void fell_silent(struct retold *p)
{
    int64_t now = p->r->at.time_ns, then = now - (int64_t)p->silence_s * SECOND_NS;

    if (then > p->last_ns) {
        p->r->at.time_ns = then;
        retold_keepalive(p);
        p->r->at.time_ns = now;
    }
    retold_ended(p, false, TCP_ENDING);
}

/* It was registered when this was begun to be told: its keepalives had come, as they do, until
 * `then_ns`. */
static void had_been(struct retold *p, int64_t then_ns)
{
    int64_t now = p->r->at.time_ns;
    unsigned n = then_ns < now && p->interval_s ? 2 : 0;

    p->connected = true;
    p->flow = retell_flow(p->r);
    p->r->at.time_ns = then_ns - (int64_t)n * p->interval_s * SECOND_NS;
    retold_place(p);
    p->r->at.device = p->name.s;
    retell_tcp(p->r, p->flow, true, TCP_MIDDLE, 0);
    p->r->at.device = NULL;
    retold_keepalive(p);
    while (n--) {
        p->r->at.time_ns += p->interval_s * SECOND_NS;
        retold_keepalive(p);
    }
    p->registered = true;
    p->r->at.time_ns = now;
}

void retold_gone(struct retold *p, uint32_t code)
{
    int64_t silence =
        code == UNREGISTERED_KEEPALIVE_TIMEOUT ? (int64_t)p->silence_s * SECOND_NS : 0;

    if (!p->connected)
        had_been(p, p->r->at.time_ns - silence);
    retold_place(p);
    switch (code) {
    case UNREGISTERED_KEEPALIVE_TIMEOUT:
        fell_silent(p);
        break;
    case UNREGISTERED_DEVICE_UNREGISTERED:
    case UNREGISTERED_POWER_SAVE:
    case UNREGISTERED_LOW_BATTERY:
    case UNREGISTERED_POWER_OFF:
        leaves(p);
        break;
    case UNREGISTERED_CONNECTIVITY_ERROR:
        retold_ended(p, true, TCP_RESET);
        break;
    case UNREGISTERED_DEVICE_INITIATED_RESET:
    case UNREGISTERED_FALLBACK:
    case UNREGISTERED_ADDRESS_CHANGED:
    case UNREGISTERED_PORT_CHANGED:
        retold_ended(p, true, TCP_ENDING);
        break;
    default: /* we sent it away */
        retold_ordered(p, code == UNREGISTERED_CALLMANAGER_RESTART ? SCCP_RESET_RESTART
                          : code == UNREGISTERED_APPLY_CONFIG      ? SCCP_RESET_APPLY
                                                                   : SCCP_RESET_FULL);
        retold_ended(p, true, TCP_ENDING);
    }
}

void retold_said(struct retold *p, uint32_t code, const char *words)
{
    char line[80];

    snprintf(line, sizeof(line), "%u %s", code, reason_phone(code)->name);
    retold_connected(p);
    text_copy(p->r->sccp.alarm.text, sizeof(p->r->sccp.alarm.text), text_of(code ? line : words));
    retell_sccp(p->r, p->flow, true, SCCP_ALARM);
}
