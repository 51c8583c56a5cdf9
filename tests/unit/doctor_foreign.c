/* doctor_foreign.c - what other servers and clients do: found in captures of other laboratories and of others' networks. */
#include "doctor_kit.h"

#include "doctor/capture/capture.h"

static void name_dhcp(struct scenery *k, unsigned phone, struct dhcp_message *m, bool asks)
{
    struct sight s = kit_sight(k, SIGHT_DHCP, phone, 68, SERVER_A, 67, asks);

    s.dhcp = m;
    timeline_see(k->t, &s);
}

/* Seen at a school: option 150 was entered as text, and 31 phones took no offer. */
static void option_150_in_letters(void **state)
{
    static struct dhcp_message m;
    struct scenery k = scenery_new();

    for (int i = 0; i < 3; i++) {
        dhcp(&k, 1, DHCP_DISCOVER, NULL);
        dhcp_init(&m, DHCP_BOOTREPLY, 1, kit_mac(1));
        dhcp_set_type(&m, DHCP_OFFER);
        dhcp_set_server_id(&m, SERVER_A);
        dhcp_set_tftp_servers(&m, (struct dhcp_addresses){3, {0x37342e32, 0x31332e31, 0x33372e31}}); /* "74.213.137.1" */
        m.yiaddr = kit_ip(1);
        name_dhcp(&k, 1, &m, false);
        wait_s(&k, 5);
    }
    wait_s(&k, 5);
    causes_are(&k, 1, "dhcp-ignored dhcp-no-boot-server");
}

static void a_phone_is_called_by_the_name_it_gives_to_dhcp(void **state)
{
    static struct dhcp_message m;
    struct scenery k = scenery_new();

    dhcp_init(&m, DHCP_BOOTREQUEST, 1, kit_mac(1));
    dhcp_set_type(&m, DHCP_DISCOVER);
    dhcp_set_host_name(&m, TEXT("SEP001122330001"));
    name_dhcp(&k, 1, &m, true);
    assert_string_equal(timeline_mac(k.t, kit_mac(1))->name, "SEP001122330001");
    dhcp_set_host_name(&m, TEXT("SEP001122330009")); /* a copy of another's configuration */
    dhcp_init(&m, DHCP_BOOTREQUEST, 2, kit_mac(2));
    name_dhcp(&k, 2, &m, true);
    assert_null(timeline_named(k.t, "SEP001122330009"));
    timeline_free(k.t);
}

/* The capture begins when it is registered; what it says by CDP a minute later tells who that is. */
static void a_phone_is_known_by_what_it_says_by_cdp(void **state)
{
    struct scenery k = scenery_new();
    struct cdp m = {.from = kit_mac(1)};
    struct sight s = {.kind = SIGHT_CDP, .cdp = &m};
    uint32_t flow = ++k.flow;
    size_t at = 0;

    for (int i = 0; i < 4; i++) {
        s.at = (struct place){.number = ++k.number, .time_ns = k.now};
        cdp_set_platform(&m, TEXT("Cisco IP Phone 7960"));
        cdp_set_device_id(&m, TEXT("SEP001122330001"));
        cdp_set_addresses(&m, (struct cdp_addresses){1, {ip_v4(kit_ip(1))}});
        if (i == 2)
            timeline_see(k.t, &s);
        tcp(&k, 1, SERVER_A, flow, i ? TCP_ACKNOWLEDGED : TCP_MIDDLE, true, 0, 0);
        keepalive(&k, 1, SERVER_A, flow, true);
    }
    assert_string_equal(timeline_mac(k.t, kit_mac(1))->name, "SEP001122330001");
    assert_non_null(timeline_next(k.t, &at));
    assert_null(timeline_next(k.t, &at));
    causes_are(&k, 1, "healthy");
}

static void one_offer_lost_is_no_slow_server(void **state)
{
    struct scenery k = scenery_new();
    struct dhcp_contents offer = {SERVER_A, ROUTER, MASK, SERVER_A, 0};

    dhcp(&k, 1, DHCP_DISCOVER, NULL);
    wait_s(&k, 0.01);
    dhcp(&k, 1, DHCP_OFFER, &offer);
    wait_s(&k, 4);
    healthy_phone(&k, 1);
    causes_are(&k, 1, "healthy");
}

/* It went on each time: nothing that it was offered in the end stayed unheeded. */
static void offers_that_were_taken_are_not_counted_as_ignored(void **state)
{
    struct scenery k = scenery_new();
    struct dhcp_contents offer = {SERVER_A, ROUTER, MASK, SERVER_A, 0};
    const struct story *s;

    for (int i = 0; i < 5; i++)
        dora(&k, 1, true);
    for (int i = 0; i < 2; i++) {
        dhcp(&k, 1, DHCP_DISCOVER, NULL);
        dhcp(&k, 1, DHCP_OFFER, &offer);
        wait_s(&k, 4);
    }
    s = timeline_mac(k.t, kit_mac(1));
    assert_int_equal(s->dhcp.servers[0].unheeded.n, 2);
    timeline_free(k.t);
}

