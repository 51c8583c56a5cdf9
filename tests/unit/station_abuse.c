/* station_abuse.c - what no phone should do, and clocks that jump: refused or replaced by rule, named in an
 * event, in bounded memory. */
#include "test.h"

#include "sip_log.h"
#include "station/registry_own.h"
#include "station/sip/station.h"
#include "wire/sccp/message.h"

#define A      "SEP001122334455"
#define MAC_A  "001122334455"
#define PHONES "phone " A " model=8851 protocol=sip lines=7001\nphone SEP001122334466 model=7960 lines=7002\n"

static struct sip_say bulk = {1, MAC_A, "684", "7001", "one@10.1.0.1", 101, 3600, NULL, NULL, SIP_BULK_BODY};

static size_t write_token_request(char *to, size_t size, unsigned n)
{
    return (size_t)snprintf(
        to, size,
        "REFER sip:10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.1.0.0:50000;branch=z9hG4bKt%u\r\n"
        "From: <sip:7001@10.0.0.1>;tag=1\r\nTo: <sip:7001@10.0.0.1>\r\nCall-ID: token-%u\r\n"
        "CSeq: 1 REFER\r\nMax-Forwards: 70\r\n"
        "Contact: <sip:7001@10.1.0.0:50000>;+u.sip!devicename.ccm.cisco.com=\"" A "\";"
        "+u.sip!model.ccm.cisco.com=\"684\"\r\nRequire: norefersub\r\n"
        "Refer-To: <urn:X-cisco-remotecc:token-registration>\r\nReferred-By: <sip:7001@10.0.0.2>\r\n"
        "Content-Length: 0\r\n\r\n",
        n, n);
}

/* By UDP there is no connection that would hold a token: they are counted by the second. */
static void tokens_by_udp_are_as_scarce_as_by_tcp(void **state)
{
    struct sip_world *w = sip_world_new(PHONES "parameter paced_return value=false\n");
    unsigned granted = 0, refused = 0;
    char bytes[2000];

    for (unsigned i = 0; i < 100; i++) {
        sip_world_forget(w);
        sip_world_datagram(w, sip_world_peer(0), bytes, write_token_request(bytes, sizeof(bytes), i));
        granted += strstr(w->log, "SIP/2.0 202") != NULL;
        refused += strstr(w->log, "SIP/2.0 486") != NULL;
    }
    assert_int_equal(granted, 10); /* Maximum Phone Fallback Queue Depth */
    assert_int_equal(refused, 90);
    assert_non_null(strstr(w->last, "\r\nRetry-After: 10\r\n"));
    sip_world_pass(w, 1000);
    sip_world_datagram(w, sip_world_peer(0), bytes, write_token_request(bytes, sizeof(bytes), 1000));
    contains(w, "SIP/2.0 202");
    sip_world_free(w);
}

/* One that asks without end pushes nobody else back: it has one place in the queue, whatever it says. */
static void who_asks_for_tokens_without_end_keeps_his_place_and_is_named(void **state)
{
    struct sip_world *w = sip_world_new(PHONES "parameter max_fallback_queue value=1\n");
    struct station x = {.registry = w->registry, .kind = &sip_kind, .name = device_name_of(TEXT(A))}, other = x;

    other.name = device_name_of(TEXT("SEP001122334466"));
    for (int i = 0; i < 50000; i++)
        assert_int_equal(station_token_wait_s(&x, w->effects), 10);
    sip_world_carry_out(w);
    assert_int_equal(w->n_alarms, 4); /* 10, 100, 1000, 10000 */
    assert_int_equal(w->last_alarm->id, ALARM_TOKEN_REQUEST_STORM);
    assert_non_null(strstr(w->last_alarm->parameters, "[Requests=10000][Wait=10]"));
    assert_in_range(station_token_wait_s(&other, w->effects), 10, 11);
    sip_world_pass(w, 7000);
    assert_int_equal(station_token_wait_s(&x, w->effects), 3);
    sip_world_free(w);
}

static void keepalives_of_phones_never_seen_are_answered_and_named_rarely(void **state)
{
    struct sip_world *w = sip_world_new(PHONES);
    struct sip_say s = {.model = "684", .user = "9999", .call_id = "x", .parameters = ";expires=0;cisco-keep-alive"};
    char mac[13], bytes[4096];

    s.mac = mac;
    for (unsigned i = 0; i < 20000; i++) {
        struct endpoint peer = {ip_v4(0x0a030000 + i), 5060};

        snprintf(mac, sizeof(mac), "%012X", 0x990000 + i);
        s.cseq = i;
        sip_world_datagram(w, peer, bytes, sip_world_write(&s, bytes, sizeof(bytes)));
        if (i == 0) {
            contains(w, "SIP/2.0 200");
            contains(w, "alarm EndPointTransientConnection");
        }
        sip_world_forget(w);
    }
    assert_int_equal(sip_stations_registered(w->sip), 0);
    assert_in_range(w->n_alarms, 1, 100); /* in one second */
    for (unsigned i = 0; i < 100; i++) { /* one of them, for three hours */
        struct endpoint peer = {ip_v4(0x0a030000 + 19999), 5060};

        s.cseq++;
        sip_world_pass(w, 120000);
        sip_world_datagram(w, peer, bytes, sip_world_write(&s, bytes, sizeof(bytes)));
    }
    assert_in_range(w->n_alarms, 2, 110);
    sip_world_free(w);
}

