#include "test.h"

#include "wire/http.h"

static int parse(const char *s, struct http_request *r)
{
    return http_parse_request(s, strlen(s), r);
}

static void the_request_of_a_real_phone_is_understood(void **state)
{
    struct http_request r;
    const char *s = "GET /CTLSEP2834A2823B58.tlv HTTP/1.1\r\nHost:198.51.100.0:6970\r\n\r\n";

    assert_int_equal(strlen(s), 64);
    assert_int_equal(parse(s, &r), 64);
    assert_int_equal(r.method, HTTP_GET);
    assert_true(text_is(r.target, "/CTLSEP2834A2823B58.tlv"));
    assert_true(text_is(r.host, "198.51.100.0:6970"));
    assert_true(r.head.keep_alive);
    assert_false(r.range.given);
}

static void a_head_that_is_not_whole_asks_for_more_at_every_length(void **state)
{
    struct http_request r;
    const char *s = "GET /a HTTP/1.1\r\nHost: x\r\nRange: bytes=1-\r\n\r\n";

    for (size_t n = 0; n < strlen(s); n++) {
        char *copy = malloc(n ? n : 1);

        memcpy(copy, s, n);
        assert_int_equal(http_parse_request(copy, n, &r), 0);
        free(copy);
    }
    assert_int_equal(parse(s, &r), (int)strlen(s));
}

static void malformed_heads_are_refused(void **state)
{
    static const char *const bad[] = {
        "GET\r\n\r\n",
        "GET /\r\n\r\n",
        "GET / HTTP/2.0\r\n\r\n",
        "GET / HTTP/1.1 \r\n\r\n",
        "GET  / HTTP/1.1\r\n\r\n",
        " GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nno colon\r\n\r\n",
        "GET / HTTP/1.1\r\nName : x\r\n\r\n",
        "GET / HTTP/1.1\r\n: x\r\n\r\n",
        "GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n",
        "GET / HTTP/1.1\r\nA: b\001\r\n\r\n",
        "GET / HTTP/1.1\r\nContent-Length: 1x\r\n\r\n",
        "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
    };
    struct http_request r;

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_int_equal(parse(bad[i], &r), -EBADMSG);
}

static void a_head_without_end_is_refused_when_it_gets_too_long(void **state)
{
    static char s[HTTP_HEAD_MAX];
    struct http_request r;

    memset(s, 'a', sizeof(s));
    assert_int_equal(http_parse_request(s, sizeof(s) - 1, &r), 0);
    assert_int_equal(http_parse_request(s, sizeof(s), &r), -E2BIG);
}

static void connection_and_version_decide_whether_it_stays_open(void **state)
{
    struct http_request r;

    assert_true(parse("\r\nGET / HTTP/1.1\n\n", &r) > 0);
    assert_true(r.head.keep_alive);
    assert_true(parse("GET / HTTP/1.1\r\nConnection: x, Close\r\n\r\n", &r) > 0);
    assert_false(r.head.keep_alive);
    assert_true(parse("GET / HTTP/1.0\r\n\r\n", &r) > 0);
    assert_false(r.head.keep_alive);
    assert_true(parse("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", &r) > 0);
    assert_true(r.head.keep_alive);
}

static struct http_range range_of(const char *value)
{
    char s[200];
    struct http_request r;

    snprintf(s, sizeof(s), "GET / HTTP/1.1\r\nRange: %s\r\n\r\n", value);
    assert_true(parse(s, &r) > 0);
    return r.range;
}

static void ranges_are_cut_to_the_body(void **state)
{
    struct http_range r = range_of("bytes=2-4");
    uint64_t first, n;

    assert_true(http_range_cut(&r, 10, &first, &n) && first == 2 && n == 3);
    assert_true(http_range_cut(&r, 4, &first, &n) && first == 2 && n == 2);
    assert_false(http_range_cut(&r, 2, &first, &n));
    r = range_of("bytes=5-");
    assert_true(http_range_cut(&r, 10, &first, &n) && first == 5 && n == 5);
    r = range_of("bytes=-3");
    assert_true(http_range_cut(&r, 10, &first, &n) && first == 7 && n == 3);
    assert_true(http_range_cut(&r, 2, &first, &n) && first == 0 && n == 2);
    r = range_of("bytes=-0");
    assert_false(http_range_cut(&r, 10, &first, &n));
    assert_false(range_of("bytes=4-2").given);
    assert_false(range_of("bytes=1-2,4-5").given);
    assert_false(range_of("bytes=").given);
    assert_false(range_of("lines=1-2").given);
    assert_false(range_of("bytes=99999999999999999999-").given);
}

