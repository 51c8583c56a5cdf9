/* doctor_checks.c - for each cause a scene in which it holds, and what must not be said beside it. */
#include "doctor_kit.h"

static void a_healthy_phone_has_nothing_wrong(void **state)
{
    struct scenery k = scenery_new();

    healthy_phone(&k, 1);
    causes_are(&k, 1, "healthy");
}

/* n phones register at once and keep alive in turn; the last round is answered or not. */
static void together(struct scenery *k, unsigned n, unsigned rounds, bool answered)
{
    uint32_t flows[16];

    for (unsigned i = 1; i <= n; i++)
        flows[i] = registered_phone(k, i);
    for (unsigned r = 0; r <= rounds; r++) {
        wait_s(k, 30 - n * 0.01);
        for (unsigned i = 1; i <= n; i++) {
            sccp_say(k, i, SERVER_A, flows[i], SCCP_KEEPALIVE);
            wait_s(k, 0.01);
            if (r < rounds || answered)
                sccp_say(k, i, SERVER_A, flows[i], SCCP_KEEPALIVE_ACK);
        }
    }
}

static void many_healthy_phones_are_all_well(void **state)
{
    struct scenery k = scenery_new();
    struct diagnosis d;

    together(&k, 15, 3, true);
    timeline_end(k.t, 0);
    assert_int_equal(diagnose(k.t, NULL, &d), 0);
    assert_int_equal(d.n_phones, 15);
    assert_int_equal(d.n_well, 15);
    diagnosis_done(&d);
    timeline_free(k.t);
}

/* ---- link ---- */

static void no_voice_vlan_and_no_address(void **state)
{
    struct scenery k = scenery_new();

    for (int i = 0; i < 4; i++) {
        cdp_phone(&k, 1);
        cdp_switch(&k, 0);
        dhcp(&k, 1, DHCP_DISCOVER, NULL);
        wait_s(&k, 4);
    }
    causes_are(&k, 1, "dhcp-no-answer vlan-not-offered?");
}

static void another_vlan_than_the_one_told(void **state)
{
    struct scenery k = scenery_new();

    cdp_phone(&k, 1);
    cdp_switch(&k, 20);
    wait_s(&k, 1);
    k.vlan = 30;
    for (int i = 0; i < 4; i++) {
        dhcp(&k, 1, DHCP_DISCOVER, NULL);
        wait_s(&k, 4);
    }
    causes_are(&k, 1, "vlan-not-used");
}

static void untagged_where_no_tag_is_seen_is_doubtful(void **state)
{
    struct scenery k = scenery_new();

    cdp_phone(&k, 1);
    cdp_switch(&k, 20);
    wait_s(&k, 1);
    for (int i = 0; i < 2; i++) {
        dhcp(&k, 1, DHCP_DISCOVER, NULL);
        wait_s(&k, 8);
    }
    causes_are(&k, 1, "dhcp-no-answer vlan-not-used?");
}

/* A mirrored trunk: another switch is heard, too. */
static void the_vlan_of_another_switch_is_not_the_phones(void **state)
{
    struct scenery k = scenery_new();

    cdp_phone(&k, 1);
    cdp_switch(&k, 20);
    k.vlan = 20;
    for (int i = 0; i < 4; i++) {
        cdp_from(&k, mac_of_number(0x0200000000bbull), 30);
        dhcp(&k, 1, DHCP_DISCOVER, NULL);
        wait_s(&k, 8);
    }
    causes_are(&k, 1, "dhcp-no-answer");
}

static void where_an_address_is_offered_the_vlan_is_not_to_blame(void **state)
{
    struct scenery k = scenery_new();
    struct dhcp_contents lease = {SERVER_A, ROUTER, MASK, SERVER_A, 0};

    cdp_phone(&k, 1);
    cdp_switch(&k, 20);
    for (int i = 0; i < 4; i++) {
        wait_s(&k, 8);
        dhcp(&k, 1, DHCP_DISCOVER, NULL);
        dhcp(&k, 1, DHCP_OFFER, &lease);
    }
    wait_s(&k, 8);
    causes_are(&k, 1, "dhcp-ignored");
}

static void proxy_arp_for_the_server(void **state)
{
    struct scenery k = scenery_new();
    struct mac one = mac_of_number(0x0200000000feull), two = mac_of_number(0x0200000000ffull);

    dora(&k, 1, true);
    for (int i = 0; i < 2; i++) {
        arp(&k, ARP_REQUEST, kit_mac(1), kit_ip(1), (struct mac){0}, SERVER_A);
        wait_s(&k, 0.001);
        arp(&k, ARP_REPLY, one, SERVER_A, kit_mac(1), kit_ip(1));
        wait_s(&k, 0.001);
        arp(&k, ARP_REPLY, two, SERVER_A, kit_mac(1), kit_ip(1));
        wait_s(&k, 10);
    }
    causes_are(&k, 1, "arp-two-answers");
}

static void nobody_answers_for_the_router(void **state)
{
    struct scenery k = scenery_new();

    dora(&k, 1, true);
    for (int i = 0; i < 5; i++) {
        arp(&k, ARP_REQUEST, kit_mac(1), kit_ip(1), (struct mac){0}, ROUTER);
        wait_s(&k, 1);
    }
    wait_s(&k, 5);
    causes_are(&k, 1, "arp-no-answer");
}

static void a_second_machine_has_the_address(void **state)
{
    struct scenery k = scenery_new();
    struct mac thief = mac_of_number(0x020000000077ull);
    uint32_t flow = healthy_phone(&k, 1);

    arp(&k, ARP_REPLY, thief, kit_ip(1), (struct mac){0}, kit_ip(1));
    wait_s(&k, 1);
    keepalive(&k, 1, SERVER_A, flow, true);
    causes_are(&k, 1, "address-duplicate");
}

/* ---- DHCP ---- */

static void no_dhcp_answer_is_the_only_cause(void **state)
{
    struct scenery k = scenery_new();

    for (int i = 0; i < 4; i++) {
        dhcp(&k, 1, DHCP_DISCOVER, NULL);
        wait_s(&k, 2 << i);
    }
    causes_are(&k, 1, "dhcp-no-answer");
}

static void one_unanswered_discover_at_the_end_says_nothing(void **state)
{
    struct scenery k = scenery_new();

    dhcp(&k, 1, DHCP_DISCOVER, NULL);
    wait_s(&k, 1);
    causes_are(&k, 1, "cannot-tell");
}

static void a_slow_address(void **state)
{
    struct scenery k = scenery_new();

    dhcp(&k, 1, DHCP_DISCOVER, NULL);
    wait_s(&k, 4);
    dhcp(&k, 1, DHCP_DISCOVER, NULL);
    wait_s(&k, 5);
    healthy_phone(&k, 1);
    causes_are(&k, 1, "dhcp-slow");
}

static void one_lost_discover_is_not_a_slow_server(void **state)
{
    struct scenery k = scenery_new();

    dhcp(&k, 1, DHCP_DISCOVER, NULL);
    wait_s(&k, 4.01);
    healthy_phone(&k, 1);
    causes_are(&k, 1, "healthy");
}

static void a_server_that_answers_each_message_late_is_slow(void **state)
{
    struct scenery k = scenery_new();
    struct dhcp_contents c = {SERVER_A, ROUTER, MASK, SERVER_A, 0};

    dhcp(&k, 1, DHCP_DISCOVER, NULL);
    wait_s(&k, 4);
    dhcp(&k, 1, DHCP_DISCOVER, NULL);
    wait_s(&k, 0.5); /* the answer to the first */
    dhcp(&k, 1, DHCP_OFFER, &c);
    dhcp(&k, 1, DHCP_REQUEST, NULL);
    wait_s(&k, 0.1);
    dhcp(&k, 1, DHCP_ACK, &c);
    wait_s(&k, 3.9); /* and to the second */
    dhcp(&k, 1, DHCP_OFFER, &c);
    healthy_phone(&k, 1);
    causes_are(&k, 1, "dhcp-slow");
}

