#include "test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "server/traces/collect.h"
#include "server/traces/files.h"
#include "server/traces/lines.h"
#include "server/traces/names.h"

#define DAY_US  86400000000ull
#define NOON_US (1795219200000000ull + DAY_US / 2) /* 2026-11-21 12:00 UTC */

static char folder[] = "/tmp/traces-XXXXXX";

static int make_folder(void **state)
{
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    char command[64];

    snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command);
}

static struct text read_file(unsigned number, char *to, size_t size)
{
    char path[128];
    ssize_t n = 0;
    int fd;

    snprintf(path, sizeof(path), "%s/ccm%08u.txt", folder, number);
    fd = open(path, O_RDONLY);
    if (fd >= 0) {
        n = read(fd, to, size);
        close(fd);
    }
    return (struct text){to, n > 0 ? (size_t)n : 0};
}

static void lines_begin_with_the_time_behind_a_head_with_the_date(void **state)
{
    struct trace_files *f = trace_files_new(folder, "ccm", "CCM", "cm1", TRACE_FORM_CCM);
    char bytes[4096];
    struct text t;

    trace_files_write(f, NOON_US + 1234567, TEXT("first"));
    trace_files_write(f, NOON_US + 2000000, TEXT("second\nof two lines"));
    trace_files_flush(f);
    t = read_file(1, bytes, sizeof(bytes));
    assert_true(
        text_starts(t, "12:00:01.234 CCM|FileHead UTC:+00:00, Date: 2026/11/21, AppName: CCM, "));
    assert_true(
        text_contains_nocase(t, TEXT("HostName: cm1, FileNumber: 1\n12:00:01.234 CCM|first\n"
                                     "12:00:02.000 CCM|second\nof two lines\n")));
    trace_files_free(f);
}

static void files_are_bounded_in_size_and_number_and_go_on_after_a_restart(void **state)
{
    struct trace_file_limits limits = {.bytes = 4096, .files = 3, .days = 7};
    struct trace_files *f = trace_files_new(folder, "ccm", "CCM", "cm1", TRACE_FORM_CCM);
    char line[1000], bytes[16384];
    struct trace_file_state s;

    memset(line, 'x', sizeof(line));
    trace_files_limit(f, &limits);
    for (int i = 0; i < 40; i++)
        trace_files_write(f, NOON_US, (struct text){line, sizeof(line)});
    s = trace_files_state(f);
    assert_int_equal(s.files, 3);
    assert_int_equal(s.lines, 40);
    assert_in_range(s.bytes, 1, 3 * (4096 + 1100 + 200));
    assert_int_equal(read_file(1, bytes, sizeof(bytes)).len, 0);
    trace_files_free(f);
    f = trace_files_new(folder, "ccm", "CCM", "cm1", TRACE_FORM_CCM);
    assert_int_equal(trace_files_state(f).files, 3);
    trace_files_write(f, NOON_US, TEXT("again"));
    assert_string_not_equal(trace_files_state(f).newest, s.newest);
    trace_files_free(f);
}

static void each_day_has_its_own_file(void **state)
{
    struct trace_files *f = trace_files_new(folder, "ccm", "CCM", "cm1", TRACE_FORM_CCM);

    trace_files_write(f, NOON_US + DAY_US / 2 - 1, TEXT("late"));
    trace_files_write(f, NOON_US + DAY_US / 2, TEXT("early"));
    assert_string_equal(trace_files_state(f).newest, "ccm00000002.txt");
    trace_files_free(f);
}

static void the_newer_form_numbers_what_happened_and_is_compressed(void **state)
{
    struct trace_files *f = trace_files_new(folder, TRACE_SDL_PREFIX, "CCM", "cm1", TRACE_FORM_SDL);
    struct trace_file_limits limits = {.bytes = 1000, .files = 2, .days = 7};
    char path[128], bytes[4096];
    gzFile zip;
    int n;

    trace_files_write_kind(f, NOON_US + 1234567, "SdlSig", true, TEXT("signal"));
    trace_files_write_kind(f, NOON_US + 1234567, "AppInfo", false, TEXT("words"));
    trace_files_flush(f);
    assert_string_equal(trace_files_state(f).newest, "SDL001_100_000001.txt.gzo");
    snprintf(path, sizeof(path), "%s/SDL001_100.index", folder);
    assert_int_equal(access(path, R_OK), 0);
    trace_files_free(f);
    snprintf(path, sizeof(path), "%s/SDL001_100_000001.txt.gz", folder);
    assert_non_null(zip = gzopen(path, "rb"));
    n = gzread(zip, bytes, sizeof(bytes) - 1);
    gzclose(zip);
    bytes[n] = 0;
    assert_true(text_starts(text_of(bytes),
                            "00000001.000 |12:00:01.234 |FileHead |UTC:+00:00,Date: 2026/11/21, "
                            "AppName: CCM, AppId: 100, "));
    assert_non_null(strstr(
        bytes, ", FileNumber: 1, TraceVer: 3.0\n00000002.000 |12:00:01.234 |SdlSig   |signal\n"
               "00000002.001 |12:00:01.234 |AppInfo  |words\n"));
    f = trace_files_new(folder, TRACE_SDL_PREFIX, "CCM", "cm1", TRACE_FORM_SDL);
    trace_files_limit(f, &limits);
    for (int i = 0; i < 100; i++)
        trace_files_write(f, NOON_US, TEXT("a line that takes its place in files that are small"));
    assert_int_equal(trace_files_state(f).files, 2);
    assert_int_equal(access(path, R_OK), -1);
    trace_files_free(f);
}