static void paths_are_decoded_without_their_query(void **state)
{
    char to[16];

    assert_int_equal(http_path(TEXT("/a%20b?c"), to, sizeof(to)), 4);
    assert_string_equal(to, "/a b");
    assert_int_equal(http_path(TEXT("/%00"), to, sizeof(to)), -EBADMSG);
    assert_int_equal(http_path(TEXT("/%4"), to, sizeof(to)), -EBADMSG);
    assert_int_equal(http_path(TEXT("/%zz"), to, sizeof(to)), -EBADMSG);
    assert_int_equal(http_path(TEXT("/123456789012345"), to, sizeof(to)), -ENOSPC);
}

/* Feeds `s` in pieces of `step` bytes; the body that came out, or "!" when it was refused. */
static const char *body(struct http_body b, const char *s, size_t step)
{
    static char out[256];
    size_t len = strlen(s), at = 0, n = 0;

    while (at < len && !b.done) {
        struct text data;
        size_t piece = len - at < step ? len - at : step;
        int used = http_body_read(&b, s + at, piece, &data);

        if (used < 0)
            return "!";
        memcpy(out + n, data.at, data.len);
        n += data.len;
        at += (size_t)used;
    }
    if (!b.done)
        out[n++] = '~'; /* waits for more */
    out[n] = '\0';
    return out;
}

static void chunks_are_read_whatever_the_pieces(void **state)
{
    struct http_response r;
    struct http_body b;
    const char *head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

    assert_int_equal(http_parse_response(head, strlen(head), &r), (int)strlen(head));
    assert_int_equal(r.status, 200);
    http_body_of_response(&b, &r, false);
    for (size_t step = 1; step < 40; step++) {
        assert_string_equal(body(b, "4\r\nWiki\r\n5;x=y\r\npedia\r\n0\r\nT: x\r\n\r\nnext", step),
                            "Wikipedia");
        assert_string_equal(body(b, "A \r\n0123456789\r\n00\r\n\r\n", step), "0123456789");
        assert_string_equal(body(b, "4\r\nWi", step), "Wi~");
        assert_string_equal(body(b, "\r\nWi", step), "!");
        assert_string_equal(body(b, "g\r\n", step), "!");
        assert_string_equal(body(b, "1\r\nab\r\n", step), "!");
        assert_string_equal(body(b, "1111111111111111\r\n", step), "!");
    }
}

static void bodies_by_length_and_until_close(void **state)
{
    struct http_response r;
    struct http_body b;
    const char *s = "HTTP/1.1 404 Not Found\r\nContent-length: 3\r\n\r\n",
               *t = "HTTP/1.0 200\r\n\r\n";

    assert_true(http_parse_response(s, strlen(s), &r) > 0);
    http_body_of_response(&b, &r, false);
    assert_string_equal(body(b, "abcdef", 2), "abc");
    http_body_of_response(&b, &r, true);
    assert_true(b.done);
    assert_int_equal(http_parse_response(t, strlen(t), &r), (int)strlen(t));
    http_body_of_response(&b, &r, false);
    assert_string_equal(body(b, "abcdef", 2), "abcdef~");
}

static void what_is_written_is_understood(void **state)
{
    char s[400];
    struct writer w = writer_of(s, sizeof(s));
    struct http_request r;

    write_string(&w, "GET /a HTTP/1.1\r\nHost: x\r\n");
    http_write_header(&w, "X", TEXT("y\r\nEvil: 1"));
    http_write_number(&w, "Content-Length", 5);
    http_write_end(&w);
    assert_int_equal(http_parse_request(s, writer_len(&w), &r), (int)writer_len(&w));
    assert_int_equal(r.head.length, 5);
    assert_null(http_header(&r.head, "evil").at);
    assert_true(text_is(http_header(&r.head, "x"), "y  Evil: 1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_request_of_a_real_phone_is_understood),
        cmocka_unit_test(a_head_that_is_not_whole_asks_for_more_at_every_length),
        cmocka_unit_test(malformed_heads_are_refused),
        cmocka_unit_test(a_head_without_end_is_refused_when_it_gets_too_long),
        cmocka_unit_test(connection_and_version_decide_whether_it_stays_open),
        cmocka_unit_test(ranges_are_cut_to_the_body),
        cmocka_unit_test(paths_are_decoded_without_their_query),
        cmocka_unit_test(chunks_are_read_whatever_the_pieces),
        cmocka_unit_test(bodies_by_length_and_until_close),
        cmocka_unit_test(what_is_written_is_understood),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
