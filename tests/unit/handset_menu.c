/* handset_menu.c - the Settings menu of the 79xx: locks, fields, keys (SIM-2). */
#include "handset/menu.h"

#include "test.h"

static struct menu m;
static struct network flash, now;
static struct menu_view view;
static char title[MENU_WIDTH + 1], rows[MENU_ROWS][MENU_WIDTH + 1];
static unsigned n_rows;
static int cursor;

static int begin(void **state)
{
    flash = network_factory();
    now = flash;
    now.address = ip_v4(0x0a000064);
    now.mask = ip_v4(0xffffff00);
    now.tftp[0] = ip_v4(0x0a000002);
    view = (struct menu_view){
        .now = &now, .load = "P0030801SR02", .mac = {{0, 0x30, 0x94, 0xc2, 0x5d, 0x4e}}};
    menu_init(&m, model_by_name(TEXT("7960")));
    menu_open(&m, &flash);
    return 0;
}

static enum menu_result press(const char *keys)
{
    enum menu_result result = MENU_STAYS;

    for (; *keys; keys++)
        result = menu_key(&m, &view, *keys);
    n_rows = menu_print(&m, &view, title, rows, &cursor);
    return result;
}

static enum menu_result softkey(const char *label)
{
    const char *labels[4];
    unsigned n = menu_softkeys(&m, labels);
    enum menu_result result;

    for (unsigned i = 0; i < n; i++) {
        if (strcmp(labels[i], label) == 0) {
            result = menu_softkey(&m, &view, i);
            n_rows = menu_print(&m, &view, title, rows, &cursor);
            return result;
        }
    }
    return (enum menu_result) - 1;
}

/* Down to the row that begins with this name. */
static void go_to(const char *name)
{
    for (unsigned i = 0; i < 30; i++) {
        press("");
        if (cursor >= 0 && strstr(rows[cursor], name))
            return;
        press("D");
    }
    fail_msg("no row %s", name);
}

static void settings_3_is_network_on_a_7960(void **state)
{
    press("3");
    assert_string_equal(title, "NETWORK CONFIGURATION");
    assert_non_null(strstr(rows[1], "003094C25D4E"));
    go_to("IP Address");
    assert_non_null(strstr(rows[cursor], "10.0.0.100"));
}

static void settings_6_is_network_on_a_7910(void **state)
{
    menu_init(&m, model_by_name(TEXT("7910")));
    menu_open(&m, &flash);
    press("6");
    assert_string_equal(title, "NETWORK CONFIGURATION");
}

static void nothing_can_be_changed_while_it_is_locked(void **state)
{
    press("3");
    go_to("DHCP Enabled");
    assert_int_equal((int)softkey("No"), -1);
    go_to("Alternate TFTP");
    assert_int_equal((int)softkey("Yes"), -1);
}

static void star_star_pound_unlocks_and_locks(void **state)
{
    press("3**#");
    assert_string_equal(title, "NETWORK CONFIGURATION  (unlocked)");
    press("D**#"); /* right after each other they would be **#** */
    assert_string_equal(title, "NETWORK CONFIGURATION");
}

static void star_star_pound_star_star_restarts_the_phone(void **state)
{
    assert_int_equal(press("**#**"), MENU_RESET);
    assert_false(menu_is_open(&m));
}

static void an_alternate_tftp_server_is_typed_with_stars_for_dots(void **state)
{
    press("3**#");
    go_to("Alternate TFTP");
    assert_int_equal(softkey("Yes"), MENU_STAYS);
    press("UUUUUUUUUUUUUUUUUUUU");
    go_to("TFTP Server 1");
    assert_int_equal(softkey("Edit"), MENU_STAYS);
    press("10*1*2*3");
    assert_non_null(strstr(rows[cursor], "10.1.2.3_"));
    assert_int_equal(softkey("Validat"), MENU_STAYS);
    assert_int_equal(softkey("Save"), MENU_SAVED);
    assert_true(m.draft.alternate_tftp);
    assert_true(m.draft.dhcp);
    assert_int_equal(ip_v4_number(m.draft.tftp[0]), 0x0a010203);
}

