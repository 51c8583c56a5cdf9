/* handset_tftp_get.c - a phone's TFTP read on a virtual network and clock. */
#include "handset/boot/tftp_get.h"

#include "test.h"

#include "wire/boot/tftp.h"

static struct tftp_get g;
static uint8_t out[512];
static struct writer w;
static struct text data;
static const struct endpoint server = {.ip = {4, {10, 0, 0, 1}}, .port = 69};
static const struct endpoint transfer = {.ip = {4, {10, 0, 0, 1}}, .port = 40000};

static int begin(void **state)
{
    w = writer_of(out, sizeof(out));
    tftp_get_start(&g, "SEP001122334455.cnf.xml", &server, 1000, &w);
    return 0;
}

static void answer(const struct endpoint *from, const void *bytes, size_t len, uint64_t at_ms)
{
    w = writer_of(out, sizeof(out));
    tftp_get_input(&g, from, bytes, len, at_ms, &w, &data);
}

static void block(uint16_t number, size_t n, uint64_t at_ms)
{
    uint8_t packet[600];
    struct writer p = writer_of(packet, sizeof(packet));
    static const char zeroes[512];

    tftp_write_data(&p, number, zeroes, n);
    answer(&transfer, packet, writer_len(&p), at_ms);
}

static void the_request_is_the_one_of_a_real_phone(void **state)
{
    static const char expected[] = "\0\1SEP001122334455.cnf.xml\0octet";

    assert_int_equal(writer_len(&w), sizeof(expected));
    assert_memory_equal(out, expected, sizeof(expected)); /* no options */
}

static void a_file_of_three_blocks_is_acknowledged_block_by_block(void **state)
{
    block(1, 512, 1001);
    assert_int_equal(data.len, 512);
    assert_memory_equal(out, "\0\4\0\1", 4);
    block(2, 512, 1002);
    block(3, 7, 1003);
    assert_int_equal(data.len, 7);
    assert_memory_equal(out, "\0\4\0\3", 4);
    assert_int_equal(g.state, TFTP_GET_DONE);
    assert_int_equal(g.received, 1031);
    assert_int_equal(g.due_ms, UINT64_MAX);
}

static void a_file_of_whole_blocks_ends_with_an_empty_one(void **state)
{
    block(1, 512, 1001);
    assert_int_equal(g.state, TFTP_GET_RUNNING);
    block(2, 0, 1002);
    assert_int_equal(g.state, TFTP_GET_DONE);
}

static void block_numbers_wrap_to_zero(void **state)
{
    for (uint32_t i = 1; i <= 65536 + 10; i++) {
        block((uint16_t)i, 512, 1001);
        assert_int_equal(data.len, 512);
    }
    block(11, 1, 1001);
    assert_int_equal(g.state, TFTP_GET_DONE);
    assert_int_equal(g.received, (65536 + 10) * 512 + 1);
}

static void the_same_block_again_is_acknowledged_and_not_kept(void **state)
{
    block(1, 512, 1001);
    block(1, 512, 1002);
    assert_int_equal(data.len, 0);
    assert_memory_equal(out, "\0\4\0\1", 4);
    assert_int_equal(g.received, 512);
}

static void packets_of_another_transfer_are_not_heard(void **state)
{
    struct endpoint other = transfer;

    block(1, 512, 1001);
    other.port++;
    answer(&other, "\0\3\0\2x", 5, 1002);
    assert_int_equal(g.received, 512);
    other = transfer;
    other.ip.bytes[3]++;
    answer(&other, "\0\5\0\1\0", 5, 1002);
    assert_int_equal(g.state, TFTP_GET_RUNNING);
}

static void not_found_is_told_from_other_errors(void **state)
{
    answer(&transfer, "\0\5\0\1File not found", 19, 1001);
    assert_int_equal(g.state, TFTP_GET_NOT_FOUND);
    begin(NULL);
    answer(&transfer, "\0\5\0\2", 5, 1001);
    assert_int_equal(g.state, TFTP_GET_ERROR);
}

static void silence_is_asked_again_after_half_a_second_and_ends(void **state)
{
    static const uint64_t due[] = {1500, 2500, 4500, 8500, 12500};

    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(g.due_ms, due[i]);
        w = writer_of(out, sizeof(out));
        tftp_get_tick(&g, g.due_ms, &w);
        assert_int_equal(out[1], TFTP_RRQ);
        assert_true(writer_len(&w) > 0);
    }
    w = writer_of(out, sizeof(out));
    tftp_get_tick(&g, g.due_ms, &w);
    assert_int_equal(g.state, TFTP_GET_TIMEOUT);
    assert_int_equal(writer_len(&w), 0);
}

static void a_stalled_transfer_repeats_its_acknowledgement(void **state)
{
    block(1, 512, 1001);
    w = writer_of(out, sizeof(out));
    tftp_get_tick(&g, g.due_ms, &w);
    assert_memory_equal(out, "\0\4\0\1", 4);
}

static void truncated_packets_are_not_heard(void **state)
{
    for (size_t n = 0; n < 4; n++) {
        answer(&transfer, "\0\3\0\1", n, 1001);
        assert_int_equal(g.state, TFTP_GET_ASKED);
    }
}

static void a_closed_port_ends_it(void **state)
{
    tftp_get_unreachable(&g);
    assert_int_equal(g.state, TFTP_GET_ERROR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_request_is_the_one_of_a_real_phone, begin),
        cmocka_unit_test_setup(a_file_of_three_blocks_is_acknowledged_block_by_block, begin),
        cmocka_unit_test_setup(a_file_of_whole_blocks_ends_with_an_empty_one, begin),
        cmocka_unit_test_setup(block_numbers_wrap_to_zero, begin),
        cmocka_unit_test_setup(the_same_block_again_is_acknowledged_and_not_kept, begin),
        cmocka_unit_test_setup(packets_of_another_transfer_are_not_heard, begin),
        cmocka_unit_test_setup(not_found_is_told_from_other_errors, begin),
        cmocka_unit_test_setup(silence_is_asked_again_after_half_a_second_and_ends, begin),
        cmocka_unit_test_setup(a_stalled_transfer_repeats_its_acknowledgement, begin),
        cmocka_unit_test_setup(truncated_packets_are_not_heard, begin),
        cmocka_unit_test_setup(a_closed_port_ends_it, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
