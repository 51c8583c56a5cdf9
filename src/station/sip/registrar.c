/* registrar.c - REGISTER of a Cisco phone: which device and line, and what has happened. */
#include <errno.h>
#include <stdlib.h>

#include "core/counters.h"
#include "station/news.h"
#include "station/phone_alarm.h"
#include "station/refusals.h"
#include "station/sip/proof.h"
#include "station/sip/station.h"
#include "wire/sip/write.h"

#define WAITING_MAX       (SIP_HEAD_MAX + 8192) /* bytes of one REGISTER that waits … */
#define WAITING_BYTES_MAX (16u << 20)           /* … and of all */

/* --- which line --- */

static unsigned index_of(const struct phone *phone, const struct phone_button *button)
{
    unsigned n = 0;

    for (size_t i = 0; i < phone->n_buttons; i++) {
        n += phone->buttons[i].feature == BUTTON_LINE;
        if (&phone->buttons[i] == button)
            return n;
    }
    return 0;
}

static bool has_number(const struct phone_button *button, const char *user)
{
    struct text target = text_of(button->target);

    return button->feature == BUTTON_LINE &&
           text_equal_nocase(text_split(&target, '/'), text_of(user));
}

unsigned sip_line_of_user(const struct phone *phone, const char *user)
{
    for (size_t i = 0; i < phone->n_buttons; i++)
        if (has_number(&phone->buttons[i], user))
            return index_of(phone, &phone->buttons[i]);
    return 0;
}

/* A phone without its file does not know its number yet and calls itself by its address. */
static bool is_own_name(const struct phone *phone, const char *user)
{
    return strcasecmp(user, phone->name) == 0 ||
           (text_starts(text_of(phone->name), "SEP") && strcasecmp(user, phone->name + 3) == 0);
}

/* The Contact names the line (a UUID of ours), and To has to have its number; with another Contact
 * the number alone decides. 0: not a line of this phone. */
static unsigned line_of(const struct phone *phone, const struct sip_register *r)
{
    const struct phone_button *button = sip_button_of(phone, r->contacts[0].uri.user);

    if (button && has_number(button, r->user))
        return index_of(phone, button);
    if (is_own_name(phone, r->user))
        return 1;
    return sip_line_of_user(phone, r->user);
}

/* --- who --- */

static struct sip_device *find(const struct sip_request *q)
{
    struct sip_device *d = sip_device_find(q->owner, q->reg.device);
    struct device_name name = q->reg.device;
    const struct phone *phone;

    if (d)
        return d;
    phone = registry_phone(q->owner->registry, name.s);
    if (!phone || !strcmp(phone->name, name.s))
        return NULL;
    text_copy(name.s, sizeof(name.s), text_of(phone->name)); /* as it is written there */
    return sip_device_find(q->owner, name);
}

/* The way it uses already: the same connection, or by UDP the same address. */
static bool is_same_way(const struct sip_device *d, const struct sip_request *q)
{
    struct sip_flow way;

    if (!d->waiting && !d->bindings)
        return false;
    way = d->waiting ? d->waiting->flow : sip_binding_flow(d->bindings);
    if (way.transport != q->flow->transport)
        return false;
    return q->link ? way.link == q->flow->link : ip_equal(way.peer.ip, q->flow->peer.ip);
}

/* Behind a NAT two phones have one address, and each its own in Contact. */
static bool is_same_host(const struct sip_device *d, const struct sip_request *q)
{
    struct sip_room room;
    struct sip_uri known;

    return !d->bindings || sip_uri_parse(sip_binding_uri(d->bindings, &room), &known) < 0 ||
           text_equal_nocase(known.host, q->reg.contacts[0].uri.host);
}

static struct sip_binding *binding_of_call(const struct sip_device *d, const struct sip_request *q)
{
    for (struct sip_binding *b = d->bindings; b; b = b->next)
        if (sip_binding_is_of_call(b, q->message->call_id))
            return b;
    return NULL;
}

static void keep_alarm(struct sip_device *d, const struct sip_details *details, struct effects *e)
{
    struct alarm_draft draft;

    if (!details->alarm.words.at)
        return;
    alarm_begin(&draft, ALARM_STATION_ALARM);
    draft.reason = details->alarm.code;
    draft.device = d->station.name;
    draft.ip = d->station.peer.ip;
    alarm_put(&draft, "Protocol", "SIP");
    alarm_put(&draft, "DeviceText", "%.*s", TEXT_ARG(details->alarm.words));
    sip_device_keep_alarm(d, &draft);
    effects_alarm(e, &draft);
}

