/* tcp_world.h - a listener of io/tcp/tcp.h on the loopback, and those who connect to it. */
#pragma once

#include "test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

#include "io/tcp/tcp.h"
#include "io/tls/tls.h"

struct world {
    uv_loop_t loop;
    struct tcp *tcp;
    struct tls *tls; /* or NULL; its own */
    struct tcp_options options;
    size_t opened, closed, drained, failed, bytes;
    int last_err;
    uint64_t last;
    const char *why;
    bool echo, close_on_input;
    char input[256];
};

static void on_open(void *context, uint64_t link, const struct endpoint *peer, const struct endpoint *local)
{
    struct world *w = context;

    assert_int_equal(peer->ip.family, 4);
    assert_int_equal(local->port, tcp_port(w->tcp));
    w->opened++;
    w->last = link;
}

static void on_input(void *context, uint64_t link, const uint8_t *bytes, size_t len)
{
    struct world *w = context;

    if (w->bytes + len < sizeof(w->input))
        memcpy(w->input + w->bytes, bytes, len);
    w->bytes += len;
    if (w->echo)
        assert_int_equal(tcp_send(w->tcp, link, bytes, len), 0);
    if (w->close_on_input)
        tcp_close(w->tcp, link);
}

static void on_close(void *context, uint64_t link, int err)
{
    struct world *w = context;

    w->closed++;
    w->last_err = err;
}

static void on_drain(void *context, uint64_t link)
{
    ((struct world *)context)->drained++;
}

static void on_failed(void *context, const struct endpoint *peer, const char *why)
{
    struct world *w = context;

    w->failed++;
    w->why = why;
}

static struct world *world_of_loopback(void)
{
    struct world *w = calloc(1, sizeof(*w));

    uv_loop_init(&w->loop);
    w->options = (struct tcp_options){.local = {.ip = ip_v4(0x7f000001)},
                                      .max_links = 2000,
                                      .max_queued = 256 * 1024,
                                      .context = w,
                                      .on_open = on_open,
                                      .on_input = on_input,
                                      .on_close = on_close,
                                      .on_drain = on_drain,
                                      .on_failed = on_failed};
    return w;
}

static void world_listen(struct world *w)
{
    assert_int_equal(tcp_listen(&w->loop, &w->options, &w->tcp), 0);
}

static void world_free(struct world *w)
{
    tcp_stop(w->tcp);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&w->loop), 0);
    tls_free(w->tls);
    free(w);
}

static int dial(struct world *w)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(tcp_port(w->tcp))};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    to.sin_addr.s_addr = htonl(0x7f000001);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

/* Loopback delivers before send returns, so what was sent is there at the next turn. */
static void turn(struct world *w)
{
    for (int i = 0; i < 8; i++)
        uv_run(&w->loop, UV_RUN_NOWAIT);
}
