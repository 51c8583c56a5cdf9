#include "test.h"

#include "wire/boot/cdp.h"

static const struct mac phone = {{0x00, 0x11, 0x22, 0x33, 0x44, 0x55}};

static struct cdp phone_message(void)
{
    struct cdp m = {.from = phone, .protocol = 2, .ttl = CDP_TTL};

    cdp_set_device_id(&m, TEXT("SEP001122334455"));
    cdp_set_port_id(&m, TEXT("Port 1"));
    cdp_set_addresses(&m, (struct cdp_addresses){1, {ip_v4(0xc0a80121)}});
    cdp_set_capabilities(&m, CDP_CAPABLE_HOST | CDP_CAPABLE_PHONE | CDP_CAPABLE_RELAY);
    cdp_set_version(&m, TEXT("P00308000500"));
    cdp_set_platform(&m, TEXT("Cisco IP Phone 7960"));
    cdp_set_voice_vlan_query(&m, (struct cdp_voice){0x20, 0x0200});
    cdp_set_duplex(&m, 1);
    cdp_set_power_mw(&m, 6300);
    return m;
}

static void a_phone_comes_back_as_written(void **state)
{
    struct cdp m = phone_message(), got;
    uint8_t frame[512];
    int n = cdp_encode(&m, frame, sizeof(frame));

    assert_true(n > 100);
    assert_int_equal(frame[12] << 8 | frame[13], n - 14); /* an 802.3 length */
    assert_int_equal(cdp_decode(frame, (size_t)n, &got), 0);
    assert_false(got.checksum_wrong);
    assert_true(mac_equal(got.from, phone));
    assert_true(text_is(got.device_id, "SEP001122334455"));
    assert_int_equal(ip_v4_number(got.addresses.at[0]), 0xc0a80121);
    assert_int_equal(got.capabilities, 0x490);
    assert_int_equal(got.voice_vlan_query.data, 0x20);
    assert_int_equal(got.power_mw, 6300);
    assert_false(cdp_has(&got, CDP_voice_vlan));
}

static void a_switch_comes_back_as_written(void **state)
{
    struct cdp m = {.from = phone, .protocol = 2, .ttl = CDP_TTL}, got;
    struct ip six = {6, {0xfe, 0x80, [15] = 1}};
    uint8_t frame[512];
    int n;

    cdp_set_device_id(&m, TEXT("switch"));
    cdp_set_native_vlan(&m, 1);
    cdp_set_voice_vlan(&m, (struct cdp_voice){1, 110});
    cdp_set_management(&m, (struct cdp_addresses){2, {ip_v4(0x0a000001), six}});
    cdp_set_power_available(&m, (struct cdp_power_available){3, 4, 15400, UINT32_MAX});
    cdp_set_power_request(&m, (struct cdp_power_request){3, 4, 2, {12000, 6300}});
    n = cdp_encode(&m, frame, sizeof(frame));
    assert_int_equal(cdp_decode(frame, (size_t)n, &got), 0);
    assert_int_equal(got.voice_vlan.vlan, 110);
    assert_int_equal(got.management.n, 2);
    assert_true(ip_equal(got.management.at[1], six));
    assert_int_equal(got.power_available.mw, 15400);
    assert_int_equal(got.power_request.mw[1], 6300);
}

static void odd_lengths_use_the_sign_extended_last_octet(void **state)
{
    /* even: the ordinary Internet checksum */
    assert_int_equal(cdp_checksum("\x02\xb4\x00\x00", 4), (uint16_t)~0x02b4);
    /* odd, below 0x80: the octet is the low half of the last word, not the high */
    assert_int_equal(cdp_checksum("\x02\xb4\x00\x00\x33", 5), (uint16_t) ~(0x02b4 + 0x33));
    /* odd, from 0x80 on: 0xff00 and one less */
    assert_int_equal(cdp_checksum("\x00\x00\x80", 3), (uint16_t)~0xff7f);
}

static void odd_messages_check_out(void **state)
{
    static const struct text versions[] = {{"a", 1}, {"ab", 2}, {"abc", 3}, {"ab\xe9", 3}};
    uint8_t frame[512];

    for (size_t i = 0; i < 4; i++) {
        struct cdp m = {.from = phone, .protocol = 2, .ttl = 1}, got;
        int n;

        cdp_set_version(&m, versions[i]);
        n = cdp_encode(&m, frame, sizeof(frame));
        assert_int_equal(cdp_decode(frame, (size_t)n, &got), 0);
        assert_false(got.checksum_wrong);
        frame[n - 1] ^= 1;
        assert_int_equal(cdp_decode(frame, (size_t)n, &got), 0);
        assert_true(got.checksum_wrong);
    }
}

static void truncation_is_refused_at_every_length(void **state)
{
    struct cdp m = phone_message(), got;
    uint8_t frame[512];
    int n = cdp_encode(&m, frame, sizeof(frame));

    for (int i = 0; i < n; i++) {
        uint8_t *copy = malloc(i ? (size_t)i : 1);

        memcpy(copy, frame, (size_t)i);
        assert_int_equal(cdp_decode(copy, (size_t)i, &got), -EBADMSG);
        assert_int_equal(cdp_encode(&m, copy, (size_t)i), -ENOSPC);
        free(copy);
    }
}

static void tlvs_that_lie_about_their_length_are_refused(void **state)
{
    struct cdp m = {.from = phone, .protocol = 2, .ttl = 1}, got;
    uint8_t frame[128];
    int n;

    cdp_set_native_vlan(&m, 5);
    n = cdp_encode(&m, frame, sizeof(frame));
    frame[n - 3] = 3;
    assert_int_equal(cdp_decode(frame, (size_t)n, &got), -EBADMSG);
    frame[n - 3] = 5;
    assert_int_equal(cdp_decode(frame, (size_t)n, &got), -EBADMSG);
    frame[n - 3] = 7;
    assert_int_equal(cdp_decode(frame, (size_t)n, &got), -EBADMSG);
    frame[n - 3] = 6;
    assert_int_equal(cdp_decode(frame, (size_t)n, &got), 0);
}

static void a_frame_in_a_vlan_tag_is_read_too(void **state)
{
    struct cdp m = phone_message(), got;
    uint8_t frame[512], tagged[516];
    int n = cdp_encode(&m, frame, sizeof(frame));

    memcpy(tagged, frame, 12);
    memcpy(tagged + 12, "\x81\x00\x00\x6e", 4);
    memcpy(tagged + 16, frame + 12, (size_t)n - 12);
    assert_int_equal(cdp_decode(tagged, (size_t)n + 4, &got), 0);
    assert_true(text_is(got.port_id, "Port 1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_phone_comes_back_as_written),
        cmocka_unit_test(a_switch_comes_back_as_written),
        cmocka_unit_test(odd_lengths_use_the_sign_extended_last_octet),
        cmocka_unit_test(odd_messages_check_out),
        cmocka_unit_test(truncation_is_refused_at_every_length),
        cmocka_unit_test(tlvs_that_lie_about_their_length_are_refused),
        cmocka_unit_test(a_frame_in_a_vlan_tag_is_read_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
