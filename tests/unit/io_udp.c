#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/dial.h"
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

/* Two sockets of one loop, the peers of each other; the tests open them. */
struct pair {
    uv_loop_t loop;
    struct end a, b;
};

static int set_up(void **state)
{
    struct pair *p = *state = calloc(1, sizeof(*p));

    p->a.peer = &p->b;
    p->b.peer = &p->a;
    return uv_loop_init(&p->loop);
}

static int tear_down(void **state)
{
    struct pair *p = *state;
    int err;

    end_close(&p->a);
    end_close(&p->b);
    uv_run(&p->loop, UV_RUN_DEFAULT);
    err = uv_loop_close(&p->loop);
    free(p);
    return err;
}

/* A turn of the loop reads for turn_us, or what is usual. */
static void open_end_for(uv_loop_t *loop, struct end *e, const char *ip, size_t max_len,
                         unsigned turn_us)
{
    struct udp_options o = {.input = on_input,
                            .context = e,
                            .max_len = max_len,
                            .receive_buffer = 4 << 20,
                            .turn_us = turn_us};

    ip_parse(text_of(ip), &o.local.ip);
    assert_int_equal(udp_open(loop, &o, &e->udp), 0);
    e->address = o.local;
    e->address.port = udp_port(e->udp);
    assert_int_not_equal(e->address.port, 0);
    assert_in_range(udp_receive_room(e->udp), 65536, o.receive_buffer); /* as much as the system gives */
}

static void open_end(uv_loop_t *loop, struct end *e, const char *ip, size_t max_len)
{
    open_end_for(loop, e, ip, max_len, 0);
}

static void open_both(struct pair *p, const char *ip, size_t max_len)
{
    open_end(&p->loop, &p->a, "127.0.0.1", 0);
    open_end(&p->loop, &p->b, ip, max_len);
}

static void let_it_arrive(struct pair *p)
{
    udp_flush(p->a.udp);
    uv_run(&p->loop, UV_RUN_DEFAULT);
}

static void a_batch_goes_out_and_comes_back(void **state)
{
    struct pair *p = *state;

    open_both(p, "127.0.0.1", 0);
    p->b.echoes = true;
    p->a.stop_at = 200;
    for (int i = 0; i < 200; i++) {
        char text[16];
        int len = snprintf(text, sizeof(text), "ping %d", i);

        udp_send(p->a.udp, &p->b.address, (struct ip){0}, 0, text, (size_t)len);
    }
    let_it_arrive(p);
    assert_int_equal(p->b.n, 200);
    assert_true(p->b.largest_batch > 1);
    assert_int_equal(p->a.last_len, 8);
    assert_memory_equal(p->a.last, "ping 199", 8);
}

/* 64 at once are flushed by themselves: what was lent must not be needed after that. */
static void what_is_lent_leaves_in_order_with_what_is_copied(void **state)
{
    struct pair *p = *state;
    char lent[100][4];

    open_both(p, "127.0.0.1", 0);
    p->b.stop_at = 200;
    for (int i = 0; i < 100; i++) {
        snprintf(lent[i], sizeof(lent[i]), "%d", i);
        udp_lend(p->a.udp, &p->b.address, (struct ip){0}, 0, lent[i], 3);
        udp_send(p->a.udp, &p->b.address, (struct ip){0}, 0, "end", 3);
    }
    udp_flush(p->a.udp);
    memset(lent, 'x', sizeof(lent));
    uv_run(&p->loop, UV_RUN_DEFAULT);
    assert_int_equal(p->b.n, 200);
    assert_int_equal(p->b.bytes, 600);
    assert_memory_equal(p->b.last, "end", 3);
}

static void the_answer_comes_from_the_address_that_was_asked(void **state)
{
    struct pair *p = *state;
    struct endpoint asked;

    open_both(p, "0.0.0.0", 0);
    p->b.echoes = true;
    p->a.stop_at = 1;
    asked = p->b.address;
    ip_parse(TEXT("127.7.7.7"), &asked.ip);
    udp_send(p->a.udp, &asked, (struct ip){0}, 0, "?", 1);
    let_it_arrive(p);
    assert_true(endpoint_equal(&p->a.seen.from, &asked));
    assert_true(ip_equal(p->b.seen.to, asked.ip));
    assert_false(p->b.seen.group);
    assert_int_not_equal(p->b.seen.interface, 0);
}

