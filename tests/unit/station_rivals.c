/* station_rivals.c - somebody registers a name that is alive elsewhere: who holds it is asked first. */
#include "test.h"

#include "base/log.h"
#include "sip_log.h"
#include "station/sip/station.h"
#include "wire/sccp/message.h"

#define A     "SEP001122334455"
#define MAC_A "001122334455"
#define PHONES "phone " A " model=684 protocol=sip lines=7001;7002\n"

static const struct sip_say holder = {1, MAC_A, "684", "7001", "one@10.1.0.1", 101, 3600, NULL, NULL, SIP_BULK_BODY},
                            thief = {9, MAC_A, "684", "7001", "nine@10.1.0.9", 101, 3600, NULL, NULL, SIP_BULK_BODY};

static void comes(struct sip_world *w, const struct sip_say *s)
{
    sip_world_forget(w);
    if (s->link)
        sip_world_connect(w, s->link);
    sip_world_register(w, s);
}

static struct ip address(struct sip_world *w)
{
    return sip_stations_find(w->sip, (struct device_name){A})->peer.ip;
}

static struct sip_world *with_holder(const struct sip_say *s)
{
    struct sip_world *w = sip_world_new(PHONES);

    comes(w, s);
    sip_world_pass(w, 10000);
    sip_world_forget(w);
    return w;
}

static void a_phone_that_answers_keeps_its_name(void **state)
{
    struct sip_world *w = with_holder(&holder);

    w->answering[1] = true;
    comes(w, &thief);
    contains(w, "100 Trying");
    contains(w, "probe 1");
    lacks(w, "200 OK");
    sip_world_pass(w, 1500);
    contains(w, "403 Forbidden");
    contains(w, "alarm DuplicateDevice [DeviceName=" A "][IPAddress=10.1.0.9][OtherIPAddress=10.1.0.1]");
    lacks(w, "EndPointUnregistered");
    lacks(w, "event "); /* to the phone nothing has happened */
    assert_false(w->closed[1]);
    assert_true(ip_equal(address(w), ip_v4(0x0a010001)));
    sip_world_free(w);
}

static void a_phone_that_moved_is_back_after_a_second_and_a_half(void **state)
{
    struct sip_world *w = with_holder(&holder);

    comes(w, &thief);
    sip_world_pass(w, 1499);
    lacks(w, "200 OK");
    sip_world_pass(w, 1);
    contains(w, "200 OK");
    contains(w, "REFER");
    lacks(w, "DuplicateDevice");
    assert_true(w->closed[1]);
    assert_true(ip_equal(address(w), ip_v4(0x0a010009)));
    assert_int_equal(sip_stations_registered(w->sip), 1);
    sip_world_free(w);
}

static void a_phone_may_move_as_often_as_it_likes(void **state)
{
    struct sip_world *w = with_holder(&holder);

    for (unsigned i = 2; i < 22; i++) {
        struct sip_say s = thief;
        char id[20];

        s.link = i;
        s.call_id = id;
        snprintf(id, sizeof(id), "call-%u", i);
        comes(w, &s);
        sip_world_pass(w, 1500);
        contains(w, "200 OK");
        lacks(w, "DuplicateDevice");
    }
    sip_world_free(w);
}

static void a_connection_that_ends_ends_the_question(void **state)
{
    struct sip_world *w = with_holder(&holder);

    comes(w, &thief);
    sip_world_pass(w, 20);
    sip_world_close(w, 1); /* as when its host knows nothing of it any more */
    sip_world_pass(w, 1);
    contains(w, "200 OK");
    assert_true(ip_equal(address(w), ip_v4(0x0a010009)));
    sip_world_free(w);
}

static void a_phone_at_its_own_address_is_believed_at_once(void **state)
{
    struct sip_world *w = with_holder(&holder);
    struct sip_say again = thief;

    w->answering[1] = true;
    again.ip = 0x0a010001;
    sip_world_connect_as(w, 9, sip_world_peer(1), SIP_TCP, "");
    sip_world_register(w, &again);
    contains(w, "200 OK");
    lacks(w, "probe");
    assert_true(w->closed[1]);
    sip_world_free(w);
}

/* Both come from the address of the NAT. */
static void two_phones_behind_one_nat_are_told_apart(void **state)
{
    struct sip_world *w = with_holder(&holder);
    struct sip_say other = thief;

    w->answering[1] = true;
    other.ip = 0xc0a80105;
    sip_world_connect_as(w, 9, (struct endpoint){sip_world_peer(1).ip, 61234}, SIP_TCP, "");
    sip_world_register(w, &other);
    sip_world_pass(w, 1500);
    contains(w, "403 Forbidden");
    contains(w, "alarm DuplicateDevice");
    assert_false(w->closed[1]);
    sip_world_free(w);
}

