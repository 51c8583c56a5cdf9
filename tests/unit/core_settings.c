/* core_settings.c - parameters: found, checked, printed. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "core/settings.h"

static char error[256];

static int check(const char *id, const char *value, int32_t *number)
{
    int i = setting_find(text_of(id));

    assert_true(i >= 0);
    return setting_check((enum setting)i, text_of(value), number, error, sizeof(error));
}

static void every_row_is_sound_and_found_by_id_and_title(void **state)
{
    for (int i = 0; i < N_SETTINGS; i++) {
        const struct setting_row *row = &setting_rows[i];
        char scratch[16];
        int32_t number;

        assert_int_equal(setting_find(text_of(row->id)), i);
        assert_int_equal(setting_find(text_of(row->title)), i);
        assert_true(*row->service && *row->help);
        if (row->kind == SETTING_STRING)
            continue;
        assert_true(row->number >= row->min && row->number <= row->max);
        /* What is printed is taken back. */
        assert_int_equal(setting_check((enum setting)i,
                                       setting_print((enum setting)i, row->number, "", scratch),
                                       &number, error, sizeof(error)),
                         0);
        assert_int_equal(number, row->number);
    }
}

static void numbers_have_a_range_and_say_it(void **state)
{
    int32_t n = 7;

    assert_int_equal(check("station_keepalive_interval", " 60 ", &n), 0);
    assert_int_equal(n, 60);
    assert_int_equal(check("station_keepalive_interval", "1001", &n), -EINVAL);
    assert_string_equal(error, "station_keepalive_interval is a number from 1 to 1000 s");
    assert_int_equal(check("station_keepalive_interval", "", &n), -EINVAL);
    assert_int_equal(check("station_keepalive_interval", "1e3", &n), -EINVAL);
    assert_int_equal(check("station_keepalive_interval", "99999999999", &n), -EINVAL);
    assert_int_equal(n, 60);
}

static void flags_and_choices_are_words(void **state)
{
    int32_t n = 7;

    assert_int_equal(check("cache_constant_files", "No", &n), 0);
    assert_int_equal(n, 0);
    assert_int_equal(check("cache_constant_files", "2", &n), -EINVAL);
    assert_int_equal(check("build_cnf_files", "build none", &n), 0);
    assert_int_equal(n, 2);
    assert_int_equal(check("build_cnf_files", "0", &n), 0);
    assert_int_equal(n, 0);
    assert_int_equal(check("build_cnf_files", "some", &n), -EINVAL);
    assert_non_null(strstr(error, "Build All|Build Selective|Build None"));
}

static void a_name_typed_wrong_finds_its_neighbour(void **state)
{
    assert_int_equal(setting_nearest(TEXT("station_keepalive_intervall")),
                     SET_station_keepalive_interval);
    assert_int_equal(setting_nearest(TEXT("cluster id")), SET_cluster_id);
    assert_int_equal(setting_nearest(TEXT("xyzzy")), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_sound_and_found_by_id_and_title),
        cmocka_unit_test(numbers_have_a_range_and_say_it),
        cmocka_unit_test(flags_and_choices_are_words),
        cmocka_unit_test(a_name_typed_wrong_finds_its_neighbour),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
