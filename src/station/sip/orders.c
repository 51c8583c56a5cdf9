/* sip/orders.c - NOTIFY and REFER to phones (reference 5 and 6). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/map.h"
#include "core/counters.h"
#include "station/sip/station.h"
#include "wire/sip/multipart.h"
#include "wire/sip/remotecc.h"
#include "wire/sip/service_control.h"
#include "wire/sip/write.h"

#define BOUNDARY  "uniqueBoundary"
#define CID       "1234567890" /* the same in every REFER, as CallManager has it */
#define BODY_MAX  8000
#define LINES_MAX 25 /* told of their forwards */
#define STATUS_S  10 /* of a text on the status line */

/* How many are told what to compare their files with. */
#define TELL_WINDOW_MS  10
#define TOLD_A_WINDOW   50
#define TOLD_UNANSWERED 2048
#define UNTOLD_LEAST    64 /* places of the ring */

/* A request of ours while it is written. */
struct request {
    struct sip_stations *owner;
    struct sip_flow flow;
    char bytes[BODY_MAX + 2000];
    struct writer w;
    char us[IP_TEXT_MAX], them[IP_TEXT_MAX];
};

uint64_t sip_keyed(const struct sip_stations *s, uint64_t n)
{
    uint64_t key[2];

    memcpy(key, s->secret + 16, sizeof(key));
    return hash_keyed(key, &n, sizeof(n));
}

/* Nobody guesses the next from one that he has seen: an answer with it proves who was asked. */
static uint64_t next_unique(struct sip_stations *s)
{
    return sip_keyed(s, ++s->unique);
}

static const char *host(struct ip ip, char to[static IP_TEXT_MAX])
{
    struct writer w = writer_of(to, IP_TEXT_MAX);
    char text[IP_TEXT_MAX];

    ip_print(ip, text);
    write_string(&w, ip.family == 6 ? "[" : "");
    write_string(&w, text);
    write_string(&w, ip.family == 6 ? "]" : "");
    write_u8(&w, 0);
    return to;
}

/* Where we listen, whatever way this phone uses. */
static struct endpoint own(const struct sip_stations *s, const struct sip_flow *flow)
{
    struct endpoint local = flow->local;
    struct ip set = s->registry->options.address;

    if (!ip_is_any(set))
        local.ip = set;
    return local;
}

static void write_address(struct writer *w, struct text user, const char *at)
{
    write_string(w, "<sip:");
    write_text(w, user);
    write_string(w, user.len ? "@" : "");
    write_string(w, at);
    write_string(w, ">");
}

static void begin(struct request *r, struct sip_stations *s, const struct sip_flow *flow,
                  enum sip_method method, struct text user, struct text uri)
{
    char branch[SIP_BRANCH_MAX], from[200], to[200], id[120];
    struct writer fw = writer_of(from, sizeof(from)), tw = writer_of(to, sizeof(to));
    uint64_t n = next_unique(s);
    struct endpoint local = own(s, flow);
    struct sip_request_head head = {.method = method,
                                    .uri = uri,
                                    .transport = flow->transport,
                                    .local = local,
                                    .branch = sip_branch(n, branch),
                                    .cseq = 101};
    bool named = method == SIP_REFER && user.len;

    r->owner = s;
    r->flow = *flow;
    r->w = writer_of(r->bytes, sizeof(r->bytes));
    host(local.ip, r->us);
    host(flow->peer.ip, r->them);
    write_address(&fw, named ? user : TEXT(""), r->us);
    write_string(&fw, ";tag=");
    write_decimal(&fw, n >> 24);
    write_address(&tw, user, r->them);
    snprintf(id, sizeof(id), "%llx-%llx@%s", (unsigned long long)(n >> 32),
             (unsigned long long)(n & 0xffffffff), r->us);
    head.from = (struct text){from, writer_len(&fw)};
    head.to = (struct text){to, writer_len(&tw)};
    head.call_id = text_of(id);
    sip_write_request(&r->w, &head);
    if (method == SIP_NOTIFY)
        sip_write_date(&r->w, s->registry->now.wall_us);
    if (method == SIP_REFER)
        sip_write_contact(&r->w, s, user, flow);
    if (method != SIP_OPTIONS && *s->server)
        sip_write_header(&r->w, SIP_USER_AGENT, text_of(s->server));
}

