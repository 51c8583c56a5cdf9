/* wire_sip_service_control.c - orders in plain text, and why a phone comes. */
#include "test.h"

#include "wire/sip/service_control.h"

static char bytes[1024];

static void assert_text(struct text t, const char *expected)
{
    assert_int_equal(t.len, strlen(expected));
    assert_memory_equal(t.at, expected, t.len);
}

static void an_order_is_written_as_callmanager_does(void **state)
{
    const struct service_control c = {.action = TEXT("check-version"),
                                      .call_id = TEXT("0011-2233@10.0.0.1"),
                                      .config = TEXT("1288-ab"),
                                      .dialplan = TEXT(""),
                                      .softkey = TEXT(""),
                                      .feature = TEXT("")};
    struct writer w = writer_of(bytes, sizeof(bytes) - 1);
    struct service_control again;

    service_control_write(&w, &c);
    *w.at = '\0';
    assert_string_equal(bytes, "action=check-version\r\nRegisterCallId={0011-2233@10.0.0.1}\r\n"
                               "ConfigVersionStamp={1288-ab}\r\nDialplanVersionStamp={}\r\n"
                               "SoftkeyVersionStamp={}\r\nFeatureControlVersionStamp={}\r\n");
    assert_int_equal(service_control_read(text_of(bytes), &again), 0);
    assert_text(again.call_id, "0011-2233@10.0.0.1");
    assert_text(again.config, "1288-ab");
    assert_non_null(again.feature.at);
    assert_null(again.result.at);
}

static void an_order_is_read_whatever_its_case_and_line_ends(void **state)
{
    struct service_control c;

    assert_int_equal(service_control_read(TEXT("ACTION = apply-config\nregistercallid={x}\n"
                                               "CUCMResult=Reregister_Needed\nPPID=enabled\n"
                                               "Unknown=1\nno equals\nLoadId={"),
                                          &c),
                     0);
    assert_text(c.action, "apply-config");
    assert_text(c.result, "Reregister_Needed");
    assert_text(c.ppid, "enabled");
    assert_text(c.load, "{");
    assert_int_equal(service_control_read(TEXT(""), &c), -EBADMSG);
    assert_int_equal(service_control_read(TEXT("RegisterCallId={x}\r\n"), &c), -EBADMSG);
    assert_int_equal(service_control_read(TEXT("action="), &c), -EBADMSG);
}

static void a_reason_is_taken_apart(void **state)
{
    struct cisco_reason r;

    assert_int_equal(
        cisco_reason_read(TEXT("SIP;cause=200;text=\"cisco-alarm:22 Name=SEP001122334455 "
                               "ActiveLoad=sip88xx.12-6-1.loads InactiveLoad=sip88xx.12-5-1.loads "
                               "Last=reset-reset\""),
                          &r),
        0);
    assert_int_equal(r.code, 22);
    assert_text(r.name, "SEP001122334455");
    assert_text(r.active_load, "sip88xx.12-6-1.loads");
    assert_text(r.inactive_load, "sip88xx.12-5-1.loads");
    assert_text(r.last, "reset-reset");
    assert_int_equal(cisco_reason_read(TEXT("SIP ;cause=200;text=\"cisco-alarm:25 "
                                            "Name=SEP1 Load=CIPC-8-6 Last=two words\""),
                                       &r),
                     0);
    assert_text(r.active_load, "CIPC-8-6");
    assert_null(r.inactive_load.at);
    assert_text(r.last, "two words");
    assert_int_equal(cisco_reason_read(TEXT("SIP;cause=200;text=\"cisco-alarm:25\""), &r), 0);
    assert_null(r.last.at);
}

static void other_reasons_are_no_alarm(void **state)
{
    static const char *const others[] = {
        "",
        "SIP",
        "SIP;cause=200;text=\"Call completed elsewhere\"",
        "Q.850;cause=16",
        "SIP;cause=200;text=\"cisco-alarm:\"",
        "SIP;cause=200;text=\"cisco-alarm:x Name=y\"",
        "SIP;text=\"cisco-alarm:99999999999 Name=y\"",
        "SIP;text=\"cisco-alarm:1",
    };
    struct cisco_reason r;

    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        assert_int_equal(cisco_reason_read(text_of(others[i]), &r), -ENOENT);
}

static void a_reason_is_written_as_phones_do(void **state)
{
    const struct cisco_reason r = {.code = 25,
                                   .name = TEXT("SEP1"),
                                   .active_load = TEXT("a"),
                                   .inactive_load = TEXT("b"),
                                   .last = TEXT("initialized")};
    struct writer w = writer_of(bytes, sizeof(bytes) - 1);

    cisco_reason_write(&w, &r);
    *w.at = '\0';
    assert_string_equal(bytes, "Reason: SIP;cause=200;text=\"cisco-alarm:25 Name=SEP1 ActiveLoad=a "
                               "InactiveLoad=b Last=initialized\"\r\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_order_is_written_as_callmanager_does),
        cmocka_unit_test(an_order_is_read_whatever_its_case_and_line_ends),
        cmocka_unit_test(a_reason_is_taken_apart),
        cmocka_unit_test(other_reasons_are_no_alarm),
        cmocka_unit_test(a_reason_is_written_as_phones_do),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