static void the_newer_form_has_the_number_of_its_node(void **state)
{
    struct trace_files *f = trace_files_new(folder, TRACE_SDL_PREFIX, "CCM", "cm2", TRACE_FORM_SDL);
    char path[128], bytes[512];
    gzFile zip;
    int n;

    trace_files_number(f, 2);
    trace_files_write_kind(f, NOON_US, "SdlSig", true, TEXT("signal"));
    trace_files_flush(f);
    assert_string_equal(trace_files_state(f).newest, "SDL002_100_000001.txt.gzo");
    trace_files_free(f);
    snprintf(path, sizeof(path), "%s/SDL002_100_000001.txt.gz", folder);
    assert_non_null(zip = gzopen(path, "rb"));
    n = gzread(zip, bytes, sizeof(bytes) - 1);
    gzclose(zip);
    bytes[n > 0 ? n : 0] = 0;
    assert_non_null(strstr(bytes, "AppName: CCM, AppId: 100, AppNodeId: 2, AppVersion: "));
}

static void of_the_newer_form_all_lines_of_a_number_belong_together(void **state)
{
    static const char file[] =
        "00000001.000 |12:00:00.000 |FileHead |UTC:+00:00,Date: 2026/11/21, AppName: CCM\n"
        "00000002.000 |12:00:01.000 |SdlSig   |a|1,100,14,1.1^10.0.0.5^SEP001122334455|x\n"
        "00000002.001 |12:00:01.000 |AppInfo  |StationInit: (0000001) OffHook\n"
        "00000003.000 |12:00:01.000 |SdlSig   |a|1,100,14,1.1^10.0.0.6^SEP001122334466|x\n"
        "00000003.001 |12:00:01.000 |AppInfo  |StationInit: (0000002) OnHook\n";
    struct collection c = {.until_us = UINT64_MAX,
                           .device = device_name_of(TEXT("SEP001122334455"))};
    char to[sizeof(file)];
    size_t n = collect_filter(&c, text_of(file), to);

    to[n] = 0;
    assert_non_null(strstr(to, "(0000001) OffHook"));
    assert_null(strstr(to, "OnHook"));
}

static void a_folder_that_cannot_be_made_is_told_and_nothing_else_happens(void **state)
{
    struct trace_files *f = trace_files_new("/proc/none", "ccm", "CCM", "cm1", TRACE_FORM_CCM);

    trace_files_write(f, NOON_US, TEXT("nowhere"));
    trace_files_flush(f);
    assert_true(trace_files_state(f).err < 0);
    trace_files_free(f);
}

static const char *printed(uint8_t kind, uint64_t link, const void *bytes, size_t len)
{
    static char to[8192];
    struct trace_record *r = calloc(1, sizeof(*r) + len);
    struct trace_context c = {.cluster = "C", .node = "cm1", .number = 7};
    struct writer w = writer_of(to, sizeof(to) - 1);

    r->kind = kind;
    r->len = (uint32_t)len;
    r->about.link = link;
    r->about.peer = (struct endpoint){ip_v4(0x0a000005), 50000};
    c.device = device_name_of(TEXT("SEP001122334455"));
    memcpy(r->bytes, bytes, len);
    trace_print(r, &c, &w);
    *w.at = 0;
    free(r);
    return to;
}

static void sccp_messages_are_a_line_each_in_the_words_of_the_older_traces(void **state)
{
    static const uint8_t two[] = {4, 0, 0, 0, 0, 0, 0, 0, 0,    1, 0, 0, /* KeepAliveAck */
                                  8, 0, 0, 0, 0, 0, 0, 0, 0x9f, 0, 0, 0, 2, 0, 0, 0}; /* Reset */

    assert_string_equal(
        printed(TRACE_SCCP_OUT, 0x55, two, sizeof(two)),
        "StationD - stationOutputKeepAliveAck tcpHandle=0x55|<CLID::C><NID::cm1><IP::10.0.0.5>"
        "<DEV::SEP001122334455>\n"
        "StationD - stationOutputReset tcpHandle=0x55 kind=2 (restart)|<CLID::C><NID::cm1>"
        "<IP::10.0.0.5><DEV::SEP001122334455>");
}

