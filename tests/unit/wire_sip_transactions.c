/* wire_sip_transactions.c - many transactions: found by message, by id, by link, by time. */
#include "test.h"

#include "sip_parties.h"
#include "wire/sip/transactions.h"

static struct sip_transactions *ts;
static uint64_t id;

static void begin(size_t max, size_t max_bytes)
{
    struct sip_transactions_options options = {party_port, SIP_TIMING_DEFAULT, max, max_bytes};

    ts = sip_transactions_new(&options, 1000);
    assert_non_null(ts);
}

static void done(size_t left)
{
    assert_int_equal(sip_transactions_count(ts), left);
    sip_transactions_free(ts);
}

static int ask(const char *method, const char *branch, enum sip_transport transport)
{
    struct sip_flow flow = party_flow(transport);
    size_t len = request_write(method, branch);

    return sip_transactions_request(ts, &flow, party_bytes, len, 42, 1000, &id);
}

static int serve(const char *method, const char *branch, enum sip_transport transport)
{
    struct sip_flow flow = party_flow(transport);

    return sip_transactions_serve(ts, &flow, request(method, branch), 43, 1000, &id);
}

static int say(uint64_t to, unsigned status, const char *method, const char *branch)
{
    size_t len = response_write(status, method, branch);

    return sip_transactions_respond(ts, to, party_bytes, len, 1000);
}

static void until(uint64_t ms)
{
    while (sip_transactions_tick(ts, ms))
        ;
}

static void a_response_finds_its_request_among_many(void **state)
{
    char branch[32];
    uint64_t ids[50];

    begin(100, 1 << 20);
    for (int i = 0; i < 50; i++) {
        snprintf(branch, sizeof(branch), "z9hG4bK%d", i);
        assert_int_equal(ask("NOTIFY", branch, SIP_UDP), 0);
        ids[i] = id;
    }
    party_log[0] = '\0';
    assert_true(sip_transactions_heard(ts, response(200, "NOTIFY", "z9hG4bK7"), 1100));
    log_is("tell 200|tell ended");
    assert_null(sip_transactions_get(ts, ids[7]));
    assert_int_equal(sip_transactions_get(ts, ids[8])->state, SIP_TX_TRYING);
    assert_int_equal(sip_transactions_get(ts, ids[8])->user, 42);
    assert_false(sip_transactions_heard(ts, response(200, "NOTIFY", "z9hG4bKx"), 1100));
    until(40000);
    party_log[0] = '\0';
    done(0);
}

static void a_request_again_is_absorbed_and_a_new_one_is_not(void **state)
{
    begin(100, 1 << 20);
    assert_false(sip_transactions_heard(ts, request("NOTIFY", "z9hG4bK1"), 1000));
    assert_int_equal(serve("NOTIFY", "z9hG4bK1", SIP_UDP), 0);
    assert_true(sip_transactions_heard(ts, request("NOTIFY", "z9hG4bK1"), 1000));
    assert_int_equal(serve("NOTIFY", "z9hG4bK1", SIP_UDP), -EEXIST);
    assert_int_equal(sip_transactions_count(ts), 1);
    until(1000);
    assert_int_equal(sip_transactions_next(ts, 1000) > 0, 1);
    done(1);
    log_is("");
}

static void a_cancel_finds_the_invite_that_it_means(void **state)
{
    uint64_t invite;

    begin(100, 1 << 20);
    assert_null(sip_transactions_cancelled(ts, request("CANCEL", "z9hG4bK1")));
    assert_int_equal(serve("INVITE", "z9hG4bK1", SIP_UDP), 0);
    invite = id;
    assert_false(sip_transactions_heard(ts, request("CANCEL", "z9hG4bK1"), 1000));
    assert_int_equal(sip_transactions_cancelled(ts, request("CANCEL", "z9hG4bK1"))->id, invite);
    assert_int_equal(serve("CANCEL", "z9hG4bK1", SIP_UDP), 0);
    assert_int_equal(say(id, 200, "CANCEL", "z9hG4bK1"), 0);
    assert_int_equal(say(invite, 487, "INVITE", "z9hG4bK1"), 0);
    assert_true(sip_transactions_heard(ts, request("ACK", "z9hG4bK1"), 1000));
    log_is("send 200|send 487|tell ACK");
    until(40000);
    log_is("tell ended|tell ended");
    assert_int_equal(say(invite, 487, "INVITE", "z9hG4bK1"), -ENOENT);
    done(0);
}

