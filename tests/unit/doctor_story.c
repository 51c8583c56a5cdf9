/* doctor_story.c - who is who, and stories told as they happened. */
#include "doctor_kit.h"

#include "doctor/told.h"

static void says(struct grow *g, const struct story *s)
{
    for (unsigned i = 0; i < s->n_events; i++) {
        char detail[SAY_MAX];

        event_say(s->events[i].kind, LANGUAGE_EN, say(s->events[i].detail, LANGUAGE_EN, detail), g);
        grow_string(g, "\n");
    }
}

static void key(struct scenery *k, uint32_t flow, unsigned which)
{
    struct sccp_message m = {.id = SCCP_KEYPAD_BUTTON, .keypad_button = {.key = which}};

    sccp(k, 1, SERVER_A, flow, &m);
}

/* DOC-10: the trace printed in the guide to registration problems, packet by packet. */
static void the_trace_of_the_guide_is_told_as_the_story_it_is(void **state)
{
    struct scenery k = scenery_new();
    struct dhcp_contents lease = {SERVER_A, ROUTER, MASK, SERVER_A, 0};
    struct mac router = mac_of_number(0x00b0c2886760ull);
    uint32_t primary = ++k.flow;
    struct grow told = {0};

    tcp(&k, 1, SERVER_A, primary, TCP_MIDDLE, true, 0, 0);
    key(&k, primary, 14);
    key(&k, primary, 14);
    key(&k, primary, 15);
    key(&k, primary, 14);
    key(&k, primary, 14);
    sccp_say(&k, 1, SERVER_A, primary, SCCP_UNREGISTER);
    tcp(&k, 1, SERVER_A, primary, TCP_ENDING, true, 0, 0);
    sccp_say(&k, 1, SERVER_A, primary, SCCP_UNREGISTER_ACK);
    wait_s(&k, 20);
    dhcp(&k, 1, DHCP_REQUEST, NULL);
    dhcp(&k, 1, DHCP_ACK, &lease);
    arp(&k, ARP_REQUEST, kit_mac(1), kit_ip(1), (struct mac){0}, ROUTER);
    arp(&k, ARP_REPLY, router, ROUTER, kit_mac(1), kit_ip(1));
    dns(&k, 1, "CiscoCH1.cisco.com", false, 0, 0);
    dns(&k, 1, "CiscoCH1.cisco.com", true, DNS_NAME_ERROR, 0);
    file_comes(&k, 1, "OS79XX.TXT", "");
    file_comes(&k, 1, "SEP001122330001.cnf", "");
    tcp(&k, 1, SERVER_A, ++k.flow, TCP_OPENING, true, 0, 0);
    says(&told, timeline_mac(k.t, kit_mac(1)));
    assert_string_equal(told.at, "is connected already when the capture begins, to 10.0.0.1:2000\n"
                                 "keys pressed: **#**, a reset by hand\n"
                                 "unregisters from 10.0.0.1:2000\n"
                                 "closes the connection to 10.0.0.1:2000\n"
                                 "is unregistered by 10.0.0.1:2000\n"
                                 "requests its address by DHCP (REQUEST): 0.0.0.0\n"
                                 "is given its address: 10.0.0.16 by 10.0.0.1, option 150 10.0.0.1\n"
                                 "asks by ARP for 10.0.0.254\n"
                                 "is told by ARP: 10.0.0.254 is at 00:b0:c2:88:67:60\n"
                                 "asks the DNS for CiscoCH1.cisco.com\n"
                                 "the DNS refuses: CiscoCH1.cisco.com does not exist (name error)\n"
                                 "asks for the file OS79XX.TXT of 10.0.0.1\n"
                                 "has the file OS79XX.TXT, 0 bytes\n"
                                 "asks for the file SEP001122330001.cnf of 10.0.0.1\n"
                                 "has the file SEP001122330001.cnf, 0 bytes\n"
                                 "the file is no good: SEP001122330001.cnf: it is empty\n"
                                 "opens a connection to 10.0.0.1:2000\n");
    grow_done(&told);
    timeline_free(k.t);
}

static void names_and_addresses_are_joined(void **state)
{
    struct scenery k = scenery_new();
    const struct story *s;
    size_t at = 0;

    cdp_phone(&k, 1);
    healthy_phone(&k, 1);
    timeline_end(k.t, 0);
    s = timeline_next(k.t, &at);
    assert_string_equal(s->name, "SEP001122330001");
    assert_true(mac_equal(s->mac, kit_mac(1)));
    assert_int_equal(s->n_ips, 1);
    assert_int_equal(ip_v4_number(s->ips[0]), kit_ip(1));
    assert_ptr_equal(s, timeline_named(k.t, "SEP001122330001"));
    assert_null(timeline_next(k.t, &at));
    timeline_free(k.t);
}

