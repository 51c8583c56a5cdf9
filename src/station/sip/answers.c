/* sip/answers.c - what a REGISTER and other requests are answered with. */
#include <stdio.h>

#include "core/counters.h"
#include "station/refusals.h"
#include "station/sip/guard.h"
#include "station/sip/station.h"
#include "wire/sip/remotecc.h"
#include "wire/sip/write.h"

#define NEWREG ";x-cisco-newreg"

/* The same for a request that comes again: answers are made anew, none is remembered. */
static uint64_t tag_of(const struct sip_request *q)
{
    uint64_t n = 0xcbf29ce484222325u ^ q->message->cseq, key;

    for (size_t i = 0; i < q->message->call_id.len; i++)
        n = (n ^ (uint8_t)q->message->call_id.at[i]) * 0x100000001b3u;
    memcpy(&key, q->owner->secret, sizeof(key));
    n = (n ^ key) * 0x9e3779b97f4a7c15u;
    return (n ^ n >> 31) >> 16;
}

struct sip_tag sip_answer_tag(const struct sip_request *q)
{
    struct sip_tag tag;

    snprintf(tag.s, sizeof(tag.s), "%llu", (unsigned long long)tag_of(q));
    return tag;
}

static size_t begin(const struct sip_request *q, uint16_t status, const char *words, bool tagged,
                    bool named)
{
    struct writer *w = &q->effects->out;
    size_t at = writer_len(w);
    struct sip_tag tag = sip_answer_tag(q);

    sip_write_answer(w, q->message, status, words, tagged ? text_of(tag.s) : TEXT(""),
                     &q->flow->peer, q->owner->registry->now.wall_us,
                     named ? text_of(q->owner->server) : TEXT(""));
    return at;
}

size_t sip_answer_begin(const struct sip_request *q, uint16_t status, const char *words)
{
    return begin(q, status, words, true, true);
}

/* Where an answer by UDP goes: to the address the request came from, whatever its Via says of
 * that; to the port of the Via unless rport asks for the one it came from (RFC 3581 4). */
static struct endpoint answer_to(const struct sip_request *q)
{
    const struct sip_via *via = &q->message->via;
    struct endpoint to = q->flow->peer;

    if (!via->rport)
        to.port = via->port ? via->port : 5060;
    return to;
}

/* A source by UDP that may be forged. */
static bool is_to_stranger(const struct sip_request *q)
{
    return !q->known && !q->link;
}

static size_t came(const struct sip_request *q)
{
    return q->message->head + q->message->body.len;
}

static bool may_go(const struct sip_request *q, size_t len)
{
    struct sip_guard *g = q->owner->guard;
    struct ip ip = q->flow->peer.ip;
    uint64_t now = q->owner->registry->now.ms;

    return !is_to_stranger(q) || (sip_guard_pays(g, ip, came(q), len, now) &&
                                  sip_guard_allows(g, ip, (uint32_t)SETTING_OF(q->owner, sip_udp_throttle), now));
}

/* Takes the line of that header out of what was written. */
static void leave_out(struct writer *w, size_t from, struct text name)
{
    struct text rest = {(const char *)w->start + from, writer_len(w) - from};

    while (rest.len) {
        char *line = (char *)rest.at;

        text_split(&rest, '\n');
        if (text_starts((struct text){line, (size_t)((char *)w->at - line)}, name.at)) {
            memmove(line, rest.at, rest.len);
            w->at -= rest.at - line;
            return;
        }
    }
}

/* A stranger gets no more than he sent, where the answer can do without. */
static void shorten(const struct sip_request *q, size_t at)
{
    static const char *const names[] = {"Server:", "Date:", "Supported:", "Accept:"};
    struct writer *w = &q->effects->out;

    for (size_t i = 0; i < sizeof(names) / sizeof(*names) && writer_len(w) - at > came(q); i++)
        leave_out(w, at, text_of(names[i]));
}

static void tell_throttled(const struct sip_request *q)
{
    struct alarm_draft d;
    uint32_t times;

    if (!sip_guard_throttled(q->owner->guard, q->flow->peer.ip, q->owner->registry->now.ms, &times))
        return;
    alarm_begin(&d, ALARM_SOURCE_THROTTLED);
    alarm_put_ip(&d, q->flow->peer.ip);
    alarm_put(&d, "Requests", "%u", times);
    alarm_put(&d, "Threshold", "%d", SETTING_OF(q->owner, sip_udp_throttle));
    effects_alarm(q->effects, &d);
}