void sip_write_contact(struct writer *w, const struct sip_stations *s, struct text user, const struct sip_flow *flow)
{
    static const char *const parameters[] = {"", ";transport=tcp", ";transport=tls"};
    char us[IP_TEXT_MAX];

    write_string(w, "Contact: <sip:");
    write_text(w, user);
    write_string(w, user.len ? "@" : "");
    write_string(w, host(own(s, flow).ip, us));
    write_string(w, ":");
    write_decimal(w, flow->local.port);
    write_string(w, parameters[flow->transport]);
    write_string(w, ">\r\n");
}

/* 0 and its transaction, or -errno. */
static int end(struct request *r, struct text type, struct text body, uint64_t user, uint64_t *id)
{
    sip_write_body(&r->w, type, body);
    if (r->w.bad)
        return -EMSGSIZE;
    return sip_transactions_request(r->owner->transactions, &r->flow, r->bytes, writer_len(&r->w),
                                    user, r->owner->registry->now.ms, id);
}

/* The contact of its first line: where the requests of the device go. */
static const struct sip_binding *main_binding(const struct sip_device *d)
{
    const struct sip_binding *first = sip_binding_of_line(d, 1);

    return first ? first : d->bindings;
}

/* By UDP to the address of the Contact, unless a NAT stands between: then where it came from. */
static struct sip_flow flow_of(const struct sip_binding *b)
{
    struct sip_flow flow = sip_binding_flow(b);
    struct sip_room room;
    struct sip_uri uri;
    struct ip ip;

    if (!flow.link && sip_uri_parse(sip_binding_uri(b, &room), &uri) == 0 && ip_parse(uri.host, &ip) == 0 &&
        ip_equal(ip, flow.peer.ip))
        flow.peer.port = uri.port ? uri.port : 5060;
    return flow;
}

/* --- bodies --- */

static struct text current_call_id(const struct sip_device *d, struct sip_room *room)
{
    return sip_binding_call_id(main_binding(d), room);
}

static void put_stamped(struct writer *w, struct sip_device *d, struct service_control c)
{
    const struct phone *phone = station_phone(&d->station);
    struct sip_stamps stamps = {.config = ""};
    struct sip_room room;

    if (phone)
        sip_stamps(d->station.registry->directory, phone, &stamps);
    c.call_id = current_call_id(d, &room);
    c.config = text_of(stamps.config);
    c.dialplan = text_of(stamps.dialplan);
    c.softkey = text_of(stamps.softkeys);
    c.feature = text_of(stamps.features);
    service_control_write(w, &c);
}

static void put_check_version(struct writer *w, struct sip_device *d)
{
    put_stamped(w, d, (struct service_control){.action = TEXT("check-version")});
}

static void put_order(struct writer *w, struct sip_device *d)
{
    struct sip_room room;

    if (d->order == STATION_APPLY)
        put_stamped(w, d,
                    (struct service_control){.action = TEXT("apply-config"),
                                             .result = TEXT("Reregister_Needed"),
                                             .load = TEXT(""),
                                             .inactive_load = TEXT(""),
                                             .load_server = TEXT(""),
                                             .log_server = TEXT(""),
                                             .ppid = TEXT("enabled"),
                                             .upgrade_time = TEXT("now")});
    else
        service_control_write(w, &(struct service_control){.action = d->order == STATION_RESET
                                                                         ? TEXT("reset")
                                                                         : TEXT("restart"),
                                                           .call_id = current_call_id(d, &room)});
}

/* No message waits anywhere, and no line is forwarded but those that are. */
static void put_bulk_update(struct writer *w, struct sip_device *d)
{
    const struct phone *phone = station_phone(&d->station);
    struct remotecc_line lines[LINES_MAX] = {{.forwards = true}};
    size_t n = 1, line = 0;

    for (size_t i = 0; phone && i < phone->n_buttons && n < LINES_MAX; i++) {
        const struct phone_button *button = &phone->buttons[i];
        const struct line *row;

        if (button->feature != BUTTON_LINE)
            continue;
        line++;
        row = registry_row(d->station.registry, ENTITY_line, button->target);
        if (row && *row->forward_all)
            lines[n++] = (struct remotecc_line){
                .line = (unsigned)line, .forwards = true, .forward_to = text_of(row->forward_all)};
    }
    remotecc_write_bulkupdate(w, lines, n);
}

/* --- orders --- */

static void put_notify_head(struct request *r, const char *event)
{
    sip_write_header(&r->w, SIP_EVENT, text_of(event));
    sip_write_header(&r->w, SIP_SUBSCRIPTION_STATE, TEXT("active"));
    sip_write_contact(&r->w, r->owner, TEXT(""), &r->flow);
}

