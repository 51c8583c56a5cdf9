/* orders.c - what the server asks of a SIP phone: service-control, remote control, the rest;
 * see parts.h.
 *
 * A service-control body must quote the Call-ID of one of the phone's registrations, and the stamps
 * where they belong; else the answer is 400 and nothing happens. */
#include <stdio.h>

#include "handset/sip/parts.h"
#include "wire/sip/multipart.h"
#include "wire/sip/remotecc.h"
#include "wire/sip/service_control.h"
#include "wire/sip/uri.h"
#include "wire/sip/write.h"

#define RESET_MS  500  /* from the order to the goodbye, as traced */
#define CONFIG_MS 3000 /* from an apply-config that must register again to the goodbye */
#define PARTS_MAX 6

/* ---- answers ---- */

static void answer(struct sip_phone *p, unsigned link, const struct sip_message *m, uint16_t status,
                   uint64_t now_ms, struct effects *fx)
{
    struct writer w = effects_writer(fx);
    struct effect *e = effects_add(fx, EFFECT_SEND);
    int64_t us = (int64_t)(now_ms * 1000) + p->clock_us;
    char tag[24];

    snprintf(tag, sizeof(tag), "%.12s%08x", p->name.s + 3, sip_random(p));
    sip_write_response(&w, m, status, sip_reason(status), text_of(tag), &p->servers[link]);
    sip_write_date(&w, us > 0 ? (uint64_t)us : 0);
    sip_write_user_agent(p, "Server", &w);
    if (status == 405 || m->method == SIP_OPTIONS)
        sip_write_named(&w, "Allow",
                        TEXT("ACK,BYE,CANCEL,INVITE,NOTIFY,OPTIONS,REFER,REGISTER,"
                             "UPDATE,SUBSCRIBE"));
    sip_write_body(&w, (struct text){0}, (struct text){0});
    e->link = (uint8_t)link;
    effects_bytes(fx, e, &w);
}

/* ---- service-control ---- */

static bool is_call_id(const struct sip_phone *p, const struct sip_registration *r, struct text t)
{
    char id[128];
    struct writer w = writer_of(id, sizeof(id));

    if (!r->dialog || r->state == REG_IDLE)
        return false;
    sip_write_call_id(p, r->dialog, &w);
    return !w.bad && text_equal(t, (struct text){id, writer_len(&w)});
}

static bool is_own_call_id(const struct sip_phone *p, struct text t)
{
    bool own = is_call_id(p, &p->prime[p->active], t);

    for (unsigned i = 1; i < p->setup->n_lines; i++)
        own |= is_call_id(p, &p->setup->lines[i].registration, t);
    return own;
}

static void leave_in(struct sip_phone *p, enum phone_reason reason, enum phone_event after,
                     uint64_t due_ms)
{
    p->reason = (uint8_t)reason;
    p->leaving = (uint8_t)after;
    p->due_ms = due_ms;
}

/* The files are read again; when they are other ones, or the stamp stays wrong, it restarts. */
static void compare_stamp(struct sip_phone *p, struct text wanted, enum phone_reason reason,
                          struct effects *fx)
{
    struct text stamp = text_of(p->setup->version_stamp);

    if (stamp.len >= 2 && stamp.at[0] == '{') /* the file may have its braces, or not */
        stamp = (struct text){stamp.at + 1, stamp.len - 2};
    if (text_equal(wanted, stamp))
        return;
    p->stale = (uint8_t)reason;
    phone_tell_text(fx, PHONE_EVENT_APPLY, "");
}

static void apply(struct sip_phone *p, unsigned link, const struct service_control *o,
                  uint64_t now_ms, struct effects *fx)
{
    if (!text_equal_nocase(o->result, TEXT("reregister_needed"))) {
        compare_stamp(p, o->config, PHONE_REASON_APPLY_CONFIG, fx);
        return;
    }
    if (p->kind->sip->alarms)
        sip_send_alarm(p, link, "DeviceApplyConfigResult", now_ms, fx);
    leave_in(p, PHONE_REASON_APPLY_CONFIG, PHONE_EVENT_RESTART, now_ms + CONFIG_MS);
}