static void who_proves_himself_is_not_asked_about(void **state)
{
    struct sip_world *w = sip_world_new("security-profile Secure device_security_mode=encrypted transport=tls\n"
                                        "phone " A " model=684 protocol=sip lines=7001;7002 security_profile=Secure\n");

    sip_world_connect_as(w, 1, sip_world_peer(1), SIP_TLS, "CP-8851-" A);
    sip_world_register(w, &holder);
    w->answering[1] = true;
    sip_world_connect_as(w, 9, sip_world_peer(9), SIP_TLS, "CP-8851-" A);
    sip_world_forget(w);
    sip_world_register(w, &thief);
    contains(w, "200 OK");
    lacks(w, "probe");
    sip_world_free(w);
}

static void only_one_newcomer_waits(void **state)
{
    struct sip_world *w = with_holder(&holder);
    struct sip_say third = thief;

    comes(w, &thief);
    third.link = 10;
    third.call_id = "ten";
    comes(w, &third);
    contains(w, "503 Service Unavailable");
    lacks(w, "probe");
    sip_world_pass(w, 1500);
    assert_true(ip_equal(address(w), ip_v4(0x0a010009)));
    sip_world_free(w);
}

static void a_newcomer_who_leaves_while_he_waits_changes_nothing(void **state)
{
    struct sip_world *w = with_holder(&holder);

    comes(w, &thief);
    sip_world_close(w, 9);
    sip_world_pass(w, 5000);
    assert_false(w->closed[1]);
    lacks(w, "EndPointUnregistered");
    assert_true(ip_equal(address(w), ip_v4(0x0a010001)));
    sip_world_free(w);
}

static void a_flood_of_claims_asks_once_in_ten_seconds(void **state)
{
    struct sip_world *w = with_holder(&holder);
    size_t probes = 0;

    w->answering[1] = true;
    for (unsigned i = 0; i < 200; i++) {
        struct sip_say s = thief;
        char id[20];

        s.link = 2 + i % 60;
        s.call_id = id;
        snprintf(id, sizeof(id), "call-%u", i);
        comes(w, &s);
        sip_world_pass(w, 100);
        probes += strstr(w->log, "probe") != NULL;
        sip_world_close(w, s.link);
    }
    assert_in_range(probes, 1, 3);
    assert_int_equal(sip_stations_registered(w->sip), 1);
    assert_true(ip_equal(address(w), ip_v4(0x0a010001)));
    sip_world_free(w);
}

/* --- by UDP --- */

static struct endpoint here(void)
{
    return sip_world_peer(0);
}

/* Answers the last request of the server. */
static void answers(struct sip_world *w, struct endpoint peer, unsigned status)
{
    char text[8192];
    struct sip_message m;
    int n;

    assert_int_equal(sip_parse(w->last, strlen(w->last), &m), 0);
    n = snprintf(text, sizeof(text),
                 "SIP/2.0 %u Whatever\r\nVia: %.*s\r\nFrom: %.*s\r\nTo: %.*s;tag=x\r\n"
                 "Call-ID: %.*s\r\nCSeq: %.*s\r\nContent-Length: 0\r\n\r\n",
                 status, TEXT_ARG(sip_value(&m, SIP_VIA)), TEXT_ARG(sip_value(&m, SIP_FROM)),
                 TEXT_ARG(sip_value(&m, SIP_TO)), TEXT_ARG(sip_value(&m, SIP_CALL_ID)), TEXT_ARG(sip_value(&m, SIP_CSEQ)));
    sip_world_datagram(w, peer, text, (size_t)n);
    sip_world_pass(w, 1);
}

static void claims(struct sip_world *w, struct endpoint from, unsigned cseq)
{
    struct sip_say s = thief;
    char bytes[8192];

    s.link = 0;
    s.cseq = cseq;
    s.ip = ip_v4_number(from.ip);
    sip_world_forget(w);
    sip_world_datagram(w, from, bytes, sip_world_write(&s, bytes, sizeof(bytes)));
}

static struct sip_world *with_udp_holder(void)
{
    struct sip_world *w = sip_world_new(PHONES);
    struct sip_say s = holder;

    s.link = 0;
    sip_world_register(w, &s);
    answers(w, here(), 200); /* OPTIONS: it is there */
    answers(w, here(), 200); /* REFER */
    sip_world_pass(w, 10000);
    sip_world_forget(w);
    return w;
}