static void a_new_lease_is_the_same_phone(void **state)
{
    struct scenery k = scenery_new();
    struct dhcp_contents moved = {SERVER_A, ROUTER, MASK, SERVER_A, 0x0a0000f0};
    const struct story *s;
    size_t at = 0;

    healthy_phone(&k, 1);
    k.vlan = 30;
    dhcp(&k, 1, DHCP_DISCOVER, NULL);
    dhcp(&k, 1, DHCP_OFFER, &moved);
    dhcp(&k, 1, DHCP_REQUEST, NULL);
    dhcp(&k, 1, DHCP_ACK, &moved);
    s = timeline_next(k.t, &at);
    assert_int_equal(s->n_ips, 2);
    assert_int_equal(ip_v4_number(s->ip), 0x0a0000f0);
    assert_int_equal(s->n_vlans, 2);
    assert_null(timeline_next(k.t, &at));
    timeline_free(k.t);
}

/* Behind NAT all come from one address; only what they say of themselves tells them apart. */
static void phones_behind_one_address_are_told_apart(void **state)
{
    struct scenery k = scenery_new();
    uint32_t flows[5];
    size_t at = 0;
    unsigned n = 0;
    const struct story *s;

    for (unsigned i = 1; i <= 4; i++) {
        struct sccp_message m = {.id = SCCP_REGISTER_REQ, .register_req = {.device_type = 7}};

        flows[i] = tcp_open(&k, 1, SERVER_A); /* the address of phone 1 for all */
        snprintf(m.register_req.device_name, sizeof(m.register_req.device_name), "%s", kit_name(i));
        sccp(&k, 1, SERVER_A, flows[i], &m);
        sccp_accept(&k, 1, SERVER_A, flows[i], 30);
        wait_s(&k, 1);
    }
    for (unsigned round = 0; round < 3; round++) {
        wait_s(&k, 28);
        for (unsigned i = 1; i <= 4; i++) {
            sccp_say(&k, 1, SERVER_A, flows[i], SCCP_KEEPALIVE);
            wait_s(&k, 0.5);
            sccp_say(&k, 1, SERVER_A, flows[i], SCCP_KEEPALIVE_ACK);
        }
    }
    timeline_end(k.t, 0);
    while ((s = timeline_next(k.t, &at))) {
        assert_true(s->shared_address);
        assert_int_equal(s->n_sessions, 1);
        assert_int_equal(s->sessions[0].keepalives.answered.n, 3);
        n++;
    }
    assert_int_equal(n, 4);
    timeline_free(k.t);
}

static void what_repeats_is_counted_and_memory_stays_bounded(void **state)
{
    struct scenery k = scenery_new();
    const struct story *s;

    for (int i = 0; i < 2000; i++) {
        uint32_t flow = tcp_open(&k, 1, i % 3 ? SERVER_A : SERVER_B);

        sccp_register(&k, 1, i % 3 ? SERVER_A : SERVER_B, flow);
        sccp_reject(&k, 1, i % 3 ? SERVER_A : SERVER_B, flow, i % 2 ? "Error: DB Config" : "Error: Database");
        wait_s(&k, 22);
    }
    s = timeline_mac(k.t, kit_mac(1));
    assert_int_equal(s->registers.n, 2000);
    assert_true(s->n_events <= EVENTS_MAX && s->n_sessions <= SESSIONS_MAX);
    assert_int_equal(s->rejected.n, 2000);
    timeline_free(k.t);
}

static void keepalives_are_summed_up(void **state)
{
    struct scenery k = scenery_new();
    const struct keepalives *a;
    uint32_t flow = healthy_phone(&k, 1);

    keepalive(&k, 1, SERVER_A, flow, false);
    keepalive(&k, 1, SERVER_A, flow, true);
    a = &timeline_mac(k.t, kit_mac(1))->sessions[0].keepalives;
    assert_int_equal(a->sent.n, 5);
    assert_int_equal(a->answered.n, 4);
    assert_int_equal(a->n_lost, 1);
    assert_int_equal(a->interval_sum_ns / a->n_intervals, 30 * SECOND);
    assert_int_equal(a->rtt_max_ns, 2000000);
    timeline_free(k.t);
}

/* CM 2 and standby servers never answer a keepalive: TCP does. */
static void a_server_that_answers_by_tcp_alone_loses_nothing(void **state)
{
    struct scenery k = scenery_new();
    uint32_t flow = registered_phone(&k, 1);

    for (int i = 0; i < 5; i++) {
        wait_s(&k, 30);
        sccp_say(&k, 1, SERVER_A, flow, SCCP_KEEPALIVE);
        wait_s(&k, 0.002);
        tcp(&k, 1, SERVER_A, flow, TCP_ACKNOWLEDGED, false, 0.002, 0);
    }
    wait_s(&k, 20);
    causes_are(&k, 1, "healthy");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_trace_of_the_guide_is_told_as_the_story_it_is),
        cmocka_unit_test(names_and_addresses_are_joined),
        cmocka_unit_test(a_new_lease_is_the_same_phone),
        cmocka_unit_test(phones_behind_one_address_are_told_apart),
        cmocka_unit_test(what_repeats_is_counted_and_memory_stays_bounded),
        cmocka_unit_test(keepalives_are_summed_up),
        cmocka_unit_test(a_server_that_answers_by_tcp_alone_loses_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
