/* station_sip.c - SIP phones register, refresh, are ordered about, leave and are refused. */
#include "test.h"

#include "base/log.h"
#include "sip_log.h"
#include "station/sip/station.h"
#include "wire/sccp/message.h"

#define A     "SEP001122334455"
#define MAC_A "001122334455"
#define B     "SEP00112233445A"
#define MAC_B "00112233445A"
#define PHONES                                                                                     \
    "phone " A " model=684 protocol=sip lines=7001;7002\n"                                         \
    "phone " B " model=621 protocol=sip lines=7003\n"

static const struct sip_say bulk = {1,   MAC_A, "684", "7001", "one@10.1.0.1",
                                    101, 3600,  NULL,  NULL,   SIP_BULK_BODY},
                            single = {2, MAC_B, "621", "7003", "two@10.1.0.2", 101, 3600};

static struct sip_say with(struct sip_say s, unsigned cseq, const char *body)
{
    s.cseq = cseq;
    s.body = body;
    return s;
}

static void saw(struct sip_world *w, const char *expected)
{
    assert_string_equal(w->log, expected);
    sip_world_forget(w);
}

static void registers(struct sip_world *w, const struct sip_say *s)
{
    if (s->link)
        sip_world_connect(w, s->link);
    sip_world_register(w, s);
    sip_world_forget(w);
}

static void a_phone_registers_all_its_lines_with_one_request(void **state)
{
    struct sip_world *w = sip_world_new(PHONES);
    struct sip_binding_view view;

    sip_world_connect(w, 1);
    sip_world_register(w, &bulk);
    saw(w, "  <- SIP/2.0 100 Trying\n"
           "  event register " A " 101 12.6.1\n"
           "  <- SIP/2.0 200 OK\n"
           "  event registered " A " 0 12.6.1\n"
           "  alarm EndPointRegistered [DeviceName=" A "][MACAddress=001122334455]"
           "[IPAddress=10.1.0.1][Protocol=SIP][LoadID=12.6.1][AssociatedDNs=7001,7002]"
           "[PerfMonObjType=2][DeviceType=684][IPAddrAttributes=0][ActiveLoadId=12.6.1]\n"
           "  <- REFER sip:7001@10.1.0.1:50001;transport=tcp SIP/2.0\n");
    assert_true(sip_stations_binding(w->sip, (struct device_name){A}, 1, w->now, &view));
    assert_true(text_is(view.user, "7002"));
    assert_int_equal(view.expires_s, 120);
    assert_false(sip_stations_binding(w->sip, (struct device_name){A}, 2, w->now, &view));
    assert_int_equal(sip_stations_registered(w->sip), 1);
    sip_world_free(w);
}

static void only_a_new_binding_is_told_so(void **state)
{
    struct sip_world *w = sip_world_new(PHONES);
    struct sip_say again = with(bulk, 102, NULL);

    w->whole = true;
    sip_world_connect(w, 1);
    sip_world_register(w, &bulk);
    contains(w, ";+u.sip!model.ccm.cisco.com=\"684\";x-cisco-newreg\n");
    contains(w, "<combine max=\"6\">");
    sip_world_forget(w);
    sip_world_register(w, &again);
    contains(w, "  <- Expires: 120\n");
    contains(w, ";+u.sip!model.ccm.cisco.com=\"684\"\n");
    contains(w, "  <- Content-Length: 0\n");
    lacks(w, "newreg");
    lacks(w, "OPTIONS");
    lacks(w, "alarm");
    sip_world_free(w);
}

static void contact_and_call_id_stay_as_the_phone_wrote_them(void **state)
{
    char longest[301] = "";
    const char *const call_ids[] = {
        "7f00-" MAC_A "-1@10.1.0.1", "10.1.0.110.1.0.1;transport=tcp", "@10.1.0.1:50001", "x",
        "odd\001\002\003\004bytes@10.1.0.1", memset(longest, 'a', sizeof(longest) - 1)};

    for (size_t i = 0; i < sizeof(call_ids) / sizeof(*call_ids); i++) {
        struct sip_world *w = sip_world_new(PHONES);
        struct sip_say say = bulk, again;
        struct sip_binding_view view;
        struct sip_binding *b;
        struct sip_room room;

        say.user = MAC_A; /* a phone that does not know its number calls itself so */
        say.call_id = call_ids[i];
        again = with(say, 102, NULL);
        registers(w, &say);
        b = sip_device_find(w->sip, (struct device_name){A})->bindings;
        assert_true(text_is(sip_binding_call_id(b, &room), call_ids[i]));
        assert_true(sip_binding_is_of_call(b, text_of(call_ids[i])));
        assert_true(sip_stations_binding(w->sip, (struct device_name){A}, 0, w->now, &view));
        assert_true(text_is(view.contact, "sip:" MAC_A "@10.1.0.1:50001;transport=tcp"));
        assert_int_equal(ip_v4_number(station_own_address(sip_stations_find(
                             w->sip, (struct device_name){A}))), 0x0a010001);
        sip_world_register(w, &again);
        lacks(w, "event"); /* it is the same registration */
        contains(w, "200 OK");
        assert_int_equal(sip_bindings_count(b->device), 1);
        sip_world_free(w);
    }
}

static void the_same_request_gets_the_same_answer(void **state)
{
    struct sip_world *w = sip_world_new(PHONES);
    struct sip_say udp = bulk;
    char first[8192];
    size_t n;

    udp.link = 0;
    sip_world_register(w, &udp);
    sip_world_forget(w);
    sip_world_register(w, &udp);
    lacks(w, "REFER");
    lacks(w, "alarm");
    strcpy(first, w->last);
    n = w->n_sent;
    sip_world_register(w, &udp);
    assert_string_equal(w->last, first);
    assert_int_equal(w->n_sent, n + 1);
    contains(w, "200 OK");
    assert_non_null(strstr(first, "x-cisco-newreg"));
    sip_world_free(w);
}

