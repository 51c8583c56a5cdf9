#include "test.h"

#include <sys/stat.h>
#include <unistd.h>

#include "server/events/events.h"

static struct alarm *leave(const char *device, uint32_t reason, uint64_t time_us)
{
    struct alarm_draft d;
    struct alarm *a;

    alarm_begin(&d, ALARM_ENDPOINT_UNREGISTERED);
    alarm_put_device(&d, device_name_of(text_of(device)));
    alarm_put_ip(&d, ip_v4(0x0a000007));
    alarm_put_reason(&d, reason);
    a = alarm_finish(&d);
    a->time_us = time_us;
    return a;
}

static struct event_filter any(void)
{
    return (struct event_filter){.severity = 7};
}

static void filters_look_at_device_alarm_reason_severity_time_and_text(void **state)
{
    struct alarm *a = leave("SEP001122334455", 13, 1000);
    struct event_filter f = any();

    assert_true(event_matches(a, &f));
    f.device = TEXT("sep001122334455");
    f.alarm = TEXT("endpointunregistered");
    f.reason = 13;
    f.severity = 3;
    f.since_us = 1000;
    f.search = TEXT("10.0.0.7");
    assert_true(event_matches(a, &f));
    f.severity = 2;
    assert_false(event_matches(a, &f));
    f = any(), f.reason = 9;
    assert_false(event_matches(a, &f));
    f = any(), f.since_us = 1001;
    assert_false(event_matches(a, &f));
    f = any(), f.device = TEXT("SEP001122334456");
    assert_false(event_matches(a, &f));
    f = any(), f.search = TEXT("10.0.0.8");
    assert_false(event_matches(a, &f));
    free(a);
}

static void memory_keeps_the_newest(void **state)
{
    struct events *e = events_new(NULL, "n1");

    assert_null(events_get(e, 1));
    for (uint32_t i = 1; i <= EVENTS_KEPT + 10; i++)
        assert_int_equal(events_add(e, leave("SEP001122334455", i, i), "StandAloneCluster"), i);
    assert_int_equal(events_first(e), 11);
    assert_null(events_get(e, 10));
    assert_int_equal(events_get(e, 11)->reason, 11);
    assert_int_equal(events_get(e, EVENTS_KEPT + 10)->reason, EVENTS_KEPT + 10);
    assert_null(events_get(e, EVENTS_KEPT + 11));
    events_free(e);
}

static char *folder(void)
{
    static char name[] = "/tmp/dialtone-events-XXXXXX";

    strcpy(name, "/tmp/dialtone-events-XXXXXX");
    assert_non_null(mkdtemp(name));
    return name;
}

static void remove_folder(const char *name)
{
    char path[128];

    for (int i = -1; i < 8; i++) {
        snprintf(path, sizeof(path), i < 0 ? "%s/events.log" : "%s/events.log.%d", name, i);
        unlink(path);
    }
    rmdir(name);
}

static void a_restart_reads_back_what_happened_and_goes_on_counting(void **state)
{
    char *name = folder();
    struct events *e = events_new(name, "n1");
    const struct alarm *a;

    events_add(e, leave("SEP001122334455", 13, 1435818151123000), "StandAloneCluster");
    events_add(e, leave("SEP001122334466", 8, 1435818152000000), "StandAloneCluster");
    events_free(e);
    e = events_new(name, "n1");
    assert_int_equal(events_last(e), 2);
    assert_non_null(a = events_get(e, 1));
    assert_int_equal(a->time_us, 1435818151123000);
    assert_int_equal(a->id, ALARM_ENDPOINT_UNREGISTERED);
    assert_int_equal(a->reason, 13);
    assert_string_equal(a->device.s, "SEP001122334455");
    assert_int_equal(ip_v4_number(a->ip), 0x0a000007);
    assert_string_equal(a->parameters,
                        "[DeviceName=SEP001122334455][IPAddress=10.0.0.7][Reason=13]");
    assert_int_equal(events_add(e, leave("SEP001122334455", 9, 1435818153000000), "StandAloneCluster"), 3);
    events_free(e);
    remove_folder(name);
}

static void files_are_rotated_and_bounded(void **state)
{
    char *name = folder(), path[128];
    struct events *e = events_new(name, "n1");
    struct stat st;
    off_t total = 0;

    for (uint32_t i = 0; i < 250000; i++) /* some 55 MB */
        events_add(e, leave("SEP001122334455", i % 30, i), "StandAloneCluster");
    assert_int_equal(events_error(e), 0);
    events_free(e);
    for (int i = 0; i < 5; i++) {
        snprintf(path, sizeof(path), i ? "%s/events.log.%d" : "%s/events.log", name, i);
        assert_int_equal(stat(path, &st), 0);
        assert_true(st.st_size <= (8 << 20) + 4096);
        total += st.st_size;
    }
    snprintf(path, sizeof(path), "%s/events.log.5", name);
    assert_int_equal(stat(path, &st), -1);
    assert_true(total <= 5 * ((8 << 20) + 4096));
    remove_folder(name);
}

static void a_folder_that_cannot_be_written_is_told_and_memory_goes_on(void **state)
{
    struct events *e = events_new("/nonexistent", "n1");

    assert_int_equal(events_error(e), -ENOENT);
    assert_int_equal(events_add(e, leave("SEP001122334455", 13, 1), "StandAloneCluster"), 1);
    assert_non_null(events_get(e, 1));
    events_free(e);
}

static void the_original_servers_line_is_understood(void **state)
{
    uint64_t sequence = 0;
    struct alarm *a =
        event_parse(TEXT("41679: uc-ucm-01.pcce.local: Jul 02 2015 06:22:31.000 UTC :  "
                         "%UC_CALLMANAGER-3-EndPointUnregistered: "
                         "%[DeviceName=SEPE0D1730A8137][IPAddress=10.60.98.210][Protocol=SIP]["
                         "DeviceType=592][Description=Phone]"
                         "[Reason=13][LastSignalReceived=SIPStationDPrimaryLineTimeout][AppID="
                         "Cisco CallManager][ClusterID=Sta]"
                         "[NodeID=uc-ucm-01]: An endpoint has unregistered"),
                    &sequence);

    assert_non_null(a);
    assert_int_equal(sequence, 41679);
    assert_int_equal(a->reason, 13);
    assert_int_equal(a->time_us, 1435818151000000);
    free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filters_look_at_device_alarm_reason_severity_time_and_text),
        cmocka_unit_test(memory_keeps_the_newest),
        cmocka_unit_test(a_restart_reads_back_what_happened_and_goes_on_counting),
        cmocka_unit_test(files_are_rotated_and_bounded),
        cmocka_unit_test(a_folder_that_cannot_be_written_is_told_and_memory_goes_on),
        cmocka_unit_test(the_original_servers_line_is_understood),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
