#include "test.h"

#include "wire/capture/pcap_write.h"
#include "wire/capture/records.h"

static uint8_t file[4096];

struct seen {
    struct record records[8];
    char first[8]; /* the first byte of each */
    size_t n;
    enum records_step last;
    struct records state;
    size_t unused;
};

/* Reads a file that arrives `step` bytes at a time. */
static struct seen read_file(size_t len, size_t step)
{
    struct seen s = {0};
    size_t from = 0, have = 0, used;
    struct record r;

    records_init(&s.state);
    do {
        have = len - have < step ? len : have + step;
        while ((s.last = records_next(&s.state, file + from, have - from, &used, &r)) ==
               RECORDS_PACKET) {
            assert_in_range(s.n, 0, 7);
            s.first[s.n] = r.captured ? (char)r.bytes[0] : '-';
            s.records[s.n++] = r;
            from += used;
        }
        from += used;
    } while (s.last == RECORDS_MORE && have < len);
    s.unused = len - from;
    return s;
}

static void put32(struct writer *w, bool big, uint32_t v)
{
    (big ? write_be32 : write_le32)(w, v);
}

static void put16(struct writer *w, bool big, uint16_t v)
{
    (big ? write_be16 : write_le16)(w, v);
}

static size_t pcap(bool big, uint32_t magic)
{
    struct writer w = writer_of(file, sizeof(file));

    put32(&w, big, magic);
    put16(&w, big, 2);
    put16(&w, big, 4);
    write_zeroes(&w, 8);
    put32(&w, big, 65535);
    put32(&w, big, 113);
    for (uint32_t i = 0; i < 3; i++) {
        put32(&w, big, 1500000000 + i);
        put32(&w, big, 250);
        put32(&w, big, 5);
        put32(&w, big, 60 + i);
        if (magic == 0xa1b2cd34)
            write_zeroes(&w, 8);
        write_u8(&w, (uint8_t)('a' + i));
        write_zeroes(&w, 4);
    }
    return writer_len(&w);
}

static void every_byte_order_and_precision_of_pcap_is_read(void **state)
{
    static const uint32_t magics[] = {0xa1b2c3d4, 0xa1b23c4d, 0xa1b2cd34};

    for (int big = 0; big < 2; big++)
        for (size_t m = 0; m < 3; m++)
            for (size_t step = 1; step < 100; step += 7) {
                struct seen s = read_file(pcap(big, magics[m]), step);

                assert_int_equal(s.last, RECORDS_MORE);
                assert_int_equal(s.n, 3);
                assert_memory_equal(s.first, "abc", 3);
                assert_true(s.records[1].time_ns == 1500000001000000000 + (m == 1 ? 250 : 250000));
                assert_int_equal(s.records[2].captured, 5);
                assert_int_equal(s.records[2].original, 62);
                assert_int_equal(s.records[0].link_type, 113);
                assert_true(records_may_end(&s.state, s.unused));
            }
}

static void a_file_cut_anywhere_is_read_as_far_as_it_goes(void **state)
{
    size_t len = pcap(false, 0xa1b2c3d4);

    for (size_t cut = 0; cut < len; cut++) {
        struct seen s = read_file(cut, 1000);

        assert_int_equal(s.last, RECORDS_MORE);
        assert_int_equal(s.n, cut < 24 ? 0 : (cut - 24) / 21);
        assert_int_equal(records_may_end(&s.state, s.unused), cut >= 24 && (cut - 24) % 21 == 0);
    }
}

static void an_impossible_length_ends_the_reading(void **state)
{
    size_t len = pcap(false, 0xa1b2c3d4);
    struct seen s;

    memset(file + 24 + 21 + 8, 0xff, 4);
    s = read_file(len, 1000);
    assert_int_equal(s.last, RECORDS_BROKEN);
    assert_int_equal(s.n, 1);
    assert_non_null(s.state.problem);
    memcpy(file, "what?", 5);
    s = read_file(len, 1000);
    assert_int_equal(s.last, RECORDS_BROKEN);
    assert_int_equal(s.n, 0);
}

/* A section in one byte order: two interfaces, a comment, one packet block of each kind and blocks
 * nobody knows. */
