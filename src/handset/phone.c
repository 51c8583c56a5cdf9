/* phone.c - what phones of all protocols share: kinds, names, reports, kept bytes; see phone.h. */
#include "handset/phone.h"

#include <errno.h>
#include <stdlib.h>

#include "base/names.h"
#include "handset/sccp/habits.h"
#include "handset/screen.h"
#include "handset/sip/habits.h"
#include "wire/sip/digest.h"

const struct phone_protocol *phone_protocol_of(enum device_protocol protocol)
{
    return protocol == PROTOCOL_SCCP ? &sccp_protocol : &sip_protocol;
}

/* ---- names ---- */

/* clang-format off */
static const struct name reason_words[] = {
    {PHONE_REASON_TCP_TIMEOUT,          "TCP-timeout"},
    {PHONE_REASON_TCP_RESET,            "CM-reset-TCP"},
    {PHONE_REASON_TCP_ABORTED,          "CM-aborted-TCP"},
    {PHONE_REASON_TCP_CLOSED,           "CM-closed-TCP"},
    {PHONE_REASON_KEEPALIVE,            "KeepaliveTO"},
    {PHONE_REASON_LOST_ADDRESS,         "LostIP"},
    {PHONE_REASON_REGISTRATION_TIMEOUT, "LastTimeRegistrationTimeOut"},
    {PHONE_REASON_FALLBACK,             "Failback"},
    {PHONE_REASON_USER_RESET,           "Phone-Keypad"},
    {PHONE_REASON_RESET,                "Reset-Reset"},
    {PHONE_REASON_RESTART,              "Reset-Restart"},
    {PHONE_REASON_REJECTED,             "LastTimePhoneRegRej"},
    {PHONE_REASON_INITIALIZED,          "Initialized"},
    {PHONE_REASON_VLAN,                 "Voice-VLAN-Changed"},
    {PHONE_REASON_CONFIG_VERSION,       "version-stamp-config"},
    {PHONE_REASON_APPLY_CONFIG,         "apply_config"},
    {PHONE_REASON_CONFIG_RETRY,         "config-retry-restart"},
    {0, NULL}};
/* clang-format on */

const char *phone_reason_words(unsigned reason)
{
    const char *words = names_print(reason_words, reason);

    return words ? words : "Unknown";
}

const char *phone_state_name(enum phone_state state)
{
    static const char *const names[N_PHONE_STATES] = {
        [PHONE_OFF] = "off",
        [PHONE_CONNECTING] = "connecting",
        [PHONE_ASKING_TOKEN] = "asking for a token",
        [PHONE_REGISTERING] = "registering",
        [PHONE_CONFIGURING] = "configuring",
        [PHONE_REGISTERED] = "registered",
        [PHONE_LEAVING] = "leaving",
        [PHONE_MOVING] = "moving",
        [PHONE_ALARMED] = "moving",
        [PHONE_REJECTED] = "rejected",
        [PHONE_BETWEEN] = "waiting",
    };

    return state < N_PHONE_STATES ? names[state] : "?";
}

enum phone_reason phone_reason_of(int err)
{
    switch (err) {
    case 0:
        return PHONE_REASON_TCP_CLOSED;
    case -ECONNRESET:
    case -ECONNREFUSED:
    case -EPIPE:
        return PHONE_REASON_TCP_RESET;
    case -ETIMEDOUT:
        return PHONE_REASON_TCP_TIMEOUT;
    default:
        return PHONE_REASON_TCP_ABORTED;
    }
}

/* ---- kinds ---- */

void phone_kind_init(struct phone_kind *ret, const struct model *model, const char *load,
                     uint32_t faults)
{
    *ret = (struct phone_kind){.model = model,
                               .habits = phone_habits_of(model),
                               .type = model->type,
                               .version = model->version,
                               .faults = faults};
    text_copy(ret->load, sizeof(ret->load),
              text_of(load ? load : model->default_load[PROTOCOL_SCCP]));
    if (fault_is_on(
            faults,
            FAULT_WRONG_TYPE)) /* the classic: a 7961 that is a 7961G-GE, and the other way round */
        ret->type = model->type == 308     ? 30018
                    : model->type == 30018 ? 308
                    : model->type == 7     ? 8
                                           : 7;
}

int phone_kind_speak_sip(struct phone_kind *k, enum device_protocol protocol, const char *load)
{
    static const uint8_t secret[32] = {0}; /* of the nonces of servers; a phone gives none */

    k->protocol = protocol;
    k->transport = N_LINK_TRANSPORTS;
    if (load || *k->model->default_load[PROTOCOL_SIP])
        text_copy(k->load, sizeof(k->load),
                  text_of(load ? load : k->model->default_load[PROTOCOL_SIP]));
    else
        sip_load_guess(k->model, k->load, sizeof(k->load));
    k->sip = sip_habits_of(k->model, protocol, k->load);
    k->digest = digest_new(&(struct digest_options){.secret = secret});
    return k->digest ? 0 : -ENOMEM;
}

void phone_kind_done(struct phone_kind *k)
{
    digest_free(k->digest);
    k->digest = NULL;
}

/* ---- reports ---- */

void phone_tell(struct effects *fx, enum phone_event event)
{
    effects_add(fx, EFFECT_STATE)->number = event;
}

void phone_tell_text(struct effects *fx, enum phone_event event, const char *words)
{
    uint32_t at = fx->n;

    effects_text(fx, EFFECT_STATE, "%s", words);
    if (at < fx->n)
        fx->items[at].number = event;
}

void phone_tell_lost(struct effects *fx, enum phone_reason reason)
{
    struct effect *e = effects_add(fx, EFFECT_STATE);

    e->number = PHONE_EVENT_LOST;
    e->link = (uint8_t)reason;
}

void phone_display(struct screen *screen, struct effects *fx, const char *words)
{
    if (!screen)
        return;
    screen_status(screen, words);
    effects_add(fx, EFFECT_LCD);
}

/* ---- bytes of a stream ---- */

void phone_forget_partial(struct phone_link *l)
{
    free(l->partial);
    l->partial = NULL;
    l->n_partial = l->partial_room = 0;
}

int phone_keep_partial(struct phone_link *l, const struct reader *rest)
{
    size_t n = reader_left(rest);
    uint8_t *room = l->partial;

    if (!n) {
        phone_forget_partial(l);
        return 0;
    }
    if (n > UINT16_MAX)
        return -EMSGSIZE;
    if (n > l->partial_room) {
        room = malloc(n);
        if (!room)
            return -ENOMEM;
    }
    memmove(room, rest->at, n);
    if (room != l->partial) {
        free(l->partial);
        l->partial = room;
        l->partial_room = (uint16_t)n;
    }
    l->n_partial = (uint16_t)n;
    return 0;
}
