#include "test.h"

#include "base/buf.h"

static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 'a', 0};

static void numbers_come_in_both_orders(void **state)
{
    struct reader r = reader_of(bytes, sizeof(bytes));

    assert_int_equal(read_be16(&r), 0x0102);
    assert_int_equal(read_le16(&r), 0x0403);
    assert_int_equal(read_be32(&r), 0x05060708);
    assert_int_equal(read_u8(&r), 9);
    assert_true(text_is(read_zero_text(&r), "a"));
    assert_false(r.bad);
    assert_int_equal(reader_left(&r), 0);
}

static void reading_past_the_end_gives_zero_and_bad_at_every_length(void **state)
{
    for (size_t len = 0; len < 4; len++) {
        struct reader r = reader_of(bytes, len);

        assert_int_equal(read_le32(&r), 0);
        assert_true(r.bad);
        assert_int_equal(reader_left(&r), 0);
    }
}

static void a_text_without_its_nul_is_bad(void **state)
{
    struct reader r = reader_of("abc", 3);

    assert_int_equal(read_zero_text(&r).len, 0);
    assert_true(r.bad);
}

static void a_slice_ends_where_it_was_told(void **state)
{
    struct reader r = reader_of(bytes, sizeof(bytes)), s = read_slice(&r, 2), none;

    assert_int_equal(read_be32(&s), 0);
    assert_true(s.bad);
    assert_int_equal(read_u8(&r), 3);
    none = read_slice(&r, 100);
    assert_true(none.bad && r.bad);
    assert_int_equal(read_u8(&none), 0);
}

static void what_is_written_reads_back(void **state)
{
    uint8_t room[32];
    struct writer w = writer_of(room, sizeof(room));
    struct reader r;

    write_u8(&w, 1);
    write_be16(&w, 0x0203);
    write_le16(&w, 0x0405);
    write_be32(&w, 0x06070809);
    write_le32(&w, 0x0a0b0c0d);
    write_format(&w, "%s-%d", "x", 7);
    write_zeroes(&w, 1);
    r = reader_of(room, writer_len(&w));
    assert_int_equal(read_u8(&r), 1);
    assert_int_equal(read_be16(&r), 0x0203);
    assert_int_equal(read_le16(&r), 0x0405);
    assert_int_equal(read_be32(&r), 0x06070809);
    assert_int_equal(read_le32(&r), 0x0a0b0c0d);
    assert_true(text_is(read_zero_text(&r), "x-7"));
    assert_false(r.bad || w.bad);
}

static void writing_past_the_end_drops_and_is_bad(void **state)
{
    uint8_t room[3] = {0};
    struct writer w = writer_of(room, sizeof(room));

    write_le32(&w, 0xffffffff);
    assert_true(w.bad);
    assert_int_equal(writer_len(&w), 0);
    assert_int_equal(room[0], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_come_in_both_orders),
        cmocka_unit_test(reading_past_the_end_gives_zero_and_bad_at_every_length),
        cmocka_unit_test(a_text_without_its_nul_is_bad),
        cmocka_unit_test(a_slice_ends_where_it_was_told),
        cmocka_unit_test(what_is_written_reads_back),
        cmocka_unit_test(writing_past_the_end_drops_and_is_bad),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