static void a_bare_refresh_leaves_no_phone_partly_registered(void **state)
{
    struct sip_world *w = sip_world_new(PHONES);
    struct sip_binding_view view;

    registers(w, &bulk);
    for (unsigned i = 0; i < 20; i++) {
        struct sip_say again = with(bulk, 102 + i, NULL);

        sip_world_pass(w, 115000);
        sip_world_register(w, &again);
    }
    lacks(w, "alarm");
    assert_true(sip_stations_binding(w->sip, (struct device_name){A}, 1, w->now, &view));
    assert_int_equal(view.expires_s, 120);
    sip_world_free(w);
}

static void
a_phone_that_falls_silent_is_unregistered_130_seconds_after_its_last_register(void **state)
{
    struct sip_world *w = sip_world_new(PHONES);
    struct sip_say again = with(bulk, 102, NULL);

    registers(w, &bulk);
    sip_world_pass(w, 115000);
    sip_world_register(w, &again);
    sip_world_forget(w);
    sip_world_pass(w, 129999);
    saw(w, "");
    sip_world_pass(w, 1);
    saw(w, "  event unregistered " A " 13 no keepalive came in time\n"
           "  alarm EndPointUnregistered [DeviceName=" A "][MACAddress=001122334455]"
           "[IPAddress=10.1.0.1][Protocol=SIP][DeviceType=684][Reason=13][IPAddrAttributes=0]"
           "[LastSignalReceived=SIPStationDPrimaryLineTimeout]\n"
           "  close 1\n");
    assert_int_equal(sip_stations_registered(w->sip), 0);
    sip_world_free(w);
}

static void the_grace_and_the_interval_are_settings(void **state)
{
    struct sip_world *w = sip_world_new(PHONES "parameter sip_station_keepalive_interval value=60\n"
                                               "parameter sip_register_grace value=30\n");

    registers(w, &bulk);
    sip_world_pass(w, 84999);
    saw(w, "");
    sip_world_pass(w, 1);
    contains(w, "[Reason=13]");
    sip_world_free(w);
}

static void a_connection_that_closes_takes_its_phone_with_it(void **state)
{
    struct sip_world *w = sip_world_new(PHONES);

    registers(w, &bulk);
    sip_world_close(w, 1);
    saw(w, "  event unregistered " A " 6 the TCP connection or the network broke\n"
           "  alarm EndPointUnregistered [DeviceName=" A "][MACAddress=001122334455]"
           "[IPAddress=10.1.0.1][Protocol=SIP][DeviceType=684][Reason=6][IPAddrAttributes=0]\n");
    sip_world_pass(w, 200000);
    saw(w, "");
    sip_world_free(w);
}

static void what_a_phone_says_when_it_leaves_is_the_reason(void **state)
{
    static const struct {
        const char *reason;
        uint32_t expected;
    } cases[] = {
        {"Reason: SIP;cause=200;text=\"cisco-alarm:22 Name=" A " Last=reset-reset\"\r\n", 9},
        {"Reason: SIP ;cause=200;text=\"cisco-alarm:23 Name=" A " Last=reset-restart\"\r\n", 15},
        {"Reason: SIP;cause=200;text=\"cisco-alarm:104 Name=" A " Last=apply_config\"\r\n", 17},
        {"Reason: SIP;cause=200;text=\"cisco-alarm:18 Name=" A " Last=fallback\"\r\n", 28},
        {"Reason: SIP;cause=200;text=\"cisco-alarm:20 Name=" A " Last=phone-keypad\"\r\n", 8},
        {"", 10},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct sip_world *w = sip_world_new(PHONES);
        struct sip_say bye = with(bulk, 102, NULL);

        registers(w, &bulk);
        bye.expires = 0;
        bye.headers = cases[i].reason;
        w->whole = true;
        sip_world_register(w, &bye);
        contains(w, "  <- Expires: 0\n");
        lacks(w, "Contact:");
        assert_int_equal(w->last_alarm->reason, cases[i].expected);
        assert_true(w->closed[1]);
        assert_int_equal(sip_stations_registered(w->sip), 0);
        sip_world_free(w);
    }
}

static void what_a_phone_says_when_it_comes_is_kept(void **state)
{
    struct sip_world *w = sip_world_new(PHONES);
    struct sip_say say = bulk;
    const struct station *x;

    say.headers = "Reason: SIP;cause=200;text=\"cisco-alarm:25 Name=" A
                  " ActiveLoad=sip88xx.12-6-1-0001-391.loads InactiveLoad=sip88xx.11-7-1.loads "
                  "Last=initialized\"\r\n";
    registers(w, &say);
    x = sip_stations_find(w->sip, (struct device_name){A});
    assert_non_null(x);
    assert_string_equal(x->load, "sip88xx.12-6-1-0001-391");
    assert_int_equal(x->last_alarm->reason, 25);
    sip_world_free(w);
}

static void a_keepalive_to_a_backup_changes_nothing(void **state)
{
    struct sip_world *w = sip_world_new(PHONES);
    struct sip_say keepalive = bulk;

    keepalive.expires = 0;
    keepalive.body = NULL;
    keepalive.parameters = ";expires=0;cisco-keep-alive";
    w->whole = true;
    sip_world_connect(w, 1);
    for (unsigned i = 0; i < 4; i++) {
        keepalive.cseq++;
        sip_world_register(w, &keepalive);
        lacks(w, "event");
        lacks(w, "Contact");
        lacks(w, "Server");
        contains(w, "  <- Expires: 0\n");
        sip_world_forget(w);
        sip_world_pass(w, 120000);
    }
    assert_false(w->closed[1]);
    keepalive.link = 2; /* nor does it unregister who is registered here */
    sip_world_register(w, &bulk);
    sip_world_connect(w, 2);
    sip_world_register(w, &keepalive);
    assert_int_equal(sip_stations_registered(w->sip), 1);
    sip_world_free(w);
}

