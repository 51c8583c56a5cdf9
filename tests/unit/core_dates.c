/* core_dates.c - date templates and time zones as phones take them. */
#include "core/dates.h"

#include "test.h"

static void the_template_follows_the_group(void **state)
{
    char to[DATE_TEMPLATE_MAX];

    assert_string_equal(date_template(NULL, to), "M/D/Y");
    assert_string_equal(date_template(&(struct datetime){.format = 0, .separator = 0, .clock_24h = true}, to), "M/D/Y");
    assert_string_equal(date_template(&(struct datetime){.format = 1, .separator = 2, .clock_24h = false}, to), "D.M.YA");
    assert_string_equal(date_template(&(struct datetime){.format = 2, .separator = 1, .clock_24h = true}, to), "Y-M-D");
    assert_string_equal(date_template(&(struct datetime){.format = 99, .separator = 99, .clock_24h = true}, to), "M/D/Y");
}

static void zones_have_the_names_that_phones_know(void **state)
{
    assert_string_equal(time_zone_of_phones(TEXT("Europe/Berlin")), "W. Europe Standard/Daylight Time");
    assert_string_equal(time_zone_of_phones(TEXT("america/new_york")), "Eastern Standard/Daylight Time");
    assert_string_equal(time_zone_of_phones(TEXT("Asia/Tokyo")), "Tokyo Standard Time");
    assert_string_equal(time_zone_of_phones(TEXT("UTC")), "Greenwich Standard Time");
    assert_string_equal(time_zone_of_phones(TEXT("Romance Standard/Daylight Time")), "Romance Standard/Daylight Time");
    assert_string_equal(time_zone_of_phones(TEXT("Nowhere/At_All")), "GMT Standard/Daylight Time");
    assert_string_equal(time_zone_of_phones(TEXT("")), "GMT Standard/Daylight Time");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_template_follows_the_group),
        cmocka_unit_test(zones_have_the_names_that_phones_know),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
