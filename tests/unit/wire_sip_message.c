/* wire_sip_message.c - SIP heads, read in place. */
#include "test.h"

#include "sip_samples.h"
#include "wire/sip/message.h"

#define REQUEST                                                                                    \
    "OPTIONS sip:b@example.com SIP/2.0\r\n"                                                        \
    "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"                                               \
    "From: <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>\r\n"                               \
    "Call-ID: 1@192.0.2.1\r\nCSeq: 1 OPTIONS\r\n"

static struct sip_message m;

static int parse(const char *s)
{
    return sip_parse(s, strlen(s), &m);
}

static void assert_text(struct text t, const char *expected)
{
    assert_int_equal(t.len, strlen(expected));
    assert_memory_equal(t.at, expected, t.len);
}

static void a_register_of_a_phone_is_read(void **state)
{
    assert_int_equal(strlen(SIP_SAMPLE_REGISTER), 966);
    assert_int_equal(parse(SIP_SAMPLE_REGISTER), 0);
    assert_int_equal(m.problem, 0);
    assert_int_equal(m.method, SIP_REGISTER);
    assert_text(m.uri, "sip:cucm1.example.com");
    assert_text(m.via.branch, "z9hG4bK5f0c41aa");
    assert_text(m.from.uri, "sip:7001@cucm1.example.com");
    assert_text(m.from_tag, "00112233445500021b2c3d4e-5f607182");
    assert_null(m.to_tag.at);
    assert_int_equal(m.cseq, 101);
    assert_text(sip_value(&m, SIP_EXPIRES), "3600");
    assert_text(sip_value_named(&m, "USER-agent"), "Cisco-CP8851/12.6.1");
    assert_true(sip_has_token(&m, SIP_SUPPORTED, "x-CISCO-sis-7.0.0"));
    assert_false(sip_has_token(&m, SIP_SUPPORTED, "X-cisco-sis-7.0"));
    assert_int_equal(m.head, 966);
    assert_int_equal(m.body.len, 0);
}

static void a_register_cut_anywhere_is_answered_or_dropped(void **state)
{
    for (size_t len = 0; len < strlen(SIP_SAMPLE_REGISTER); len++) {
        char *copy = malloc(len + 1); /* so that a byte read too far is seen */

        memcpy(copy, SIP_SAMPLE_REGISTER, len);
        assert_true(sip_parse(copy, len, &m) == -EBADMSG || m.problem == 400);
        assert_int_equal(sip_parse_head(copy, len, &m), -EAGAIN);
        free(copy);
    }
}

static void every_name_is_found_in_any_case_and_in_its_short_form(void **state)
{
    for (int id = SIP_OTHER + 1; id < N_SIP_HEADERS; id++) {
        char text[512], name[64];
        size_t i;

        for (i = 0; sip_header_name(id)[i]; i++)
            name[i] = (char)(i % 2 ? sip_header_name(id)[i] | 0x20 : sip_header_name(id)[i]);
        name[i] = '\0';
        snprintf(text, sizeof(text), REQUEST "%s: x\r\n\r\n", name);
        assert_int_equal(parse(text), 0);
        assert_int_equal(m.rows[m.n_rows - 1].id, id);
    }
    assert_int_equal(parse("OPTIONS sip:b@example.com SIP/2.0\r\nv: SIP/2.0/UDP 192.0.2.1\r\n"
                           "f: <sip:a@example.com>\r\nT: <sip:b@example.com>\r\ni: 1\r\n"
                           "CSeq: 1 OPTIONS\r\nm: <sip:c>\r\nl: 0\r\nk: path\r\nz: no\r\n\r\n"),
                     0);
    assert_int_equal(m.problem, 0);
    assert_text(sip_value(&m, SIP_CONTACT), "<sip:c>");
    assert_true(sip_has_token(&m, SIP_SUPPORTED, "path"));
    assert_int_equal(m.rows[m.n_rows - 1].id, SIP_OTHER);
}

static void folded_lines_are_one_value(void **state)
{
    assert_int_equal(parse(REQUEST "Contact:\r\n <sip:one>\r\n\t, <sip:two>\r\n \r\n"
                                   "Expires :\t 7 \r\n\r\n"),
                     0);
    assert_int_equal(m.problem, 0);
    assert_text(sip_value(&m, SIP_EXPIRES), "7");
    assert_text(sip_value(&m, SIP_CONTACT), "<sip:one>\r\n\t, <sip:two>");
}

