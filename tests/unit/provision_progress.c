#include "test.h"

#include "provision/progress/progress.h"

static const char *directory[8]; /* names that are known */

static bool is_known(const void *context, struct device_name name)
{
    for (size_t i = 0; i < 8; i++)
        if (directory[i] && !strcmp(directory[i], name.s))
            return true;
    return false;
}

static struct progress *fresh(size_t max_known, size_t max_unknown)
{
    memset(directory, 0, sizeof(directory));
    directory[0] = "SEP001122334455";
    return progress_new(max_known, max_unknown, is_known, NULL);
}

static uint64_t base_us = 1700000000000000;

static struct progress_event event(uint64_t at_ms, enum progress_stage stage, const char *mac,
                                   const char *ip, const char *detail)
{
    struct progress_event e = {.time_us = base_us + at_ms * 1000, .stage = (uint16_t)stage};

    if (mac)
        mac_parse(text_of(mac), &e.mac);
    if (ip)
        ip_parse(text_of(ip), &e.ip);
    snprintf(e.detail, sizeof(e.detail), "%s", detail ? detail : "");
    return e;
}

static void tell(struct progress *p, uint64_t at_ms, enum progress_stage stage, const char *mac,
                 const char *ip, const char *detail)
{
    struct progress_event e = event(at_ms, stage, mac, ip, detail);

    progress_event(p, &e);
}

static void boot(struct progress *p, uint64_t at, const char *mac, const char *ip)
{
    struct progress_event e;

    tell(p, at, PROGRESS_DHCP_DISCOVER, mac, NULL, "Cisco Systems, Inc. IP Phone CP-7960G");
    tell(p, at + 2, PROGRESS_DHCP_OFFER, mac, ip, NULL);
    tell(p, at + 5, PROGRESS_DHCP_REQUEST, mac, NULL, NULL);
    tell(p, at + 8, PROGRESS_DHCP_ACK, mac, ip, NULL);
    tell(p, at + 100, PROGRESS_FILE_ASKED, NULL, ip, "OS79XX.TXT");
    tell(p, at + 101, PROGRESS_FILE_SENT, NULL, ip, "OS79XX.TXT");
    e = event(at + 400, PROGRESS_REGISTER, mac, ip, NULL);
    e.model = 7;
    progress_event(p, &e);
    tell(p, at + 450, PROGRESS_REGISTERED, mac, ip, "P00308010200");
}

static void a_boot_is_one_timeline_though_services_know_the_phone_by_different_names(void **state)
{
    struct progress *p = fresh(10, 10);
    struct progress_step steps[PROGRESS_STEPS];
    const struct progress_phone *phone;

    boot(p, 0, "001122334455", "10.0.0.7");
    phone = progress_find(p, device_name_of(TEXT("SEP001122334455")));
    assert_non_null(phone);
    assert_true(phone->known);
    assert_int_equal(phone->tries, 1);
    assert_int_equal(phone->model, 7);
    assert_int_equal(progress_boot(phone, 0).outcome, PROGRESS_REGISTERED);
    assert_int_equal(progress_boot(phone, 0).total_ms, 450);
    assert_int_equal(progress_steps(p, phone, steps), 8);
    assert_int_equal(steps[4].stage, PROGRESS_FILE_ASKED);
    assert_int_equal(steps[4].at_ms, 100);
    assert_string_equal(steps[4].detail, "OS79XX.TXT");
    assert_string_equal(steps[0].detail, "Cisco Systems, Inc. IP…");
    progress_free(p);
}

static void steps_are_in_the_order_of_time_though_services_tell_them_late(void **state)
{
    struct progress *p = fresh(10, 10);
    struct progress_step steps[PROGRESS_STEPS];

    tell(p, 0, PROGRESS_DHCP_ACK, "001122334455", "10.0.0.7", NULL);
    tell(p, 3, PROGRESS_FILE_ASKED, NULL, "10.0.0.7", "a");
    tell(p, 9, PROGRESS_FILE_SENT, NULL, "10.0.0.7", "a");
    tell(p, 5, PROGRESS_REGISTER, "001122334455", "10.0.0.7", NULL);
    assert_int_equal(
        progress_steps(p, progress_find(p, device_name_of(TEXT("SEP001122334455"))), steps), 4);
    assert_int_equal(steps[2].stage, PROGRESS_REGISTER);
    assert_int_equal(steps[3].stage, PROGRESS_FILE_SENT);
    progress_free(p);
}

