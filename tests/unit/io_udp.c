#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "io/udp.h"

struct end {
    struct udp *udp;
    struct endpoint address;
    size_t n, bytes, largest_batch;
    uint8_t last[70000];
    size_t last_len;
    struct udp_datagram seen;
    bool echoes;
    size_t stop_at; /* close both ends when so many came */
    struct end *peer;
};

static void end_close(struct end *e)
{
    udp_close(e->udp);
    e->udp = NULL;
}

static void on_input(void *context, const struct udp_datagram *batch, size_t n)
{
    struct end *e = context;

    if (n > e->largest_batch)
        e->largest_batch = n;
    for (size_t i = 0; i < n; i++) {
        e->n++;
        e->bytes += batch[i].len;
        e->seen = batch[i];
        e->last_len = batch[i].len;
        memcpy(e->last, batch[i].bytes, batch[i].len);
        if (e->echoes)
            udp_send(e->udp, &batch[i].from, batch[i].to, batch[i].interface, batch[i].bytes,
                     batch[i].len);
    }
    if (e->stop_at && e->n >= e->stop_at) {
        end_close(e->peer);
        end_close(e);
    }
}

static void open_end(uv_loop_t *loop, struct end *e, const char *ip, size_t max_len)
{
    struct udp_options o = {
        .input = on_input, .context = e, .max_len = max_len, .receive_buffer = 4 << 20};

    ip_parse(text_of(ip), &o.local.ip);
    assert_int_equal(udp_open(loop, &o, &e->udp), 0);
    e->address = o.local;
    e->address.port = udp_port(e->udp);
    assert_int_not_equal(e->address.port, 0);
}

static void a_batch_goes_out_and_comes_back(void **state)
{
    static struct end a, b;
    uv_loop_t loop;
    (void)state;

    memset(&a, 0, sizeof(a));
    memset(&b, 0, sizeof(b));
    uv_loop_init(&loop);
    open_end(&loop, &a, "127.0.0.1", 0);
    open_end(&loop, &b, "127.0.0.1", 0);
    b.echoes = true;
    a.peer = &b;
    a.stop_at = 200;
    for (int i = 0; i < 200; i++) {
        char text[16];
        int len = snprintf(text, sizeof(text), "ping %d", i);

        udp_send(a.udp, &b.address, (struct ip){0}, 0, text, (size_t)len);
    }
    udp_flush(a.udp);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(b.n, 200);
    assert_true(b.largest_batch > 1);
    assert_int_equal(a.last_len, 8);
    assert_memory_equal(a.last, "ping 199", 8);
    assert_int_equal(uv_loop_close(&loop), 0);
}