static void a_standby_connection_that_falls_silent_is_closed(void **state)
{
    struct sip_world *w = sip_world_new(PHONES);
    struct sip_say keepalive = bulk;

    keepalive.expires = 0;
    keepalive.parameters = ";expires=0;cisco-keep-alive";
    registers(w, &keepalive);
    sip_world_pass(w, 359999);
    assert_false(w->closed[1]);
    sip_world_pass(w, 1);
    assert_true(w->closed[1]);
    sip_world_free(w);
}

static void silence_from_the_beginning_is_closed_after_half_a_minute(void **state)
{
    struct sip_world *w = sip_world_new(PHONES);

    sip_world_connect(w, 1);
    sip_world_pass(w, 30000);
    assert_true(w->closed[1]);
    sip_world_free(w);
}

static void lines_of_old_loads_register_one_by_one(void **state)
{
    struct sip_world *w = sip_world_new(PHONES);
    struct sip_say first = bulk, second = bulk;

    first.body = second.body = NULL;
    second.user = "7002";
    second.call_id = "other@10.1.0.1";
    sip_world_connect(w, 1);
    sip_world_register(w, &first);
    lacks(w, "alarm");
    contains(w, "200 OK");
    sip_world_forget(w);
    w->whole = true;
    sip_world_register(w, &second);
    contains(w, "  <- Expires: 3600\n");
    lacks(w, "x-cisco-newreg"); /* that of the first line stands for all */
    contains(w, "alarm EndPointRegistered");
    sip_world_forget(w);
    second.cseq++;
    second.expires = 0; /* one of two leaves */
    sip_world_register(w, &second);
    assert_false(w->closed[1]);
    lacks(w, "alarm");
    first.cseq++;
    first.expires = 0;
    sip_world_register(w, &first);
    assert_true(w->closed[1]);
    contains(w, "[Reason=10]");
    sip_world_free(w);
}

static void a_phone_without_all_its_lines_is_partly_registered_after_a_second(void **state)
{
    struct sip_world *w = sip_world_new(PHONES);
    struct sip_say first = bulk, second = bulk;

    first.body = second.body = NULL;
    second.user = "7002";
    second.call_id = "other@10.1.0.1";
    registers(w, &first);
    sip_world_pass(w, 999);
    saw(w, "");
    sip_world_pass(w, 1);
    contains(w, "alarm DevicePartiallyRegistered");
    assert_int_equal(sip_stations_registered(w->sip), 1);
    sip_world_forget(w);
    sip_world_register(w, &second);
    contains(w, "alarm EndPointRegistered");
    sip_world_free(w);
}

static void a_contact_from_elsewhere_registers_anew(void **state)
{
    struct sip_world *w = sip_world_new(PHONES);
    struct sip_say moved = with(bulk, 102, SIP_BULK_BODY);

    registers(w, &bulk);
    moved.port = 50999;
    sip_world_register(w, &moved);
    contains(w, "[Reason=24]");
    contains(w, "alarm EndPointRegistered");
    sip_world_forget(w);
    moved.ip = 0x0a010063;
    moved.cseq++;
    sip_world_register(w, &moved);
    contains(w, "[Reason=23]");
    contains(w, "alarm EndPointRegistered");
    assert_int_equal(sip_stations_registered(w->sip), 1);
    sip_world_free(w);
}

static void a_phone_that_comes_back_replaces_its_old_connection(void **state)
{
    struct sip_world *w = sip_world_new(PHONES);
    struct sip_say back = bulk;

    registers(w, &bulk);
    back.link = 3;
    back.ip = 0x0a010001;
    back.call_id = "new@10.1.0.1";
    sip_world_connect_as(w, 3, sip_world_peer(1), SIP_TCP, "");
    sip_world_register(w, &back);
    contains(w, "[Reason=29]");
    assert_true(w->closed[1]);
    assert_false(w->closed[3]);
    assert_int_equal(sip_stations_registered(w->sip), 1);
    sip_world_free(w);
}

static void a_restarted_phone_registers_again_on_the_same_connection(void **state)
{
    struct sip_world *w = sip_world_new(PHONES);
    struct sip_say again = bulk;

    registers(w, &bulk);
    again.call_id = "new@10.1.0.1";
    sip_world_register(w, &again);
    contains(w, "alarm EndPointRegistered");
    lacks(w, "EndPointUnregistered");
    assert_false(w->closed[1]);
    assert_int_equal(sip_stations_registered(w->sip), 1);
    sip_world_free(w);
}

static void an_old_request_does_not_undo_a_newer_one(void **state)
{
    struct sip_world *w = sip_world_new(PHONES);
    struct sip_say later = with(bulk, 105, NULL), older = with(bulk, 104, NULL);

    registers(w, &bulk);
    sip_world_register(w, &later);
    sip_world_forget(w);
    sip_world_register(w, &older);
    contains(w, "500 CSeq Out of Order");
    assert_int_equal(sip_stations_registered(w->sip), 1);
    sip_world_free(w);
}

static void a_stranger_cannot_unregister_a_phone(void **state)
{
    struct sip_world *w = sip_world_new(PHONES);
    struct sip_say bye = bulk;

    registers(w, &bulk);
    bye.link = 9;
    bye.call_id = "evil@10.1.0.9";
    bye.expires = 0;
    bye.body = NULL;
    sip_world_connect(w, 9);
    sip_world_register(w, &bye);
    contains(w, "403 Forbidden");
    assert_int_equal(sip_stations_registered(w->sip), 1);
    sip_world_free(w);
}

