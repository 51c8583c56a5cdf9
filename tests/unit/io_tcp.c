/* io_tcp.c - links over the loopback: echo, order, closing, slow readers, limits, many at once. */
#include "tcp_world.h"

#include <errno.h>

static struct world *world_new(void)
{
    struct world *w = world_of_loopback();

    w->options.tos = 0x60;
    return w;
}

/* Each message of a newcomer costs a millisecond. */
static void on_costly_input(void *context, uint64_t link, const uint8_t *bytes, size_t len)
{
    if (bytes[0] == 'n')
        for (uint64_t end = uv_hrtime() + 1000000; uv_hrtime() < end;)
            ;
    on_input(context, link, bytes, len);
}

static void who_is_settled_does_not_wait_for_a_storm_of_newcomers(void **state)
{
    struct world *w = world_new();
    int fds[100], settled;
    size_t before;

    w->options.newcomers_us = 2000;
    w->options.on_input = on_costly_input;
    world_listen(w);
    settled = dial(w);
    turn(w);
    tcp_settle(w->tcp, w->last);
    tcp_settle(w->tcp, w->last); /* again is fine */
    for (int i = 0; i < 100; i++)
        fds[i] = dial(w);
    while (w->opened < 101)
        uv_run(&w->loop, UV_RUN_NOWAIT);
    for (int i = 0; i < 100; i++)
        assert_int_equal(send(fds[i], "n", 1, 0), 1);
    for (int i = 0; i < 10; i++) {
        before = w->bytes;
        assert_int_equal(send(settled, "s", 1, 0), 1);
        uv_run(&w->loop, UV_RUN_NOWAIT);
        assert_non_null(memchr(w->input + before, 's', w->bytes - before));
        assert_in_range(w->bytes - before, 1, 4); /* two newcomers or three in two milliseconds */
    }
    while (w->bytes < 110) /* and all of them are served */
        uv_run(&w->loop, UV_RUN_NOWAIT);
    close(settled);
    turn(w);
    assert_int_equal(w->closed, 1);
    for (int i = 0; i < 100; i++)
        close(fds[i]);
    world_free(w);
}

static void a_turn_is_short_and_leaves_nobody_out(void **state)
{
    struct world *w = world_new();
    int fds[40];

    w->options.on_input = on_costly_input;
    world_listen(w);
    for (int i = 0; i < 40; i++)
        fds[i] = dial(w);
    while (w->opened < 40)
        uv_run(&w->loop, UV_RUN_NOWAIT);
    for (int i = 0; i < 40; i++)
        assert_int_equal(send(fds[i], "n", 1, 0), 1);
    uv_run(&w->loop, UV_RUN_NOWAIT);
    assert_in_range(w->bytes, 1, 4); /* a millisecond each, of three */
    for (int i = 0; i < 3; i++) /* who talks again is behind those who have not been heard */
        assert_int_equal(send(fds[i], "s", 1, 0), 1);
    while (w->bytes < 43)
        uv_run(&w->loop, UV_RUN_NOWAIT);
    for (int i = 0; i < 40; i++)
        close(fds[i]);
    world_free(w);
}

static void what_is_sent_comes_back_in_one_write(void **state)
{
    struct world *w = world_new();
    char answer[16] = {0};
    int fd;

    w->echo = true;
    world_listen(w);
    fd = dial(w);
    assert_int_equal(write(fd, "hello", 5), 5);
    turn(w);
    assert_int_equal(w->opened, 1);
    assert_int_equal(tcp_count(w->tcp), 1);
    assert_int_equal(read(fd, answer, sizeof(answer)), 5);
    assert_string_equal(answer, "hello");
    assert_int_equal(tcp_send(w->tcp, w->last, "a", 1), 0);
    assert_int_equal(tcp_send(w->tcp, w->last, "bc", 2), 0);
    turn(w);
    assert_int_equal(read(fd, answer, sizeof(answer)), 3);
    close(fd);
    turn(w);
    assert_int_equal(w->closed, 1);
    assert_int_equal(w->last_err, 0);
    assert_int_equal(tcp_send(w->tcp, w->last, "x", 1), -ENOENT);
    world_free(w);
}

static void a_closed_link_sends_what_is_queued_and_is_not_reported(void **state)
{
    struct world *w = world_new();
    char answer[16] = {0};
    int fd;

    w->echo = w->close_on_input = true;
    world_listen(w);
    fd = dial(w);
    assert_int_equal(write(fd, "bye", 3), 3);
    turn(w);
    assert_int_equal(read(fd, answer, sizeof(answer)), 3);
    assert_int_equal(read(fd, answer, sizeof(answer)), 0);
    assert_int_equal(w->closed, 0);
    assert_int_equal(tcp_count(w->tcp), 0);
    close(fd);
    world_free(w);
}