/* The one that is there answers its kernel, for ever. */
static void a_name_that_registers_from_two_places_in_turn_is_refused_and_named(void **state)
{
    struct sip_world *w = sip_world_new(PHONES);
    unsigned n = 0;

    memset(w->answering, true, sizeof(w->answering));

    for (uint64_t link = 1; link <= 40; link++) {
        struct sip_say s = bulk;
        char call_id[20];

        s.link = link;
        s.ip = 0x0a010001 + link % 2;
        s.call_id = call_id;
        snprintf(call_id, sizeof(call_id), "call-%u", (unsigned)link);
        sip_world_connect_as(w, link, (struct endpoint){ip_v4(0x0a010001 + link % 2), 5060}, SIP_TCP, "");
        sip_world_register(w, &s);
        sip_world_pass(w, 2000);
        n += strstr(w->log, "SIP/2.0 403") != NULL;
        if (strstr(w->log, "SIP/2.0 403"))
            contains(w, n == 1 ? "alarm DuplicateDevice" : "403");
        sip_world_forget(w);
    }
    assert_int_equal(n, 20); /* one of the two stays, the other is told no */
    assert_int_equal(sip_stations_registered(w->sip), 1);
    sip_world_free(w);
}

/* It comes in on a link of its own from 10.1.0.`host`; the answer is in the log. */
static void come_from(struct sip_world *w, unsigned host)
{
    static unsigned n;
    struct sip_say s = bulk;
    char call_id[20];

    n = n % 60 + 1;
    s.link = n;
    s.call_id = call_id;
    snprintf(call_id, sizeof(call_id), "from-%u", n);
    sip_world_forget(w);
    sip_world_connect_as(w, n, (struct endpoint){ip_v4(0x0a010000 + host), 5060}, SIP_TCP, "");
    sip_world_register(w, &s);
    sip_world_pass(w, RIVAL_MS);
}

/* As when that node tells of its younger registration. */
static void register_elsewhere(struct sip_world *w, const char *node, unsigned host)
{
    registry_take_off(w->registry, device_name_of(TEXT(A)), 0, w->now, w->effects);
    sip_world_carry_out(w);
    w->elsewhere.node = node;
    w->elsewhere.ip = ip_v4(0x0a010000 + host);
}

static void two_devices_of_one_name_at_two_nodes_do_not_replace_each_other_for_ever(void **state)
{
    struct sip_world *w = sip_world_new(PHONES);

    for (int i = 0; i < 4; i++) {
        come_from(w, 1);
        contains(w, "SIP/2.0 200");
        register_elsewhere(w, "cm2", 2);
        sip_world_pass(w, 20000);
    }
    come_from(w, 1);
    contains(w, "SIP/2.0 403");
    contains(w, "alarm DuplicateDevice [DeviceName=" A "][IPAddress=10.1.0.1][OtherIPAddress=10.1.0.2]"
                "[OtherNode=cm2]");
    come_from(w, 2); /* the one that is registered there may move */
    contains(w, "SIP/2.0 200");
    register_elsewhere(w, "cm2", 2);
    sip_world_pass(w, 5 * 60 * 1000);
    come_from(w, 1); /* the next one may try */
    contains(w, "SIP/2.0 200");
    sip_world_free(w);
}

static void a_phone_that_moves_between_nodes_with_its_address_is_never_a_duplicate(void **state)
{
    struct sip_world *w = sip_world_new(PHONES);

    for (int i = 0; i < 20; i++) {
        come_from(w, 1);
        contains(w, "SIP/2.0 200");
        register_elsewhere(w, "cm2", 1);
    }
    sip_world_free(w);
}

static void a_node_that_lets_the_name_go_makes_room_for_another_device(void **state)
{
    struct sip_world *w = sip_world_new(PHONES);

    for (unsigned i = 0; i < 20; i++) {
        come_from(w, 1 + i);
        contains(w, "SIP/2.0 200");
        register_elsewhere(w, "cm2", 100);
        w->elsewhere.node = NULL; /* it is down, or the phone has left */
    }
    sip_world_free(w);
}