static bool has_stamps(const struct service_control *o)
{
    return o->config.at && o->dialplan.at && o->softkey.at;
}

/* Status of the answer; what follows comes behind it. */
static uint16_t check_order(const struct sip_phone *p, const struct service_control *o)
{
    bool stamps = text_is(o->action, "check-version") || text_is(o->action, "apply-config");

    if (!o->action.len || !is_own_call_id(p, o->call_id) || (stamps && !has_stamps(o)))
        return 400;
    return 200;
}

static void obey(struct sip_phone *p, unsigned link, const struct service_control *o,
                 uint64_t now_ms, struct effects *fx)
{
    if (p->state != PHONE_REGISTERED)
        return;
    if (text_is(o->action, "reset")) {
        leave_in(p, PHONE_REASON_RESET, PHONE_EVENT_RESET, now_ms + RESET_MS);
    } else if (text_is(o->action, "restart")) {
        sip_phone_leave(p, PHONE_REASON_RESTART, PHONE_EVENT_RESTART, now_ms, fx);
    } else if (text_is(o->action, "apply-config")) {
        apply(p, link, o, now_ms, fx);
    } else if (text_is(o->action, "check-version")) {
        compare_stamp(p, o->config, PHONE_REASON_CONFIG_VERSION, fx);
        if (p->lines_due_ms != UINT64_MAX)
            sip_register_lines(p, now_ms, fx); /* it was waited for */
    }
}

/* ---- NOTIFY ---- */

/* "Messages-Waiting: yes" anywhere in the body; -1 when it says neither. */
static int messages_waiting(struct text body)
{
    while (body.at) {
        struct text value = text_trim(text_split(&body, '\n')), key = text_split(&value, ':');

        if (!text_equal_nocase(text_trim(key), TEXT("Messages-Waiting")) &&
            !text_equal_nocase(text_trim(key), TEXT("Message-Waiting")))
            continue;
        value = text_trim(value);
        return text_equal_nocase(value, TEXT("yes"))  ? 1
               : text_equal_nocase(value, TEXT("no")) ? 0
                                                      : -1;
    }
    return -1;
}

static void light(struct sip_phone *p, bool on, struct effects *fx)
{
    if (!p->screen)
        return;
    p->screen->message_lamp = on;
    effects_add(fx, EFFECT_LCD);
}

static uint16_t on_message_summary(struct sip_phone *p, const struct sip_message *m,
                                   struct effects *fx)
{
    int waiting = messages_waiting(m->body);

    if (waiting < 0)
        return 400;
    light(p, waiting, fx);
    return 200;
}

static void on_service_control(struct sip_phone *p, unsigned link, const struct sip_message *m,
                               uint64_t now_ms, struct effects *fx)
{
    struct service_control o = {0};
    uint16_t status = 400;

    if (sip_is_managed(p) && sip_type_is(sip_value(m, SIP_CONTENT_TYPE), "text/plain")) {
        service_control_read(m->body, &o);
        status = check_order(p, &o);
    }
    answer(p, link, m, status, now_ms, fx);
    if (status == 200)
        obey(p, link, &o, now_ms, fx);
}

static void on_notify(struct sip_phone *p, unsigned link, const struct sip_message *m,
                      uint64_t now_ms, struct effects *fx)
{
    static const char *const known[] = {"check-sync", "dialog",   "sip-profile",
                                        "kpml",       "presence", "refer"};
    struct text value = sip_value(m, SIP_EVENT), event = text_trim(text_split(&value, ';'));
    uint16_t status = 400;

    if (text_is(event, "service-control")) {
        on_service_control(p, link, m, now_ms, fx);
        return;
    }
    if (text_is(event, "message-summary"))
        status = on_message_summary(p, m, fx);
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (text_is(event, known[i]))
            status = 200;
    answer(p, link, m, status, now_ms, fx);
    if (text_is(event, "check-sync") && !sip_is_managed(p) && p->state == PHONE_REGISTERED)
        leave_in(p, PHONE_REASON_RESET, PHONE_EVENT_RESET, now_ms + RESET_MS);
}

