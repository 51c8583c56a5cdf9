/* events.c - what phones publish and subscribe to while nobody calls (RFC 3903, RFC 6665).
 *
 * Lamps, forwards and hook state travel unasked with Cisco's phones, so two things are left: the
 * key for "do not disturb", which publishes presence and waits for the server to agree, and clients
 * of other makes, which ask whether messages wait. None ever does, so that a subscription is told
 * its state whenever it is made or refreshed, and nothing has to be remembered of it. */
#include <stdio.h>

#include "core/counters.h"
#include "station/sip/station.h"
#include "wire/sip/multipart.h"
#include "wire/sip/write.h"
#include "wire/xml.h"

#define SUBSCRIBE_DEFAULT_S 3600
#define SUBSCRIBE_MAX_S     7200
#define PUBLISH_MAX_S       3600

static bool is_event(const struct sip_request *q, const char *name)
{
    struct text event = sip_value(q->message, SIP_EVENT);

    return text_is(text_trim(text_split(&event, ';')), name);
}

/* Phones that asked who is busy show that they do not know, and do not ask again before they register anew; after
 * 481 they would, at once and without end. */
static void not_that_event(struct sip_request *q, struct text but)
{
    size_t at = sip_answer_begin(q, 489, NULL);

    sip_write_header(&q->effects->out, SIP_ALLOW_EVENTS, but);
    sip_answer_end(q, at, TEXT(""), TEXT(""));
}

/* Registered, and no forged datagram. */
static bool is_there(const struct sip_request *q, const struct sip_device *d)
{
    return d && station_is_registered(&d->station) && (q->link || d->proven);
}

static uint32_t expires_of(const struct sip_request *q, uint32_t otherwise, uint32_t most)
{
    uint32_t s;

    if (text_to_u32(text_trim(sip_value(q->message, SIP_EXPIRES)), 10, &s) < 0)
        s = otherwise;
    return s < most ? s : most;
}

/* --- message-summary (RFC 3842) --- */

static void accept_for(struct sip_request *q, uint32_t expires_s)
{
    size_t at = sip_answer_begin(q, 200, NULL);

    sip_write_number(&q->effects->out, SIP_EXPIRES, expires_s);
    sip_write_contact(&q->effects->out, q->owner, TEXT(""), q->flow);
    sip_answer_end(q, at, TEXT(""), TEXT(""));
}

static void subscribe_messages(struct sip_request *q, struct sip_device *d)
{
    uint32_t expires_s = expires_of(q, SUBSCRIBE_DEFAULT_S, SUBSCRIBE_MAX_S);
    char state[60], body[200];

    accept_for(q, expires_s);
    snprintf(state, sizeof(state), expires_s ? "active;expires=%u" : "terminated;reason=timeout",
             expires_s);
    snprintf(body, sizeof(body), "Messages-Waiting: no\r\nVoice-Message: 0/0\r\n");
    sip_notify_subscriber(q, d, "message-summary", state,
                          TEXT("application/simple-message-summary"), text_of(body));
}

void sip_subscribe_request(struct sip_request *q)
{
    struct sip_device *d = sip_request_sender(q);

    if (!is_event(q, "message-summary")) {
        not_that_event(q, TEXT("message-summary"));
    } else if (!is_there(q, d)) {
        sip_answer(q, 403, NULL);
    } else {
        q->known = true;
        subscribe_messages(q, d);
    }
}

/* --- presence: the key for "do not disturb" --- */

static int find_dnd(void *context, const struct xml_event *e)
{
    bool *found = context;

    *found |= e->kind == XML_OPEN && (text_is(e->name, "dnd") || text_ends(e->name, ":dnd"));
    return 0;
}

/* 0, or -EBADMSG when the body is no document. */
static int read_dnd(const struct sip_request *q, bool *dnd)
{
    struct sip_part part;
    int n = sip_message_parts(q->message, &part, 1);

    *dnd = false;
    return n < 1 ? 0 : xml_read(part.body.at, part.body.len, find_dnd, dnd, NULL);
}

/* One publisher, one state: its tag is the same while the phone is registered. */
static const char *tag_of(const struct sip_device *d, char to[static 20])
{
    snprintf(to, 20, "%016llx", (unsigned long long)sip_keyed(d->owner, pool_id(d)));
    return to;
}

static void publish_presence(struct sip_request *q, struct sip_device *d)
{
    struct text match = text_trim(sip_value_named(q->message, "SIP-If-Match"));
    uint32_t expires_s = expires_of(q, PUBLISH_MAX_S, PUBLISH_MAX_S);
    char tag[20];
    bool dnd;
    size_t at;

    if (match.len && !text_is(match, tag_of(d, tag))) {
        sip_answer(q, 412, "Conditional Request Failed");
        return;
    }
    if (read_dnd(q, &dnd) < 0) {
        count(COUNT_SIP_MALFORMED);
        sip_answer(q, 400, "Malformed Body");
        return;
    }
    at = sip_answer_begin(q, 200, NULL);
    sip_write_number(&q->effects->out, SIP_EXPIRES, expires_s);
    sip_write_named(&q->effects->out, "SIP-ETag", text_of(tag_of(d, tag)));
    sip_answer_end(q, at, TEXT(""), TEXT(""));
    if (q->message->length || !expires_s)
        sip_tell_dnd(d, dnd && expires_s);
}

void sip_publish_request(struct sip_request *q)
{
    struct sip_device *d = sip_request_sender(q);

    if (!is_event(q, "presence")) {
        not_that_event(q, TEXT("presence"));
    } else if (!is_there(q, d)) {
        sip_answer(q, 403, NULL);
    } else {
        q->known = true;
        publish_presence(q, d);
    }
}
