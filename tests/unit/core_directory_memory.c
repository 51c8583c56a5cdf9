/* core_directory_memory.c - the n-th allocation fails, n = 1, 2, 3 …: a change is then refused
 * whole, the old snapshot is as it was, and nothing leaks. Linked with --wrap=malloc and its kin.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "directory_lines.h"
#include "memory.h"

static const char before_lines[] = "partition P\npool Paris\n"
                                   "phone SEP000000000001 model=7960 lines=7001;7002/P pool=Paris\n"
                                   "phone SEP000000000002 model=7960 lines=7002/P pool=Paris\n";

static struct change *many_things(void)
{
    struct change *c = change_new();

    change_set(c, ENTITY_device_pool, TEXT("Paris"));
    change_field(c, TEXT("name"), TEXT("Lyon"));
    change_set(c, ENTITY_partition, TEXT("P"));
    change_field(c, TEXT("name"), TEXT("Q"));
    for (int i = 0; i < 40; i++) {
        char name[16];

        snprintf(name, sizeof(name), "SEP0000000001%02d", i);
        change_add(c, ENTITY_phone, text_of(name));
        change_field(c, TEXT("model"), TEXT("7960"));
        change_field(c, TEXT("lines"), text_of(name + 8));
        change_field(c, TEXT("speed_dials"), TEXT("a\\;b=1;c=2"));
    }
    change_delete(c, ENTITY_phone, TEXT("SEP000000000001"));
    change_put(c, ENTITY_parameter, TEXT("url_idle"));
    change_field(c, TEXT("value"), TEXT("http://x"));
    return c;
}

static void assert_untouched(const struct directory *dir, uint64_t version)
{
    assert_int_equal(directory_version(dir), version);
    assert_int_equal(directory_count(dir, ENTITY_phone), 2);
    assert_string_equal(directory_phone(dir, TEXT("SEP000000000001"))->pool, "Paris");
    assert_ptr_equal(directory_line_user(dir, TEXT("7002/P"), ""),
                     directory_phone(dir, TEXT("SEP000000000001")));
}

static void a_change_without_memory_is_refused_whole(void **state)
{
    const struct directory *dir = directory_of_lines(before_lines);
    uint64_t version = directory_version(dir);
    struct change *c = many_things();
    char error[256];
    long n = 0;
    int err;

    do {
        struct delta d = {0};

        until_failure = n++;
        err = directory_apply(dir, c, NULL, &d, error, sizeof(error));
        until_failure = -1;
        assert_true(err == 0 || err == -ENOMEM);
        assert_untouched(dir, version);
        if (!err)
            assert_int_equal(directory_count(d.directory, ENTITY_phone), 41);
        delta_done(&d);
    } while (err);
    assert_true(n > 100); /* it was no empty exercise */
    change_free(c);
    directory_unref(dir);
}

static void building_a_change_without_memory_is_remembered(void **state)
{
    const struct directory *dir = directory_of_lines(before_lines);
    char error[256];
    long n = 0;
    int err;

    do {
        struct change *c;
        struct delta d = {0};

        until_failure = n++;
        c = many_things();
        until_failure = -1;
        err = directory_apply(dir, c, NULL, &d, error, sizeof(error));
        assert_true(err == 0 || err == -ENOMEM);
        delta_done(&d);
        change_free(c);
    } while (err);
    directory_unref(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_without_memory_is_refused_whole),
        cmocka_unit_test(building_a_change_without_memory_is_remembered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
