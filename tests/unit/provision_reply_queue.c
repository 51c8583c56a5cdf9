#include "test.h"

#include "provision/reply_queue.h"

static void answers_leave_in_the_order_they_came(void **state)
{
    struct reply_queue q;
    uint32_t in = 0, out = 0, random = 1;
    (void)state;

    assert_int_equal(reply_queue_init(&q, 4096), 0);
    assert_null(reply_queue_first(&q));
    for (int step = 0; step < 100000; step++) {
        size_t len;
        uint32_t *put;

        random = random * 1664525 + 1013904223;
        len = 8 + (random >> 8) % 600;
        put = reply_queue_put(&q, len);
        if (put) {
            put[0] = in++;
            put[1] = (uint32_t)len;
            memset(put + 2, (int)put[0], len - 8);
        }
        for (uint32_t n = put ? random >> 31 : 2; n && q.n; n--) {
            uint32_t *first = reply_queue_first(&q);

            assert_int_equal(first[0], out);
            for (size_t i = 8; i < first[1]; i++)
                assert_int_equal(((uint8_t *)first)[i], (uint8_t)out);
            out++;
            reply_queue_drop(&q);
        }
    }
    assert_true(out > 40000);
    assert_int_equal(in - out, q.n);
    reply_queue_done(&q);
}

static void a_full_queue_refuses(void **state)
{
    struct reply_queue q;
    (void)state;

    assert_int_equal(reply_queue_init(&q, 1024), 0);
    assert_null(reply_queue_put(&q, 1024));
    assert_non_null(reply_queue_put(&q, 1008));
    assert_null(reply_queue_put(&q, 1));
    reply_queue_drop(&q);
    assert_non_null(reply_queue_put(&q, 1));
    reply_queue_done(&q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_leave_in_the_order_they_came),
        cmocka_unit_test(a_full_queue_refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
