/* server_autoregister.c - what an unknown phone gets, and why not (REG-2). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "directory_lines.h"
#include "server/autoregister.h"

static char error[256];

static int come_with(const struct directory **dir, const char *name, uint32_t model, enum device_protocol protocol)
{
    struct change *c = NULL;
    int err = autoregister_change(*dir, TEXT("cm1"), device_name_of(text_of(name)), model,
                                  protocol, &c, error, sizeof(error));

    if (!err)
        err = directory_change(dir, c, error, sizeof(error));
    change_free(c);
    return err;
}

static int come(const struct directory **dir, const char *name, uint32_t model)
{
    return come_with(dir, name, model, PROTOCOL_SCCP);
}

static const char *number_of(const struct directory *dir, const char *name)
{
    const struct phone *p = directory_phone(dir, text_of(name));

    return p ? p->buttons[0].target : "";
}

static void the_door_is_closed_until_somebody_opens_it(void **state)
{
    const struct directory *dir = directory_of_lines("");

    assert_int_equal(come(&dir, "SEP000000000001", 7), -EPERM);
    assert_int_equal(directory_count(dir, ENTITY_phone), 0);
    directory_unref(dir);
}

static void a_phone_gets_number_pool_and_template(void **state)
{
    const struct directory *dir = directory_of_lines(
        "partition New\ncss Dead members=New\npool Fresh css=Dead\n"
        "defaults 7941/sccp pool=Fresh\n"
        "autoregistration cm1 enabled=yes start=8000 end=8009 partition=New mask=555XXXX");
    const struct phone *p;

    assert_int_equal(come(&dir, "SEP000000000001", 115), 0);
    p = directory_phone(dir, TEXT("SEP000000000001"));
    assert_int_equal(p->model, 115);
    assert_string_equal(p->description, "Auto 8000");
    assert_string_equal(p->pool, "Fresh");
    assert_string_equal(p->css, "Dead");
    assert_string_equal(p->template, "Standard 7941 SCCP");
    assert_string_equal(p->buttons[0].target, "8000/New");
    assert_string_equal(p->buttons[0].mask, "555XXXX");
    assert_true(p->auto_registered);
    assert_non_null(directory_find(dir, ENTITY_line, TEXT("8000/New")));
    assert_int_equal(come(&dir, "SEP000000000001", 115), -EEXIST);
    directory_unref(dir);
}

static void numbers_go_round_and_used_ones_are_passed(void **state)
{
    const struct directory *dir =
        directory_of_lines("autoregistration cm1 enabled=yes start=8000 end=8003\nline 8001");
    struct change *c = change_new();

    assert_int_equal(come(&dir, "SEP000000000001", 7), 0);
    assert_int_equal(come(&dir, "SEP000000000002", 7), 0);
    assert_int_equal(come(&dir, "SEP000000000003", 7), 0);
    assert_string_equal(number_of(dir, "SEP000000000002"), "8002");
    assert_string_equal(number_of(dir, "SEP000000000003"), "8003");
    assert_int_equal(come(&dir, "SEP000000000004", 7), -ERANGE);
    assert_non_null(strstr(error, "8000 to 8003"));
    change_delete(c, ENTITY_line, TEXT("8001"));
    assert_int_equal(directory_change(&dir, c, error, sizeof(error)), 0);
    assert_int_equal(come(&dir, "SEP000000000004", 7), 0);
    assert_string_equal(number_of(dir, "SEP000000000004"), "8001");
    change_free(c);
    directory_unref(dir);
}

static void quarantine_has_a_pool_of_its_own(void **state)
{
    const struct directory *dir =
        directory_of_lines("pool Waiting\nautoregistration cm1 enabled=yes start=8000 end=8003 "
                           "quarantine=yes quarantine_pool=Waiting");

    assert_int_equal(come(&dir, "SEP000000000001", 7), 0);
    assert_string_equal(directory_phone(dir, TEXT("SEP000000000001"))->pool, "Waiting");
    assert_true(directory_phone(dir, TEXT("SEP000000000001"))->quarantine);
    directory_unref(dir);
}

static void a_device_type_that_nobody_knows_is_refused(void **state)
{
    const struct directory *dir =
        directory_of_lines("autoregistration cm1 enabled=yes start=8000 end=8003");

    assert_int_equal(come(&dir, "SEP000000000001", 98765), -ENOENT);
    directory_unref(dir);
}

static void a_template_of_another_model_gives_way_to_that_of_the_model(void **state)
{
    const struct directory *dir = directory_of_lines(
        "autoregistration cm1 enabled=yes start=8000 end=8003 template=\"Standard 7960 SCCP\"");

    assert_int_equal(come(&dir, "SEP000000000001", 8), 0);
    assert_string_equal(directory_phone(dir, TEXT("SEP000000000001"))->template,
                        "Standard 7940 SCCP");
    assert_int_equal(come(&dir, "SEP000000000002", 7), 0);
    assert_string_equal(directory_phone(dir, TEXT("SEP000000000002"))->template,
                        "Standard 7960 SCCP");
    directory_unref(dir);
}

static void a_sip_phone_gets_what_fits_its_protocol(void **state)
{
    const struct directory *dir = directory_of_lines("pool Wing\ndefaults 7961/sip pool=Wing\n"
                                                     "autoregistration cm1 enabled=yes start=8000 end=8009");
    const struct phone *p;

    assert_int_equal(come_with(&dir, "SEP000000000001", 30018, PROTOCOL_SIP), 0);
    p = directory_phone(dir, TEXT("SEP000000000001"));
    assert_int_equal(p->protocol, PROTOCOL_SIP);
    assert_string_equal(p->pool, "Wing");
    assert_string_equal(p->template, "Standard 7961 SIP");
    assert_int_equal(come_with(&dir, "SEP000000000002", 683, PROTOCOL_SIP), 0);
    assert_int_equal(directory_phone(dir, TEXT("SEP000000000002"))->protocol, PROTOCOL_SIP);
    assert_int_equal(come_with(&dir, "SEP000000000003", 6, PROTOCOL_SIP), -EPROTONOSUPPORT); /* 7910 */
    assert_int_equal(come_with(&dir, "SEP000000000003", 336, PROTOCOL_SIP), -EPROTONOSUPPORT); /* third party */
    directory_unref(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_door_is_closed_until_somebody_opens_it),
        cmocka_unit_test(a_phone_gets_number_pool_and_template),
        cmocka_unit_test(numbers_go_round_and_used_ones_are_passed),
        cmocka_unit_test(quarantine_has_a_pool_of_its_own),
        cmocka_unit_test(a_device_type_that_nobody_knows_is_refused),
        cmocka_unit_test(a_sip_phone_gets_what_fits_its_protocol),
        cmocka_unit_test(a_template_of_another_model_gives_way_to_that_of_the_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
