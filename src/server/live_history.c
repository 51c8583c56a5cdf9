#include "server/live_history.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/models.h"
#include "wire/sccp/message.h"

#define SAME_US     3000000 /* what boot and alarms both tell, of one moment */
#define REPEATS_MAX 8       /* of a step that came again and again: more prove nothing more */
#define SECOND_US   1000000ull
#define PORT_FIRST  50000 /* ports of phones are not kept */

enum what { STEP, GONE, ORDERED, SAID };

struct happening {
    uint64_t us, until_us;
    enum what what;
    uint8_t stage; /* of a STEP */
    unsigned times;
    uint32_t code; /* reason of a refusal, an end, what the phone said; kind of an order */
    char detail[64];
};

struct teller {
    const struct live_history *h;
    struct retell *r;
    struct happening list[HAPPENINGS_MAX];
    size_t n;
    uint32_t flow, sequence;
    bool sip, registered, connected;
    uint64_t last_us; /* of what was told */
};

/* ---- what there is ---- */

static struct happening *add(struct teller *t, uint64_t us, enum what what)
{
    struct happening *e;

    if (t->n == HAPPENINGS_MAX) /* the oldest goes */
        memmove(t->list, t->list + 1, --t->n * sizeof(*t->list));
    e = &t->list[t->n++];
    *e = (struct happening){.us = us, .until_us = us, .what = what, .times = 1};
    return e;
}

static void take_alarm(struct teller *t, const struct alarm *a)
{
    struct happening *e;

    switch (a->id) {
    case ALARM_ENDPOINT_REGISTERED:
        add(t, a->time_us, STEP)->stage = PROGRESS_REGISTERED;
        break;
    case ALARM_ENDPOINT_TRANSIENT:
        e = add(t, a->time_us, STEP);
        e->stage = PROGRESS_REJECTED;
        e->code = a->reason;
        e->times = a->times ? a->times : 1;
        break;
    case ALARM_ENDPOINT_UNREGISTERED:
        add(t, a->time_us, GONE)->code = a->reason;
        break;
    case ALARM_ENDPOINT_RESET:
        add(t, a->time_us, ORDERED)->code = SCCP_RESET_FULL;
        break;
    case ALARM_ENDPOINT_RESTART:
        add(t, a->time_us, ORDERED)->code = SCCP_RESET_RESTART;
        break;
    case ALARM_STATION_ALARM:
        text_copy(add(t, a->time_us, SAID)->detail, sizeof(e->detail),
                  alarm_parameter(a, "DeviceText"));
        break;
    case ALARM_PHONE_OUT_OF_SERVICE:
        add(t, a->time_us, SAID)->code = a->reason;
        break;
    default:
        break;
    }
}

static void take_alarms(struct teller *t)
{
    struct event_filter mine = {.device = text_of(t->h->name.s), .severity = 7};
    const struct events *events = t->h->events;

    for (uint64_t n = events_first(events); n <= events_last(events); n++) {
        const struct alarm *a = events_get(events, n);

        if (a && event_matches(a, &mine))
            take_alarm(t, a);
    }
}

/* The boot tells the same as an alarm of the moment, and more. */
static bool is_told(const struct teller *t, uint64_t us, uint8_t stage)
{
    for (size_t i = t->n; i-- > 0;)
        if (t->list[i].us + SAME_US > us && t->list[i].us < us + SAME_US &&
            ((t->list[i].what == STEP && t->list[i].stage == stage) ||
             (t->list[i].what == GONE && stage == PROGRESS_UNREGISTERED)))
            return true;
    return false;
}

