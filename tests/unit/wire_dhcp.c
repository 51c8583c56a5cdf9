#include "test.h"

#include "wire/boot/dhcp.h"

static const struct mac phone = {{0x00, 0x11, 0x22, 0x33, 0x44, 0x55}};

static struct text bytes_of(const void *p, size_t n)
{
    return (struct text){p, n};
}

static void discover(struct dhcp_message *m)
{
    dhcp_init(m, DHCP_BOOTREQUEST, 0x11223344, phone);
    m->flags = DHCP_BROADCAST;
    dhcp_set_type(m, DHCP_DISCOVER);
    dhcp_set_client_id(m, bytes_of("\x01\x00\x11\x22\x33\x44\x55", 7));
    dhcp_set_host_name(m, TEXT("SEP001122334455"));
    dhcp_set_vendor_class(m, TEXT("Cisco Systems, Inc. IP Phone CP-7960G"));
    dhcp_set_parameters(m, bytes_of("\x01\x42\x06\x03\x0f\x96\x23", 7));
}

static void what_is_encoded_decodes_to_the_same(void **state)
{
    struct dhcp_message m, got;
    uint8_t packet[DHCP_MAX_SIZE];
    int n;

    discover(&m);
    dhcp_set_routers(&m, (struct dhcp_addresses){2, {0x0a000001, 0x0a000002}});
    dhcp_set_lease_s(&m, 3600);
    dhcp_add_raw(&m, 35, bytes_of("\0\0\0\x3c", 4));
    n = dhcp_encode(&m, packet, sizeof(packet));
    assert_true(n > DHCP_MIN_SIZE);
    assert_int_equal(dhcp_decode(packet, (size_t)n, &got), 0);
    assert_int_equal(got.type, DHCP_DISCOVER);
    assert_int_equal(got.xid, 0x11223344);
    assert_int_equal(got.flags, DHCP_BROADCAST);
    assert_true(mac_equal(dhcp_mac(&got), phone));
    assert_true(text_is(got.host_name, "SEP001122334455"));
    assert_int_equal(got.routers.n, 2);
    assert_int_equal(got.routers.at[1], 0x0a000002);
    assert_int_equal(got.lease_s, 3600);
    assert_true(text_equal(dhcp_find_raw(&got, 35), bytes_of("\0\0\0\x3c", 4)));
    assert_true(dhcp_asks(&got, DHCP_tftp_servers));
    assert_false(dhcp_asks(&got, 43));
    assert_false(dhcp_has(&got, DHCP_tftp_name));
}

static void what_is_printed_is_read_again(void **state)
{
    char first[2048], second[2048];
    struct writer a = writer_of(first, sizeof(first) - 1), b = writer_of(second, sizeof(second) - 1);
    struct dhcp_message m, again;

    discover(&m);
    m.yiaddr = 0x0a000032;
    dhcp_set_vendor_class(&m, TEXT("Cisco Systems, Inc. \"IP\" Phone \x01"));
    dhcp_set_tftp_servers(&m, (struct dhcp_addresses){2, {0x0a000001, 0x0a000002}});
    dhcp_set_lease_s(&m, 3600);
    dhcp_print(&m, &a);
    first[writer_len(&a)] = '\0';
    assert_int_equal(dhcp_scan((struct text){first, writer_len(&a)}, &again), 0);
    dhcp_print(&again, &b);
    second[writer_len(&b)] = '\0';
    assert_string_equal(strstr(second, "chaddr"), strstr(first, "chaddr")); /* its flags are not kept */
    assert_int_equal(dhcp_scan(TEXT("no message"), &again), -EBADMSG);
}

static void a_trailing_nul_of_the_vendor_class_is_no_part_of_it(void **state)
{
    struct dhcp_message m, got;
    uint8_t packet[DHCP_MAX_SIZE];

    dhcp_init(&m, DHCP_BOOTREQUEST, 1, phone);
    dhcp_set_vendor_class(&m, bytes_of("Cisco\0", 6));
    assert_int_equal(dhcp_encode(&m, packet, sizeof(packet)), DHCP_MIN_SIZE);
    assert_int_equal(dhcp_decode(packet, DHCP_MIN_SIZE, &got), 0);
    assert_true(text_is(got.vendor_class, "Cisco"));
}

