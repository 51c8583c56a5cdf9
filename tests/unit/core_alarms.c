#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/alarms.h"

static struct alarm *unregistered(uint32_t reason)
{
    struct alarm_draft d;
    struct device_name name = {"SEPE0D1730A8137"};

    alarm_begin(&d, ALARM_ENDPOINT_UNREGISTERED);
    alarm_put_device(&d, name);
    alarm_put_ip(&d, ip_v4(0x0a3c62d2));
    alarm_put(&d, "Protocol", "SCCP");
    alarm_put(&d, "DeviceType", "%u", 592);
    alarm_put(&d, "Description", "%s", "");
    alarm_put_reason(&d, reason);
    return alarm_finish(&d);
}

static void the_line_has_the_documented_form(void **state)
{
    struct alarm *a = unregistered(UNREGISTERED_KEEPALIVE_TIMEOUT);
    char line[500];

    a->time_us = 1435818151123000; /* 2 July 2015 06:22:31.123 UTC */
    alarm_print(a, 41679, "uc-ucm-01", "StandAloneCluster", line, sizeof(line));
    assert_string_equal(
        line,
        "41679: uc-ucm-01: Jul 02 2015 06:22:31.123 UTC :  %UC_CALLMANAGER-3-EndPointUnregistered: "
        "%[DeviceName=SEPE0D1730A8137][IPAddress=10.60.98.210][Protocol=SCCP][DeviceType=592]"
        "[Reason=13][AppID=Cisco CallManager][ClusterID=StandAloneCluster][NodeID=uc-ucm-01]: "
        "An endpoint has unregistered");
    free(a);
}

static void a_leave_that_was_asked_for_is_informational(void **state)
{
    struct alarm *lost = unregistered(UNREGISTERED_KEEPALIVE_TIMEOUT),
                 *reset = unregistered(UNREGISTERED_CALLMANAGER_RESET);

    assert_int_equal(alarm_severity(lost), 3);
    assert_int_equal(alarm_severity(reset), 6);
    free(lost);
    free(reset);
}

static void values_cannot_break_the_line(void **state)
{
    struct alarm_draft d;
    struct alarm *a;

    alarm_begin(&d, ALARM_STATION_ALARM);
    alarm_put(&d, "DeviceText", "%s", "Name=x][Reason=1\n\x01 end");
    alarm_put(&d, "Param1", "%u", 7);
    a = alarm_finish(&d);
    assert_string_equal(a->parameters, "[DeviceText=Name=x)(Reason=1   end][Param1=7]");
    assert_true(text_is(alarm_parameter(a, "Param1"), "7"));
    assert_true(text_is(alarm_parameter(a, "DeviceText"), "Name=x)(Reason=1   end"));
    assert_int_equal(alarm_parameter(a, "Param2").len, 0);
    free(a);
}

static void a_parameter_that_does_not_fit_is_left_out_whole(void **state)
{
    struct alarm_draft d;
    char big[390];

    memset(big, 'x', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    alarm_begin(&d, ALARM_STATION_ALARM);
    for (int i = 0; i < 10; i++)
        alarm_put(&d, "DeviceText", "%s", big);
    assert_true(d.len < ALARM_TEXT_MAX);
    assert_int_equal(d.text[d.len - 1], ']');
    assert_int_equal(d.text[d.len], '\0');
}

static void reasons_have_plain_words(void **state)
{
    assert_string_equal(reason_unregistered(13)->name, "KeepAliveTimeout");
    assert_string_equal(reason_transient(29)->name, "AutoRegisterDBError");
    assert_string_equal(reason_phone(22)->text, "reset by the server");
    assert_string_equal(reason_unregistered(999)->name, "Unknown");
}

static void every_row_is_complete(void **state)
{
    for (int i = 0; i < N_ALARMS; i++) {
        assert_true(alarm_rows[i].name[0] && alarm_rows[i].text[0]);
        assert_true(alarm_rows[i].severity <= 7);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(alarm_rows[i].name, alarm_rows[j].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_line_has_the_documented_form),
        cmocka_unit_test(a_leave_that_was_asked_for_is_informational),
        cmocka_unit_test(values_cannot_break_the_line),
        cmocka_unit_test(a_parameter_that_does_not_fit_is_left_out_whole),
        cmocka_unit_test(reasons_have_plain_words),
        cmocka_unit_test(every_row_is_complete),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
