/* handset_screen.c - what a phone shows of what the server commands. */
#include "handset/screen.h"

#include "test.h"

static struct screen s;
static struct sccp_message m;

static int begin(void **state)
{
    screen_init(&s, model_by_name(TEXT("7960")));
    memset(&m, 0, sizeof(m));
    return 0;
}

static void prompt(const char *words, uint32_t timeout_s, uint64_t now_ms)
{
    m.id = SCCP_DISPLAY_PROMPT_STATUS_V2;
    m.display_prompt_status_v2 =
        (struct sccp_display_prompt_status_v2){.timeout_s = timeout_s, .text = text_of(words)};
    assert_true(screen_message(&s, &m, now_ms));
}

static void label_codes_are_shown_in_words(void **state)
{
    prompt("\x80\x13", 0, 1000);
    assert_string_equal(screen_prompt(&s), "Your current options");
    prompt("\x80\x17"
           "1001",
           0, 1000);
    assert_string_equal(screen_prompt(&s), "From 1001");
}

static void texts_of_one_byte_a_character_become_utf8(void **state)
{
    prompt("M\xfcller", 0, 1000);
    assert_string_equal(screen_prompt(&s), "M\xc3\xbcller");
    prompt("M\xc3\xbcller", 0, 1000);
    assert_string_equal(screen_prompt(&s), "M\xc3\xbcller");
}

static void a_prompt_goes_when_its_time_is_over(void **state)
{
    prompt("Hello", 5, 1000);
    assert_int_equal(screen_due(&s), 6000);
    assert_false(screen_tick(&s, 5999));
    assert_true(screen_tick(&s, 6000));
    assert_string_equal(screen_prompt(&s), "");
}

static void the_mask_hides_keys_of_the_set_not_of_the_template(void **state)
{
    m.id = SCCP_SOFTKEY_TEMPLATE;
    m.softkey_template.count = m.softkey_template.total = 3;
    m.softkey_template.keys[0] = (struct sccp_softkey){"\x80\x01", 1};
    m.softkey_template.keys[1] = (struct sccp_softkey){"NewCall", 2};
    m.softkey_template.keys[2] = (struct sccp_softkey){"\x80\x05", 5};
    screen_message(&s, &m, 0);
    memset(&m, 0, sizeof(m));
    m.id = SCCP_SOFTKEY_SET;
    m.softkey_set.count = m.softkey_set.total = 1;
    m.softkey_set.sets[0].keys[0] = 3;
    m.softkey_set.sets[0].keys[1] = 2;
    m.softkey_set.sets[0].keys[2] = 1;
    screen_message(&s, &m, 0);
    m.id = SCCP_SELECT_SOFTKEYS;
    m.select_softkeys = (struct sccp_select_softkeys){.set = 0, .mask = 0xfffffffd};
    screen_message(&s, &m, 0);
    assert_int_equal(s.n_softkeys, 2);
    assert_string_equal(s.softkeys[0].label, "CFwdAll");
    assert_int_equal(s.softkeys[0].event, 5);
    assert_string_equal(s.softkeys[1].label, "Redial");
}

static void lamps_and_lines_belong_to_their_keys(void **state)
{
    m.id = SCCP_BUTTON_TEMPLATE;
    m.button_template.count = m.button_template.total = 2;
    m.button_template.buttons[0] = (struct sccp_button){1, SCCP_BUTTON_LINE};
    m.button_template.buttons[1] = (struct sccp_button){1, SCCP_BUTTON_SPEED_DIAL};
    screen_message(&s, &m, 0);
    m.id = SCCP_LINE_STAT_V2;
    m.line_stat_v2 = (struct sccp_line_stat_v2){1, 0, TEXT("7001"), TEXT("Ann"), TEXT("Desk")};
    screen_message(&s, &m, 0);
    m.id = SCCP_SET_LAMP;
    m.set_lamp = (struct sccp_set_lamp){SCCP_BUTTON_LINE, 1, SCCP_LAMP_BLINK};
    screen_message(&s, &m, 0);
    m.set_lamp = (struct sccp_set_lamp){SCCP_BUTTON_VOICEMAIL, 0, SCCP_LAMP_ON};
    screen_message(&s, &m, 0);
    assert_string_equal(screen_key_label(&s.keys[0]), "Desk");
    assert_string_equal(s.keys[0].number, "7001");
    assert_int_equal(s.keys[0].lamp, SCCP_LAMP_BLINK);
    assert_string_equal(screen_key_label(&s.keys[1]), "");
    assert_int_equal(s.message_lamp, SCCP_LAMP_ON);
}