static void refused_addresses(void **state)
{
    struct scenery k = scenery_new();
    struct dhcp_contents c = {SERVER_A, ROUTER, MASK, SERVER_A, 0};

    for (int i = 0; i < 4; i++) {
        dhcp(&k, 1, DHCP_REQUEST, NULL);
        wait_s(&k, 0.1);
        dhcp(&k, 1, DHCP_NAK, &c);
        wait_s(&k, 4);
    }
    causes_are(&k, 1, "dhcp-nak");
}

static void offers_are_ignored(void **state)
{
    struct scenery k = scenery_new();
    struct dhcp_contents c = {SERVER_A, ROUTER, MASK, SERVER_A, 0};

    for (int i = 0; i < 3; i++) {
        dhcp(&k, 1, DHCP_DISCOVER, NULL);
        wait_s(&k, 0.1);
        dhcp(&k, 1, DHCP_OFFER, &c);
        wait_s(&k, 4);
    }
    causes_are(&k, 1, "dhcp-ignored");
}

/* The capture missed the ACK of a renewal. */
static void an_answer_that_the_capture_missed_is_not_slow(void **state)
{
    struct scenery k = scenery_new();

    dora(&k, 1, true);
    wait_s(&k, 1800);
    dhcp(&k, 1, DHCP_REQUEST, NULL);
    wait_s(&k, 1800);
    healthy_phone(&k, 1);
    causes_are(&k, 1, "healthy");
}

static void in_another_vlan_it_begins_anew(void **state)
{
    struct scenery k = scenery_new();

    dhcp(&k, 1, DHCP_DISCOVER, NULL);
    wait_s(&k, 6);
    cdp_phone(&k, 1);
    cdp_switch(&k, 20);
    k.vlan = 20;
    healthy_phone(&k, 1);
    causes_are(&k, 1, "healthy");
}

/* Of a mirror that sends on only what the phone says. */
static void what_was_answered_and_is_not_there_is_no_silence(void **state)
{
    struct scenery k = scenery_new();

    for (int i = 0; i < 3; i++) {
        dhcp(&k, 1, DHCP_DISCOVER, NULL);
        wait_s(&k, 0.1);
        dhcp(&k, 1, DHCP_REQUEST, NULL);
        wait_s(&k, 1);
        file_ask(&k, 1, "CTLSEP001122330001.tlv");
        file_ask(&k, 1, "SEP001122330001.cnf.xml");
        wait_s(&k, 20);
    }
    causes_are(&k, 1, "capture-one-sided");
}

static void option_150_names_nobody(void **state)
{
    struct scenery k = scenery_new();
    struct dhcp_contents lease = {SERVER_A, ROUTER, MASK, NOBODY, 0};

    dhcp(&k, 1, DHCP_DISCOVER, NULL);
    dhcp(&k, 1, DHCP_OFFER, &lease);
    dhcp(&k, 1, DHCP_REQUEST, NULL);
    dhcp(&k, 1, DHCP_ACK, &lease);
    wait_s(&k, 20);
    causes_are(&k, 1, "dhcp-no-boot-server");
}

static void no_option_150(void **state)
{
    struct scenery k = scenery_new();

    dora(&k, 1, false);
    wait_s(&k, 20);
    causes_are(&k, 1, "dhcp-no-boot-server");
}

static void two_dhcp_servers(void **state)
{
    struct scenery k = scenery_new();
    struct dhcp_contents good = {SERVER_A, ROUTER, MASK, SERVER_A, 0}, rogue = {SERVER_B, ROUTER, MASK, 0, 0x0a0000c8};

    dhcp(&k, 1, DHCP_DISCOVER, NULL);
    wait_s(&k, 0.01);
    dhcp(&k, 1, DHCP_OFFER, &rogue);
    dhcp(&k, 1, DHCP_OFFER, &good);
    dhcp(&k, 1, DHCP_REQUEST, NULL);
    dhcp(&k, 1, DHCP_ACK, &rogue);
    for (int i = 0; i < 5; i++) { /* who names no file server is asked for files himself: that he has none is not the cause */
        tftp(&k, 1, ++k.flow, (struct tftp_packet){.op = TFTP_RRQ, .file = TEXT("SEP001122330001.cnf.xml")}, true, SERVER_B);
        wait_s(&k, 4);
    }
    causes_are(&k, 1, "dhcp-two-servers");
}

static void two_dhcp_servers_that_agree_are_fine(void **state)
{
    struct scenery k = scenery_new();
    struct dhcp_contents other = {SERVER_B, ROUTER, MASK, SERVER_A, 0x0a0000c8};

    dhcp(&k, 1, DHCP_DISCOVER, NULL);
    dhcp(&k, 1, DHCP_OFFER, &other);
    healthy_phone(&k, 1);
    causes_are(&k, 1, "healthy");
}

static void a_router_outside_the_network(void **state)
{
    struct scenery k = scenery_new();
    struct dhcp_contents c = {SERVER_A, 0x0a000901, MASK, SERVER_A, 0};

    dhcp(&k, 1, DHCP_DISCOVER, NULL);
    dhcp(&k, 1, DHCP_OFFER, &c);
    dhcp(&k, 1, DHCP_REQUEST, NULL);
    dhcp(&k, 1, DHCP_ACK, &c);
    wait_s(&k, 1);
    for (int i = 0; i < 5; i++) {
        arp(&k, ARP_REQUEST, kit_mac(1), kit_ip(1), (struct mac){0}, 0x0a000901);
        wait_s(&k, 1);
    }
    wait_s(&k, 9);
    causes_are(&k, 1, "dhcp-router-outside");
}

static void a_declined_address(void **state)
{
    struct scenery k = scenery_new();

    dora(&k, 1, true);
    dhcp(&k, 1, DHCP_DECLINE, NULL);
    wait_s(&k, 10);
    healthy_phone(&k, 1);
    causes_are(&k, 1, "dhcp-declined");
}

static void alternate_tftp(void **state)
{
    struct scenery k = scenery_new();
    struct dhcp_contents c = {SERVER_A, ROUTER, MASK, SERVER_B, 0};

    dhcp(&k, 1, DHCP_DISCOVER, NULL);
    dhcp(&k, 1, DHCP_OFFER, &c);
    dhcp(&k, 1, DHCP_REQUEST, NULL);
    dhcp(&k, 1, DHCP_ACK, &c);
    wait_s(&k, 1);
    file_comes(&k, 1, "SEP001122330001.cnf.xml", CONFIG("10.0.0.1"));
    causes_are(&k, 1, "tftp-overridden");
}

/* ---- names ---- */

static void the_servers_name_does_not_exist(void **state)
{
    struct scenery k = scenery_new();

    dora(&k, 1, true);
    file_comes(&k, 1, "SEP001122330001.cnf.xml", CONFIG("cm1.example.com"));
    for (int i = 0; i < 3; i++) {
        dns(&k, 1, "cm1.example.com", false, 0, 0);
        wait_s(&k, 0.01);
        dns(&k, 1, "cm1.example.com", true, DNS_NAME_ERROR, 0);
        wait_s(&k, 10);
    }
    causes_are(&k, 1, "dns-name-error");
}

static void a_name_nobody_needs_is_no_trouble(void **state)
{
    struct scenery k = scenery_new();

    dora(&k, 1, true);
    dns(&k, 1, "CiscoCH1.example.com", false, 0, 0);
    dns(&k, 1, "CiscoCH1.example.com", true, DNS_NAME_ERROR, 0);
    healthy_phone(&k, 1);
    causes_are(&k, 1, "healthy");
}

static void the_dns_is_silent(void **state)
{
    struct scenery k = scenery_new();

    dora(&k, 1, true);
    file_comes(&k, 1, "SEP001122330001.cnf.xml", CONFIG("cm1.example.com"));
    for (int i = 0; i < 4; i++) {
        dns(&k, 1, "cm1.example.com", false, 0, 0);
        wait_s(&k, 5);
    }
    causes_are(&k, 1, "dns-no-answer");
}

