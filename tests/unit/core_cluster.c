/* core_cluster.c - the nodes of a cluster, and where devices are registered. */
#include "test.h"

#include "core/cluster/homes.h"
#include "core/cluster/members.h"
#include "directory_lines.h"

#define NODES "cm1=10.0.0.1, cm2=10.0.0.2:9002"

static struct device_name device(unsigned n)
{
    struct device_name name;

    snprintf(name.s, sizeof(name.s), "SEP%012X", n);
    return name;
}

static void members_come_from_the_settings_and_from_the_directory(void **state)
{
    const struct directory *dir =
        directory_of_lines("server 10.0.0.1\nserver 10.0.0.3\nserver host4\n"
                           "callmanager CM_one server=10.0.0.1\ncallmanager cm3 server=10.0.0.3\n"
                           "callmanager cm4 server=host4\n");
    struct members m;

    members_init(&m, "cm1", "1.0", 0);
    assert_int_equal(members_update(&m, NODES, 8002, dir, 0), 0);
    assert_int_equal(m.n, 3); /* a name that is no address cannot be opened */
    assert_string_equal(m.rows[1].name, "cm2");
    assert_int_equal(m.rows[1].at.port, 9002);
    assert_string_equal(m.rows[2].name, "cm3");
    assert_int_equal(m.rows[2].at.port, 8002);
    assert_int_equal(m.publisher, 0);
    directory_unref(dir);
}

static void a_node_that_is_told_of_no_other_is_alone(void **state)
{
    const struct directory *dir =
        directory_of_lines("server 10.0.0.3\ncallmanager cm3 server=10.0.0.3\n");
    struct members m;

    members_init(&m, "cm1", "1.0", 0);
    assert_int_equal(members_update(&m, "", 8002, dir, 0), 0);
    assert_false(members_are_several(&m));
    assert_int_equal(members_update(&m, "auto", 8002, dir, 0), 0);
    assert_true(members_are_several(&m));
    directory_unref(dir);
}

static void a_member_that_is_taken_out_keeps_its_number(void **state)
{
    struct members m;

    members_init(&m, "cm1", "1.0", 0);
    members_update(&m, NODES ",cm3=10.0.0.3", 8002, NULL, 0);
    members_update(&m, "cm1=10.0.0.1,cm3=10.0.0.3", 8002, NULL, 0);
    assert_false(m.rows[1].named);
    assert_int_equal(members_by_address(&m, ip_v4(0x0a000002)), -1);
    assert_int_equal(members_find(&m, TEXT("CM3")), 2);
}

static void nonsense_is_left_out_and_told(void **state)
{
    struct members m;

    members_init(&m, "cm1", "1.0", 0);
    assert_int_equal(
        members_update(&m, "cm1=10.0.0.1,cm2,=10.0.0.3,cm4=here,cm5=10.0.0.5:99999", 1, NULL, 0),
        -EINVAL);
    assert_int_equal(m.n, 1);
}

static void a_node_of_another_version_or_cluster_does_not_join(void **state)
{
    struct members m;

    members_init(&m, "cm2", "1.0", 0);
    members_update(&m, NODES, 8002, NULL, 0);
    assert_null(members_refuse(&m, 1, "CM1", "1.0", "a", "a"));
    assert_non_null(members_refuse(&m, 1, "cm1", "1.1", "a", "a"));
    assert_non_null(members_refuse(&m, 1, "cm1", "1.0", "b", "a"));
    assert_non_null(members_refuse(&m, -1, "cm9", "1.0", "a", "a"));
    assert_non_null(members_refuse(&m, 0, "cm2", "1.0", "a", "a")); /* that is who we are */
    assert_false(members_disagree(&m));
    members_move(&m, 1, MEMBER_OTHER_VERSION, 5);
    assert_true(members_disagree(&m)); /* it is the publisher */
}

static void a_node_that_does_not_answer_is_lost(void **state)
{
    struct members m;

    members_init(&m, "cm1", "1.0", 0);
    members_update(&m, NODES, 8002, NULL, 0);
    assert_false(members_is_lost(&m, 1, 100000));
    m.rows[1].heard_ms = 1000;
    assert_true(members_move(&m, 1, MEMBER_UP, 1000));
    assert_false(members_move(&m, 1, MEMBER_UP, 1001));
    assert_false(members_is_lost(&m, 1, 1000 + MEMBER_LOST_MS));
    assert_true(members_is_lost(&m, 1, 1001 + MEMBER_LOST_MS));
}

static void a_device_is_where_it_registered_last(void **state)
{
    struct homes *h = homes_new(10);
    struct ip ip;

    homes_put(h, device(1), 1, ip_v4(7), 10000, 0);
    homes_put(h, device(1), 2, ip_v4(8), 20000, 0);
    assert_int_equal(homes_find(h, device(1), &ip), 2);
    assert_true(ip_equal(ip, ip_v4(8)));
    homes_put(h, device(1), 1, ip_v4(7), 21000, 11000); /* told late by node 1: that was before */
    assert_int_equal(homes_find(h, device(1), &ip), 2);
    assert_false(homes_remove(h, device(1), 1));
    assert_true(homes_remove(h, device(1), 2));
    assert_int_equal(homes_find(h, device(1), &ip), -1);
    homes_free(h);
}