static void the_line_of_another_phone_is_refused(void **state)
{
    struct sip_world *w = sip_world_new(PHONES);
    struct sip_say say = bulk;

    say.user = "7003";
    sip_world_connect(w, 1);
    sip_world_register(w, &say);
    contains(w, "403 Forbidden");
    contains(w, "alarm SIPLineRegistrationError [IPAddress=10.1.0.1][DevicePort=50001]"
                "[DeviceName=" A "]");
    contains(w, "[Reason=2]");
    sip_world_forget(w);
    for (unsigned i = 0; i < 20; i++) {
        say.cseq++;
        sip_world_register(w, &say);
    }
    lacks(w, "alarm");
    assert_int_equal(sip_stations_registered(w->sip), 0);
    sip_world_free(w);
}

static void an_unknown_phone_is_refused_and_told_on_its_status_line(void **state)
{
    struct sip_world *w = sip_world_new(PHONES);
    struct sip_say say = bulk;

    say.mac = "AABBCCDDEEFF";
    w->whole = true;
    sip_world_connect(w, 1);
    sip_world_register(w, &say);
    contains(w, "  <- SIP/2.0 404 Not Found\n");
    contains(w, "  <- Warning: 399 cm1 \"Auto-registration failed\"\n");
    contains(w, "alarm EndPointTransientConnection [IPAddress=10.1.0.1]"
                "[DeviceName=SEPAABBCCDDEEFF][MACAddress=AABBCCDDEEFF][Protocol=SIP]"
                "[DeviceType=684][Reason=29][ConnectingPort=5060]"
                "[LastSignalReceived=DbStationAutoRegisterErr][StationState=auto_register]\n");
    contains(w, "  <- <statustext>\x80/</statustext>\n");
    sip_world_forget(w);
    say.cseq++;
    sip_world_register(w, &say);
    contains(w, "  <- SIP/2.0 503 Service Unavailable\n");
    contains(w, "  <- Warning: 399 cm1 \"Device handler is shutting down\"\n");
    contains(w, "  <- Retry-After: 35\n");
    sip_world_pass(w, 29999);
    assert_false(w->closed[1]);
    sip_world_pass(w, 1);
    assert_true(w->closed[1]);
    sip_world_free(w);
}

static void another_model_is_refused(void **state)
{
    struct sip_world *w = sip_world_new(PHONES);
    struct sip_say say = bulk;

    say.model = "621";
    w->whole = true;
    sip_world_connect(w, 1);
    sip_world_register(w, &say);
    contains(w, "  <- SIP/2.0 485 Ambiguous\n");
    contains(w, "  <- Warning: 399 cm1 \"Device type mismatch\"\n");
    contains(w, "alarm DeviceTypeMismatch [DBDeviceType=684][DeviceType=621]");
    contains(w, "[Reason=32][ConnectingPort=5060][LastSignalReceived=SIPRegisterInd]"
                "[StationState=wait_register]");
    contains(w, "<statustext>\x80"
                "3</statustext>");
    sip_world_free(w);
}

static void an_unknown_phone_is_added_when_the_door_is_open(void **state)
{
    struct sip_world *w =
        sip_world_new(PHONES "autoregistration cm1 enabled=true start=8000 end=8010\n");
    struct sip_say say = bulk;

    say.mac = "AABBCCDDEEFF";
    say.user = "aabbccddeeff";
    sip_world_connect(w, 1);
    sip_world_register(w, &say);
    saw(w, "  <- SIP/2.0 100 Trying\n  event register SEPAABBCCDDEEFF 101 12.6.1\n"
           "  autoregister SEPAABBCCDDEEFF 684\n");
    sip_world_register(w, &say);
    saw(w, "  <- SIP/2.0 100 Trying\n");
    sip_world_directory(w, PHONES "phone SEPAABBCCDDEEFF model=684 protocol=sip lines=8000\n");
    sip_stations_admitted(w->sip, w->token, 0, w->now, w->effects);
    sip_world_carry_out(w);
    contains(w, "200 OK");
    contains(w, "alarm EndPointRegistered");
    assert_int_equal(sip_stations_registered(w->sip), 1);
    sip_world_free(w);
}

static void the_database_may_be_slow_or_refuse(void **state)
{
    for (int late = 0; late < 2; late++) {
        struct sip_world *w =
            sip_world_new(PHONES "autoregistration cm1 enabled=true start=8000 end=8010\n");
        struct sip_say say = bulk;

        say.mac = "AABBCCDDEEFF";
        registers(w, &say);
        if (late) {
            sip_world_pass(w, 20000);
            assert_int_equal(w->last_alarm->reason, TRANSIENT_AUTOREGISTER_TIMEOUT);
        } else {
            sip_stations_admitted(w->sip, w->token, -ENOENT, w->now, w->effects);
            sip_world_carry_out(w);
            assert_int_equal(w->last_alarm->reason, TRANSIENT_AUTOREGISTER_DB);
        }
        contains(w, "404 Not Found");
        sip_stations_admitted(w->sip, w->token, 0, w->now, w->effects);
        sip_world_carry_out(w);
        assert_int_equal(sip_stations_registered(w->sip), 0);
        sip_world_free(w);
    }
}

static void too_short_a_registration_is_refused(void **state)
{
    struct sip_world *w = sip_world_new(PHONES);
    struct sip_say say = bulk;

    say.expires = 30;
    w->whole = true;
    sip_world_connect(w, 1);
    sip_world_register(w, &say);
    contains(w, "  <- SIP/2.0 423 Interval Too Brief\n");
    contains(w, "  <- Min-Expires: 120\n");
    sip_world_free(w);
}

static void orders(struct sip_world *w, enum station_order order)
{
    assert_int_equal(sip_stations_order(w->sip, (struct device_name){A}, order, w->now, w->effects),
                     0);
    sip_world_carry_out(w);
}