static void take_boot(struct teller *t)
{
    const struct progress_phone *p = t->h->boot;
    struct progress_step steps[PROGRESS_STEPS];
    size_t n = p ? progress_steps(t->h->progress, p, steps) : 0;

    for (size_t i = 0; i < n; i++) {
        uint64_t us = p->boot.start_us + steps[i].at_ms * 1000ull;
        struct happening *e;

        if (is_told(t, us, steps[i].stage) || steps[i].stage == PROGRESS_UNREGISTERED)
            continue;
        e = add(t, us, STEP);
        e->stage = steps[i].stage;
        e->times = steps[i].times;
        e->code = p->boot.code;
        if (e->times > 1)
            e->until_us = i + 1 < n ? p->boot.start_us + steps[i + 1].at_ms * 1000ull : p->last_us;
        snprintf(e->detail, sizeof(e->detail), "%s", steps[i].detail);
    }
}

static int by_time(const void *x, const void *y)
{
    const struct happening *a = x, *b = y;

    return a->us < b->us ? -1 : a->us > b->us;
}

/* ---- connections ---- */

static void at(struct teller *t, uint64_t us)
{
    if (us < t->last_us)
        us = t->last_us;
    t->last_us = us;
    t->r->at.time_ns = (int64_t)us * 1000;
    t->r->at.number++;
}

static void open_link(struct teller *t)
{
    struct retell *r = t->r;

    r->server.port = t->sip ? t->h->sip_port : t->h->sccp_port;
    if (t->connected)
        return;
    t->flow = retell_flow(r);
    r->phone.port = (uint16_t)(PORT_FIRST + t->flow % 10000);
    retell_tcp(r, t->flow, true, TCP_OPENING, 0);
    retell_tcp(r, t->flow, false, TCP_ACCEPTED, 0);
    retell_tcp(r, t->flow, true, TCP_CONNECTED, 0);
    t->connected = true;
}

static void end_link(struct teller *t, bool by_phone, enum tcp_sign how)
{
    if (t->connected)
        retell_tcp(t->r, t->flow, by_phone, how, 0);
    t->connected = t->registered = false;
}

static void sip_register(struct teller *t, uint32_t expires)
{
    char message[700], phone[IP_TEXT_MAX], node[IP_TEXT_MAX];

    ip_print(t->r->phone.ip, phone);
    ip_print(t->h->node, node);
    snprintf(message, sizeof(message),
             "REGISTER sip:%1$s SIP/2.0\r\nVia: SIP/2.0/TCP %2$s;branch=z9hG4bK%4$u\r\n"
             "From: <sip:%3$s@%1$s>;tag=%4$u\r\nTo: <sip:%3$s@%1$s>\r\nCall-ID: %3$s\r\n"
             "CSeq: %4$u REGISTER\r\nContact: <sip:%3$s@%2$s>;"
             "+u.sip!devicename.ccm.cisco.com=\"%3$s\"\r\nExpires: %5$u\r\n"
             "Content-Length: 0\r\n\r\n",
             node, phone, t->h->name.s, ++t->sequence, expires);
    retell_sip(t->r, t->flow, true, text_of(message));
}

static void sip_answer(struct teller *t, unsigned status, const char *words, uint32_t expires)
{
    char message[700], phone[IP_TEXT_MAX], node[IP_TEXT_MAX];

    ip_print(t->r->phone.ip, phone);
    ip_print(t->h->node, node);
    snprintf(message, sizeof(message),
             "SIP/2.0 %6$u %7$s\r\nVia: SIP/2.0/TCP %2$s;branch=z9hG4bK%4$u\r\n"
             "From: <sip:%3$s@%1$s>;tag=%4$u\r\nTo: <sip:%3$s@%1$s>;tag=s\r\nCall-ID: %3$s\r\n"
             "CSeq: %4$u REGISTER\r\nContact: <sip:%3$s@%2$s>;expires=%5$u\r\n"
             "Content-Length: 0\r\n\r\n",
             node, phone, t->h->name.s, t->sequence, expires, status, words);
    retell_sip(t->r, t->flow, false, text_of(message));
}

static uint32_t interval_s(const struct teller *t)
{
    return t->sip ? t->h->sip_interval_s : t->h->sccp_interval_s;
}