/* unbound refuses with the head alone. */
static void a_refusal_without_the_question(void **state)
{
    struct scenery k = scenery_new();
    static struct dns_message m;
    struct sight s;

    dora(&k, 1, true);
    for (int i = 0; i < 4; i++) {
        file_comes(&k, 1, "SEP001122330001.cnf.xml", CONFIG("cm1"));
        dns(&k, 1, "cm1", false, 0, 0);
        s = kit_sight(&k, SIGHT_DNS, 1, 40000, SERVER_A, 53, false);
        dns_init(&m, 7);
        m.response = true;
        m.rcode = DNS_REFUSED;
        s.dns = &m;
        timeline_see(k.t, &s);
        wait_s(&k, 10);
    }
    causes_are(&k, 1, "dns-failed");
}

/* A phone that begins anew each six seconds: a capture of it never ends long after its last question. */
static void a_name_that_is_asked_for_until_the_end(void **state)
{
    struct scenery k = scenery_new();

    for (int i = 0; i < 5; i++) {
        wait_s(&k, 6);
        dora(&k, 1, false);
        dns(&k, 1, "CiscoCM1.example.com", false, 0, 0);
        dns(&k, 1, "CiscoCM1.example.com", true, DNS_NAME_ERROR, 0);
    }
    causes_are(&k, 1, "dhcp-no-boot-server dns-name-error");
}

static void a_file_without_lines_fetched_until_the_end(void **state)
{
    struct scenery k = scenery_new();

    dora(&k, 1, true);
    for (int i = 0; i < 4; i++) {
        wait_s(&k, 6);
        file_comes(&k, 1, "SEP001122330001.cnf.xml",
                   "<device><deviceProtocol>SIP</deviceProtocol>" CONFIG("10.0.0.1") "<sipProfile><sipLines></sipLines></sipProfile></device>");
    }
    causes_are(&k, 1, "file-unusable");
}

static void ask_from(struct scenery *k, uint16_t port)
{
    struct tftp_packet ask = {.op = TFTP_RRQ, .file = TEXT("CTLSEP001122330001.tlv")};
    struct tftp_packet answer = {.op = TFTP_ERROR, .error = 1, .message = TEXT("File not found")};
    struct sight s = kit_sight(k, SIGHT_TFTP, 1, port, SERVER_A, 69, true);

    s.flow = ++k->flow;
    s.tftp = &ask;
    timeline_see(k->t, &s);
    s = kit_sight(k, SIGHT_TFTP, 1, port, SERVER_A, 40001, false);
    s.flow = k->flow;
    s.tftp = &answer;
    timeline_see(k->t, &s);
    wait_s(k, 4);
}

/* At the server's end of a filter, or of an address translation that does not know TFTP. */
static void asked_again_though_answered(void **state)
{
    struct scenery k = scenery_new();

    for (int i = 0; i < 8; i++)
        ask_from(&k, i < 4 ? 50001 : 50002);
    causes_are(&k, 1, "tftp-one-way");
}

/* Some phones ask for a trust list until there is one; this one may do so from one port. */
static void asked_again_from_one_port_is_not_certain(void **state)
{
    struct scenery k = scenery_new();

    for (int i = 0; i < 8; i++)
        ask_from(&k, 50001);
    causes_are(&k, 1, "tftp-one-way?");
}

static void asked_again_from_new_ports_is_heard(void **state)
{
    struct scenery k = scenery_new();

    for (uint16_t i = 0; i < 8; i++)
        ask_from(&k, 50001 + i);
    causes_are(&k, 1, "cannot-tell");
}

/* The second server offers late (it probes the address first), once; at the next boot it refuses what the first had given. */
static void two_servers_of_which_one_only_offered_long_ago(void **state)
{
    struct scenery k = scenery_new();
    struct dhcp_contents other = {SERVER_B, ROUTER - 1, MASK, 0, 0x0a000077}, own = {SERVER_A, ROUTER, MASK, SERVER_A, 0};

    dora(&k, 1, true);
    wait_s(&k, 2);
    dhcp(&k, 1, DHCP_OFFER, &other);
    wait_s(&k, 60);
    dhcp(&k, 1, DHCP_REQUEST, NULL);
    dhcp(&k, 1, DHCP_ACK, &own);
    dhcp(&k, 1, DHCP_NAK, &other);
    wait_s(&k, 1);
    healthy_phone(&k, 1);
    causes_are(&k, 1, "dhcp-two-servers");
}

static void says_why(struct scenery *k, uint32_t flow, const char *text)
{
    static struct sccp_message m;

    memset(&m, 0, sizeof(m));
    m.id = SCCP_ALARM;
    snprintf(m.alarm.text, sizeof(m.alarm.text), "%s", text);
    sccp(k, 1, SERVER_A, flow, &m);
}

