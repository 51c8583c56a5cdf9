#include "test.h"

#include "provision/downloads.h"

#define LOAD "SCCP45.9-4-2SR3-1S"

static struct ip phone(uint32_t n)
{
    return ip_v4(0x0a000000 + n);
}

static void no_more_phones_of_a_site_than_the_limit_fetch_a_load(void **state)
{
    struct downloads *d = downloads_new();

    assert_true(downloads_begin(d, LOAD, "Berlin", phone(1), 2, 0));
    assert_true(downloads_begin(d, LOAD, "Berlin", phone(2), 2, 0));
    assert_false(downloads_begin(d, LOAD, "Berlin", phone(3), 2, 0));
    assert_true(downloads_begin(d, LOAD, "Paris", phone(4), 2, 0));
    assert_true(downloads_begin(d, "another", "Berlin", phone(5), 2, 0));
    assert_true(downloads_begin(d, LOAD, "Berlin", phone(1), 2, 0)); /* its next part */
    downloads_free(d);
}

static void a_place_is_kept_between_parts_and_free_a_while_after_the_last(void **state)
{
    struct downloads *d = downloads_new();

    assert_true(downloads_begin(d, LOAD, "", phone(1), 1, 0));
    assert_false(downloads_begin(d, LOAD, "", phone(2), 1, 10 * DOWNLOADS_PATIENCE_MS));
    downloads_ended(d, phone(1), 1000000);
    assert_false(downloads_begin(d, LOAD, "", phone(2), 1, 1000000 + DOWNLOADS_PATIENCE_MS - 1));
    assert_true(downloads_begin(d, LOAD, "", phone(1), 1, 1000000 + DOWNLOADS_PATIENCE_MS - 1));
    downloads_ended(d, phone(1), 2000000);
    assert_true(downloads_begin(d, LOAD, "", phone(2), 1, 2000000 + DOWNLOADS_PATIENCE_MS));
    assert_false(downloads_begin(d, LOAD, "", phone(1), 1, 2000000 + DOWNLOADS_PATIENCE_MS));
    downloads_free(d);
}

static void who_ends_what_never_began_changes_nothing(void **state)
{
    struct downloads *d = downloads_new();

    downloads_ended(d, phone(1), 0);
    assert_true(downloads_begin(d, LOAD, "", phone(1), 1, 0));
    downloads_ended(d, phone(1), 0);
    downloads_ended(d, phone(1), 0);
    assert_true(downloads_begin(d, "another", "", phone(1), 1, 1));
    assert_true(downloads_begin(d, LOAD, "", phone(2), 1, 1));
    downloads_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_more_phones_of_a_site_than_the_limit_fetch_a_load),
        cmocka_unit_test(a_place_is_kept_between_parts_and_free_a_while_after_the_last),
        cmocka_unit_test(who_ends_what_never_began_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
