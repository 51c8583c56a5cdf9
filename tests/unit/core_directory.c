/* core_directory.c - snapshots, changes, and what is refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/grow.h"
#include "core/settings.h"
#include "directory_lines.h"

static char error[256];

/* Applies lines on top of *dir. */
static int change_lines(const struct directory **dir, const char *lines)
{
    struct change *c = change_of_lines(lines);
    int err = directory_change(dir, c, error, sizeof(error));

    change_free(c);
    return err;
}

static int change_one(const struct directory **dir, struct change *take_change)
{
    int err = directory_change(dir, take_change, error, sizeof(error));

    change_free(take_change);
    return err;
}

static int delete_one(const struct directory **dir, enum entity e, const char *key)
{
    struct change *c = change_new();

    change_delete(c, e, text_of(key));
    return change_one(dir, c);
}

static const struct phone *phone(const struct directory *dir, const char *name)
{
    return directory_phone(dir, text_of(name));
}

static void a_new_node_has_what_the_original_ships(void **state)
{
    const struct directory *dir = directory_factory(TEXT("cm1"), TEXT("10.0.0.1"));
    const struct device_pool *pool;
    const struct template *t;
    const struct callmanager *cm;

    assert_non_null(dir);
    pool = directory_find(dir, ENTITY_device_pool, TEXT("Default"));
    assert_string_equal(pool->group, "Default");
    assert_string_equal(pool->datetime, "CMLocal");
    assert_string_equal(pool->location, "Hub_None");
    assert_string_equal(pool->softkeys, "Standard User");
    cm = directory_find(dir, ENTITY_callmanager, TEXT("cm1"));
    assert_string_equal(cm->server, "10.0.0.1");
    assert_int_equal(cm->sccp_port, 2000);
    t = directory_find(dir, ENTITY_template, TEXT("Standard 7960 SCCP"));
    assert_int_equal(t->model, 7);
    assert_int_equal(t->n_buttons, 6);
    assert_int_equal(t->buttons[1].feature, BUTTON_LINE);
    assert_int_equal(t->buttons[2].feature, BUTTON_SPEED_DIAL);
    assert_false(((const struct autoregistration *)directory_find(dir, ENTITY_autoregistration, TEXT("cm1")))->enabled);
    assert_non_null(directory_find(dir, ENTITY_defaults, TEXT("7960/sccp")));
    assert_int_equal(directory_number(dir, SET_station_keepalive_interval), 30);
    directory_unref(dir);
}

static void a_phone_brings_its_lines(void **state)
{
    const struct directory *dir = directory_of_lines(
        "partition Berlin\n"
        "phone 00:11:22:aa:bb:cc model=7960 lines=7001;7002/Berlin speed_dials=Taxi=0123;Anna=7003");
    const struct phone *p = phone(dir, "sep001122AABBCC");

    assert_non_null(p);
    assert_string_equal(p->name, "SEP001122AABBCC");
    assert_int_equal(p->model, 7);
    assert_int_equal(p->n_buttons, 4);
    assert_string_equal(p->buttons[1].target, "7002/Berlin");
    assert_string_equal(p->buttons[3].label, "Anna");
    assert_int_equal(p->buttons[0].max_calls, 4);
    assert_non_null(directory_find(dir, ENTITY_line, TEXT("7002/Berlin")));
    assert_ptr_equal(directory_line_user(dir, TEXT("7001"), ""), p);
    assert_null(directory_line_user(dir, TEXT("7002"), ""));
    assert_null(directory_line_user(dir, TEXT("7001"), p->name));
    directory_unref(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_node_has_what_the_original_ships),
        cmocka_unit_test(a_phone_brings_its_lines),
    };

    (void)change_lines;
    (void)delete_one;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
