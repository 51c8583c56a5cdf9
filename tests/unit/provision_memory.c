/* provision_memory.c - phones boot while any one allocation fails. */
#include "test.h"

#include "memory.h"
#include "provision/downloads.h"
#include "provision/file_guard.h"
#include "provision/file_server.h"
#include "provision/progress/progress.h"
#include "provision/tftp/server.h"

static uint8_t content[3000];
static int n_open;

static void open_file(void *context, const struct file_request *r, struct file_answer *a)
{
    a->err = text_is(r->name, "there") ? 0 : -ENOENT;
    a->size = sizeof(content);
    a->bytes = content;
    a->hold = content;
    n_open += !a->err;
}

static const uint8_t *read_file(void *context, void *hold, uint64_t offset, size_t n)
{
    return content + offset;
}

static void close_file(void *context, void *hold)
{
    n_open--;
}

static const struct file_source source = {NULL, open_file, read_file, close_file};

static void report(void *context, const struct file_report *r)
{
}

static void send_datagrams(void *context, unsigned tid, const struct endpoint *to, struct ip local,
                           const void *bytes, size_t len, size_t segment)
{
}

static struct endpoint client(unsigned n)
{
    return (struct endpoint){ip_v4(0x0a000000 + n), (uint16_t)(50000 + n)};
}

static void tftp(void)
{
    static const struct tftp_output output = {NULL, NULL, send_datagrams, report};
    static const char ask[] = "\0\1there\0octet\0blksize\0001000";
    struct tftp_settings s;
    struct tftp_server *server;

    tftp_settings_default(&s);
    s.n_tids = 2;
    s.max_transfers = 8;
    if (!(server = tftp_server_new(&s, &source, &output, 1000)))
        return;
    for (unsigned n = 1; n < 12; n++) {
        struct endpoint from = client(n);

        tftp_server_request(server, 1000, &from, ip_v4(1), ask, sizeof(ask));
        for (unsigned tid = 0; tid < 2; tid++)
            tftp_server_packet(server, 1001, tid, &from, "\0\4\0\0", 4);
    }
    tftp_server_expire(server, 100000);
    tftp_server_free(server);
    assert_int_equal(n_open, 0);
}

static void files_by_tftp_are_sent_or_refused_whatever_fails(void **state)
{
    with_each_allocation_failing(tftp, 5);
}

static int http_send(void *context, uint64_t link, const void *bytes, size_t len)
{
    return 0;
}

static size_t http_queued(void *context, uint64_t link)
{
    return 0;
}

static void http_close(void *context, uint64_t link)
{
}

static void http(void)
{
    static const struct file_server_output output = {NULL, http_send, http_queued, http_close,
                                                     report};
    static const char ask[] = "GET /there HTTP/1.1\r\nHost: x\r\n\r\n";
    struct file_server_settings s;
    struct file_server *server;

    file_server_settings_default(&s);
    s.max_links = 4;
    if (!(server = file_server_new(&s, &source, &output, 1000)))
        return;
    for (unsigned n = 1; n < 8; n++) {
        struct endpoint from = client(n);

        if (!file_server_opened(server, 1000, n, &from, ip_v4(1)))
            continue;
        file_server_input(server, 1000, n, (const uint8_t *)ask, 10);
        file_server_input(server, 1001, n, (const uint8_t *)ask + 10, sizeof(ask) - 11);
        while (file_server_pump(server, 1002))
            ;
    }
    file_server_closed(server, 1);
    file_server_expire(server, 1000000);
    file_server_free(server);
    assert_int_equal(n_open, 0);
}

static void files_by_http_are_sent_or_refused_whatever_fails(void **state)
{
    with_each_allocation_failing(http, 5);
}

static bool is_known(const void *context, struct device_name name)
{
    return name.s[14] == '1';
}

static void boots(void)
{
    struct progress *p = progress_new(20, 4, is_known, NULL);

    if (!p)
        return;
    for (unsigned n = 0; n < 40; n++)
        for (uint16_t stage = 0; stage < N_PROGRESS_STAGES; stage++) {
            struct progress_event e = {.time_us = 1700000000000000 + n * 1000,
                                       .mac = mac_of_number(0x1000 + n % 24),
                                       .ip = ip_v4(0x0a000000 + n % 24),
                                       .stage = stage,
                                       .model = 7};

            snprintf(e.detail, sizeof(e.detail), "Cisco %u", n);
            progress_event(p, &e);
        }
    progress_directory_changed(p);
    progress_free(p);
}

static void timelines_are_kept_or_not_whatever_fails(void **state)
{
    with_each_allocation_failing(boots, 10);
}

static void guards(void)
{
    struct file_guard *g = file_guard_new();
    struct downloads *d = downloads_new();

    for (unsigned n = 0; n < 20; n++) {
        struct device_name device = device_name_of_mac(mac_of_number(n % 7));

        if (g) {
            file_guard_set(g, &(struct file_guard_settings){FILE_POLICY_STRICT, 2, 100});
            file_guard_bind(g, device, client(n % 5).ip, BOUND_BY_LEASE, n % 3 == 2);
            file_guard_judge(g, 1000 + n, client(n).ip, device, n % 2);
            file_guard_owner(g, client(n).ip);
        }
        if (d && downloads_begin(d, n % 2 ? "one" : "two", "Default", client(n).ip, 3, n))
            downloads_ended(d, client(n).ip, n);
    }
    file_guard_free(g);
    downloads_free(d);
}

static void guards_and_limits_hold_whatever_fails(void **state)
{
    with_each_allocation_failing(guards, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_by_tftp_are_sent_or_refused_whatever_fails),
        cmocka_unit_test(files_by_http_are_sent_or_refused_whatever_fails),
        cmocka_unit_test(timelines_are_kept_or_not_whatever_fails),
        cmocka_unit_test(guards_and_limits_hold_whatever_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