static const struct endpoint there = {{4, {10, 1, 0, 99}}, 5060};

static void by_udp_the_phone_is_asked_for_its_registration(void **state)
{
    struct sip_world *w = with_udp_holder();

    w->whole = true;
    claims(w, there, 101);
    contains(w, "100 Trying");
    contains(w, "NOTIFY sip:7001@10.1.0.0:50000 SIP/2.0");
    contains(w, "RegisterCallId={one@10.1.0.1}");
    answers(w, here(), 200);
    contains(w, "403 Forbidden");
    contains(w, "alarm DuplicateDevice");
    assert_true(ip_equal(address(w), here().ip));
    claims(w, there, 102); /* the same once more: its answer is still good */
    contains(w, "403 Forbidden");
    lacks(w, "NOTIFY");
    sip_world_free(w);
}

static void another_phone_at_the_old_address_says_that_it_is_not_the_one(void **state)
{
    struct sip_world *w = with_udp_holder();

    claims(w, there, 101);
    answers(w, here(), 400);
    contains(w, "200 OK");
    assert_true(ip_equal(address(w), there.ip));
    sip_world_free(w);
}

static void silence_by_udp_is_an_answer_and_repeats_are_one_claim(void **state)
{
    struct sip_world *w = with_udp_holder();

    claims(w, there, 101);
    sip_world_pass(w, 500);
    claims(w, there, 101);
    contains(w, "100 Trying");
    lacks(w, "NOTIFY");
    sip_world_pass(w, 1000);
    contains(w, "200 OK");
    assert_true(ip_equal(address(w), there.ip));
    sip_world_forget(w);
    sip_world_pass(w, 40000);
    lacks(w, "NOTIFY"); /* nobody is asked any more */
    sip_world_free(w);
}

/* Its answer lies in the socket of a node that did not run for a while. */
static void by_udp_a_phone_is_heard_before_a_late_node_gives_it_up(void **state)
{
    struct sip_world *w = with_udp_holder();

    claims(w, there, 101);
    w->now.ms += 1900;
    while (sip_stations_tick(w->sip, w->now, w->effects))
        sip_world_carry_out(w);
    sip_world_carry_out(w);
    lacks(w, "200 OK");
    answers(w, here(), 200);
    contains(w, "403 Forbidden");
    assert_true(ip_equal(address(w), here().ip));
    sip_world_pass(w, 20000);
    claims(w, there, 102);
    w->now.ms += 1900;
    sip_world_pass(w, 51); /* and no longer */
    contains(w, "200 OK");
    sip_world_free(w);
}

/* A first REGISTER may have been forged: for the claim of another its source gets one short question, which with
 * the 100 is less than the claim. */
static void who_never_answered_is_asked_once_and_shortly(void **state)
{
    struct sip_world *w = sip_world_new(PHONES);
    struct sip_say s = holder;

    s.link = 0;
    sip_world_register(w, &s);
    sip_world_pass(w, 10000);
    w->udp_bytes = 0;
    claims(w, there, 101);
    contains(w, "OPTIONS");
    sip_world_pass(w, 1499);
    assert_in_range(w->udp_bytes, 300, 966);
    sip_world_pass(w, 1);
    contains(w, "200 OK");
    assert_true(ip_equal(address(w), there.ip));
    sip_world_free(w);
}

static void who_answers_that_question_is_told_its_configuration(void **state)
{
    struct sip_world *w = sip_world_new(PHONES);
    struct sip_say s = holder;

    s.link = 0;
    sip_world_register(w, &s);
    claims(w, there, 101);
    answers(w, here(), 200);
    contains(w, "403 Forbidden");
    contains(w, "REFER sip:7001@10.1.0.0");
    sip_world_free(w);
}

static void behind_one_nat_by_udp_the_phone_is_asked_too(void **state)
{
    struct sip_world *w = with_udp_holder();
    struct sip_say s = thief;
    char bytes[8192];

    s.link = 0;
    s.ip = 0xc0a80105;
    sip_world_datagram(w, (struct endpoint){here().ip, 61234}, bytes, sip_world_write(&s, bytes, sizeof(bytes)));
    contains(w, "NOTIFY");
    answers(w, here(), 200);
    contains(w, "403 Forbidden");
    assert_int_equal(sip_stations_registered(w->sip), 1);
    sip_world_free(w);
}

/* --- at another node --- */

static bool is_claimed_there(struct sip_world *w)
{
    bool asked = registry_claimed(w->registry, (struct device_name){A}, there.ip, w->now, w->effects);

    sip_world_carry_out(w);
    return asked;
}

