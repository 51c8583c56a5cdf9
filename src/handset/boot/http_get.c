/* http_get.c - a file by HTTP; see http_get.h. */
#include "handset/boot/http_get.h"

#include <stdlib.h>
#include <stdio.h>

#include "wire/http.h"

#define MAX_ANSWER (2048 * 1024 + HTTP_HEAD_MAX) /* phones take no longer files */
#define WAIT_MS    5000

struct http_get {
    struct dial *dial;
    uv_timer_t timer;
    struct endpoint server;
    char *bytes;
    size_t n, room;
    void (*done)(void *context, unsigned status, const void *body, size_t len);
    void *context;
    bool finished;
    char path[];
};

static void on_freed(uv_handle_t *timer)
{
    struct http_get *g = timer->data;

    free(g->bytes);
    free(g);
}

void http_get_free(struct http_get *g)
{
    if (!g || g->finished)
        return;
    g->finished = true;
    dial_close(g->dial);
    uv_close((uv_handle_t *)&g->timer, on_freed);
}

static void finish(struct http_get *g, unsigned status, const void *body, size_t len)
{
    if (g->finished)
        return;
    g->done(g->context, status, body, len);
    http_get_free(g);
}

/* Phones' servers send a length; a body that ends with the connection is taken too. */
static void look(struct http_get *g, bool ended)
{
    struct http_response r;
    int head = g->n ? http_parse_response(g->bytes, g->n, &r) : 0;

    if (head < 0 || (head == 0 && ended)) {
        finish(g, 0, NULL, 0);
    } else if (head > 0) {
        size_t body = g->n - (size_t)head;

        if (r.head.has_length && body >= r.head.length)
            finish(g, r.status, g->bytes + head, (size_t)r.head.length);
        else if (ended)
            finish(g, r.head.has_length ? 0 : r.status, g->bytes + head, body);
    }
}

static void on_input(void *context, const struct endpoint *from, const uint8_t *bytes, size_t len)
{
    struct http_get *g = context;

    if (g->n + len > g->room) {
        size_t room = g->room ? g->room * 2 : 4096;
        char *more;

        while (room < g->n + len)
            room *= 2;
        more = room <= 2 * MAX_ANSWER ? realloc(g->bytes, room) : NULL;
        if (!more) {
            finish(g, 0, NULL, 0);
            return;
        }
        g->bytes = more;
        g->room = room;
    }
    memcpy(g->bytes + g->n, bytes, len);
    g->n += len;
    look(g, false);
}

static void on_open(void *context)
{
    struct http_get *g = context;
    char request[256], host[ENDPOINT_TEXT_MAX];
    int n =
        snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost:%s\r\n\r\n", g->path,
                 endpoint_print(&g->server, host)); /* no blank behind the colon, as the phones */

    if (n < 0 || (size_t)n >= sizeof(request) || dial_send(g->dial, request, (size_t)n) < 0)
        finish(g, 0, NULL, 0);
}

static void on_close(void *context, int err)
{
    struct http_get *g = context;

    g->dial = NULL;
    look(g, true);
    finish(g, 0, NULL, 0);
}

static void on_timeout(uv_timer_t *timer)
{
    finish(timer->data, 0, NULL, 0);
}

struct http_get *http_get_new(uv_loop_t *loop, const struct dial_options *from,
                              const struct endpoint *server, struct text path,
                              void (*done)(void *context, unsigned status, const void *body,
                                           size_t len),
                              void *context)
{
    static const struct dial_calls calls = {on_open, on_input, on_close};
    struct http_get *g = calloc(1, sizeof(*g) + path.len + 1);
    struct dial_options o = *from;

    if (!g)
        return NULL;
    text_copy(g->path, path.len + 1, path);
    g->server = *server;
    g->done = done;
    g->context = context;
    o.calls = &calls;
    o.context = g;
    if (dial_tcp(loop, &o, server, &g->dial) < 0) {
        free(g);
        return NULL;
    }
    uv_timer_init(loop, &g->timer);
    g->timer.data = g;
    uv_timer_start(&g->timer, on_timeout, WAIT_MS, 0);
    return g;
}
