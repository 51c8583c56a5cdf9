/* wire_sip_transaction.c - one transaction on a virtual clock, against RFC 3261 17 and RFC 6026. */
#include "test.h"

#include "sip_parties.h"
#include "wire/sip/write.h"

#define BRANCH "z9hG4bK1"
#define START  1000u

static struct sip_transaction tx;
static uint64_t now;

static void start_timed(const char *method, enum sip_transport transport, struct sip_timing timing)
{
    struct sip_flow flow = party_flow(transport);
    size_t len = request_write(method, BRANCH);

    now = START;
    assert_int_equal(sip_client_start(&tx, &party_port, &flow, &timing, party_bytes, len, now), 0);
}

static void start(const char *method, enum sip_transport transport)
{
    start_timed(method, transport, SIP_TIMING_DEFAULT);
}

static void serve(const char *method, enum sip_transport transport)
{
    struct sip_flow flow = party_flow(transport);

    now = START;
    assert_int_equal(
        sip_server_start(&tx, &flow, &SIP_TIMING_DEFAULT, request(method, BRANCH), now), 0);
}

static void hear(unsigned status, const char *method)
{
    const struct sip_message *m = response(status, method, BRANCH);

    assert_true(sip_client_owns(&tx, m));
    sip_client_response(&tx, &party_port, m, now);
}

static void again(const char *method)
{
    const struct sip_message *m = request(method, BRANCH);

    assert_true(sip_server_owns(&tx, m));
    sip_server_request(&tx, &party_port, m, now);
}

static int say(unsigned status, const char *method)
{
    size_t len = response_write(status, method, BRANCH);

    return sip_server_respond(&tx, &party_port, party_bytes, len, now);
}

/* The clock moves on to `ms` after the start; each thing that happens is noted with its time. */
static void until(uint64_t ms)
{
    uint64_t due;

    while ((due = sip_transaction_due(&tx)) <= START + ms) {
        now = due;
        party_note("%u", (unsigned)(now - START));
        sip_transaction_tick(&tx, &party_port, now);
    }
    now = START + ms;
}

static void gone(void)
{
    assert_int_equal(tx.state, SIP_TX_ENDED);
    assert_null(tx.kept);
}

/* --- client, INVITE --- */

static void an_invite_that_nobody_answers_is_sent_seven_times_and_times_out(void **state)
{
    start("INVITE", SIP_UDP);
    until(60000);
    log_is("send INVITE|500|send INVITE|1500|send INVITE|3500|send INVITE|7500|send INVITE|"
           "15500|send INVITE|31500|send INVITE|32000|tell timeout|tell ended");
    gone();
}

static void a_reliable_transport_repeats_nothing(void **state)
{
    start("INVITE", SIP_TCP);
    until(60000);
    log_is("send INVITE|32000|tell timeout|tell ended");
    start("REGISTER", SIP_TLS);
    until(60000);
    log_is("send REGISTER|32000|tell timeout|tell ended");
}

static void a_provisional_response_stops_timers_a_and_b(void **state)
{
    start("INVITE", SIP_UDP);
    until(600);
    hear(100, "INVITE");
    hear(180, "INVITE");
    until(200000);
    log_is("send INVITE|500|send INVITE|tell 100|tell 180");
    hear(200, "INVITE");
    until(600000);
    log_is("tell 200|232000|tell ended");
    gone();
}

static void every_2xx_is_passed_on_and_nothing_else_after_it(void **state)
{
    start("INVITE", SIP_UDP);
    hear(200, "INVITE");
    hear(200, "INVITE");
    hear(486, "INVITE");
    hear(180, "INVITE");
    log_is("send INVITE|tell 200|tell 200");
    until(60000);
    log_is("32000|tell ended");
}

static void a_failure_is_acknowledged_each_time_and_told_once(void **state)
{
    start("INVITE", SIP_UDP);
    hear(486, "INVITE");
    log_is("send INVITE|send ACK|tell 486");
    hear(486, "INVITE");
    hear(200, "INVITE");
    log_is("send ACK");
    until(60000);
    log_is("32000|tell ended");
    gone();
}