static void longer_datagrams_than_asked_for_are_dropped(void **state)
{
    struct pair *p = *state;
    static char big[60000];

    open_both(p, "127.0.0.1", 100);
    p->b.stop_at = 1;
    udp_send(p->a.udp, &p->b.address, (struct ip){0}, 0, big, 101);
    udp_send(p->a.udp, &p->b.address, (struct ip){0}, 0, big, 100);
    let_it_arrive(p);
    assert_int_equal(p->b.n, 1);
    assert_int_equal(p->b.last_len, 100);
}

static void large_datagrams_pass_whole(void **state)
{
    struct pair *p = *state;
    static char big[65000];

    memset(big, 'x', sizeof(big));
    open_both(p, "127.0.0.1", 65536);
    p->b.stop_at = 10;
    for (int i = 0; i < 10; i++) /* more than the queue holds: it must empty itself */
        udp_send(p->a.udp, &p->b.address, (struct ip){0}, 0, big, sizeof(big));
    let_it_arrive(p);
    assert_int_equal(p->b.bytes, 10 * sizeof(big));
    assert_memory_equal(p->b.last, big, sizeof(big));
}

static void one_that_cannot_leave_does_not_stop_the_others(void **state)
{
    struct pair *p = *state;
    static char huge[65535];

    open_both(p, "127.0.0.1", 0);
    p->b.stop_at = 2;
    udp_send(p->a.udp, &p->b.address, (struct ip){0}, 0, "1", 1);
    udp_send(p->a.udp, &p->b.address, (struct ip){0}, 0, huge, sizeof(huge)); /* EMSGSIZE */
    udp_send(p->a.udp, &p->b.address, (struct ip){0}, 0, "2", 1);
    let_it_arrive(p);
    assert_int_equal(p->b.n, 2);
}

static void a_port_in_use_and_a_missing_interface_are_errors(void **state)
{
    struct pair *p = *state;
    struct udp_options o = {.input = on_input, .interface = "no-such-if0"};
    struct udp *u = NULL;

    open_end(&p->loop, &p->a, "127.0.0.1", 0);
    assert_int_equal(udp_open(&p->loop, &o, &u), -ENODEV);
    o.interface = "lo"; /* needs no privilege since Linux 5.7 */
    o.local = p->a.address;
    assert_int_equal(udp_open(&p->loop, &o, &u), -EADDRINUSE); /* nobody shares it */
    o.interface = NULL;
    assert_int_equal(udp_open(&p->loop, &o, &u), -EADDRINUSE);
    assert_null(u);
    end_close(&p->a);
    assert_int_equal(udp_open(&p->loop, &o, &u), 0); /* free at once */
    udp_close(u);
    uv_run(&p->loop, UV_RUN_DEFAULT);
}

static void ipv6_works_too(void **state)
{
    struct pair *p = *state;
    struct udp_options o = {.input = on_input, .context = &p->a};

    ip_parse(TEXT("::1"), &o.local.ip);
    if (udp_open(&p->loop, &o, &p->a.udp) < 0)
        skip(); /* a kernel without IPv6 */
    p->a.address = o.local;
    p->a.address.port = udp_port(p->a.udp);
    open_end(&p->loop, &p->b, "::1", 0);
    p->b.echoes = true;
    p->a.stop_at = 1;
    udp_send(p->a.udp, &p->b.address, (struct ip){0}, 0, "six", 3);
    let_it_arrive(p);
    assert_true(endpoint_equal(&p->a.seen.from, &p->b.address));
}

