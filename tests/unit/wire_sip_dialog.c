/* wire_sip_dialog.c - dialogs of both sides (RFC 3261 12), early and confirmed, with routes. */
#include "test.h"

#include "wire/sip/dialog.h"
#include "wire/sip/write.h"

static struct sip_dialog d;
static char bytes[4096], other_bytes[4096];
static struct sip_message message, other;

static const struct sip_message *read_into(struct sip_message *m, char *to, const char *text)
{
    strcpy(to, text);
    assert_int_equal(sip_parse(to, strlen(to), m), 0);
    assert_int_equal(m->problem, 0);
    return m;
}

static const struct sip_message *read_one(const char *text)
{
    return read_into(&message, bytes, text);
}

#define VIA    "Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n"
#define CALL   "Call-ID: c1\r\n"
#define END    "Content-Length: 0\r\n\r\n"
#define ROUTES "Record-Route: <sip:p1;lr>, <sip:p2;lr>\r\nRecord-Route: <sip:p3;lr>\r\n"

#define INVITE                                                                                     \
    "INVITE sip:bob@10.0.0.2 SIP/2.0\r\n" VIA "From: Alice <sip:alice@x>;tag=a\r\n"                \
    "To: <sip:bob@y>\r\n" CALL                                                                     \
    "CSeq: 101 INVITE\r\nContact: <sip:alice@10.0.0.1:5060>\r\n" ROUTES END

static const struct sip_message *in_dialog(const char *method, unsigned cseq, const char *more)
{
    static char text[2048];

    snprintf(text, sizeof(text),
             "%s sip:bob@10.0.0.2 SIP/2.0\r\n" VIA "From: <sip:alice@x>;tag=a\r\n"
             "To: <sip:bob@y>;tag=b\r\n" CALL "CSeq: %u %s\r\n%s" END,
             method, cseq, method, more);
    return read_one(text);
}

static const struct sip_message *answer(unsigned status, const char *method, const char *more)
{
    static char text[2048];

    snprintf(text, sizeof(text),
             "SIP/2.0 %u Words\r\n" VIA "From: Alice <sip:alice@x>;tag=a\r\n"
             "To: <sip:bob@y>;tag=b\r\n" CALL "CSeq: 101 %s\r\n%s" END,
             status, method, more);
    return read_into(&other, other_bytes, text);
}

static void serve(uint16_t status)
{
    assert_int_equal(sip_dialog_serve(&d, read_one(INVITE), TEXT("b"), status, false), 0);
}

static void open_with(unsigned status, const char *more)
{
    assert_int_equal(sip_dialog_open(&d, read_one(INVITE), answer(status, "INVITE", more), false),
                     0);
}

static const char *written(enum sip_method method)
{
    static char text[4096];
    struct sip_flow flow = {.transport = SIP_TCP, .local = {ip_v4(0x0a000002), 5060}};
    struct writer w = writer_of(text, sizeof(text) - 1);

    memset(text, 0, sizeof(text));
    sip_dialog_write(&d, &w, method, &flow, TEXT("z9hG4bK9"));
    assert_false(w.bad);
    return text;
}

static bool is(struct text t, const char *s)
{
    return text_is(t, s);
}

static void the_called_side_keeps_the_route_as_it_came(void **state)
{
    serve(200);
    memset(bytes, 'x', sizeof(bytes)); /* it owns what it keeps */
    assert_string_equal(written(SIP_BYE),
                        "BYE sip:alice@10.0.0.1:5060 SIP/2.0\r\n"
                        "Via: SIP/2.0/TCP 10.0.0.2:5060;branch=z9hG4bK9\r\n"
                        "From: <sip:bob@y>;tag=b\r\nTo: Alice <sip:alice@x>;tag=a\r\n"
                        "Call-ID: c1\r\nCSeq: 1 BYE\r\nMax-Forwards: 70\r\n"
                        "Route: <sip:p1;lr>\r\nRoute: <sip:p2;lr>\r\nRoute: <sip:p3;lr>\r\n");
    assert_true(is(sip_dialog_next_hop(&d), "sip:p1;lr"));
    sip_dialog_done(&d);
}

static void the_calling_side_turns_the_route_round(void **state)
{
    const char *text;

    open_with(200, "Contact: <sip:bob@10.0.0.2>\r\n" ROUTES);
    text = written(SIP_INVITE);
    assert_non_null(strstr(text, "INVITE sip:bob@10.0.0.2 SIP/2.0\r\n"));
    assert_non_null(strstr(text, "From: Alice <sip:alice@x>;tag=a\r\nTo: <sip:bob@y>;tag=b\r\n"));
    assert_non_null(strstr(text, "CSeq: 102 INVITE\r\n"));
    assert_non_null(
        strstr(text, "Route: <sip:p3;lr>\r\nRoute: <sip:p2;lr>\r\nRoute: <sip:p1;lr>\r\n"));
    assert_non_null(strstr(written(SIP_ACK), "CSeq: 102 ACK\r\n"));
    assert_non_null(strstr(written(SIP_BYE), "CSeq: 103 BYE\r\n"));
    sip_dialog_done(&d);
}

