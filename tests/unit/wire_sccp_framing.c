/* wire_sccp_framing.c - SCCP frames in a stream. */
#include "test.h"

#include "wire/sccp/message.h"

/* KeepAlive, LineStatReq 1 and StopTone in a row, as they come in one segment. */
static size_t three_frames(uint8_t to[64])
{
    struct writer w = writer_of(to, 64);

    assert_int_equal(sccp_put_keepalive(&w, 22, &(struct sccp_keepalive){}), 0);
    assert_int_equal(sccp_put_line_stat_req(&w, 22, &(struct sccp_line_stat_req){.line = 1}), 0);
    assert_int_equal(sccp_put_stop_tone(&w, 22, &(struct sccp_stop_tone){.line = 1, .call = 7}), 0);
    return writer_len(&w);
}

static void a_stream_cut_anywhere_gives_the_same_frames(void **state)
{
    static const uint32_t ids[] = {SCCP_KEEPALIVE, SCCP_LINE_STAT_REQ, SCCP_STOP_TONE};
    uint8_t bytes[64];
    size_t len = three_frames(bytes);

    for (size_t cut = 0; cut <= len; cut++) {
        struct reader r = reader_of(bytes, cut);
        struct sccp_frame frame;
        size_t n = 0;

        while (sccp_frame_next(&r, &frame) == 1)
            assert_int_equal(frame.id, ids[n++]);
        r = reader_of(r.at, len - (size_t)(r.at - bytes)); /* the rest has come */
        while (sccp_frame_next(&r, &frame) == 1)
            assert_int_equal(frame.id, ids[n++]);
        assert_int_equal(n, 3);
        assert_int_equal(reader_left(&r), 0);
    }
}

static void the_header_is_length_version_and_id(void **state)
{
    static const uint8_t expected[] = {8, 0, 0, 0, 20, 0, 0, 0, 0x0b, 0, 0, 0, 3, 0, 0, 0};
    uint8_t bytes[64];
    struct writer w = writer_of(bytes, sizeof(bytes));

    assert_int_equal(sccp_put_line_stat_req(&w, 20, &(struct sccp_line_stat_req){.line = 3}), 0);
    assert_int_equal(writer_len(&w), sizeof(expected));
    assert_memory_equal(bytes, expected, sizeof(expected));
}

static void versions_below_ten_and_the_first_answers_have_a_plain_header(void **state)
{
    uint8_t bytes[64];
    struct writer w = writer_of(bytes, sizeof(bytes));

    sccp_put_line_stat_req(&w, 9, &(struct sccp_line_stat_req){.line = 3});
    assert_int_equal(bytes[4], 0);
    w = writer_of(bytes, sizeof(bytes));
    sccp_put_register_ack(&w, 22, &(struct sccp_register_ack){.keepalive_s = 30});
    assert_int_equal(bytes[4], 0);
}

static int next_of_length(uint32_t length, size_t have)
{
    uint8_t bytes[SCCP_FRAME_MAX + 64] = {length & 0xff, length >> 8 & 0xff, length >> 16 & 0xff,
                                          length >> 24};
    struct reader r = reader_of(bytes, have);
    struct sccp_frame frame;

    return sccp_frame_next(&r, &frame);
}

static void impossible_lengths_are_an_error_at_once(void **state)
{
    assert_int_equal(next_of_length(3, 4), -EPROTO);
    assert_int_equal(next_of_length(0, 4), -EPROTO);
    assert_int_equal(next_of_length(SCCP_FRAME_MAX - 7, 4), -EPROTO);
    assert_int_equal(next_of_length(0xffffffff, 4), -EPROTO);
    assert_int_equal(next_of_length(0xfffffffc, 4), -EPROTO);
    assert_int_equal(next_of_length(4, 4), 0);
    assert_int_equal(next_of_length(4, 12), 1);
    assert_int_equal(next_of_length(SCCP_FRAME_MAX - 8, SCCP_FRAME_MAX), 1);
    assert_int_equal(next_of_length(4, 3), 0);
}

static void a_full_writer_is_cut_back_to_whole_frames(void **state)
{
    uint8_t bytes[20];
    struct writer w = writer_of(bytes, sizeof(bytes));

    assert_int_equal(sccp_put_keepalive(&w, 0, &(struct sccp_keepalive){}), 0);
    assert_int_equal(sccp_put_keepalive(&w, 0, &(struct sccp_keepalive){}), -ENOBUFS);
    assert_true(w.bad);
    assert_int_equal(writer_len(&w), 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_cut_anywhere_gives_the_same_frames),
        cmocka_unit_test(the_header_is_length_version_and_id),
        cmocka_unit_test(versions_below_ten_and_the_first_answers_have_a_plain_header),
        cmocka_unit_test(impossible_lengths_are_an_error_at_once),
        cmocka_unit_test(a_full_writer_is_cut_back_to_whole_frames),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
