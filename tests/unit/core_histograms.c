#include "test.h"

#include "core/histograms.h"

static void a_time_falls_into_the_first_bucket_that_holds_it(void **state)
{
    struct histogram_value *v = &histogram_values[TOOK_BOOT];

    histogram_took(TOOK_BOOT, 100);
    histogram_took(TOOK_BOOT, 101);
    histogram_took(TOOK_BOOT, UINT32_MAX);
    assert_int_equal(v->buckets[0], 1);
    assert_int_equal(v->buckets[1], 1);
    assert_int_equal(v->buckets[HISTOGRAM_BOUNDS], 1);
    assert_int_equal(v->sum_us, 201 + (uint64_t)UINT32_MAX);
}

static void bounds_rise(void **state)
{
    for (size_t i = 1; i < HISTOGRAM_BOUNDS; i++)
        assert_true(histogram_bounds_us[i - 1] < histogram_bounds_us[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_time_falls_into_the_first_bucket_that_holds_it),
        cmocka_unit_test(bounds_rise),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