void sip_device_keep_alarm(struct sip_device *d, const struct alarm_draft *draft)
{
    free(d->station.last_alarm);
    d->station.last_alarm = alarm_finish(draft);
    if (d->station.last_alarm)
        d->station.last_alarm->time_us = d->owner->registry->now.wall_us;
}

/* What a new registration says of the device. */
static void identify(struct sip_device *d, struct sip_request *q)
{
    struct sip_details details;
    const struct phone *phone;

    sip_register_details(q->message, &details);
    d->station.phone_version = UINT32_MAX;
    d->station.peer = q->flow->peer;
    d->station.local_port = q->flow->local.port;
    phone = station_phone(&d->station);
    d->station.model = q->reg.model ? q->reg.model : sip_register_model(q->message);
    if (!d->station.model && phone)
        d->station.model = (uint32_t)phone->model;
    d->bulk = details.bulk;
    d->extended_refer = details.extended_refer;
    d->service_control = details.service_control;
    station_set_load(&d->station, details.load);
    keep_alarm(d, &details, q->effects);
    tell_event(&d->station, STAGE_REGISTER, q->message->cseq, d->station.load, q->effects);
}

/* --- what has happened --- */

/* Refusals that are told once in a while, not each. */
static bool is_worth_telling(struct sip_request *q, uint32_t reason, uint32_t *times)
{
    struct station x = {.registry = q->owner->registry,
                        .name = q->reg.device,
                        .peer = q->flow->peer,
                        .model = q->reg.model};

    count(COUNT_SIP_REJECTED);
    return refusal_note(&x, reason, "", times);
}

static void refuse_line(struct sip_request *q)
{
    uint32_t times;

    if (is_worth_telling(q, TRANSIENT_NAME_UNRESOLVED, &times))
        sip_tell_line_error(q, q->reg.device, q->reg.model, SIP_LINE_MISCONFIGURED, times);
    sip_answer_warning(q, 403, "Directory number is not configured for this device");
}

static void stranger(struct sip_request *q, const char *warning)
{
    count(COUNT_SIP_FOREIGN);
    sip_answer_warning(q, 403, warning);
}

static bool same_place(const struct sip_uri *a, const struct sip_uri *b)
{
    return text_equal_nocase(a->host, b->host) && a->port == b->port;
}

static enum sip_event refresh_event(const struct sip_request *q)
{
    struct sip_room room;
    struct sip_uri known;

    if (q->message->cseq == q->binding->cseq)
        return SIP_EV_REPEAT;
    if (sip_uri_parse(sip_binding_uri(q->binding, &room), &known) < 0 ||
        !same_place(&known, &q->reg.contacts[0].uri))
        return SIP_EV_MOVED;
    return SIP_EV_REFRESH;
}

/* The same registration goes on over another connection. */
static void follow(struct sip_binding *b, struct sip_request *q)
{
    struct sip_link *old = sip_link_find(q->owner, b->link);

    sip_binding_follow(b, q->flow);
    list_remove(&b->on_link);
    if (q->link) {
        list_append(&q->link->bindings, &b->on_link);
        sip_link_step(q->link, SIP_LINK_EV_REGISTERED, q->effects);
    }
    if (old && old != q->link)
        sip_link_step(old, SIP_LINK_EV_LEFT, q->effects);
}

static void do_refresh(struct sip_device *d, struct sip_request *q)
{
    struct sip_input in = {.event = refresh_event(q), .request = q};

    q->known = true;
    if (q->message->cseq < q->binding->cseq) { /* RFC 3261 10.3 step 7 */
        sip_answer(q, 500, "CSeq Out of Order");
        return;
    }
    q->line = q->binding->line;
    if (in.event == SIP_EV_MOVED)
        identify(d, q);
    else if (q->binding->link != q->flow->link)
        follow(q->binding, q);
    sip_device_step(d, &in, q->effects);
}

static void no_room(struct sip_request *q)
{
    count(COUNT_SIP_REJECTED);
    sip_answer_busy(q, "Too many devices");
}