/* Answers the last request that was sent over the link. */
static void answers(struct sip_world *w, uint64_t link, unsigned status)
{
    char text[8192], *at = text;
    struct sip_message m;
    int n;

    assert_int_equal(sip_parse(w->last, strlen(w->last), &m), 0);
    n = snprintf(at, sizeof(text),
                 "SIP/2.0 %u Whatever\r\nVia: %.*s\r\nFrom: %.*s\r\nTo: %.*s;tag=x\r\n"
                 "Call-ID: %.*s\r\nCSeq: %.*s\r\nContent-Length: 0\r\n\r\n",
                 status, TEXT_ARG(sip_value(&m, SIP_VIA)), TEXT_ARG(sip_value(&m, SIP_FROM)),
                 TEXT_ARG(sip_value(&m, SIP_TO)), TEXT_ARG(sip_value(&m, SIP_CALL_ID)),
                 TEXT_ARG(sip_value(&m, SIP_CSEQ)));
    if (link)
        sip_world_bytes(w, link, text, (size_t)n);
    else
        sip_world_datagram(w, sip_world_peer(0), text, (size_t)n);
    sip_world_pass(w, 1);
}

static void a_phone_is_reset_and_leaves(void **state)
{
    struct sip_world *w = sip_world_new(PHONES);
    struct sip_say bye = with(bulk, 102, NULL);

    registers(w, &bulk);
    w->whole = true;
    orders(w, STATION_RESET);
    contains(w, "  <- NOTIFY sip:7001@10.1.0.1:50001;transport=tcp SIP/2.0\n");
    contains(w, "  <- Event: service-control\n  <- Subscription-State: active\n");
    contains(w, "  <- action=reset\n  <- RegisterCallId={one@10.1.0.1}\n");
    contains(w, "alarm EndPointResetInitiated");
    answers(w, 1, 200);
    bye.expires = 0;
    bye.headers = "Reason: SIP;cause=200;text=\"cisco-alarm:22 Name=" A " Last=reset-reset\"\r\n";
    sip_world_register(w, &bye);
    assert_int_equal(w->last_alarm->reason, UNREGISTERED_CALLMANAGER_RESET);
    assert_true(w->closed[1]);
    sip_world_free(w);
}

/* Cisco's stack as it was published says so little. */
static void a_phone_that_knows_callinfo_obeys_service_control_too(void **state)
{
    struct sip_world *w = sip_world_new(PHONES);
    struct sip_say say = bulk;

    say.supported = "replaces,join,sdp-anat,norefersub,extended-refer,X-cisco-callinfo,"
                    "X-cisco-escapecodes,X-cisco-monrec";
    registers(w, &say);
    w->whole = true;
    orders(w, STATION_RESTART);
    contains(w, "  <- Event: service-control\n");
    sip_world_free(w);
}

static void a_phone_that_does_not_answer_an_order_is_cut_off(void **state)
{
    struct sip_world *w = sip_world_new(PHONES);

    registers(w, &bulk);
    orders(w, STATION_RESTART);
    sip_world_forget(w);
    sip_world_pass(w, 32000);
    contains(w, "[Reason=18]");
    assert_true(w->closed[1]);
    sip_world_free(w);
}

static void a_phone_that_refuses_an_order_is_cut_off(void **state)
{
    static const unsigned refusals[] = {400, 404, 481, 489};

    for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++) {
        struct sip_world *w = sip_world_new(PHONES);

        registers(w, &bulk);
        orders(w, STATION_RESTART);
        answers(w, 1, refusals[i]);
        contains(w, "[Reason=18]");
        assert_true(w->closed[1]);
        sip_world_free(w);
    }
}

static void a_phone_that_need_not_leave_to_apply_stays(void **state)
{
    struct sip_world *w = sip_world_new(PHONES);
    struct sip_say again = with(bulk, 102, NULL);

    registers(w, &bulk);
    w->whole = true;
    orders(w, STATION_APPLY);
    contains(w, "  <- action=apply-config\n  <- RegisterCallId={one@10.1.0.1}\n"
                "  <- ConfigVersionStamp={");
    contains(w, "  <- CUCMResult=Reregister_Needed\n");
    answers(w, 1, 200);
    sip_world_pass(w, 40000);
    sip_world_register(w, &again);
    assert_int_equal(sip_stations_registered(w->sip), 1);
    assert_false(w->closed[1]);
    sip_world_free(w);
}

static void a_deleted_phone_is_sent_away(void **state)
{
    struct sip_world *w = sip_world_new(PHONES);

    registers(w, &bulk);
    w->whole = true;
    sip_world_directory(w, "phone " B " model=621 protocol=sip lines=7003\n");
    sip_world_pass(w, 1);
    contains(w, "  <- action=reset\n");
    sip_world_free(w);
}

static void after_registration_the_phone_is_told_its_stamps(void **state)
{
    struct sip_world *w = sip_world_new(PHONES "line 7002 forward_all=0815\n");

    w->whole = true;
    sip_world_connect(w, 1);
    sip_world_register(w, &bulk);
    contains(w,
             "  <- Require: norefersub\n  <- Expires: 0\n  <- Refer-To: cid:1234567890@10.0.0.1\n");
    contains(w, "  <- Contact: <sip:7001@10.0.0.1:5060;transport=tcp>\n  <- User-Agent: Cisco-CUCM11.5\n");
    contains(w, "  <- <contact all=\"true\"><mwi>no</mwi><cfwdallupdate></cfwdallupdate></contact>\n");
    contains(w, "  <- <contact line=\"2\">\n  <- <mwi>no</mwi>\n  <- <cfwdallupdate>\n"
                "  <- <fwdaddress>0815</fwdaddress>\n");
    contains(w, "  <- action=check-version\n  <- RegisterCallId={one@10.1.0.1}\n"
                "  <- ConfigVersionStamp={");
    sip_world_free(w);
}

static void a_phone_without_extended_refer_is_notified_of_its_stamps(void **state)
{
    struct sip_world *w = sip_world_new(PHONES);
    struct sip_say say = single;

    say.supported = "replaces,X-cisco-service-control";
    w->whole = true;
    sip_world_connect(w, 2);
    sip_world_register(w, &say);
    lacks(w, "REFER");
    contains(w, "  <- Event: service-control\n");
    contains(w, "  <- action=check-version\n");
    sip_world_free(w);
}

