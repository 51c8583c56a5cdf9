/* station_activation.c - an activation code typed on a phone in quarantine, on a virtual clock. */
#include "test.h"

#include <errno.h>

#include "base/log.h"
#include "station/sccp/station.h"
#include "station_world.h"

#define A "SEP001122334455"
#define B "SEP00112233445A"
#define PHONES                                                                                     \
    "phone " A " model=7 lines=8000 quarantine=yes auto_registered=yes\n"                          \
    "phone " B " model=7 lines=7003\n"

static void saw(struct world *w, const char *expected)
{
    assert_string_equal(w->log, expected);
    world_forget(w);
}

static void contains(struct world *w, const char *part)
{
    if (!strstr(w->log, part))
        fail_msg("no '%s' in:\n%s", part, w->log);
    world_forget(w);
}

static void keys(struct world *w, uint64_t link, const char *digits)
{
    for (; *digits; digits++)
        SAY(w, link, keypad_button,
            {.key = *digits == '#'   ? SCCP_KEY_POUND
                    : *digits == '*' ? SCCP_KEY_STAR
                                     : (uint32_t)(*digits - '0')});
}

static void answer(struct world *w, int err)
{
    stations_activated(w->stations, w->token, err, w->now, w->effects);
    world_carry_out(w);
}

static struct world *quarantined(const char *more)
{
    char lines[1000];
    struct world *w;

    snprintf(lines, sizeof(lines), "%s%s", PHONES, more);
    w = world_new(lines);
    world_phone(w, 1, A, 7, 11);
    world_forget(w);
    return w;
}

static void a_phone_off_hook_hears_dial_tone_and_types_its_code(void **state)
{
    struct world *w = quarantined("");

    SAY(w, 1, off_hook, {});
    saw(w, "  <- SetLamp\n  <- CallState\n  <- SelectSoftKeys\n  <- DisplayPromptStatusV2\n"
           "  <- ActivateCallPlane\n  <- StartTone\n");
    keys(w, 1, "1");
    saw(w, "  <- StopTone\n  <- SelectSoftKeys\n");
    keys(w, 1, "234567");
    saw(w, "");
    keys(w, 1, "#");
    saw(w, "  activate " A " 1234567\n  <- StopTone\n  <- DisplayPromptStatusV2\n");
    answer(w, 0);
    contains(w, "  alarm DeviceActivated [DeviceName=" A "][IPAddress=10.1.0.1]\n");
    world_free(w);
}

static void the_phone_is_restarted_when_the_code_was_right(void **state)
{
    struct world *w = quarantined("");

    keys(w, 1, "4711#"); /* without going off hook first */
    world_forget(w);
    answer(w, 0);
    contains(w, "  <- Reset\n");
    assert_int_equal(w->last_alarm->id, ALARM_ENDPOINT_RESTART);
    world_free(w);
}

static void a_pause_ends_the_code(void **state)
{
    struct world *w = quarantined("");

    SAY(w, 1, stimulus, {.stimulus = SCCP_BUTTON_LINE, .instance = 1});
    keys(w, 1, "4711");
    world_forget(w);
    world_pass(w, 9999);
    saw(w, "");
    world_pass(w, 1);
    contains(w, "activate " A " 4711\n");
    world_free(w);
}

static void who_types_nothing_is_hung_up(void **state)
{
    struct world *w = quarantined("");

    SAY(w, 1, softkey_event, {.event = SCCP_SOFTKEY_NEW_CALL});
    world_forget(w);
    world_pass(w, 10000);
    saw(w, "  <- StopTone\n  <- SetLamp\n  <- ClearPromptStatus\n  <- CallState\n"
           "  <- SelectSoftKeys\n  <- SetSpeakerMode\n  <- DisplayPromptStatusV2\n");
    world_pass(w, 10000);
    saw(w, "");
    world_free(w);
}