static void by_tcp_a_failure_ends_it_at_once(void **state)
{
    start("INVITE", SIP_TCP);
    hear(486, "INVITE");
    log_is("send INVITE|send ACK|tell 486|tell ended");
    gone();
}

static void the_ack_of_a_failure_is_made_of_the_request(void **state)
{
    start("INVITE", SIP_UDP);
    hear(486, "INVITE");
    assert_string_equal(party_sent,
                        "ACK sip:bob@10.0.0.2 SIP/2.0\r\n"
                        "Via: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n"
                        "Route: <sip:one;lr>, <sip:two;lr>\r\nFrom: <sip:alice@10.0.0.1>;tag=a\r\n"
                        "To: <sip:bob@10.0.0.2>;tag=b486\r\nCall-ID: c1\r\nCSeq: 5 ACK\r\n"
                        "Content-Length: 0\r\n\r\n");
    sip_transaction_drop(&tx);
    log_is("send INVITE|send ACK|tell 486");
}

static void cancel_waits_for_a_provisional_response(void **state)
{
    char bytes[2048] = "";
    struct writer w = writer_of(bytes, sizeof(bytes) - 1);

    start("INVITE", SIP_UDP);
    assert_int_equal(sip_client_cancel(&tx, &w, now), -EAGAIN);
    assert_true(tx.cancel);
    hear(100, "INVITE");
    assert_int_equal(sip_client_cancel(&tx, &w, now), 0);
    assert_false(tx.cancel);
    assert_string_equal(bytes, "CANCEL sip:bob@10.0.0.2 SIP/2.0\r\n"
                               "Via: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK1\r\n"
                               "Max-Forwards: 70\r\nRoute: <sip:one;lr>, <sip:two;lr>\r\n"
                               "From: <sip:alice@10.0.0.1>;tag=a\r\nTo: <sip:bob@10.0.0.2>\r\n"
                               "Call-ID: c1\r\nCSeq: 5 CANCEL\r\nContent-Length: 0\r\n\r\n");
    log_is("send INVITE|tell 100");
    until(100000);
    log_is("32000|tell timeout|tell ended"); /* 9.1: not even 487 */
    assert_int_equal(sip_client_cancel(&tx, &w, now), -EALREADY);
}

static void the_invite_that_was_cancelled_still_hears_its_487(void **state)
{
    char bytes[2048];
    struct writer w = writer_of(bytes, sizeof(bytes));

    start("INVITE", SIP_UDP);
    hear(180, "INVITE");
    assert_int_equal(sip_client_cancel(&tx, &w, now), 0);
    hear(487, "INVITE");
    log_is("send INVITE|tell 180|send ACK|tell 487");
    sip_transaction_drop(&tx);
}

/* --- client, other methods --- */

static void a_request_is_repeated_at_most_every_t2_until_timer_f(void **state)
{
    start("REGISTER", SIP_UDP);
    until(60000);
    log_is("send REGISTER|500|send REGISTER|1500|send REGISTER|3500|send REGISTER|7500|"
           "send REGISTER|11500|send REGISTER|15500|send REGISTER|19500|send REGISTER|23500|"
           "send REGISTER|27500|send REGISTER|31500|send REGISTER|32000|tell timeout|tell ended");
}

static void after_a_provisional_response_it_is_repeated_every_t2(void **state)
{
    start("REGISTER", SIP_UDP);
    until(100);
    hear(100, "REGISTER");
    until(9000);
    log_is("send REGISTER|tell 100|500|send REGISTER|4500|send REGISTER|8500|send REGISTER");
    until(60000);
    assert_non_null(strstr(party_log, "|32000|tell timeout|tell ended"));
    party_log[0] = '\0';
}

