/* station_sip_guard.c - how much strangers get, when there are many of them and when clocks are
 * odd. */
#include "station/sip/guard.h"

#include "test.h"

#define START_MS 1000000
#define MANY     200000 /* far more addresses than the guard has places */

static const struct ip here = {.family = 4, .bytes = {192, 0, 2, 1}};

static int setup(void **state)
{
    *state = sip_guard_new();
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    sip_guard_free(*state);
    return 0;
}

static unsigned answers(struct sip_guard *g, struct ip ip, unsigned asked, uint64_t now_ms)
{
    unsigned n = 0;

    while (asked--)
        n += sip_guard_allows(g, ip, 10, now_ms);
    return n;
}

static unsigned alarms(struct sip_guard *g, const char *user, unsigned times, uint64_t now_ms)
{
    unsigned n = 0;
    uint32_t count;

    while (times--)
        n += sip_guard_failed(g, here, text_of(user), now_ms, &count);
    return n;
}

static void a_burst_of_two_seconds_and_then_the_rate(void **state)
{
    assert_int_equal(answers(*state, here, 100, START_MS), 20);
    assert_int_equal(answers(*state, here, 100, START_MS + 99), 0);
    assert_int_equal(answers(*state, here, 100, START_MS + 100), 1);
    assert_int_equal(answers(*state, here, 100, START_MS + 1100), 10);
    assert_int_equal(answers(*state, here, 100, START_MS + 1000000), 20);
}

static void slow_questions_do_not_lose_what_they_are_due(void **state)
{
    unsigned n = answers(*state, here, 20, START_MS);

    for (uint64_t ms = 1; ms <= 10000; ms += 30) /* each refills a third of an answer */
        n += answers(*state, here, 1, START_MS + ms);
    assert_in_range(n, 119, 121);
}

static void a_clock_that_goes_back_gives_nothing_away(void **state)
{
    uint32_t times;

    assert_int_equal(answers(*state, here, 100, START_MS), 20);
    assert_int_equal(answers(*state, here, 100, START_MS - 5000), 0);
    assert_int_equal(answers(*state, here, 100, START_MS + 1000), 10);
    assert_int_equal(alarms(*state, "alice", 30, START_MS), 1);
    assert_true(sip_guard_is_out(*state, here, TEXT("alice"), START_MS - 90000));
    assert_false(sip_guard_failed(*state, here, TEXT("alice"), START_MS - 90000, &times));
    assert_false(sip_guard_is_out(*state, here, TEXT("alice"), START_MS + 60000));
}

static void a_rate_of_nothing_is_no_answer(void **state)
{
    assert_false(sip_guard_allows(*state, here, 0, START_MS));
}

/* Sources can be forged: a flood from everywhere takes places, but gives no address more. */
static void a_flood_from_everywhere_gets_no_more_than_two_seconds_each(void **state)
{
    unsigned n = 0;

    for (uint32_t i = 0; i < MANY; i++)
        n += answers(*state, ip_v4(0x0a000000 + i), 1, START_MS);
    assert_int_equal(n, MANY);
}

static void a_guesser_is_not_forgotten_in_a_flood(void **state)
{
    assert_int_equal(alarms(*state, "alice", 30, START_MS), 1);
    for (uint32_t i = 0; i < MANY; i++)
        sip_guard_allows(*state, ip_v4(0x0a000000 + i), 10, START_MS + 1 + i / 100);
    assert_true(sip_guard_is_out(*state, here, TEXT("alice"), START_MS + 5000));
    assert_false(sip_guard_is_out(*state, here, TEXT("bob"), START_MS + 5000));
}

/* Names are free: who guesses for one user cannot wash his count away with thousands of others. */
static void a_guesser_of_many_names_is_out_for_all(void **state)
{
    char user[20];
    uint32_t times;

    for (unsigned i = 0; i < 300; i++) {
        snprintf(user, sizeof(user), "user%u", i);
        sip_guard_failed(*state, here, text_of(user), START_MS, &times);
    }
    assert_true(sip_guard_is_out(*state, here, TEXT("alice"), START_MS + 1));
    for (unsigned i = 0; i < 20000; i++) {
        snprintf(user, sizeof(user), "other%u", i);
        sip_guard_failed(*state, here, text_of(user), START_MS + 1, &times);
    }
    assert_true(sip_guard_is_out(*state, here, TEXT("alice"), START_MS + 2));
}

