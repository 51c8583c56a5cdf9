/* station_pace.c - how fast phones may come back. */
#include "test.h"

#include "station/pace.h"

static void the_rate_follows_what_a_registration_costs(void **state)
{
    struct pace p;

    pace_init(&p);
    assert_int_equal(pace_rate(&p), 2500);
    for (int i = 0; i < 40; i++)
        pace_measure(&p, 100 * 1000, 100, 0); /* a millisecond each: half the time is 500 a second */
    assert_in_range(pace_rate(&p), 490, 510);
    for (int i = 0; i < 40; i++)
        pace_measure(&p, 250 * 1000, 2500, 0);
    assert_in_range(pace_rate(&p), 4800, 5100);
}

static void a_loop_that_is_late_takes_fewer_until_it_is_not(void **state)
{
    struct pace p;

    pace_init(&p);
    pace_measure(&p, 0, 0, 100);
    assert_int_equal(pace_rate(&p), 1250);
    for (int i = 0; i < 20; i++)
        pace_measure(&p, 0, 0, 100);
    assert_int_equal(pace_rate(&p), 156);
    for (int i = 0; i < 30; i++)
        pace_measure(&p, 0, 0, 0);
    assert_int_equal(pace_rate(&p), 2500);
}

static void who_is_sent_away_gets_a_place_in_the_queue(void **state)
{
    struct pace p;
    uint32_t last = 0, n[60] = {0};

    pace_init(&p);
    for (int i = 0; i < 100000; i++) {
        uint32_t wait = pace_wait_s(&p, 1000000, 10);

        assert_true(wait >= 10 && wait >= last && wait < 60);
        n[wait]++;
        last = wait;
    }
    assert_int_equal(last, 50); /* 100 000 at 2500 a second, after the first ten */
    for (int s = 11; s < 50; s++)
        assert_in_range(n[s], 2499, 2501);
}

static void the_queue_is_empty_again_later(void **state)
{
    struct pace p;

    pace_init(&p);
    for (int i = 0; i < 100000; i++)
        pace_wait_s(&p, 1000000, 10);
    assert_int_equal(pace_wait_s(&p, 1100000, 10), 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rate_follows_what_a_registration_costs),
        cmocka_unit_test(a_loop_that_is_late_takes_fewer_until_it_is_not),
        cmocka_unit_test(who_is_sent_away_gets_a_place_in_the_queue),
        cmocka_unit_test(the_queue_is_empty_again_later),
    };

    return cmocka_run_group_tests_name("station_pace", tests, NULL, NULL);
}