static void responses_that_come_again_are_absorbed_for_t4(void **state)
{
    start("REGISTER", SIP_UDP);
    until(600);
    hear(200, "REGISTER");
    assert_null(tx.kept);
    hear(200, "REGISTER");
    hear(500, "REGISTER");
    log_is("send REGISTER|500|send REGISTER|tell 200");
    until(60000);
    log_is("5600|tell ended");
}

static void what_was_sent_once_is_answered_once(void **state)
{
    start("REGISTER", SIP_UDP);
    until(300);
    hear(200, "REGISTER");
    log_is("send REGISTER|tell 200|tell ended");
    start("REGISTER", SIP_TCP);
    hear(404, "REGISTER");
    log_is("send REGISTER|tell 404|tell ended");
}

static void timers_follow_the_configuration_of_the_phone(void **state)
{
    start_timed("REGISTER", SIP_UDP, (struct sip_timing){100, 300, 1000, 4});
    until(10000);
    log_is("send REGISTER|100|send REGISTER|300|send REGISTER|600|send REGISTER|"
           "6400|tell timeout|tell ended");
}

static void a_broken_transport_is_told_and_ends_it(void **state)
{
    start("REGISTER", SIP_TCP);
    sip_transaction_broken(&tx, &party_port, now);
    log_is("send REGISTER|tell broken|tell ended");
    start("INVITE", SIP_TCP);
    sip_transaction_broken(&tx, &party_port, now);
    log_is("send INVITE|tell broken|tell ended");
    gone();
}

static void what_is_forgotten_goes_on_without_news(void **state)
{
    start("INVITE", SIP_UDP);
    sip_transaction_forget(&tx);
    hear(486, "INVITE");
    hear(486, "INVITE");
    until(60000);
    log_is("send INVITE|send ACK|send ACK|32000|tell ended");
}

/* --- server, INVITE --- */

static void trying_is_sent_after_200_ms_unless_the_user_answers(void **state)
{
    serve("INVITE", SIP_UDP);
    until(1000);
    log_is("200|send 100");
    again("INVITE");
    assert_int_equal(say(180, "INVITE"), 0);
    again("INVITE");
    log_is("send 100|send 180|send 180");
    assert_null(strstr(party_sent, "CSeq: 6"));
    sip_transaction_drop(&tx);
    serve("INVITE", SIP_UDP);
    until(100);
    assert_int_equal(say(180, "INVITE"), 0);
    until(10000);
    log_is("send 180");
    sip_transaction_drop(&tx);
}

static void the_trying_that_is_sent_has_no_tag(void **state)
{
    serve("INVITE", SIP_UDP);
    until(200);
    assert_non_null(strstr(party_sent, "\r\nTo: <sip:bob@10.0.0.2>\r\n"));
    log_is("200|send 100");
    sip_transaction_drop(&tx);
}

static void a_failure_is_repeated_until_the_ack(void **state)
{
    serve("INVITE", SIP_UDP);
    assert_int_equal(say(486, "INVITE"), 0);
    until(4000);
    log_is("send 486|500|send 486|1500|send 486|3500|send 486");
    again("INVITE");
    again("ACK");
    again("ACK");
    again("INVITE");
    until(60000);
    log_is("send 486|tell ACK|9000|tell ended");
    gone();
}

static void a_failure_without_ack_times_out(void **state)
{
    serve("INVITE", SIP_UDP);
    say(404, "INVITE");
    until(60000);
    assert_non_null(strstr(party_log, "|31500|send 404|32000|tell timeout|tell ended"));
    party_log[0] = '\0';
    serve("INVITE", SIP_TCP);
    say(404, "INVITE");
    again("INVITE");
    until(60000);
    log_is("send 404|32000|tell timeout|tell ended");
    serve("INVITE", SIP_TCP);
    say(404, "INVITE");
    again("ACK");
    log_is("send 404|tell ACK|tell ended");
}

static void a_2xx_is_repeated_by_every_transport_until_it_is_acknowledged(void **state)
{
    serve("INVITE", SIP_TCP);
    assert_int_equal(say(200, "INVITE"), 0);
    until(1600);
    log_is("send 200|500|send 200|1500|send 200");
    again("INVITE"); /* RFC 6026: absorbed */
    sip_server_acknowledged(&tx);
    until(60000);
    log_is("32000|tell ended");
}

