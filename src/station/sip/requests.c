/* requests.c - requests other than REGISTER: a row a method. */
#include <stdio.h>

#include "core/counters.h"
#include "station/phone_alarm.h"
#include "station/sip/station.h"
#include "wire/sip/multipart.h"
#include "wire/sip/write.h"

#define SHARED_MAX 8 /* phones of one number that are looked at */

#define ALLOW "REGISTER, OPTIONS, NOTIFY, SUBSCRIBE, PUBLISH, REFER, INVITE, ACK, CANCEL, BYE"

/* By UDP: the device of that name, if it is registered from this address. */
static struct sip_device *from_here(const struct sip_request *q, struct device_name name)
{
    struct sip_device *d = sip_device_find(q->owner, name);
    bool is = d && d->bindings && !d->bindings->link &&
              ip_equal(sip_binding_flow(d->bindings).peer.ip, q->flow->peer.ip);

    return is ? d : NULL;
}

/* From has a number of it; of what concerns the whole device, its MAC address (reference 8). */
static struct sip_device *sender_by_udp(const struct sip_request *q)
{
    const struct directory *dir = q->owner->registry->directory;
    const struct phone *phone = NULL;
    struct sip_device *d = NULL;
    struct sip_uri from;
    struct mac mac;

    if (!dir || sip_uri_parse(q->message->from.uri, &from) < 0)
        return NULL;
    for (int i = 0; i < SHARED_MAX && !d; i++) {
        if (!(phone = directory_line_user(dir, from.user, phone ? phone->name : "")))
            break;
        d = from_here(q, device_name_of(text_of(phone->name)));
    }
    return d || mac_parse(from.user, &mac) < 0 ? d : from_here(q, device_name_of_mac(mac));
}

/* Whoever is registered over this connection. */
struct sip_device *sip_request_sender(const struct sip_request *q)
{
    struct list *first;

    if (!q->link)
        return sender_by_udp(q);
    if (list_is_empty(&q->link->bindings))
        return NULL;
    first = q->link->bindings.next;
    return container_of(first, struct sip_binding, on_link)->device;
}

static void allowed(struct sip_request *q, uint16_t status)
{
    size_t at = sip_answer_begin(q, status, NULL);

    sip_write_header(&q->effects->out, SIP_ALLOW, TEXT(ALLOW));
    sip_answer_end(q, at, TEXT(""), TEXT(""));
}

static void options(struct sip_request *q)
{
    size_t at = sip_answer_begin(q, 200, NULL);
    struct writer *w = &q->effects->out;

    sip_write_header(w, SIP_ALLOW, TEXT(ALLOW));
    sip_write_header(w, SIP_ACCEPT,
                     TEXT("application/sdp, application/x-cisco-alarm+xml, "
                          "application/x-cisco-remotecc-request+xml"));
    sip_write_format(w, "Supported", "X-cisco-srtp-fallback,X-cisco-sis-%s", q->owner->sis);
    sip_answer_end(q, at, TEXT(""), TEXT(""));
}

/* "Unassigned number": what phones show, and other systems count. */
static void nobody_there(struct sip_request *q)
{
    size_t at = sip_answer_begin(q, 404, NULL);

    sip_write_header(&q->effects->out, SIP_REASON, TEXT("Q.850;cause=1"));
    sip_answer_end(q, at, TEXT(""), TEXT(""));
}

/* A phone in quarantine may call its activation code; otherwise nobody can be called yet. A
 * stranger is told so as CallManager says it. */
static void invite(struct sip_request *q)
{
    struct sip_device *d = sip_request_sender(q);
    const struct phone *phone;
    char ip[IP_TEXT_MAX], warning[160];

    if (text_is(sip_value(q->message, SIP_MAX_FORWARDS), "0")) {
        sip_answer(q, 483, NULL);
        return;
    }
    if (d && (q->link || d->proven)) { /* a final answer is sent again until its ACK */
        q->known = true;
        phone = station_phone(&d->station);
        if (phone && phone->quarantine)
            sip_activation_invite(q, d);
        else
            nobody_there(q);
        return;
    }
    snprintf(warning, sizeof(warning),
             "Unable to find a device handler for the request received on port %u from %s",
             q->flow->local.port, ip_print(q->flow->peer.ip, ip));
    sip_answer_warning(q, 503, warning);
}

static void no_dialog(struct sip_request *q)
{
    sip_answer(q, 481, NULL);
}

/* Hook state and the like, unasked: the rule with these phones (reference 12). From others nothing was asked for. */
static void notify(struct sip_request *q)
{
    bool known = sip_request_sender(q);

    sip_answer(q, !sip_value(q->message, SIP_EVENT).at ? 489 : known ? 200 : 481, NULL);
}

/* Alarms come right after the connection, before REGISTER, and phones wait for their 202. */
static void keep_alarm(struct sip_request *q, struct text xml)
{
    struct sip_device *d = sip_request_sender(q);
    struct alarm_draft draft;

    if (phone_alarm_read_xml(xml, &draft) < 0) {
        count(COUNT_SIP_MALFORMED);
        return;
    }
    draft.ip = q->flow->peer.ip;
    if (!draft.device.s[0] && d)
        draft.device = d->station.name;
    if (d && draft.id == ALARM_PHONE_OUT_OF_SERVICE)
        sip_device_keep_alarm(d, &draft);
    effects_alarm(q->effects, &draft);
}

/* What its body says. */
static void take_instructions(struct sip_request *q)
{
    struct sip_part parts[8];
    int n = sip_message_parts(q->message, parts, 8);

    if (n < 0) {
        count(COUNT_SIP_MALFORMED);
        sip_answer(q, 400, "Malformed Body");
        return;
    }
    for (int i = 0; i < n; i++)
        if (sip_type_is(parts[i].type, "application/x-cisco-alarm+xml"))
            keep_alarm(q, parts[i].body);
    sip_answer_accepted(q);
}

/* To call somebody else is not in its power. */
static void refer(struct sip_request *q)
{
    struct text to = sip_value(q->message, SIP_REFER_TO);

    if (!sip_row(q->message, SIP_REFER_TO)) /* RFC 3515 2.4.1: exactly one */
        sip_answer(q, 400, "Missing Refer-To");
    else if (text_contains_nocase(to, TEXT(":token-registration")))
        sip_token_request(q);
    else if (text_contains_nocase(to, TEXT("sip:")) || text_contains_nocase(to, TEXT("sips:")))
        sip_answer(q, 603, NULL);
    else
        take_instructions(q);
}

static void nothing(struct sip_request *q)
{
}

static void not_allowed(struct sip_request *q)
{
    allowed(q, 405);
}

static void not_known(struct sip_request *q)
{
    allowed(q, 501);
}

void sip_request_answer(struct sip_request *q)
{
    static void (*const answers[N_SIP_METHODS])(struct sip_request * q) = {
        [SIP_UNKNOWN_METHOD] = not_known,
        [SIP_INVITE] = invite,
        [SIP_ACK] = nothing,
        [SIP_BYE] = no_dialog,
        [SIP_CANCEL] = sip_activation_cancel,
        [SIP_OPTIONS] = options,
        [SIP_NOTIFY] = notify,
        [SIP_SUBSCRIBE] = sip_subscribe_request,
        [SIP_REFER] = refer,
        [SIP_PUBLISH] = sip_publish_request,
        [SIP_UPDATE] = no_dialog,
        [SIP_INFO] = no_dialog,
        [SIP_PRACK] = no_dialog,
        [SIP_MESSAGE] = not_allowed,
    };

    if (q->message->method == SIP_ACK || sip_request_is_understood(q))
        answers[q->message->method](q);
}