static void who_asks_and_is_taken_at_once_has_both_steps_and_is_known(void **state)
{
    struct progress *p = fresh(10, 10);
    struct progress_step steps[PROGRESS_STEPS];
    const struct progress_phone *phone;
    struct progress_event e = event(7, PROGRESS_REGISTERED, "AABBCCDDEEFF", "10.0.0.8", "sip88xx");

    e.at_once = true;
    e.device = device_name_of_mac(e.mac);
    progress_event(p, &e);
    phone = progress_find(p, device_name_of(TEXT("SEPAABBCCDDEEFF")));
    assert_true(phone->known); /* the directory of this thread may be older */
    assert_int_equal(phone->boot.outcome, PROGRESS_REGISTERED);
    assert_int_equal(progress_steps(p, phone, steps), 2);
    assert_int_equal(steps[0].stage, PROGRESS_REGISTER);
    assert_int_equal(steps[1].stage, PROGRESS_REGISTERED);
    tell(p, 9, PROGRESS_UNREGISTERED, "AABBCCDDEEFF", "10.0.0.8", NULL);
    assert_false(phone->known);
    progress_free(p);
}

static void renewals_and_neighbours_of_a_registered_phone_are_no_boot(void **state)
{
    struct progress *p = fresh(10, 10);
    const struct progress_phone *phone;
    struct progress_event link = event(900000, PROGRESS_LINK, NULL, NULL, "switch4 Gi0/7");

    boot(p, 0, "001122334455", "10.0.0.7");
    tell(p, 800000, PROGRESS_DHCP_REQUEST, "001122334455", NULL, "Cisco Systems, Inc. IP Phone");
    tell(p, 800001, PROGRESS_DHCP_ACK, "001122334455", "10.0.0.7", NULL);
    link.device = device_name_of(TEXT("SEP001122334455"));
    progress_event(p, &link);
    phone = progress_find(p, link.device);
    assert_int_equal(phone->tries, 1);
    assert_int_equal(phone->n_steps, 8);
    assert_int_equal(progress_boot(phone, 0).outcome, PROGRESS_REGISTERED);
    assert_string_equal(progress_port(phone), "switch4 Gi0/7");
    progress_free(p);
}

static void the_last_boots_are_kept_newest_first(void **state)
{
    struct progress *p = fresh(10, 10);
    const struct progress_phone *phone;

    for (int i = 0; i < 6; i++)
        boot(p, (uint64_t)i * 100000, "001122334455", "10.0.0.7");
    phone = progress_find(p, device_name_of(TEXT("SEP001122334455")));
    assert_int_equal(phone->tries, 6);
    assert_int_equal(phone->n_steps, 8); /* of the newest boot only */
    for (int i = 0; i < PROGRESS_BOOTS; i++)
        assert_int_equal(progress_boot(phone, i).start_us, base_us + (uint64_t)(5 - i) * 100000000);
    progress_free(p);
}

static void repeated_stages_are_one_step_and_steps_are_bounded(void **state)
{
    struct progress *p = fresh(10, 10);
    struct progress_step steps[PROGRESS_STEPS];
    const struct progress_phone *phone;
    char file[32];

    for (int i = 0; i < 1000; i++)
        tell(p, (uint64_t)i, PROGRESS_DHCP_DISCOVER, "001122334455", NULL, "Cisco");
    for (int i = 0; i < 100; i++) {
        snprintf(file, sizeof(file), "ring%d.raw", i);
        tell(p, 2000 + (uint64_t)i, PROGRESS_FILE_ASKED, "001122334455", NULL, file);
    }
    phone = progress_find(p, device_name_of(TEXT("SEP001122334455")));
    assert_int_equal(progress_steps(p, phone, steps), PROGRESS_STEPS);
    assert_int_equal(steps[0].times, 255);
    assert_string_equal(steps[PROGRESS_STEPS - 1].detail, "ring99.raw");
    progress_free(p);
}

static void a_computer_that_asks_for_an_address_is_no_unknown_phone(void **state)
{
    struct progress *p = fresh(10, 10);

    tell(p, 0, PROGRESS_DHCP_DISCOVER, "aabbccddeeff", NULL, "MSFT 5.0");
    tell(p, 0, PROGRESS_FILE_ASKED, NULL, "10.0.0.9", "pxelinux.0");
    assert_int_equal(progress_n_unknown(p), 0);
    tell(p, 0, PROGRESS_FILE_ASKED, NULL, "10.0.0.9", "CTLSEPAABBCCDDEEFF.tlv");
    assert_int_equal(progress_n_unknown(p), 1);
    progress_free(p);
}