static void clock(const char *template, const char *date, const char *time)
{
    char d[24], t[16];

    m.id = SCCP_REGISTER_ACK;
    memset(&m.register_ack, 0, sizeof(m.register_ack));
    strcpy(m.register_ack.date_template, template);
    screen_message(&s, &m, 0);
    m.id = SCCP_DEFINE_TIME_DATE;
    m.define_time_date = (struct sccp_define_time_date){
        .year = 2026, .month = 11, .day = 21, .hour = 23, .minute = 59};
    screen_message(&s, &m, 1000);
    screen_time(&s, 1000 + 90000, d, sizeof(d), t, sizeof(t));
    assert_string_equal(d, date);
    assert_string_equal(t, time);
}

static void the_clock_runs_on_and_follows_the_template(void **state)
{
    clock("M/D/Y", "11/22/26", "00:00");
    clock("D.M.Y", "22.11.26", "00:00");
    clock("Y-M-D", "26-11-22", "00:00");
    clock("M/D/YA", "11/22/26", "12:00 AM");
}

static void a_call_is_shown_until_it_is_gone(void **state)
{
    m.id = SCCP_CALL_STATE;
    m.call_state = (struct sccp_call_state){.state = SCCP_STATE_RING_IN, .line = 1, .call = 77};
    screen_message(&s, &m, 0);
    m.id = SCCP_CALL_INFO_V2;
    memset(&m.call_info_v2, 0, sizeof(m.call_info_v2));
    m.call_info_v2.line = 1;
    m.call_info_v2.call = 77;
    m.call_info_v2.type = 1;
    m.call_info_v2.calling_number = TEXT("7002");
    screen_message(&s, &m, 0);
    assert_non_null(screen_active_call(&s));
    assert_string_equal(screen_active_call(&s)->other, "7002");
    m.id = SCCP_CALL_STATE;
    m.call_state = (struct sccp_call_state){.state = SCCP_STATE_ON_HOOK, .line = 1, .call = 77};
    screen_message(&s, &m, 0);
    assert_null(screen_active_call(&s));
}

static void a_12sp_has_two_rows_and_no_message_lamp(void **state)
{
    screen_init(&s, model_by_name(TEXT("12SP+")));
    m.id = SCCP_DISPLAY_TEXT;
    strcpy(m.display_text.text, "Welcome         7001");
    screen_message(&s, &m, 0);
    assert_string_equal(s.text[0], "Welcome         ");
    assert_string_equal(s.text[1], "7001");
    m.id = SCCP_SET_LAMP;
    m.set_lamp = (struct sccp_set_lamp){SCCP_BUTTON_VOICEMAIL, 0, SCCP_LAMP_ON};
    screen_message(&s, &m, 0);
    assert_int_equal(s.message_lamp, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup(name, begin)
        TEST(label_codes_are_shown_in_words),
        TEST(texts_of_one_byte_a_character_become_utf8),
        TEST(a_prompt_goes_when_its_time_is_over),
        TEST(the_mask_hides_keys_of_the_set_not_of_the_template),
        TEST(lamps_and_lines_belong_to_their_keys),
        TEST(the_clock_runs_on_and_follows_the_template),
        TEST(a_call_is_shown_until_it_is_gone),
        TEST(a_12sp_has_two_rows_and_no_message_lamp),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