static void a_network_of_ipv6_is_one_source(void **state)
{
    struct ip a = {.family = 6, .bytes = {0x20, 1, 0xd, 0xb8}}, b = a, c = a;

    b.bytes[15] = 1;
    c.bytes[7] = 1; /* another /64 */
    assert_int_equal(answers(*state, a, 100, START_MS), 20);
    assert_int_equal(answers(*state, b, 100, START_MS), 0);
    assert_int_equal(answers(*state, c, 100, START_MS), 20);
}

static void a_throttled_source_is_named_once_a_minute_and_forged_ones_a_few_times(void **state)
{
    unsigned n = 0;
    uint32_t times = 0;

    assert_true(sip_guard_throttled(*state, here, START_MS, &times));
    assert_int_equal(times, 1);
    for (int i = 0; i < 500; i++)
        assert_false(sip_guard_throttled(*state, here, START_MS + 59999, &times));
    assert_true(sip_guard_throttled(*state, here, START_MS + 60000, &times));
    assert_int_equal(times, 501);
    for (uint32_t i = 0; i < 1000; i++)
        n += sip_guard_throttled(*state, ip_v4(0x0a000000 + i), START_MS + 60000, &times);
    assert_int_equal(n, 19);
}

static void nobody_gets_much_more_than_he_sends(void **state)
{
    size_t got = 0, sent = 0;

    for (unsigned i = 0; i < 10000; i++) { /* in ten seconds */
        sent += 100;
        got += sip_guard_pays(*state, here, 100, 450, START_MS + i) ? 450 : 0;
    }
    assert_in_range(got, sent, sent + 4096 + 10 * SIP_GUARD_GIFT);
    assert_false(sip_guard_pays(*state, here, 100, 450, START_MS + 10000));
    assert_true(sip_guard_pays(*state, here, 450, 450, START_MS + 10000)); /* who sends as much is answered */
    assert_true(sip_guard_pays(*state, here, 100, 450, START_MS + 20000));
}

static void the_first_answer_is_owed_like_the_others(void **state)
{
    size_t got = 0, sent = 0;

    for (unsigned i = 0; i < 1000; i++) {
        sent += 124;
        got += sip_guard_pays(*state, here, 124, 344, START_MS) ? 344 : 0;
    }
    assert_in_range(got, sent, sent + 4096);
}

static void who_asks_now_and_then_may_ask_shortly(void **state)
{
    for (unsigned i = 0; i < 1000; i++)
        assert_true(sip_guard_pays(*state, here, 100, 450, START_MS + i * 3000));
}

static void the_alarm_of_a_minute_counts_what_was_not_told(void **state)
{
    uint32_t times = 0;

    assert_int_equal(alarms(*state, "alice", 12, START_MS), 1);
    assert_true(sip_guard_failed(*state, here, TEXT("bob"), START_MS + 60000, &times));
    assert_int_equal(times, 12);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(a_burst_of_two_seconds_and_then_the_rate),
        TEST(slow_questions_do_not_lose_what_they_are_due),
        TEST(a_clock_that_goes_back_gives_nothing_away),
        TEST(a_rate_of_nothing_is_no_answer),
        TEST(a_flood_from_everywhere_gets_no_more_than_two_seconds_each),
        TEST(a_guesser_is_not_forgotten_in_a_flood),
        TEST(a_guesser_of_many_names_is_out_for_all),
        TEST(a_network_of_ipv6_is_one_source),
        TEST(a_throttled_source_is_named_once_a_minute_and_forged_ones_a_few_times),
        TEST(nobody_gets_much_more_than_he_sends),
        TEST(the_first_answer_is_owed_like_the_others),
        TEST(who_asks_now_and_then_may_ask_shortly),
        TEST(the_alarm_of_a_minute_counts_what_was_not_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
