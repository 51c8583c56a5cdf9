/* tftp/server.c - any datagrams in any order at any time: the server's state stays sane and bounded.
 *
 * The input is a script: a step is an octet of what to do, an octet of who (client, socket), an octet of
 * length, and so many octets. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "provision/tftp/server.h"

static size_t n_open, n_sent;
static uint8_t file[3000];

#define CHECK(condition) ((condition) ? (void)0 : (fprintf(stderr, "%s:%d: " #condition "\n", __FILE__, __LINE__), abort()))

static void open_file(void *context, const struct file_request *r, struct file_answer *a)
{
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
    return offset == 1024 ? NULL : file + offset;
}

static void close_file(void *context, void *hold)
{
    CHECK(hold == file && n_open > 0);
    n_open--;
}

static void send_datagrams(void *context, unsigned tid, const struct endpoint *to, struct ip local,
                           const void *bytes, size_t len, size_t segment)
{
    CHECK(tid < 3 && len && len <= 65536 && segment <= 65468);
    n_sent += segment ? (len + segment - 1) / segment : 1;
}

static void report(void *context, const struct file_report *r)
{
    CHECK(r->sent <= sizeof(file) && r->name.len <= 512);
}

static void step(struct tftp_server *s, struct reader *script, uint64_t *now_ms)
{
    uint8_t what = read_u8(script), who = read_u8(script), len = read_u8(script);
    struct endpoint from = {.ip = {4, {10, 0, 0, who & 3}}, .port = (uint16_t)(who >> 2 & 7)};
    size_t n = len < reader_left(script) ? len : reader_left(script), before = n_sent;
    const uint8_t *bytes = read_bytes(script, n);

    if (what % 4 == 0) {
        tftp_server_request(s, *now_ms, &from, (struct ip){4, {10, 0, 0, 9}}, bytes, n);
        CHECK(n_sent <= before + 1); /* no request is answered by more than one datagram */
    } else if (what % 4 < 3) {
        tftp_server_packet(s, *now_ms, who >> 5 & 1, &from, bytes, n);
        CHECK(n_sent <= before + 64);
    } else {
        *now_ms += len * 10u;
        tftp_server_expire(s, *now_ms);
    }
    CHECK(tftp_server_count(s) <= 6 && n_open <= 6);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const struct file_source source = {NULL, open_file, read_file, close_file};
    static const struct tftp_output output = {NULL, NULL, send_datagrams, report};
    struct reader script = reader_of(bytes, len);
    struct tftp_settings settings;
    struct tftp_server *s;
    uint64_t now_ms = 5000;

    tftp_settings_default(&settings);
    settings.n_tids = 2;
    settings.max_transfers = 6;
    settings.max_per_client = 3;
    if (!(s = tftp_server_new(&settings, &source, &output, now_ms)))
        return 0;
    while (reader_left(&script))
        step(s, &script, &now_ms);
    for (int i = 0; i < 20; i++)
        tftp_server_expire(s, now_ms += 300000);
    CHECK(tftp_server_count(s) == 0 && n_open == 0); /* whoever falls silent is given up */
    tftp_server_free(s);
    return 0;
}