static void says(struct sip_world *w, const void *bytes, size_t len)
{
    stations_input(w->sccp, 1, bytes, len, w->now, w->effects);
    sip_world_carry_out(w);
}

/* By SCCP, as far as it takes to be registered. */
static void registers_by_sccp(struct sip_world *w, const char *name)
{
    struct endpoint peer = sip_world_peer(1), local = {ip_v4(0x0a000001), 2000};
    struct sccp_register_req m = {.device_type = 115, .protocol = 17};
    struct sccp_capabilities_res c = {.count = 1};
    uint8_t bytes[1000];
    struct writer out = writer_of(bytes, sizeof(bytes));

    text_copy(m.device_name, sizeof(m.device_name), text_of(name));
    stations_open(w->sccp, 1, &peer, &local, w->now, w->effects);
    sccp_put_register_req(&out, 17, &m);
    says(w, bytes, writer_len(&out));
    out = writer_of(bytes, sizeof(bytes));
    sccp_put_capabilities_res(&out, 17, &c);
    says(w, bytes, writer_len(&out));
}

static void a_name_is_registered_by_one_protocol_at_a_time(void **state)
{
    static const char as_sip[] = "phone " A " model=115 protocol=sip lines=7001\n",
                      as_sccp[] = "phone " A " model=115 protocol=sccp lines=7001\n";
    struct sip_world *w = sip_world_new(as_sip);
    struct sip_say say = bulk;

    say.model = "115";
    registers(w, &say);
    sip_world_directory(w, as_sccp);
    registers_by_sccp(w, A);
    assert_int_equal(sip_stations_registered(w->sip), 0);
    assert_int_equal(stations_registered(w->sccp), 1);
    assert_true(w->closed[1]);
    sip_world_directory(w, as_sip);
    say.link = 3;
    say.call_id = "new@10.1.0.3";
    registers(w, &say);
    assert_int_equal(sip_stations_registered(w->sip), 1);
    assert_int_equal(stations_registered(w->sccp), 0);
    assert_int_equal(registry_find(w->registry, (struct device_name){A})->protocol, PROTOCOL_SIP);
    sip_world_free(w);
}

static void a_certificate_must_name_the_phone(void **state)
{
    struct sip_world *w = sip_world_new(
        "security-profile Secure device_security_mode=encrypted transport=tls\n"
        "phone " A " model=684 protocol=sip lines=7001;7002 security_profile=Secure\n");

    sip_world_connect(w, 1);
    sip_world_register(w, &bulk);
    contains(w, "403 Forbidden");
    assert_int_equal(w->last_alarm->reason, TRANSIENT_SECURITY_MISMATCH);
    sip_world_close(w, 1);
    sip_world_connect_as(w, 1, sip_world_peer(1), SIP_TLS, "CP-8851-SEP001122334400");
    sip_world_register(w, &bulk);
    contains(w, "403 Forbidden");
    assert_int_equal(w->last_alarm->reason, TRANSIENT_X509_NAME);
    sip_world_close(w, 1);
    sip_world_connect_as(w, 1, sip_world_peer(1), SIP_TLS, "CP-8851-" A);
    sip_world_register(w, &bulk);
    assert_int_equal(sip_stations_registered(w->sip), 1);
    sip_world_free(w);
}

static void the_transport_is_that_of_the_profile(void **state)
{
    struct sip_world *w =
        sip_world_new("security-profile Tcp transport=tcp\n"
                      "phone " A " model=684 protocol=sip lines=7001;7002 security_profile=Tcp\n");
    struct sip_say udp = bulk;

    udp.link = 0;
    sip_world_register(w, &udp);
    contains(w, "403 Forbidden");
    contains(w, "[Reason=7]");
    registers(w, &bulk);
    assert_int_equal(sip_stations_registered(w->sip), 1);
    sip_world_free(w);
}

static void a_nat_may_change_the_port_of_a_phone(void **state)
{
    struct sip_world *w = sip_world_new(PHONES);
    struct sip_say udp = single;
    struct sip_binding_view view;
    struct endpoint moved = sip_world_peer(0);
    char bytes[8192];
    size_t len;

    udp.link = 0;
    udp.ip = 0xc0a80005;
    registers(w, &udp);
    moved.port = 61000;
    udp.cseq++;
    len = sip_world_write(&udp, bytes, sizeof(bytes));
    sip_world_datagram(w, moved, bytes, len);
    assert_true(sip_stations_binding(w->sip, (struct device_name){B}, 0, w->now, &view));
    assert_int_equal(view.flow.peer.port, 61000);
    sip_world_free(w);
}

/* Sources of datagrams can be forged: who never answers is no phone that we speak with. */
static void a_source_that_never_answers_gets_no_more_than_it_sent(void **state)
{
    struct sip_world *w = sip_world_new(PHONES);
    struct sip_say udp = single;
    size_t sent = 0;
    char bytes[8192];

    udp.link = 0;
    for (int i = 0; i < 10; i++, udp.cseq++) {
        sent += sip_world_write(&udp, bytes, sizeof(bytes));
        sip_world_register(w, &udp);
        sip_world_pass(w, 60000);
    }
    contains(w, "OPTIONS sip:7003@10.1.0.0:50000 SIP/2.0");
    lacks(w, "REFER");
    assert_true(w->udp_bytes <= sent);
    sip_world_free(w);
}

static void a_phone_by_udp_is_told_its_configuration_when_it_has_answered(void **state)
{
    struct sip_world *w = sip_world_new(PHONES);
    struct sip_say udp = bulk;

    udp.link = 0;
    sip_world_register(w, &udp);
    contains(w, "OPTIONS");
    lacks(w, "REFER");
    answers(w, 0, 200);
    contains(w, "REFER");
    answers(w, 0, 200);
    sip_world_forget(w);
    udp.cseq++;
    udp.body = NULL;
    sip_world_register(w, &udp);
    saw(w, "  <- SIP/2.0 200 OK\n");
    sip_world_free(w);
}

