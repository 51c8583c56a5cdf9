/* sccp_ladder.c - the questions between RegisterAck and being registered; see sccp_parts.h. */
#include "handset/sccp_parts.h"

#define FLAP_MS     5000

static unsigned step_items(const struct sccp_phone *p, enum phone_step step)
{
    switch (step) {
    case STEP_LINES:
    case STEP_FORWARDS:
        return p->n_lines;
    case STEP_LINES_AND_FORWARDS:
        return 2u * p->n_lines;
    case STEP_SPEED_DIALS:
        return p->n_speed_dials;
    case STEP_FEATURES:
        return p->n_features;
    case STEP_SERVICES:
        return p->n_services;
    case STEP_MEDIA_PATHS:
        return 3;
    default:
        return 1;
    }
}

void phone_send_capabilities(struct sccp_phone *p, struct effects *fx)
{
    static const uint8_t codecs[] = {SCCP_CODEC_WIDEBAND_256K, SCCP_CODEC_G722_64K,
                                     SCCP_CODEC_G711_ULAW_64K, SCCP_CODEC_G711_ALAW_64K,
                                     SCCP_CODEC_G729B,         SCCP_CODEC_G729AB,
                                     SCCP_CODEC_G729,          SCCP_CODEC_G729A};
    unsigned first = p->kind->version >= 11 ? 0 : 2;
    struct sccp_capabilities_res r = {.count = sizeof(codecs) - first};

    for (unsigned i = 0; i < r.count; i++)
        r.audio[i] = (struct sccp_audio_capability){.codec = codecs[first + i], .max_frames = 60};
    phone_put(p, p->active, SCCP_CAPABILITIES_RES, &r, fx);
}

static void send_media_path(struct sccp_phone *p, unsigned item, struct effects *fx)
{
    struct sccp_media_path_event off = {SCCP_PATH_HEADSET, SCCP_OFF},
                                 on = {SCCP_PATH_HANDSET, SCCP_ON};
    struct sccp_media_path_capability speaker = {SCCP_PATH_SPEAKER, SCCP_PATH_ENABLE};

    if (item == 0)
        phone_put(p, p->active, SCCP_MEDIA_PATH_EVENT, &off, fx);
    else if (item == 1)
        phone_put(p, p->active, SCCP_MEDIA_PATH_EVENT, &on, fx);
    else
        phone_put(p, p->active, SCCP_MEDIA_PATH_CAPABILITY, &speaker, fx);
}

/* Sends one question; returns whether an answer is waited for. */
static bool send_step(struct sccp_phone *p, enum phone_step step, unsigned item, struct effects *fx)
{
    switch (step) {
    case STEP_IP_PORT:
        phone_put_number(p, SCCP_IP_PORT, 0x5000, fx);
        return false;
    case STEP_CAPABILITIES:
        if (!phone_is_faulty(p, FAULT_NO_CAPABILITIES))
            phone_send_capabilities(p, fx);
        return false;
    case STEP_HEADSET:
        phone_put_number(p, SCCP_HEADSET_STATUS, SCCP_OFF, fx);
        return false;
    case STEP_BUTTONS:
        phone_put_empty(p, p->active, SCCP_BUTTON_TEMPLATE_REQ, fx);
        return true;
    case STEP_SOFTKEYS:
        phone_put_empty(p, p->active, SCCP_SOFTKEY_TEMPLATE_REQ, fx);
        return true;
    case STEP_SOFTKEY_SETS:
        phone_put_empty(p, p->active, SCCP_SOFTKEY_SET_REQ, fx);
        return true;
    case STEP_CONFIG:
        phone_put_empty(p, p->active, SCCP_CONFIG_STAT_REQ, fx);
        return true;
    case STEP_LINES:
        phone_put_number(p, SCCP_LINE_STAT_REQ, item + 1, fx);
        return true;
    case STEP_LINES_AND_FORWARDS:
        phone_put_number(p, item % 2 ? SCCP_FORWARD_STAT_REQ : SCCP_LINE_STAT_REQ, item / 2 + 1,
                         fx);
        return true;
    case STEP_FORWARDS:
        phone_put_number(p, SCCP_FORWARD_STAT_REQ, item + 1, fx);
        return true;
    case STEP_SPEED_DIALS:
        phone_put_number(p, SCCP_SPEED_DIAL_STAT_REQ, item + 1, fx);
        return p->kind->habits->answers_speed_dials;
    case STEP_FEATURES: {
        struct sccp_feature_stat_req r = {.index = p->features[item], .capabilities = 1};

        phone_put(p, p->active, SCCP_FEATURE_STAT_REQ, &r, fx);
        return true;
    }
    case STEP_SERVICES:
        phone_put_number(p, SCCP_SERVICE_URL_STAT_REQ, item + 1, fx);
        return true;
    case STEP_VERSION:
        phone_put_empty(p, p->active, SCCP_VERSION_REQ, fx);
        return true;
    case STEP_SERVERS:
        phone_put_empty(p, p->active, SCCP_SERVER_REQ, fx);
        return true;
    case STEP_AVAILABLE:
        phone_put_number(p, SCCP_REGISTER_AVAILABLE_LINES,
                         p->kind->habits->pipelined ? p->n_lines : 0, fx);
        return false;
    case STEP_TIME:
        phone_put_empty(p, p->active, SCCP_TIME_DATE_REQ, fx);
        return true;
    case STEP_MEDIA_PATHS:
        send_media_path(p, item, fx);
        return false;
    case STEP_END:
    case STEP_BARRIER:
    case N_PHONE_STEPS:
        break;
    }
    return false;
}

