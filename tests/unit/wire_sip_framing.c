/* wire_sip_framing.c - SIP messages in a stream. */
#include "test.h"

#include "sip_samples.h"
#include "wire/sip/framing.h"

#define HEAD                                                                                       \
    "NOTIFY sip:b SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bK1\r\nFrom: <sip:a>\r\n"              \
    "To: <sip:b>\r\nCall-ID: 1\r\nCSeq: 1 NOTIFY\r\n"

static const char stream[] =
    "\r\n\r\n" SIP_SAMPLE_REGISTER "\r\n" HEAD "Content-Length: 6\r\n\r\nabc\r\n\r" HEAD "\r\n";

/* What comes of `stream` when it arrives in pieces of `step` bytes: a letter each. */
static void read_in_steps(size_t step, char *kinds)
{
    size_t at = 0, there = 0, len = sizeof(stream) - 1, used;
    struct sip_message m;

    for (;;) {
        enum sip_frame_kind kind = sip_frame_next(stream + at, there - at, &m, &used);

        assert_true(used <= there - at);
        assert_int_not_equal(kind, SIP_FRAME_BAD);
        if (kind == SIP_FRAME_MORE) {
            assert_int_equal(used, 0);
            if (there == len)
                break;
            there = there + step < len ? there + step : len;
        } else {
            *kinds++ = "?mpsb"[kind];
            at += used;
        }
    }
    assert_int_equal(at, len);
    *kinds = '\0';
}

static void a_stream_cut_anywhere_gives_the_same_messages(void **state)
{
    for (size_t step = 1; step < sizeof(stream); step++) {
        char kinds[64];

        read_in_steps(step, kinds);
        assert_string_equal(kinds, "pmsmm");
    }
}

static enum sip_frame_kind kind_of(const char *bytes, uint16_t *problem)
{
    struct sip_message m;
    size_t used;
    enum sip_frame_kind kind = sip_frame_next(bytes, strlen(bytes), &m, &used);

    *problem = kind == SIP_FRAME_MESSAGE || kind == SIP_FRAME_BAD ? m.problem : 0;
    return kind;
}

static void a_stream_whose_place_is_lost_is_bad(void **state)
{
    static const struct {
        const char *bytes;
        enum sip_frame_kind kind;
        uint16_t problem;
    } rows[] = {
        {HEAD "Content-Length: 1000000000000\r\n\r\n", SIP_FRAME_BAD, 513},
        {HEAD "Content-Length: 65537\r\n\r\n", SIP_FRAME_BAD, 513},
        {HEAD "Content-Length: 65536\r\n\r\n", SIP_FRAME_MORE, 0},
        {HEAD "Content-Length: -1\r\n\r\n", SIP_FRAME_BAD, 400},
        {HEAD "Content-Length: 99999999999999999999999\r\n\r\n", SIP_FRAME_BAD, 400},
        {HEAD "Content-Length: 0\r\nContent-Length: 3\r\n\r\n", SIP_FRAME_BAD, 400},
        {HEAD "Content-Type: text/plain\r\n\r\nabc", SIP_FRAME_BAD, 400},
        {HEAD "bad name: x\r\nContent-Length: 0\r\n\r\n", SIP_FRAME_MESSAGE, 400},
        {"GET / HTTP/1.1\r\n\r\n", SIP_FRAME_BAD, 0},
        {"\x16\x03\x01\x02\r\n", SIP_FRAME_BAD, 0},
        {"SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP h\r\nl: 0\r\n\r\n", SIP_FRAME_SKIP, 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        uint16_t problem;

        assert_int_equal(kind_of(rows[i].bytes, &problem), rows[i].kind);
        assert_int_equal(problem, rows[i].problem);
    }
}

static void a_head_without_end_is_bad(void **state)
{
    char *text = malloc(SIP_HEAD_MAX + 1);
    struct sip_message m;
    size_t used;

    memset(text, 'x', SIP_HEAD_MAX + 1);
    assert_int_equal(sip_frame_next(text, SIP_HEAD_MAX - 1, &m, &used), SIP_FRAME_MORE);
    assert_int_equal(sip_frame_next(text, SIP_HEAD_MAX + 1, &m, &used), SIP_FRAME_BAD);
    assert_int_equal(m.problem, 0);
    memcpy(text, HEAD "Subject: ", strlen(HEAD "Subject: "));
    assert_int_equal(sip_frame_next(text, SIP_HEAD_MAX + 1, &m, &used), SIP_FRAME_BAD);
    assert_int_equal(m.problem, 513);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_cut_anywhere_gives_the_same_messages),
        cmocka_unit_test(a_stream_whose_place_is_lost_is_bad),
        cmocka_unit_test(a_head_without_end_is_bad),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