static int send_notify(struct sip_device *d, const char *event, struct text type, struct text body,
                       uint64_t *id)
{
    const struct sip_binding *b = main_binding(d);
    struct sip_flow flow = flow_of(b);
    struct sip_room room;
    struct request r;

    begin(&r, d->owner, &flow, SIP_NOTIFY, binding_user(b), sip_binding_uri(b, &room));
    put_notify_head(&r, event);
    return end(&r, type, body, pool_id(d), id);
}

/* 7940 and 7960 reboot on check-sync; of other makes, most tell the two apart. */
static int send_check_sync(struct sip_device *d, uint64_t *id)
{
    const char *event = d->station.protocol == PROTOCOL_SIP ? "check-sync"
                        : d->order == STATION_RESET         ? "check-sync;reboot=true"
                                                            : "check-sync;reboot=false";

    return send_notify(d, event, TEXT(""), TEXT(""), id);
}

int sip_order_send(struct sip_device *d)
{
    char body[SERVICE_CONTROL_MAX];
    struct writer w = writer_of(body, sizeof(body));

    if (!d->bindings)
        return -ENOENT;
    if (!d->service_control)
        return send_check_sync(d, &d->order_id);
    put_order(&w, d);
    return send_notify(d, "service-control", SERVICE_CONTROL_TYPE,
                       (struct text){body, writer_len(&w)}, &d->order_id);
}

/* In CallManager's order. */
static void put_refer(struct request *r, struct text user, struct text type)
{
    sip_write_header(&r->w, SIP_REQUIRE, TEXT("norefersub"));
    sip_write_number(&r->w, SIP_EXPIRES, 0);
    write_string(&r->w, "Refer-To: cid:" CID "@");
    write_string(&r->w, r->us);
    write_string(&r->w, "\r\nContent-Id: <" CID "@");
    write_string(&r->w, r->us);
    write_string(&r->w, ">\r\n");
    sip_write_header(&r->w, SIP_CONTENT_TYPE, type);
    if (text_starts(type, "multipart"))
        sip_write_header(&r->w, SIP_MIME_VERSION, TEXT("1.0"));
    write_string(&r->w, "Referred-By: ");
    write_address(&r->w, user, r->us);
    write_string(&r->w, "\r\n");
}

static void send_configuration(struct sip_device *d)
{
    const struct sip_binding *b = main_binding(d);
    char body[BODY_MAX], update[BODY_MAX / 2], check[SERVICE_CONTROL_MAX];
    struct writer w = writer_of(body, sizeof(body)), u = writer_of(update, sizeof(update)),
                  c = writer_of(check, sizeof(check));
    struct sip_flow flow = flow_of(b);
    struct sip_room room;
    struct request r;
    uint64_t id;

    put_bulk_update(&u, d);
    put_check_version(&c, d);
    sip_write_part(&w, BOUNDARY,
                   &(struct sip_part){.type = REMOTECC_REQUEST_TYPE, .body = {update, writer_len(&u)}});
    sip_write_part(&w, BOUNDARY,
                   &(struct sip_part){.type = SERVICE_CONTROL_TYPE, .body = {check, writer_len(&c)}});
    sip_write_parts_end(&w, BOUNDARY);
    begin(&r, d->owner, &flow, SIP_REFER, binding_user(b), sip_binding_uri(b, &room));
    put_refer(&r, binding_user(b), TEXT("multipart/mixed;boundary=" BOUNDARY));
    if (!u.bad && !c.bad && !w.bad)
        end(&r, TEXT(""), (struct text){body, writer_len(&w)},
            pool_id(d), &id);
}

/* Short, sent once, and answered by every phone; only when it has sent as much itself, else with
 * its next refresh. */
static void ask_whether_it_is_there(struct sip_device *d)
{
    const struct sip_binding *b = main_binding(d);
    struct sip_flow flow = flow_of(b);
    struct sip_room room;
    struct request r;
    uint64_t id;

    begin(&r, d->owner, &flow, SIP_OPTIONS, binding_user(b), sip_binding_uri(b, &room));
    sip_write_body(&r.w, TEXT(""), TEXT(""));
    if (r.w.bad || writer_len(&r.w) > d->credit)
        return;
    d->credit -= (uint32_t)writer_len(&r.w);
    sip_transactions_request_once(d->owner->transactions, &flow, r.bytes, writer_len(&r.w),
                                  pool_id(d), d->owner->registry->now.ms, &id);
}

