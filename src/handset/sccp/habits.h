/* habits.h - how the generations of phones register: what they ask, in which order, how much
 * at once.
 *
 * A row a generation. Orders are those of captures and traces where there are any (reference of
 * each row in habits.c); numbers that were not measured are marked there. */
#pragma once

#include "core/models.h"

/* A question of the ladder, with its answer. STEP_BARRIER: go on when every question before it is
 * answered. */
enum phone_step {
    STEP_END,
    STEP_BARRIER,
    STEP_IP_PORT,
    STEP_CAPABILITIES, /* waits for CapabilitiesReq, then answers it */
    STEP_HEADSET,
    STEP_BUTTONS,
    STEP_SOFTKEYS,
    STEP_SOFTKEY_SETS,
    STEP_CONFIG,
    STEP_LINES,
    STEP_LINES_AND_FORWARDS,
    STEP_FORWARDS,
    STEP_SPEED_DIALS,
    STEP_FEATURES,
    STEP_SERVICES,
    STEP_VERSION,
    STEP_SERVERS,
    STEP_AVAILABLE,
    STEP_TIME,
    STEP_MEDIA_PATHS,
    N_PHONE_STEPS
};

enum phone_alarm { ALARM_NONE, ALARM_TEXT, ALARM_NUMBERED, ALARM_XML };

#define HABITS_LADDER 24

struct phone_habits {
    bool pipelined;           /* several questions at once */
    bool answers_speed_dials; /* waits for the answers to SpeedDialStatReq */
    uint8_t register_size;    /* bytes of the Register body; longer ones are cut */
    enum phone_alarm alarm;
    uint8_t features[3];     /* behind the version in Register */
    uint32_t reject_wait_ms; /* until it tries again after a refusal */
    uint8_t ladder[HABITS_LADDER];
};

/* Every generation has one; those that are no phones have that of the 7960. */
const struct phone_habits *phone_habits_of(const struct model *model);
