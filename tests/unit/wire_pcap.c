#include "test.h"

#include "wire/capture/packet.h"
#include "wire/capture/pcap.h"

static uint8_t file[512];

static size_t two_packets(void)
{
    struct writer w = writer_of(file, sizeof(file));

    pcap_write_header(&w, PCAP_ETHERNET);
    pcap_write_record(&w, 1500000000000000001ull, 3, 100);
    write_bytes(&w, "abc", 3);
    pcap_write_record(&w, 1500000001000000002ull, 0, 0);
    assert_false(w.bad);
    return writer_len(&w);
}

static void packets_come_back_as_written(void **state)
{
    struct pcap_file f;
    struct pcap_packet p;

    assert_int_equal(pcap_open(file, two_packets(), &f), 0);
    assert_int_equal(f.link_type, PCAP_ETHERNET);
    assert_int_equal(pcap_next(&f, &p), 1);
    assert_true(p.time_ns == 1500000000000000001ull);
    assert_int_equal(p.captured, 3);
    assert_int_equal(p.original, 100);
    assert_memory_equal(p.bytes, "abc", 3);
    assert_int_equal(pcap_next(&f, &p), 1);
    assert_int_equal(pcap_next(&f, &p), 0);
}

static void a_file_cut_anywhere_is_noticed(void **state)
{
    size_t whole = two_packets();

    for (size_t n = 0; n < whole; n++) {
        uint8_t *copy = malloc(n ? n : 1);
        struct pcap_file f;
        struct pcap_packet p;
        int err;

        memcpy(copy, file, n);
        err = pcap_open(copy, n, &f);
        while (!err && (err = pcap_next(&f, &p)) == 1)
            err = 0;
        if (n != PCAP_HEADER_SIZE && n != PCAP_HEADER_SIZE + PCAP_RECORD_SIZE + 3)
            assert_int_equal(err, -EBADMSG);
        free(copy);
    }
}

static void files_of_other_machines_are_read(void **state)
{
    static const uint8_t big[] = {0xa1, 0xb2, 0xc3, 0xd4, 0,    2,    0, 4, 0, 0, 0, 0, 0,  0,
                                  0,    0,    0,    0,    0xff, 0xff, 0, 0, 0, 1, 0, 0, 0,  2,
                                  0,    0,    0,    3,    0,    0,    0, 1, 0, 0, 0, 1, 'x'};
    struct pcap_file f;
    struct pcap_packet p;

    assert_int_equal(pcap_open(big, sizeof(big), &f), 0);
    assert_int_equal(pcap_next(&f, &p), 1);
    assert_true(p.time_ns == 2000003000ull); /* microseconds */
    assert_int_equal(p.bytes[0], 'x');
}

/* Ethernet, a tag, IPv4 with one option word, UDP 68 > 67 with two octets, and padding. */
static const uint8_t udp[] = {1, 1,   1,  1,  1,    1,    2,  2,  2,   2,   2,    2, 0x81, 0,
                              0, 110, 8,  0,  0x46, 0x60, 0,  34, 0,   0,   0x40, 0, 64,   17,
                              0, 0,   10, 0,  0,    1,    10, 0,  0,   2,   1,    1, 1,    1,
                              0, 68,  0,  67, 0,    10,   0,  0,  'h', 'i', 0,    0, 0,    0};

static void udp_is_found_behind_tag_and_options(void **state)
{
    struct packet p;

    assert_int_equal(packet_decode(udp, sizeof(udp), &p), 0);
    assert_int_equal(p.kind, PACKET_UDP);
    assert_int_equal(p.ethernet.vlan, 110);
    assert_int_equal(p.dscp, 24);
    assert_int_equal(p.from.port, 68);
    assert_int_equal(ip_v4_number(p.to.ip), 0x0a000002);
    assert_true(text_is(p.payload, "hi"));
}

static void a_cut_packet_is_never_read_past_its_end(void **state)
{
    for (size_t n = 0; n < sizeof(udp); n++) {
        uint8_t *copy = malloc(n ? n : 1);
        struct packet p;
        int err;

        memcpy(copy, udp, n);
        err = packet_decode(copy, n, &p);
        assert_int_equal(err, n < 18 ? -EBADMSG : 0);
        if (!err && n < 50)
            assert_int_equal(p.kind, PACKET_OTHER);
        free(copy);
    }
}

static void tcp_flags_and_payload_are_read(void **state)
{
    static const uint8_t tcp[] = {1,  1,    1,    1, 1, 1,    2,    2,  2, 2, 2, 2,  8,    0,  0x45,
                                  0,  0,    45,   0, 0, 0x40, 0,    64, 6, 0, 0, 10, 0,    0,  1,
                                  10, 0,    0,    2, 7, 0xd0, 0x80, 0,  0, 0, 0, 9,  0,    0,  0,
                                  7,  0x60, 0x12, 0, 0, 0,    0,    0,  0, 2, 4, 5,  0xb4, 'x'};
    struct packet p;

    assert_int_equal(packet_decode(tcp, sizeof(tcp), &p), 0);
    assert_int_equal(p.kind, PACKET_TCP);
    assert_int_equal(p.from.port, 2000);
    assert_int_equal(p.tcp_sequence, 9);
    assert_int_equal(p.tcp_flags, PACKET_SYN | PACKET_ACK);
    assert_true(text_is(p.payload, "x"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_come_back_as_written),
        cmocka_unit_test(a_file_cut_anywhere_is_noticed),
        cmocka_unit_test(files_of_other_machines_are_read),
        cmocka_unit_test(udp_is_found_behind_tag_and_options),
        cmocka_unit_test(a_cut_packet_is_never_read_past_its_end),
        cmocka_unit_test(tcp_flags_and_payload_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
