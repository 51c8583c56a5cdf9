/* provision_file_guard.c - who may have which file, and who is slowed down. */
#include "provision/file_guard.h"

#include "test.h"

static struct file_guard *guard;
static uint64_t now_ms;
static unsigned next_name;
static const struct ip here = {4, {10, 0, 0, 1}}, there = {4, {10, 0, 0, 2}};
static const struct device_name phone = {"SEP001122334455"};

static int set_up(void **state)
{
    now_ms = 1000;
    next_name = 0;
    guard = file_guard_new();
    return guard ? 0 : -1;
}

static int tear_down(void **state)
{
    file_guard_free(guard);
    return 0;
}

static void policy(enum file_policy p, uint32_t limit)
{
    file_guard_set(guard, &(struct file_guard_settings){p, limit, 1000});
}

static struct device_name nth(unsigned n)
{
    struct device_name d;

    snprintf(d.s, sizeof(d.s), "SEP%012X", n);
    return d;
}

static struct file_judgement ask(struct ip client, struct device_name device, bool exists)
{
    return file_guard_judge(guard, now_ms, client, device, exists);
}

static void a_device_gets_its_own_file_under_every_policy(void **state)
{
    file_guard_bind(guard, phone, here, BOUND_BY_LEASE, false);
    for (int p = FILE_POLICY_OPEN; p <= FILE_POLICY_STRICT; p++) {
        struct file_judgement j;

        policy(p, 1);
        j = ask(here, phone, true);
        assert_false(j.refuse || j.warn || j.busy || j.delay_ms);
    }
}

static void strict_refuses_what_is_tied_elsewhere_or_nowhere(void **state)
{
    policy(FILE_POLICY_STRICT, 0);
    assert_true(ask(there, phone, true).refuse);
    file_guard_bind(guard, phone, here, BOUND_BY_LEASE, false);
    assert_true(ask(there, phone, true).refuse);
    assert_true(ask(there, nth(1), false).refuse); /* the same as for one that does not exist */
    file_guard_bind(guard, phone, there, BOUND_BY_REGISTRATION, false);
    assert_false(ask(there, phone, true).refuse); /* a registration counts as a lease does */
}

static void warn_serves_and_tells_once_a_minute(void **state)
{
    policy(FILE_POLICY_WARN, 0);
    file_guard_bind(guard, phone, here, BOUND_BY_LEASE, false);
    assert_true(ask(there, phone, true).warn);
    assert_false(ask(there, phone, true).warn);
    assert_false(ask(there, phone, true).refuse);
    now_ms += 60000;
    assert_true(ask(there, phone, true).warn);
}

static void open_neither_refuses_nor_warns(void **state)
{
    policy(FILE_POLICY_OPEN, 0);
    file_guard_bind(guard, phone, here, BOUND_BY_LEASE, false);
    assert_false(ask(there, phone, true).warn);
    assert_false(ask(there, phone, true).refuse);
}

/* Asks until so many names are counted: one in 1024 is taken for another, and the hash has a seed. */
static struct file_judgement guess(struct ip client, unsigned n)
{
    struct file_judgement j;

    do
        j = ask(client, nth(next_name++), false);
    while (j.names < n);
    return j;
}

static void who_guesses_names_is_answered_one_at_a_time(void **state)
{
    struct file_judgement j;

    policy(FILE_POLICY_WARN, 5);
    for (unsigned n = 1; n <= 5; n++)
        assert_int_equal(guess(there, n).delay_ms, 0);
    j = guess(there, 6);
    assert_true(j.too_many);
    assert_int_equal(j.delay_ms, 1000);
    j = ask(there, nth(next_name++), false);
    assert_false(j.too_many); /* one alarm */
    assert_int_equal(j.delay_ms, 2000);
    for (unsigned i = 0; i < 6; i++)
        j = ask(there, nth(next_name++), false);
    assert_int_equal(j.delay_ms, 8000);
    assert_true(ask(there, nth(next_name), false).busy);
    assert_int_equal(ask(here, nth(next_name), false).delay_ms, 0); /* others are not */
}

