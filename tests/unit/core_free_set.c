#include "test.h"

#include "core/free_set.h"

static void finds_the_next_free_one_and_wraps(void **state)
{
    struct free_set f;
    (void)state;

    assert_int_equal(free_set_init(&f, 1000), 0);
    assert_int_equal(free_set_next(&f, 0), FREE_SET_NONE);
    free_set_give(&f, 70);
    free_set_give(&f, 999);
    free_set_give(&f, 999);
    assert_int_equal(f.n_free, 2);
    assert_int_equal(free_set_next(&f, 0), 70);
    assert_int_equal(free_set_next(&f, 70), 70);
    assert_int_equal(free_set_next(&f, 71), 999);
    free_set_take(&f, 999);
    assert_int_equal(free_set_next(&f, 71), 70);
    free_set_give(&f, 1000);
    assert_false(free_set_has(&f, 1000));
    free_set_done(&f);
}

static void all_can_be_taken_one_by_one_at_any_size(void **state)
{
    static const uint32_t sizes[] = {1, 63, 64, 65, 4095, 4096, 4097, 300000};
    (void)state;

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct free_set f;
        uint32_t from = sizes[i] / 2;

        assert_int_equal(free_set_init(&f, sizes[i]), 0);
        free_set_give_all(&f);
        for (uint32_t n = 0; n < sizes[i]; n++) {
            uint32_t got = free_set_next(&f, from);

            assert_int_equal(got, (from + n) % sizes[i]);
            free_set_take(&f, got);
        }
        assert_int_equal(free_set_next(&f, from), FREE_SET_NONE);
        free_set_done(&f);
    }
}

/* Against the simplest model there is. */
static void agrees_with_an_array_of_flags(void **state)
{
    enum { N = 5000 };
    static bool model[N];
    uint32_t random = 1;
    struct free_set f;
    (void)state;

    assert_int_equal(free_set_init(&f, N), 0);
    for (int step = 0; step < 20000; step++) {
        uint32_t i, expect;

        random = random * 1664525 + 1013904223;
        i = (random >> 8) % N;
        model[i] = random >> 31;
        if (model[i])
            free_set_give(&f, i);
        else
            free_set_take(&f, i);
        if (step % 16)
            continue;
        for (expect = 0; expect < N && !model[(i + expect) % N]; expect++)
            ;
        assert_int_equal(free_set_next(&f, i), expect < N ? (i + expect) % N : FREE_SET_NONE);
    }
    free_set_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_next_free_one_and_wraps),
        cmocka_unit_test(all_can_be_taken_one_by_one_at_any_size),
        cmocka_unit_test(agrees_with_an_array_of_flags),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