static void sip_messages_follow_a_line_that_tools_look_for(void **state)
{
    static const char m[] = "OPTIONS sip:a SIP/2.0\r\n\r\n";

    assert_string_equal(printed(TRACE_SIP_IN, 0, m, strlen(m)),
                        "//SIP/SIPUdp/wait_SdlDataInd: Incoming SIP UDP message size 25 from "
                        "10.0.0.5:[50000]:\n[7,NET]\nOPTIONS sip:a SIP/2.0\r\n\r\n\n");
    assert_string_equal(printed(TRACE_SIP_IN, 9, m, strlen(m)),
                        "SIPTcp - wait_SdlReadRsp: Incoming SIP TCP message from 10.0.0.5 on port "
                        "50000 index 9 with 25 bytes:\n[7,NET]\nOPTIONS sip:a SIP/2.0\r\n\r\n\n");
}

static size_t filter(struct collection *c, const char *text, char *to)
{
    size_t n = collect_filter(c, text_of(text), to);

    to[n] = 0;
    return n;
}

static void a_collection_takes_the_lines_of_a_phone_and_of_its_address(void **state)
{
    static const char file[] = "11:00:00.000 CCM|FileHead UTC:+00:00, Date: 2026/11/21, x\n"
                               "11:59:59.000 CCM|too early SEP1\n"
                               "12:00:00.000 CCM|a|<IP::10.0.0.5><DEV::SEP1>\n"
                               "12:00:01.000 CCM|from 10.0.0.5:[5060]:\n[1,NET]\nOPTIONS\n\n"
                               "12:00:02.000 CCM|from 10.0.0.51:[5060]:\n[2,NET]\nSECRET\n\n"
                               "12:00:03.000 CCM|b|<DEV::SEP2>\n"
                               "12:00:04.000 CCM|too late SEP1\n";
    char to[sizeof(file)];
    struct collection c = {
        .since_us = NOON_US, .until_us = NOON_US + 3500000, .device = device_name_of(TEXT("SEP1"))};

    filter(&c, file, to);
    assert_string_equal(to, "11:00:00.000 CCM|FileHead UTC:+00:00, Date: 2026/11/21, x\n"
                            "12:00:00.000 CCM|a|<IP::10.0.0.5><DEV::SEP1>\n"
                            "12:00:01.000 CCM|from 10.0.0.5:[5060]:\n[1,NET]\nOPTIONS\n\n");
    c.device = device_name_of(TEXT("SEP3"));
    c.n_hosts = 0;
    assert_int_equal(filter(&c, file, to), 0);
}

static void a_trace_file_cut_anywhere_is_read_to_its_end(void **state)
{
    static const char file[] =
        "11:00:00.000 CCM|FileHead Date: 2026/11/21, x\n12:00:00.000 CCM|a\nb\n";

    for (size_t n = 0; n <= strlen(file); n++) {
        struct collection c = {.until_us = UINT64_MAX};
        char *copy = malloc(n + 1), *to = malloc(n + 1);

        memcpy(copy, file, n);
        assert_true(collect_filter(&c, (struct text){copy, n}, to) <= n);
        free(copy);
        free(to);
    }
}

static void a_line_without_a_name_belongs_to_who_was_last_at_its_address(void **state)
{
    struct trace_names *n = trace_names_new();
    struct endpoint at = {ip_v4(0x0a000005), 50000}, host = {at.ip, 0};

    assert_string_equal(trace_names_find(n, &at).s, "");
    trace_names_learn(n, &host, device_name_of(TEXT("SEP1")));
    assert_string_equal(trace_names_find(n, &at).s, "SEP1");
    trace_names_learn(n, &at, device_name_of(TEXT("SEP2")));
    assert_string_equal(trace_names_find(n, &at).s, "SEP2");
    free(n);
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(lines_begin_with_the_time_behind_a_head_with_the_date),
        IN_FOLDER(files_are_bounded_in_size_and_number_and_go_on_after_a_restart),
        IN_FOLDER(each_day_has_its_own_file),
        IN_FOLDER(the_newer_form_numbers_what_happened_and_is_compressed),
        IN_FOLDER(the_newer_form_has_the_number_of_its_node),
        IN_FOLDER(of_the_newer_form_all_lines_of_a_number_belong_together),
        cmocka_unit_test(a_folder_that_cannot_be_made_is_told_and_nothing_else_happens),
        cmocka_unit_test(sccp_messages_are_a_line_each_in_the_words_of_the_older_traces),
        cmocka_unit_test(sip_messages_follow_a_line_that_tools_look_for),
        cmocka_unit_test(a_collection_takes_the_lines_of_a_phone_and_of_its_address),
        cmocka_unit_test(a_trace_file_cut_anywhere_is_read_to_its_end),
        cmocka_unit_test(a_line_without_a_name_belongs_to_who_was_last_at_its_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
