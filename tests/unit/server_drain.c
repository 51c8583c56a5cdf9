/* server_drain.c - a node is left in order, at a pace, and nobody is thrown out of a call. */
#include "test.h"

#include "server/signalling/drain.h"
#include "station/station.h"

#define PHONES 100

static struct office {
    struct station phones[PHONES];
    bool here[PHONES], homeless[PHONES], busy[PHONES];
    unsigned gone[PHONES], n_gone;
} o;

static const struct station *next(void *context, struct phone_cursor *cursor)
{
    while (cursor->at < PHONES)
        if (o.here[cursor->at++])
            return &o.phones[cursor->at - 1];
    return NULL;
}

static bool has_other_home(void *context, const struct station *x)
{
    return !o.homeless[x - o.phones];
}

static bool is_busy(void *context, const struct station *x)
{
    return o.busy[x - o.phones];
}

static void send_away(void *context, const struct station *x)
{
    o.here[x - o.phones] = false;
    o.gone[o.n_gone++] = (unsigned)(x - o.phones);
}

static const struct drain_calls calls = {next, has_other_home, is_busy, send_away};

static int set_up(void **state)
{
    memset(&o, 0, sizeof(o));
    memset(o.here, true, sizeof(o.here));
    return 0;
}

static void run(struct drain *d, uint64_t from_ms, uint64_t to_ms, uint32_t rate)
{
    for (uint64_t ms = from_ms; ms <= to_ms; ms += 250)
        drain_tick(d, &calls, NULL, rate, ms);
}

static void phones_leave_in_order_and_at_the_rate_that_is_set(void **state)
{
    struct drain d;

    drain_begin(&d, 100000);
    run(&d, 100000, 102000, 10);
    assert_int_equal(o.n_gone, 20);
    run(&d, 102250, 110000, 10);
    assert_int_equal(o.n_gone, PHONES);
    for (unsigned i = 0; i < PHONES; i++)
        assert_int_equal(o.gone[i], i);
}

static void who_is_busy_is_left_alone_until_he_is_not(void **state)
{
    struct drain d;

    o.busy[7] = o.busy[50] = true;
    drain_begin(&d, 100000);
    run(&d, 100000, 130000, 50);
    assert_int_equal(o.n_gone, PHONES - 2);
    assert_true(o.here[7] && o.here[50]);
    assert_int_equal(d.were_busy, 2);
    o.busy[7] = false; /* it has hung up */
    run(&d, 130250, 131000, 50);
    assert_false(o.here[7]);
    assert_true(o.here[50]);
    assert_int_equal(d.were_busy, 1);
}

static void who_has_no_other_node_stays(void **state)
{
    struct drain d;

    o.homeless[3] = true;
    drain_begin(&d, 100000);
    run(&d, 100000, 110000, 50);
    assert_int_equal(o.n_gone, PHONES - 1);
    assert_int_equal(d.stayed, 1);
}

static void who_came_back_a_moment_ago_is_not_sent_away_again_at_once(void **state)
{
    struct drain d;

    memset(o.here, false, sizeof(o.here));
    o.here[0] = true;
    o.phones[0].since_ms = 100000;
    drain_begin(&d, 100000);
    run(&d, 100000, 104750, 50);
    assert_int_equal(o.n_gone, 0);
    run(&d, 105000, 105500, 50);
    assert_int_equal(o.n_gone, 1);
}

static void a_pause_allows_no_more_than_a_second(void **state)
{
    struct drain d;

    drain_begin(&d, 100000);
    drain_tick(&d, &calls, NULL, 10, 200000);
    assert_int_equal(o.n_gone, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(phones_leave_in_order_and_at_the_rate_that_is_set, set_up),
        cmocka_unit_test_setup(who_is_busy_is_left_alone_until_he_is_not, set_up),
        cmocka_unit_test_setup(who_has_no_other_node_stays, set_up),
        cmocka_unit_test_setup(who_came_back_a_moment_ago_is_not_sent_away_again_at_once, set_up),
        cmocka_unit_test_setup(a_pause_allows_no_more_than_a_second, set_up),
    };

    return cmocka_run_group_tests_name("server_drain", tests, NULL, NULL);
}
