/* station_keepalive.c - keepalives that are lost, late or jitter are found, and told rarely. */
#include "test.h"

#include "station/keepalive.h"

static struct keepalive_finding found;

static bool heard(struct keepalive_watch *w, uint64_t ms)
{
    return keepalive_heard(w, ms, 0, 30000, &found);
}

static void regular_keepalives_are_no_news(void **state)
{
    struct keepalive_watch w = {.last_ms = 1000};

    for (uint64_t i = 1; i < 3000; i++)
        assert_false(heard(&w, 1000 + i * 30000 + i % 7 * 20));
    assert_in_range(w.jitter_ms, 0, 100);
}

static void one_that_was_lost_is_told_with_its_number(void **state)
{
    struct keepalive_watch w = {.last_ms = 1000};

    assert_false(heard(&w, 31000));
    assert_true(heard(&w, 91000));
    assert_int_equal(found.missed, 1);
    assert_int_equal(found.took_ms, 60000);
    assert_false(heard(&w, 151000)); /* told already */
    for (uint64_t ms = 181000; ms < 691000; ms += 30000)
        assert_false(heard(&w, ms));
    assert_true(heard(&w, 751000 + 60000));
}

static void jitter_is_found_before_anything_is_lost(void **state)
{
    struct keepalive_watch w = {.last_ms = 1000};
    bool told = false;
    uint64_t ms = 1000;

    for (int i = 0; i < 10 && !told; i++)
        told = heard(&w, ms += i % 2 ? 36000 : 24000);
    assert_true(told);
    assert_int_equal(found.missed, 0);
    assert_non_null(strstr(found.advice, "delayed failover"));
}

static void a_phone_that_is_early_is_not_late(void **state)
{
    struct keepalive_watch w = {.last_ms = 1000};

    for (uint64_t i = 1; i < 100; i++)
        assert_false(heard(&w, 1000 + i * 22500)); /* wireless phones */
    assert_int_equal(w.jitter_ms, 0);
}

static void a_node_that_was_suspended_calls_nobody_late(void **state)
{
    struct keepalive_watch w = {.last_ms = 1000};

    assert_false(keepalive_heard(&w, 601000, 600500, 30000, &found)); /* it waited in the socket */
    assert_false(keepalive_heard(&w, 631000, 600500, 30000, &found));
    assert_true(keepalive_heard(&w, 751000, 600500, 30000, &found));
    assert_int_equal(found.missed, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(regular_keepalives_are_no_news),
        cmocka_unit_test(one_that_was_lost_is_told_with_its_number),
        cmocka_unit_test(jitter_is_found_before_anything_is_lost),
        cmocka_unit_test(a_phone_that_is_early_is_not_late),
        cmocka_unit_test(a_node_that_was_suspended_calls_nobody_late),
    };

    return cmocka_run_group_tests_name("station_keepalive", tests, NULL, NULL);
}
