/* The HTTP front: whose head does not come is cut off, whose answer does not come yet is not. */
#include "test.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/web/front.h"

struct scene {
    uv_loop_t loop;
    uv_timer_t timer;
    struct front *front;
    unsigned n_requests, turns;
};

static struct front_room on_head(void *context, const struct front_request *r)
{
    return (struct front_room){.max = 1000};
}

static void on_request(void *context, const struct front_request *r)
{
    ((struct scene *)context)->n_requests++;
}

static void on_gone(void *context, uint64_t id, void *kept)
{
}

static void on_turn(uv_timer_t *timer)
{
    struct scene *s = timer->data;

    s->turns++;
    front_end_slow(s->front);
}

static int ask(const struct scene *s, const char *head)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(front_port(s->front)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    assert_int_equal(send(fd, head, strlen(head), MSG_NOSIGNAL), (ssize_t)strlen(head));
    return fd;
}

static bool is_cut(int fd)
{
    char byte;
    ssize_t n = recv(fd, &byte, 1, MSG_DONTWAIT);

    return n == 0 || (n < 0 && errno != EAGAIN);
}

static void whose_head_does_not_come_is_cut_off_whose_answer_does_not_come_is_not(void **state)
{
    struct scene s = {.n_requests = 0};
    struct front_options o = {
        .at.ip = ip_v4(0x7f000001), .context = &s, .on_head = on_head, .on_request = on_request, .on_gone = on_gone, .patience_ms = 100};
    int whole, half, nothing;

    uv_loop_init(&s.loop);
    assert_int_equal(front_open(&s.loop, &o, &s.front), 0);
    uv_timer_init(&s.loop, &s.timer);
    s.timer.data = &s;
    uv_timer_start(&s.timer, on_turn, 20, 20);
    whole = ask(&s, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    while (!s.n_requests)
        uv_run(&s.loop, UV_RUN_ONCE);
    half = ask(&s, "GET / HTTP/1.1\r\nX-Slow: ");
    nothing = ask(&s, "");
    for (s.turns = 0; s.turns < 3000 && !(is_cut(half) && is_cut(nothing));)
        uv_run(&s.loop, UV_RUN_ONCE);
    assert_true(is_cut(half) && is_cut(nothing));
    assert_false(is_cut(whole));
    assert_int_equal(s.n_requests, 1);
    close(whole);
    close(half);
    close(nothing);
    uv_close((uv_handle_t *)&s.timer, NULL);
    front_stop(s.front);
    uv_run(&s.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&s.loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whose_head_does_not_come_is_cut_off_whose_answer_does_not_come_is_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