static void a_wall_clock_that_jumps_moves_no_phone(void **state)
{
    static const int64_t jumps_s[] = {3600, -7200, 400 * 86400, -800 * 86400};
    struct sip_world *w = sip_world_new(PHONES);
    struct sip_say s = bulk;

    sip_world_connect(w, 1);
    sip_world_register(w, &s);
    sip_world_forget(w);
    for (size_t i = 0; i < sizeof(jumps_s) / sizeof(*jumps_s); i++) {
        w->now.wall_us += (uint64_t)(jumps_s[i] * 1000000);
        sip_world_pass(w, 115000);
        s.cseq++;
        sip_world_register(w, &s);
    }
    assert_null(strstr(w->log, "unregistered"));
    assert_null(strstr(w->log, "alarm"));
    sip_world_pass(w, 129999); /* and silence is as long as ever */
    assert_int_equal(sip_stations_registered(w->sip), 1);
    w->now.wall_us = 0;
    sip_world_pass(w, 1);
    assert_int_equal(sip_stations_registered(w->sip), 0);
    sip_world_free(w);
}

static void refreshes_that_come_later_each_time_are_told_with_their_cause(void **state)
{
    struct sip_world *w = sip_world_new(PHONES);
    struct sip_say s = bulk;

    sip_world_connect(w, 1);
    sip_world_register(w, &s);
    sip_world_forget(w);
    for (unsigned late_ms = 200; late_ms < 15000; late_ms *= 2) { /* as TCP repeats */
        sip_world_pass(w, 115000 + late_ms);
        s.cseq++;
        sip_world_register(w, &s);
        if (late_ms <= 1600)
            assert_null(strstr(w->log, "KeepAliveLate"));
    }
    contains(w, "alarm KeepAliveLate [DeviceName=" A "][IPAddress=10.1.0.1][Expected=115][Took=121.4][Missed=0]");
    contains(w, "forgets a port");
    sip_world_free(w);
}

static void a_phone_that_goes_to_and_fro_between_nodes_is_named_with_the_other(void **state)
{
    struct sip_world *w = sip_world_new(PHONES);
    struct sip_say s = bulk, leave;

    sip_world_connect(w, 1);
    for (int i = 0; i < FLAPPING_TIMES; i++) {
        assert_null(strstr(w->log, "DeviceToggle"));
        s.link = (uint64_t)i + 1;
        s.cseq += 2;
        if (i)
            sip_world_connect(w, s.link);
        sip_world_register(w, &s);
        registry_note_elsewhere(w->registry, device_name_of(TEXT(A)), "cm2");
        leave = s;
        leave.cseq++;
        leave.expires = 0;
        leave.body = NULL;
        sip_world_register(w, &leave);
        sip_world_pass(w, 60000);
    }
    contains(w, "alarm DeviceToggle [DeviceName=" A "]");
    contains(w, "[Period=60][Cause=");
    contains(w, "[OtherNode=cm2]");
    sip_world_free(w);
}

/* The case study: every 16 minutes it is lost, and two minutes later it is back from the other node. */
static void a_phone_that_is_lost_and_back_three_times_in_an_hour_is_named_with_the_period(void **state)
{
    struct sip_world *w = sip_world_new(PHONES);
    struct sip_say s = bulk;

    for (int i = 0; i < 4; i++) {
        assert_null(strstr(w->log, "DeviceToggle"));
        s.link = (uint64_t)i + 1;
        s.cseq += 2;
        sip_world_connect(w, s.link);
        sip_world_register(w, &s);
        sip_world_pass(w, 16 * 60 * 1000);
        registry_note_elsewhere(w->registry, device_name_of(TEXT(A)), "cm2");
        sip_world_pass(w, 2 * 60 * 1000);
    }
    contains(w, "[Registrations=3][Interval=7200][Period=1080][Cause=no keepalive came in time][OtherNode=cm2]");
    sip_world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_by_udp_are_as_scarce_as_by_tcp),
        cmocka_unit_test(who_asks_for_tokens_without_end_keeps_his_place_and_is_named),
        cmocka_unit_test(keepalives_of_phones_never_seen_are_answered_and_named_rarely),
        cmocka_unit_test(a_name_that_registers_from_two_places_in_turn_is_refused_and_named),
        cmocka_unit_test(two_devices_of_one_name_at_two_nodes_do_not_replace_each_other_for_ever),
        cmocka_unit_test(a_phone_that_moves_between_nodes_with_its_address_is_never_a_duplicate),
        cmocka_unit_test(a_node_that_lets_the_name_go_makes_room_for_another_device),
        cmocka_unit_test(a_wall_clock_that_jumps_moves_no_phone),
        cmocka_unit_test(refreshes_that_come_later_each_time_are_told_with_their_cause),
        cmocka_unit_test(a_phone_that_goes_to_and_fro_between_nodes_is_named_with_the_other),
        cmocka_unit_test(a_phone_that_is_lost_and_back_three_times_in_an_hour_is_named_with_the_period),
    };

    return cmocka_run_group_tests_name("station_abuse", tests, NULL, NULL);
}
