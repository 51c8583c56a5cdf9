#include "test.h"

#include "base/map.h"
#include "base/pool.h"

struct item {
    char key[16];
    int n;
};

static struct text key_of(const void *value)
{
    return text_of(((const struct item *)value)->key);
}

static void a_thousand_come_and_go_and_the_rest_stays(void **state)
{
    struct item items[1000];
    size_t cursor = 0, seen = 0;
    struct map m;

    map_init(&m, key_of);
    for (int i = 0; i < 1000; i++) {
        snprintf(items[i].key, sizeof(items[i].key), "k%d", i);
        assert_int_equal(map_put(&m, &items[i]), 0);
    }
    assert_int_equal(map_put(&m, &items[5]), -EEXIST);
    for (int i = 0; i < 1000; i += 2)
        assert_ptr_equal(map_remove(&m, text_of(items[i].key)), &items[i]);
    for (int i = 0; i < 1000; i++)
        assert_ptr_equal(map_get(&m, text_of(items[i].key)), i % 2 ? &items[i] : NULL);
    while (map_next(&m, &cursor))
        seen++;
    assert_int_equal(seen, 500);
    assert_null(map_remove(&m, TEXT("k0")));
    map_done(&m);
}

/* Against an array that knows who is there. */
static void who_comes_and_goes_at_random_is_found_or_not(void **state)
{
    static struct item items[5000];
    static bool there[5000];
    uint32_t random = 1;
    struct map m;

    map_init(&m, key_of);
    for (int i = 0; i < 5000; i++)
        snprintf(items[i].key, sizeof(items[i].key), "SEP%012d", i);
    for (int round = 0; round < 100000; round++) {
        int i = (int)((random = random * 1664525 + 1013904223) >> 8) % 5000;

        if (round % 3)
            assert_int_equal(map_put(&m, &items[i]), there[i] ? -EEXIST : 0);
        else
            assert_ptr_equal(map_remove(&m, text_of(items[i].key)), there[i] ? &items[i] : NULL);
        there[i] = round % 3;
    }
    for (int i = 0; i < 5000; i++)
        assert_ptr_equal(map_get(&m, text_of(items[i].key)), there[i] ? &items[i] : NULL);
    map_done(&m);
}

static void an_empty_map_finds_nothing(void **state)
{
    size_t cursor = 0;
    struct map m;

    map_init(&m, key_of);
    assert_null(map_get(&m, TEXT("x")));
    assert_null(map_remove(&m, TEXT("x")));
    assert_null(map_next(&m, &cursor));
    map_done(&m);
}

static void a_pool_refuses_beyond_its_bound(void **state)
{
    struct pool p;
    uint64_t id[3];

    pool_init(&p, sizeof(struct item), 2);
    assert_non_null(pool_take(&p, &id[0]));
    assert_non_null(pool_take(&p, &id[1]));
    assert_null(pool_take(&p, &id[2]));
    pool_give(&p, id[0]);
    assert_non_null(pool_take(&p, &id[2]));
    pool_done(&p);
}

static void an_old_id_finds_nothing_in_a_slot_used_again(void **state)
{
    struct pool p;
    uint64_t old, new;
    struct item *item;

    pool_init(&p, sizeof(struct item), 1);
    item = pool_take(&p, &old);
    item->n = 42;
    pool_give(&p, old);
    assert_null(pool_get(&p, old));
    assert_ptr_equal(pool_take(&p, &new), item);
    assert_int_equal(item->n, 0);
    assert_int_not_equal(old, new);
    assert_null(pool_get(&p, old));
    assert_ptr_equal(pool_get(&p, new), item);
    assert_null(pool_get(&p, 0));
    pool_done(&p);
}

static void a_walk_sees_every_taken_slot_once(void **state)
{
    struct pool p;
    uint64_t ids[600], id;
    size_t cursor = 0, seen = 0;

    pool_init(&p, 8, 1000);
    for (int i = 0; i < 600; i++)
        pool_take(&p, &ids[i]);
    for (int i = 0; i < 600; i += 3)
        pool_give(&p, ids[i]);
    while (pool_next(&p, &cursor, &id)) {
        assert_int_equal(pool_id(pool_get(&p, id)), id);
        seen++;
    }
    assert_int_equal(seen, 400);
    pool_done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thousand_come_and_go_and_the_rest_stays),
        cmocka_unit_test(who_comes_and_goes_at_random_is_found_or_not),
        cmocka_unit_test(an_empty_map_finds_nothing),
        cmocka_unit_test(a_pool_refuses_beyond_its_bound),
        cmocka_unit_test(an_old_id_finds_nothing_in_a_slot_used_again),
        cmocka_unit_test(a_walk_sees_every_taken_slot_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
