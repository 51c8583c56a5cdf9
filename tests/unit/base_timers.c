#include "test.h"

#include "base/timers.h"

#define N 2000

static void timers_fire_at_their_millisecond_and_in_order(void **state)
{
    static struct timer timers[N];
    struct timers t;
    uint64_t now = 1234567, last = 0;
    size_t fired = 0;

    srand(1);
    timers_init(&t, now);
    for (int i = 0; i < N; i++)
        timer_set(&t, &timers[i],
                  now + (uint64_t)(rand() % 4 ? rand() % 100000 : rand() % 4000000));
    while (fired < N) {
        uint64_t wait = timers_next(&t, now);
        struct timer *due;

        assert_true(wait != UINT64_MAX);
        now += wait;
        while ((due = timers_expire(&t, now))) {
            assert_int_equal(due->due_ms, now); /* not a millisecond late, and never early */
            assert_true(due->due_ms >= last);
            last = due->due_ms;
            fired++;
        }
    }
    assert_true(timers_next(&t, now) == UINT64_MAX);
}

static void a_late_call_gives_all_that_is_due_in_order(void **state)
{
    static struct timer timers[N];
    struct timers t;
    uint64_t last = 0;
    struct timer *due;
    size_t fired = 0;

    srand(2);
    timers_init(&t, 0);
    for (int i = 0; i < N; i++)
        timer_set(&t, &timers[i], (uint64_t)rand() % 1000000);
    for (; (due = timers_expire(&t, 1000000)); fired++) {
        assert_true(due->due_ms >= last);
        last = due->due_ms;
    }
    assert_int_equal(fired, N);
}

static void moving_and_stopping_leave_no_trace(void **state)
{
    struct timer a = {0}, b = {0};
    struct timers t;

    timers_init(&t, 1000);
    timer_set(&t, &a, 1500);
    timer_set(&t, &b, 1600);
    timer_set(&t, &a, 90000); /* moved */
    timer_stop(&t, &b);
    timer_stop(&t, &b);
    assert_null(timers_expire(&t, 89999));
    assert_ptr_equal(timers_expire(&t, 90000), &a);
    assert_false(timer_is_set(&a));
    assert_null(timers_expire(&t, 1000000));
}

static void a_timer_of_years_waits_them_out(void **state)
{
    uint64_t year = 365ull * 86400 * 1000, now = 5;
    struct timer a = {0};
    struct timers t;

    timers_init(&t, now);
    timer_set(&t, &a, 3 * year);
    while (now < 3 * year) {
        assert_null(timers_expire(&t, now));
        now += timers_next(&t, now);
    }
    assert_int_equal(now, 3 * year);
    assert_ptr_equal(timers_expire(&t, now), &a);
}

static void a_time_that_has_passed_is_due_at_once(void **state)
{
    struct timer a = {0};
    struct timers t;

    timers_init(&t, 5000);
    timer_set(&t, &a, 10);
    assert_int_equal(timers_next(&t, 5000), 0);
    assert_ptr_equal(timers_expire(&t, 5000), &a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_fire_at_their_millisecond_and_in_order),
        cmocka_unit_test(a_late_call_gives_all_that_is_due_in_order),
        cmocka_unit_test(moving_and_stopping_leave_no_trace),
        cmocka_unit_test(a_timer_of_years_waits_them_out),
        cmocka_unit_test(a_time_that_has_passed_is_due_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
