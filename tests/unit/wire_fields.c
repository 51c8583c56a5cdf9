/* wire_fields.c - the field-table interpreter, on a table of its own. */
#include "test.h"

#include "wire/fields.h"

struct pair {
    uint8_t a, b;
};

struct record {
    uint32_t id;
    uint16_t old;
    struct ip address;
    char name[9];
    uint32_t count;
    struct pair pairs[4];
    struct text note, data;
    uint16_t numbers[3];
    uint32_t late, later;
};

static const struct name ids[] = {{1, "one"}, {0, NULL}};

static const struct field *pair_fields(void)
{
    static const struct field rows[] = {
        {.kind = F_UINT, .len = 1, .at = offsetof(struct pair, a), .stride = 1, .name = "a"},
        {.kind = F_UINT, .len = 1, .at = offsetof(struct pair, b), .stride = 1, .unused = 0xee, .name = "b"},
        {.kind = F_END},
    };

    return rows;
}

#define AT(f) .name = #f, .at = offsetof(struct record, f), .stride = sizeof(((struct record *)0)->f)

static const struct field rows[] = {
    {.kind = F_UINT, .len = 4, .names = ids, AT(id)},
    {.kind = F_ONLY, .from = 0, .len = 2},
    {.kind = F_UINT, .len = 2, AT(old)},
    {.kind = F_ONLY, .from = 0, .len = 255},
    {.kind = F_ADDR, .len = 4, .from = 17, .len2 = 20, AT(address)},
    {.kind = F_STR, .len = 4, .from = 5, .len2 = 8, AT(name)},
    {.kind = F_PAD, .len = 2},
    {.kind = F_UINT, .len = 4, AT(count)},
    {.kind = F_SLOTS, .len = 2, .len2 = 4, .count_at = offsetof(struct record, count), .name = "pairs",
     .at = offsetof(struct record, pairs), .stride = sizeof(struct pair), .rows = pair_fields},
    {.kind = F_LEN, .len = 4, AT(data)},
    {.kind = F_ZSTR, AT(note)},
    {.kind = F_DATA, AT(data)},
    {.kind = F_U16S, .len = 6, AT(numbers)},
    {.kind = F_OPTIONAL},
    {.kind = F_UINT, .len = 4, AT(late)},
    {.kind = F_SINCE, .from = 9},
    {.kind = F_UINT, .len = 4, AT(later)},
    {.kind = F_END},
};

static struct record example(void)
{
    return (struct record){.id = 1, .old = 2, .address = {4, {10, 0, 0, 1}}, .name = "abc", .count = 1,
                           .pairs = {{5, 6}}, .note = TEXT("hi"), .data = TEXT("xyz"), .numbers = {7, 8, 9},
                           .late = 10, .later = 11};
}

static size_t encoded(const struct record *r, unsigned version, uint8_t to[128])
{
    struct writer w = writer_of(to, 128);

    fields_encode(rows, version, r, &w);
    assert_false(w.bad);
    assert_int_equal(writer_len(&w), fields_size(rows, version, r));
    return writer_len(&w);
}

static void bytes_are_those_of_the_table(void **state)
{
    static const uint8_t expected[] = {1, 0, 0, 0, 2, 0, 10, 0, 0, 1, 'a', 'b', 'c', 0, 0, 0, 1, 0, 0, 0, 5, 6, 0, 0xee,
                                       3, 0, 0, 0, 'h', 'i', 0, 'x', 'y', 'z', 7, 0, 8, 0, 9, 0, 10, 0, 0, 0};
    struct record r = example();
    uint8_t bytes[128];

    assert_int_equal(encoded(&r, 0, bytes), sizeof(expected));
    assert_memory_equal(bytes, expected, sizeof(expected));
}

static void what_was_written_is_read_again_in_every_version(void **state)
{
    for (unsigned version = 0; version < 20; version++) {
        struct record r = example(), got;
        uint8_t bytes[128];
        struct reader reader = reader_of(bytes, encoded(&r, version, bytes));

        memset(&got, 0xaa, sizeof(got));
        fields_decode(rows, version, &reader, &got);
        assert_false(reader.bad);
        assert_int_equal(reader_left(&reader), 0);
        assert_int_equal(got.old, version <= 2 ? 2 : 0);
        assert_true(ip_equal(got.address, r.address));
        assert_string_equal(got.name, "abc");
        assert_int_equal(got.pairs[0].b, 6);
        assert_true(text_is(got.data, "xyz") && text_is(got.note, "hi"));
        assert_int_equal(got.numbers[2], 9);
        assert_int_equal(got.later, version >= 9 ? 11 : 0);
    }
}

static void a_short_record_is_bad_before_the_optional_part_only(void **state)
{
    struct record r = example(), got;
    uint8_t bytes[128];
    size_t n = encoded(&r, 9, bytes);

    for (size_t len = 0; len <= n; len++) {
        struct reader reader = reader_of(bytes, len);

        fields_decode(rows, 9, &reader, &got);
        assert_int_equal(reader.bad, len < n - 8);
        assert_int_equal(got.late, len >= n - 4 ? 10 : 0);
    }
}

static void an_optional_field_of_a_later_version_is_taken_when_it_is_there(void **state)
{
    struct record r = example(), got;
    uint8_t bytes[128];
    struct reader reader = reader_of(bytes, encoded(&r, 9, bytes));

    fields_decode(rows, 8, &reader, &got);
    assert_int_equal(got.later, 11);
}

static void a_count_is_cut_to_the_room_of_the_struct(void **state)
{
    struct record r = example(), got;
    uint8_t bytes[128];
    struct reader reader;

    r.count = 4000000000;
    reader = reader_of(bytes, encoded(&r, 3, bytes));
    fields_decode(rows, 3, &reader, &got);
    assert_false(reader.bad);
    assert_int_equal(got.count, 4);
    assert_true(text_is(got.note, "hi"));
}

static void a_full_writer_goes_bad_and_is_not_overrun(void **state)
{
    struct record r = example();
    uint8_t bytes[128];
    size_t n = encoded(&r, 9, bytes);

    for (size_t room = 0; room < n; room++) {
        uint8_t *small = malloc(room ? room : 1);
        struct writer w = writer_of(small, room);

        fields_encode(rows, 9, &r, &w);
        assert_true(w.bad);
        free(small);
    }
}

static void a_dump_names_members_and_values(void **state)
{
    struct record r = example();
    char text[512];
    struct writer w = writer_of(text, sizeof(text) - 1);

    fields_dump(rows, 3, &r, 1, NULL, &w);
    text[writer_len(&w)] = 0;
    assert_string_equal(text, " id 1 (one)\n address 10.0.0.1\n name \"abc\"\n count 1\n pairs[0]:\n   a 5\n   b 6\n"
                              " note \"hi\"\n data \"xyz\"\n numbers 7 8 9\n late 10\n later 11\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_those_of_the_table),
        cmocka_unit_test(what_was_written_is_read_again_in_every_version),
        cmocka_unit_test(a_short_record_is_bad_before_the_optional_part_only),
        cmocka_unit_test(an_optional_field_of_a_later_version_is_taken_when_it_is_there),
        cmocka_unit_test(a_count_is_cut_to_the_room_of_the_struct),
        cmocka_unit_test(a_full_writer_goes_bad_and_is_not_overrun),
        cmocka_unit_test(a_dump_names_members_and_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
