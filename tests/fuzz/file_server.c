/* file_server.c - any octets on HTTP links, in any pieces; and any file name.
 *
 * The input is a script: a step is an octet of what to do on which link, an octet of length, and so many octets. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "provision/file_names.h"
#include "provision/file_server.h"
#include "provision/loads.h"

static size_t n_open, n_queued;
static bool is_open[4];
static uint8_t file[3000];

#define CHECK(condition) ((condition) ? (void)0 : (fprintf(stderr, "%s:%d: " #condition "\n", __FILE__, __LINE__), abort()))

static void check_name(struct text asked)
{
    struct file_name n;

    if (file_name_parse(asked, &n) < 0)
        return;
    CHECK(n.path[0] != '/' && !strstr(n.path, "..") == !strstr(n.given, "..") && !strstr(n.path, "/../"));
    CHECK(strncmp(n.path, "../", 3) != 0 && strlen(n.path) <= FILE_NAME_MAX);
}

static void open_file(void *context, const struct file_request *r, struct file_answer *a)
{
    check_name(r->name);
    a->err = r->name.len % 5 == 4 ? -2 : 0;
    a->delay_ms = r->name.len % 7 == 6 ? 300 : 0;
    a->size = r->name.len % 3 ? sizeof(file) : r->name.len;
    a->bytes = r->name.len % 2 ? file : NULL;
    a->hold = file;
    n_open += !a->err;
}

static const uint8_t *read_file(void *context, void *hold, uint64_t offset, size_t n)
{
    CHECK(hold == file && offset + n <= sizeof(file));
    return file + offset;
}

static void close_file(void *context, void *hold)
{
    CHECK(n_open > 0);
    n_open--;
}

static int send_bytes(void *context, uint64_t link, const void *bytes, size_t len)
{
    CHECK(link < 4 && is_open[link]);
    n_queued += len;
    return 0;
}

static size_t queued(void *context, uint64_t link)
{
    return n_queued;
}

static void close_link(void *context, uint64_t link)
{
    CHECK(link < 4 && is_open[link]);
    is_open[link] = false;
}

static void report(void *context, const struct file_report *r)
{
    CHECK(r->sent <= sizeof(file));
}

static void step(struct file_server *s, struct reader *script, uint64_t *now_ms)
{
    static const struct endpoint peer = {.ip = {4, {10, 0, 0, 1}}, .port = 1};
    uint8_t what = read_u8(script), len = read_u8(script);
    uint64_t link = what >> 6;
    size_t n = len < reader_left(script) ? len : reader_left(script);
    const uint8_t *bytes = read_bytes(script, n);

    if (!is_open[link])
        is_open[link] = file_server_opened(s, *now_ms, link, &peer, peer.ip);
    if (what % 8 < 5 && is_open[link]) {
        file_server_input(s, *now_ms, link, bytes, n);
    } else if (what % 8 == 5) {
        n_queued = 0;
        file_server_drained(s, *now_ms, link);
        file_server_pump(s, *now_ms);
    } else if (what % 8 == 6 && is_open[link]) {
        is_open[link] = false;
        file_server_closed(s, link);
    } else {
        *now_ms += len * 10u;
        file_server_expire(s, *now_ms);
    }
    CHECK(n_open <= 3);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const struct file_source source = {NULL, open_file, read_file, close_file};
    static const struct file_server_output output = {NULL, send_bytes, queued, close_link, report};
    struct reader script = reader_of(bytes, len);
    struct file_server_settings settings;
    struct file_server *s;
    struct load_info load;
    uint64_t now_ms = 5000;

    check_name((struct text){(const char *)bytes, len});
    load_read("x.loads", bytes, len, &load);
    CHECK(load.n_parts >= 1 && load.n_parts <= LOAD_PARTS_MAX);
    file_server_settings_default(&settings);
    settings.max_links = 3;
    settings.burst = 1000;
    memset(is_open, 0, sizeof(is_open));
    n_queued = 0;
    if (!(s = file_server_new(&settings, &source, &output, now_ms)))
        return 0;
    while (reader_left(&script))
        step(s, &script, &now_ms);
    file_server_expire(s, now_ms + 400);
    file_server_expire(s, now_ms + 10000000);
    CHECK(file_server_count(s) == 0); /* whoever falls silent is closed */
    file_server_free(s);
    CHECK(n_open == 0);
    return 0;
}
