/* provision_file_server.c - files by HTTP, link by link, on a virtual clock. */
#include "provision/file_server.h"

#include "test.h"

static struct {
    char sent[400000];
    size_t n_sent, queued; /* queued: of it, what the peer has not taken */
    bool peer_stopped, closed, gone, changed;
    uint64_t closed_link;
    uint8_t file[300000];
    size_t size, n_open;
    bool in_memory;
    int err;
    uint32_t delay_ms;
    char asked[200];
    struct file_report last;
    size_t n_reports;
} net;

static struct file_server *server;
static uint64_t now_ms;

static void open_file(void *context, const struct file_request *r, struct file_answer *a)
{
    assert_true(r->http);
    text_copy(net.asked, sizeof(net.asked), r->name);
    a->err = net.err;
    a->delay_ms = net.delay_ms;
    a->size = net.size;
    a->tag = 0xabc;
    a->bytes = net.in_memory ? net.file : NULL;
    a->hold = &net;
    net.n_open += !a->err;
}

static const uint8_t *read_file(void *context, void *hold, uint64_t offset, size_t n)
{
    assert_true(offset + n <= net.size);
    return net.changed ? NULL : net.file + offset;
}

static void close_file(void *context, void *hold)
{
    net.n_open--;
}

static int send_bytes(void *context, uint64_t link, const void *bytes, size_t len)
{
    if (net.gone)
        return -ENOENT;
    assert_true(net.n_sent + len < sizeof(net.sent));
    memcpy(net.sent + net.n_sent, bytes, len);
    net.n_sent += len;
    net.queued += len;
    return 0;
}

static size_t queued(void *context, uint64_t link)
{
    return net.queued;
}

static void close_link(void *context, uint64_t link)
{
    net.closed = true;
    net.closed_link = link;
}

static void report(void *context, const struct file_report *r)
{
    net.last = *r;
    net.n_reports++;
}

static int set_up(void **state)
{
    static const struct file_source source = {NULL, open_file, read_file, close_file};
    static const struct file_server_output output = {NULL, send_bytes, queued, close_link, report};
    static const struct endpoint phone = {.ip = {4, {10, 0, 0, 7}}, .port = 50000};
    struct file_server_settings s;

    memset(&net, 0, sizeof(net));
    for (size_t i = 0; i < sizeof(net.file); i++)
        net.file[i] = (uint8_t)('a' + i % 26);
    net.size = 20;
    net.in_memory = true;
    now_ms = 1000;
    file_server_settings_default(&s);
    s.max_links = 3;
    s.max_per_client = 2;
    server = file_server_new(&s, &source, &output, now_ms);
    return server && file_server_opened(server, now_ms, 1, &phone, phone.ip) ? 0 : -1;
}

static int tear_down(void **state)
{
    file_server_free(server);
    assert_int_equal(net.n_open, 0);
    return 0;
}

static void say(const char *s)
{
    file_server_input(server, now_ms, 1, s, strlen(s));
}

static void hears(const char *expected)
{
    net.sent[net.n_sent] = '\0';
    assert_string_equal(net.sent, expected);
    net.n_sent = 0;
}

#define HEAD_OK(length) \
    "HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nContent-length: " length \
    "\r\nContent-type: */*\r\nETag: \"0000000000000abc\"\r\n"

static void the_request_of_a_real_phone_is_answered(void **state)
{
    say("GET /CTLSEP2834A2823B58.tlv HTTP/1.1\r\nHost:198.51.100.0:6970\r\n\r\n");
    assert_string_equal(net.asked, "CTLSEP2834A2823B58.tlv");
    hears(HEAD_OK("20") "\r\nabcdefghijklmnopqrst");
    assert_int_equal(net.last.result, FILE_SENT);
    assert_int_equal(net.last.sent, 20);
    assert_false(net.closed);
}

static void a_request_may_come_in_any_pieces(void **state)
{
    static const char request[] = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";

    for (size_t i = 0; i + 1 < sizeof(request); i++) {
        assert_int_equal(net.n_sent, 0);
        file_server_input(server, now_ms, 1, request + i, 1);
    }
    hears(HEAD_OK("20") "\r\nabcdefghijklmnopqrst");
}

