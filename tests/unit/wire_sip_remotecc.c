/* wire_sip_remotecc.c - Cisco's remote control bodies. */
#include "test.h"

#include "sip_samples.h"
#include "wire/sip/remotecc.h"

#define REGISTER(type)                                                                             \
    "REGISTER sip:s SIP/2.0\r\nVia: SIP/2.0/TCP h\r\nFrom: <sip:a>\r\nTo: <sip:a>\r\n"             \
    "Call-ID: 1\r\nCSeq: 1 REGISTER\r\nContent-Type: " type "\r\n\r\n"

static char bytes[2048];

static int read_offer(const char *text, struct remotecc_offer *o)
{
    struct sip_message m;

    assert_int_equal(sip_parse(text, strlen(text), &m), 0);
    return remotecc_read_offer(&m, o);
}

static void a_phone_offers_bulk_registration_and_options(void **state)
{
    struct remotecc_offer o;
    struct writer w = writer_of(bytes, sizeof(bytes) - 1);

    assert_int_equal(
        read_offer(REGISTER("multipart/mixed; boundary=uniqueBoundary") SIP_SAMPLE_BULK_BODY, &o),
        0);
    assert_true(o.bulk && o.options);
    assert_int_equal(o.combine, 6);
    assert_int_equal(o.can, 1 << REMOTECC_COMBINE | 1 << REMOTECC_HOOK_STATUS |
                                1 << REMOTECC_SHARED_LINE | 1 << REMOTECC_BLF | 1 << REMOTECC_JOIN |
                                1 << REMOTECC_CFWDALL_ANYLINE | 1 << REMOTECC_COACHING |
                                1 << REMOTECC_OOS_ALARM);
    assert_int_equal(o.unsolicited, o.subscribed);
    remotecc_write_answer(&w, &o);
    *w.at = '\0';
    assert_false(w.bad);
    assert_in_range(writer_len(&w), 1, REMOTECC_ANSWER_MAX);
    assert_string_equal(bytes, "<x-cisco-remotecc-response>\n<response>\n<code>200</code>\n"
                               "<optionsind>\n<combine max=\"6\">\n"
                               "<remotecc><status/></remotecc>\n<service-control/>\n</combine>\n"
                               "<dialog usage=\"hook status\"><unot/></dialog>\n"
                               "<dialog usage=\"shared line\"><unot/></dialog>\n"
                               "<presence usage=\"blf speed dial\"><unot/></presence>\n"
                               "<joinreq></joinreq>\n</optionsind>\n</response>\n"
                               "</x-cisco-remotecc-response>\n\r\n");
    assert_int_equal(writer_len(&w), 367); /* as a CallManager 12.0 said it to an IP Communicator */
}

static void a_room_offers_other_options(void **state)
{
    static const char text[] = REGISTER(
        "application/x-cisco-remotecc-request+xml") "<!-- x --><x-cisco-remotecc-request>"
                                                    "<optionsind><ix/><bfcp/><unknown><unot/></"
                                                    "unknown><dialog usage='shared line'><sub/>"
                                                    "</dialog><combine "
                                                    "max=\"99\"/></optionsind></"
                                                    "x-cisco-remotecc-request>";
    struct remotecc_offer o;
    struct writer w = writer_of(bytes, sizeof(bytes) - 1);

    assert_int_equal(read_offer(text, &o), 0);
    assert_false(o.bulk);
    assert_int_equal(o.combine, 6);
    remotecc_write_answer(&w, &o);
    *w.at = '\0';
    assert_non_null(strstr(bytes, "<ix/>\n<bfcp/>\n"));
    assert_non_null(strstr(bytes, "<dialog usage=\"shared line\"><sub/></dialog>\n"));
    assert_null(strstr(bytes, "unot"));
}

static void the_answer_is_read_again(void **state)
{
    struct remotecc_offer asked = {.options = true,
                                   .combine = 4,
                                   .can = (1u << N_REMOTECC_OPTIONS) - 1,
                                   .unsolicited = (1u << N_REMOTECC_OPTIONS) - 1},
                          o;
    char text[2048] = REGISTER("application/x-cisco-remotecc-response+xml");
    size_t head = strlen(text);
    struct writer w = writer_of(text + head, sizeof(text) - head - 1);

    remotecc_write_answer(&w, &asked);
    assert_false(w.bad);
    assert_in_range(writer_len(&w), 1, REMOTECC_ANSWER_MAX);
    assert_int_equal(read_offer(text, &o), 0);
    assert_int_equal(o.code, 200);
    assert_int_equal(o.combine, 4);
    assert_int_equal(o.unsolicited,
                     1 << REMOTECC_HOOK_STATUS | 1 << REMOTECC_SHARED_LINE | 1 << REMOTECC_BLF);
}

