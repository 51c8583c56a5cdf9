#include "test.h"

#include "wire/boot/datagram.h"

static const struct mac ours = {{2, 0, 0, 0, 0, 1}}, theirs = {{0, 0x11, 0x22, 0x33, 0x44, 0x55}};

static struct datagram sample(void)
{
    return (struct datagram){.to_mac = theirs,
                             .from_mac = ours,
                             .to = 0x0a010020,
                             .from = 0x0a010001,
                             .to_port = 68,
                             .from_port = 67,
                             .tos = 96,
                             .payload = TEXT("odd bytes")};
}

/* The sum over words of the Internet checksum; a right one gives 0xffff. */
static uint32_t sum(const uint8_t *p, size_t len, uint32_t start)
{
    for (size_t i = 0; i < len; i++)
        start += i % 2 ? p[i] : (uint32_t)p[i] << 8;
    while (start >> 16)
        start = (start & 0xffff) + (start >> 16);
    return start;
}

static void what_is_encoded_decodes_to_the_same(void **state)
{
    struct datagram d = sample(), got;
    uint8_t frame[200];
    int n = datagram_encode(&d, frame, sizeof(frame));

    assert_int_equal(n, DATAGRAM_HEADERS + 9);
    assert_int_equal(datagram_decode(frame, (size_t)n, &got), 0);
    assert_true(mac_equal(got.to_mac, theirs));
    assert_true(mac_equal(got.from_mac, ours));
    assert_int_equal(got.to, d.to);
    assert_int_equal(got.from, d.from);
    assert_int_equal(got.to_port, 68);
    assert_int_equal(got.from_port, 67);
    assert_int_equal(got.tos, 96);
    assert_true(text_equal(got.payload, d.payload));
}

static void both_checksums_are_right(void **state)
{
    struct datagram d = sample();
    uint8_t frame[200];
    int n = datagram_encode(&d, frame, sizeof(frame));

    assert_int_equal(sum(frame + 14, 20, 0), 0xffff);
    assert_int_equal(sum(frame + 34, (size_t)n - 34, sum(frame + 26, 8, 17 + 8 + 9)), 0xffff);
}

static void truncation_is_refused_at_every_length(void **state)
{
    struct datagram d = sample(), got;
    uint8_t frame[200];
    int n = datagram_encode(&d, frame, sizeof(frame));

    for (int len = 0; len < n; len++) {
        uint8_t *exact = malloc(len ? (size_t)len : 1);

        memcpy(exact, frame, (size_t)len);
        assert_int_equal(datagram_decode(exact, (size_t)len, &got), -EBADMSG);
        free(exact);
    }
    for (int size = 0; size < n; size++)
        assert_int_equal(datagram_encode(&d, frame, (size_t)size), -ENOSPC);
}

static void fragments_and_other_protocols_are_refused(void **state)
{
    struct datagram d = sample(), got;
    uint8_t frame[200];
    int n = datagram_encode(&d, frame, sizeof(frame));

    frame[20] |= 0x20; /* more fragments */
    assert_int_equal(datagram_decode(frame, (size_t)n, &got), -EBADMSG);
    frame[20] &= (uint8_t)~0x20;
    frame[23] = 6; /* TCP */
    assert_int_equal(datagram_decode(frame, (size_t)n, &got), -EBADMSG);
    frame[23] = 17;
    frame[14] = 0x65;
    assert_int_equal(datagram_decode(frame, (size_t)n, &got), -EBADMSG);
    frame[14] = 0x44; /* a header shorter than one can be */
    assert_int_equal(datagram_decode(frame, (size_t)n, &got), -EBADMSG);
    frame[14] = 0x45;
    frame[39] = 7; /* UDP shorter than its own header */
    assert_int_equal(datagram_decode(frame, (size_t)n, &got), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_encoded_decodes_to_the_same),
        cmocka_unit_test(both_checksums_are_right),
        cmocka_unit_test(truncation_is_refused_at_every_length),
        cmocka_unit_test(fragments_and_other_protocols_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
