#include "test.h"

#include "wire/capture/packet.h"
#include "wire/capture/upper_pdu.h"

static const struct upper_pdu sample = {
    .dissector = "skinny", .tcp = true, .from = {{4, {10, 0, 0, 5}}, 50000}, .to = {{4, {10, 0, 0, 1}}, 2443}, .message = {"message", 7}};

static size_t write_sample(uint8_t bytes[static 256])
{
    struct writer w = writer_of(bytes, 256);

    upper_pdu_write(&w, &sample);
    assert_false(w.bad);
    return writer_len(&w);
}

static void a_message_comes_back_with_who_said_it(void **state)
{
    uint8_t bytes[256];
    size_t len = write_sample(bytes);
    struct upper_pdu p;
    struct packet k;
    struct text name;

    assert_int_equal(upper_pdu_read(bytes, len, &p, &name), 0);
    assert_true(text_is(name, "skinny"));
    assert_true(p.tcp);
    assert_true(endpoint_equal(&p.from, &sample.from) && endpoint_equal(&p.to, &sample.to));
    assert_true(text_is(p.message, "message"));
    assert_int_equal(packet_decode_link(LINK_MESSAGES, bytes, len, &k), 0);
    assert_int_equal(k.kind, PACKET_MESSAGE);
    assert_int_equal(k.to.port, 2443);
}

static void what_is_cut_within_its_tags_is_refused(void **state)
{
    uint8_t bytes[256];
    size_t len = write_sample(bytes);
    struct upper_pdu p;
    struct text name;

    for (size_t cut = 0; cut < len - sample.message.len; cut++)
        assert_int_equal(upper_pdu_read(bytes, cut, &p, &name), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_comes_back_with_who_said_it),
        cmocka_unit_test(what_is_cut_within_its_tags_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