static bool holds(struct sip_world *w)
{
    bool there_still = registry_holds(w->registry, (struct device_name){A}, there.ip, w->now, w->effects);

    sip_world_carry_out(w);
    return there_still;
}

static void a_claim_at_another_node_asks_a_phone_by_udp_too(void **state)
{
    struct sip_world *w = with_udp_holder();

    w->whole = true;
    assert_true(is_claimed_there(w));
    contains(w, "NOTIFY sip:7001@10.1.0.0:50000 SIP/2.0");
    contains(w, "RegisterCallId={one@10.1.0.1}");
    answers(w, here(), 200);
    sip_world_pass(w, 1500);
    assert_true(holds(w));
    contains(w, "alarm DuplicateDevice [DeviceName=" A "][IPAddress=10.1.0.99][OtherIPAddress=10.1.0.0]");
    sip_world_forget(w);
    assert_true(is_claimed_there(w)); /* once more: its answer is still good */
    lacks(w, "NOTIFY");
    sip_world_pass(w, 1750);
    assert_true(holds(w));
    sip_world_pass(w, 10000);
    assert_true(is_claimed_there(w));
    contains(w, "NOTIFY");
    sip_world_free(w);
}

static void a_phone_by_udp_that_went_to_another_node_is_given_up(void **state)
{
    struct sip_world *w = with_udp_holder();

    assert_true(is_claimed_there(w));
    sip_world_pass(w, 1750);
    assert_false(holds(w));
    sip_world_forget(w);
    sip_world_pass(w, 40000);
    lacks(w, "NOTIFY"); /* nobody is asked any more */
    assert_true(is_claimed_there(w));
    answers(w, here(), 481); /* somebody else has its address by now */
    sip_world_pass(w, 1500);
    assert_false(holds(w));
    assert_false(registry_claimed(w->registry, (struct device_name){A}, here().ip, w->now, w->effects));
    sip_world_free(w);
}

static void a_claim_here_and_one_at_another_node_are_one_question(void **state)
{
    struct sip_world *w = with_udp_holder();

    claims(w, there, 101);
    sip_world_forget(w);
    assert_true(is_claimed_there(w));
    lacks(w, "NOTIFY");
    answers(w, here(), 200);
    contains(w, "403 Forbidden");
    sip_world_pass(w, 1500);
    assert_true(holds(w));
    sip_world_free(w);
}

static void who_proves_himself_at_another_node_is_believed(void **state)
{
    struct sip_world *w = sip_world_new("security-profile Secure device_security_mode=encrypted transport=tls\n"
                                        "phone " A " model=684 protocol=sip lines=7001;7002 security_profile=Secure\n");

    sip_world_connect_as(w, 1, sip_world_peer(1), SIP_TLS, "CP-8851-" A);
    sip_world_register(w, &holder);
    assert_false(is_claimed_there(w));
    sip_world_free(w);
}

/* --- by SCCP --- */

#define C "SEP00AABBCCDDEE"

static void sccp_pass(struct sip_world *w, uint64_t ms)
{
    for (uint64_t end = w->now.ms + ms; w->now.ms < end;) {
        uint64_t step = stations_next(w->sccp, w->now.ms);

        w->now.ms += step < end - w->now.ms ? step : end - w->now.ms;
        stations_tick(w->sccp, w->now, w->effects);
        sip_world_carry_out(w);
    }
}

/* Its Register, from 10.1.0.`host`; how it says its own address. */
static void registers_by_sccp(struct sip_world *w, uint64_t link, unsigned host, uint32_t own)
{
    struct endpoint peer = {ip_v4(0x0a010000 + host), 50000}, local = {ip_v4(0x0a000001), 2000};
    struct sccp_register_req m = {.device_name = C, .device_type = 7, .protocol = 11, .address = ip_v4(own)};
    struct sccp_capabilities_res c = {.count = 1};
    uint8_t bytes[1000];
    struct writer out = writer_of(bytes, sizeof(bytes));

    sip_world_forget(w);
    stations_open(w->sccp, link, &peer, &local, w->now, w->effects);
    sccp_put_register_req(&out, 11, &m);
    sccp_put_capabilities_res(&out, 11, &c);
    stations_input(w->sccp, link, bytes, writer_len(&out), w->now, w->effects);
    sip_world_carry_out(w);
}

static struct ip sccp_address(struct sip_world *w)
{
    return stations_find(w->sccp, (struct device_name){C})->peer.ip;
}

static struct sip_world *with_sccp_holder(void)
{
    struct sip_world *w = sip_world_new("phone " C " model=7960 lines=7003\n");