static void section(struct writer *w, bool big, uint8_t mark)
{
    put32(w, big, 0x0a0d0d0a);
    put32(w, big, 28);
    put32(w, big, 0x1a2b3c4d);
    put32(w, big, 1);
    write_bytes(w, "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
    put32(w, big, 28);

    put32(w, big, 1); /* interface 0: microseconds, snaplen 4 */
    put32(w, big, 20);
    put16(w, big, 113);
    put16(w, big, 0);
    put32(w, big, 4);
    put32(w, big, 20);

    put32(w, big, 1); /* interface 1: 2^-10 s, offset 100 s */
    put32(w, big, 20 + 8 + 12 + 4);
    put16(w, big, 101);
    put16(w, big, 0);
    put32(w, big, 0);
    put16(w, big, 9);
    put16(w, big, 1);
    write_bytes(w, "\x8a\0\0", 4);
    put16(w, big, 14);
    put16(w, big, 8);
    put32(w, big, big ? 0 : 100);
    put32(w, big, big ? 100 : 0);
    put32(w, big, 0);
    put32(w, big, 20 + 8 + 12 + 4);

    put32(w, big, 0xbad); /* a block of no known kind */
    put32(w, big, 16);
    put32(w, big, 77);
    put32(w, big, 16);

    put32(w, big, 6); /* enhanced: interface 1, 1.5 s, with a comment */
    put32(w, big, 28 + 4 + 8 + 4 + 4);
    put32(w, big, 1);
    put32(w, big, 0);
    put32(w, big, 1536);
    put32(w, big, 3);
    put32(w, big, 99);
    write_u8(w, mark);
    write_bytes(w, "xy", 3);
    put16(w, big, 1);
    put16(w, big, 4);
    write_bytes(w, "hey!", 4);
    put32(w, big, 0);
    put32(w, big, 28 + 4 + 8 + 4 + 4);

    put32(w, big, 3); /* simple: cut by the snaplen */
    put32(w, big, 20);
    put32(w, big, 1000);
    write_u8(w, (uint8_t)(mark + 1));
    write_bytes(w, "123", 3);
    put32(w, big, 20);

    put32(w, big, 2); /* old */
    put32(w, big, 36);
    put16(w, big, 0);
    put16(w, big, 5);
    put32(w, big, 0);
    put32(w, big, 7);
    put32(w, big, 4);
    put32(w, big, 4);
    write_u8(w, (uint8_t)(mark + 2));
    write_bytes(w, "...", 3);
    put32(w, big, 36);

    put32(w, big, 5); /* statistics: 9 lost */
    put32(w, big, 24 + 12 + 4);
    write_zeroes(w, 12);
    put16(w, big, 5);
    put16(w, big, 8);
    put32(w, big, big ? 0 : 9);
    put32(w, big, big ? 9 : 0);
    put32(w, big, 0);
    put32(w, big, 24 + 12 + 4);
}

static void sections_of_both_byte_orders_and_all_packet_blocks_are_read(void **state)
{
    struct writer w = writer_of(file, sizeof(file));

    section(&w, false, 'a');
    section(&w, true, 'x');
    assert_false(w.bad);
    for (size_t step = 1; step < 300; step += 13) {
        struct seen s = read_file(writer_len(&w), step);

        assert_int_equal(s.last, RECORDS_MORE);
        assert_int_equal(s.n, 6);
        assert_memory_equal(s.first, "abcxyz", 6);
        for (int i = 0; i < 6; i += 3) {
            assert_true(s.records[i].time_ns == 101500000000);
            assert_int_equal(s.records[i].link_type, 101);
            assert_int_equal(s.records[i].original, 99);
            assert_int_equal(s.records[i].captured, 3);
            assert_int_equal(s.records[i + 1].captured, 4);
            assert_int_equal(s.records[i + 1].original, 1000);
            assert_int_equal(s.records[i + 1].link_type, 113);
            assert_true(s.records[i + 2].time_ns == 7000);
        }
        assert_true(s.state.dropped == 18);
        assert_true(records_may_end(&s.state, s.unused));
    }
}

static void what_we_write_we_read(void **state)
{
    struct writer w = writer_of(file, sizeof(file));
    struct seen s;

    pcap_write_section(&w, TEXT("test"), TEXT("a comment"));
    pcap_write_interface(&w, PCAP_WRITE_ETHERNET, TEXT("eth0"));
    pcap_write_frame(&w, &(struct pcap_frame){.time_ns = 1234567890123456789,
                                              .bytes = TEXT("frame"),
                                              .original = 70});
    assert_false(w.bad);
    s = read_file(writer_len(&w), 1);
    assert_int_equal(s.n, 1);
    assert_true(s.records[0].time_ns == 1234567890123456789);
    assert_int_equal(s.records[0].captured, 5);
    assert_int_equal(s.records[0].original, 70);
}

static void a_packet_of_an_interface_nobody_described_is_passed_over(void **state)
{
    struct writer w = writer_of(file, sizeof(file));
    struct seen s;

    pcap_write_section(&w, TEXT(""), TEXT(""));
    pcap_write_interface(&w, PCAP_WRITE_ETHERNET, TEXT(""));
    pcap_write_frame(&w, &(struct pcap_frame){.interface = 3, .bytes = TEXT("no")});
    pcap_write_frame(&w, &(struct pcap_frame){.bytes = TEXT("yes")});
    s = read_file(writer_len(&w), 5);
    assert_int_equal(s.n, 1);
    assert_int_equal(s.first[0], 'y');
    assert_true(s.state.n == 2); /* numbered as other tools do */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_order_and_precision_of_pcap_is_read),
        cmocka_unit_test(a_file_cut_anywhere_is_read_as_far_as_it_goes),
        cmocka_unit_test(an_impossible_length_ends_the_reading),
        cmocka_unit_test(sections_of_both_byte_orders_and_all_packet_blocks_are_read),
        cmocka_unit_test(what_we_write_we_read),
        cmocka_unit_test(a_packet_of_an_interface_nobody_described_is_passed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
