#include "test.h"

#include "base/text.h"

static void split_gives_every_part_and_ends(void **state)
{
    struct text rest = TEXT("a,,b"), part;
    char joined[32] = "";

    while (rest.at) {
        part = text_split(&rest, ',');
        strncat(joined, part.at, part.len);
        strcat(joined, "|");
    }
    assert_string_equal(joined, "a||b|");
}

static void trim_takes_blanks_at_both_ends_only(void **state)
{
    assert_true(text_is(text_trim(TEXT(" \t a b\r\n")), "a b"));
    assert_int_equal(text_trim(TEXT("   ")).len, 0);
}

static void numbers_are_checked_to_the_last_digit(void **state)
{
    uint64_t n64 = 7;
    uint32_t n = 7;

    assert_int_equal(text_to_u32(TEXT("4294967295"), 10, &n), 0);
    assert_int_equal(n, UINT32_MAX);
    assert_int_equal(text_to_u32(TEXT("4294967296"), 10, &n), -ERANGE);
    assert_int_equal(text_to_u64(TEXT("18446744073709551616"), 10, &n64), -ERANGE);
    assert_int_equal(text_to_u64(TEXT(""), 10, &n64), -EINVAL);
    assert_int_equal(text_to_u64(TEXT("12a"), 10, &n64), -EINVAL);
    assert_int_equal(text_to_u64(TEXT("-1"), 10, &n64), -EINVAL);
    assert_int_equal(n64, 7); /* untouched on failure */
    assert_int_equal(text_to_u64(TEXT("fF"), 16, &n64), 0);
    assert_int_equal(n64, 255);
}

static void copy_is_cut_and_ended(void **state)
{
    char to[4];

    assert_int_equal(text_copy(to, sizeof(to), TEXT("abcdef")), 3);
    assert_string_equal(to, "abc");
}

static void comparing_orders_prefixes_first(void **state)
{
    assert_true(text_compare(TEXT("ab"), TEXT("abc")) < 0);
    assert_true(text_compare(TEXT("b"), TEXT("abc")) > 0);
    assert_int_equal(text_compare(TEXT("abc"), TEXT("abc")), 0);
    assert_true(text_starts_nocase(TEXT("sep0011"), "SEP"));
    assert_false(text_starts(TEXT("SE"), "SEP"));
    assert_true(text_ends(TEXT("a.xml"), ".xml"));
    assert_true(text_contains_nocase(TEXT("Reception desk"), TEXT("DESK")));
    assert_false(text_contains_nocase(TEXT("de"), TEXT("desk")));
}

static void utf8_is_cut_between_characters(void **state)
{
    struct text t = TEXT("a\xc3\xa9\xe2\x82\xac"); /* a, e acute, euro */

    assert_int_equal(text_utf8_cut(t, 2), 1);
    assert_int_equal(text_utf8_cut(t, 3), 3);
    assert_int_equal(text_utf8_cut(t, 5), 3);
    assert_int_equal(text_utf8_cut(t, 6), 6);
}

static void broken_utf8_is_seen(void **state)
{
    assert_true(text_utf8_valid(TEXT("a\xc3\xa9\xf0\x9f\x93\x9e")));
    assert_false(text_utf8_valid(TEXT("\xc0\x80")));         /* overlong */
    assert_false(text_utf8_valid(TEXT("\xe0\x80\x80")));     /* overlong */
    assert_false(text_utf8_valid(TEXT("\xed\xa0\x80")));     /* surrogate */
    assert_false(text_utf8_valid(TEXT("\xf4\x90\x80\x80"))); /* above U+10FFFF */
    assert_false(text_utf8_valid(TEXT("\xe2\x82")));         /* cut */
    assert_false(text_utf8_valid(TEXT("\x80\x17")));         /* a label code of a phone */
}

static void distance_counts_single_edits(void **state)
{
    assert_int_equal(text_distance(TEXT("001122334455"), TEXT("001122334456"), 9), 1);
    assert_int_equal(text_distance(TEXT("abc"), TEXT("bc"), 9), 1);
    assert_int_equal(text_distance(TEXT("kitten"), TEXT("sitting"), 9), 3);
    assert_int_equal(text_distance(TEXT("abc"), TEXT("xyz"), 2), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(split_gives_every_part_and_ends),
        cmocka_unit_test(trim_takes_blanks_at_both_ends_only),
        cmocka_unit_test(numbers_are_checked_to_the_last_digit),
        cmocka_unit_test(copy_is_cut_and_ended),
        cmocka_unit_test(comparing_orders_prefixes_first),
        cmocka_unit_test(utf8_is_cut_between_characters),
        cmocka_unit_test(broken_utf8_is_seen),
        cmocka_unit_test(distance_counts_single_edits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
