/* server_activation.c - who gets the place that a code was made for, and who does not (REG-3). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "directory_lines.h"
#include "server/activation.h"

#define GUEST "SEP000000000001"
#define SITE                                                                                       \
    "pool Fresh\npool Office\n"                                                                    \
    "autoregistration cm1 enabled=yes start=8000 end=8009 pool=Fresh quarantine=yes "              \
    "quarantine_pool=Fresh\n"                                                                      \
    "phone " GUEST " model=7 pool=Fresh lines=8000 quarantine=yes auto_registered=yes\n"           \
    "phone BAT000000000001 model=7 pool=Office lines=7001;7002 activation_code=4711001122\n"

static char error[256];

static int type(const struct directory **dir, const char *name, uint32_t model, const char *code)
{
    struct change *c = NULL;
    int err = activation_change(*dir, text_of(code), device_name_of(text_of(name)), model,
                                PROTOCOL_SCCP, "2026-11-21", &c, error, sizeof(error));

    if (!err)
        err = directory_change(dir, c, error, sizeof(error));
    change_free(c);
    return err;
}

static void the_prepared_record_takes_the_name_of_the_phone(void **state)
{
    const struct directory *dir = directory_of_lines(SITE);
    const struct phone *p;

    assert_int_equal(type(&dir, GUEST, 7, "4711001122"), 0);
    p = directory_phone(dir, TEXT(GUEST));
    assert_string_equal(p->pool, "Office");
    assert_string_equal(p->buttons[1].target, "7002");
    assert_string_equal(p->activation_code, "");
    assert_false(p->quarantine);
    assert_null(directory_phone(dir, TEXT("BAT000000000001")));
    assert_null(directory_activation(dir, TEXT("4711001122")));
    assert_null(directory_find(dir, ENTITY_line, TEXT("8000"))); /* free again */
    assert_int_equal(directory_count(dir, ENTITY_phone), 1);
    directory_unref(dir);
}

static void nobody_else_gets_it(void **state)
{
    const struct directory *dir =
        directory_of_lines(SITE "phone SEP000000000002 model=7 lines=7003\n"
                                "phone BAT000000000002 model=7 activation_code=4711 "
                                "activation_until=2026-11-20\n");

    assert_int_equal(type(&dir, GUEST, 7, "4711001123"), -ENOENT);
    assert_int_equal(type(&dir, GUEST, 7, ""), -ENOENT);
    assert_int_equal(type(&dir, GUEST, 7, "4711"), -ETIME);
    assert_int_equal(type(&dir, GUEST, 8, "4711001122"), -ENOTSUP);
    assert_int_equal(type(&dir, "SEP000000000002", 7, "4711001122"), -EPERM);
    assert_int_equal(type(&dir, "SEP000000000003", 7, "4711001122"), -EPERM);
    assert_int_equal(directory_count(dir, ENTITY_phone), 4);
    directory_unref(dir);
}

static void a_number_that_others_have_stays(void **state)
{
    const struct directory *dir =
        directory_of_lines(SITE "phone SEP000000000002 model=7 lines=8000\n");

    assert_int_equal(type(&dir, GUEST, 7, "4711001122"), 0);
    assert_non_null(directory_find(dir, ENTITY_line, TEXT("8000")));
    directory_unref(dir);
}

static void one_code_is_for_one_phone(void **state)
{
    const struct directory *dir = directory_of_lines(SITE);
    struct change *c = change_new();

    change_set(c, ENTITY_phone, TEXT(GUEST));
    change_field(c, TEXT("activation_code"), TEXT("4711001122"));
    assert_int_equal(directory_change(&dir, c, error, sizeof(error)), -EINVAL);
    assert_string_equal(error, "BAT000000000001 has that activation code already");
    change_free(c);
    c = change_new();
    change_copy(c, ENTITY_phone, TEXT("BAT000000000001"), TEXT("BAT000000000002"));
    assert_int_equal(directory_change(&dir, c, error, sizeof(error)), 0);
    change_free(c);
    assert_string_equal(directory_phone(dir, TEXT("BAT000000000002"))->activation_code, "");
    directory_unref(dir);
}

static void a_code_that_is_made_is_new(void **state)
{
    const struct directory *dir = directory_of_lines(SITE);
    char one[ACTIVATION_CODE_DIGITS + 1], other[ACTIVATION_CODE_DIGITS + 1];

    assert_int_equal(activation_code_make(dir, one), 0);
    assert_int_equal(activation_code_make(dir, other), 0);
    assert_int_equal(strlen(one), ACTIVATION_CODE_DIGITS);
    assert_int_equal(strspn(one, "0123456789"), ACTIVATION_CODE_DIGITS);
    assert_string_not_equal(one, other);
    directory_unref(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_prepared_record_takes_the_name_of_the_phone),
        cmocka_unit_test(nobody_else_gets_it),
        cmocka_unit_test(a_number_that_others_have_stays),
        cmocka_unit_test(one_code_is_for_one_phone),
        cmocka_unit_test(a_code_that_is_made_is_new),
    };

    return cmocka_run_group_tests_name("server_activation", tests, NULL, NULL);
}