void sip_answer_end(const struct sip_request *q, size_t at, struct text type, struct text body)
{
    struct writer *w = &q->effects->out;
    struct endpoint to;
    bool fits;

    sip_write_body(w, type, body);
    fits = !w->bad;
    if (fits && is_to_stranger(q))
        shorten(q, at);
    if (!fits || !may_go(q, writer_len(w) - at)) {
        w->at = w->start + at;
        w->bad = false;
        count(COUNT_SIP_UNANSWERED);
        if (fits)
            tell_throttled(q);
        return;
    }
    count(COUNT_SIP_RESPONSES_OUT);
    if (q->link) {
        effects_send(q->effects, q->flow->link, at);
        return;
    }
    to = answer_to(q);
    effects_datagram(q->effects, &to, q->flow->local.ip, at);
}

void sip_answer(const struct sip_request *q, uint16_t status, const char *words)
{
    sip_answer_end(q, sip_answer_begin(q, status, words), TEXT(""), TEXT(""));
}

static void put_warning(const struct sip_request *q, const char *warning)
{
    if (*warning)
        sip_write_format(&q->effects->out, "Warning", "399 %s \"%s\"",
                         q->owner->registry->options.node, warning);
}

void sip_answer_warning(const struct sip_request *q, uint16_t status, const char *warning)
{
    size_t at = sip_answer_begin(q, status, NULL);

    put_warning(q, warning);
    sip_answer_end(q, at, TEXT(""), TEXT(""));
}

void sip_answer_later(const struct sip_request *q, const char *warning, uint32_t s)
{
    size_t at = sip_answer_begin(q, 503, NULL);

    sip_write_number(&q->effects->out, SIP_EXPIRES, 0);
    sip_write_number(&q->effects->out, SIP_RETRY_AFTER, s);
    put_warning(q, warning);
    sip_answer_end(q, at, TEXT(""), TEXT(""));
}

void sip_answer_busy(const struct sip_request *q, const char *warning)
{
    sip_answer_later(q, warning, (uint32_t)SETTING_OF(q->owner, sip_retry_after));
}

void sip_answer_too_brief(const struct sip_request *q, uint32_t least_s)
{
    size_t at = sip_answer_begin(q, 423, NULL);

    sip_write_number(&q->effects->out, SIP_MIN_EXPIRES, least_s);
    sip_answer_end(q, at, TEXT(""), TEXT(""));
}

/* As CallManager answers, and what it puts on the status line: codes of the phone's own
 * dictionary. */
void sip_answer_refused(const struct sip_request *q, unsigned refusal)
{
    static const struct {
        uint16_t status;
        const char *warning, *text;
    } rows[N_REFUSALS] = {
        [REFUSAL_MALFORMED] = {400, "Device name is malformed", ""},
        [REFUSAL_NO_DIRECTORY] = {503, "Database", ""},
        [REFUSAL_OLD_CLUSTER] = {403, "Version Error", ""},
        [REFUSAL_TOO_MANY] = {503, "Maximum number of registered devices is reached", ""},
        [REFUSAL_UNKNOWN] = {404, "Auto-registration failed", "\x80/"},
        [REFUSAL_PROTOCOL] = {485, "Device type mismatch",
                              "\x80"
                              "3"},
        [REFUSAL_MODEL] = {485, "Device type mismatch",
                           "\x80"
                           "3"},
        [REFUSAL_LINES] = {403, "Too many lines", ""},
        [REFUSAL_DUPLICATE] = {403, "Registration is active for another client", ""},
        [REFUSAL_AUTOREGISTER] = {404, "Auto-registration failed", "\x80/"},
        [REFUSAL_AUTOREGISTER_STORE] = {404, "Auto-registration failed", "\x80/"},
        [REFUSAL_AUTOREGISTER_TIME] = {404, "Auto-registration failed", "\x80/"},
    };

    if (rows[refusal].status == 503)
        sip_answer_busy(q, rows[refusal].warning);
    else
        sip_answer_warning(q, rows[refusal].status ? rows[refusal].status : 403,
                           rows[refusal].warning);
    if (q->link && *rows[refusal].text &&
        sip_has_token(q->message, SIP_SUPPORTED, "extended-refer"))
        sip_tell_status_line(q, rows[refusal].text);
}

