/* wire_sip_write.c - SIP messages as they are written. */
#include "test.h"

#include "wire/sip/write.h"

static char bytes[2048];

static struct writer writer(void)
{
    memset(bytes, 0, sizeof(bytes));
    return writer_of(bytes, sizeof(bytes) - 1);
}

static void answer(const char *via, const char *to, uint16_t status, const char *from_ip)
{
    struct endpoint from = {.port = 5678};
    char text[1024];
    struct sip_message m;
    struct writer w = writer();

    ip_parse(text_of(from_ip), &from.ip);
    snprintf(text, sizeof(text),
             "OPTIONS sip:b SIP/2.0\r\n%sf: <sip:a>;tag=1\r\nTo: %s\r\nCall-ID: x\r\n"
             "Timestamp: 54\r\nCSeq: 7 OPTIONS\r\n\r\n",
             via, to);
    assert_int_equal(sip_parse(text, strlen(text), &m), 0);
    sip_write_response(&w, &m, status, NULL, TEXT("99"), &from);
    sip_write_body(&w, TEXT(""), TEXT(""));
    assert_false(w.bad);
}

static void a_response_copies_what_identifies_the_request(void **state)
{
    answer("Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1\r\nv: SIP/2.0/UDP two, "
           "SIP/2.0/UDP three\r\n",
           "<sip:b>", 404, "192.0.2.1");
    assert_string_equal(bytes, "SIP/2.0 404 Not Found\r\n"
                               "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1\r\n"
                               "Via: SIP/2.0/UDP two, SIP/2.0/UDP three\r\n"
                               "From: <sip:a>;tag=1\r\nTo: <sip:b>;tag=99\r\nCall-ID: x\r\n"
                               "CSeq: 7 OPTIONS\r\nContent-Length: 0\r\n\r\n");
}

static void a_tag_stays_and_100_has_the_timestamp(void **state)
{
    answer("Via: SIP/2.0/UDP 192.0.2.1\r\n", "<sip:b>;tag=2", 100, "192.0.2.1");
    assert_non_null(strstr(bytes, "\r\nTo: <sip:b>;tag=2\r\n"));
    assert_non_null(strstr(bytes, "\r\nTimestamp: 54\r\n"));
}

static void the_topmost_via_says_where_it_came_from(void **state)
{
    static const struct {
        const char *via, *from, *expected;
    } rows[] = {
        {"SIP/2.0/UDP 192.0.2.1", "192.0.2.9", "SIP/2.0/UDP 192.0.2.1;received=192.0.2.9"},
        {"SIP/2.0/UDP h;branch=1", "192.0.2.9", "SIP/2.0/UDP h;branch=1;received=192.0.2.9"},
        {"SIP/2.0/UDP 192.0.2.1;rport;branch=\"1\"", "192.0.2.1",
         "SIP/2.0/UDP 192.0.2.1;branch=\"1\";received=192.0.2.1;rport=5678"},
        {"SIP/2.0/UDP 192.0.2.1;branch=1;received=8.8.8.8;rport=53;x, SIP/2.0/UDP p;rport",
         "192.0.2.1",
         "SIP/2.0/UDP 192.0.2.1;branch=1;x;received=192.0.2.1;rport=5678, SIP/2.0/UDP p;rport"},
        {"SIP/2.0/TCP [2001:db8::1]:5060;branch=1", "2001:db8::1",
         "SIP/2.0/TCP [2001:db8::1]:5060;branch=1"},
        {"SIP/2.0/TCP [2001:db8::1];rport", "2001:db8::2",
         "SIP/2.0/TCP [2001:db8::1];received=2001:db8::2;rport=5678"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        char via[256], expected[256];

        snprintf(via, sizeof(via), "Via: %s\r\n", rows[i].via);
        snprintf(expected, sizeof(expected), "\r\nVia: %s\r\nFrom", rows[i].expected);
        answer(via, "<sip:b>", 200, rows[i].from);
        assert_non_null(strstr(bytes, expected));
    }
}

static void a_request_can_be_read_again(void **state)
{
    struct sip_request_head head = {
        .method = SIP_NOTIFY,
        .uri = TEXT("sip:7001@192.0.2.7:5060"),
        .transport = SIP_UDP,
        .local = {ip_v4(0xc0000201), 5060},
        .branch = TEXT("z9hG4bKabc"),
        .from = TEXT("<sip:server>;tag=1"),
        .to = TEXT("<sip:7001@192.0.2.7>"),
        .call_id = TEXT("c@server"),
        .cseq = 101,
    };
    struct writer w = writer();
    struct sip_message m;

    sip_write_request(&w, &head);
    sip_write_header(&w, SIP_EVENT, TEXT("service-control"));
    sip_write_named(&w, "X-Other", TEXT("y"));
    sip_write_format(&w, "Warning", "399 %s \"x\"", "node");
    sip_write_number(&w, SIP_EXPIRES, UINT32_MAX);
    sip_write_body(&w, TEXT("text/plain"), TEXT("action=reset\r\n"));
    assert_false(w.bad);
    assert_string_equal(bytes, "NOTIFY sip:7001@192.0.2.7:5060 SIP/2.0\r\n"
                               "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKabc;rport\r\n"
                               "From: <sip:server>;tag=1\r\nTo: <sip:7001@192.0.2.7>\r\n"
                               "Call-ID: c@server\r\nCSeq: 101 NOTIFY\r\nMax-Forwards: 70\r\n"
                               "Event: service-control\r\nX-Other: y\r\nWarning: 399 node \"x\"\r\n"
                               "Expires: 4294967295\r\nContent-Type: text/plain\r\n"
                               "Content-Length: 14\r\n\r\naction=reset\r\n");
    assert_int_equal(sip_parse(bytes, writer_len(&w), &m), 0);
    assert_int_equal(m.problem, 0);
}

static void dates_are_right(void **state)
{
    static const struct {
        uint64_t seconds;
        const char *expected;
    } rows[] = {
        {0, "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"},
        {1289690940, "Date: Sat, 13 Nov 2010 23:29:00 GMT\r\n"},
        {951782400, "Date: Tue, 29 Feb 2000 00:00:00 GMT\r\n"},
        {1798761599, "Date: Thu, 31 Dec 2026 23:59:59 GMT\r\n"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct writer w = writer();

        sip_write_date(&w, rows[i].seconds * 1000000);
        assert_string_equal(bytes, rows[i].expected);
    }
}

static void what_does_not_fit_leaves_the_writer_bad(void **state)
{
    for (size_t size = 0; size < 30; size++) {
        struct writer w = writer_of(bytes, size);

        sip_write_format(&w, "Warning", "%s", "a text of some length");
        assert_int_equal(w.bad, size < strlen("Warning: a text of some length\r\n"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_response_copies_what_identifies_the_request),
        cmocka_unit_test(a_tag_stays_and_100_has_the_timestamp),
        cmocka_unit_test(the_topmost_via_says_where_it_came_from),
        cmocka_unit_test(a_request_can_be_read_again),
        cmocka_unit_test(dates_are_right),
        cmocka_unit_test(what_does_not_fit_leaves_the_writer_bad),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