/* From has the MAC address, as of all that concerns the whole device. */
static void by_udp_do_not_disturb_is_published_in_the_name_of_the_device(void **state)
{
    static const char format[] =
        "PUBLISH sip:%s@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.1.0.0:50000;branch=z9hG4bKp%s\r\nFrom: <sip:%s@10.0.0.1>;tag=p\r\n"
        "To: <sip:%s@10.0.0.1>\r\nCall-ID: p\r\nCSeq: 1 PUBLISH\r\nMax-Forwards: 70\r\nEvent: presence\r\nContent-Length: 0\r\n\r\n";
    static const char *const names[] = {MAC_A, MAC_B};
    static const char *const expected[] = {"SIP/2.0 200 OK", "SIP/2.0 403 Forbidden"};
    struct sip_world *w = sip_world_new(PHONES);
    struct sip_say udp = bulk;
    char bytes[1000];

    udp.link = 0;
    sip_world_register(w, &udp);
    answers(w, 0, 200);
    for (int i = 0; i < 2; i++) {
        const char *n = names[i];
        int len = snprintf(bytes, sizeof(bytes), format, n, n, n, n);

        sip_world_forget(w);
        sip_world_datagram(w, sip_world_peer(0), bytes, (size_t)len);
        contains(w, expected[i]);
    }
    sip_world_free(w);
}

static void all_is_dropped_when_the_service_stops(void **state)
{
    struct sip_world *w = sip_world_new(PHONES);

    registers(w, &bulk);
    registers(w, &single);
    sip_world_connect(w, 5);
    while (sip_stations_drop_all(w->sip, w->now, w->effects))
        sip_world_carry_out(w);
    sip_world_carry_out(w);
    assert_true(w->closed[1] && w->closed[2] && w->closed[5]);
    assert_int_equal(sip_stations_registered(w->sip), 0);
    sip_world_free(w);
}

static void asks_for_token(struct sip_world *w, uint64_t link, const char *mac, unsigned cseq)
{
    char bytes[2000];
    int n = snprintf(
        bytes, sizeof(bytes),
        "REFER sip:10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 10.1.0.1:50001;branch=z9hG4bK%u\r\n"
        "From: <sip:7001@10.0.0.1>;tag=1\r\nTo: <sip:7001@10.0.0.1>\r\nCall-ID: t%s\r\n"
        "CSeq: %u REFER\r\nMax-Forwards: 70\r\nRequire: norefersub\r\n"
        "Contact: <sip:7001@10.1.0.1:50001;transport=tcp>;"
        "+u.sip!devicename.ccm.cisco.com=\"SEP%s\"\r\n"
        "Refer-To: <urn:X-cisco-remotecc:token-registration>\r\n"
        "Referred-By: <sip:7001@10.0.0.2>\r\nContent-Length: 0\r\n\r\n",
        cseq, mac, cseq, mac);

    sip_world_bytes(w, link, bytes, (size_t)n);
}

static void phones_that_come_back_are_let_in_one_after_the_other(void **state)
{
    struct sip_world *w = sip_world_new(PHONES "parameter max_fallback_queue value=1\n"
                                               "parameter paced_return value=false\n");

    sip_world_connect(w, 1);
    sip_world_connect(w, 2);
    asks_for_token(w, 1, MAC_A, 1);
    contains(w, "202 Accepted");
    sip_world_forget(w);
    w->whole = true;
    asks_for_token(w, 2, MAC_B, 1);
    contains(w, "  <- SIP/2.0 486 Busy Here\n");
    contains(w, "  <- Retry-After: 10\n");
    sip_world_register(w, &bulk); /* its token is used */
    sip_world_forget(w);
    asks_for_token(w, 2, MAC_B, 2);
    contains(w, "202 Accepted");
    sip_world_forget(w);
    sip_world_pass(w, 30000); /* this one is not, and the next may come */
    asks_for_token(w, 2, MAC_B, 3);
    contains(w, "202 Accepted");
    assert_false(w->closed[2]);
    sip_world_close(w, 2); /* its token goes with it */
    sip_world_connect(w, 3);
    sip_world_forget(w);
    asks_for_token(w, 3, MAC_B, 4);
    contains(w, "202 Accepted");
    sip_world_free(w);
}

static void who_would_be_refused_gets_no_token(void **state)
{
    struct sip_world *w = sip_world_new(PHONES);

    sip_world_connect(w, 1);
    asks_for_token(w, 1, "AABBCCDDEEFF", 1);
    contains(w, "404 Not Found");
    sip_world_free(w);
}

static void calls(struct sip_world *w, const char *code, unsigned cseq, const char *method)
{
    char bytes[2000];
    int n = snprintf(bytes, sizeof(bytes),
                     "%s sip:%s@10.0.0.1;user=phone SIP/2.0\r\n"
                     "Via: SIP/2.0/TCP 10.1.0.1:50001;branch=z9hG4bKi%u\r\n"
                     "From: <sip:7001@10.0.0.1>;tag=1\r\nTo: <sip:%s@10.0.0.1>\r\nCall-ID: i%u\r\n"
                     "CSeq: %u %s\r\nMax-Forwards: 70\r\nContact: <sip:7001@10.1.0.1:50001>\r\n"
                     "Content-Length: 0\r\n\r\n",
                     method, code, cseq, code, cseq, cseq, method);

    sip_world_bytes(w, 1, bytes, (size_t)n);
}

static void activated(struct sip_world *w, int err)
{
    sip_stations_activated(w->sip, w->token, err, w->now, w->effects);
    sip_world_carry_out(w);
}

