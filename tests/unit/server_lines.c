#include "test.h"

#include "server/lines.h"

static char seen[256];

static void on_line(void *context, json_t *take_object)
{
    char *text = take_object ? json_dumps(take_object, JSON_COMPACT) : NULL;

    snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "%s;", text ? text : "bad");
    free(text);
    json_decref(take_object);
}

static void lines_are_objects_however_they_are_cut(void **state)
{
    static const char bytes[] = "{\"a\":1}\n\r\n{\"b\":2}\r\n[1]\nx\n{\"c\":";
    struct lines l = {0};

    for (size_t piece = 1; piece < sizeof(bytes); piece++) {
        seen[0] = 0;
        for (size_t at = 0; at < sizeof(bytes) - 1; at += piece)
            assert_int_equal(
                lines_feed(&l, bytes + at,
                           sizeof(bytes) - 1 - at < piece ? sizeof(bytes) - 1 - at : piece, on_line,
                           NULL),
                0);
        assert_string_equal(seen, "{\"a\":1};{\"b\":2};bad;bad;");
        lines_done(&l);
    }
}

static void a_line_without_end_is_refused(void **state)
{
    struct lines l = {0};
    char *bytes = calloc(1, 1 << 20);
    int err = 0;

    memset(bytes, 'x', 1 << 20);
    for (int i = 0; i < 20 && !err; i++)
        err = lines_feed(&l, bytes, 1 << 20, on_line, NULL);
    assert_int_equal(err, -EMSGSIZE);
    lines_done(&l);
    free(bytes);
}

static void a_member_given_twice_is_no_request(void **state)
{
    struct lines l = {0};

    seen[0] = 0;
    lines_feed(&l, "{\"a\":1,\"a\":2}\n", 14, on_line, NULL);
    assert_string_equal(seen, "bad;");
    lines_done(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_objects_however_they_are_cut),
        cmocka_unit_test(a_line_without_end_is_refused),
        cmocka_unit_test(a_member_given_twice_is_no_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