/* The step that a message answers; STEP_END: none. */
static enum phone_step answered_step(const struct sccp_phone *p, const struct sccp_message *m)
{
    switch (m->id) {
    case SCCP_BUTTON_TEMPLATE:
        return STEP_BUTTONS;
    case SCCP_SOFTKEY_TEMPLATE:
        return STEP_SOFTKEYS;
    case SCCP_SOFTKEY_SET:
        return STEP_SOFTKEY_SETS;
    case SCCP_CONFIG_STAT:
    case SCCP_CONFIG_STAT_V2:
        return STEP_CONFIG;
    case SCCP_LINE_STAT:
    case SCCP_LINE_STAT_V2:
        return p->waiting[STEP_LINES] ? STEP_LINES : STEP_LINES_AND_FORWARDS;
    case SCCP_FORWARD_STAT:
        return p->waiting[STEP_FORWARDS] ? STEP_FORWARDS : STEP_LINES_AND_FORWARDS;
    case SCCP_SPEED_DIAL_STAT:
    case SCCP_SPEED_DIAL_STAT_V2:
        return STEP_SPEED_DIALS;
    case SCCP_FEATURE_STAT:
    case SCCP_FEATURE_STAT_V2:
        return STEP_FEATURES;
    case SCCP_SERVICE_URL_STAT:
    case SCCP_SERVICE_URL_STAT_V2:
        return STEP_SERVICES;
    case SCCP_VERSION:
        return STEP_VERSION;
    case SCCP_SERVER_RES:
        return STEP_SERVERS;
    case SCCP_DEFINE_TIME_DATE:
        return STEP_TIME;
    default:
        return STEP_END;
    }
}

static void registered(struct sccp_phone *p, uint64_t now_ms, struct effects *fx)
{
    p->state = PHONE_REGISTERED;
    p->failures = 0;
    p->due_ms = phone_is_faulty(p, FAULT_FLAP) ? now_ms + FLAP_MS : UINT64_MAX;
    phone_plan_standby(p, now_ms);
    phone_show(p, fx, "");
    phone_tell(fx, PHONE_EVENT_REGISTERED);
}

void phone_climb(struct sccp_phone *p, uint64_t now_ms, struct effects *fx)
{
    const struct phone_habits *h = p->kind->habits;

    while (p->state == PHONE_CONFIGURING) {
        enum phone_step step = h->ladder[p->step];

        if (p->n_waiting && (!h->pipelined || step == STEP_BARRIER || step == STEP_END))
            return;
        if (step == STEP_END) {
            registered(p, now_ms, fx);
            return;
        }
        if (step == STEP_CAPABILITIES && !p->asked_capabilities)
            return;
        if (step == STEP_BARRIER || p->item >= step_items(p, step)) {
            p->step++;
            p->item = 0;
            continue;
        }
        if (send_step(p, step, p->item++, fx)) {
            p->waiting[step]++;
            p->n_waiting++;
        }
    }
}

void phone_note_answer(struct sccp_phone *p, const struct sccp_message *m)
{
    enum phone_step step = answered_step(p, m);

    if (step == STEP_END || !p->waiting[step])
        return;
    p->waiting[step]--;
    p->n_waiting--;
}

/* The highest instance of each kind of key says how much there is to ask for. */
void phone_take_buttons(struct sccp_phone *p, const struct sccp_button_template *m)
{
    p->n_lines = p->n_speed_dials = p->n_features = p->n_services = 0;
    for (uint32_t i = 0; i < m->count && i < 56; i++) {
        uint8_t type = m->buttons[i].type, instance = m->buttons[i].instance;

        if (type == SCCP_BUTTON_LINE && instance > p->n_lines && instance <= 56)
            p->n_lines = instance;
        else if (type == SCCP_BUTTON_SPEED_DIAL && instance > p->n_speed_dials && instance <= 99)
            p->n_speed_dials = instance;
        else if (type == SCCP_BUTTON_SERVICE_URL && instance > p->n_services && instance <= 56)
            p->n_services = instance;
        else if ((type == SCCP_BUTTON_FEATURE || type == SCCP_BUTTON_BLF_SPEED_DIAL) &&
                 p->n_features < 8)
            p->features[p->n_features++] = instance;
    }
}