static void lists_run_over_rows_and_commas(void **state)
{
    static const char *const expected[] = {"\"a, b\" <sip:one>", "<sip:two?x=a,b>;q=1", "*"};
    const struct sip_row *row;
    struct text rest, element;
    size_t n = 0;

    assert_int_equal(parse(REQUEST "Contact: \"a, b\" <sip:one>, <sip:two?x=a,b>;q=1,\r\n"
                                   "Allow: A\r\nm: *\r\n\r\n"),
                     0);
    row = sip_row(&m, SIP_CONTACT);
    rest = row->value;
    while (sip_next(&m, &row, &rest, &element))
        assert_text(element, expected[n++]);
    assert_int_equal(n, 3);
}

static void a_request_that_lacks_something_is_answered_400(void **state)
{
    static const char *const lines[] = {
        "From: <sip:a@example.com>;tag=1\r\n",
        "To: <sip:b@example.com>\r\n",
        "Call-ID: 1@192.0.2.1\r\n",
        "CSeq: 1 OPTIONS\r\n",
    };

    for (size_t i = 0; i < 4; i++) {
        char text[512] = REQUEST "\r\n", *at = strstr(text, lines[i]);

        memmove(at, at + strlen(lines[i]), strlen(at) - strlen(lines[i]) + 1);
        assert_int_equal(parse(text), 0);
        assert_int_equal(m.problem, 400);
    }
    assert_int_equal(parse("OPTIONS sip:b SIP/2.0\r\nFrom: <sip:a>\r\nTo: <sip:b>\r\nCall-ID: 1\r\n"
                           "CSeq: 1 OPTIONS\r\n\r\n"),
                     -EBADMSG); /* no Via: nowhere to answer to */
}

static void numbers_are_judged(void **state)
{
    static const char *const bad[] = {
        "Content-Length: -1\r\n",
        "Content-Length: 99999999999999999999999999\r\n",
        "Content-Length: 18446744073709551616\r\n",
        "Content-Length: 0x10\r\n",
        "Content-Length:\r\n",
        "Content-Length: 1\r\n",
        "Content-Length: 0\r\nContent-Length: 0\r\n",
        "Max-Forwards: 256\r\n",
        "Max-Forwards: -1\r\n",
        "From: <sip:x@example.com>\r\n",
        "Call-ID: other\r\n",
        "no colon\r\n",
        ": no name\r\n",
        "bad name: x\r\n",
    };
    static const char *const sequences[] = {
        "2147483648 OPTIONS", "-1 OPTIONS", "OPTIONS", "1OPTIONS", "1", "1 INVITE", "1 OPTIONS x"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        char text[1024];

        snprintf(text, sizeof(text), REQUEST "%s\r\n", bad[i]);
        assert_int_equal(parse(text), 0);
        assert_int_equal(m.problem, 400);
    }
    for (size_t i = 0; i < sizeof(sequences) / sizeof(*sequences); i++) {
        char text[1024];

        snprintf(text, sizeof(text),
                 "OPTIONS sip:b SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:a>\r\nTo: <sip:b>\r\n"
                 "Call-ID: 1\r\nCSeq: %s\r\n\r\n",
                 sequences[i]);
        assert_int_equal(parse(text), 0);
        assert_int_equal(m.problem, 400);
    }
}