static void several_requests_come_on_one_link(void **state)
{
    say("GET /x HTTP/1.1\r\nHost: a\r\n\r\nGET /y HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_string_equal(net.asked, "y");
    hears(HEAD_OK("20") "\r\nabcdefghijklmnopqrst" HEAD_OK("20") "\r\nabcdefghijklmnopqrst");
    assert_int_equal(net.n_reports, 2);
}

static void a_missing_name_gets_404_and_the_end_of_the_link(void **state)
{
    net.err = -ENOENT;
    say("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    hears("HTTP/1.1 404 Not Found\r\nCache-Control: no-store\r\nContent-length: 0\r\nConnection: close\r\n\r\n");
    assert_true(net.closed);
    assert_int_equal(net.last.result, FILE_MISSING);
}

static void what_is_not_yours_looks_like_what_is_not_there(void **state)
{
    net.err = -EACCES;
    say("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    hears("HTTP/1.1 404 Not Found\r\nCache-Control: no-store\r\nContent-length: 0\r\nConnection: close\r\n\r\n");
    assert_int_equal(net.last.result, FILE_REFUSED);
}

static void too_many_requests_get_503_so_that_phones_try_tftp(void **state)
{
    net.err = -EBUSY;
    say("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_memory_equal(net.sent, "HTTP/1.1 503", 12);
}

static void head_gives_the_length_and_no_body(void **state)
{
    say("HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n");
    hears(HEAD_OK("20") "\r\n");
}

static void a_range_gives_a_part(void **state)
{
    say("GET /x HTTP/1.1\r\nHost: a\r\nRange: bytes=2-4\r\n\r\n");
    hears("HTTP/1.1 206 Partial Content\r\nCache-Control: no-store\r\nContent-length: 3\r\nContent-type: */*\r\n"
          "ETag: \"0000000000000abc\"\r\nContent-Range: bytes 2-4/20\r\n\r\ncde");
    say("GET /x HTTP/1.1\r\nHost: a\r\nRange: bytes=30-\r\n\r\n");
    assert_memory_equal(net.sent, "HTTP/1.1 416", 12);
    assert_true(net.closed);
}

static void an_unchanged_file_is_not_sent_again(void **state)
{
    say("GET /x HTTP/1.1\r\nHost: a\r\nIf-None-Match: \"0000000000000abc\"\r\n\r\n");
    hears("HTTP/1.1 304 Not Modified\r\nCache-Control: no-store\r\nContent-type: */*\r\n"
          "ETag: \"0000000000000abc\"\r\n\r\n");
    say("GET /x HTTP/1.1\r\nHost: a\r\nIf-None-Match: \"0000000000000abd\"\r\n\r\n");
    hears(HEAD_OK("20") "\r\nabcdefghijklmnopqrst");
}

static void other_methods_are_refused(void **state)
{
    say("PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
    assert_memory_equal(net.sent, "HTTP/1.1 405", 12);
    assert_true(net.closed);
    assert_string_equal(net.asked, "");
}

static void nonsense_is_refused(void **state)
{
    say("\x16\x03\x01\x02\x01\r\n\r\n"); /* as a TLS client begins */
    assert_memory_equal(net.sent, "HTTP/1.1 400", 12);
    assert_true(net.closed);
}

static void a_head_that_never_ends_is_refused(void **state)
{
    char line[200];

    memset(line, 'a', sizeof(line) - 1);
    line[sizeof(line) - 1] = '\0';
    say("GET /x HTTP/1.1\r\nX: ");
    for (int i = 0; i < 20 && !net.closed; i++)
        say(line);
    assert_true(net.closed);
    assert_memory_equal(net.sent, "HTTP/1.1 431", 12);
}

static void half_a_request_is_given_up_after_a_while(void **state)
{
    say("GET /x HT");
    file_server_expire(server, now_ms += 4999);
    assert_false(net.closed);
    file_server_expire(server, now_ms += 1);
    assert_true(net.closed);
    assert_int_equal(file_server_count(server), 0);
}

static void dots_and_escapes_do_not_lead_out_of_the_tree(void **state)
{
    say("GET /%2e%2e/etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_string_equal(net.asked, "../etc/passwd"); /* and that is no name: file_name_parse */
    say("GET http://a/x HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_string_equal(net.asked, "");
}

static void a_large_file_is_handed_over_as_the_peer_takes_it(void **state)
{
    size_t total = 0;

    net.size = 290000;
    net.in_memory = false;
    say("GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert_in_range(net.n_sent, 256 * 1024, 256 * 1024 + 70000);
    assert_int_equal(net.n_reports, 0);
    assert_true(file_server_pump(server, now_ms)); /* one turn without being emptied is only a late flush */
    assert_false(file_server_pump(server, now_ms)); /* two: it waits for `drained` */
    total = net.n_sent;
    net.queued = 0;
    file_server_drained(server, now_ms, 1);
    assert_true(net.n_sent > total);
    assert_int_equal(net.last.result, FILE_SENT);
    assert_true(net.closed);
    assert_memory_equal(net.sent + net.n_sent - 1000, net.file + net.size - 1000, 1000);
}

static void a_peer_that_takes_nothing_is_given_up(void **state)
{
    net.size = 290000;
    say("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    file_server_expire(server, now_ms += 30000);
    assert_true(net.closed);
    assert_int_equal(net.last.result, FILE_ABORTED);
}

static void a_file_that_changes_under_way_ends_the_link(void **state)
{
    net.size = 290000;
    net.in_memory = false;
    say("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    net.changed = true;
    net.queued = 0;
    file_server_drained(server, now_ms, 1);
    assert_true(net.closed);
    assert_int_equal(net.last.result, FILE_ABORTED);
}

static void an_answer_that_is_held_back_leaves_when_it_is_due(void **state)
{
    net.err = -ENOENT;
    net.delay_ms = 1000;
    say("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    file_server_expire(server, now_ms += 999);
    assert_int_equal(net.n_sent, 0);
    file_server_expire(server, now_ms += 1);
    assert_memory_equal(net.sent, "HTTP/1.1 404", 12);
}

static void a_client_that_leaves_while_its_answer_is_held_back_leaves_nothing_behind(void **state)
{
    net.delay_ms = 1000;
    say("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    file_server_closed(server, 1);
    file_server_expire(server, now_ms += 2000);
    assert_int_equal(net.n_sent, 0);
    assert_int_equal(net.n_open, 0);
}

static bool comes(uint64_t link, uint8_t host)
{
    struct endpoint e = {.ip = {4, {10, 0, 0, host}}, .port = 1};

    net.closed_link = 0;
    return file_server_opened(server, now_ms, link, &e, e.ip);
}

static void who_waits_longest_without_a_request_gives_way(void **state)
{
    assert_true(comes(2, 8) && comes(3, 8));
    assert_true(comes(4, 9));
    assert_int_equal(net.closed_link, 1);
    assert_true(comes(5, 10));
    assert_int_equal(net.closed_link, 2);
    assert_int_equal(file_server_count(server), 3);
}

static void an_address_that_has_its_share_takes_no_links_of_others(void **state)
{
    assert_true(comes(2, 8) && comes(3, 7));
    file_server_input(server, now_ms, 1, "GET /x HT", 9); /* saying it slowly is no help */
    assert_true(comes(4, 7));
    assert_int_equal(net.closed_link, 1);
    assert_true(comes(5, 7));
    assert_int_equal(net.closed_link, 3);
}

static void who_is_served_gives_way_to_nobody(void **state)
{
    net.delay_ms = 2000;
    assert_true(comes(2, 7));
    say("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    file_server_input(server, now_ms, 2, "GET /x HTTP/1.1\r\n\r\n", 19);
    assert_false(comes(3, 7));
    file_server_expire(server, now_ms += 2000); /* both wait for the next request now */
    assert_true(comes(3, 7));
    assert_int_equal(net.closed_link, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_request_of_a_real_phone_is_answered),
        TEST(a_request_may_come_in_any_pieces),
        TEST(several_requests_come_on_one_link),
        TEST(a_missing_name_gets_404_and_the_end_of_the_link),
        TEST(what_is_not_yours_looks_like_what_is_not_there),
        TEST(too_many_requests_get_503_so_that_phones_try_tftp),
        TEST(head_gives_the_length_and_no_body),
        TEST(a_range_gives_a_part),
        TEST(an_unchanged_file_is_not_sent_again),
        TEST(other_methods_are_refused),
        TEST(nonsense_is_refused),
        TEST(a_head_that_never_ends_is_refused),
        TEST(half_a_request_is_given_up_after_a_while),
        TEST(dots_and_escapes_do_not_lead_out_of_the_tree),
        TEST(a_large_file_is_handed_over_as_the_peer_takes_it),
        TEST(a_peer_that_takes_nothing_is_given_up),
        TEST(a_file_that_changes_under_way_ends_the_link),
        TEST(an_answer_that_is_held_back_leaves_when_it_is_due),
        TEST(a_client_that_leaves_while_its_answer_is_held_back_leaves_nothing_behind),
        TEST(who_waits_longest_without_a_request_gives_way),
        TEST(an_address_that_has_its_share_takes_no_links_of_others),
        TEST(who_is_served_gives_way_to_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