static void unknown_phones_are_listed_newest_first_and_leave_when_they_are_added(void **state)
{
    struct progress *p = fresh(10, 10);
    const struct progress_phone *found[4];

    tell(p, 0, PROGRESS_FILE_MISSING, NULL, "10.0.0.8", "SEP00112233AAAA.cnf.xml");
    tell(p, 9, PROGRESS_FILE_MISSING, NULL, "10.0.0.9", "SEP00112233BBBB.cnf.xml");
    tell(p, 10, PROGRESS_FILE_SENT, "001122334455", "10.0.0.7", "SEP001122334455.cnf.xml");
    assert_int_equal(progress_unknown(p, found, 4), 2);
    assert_string_equal(found[0]->name.s, "SEP00112233BBBB");
    directory[1] = "SEP00112233BBBB";
    progress_directory_changed(p);
    assert_int_equal(progress_unknown(p, found, 4), 1);
    assert_string_equal(found[0]->name.s, "SEP00112233AAAA");
    directory[1] = NULL; /* deleted again: unknown once it is heard of */
    progress_directory_changed(p);
    tell(p, 20, PROGRESS_FILE_MISSING, NULL, "10.0.0.9", "SEP00112233BBBB.cnf.xml");
    assert_int_equal(progress_n_unknown(p), 2);
    progress_free(p);
}

static void a_flood_of_names_forgets_the_oldest_and_never_a_known_phone(void **state)
{
    struct progress *p = fresh(10, 8);
    const struct progress_phone *found[64];
    char file[64];

    boot(p, 0, "001122334455", "10.0.0.7");
    for (unsigned i = 0; i < 50000; i++) {
        snprintf(file, sizeof(file), "SEP%012X.cnf.xml", i);
        tell(p, i, PROGRESS_FILE_MISSING, NULL, "10.0.0.9", file);
    }
    assert_int_equal(progress_unknown(p, found, 64), 8);
    assert_string_equal(found[0]->name.s, "SEP00000000C34F");
    assert_non_null(progress_find(p, device_name_of(TEXT("SEP001122334455"))));
    progress_free(p);
}

static void a_refusal_ends_the_boot_and_keeps_its_reason(void **state)
{
    struct progress *p = fresh(10, 10);
    struct progress_event e =
        event(0, PROGRESS_REJECTED, "aabbccddeeff", "10.0.0.9", "Error: DB Config");
    const struct progress_phone *phone;

    e.code = 29;
    e.device = device_name_of(TEXT("SEPAABBCCDDEEFF"));
    progress_event(p, &e);
    e.time_us += 30000000;
    progress_event(p, &e);
    phone = progress_find(p, e.device);
    assert_int_equal(phone->tries, 2);
    assert_int_equal(progress_boot(phone, 1).outcome, PROGRESS_REJECTED);
    assert_int_equal(progress_boot(phone, 1).code, 29);
    progress_free(p);
}

static void an_address_belongs_to_the_phone_that_had_it_last(void **state)
{
    struct progress *p = fresh(10, 10);
    const struct progress_phone *first, *second;

    directory[1] = "SEP001122334466";
    tell(p, 0, PROGRESS_DHCP_ACK, "001122334455", "10.0.0.7", NULL);
    tell(p, 5, PROGRESS_DHCP_ACK, "001122334466", "10.0.0.7", NULL);
    tell(p, 9, PROGRESS_FILE_ASKED, NULL, "10.0.0.7", "RINGLIST.DAT");
    first = progress_find(p, device_name_of(TEXT("SEP001122334455")));
    second = progress_find(p, device_name_of(TEXT("SEP001122334466")));
    assert_int_equal(first->n_steps, 1);
    assert_int_equal(second->n_steps, 2);
    progress_free(p);
}

static bool is_from_elsewhere(struct progress *p, const char *before)
{
    const struct progress_phone *phone = progress_find(p, device_name_of(TEXT("SEP001122334455")));
    struct ip ip, expected;

    if (!progress_is_from_elsewhere(phone, &ip))
        return false;
    ip_parse(text_of(before), &expected);
    assert_true(ip_equal(ip, expected));
    return true;
}