static void keepalive(struct teller *t)
{
    if (t->sip) {
        sip_register(t, interval_s(t));
        sip_answer(t, 200, "OK", interval_s(t));
        return;
    }
    retell_sccp(t->r, t->flow, true, SCCP_KEEPALIVE);
    retell_sccp(t->r, t->flow, false, SCCP_KEEPALIVE_ACK);
}

/* ---- registration ---- */

static void asks(struct teller *t)
{
    struct sccp_register_req *q = &t->r->sccp.register_req;

    open_link(t);
    if (t->sip) {
        sip_register(t, interval_s(t));
        return;
    }
    text_copy(q->device_name, sizeof(q->device_name), text_of(t->h->name.s));
    q->device_type = t->h->boot ? t->h->boot->model : 0;
    retell_sccp(t->r, t->flow, true, SCCP_REGISTER_REQ);
}

static void registered(struct teller *t)
{
    if (t->registered)
        end_link(t, true, TCP_ENDING); /* it came anew while it stood */
    asks(t);
    if (t->sip) {
        sip_answer(t, 200, "OK", interval_s(t));
    } else {
        t->r->sccp.register_ack.keepalive_s = interval_s(t);
        retell_sccp(t->r, t->flow, false, SCCP_REGISTER_ACK);
        retell_sccp(t->r, t->flow, false, SCCP_DEFINE_TIME_DATE);
    }
    t->registered = true;
}

/* How CallManager's words and statuses name the reasons of EndPointTransientConnection. */
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
};

static void refused(struct teller *t, const struct happening *e)
{
    const char *words = e->detail[0] ? e->detail : reason_transient(e->code)->text;
    unsigned status = 400;

    for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++)
        if (refusals[i].code == e->code) {
            words = refusals[i].words;
            status = refusals[i].status;
        }
    asks(t);
    if (t->sip) {
        sip_answer(t, status, words, 0);
    } else {
        text_copy(t->r->sccp.register_reject.text, sizeof(t->r->sccp.register_reject.text),
                  text_of(words));
        retell_sccp(t->r, t->flow, false, SCCP_REGISTER_REJECT);
    }
    end_link(t, true, TCP_ENDING);
}

static void ordered(struct teller *t, uint32_t kind)
{
    static const char *const actions[] = {"", "reset", "restart", "apply-config"};
    char message[400];

    if (!t->connected)
        return;
    if (!t->sip) {
        t->r->sccp.reset.kind = kind;
        retell_sccp(t->r, t->flow, false, SCCP_RESET);
        return;
    }
    snprintf(message, sizeof(message),
             "NOTIFY sip:%1$s SIP/2.0\r\nVia: SIP/2.0/TCP n;branch=z9hG4bKn%2$u\r\n"
             "From: <sip:n>;tag=n\r\nTo: <sip:%1$s>\r\nCall-ID: n%2$u\r\nCSeq: %2$u NOTIFY\r\n"
             "Event: service-control\r\nContent-Length: %3$zu\r\n\r\naction=%4$s",
             t->h->name.s, ++t->sequence, strlen(actions[kind & 3]) + 7, actions[kind & 3]);
    retell_sip(t->r, t->flow, false, text_of(message));
}

static void leaves(struct teller *t)
{
    if (t->sip) {
        sip_register(t, 0);
        sip_answer(t, 200, "OK", 0);
    } else {
        retell_sccp(t->r, t->flow, true, SCCP_UNREGISTER);
        retell_sccp(t->r, t->flow, false, SCCP_UNREGISTER_ACK);
    }
    end_link(t, true, TCP_ENDING);
}

/* Our own timer fired: the last keepalive came so long ago. */
static void fell_silent(struct teller *t, uint64_t us)
{
    uint64_t silence = (uint64_t)interval_s(t) * SECOND_US * (t->sip ? 1 : t->h->missed);

    if (us > silence && us - silence > t->last_us) {
        at(t, us - silence);
        keepalive(t);
    }
    at(t, us);
    end_link(t, false, TCP_ENDING);
}

