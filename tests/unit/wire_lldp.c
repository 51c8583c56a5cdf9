#include "test.h"

#include "wire/boot/lldp.h"

static struct lldp phone_message(void)
{
    return (struct lldp){
        .from = {{0x00, 0x11, 0x22, 0x33, 0x44, 0x55}},
        .chassis = {LLDP_CHASSIS_ADDRESS, {"\x01\x0a\x00\x00\x05", 5}},
        .port = {LLDP_PORT_MAC, {"\x00\x11\x22\x33\x44\x55", 6}},
        .ttl = 180,
        .port_description = TEXT("SW PORT"),
        .system_name = TEXT("SEP001122334455"),
        .has_capabilities = true,
        .capabilities = LLDP_CAPABLE_BRIDGE | LLDP_CAPABLE_TELEPHONE,
        .enabled = LLDP_CAPABLE_TELEPHONE,
        .management = {4, {10, 0, 0, 5}},
        .has_native_vlan = true,
        .native_vlan = 7,
        .has_phy = true,
        .autonegotiation = 3,
        .advertised = 0x6c01,
        .mau = 16,
        .has_med = true,
        .med_capabilities = LLDP_MED_CAPABILITIES | LLDP_MED_POLICY | LLDP_MED_INVENTORY,
        .med_device = LLDP_MED_PHONE,
        .policies = {{LLDP_MED_VOICE, false, true, 110, 5, 46},
                     {LLDP_MED_VOICE_SIGNALLING, true, false, 0, 0, 0}},
        .n_policies = 2,
        .has_power = true,
        .power_type = 1,
        .power_priority = 3,
        .power_tenths = 129,
        .hardware = TEXT("1"),
        .model = TEXT("CP-7961G"),
        .asset = TEXT(""),
    };
}

static void a_phone_comes_back_as_written(void **state)
{
    struct lldp m = phone_message(), got;
    uint8_t frame[512];
    int n = lldp_encode(&m, frame, sizeof(frame));

    assert_true(n > 0);
    assert_int_equal(lldp_decode(frame, (size_t)n, &got), 0);
    assert_int_equal(got.chassis.subtype, LLDP_CHASSIS_ADDRESS);
    assert_int_equal(got.ttl, 180);
    assert_true(text_is(got.system_name, "SEP001122334455"));
    assert_null(got.system_description.at);
    assert_int_equal(ip_v4_number(got.management), 0x0a000005);
    assert_int_equal(got.native_vlan, 7);
    assert_int_equal(got.mau, 16);
    assert_int_equal(got.med_device, LLDP_MED_PHONE);
    assert_memory_equal(lldp_policy(&got, LLDP_MED_VOICE), &m.policies[0], sizeof(m.policies[0]));
    assert_true(lldp_policy(&got, LLDP_MED_VOICE_SIGNALLING)->unknown);
    assert_null(lldp_policy(&got, 3));
    assert_int_equal(got.power_tenths, 129);
    assert_true(text_is(got.model, "CP-7961G"));
    assert_non_null(got.asset.at);
    assert_null(got.serial.at);
    assert_true(mac_equal(lldp_mac(&got), m.from));
    assert_int_equal(got.n_unknown, 0);
}

static void truncation_is_refused_but_between_tlvs(void **state)
{
    struct lldp m = phone_message(), got;
    uint8_t frame[512];
    int n = lldp_encode(&m, frame, sizeof(frame)), accepted = 0;

    for (int i = 0; i < n; i++) {
        uint8_t *copy = malloc(i ? (size_t)i : 1);
        int err;

        memcpy(copy, frame, (size_t)i);
        err = lldp_decode(copy, (size_t)i, &got);
        assert_true(err == 0 || err == -EBADMSG);
        accepted += err == 0;
        assert_int_equal(lldp_encode(&m, copy, (size_t)i), -ENOSPC);
        free(copy);
    }
    assert_int_equal(accepted, 14); /* the TLVs after the mandatory three: END is forgiven */
}

static void mandatory_tlvs_come_first_and_in_order(void **state)
{
    struct lldp m = phone_message(), got;
    uint8_t frame[512];
    int n = lldp_encode(&m, frame, sizeof(frame));

    frame[14] = 2 << 1; /* a port where the chassis belongs */
    assert_int_equal(lldp_decode(frame, (size_t)n, &got), -EBADMSG);
}

static void a_tlv_too_short_for_its_kind_is_refused(void **state)
{
    static const uint8_t frame[] = {1,    0x80, 0xc2, 0, 0, 0xe,  0,    1, 2, 3,    4, 5,
                                    0x88, 0xcc, 2,    2, 7, 'x',  4,    2, 7, 'y',  6, 2,
                                    0,    120,  0xfe, 6, 0, 0x12, 0xbb, 2, 1, 0x40, 0, 0};
    struct lldp got;

    assert_int_equal(lldp_decode(frame, sizeof(frame), &got), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_phone_comes_back_as_written),
        cmocka_unit_test(truncation_is_refused_but_between_tlvs),
        cmocka_unit_test(mandatory_tlvs_come_first_and_in_order),
        cmocka_unit_test(a_tlv_too_short_for_its_kind_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