static void the_ack_of_the_first_invite_has_its_number(void **state)
{
    open_with(200, "Contact: <sip:bob@10.0.0.2>\r\n");
    assert_non_null(strstr(written(SIP_ACK), "CSeq: 101 ACK\r\n"));
    sip_dialog_done(&d);
}

static void a_strict_router_gets_the_request_in_its_own_name(void **state)
{
    const char *text;

    open_with(200, "Contact: <sip:bob@10.0.0.2>\r\nRecord-Route: <sip:p2;lr>, <sip:p1>\r\n");
    text = written(SIP_BYE);
    assert_non_null(strstr(text, "BYE sip:p1 SIP/2.0\r\n"));
    assert_non_null(strstr(text, "Route: <sip:p2;lr>\r\nRoute: <sip:bob@10.0.0.2>\r\n"));
    assert_null(strstr(text, "<sip:p1>"));
    sip_dialog_done(&d);
}

static void without_a_route_requests_go_to_the_contact(void **state)
{
    open_with(200, "Contact: \"B\" <sip:bob@10.0.0.2;transport=tcp>;q=1\r\n");
    assert_true(is(sip_dialog_next_hop(&d), "sip:bob@10.0.0.2;transport=tcp"));
    sip_dialog_done(&d);
}

static void messages_are_known_by_call_id_and_tags(void **state)
{
    serve(200);
    assert_true(sip_dialog_owns(&d, in_dialog("BYE", 102, "")));
    assert_true(sip_dialog_key(&message) == sip_dialog_own_key(&d));
    read_one("BYE sip:b SIP/2.0\r\n" VIA "From: <sip:a>;tag=z\r\nTo: <sip:b>;tag=b\r\n" CALL
             "CSeq: 102 BYE\r\n" END);
    assert_false(sip_dialog_owns(&d, &message));
    assert_false(sip_dialog_key(&message) == sip_dialog_own_key(&d));
    sip_dialog_done(&d);
    open_with(200, "Contact: <sip:bob@10.0.0.2>\r\n");
    assert_true(sip_dialog_owns(&d, answer(200, "INVITE", "")));
    assert_true(sip_dialog_key(&other) == sip_dialog_own_key(&d));
    assert_false(sip_dialog_owns(&d, in_dialog("BYE", 1, ""))); /* our own, not the other's */
    sip_dialog_done(&d);
}

static void a_late_request_is_an_error_of_the_sender(void **state)
{
    serve(200);
    assert_int_equal(sip_dialog_heard(&d, in_dialog("INFO", 103, "")), 0);
    assert_int_equal(sip_dialog_heard(&d, in_dialog("INFO", 102, "")), 500);
    assert_int_equal(sip_dialog_heard(&d, in_dialog("ACK", 101, "")), 0);  /* of its INVITE */
    assert_int_equal(sip_dialog_heard(&d, in_dialog("INFO", 200, "")), 0); /* gaps are fine */
    sip_dialog_done(&d);
}

static void a_new_contact_moves_the_target(void **state)
{
    serve(200);
    sip_dialog_heard(&d, in_dialog("INFO", 102, "Contact: <sip:no@10.9.9.9>\r\n"));
    assert_true(is(d.target, "sip:alice@10.0.0.1:5060"));
    sip_dialog_heard(&d, in_dialog("UPDATE", 103, "Contact: <sip:new@10.0.0.7>\r\n"));
    assert_true(is(d.target, "sip:new@10.0.0.7"));
    sip_dialog_answered(&d, answer(486, "INVITE", "Contact: <sip:no@10.9.9.9>\r\n"));
    assert_true(is(d.target, "sip:new@10.0.0.7"));
    sip_dialog_answered(&d, answer(200, "INVITE", "Contact: <sip:newer@10.0.0.8>\r\n"));
    assert_true(is(d.target, "sip:newer@10.0.0.8"));
    assert_int_equal(d.n_routes, 3); /* the route stays */
    sip_dialog_done(&d);
}

static void an_early_dialog_is_confirmed_by_the_2xx_with_its_route(void **state)
{
    open_with(183, "Contact: <sip:bob@10.0.0.2>\r\nRecord-Route: <sip:early;lr>\r\n");
    assert_int_equal(d.state, SIP_DIALOG_EARLY);
    written(SIP_PRACK);
    open_with(200, "Contact: <sip:bob@10.0.0.3>\r\nRecord-Route: <sip:late;lr>\r\n");
    assert_int_equal(d.state, SIP_DIALOG_CONFIRMED);
    assert_true(is(d.routes[0], "<sip:late;lr>"));
    assert_non_null(strstr(written(SIP_BYE), "CSeq: 103 BYE\r\n"));
    assert_non_null(strstr(written(SIP_ACK), "CSeq: 101 ACK\r\n"));
    sip_dialog_done(&d);
    serve(180);
    assert_int_equal(d.state, SIP_DIALOG_EARLY);
    written(SIP_UPDATE);
    serve(200);
    assert_int_equal(d.state, SIP_DIALOG_CONFIRMED);
    assert_int_equal(d.local_cseq, 1);
    sip_dialog_done(&d);
}