static void the_dns_fails(void **state)
{
    struct scenery k = scenery_new();

    dora(&k, 1, true);
    file_comes(&k, 1, "SEP001122330001.cnf.xml", CONFIG("cm1.example.com"));
    dns(&k, 1, "cm1.example.com", false, 0, 0);
    dns(&k, 1, "cm1.example.com", true, DNS_SERVER_FAILURE, 0);
    wait_s(&k, 30);
    causes_are(&k, 1, "dns-failed");
}

/* ---- files ---- */

static void nobody_serves_files(void **state)
{
    struct scenery k = scenery_new();

    dora(&k, 1, true);
    for (int i = 0; i < 3; i++) {
        struct sight s;

        file_ask(&k, 1, "SEP001122330001.cnf.xml");
        s = kit_sight(&k, SIGHT_ICMP, 1, 0, SERVER_A, 0, false);
        s.icmp.type = s.icmp.code = 3;
        s.icmp.protocol = 17;
        s.icmp.from = (struct endpoint){ip_v4(kit_ip(1)), 50000};
        s.icmp.to = (struct endpoint){ip_v4(SERVER_A), 69};
        timeline_see(k.t, &s);
        wait_s(&k, 4);
    }
    causes_are(&k, 1, "tftp-closed");
}

static void registered_all_the_same(struct scenery *k)
{
    uint32_t flow = tcp_open(k, 1, SERVER_A);

    sccp_register(k, 1, SERVER_A, flow);
    wait_s(k, 0.002);
    sccp_accept(k, 1, SERVER_A, flow, 30);
    for (int i = 0; i < 3; i++)
        keepalive(k, 1, SERVER_A, flow, true);
}

static void what_does_not_keep_a_phone_from_registering_is_not_fatal(void **state)
{
    char detail[SAY_MAX];

    for (int registers = 0; registers < 2; registers++) {
        struct scenery k = scenery_new();
        struct finding f;

        dora(&k, 1, true);
        for (int i = 0; i < 4; i++) {
            file_ask(&k, 1, "SEP001122330001.cnf.xml");
            wait_s(&k, 4);
        }
        if (registers)
            registered_all_the_same(&k);
        f = first_finding(&k, 1, detail);
        assert_int_equal(f.cause, CAUSE_TFTP_NO_ANSWER);
        assert_int_equal(f.severity, registers ? SEVERITY_HARM : SEVERITY_FATAL);
    }
}

static void the_file_server_is_silent_and_the_phone_goes_on_without(void **state)
{
    struct scenery k = scenery_new();

    dora(&k, 1, true);
    for (int i = 0; i < 4; i++) {
        file_ask(&k, 1, "SEP001122330001.cnf.xml");
        wait_s(&k, 4);
    }
    registered_all_the_same(&k);
    causes_are(&k, 1, "tftp-no-answer");
}

/* A capture of port 69 alone: the answers come from other ports. */
static void requests_that_other_requests_follow_were_answered(void **state)
{
    struct scenery k = scenery_new();

    for (int i = 0; i < 4; i++) {
        dora(&k, 1, true);
        file_ask(&k, 1, "CTLSEP001122330001.tlv");
        file_ask(&k, 1, "SEP001122330001.cnf.xml");
        wait_s(&k, 200);
    }
    registered_all_the_same(&k);
    causes_are(&k, 1, "healthy");
}

static void the_file_server_is_silent(void **state)
{
    struct scenery k = scenery_new();

    dora(&k, 1, true);
    for (int i = 0; i < 4; i++) {
        file_ask(&k, 1, "SEP001122330001.cnf.xml");
        wait_s(&k, 4);
    }
    causes_are(&k, 1, "tftp-no-answer");
}

static void silent_about_some_names_only(void **state)
{
    struct scenery k = scenery_new();

    dora(&k, 1, true);
    file_comes(&k, 1, "OS79XX.TXT", "P00308000500");
    for (int i = 0; i < 4; i++) {
        file_ask(&k, 1, "CTLSEP001122330001.tlv");
        wait_s(&k, 4);
    }
    causes_are(&k, 1, "tftp-name-silent");
}

static void refusals_come_and_nothing_larger(void **state)
{
    struct scenery k = scenery_new();

    dora(&k, 1, true);
    file_missing(&k, 1, "CTLSEP001122330001.tlv");
    for (int i = 0; i < 4; i++) {
        file_ask(&k, 1, "SEP001122330001.cnf.xml");
        wait_s(&k, 4);
    }
    causes_are(&k, 1, "tftp-name-silent? tftp-one-way?");
}

static void each_request_brings_the_first_block_once_more(void **state)
{
    struct scenery k = scenery_new();

    dora(&k, 1, true);
    for (int i = 0; i < 4; i++) {
        uint32_t flow = file_ask(&k, 1, "SEP001122330001.cnf.xml");

        tftp(&k, 1, flow, (struct tftp_packet){.op = TFTP_DATA, .block = 1, .data = TEXT("<device>")}, false, SERVER_A);
        wait_s(&k, 4);
    }
    causes_are(&k, 1, "tftp-one-way");
}

/* ICMP of the phone: nobody waits at the port that a server's datagram came to. */
static void unreachable(struct scenery *k, unsigned phone, uint32_t server, uint16_t server_port)
{
    struct sight s = kit_sight(k, SIGHT_ICMP, phone, 0, server, 0, true);

    s.icmp.type = s.icmp.code = 3;
    s.icmp.protocol = 17;
    s.icmp.from = (struct endpoint){ip_v4(server), server_port};
    s.icmp.to = (struct endpoint){ip_v4(kit_ip(phone)), 50000};
    timeline_see(k->t, &s);
}

/* Its kernel says that nobody waits any more: after it had acknowledged in vain. */
static void acknowledged_in_vain_until_it_gives_up(void **state)
{
    struct scenery k = scenery_new();
    uint32_t flow;

    dora(&k, 1, true);
    flow = file_ask(&k, 1, "SEP001122330001.cnf.xml");
    for (int i = 0; i < 4; i++) {
        tftp(&k, 1, flow, (struct tftp_packet){.op = TFTP_DATA, .block = 1, .data = TEXT("<device>")}, false, SERVER_A);
        if (i < 3)
            tftp(&k, 1, flow, (struct tftp_packet){.op = TFTP_ACK, .block = 1}, true, SERVER_A);
        wait_s(&k, 1);
    }
    unreachable(&k, 1, SERVER_A, 40001);
    wait_s(&k, 5);
    causes_are(&k, 1, "tftp-one-way");
}

static void the_next_block_never_comes(void **state)
{
    struct scenery k = scenery_new();
    uint32_t flow;

    dora(&k, 1, true);
    flow = file_ask(&k, 1, "SEP001122330001.cnf.xml");
    tftp(&k, 1, flow, (struct tftp_packet){.op = TFTP_DATA, .block = 1, .data = TEXT("<device>")}, false, SERVER_A);
    for (int i = 0; i < 4; i++) {
        tftp(&k, 1, flow, (struct tftp_packet){.op = TFTP_ACK, .block = 1}, true, SERVER_A);
        wait_s(&k, 4);
    }
    causes_are(&k, 1, "tftp-one-way");
}

static void the_blocks_never_arrive(void **state)
{
    struct scenery k = scenery_new();
    uint32_t flow;

    dora(&k, 1, true);
    flow = file_ask(&k, 1, "SEP001122330001.cnf.xml");
    for (int i = 0; i < 4; i++) {
        tftp(&k, 1, flow, (struct tftp_packet){.op = TFTP_DATA, .block = 1, .data = TEXT("<device>")}, false, SERVER_A);
        wait_s(&k, 2);
    }
    causes_are(&k, 1, "tftp-one-way");
}

/* The answer to `flow` comes from SERVER_B, though SERVER_A was asked. */
static void answered_elsewhere(struct scenery *k, uint32_t flow)
{
    struct tftp_packet p = {.op = TFTP_ERROR, .error = 1, .message = TEXT("File not found")};

    tftp(k, 1, flow, p, false, SERVER_B);
}