/* With our Contact (RFC 3515 2.4.2) and without Server, as CallManager has it. */
void sip_answer_accepted(const struct sip_request *q)
{
    size_t at = begin(q, 202, NULL, true, false);

    sip_write_contact(&q->effects->out, q->owner, TEXT(""), q->flow);
    sip_answer_end(q, at, TEXT(""), TEXT(""));
}

/* No Server and no tag, as phones' logs show it. */
void sip_answer_trying(const struct sip_request *q)
{
    size_t at = begin(q, 100, NULL, false, false);

    sip_answer_end(q, at, TEXT(""), TEXT(""));
}

static void put_supported(const struct sip_request *q)
{
    struct writer *w = &q->effects->out;

    write_string(w, "Supported: X-cisco-srtp-fallback,X-cisco-sis-");
    write_string(w, q->owner->sis);
    write_string(w, "\r\n");
}

static void put_parameter(struct writer *w, struct text name, struct text value)
{
    write_string(w, ";");
    write_text(w, name);
    if (!value.len)
        return;
    write_string(w, "=\"");
    write_text(w, value);
    write_string(w, "\"");
}

/* Unchanged: phones look for what they sent. Only a lifetime that it names is put right. */
static void put_contact(const struct sip_request *q, const struct sip_contact *c,
                        uint32_t expires_s, bool is_new)
{
    struct writer *w = &q->effects->out;
    struct sip_address a;
    struct text name, value;

    write_string(w, "Contact: ");
    if (c->expires_s < 0 || sip_address_parse(c->whole, &a) < 0) {
        write_text(w, c->whole);
    } else {
        write_string(w, "<");
        write_text(w, a.uri);
        write_string(w, ">");
        while (sip_parameter_next(&a.parameters, &name, &value))
            if (!text_equal_nocase(name, TEXT("expires")))
                put_parameter(w, name, value);
        write_string(w, ";expires=");
        write_decimal(w, expires_s);
    }
    write_string(w, is_new ? NEWREG "\r\n" : "\r\n");
}

void sip_answer_registered(const struct sip_request *q, const struct sip_binding *b, bool is_new)
{
    uint32_t expires_s = (uint32_t)((b->expires_ms - q->owner->registry->now.ms + 999) / 1000);
    struct text type = TEXT("");
    struct remotecc_offer offer;
    char body[REMOTECC_ANSWER_MAX];
    struct writer w = writer_of(body, sizeof(body));
    size_t at = sip_answer_begin(q, 200, NULL);

    sip_write_number(&q->effects->out, SIP_EXPIRES, expires_s);
    put_contact(q, &q->reg.contacts[0], expires_s, is_new);
    put_supported(q);
    if (q->message->body.len && remotecc_read_offer(q->message, &offer) == 0 &&
        (offer.bulk || offer.options)) {
        remotecc_write_answer(&w, &offer);
        type = REMOTECC_RESPONSE_TYPE;
    }
    sip_answer_end(q, at, type, (struct text){body, writer_len(&w)});
}

void sip_answer_contacts(const struct sip_request *q, const struct sip_device *d)
{
    struct writer *w = &q->effects->out;
    uint64_t now = q->owner->registry->now.ms;
    size_t at = sip_answer_begin(q, 200, NULL);
    struct sip_room room;

    for (const struct sip_binding *b = d ? d->bindings : NULL; b; b = b->next) {
        write_format(w, "Contact: <%.*s>", TEXT_ARG(sip_binding_uri(b, &room)));
        if (b->q < 1000)
            write_format(w, ";q=0.%03u", b->q);
        write_format(w, ";expires=%u\r\n", (unsigned)((b->expires_ms - now + 999) / 1000));
    }
    SIP_EACH(q->message, SIP_PATH, row) /* RFC 3327 5.3; requests go by the flow all the same */
    sip_write_header(w, SIP_PATH, row->value);
    if (q->way)
        sip_write_header(w, SIP_REQUIRE, TEXT("outbound"));
    sip_answer_end(q, at, TEXT(""), TEXT(""));
}

void sip_answer_unregistered(const struct sip_request *q)
{
    size_t at = sip_answer_begin(q, 200, NULL);

    sip_write_number(&q->effects->out, SIP_EXPIRES, 0);
    put_supported(q);
    sip_answer_end(q, at, TEXT(""), TEXT(""));
}

void sip_answer_keepalive(const struct sip_request *q)
{
    size_t at = begin(q, 200, NULL, true, false);

    sip_write_number(&q->effects->out, SIP_EXPIRES, 0);
    sip_answer_end(q, at, TEXT(""), TEXT(""));
}