static void a_dialog_ends_with_bye_or_what_stands_for_it(void **state)
{
    serve(200);
    assert_int_equal(sip_dialog_heard(&d, in_dialog("BYE", 102, "")), 0);
    assert_int_equal(sip_dialog_heard(&d, in_dialog("INFO", 103, "")), 481);
    sip_dialog_done(&d);
    open_with(180, "Contact: <sip:bob@10.0.0.2>\r\n");
    sip_dialog_answered(&d, answer(486, "INVITE", ""));
    assert_int_equal(d.state, SIP_DIALOG_OVER);
    sip_dialog_done(&d);
    open_with(200, "Contact: <sip:bob@10.0.0.2>\r\n");
    sip_dialog_answered(&d, answer(488, "INVITE", "")); /* of a re-INVITE: all stays as it was */
    assert_int_equal(d.state, SIP_DIALOG_CONFIRMED);
    sip_dialog_answered(&d, answer(481, "INFO", ""));
    assert_int_equal(d.state, SIP_DIALOG_OVER);
    sip_dialog_done(&d);
}

static void a_notify_that_comes_first_opens_the_dialog(void **state)
{
    const struct sip_message *subscribe =
        read_into(&other, other_bytes,
                  "SUBSCRIBE sip:bob@10.0.0.2 SIP/2.0\r\n" VIA "From: <sip:bob@y>;tag=b\r\n"
                  "To: <sip:alice@x>\r\n" CALL "CSeq: 7 SUBSCRIBE\r\nContact: <sip:me>\r\n" END);

    assert_int_equal(
        sip_dialog_notified(&d, subscribe,
                            in_dialog("NOTIFY", 40, "Contact: <sip:alice@10.0.0.1>\r\n" ROUTES),
                            false),
        0);
    assert_true(sip_dialog_owns(&d, &message));
    assert_int_equal(sip_dialog_heard(&d, in_dialog("NOTIFY", 39, "")), 500);
    assert_non_null(strstr(written(SIP_SUBSCRIBE), "CSeq: 8 SUBSCRIBE\r\n"));
    assert_true(is(d.routes[0], "<sip:p1;lr>"));
    sip_dialog_done(&d);
}

static void tags_of_rfc_2543_may_be_missing(void **state)
{
    read_one("INVITE sip:b SIP/2.0\r\n" VIA "From: <sip:a>\r\nTo: <sip:b>\r\n" CALL
             "CSeq: 1 INVITE\r\nContact: <sip:a>\r\n" END);
    assert_int_equal(sip_dialog_serve(&d, &message, TEXT("b"), 200, false), 0);
    read_one("BYE sip:b SIP/2.0\r\n" VIA "From: <sip:a>\r\nTo: <sip:b>;tag=b\r\n" CALL
             "CSeq: 2 BYE\r\n" END);
    assert_true(sip_dialog_owns(&d, &message));
    sip_dialog_done(&d);
}

static void what_cannot_be_routed_is_refused(void **state)
{
    char text[4096] = "INVITE sip:b SIP/2.0\r\n" VIA "From: <sip:a>;tag=a\r\nTo: <sip:b>\r\n" CALL
                      "CSeq: 1 INVITE\r\n";

    strcat(text, END);
    assert_int_equal(sip_dialog_serve(&d, read_one(text), TEXT("b"), 200, false), -EBADMSG);
    text[strlen(text) - strlen(END)] = '\0';
    strcat(text, "Contact: <sip:a>\r\n");
    for (int i = 0; i <= SIP_ROUTES_MAX; i++)
        strcat(text, "Record-Route: <sip:p;lr>\r\n");
    strcat(text, END);
    assert_int_equal(sip_dialog_serve(&d, read_one(text), TEXT("b"), 200, false), -EMSGSIZE);
    assert_int_equal(d.state, SIP_DIALOG_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_called_side_keeps_the_route_as_it_came),
        cmocka_unit_test(the_calling_side_turns_the_route_round),
        cmocka_unit_test(the_ack_of_the_first_invite_has_its_number),
        cmocka_unit_test(a_strict_router_gets_the_request_in_its_own_name),
        cmocka_unit_test(without_a_route_requests_go_to_the_contact),
        cmocka_unit_test(messages_are_known_by_call_id_and_tags),
        cmocka_unit_test(a_late_request_is_an_error_of_the_sender),
        cmocka_unit_test(a_new_contact_moves_the_target),
        cmocka_unit_test(an_early_dialog_is_confirmed_by_the_2xx_with_its_route),
        cmocka_unit_test(a_dialog_ends_with_bye_or_what_stands_for_it),
        cmocka_unit_test(a_notify_that_comes_first_opens_the_dialog),
        cmocka_unit_test(tags_of_rfc_2543_may_be_missing),
        cmocka_unit_test(what_cannot_be_routed_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
