#include "test.h"

#include "io/mailbox.h"

#define N 100000

struct sums {
    uint64_t n, sum;
    uv_loop_t *loop;
};

static void add(void *context, const void *item)
{
    struct sums *s = context;

    s->n++;
    s->sum += *(const uint64_t *)item;
    if (s->n == 2 * N)
        uv_stop(s->loop);
}

static void post_all(void *context)
{
    for (uint64_t i = 1; i <= N; i++)
        while (mailbox_post(context, &i, 0) == -ENOBUFS)
            ; /* the receiver is at work */
}

static void what_two_threads_post_arrives_once(void **state)
{
    uv_thread_t posters[2];
    struct mailbox *m;
    struct sums sums = {0};
    uv_loop_t loop;

    uv_loop_init(&loop);
    sums.loop = &loop;
    assert_int_equal(mailbox_new(&loop, sizeof(uint64_t), 1000, add, &sums, &m), 0);
    for (int i = 0; i < 2; i++)
        uv_thread_create(&posters[i], post_all, m);
    uv_run(&loop, UV_RUN_DEFAULT);
    for (int i = 0; i < 2; i++)
        uv_thread_join(&posters[i]);
    assert_int_equal(sums.sum, (uint64_t)N * (N + 1));
    mailbox_close(m);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    mailbox_free(m);
}

static void a_full_box_refuses_and_keeps_its_reserve(void **state)
{
    struct mailbox *m;
    struct sums sums = {0};
    uint64_t item = 1;
    uv_loop_t loop;

    uv_loop_init(&loop);
    mailbox_new(&loop, sizeof(item), 4, add, &sums, &m);
    assert_int_equal(mailbox_post(m, &item, 2), 0);
    assert_int_equal(mailbox_post(m, &item, 2), 0);
    assert_int_equal(mailbox_post(m, &item, 2), -ENOBUFS);
    assert_int_equal(mailbox_post(m, &item, 0), 0);
    assert_int_equal(mailbox_post(m, &item, 0), 0);
    assert_int_equal(mailbox_post(m, &item, 0), -ENOBUFS);
    mailbox_close(m); /* receives what was posted */
    assert_int_equal(sums.n, 4);
    assert_int_equal(mailbox_post(m, &item, 0), -EPIPE);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    mailbox_free(m);
}

static void of_many_as_many_are_taken_as_leave_the_reserve(void **state)
{
    uint64_t items[] = {1, 2, 3, 4, 5};
    struct sums sums = {0};
    struct mailbox *m;
    uv_loop_t loop;

    uv_loop_init(&loop);
    mailbox_new(&loop, sizeof(items[0]), 4, add, &sums, &m);
    assert_int_equal(mailbox_post_all(m, items, 5, 1), 3);
    assert_int_equal(mailbox_post_all(m, items + 3, 2, 0), 1);
    mailbox_close(m);
    assert_int_equal(sums.sum, 1 + 2 + 3 + 4);
    assert_int_equal(mailbox_post_all(m, items, 1, 0), 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    mailbox_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_two_threads_post_arrives_once),
        cmocka_unit_test(a_full_box_refuses_and_keeps_its_reserve),
        cmocka_unit_test(of_many_as_many_are_taken_as_leave_the_reserve),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