static void truncation_never_reads_past_the_end(void **state)
{
    struct dhcp_message m, got;
    uint8_t packet[DHCP_MAX_SIZE];
    size_t end;

    discover(&m);
    assert_true(dhcp_encode(&m, packet, sizeof(packet)) > 0);
    for (end = DHCP_MIN_SIZE; packet[end - 1] == 0;)
        end--;
    for (size_t n = 0; n < end; n++) {
        uint8_t *copy = malloc(n ? n : 1); /* so that the sanitizer sees a step too far */
        int err;

        memcpy(copy, packet, n);
        err = dhcp_decode(copy, n, &got);
        if (n < 236)
            assert_int_equal(err, -EBADMSG);
        if (err == 0 && n >= 240) /* cut between two options: END may be lost */
            assert_true(dhcp_has(&got, DHCP_type) || n == 240);
        free(copy);
    }
}

static void an_option_that_runs_over_the_end_is_refused(void **state)
{
    struct dhcp_message m, got;
    uint8_t packet[DHCP_MAX_SIZE];

    dhcp_init(&m, DHCP_BOOTREQUEST, 1, phone);
    dhcp_encode(&m, packet, sizeof(packet));
    packet[240] = DHCP_host_name;
    packet[241] = 200;
    assert_int_equal(dhcp_decode(packet, DHCP_MIN_SIZE, &got), -EBADMSG);
    packet[241] = 58; /* exactly to the end, END lost */
    assert_int_equal(dhcp_decode(packet, DHCP_MIN_SIZE, &got), 0);
}

static void an_option_too_short_for_its_kind_is_counted_and_left_out(void **state)
{
    struct dhcp_message m, got;
    uint8_t packet[DHCP_MAX_SIZE];

    dhcp_init(&m, DHCP_BOOTREQUEST, 1, phone);
    dhcp_encode(&m, packet, sizeof(packet));
    memcpy(packet + 240, "\x32\x03\x0a\x00\x00\x35\x01\x01\xff", 9);
    assert_int_equal(dhcp_decode(packet, DHCP_MIN_SIZE, &got), 0);
    assert_int_equal(got.n_bad, 1);
    assert_false(dhcp_has(&got, DHCP_requested_ip));
    assert_int_equal(got.type, DHCP_DISCOVER);
}

static void parts_of_a_long_option_are_joined(void **state)
{
    struct dhcp_message m, got;
    uint8_t packet[DHCP_MAX_SIZE];
    char text[600];
    int n;

    memset(text, 'x', sizeof(text));
    dhcp_init(&m, DHCP_BOOTREPLY, 1, phone);
    dhcp_set_message(&m, bytes_of(text, sizeof(text)));
    dhcp_set_lease_s(&m, 5);
    n = dhcp_encode(&m, packet, sizeof(packet));
    assert_true(n > 840);
    assert_int_equal(dhcp_decode(packet, (size_t)n, &got), 0);
    assert_true(text_equal(got.message, bytes_of(text, sizeof(text))));
    assert_int_equal(got.lease_s, 5);
}

