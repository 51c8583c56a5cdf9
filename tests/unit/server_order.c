#include "test.h"

#include "server/api/order.h"
#include "server/events/strip.h"

static const char *sorted(const char *const *words, size_t n, bool descending)
{
    static char line[256];
    struct order o = {.n = 0};
    size_t at = 0;

    for (size_t i = 0; i < n; i++)
        assert_int_equal(order_add(&o, words[i], text_of(words[i])), 0);
    order_sort(&o, descending);
    for (size_t i = 0; i < n; i++)
        at += (size_t)snprintf(line + at, sizeof(line) - at, "%s ", (const char *)o.rows[i].row);
    order_done(&o);
    return line;
}

static void numbers_go_by_value_and_letters_in_any_case(void **state)
{
    static const char *const words[] = {"room 10",  "Room 9", "10.0.0.20",
                                        "10.0.0.3", "",       "room 009"};

    assert_string_equal(sorted(words, 6, false), " 10.0.0.3 10.0.0.20 Room 9 room 009 room 10 ");
    assert_string_equal(sorted(words, 6, true), "room 10 room 009 Room 9 10.0.0.20 10.0.0.3  ");
}

static void an_order_of_nothing_is_none(void **state)
{
    struct order o = {.n = 0};

    order_sort(&o, false);
    order_done(&o);
    assert_null(o.rows);
}

static void happened(struct strip *s, uint64_t minute, uint16_t stage, uint32_t code)
{
    strip_event(
        s, &(struct progress_event){.time_us = minute * 60000000, .stage = stage, .code = code});
}

#define DAY (24u * 60)

static void a_day_is_counted_in_steps_of_ten_minutes(void **state)
{
    struct strip s = {0};
    struct strip_slot slot;
    uint64_t begin = 1000 * DAY;

    happened(&s, begin + 5, PROGRESS_REGISTERED, 0);
    happened(&s, begin + 6, PROGRESS_REJECTED, 3);
    happened(&s, begin + 15, PROGRESS_UNREGISTERED, 13);
    happened(&s, begin + 16, PROGRESS_UNREGISTERED, 9); /* reset by an administrator */
    happened(&s, begin + 16, PROGRESS_FILE_ASKED, 0);
    slot = strip_slot(&s, (begin + 15) * 60000000, STRIP_SLOTS - 2);
    assert_int_equal(slot.registered, 1);
    assert_int_equal(slot.refused, 1);
    assert_int_equal(slot.lost, 0);
    slot = strip_slot(&s, (begin + 15) * 60000000, STRIP_SLOTS - 1);
    assert_int_equal(slot.lost, 1);
    assert_int_equal(slot.number, (begin + 15) / 10);
    slot = strip_slot(&s, (begin + DAY + 5) * 60000000, STRIP_SLOTS - 1);
    assert_int_equal(slot.registered, 0);
    happened(&s, begin + DAY + 5, PROGRESS_REGISTERED, 0);
    happened(&s, begin + 5, PROGRESS_REGISTERED, 0); /* too late to be told */
    assert_int_equal(strip_slot(&s, (begin + DAY + 5) * 60000000, STRIP_SLOTS - 1).registered, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_go_by_value_and_letters_in_any_case),
        cmocka_unit_test(an_order_of_nothing_is_none),
        cmocka_unit_test(a_day_is_counted_in_steps_of_ten_minutes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