static void what_is_no_document_is_refused(void **state)
{
    static const char *const bad[] = {
        "x",
        "<a>",
        "<a></b>",
        "<a/><b/>",
        "<a b=\">",
        "<>",
        "</>",
        "<a><b></a>",
        "<!DOCTYPE a><a/>",
        "<?xml ?",
        "<!-- <a/>",
        "<a><b><c><d><e><f><g><h><i/></h></g></f></e></d></c></b></a>",
        "<a><![CDATA[x]]></a>",
        "<a",
        "<",
        "<a>text",
        "</a>",
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct remotecc_offer o;
        char text[512];

        snprintf(text, sizeof(text), REGISTER("application/x-cisco-remotecc-request+xml") "%s",
                 bad[i]);
        assert_int_equal(read_offer(text, &o), -EBADMSG);
    }
}

static void every_truncation_is_refused_or_whole(void **state)
{
    static const char xml[] = "<r><optionsind><combine max=\"6\"><x/></combine></optionsind></r>";

    for (size_t len = 1; len < sizeof(xml) - 1; len++) {
        struct remotecc_offer o;
        char text[512];

        snprintf(text, sizeof(text), REGISTER("application/x-cisco-remotecc-request+xml") "%.*s",
                 (int)len, xml);
        assert_int_equal(read_offer(text, &o), -EBADMSG);
    }
}

static void a_value_is_found_by_its_path(void **state)
{
    struct text xml = TEXT("<r><a><c>no</c></a><a><b x='1'> yes </b><b>late</b></a><b>no</b></r>"),
                value;

    assert_true(remotecc_value(xml, "a/b", &value));
    assert_true(text_is(value, "yes"));
    assert_true(remotecc_value(xml, "b", &value));
    assert_true(text_is(value, "no"));
    assert_true(remotecc_value(TEXT("<r><a/>text</r>"), "a", &value));
    assert_int_equal(value.len, 0);
    assert_false(remotecc_value(xml, "a/d", &value));
    assert_false(remotecc_value(xml, "c", &value));
    assert_false(remotecc_value(TEXT(""), "c", &value));
}

static void orders_are_documents_that_say_what_was_asked(void **state)
{
    const struct remotecc_line lines[] = {{.line = 0},
                                          {.line = 2,
                                           .message_waiting = true,
                                           .forwards = true,
                                           .forward_to = TEXT("7<2"),
                                           .to_voicemail = true}};
    struct writer w = writer_of(bytes, sizeof(bytes) - 1);
    struct text value;

    remotecc_write_bulkupdate(&w, lines, 2);
    *w.at = '\0';
    assert_non_null(strstr(bytes, "<contact all=\"true\"><mwi>no</mwi></contact>\n"
                                  "<contact line=\"2\">\n<mwi>yes</mwi>\n<cfwdallupdate>"));
    assert_true(
        remotecc_value(text_of(bytes), "bulkupdate/contact/cfwdallupdate/fwdaddress", &value));
    assert_true(text_is(value, "7&lt;2"));

    w = writer_of(bytes, sizeof(bytes) - 1);
    remotecc_write_status(&w, TEXT("\x80/ <&\n"), 10);
    *w.at = '\0';
    assert_true(remotecc_value(text_of(bytes), "statuslineupdatereq/statustext", &value));
    assert_true(text_is(value, "\x80/ &lt;&amp;"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_phone_offers_bulk_registration_and_options),
        cmocka_unit_test(a_room_offers_other_options),
        cmocka_unit_test(the_answer_is_read_again),
        cmocka_unit_test(what_is_no_document_is_refused),
        cmocka_unit_test(every_truncation_is_refused_or_whole),
        cmocka_unit_test(a_value_is_found_by_its_path),
        cmocka_unit_test(orders_are_documents_that_say_what_was_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