static void gone(struct teller *t, const struct happening *e)
{
    if (!t->connected)
        return;
    switch (e->code) {
    case UNREGISTERED_KEEPALIVE_TIMEOUT:
        fell_silent(t, e->us);
        break;
    case UNREGISTERED_DEVICE_UNREGISTERED:
    case UNREGISTERED_POWER_SAVE:
    case UNREGISTERED_LOW_BATTERY:
    case UNREGISTERED_POWER_OFF:
        leaves(t);
        break;
    case UNREGISTERED_CONNECTIVITY_ERROR:
        end_link(t, true, TCP_RESET);
        break;
    case UNREGISTERED_DEVICE_INITIATED_RESET:
    case UNREGISTERED_FALLBACK:
    case UNREGISTERED_ADDRESS_CHANGED:
    case UNREGISTERED_PORT_CHANGED:
        end_link(t, true, TCP_ENDING);
        break;
    default: /* we sent it away */
        ordered(t, e->code == UNREGISTERED_CALLMANAGER_RESTART ? SCCP_RESET_RESTART
                   : e->code == UNREGISTERED_APPLY_CONFIG      ? SCCP_RESET_APPLY
                                                               : SCCP_RESET_FULL);
        end_link(t, true, TCP_ENDING);
    }
}

static void said(struct teller *t, const struct happening *e)
{
    char words[80];

    snprintf(words, sizeof(words), "%u %s", e->code, reason_phone(e->code)->name);
    open_link(t);
    text_copy(t->r->sccp.alarm.text, sizeof(t->r->sccp.alarm.text),
              text_of(e->code ? words : e->detail));
    retell_sccp(t->r, t->flow, true, SCCP_ALARM);
}

/* ---- address and files ---- */

static void dhcp(struct teller *t, const struct happening *e, enum dhcp_type type)
{
    struct retell *r = t->r;
    struct dhcp_addresses boot = {1, {ip_v4_number(t->h->node)}};

    r->phone.port = DHCP_CLIENT_PORT;
    r->server.port = DHCP_SERVER_PORT;
    retell_dhcp_begin(r, type);
    if (r->dhcp.op == DHCP_BOOTREPLY) {
        dhcp_set_server_id(&r->dhcp, ip_v4_number(t->h->node));
        dhcp_set_tftp_servers(&r->dhcp, boot); /* ours always names somebody */
        r->dhcp.yiaddr = ip_v4_number(r->phone.ip);
    } else if (type == DHCP_DISCOVER)
        dhcp_set_vendor_class(&r->dhcp, e->detail[0] ? text_of(e->detail)
                                                     : TEXT("Cisco Systems, Inc. IP Phone"));
    retell_dhcp(r);
}

/* What we sent was never acknowledged, and given up. */
static void broken_off(struct teller *t, uint32_t flow)
{
    struct tftp_packet data = {.op = TFTP_DATA, .block = 1};
    struct sight s = {.kind = SIGHT_TFTP, .at = t->r->at, .flow = flow, .tftp = &data};

    s.at.from = t->r->server;
    s.at.to = t->r->phone;
    for (int i = 0; i < 4; i++)
        t->r->on_sight(t->r->context, &s);
}

static void file(struct teller *t, const struct happening *e)
{
    struct text name = text_of(e->detail);
    uint32_t flow = retell_flow(t->r);

    t->r->phone.port = (uint16_t)(PORT_FIRST + flow % 10000);
    t->r->server.port = TFTP_PORT;
    retell_file_asked(t->r, flow, name);
    switch (e->stage) {
    case PROGRESS_FILE_MISSING:
        retell_file_refused(t->r, flow, TFTP_ERROR_NOT_FOUND, TEXT("File not found"));
        break;
    case PROGRESS_FILE_REFUSED:
        retell_file_refused(t->r, flow, TFTP_ERROR_ACCESS, TEXT("refused"));
        break;
    case PROGRESS_FILE_BROKEN:
        broken_off(t, flow);
        break;
    default:
        retell_file_sent(t->r, flow, name, SIGHT_SIZE_UNKNOWN);
    }
}