static void a_peer_that_does_not_read_is_closed(void **state)
{
    struct world *w = world_new();
    static char chunk[64 * 1024];
    int fd, sent = 0;

    world_listen(w);
    fd = dial(w);
    turn(w);
    while (!w->closed && sent++ < 1000) {
        tcp_send(w->tcp, w->last, chunk, sizeof(chunk));
        turn(w);
    }
    assert_int_equal(w->closed, 1);
    assert_int_equal(w->last_err, -ENOBUFS);
    close(fd);
    world_free(w);
}

static void a_full_socket_drains_in_order(void **state)
{
    struct world *w = world_new();
    static uint32_t chunk[16 * 1024], got[16 * 1024];
    uint32_t next = 0, expected = 0;
    ssize_t n;
    size_t have = 0;
    int fd;

    w->options.max_queued = 64 << 20;
    world_listen(w);
    fd = dial(w);
    turn(w);
    while (tcp_queued(w->tcp, w->last) == 0) {
        for (size_t i = 0; i < 16 * 1024; i++)
            chunk[i] = next++;
        assert_int_equal(tcp_send(w->tcp, w->last, chunk, sizeof(chunk)), 0);
        turn(w);
    }
    while (expected < next) {
        turn(w);
        n = read(fd, (char *)got + have, sizeof(got) - have);
        assert_true(n > 0);
        have += (size_t)n;
        for (size_t i = 0; i < have / 4; i++)
            assert_int_equal(got[i], expected++);
        memmove(got, (char *)got + (have & ~(size_t)3), have & 3);
        have &= 3;
    }
    assert_int_equal(w->drained, 1);
    close(fd);
    world_free(w);
}

static void links_beyond_the_limit_are_refused(void **state)
{
    struct world *w = world_new();
    int fd[8];
    char c;

    w->options.max_links = 5;
    world_listen(w);
    for (int i = 0; i < 8; i++)
        fd[i] = dial(w);
    turn(w);
    assert_int_equal(tcp_count(w->tcp), 5);
    turn(w);
    for (int i = 0, refused = 0; i < 8; i++) {
        refused += recv(fd[i], &c, 1, MSG_DONTWAIT) == 0;
        close(fd[i]);
        if (i == 7)
            assert_int_equal(refused, 3);
    }
    world_free(w);
}

static void links_of_one_address_can_be_limited(void **state)
{
    struct world *w = world_new();
    int fd[4], again;

    w->options.max_per_ip = 2;
    world_listen(w);
    for (int i = 0; i < 4; i++)
        fd[i] = dial(w);
    turn(w);
    assert_int_equal(tcp_count(w->tcp), 2);
    for (int i = 0; i < 4; i++)
        close(fd[i]);
    turn(w);
    assert_int_equal(tcp_count(w->tcp), 0);
    again = dial(w);
    turn(w);
    assert_int_equal(tcp_count(w->tcp), 1);
    close(again);
    world_free(w);
}

static void a_port_in_use_is_reported(void **state)
{
    struct world *w = world_new();
    struct tcp *second = NULL;
    struct tcp_options o;

    world_listen(w);
    o = w->options;
    o.local.port = tcp_port(w->tcp);
    assert_int_equal(tcp_listen(&w->loop, &o, &second), -EADDRINUSE);
    world_free(w);
}

static void all_addresses_means_ipv4_too(void **state)
{
    struct world *w = world_new();
    int fd;

    w->options.local.ip = (struct ip){0};
    world_listen(w);
    fd = dial(w);
    turn(w);
    assert_int_equal(w->opened, 1); /* and on_open has seen an IPv4 peer */
    close(fd);
    world_free(w);
}

static void four_hundred_connect_before_one_turn_of_the_loop(void **state)
{
    struct world *w = world_new();
    int fd[400];

    world_listen(w);
    for (int i = 0; i < 400; i++) {
        fd[i] = dial(w);
        assert_int_equal(write(fd[i], "x", 1), 1);
    }
    turn(w);
    assert_int_equal(w->opened, 400);
    assert_int_equal(w->bytes, 400);
    for (int i = 0; i < 400; i++)
        close(fd[i]);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_settled_does_not_wait_for_a_storm_of_newcomers),
        cmocka_unit_test(a_turn_is_short_and_leaves_nobody_out),
        cmocka_unit_test(what_is_sent_comes_back_in_one_write),
        cmocka_unit_test(a_closed_link_sends_what_is_queued_and_is_not_reported),
        cmocka_unit_test(a_peer_that_does_not_read_is_closed),
        cmocka_unit_test(a_full_socket_drains_in_order),
        cmocka_unit_test(links_beyond_the_limit_are_refused),
        cmocka_unit_test(links_of_one_address_can_be_limited),
        cmocka_unit_test(a_port_in_use_is_reported),
        cmocka_unit_test(all_addresses_means_ipv4_too),
        cmocka_unit_test(four_hundred_connect_before_one_turn_of_the_loop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