/* A phone refuses what does not quote the Call-ID of its registration; loads that take no orders are asked
 * whether they know the contact. Who never answered may never have come: one short question, which is less
 * than the newcomer has sent. */
void sip_ask_whether_it_is_registered(struct sip_device *d)
{
    const struct sip_binding *b = main_binding(d);
    bool notify = d->proven && d->service_control;
    struct sip_flow flow = flow_of(b);
    char body[SERVICE_CONTROL_MAX];
    struct writer w = writer_of(body, sizeof(body));
    struct sip_room room;
    struct request r;

    begin(&r, d->owner, &flow, notify ? SIP_NOTIFY : SIP_OPTIONS, binding_user(b), sip_binding_uri(b, &room));
    if (notify) {
        put_notify_head(&r, "service-control");
        put_check_version(&w, d);
    }
    sip_write_body(&r.w, notify ? SERVICE_CONTROL_TYPE : TEXT(""), (struct text){body, writer_len(&w)});
    if (!r.w.bad)
        (d->proven ? sip_transactions_request : sip_transactions_request_once)(
            d->owner->transactions, &flow, r.bytes, writer_len(&r.w), pool_id(d), d->owner->registry->now.ms,
            &d->question_id);
}

static void tell_configuration(struct sip_device *d)
{
    char body[SERVICE_CONTROL_MAX];
    struct writer w = writer_of(body, sizeof(body));
    uint64_t id;

    if (!d->bindings)
        return;
    if (!main_binding(d)->link && !d->proven) {
        ask_whether_it_is_there(d);
        return;
    }
    d->told = true;
    if (d->extended_refer) {
        send_configuration(d);
    } else if (d->service_control) {
        put_check_version(&w, d);
        send_notify(d, "service-control", SERVICE_CONTROL_TYPE, (struct text){body, writer_len(&w)},
                    &id);
    }
}

/* A storm of registrations is answered first: it costs more to tell a phone its configuration than
 * to register it, and what is not answered is kept for half a minute. */
static bool may_tell(const struct sip_stations *s, uint64_t now_ms)
{
    return (now_ms - s->telling_ms >= TELL_WINDOW_MS || s->n_told < TOLD_A_WINDOW) &&
           sip_transactions_count(s->transactions) < TOLD_UNANSWERED;
}

static void tell_now(struct sip_device *d)
{
    struct sip_stations *s = d->owner;
    uint64_t now = s->registry->now.ms;

    if (now - s->telling_ms >= TELL_WINDOW_MS) {
        s->telling_ms = now;
        s->n_told = 0;
    }
    s->n_told++;
    tell_configuration(d);
}

/* One more in the ring; false without memory. */
static bool wait_in_turn(struct sip_stations *s, uint64_t id)
{
    size_t size = s->untold_size;

    if (s->n_untold == size) {
        uint64_t *bigger = malloc((size ? 2 * size : UNTOLD_LEAST) * sizeof(*bigger));

        if (!bigger)
            return false;
        for (size_t i = 0; i < size; i++)
            bigger[i] = s->untold[(s->first_untold + i) % size];
        free(s->untold);
        s->untold = bigger;
        s->untold_size = size ? 2 * size : UNTOLD_LEAST;
        s->first_untold = 0;
    }
    s->untold[(s->first_untold + s->n_untold++) % s->untold_size] = id;
    return true;
}

void sip_tell_configuration(struct sip_device *d)
{
    struct sip_stations *s = d->owner;

    if (!d->untold && !s->n_untold && may_tell(s, s->registry->now.ms))
        tell_now(d);
    else if (!d->untold)
        d->untold = wait_in_turn(s, pool_id(d));
}

/* After a storm the ring is given back. */
static struct sip_device *next_in_turn(struct sip_stations *s)
{
    struct sip_device *d = NULL;

    while (!d && s->n_untold) {
        d = pool_get(&s->devices, s->untold[s->first_untold]);
        s->first_untold = (s->first_untold + 1) % s->untold_size;
        s->n_untold--;
    }
    if (!s->n_untold) {
        free(s->untold);
        s->untold = NULL;
        s->untold_size = s->first_untold = 0;
    }
    return d;
}

void sip_tell_configuration_later(struct sip_device *d)
{
    if (!d->untold)
        d->untold = wait_in_turn(d->owner, pool_id(d));
}

bool sip_tell_next(struct sip_stations *s)
{
    struct sip_device *d = s->n_untold && may_tell(s, s->registry->now.ms) ? next_in_turn(s) : NULL;

    if (!d)
        return false;
    d->untold = false;
    tell_now(d);
    return true;
}

