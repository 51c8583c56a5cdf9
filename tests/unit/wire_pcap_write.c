#include "test.h"

#include "wire/capture/pcap_write.h"

static uint8_t file[4096];

static struct writer a_file(size_t size)
{
    struct writer w = writer_of(file, size);
    struct pcap_frame f = {.time_ns = 1500000000000000001ull,
                           .bytes = TEXT("abcde"),
                           .original = 100,
                           .way = PCAP_WAY_OUT,
                           .comment = TEXT("why")};

    pcap_write_section(&w, TEXT("dialtone"), TEXT(""));
    pcap_write_interface(&w, PCAP_WRITE_ETHERNET, TEXT("eth0"));
    pcap_write_secrets(&w, TEXT("CLIENT_RANDOM 00 11\n"));
    pcap_write_frame(&w, &f);
    pcap_write_frame(&w, &(struct pcap_frame){.bytes = TEXT("x")});
    pcap_write_statistics(&w, 0, 7, 2, 1);
    return w;
}

/* Types of whole blocks, in order, as digits; "?" where one is broken. */
static void blocks(const struct writer *w, char *to)
{
    struct reader r = reader_of(file, writer_len(w));

    while (reader_left(&r)) {
        struct reader block = r;
        uint32_t type = read_le32(&r), len = read_le32(&r), again;

        if (len < 12 || len % 4 || len > reader_left(&block)) {
            *to++ = '?';
            break;
        }
        read_bytes(&r, len - 12);
        again = read_le32(&r);
        *to++ = again != len ? '?' : type == 0x0a0d0d0a ? 'S' : (char)('0' + type);
    }
    *to = 0;
}

static void a_file_is_whole_blocks_in_order(void **state)
{
    struct writer w = a_file(sizeof(file));
    char found[32];

    assert_false(w.bad);
    blocks(&w, found);
    assert_string_equal(found, "S1:6"
                               "65");
}

static void a_frame_keeps_time_lengths_and_bytes(void **state)
{
    struct writer w = writer_of(file, sizeof(file));
    static const uint8_t whole[] = {6,   0,   0,   0,   40,  0, 0, 0, 3,  0, 0, 0, 1, 0,
                                    0,   0,   2,   0,   0,   0, 5, 0, 0,  0, 9, 0, 0, 0,
                                    'a', 'b', 'c', 'd', 'e', 0, 0, 0, 40, 0, 0, 0};

    pcap_write_frame(&w, &(struct pcap_frame){.interface = 3,
                                              .time_ns = (1ull << 32) + 2,
                                              .bytes = TEXT("abcde"),
                                              .original = 9});
    assert_int_equal(writer_len(&w), sizeof(whole));
    assert_memory_equal(file, whole, sizeof(whole));
}

static void without_room_what_stands_there_is_whole(void **state)
{
    struct writer w = a_file(sizeof(file));
    size_t all = writer_len(&w);

    for (size_t size = 0; size < all; size++) {
        char found[32];

        w = a_file(size);
        assert_true(w.bad);
        blocks(&w, found);
        assert_null(strchr(found, '?'));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_whole_blocks_in_order),
        cmocka_unit_test(a_frame_keeps_time_lengths_and_bytes),
        cmocka_unit_test(without_room_what_stands_there_is_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
