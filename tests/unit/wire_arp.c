#include "test.h"

#include "wire/boot/arp.h"

static void a_reply_goes_to_its_target_and_comes_back_as_written(void **state)
{
    struct arp a = {ARP_REPLY, {{2, 0, 0, 0, 0, 1}}, {{2, 0, 0, 0, 0, 2}}, 0x0a000001, 0x0a000002},
               got;
    uint8_t frame[ARP_FRAME_SIZE];

    assert_int_equal(arp_encode(&a, frame, sizeof(frame)), ARP_FRAME_SIZE);
    assert_memory_equal(frame, a.target_mac.bytes, 6);
    assert_int_equal(arp_decode(frame, sizeof(frame), &got), 0);
    assert_int_equal(got.op, ARP_REPLY);
    assert_memory_equal(&got.sender_mac, &a.sender_mac, sizeof(a.sender_mac));
    assert_memory_equal(&got.target_mac, &a.target_mac, sizeof(a.target_mac));
    assert_int_equal(got.sender_ip, a.sender_ip);
    assert_int_equal(got.target_ip, a.target_ip);
}

static void a_probe_asks_everybody_and_claims_nothing(void **state)
{
    struct arp a = arp_probe((struct mac){{2, 0, 0, 0, 0, 1}}, 0x0a000009), got;
    uint8_t frame[ARP_FRAME_SIZE];

    arp_encode(&a, frame, sizeof(frame));
    assert_memory_equal(frame, "\xff\xff\xff\xff\xff\xff", 6);
    assert_int_equal(arp_decode(frame, sizeof(frame), &got), 0);
    assert_int_equal(got.sender_ip, 0);
    assert_int_equal(got.target_ip, 0x0a000009);
}

static void truncation_is_refused_at_every_length(void **state)
{
    struct arp a = arp_probe((struct mac){{2, 0, 0, 0, 0, 1}}, 1), got;
    uint8_t frame[ARP_FRAME_SIZE];

    arp_encode(&a, frame, sizeof(frame));
    for (size_t n = 0; n < 42; n++) {
        uint8_t *copy = malloc(n ? n : 1);

        memcpy(copy, frame, n);
        assert_int_equal(arp_decode(copy, n, &got), -EBADMSG);
        assert_int_equal(arp_encode(&a, copy, n), -ENOSPC);
        free(copy);
    }
    assert_int_equal(arp_decode(frame, 42, &got), 0);
    frame[12] = 9;
    assert_int_equal(arp_decode(frame, sizeof(frame), &got), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reply_goes_to_its_target_and_comes_back_as_written),
        cmocka_unit_test(a_probe_asks_everybody_and_claims_nothing),
        cmocka_unit_test(truncation_is_refused_at_every_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