/* A capture of ports 67 to 69. */
static void answers_that_a_filter_took_away_are_no_silence(void **state)
{
    struct scenery k = scenery_new();

    for (int i = 0; i < 3; i++) {
        dora(&k, 1, true);
        file_ask(&k, 1, "CTLSEP001122330001.tlv");
        wait_s(&k, 0.1);
        file_ask(&k, 1, "SEP001122330001.cnf.xml");
        wait_s(&k, 20);
    }
    causes_are(&k, 1, "cannot-tell");
}

static void the_server_answers_from_another_address(void **state)
{
    struct scenery k = scenery_new();

    dora(&k, 1, true);
    for (int i = 0; i < 3; i++) {
        answered_elsewhere(&k, file_ask(&k, 1, "CTLSEP001122330001.tlv"));
        wait_s(&k, 4);
    }
    causes_are(&k, 1, "tftp-other-address");
}

static void a_phone_that_takes_answers_from_anywhere_goes_on(void **state)
{
    struct scenery k = scenery_new();

    dora(&k, 1, true);
    for (int i = 0; i < 3; i++) {
        answered_elsewhere(&k, file_ask(&k, 1, "CTLSEP001122330001.tlv"));
        answered_elsewhere(&k, file_ask(&k, 1, "SEP001122330001.cnf.xml"));
        answered_elsewhere(&k, file_ask(&k, 1, "XMLDefault.cnf.xml"));
        wait_s(&k, 20);
    }
    causes_are(&k, 1, "files-unknown-phone");
}

static void the_server_refuses_what_it_may_not_read(void **state)
{
    struct scenery k = scenery_new();

    dora(&k, 1, true);
    for (int i = 0; i < 2; i++) {
        uint32_t flow = file_ask(&k, 1, "SEP001122330001.cnf.xml");

        tftp(&k, 1, flow, (struct tftp_packet){.op = TFTP_ERROR, .error = 2}, false, SERVER_A);
        wait_s(&k, 20);
    }
    causes_are(&k, 1, "file-refused");
}

static void each_file_takes_seconds(void **state)
{
    struct scenery k = scenery_new();
    const char *const names[] = {"CTLSEP001122330001.tlv", "SEP001122330001.cnf.xml", "XMLDefault.cnf.xml"};

    dora(&k, 1, true);
    for (unsigned i = 0; i < 3; i++) {
        uint32_t flow = file_ask(&k, 1, names[i]);

        wait_s(&k, 3);
        tftp(&k, 1, flow, (struct tftp_packet){.op = TFTP_ERROR, .error = 1}, false, SERVER_A);
    }
    registered_all_the_same(&k);
    causes_are(&k, 1, "files-slow");
}

/* The second request is answered at once: the first was lost. */
static void a_lost_request_is_not_a_slow_server(void **state)
{
    struct scenery k = scenery_new();

    dora(&k, 1, true);
    for (int i = 0; i < 3; i++) {
        file_ask(&k, 1, "CTLSEP001122330001.tlv");
        wait_s(&k, 4);
        file_missing(&k, 1, "CTLSEP001122330001.tlv");
    }
    registered_all_the_same(&k);
    causes_are(&k, 1, "healthy");
}

static void not_added_and_no_auto_registration(void **state)
{
    struct scenery k = scenery_new();

    for (int i = 0; i < 2; i++) {
        dora(&k, 1, true);
        file_missing(&k, 1, "CTLSEP001122330001.tlv");
        file_missing(&k, 1, "SEP001122330001.cnf.xml");
        file_missing(&k, 1, "XMLDefault.cnf.xml");
        wait_s(&k, 30);
    }
    causes_are(&k, 1, "files-unknown-phone");
}

static bool known_but_this(void *context, const char *name, char near[static 32])
{
    strcpy(near, "SEP001122330007");
    return false;
}

static void a_mistyped_mac_address(void **state)
{
    struct scenery k = scenery_new();
    struct diagnose_options o = {.known = known_but_this};

    dora(&k, 1, true);
    file_missing(&k, 1, "SEP001122330001.cnf.xml");
    file_missing(&k, 1, "XMLDefault.cnf.xml");
    wait_s(&k, 30);
    causes_are_with(&k, 1, "files-near-miss", &o);
    timeline_free(k.t);
}

static void a_neighbour_of_the_same_batch_is_no_near_miss(void **state)
{
    struct scenery k = scenery_new();
    struct diagnose_options o = {.known = known_but_this};

    healthy_phone(&k, 7);
    dora(&k, 1, true);
    file_missing(&k, 1, "SEP001122330001.cnf.xml");
    file_missing(&k, 1, "XMLDefault.cnf.xml");
    wait_s(&k, 30);
    causes_are_with(&k, 1, "files-unknown-phone", &o);
    timeline_free(k.t);
}

static void a_file_that_ends_early(void **state)
{
    struct scenery k = scenery_new();

    dora(&k, 1, true);
    file_comes(&k, 1, "SEP001122330001.cnf.xml", "<device><devicePool><callManagerGroup><members><mem");
    wait_s(&k, 30);
    causes_are(&k, 1, "file-truncated");
}

static void a_file_with_an_error(void **state)
{
    struct scenery k = scenery_new();

    dora(&k, 1, true);
    file_comes(&k, 1, "SEP001122330001.cnf.xml", "<device>\n<devicePool><a>x & y</a></devicePool>\n<b></b>\n</device>\n");
    wait_s(&k, 30);
    causes_are(&k, 1, "file-malformed");
}

static void a_file_without_lines(void **state)
{
    struct scenery k = scenery_new();

    dora(&k, 1, true);
    file_comes(&k, 1, "SEP001122330001.cnf.xml",
               "<device><deviceProtocol>SIP</deviceProtocol><sipProfile><sipLines></sipLines></sipProfile></device>");
    wait_s(&k, 30);
    causes_are(&k, 1, "file-unusable");
}

static void a_load_that_is_not_there(void **state)
{
    struct scenery k = scenery_new();

    dora(&k, 1, true);
    file_comes(&k, 1, "SEP001122330001.cnf.xml", "<device><loadInformation>SCCP41.9-4-2</loadInformation>" CONFIG("10.0.0.1") "</device>");
    for (int i = 0; i < 3; i++) {
        file_missing(&k, 1, "SCCP41.9-4-2.loads");
        wait_s(&k, 10);
    }
    causes_are(&k, 1, "load-missing");
}

static void a_part_of_the_load_is_missing(void **state)
{
    struct scenery k = scenery_new();

    dora(&k, 1, true);
    file_comes(&k, 1, "SEP001122330001.cnf.xml", "<device><loadInformation>SCCP41.9-4-2</loadInformation>" CONFIG("10.0.0.1") "</device>");
    file_comes(&k, 1, "SCCP41.9-4-2.loads", "jar41sccp.9-4-2.sbn");
    file_missing(&k, 1, "jar41sccp.9-4-2.sbn");
    wait_s(&k, 10);
    file_missing(&k, 1, "jar41sccp.9-4-2.sbn");
    wait_s(&k, 30);
    causes_are(&k, 1, "load-part-missing");
}

static void a_load_fetched_without_end(void **state)
{
    struct scenery k = scenery_new();

    for (int i = 0; i < 4; i++) {
        dora(&k, 1, true);
        file_comes(&k, 1, "SEP001122330001.cnf.xml", CONFIG("10.0.0.1"));
        file_comes(&k, 1, "SCCP41.9-4-2.loads", "x");
        wait_s(&k, 120);
    }
    causes_are(&k, 1, "load-loop");
}

static void an_old_trust_list(void **state)
{
    struct scenery k = scenery_new();

    dora(&k, 1, true);
    for (int i = 0; i < 3; i++) {
        file_missing(&k, 1, "CTLSEP001122330001.tlv");
        file_missing(&k, 1, "SEP001122330001.cnf.xml.sgn");
        wait_s(&k, 20);
    }
    causes_are(&k, 1, "trust-old");
}

/* ---- connections ---- */

static void boot_files(struct scenery *k, unsigned phone)
{
    char name[40];

    dora(k, phone, true);
    wait_s(k, 0.1);
    snprintf(name, sizeof(name), "%s.cnf.xml", kit_name(phone));
    file_comes(k, phone, name, CONFIG("10.0.0.1"));
    wait_s(k, 0.1);
}

