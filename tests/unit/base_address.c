#include "test.h"

#include "base/address.h"

static void addresses_print_as_they_were_read(void **state)
{
    static const char *const texts[] = {"10.1.2.3", "::1", "2001:db8::5"};
    char printed[IP_TEXT_MAX];
    struct ip ip;

    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(ip_parse(text_of(texts[i]), &ip), 0);
        assert_string_equal(ip_print(ip, printed), texts[i]);
    }
    assert_int_equal(ip_parse(TEXT("10.1.2"), &ip), -EINVAL);
    assert_int_equal(ip_parse(TEXT("10.1.2.256"), &ip), -EINVAL);
    assert_int_equal(ip_parse(TEXT(""), &ip), -EINVAL);
}

static void a_mapped_peer_is_an_ipv4_address(void **state)
{
    struct endpoint mapped = {.port = 2000}, e;
    struct sockaddr_storage sa;
    char printed[ENDPOINT_TEXT_MAX];

    assert_int_equal(ip_parse(TEXT("::ffff:10.0.0.9"), &mapped.ip), 0);
    endpoint_to_sockaddr(&mapped, &sa);
    e = endpoint_of_sockaddr((struct sockaddr *)&sa);
    assert_string_equal(endpoint_print(&e, printed), "10.0.0.9:2000");
    assert_int_equal(ip_v4_number(e.ip), 0x0a000009);
}

static void an_ipv6_end_point_is_bracketed(void **state)
{
    struct endpoint e = {.port = 69};
    char printed[ENDPOINT_TEXT_MAX];

    assert_int_equal(ip_parse(TEXT("fe80::1"), &e.ip), 0);
    assert_string_equal(endpoint_print(&e, printed), "[fe80::1]:69");
}

static void a_mac_is_read_in_all_its_spellings(void **state)
{
    static const char *const texts[] = {"00:1A:2b:3C:4d:5E", "001a2b3c4d5e", "00-1a-2b-3c-4d-5e",
                                        "001a.2b3c.4d5e"};
    char printed[MAC_TEXT_MAX];
    struct mac mac;

    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(mac_parse(text_of(texts[i]), &mac), 0);
        assert_string_equal(mac_print(mac, printed), "00:1a:2b:3c:4d:5e");
        assert_int_equal(mac_number(mac), 0x1a2b3c4d5e);
    }
    assert_int_equal(mac_parse(TEXT("001a2b3c4d5"), &mac), -EINVAL);
    assert_int_equal(mac_parse(TEXT("001a2b3c4d5e5"), &mac), -EINVAL);
    assert_int_equal(mac_parse(TEXT("001a2b3c4d5g"), &mac), -EINVAL);
}

static void a_device_name_and_its_mac_belong_together(void **state)
{
    struct mac mac = mac_of_number(0x1a2b3c4d5e), back;
    struct device_name name = device_name_of_mac(mac);

    assert_string_equal(name.s, "SEP001A2B3C4D5E");
    assert_int_equal(device_name_mac(name, &back), 0);
    assert_true(mac_equal(mac, back));
    assert_int_equal(device_name_mac(device_name_of(TEXT("ATA001A2B3C4D5E")), &back), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_print_as_they_were_read),
        cmocka_unit_test(a_mapped_peer_is_an_ipv4_address),
        cmocka_unit_test(an_ipv6_end_point_is_bracketed),
        cmocka_unit_test(a_mac_is_read_in_all_its_spellings),
        cmocka_unit_test(a_device_name_and_its_mac_belong_together),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