static void cancel_is_sent_with_the_first_provisional_response(void **state)
{
    begin(100, 1 << 20);
    ask("INVITE", "z9hG4bK1", SIP_UDP);
    assert_int_equal(sip_transactions_cancel(ts, id, 1000), 0);
    log_is("send INVITE");
    sip_transactions_heard(ts, response(100, "INVITE", "z9hG4bK1"), 1100);
    log_is("tell 100|send CANCEL");
    sip_transactions_heard(ts, response(200, "CANCEL", "z9hG4bK1"), 1200);
    sip_transactions_heard(ts, response(487, "INVITE", "z9hG4bK1"), 1200);
    log_is("tell ended|send ACK|tell 487");
    assert_int_equal(sip_transactions_cancel(ts, id, 1200), -EALREADY);
    until(40000);
    log_is("tell ended");
    done(0);
}

static void a_closed_link_breaks_what_goes_over_it(void **state)
{
    begin(100, 1 << 20);
    ask("NOTIFY", "z9hG4bK1", SIP_TCP);
    ask("NOTIFY", "z9hG4bK2", SIP_UDP);
    serve("INVITE", "z9hG4bK3", SIP_TCP);
    say(id, 200, "INVITE", "z9hG4bK3");
    party_log[0] = '\0';
    sip_transactions_link_closed(ts, 8, 1000);
    log_is("");
    sip_transactions_link_closed(ts, 7, 1000);
    log_is("tell broken|tell ended|tell broken");
    sip_transactions_acknowledged(ts, id);
    until(33000);
    assert_null(sip_transactions_get(ts, id));
    party_log[0] = '\0';
    done(0);
}

static void there_are_never_more_than_allowed(void **state)
{
    begin(2, 1 << 20);
    assert_int_equal(ask("NOTIFY", "z9hG4bK1", SIP_UDP), 0);
    assert_int_equal(ask("NOTIFY", "z9hG4bK1", SIP_UDP), -EEXIST);
    assert_int_equal(serve("NOTIFY", "z9hG4bK1", SIP_UDP), 0);
    assert_int_equal(ask("NOTIFY", "z9hG4bK2", SIP_UDP), -ENOBUFS);
    assert_int_equal(serve("NOTIFY", "z9hG4bK2", SIP_UDP), -ENOBUFS);
    done(2);
    begin(100, 500);
    assert_int_equal(ask("NOTIFY", "z9hG4bK1", SIP_UDP), 0);
    assert_int_equal(ask("NOTIFY", "z9hG4bK2", SIP_UDP), 0);
    assert_int_equal(ask("NOTIFY", "z9hG4bK3", SIP_UDP), -ENOBUFS);
    sip_transactions_heard(ts, response(200, "NOTIFY", "z9hG4bK1"), 1000);
    assert_int_equal(ask("NOTIFY", "z9hG4bK3", SIP_UDP), 0);
    done(2);
    party_log[0] = '\0';
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_response_finds_its_request_among_many),
        cmocka_unit_test(a_request_again_is_absorbed_and_a_new_one_is_not),
        cmocka_unit_test(a_cancel_finds_the_invite_that_it_means),
        cmocka_unit_test(cancel_is_sent_with_the_first_provisional_response),
        cmocka_unit_test(a_closed_link_breaks_what_goes_over_it),
        cmocka_unit_test(there_are_never_more_than_allowed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