static void do_register(struct sip_device *d, struct sip_request *q)
{
    const struct phone *phone = registry_phone(q->owner->registry, q->reg.device.s);

    q->line = phone ? (uint16_t)line_of(phone, &q->reg) : 1;
    if (!q->line) {
        refuse_line(q);
        return;
    }
    if (d && !(is_same_way(d, q) && is_same_host(d, q))) {
        if (sip_newcomer_again(d, q))
            return;
        d = NULL; /* a newcomer: whoever has the name goes once this one is welcome */
    }
    if (!d)
        d = sip_device_new(q->owner, q->reg.device, q->flow);
    if (!d) {
        no_room(q);
        return;
    }
    if (!d->waiting && (q->line == 1 || d->station.state == STATION_OPEN))
        identify(d, q);
    sip_device_step(d, &(struct sip_input){.event = SIP_EV_REGISTER, .request = q}, q->effects);
}

static void do_unregister(struct sip_device *d, struct sip_request *q)
{
    const struct directory *dir = q->owner->registry->directory;

    if (!d && dir && !registry_phone(q->owner->registry, q->reg.device.s)) {
        sip_answer_warning(q, 404, "");
        return;
    }
    if (d && !q->binding && !is_same_way(d, q)) {
        stranger(q, "Registration is active for another client");
        return;
    }
    if (d && !q->binding && sip_bindings_count(d) == 1)
        q->binding = d->bindings;
    if (d && q->binding) {
        q->known = true;
        sip_device_step(d, &(struct sip_input){.event = SIP_EV_UNREGISTER, .request = q},
                        q->effects);
        return;
    }
    sip_answer_unregistered(q); /* it is not here: that is what it wants */
    if (q->link)
        sip_link_step(q->link, SIP_LINK_EV_LEFT, q->effects);
}

/* Whoever keeps us as his backup, and is nobody here, will not be taken when he needs us. */
static void tell_unknown_keepalive(struct sip_request *q)
{
    struct station x = {.registry = q->owner->registry,
                        .kind = &sip_kind,
                        .name = q->reg.device,
                        .peer = q->flow->peer,
                        .model = q->reg.model,
                        .last_signal = "KeepAlive",
                        .phone_version = UINT32_MAX};
    uint32_t times;

    if (!x.registry->directory || station_phone(&x) || !refusal_note(&x, TRANSIENT_NO_ENTRY, "", &times))
        return;
    tell_transient(&x, TRANSIENT_NO_ENTRY, times, q->effects);
    station_log(&x, LOG_LEVEL_WARNING, "sends keepalives as to its backup, %u since the last line, and nobody has added it", times);
}

static void keepalive(struct sip_request *q)
{
    sip_answer_keepalive(q);
    tell_unknown_keepalive(q);
    if (q->link)
        sip_link_step(q->link, SIP_LINK_EV_KEEPALIVE, q->effects);
}

static bool is_too_brief(const struct sip_request *q)
{
    int64_t asked = sip_register_expires(&q->reg);

    return asked && asked < SETTING_OF(q->owner, sip_station_keepalive_interval);
}

/* Phones come back with what is offered (RFC 3261 10.2.8). */
static void refuse_brief(struct sip_request *q)
{
    uint32_t times;

    is_worth_telling(q, TRANSIENT_EXPIRES_TOO_SMALL, &times);
    sip_answer_too_brief(q, (uint32_t)SETTING_OF(q->owner, sip_station_keepalive_interval));
}

static void phone_register(struct sip_request *q)
{
    struct sip_device *d = find(q);

    q->binding = d ? binding_of_call(d, q) : NULL;
    q->known = d && is_same_way(d, q);
    if (!q->reg.n_contacts && !q->reg.all) { /* RFC 3261 10.2.3: what is registered? */
        sip_answer_contacts(q, d);
        return;
    }
    if (q->link && q->link->state == SIP_LINK_REFUSED) {
        sip_answer_busy(q, "Device handler is shutting down");
        return;
    }
    if (!sip_phone_is_proven(q, d))
        return;
    if (q->link && SETTING_OF(q->owner, sip_trying_on_register))
        sip_answer_trying(q);
    if (is_too_brief(q))
        refuse_brief(q);
    else if (!q->reg.n_contacts || sip_register_expires(&q->reg) == 0)
        do_unregister(d, q);
    else if (q->binding)
        do_refresh(d, q);
    else
        do_register(d, q);
}

/* Extensions that a request may insist on. */
static bool is_known(const struct sip_request *q, struct text extension)
{
    static const char *const known[] = {"norefersub", "path", "extended-refer"};

    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (text_equal_nocase(extension, text_of(known[i])))
            return true;
    return q->link && text_equal_nocase(extension, TEXT("outbound"));
}