uint64_t sip_tell_wait_ms(const struct sip_stations *s, uint64_t now_ms)
{
    if (!s->n_untold)
        return UINT64_MAX;
    return may_tell(s, now_ms) ? 0 : TELL_WINDOW_MS;
}

/* A remote control request to the device itself, not to a line. */
static void tell(struct sip_stations *s, const struct sip_flow *flow, uint64_t user,
                 struct text body)
{
    char uri[80], ip[IP_TEXT_MAX];
    struct request r;
    uint64_t id;

    snprintf(uri, sizeof(uri), "sip:%s:%u", host(flow->peer.ip, ip), flow->peer.port);
    begin(&r, s, flow, SIP_REFER, TEXT(""), text_of(uri));
    put_refer(&r, TEXT(""), REMOTECC_REQUEST_TYPE);
    end(&r, TEXT(""), body, user, &id);
}

static void tell_text(struct sip_stations *s, const struct sip_flow *flow, uint64_t user,
                      const char *text)
{
    char body[600];
    struct writer w = writer_of(body, sizeof(body));

    remotecc_write_status(&w, text_of(text), STATUS_S);
    tell(s, flow, user, (struct text){body, writer_len(&w)});
}

void sip_tell_status_line(const struct sip_request *q, const char *text)
{
    tell_text(q->owner, q->flow, 0, text);
}

/* NULL: it does not understand REFER, or may not be there. */
static const struct sip_binding *controlled(const struct sip_device *d)
{
    const struct sip_binding *b = d->bindings ? main_binding(d) : NULL;

    return b && d->extended_refer && (b->link || d->proven) ? b : NULL;
}

void sip_tell_text(struct sip_device *d, const char *text)
{
    const struct sip_binding *b = controlled(d);
    struct sip_flow flow;

    if (!b)
        return;
    flow = flow_of(b);
    tell_text(d->owner, &flow, pool_id(d), text);
}

void sip_tell_dnd(struct sip_device *d, bool on)
{
    const struct sip_binding *b = controlled(d);
    char body[400];
    struct writer w = writer_of(body, sizeof(body));
    struct sip_flow flow;

    if (!b)
        return;
    flow = flow_of(b);
    remotecc_write_dnd(&w, on);
    tell(d->owner, &flow, pool_id(d), (struct text){body, writer_len(&w)});
}

/* Where the subscriber wants to be told; else where it is registered. */
static struct text subscriber(const struct sip_request *q, const struct sip_device *d,
                              struct sip_room *room)
{
    struct sip_address contact;

    return sip_address_parse(sip_value(q->message, SIP_CONTACT), &contact) == 0
               ? contact.uri
               : sip_binding_uri(main_binding(d), room);
}

void sip_notify_subscriber(const struct sip_request *q, const struct sip_device *d,
                           const char *event, const char *state, struct text type, struct text body)
{
    struct sip_stations *s = q->owner;
    struct sip_tag tag = sip_answer_tag(q);
    struct text to = sip_value(q->message, SIP_TO), value;
    char branch[SIP_BRANCH_MAX], from[600], bytes[BODY_MAX];
    struct sip_room room;
    bool tagged = sip_parameter(q->message->to.parameters, "tag", &value);
    struct sip_request_head head = {.method = SIP_NOTIFY,
                                    .uri = subscriber(q, d, &room),
                                    .transport = q->flow->transport,
                                    .local = own(s, q->flow),
                                    .branch = sip_branch(next_unique(s), branch),
                                    .to = sip_value(q->message, SIP_FROM),
                                    .call_id = q->message->call_id,
                                    .cseq = q->message->cseq};
    struct writer w = writer_of(bytes, sizeof(bytes));
    uint64_t id;

    if (to.len + sizeof(tag) > sizeof(from))
        return;
    snprintf(from, sizeof(from), "%.*s%s%s", TEXT_ARG(to),
             tagged ? "" : ";tag=", tagged ? "" : tag.s);
    head.from = text_of(from);
    sip_write_request(&w, &head);
    sip_write_header(&w, SIP_EVENT, text_of(event));
    sip_write_header(&w, SIP_SUBSCRIPTION_STATE, text_of(state));
    sip_write_contact(&w, s, TEXT(""), q->flow);
    sip_write_body(&w, type, body);
    if (!w.bad)
        sip_transactions_request(s->transactions, q->flow, bytes, writer_len(&w), 0,
                                 s->registry->now.ms, &id);
}