static void memory_for_homes_is_bounded(void **state)
{
    struct homes *h = homes_new(100);
    struct ip ip;

    for (unsigned i = 0; i < 1000; i++)
        homes_put(h, device(i), 1, ip_v4(7), 1000, 0);
    for (unsigned i = 0, n = 0; i <= 1000; i++)
        if (i == 1000)
            assert_int_equal(n, 100);
        else
            n += homes_find(h, device(i), &ip) == 1;
    homes_free(h);
}

static void a_node_that_goes_takes_its_homes_along_in_batches(void **state)
{
    struct homes *h = homes_new(10000);
    struct ip ip;
    unsigned rounds = 1;

    for (unsigned i = 0; i < 5000; i++)
        homes_put(h, device(i), 1 + i % 2, ip_v4(7), 1000, 0);
    homes_leave(h, 1);
    assert_int_equal(homes_find(h, device(0), &ip), -1);
    while (homes_forget(h, 1))
        rounds++;
    assert_in_range(rounds, 4, 8);
    for (unsigned i = 0; i < 5000; i++)
        assert_int_equal(homes_find(h, device(i), &ip), i % 2 ? 2 : -1);
    homes_free(h);
}

/* After a while without a network the new link may be there before the old one ends. */
static void what_a_new_link_tells_outlives_the_end_of_the_old_one(void **state)
{
    struct homes *h = homes_new(10000);
    struct ip ip;

    for (unsigned i = 0; i < 5000; i++)
        homes_put(h, device(i), 1, ip_v4(7), 1000, 0);
    homes_leave(h, 1);
    for (unsigned i = 0; i < 2000; i++) { /* told again while it forgets */
        homes_put(h, device(i), 1, ip_v4(8), 2000, 0);
        if (i % 500 == 0)
            homes_forget(h, 1);
    }
    while (homes_forget(h, 1))
        ;
    for (unsigned i = 0; i < 5000; i++)
        assert_int_equal(homes_find(h, device(i), &ip), i < 2000 ? 1 : -1);
    homes_free(h);
}

static void the_younger_registration_counts(void **state)
{
    const struct tenure young = {"cm2", 0}, old = {"cm1", 5000}, same = {"cm2", 5000};

    assert_true(homes_yields(&young, &old));
    assert_false(homes_yields(&old, &young));
    assert_true(homes_yields(&old, &same)); /* both must decide the same */
    assert_false(homes_yields(&same, &old));
}

/* It came to cm1, then to cm2, before one had heard of the other: each is told of a registration that
 * seems younger than its own. */
static void news_that_cross_leave_it_where_it_came_last(void **state)
{
    const struct tenure told_by_cm1 = {"cm1", 0, 1000}, at_cm1 = {"cm1", 40, 1000}, told_by_cm2 = {"cm2", 0, 1030},
                        at_cm2 = {"cm2", 10, 1030};

    assert_true(homes_yields(&told_by_cm2, &at_cm1));
    assert_false(homes_yields(&told_by_cm1, &at_cm2));
}

static void who_knew_of_the_other_came_later_whatever_his_clock_says(void **state)
{
    const struct tenure theirs = {"cm2", 0, 1000, true}, ours = {"cm1", 40, 900000};

    assert_true(homes_yields(&theirs, &ours));
}

static void a_time_of_day_whose_low_bits_begin_anew_is_later(void **state)
{
    assert_true(homes_yields(&(struct tenure){"cm2", 0, 5}, &(struct tenure){"cm1", 0, UINT32_MAX - 5}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_come_from_the_settings_and_from_the_directory),
        cmocka_unit_test(a_node_that_is_told_of_no_other_is_alone),
        cmocka_unit_test(a_member_that_is_taken_out_keeps_its_number),
        cmocka_unit_test(nonsense_is_left_out_and_told),
        cmocka_unit_test(a_node_of_another_version_or_cluster_does_not_join),
        cmocka_unit_test(a_node_that_does_not_answer_is_lost),
        cmocka_unit_test(a_device_is_where_it_registered_last),
        cmocka_unit_test(memory_for_homes_is_bounded),
        cmocka_unit_test(a_node_that_goes_takes_its_homes_along_in_batches),
        cmocka_unit_test(what_a_new_link_tells_outlives_the_end_of_the_old_one),
        cmocka_unit_test(the_younger_registration_counts),
        cmocka_unit_test(news_that_cross_leave_it_where_it_came_last),
        cmocka_unit_test(who_knew_of_the_other_came_later_whatever_his_clock_says),
        cmocka_unit_test(a_time_of_day_whose_low_bits_begin_anew_is_later),
    };

    return cmocka_run_group_tests_name("core_cluster", tests, NULL, NULL);
}
