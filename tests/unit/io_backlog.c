#include "test.h"

#include <errno.h>

#include "io/backlog.h"

#define BYTES_MAX (1u << 20)

static int put(struct backlog *b, unsigned n, size_t len)
{
    static uint8_t bytes[65536];
    struct udp_datagram d = {.from = {ip_v4(n), 5060}, .bytes = bytes, .len = len};

    memset(bytes, (int)n, len);
    return backlog_put(b, &d);
}

static void assert_next(struct backlog *b, unsigned n, size_t len)
{
    struct udp_datagram d;

    assert_true(backlog_take(b, &d));
    assert_int_equal(ip_v4_number(d.from.ip), n);
    assert_int_equal(d.len, len);
    for (size_t i = 0; i < len; i++)
        assert_int_equal(d.bytes[i], (uint8_t)n);
}

static void what_was_put_first_is_taken_first(void **state)
{
    struct udp_datagram none;
    struct backlog b;
    unsigned in = 0, out = 0;

    backlog_init(&b, BYTES_MAX);
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < 100; i++, in++)
            assert_int_equal(put(&b, in, in % 1500), 0);
        for (int i = 0; i < 90; i++, out++)
            assert_next(&b, out, out % 1500);
    }
    for (; out < in; out++)
        assert_next(&b, out, out % 1500);
    assert_false(backlog_take(&b, &none));
    backlog_done(&b);
}

static void one_that_is_full_takes_no_more_and_gives_its_memory_back(void **state)
{
    struct udp_datagram none;
    struct backlog b;
    unsigned n = 0, first;
    int err;

    backlog_init(&b, BYTES_MAX);
    while ((err = put(&b, n, 1000)) == 0)
        n++;
    assert_int_equal(err, -ENOBUFS);
    assert_in_range(n, BYTES_MAX / 1200, BYTES_MAX / 1000);
    assert_int_equal(b.bytes, BYTES_MAX);
    for (first = 0; first < n / 2; first++)
        assert_next(&b, first, 1000);
    assert_in_range(b.bytes, BYTES_MAX / 2, BYTES_MAX * 3 / 4);
    assert_int_equal(put(&b, n++, 65507), 0);
    for (; first < n - 1; first++)
        assert_next(&b, first, 1000);
    assert_next(&b, first, 65507);
    assert_false(backlog_take(&b, &none));
    assert_in_range(b.bytes, 1, BYTES_MAX / 4);
    backlog_done(&b);
    assert_int_equal(b.bytes, 0);
}

/* As when a storm comes as fast as it is worked: no piece is mapped anew each time. */
static void while_some_wait_the_same_memory_is_used(void **state)
{
    struct backlog_piece *seen[4] = {NULL};
    struct backlog b;
    unsigned in = 0, out = 0;
    size_t n_seen = 0;

    backlog_init(&b, BYTES_MAX);
    for (; in < 300; in++)
        assert_int_equal(put(&b, in, 1000), 0);
    for (int i = 0; i < 5000; i++, in++, out++) {
        size_t k = 0;

        assert_next(&b, out, 1000);
        assert_int_equal(put(&b, in, 1000), 0);
        while (k < n_seen && seen[k] != b.last)
            k++;
        assert_true(k < 4);
        seen[k] = b.last;
        n_seen += k == n_seen;
    }
    assert_true(n_seen <= 3);
    for (; out < in; out++)
        assert_next(&b, out, 1000);
    assert_false(backlog_take(&b, &(struct udp_datagram){0}));
    assert_null(b.spare);
    backlog_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_first_is_taken_first),
        cmocka_unit_test(one_that_is_full_takes_no_more_and_gives_its_memory_back),
        cmocka_unit_test(while_some_wait_the_same_memory_is_used),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