static void a_2xx_without_ack_times_out(void **state)
{
    serve("INVITE", SIP_UDP);
    say(200, "INVITE");
    until(60000);
    assert_non_null(strstr(party_log, "|31500|send 200|32000|tell timeout|tell ended"));
    party_log[0] = '\0';
}

static void a_final_response_is_the_last(void **state)
{
    serve("INVITE", SIP_UDP);
    say(486, "INVITE");
    assert_int_equal(say(180, "INVITE"), -EALREADY);
    assert_int_equal(say(200, "INVITE"), -EALREADY);
    assert_int_equal(sip_server_respond(&tx, &party_port, "SIP/2.0 42 x\r\n", 14, now), -EBADMSG);
    assert_int_equal(sip_server_respond(&tx, &party_port, "INVITE", 6, now), -EBADMSG);
    log_is("send 486");
    sip_transaction_drop(&tx);
}

/* --- server, other methods --- */

static void a_request_again_is_answered_again_for_64_t1(void **state)
{
    serve("REGISTER", SIP_UDP);
    again("REGISTER");
    log_is("");
    say(100, "REGISTER");
    again("REGISTER");
    say(200, "REGISTER");
    again("REGISTER");
    log_is("send 100|send 100|send 200|send 200");
    assert_int_equal(say(500, "REGISTER"), -EALREADY);
    until(60000);
    log_is("32000|tell ended");
    serve("REGISTER", SIP_TCP);
    say(200, "REGISTER");
    log_is("send 200|tell ended");
}

static void a_request_that_its_user_never_answers_ends_with_the_client(void **state)
{
    serve("OPTIONS", SIP_TCP);
    until(60000);
    log_is("32000|tell timeout|tell ended");
}

/* --- which message belongs to it --- */

static void a_response_is_known_by_branch_and_method(void **state)
{
    start("INVITE", SIP_UDP);
    assert_true(sip_client_owns(&tx, response(200, "INVITE", BRANCH)));
    assert_false(sip_client_owns(&tx, response(200, "CANCEL", BRANCH)));
    assert_false(sip_client_owns(&tx, response(200, "INVITE", "z9hG4bK2")));
    assert_false(sip_client_owns(&tx, request("INVITE", BRANCH)));
    sip_transaction_drop(&tx);
    log_is("send INVITE");
}

static void a_request_is_known_by_branch_sender_and_method(void **state)
{
    const struct sip_message *m;
    uint64_t key;

    m = request("INVITE", BRANCH);
    key = sip_server_key(m, false);
    assert_true(key == sip_server_key(request("ACK", BRANCH), false));
    assert_true(key == sip_server_key(request("CANCEL", BRANCH), true));
    assert_false(key == sip_server_key(request("CANCEL", BRANCH), false));
    assert_false(key == sip_server_key(request("INVITE", "z9hG4bK2"), false));
    request_write("INVITE", BRANCH);
    memcpy(strstr(party_bytes, "10.0.0.1:5060"), "10.0.0.1:5061", 13);
    assert_false(key == sip_server_key(parsed(strlen(party_bytes)), false));
}

static const struct sip_message *old(const char *method, const char *call_id, const char *to)
{
    return parsed((size_t)snprintf(
        party_bytes, sizeof(party_bytes),
        "%s sip:bob@10.0.0.2 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1\r\nFrom: <sip:a>;tag=1\r\n"
        "To: <sip:bob@10.0.0.2>%s\r\nCall-ID: %s\r\nCSeq: 5 %s\r\nContent-Length: 0\r\n\r\n",
        method, to, call_id, method));
}