/* Bytes that the kernel holds for that port. */
static unsigned long held_for(uint16_t port)
{
    FILE *f = fopen("/proc/self/net/udp", "r");
    unsigned long bytes = 0, held;
    char line[256];
    unsigned at;

    assert_non_null(f);
    while (fgets(line, sizeof(line), f))
        if (sscanf(line, " %*d: %*8[0-9A-F]:%4x %*s %*x %*x:%lx", &at, &held) == 2 && at == port)
            bytes += held;
    fclose(f);
    return bytes;
}

static unsigned long wait_until_held(uint16_t port, unsigned long least)
{
    for (int i = 0; i < 60000 && held_for(port) < least; i++)
        usleep(1000);
    assert_true(held_for(port) >= least);
    return held_for(port);
}

static void send_some(struct pair *p, int n)
{
    while (n--)
        udp_send(p->a.udp, &p->b.address, (struct ip){0}, 0, "x", 1);
    udp_flush(p->a.udp);
}

/* One turn of the loop, of a socket where more waits than four batches: a busy kernel delivers late, also to itself. */
static void assert_turn(unsigned turn_us, size_t least, size_t most)
{
    unsigned long one;
    void *state;
    struct pair *p;

    set_up(&state);
    p = state;
    open_end(&p->loop, &p->a, "127.0.0.1", 0);
    open_end_for(&p->loop, &p->b, "127.0.0.1", 0, turn_us);
    send_some(p, 1);
    one = wait_until_held(p->b.address.port, 1);
    send_some(p, 999);
    wait_until_held(p->b.address.port, 1000 * one);
    uv_run(&p->loop, UV_RUN_NOWAIT);
    assert_in_range(p->b.n, least, most);
    assert_int_equal(tear_down(&state), 0);
}

static void a_turn_reads_four_batches_or_for_as_long_as_it_may(void **state)
{
    assert_turn(0, 4 * UDP_BATCH, 4 * UDP_BATCH);
    assert_turn(1, UDP_BATCH, UDP_BATCH);
    assert_turn(10000000, 1000, 1000);
}

static void hear_nothing(void *context, const struct endpoint *from, const uint8_t *bytes, size_t len)
{
}

static uint8_t seen_ports[65536];

static void on_caller(void *context, const struct udp_datagram *batch, size_t n)
{
    for (size_t i = 0; i < n; i++)
        seen_ports[batch[i].from.port]++;
}

/* Two phones of a fleet that share a port get each other's files. */
static void clients_of_one_address_have_ports_of_their_own(void **state)
{
    static const struct dial_calls calls = {.on_input = hear_nothing};
    static struct dial *clients[900];
    struct pair *p = *state;
    struct dial_options o = {.calls = &calls};
    struct udp_options server = {.input = on_caller, .receive_buffer = 4 << 20};

    ip_parse(TEXT("127.0.0.1"), &o.local);
    server.local.ip = o.local;
    assert_int_equal(udp_open(&p->loop, &server, &p->a.udp), 0);
    p->a.address = (struct endpoint){o.local, udp_port(p->a.udp)};
    for (size_t i = 0; i < 900; i++) {
        assert_int_equal(dial_udp(&p->loop, &o, &clients[i]), 0);
        dial_send_to(clients[i], &p->a.address, "x", 1);
    }
    for (int i = 0; i < 100; i++)
        uv_run(&p->loop, UV_RUN_NOWAIT);
    for (size_t i = 0; i < 65536; i++)
        assert_in_range(seen_ports[i], 0, 1);
    for (size_t i = 0; i < 900; i++)
        dial_close(clients[i]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_batch_goes_out_and_comes_back),
        TEST(what_is_lent_leaves_in_order_with_what_is_copied),
        TEST(the_answer_comes_from_the_address_that_was_asked),
        TEST(longer_datagrams_than_asked_for_are_dropped),
        TEST(large_datagrams_pass_whole),
        TEST(one_that_cannot_leave_does_not_stop_the_others),
        TEST(a_port_in_use_and_a_missing_interface_are_errors),
        TEST(ipv6_works_too),
        TEST(clients_of_one_address_have_ports_of_their_own),
        cmocka_unit_test(a_turn_reads_four_batches_or_for_as_long_as_it_may),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
