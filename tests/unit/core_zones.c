#include "test.h"

#include <time.h>

#include "core/zones.h"

static void rules_say_when_summer_is(void **state)
{
    static const struct {
        const char *rule;
        int64_t utc;
        int32_t offset;
    } cases[] = {
        {"CET-1CEST,M3.5.0,M10.5.0/3", 1743296399, 3600}, /* 30 March 2025 00:59:59 UTC */
        {"CET-1CEST,M3.5.0,M10.5.0/3", 1743296400, 7200},
        {"CET-1CEST,M3.5.0,M10.5.0/3", 1761440399, 7200}, /* 26 October 2025 00:59:59 UTC */
        {"CET-1CEST,M3.5.0,M10.5.0/3", 1761440400, 3600},
        {"EST5EDT,M3.2.0,M11.1.0", 1741503600, -14400}, /* 9 March 2025 07:00 UTC */
        {"EST5EDT,M3.2.0,M11.1.0", 1741503599, -18000},
        {"AEST-10AEDT,M10.1.0,M4.1.0/3", 1735689600, 39600}, /* 1 January: summer in Sydney */
        {"AEST-10AEDT,M10.1.0,M4.1.0/3", 1751328000, 36000},
        {"<+0545>-5:45", 1751328000, 20700},
        {"UTC0", 0, 0},
        {"IST-2IDT,J100/2,300/2:30", 1751328000, 10800},
    };
    int32_t offset;

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        assert_true(zone_offset_of_rule(cases[i].rule, cases[i].utc, &offset));
        assert_int_equal(offset, cases[i].offset);
    }
}

static void malformed_rules_are_refused(void **state)
{
    static const char *const rules[] = {"",
                                        "X",
                                        "CET",
                                        "CET-",
                                        "CET-1CEST",
                                        "CET-1CEST,M3.5.0",
                                        "CET-1CEST,M13.5.0,M10.5.0",
                                        "CET-1CEST,M3.5.0,M10.5.0/",
                                        "<CET-1"};
    int32_t offset;

    for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++)
        assert_false(zone_offset_of_rule(rules[i], 0, &offset));
}

/* A file of version 2 with one type and a rule, as `zic -b slim` makes them. */
static size_t slim_file(uint8_t *to, const char *footer)
{
    static const uint8_t header[44] = {'T', 'Z', 'i', 'f', '2', [35] = 0, [39] = 1, [43] = 4};
    uint8_t *at = to;

    for (int i = 0; i < 2; i++) {
        memcpy(at, header, 44);
        memcpy(at + 44, "\0\0\x0e\x10\0\0CET", 10);
        at += 54;
    }
    return (size_t)(at - to) + (size_t)sprintf((char *)at, "\n%s\n", footer);
}

static void a_file_without_transitions_follows_its_footer(void **state)
{
    uint8_t file[300];
    size_t len = slim_file(file, "CET-1CEST,M3.5.0,M10.5.0/3");
    int32_t offset;

    assert_true(zone_offset(file, len, 1743296400, &offset));
    assert_int_equal(offset, 7200);
    assert_true(zone_offset(file, len, 1736900000, &offset));
    assert_int_equal(offset, 3600);
}

static void truncated_files_are_refused_or_lose_their_footer(void **state)
{
    uint8_t file[300], *copy;
    size_t len = slim_file(file, "CET-1CEST,M3.5.0,M10.5.0/3");
    int32_t offset;

    for (size_t n = 0; n < len; n++) {
        copy = malloc(n ? n : 1);
        memcpy(copy, file, n);
        if (zone_offset(copy, n, 1743296400, &offset))
            assert_int_equal(offset, 3600);
        free(copy);
    }
}

/* What the C library makes of a zone of this machine must be what we make of it. */
static void a_zone_of_this_machine_agrees_with_the_c_library(void **state)
{
    static uint8_t file[100000];
    FILE *f = fopen("/usr/share/zoneinfo/Europe/Berlin", "rb");
    size_t len;
    int32_t offset;

    if (!f)
        skip();
    len = fread(file, 1, sizeof(file), f);
    fclose(f);
    setenv("TZ", "Europe/Berlin", 1);
    tzset();
    for (time_t t = 0; t < 3000000000; t += 1234567) {
        struct tm tm;

        localtime_r(&t, &tm);
        assert_true(zone_offset(file, len, t, &offset));
        assert_int_equal(offset, tm.tm_gmtoff);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_say_when_summer_is),
        cmocka_unit_test(malformed_rules_are_refused),
        cmocka_unit_test(a_file_without_transitions_follows_its_footer),
        cmocka_unit_test(truncated_files_are_refused_or_lose_their_footer),
        cmocka_unit_test(a_zone_of_this_machine_agrees_with_the_c_library),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