/* Those it insists on and that nobody here knows, as a list; 0: none. */
static size_t list_unknown(const struct sip_request *q, char *to, size_t size)
{
    const struct sip_message *m = q->message;
    const struct sip_row *row = sip_row(m, SIP_REQUIRE);
    struct text rest = row ? row->value : (struct text){NULL, 0}, which;
    struct writer w = writer_of(to, size);

    while (row && sip_next(m, &row, &rest, &which))
        if (!is_known(q, which))
            write_format(&w, "%s%.*s", writer_len(&w) ? ", " : "", TEXT_ARG(which));
    return writer_len(&w);
}

bool sip_request_is_understood(struct sip_request *q)
{
    char unknown[512];
    size_t n, at;

    if (q->message->target.scheme == SIP_URI_OTHER) {
        sip_answer(q, 416, NULL);
        return false;
    }
    if (!(n = list_unknown(q, unknown, sizeof(unknown))))
        return true;
    at = sip_answer_begin(q, 420, NULL);
    sip_write_header(&q->effects->out, SIP_UNSUPPORTED, (struct text){unknown, n});
    sip_answer_end(q, at, TEXT(""), TEXT(""));
    return false;
}

void sip_registrar_request(struct sip_request *q)
{
    int status;

    if (!sip_request_is_understood(q))
        return;
    if ((status = sip_register_read(q->message, &q->reg))) {
        count(COUNT_SIP_MALFORMED);
        sip_answer(q, (uint16_t)status, NULL);
    } else if (q->reg.keepalive && sip_register_expires(&q->reg) == 0) {
        keepalive(q);
    } else if (q->reg.device.s[0]) {
        phone_register(q);
    } else {
        sip_client_register(q);
    }
}

/* --- a REGISTER that waits for the database --- */

int sip_request_keep(const struct sip_request *q, struct sip_waiting **ret)
{
    struct sip_stations *s = q->owner;
    const char *from = q->message->method_name.at; /* the start of the message */
    size_t len = (size_t)(q->message->body.at + q->message->body.len - from);
    struct sip_waiting *kept;

    if (*ret)
        return -EALREADY;
    if (len > WAITING_MAX || s->waiting_bytes + len > WAITING_BYTES_MAX)
        return -ENOBUFS;
    kept = malloc(sizeof(*kept) + len);
    if (!kept)
        return -ENOMEM;
    kept->flow = *q->flow;
    kept->len = (uint32_t)len;
    memcpy(kept->bytes, from, len);
    s->waiting_bytes += len;
    *ret = kept;
    return 0;
}

void sip_request_drop(struct sip_stations *s, struct sip_waiting **kept)
{
    if (*kept)
        s->waiting_bytes -= (*kept)->len;
    free(*kept);
    *kept = NULL;
}

/* Of a phone that was unknown a moment ago: the first. */
static uint16_t line_again(const struct sip_request *q)
{
    const struct phone *phone = registry_phone(q->owner->registry, q->reg.device.s);
    unsigned line = phone ? line_of(phone, &q->reg) : 1;

    return line ? (uint16_t)line : 1;
}

void sip_registrar_resume(struct sip_device *d, enum sip_event event, int err, struct effects *e)
{
    struct sip_stations *s = d->owner;
    struct sip_waiting *waiting = d->waiting;
    struct sip_input in = {.event = event, .err = err};
    struct sip_message m;
    struct sip_request q = {.owner = s, .message = &m, .effects = e};

    if (!waiting) { /* there was no room to keep its request */
        sip_device_free(d);
        return;
    }
    q.flow = &waiting->flow;
    q.link = sip_link_find(s, waiting->flow.link);
    d->waiting = NULL; /* the device may be gone after its step */
    if ((waiting->flow.link && !q.link) || sip_parse(waiting->bytes, waiting->len, &m) < 0 ||
        sip_register_read(&m, &q.reg))
        in.event = SIP_EV_CLOSED;
    else
        q.line = line_again(&q);
    in.request = &q;
    d->station.phone_version = UINT32_MAX;
    sip_device_step(d, &in, e);
    sip_request_drop(s, &waiting);
}

void sip_registrar_admitted(struct sip_device *d, int err, struct effects *e)
{
    sip_registrar_resume(d, err ? SIP_EV_NOT_ADMITTED : SIP_EV_ADMITTED, err, e);
}