static void a_service_that_does_not_run(void **state)
{
    struct scenery k = scenery_new();

    boot_files(&k, 1);
    for (int i = 0; i < 4; i++) {
        tcp(&k, 1, SERVER_A, ++k.flow, TCP_OPENING, true, 0, 0);
        wait_s(&k, 0.0003);
        tcp(&k, 1, SERVER_A, k.flow, TCP_REFUSED, false, 0.0003, 0);
        wait_s(&k, 10);
    }
    causes_are(&k, 1, "tcp-refused");
}

static void a_filter(void **state)
{
    struct scenery k = scenery_new();

    boot_files(&k, 1);
    k.flow++;
    for (unsigned i = 0; i < 4; i++) {
        tcp(&k, 1, SERVER_A, k.flow, TCP_OPENING, true, 0, i);
        wait_s(&k, 1 << i);
    }
    causes_are(&k, 1, "tcp-no-answer");
}

static void a_late_answer(void **state)
{
    struct scenery k = scenery_new();
    uint32_t flow;

    boot_files(&k, 1);
    flow = ++k.flow;
    tcp(&k, 1, SERVER_A, flow, TCP_OPENING, true, 0, 0);
    wait_s(&k, 1.5);
    tcp(&k, 1, SERVER_A, flow, TCP_ACCEPTED, false, 1.5, 0);
    tcp(&k, 1, SERVER_A, flow, TCP_CONNECTED, true, 1.5, 0);
    sccp_register(&k, 1, SERVER_A, flow);
    sccp_accept(&k, 1, SERVER_A, flow, 30);
    causes_are(&k, 1, "tcp-late");
}

static void a_window_that_stays_closed(void **state)
{
    struct scenery k = scenery_new();
    uint32_t flow = healthy_phone(&k, 1);

    tcp(&k, 1, SERVER_A, flow, TCP_WINDOW_CLOSED, false, 0, 0);
    wait_s(&k, 12);
    causes_are(&k, 1, "tcp-window");
}

static void a_window_that_stayed_closed_until_the_end_of_its_connection(void **state)
{
    struct scenery k = scenery_new();
    uint32_t flow = healthy_phone(&k, 1);

    tcp(&k, 1, SERVER_A, flow, TCP_WINDOW_CLOSED, false, 0, 0);
    wait_s(&k, 80);
    tcp(&k, 1, SERVER_A, flow, TCP_ENDING, false, 0, 0);
    wait_s(&k, 0.5);
    flow = tcp_open(&k, 1, SERVER_A);
    sccp_register(&k, 1, SERVER_A, flow);
    causes_are(&k, 1, "tcp-window");
}

static void tls(struct scenery *k, uint32_t flow, uint8_t record, uint8_t type, bool from_phone)
{
    struct sight s = kit_sight(k, SIGHT_TLS, 1, (uint16_t)(50000 + flow), SERVER_A, 2443, from_phone);

    s.flow = flow;
    s.tls.record = record;
    s.tls.type = type;
    s.tls.level = 2;
    timeline_see(k->t, &s);
    wait_s(k, 0.01);
}

static void what_is_encrypted_is_not_failed(void **state)
{
    struct scenery k = scenery_new();

    dora(&k, 1, true);
    file_comes(&k, 1, "SEP001122330001.cnf.xml", CONFIG("10.0.0.1"));
    tls(&k, 1, 22, 1, true);
    tls(&k, 1, 22, 2, false);
    tls(&k, 1, 23, 0, true);
    wait_s(&k, 60);
    causes_are(&k, 1, "cannot-tell");
}

static void an_alert_at_each_try_is_told_at_once(void **state)
{
    struct scenery k = scenery_new();

    dora(&k, 1, true);
    file_comes(&k, 1, "SEP001122330001.cnf.xml", CONFIG("10.0.0.1"));
    for (unsigned i = 1; i < 4; i++) {
        wait_s(&k, 20);
        tls(&k, i, 22, 1, true);
        tls(&k, i, 21, 40, false);
    }
    causes_are(&k, 1, "tls-failed");
}

static void data_is_lost_again_and_again(void **state)
{
    struct scenery k = scenery_new();
    uint32_t flow = healthy_phone(&k, 1);

    for (unsigned i = 0; i < 5; i++) {
        tcp(&k, 1, SERVER_A, flow, TCP_AGAIN, false, 0.4, 1);
        tcp(&k, 1, SERVER_A, flow, TCP_ACKNOWLEDGED, true, 0.5, 0);
        wait_s(&k, 1);
    }
    keepalive(&k, 1, SERVER_A, flow, true);
    causes_are(&k, 1, "tcp-loss");
}

static void a_connection_that_is_reset(void **state)
{
    struct scenery k = scenery_new();
    uint32_t flow = healthy_phone(&k, 1);

    tcp(&k, 1, SERVER_A, flow, TCP_RESET, false, 0, 0);
    wait_s(&k, 5);
    causes_are(&k, 1, "tcp-ended");
}

static void a_phone_that_is_switched_off_has_no_trouble(void **state)
{
    struct scenery k = scenery_new();
    uint32_t flow = healthy_phone(&k, 1);

    tcp(&k, 1, SERVER_A, flow, TCP_RESET, true, 0, 0); /* its last word */
    wait_s(&k, 5);
    causes_are(&k, 1, "healthy");
}

static void it_never_tries_the_server(void **state)
{
    struct scenery k = scenery_new();

    boot_files(&k, 1);
    wait_s(&k, 60);
    causes_are(&k, 1, "no-server-tried");
}

static void large_packets_are_lost(void **state)
{
    struct scenery k = scenery_new();
    uint32_t flow = healthy_phone(&k, 1);

    tcp(&k, 1, SERVER_A, flow, TCP_ACKNOWLEDGED, false, 0.01, 0);
    for (unsigned i = 1; i <= 5; i++) {
        struct sight s = kit_sight(&k, SIGHT_TCP, 1, (uint16_t)(50000 + flow), SERVER_A, 2000, true);

        s.flow = flow;
        s.tcp.sign = TCP_AGAIN;
        s.tcp.again = i;
        s.tcp.length = 1460;
        s.tcp.after_ns = (int64_t)i * SECOND;
        timeline_see(k.t, &s);
        wait_s(&k, i);
    }
    causes_are(&k, 1, "path-mtu");
}

static void large_packets_do_not_come(void **state)
{
    struct scenery k = scenery_new();
    uint32_t flow = healthy_phone(&k, 1);
    struct sight s = kit_sight(&k, SIGHT_TCP, 1, (uint16_t)(50000 + flow), SERVER_A, 2000, false);

    s.flow = flow;
    s.tcp.sign = TCP_GAP;
    s.tcp.length = 1448;
    timeline_see(k.t, &s);
    wait_s(&k, 5);
    causes_are(&k, 1, "path-mtu?");
}

static void what_is_missing_before_a_fin_was_not_too_large(void **state)
{
    struct scenery k = scenery_new();
    uint32_t flow = healthy_phone(&k, 1);
    struct sight s = kit_sight(&k, SIGHT_TCP, 1, (uint16_t)(50000 + flow), SERVER_A, 2000, false);

    s.flow = flow;
    s.tcp.sign = TCP_GAP;
    s.tcp.again = 1;
    s.tcp.length = 1821;
    timeline_see(k.t, &s);
    tcp(&k, 1, SERVER_A, flow, TCP_ENDING, false, 0, 0);
    wait_s(&k, 20);
    causes_are(&k, 1, "tcp-ended");
}

static void a_large_packet_is_missing_in_each_connection(void **state)
{
    struct scenery k = scenery_new();

    dora(&k, 1, true);
    for (int i = 0; i < 4; i++) {
        uint32_t flow = tcp_open(&k, 1, SERVER_A);
        struct sight s = kit_sight(&k, SIGHT_TCP, 1, (uint16_t)(50000 + flow), SERVER_A, 2000, false);

        sccp_register(&k, 1, SERVER_A, flow);
        sccp_accept(&k, 1, SERVER_A, flow, 30);
        s.flow = flow;
        s.tcp.sign = TCP_GAP;
        s.tcp.length = 1460;
        timeline_see(k.t, &s);
        wait_s(&k, 60);
        tcp(&k, 1, SERVER_A, flow, TCP_ENDING, true, 0, 0);
    }
    causes_are(&k, 1, "path-mtu");
}