static void a_tftp_server_cannot_be_typed_without_the_alternate(void **state)
{
    press("3**#");
    go_to("TFTP Server 1");
    assert_int_equal((int)softkey("Edit"), -1);
}

static void with_dhcp_off_the_address_can_be_typed(void **state)
{
    press("3**#");
    go_to("IP Address");
    assert_int_equal((int)softkey("Edit"), -1);
    go_to("DHCP Enabled");
    softkey("No");
    press("UUUUUUUUUUUUUUUUUUUU");
    go_to("IP Address");
    assert_int_equal(softkey("Edit"), MENU_STAYS);
    press("10*0*0*9S");
    softkey("Save");
    assert_false(m.draft.dhcp);
    assert_int_equal(ip_v4_number(m.draft.address), 0x0a000009);
}

static void a_wrong_address_is_not_taken(void **state)
{
    press("3**#");
    go_to("Alternate TFTP");
    softkey("Yes");
    press("UUUUUUUUUUUUUUUUUUUU");
    go_to("TFTP Server 1");
    softkey("Edit");
    press("10*1*2");
    softkey("Validat");
    assert_true(m.editing);
    softkey("<<");
    softkey("Cancel");
    assert_false(m.editing);
    assert_true(ip_is_any(m.draft.tftp[0]));
}

static void leaving_drops_changes_and_locks(void **state)
{
    press("3**#");
    go_to("DHCP Enabled");
    softkey("No");
    press("B");
    assert_int_equal(press("B"), MENU_CLOSED);
    menu_open(&m, &flash);
    assert_true(m.draft.dhcp);
    assert_false(m.unlocked);
}

static void erasing_is_asked_twice(void **state)
{
    press("3**#");
    go_to("Erase Configuration");
    assert_int_equal(softkey("Erase"), MENU_STAYS);
    assert_string_equal(title, "ERASE CONFIGURATION  (unlocked)");
    assert_int_equal(softkey("No"), MENU_STAYS);
    go_to("Erase Configuration");
    softkey("Erase");
    assert_int_equal(softkey("Yes"), MENU_ERASED);
}

static void status_messages_and_model_are_shown(void **state)
{
    static const char messages[2][96] = {"DHCP timeout", "File not found CTLSEP.tlv"};

    view.messages = messages;
    view.n_messages = 2;
    press("5");
    assert_int_equal(n_rows, 2);
    assert_string_equal(rows[0], "DHCP timeout");
    press("B4");
    assert_string_equal(rows[2], "App Load ID    P0030801SR02");
}

static void any_keys_leave_it_whole(void **state)
{
    static const char keys[] = "0123456789*#UDSB";
    uint32_t seed = 3;

    for (unsigned i = 0; i < 200000; i++) {
        const char *labels[4];
        char key[2] = {keys[(seed = seed * 1103515245 + 12345) >> 16 & 15], 0};

        if (!menu_is_open(&m))
            menu_open(&m, &flash);
        press(key);
        if ((seed >> 8) % 7 == 0 && menu_is_open(&m))
            menu_softkey(&m, &view, (seed >> 12) % 4);
        assert_true(menu_softkeys(&m, labels) <= 4);
        assert_true(cursor < (int)(n_rows ? n_rows : 1));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup(name, begin)
        TEST(settings_3_is_network_on_a_7960),
        TEST(settings_6_is_network_on_a_7910),
        TEST(nothing_can_be_changed_while_it_is_locked),
        TEST(star_star_pound_unlocks_and_locks),
        TEST(star_star_pound_star_star_restarts_the_phone),
        TEST(an_alternate_tftp_server_is_typed_with_stars_for_dots),
        TEST(a_tftp_server_cannot_be_typed_without_the_alternate),
        TEST(with_dhcp_off_the_address_can_be_typed),
        TEST(a_wrong_address_is_not_taken),
        TEST(leaving_drops_changes_and_locks),
        TEST(erasing_is_asked_twice),
        TEST(status_messages_and_model_are_shown),
        TEST(any_keys_leave_it_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