static void what_does_not_fit_goes_to_file_and_sname(void **state)
{
    struct dhcp_message m, got;
    uint8_t packet[DHCP_MAX_SIZE];
    char text[380];
    int n;

    memset(text, 'y', sizeof(text));
    dhcp_init(&m, DHCP_BOOTREPLY, 1, phone);
    dhcp_set_type(&m, DHCP_OFFER);
    dhcp_set_vendor_options(&m, bytes_of(text, 250));
    dhcp_set_domain_name(&m, bytes_of(text, 100));
    dhcp_set_host_name(&m, bytes_of(text, 50));
    dhcp_set_relay(&m, TEXT("\x01\x02hi"));
    n = dhcp_encode(&m, packet, DHCP_SAFE_SIZE);
    assert_true(n > 0 && n <= DHCP_SAFE_SIZE);
    assert_int_equal(dhcp_decode(packet, (size_t)n, &got), 0);
    assert_true(text_equal(got.vendor_options, bytes_of(text, 250))); /* in two parts */
    assert_true(text_equal(got.domain_name, bytes_of(text, 100)));
    n = dhcp_encode(&m, packet, 300);
    assert_int_equal(n, -ENOSPC);
    dhcp_set_vendor_options(&m, bytes_of(text, 20));
    n = dhcp_encode(&m, packet, 300);
    assert_int_equal(n, 300);
    assert_int_equal(dhcp_decode(packet, (size_t)n, &got), 0);
    assert_int_equal(got.domain_name.len, 100);
    assert_int_equal(got.host_name.len, 50);
    assert_int_equal(got.sname.len, 0);
    assert_true(text_is(got.relay, "\x01\x02hi"));
}

static void fields_in_use_are_not_overloaded(void **state)
{
    struct dhcp_message m, got;
    uint8_t packet[DHCP_MAX_SIZE];
    char text[100];

    memset(text, 'z', sizeof(text));
    dhcp_init(&m, DHCP_BOOTREPLY, 1, phone);
    m.sname = TEXT("tftp.example");
    m.file = TEXT("boot");
    dhcp_set_message(&m, bytes_of(text, 100));
    assert_int_equal(dhcp_encode(&m, packet, 300), -ENOSPC);
    assert_true(dhcp_encode(&m, packet, DHCP_SAFE_SIZE) > 0);
    assert_int_equal(dhcp_decode(packet, DHCP_SAFE_SIZE, &got), 0);
    assert_true(text_is(got.sname, "tftp.example"));
    assert_true(text_is(got.file, "boot"));
}

static void relay_agent_option_stands_last_and_its_parts_are_read(void **state)
{
    struct dhcp_message m, got;
    struct dhcp_relay relay;
    uint8_t packet[DHCP_MAX_SIZE];
    const struct text whole =
        TEXT("\x01\x04port\x02\x02sw\x05\x04\x0a\x01\x00\x00\x0b\x04\x0a\x01\x00\x01");
    size_t end = DHCP_MIN_SIZE;

    discover(&m);
    dhcp_set_relay(&m, whole);
    dhcp_add_raw(&m, 160, TEXT("http"));
    assert_true(dhcp_encode(&m, packet, sizeof(packet)) > 0);
    end = (size_t)dhcp_encode(&m, packet, sizeof(packet));
    while (packet[end - 1] == 0)
        end--;
    assert_int_equal(packet[end - 1], DHCP_end);
    assert_memory_equal(packet + end - 1 - whole.len, whole.at, whole.len);
    assert_int_equal(dhcp_decode(packet, end, &got), 0);
    assert_int_equal(dhcp_relay_decode(got.relay, &relay), 0);
    assert_true(text_is(relay.circuit_id, "port"));
    assert_true(text_is(relay.remote_id, "sw"));
    assert_int_equal(relay.link_selection, 0x0a010000);
    assert_int_equal(relay.server_override, 0x0a010001);
    for (size_t n = 1; n < 6; n++)
        assert_int_equal(dhcp_relay_decode((struct text){whole.at, n}, &relay), -EBADMSG);
}

static void bootp_without_cookie_has_no_options(void **state)
{
    struct dhcp_message m, got;
    uint8_t packet[DHCP_MIN_SIZE];

    dhcp_init(&m, DHCP_BOOTREQUEST, 7, phone);
    m.cookie = false;
    assert_int_equal(dhcp_encode(&m, packet, sizeof(packet)), DHCP_MIN_SIZE);
    assert_int_equal(dhcp_decode(packet, sizeof(packet), &got), 0);
    assert_false(got.cookie);
    assert_int_equal(dhcp_decode(packet, 236, &got), 0);
    packet[0] = 3;
    assert_int_equal(dhcp_decode(packet, sizeof(packet), &got), -EBADMSG);
    packet[0] = 1;
    packet[2] = 17;
    assert_int_equal(dhcp_decode(packet, sizeof(packet), &got), -EBADMSG);
}

