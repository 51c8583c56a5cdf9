/* handset_keypad_setup.c - keypad programming of the 12SP+ and 30VIP, rule by rule (SIM-3). */
#include "handset/keypad_setup.h"

#include "test.h"

static struct keypad_setup k;
static struct network now;
static const struct mac mac = {{0x00, 0x30, 0x94, 0xc2, 0x5d, 0x4e}};
static char rows[KEYPAD_ROWS][KEYPAD_COLUMNS + 1];

static int begin(void **state)
{
    keypad_setup_init(&k);
    now = network_factory();
    now.address = ip_v4(0x0a000063);
    now.mask = ip_v4(0xffffff00);
    now.router = ip_v4(0x0a000001);
    now.dns = ip_v4(0x0a000002);
    now.tftp[0] = ip_v4(0x0a000003);
    return 0;
}

/* The result of the last key. */
static enum keypad_result press(const char *keys)
{
    enum keypad_result result = KEYPAD_STAYS;

    for (; *keys; keys++)
        result = keypad_setup_key(&k, &now, mac, *keys);
    keypad_setup_print(&k, rows);
    return result;
}

static void the_words_of_the_document_program_the_phone(void **state)
{
    press("**");
    assert_int_equal(k.page, KEYPAD_STATUS);
    press("#");
    assert_string_equal(rows[0], "Press 1 to disable");
    assert_string_equal(rows[1], "DHCP or # to skip");
    press("1");
    press("10*0*10*100*");
    press("255*255*255*0*");
    press("10*0*10*1*");
    press("10*0*10*2*");
    press("10*0*0*100*");
    assert_string_equal(rows[0], "Press * to exit, or");
    assert_string_equal(rows[1], "1 to disable DHCP");
    assert_int_equal(press("1"), KEYPAD_PROGRAMMED);
    assert_false(k.draft.dhcp);
    assert_true(k.draft.alternate_tftp);
    assert_int_equal(ip_v4_number(k.draft.address), 0x0a000a64);
    assert_int_equal(ip_v4_number(k.draft.mask), 0xffffff00);
    assert_int_equal(ip_v4_number(k.draft.router), 0x0a000a01);
    assert_int_equal(ip_v4_number(k.draft.dns), 0x0a000a02);
    assert_int_equal(ip_v4_number(k.draft.tftp[0]), 0x0a000064);
}

static void a_single_star_opens_nothing(void **state)
{
    press("*1*2");
    assert_int_equal(k.page, KEYPAD_CLOSED);
    press("**");
    assert_int_equal(k.page, KEYPAD_STATUS);
}

static void the_number_sign_keeps_the_value_that_is_shown(void **state)
{
    press("**#1");
    assert_string_equal(rows[0], "IP address");
    assert_string_equal(rows[1], "10.0.0.99");
    press("#####");
    assert_int_equal(k.page, KEYPAD_CONFIRM);
    assert_int_equal(press("1"), KEYPAD_PROGRAMMED);
    assert_int_equal(ip_v4_number(k.draft.address), 0x0a000063);
    assert_int_equal(ip_v4_number(k.draft.tftp[0]), 0x0a000003);
}

static void the_number_sign_drops_what_was_typed_of_this_address(void **state)
{
    press("**#1"
          "10*7#");
    assert_int_equal(k.page, KEYPAD_MASK);
    assert_int_equal(ip_v4_number(k.draft.address), 0x0a000063);
}

static void two_stars_drop_all_changes(void **state)
{
    press("**#1"
          "10*0*10*100*"
          "255*255");
    assert_int_equal(press("**"), KEYPAD_DROPPED);
    assert_int_equal(k.page, KEYPAD_CLOSED);
    assert_int_equal(press("**"), KEYPAD_STAYS);
    press("#1");
    assert_string_equal(rows[1], "10.0.0.99");
}

static void two_stars_after_the_end_of_an_address_drop_too(void **state)
{
    press("**#1"
          "10*0*10*100*");
    assert_int_equal(press("*"), KEYPAD_DROPPED);
}

static void one_star_at_the_last_question_leaves_without_a_change(void **state)
{
    press("**#1#####");
    assert_int_equal(press("*"), KEYPAD_LEFT);
    assert_int_equal(k.page, KEYPAD_CLOSED);
}

