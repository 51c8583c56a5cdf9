/* ladder.c - the questions between RegisterAck and being registered; see parts.h. */
#include "handset/sccp/parts.h"

#define FLAP_MS 5000

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

/* The steps that are one question and its answer: the message that asks, whether for one thing by
 * its number, and what answers. */
/* clang-format off */
static const struct question {
    uint32_t asks;
    bool by_number;
    uint32_t answers[2];
} questions[N_PHONE_STEPS] = {
    [STEP_BUTTONS]      = { SCCP_BUTTON_TEMPLATE_REQ,   false, { SCCP_BUTTON_TEMPLATE } },
    [STEP_SOFTKEYS]     = { SCCP_SOFTKEY_TEMPLATE_REQ,  false, { SCCP_SOFTKEY_TEMPLATE } },
    [STEP_SOFTKEY_SETS] = { SCCP_SOFTKEY_SET_REQ,       false, { SCCP_SOFTKEY_SET } },
    [STEP_CONFIG]       = { SCCP_CONFIG_STAT_REQ,       false, { SCCP_CONFIG_STAT, SCCP_CONFIG_STAT_V2 } },
    [STEP_LINES]        = { SCCP_LINE_STAT_REQ,         true,  { SCCP_LINE_STAT, SCCP_LINE_STAT_V2 } },
    [STEP_FORWARDS]     = { SCCP_FORWARD_STAT_REQ,      true,  { SCCP_FORWARD_STAT } },
    [STEP_SPEED_DIALS]  = { SCCP_SPEED_DIAL_STAT_REQ,   true,  { SCCP_SPEED_DIAL_STAT, SCCP_SPEED_DIAL_STAT_V2 } },
    [STEP_FEATURES]     = { SCCP_FEATURE_STAT_REQ,      true,  { SCCP_FEATURE_STAT, SCCP_FEATURE_STAT_V2 } },
    [STEP_SERVICES]     = { SCCP_SERVICE_URL_STAT_REQ,  true,  { SCCP_SERVICE_URL_STAT, SCCP_SERVICE_URL_STAT_V2 } },
    [STEP_VERSION]      = { SCCP_VERSION_REQ,           false, { SCCP_VERSION } },
    [STEP_SERVERS]      = { SCCP_SERVER_REQ,            false, { SCCP_SERVER_RES } },
    [STEP_TIME]         = { SCCP_TIME_DATE_REQ,         false, { SCCP_DEFINE_TIME_DATE } },
};
/* clang-format on */

static void ask(struct sccp_phone *p, enum phone_step step, unsigned item, struct effects *fx)
{
    if (questions[step].by_number)
        phone_put_number(p, questions[step].asks, item + 1, fx);
    else
        phone_put_empty(p, p->active, questions[step].asks, fx);
}

static void ask_for_feature(struct sccp_phone *p, unsigned item, struct effects *fx)
{
    struct sccp_feature_stat_req r = {.index = p->features[item], .capabilities = 1};

    phone_put(p, p->active, SCCP_FEATURE_STAT_REQ, &r, fx);
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
    case STEP_AVAILABLE:
        phone_put_number(p, SCCP_REGISTER_AVAILABLE_LINES,
                         p->kind->habits->pipelined ? p->n_lines : 0, fx);
        return false;
    case STEP_MEDIA_PATHS:
        send_media_path(p, item, fx);
        return false;
    case STEP_LINES_AND_FORWARDS:
        ask(p, item % 2 ? STEP_FORWARDS : STEP_LINES, item / 2, fx);
        return true;
    case STEP_FEATURES:
        ask_for_feature(p, item, fx);
        return true;
    default:
        ask(p, step, item, fx);
        return step != STEP_SPEED_DIALS || p->kind->habits->answers_speed_dials;
    }
}

/* The step that a message answers; STEP_END: none. */
static enum phone_step answered_step(const struct sccp_phone *p, const struct sccp_message *m)
{
    for (enum phone_step step = 0; step < N_PHONE_STEPS; step++) {
        const uint32_t *answers = questions[step].answers;

        if (!answers[0] || (m->id != answers[0] && m->id != answers[1]))
            continue;
        if ((step == STEP_LINES || step == STEP_FORWARDS) && !p->waiting[step])
            return STEP_LINES_AND_FORWARDS;
        return step;
    }
    return STEP_END;
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