static void rfc_2543_requests_are_known_by_what_they_say(void **state)
{
    uint64_t key = sip_server_key(old("INVITE", "c1", ""), false);

    assert_true(key == sip_server_key(old("INVITE", "c1", ""), false));
    assert_true(key == sip_server_key(old("ACK", "c1", ";tag=x"), false));
    assert_true(key == sip_server_key(old("CANCEL", "c1", ""), true));
    assert_false(key == sip_server_key(old("INVITE", "c2", ""), false));
    assert_false(sip_server_key(old("BYE", "c1", ";tag=x"), false) ==
                 sip_server_key(old("BYE", "c1", ";tag=y"), false));
    /* the cookie alone is no branch of RFC 3261 */
    assert_false(sip_server_key(request("INVITE", "z9hG4bK"), false) ==
                 sip_server_key(old("INVITE", "c1", ""), false));
}

static void what_is_no_request_is_not_sent(void **state)
{
    struct sip_flow flow = party_flow(SIP_UDP);
    size_t len = response_write(200, "INVITE", BRANCH);

    tx = (struct sip_transaction){0};
    assert_int_equal(
        sip_client_start(&tx, &party_port, &flow, &SIP_TIMING_DEFAULT, party_bytes, len, 1),
        -EBADMSG);
    len = request_write("ACK", BRANCH);
    assert_int_equal(
        sip_client_start(&tx, &party_port, &flow, &SIP_TIMING_DEFAULT, party_bytes, len, 1),
        -EBADMSG);
    assert_int_equal(sip_server_start(&tx, &flow, &SIP_TIMING_DEFAULT, request("ACK", BRANCH), 1),
                     -EINVAL);
    log_is("");
}

static void a_transaction_is_small(void **state)
{
    assert_true(sizeof(struct sip_transaction) <= 168);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_invite_that_nobody_answers_is_sent_seven_times_and_times_out),
        cmocka_unit_test(a_reliable_transport_repeats_nothing),
        cmocka_unit_test(a_provisional_response_stops_timers_a_and_b),
        cmocka_unit_test(every_2xx_is_passed_on_and_nothing_else_after_it),
        cmocka_unit_test(a_failure_is_acknowledged_each_time_and_told_once),
        cmocka_unit_test(by_tcp_a_failure_ends_it_at_once),
        cmocka_unit_test(the_ack_of_a_failure_is_made_of_the_request),
        cmocka_unit_test(cancel_waits_for_a_provisional_response),
        cmocka_unit_test(the_invite_that_was_cancelled_still_hears_its_487),
        cmocka_unit_test(a_request_is_repeated_at_most_every_t2_until_timer_f),
        cmocka_unit_test(after_a_provisional_response_it_is_repeated_every_t2),
        cmocka_unit_test(responses_that_come_again_are_absorbed_for_t4),
        cmocka_unit_test(what_was_sent_once_is_answered_once),
        cmocka_unit_test(timers_follow_the_configuration_of_the_phone),
        cmocka_unit_test(a_broken_transport_is_told_and_ends_it),
        cmocka_unit_test(what_is_forgotten_goes_on_without_news),
        cmocka_unit_test(trying_is_sent_after_200_ms_unless_the_user_answers),
        cmocka_unit_test(the_trying_that_is_sent_has_no_tag),
        cmocka_unit_test(a_failure_is_repeated_until_the_ack),
        cmocka_unit_test(a_failure_without_ack_times_out),
        cmocka_unit_test(a_2xx_is_repeated_by_every_transport_until_it_is_acknowledged),
        cmocka_unit_test(a_2xx_without_ack_times_out),
        cmocka_unit_test(a_final_response_is_the_last),
        cmocka_unit_test(a_request_again_is_answered_again_for_64_t1),
        cmocka_unit_test(a_request_that_its_user_never_answers_ends_with_the_client),
        cmocka_unit_test(a_response_is_known_by_branch_and_method),
        cmocka_unit_test(a_request_is_known_by_branch_sender_and_method),
        cmocka_unit_test(rfc_2543_requests_are_known_by_what_they_say),
        cmocka_unit_test(what_is_no_request_is_not_sent),
        cmocka_unit_test(a_transaction_is_small),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