static void an_octet_above_255_is_refused_and_the_address_begins_again(void **state)
{
    press("**#1"
          "256");
    assert_string_equal(rows[0], "0 to 255 only");
    press("10*0*0*50*");
    assert_int_equal(k.page, KEYPAD_MASK);
    assert_int_equal(ip_v4_number(k.draft.address), 0x0a000032);
}

static void four_digits_are_refused(void **state)
{
    press("**#1"
          "0001");
    assert_string_equal(rows[0], "0 to 255 only");
}

/* Programs the five and returns to which page the rules sent the phone. */
static enum keypad_page program(const char *address, const char *mask, const char *gateway,
                                const char *dns, const char *tftp)
{
    const char *words[] = {address, mask, gateway, dns, tftp};

    press("**#1");
    for (unsigned i = 0; i < 5; i++) {
        char keys[32];

        snprintf(keys, sizeof(keys), "%s*", words[i]);
        press(keys);
    }
    assert_int_equal(k.page, KEYPAD_CONFIRM);
    press("1");
    return k.page;
}

static void tftp_must_not_be_zero(void **state)
{
    assert_int_equal(program("10*0*0*9", "255*0*0*0", "10*0*0*1", "0*0*0*0", "0*0*0*0"),
                     KEYPAD_TFTP);
    assert_string_equal(rows[0], "TFTP must be set");
}

static void mask_zero_needs_gateway_zero(void **state)
{
    assert_int_equal(program("10*0*0*9", "0*0*0*0", "10*0*0*1", "0*0*0*0", "10*0*0*2"),
                     KEYPAD_MASK);
    assert_int_equal(k.fault, KEYPAD_MASK_ZERO);
}

static void mask_zero_with_gateway_zero_is_fine(void **state)
{
    program("10*0*0*9", "0*0*0*0", "0*0*0*0", "0*0*0*0", "192*168*1*2");
    assert_int_equal(k.fault, KEYPAD_FINE);
}

static void gateway_must_be_in_the_subnet_of_the_host(void **state)
{
    assert_int_equal(program("10*0*0*9", "255*255*255*0", "10*0*1*1", "0*0*0*0", "10*0*0*2"),
                     KEYPAD_GATEWAY);
    assert_int_equal(k.fault, KEYPAD_GATEWAY_OUTSIDE);
}

static void gateway_zero_needs_tftp_in_the_subnet(void **state)
{
    assert_int_equal(program("10*0*0*9", "255*255*255*0", "0*0*0*0", "0*0*0*0", "10*0*1*2"),
                     KEYPAD_GATEWAY);
    assert_int_equal(k.fault, KEYPAD_GATEWAY_NEEDED);
}

static void gateway_zero_needs_dns_in_the_subnet(void **state)
{
    assert_int_equal(program("10*0*0*9", "255*255*255*0", "0*0*0*0", "10*0*1*3", "10*0*0*2"),
                     KEYPAD_GATEWAY);
    assert_int_equal(k.fault, KEYPAD_GATEWAY_NEEDED);
}

static void gateway_zero_with_everything_in_the_subnet_is_fine(void **state)
{
    program("10*0*0*9", "255*255*255*0", "0*0*0*0", "10*0*0*3", "10*0*0*2");
    assert_int_equal(k.fault, KEYPAD_FINE);
}

static void a_mask_with_holes_is_refused(void **state)
{
    assert_int_equal(program("10*0*0*9", "255*0*255*0", "0*0*0*0", "0*0*0*0", "10*0*0*2"),
                     KEYPAD_MASK);
    assert_int_equal(k.fault, KEYPAD_MASK_HOLES);
}

static void address_zero_with_other_values_is_refused(void **state)
{
    assert_int_equal(program("0*0*0*0", "255*255*255*0", "0*0*0*0", "0*0*0*0", "10*0*0*2"),
                     KEYPAD_ADDRESS);
    assert_int_equal(k.fault, KEYPAD_NO_ADDRESS);
}