static void a_wrong_code_gets_reorder_tone_and_an_alarm(void **state)
{
    struct world *w = quarantined("");

    SAY(w, 1, off_hook, {});
    keys(w, 1, "4711#");
    world_forget(w);
    w->dump = true;
    answer(w, -ENOENT);
    contains(w, "Unknown code");
    assert_int_equal(w->last_alarm->id, ALARM_ACTIVATION_WRONG);
    keys(w, 1, "1#"); /* nothing more until it hangs up */
    saw(w, "");
    SAY(w, 1, on_hook, {});
    SAY(w, 1, off_hook, {});
    contains(w, "Activation code");
    world_free(w);
}

static void a_number_that_is_no_code_gets_reorder_tone(void **state)
{
    struct world *w = quarantined("");

    keys(w, 1, "*");
    contains(w, "StartTone");
    assert_int_equal(w->token, 0);
    world_free(w);
}

static void guess(struct world *w, uint64_t link)
{
    w->token = 0;
    keys(w, link, "4711#");
    if (w->token)
        answer(w, -ENOENT);
    SAY(w, link, on_hook, {});
}

static void guessing_is_limited_for_a_phone(void **state)
{
    struct world *w = quarantined("");

    for (int i = 0; i < 5; i++)
        guess(w, 1);
    contains(w, "  alarm ActivationCodeGuessed [DeviceName=" A "][IPAddress=10.1.0.1][Tries=5]");
    guess(w, 1);
    assert_int_equal(w->token, 0); /* nobody looked */
    world_close(w, 1);             /* another connection is the same phone */
    world_phone(w, 2, A, 7, 11);
    guess(w, 2);
    assert_int_equal(w->token, 0);
    for (int i = 0; i < 11; i++) {
        world_pass(w, 29000);
        SAY(w, 2, keepalive, {});
    }
    guess(w, 2);
    assert_int_not_equal(w->token, 0);
    world_free(w);
}

static void guessing_is_limited_for_all_phones_together(void **state)
{
    struct world *w = quarantined("parameter activation_tries_all value=8\n"
                                  "phone SEP00112233445B model=7 lines=8001 quarantine=yes\n");

    world_phone(w, 2, "SEP00112233445B", 7, 11);
    for (int i = 0; i < 4; i++) {
        guess(w, 1);
        guess(w, 2);
    }
    guess(w, 1);
    assert_int_equal(w->token, 0);
    world_pass(w, 29000);
    SAY(w, 1, keepalive, {});
    SAY(w, 2, keepalive, {});
    world_pass(w, 31000);
    guess(w, 1);
    assert_int_not_equal(w->token, 0);
    world_free(w);
}

static void other_phones_are_left_alone(void **state)
{
    struct world *w = quarantined("");

    world_phone(w, 2, B, 7, 11);
    world_forget(w);
    SAY(w, 2, off_hook, {});
    keys(w, 2, "4711#");
    saw(w, "");
    world_free(w);
}

static void the_oldest_phones_read_it_on_their_two_rows(void **state)
{
    struct world *w = world_new("phone " A " model=4 lines=8000 quarantine=yes\n");

    world_phone(w, 1, A, 4, 0);
    world_forget(w);
    keys(w, 1, "4");
    contains(w, "  <- DisplayText\n");
    world_free(w);
}

static void a_connection_that_ends_is_forgotten(void **state)
{
    struct world *w = quarantined("");

    keys(w, 1, "4711#");
    world_close(w, 1);
    answer(w, -ENOENT);
    world_pass(w, 60000);
    assert_int_equal(stations_sessions(w->stations), 0);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_phone_off_hook_hears_dial_tone_and_types_its_code),
        cmocka_unit_test(the_phone_is_restarted_when_the_code_was_right),
        cmocka_unit_test(a_pause_ends_the_code),
        cmocka_unit_test(who_types_nothing_is_hung_up),
        cmocka_unit_test(a_wrong_code_gets_reorder_tone_and_an_alarm),
        cmocka_unit_test(a_number_that_is_no_code_gets_reorder_tone),
        cmocka_unit_test(guessing_is_limited_for_a_phone),
        cmocka_unit_test(guessing_is_limited_for_all_phones_together),
        cmocka_unit_test(other_phones_are_left_alone),
        cmocka_unit_test(the_oldest_phones_read_it_on_their_two_rows),
        cmocka_unit_test(a_connection_that_ends_is_forgotten),
    };

    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests_name("station_activation", tests, NULL, NULL);
}