/* ---- REFER ---- */

static void show_status(struct sip_phone *p, struct text words, uint64_t now_ms, struct effects *fx)
{
    if (!p->screen || !words.len)
        return;
    screen_set_notice(p->screen, words, now_ms + 10000);
    effects_add(fx, EFFECT_LCD);
}

/* Lamps and texts; what else may be asked belongs to calls. */
static void on_remote_control(struct sip_phone *p, struct text xml, uint64_t now_ms,
                              struct effects *fx)
{
    struct text value;

    if (remotecc_value(xml, "bulkupdate/contact/mwi", &value) &&
        (text_is(value, "yes") || text_is(value, "no")))
        light(p, text_is(value, "yes"), fx);
    if (remotecc_value(xml, "statuslineupdatereq/statustext", &value))
        show_status(p, value, now_ms, fx);
}

static void on_refer(struct sip_phone *p, unsigned link, const struct sip_message *m,
                     uint64_t now_ms, struct effects *fx)
{
    struct sip_part parts[PARTS_MAX];
    int n = sip_message_parts(m, parts, PARTS_MAX);
    struct service_control o = {0};
    struct text ignored;
    bool passes = false;
    uint16_t status = n <= 0 ? 400 : 200;

    if (!sip_is_managed(p))
        status = 489; /* the stack without remote control */
    for (int i = 0; i < n && status == 200; i++) {
        if (sip_type_is(parts[i].type, "text/plain")) {
            service_control_read(parts[i].body, &o);
            status = check_order(p, &o);
        } else if (text_equal_nocase(parts[i].type, REMOTECC_REQUEST_TYPE)) {
            on_remote_control(p, parts[i].body, now_ms, fx);
            passes |= remotecc_value(parts[i].body, "datapassthroughreq", &ignored);
        }
    }
    answer(p, link, m, status == 200 && passes ? 202 : status, now_ms, fx);
    if (status == 200 && o.action.len)
        obey(p, link, &o, now_ms, fx);
}

/* ---- all ---- */

/* A request is for the phone when its user is a line's number or contact. */
static bool is_for_us(const struct sip_phone *p, const struct sip_message *m)
{
    struct sip_uri uri;

    if (sip_uri_parse(m->uri, &uri) < 0)
        return false;
    if (!uri.user.len)
        return true; /* the status text of a refusal has none */
    for (unsigned i = 0; i < p->setup->n_lines; i++)
        if (text_is(uri.user, p->setup->lines[i].name) ||
            text_is(uri.user, p->setup->lines[i].contact))
            return true;
    return false;
}

void sip_on_request(struct sip_phone *p, unsigned link, const struct sip_message *m,
                    uint64_t now_ms, struct effects *fx)
{
    if (m->method == SIP_ACK)
        return;
    if (m->problem) {
        answer(p, link, m, m->problem, now_ms, fx);
        return;
    }
    if (!is_for_us(p, m)) {
        answer(p, link, m, 404, now_ms, fx);
        return;
    }
    switch (m->method) {
    case SIP_NOTIFY:
        on_notify(p, link, m, now_ms, fx);
        break;
    case SIP_REFER:
        on_refer(p, link, m, now_ms, fx);
        break;
    case SIP_OPTIONS:
        answer(p, link, m, 200, now_ms, fx);
        break;
    case SIP_SUBSCRIBE:
        answer(p, link, m, 489, now_ms, fx);
        break;
    case SIP_INVITE:
        answer(p, link, m, 486, now_ms, fx); /* it registers; it does not ring */
        break;
    case SIP_BYE:
    case SIP_CANCEL:
    case SIP_UPDATE:
    case SIP_INFO:
        answer(p, link, m, 481, now_ms, fx);
        break;
    default:
        answer(p, link, m, 405, now_ms, fx);
        break;
    }
}
