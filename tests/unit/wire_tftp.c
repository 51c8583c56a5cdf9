#include "test.h"

#include "wire/boot/tftp.h"

static uint8_t packet[2048];

static size_t request(struct text file, enum tftp_mode mode, const struct tftp_options *o)
{
    struct writer w = writer_of(packet, sizeof(packet));

    tftp_write_request(&w, TFTP_RRQ, file, mode, o);
    assert_false(w.bad);
    return writer_len(&w);
}

static void a_request_without_options_has_the_size_a_phone_sends(void **state)
{
    struct tftp_packet p;
    size_t n = request(TEXT("CTLSEP001122334455.tlv"), TFTP_OCTET, NULL);

    assert_int_equal(n, 31); /* as logged for an 8861 */
    assert_int_equal(tftp_parse(packet, n, &p), 0);
    assert_int_equal(p.op, TFTP_RRQ);
    assert_true(text_is(p.file, "CTLSEP001122334455.tlv"));
    assert_int_equal(p.mode, TFTP_OCTET);
    assert_int_equal(p.options.has, 0);
}

static void options_are_read_in_any_case_and_order(void **state)
{
    static const char other[] = "\0\1f\0OCTET\0TSIZE\0"
                                "00\0bLkSize\0"
                                "512\0other\0x\0";
    struct tftp_options o = {0};
    struct tftp_packet p;
    size_t n;

    tftp_set(&o, TFTP_BLKSIZE, 1428);
    tftp_set(&o, TFTP_TIMEOUT, 3);
    tftp_set(&o, TFTP_TSIZE, 0);
    tftp_set(&o, TFTP_WINDOWSIZE, 8);
    n = request(TEXT("f"), TFTP_NETASCII, &o);
    assert_int_equal(tftp_parse(packet, n, &p), 0);
    assert_memory_equal(&p.options, &o, sizeof(o));
    assert_int_equal(p.mode, TFTP_NETASCII);
    assert_int_equal(tftp_parse(other, sizeof(other) - 1, &p), 0);
    assert_int_equal(p.mode, TFTP_OCTET);
    assert_true(tftp_has(&p.options, TFTP_TSIZE));
    assert_int_equal(p.options.value[TFTP_BLKSIZE], 512);
}

static void an_option_out_of_range_is_as_if_it_were_absent(void **state)
{
    static const char *const bad[] = {"blksize\0"
                                      "7",
                                      "blksize\0"
                                      "65465",
                                      "timeout\0"
                                      "0",
                                      "timeout\0"
                                      "256",
                                      "windowsize\0"
                                      "0",
                                      "windowsize\0"
                                      "65536",
                                      "tsize\0"
                                      "-1",
                                      "tsize\0"
                                      "x",
                                      "tsize\0"
                                      ""};

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct writer w = writer_of(packet, sizeof(packet));
        struct tftp_packet p;
        size_t name = strlen(bad[i]) + 1;

        write_bytes(&w, "\0\1f\0octet\0", 10);
        write_bytes(&w, bad[i], name + strlen(bad[i] + name) + 1);
        assert_int_equal(tftp_parse(packet, writer_len(&w), &p), 0);
        assert_int_equal(p.options.has, 0);
    }
}

static void a_request_cut_anywhere_but_between_options_is_refused(void **state)
{
    struct tftp_options o = {0};
    struct tftp_packet p;
    size_t n, whole = request(TEXT("file"), TFTP_OCTET, NULL);

    tftp_set(&o, TFTP_BLKSIZE, 1428);
    n = request(TEXT("file"), TFTP_OCTET, &o);
    for (size_t i = 0; i < n; i++) {
        uint8_t *copy = malloc(i ? i : 1);

        memcpy(copy, packet, i);
        assert_int_equal(tftp_parse(copy, i, &p), i == whole ? 0 : -EBADMSG);
        free(copy);
    }
}

static void an_overlong_request_is_refused(void **state)
{
    struct tftp_packet p;
    char name[600];

    memset(name, 'a', sizeof(name));
    assert_int_equal(tftp_parse(packet, request((struct text){name, 503}, TFTP_OCTET, NULL), &p),
                     0);
    assert_int_equal(tftp_parse(packet, request((struct text){name, 504}, TFTP_OCTET, NULL), &p),
                     -EBADMSG);
}

static void the_other_packets_come_back_as_written(void **state)
{
    struct writer w = writer_of(packet, sizeof(packet));
    struct tftp_packet p;

    tftp_write_data(&w, 65535, "hello", 5);
    assert_int_equal(tftp_parse(packet, writer_len(&w), &p), 0);
    assert_int_equal(p.block, 65535);
    assert_true(text_is(p.data, "hello"));
    w = writer_of(packet, sizeof(packet));
    tftp_write_ack(&w, 7);
    assert_int_equal(writer_len(&w), 4);
    assert_int_equal(tftp_parse(packet, 4, &p), 0);
    assert_int_equal(p.block, 7);
    assert_int_equal(tftp_parse(packet, 3, &p), -EBADMSG);
    w = writer_of(packet, sizeof(packet));
    tftp_write_error(&w, TFTP_ERROR_NOT_FOUND, "File not found");
    assert_int_equal(tftp_parse(packet, writer_len(&w), &p), 0);
    assert_int_equal(p.error, 1);
    assert_true(text_is(p.message, "File not found"));
    assert_int_equal(tftp_parse(packet, 4, &p), 0); /* no words at all */
    assert_int_equal(tftp_parse("\0\7\0\0", 4, &p), -EBADMSG);
    assert_int_equal(tftp_parse("\0\6", 2, &p), 0); /* nothing was accepted */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_without_options_has_the_size_a_phone_sends),
        cmocka_unit_test(options_are_read_in_any_case_and_order),
        cmocka_unit_test(an_option_out_of_range_is_as_if_it_were_absent),
        cmocka_unit_test(a_request_cut_anywhere_but_between_options_is_refused),
        cmocka_unit_test(an_overlong_request_is_refused),
        cmocka_unit_test(the_other_packets_come_back_as_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