static void a_device_of_another_takes_as_long_as_one_that_does_not_exist(void **state)
{
    policy(FILE_POLICY_WARN, 2);
    for (unsigned i = 0; i < 5; i++)
        file_guard_bind(guard, nth(i), here, BOUND_BY_LEASE, false);
    next_name = 100;
    assert_int_equal(guess(there, 3).delay_ms, 1000);
    assert_int_equal(ask(there, nth(3), true).delay_ms, 2000);
    assert_int_equal(ask(there, nth(next_name), false).delay_ms, 3000);
}

static void asking_again_for_the_same_name_is_no_guess(void **state)
{
    policy(FILE_POLICY_WARN, 5);
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(ask(there, phone, false).delay_ms, 0);
}

static void known_devices_that_are_tied_to_nobody_are_no_guess(void **state)
{
    policy(FILE_POLICY_WARN, 5);
    for (unsigned i = 0; i < 1000; i++)
        assert_int_equal(ask(there, nth(i), true).delay_ms, 0);
}

static void a_slowed_client_is_forgiven_after_quiet_minutes(void **state)
{
    policy(FILE_POLICY_WARN, 2);
    for (unsigned i = 0; i < 4; i++)
        ask(there, nth(i), false);
    assert_true(ask(there, nth(4), false).delay_ms > 0);
    now_ms += 61000;
    assert_true(ask(there, nth(5), false).delay_ms > 0); /* the minute before was too much */
    now_ms += 61000;
    assert_int_equal(ask(there, nth(6), false).delay_ms, 0);
}

static void an_address_belongs_to_one_device_or_to_nobody_in_particular(void **state)
{
    assert_string_equal(file_guard_owner(guard, here).s, "");
    file_guard_bind(guard, phone, here, BOUND_BY_LEASE, false);
    file_guard_bind(guard, phone, here, BOUND_BY_REGISTRATION, false);
    assert_string_equal(file_guard_owner(guard, here).s, phone.s);
    file_guard_bind(guard, nth(1), here, BOUND_BY_REGISTRATION, false); /* two phones behind one address */
    assert_string_equal(file_guard_owner(guard, here).s, "");
}

static void a_tie_that_ends_is_forgotten(void **state)
{
    file_guard_bind(guard, phone, here, BOUND_BY_LEASE, false);
    file_guard_bind(guard, phone, there, BOUND_BY_LEASE, false); /* moved */
    assert_string_equal(file_guard_owner(guard, here).s, "");
    file_guard_bind(guard, phone, here, BOUND_BY_LEASE, true); /* the old one's end changes nothing */
    assert_string_equal(file_guard_owner(guard, there).s, phone.s);
    file_guard_bind(guard, phone, there, BOUND_BY_LEASE, true);
    assert_int_equal(file_guard_count(guard), 0);
    file_guard_bind(guard, phone, there, BOUND_BY_LEASE, true); /* twice is once */
}

static void memory_for_guessers_is_bounded(void **state)
{
    struct ip client = {4, {0}};

    policy(FILE_POLICY_WARN, 1);
    for (unsigned i = 0; i < 20000; i++) {
        client.bytes[1] = (uint8_t)(i >> 8);
        client.bytes[2] = (uint8_t)i;
        client.bytes[3] = 1;
        assert_int_equal(ask(client, nth(i), false).delay_ms, 0);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_device_gets_its_own_file_under_every_policy),
        TEST(strict_refuses_what_is_tied_elsewhere_or_nowhere),
        TEST(warn_serves_and_tells_once_a_minute),
        TEST(open_neither_refuses_nor_warns),
        TEST(who_guesses_names_is_answered_one_at_a_time),
        TEST(a_device_of_another_takes_as_long_as_one_that_does_not_exist),
        TEST(asking_again_for_the_same_name_is_no_guess),
        TEST(known_devices_that_are_tied_to_nobody_are_no_guess),
        TEST(a_slowed_client_is_forgiven_after_quiet_minutes),
        TEST(an_address_belongs_to_one_device_or_to_nobody_in_particular),
        TEST(a_tie_that_ends_is_forgotten),
        TEST(memory_for_guessers_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
