#include "test.h"

#include "core/directory.h"
#include "core/subnets.h"

static struct scope office(void)
{
    return (struct scope){.name = "office",
                          .subnet = "10.1.0.0/24",
                          .first = "10.1.0.10",
                          .last = "10.1.0.99",
                          .exclude = "10.1.0.20, 10.1.0.30-10.1.0.39",
                          .routers = "10.1.0.1",
                          .dns = "10.1.0.2,10.1.0.3",
                          .domain = "example.com",
                          .ntp = "",
                          .tftp = "",
                          .tftp_name = "",
                          .lease_seconds = 3600,
                          .enabled = true};
}

static void a_scope_becomes_numbers(void **state)
{
    struct scope r = office();
    struct subnet s;
    char error[200];
    (void)state;

    assert_int_equal(subnet_parse(&r, &s, error, sizeof(error)), 0);
    assert_int_equal(s.network, 0x0a010000);
    assert_int_equal(s.mask, 0xffffff00);
    assert_int_equal(s.first, 0x0a01000a);
    assert_int_equal(s.last, 0x0a010063);
    assert_int_equal(s.routers.n, 1);
    assert_int_equal(s.dns.at[1], 0x0a010003);
    assert_true(subnet_excludes(&s, 0x0a010014));
    assert_true(subnet_excludes(&s, 0x0a010025));
    assert_false(subnet_excludes(&s, 0x0a010028));
    assert_true(subnet_excludes(&s, 0x0a010001)); /* the router */
}

static void without_a_range_the_whole_subnet_is_given(void **state)
{
    struct scope r = office();
    struct subnet s;
    char error[200];
    (void)state;

    r.first = r.last = r.exclude = "";
    assert_int_equal(subnet_parse(&r, &s, error, sizeof(error)), 0);
    assert_int_equal(s.first, 0x0a010000);
    assert_int_equal(s.last, 0x0a0100ff);
    assert_true(subnet_excludes(&s, 0x0a010000));
    assert_true(subnet_excludes(&s, 0x0a0100ff));
}

static void what_is_wrong_is_said(void **state)
{
    struct subnet s;
    char error[200];
    (void)state;

#define WRONG(field, value, word)                                                                  \
    do {                                                                                           \
        struct scope r = office();                                                                 \
        r.field = value;                                                                           \
        assert_int_equal(subnet_parse(&r, &s, error, sizeof(error)), -EINVAL);                     \
        assert_non_null(strstr(error, word));                                                      \
        assert_non_null(strstr(error, "scope office"));                                            \
    } while (0)
    WRONG(subnet, "10.1.0.0", "10.1.0.0/24");
    WRONG(subnet, "10.1.0.1/24", "10.1.0.0/24");
    WRONG(subnet, "10.1.0.0/33", "10.1.0.0/24");
    WRONG(subnet, "", "10.1.0.0/24");
    WRONG(first, "10.2.0.10", "first '10.2.0.10'");
    WRONG(first, "10.1.0.200", "in this order");
    WRONG(last, "x", "last 'x'");
    WRONG(routers, "10.1.0.1,,10.1.0.2", "routers");
    WRONG(dns, "dns.example.com", "dns");
    WRONG(ntp, "1.2.3", "ntp");
    WRONG(tftp, "cm1", "tftp_name");
    WRONG(exclude, "10.1.0.9-10.1.0.5", "exclude");
#undef WRONG
}

static void reservations_are_found_by_both_ends(void **state)
{
    struct subnets *s = subnets_empty();
    (void)state;

    for (uint32_t i = 0; i < 1000; i++)
        assert_int_equal(
            subnets_reserve(s, mac_of_number(0x001122000000 + (i * 7919) % 1000), i + 5), 0);
    subnets_sort(s);
    for (uint32_t i = 0; i < 1000; i++)
        assert_int_equal(subnets_reserved_for(s, mac_of_number(0x001122000000 + (i * 7919) % 1000)),
                         i + 5);
    assert_int_equal(subnets_reserved_for(s, mac_of_number(1)), 0);
    assert_true(subnets_is_reserved(s, 5));
    assert_false(subnets_is_reserved(s, 4));
    subnets_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_scope_becomes_numbers),
        cmocka_unit_test(without_a_range_the_whole_subnet_is_given),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(reservations_are_found_by_both_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
