/* core_spread.c - which member of a group serves which phone. */
#include "test.h"

#include "core/cluster/spread.h"
#include "directory_lines.h"

#define PHONES 10000

static const struct directory *dir;

static const struct callmanager_group *group_of(const char *members)
{
    char lines[400];

    directory_unref(dir);
    snprintf(lines, sizeof(lines),
             "callmanager cm2\ncallmanager cm3\ncallmanager cm4\ngroup Default members=%s\n", members);
    dir = directory_of_lines(lines);
    return directory_find(dir, ENTITY_callmanager_group, TEXT("Default"));
}

static const char *server_of(const struct callmanager_group *g, unsigned phone, size_t priority)
{
    uint8_t order[GROUP_MEMBERS_MAX];
    char name[16];

    snprintf(name, sizeof(name), "SEP%012X", 0x112200 + phone);
    assert_int_equal(spread_order(g, name, order), g->n_members);
    return g->members[order[priority]].callmanager;
}

static void count_phones(const struct callmanager_group *g, size_t priority, unsigned n[static 5])
{
    memset(n, 0, 5 * sizeof(*n));
    for (unsigned i = 0; i < PHONES; i++)
        n[server_of(g, i, priority)[2] - '0']++;
}

static void a_group_is_used_as_it_is_listed_unless_told_otherwise(void **state)
{
    const struct callmanager_group *g = group_of("cm1;cm2;cm3");
    unsigned n[5];

    count_phones(g, 0, n);
    assert_int_equal(n[1], PHONES);
    count_phones(g, 1, n);
    assert_int_equal(n[2], PHONES);
}

static void members_share_the_phones_and_their_backups_within_a_few_per_cent(void **state)
{
    const struct callmanager_group *g = group_of("cm1;cm2;cm3 load_sharing=all");
    unsigned n[5];

    for (size_t priority = 0; priority < 3; priority++) {
        count_phones(g, priority, n);
        print_message("priority %zu: %u %u %u\n", priority, n[1], n[2], n[3]);
        for (int i = 1; i <= 3; i++)
            assert_in_range(n[i], PHONES / 3 * 96 / 100, PHONES / 3 * 104 / 100);
    }
}

static void only_a_fair_share_moves_to_a_member_that_joins(void **state)
{
    const struct callmanager_group *g = group_of("cm1;cm2;cm3 load_sharing=all");
    static char before[PHONES];
    unsigned moved = 0;

    for (unsigned i = 0; i < PHONES; i++)
        before[i] = server_of(g, i, 0)[2];
    g = group_of("cm4;cm3;cm1;cm2 load_sharing=all"); /* where it is listed does not matter */
    for (unsigned i = 0; i < PHONES; i++) {
        char now = server_of(g, i, 0)[2];

        assert_true(now == before[i] || now == '4');
        moved += now == '4';
    }
    assert_in_range(moved, PHONES / 4 * 96 / 100, PHONES / 4 * 104 / 100);
}

static void the_phones_of_a_member_that_leaves_are_shared_by_the_others(void **state)
{
    const struct callmanager_group *g = group_of("cm1;cm2;cm3 load_sharing=all");
    unsigned n[5] = {0};

    for (unsigned i = 0; i < PHONES; i++)
        if (strcmp(server_of(g, i, 0), "cm1") == 0)
            n[server_of(g, i, 1)[2] - '0']++;
    assert_in_range(n[2], PHONES / 6 * 94 / 100, PHONES / 6 * 106 / 100);
    assert_in_range(n[3], PHONES / 6 * 94 / 100, PHONES / 6 * 106 / 100);
}

static void the_last_member_is_the_backup_of_all_when_it_is_to_be(void **state)
{
    const struct callmanager_group *g = group_of("cm1;cm2;cm3 load_sharing=all-but-last");
    unsigned n[5];

    count_phones(g, 0, n);
    assert_in_range(n[1], PHONES / 2 * 96 / 100, PHONES / 2 * 104 / 100);
    assert_int_equal(n[1] + n[2], PHONES);
    count_phones(g, 1, n);
    assert_int_equal(n[3], PHONES);
    g = group_of("cm1;cm2 load_sharing=all-but-last");
    count_phones(g, 0, n);
    assert_int_equal(n[1], PHONES);
}

static void names_count_whatever_their_case(void **state)
{
    const struct callmanager_group *g = group_of("cm1;cm2;cm3 load_sharing=all");
    uint8_t a[GROUP_MEMBERS_MAX], b[GROUP_MEMBERS_MAX];

    spread_order(g, "SEP0011AABBCCDD", a);
    spread_order(g, "sep0011aabbccdd", b);
    assert_memory_equal(a, b, 3);
    assert_int_equal(spread_order(g, "", a), 3); /* a phone that nobody knows yet */
    assert_int_equal(a[0], 0);
    assert_int_equal(spread_order(NULL, "SEP0011AABBCCDD", a), 0);
}

static int done(void **state)
{
    directory_unref(dir);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_group_is_used_as_it_is_listed_unless_told_otherwise),
        cmocka_unit_test(members_share_the_phones_and_their_backups_within_a_few_per_cent),
        cmocka_unit_test(only_a_fair_share_moves_to_a_member_that_joins),
        cmocka_unit_test(the_phones_of_a_member_that_leaves_are_shared_by_the_others),
        cmocka_unit_test(the_last_member_is_the_backup_of_all_when_it_is_to_be),
        cmocka_unit_test(names_count_whatever_their_case),
    };

    return cmocka_run_group_tests_name("core_spread", tests, NULL, done);
}