static void torn(struct scenery *k, bool from_phone)
{
    struct sight s = kit_sight(k, SIGHT_TORN, 1, 5060, SERVER_A, 5060, from_phone);

    timeline_see(k->t, &s);
    wait_s(k, 4);
}

static void of_large_datagrams_only_the_beginning_comes(void **state)
{
    struct scenery k = scenery_new();

    dora(&k, 1, true);
    file_comes(&k, 1, "SEP001122330001.cnf.xml", CONFIG("10.0.0.1"));
    for (int i = 0; i < 8; i++)
        torn(&k, true);
    causes_are(&k, 1, "path-mtu");
}

static void datagrams_of_which_a_filter_took_the_rest_came_whole(void **state)
{
    struct scenery k = scenery_new();
    uint32_t flow = healthy_phone(&k, 1);

    for (int i = 0; i < 3; i++) {
        torn(&k, true);
        keepalive(&k, 1, SERVER_A, flow, true);
    }
    causes_are(&k, 1, "healthy");
}

/* ---- registration ---- */

static uint32_t register_only(struct scenery *k, unsigned phone)
{
    uint32_t flow;

    boot_files(k, phone);
    flow = tcp_open(k, phone, SERVER_A);
    sccp_register(k, phone, SERVER_A, flow);
    wait_s(k, 0.01);
    return flow;
}

static void a_register_without_answer(void **state)
{
    struct scenery k = scenery_new();

    register_only(&k, 1);
    wait_s(&k, 30);
    causes_are(&k, 1, "register-no-answer");
}

static void refusals_are_named_by_their_text(void **state)
{
    static const struct {
        const char *text, *cause;
    } rows[] = {{"Error: DB Config", "rejected-unknown"},   {"Error: Mismatch", "rejected-type"},
                {"Version Error", "rejected-version"},      {"Error: Pass Limit", "rejected-full"},
                {"Error: Duplicate", "rejected-duplicate"}, {"Error: Database", "rejected-other"},
                {"No Authority: SEP1", "rejected-unknown"}, {"Security Error", "authentication"}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct scenery k = scenery_new();

        for (int n = 0; n < 3; n++) {
            uint32_t flow = register_only(&k, 1);

            sccp_reject(&k, 1, SERVER_A, flow, rows[i].text);
            tcp(&k, 1, SERVER_A, flow, TCP_ENDING, true, 0, 0);
            wait_s(&k, 22);
        }
        causes_are(&k, 1, rows[i].cause);
    }
}

static void a_refusal_is_known_while_the_phone_tries_again(void **state)
{
    struct scenery k = scenery_new();

    dora(&k, 1, true);
    for (int i = 0; i < 4; i++) {
        uint32_t flow = tcp_open(&k, 1, SERVER_A);

        sccp_register(&k, 1, SERVER_A, flow);
        if (i < 3)
            sccp_reject(&k, 1, SERVER_A, flow, "\x80\x33");
        wait_s(&k, 20);
    }
    causes_are(&k, 1, "rejected-type");
}

static void labels_of_a_refusal_are_told_in_words(void **state)
{
    static const struct {
        const char *text, *words;
    } rows[] = {{"\x80\x2f", "\"Error: DB Config\" of 10.0.0.1:2000"},
                {"\xc2\x80/", "\"Error: DB Config\" of 10.0.0.1:2000"},
                {"\x1e\x26", "\"Device not authorized\" of 10.0.0.1:2000"},
                {"Refused: \x80\x33", "\"Refused: Error: Mismatch\" of 10.0.0.1:2000"}};
    char detail[SAY_MAX];

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct scenery k = scenery_new();

        sccp_reject(&k, 1, SERVER_A, register_only(&k, 1), rows[i].text);
        first_finding(&k, 1, detail);
        assert_string_equal(detail, rows[i].words);
    }
}

static void a_registration_that_stalls(void **state)
{
    struct scenery k = scenery_new();
    struct sccp_message m = {.id = SCCP_REGISTER_ACK, .register_ack = {.keepalive_s = 30}};
    uint32_t flow = register_only(&k, 1);

    sccp(&k, 1, SERVER_A, flow, &m);
    sccp_say(&k, 1, SERVER_A, flow, SCCP_BUTTON_TEMPLATE_REQ);
    wait_s(&k, 30);
    causes_are(&k, 1, "register-incomplete");
}

static void a_reset_by_the_server(void **state)
{
    struct scenery k = scenery_new();
    struct sccp_message m = {.id = SCCP_RESET, .reset = {.kind = 2}};
    uint32_t flow = healthy_phone(&k, 1);

    sccp(&k, 1, SERVER_A, flow, &m);
    sccp_say(&k, 1, SERVER_A, flow, SCCP_UNREGISTER);
    tcp(&k, 1, SERVER_A, flow, TCP_ENDING, false, 0, 0);
    wait_s(&k, 5);
    healthy_phone(&k, 1);
    causes_are(&k, 1, "reset-by-server");
}

static void a_reset_at_the_phone(void **state)
{
    static const unsigned keys[] = {14, 14, 15, 14, 14};
    struct scenery k = scenery_new();
    uint32_t flow = healthy_phone(&k, 1);

    for (size_t i = 0; i < 5; i++) {
        struct sccp_message m = {.id = SCCP_KEYPAD_BUTTON, .keypad_button = {.key = keys[i]}};

        sccp(&k, 1, SERVER_A, flow, &m);
    }
    sccp_say(&k, 1, SERVER_A, flow, SCCP_UNREGISTER);
    sccp_say(&k, 1, SERVER_A, flow, SCCP_UNREGISTER_ACK);
    tcp(&k, 1, SERVER_A, flow, TCP_ENDING, true, 0, 0);
    wait_s(&k, 20);
    healthy_phone(&k, 1);
    causes_are(&k, 1, "left-by-itself");
}

static void version_stamps_that_differ(void **state)
{
    struct scenery k = scenery_new();

    for (int i = 0; i < 3; i++) {
        struct sccp_message m = {.id = SCCP_ALARM};
        uint32_t flow = tcp_open(&k, 1, SERVER_A);

        snprintf(m.alarm.text, sizeof(m.alarm.text), "100: Name=SEP001122330001 Load=9.4 Last=version-stamp-mismatch");
        sccp(&k, 1, SERVER_A, flow, &m);
        sccp_register(&k, 1, SERVER_A, flow);
        sccp_accept(&k, 1, SERVER_A, flow, 30);
        wait_s(&k, 60);
        sccp_say(&k, 1, SERVER_A, flow, SCCP_UNREGISTER);
        tcp(&k, 1, SERVER_A, flow, TCP_ENDING, true, 0, 0);
        wait_s(&k, 60);
    }
    causes_are(&k, 1, "version-stamps");
}

/* ---- keepalives ---- */

static void keepalives_without_answer(void **state)
{
    struct scenery k = scenery_new();
    uint32_t flow = healthy_phone(&k, 1);

    keepalive(&k, 1, SERVER_A, flow, false);
    keepalive(&k, 1, SERVER_A, flow, false);
    keepalive(&k, 1, SERVER_A, flow, true);
    causes_are(&k, 1, "keepalive-lost");
}