    registers_by_sccp(w, 1, 1, 0x0a010001);
    assert_true(ip_equal(sccp_address(w), ip_v4(0x0a010001)));
    return w;
}

static void by_sccp_a_phone_that_answers_keeps_its_name(void **state)
{
    struct sip_world *w = with_sccp_holder();

    w->answering[1] = true;
    registers_by_sccp(w, 2, 2, 0x0a010002);
    contains(w, "probe 1");
    sccp_pass(w, 1500);
    contains(w, "alarm DuplicateDevice [DeviceName=" C "][IPAddress=10.1.0.2][OtherIPAddress=10.1.0.1]");
    assert_true(ip_equal(sccp_address(w), ip_v4(0x0a010001)));
    registers_by_sccp(w, 3, 1, 0xc0a80105); /* behind the same NAT */
    sccp_pass(w, 1500);
    lacks(w, "EndPointRegistered");
    assert_false(w->closed[1]);
    registers_by_sccp(w, 4, 1, 0x0a010001); /* the phone itself, once more */
    lacks(w, "probe");
    assert_true(w->closed[1]);
    sip_world_free(w);
}

static void by_sccp_a_phone_that_moved_is_back_after_a_second_and_a_half(void **state)
{
    struct sip_world *w = with_sccp_holder();
    struct sccp_capabilities_res c = {.count = 1};
    uint8_t bytes[100];
    struct writer out = writer_of(bytes, sizeof(bytes));

    registers_by_sccp(w, 2, 2, 0x0a010002);
    sccp_pass(w, 1499);
    lacks(w, "EndPointUnregistered");
    sccp_pass(w, 1);
    sccp_put_capabilities_res(&out, 11, &c);
    stations_input(w->sccp, 2, bytes, writer_len(&out), w->now, w->effects);
    sip_world_carry_out(w);
    assert_true(ip_equal(sccp_address(w), ip_v4(0x0a010002)));
    assert_true(w->closed[1]);
    lacks(w, "DuplicateDevice");
    sip_world_free(w);
}

static void by_sccp_a_newcomer_who_leaves_changes_nothing(void **state)
{
    struct sip_world *w = with_sccp_holder();

    registers_by_sccp(w, 2, 2, 0x0a010002);
    stations_closed(w->sccp, 2, 0, w->now, w->effects);
    sip_world_carry_out(w);
    sccp_pass(w, 5000);
    lacks(w, "EndPointUnregistered");
    assert_true(ip_equal(sccp_address(w), ip_v4(0x0a010001)));
    sip_world_free(w);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_phone_that_answers_keeps_its_name),
        cmocka_unit_test(a_phone_that_moved_is_back_after_a_second_and_a_half),
        cmocka_unit_test(a_phone_may_move_as_often_as_it_likes),
        cmocka_unit_test(a_connection_that_ends_ends_the_question),
        cmocka_unit_test(a_phone_at_its_own_address_is_believed_at_once),
        cmocka_unit_test(two_phones_behind_one_nat_are_told_apart),
        cmocka_unit_test(who_proves_himself_is_not_asked_about),
        cmocka_unit_test(only_one_newcomer_waits),
        cmocka_unit_test(a_newcomer_who_leaves_while_he_waits_changes_nothing),
        cmocka_unit_test(a_flood_of_claims_asks_once_in_ten_seconds),
        cmocka_unit_test(by_udp_the_phone_is_asked_for_its_registration),
        cmocka_unit_test(another_phone_at_the_old_address_says_that_it_is_not_the_one),
        cmocka_unit_test(silence_by_udp_is_an_answer_and_repeats_are_one_claim),
        cmocka_unit_test(by_udp_a_phone_is_heard_before_a_late_node_gives_it_up),
        cmocka_unit_test(who_never_answered_is_asked_once_and_shortly),
        cmocka_unit_test(who_answers_that_question_is_told_its_configuration),
        cmocka_unit_test(behind_one_nat_by_udp_the_phone_is_asked_too),
        cmocka_unit_test(a_claim_at_another_node_asks_a_phone_by_udp_too),
        cmocka_unit_test(a_phone_by_udp_that_went_to_another_node_is_given_up),
        cmocka_unit_test(a_claim_here_and_one_at_another_node_are_one_question),
        cmocka_unit_test(who_proves_himself_at_another_node_is_believed),
        cmocka_unit_test(by_sccp_a_phone_that_answers_keeps_its_name),
        cmocka_unit_test(by_sccp_a_phone_that_moved_is_back_after_a_second_and_a_half),
        cmocka_unit_test(by_sccp_a_newcomer_who_leaves_changes_nothing),
    };

    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