/* 64 at once are flushed by themselves: what was lent must not be needed after that. */
static void what_is_lent_leaves_in_order_with_what_is_copied(void **state)
{
    static struct end a, b;
    char lent[100][4];
    uv_loop_t loop;

    memset(&a, 0, sizeof(a));
    memset(&b, 0, sizeof(b));
    uv_loop_init(&loop);
    open_end(&loop, &a, "127.0.0.1", 0);
    open_end(&loop, &b, "127.0.0.1", 0);
    b.peer = &a;
    b.stop_at = 200;
    for (int i = 0; i < 100; i++) {
        snprintf(lent[i], sizeof(lent[i]), "%d", i);
        udp_lend(a.udp, &b.address, (struct ip){0}, 0, lent[i], 3);
        udp_send(a.udp, &b.address, (struct ip){0}, 0, "end", 3);
    }
    udp_flush(a.udp);
    memset(lent, 'x', sizeof(lent));
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(b.n, 200);
    assert_int_equal(b.bytes, 600);
    assert_memory_equal(b.last, "end", 3);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void the_answer_comes_from_the_address_that_was_asked(void **state)
{
    static struct end client, server;
    struct endpoint asked;
    uv_loop_t loop;
    (void)state;

    memset(&client, 0, sizeof(client));
    memset(&server, 0, sizeof(server));
    uv_loop_init(&loop);
    open_end(&loop, &client, "127.0.0.1", 0);
    open_end(&loop, &server, "0.0.0.0", 0);
    server.echoes = true;
    client.peer = &server;
    client.stop_at = 1;
    asked = server.address;
    ip_parse(TEXT("127.7.7.7"), &asked.ip);
    udp_send(client.udp, &asked, (struct ip){0}, 0, "?", 1);
    udp_flush(client.udp);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_true(endpoint_equal(&client.seen.from, &asked));
    assert_true(ip_equal(server.seen.to, asked.ip));
    assert_false(server.seen.group);
    assert_int_not_equal(server.seen.interface, 0);
    uv_loop_close(&loop);
}

static void longer_datagrams_than_asked_for_are_dropped(void **state)
{
    static struct end a, b;
    static char big[60000];
    uv_loop_t loop;
    (void)state;

    memset(&a, 0, sizeof(a));
    memset(&b, 0, sizeof(b));
    uv_loop_init(&loop);
    open_end(&loop, &a, "127.0.0.1", 0);
    open_end(&loop, &b, "127.0.0.1", 100);
    b.peer = &a;
    b.stop_at = 1;
    udp_send(a.udp, &b.address, (struct ip){0}, 0, big, 101);
    udp_send(a.udp, &b.address, (struct ip){0}, 0, big, 100);
    udp_flush(a.udp);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(b.n, 1);
    assert_int_equal(b.last_len, 100);
    uv_loop_close(&loop);
}

static void large_datagrams_pass_whole(void **state)
{
    static struct end a, b;
    static char big[65000];
    uv_loop_t loop;
    (void)state;

    memset(&a, 0, sizeof(a));
    memset(&b, 0, sizeof(b));
    memset(big, 'x', sizeof(big));
    uv_loop_init(&loop);
    open_end(&loop, &a, "127.0.0.1", 0);
    open_end(&loop, &b, "127.0.0.1", 65536);
    b.peer = &a;
    b.stop_at = 10;
    for (int i = 0; i < 10; i++) /* more than the queue holds: it must empty itself */
        udp_send(a.udp, &b.address, (struct ip){0}, 0, big, sizeof(big));
    udp_flush(a.udp);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(b.bytes, 10 * sizeof(big));
    assert_memory_equal(b.last, big, sizeof(big));
    uv_loop_close(&loop);
}

static void one_that_cannot_leave_does_not_stop_the_others(void **state)
{
    static struct end a, b;
    static char huge[65535];
    uv_loop_t loop;
    (void)state;

    memset(&a, 0, sizeof(a));
    memset(&b, 0, sizeof(b));
    uv_loop_init(&loop);
    open_end(&loop, &a, "127.0.0.1", 0);
    open_end(&loop, &b, "127.0.0.1", 0);
    b.peer = &a;
    b.stop_at = 2;
    udp_send(a.udp, &b.address, (struct ip){0}, 0, "1", 1);
    udp_send(a.udp, &b.address, (struct ip){0}, 0, huge, sizeof(huge)); /* EMSGSIZE */
    udp_send(a.udp, &b.address, (struct ip){0}, 0, "2", 1);
    udp_flush(a.udp);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(b.n, 2);
    uv_loop_close(&loop);
}

static void a_port_in_use_and_a_missing_interface_are_errors(void **state)
{
    static struct end a;
    struct udp_options o = {.input = on_input, .interface = "no-such-if0"};
    struct udp *u = NULL;
    uv_loop_t loop;
    (void)state;

    memset(&a, 0, sizeof(a));
    uv_loop_init(&loop);
    open_end(&loop, &a, "127.0.0.1", 0);
    assert_int_equal(udp_open(&loop, &o, &u), -ENODEV);
    o.interface = "lo"; /* needs no privilege since Linux 5.7 */
    o.local = a.address;
    assert_int_equal(udp_open(&loop, &o, &u), -EADDRINUSE); /* nobody shares it */
    o.interface = NULL;
    assert_int_equal(udp_open(&loop, &o, &u), -EADDRINUSE);
    assert_null(u);
    end_close(&a);
    assert_int_equal(udp_open(&loop, &o, &u), 0); /* free at once */
    udp_close(u);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void ipv6_works_too(void **state)
{
    static struct end a, b;
    struct udp_options o = {.input = on_input, .context = &a};
    uv_loop_t loop;
    (void)state;

    memset(&a, 0, sizeof(a));
    memset(&b, 0, sizeof(b));
    uv_loop_init(&loop);
    ip_parse(TEXT("::1"), &o.local.ip);
    if (udp_open(&loop, &o, &a.udp) < 0) {
        uv_loop_close(&loop);
        skip(); /* a kernel without IPv6 */
    }
    a.address = o.local;
    a.address.port = udp_port(a.udp);
    open_end(&loop, &b, "::1", 0);
    b.echoes = true;
    a.peer = &b;
    a.stop_at = 1;
    udp_send(a.udp, &b.address, (struct ip){0}, 0, "six", 3);
    udp_flush(a.udp);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_true(endpoint_equal(&a.seen.from, &b.address));
    uv_loop_close(&loop);
}

/* One turn of the loop, of a socket where more waits than four batches. */
static void assert_turn(unsigned turn_us, size_t least, size_t most)
{
    static struct end a, b;
    struct udp_options o = {.local = {ip_v4(0x7f000001), 0},
                            .input = on_input,
                            .context = &b,
                            .receive_buffer = 4 << 20,
                            .turn_us = turn_us};
    uv_loop_t loop;

    memset(&a, 0, sizeof(a));
    memset(&b, 0, sizeof(b));
    uv_loop_init(&loop);
    open_end(&loop, &a, "127.0.0.1", 0);
    assert_int_equal(udp_open(&loop, &o, &b.udp), 0);
    b.address = (struct endpoint){o.local.ip, udp_port(b.udp)};
    for (int i = 0; i < 1000; i++)
        udp_send(a.udp, &b.address, (struct ip){0}, 0, "x", 1);
    udp_flush(a.udp);
    uv_run(&loop, UV_RUN_NOWAIT);
    assert_in_range(b.n, least, most);
    end_close(&a);
    end_close(&b);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
}

static void a_turn_reads_four_batches_or_for_as_long_as_it_may(void **state)
{
    assert_turn(0, 4 * UDP_BATCH, 4 * UDP_BATCH);
    assert_turn(1, UDP_BATCH, UDP_BATCH);
    assert_turn(10000000, 1000, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_goes_out_and_comes_back),
        cmocka_unit_test(what_is_lent_leaves_in_order_with_what_is_copied),
        cmocka_unit_test(the_answer_comes_from_the_address_that_was_asked),
        cmocka_unit_test(longer_datagrams_than_asked_for_are_dropped),
        cmocka_unit_test(large_datagrams_pass_whole),
        cmocka_unit_test(one_that_cannot_leave_does_not_stop_the_others),
        cmocka_unit_test(a_port_in_use_and_a_missing_interface_are_errors),
        cmocka_unit_test(ipv6_works_too),
        cmocka_unit_test(a_turn_reads_four_batches_or_for_as_long_as_it_may),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
