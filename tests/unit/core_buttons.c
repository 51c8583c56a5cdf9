/* core_buttons.c - what a phone's record places on its keys. */
#include "test.h"

#include "base/buf.h"
#include "core/buttons.h"
#include "directory_lines.h"

#define A "SEP001122334455"

/* "line 1=7001 speed_dial 1=0123 unused": feature, instance and target of each key. */
static void are(const char *lines, const char *expected)
{
    const struct directory *dir = directory_of_lines(lines);
    const struct phone *phone = directory_phone(dir, TEXT(A));
    struct button buttons[BUTTONS_MAX];
    size_t n = buttons_of(dir, phone, model_find((uint32_t)phone->model), buttons);
    char found[2000];
    struct writer w = writer_of(found, sizeof(found) - 1);

    for (size_t i = 0; i < n; i++) {
        const char *name = names_print(button_features, buttons[i].feature);

        if (buttons[i].feature == 0xff)
            write_string(&w, "none ");
        else
            write_format(&w, "%s%u%s%s ", name ? name : "?", buttons[i].instance,
                         buttons[i].row ? "=" : "", buttons[i].row ? buttons[i].row->target : "");
    }
    *w.at = '\0';
    assert_string_equal(found, expected);
    directory_unref(dir);
}

static void without_a_template_the_keys_of_the_model_are_filled_in_order(void **state)
{
    are("phone " A " model=7940 template=\"\" lines=7001\n", "line1=7001 speed_dial1 ");
    are("phone " A " model=7960 template=\"\" lines=7001;7002 speed_dials=Taxi=0123\n",
        "line1=7001 line2=7002 speed_dial1=0123 speed_dial2 speed_dial3 speed_dial4 ");
    are("phone " A " model=7960 template=\"\"\n",
        "line1 speed_dial1 speed_dial2 speed_dial3 speed_dial4 speed_dial5 ");
}

static void a_template_decides_what_a_key_is(void **state)
{
    are("template T buttons=line;speed_dial;service;unused;speed_dial;dnd\n"
        "phone " A " model=7960 template=T lines=7001 speed_dials=Taxi=0123;Home=4567\n",
        "line1=7001 speed_dial1=0123 service1 none speed_dial2=4567 dnd1 ");
}

static void keys_beyond_the_phone_are_those_of_its_modules(void **state)
{
    are("phone " A " model=7940 template=\"\" lines=1;2 speed_dials=a=11;b=12;c=13\n",
        "line1=1 line2=2 speed_dial1=11 speed_dial2=12 speed_dial3=13 ");
}

static void fixed_keys_stay_where_the_model_has_them(void **state)
{
    are("phone " A " model=7910 template=\"\" lines=7001 speed_dials=Taxi=0123\n",
        "line1=7001 hold1 transfer1 display1 voice_mail1 conference1 forward_all1 speed_dial1=0123 "
        "speed_dial2 redial1 ");
}

static void a_button_is_found_by_feature_and_instance(void **state)
{
    const struct directory *dir =
        directory_of_lines("phone " A " model=7960 lines=7001;7002 speed_dials=Taxi=0123\n");
    const struct phone *phone = directory_phone(dir, TEXT(A));
    const struct model *model = model_find(7);

    assert_string_equal(button_find(dir, phone, model, BUTTON_LINE, 2).row->target, "7002");
    assert_string_equal(button_find(dir, phone, model, BUTTON_SPEED_DIAL, 1).row->target, "0123");
    assert_int_equal(button_find(dir, phone, model, BUTTON_LINE, 3).feature, 0);
    assert_int_equal(button_find(dir, phone, model, BUTTON_LINE, 0).feature, 0);
    directory_unref(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_template_the_keys_of_the_model_are_filled_in_order),
        cmocka_unit_test(a_template_decides_what_a_key_is),
        cmocka_unit_test(keys_beyond_the_phone_are_those_of_its_modules),
        cmocka_unit_test(fixed_keys_stay_where_the_model_has_them),
        cmocka_unit_test(a_button_is_found_by_feature_and_instance),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
