/* wire_peer.c - what nodes say to each other, byte by byte. */
#include "test.h"

#include "wire/peer.h"

static size_t encode(const struct peer_message *m, uint8_t *bytes)
{
    struct writer w = writer_of(bytes, PEER_FRAME_MAX);

    peer_encode(m, &w);
    assert_false(w.bad);
    return writer_len(&w);
}

static struct peer_message hello(void)
{
    struct peer_message m = {.kind = PEER_HELLO};

    strcpy(m.hello.node, "cm1");
    strcpy(m.hello.version, "1.2.3");
    strcpy(m.hello.cluster, "StandAloneCluster");
    return m;
}

static void a_message_is_what_was_said(void **state)
{
    struct peer_message m = {.kind = PEER_DEVICE, .device = {"SEP001122334455", "10.0.0.7", 0, 77}}, got;
    uint8_t bytes[PEER_FRAME_MAX];
    struct reader r = reader_of(bytes, encode(&m, bytes));

    assert_int_equal(peer_next(&r, &got), 1);
    assert_string_equal(got.device.name, "SEP001122334455");
    assert_string_equal(got.device.address, "10.0.0.7");
    assert_int_equal(got.device.age_ms, 77);
    assert_int_equal(reader_left(&r), 0);
}

static void truncation_waits_at_every_length(void **state)
{
    struct peer_message m = hello(), got;
    uint8_t bytes[PEER_FRAME_MAX];
    size_t n = encode(&m, bytes);

    for (size_t len = 0; len < n; len++) {
        uint8_t *copy = memcpy(malloc(len + 1), bytes, len);
        struct reader r = reader_of(copy, len);

        assert_int_equal(peer_next(&r, &got), 0);
        assert_int_equal(reader_left(&r), len);
        free(copy);
    }
}

static void what_is_no_message_is_refused(void **state)
{
    static const uint8_t garbage[][12] = {"GET / HTTP/1",  {0xff, 0xff, 0xff, 0xff, 1},
                                          {3, 0, 0, 0, 1}, {8, 0, 0, 0, 99},
                                          {8, 0, 0, 0, 0}, {8, 0, 0, 0, 1}};
    struct peer_message got;

    for (size_t i = 0; i < sizeof(garbage) / sizeof(*garbage); i++) {
        struct reader r = reader_of(garbage[i], 12);

        assert_int_equal(peer_next(&r, &got), -EBADMSG);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_what_was_said),
        cmocka_unit_test(truncation_waits_at_every_length),
        cmocka_unit_test(what_is_no_message_is_refused),
    };

    return cmocka_run_group_tests_name("wire_peer", tests, NULL, NULL);
}