static void start_lines_are_judged(void **state)
{
    static const struct {
        const char *line;
        int verdict; /* 0, a status, or -1: dropped */
    } rows[] = {
        {"OPTIONS sip:b SIP/2.0", 0},
        {"OPTIONS sip:b sip/2.0", 0},
        {"OPTIONS sip:b SIP/3.0", 505},
        {"OPTIONS  sip:b SIP/2.0", 400},
        {"OPTIONS sip:b  SIP/2.0", 400},
        {"OPTIONS sip:b SIP/2.0 ", 400},
        {"OPTIONS <sip:b> SIP/2.0", 400},
        {"OPTIONS sip:b;x y SIP/2.0", 400},
        {"OPTIONS sip:b", -1},
        {"OPTIONS", -1},
        {"OPTIONS SIP/2.0", -1},
        {"OPT@IONS sip:b SIP/2.0", -1},
        {"GET / HTTP/1.1", -1},
        {"SIP/2.0 200 OK", 0},
        {"SIP/2.0 200 ", 0},
        {"SIP/2.0 200", 0},
        {"SIP/2.0 099 No", -1},
        {"SIP/2.0 700 No", -1},
        {"SIP/2.0 2000 No", -1},
        {"SIP/3.0 200 OK", -1},
        {"SIP/2.0 20", -1},
        {"OPTIONS urn:x:y SIP/2.0", 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        char text[512];
        int err;

        snprintf(text, sizeof(text), "%s\r\n%s\r\n", rows[i].line, strstr(REQUEST, "Via"));
        err = parse(text);
        assert_int_equal(err ? -1 : m.problem, rows[i].verdict);
    }
}

static void a_broken_response_or_ack_is_dropped(void **state)
{
    assert_int_equal(
        parse("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:a>\r\nTo: <sip:b>\r\n"
              "CSeq: 1 OPTIONS\r\n\r\n"),
        -EBADMSG);
    assert_int_equal(parse("ACK sip:b SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:a>\r\n"
                           "To: <sip:b>\r\nCSeq: 1 ACK\r\n\r\n"),
                     -EBADMSG);
}

static void ten_thousand_header_lines_are_too_many(void **state)
{
    size_t size = sizeof(REQUEST) + 10000 * 5, len = sizeof(REQUEST) - 1;
    char *text = malloc(size);

    memcpy(text, REQUEST, len);
    for (int i = 0; i < 10000; i++)
        memcpy(text + len, "a:b\r\n", 5), len += 5;
    assert_int_equal(sip_parse(text, len, &m), 0);
    assert_int_equal(m.problem, 400);
    assert_int_equal(m.n_rows, SIP_HEADERS_MAX);
    free(text);
}

static void a_head_without_end_is_too_large(void **state)
{
    char *text = malloc(65535);

    memset(text, 'x', 65535);
    assert_int_equal(sip_parse(text, 65535, &m), -EBADMSG);
    memcpy(text, REQUEST "Subject: ", strlen(REQUEST "Subject: "));
    assert_int_equal(sip_parse(text, 65535, &m), 0);
    assert_int_equal(m.problem, 513);
    free(text);
}

static void nul_bytes_and_strange_bytes_stay_in_values(void **state)
{
    static const char text[] = REQUEST "Subject: a\0b \xff\xfe\r\nX\0: y\r\n\r\n";

    assert_int_equal(sip_parse(text, sizeof(text) - 1, &m), 0);
    assert_int_equal(sip_value(&m, SIP_SUBJECT).len, 6);
    assert_int_equal(m.problem, 400); /* of the name with a NUL */
}

static void bare_line_feeds_end_lines_too(void **state)
{
    assert_int_equal(parse("OPTIONS sip:b SIP/2.0\nVia: SIP/2.0/UDP h\nFrom: <sip:a>\nTo: <sip:b>\n"
                           "Call-ID: 1\nCSeq: 1 OPTIONS\n\nbody"),
                     0);
    assert_int_equal(m.problem, 0);
    assert_text(m.body, "body");
}

static void a_body_is_cut_to_its_length(void **state)
{
    assert_int_equal(parse(REQUEST "Content-Length: 3\r\n\r\nabcdef"), 0);
    assert_text(m.body, "abc");
    assert_int_equal(parse("\r\n\r\n" REQUEST "\r\nabcdef"), 0);
    assert_text(m.body, "abcdef");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_register_of_a_phone_is_read),
        cmocka_unit_test(a_register_cut_anywhere_is_answered_or_dropped),
        cmocka_unit_test(every_name_is_found_in_any_case_and_in_its_short_form),
        cmocka_unit_test(folded_lines_are_one_value),
        cmocka_unit_test(lists_run_over_rows_and_commas),
        cmocka_unit_test(a_request_that_lacks_something_is_answered_400),
        cmocka_unit_test(numbers_are_judged),
        cmocka_unit_test(start_lines_are_judged),
        cmocka_unit_test(a_broken_response_or_ack_is_dropped),
        cmocka_unit_test(ten_thousand_header_lines_are_too_many),
        cmocka_unit_test(a_head_without_end_is_too_large),
        cmocka_unit_test(nul_bytes_and_strange_bytes_stay_in_values),
        cmocka_unit_test(bare_line_feeds_end_lines_too),
        cmocka_unit_test(a_body_is_cut_to_its_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