/* The server never answers a keepalive; an old one would not either, and its phones would not leave for that. */
static void keepalives_missed_by_the_phones_own_words(void **state)
{
    struct scenery k = scenery_new();

    for (int i = 0; i < 2; i++) {
        uint32_t flow = registered_phone(&k, 1);

        wait_s(&k, 30);
        for (int n = 0; n < 3; n++) {
            keepalive(&k, 1, SERVER_A, flow, false);
            tcp(&k, 1, SERVER_A, flow, TCP_ACKNOWLEDGED, false, 0.001, 0);
        }
        tcp(&k, 1, SERVER_A, flow, TCP_ENDING, true, 0, 0);
        wait_s(&k, 1);
        flow = tcp_open(&k, 1, SERVER_A);
        says_why(&k, flow, i ? "15: Name=SEP001122330001 Last=KeepaliveTO" : "");
    }
    causes_are(&k, 1, "keepalive-lost");
}

/* Its kernel goes on repeating behind the close, so that no FIN leaves before it registers anew. */
static void the_way_forgets_and_the_phone_registers_anew(void **state)
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
        wait_s(&k, 60);
    }
    causes_are(&k, 1, "keepalive-lost nat-timeout?");
}

static void one_server_refuses_and_the_other_does_not_answer(void **state)
{
    struct scenery k = scenery_new();
    uint32_t flow;

    dora(&k, 1, true);
    file_comes(&k, 1, "SEP001122330001.cnf.xml", CONFIG("10.0.0.1"));
    for (int i = 0; i < 3; i++) {
        flow = tcp_open(&k, 1, SERVER_A);
        sccp_register(&k, 1, SERVER_A, flow);
        wait_s(&k, 32);
        tcp(&k, 1, SERVER_B, ++k.flow, TCP_OPENING, true, 0, 0);
        tcp(&k, 1, SERVER_B, k.flow, TCP_REFUSED, false, 0.001, 0);
        wait_s(&k, 5);
    }
    causes_are(&k, 1, "tcp-refused register-no-answer");
}

/* A datagram of raw IP between the phone and the server; `capture` is fed with it. */
static void datagram(struct capture *c, uint64_t number, bool from_phone, uint16_t server_port, const char *body, size_t len)
{
    uint8_t frame[200];
    struct writer w = writer_of(frame, sizeof(frame));
    struct record r = {.time_ns = (int64_t)number * SECOND, .link_type = 101, .bytes = frame};

    write_be16(&w, 0x4500);
    write_be16(&w, (uint16_t)(28 + len));
    write_be32(&w, (uint32_t)number << 16);
    write_be32(&w, 64u << 24 | 17u << 16);
    write_be32(&w, from_phone ? kit_ip(1) : SERVER_A);
    write_be32(&w, from_phone ? SERVER_A : kit_ip(1));
    write_be16(&w, from_phone ? 50000 : server_port);
    write_be16(&w, from_phone ? server_port : 50000);
    write_be16(&w, (uint16_t)(8 + len));
    write_be16(&w, 0);
    write_bytes(&w, body, len);
    r.captured = r.original = (uint32_t)writer_len(&w);
    capture_packet(c, &r, number);
}

/* tftp-hpa acknowledges block 1 of a file that it was just told is not there. */
static void a_refusal_that_is_acknowledged_is_no_lost_packet(void **state)
{
    struct timeline *t = timeline_new();
    struct capture *c = capture_new(&(struct capture_options){0}, timeline_see, t);

    datagram(c, 1, true, 69, "\0\1CTLSEP001122330001.tlv\0octet", 31);
    datagram(c, 2, false, 40001, "\0\5\0\1File not found", 19);
    datagram(c, 3, true, 40001, "\0\4\0\1", 4);
    capture_free(c);
    timeline_end(t, 0);
    assert_int_equal(timeline_facts(t)->n_phones, 1);
    assert_int_equal(timeline_facts(t)->lost.n, 0);
    timeline_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refusal_that_is_acknowledged_is_no_lost_packet),
        cmocka_unit_test(option_150_in_letters),
        cmocka_unit_test(a_phone_is_called_by_the_name_it_gives_to_dhcp),
        cmocka_unit_test(a_phone_is_known_by_what_it_says_by_cdp),
        cmocka_unit_test(one_offer_lost_is_no_slow_server),
        cmocka_unit_test(offers_that_were_taken_are_not_counted_as_ignored),
        cmocka_unit_test(a_refusal_without_the_question),
        cmocka_unit_test(a_name_that_is_asked_for_until_the_end),
        cmocka_unit_test(a_file_without_lines_fetched_until_the_end),
        cmocka_unit_test(asked_again_though_answered),
        cmocka_unit_test(asked_again_from_one_port_is_not_certain),
        cmocka_unit_test(asked_again_from_new_ports_is_heard),
        cmocka_unit_test(two_servers_of_which_one_only_offered_long_ago),
        cmocka_unit_test(keepalives_missed_by_the_phones_own_words),
        cmocka_unit_test(the_way_forgets_and_the_phone_registers_anew),
        cmocka_unit_test(one_server_refuses_and_the_other_does_not_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