static void registers(struct progress *p, uint64_t at, const char *ip)
{
    tell(p, at, PROGRESS_REGISTER, "001122334455", ip, NULL);
    tell(p, at + 1, PROGRESS_REGISTERED, "001122334455", ip, NULL);
}

static void who_registers_from_elsewhere_without_a_boot_is_told_apart(void **state)
{
    struct progress *p = fresh(10, 10);

    registers(p, 0, "10.0.0.6"); /* its addresses and files are of others: it may go where it wants */
    assert_false(is_from_elsewhere(p, ""));
    registers(p, 1000, "10.0.0.5");
    assert_false(is_from_elsewhere(p, ""));
    boot(p, 100000, "001122334455", "10.0.0.7");
    assert_false(is_from_elsewhere(p, ""));
    registers(p, 200000, "10.0.0.7"); /* back from another node */
    assert_false(is_from_elsewhere(p, ""));
    tell(p, 300000, PROGRESS_UNREGISTERED, "001122334455", "10.0.0.7", NULL);
    registers(p, 400000, "10.0.0.66");
    assert_true(is_from_elsewhere(p, "10.0.0.7"));
    boot(p, 500000, "001122334455", "10.0.0.8"); /* on another desk */
    assert_false(is_from_elsewhere(p, ""));
    registers(p, 600000, "2001:db8::1"); /* its other address */
    assert_false(is_from_elsewhere(p, ""));
    progress_free(p);
}

static void a_mistyped_label_is_found_by_one_digit_or_two_swapped(void **state)
{
    struct device_name near[4];

    memset(directory, 0, sizeof(directory));
    directory[0] = "SEP001122334455";
    directory[1] = "SEP001122334454";
    assert_int_equal(
        progress_near(is_known, NULL, device_name_of(TEXT("SEP001122334545")), near, 4), 1);
    assert_string_equal(near[0].s, "SEP001122334455");
    assert_int_equal(
        progress_near(is_known, NULL, device_name_of(TEXT("sep00112233445f")), near, 4), 2);
    assert_int_equal(
        progress_near(is_known, NULL, device_name_of(TEXT("SEP0011AABB4455")), near, 4), 0);
    assert_int_equal(
        progress_near(is_known, NULL, device_name_of(TEXT("ATA001122334455")), near, 4), 0);
}

static void a_clock_that_is_set_back_does_no_harm(void **state)
{
    struct progress *p = fresh(10, 10);
    const struct progress_phone *phone;

    tell(p, 100000, PROGRESS_DHCP_ACK, "001122334455", "10.0.0.7", NULL);
    tell(p, 0, PROGRESS_FILE_ASKED, "001122334455", "10.0.0.7", "x");
    phone = progress_find(p, device_name_of(TEXT("SEP001122334455")));
    assert_int_equal(progress_boot(phone, 0).total_ms, 0);
    assert_int_equal(phone->tries, 1);
    progress_free(p);
}

static void a_phone_is_small(void **state)
{
    assert_true(sizeof(struct progress_phone) <= 128);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_boot_is_one_timeline_though_services_know_the_phone_by_different_names),
        cmocka_unit_test(steps_are_in_the_order_of_time_though_services_tell_them_late),
        cmocka_unit_test(who_asks_and_is_taken_at_once_has_both_steps_and_is_known),
        cmocka_unit_test(renewals_and_neighbours_of_a_registered_phone_are_no_boot),
        cmocka_unit_test(the_last_boots_are_kept_newest_first),
        cmocka_unit_test(repeated_stages_are_one_step_and_steps_are_bounded),
        cmocka_unit_test(a_computer_that_asks_for_an_address_is_no_unknown_phone),
        cmocka_unit_test(unknown_phones_are_listed_newest_first_and_leave_when_they_are_added),
        cmocka_unit_test(a_flood_of_names_forgets_the_oldest_and_never_a_known_phone),
        cmocka_unit_test(a_refusal_ends_the_boot_and_keeps_its_reason),
        cmocka_unit_test(an_address_belongs_to_the_phone_that_had_it_last),
        cmocka_unit_test(who_registers_from_elsewhere_without_a_boot_is_told_apart),
        cmocka_unit_test(a_mistyped_label_is_found_by_one_digit_or_two_swapped),
        cmocka_unit_test(a_clock_that_is_set_back_does_no_harm),
        cmocka_unit_test(a_phone_is_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
