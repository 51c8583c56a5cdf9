/* habits.c - the table of habits; see habits.h. */
#include "handset/sccp/habits.h"

#define RETRY_79XX_MS 40200 /* measured: a 7945 tries every 40.2 s */
#define RETRY_69XX_MS 22300 /* measured: a 6921 every 22.3 s */
#define RETRY_OLD_MS  30000 /* not measured */

/* CallManager 2 dialect: no softkeys, no forward state; nothing above id 0xff is answered. */
/* clang-format off */
#define LADDER_BUTTONS                                                                             \
    {STEP_IP_PORT, STEP_CAPABILITIES, STEP_BUTTONS, STEP_CONFIG, STEP_LINES, STEP_SPEED_DIALS,     \
     STEP_VERSION, STEP_AVAILABLE, STEP_TIME, STEP_END}

/* Captured: CallManager 4.1 with a 7912. */
#define LADDER_7905                                                                                \
    {STEP_CAPABILITIES, STEP_BUTTONS, STEP_SOFTKEYS, STEP_SOFTKEY_SETS, STEP_LINES, STEP_FEATURES, \
     STEP_SPEED_DIALS, STEP_AVAILABLE, STEP_TIME, STEP_END}

/* 7940 and 7960, versions 3 to 11. */
#define LADDER_7940                                                                                \
    {STEP_IP_PORT, STEP_CAPABILITIES, STEP_HEADSET, STEP_BUTTONS, STEP_SOFTKEYS, STEP_SOFTKEY_SETS,\
     STEP_CONFIG, STEP_LINES, STEP_SPEED_DIALS, STEP_FORWARDS, STEP_FEATURES, STEP_SERVICES,       \
     STEP_VERSION, STEP_SERVERS, STEP_AVAILABLE, STEP_TIME, STEP_END}

/* Traced: a 7975 with load 9.4(2) on CUCM 11. */
#define LADDER_JAVA                                                                                \
    {STEP_IP_PORT, STEP_BUTTONS, STEP_SOFTKEYS, STEP_SOFTKEY_SETS, STEP_CONFIG, STEP_CAPABILITIES, \
     STEP_BARRIER, STEP_LINES_AND_FORWARDS, STEP_SPEED_DIALS, STEP_FEATURES, STEP_SERVICES,        \
     STEP_TIME, STEP_BARRIER, STEP_AVAILABLE, STEP_MEDIA_PATHS, STEP_END}

static const struct phone_habits habits[N_MODEL_GENERATIONS] = {
    [MODEL_BUTTONS]    = {.register_size = 44, .alarm = ALARM_NONE, .reject_wait_ms = RETRY_OLD_MS,
                          .answers_speed_dials = true, .ladder = LADDER_BUTTONS},
    [MODEL_7910]       = {.register_size = 44, .alarm = ALARM_TEXT, .reject_wait_ms = RETRY_OLD_MS,
                          .answers_speed_dials = true, .ladder = LADDER_7940},
    [MODEL_7940]       = {.register_size = 68, .alarm = ALARM_NUMBERED, .features = {0x00, 0x60, 0x85},
                          .answers_speed_dials = true, .reject_wait_ms = RETRY_79XX_MS, .ladder = LADDER_7940},
    [MODEL_7905]       = {.register_size = 52, .alarm = ALARM_TEXT, .features = {0x00, 0x00, 0x81},
                          .answers_speed_dials = true, .reject_wait_ms = RETRY_OLD_MS, .ladder = LADDER_7905},
    [MODEL_ATA]        = {.register_size = 52, .alarm = ALARM_TEXT, .answers_speed_dials = true,
                          .reject_wait_ms = RETRY_OLD_MS, .ladder = LADDER_7905},
    [MODEL_JAVA]       = {.pipelined = true, .register_size = 172, .alarm = ALARM_XML, .features = {0x00, 0x72, 0x85},
                          .reject_wait_ms = RETRY_79XX_MS, .ladder = LADDER_JAVA},
    [MODEL_WIRELESS]   = {.pipelined = true, .register_size = 124, .alarm = ALARM_NUMBERED,
                          .features = {0x00, 0x72, 0x85}, .reject_wait_ms = RETRY_79XX_MS, .ladder = LADDER_JAVA},
    [MODEL_CONFERENCE] = {.register_size = 44, .alarm = ALARM_TEXT, .reject_wait_ms = RETRY_OLD_MS,
                          .answers_speed_dials = true, .ladder = LADDER_7940},
    [MODEL_LATER]      = {.pipelined = true, .register_size = 172, .alarm = ALARM_XML, .features = {0x20, 0x72, 0x85},
                          .reject_wait_ms = RETRY_69XX_MS, .ladder = LADDER_JAVA},
    [MODEL_SPA]        = {.register_size = 52, .alarm = ALARM_TEXT, .reject_wait_ms = RETRY_OLD_MS,
                          .answers_speed_dials = true, .ladder = LADDER_7940},
};
/* clang-format on */

const struct phone_habits *phone_habits_of(const struct model *model)
{
    const struct phone_habits *h = &habits[model->generation];

    return h->register_size ? h : &habits[MODEL_7940];
}