/* Seen from the server: its words are sent again, and the phone sends its own again, too. */
static void the_phone_does_not_hear(void **state)
{
    struct scenery k = scenery_new();
    uint32_t flow = healthy_phone(&k, 1);

    keepalive(&k, 1, SERVER_A, flow, true);
    for (int i = 0; i < 6; i++) {
        tcp(&k, 1, SERVER_A, flow, TCP_AGAIN, false, 0.2 * (1 << i), (unsigned)i + 1);
        wait_s(&k, 0.1);
        tcp(&k, 1, SERVER_A, flow, TCP_AGAIN, true, 0.3 * (1 << i), (unsigned)i + 1);
        wait_s(&k, 0.3 * (1 << i));
    }
    tcp(&k, 1, SERVER_A, flow, TCP_RESET, true, 0, 0);
    wait_s(&k, 1);
    flow = tcp_open(&k, 1, SERVER_A);
    sccp_register(&k, 1, SERVER_A, flow);
    sccp_accept(&k, 1, SERVER_A, flow, 30);
    causes_are(&k, 1, "keepalive-lost");
}

static void the_first_keepalive_of_each_connection_is_lost(void **state)
{
    struct scenery k = scenery_new();

    for (int i = 0; i < 4; i++) {
        uint32_t flow = tcp_open(&k, 1, SERVER_A);

        sccp_register(&k, 1, SERVER_A, flow);
        sccp_accept(&k, 1, SERVER_A, flow, 30);
        wait_s(&k, 30);
        sccp_say(&k, 1, SERVER_A, flow, SCCP_KEEPALIVE);
        for (unsigned n = 1; n < 6; n++) {
            wait_s(&k, 0.3 * (1 << n));
            tcp(&k, 1, SERVER_A, flow, TCP_AGAIN, true, 0.3 * ((2 << n) - 2), n);
        }
        tcp(&k, 1, SERVER_A, flow, TCP_ENDING, true, 0, 0);
        wait_s(&k, 1);
    }
    causes_are(&k, 1, "keepalive-lost nat-timeout?");
}

static void the_words_to_a_phone_without_power_may_be_lost(void **state)
{
    struct scenery k = scenery_new();
    uint32_t flow = healthy_phone(&k, 1);

    wait_s(&k, 5);
    for (int i = 0; i < 6; i++) {
        tcp(&k, 1, SERVER_A, flow, TCP_AGAIN, false, 0.2 * (1 << i), (unsigned)i + 1);
        wait_s(&k, 0.2 * (1 << i));
    }
    causes_are(&k, 1, "keepalive-lost?");
}

static void keepalives_stop(void **state)
{
    struct scenery k = scenery_new();

    healthy_phone(&k, 1);
    wait_s(&k, 200);
    cdp_phone(&k, 1);
    causes_are(&k, 1, "keepalive-stopped");
}

/* A call is all that the capture shows. */
static void a_phone_that_is_served_is_registered(void **state)
{
    struct scenery k = scenery_new();

    cdp_phone(&k, 1);
    tcp(&k, 1, SERVER_A, 7, TCP_MIDDLE, true, 0, 0);
    sccp_say(&k, 1, SERVER_A, 7, SCCP_OFF_HOOK);
    wait_s(&k, 0.01);
    sccp_say(&k, 1, SERVER_A, 7, SCCP_CALL_STATE);
    causes_are(&k, 1, "healthy");
}

static void silence_of_all_kinds_is_doubtful(void **state)
{
    struct scenery k = scenery_new();

    healthy_phone(&k, 1);
    wait_s(&k, 200);
    causes_are(&k, 1, "keepalive-stopped?");
}

static void port_security_ageing(void **state)
{
    struct scenery k = scenery_new();
    uint32_t flow = healthy_phone(&k, 1);
    double wait = 0.2;

    for (int i = 0; i < 6; i++, wait *= 2) {
        sccp_say(&k, 1, SERVER_A, flow, SCCP_KEEPALIVE);
        wait_s(&k, wait);
        tcp(&k, 1, SERVER_A, flow, TCP_AGAIN, true, wait, 1);
        wait_s(&k, 0.002);
        sccp_say(&k, 1, SERVER_A, flow, SCCP_KEEPALIVE_ACK);
        wait_s(&k, 29.998 - wait);
    }
    causes_are(&k, 1, "mac-ageing");
}

static void answers_that_come_unevenly(void **state)
{
    struct scenery k = scenery_new();
    uint32_t flow = healthy_phone(&k, 1);

    for (int i = 0; i < 8; i++) {
        double wait = i % 3 == 2 ? 5 : 0.01;

        sccp_say(&k, 1, SERVER_A, flow, SCCP_KEEPALIVE);
        wait_s(&k, wait);
        sccp_say(&k, 1, SERVER_A, flow, SCCP_KEEPALIVE_ACK);
        wait_s(&k, 30 - wait);
    }
    causes_are(&k, 1, "keepalive-late");
}

static void even_answers_that_take_half_the_interval(void **state)
{
    struct scenery k = scenery_new();
    uint32_t flow = registered_phone(&k, 1);

    for (int i = 0; i < 20; i++) {
        sccp_say(&k, 1, SERVER_A, flow, SCCP_KEEPALIVE);
        wait_s(&k, 2.1);
        sccp_say(&k, 1, SERVER_A, flow, SCCP_KEEPALIVE_ACK);
        wait_s(&k, 2.1);
    }
    causes_are(&k, 1, "keepalive-short");
}

static void a_far_server_is_not_late_as_well(void **state)
{
    for (int late_s = 1; late_s < 4; late_s += 2) {
        struct scenery k = scenery_new();
        uint32_t flow;

        dora(&k, 1, true);
        flow = ++k.flow;
        tcp(&k, 1, SERVER_A, flow, TCP_OPENING, true, 0, 0);
        wait_s(&k, late_s + 0.1);
        tcp(&k, 1, SERVER_A, flow, TCP_ACCEPTED, false, late_s + 0.1, 0);
        sccp_register(&k, 1, SERVER_A, flow);
        wait_s(&k, 0.8);
        sccp_accept(&k, 1, SERVER_A, flow, 2);
        for (int i = 0; i < 6; i++) {
            sccp_say(&k, 1, SERVER_A, flow, SCCP_KEEPALIVE);
            wait_s(&k, 0.8);
            sccp_say(&k, 1, SERVER_A, flow, SCCP_KEEPALIVE_ACK);
            wait_s(&k, 1.2);
        }
        causes_are(&k, 1, late_s == 1 ? "keepalive-short" : "tcp-late keepalive-short");
    }
}

static void two_questions_and_then_two_answers_lose_nothing(void **state)
{
    struct scenery k = scenery_new();
    uint32_t flow = healthy_phone(&k, 1);

    for (int i = 0; i < 6; i++) {
        sccp_say(&k, 1, SERVER_A, flow, SCCP_KEEPALIVE);
        sccp_say(&k, 1, SERVER_A, flow, SCCP_KEEPALIVE);
        wait_s(&k, 0.1);
        sccp_say(&k, 1, SERVER_A, flow, SCCP_KEEPALIVE_ACK);
        sccp_say(&k, 1, SERVER_A, flow, SCCP_KEEPALIVE_ACK);
        wait_s(&k, 30);
    }
    causes_are(&k, 1, "healthy");
}

static void the_server_falls_silent_for_all(void **state)
{
    struct scenery k = scenery_new();

    together(&k, 4, 2, false);
    wait_s(&k, 20);
    causes_are(&k, 2, "server-silent");
}

static void a_standby_server_never_answers_and_is_well(void **state)
{
    struct scenery k = scenery_new();
    uint32_t first[4], second[4];

    for (unsigned i = 1; i <= 3; i++) {
        first[i] = registered_phone(&k, i);
        second[i] = tcp_open(&k, i, SERVER_B);
    }
    for (unsigned r = 0; r < 4; r++)
        for (unsigned i = 1; i <= 3; i++) {
            sccp_say(&k, i, SERVER_B, second[i], SCCP_KEEPALIVE);
            tcp(&k, i, SERVER_B, second[i], TCP_ACKNOWLEDGED, false, 0.001, 0);
            sccp_say(&k, i, SERVER_A, first[i], SCCP_KEEPALIVE);
            wait_s(&k, 0.01);
            sccp_say(&k, i, SERVER_A, first[i], SCCP_KEEPALIVE_ACK);
            wait_s(&k, 10);
        }
    causes_are(&k, 2, "healthy");
}

/* ---- moves ---- */