/* ---- all of it ---- */

static void step(struct teller *t, const struct happening *e)
{
    switch ((enum progress_stage)e->stage) {
    case PROGRESS_DHCP_DISCOVER:
        dhcp(t, e, DHCP_DISCOVER);
        break;
    case PROGRESS_DHCP_OFFER:
        dhcp(t, e, DHCP_OFFER);
        break;
    case PROGRESS_DHCP_REQUEST:
        dhcp(t, e, DHCP_REQUEST);
        break;
    case PROGRESS_DHCP_ACK:
        dhcp(t, e, DHCP_ACK);
        break;
    case PROGRESS_DHCP_NAK:
        dhcp(t, e, DHCP_NAK);
        break;
    case PROGRESS_FILE_ASKED:
    case PROGRESS_FILE_SENT:
    case PROGRESS_FILE_MISSING:
    case PROGRESS_FILE_REFUSED:
    case PROGRESS_FILE_BROKEN:
        file(t, e);
        break;
    case PROGRESS_REGISTERED:
        registered(t);
        break;
    case PROGRESS_REJECTED:
        refused(t, e);
        break;
    default: /* a Register shows in its answer, and so does what is no message */
        break;
    }
}

static void tell(struct teller *t, const struct happening *e)
{
    unsigned n = e->times < REPEATS_MAX ? e->times : REPEATS_MAX;

    for (unsigned i = 0; i < (n ? n : 1); i++) {
        at(t, e->us + (n > 1 ? (e->until_us - e->us) / n * i : 0));
        switch (e->what) {
        case STEP:
            step(t, e);
            break;
        case GONE:
            gone(t, e);
            break;
        case ORDERED:
            ordered(t, e->code);
            break;
        case SAID:
            said(t, e);
        }
    }
}

/* Each repeat waits twice as long as the one before (RFC 6298 5.5); the kernel tells how long the
 * next one will. */
static void unacknowledged(struct teller *t)
{
    const struct tcp_health *link = t->h->link;
    uint64_t wait_ms = link->timeout_ms, since_us, after = 0;
    uint32_t n = link->tries < 12 ? link->tries : 12;

    for (uint32_t i = 0; i < n; i++)
        wait_ms /= 2;
    since_us =
        t->h->link_us > link->silent_ms * 1000ull ? t->h->link_us - link->silent_ms * 1000ull : 0;
    for (uint32_t i = 0; i < n; i++, wait_ms *= 2) {
        after += wait_ms * 1000;
        at(t, since_us + after < t->h->link_us ? since_us + after : t->h->link_us);
        retell_tcp(t->r, t->flow, false, TCP_AGAIN, (int64_t)after * 1000);
    }
}

void live_history_tell(const struct live_history *h, struct retell *r)
{
    struct teller *t = calloc(1, sizeof(*t));

    if (!t)
        return;
    t->h = h;
    t->r = r;
    t->sip = (h->status ? h->status->protocol : h->boot ? h->boot->protocol : 0) == PROTOCOL_SIP;
    device_name_mac(h->name, &r->mac);
    r->phone.ip = h->status && !ip_is_any(h->status->ip) ? h->status->ip
                  : h->boot                              ? h->boot->ip
                                                         : r->phone.ip;
    r->server.ip = h->node;
    take_alarms(t);
    take_boot(t);
    qsort(t->list, t->n, sizeof(*t->list), by_time);
    for (size_t i = 0; i < t->n; i++)
        tell(t, &t->list[i]);
    /* Whoever counts as registered was heard of in time: that is what our own timer says. */
    if (t->registered && h->status && h->status->state == STATE_REGISTERED) {
        at(t, h->link ? h->link_us - h->link->silent_ms * 1000ull : h->now_us - SECOND_US);
        keepalive(t);
        if (h->link)
            unacknowledged(t);
    }
    free(t);
}