static void a_phone_in_quarantine_calls_its_activation_code(void **state)
{
    struct sip_world *w =
        sip_world_new("phone " A " model=684 protocol=sip lines=7001 quarantine=true\n");

    registers(w, &bulk);
    calls(w, "1", 1, "INVITE");
    contains(w, "484 Address Incomplete");
    sip_world_forget(w);
    calls(w, "1234567890", 2, "INVITE");
    saw(w, "  activate " A " 1234567890\n");
    calls(w, "1234567890", 2, "INVITE"); /* the same once more */
    lacks(w, "activate");
    activated(w, -ENOENT);
    contains(w, "404 Unknown code");
    contains(w, "alarm ActivationCodeWrong");
    calls(w, "1234567890", 2, "ACK");
    calls(w, "1234567891", 3, "INVITE");
    sip_world_forget(w);
    calls(w, "1234567891", 3, "CANCEL");
    contains(w, "200 OK");
    contains(w, "487 Request Terminated");
    activated(w, -ENOENT);
    calls(w, "1234567892", 4, "INVITE");
    sip_world_forget(w);
    w->whole = true;
    activated(w, 0);
    contains(w, "480 Activated");
    contains(w, "action=restart");
    sip_world_free(w);
}

static void codes_are_not_for_guessing(void **state)
{
    struct sip_world *w =
        sip_world_new("phone " A " model=684 protocol=sip lines=7001 quarantine=true\n");

    registers(w, &bulk);
    for (unsigned i = 0; i < 5; i++) {
        calls(w, "1234567890", 1 + i, "INVITE");
        activated(w, -ENOENT);
    }
    sip_world_forget(w);
    calls(w, "1234567890", 9, "INVITE");
    contains(w, "403 Too Many Tries");
    lacks(w, "activate");
    sip_world_free(w);
}

static void others_call_nobody_yet(void **state)
{
    struct sip_world *w = sip_world_new(PHONES);

    registers(w, &bulk);
    w->whole = true;
    calls(w, "7003", 1, "INVITE");
    contains(w, "404 Not Found");
    contains(w, "Reason: Q.850;cause=1\n");
    sip_world_free(w);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_phone_registers_all_its_lines_with_one_request),
        cmocka_unit_test(only_a_new_binding_is_told_so),
        cmocka_unit_test(contact_and_call_id_stay_as_the_phone_wrote_them),
        cmocka_unit_test(the_same_request_gets_the_same_answer),
        cmocka_unit_test(a_bare_refresh_leaves_no_phone_partly_registered),
        cmocka_unit_test(
            a_phone_that_falls_silent_is_unregistered_130_seconds_after_its_last_register),
        cmocka_unit_test(the_grace_and_the_interval_are_settings),
        cmocka_unit_test(a_connection_that_closes_takes_its_phone_with_it),
        cmocka_unit_test(what_a_phone_says_when_it_leaves_is_the_reason),
        cmocka_unit_test(what_a_phone_says_when_it_comes_is_kept),
        cmocka_unit_test(a_keepalive_to_a_backup_changes_nothing),
        cmocka_unit_test(a_standby_connection_that_falls_silent_is_closed),
        cmocka_unit_test(silence_from_the_beginning_is_closed_after_half_a_minute),
        cmocka_unit_test(lines_of_old_loads_register_one_by_one),
        cmocka_unit_test(a_phone_without_all_its_lines_is_partly_registered_after_a_second),
        cmocka_unit_test(a_contact_from_elsewhere_registers_anew),
        cmocka_unit_test(a_phone_that_comes_back_replaces_its_old_connection),
        cmocka_unit_test(a_restarted_phone_registers_again_on_the_same_connection),
        cmocka_unit_test(an_old_request_does_not_undo_a_newer_one),
        cmocka_unit_test(a_stranger_cannot_unregister_a_phone),
        cmocka_unit_test(the_line_of_another_phone_is_refused),
        cmocka_unit_test(an_unknown_phone_is_refused_and_told_on_its_status_line),
        cmocka_unit_test(another_model_is_refused),
        cmocka_unit_test(an_unknown_phone_is_added_when_the_door_is_open),
        cmocka_unit_test(the_database_may_be_slow_or_refuse),
        cmocka_unit_test(too_short_a_registration_is_refused),
        cmocka_unit_test(a_phone_is_reset_and_leaves),
        cmocka_unit_test(a_phone_that_knows_callinfo_obeys_service_control_too),
        cmocka_unit_test(a_phone_that_does_not_answer_an_order_is_cut_off),
        cmocka_unit_test(a_phone_that_refuses_an_order_is_cut_off),
        cmocka_unit_test(a_phone_that_need_not_leave_to_apply_stays),
        cmocka_unit_test(a_deleted_phone_is_sent_away),
        cmocka_unit_test(after_registration_the_phone_is_told_its_stamps),
        cmocka_unit_test(a_phone_without_extended_refer_is_notified_of_its_stamps),
        cmocka_unit_test(a_name_is_registered_by_one_protocol_at_a_time),
        cmocka_unit_test(a_certificate_must_name_the_phone),
        cmocka_unit_test(the_transport_is_that_of_the_profile),
        cmocka_unit_test(a_nat_may_change_the_port_of_a_phone),
        cmocka_unit_test(a_source_that_never_answers_gets_no_more_than_it_sent),
        cmocka_unit_test(a_phone_by_udp_is_told_its_configuration_when_it_has_answered),
        cmocka_unit_test(by_udp_do_not_disturb_is_published_in_the_name_of_the_device),
        cmocka_unit_test(all_is_dropped_when_the_service_stops),
        cmocka_unit_test(a_phone_in_quarantine_calls_its_activation_code),
        cmocka_unit_test(codes_are_not_for_guessing),
        cmocka_unit_test(others_call_nobody_yet),
        cmocka_unit_test(phones_that_come_back_are_let_in_one_after_the_other),
        cmocka_unit_test(who_would_be_refused_gets_no_token),
    };

    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