static void room_follows_the_maximum_size_option(void **state)
{
    struct dhcp_message m;

    dhcp_init(&m, DHCP_BOOTREQUEST, 7, phone);
    assert_int_equal(dhcp_room(&m), DHCP_SAFE_SIZE);
    dhcp_set_max_size(&m, 100);
    assert_int_equal(dhcp_room(&m), DHCP_SAFE_SIZE);
    dhcp_set_max_size(&m, 1000);
    assert_int_equal(dhcp_room(&m), 972);
    dhcp_set_max_size(&m, 65535);
    assert_int_equal(dhcp_room(&m), DHCP_MAX_SIZE);
}

static void a_flood_of_options_is_refused(void **state)
{
    struct dhcp_message m, got;
    uint8_t packet[DHCP_MAX_SIZE];

    dhcp_init(&m, DHCP_BOOTREQUEST, 7, phone);
    dhcp_encode(&m, packet, sizeof(packet));
    for (size_t i = 240; i + 1 < sizeof(packet); i += 2) {
        packet[i] = (uint8_t)(i / 2 % 250 + 1);
        packet[i + 1] = 0;
    }
    assert_int_equal(dhcp_decode(packet, sizeof(packet), &got), -EBADMSG);
    assert_int_equal(dhcp_decode(packet, 240 + 2 * 150, &got), 0);
}

static void options_follow_the_order_asked_for(void **state)
{
    static const uint8_t expected[] = {53, 54, 51, 66, 1, 150, 3};
    struct dhcp_message m;
    uint8_t packet[DHCP_MAX_SIZE], *at = packet + 240;

    dhcp_init(&m, DHCP_BOOTREPLY, 1, phone);
    m.order = bytes_of("\x42\x23\x01\x96\x42\x33", 6); /* 35 is not there, 66 stands twice */
    dhcp_set_type(&m, DHCP_ACK);
    dhcp_set_server_id(&m, 1);
    dhcp_set_lease_s(&m, 3600);
    dhcp_set_subnet_mask(&m, 0xffffff00);
    dhcp_set_routers(&m, (struct dhcp_addresses){1, {0x0a000001}});
    dhcp_set_tftp_name(&m, TEXT("10.0.0.1"));
    dhcp_set_tftp_servers(&m, (struct dhcp_addresses){1, {0x0a000001}});
    assert_true(dhcp_encode(&m, packet, sizeof(packet)) > 0);
    for (size_t i = 0; i < sizeof(expected); i++, at += 2 + at[1])
        assert_int_equal(at[0], expected[i]);
    assert_int_equal(at[0], DHCP_end);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_encoded_decodes_to_the_same),
        cmocka_unit_test(what_is_printed_is_read_again),
        cmocka_unit_test(a_trailing_nul_of_the_vendor_class_is_no_part_of_it),
        cmocka_unit_test(truncation_never_reads_past_the_end),
        cmocka_unit_test(an_option_that_runs_over_the_end_is_refused),
        cmocka_unit_test(an_option_too_short_for_its_kind_is_counted_and_left_out),
        cmocka_unit_test(parts_of_a_long_option_are_joined),
        cmocka_unit_test(what_does_not_fit_goes_to_file_and_sname),
        cmocka_unit_test(fields_in_use_are_not_overloaded),
        cmocka_unit_test(relay_agent_option_stands_last_and_its_parts_are_read),
        cmocka_unit_test(bootp_without_cookie_has_no_options),
        cmocka_unit_test(room_follows_the_maximum_size_option),
        cmocka_unit_test(a_flood_of_options_is_refused),
        cmocka_unit_test(options_follow_the_order_asked_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