static void a_fault_can_be_corrected_on_the_spot(void **state)
{
    program("10*0*0*9", "255*255*255*0", "10*0*1*1", "0*0*0*0", "10*0*0*2");
    press("10*0*0*1*"
          "##");
    assert_int_equal(press("1"), KEYPAD_PROGRAMMED);
    assert_int_equal(ip_v4_number(k.draft.router), 0x0a000001);
}

static void all_zero_gives_the_phone_back_to_dhcp(void **state)
{
    press("**#1"
          "0*0*0*0*"
          "0*0*0*0*"
          "0*0*0*0*"
          "0*0*0*0*"
          "0*0*0*0*");
    assert_int_equal(press("1"), KEYPAD_PROGRAMMED);
    assert_true(k.draft.dhcp);
    assert_false(k.draft.alternate_tftp);
}

static void the_mac_address_is_shown_and_cannot_be_changed(void **state)
{
    press("**"
          "11111");
    assert_string_equal(rows[0], "MAC address");
    assert_string_equal(rows[1], "003094C25D4E");
    press("#"
          "#"); /* skip: not the addresses, but the MAC address */
    assert_string_equal(rows[1], "003094C25D4E");
    press("1");
    assert_int_equal(k.page, KEYPAD_MAC);
    press("#");
    assert_int_equal(k.page, KEYPAD_CONFIRM);
}

static void the_status_turns_its_pages(void **state)
{
    press("**");
    assert_string_equal(rows[0], "IP address (DHCP)");
    assert_string_equal(rows[1], "10.0.0.99");
    press("1");
    assert_string_equal(rows[1], "255.255.255.0");
    press("11111");
    assert_string_equal(rows[1], "10.0.0.99");
    assert_int_equal(press("**"), KEYPAD_LEFT);
}

static void no_row_is_wider_than_the_display(void **state)
{
    static const char keys[] = "0123456789*#";

    for (unsigned i = 0; i < 200000; i++) {
        char key[2] = {keys[(i * 2654435761u >> 16) % 12], 0};

        press(key);
        assert_true(strlen(rows[0]) <= KEYPAD_COLUMNS && strlen(rows[1]) <= KEYPAD_COLUMNS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_words_of_the_document_program_the_phone, begin),
        cmocka_unit_test_setup(a_single_star_opens_nothing, begin),
        cmocka_unit_test_setup(the_number_sign_keeps_the_value_that_is_shown, begin),
        cmocka_unit_test_setup(the_number_sign_drops_what_was_typed_of_this_address, begin),
        cmocka_unit_test_setup(two_stars_drop_all_changes, begin),
        cmocka_unit_test_setup(two_stars_after_the_end_of_an_address_drop_too, begin),
        cmocka_unit_test_setup(one_star_at_the_last_question_leaves_without_a_change, begin),
        cmocka_unit_test_setup(an_octet_above_255_is_refused_and_the_address_begins_again, begin),
        cmocka_unit_test_setup(four_digits_are_refused, begin),
        cmocka_unit_test_setup(tftp_must_not_be_zero, begin),
        cmocka_unit_test_setup(mask_zero_needs_gateway_zero, begin),
        cmocka_unit_test_setup(mask_zero_with_gateway_zero_is_fine, begin),
        cmocka_unit_test_setup(gateway_must_be_in_the_subnet_of_the_host, begin),
        cmocka_unit_test_setup(gateway_zero_needs_tftp_in_the_subnet, begin),
        cmocka_unit_test_setup(gateway_zero_needs_dns_in_the_subnet, begin),
        cmocka_unit_test_setup(gateway_zero_with_everything_in_the_subnet_is_fine, begin),
        cmocka_unit_test_setup(a_mask_with_holes_is_refused, begin),
        cmocka_unit_test_setup(address_zero_with_other_values_is_refused, begin),
        cmocka_unit_test_setup(a_fault_can_be_corrected_on_the_spot, begin),
        cmocka_unit_test_setup(all_zero_gives_the_phone_back_to_dhcp, begin),
        cmocka_unit_test_setup(the_mac_address_is_shown_and_cannot_be_changed, begin),
        cmocka_unit_test_setup(the_status_turns_its_pages, begin),
        cmocka_unit_test_setup(no_row_is_wider_than_the_display, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
