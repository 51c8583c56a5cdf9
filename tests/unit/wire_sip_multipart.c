/* wire_sip_multipart.c - bodies of several parts. */
#include "test.h"

#include "wire/sip/multipart.h"

#define MIXED TEXT("multipart/mixed; boundary=uniqueBoundary")

static struct sip_part parts[4];

/* The leaves of a body of this type, in `parts`. */
static int parts_of(struct text type, struct text body, unsigned max)
{
    const struct sip_part whole = {.type = type, .body = body};

    return sip_parts(&whole, parts, max);
}

static void assert_text(struct text t, const char *expected)
{
    assert_int_equal(t.len, strlen(expected));
    assert_memory_equal(t.at, expected, t.len);
}

static void parts_are_read_whatever_the_last_line_ends_with(void **state)
{
    static const char *const ends[] = {"--uniqueBoundary--", "--uniqueBoundary--\r\n",
                                       "--uniqueBoundary-- \t\r\nepilogue\r\n--uniqueBoundary\r\n",
                                       "--uniqueBoundary--\n"};

    for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
        char text[512];

        snprintf(text, sizeof(text),
                 "preamble --uniqueBoundary\r\n--uniqueBoundary\r\n"
                 "Content-Type: text/plain;\r\n charset=utf-8\r\nContent-Disposition: "
                 "session;handling=optional\r\nContent-Id: <1@h>\r\nX: y\r\n\r\none\r\n\r\n"
                 "--uniqueBoundary \r\n\r\ntwo --uniqueBoundary\r\n--uniqueBoundaryX\r\n%s",
                 ends[i]);
        assert_int_equal(parts_of(MIXED, text_of(text), 4), 2);
        assert_true(sip_type_is(parts[0].type, "text/plain"));
        assert_text(parts[0].disposition, "session;handling=optional");
        assert_text(parts[0].id, "1@h");
        assert_text(parts[0].body, "one\r\n");
        assert_int_equal(parts[1].type.len, 0);
        assert_text(parts[1].body, "two --uniqueBoundary\r\n--uniqueBoundaryX");
    }
}

static void boundaries_may_be_quoted_and_odd(void **state)
{
    static const char *const types[] = {
        "multipart/mixed;boundary=\"a 'b()+_,-./:=?\"",
        "Multipart / Mixed ; x=y; BOUNDARY = \"a 'b()+_,-./:=?\" ;z",
    };

    assert_int_equal(
        parts_of(text_of(types[0]), TEXT("--a 'b()+_,-./:=?\r\n\r\n1\r\n--a 'b()+_,-./:=?--"), 4),
        1);
    assert_text(parts[0].body, "1");
    assert_true(sip_type_is(text_of(types[1]), "multipart/mixed"));
}

static void a_plain_body_is_one_part_and_no_body_is_none(void **state)
{
    assert_int_equal(parts_of(TEXT("text/plain"), TEXT("x"), 4), 1);
    assert_text(parts[0].body, "x");
    assert_int_equal(parts_of(MIXED, TEXT(""), 4), 0);
}

static void a_body_may_begin_with_a_blank(void **state)
{
    assert_int_equal(parts_of(TEXT("multipart/mixed;boundary=a"),
                              TEXT("--a\r\nContent-Type: x/y\r\n\r\n\tz\r\n--a--"), 4),
                     1);
    assert_text(parts[0].body, "\tz");
}

static void nested_parts_come_in_order(void **state)
{
    static const char text[] = "--a\r\n\r\n1\r\n--a\r\nContent-Type: multipart/x;boundary=b\r\n\r\n"
                               "--b\r\n\r\n2\r\n--b\r\n\r\n3\r\n--b--\r\n\r\n--a\r\n\r\n4\r\n--a--";

    assert_int_equal(parts_of(TEXT("multipart/mixed;boundary=a"), text_of(text), 4), 4);
    for (int i = 0; i < 4; i++)
        assert_int_equal(*parts[i].body.at, '1' + i);
    assert_int_equal(parts_of(TEXT("multipart/mixed;boundary=a"), text_of(text), 3), -E2BIG);
}

static void endless_nesting_is_refused(void **state)
{
    char text[1024] = "";

    for (int i = 0; i < 8; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text),
                 "--%c\r\nContent-Type: multipart/x;boundary=%c\r\n\r\n", 'a' + i, 'b' + i);
    assert_int_equal(parts_of(TEXT("multipart/mixed;boundary=a"), text_of(text), 4), -E2BIG);
}

static void what_has_no_parts_is_refused(void **state)
{
    static const struct {
        const char *type, *body;
    } rows[] = {
        {"multipart/mixed", "--a\r\n\r\n1\r\n--a--"},
        {"multipart/mixed;boundary=", "--\r\n\r\n1\r\n----"},
        {"multipart/mixed;boundary=b", "--a\r\n\r\n1\r\n--a--"},
        {"multipart/mixed;boundary=a", "--a\r\nno header\r\n\r\n1\r\n--a--"},
        {"multipart/mixed;boundary=a", "x"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        assert_int_equal(parts_of(text_of(rows[i].type), text_of(rows[i].body), 4), -EBADMSG);
    assert_int_equal(parts_of(TEXT("multipart/mixed;boundary=a"), TEXT("--a\r\n\r\n1"), 4), 1);
    assert_text(parts[0].body, "1"); /* without a closing line */
    assert_int_equal(parts_of(TEXT("multipart/mixed;boundary=a"), TEXT("--a\r\n--a--"), 4), 1);
    assert_int_equal(parts[0].body.len, 0);
}

static void what_is_written_is_read_again_at_every_length(void **state)
{
    const struct sip_part out[] = {
        {TEXT("text/plain"), TEXT("session"), TEXT("c@h"), TEXT("one\r\n")},
        {TEXT("a/b"), TEXT(""), TEXT(""), TEXT("")},
    };
    char text[512];
    struct writer w = writer_of(text, sizeof(text));

    sip_write_part(&w, "uniqueBoundary", &out[0]);
    sip_write_part(&w, "uniqueBoundary", &out[1]);
    sip_write_parts_end(&w, "uniqueBoundary");
    assert_int_equal(parts_of(MIXED, (struct text){text, writer_len(&w)}, 4), 2);
    assert_text(parts[0].disposition, "session");
    assert_text(parts[0].id, "c@h");
    assert_text(parts[0].body, "one\r\n");
    assert_text(parts[1].type, "a/b");
    for (size_t len = 0; len < writer_len(&w); len++) {
        char *copy = malloc(len + 1);

        memcpy(copy, text, len);
        assert_true(parts_of(MIXED, (struct text){copy, len}, 4) <= 2);
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_read_whatever_the_last_line_ends_with),
        cmocka_unit_test(boundaries_may_be_quoted_and_odd),
        cmocka_unit_test(a_plain_body_is_one_part_and_no_body_is_none),
        cmocka_unit_test(a_body_may_begin_with_a_blank),
        cmocka_unit_test(nested_parts_come_in_order),
        cmocka_unit_test(endless_nesting_is_refused),
        cmocka_unit_test(what_has_no_parts_is_refused),
        cmocka_unit_test(what_is_written_is_read_again_at_every_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
