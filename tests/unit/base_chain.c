#include "test.h"

#include "base/chain.h"

#define N 600 /* more than a chunk of the pool */

struct thing {
    unsigned n;
    struct chain_node order;
};

static struct pool pool;
static struct chain chain;
static struct thing *things[N];

static void begin(void)
{
    uint64_t id;

    pool_init(&pool, sizeof(struct thing), N);
    chain_init(&chain, &pool, offsetof(struct thing, order));
    for (unsigned i = 0; i < N; i++) {
        things[i] = pool_take(&pool, &id);
        things[i]->n = i;
    }
}

static void assert_runs(unsigned first, unsigned step, unsigned last)
{
    unsigned n = first;

    for (struct thing *t = chain_first(&chain); t; t = chain_next(&chain, t), n += step)
        assert_int_equal(t->n, n);
    assert_int_equal(n, last + step);
    for (struct thing *t = chain_last(&chain); t; t = chain_prev(&chain, t))
        assert_int_equal(t->n, n -= step);
    assert_int_equal(n, first);
}

static void what_is_appended_stands_in_order_both_ways(void **state)
{
    begin();
    assert_null(chain_first(&chain));
    assert_null(chain_last(&chain));
    for (unsigned i = 0; i < N; i++)
        chain_append(&chain, things[i]);
    assert_runs(0, 1, N - 1);
    pool_done(&pool);
}

static void from_any_place_one_can_be_removed_once(void **state)
{
    begin();
    assert_false(chain_remove(&chain, things[0]));
    for (unsigned i = 0; i < N; i++)
        chain_append(&chain, things[i]);
    for (unsigned i = 0; i < N; i += 2)
        assert_true(chain_remove(&chain, things[i])); /* the first, and between others */
    assert_runs(1, 2, N - 1);
    assert_true(chain_remove(&chain, things[N - 1]));
    assert_false(chain_remove(&chain, things[N - 1]));
    assert_false(chain_remove(&chain, things[0]));
    assert_runs(1, 2, N - 3);
    for (unsigned i = 1; i < N - 3; i += 2)
        assert_true(chain_remove(&chain, things[i]));
    assert_runs(N - 3, 1, N - 3);
    assert_true(chain_remove(&chain, things[N - 3]));
    assert_null(chain_first(&chain));
    assert_null(chain_last(&chain));
    chain_append(&chain, things[7]);
    assert_runs(7, 1, 7);
    pool_done(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_appended_stands_in_order_both_ways),
        cmocka_unit_test(from_any_place_one_can_be_removed_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