static void to_and_fro(void **state)
{
    struct scenery k = scenery_new();

    boot_files(&k, 1);
    for (int i = 0; i < 6; i++) {
        uint32_t server = i % 2 ? SERVER_B : SERVER_A, flow = tcp_open(&k, 1, server);

        sccp_register(&k, 1, server, flow);
        sccp_accept(&k, 1, server, flow, 30);
        wait_s(&k, 30);
        keepalive(&k, 1, server, flow, true);
        sccp_say(&k, 1, server, flow, SCCP_UNREGISTER);
        tcp(&k, 1, server, flow, TCP_ENDING, true, 0, 0);
    }
    causes_are(&k, 1, "toggle");
}

static void at_the_second_server(void **state)
{
    struct scenery k = scenery_new();
    uint32_t flow;

    boot_files(&k, 1);
    flow = tcp_open(&k, 1, SERVER_B);
    sccp_register(&k, 1, SERVER_B, flow);
    sccp_accept(&k, 1, SERVER_B, flow, 30);
    wait_s(&k, 10);
    causes_are(&k, 1, "registered-elsewhere");
}

/* ---- several at once, and cohorts ---- */

static void two_independent_faults_are_both_named(void **state)
{
    struct scenery k = scenery_new();

    dhcp(&k, 1, DHCP_DISCOVER, NULL);
    wait_s(&k, 4);
    dhcp(&k, 1, DHCP_DISCOVER, NULL);
    wait_s(&k, 4);
    dora(&k, 1, true);
    wait_s(&k, 1);
    file_missing(&k, 1, "SEP001122330001.cnf.xml");
    file_missing(&k, 1, "XMLDefault.cnf.xml");
    wait_s(&k, 30);
    causes_are(&k, 1, "files-unknown-phone dhcp-slow");
}

static void phones_with_one_trouble_become_a_cohort(void **state)
{
    struct scenery k = scenery_new();
    struct diagnosis d;
    char common[SAY_MAX];

    k.vlan = 20;
    healthy_phone(&k, 9);
    for (unsigned i = 1; i <= 5; i++) {
        dora(&k, i, false);
        wait_s(&k, 1);
    }
    wait_s(&k, 20);
    dhcp(&k, 9, DHCP_INFORM, NULL);
    timeline_end(k.t, 0);
    assert_int_equal(diagnose(k.t, NULL, &d), 0);
    assert_int_equal(d.n_phones, 6);
    assert_int_equal(d.n_well, 1);
    assert_int_equal(d.cohorts[0].cause, CAUSE_DHCP_NO_BOOT_SERVER);
    assert_int_equal(d.cohorts[0].n, 5);
    assert_string_equal(say(d.cohorts[0].common, LANGUAGE_EN, common), "VLAN 20, network 10.0.0.0/24, model CP-7960");
    diagnosis_done(&d);
    timeline_free(k.t);
}

static void every_cause_has_words(void **state)
{
    for (enum cause c = 0; c < N_CAUSES; c++) {
        struct grow g = {0};

        if (!cause_words(c, LANGUAGE_EN)->title)
            fail_msg("%s has no words", cause_row(c)->name);
        report_explain(c, LANGUAGE_EN, 0, &g);
        assert_non_null(strstr(g.at, cause_row(c)->name));
        grow_done(&g);
    }
}

#define T(name) cmocka_unit_test(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_healthy_phone_has_nothing_wrong),
        T(many_healthy_phones_are_all_well),
        T(no_voice_vlan_and_no_address),
        T(another_vlan_than_the_one_told),
        T(untagged_where_no_tag_is_seen_is_doubtful),
        T(the_vlan_of_another_switch_is_not_the_phones),
        T(where_an_address_is_offered_the_vlan_is_not_to_blame),
        T(proxy_arp_for_the_server),
        T(nobody_answers_for_the_router),
        T(a_second_machine_has_the_address),
        T(no_dhcp_answer_is_the_only_cause),
        T(one_unanswered_discover_at_the_end_says_nothing),
        T(a_slow_address),
        T(one_lost_discover_is_not_a_slow_server),
        T(a_server_that_answers_each_message_late_is_slow),
        T(refused_addresses),
        T(offers_are_ignored),
        T(an_answer_that_the_capture_missed_is_not_slow),
        T(in_another_vlan_it_begins_anew),
        T(what_was_answered_and_is_not_there_is_no_silence),
        T(option_150_names_nobody),
        T(no_option_150),
        T(two_dhcp_servers),
        T(two_dhcp_servers_that_agree_are_fine),
        T(a_router_outside_the_network),
        T(a_declined_address),
        T(alternate_tftp),
        T(the_servers_name_does_not_exist),
        T(a_name_nobody_needs_is_no_trouble),
        T(the_dns_is_silent),
        T(the_dns_fails),
        T(nobody_serves_files),
        T(the_file_server_is_silent_and_the_phone_goes_on_without),
        T(what_does_not_keep_a_phone_from_registering_is_not_fatal),
        T(requests_that_other_requests_follow_were_answered),
        T(the_file_server_is_silent),
        T(silent_about_some_names_only),
        T(refusals_come_and_nothing_larger),
        T(each_request_brings_the_first_block_once_more),
        T(acknowledged_in_vain_until_it_gives_up),
        T(the_next_block_never_comes),
        T(the_blocks_never_arrive),
        T(answers_that_a_filter_took_away_are_no_silence),
        T(the_server_answers_from_another_address),
        T(a_phone_that_takes_answers_from_anywhere_goes_on),
        T(the_server_refuses_what_it_may_not_read),
        T(each_file_takes_seconds),
        T(a_lost_request_is_not_a_slow_server),
        T(not_added_and_no_auto_registration),
        T(a_mistyped_mac_address),
        T(a_neighbour_of_the_same_batch_is_no_near_miss),
        T(a_file_that_ends_early),
        T(a_file_with_an_error),
        T(a_file_without_lines),
        T(a_load_that_is_not_there),
        T(a_part_of_the_load_is_missing),
        T(a_load_fetched_without_end),
        T(an_old_trust_list),
        T(a_service_that_does_not_run),
        T(a_filter),
        T(a_late_answer),
        T(a_window_that_stays_closed),
        T(a_window_that_stayed_closed_until_the_end_of_its_connection),
        T(what_is_encrypted_is_not_failed),
        T(an_alert_at_each_try_is_told_at_once),
        T(data_is_lost_again_and_again),
        T(a_connection_that_is_reset),
        T(a_phone_that_is_switched_off_has_no_trouble),
        T(it_never_tries_the_server),
        T(large_packets_are_lost),
        T(large_packets_do_not_come),
        T(what_is_missing_before_a_fin_was_not_too_large),
        T(a_large_packet_is_missing_in_each_connection),
        T(of_large_datagrams_only_the_beginning_comes),
        T(datagrams_of_which_a_filter_took_the_rest_came_whole),
        T(a_register_without_answer),
        T(refusals_are_named_by_their_text),
        T(a_refusal_is_known_while_the_phone_tries_again),
        T(labels_of_a_refusal_are_told_in_words),
        T(a_registration_that_stalls),
        T(a_reset_by_the_server),
        T(a_reset_at_the_phone),
        T(version_stamps_that_differ),
        T(keepalives_without_answer),
        T(the_phone_does_not_hear),
        T(the_first_keepalive_of_each_connection_is_lost),
        T(the_words_to_a_phone_without_power_may_be_lost),
        T(keepalives_stop),
        T(a_phone_that_is_served_is_registered),
        T(silence_of_all_kinds_is_doubtful),
        T(port_security_ageing),
        T(answers_that_come_unevenly),
        T(even_answers_that_take_half_the_interval),
        T(a_far_server_is_not_late_as_well),
        T(two_questions_and_then_two_answers_lose_nothing),
        T(the_server_falls_silent_for_all),
        T(a_standby_server_never_answers_and_is_well),
        T(to_and_fro),
        T(at_the_second_server),
        T(two_independent_faults_are_both_named),
        T(phones_with_one_trouble_become_a_cohort),
        T(every_cause_has_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
