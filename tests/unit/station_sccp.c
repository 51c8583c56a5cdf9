/* station_sccp.c - registration, keepalive, leaving and refusal on a virtual clock. */
#include "test.h"

#include "base/log.h"
#include "station/refusals.h"
#include "station/sccp/station.h"
#include "station_world.h"

#define A "SEP001122334455"
#define B "SEP00112233445A"
#define PHONES                                                                                     \
    "phone " A " model=7 lines=7001;7002 speed_dials=Taxi=0123\n"                                  \
    "phone " B " model=437 lines=7003\n"

static void saw(struct world *w, const char *expected)
{
    assert_string_equal(w->log, expected);
    world_forget(w);
}

static void contains(struct world *w, const char *part)
{
    if (!strstr(w->log, part))
        fail_msg("no '%s' in:\n%s", part, w->log);
}

/* --- registration
 * --------------------------------------------------------------------------------- */

static void a_phone_registers_and_is_asked_for_its_capabilities(void **state)
{
    struct world *w = world_new(PHONES);

    world_connect(w, 1, 0x0a010001);
    world_register(w, 1, A, 7, 11);
    saw(w, "  event register " A " 11 LOAD-11\n  <- RegisterAck\n  <- CapabilitiesReq\n");
    assert_null(stations_find(w->stations, (struct device_name){A}));
    world_capabilities(w, 1);
    saw(w, "  event registered " A " 0 LOAD-11\n"
           "  alarm EndPointRegistered [DeviceName=" A "][MACAddress=001122334455]"
           "[IPAddress=10.1.0.1][Protocol=SCCP][LoadID=LOAD-11][AssociatedDNs=7001,7002]"
           "[PerfMonObjType=2][DeviceType=7][IPAddrAttributes=0][ActiveLoadId=LOAD-11]\n");
    assert_non_null(stations_find(w->stations, (struct device_name){A}));
    assert_int_equal(stations_registered(w->stations), 1);
    world_free(w);
}

static void early_requests_are_parked_and_answered_in_order(void **state)
{
    struct world *w = world_new(PHONES);

    world_connect(w, 1, 0x0a010001);
    world_register(w, 1, B, 437, 22);
    world_forget(w);
    SAY(w, 1, ip_port, {.port = 4000});
    SAY(w, 1, button_template_req, {});
    SAY(w, 1, softkey_template_req, {});
    SAY(w, 1, softkey_set_req, {});
    SAY(w, 1, config_stat_req, {});
    saw(w, "");
    world_capabilities(w, 1);
    contains(w, "  <- UserToDeviceDataVersion1\n  <- ButtonTemplate\n  <- SoftKeyTemplate\n"
                "  <- SoftKeySet\n  <- ConfigStatV2\n  <- SelectSoftKeys\n"
                "  <- DisplayPromptStatusV2\n");
    world_free(w);
}

static void parking_is_bounded(void **state)
{
    struct world *w = world_new(PHONES);

    world_connect(w, 1, 0x0a010001);
    world_register(w, 1, A, 7, 11);
    for (int i = 0; i < PARKED_MAX; i++)
        SAY(w, 1, line_stat_req, {.line = 1});
    assert_false(w->closed[1]);
    SAY(w, 1, line_stat_req, {.line = 1});
    assert_true(w->closed[1]);
    assert_int_equal(w->last_alarm->reason, TRANSIENT_SEQUENCE_ERROR);
    world_free(w);
}

static void every_request_is_answered_in_every_version(void **state)
{
    struct world *w = world_new(PHONES);

    for (unsigned version = 1; version <= 22; version++) {
        static const struct {
            uint32_t id;
            uint8_t len;
        } requests[] = {{SCCP_BUTTON_TEMPLATE_REQ, 0},   {SCCP_SOFTKEY_TEMPLATE_REQ, 0},
                        {SCCP_SOFTKEY_SET_REQ, 0},       {SCCP_CONFIG_STAT_REQ, 0},
                        {SCCP_LINE_STAT_REQ, 4},         {SCCP_FORWARD_STAT_REQ, 4},
                        {SCCP_SPEED_DIAL_STAT_REQ, 4},   {SCCP_FEATURE_STAT_REQ, 4},
                        {SCCP_SERVICE_URL_STAT_REQ, 4},  {SCCP_TIME_DATE_REQ, 0},
                        {SCCP_VERSION_REQ, 0},           {SCCP_SERVER_REQ, 0},
                        {SCCP_SUBSCRIPTION_STAT_REQ, 76}};

        world_phone(w, 1, A, 7, version);
        for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++)
            for (uint8_t index = 0; index < 5; index++) {
                uint8_t body[76] = {index};
                size_t before = w->n_sent;

                world_frame(w, 1, requests[i].id, body, requests[i].len);
                if (w->n_sent == before)
                    fail_msg("0x%04x is not answered in version %u", requests[i].id, version);
            }
        SAY(w, 1, unregister, {});
        assert_true(w->closed[1]);
        world_forget(w);
    }
    world_free(w);
}

static void versions_are_agreed_as_real_servers_do(void **state)
{
    static const uint8_t expected[][2] = {{2, 2},   {3, 3},   {5, 5},   {6, 6},   {7, 6},
                                          {8, 8},   {11, 11}, {13, 11}, {15, 15}, {20, 20},
                                          {22, 22}, {23, 11}, {33, 11}};
    struct world *w = world_new(PHONES);

    for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++) {
        world_phone(w, 1, A, 7, expected[i][0]);
        assert_int_equal(w->version[1], expected[i][1]);
        world_close(w, 1);
    }
    world_free(w);
}

static void the_register_ack_is_that_of_callmanager_4(void **state)
{
    struct world *w = world_new("phone SEP001380AD9E5F model=30007 lines=1001\n");
    static const uint8_t reg[] = {
        'S', 'E', 'P', '0', '0', '1', '3',  '8',  '0',  'A',  'D',  '9',  'E', '5', 'F', 0, 0, 0,
        0,   0,   1,   0,   0,   0,   0x0a, 0x66, 0x0a, 0xd1, 0x37, 0x75, 0,   0,   0,   0, 0, 0,
        0,   0,   0,   0,   7,   0,   0,    0x81, 0,    0,    0,    0,    0,   0,   0,   0};

    w->hex = true;
    world_connect(w, 1, 0x0a660ad1);
    world_forget(w);
    world_frame(w, 1, SCCP_REGISTER_REQ, reg, sizeof(reg));
    contains(w, "18000000"
                "00000000"
                "81000000"
                "1e0000004d2f442f590000003c000000060000fe\n");
    contains(w, "04000000"
                "00000000"
                "9b000000\n");
    world_free(w);
}

static void no_phone_gets_a_keepalive_ack_before_it_registered(void **state)
{
    struct world *w = world_new(PHONES);

    world_connect(w, 1, 0x0a010001);
    SAY(w, 1, keepalive, {});
    assert_int_equal(w->n_keepalive_acks, 0);
    world_pass(w, 100000); /* a standby connection stays: it is not a silent one */
    SAY(w, 1, keepalive, {});
    world_pass(w, 100000);
    assert_false(w->closed[1]);
    world_register(w, 1, A, 7, 11); /* failover: on the connection that was open all along */
    world_capabilities(w, 1);
    SAY(w, 1, keepalive, {});
    assert_int_equal(w->n_keepalive_acks, 1);
    world_free(w);
}

static void the_backup_may_acknowledge_keepalives_by_a_setting(void **state)
{
    struct world *w = world_new(PHONES "parameter keepalive_ack_unregistered value=true\n");

    world_connect(w, 1, 0x0a010001);
    SAY(w, 1, keepalive, {});
    assert_int_equal(w->n_keepalive_acks, 1);
    world_free(w);
}

static void a_7985_is_acknowledged_early_once_it_is_known(void **state)
{
    struct world *w = world_new("phone " A " model=302 lines=7001\n");

    world_phone(w, 1, A, 302, 5);
    world_close(w, 1);
    world_connect(w, 2, 0x0a010001);
    SAY(w, 2, keepalive, {});
    assert_int_equal(w->n_keepalive_acks, 1);
    world_free(w);
}

/* --- keepalive
 * ------------------------------------------------------------------------------------ */

static void a_silent_phone_is_lost_to_the_millisecond(void **state)
{
    struct world *w = world_new(PHONES);

    world_phone(w, 1, A, 7, 11);
    world_pass(w, 30000);
    SAY(w, 1, keepalive, {});
    world_forget(w);
    world_pass(w, 89999);
    assert_false(w->closed[1]);
    world_pass(w, 1);
    assert_true(w->closed[1]);
    contains(w, "event unregistered " A " 13 no keepalive came in time");
    contains(w, "[Reason=13][IPAddrAttributes=0][LastSignalReceived=StationKeepAlive]");
    assert_int_equal(stations_registered(w->stations), 0);
    assert_true(w->last_binding.gone);
    world_free(w);
}

static void a_wall_clock_that_jumps_moves_no_phone(void **state)
{
    static const int64_t jumps_s[] = {3600, -7200, 400 * 86400, -800 * 86400};
    struct world *w = world_new(PHONES);

    world_phone(w, 1, A, 7, 11);
    world_forget(w);
    for (size_t i = 0; i < sizeof(jumps_s) / sizeof(*jumps_s); i++) {
        w->now.wall_us += (uint64_t)(jumps_s[i] * 1000000);
        world_pass(w, 30000);
        SAY(w, 1, keepalive, {});
    }
    assert_null(strstr(w->log, "alarm"));
    world_pass(w, 89999); /* and silence is as long as ever */
    assert_false(w->closed[1]);
    w->now.wall_us = 0;
    world_pass(w, 1);
    assert_true(w->closed[1]);
    world_free(w);
}

static void the_loss_rule_follows_the_settings_and_the_model(void **state)
{
    struct world *w = world_new("phone " A " model=365 lines=7001\n"
                                "parameter station_keepalive_interval value=10\n"
                                "parameter station_keepalive_missed value=2\n");

    world_phone(w, 1, A, 365, 11);
    world_pass(w, 23999); /* 2 x 10 s and 20 % for a wireless phone */
    assert_false(w->closed[1]);
    world_pass(w, 1);
    assert_true(w->closed[1]);
    world_free(w);
}

static void an_hour_of_a_thousand_phones(void **state)
{
    char lines[60 * 1000], name[20];
    struct writer out = writer_of(lines, sizeof(lines) - 1);
    struct world *w;

    for (unsigned i = 0; i < 1000; i++)
        write_format(&out, "phone SEP0000000%05u model=7 lines=%u\n", i, 10000 + i);
    *out.at = '\0';
    w = world_new_sized(lines, 2000);
    free(w->log);
    w->log = NULL;
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(name, sizeof(name), "SEP0000000%05u", i);
        world_phone(w, 1000 + i, name, 7, 11);
    }
    assert_int_equal(stations_registered(w->stations), 1000);
    for (int second = 0; second < 3600; second++) {
        for (unsigned i = (unsigned)second % 30; i < 1000; i += 30)
            SAY(w, (uint64_t)(1000 + i), keepalive, {});
        world_pass(w, 1000);
    }
    assert_int_equal(stations_registered(w->stations), 1000);
    assert_int_equal(w->n_keepalive_acks, 120 * 1000);
    world_pass(w, 91000);
    assert_int_equal(stations_registered(w->stations), 0);
    world_free(w);
}

/* --- refusal
 * -------------------------------------------------------------------------------------- */

static void refused_with(const char *lines, const char *name, uint32_t type, unsigned version,
                         uint32_t reason, const char *words)
{
    struct world *w = world_new(lines);
    char reject[80];

    w->dump = true;
    world_connect(w, 1, 0x0a010001);
    world_register(w, 1, name, type, version);
    assert_int_equal(w->last_event.stage, STAGE_REJECTED);
    assert_int_equal(w->last_event.code, reason);
    assert_string_equal(w->last_event.detail, words);
    assert_int_equal(w->last_alarm->id, ALARM_ENDPOINT_TRANSIENT);
    assert_int_equal(w->last_alarm->reason, reason);
    snprintf(reject, sizeof(reject), "RegisterReject");
    contains(w, reject);
    contains(w, words);
    assert_false(w->closed[1]);
    world_pass(w, 2000); /* the phone closes at once; if not, the server does */
    assert_true(w->closed[1]);
    assert_int_equal(stations_sessions(w->stations), 0);
    world_free(w);
}

static void every_refusal_has_its_words_and_its_reason(void **state)
{
    refused_with(PHONES, "SEPAABBCCDDEEFF", 7, 11, 29, "Error: DB Config");
    refused_with(PHONES, A, 8, 11, 32, "Error: Mismatch");
    refused_with("phone " A " model=30018 lines=1\n", A, 308, 17, 32, "Error: Mismatch");
    refused_with("phone " A " model=308 lines=1\n", A, 30018, 17, 32, "Error: Mismatch");
    refused_with("phone " A " model=30018 protocol=sip lines=1\n", A, 30018, 17, 15,
                 "Error: Mismatch");
    refused_with(PHONES, "SEP 1", 7, 11, 14, "Error: Unknown");
    refused_with(PHONES, "", 7, 11, 14, "Error: Unknown");
    refused_with(PHONES "parameter minimum_protocol_version value=5\n", A, 7, 3, 18,
                 "Version Error");
    refused_with("phone " A " model=348 lines=1\nparameter cluster_release value=5\n", A, 348, 17,
                 18, "Version Error");
}

static void a_wrong_type_raises_the_mismatch_alarm_too(void **state)
{
    struct world *w = world_new(PHONES);

    world_connect(w, 1, 0x0a010001);
    world_register(w, 1, A, 8, 11);
    contains(w, "alarm DeviceTypeMismatch [DBDeviceType=7][DeviceType=8][DeviceName=" A "]");
    contains(w, "[Reason=32][ConnectingPort=2000][LastSignalReceived=StationRegister]");
    world_free(w);
}

static void too_many_phones_are_refused(void **state)
{
    struct world *w = world_new(PHONES "parameter max_registered_devices value=1\n");

    world_phone(w, 1, A, 7, 11);
    world_connect(w, 2, 0x0a010002);
    world_forget(w);
    world_register(w, 2, B, 437, 22);
    contains(w, "alarm NumDevRegExceeded [MaxDevices=1]");
    assert_string_equal(w->last_event.detail, "Error: Pass Limit");
    world_free(w);
}

static void a_refused_phone_that_tries_for_years_costs_one_row(void **state)
{
    struct world *w = world_new(PHONES);
    const struct refusal *r;

    for (int i = 0; i < 10000; i++) {
        world_connect(w, 1, 0x0a010001);
        world_register(w, 1, "SEPAABBCCDDEEFF", 7, 11);
        world_close(w, 1);
        world_forget(w);
        world_pass(w, 22300);
    }
    assert_int_equal(stations_sessions(w->stations), 0);
    r = registry_refusal(w->registry, (struct device_name){"SEPAABBCCDDEEFF"});
    assert_int_equal(r->n, 10000);
    assert_int_equal(r->reason, 29);
    assert_true(w->n_alarms < 100);
    assert_int_equal(w->n_events, 20000);
    world_free(w);
}

static void refusals_are_remembered_in_bounded_memory(void **state)
{
    struct world *w = world_new(PHONES);
    char name[20];

    for (int i = 0; i < REFUSED_MAX + 100; i++) {
        snprintf(name, sizeof(name), "SEP0000AA%06d", i);
        world_connect(w, 1, 0x0a010001);
        world_register(w, 1, name, 7, 11);
        world_close(w, 1);
        world_forget(w);
    }
    assert_null(registry_refusal(w->registry, (struct device_name){"SEP0000AA000000"}));
    assert_true(w->n_alarms <= 101); /* a flood of names does not flood the log */
    world_free(w);
}

/* --- auto-registration ---------------------------------------------------------------------------
 */

#define DOOR_OPEN "autoregistration cm1 enabled=true start=8000 end=8010\n"

static void an_unknown_phone_waits_for_the_database(void **state)
{
    struct world *w = world_new(PHONES DOOR_OPEN);

    world_connect(w, 1, 0x0a010001);
    world_register(w, 1, "SEPAABBCCDDEEFF", 7, 11);
    saw(w, "  event register SEPAABBCCDDEEFF 11 LOAD-11\n  autoregister SEPAABBCCDDEEFF 7\n");
    world_directory(w, PHONES DOOR_OPEN "phone SEPAABBCCDDEEFF model=7 lines=8000\n");
    stations_admitted(w->stations, w->token, 0, w->now, w->effects);
    world_carry_out(w);
    saw(w, "  <- RegisterAck\n  <- CapabilitiesReq\n");
    world_free(w);
}

static void an_unknown_phone_is_refused_when_it_cannot_be_added(void **state)
{
    static const struct {
        int err;
        uint32_t reason;
        const char *words;
    } cases[] = {{-ERANGE, 29, "Error: DB Config"},
                 {-EPERM, 29, "Error: DB Config"},
                 {-EIO, 30, "Error: Database"}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct world *w = world_new(PHONES DOOR_OPEN);

        world_connect(w, 1, 0x0a010001);
        world_register(w, 1, "SEPAABBCCDDEEFF", 7, 11);
        stations_admitted(w->stations, w->token, cases[i].err, w->now, w->effects);
        world_carry_out(w);
        assert_int_equal(w->last_event.code, cases[i].reason);
        assert_string_equal(w->last_event.detail, cases[i].words);
        world_free(w);
    }
}

static void a_database_that_does_not_answer_is_reason_31(void **state)
{
    struct world *w = world_new(PHONES DOOR_OPEN);

    world_connect(w, 1, 0x0a010001);
    world_register(w, 1, "SEPAABBCCDDEEFF", 7, 11);
    world_pass(w, 20000);
    assert_int_equal(w->last_event.code, TRANSIENT_AUTOREGISTER_TIMEOUT);
    stations_admitted(w->stations, w->token, 0, w->now,
                      w->effects); /* too late: it is refused already */
    world_carry_out(w);
    assert_int_equal(stations_registered(w->stations), 0);
    world_free(w);
}

static void closing_the_door_takes_effect_at_once(void **state)
{
    struct world *w = world_new(PHONES DOOR_OPEN);

    world_directory(w, PHONES "autoregistration cm1 enabled=false start=8000 end=8010\n");
    world_connect(w, 1, 0x0a010001);
    world_register(w, 1, "SEPAABBCCDDEEFF", 7, 11);
    assert_int_equal(w->last_event.code, TRANSIENT_AUTOREGISTER_DB);
    world_free(w);
}

/* --- tokens
 * --------------------------------------------------------------------------------------- */

static void tokens_are_given_as_far_as_the_queue_goes(void **state)
{
    char lines[4000];
    struct writer out = writer_of(lines, sizeof(lines) - 1);
    struct sccp_register_token_req m = {.device_type = 7};
    struct world *w;

    for (unsigned i = 0; i < 12; i++)
        write_format(&out, "phone SEP0000000000%02u model=7 lines=%u\n", i, 100 + i);
    write_string(&out, "parameter paced_return value=false\n");
    *out.at = '\0';
    w = world_new(lines);
    for (unsigned i = 0; i < 12; i++) {
        world_connect(w, i, 0x0a010000 + i);
        snprintf(m.device_name, sizeof(m.device_name), "SEP0000000000%02u", i);
        world_forget(w);
        SAY(w, (uint64_t)i, register_token_req, m);
        assert_string_equal(w->log,
                            i < 10 ? "  <- RegisterTokenAck\n" : "  <- RegisterTokenReject\n");
    }
    world_register(w, 0, "SEP000000000000", 7, 11); /* the token is used: the next one is free */
    snprintf(m.device_name, sizeof(m.device_name), "SEP0000000000%02u", 11);
    world_forget(w);
    SAY(w, 11, register_token_req, m);
    saw(w, "  <- RegisterTokenAck\n");
    world_free(w);
}

static void no_token_for_a_phone_that_would_be_refused(void **state)
{
    struct world *w = world_new(PHONES);

    world_connect(w, 1, 0x0a010001);
    SAY(w, 1, register_token_req, {.device_name = A, .device_type = 8});
    contains(w, "  <- RegisterTokenReject\n");
    world_free(w);
}

static void an_spa_repeats_its_token_request_without_harm(void **state)
{
    struct world *w = world_new("phone " A " model=80001 lines=1\n");

    world_connect(w, 1, 0x0a010001);
    SAY(w, 1, spcp_register_token_req, {.device_name = A, .device_type = 80001});
    saw(w, "  <- SPCPRegisterTokenAck\n");
    world_register(w, 1, A, 80001, 5);
    world_capabilities(w, 1);
    world_forget(w);
    SAY(w, 1, spcp_register_token_req, {.device_name = A, .device_type = 80001});
    saw(w, "  <- SPCPRegisterTokenAck\n");
    assert_int_equal(stations_registered(w->stations), 1);
    world_free(w);
}

/* --- leaving
 * -------------------------------------------------------------------------------------- */

static void unregister_is_acknowledged_and_the_connection_closed(void **state)
{
    struct world *w = world_new(PHONES);

    world_phone(w, 1, A, 7, 11);
    world_forget(w);
    SAY(w, 1, unregister, {});
    saw(w, "  <- UnregisterAck\n  close\n  event unregistered " A " 10 the phone unregistered\n"
           "  alarm EndPointUnregistered [DeviceName=" A "][MACAddress=001122334455]"
           "[IPAddress=10.1.0.1][Protocol=SCCP][DeviceType=7][Reason=10][IPAddrAttributes=0]"
           "[LastSignalReceived=StationUnregister]\n");
    assert_int_equal(stations_sessions(w->stations), 0);
    world_free(w);
}

static void a_phone_of_callmanager_2_gets_no_answer_to_unregister(void **state)
{
    struct world *w = world_new("phone " A " model=2 lines=1\n");

    world_connect(w, 1, 0x0a010001);
    world_register(w, 1, A, 2, 0);
    world_capabilities(w, 1);
    world_forget(w);
    SAY(w, 1, keepalive, {});
    SAY(w, 1, unregister, {});
    assert_null(strstr(w->log, "<-"));
    assert_false(w->closed[1]);
    assert_int_equal(stations_registered(w->stations), 0);
    world_pass(w, 90000);
    assert_true(w->closed[1]);
    world_free(w);
}

static void a_broken_connection_is_reason_6(void **state)
{
    struct world *w = world_new(PHONES);

    world_phone(w, 1, A, 7, 11);
    world_close(w, 1);
    assert_int_equal(w->last_event.code, UNREGISTERED_CONNECTIVITY_ERROR);
    assert_null(strstr(w->last_alarm->parameters, "LastSignalReceived"));
    world_free(w);
}

static void a_reset_phone_leaves_with_reason_9(void **state)
{
    struct world *w = world_new(PHONES);

    world_phone(w, 1, A, 7, 11);
    world_forget(w);
    assert_int_equal(stations_order(w->stations, (struct device_name){"sep001122334455"},
                                    STATION_RESET, w->now, w->effects),
                     0);
    world_carry_out(w);
    saw(w, "  <- Reset\n  alarm EndPointResetInitiated [DeviceName=" A "][DeviceType=7]\n");
    world_pass(w, 5000);
    SAY(w, 1, unregister, {});
    contains(w, "event unregistered " A " 9 ");
    assert_int_equal(alarm_severity(w->last_alarm), 6);
    assert_int_equal(
        stations_order(w->stations, (struct device_name){A}, STATION_RESET, w->now, w->effects),
        -ENOENT);
    world_free(w);
}

static void a_phone_that_ignores_a_restart_is_closed_with_reason_18(void **state)
{
    struct world *w = world_new(PHONES);

    world_phone(w, 1, A, 7, 11);
    stations_order(w->stations, (struct device_name){A}, STATION_RESTART, w->now, w->effects);
    world_carry_out(w);
    world_pass(w, 29999);
    SAY(w, 1, keepalive, {});
    assert_false(w->closed[1]);
    world_pass(w, 1);
    assert_true(w->closed[1]);
    assert_int_equal(w->last_event.code, UNREGISTERED_NO_RESPONSE);
    world_free(w);
}

static void a_phone_need_not_leave_to_apply_its_configuration(void **state)
{
    struct world *w = world_new(PHONES);

    world_phone(w, 1, B, 437, 22);
    stations_order(w->stations, (struct device_name){B}, STATION_APPLY, w->now, w->effects);
    world_carry_out(w);
    world_pass(w, 30000);
    assert_false(w->closed[1]);
    assert_int_equal(stations_registered(w->stations), 1);
    world_free(w);
}

static void a_deleted_phone_is_told_to_reset(void **state)
{
    struct world *w = world_new(PHONES);

    world_phone(w, 1, A, 7, 11);
    world_phone(w, 2, B, 437, 22);
    world_forget(w);
    world_directory(w, "phone " B " model=437 lines=7003\n");
    world_pass(w, 10);
    saw(w, "  <- Reset\n  alarm EndPointResetInitiated [DeviceName=" A "][DeviceType=7]\n");
    world_close(w, 1);
    assert_int_equal(w->last_event.code, UNREGISTERED_CALLMANAGER_RESET);
    assert_int_equal(stations_registered(w->stations), 1);
    world_free(w);
}

static void the_load_is_that_of_the_phone_or_of_its_defaults(void **state)
{
    struct world *w = world_new(PHONES "defaults 7960/sccp load=P00308000500\n");

    w->dump = true;
    world_phone(w, 1, A, 7, 11);
    world_forget(w);
    SAY(w, 1, version_req, {});
    contains(w, "load \"P00308000500\"");
    world_directory(w, "phone " A " model=7 lines=7001 load=P0030801SR02\n");
    SAY(w, 1, version_req, {});
    contains(w, "load \"P0030801SR02\"");
    world_directory(w, "phone " A " model=7 lines=7001 load=a-name-of-more-than-fifteen\n");
    world_forget(w);
    SAY(w, 1, version_req, {});
    contains(w, "load \"\"");
    world_free(w);
}

static void a_phone_is_told_when_its_clock_changes(void **state)
{
    struct world *w = world_new(PHONES);

    w->dump = true;
    world_phone(w, 1, A, 7, 11);
    world_phone(w, 2, B, 437, 22);
    SAY(w, 1, time_date_req, {});
    world_forget(w);
    world_directory(w, PHONES "datetime CMLocal time_zone=Europe/Berlin\n");
    world_pass(w, 10);
    contains(w, "DefineTimeDate");
    contains(w, "hour 7"); /* once: the other phone has not asked for the time yet */
    assert_null(strstr(strstr(w->log, "DefineTimeDate") + 1, "DefineTimeDate"));
    world_forget(w);
    SAY(w, 1, keepalive, {});
    world_pass(w, 80000);
    saw(w, "  <- 0x0100 KeepAliveAck\n");
    world_free(w);
}

static void a_phone_in_quarantine_says_so(void **state)
{
    struct world *w = world_new("phone " A " model=7 lines=7001 quarantine=true\n");

    w->dump = true;
    world_phone(w, 1, A, 7, 11);
    SAY(w, 1, softkey_set_req, {});
    contains(w, "text \"Not adopted: type your code\"");
    world_free(w);
}

static void a_change_is_seen_at_the_next_request(void **state)
{
    struct world *w = world_new(PHONES);

    world_phone(w, 1, A, 7, 11);
    world_directory(w, "phone " A " model=7 lines=7009\n");
    world_pass(w, 10);
    w->dump = true;
    world_forget(w);
    SAY(w, 1, line_stat_req, {.line = 1});
    contains(w, "7009");
    world_free(w);
}

/* --- sessions
 * -------------------------------------------------------------------------------------- */

static void a_phone_that_comes_back_replaces_its_lingering_connection(void **state)
{
    struct world *w = world_new(PHONES);

    world_phone(w, 1, A, 7, 11);
    world_connect(w, 2, 0x0a010001);
    world_forget(w);
    world_register(w, 2, A, 7, 11);
    contains(w, "  close\n  event unregistered " A " 29 ");
    contains(w, "  <- RegisterAck\n  <- CapabilitiesReq\n");
    world_capabilities(w, 2);
    assert_int_equal(stations_registered(w->stations), 1);
    assert_int_equal(stations_sessions(w->stations), 1);
    world_close(w, 1); /* the news of the old connection's end is too late to matter */
    assert_int_equal(stations_registered(w->stations), 1);
    world_free(w);
}

static void many_devices_register_from_one_address(void **state)
{
    struct world *w = world_new(PHONES);

    world_connect(w, 1, 0x0a010001);
    world_connect(w, 2, 0x0a010001);
    world_register(w, 1, A, 7, 11);
    world_register(w, 2, B, 437, 22);
    world_capabilities(w, 1);
    world_capabilities(w, 2);
    assert_int_equal(stations_registered(w->stations), 2);
    world_free(w);
}

/* Where the kernel cannot be asked. */
static void two_devices_of_one_name_are_told_apart_in_the_end(void **state)
{
    struct world *w = world_new(PHONES);
    uint64_t link = 1;

    for (; link < 10 && !strstr(w->log, "DuplicateDevice"); link++) {
        world_connect(w, link, 0x0a010001 + (uint32_t)(link & 1));
        world_register(w, link, A, 7, 11);
        if (!strstr(w->log, "DuplicateDevice"))
            world_capabilities(w, link);
        world_pass(w, 10000);
    }
    contains(w, "alarm DuplicateDevice");
    assert_int_equal(stations_registered(w->stations), 1); /* and one of them stays */
    assert_true(link <= 6);
    world_free(w);
}

static void a_phone_that_toggles_is_named(void **state)
{
    struct world *w = world_new(PHONES);

    for (int i = 0; i < FLAPPING_TIMES; i++) {
        assert_null(strstr(w->log, "DeviceToggle"));
        world_phone(w, 1, A, 7, 11);
        SAY(w, 1, unregister, {});
        world_pass(w, 60000);
    }
    contains(w, "alarm DeviceToggle [DeviceName=" A "][IPAddress=10.1.0.1][Registrations=6]"
                "[Interval=600]");
    world_free(w);
}

static void a_phone_may_register_again_on_its_connection(void **state)
{
    struct world *w = world_new(PHONES);

    world_phone(w, 1, A, 7, 11);
    world_forget(w);
    world_register(w, 1, A, 7, 11);
    contains(w, "  <- RegisterAck\n  <- CapabilitiesReq\n");
    world_capabilities(w, 1);
    assert_int_equal(stations_registered(w->stations), 1);
    world_register(w, 1, B, 437, 22); /* or as somebody else */
    world_capabilities(w, 1);
    assert_int_equal(stations_registered(w->stations), 1);
    assert_non_null(stations_find(w->stations, (struct device_name){B}));
    assert_null(stations_find(w->stations, (struct device_name){A}));
    world_free(w);
}

static void without_capabilities_the_phone_is_dropped_with_reason_27(void **state)
{
    struct world *w = world_new(PHONES);

    world_connect(w, 1, 0x0a010001);
    world_register(w, 1, A, 7, 11);
    world_pass(w, 30000);
    assert_true(w->closed[1]);
    assert_int_equal(w->last_alarm->reason, TRANSIENT_CAPABILITY_TIMEOUT);
    world_free(w);
}

static void a_connection_that_says_nothing_is_closed(void **state)
{
    struct world *w = world_new(PHONES);

    world_connect(w, 1, 0x0a010001);
    world_bytes(w, 1, "\x10\0\0", 3); /* three bytes and then nothing */
    world_pass(w, 60000 + 29999);     /* it might be a standby connection */
    assert_false(w->closed[1]);
    world_pass(w, 1);
    assert_true(w->closed[1]);
    assert_int_equal(stations_sessions(w->stations), 0);
    world_free(w);
}

static void silent_connections_make_room_for_phones(void **state)
{
    struct world *w = world_new_sized(PHONES, 32);

    for (uint64_t i = 10; i < 42; i++) {
        world_connect(w, i, 0x0a020000);
        world_pass(w, 100);
    }
    world_forget(w);
    for (int i = 0; i < 30; i++)
        world_pass(w, 100);
    world_connect(w, 1, 0x0a010001);
    world_register(w, 1, A, 7, 11);
    contains(w, "RegisterAck");
    world_free(w);
}

static void a_storm_of_silent_connections_does_not_keep_a_phone_out(void **state)
{
    struct world *w = world_new_sized(PHONES, 256);

    for (uint64_t i = 100; i < 5000; i++)
        world_connect(w, i, 0x0a020000);
    world_forget(w);
    world_connect(w, 1, 0x0a010001);
    for (uint64_t i = 5000; i < 5100; i++)
        world_connect(w, i, 0x0a020000);
    world_register(w, 1, A, 7, 11);
    contains(w, "RegisterAck");
    assert_true(stations_sessions(w->stations) <= 256);
    world_free(w);
}

static void a_flooding_phone_is_closed_with_reason_12(void **state)
{
    struct world *w = world_new(PHONES "parameter max_station_events value=100\n");

    world_phone(w, 1, A, 7, 11);
    for (int i = 0; i < 1000 && !w->closed[1]; i++) {
        SAY(w, 1, keepalive, {});
        if (i % 2)
            SAY(w, 1, time_date_req, {});
    }
    assert_true(w->closed[1]);
    contains(w, "DeviceCloseMaxEventsExceeded [TotalEventsReceived=101]");
    assert_int_equal(w->last_event.code, UNREGISTERED_THROTTLING);
    world_free(w);
}

static void a_stranger_that_floods_is_closed_and_told_of_rarely(void **state)
{
    struct world *w = world_new(PHONES "parameter max_station_events value=100\n");

    world_connect(w, 1, 0x0a010001);
    for (int i = 0; i < 1000 && !w->closed[1]; i++)
        SAY(w, 1, alarm, {.severity = 2, .text = "Name=" A " Load=X Last=Initialized"});
    assert_true(w->closed[1]);
    assert_true(w->n_alarms <= 11);
    world_free(w);
}

static void a_port_that_closes_is_told_as_a_restart_of_the_service(void **state)
{
    struct world *w = world_new(PHONES);

    world_phone(w, 1, A, 7, 11);
    world_connect(w, 2, 0x0a010002);
    stations_closed(w->stations, 1, -ESHUTDOWN, w->now, w->effects);
    world_carry_out(w);
    assert_int_equal(w->last_alarm->id, ALARM_ENDPOINT_UNREGISTERED);
    assert_int_equal(w->last_alarm->reason, UNREGISTERED_CALLMANAGER_RESTART);
    stations_closed(w->stations, 2, -ESHUTDOWN, w->now, w->effects);
    world_carry_out(w);
    assert_int_equal(stations_sessions(w->stations), 0);
    world_free(w);
}

/* --- bytes
 * ----------------------------------------------------------------------------------------- */

static void a_registration_survives_any_cut_of_its_bytes(void **state)
{
    uint8_t bytes[2000];
    struct writer out = writer_of(bytes, sizeof(bytes));
    struct sccp_register_req reg = {.device_name = A, .device_type = 7, .protocol = 11};
    char *whole = NULL;

    sccp_put_register_req(&out, 11, &reg);
    sccp_put_capabilities_res(&out, 11, &(struct sccp_capabilities_res){.count = 1});
    sccp_put_button_template_req(&out, 11, &(struct sccp_button_template_req){});
    sccp_put_line_stat_req(&out, 11, &(struct sccp_line_stat_req){1});
    sccp_put_keepalive(&out, 11, &(struct sccp_keepalive){});
    for (size_t cut = 0; cut <= writer_len(&out); cut++) {
        struct world *w = world_new(PHONES);

        world_connect(w, 1, 0x0a010001);
        world_bytes(w, 1, bytes, cut);
        world_bytes(w, 1, bytes + cut, writer_len(&out) - cut);
        if (!whole)
            whole = strdup(w->log);
        assert_string_equal(w->log, whole);
        world_free(w);
    }
    free(whole);
}

static void a_registration_may_come_byte_by_byte(void **state)
{
    struct world *w = world_new(PHONES);
    uint8_t bytes[200];
    struct writer out = writer_of(bytes, sizeof(bytes));
    struct sccp_register_req reg = {.device_name = A, .device_type = 7, .protocol = 11};

    sccp_put_register_req(&out, 11, &reg);
    world_connect(w, 1, 0x0a010001);
    for (size_t i = 0; i < writer_len(&out); i++)
        world_bytes(w, 1, bytes + i, 1);
    contains(w, "RegisterAck");
    world_free(w);
}

static void what_is_no_message_closes_the_connection(void **state)
{
    static const uint32_t lengths[] = {0, 3, 4097, 0x7fffffff, 0xffffffff};

    for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
        struct world *w = world_new(PHONES);
        uint32_t bytes[4] = {htole32(lengths[i])};

        world_connect(w, 1, 0x0a010001);
        world_bytes(w, 1, bytes, sizeof(bytes));
        assert_true(w->closed[1]);
        assert_int_equal(stations_sessions(w->stations), 0);
        world_free(w);
    }
}

static void unknown_messages_are_skipped(void **state)
{
    struct world *w = world_new(PHONES);

    world_phone(w, 1, A, 7, 11);
    world_forget(w);
    world_frame(w, 1, 0x7777, "12345678", 8);
    world_frame(w, 1, SCCP_REGISTER_ACK, "12345678", 8);
    saw(w, "");
    SAY(w, 1, keepalive, {});
    saw(w, "  <- KeepAliveAck\n");
    world_free(w);
}

/* A body may stop anywhere: what is missing counts as zero, or the message is ignored. */
static void any_message_may_be_cut_at_any_length(void **state)
{
    static uint8_t body[2500];
    static const unsigned versions[] = {0, 3, 6, 11, 17, 22};

    memset(body, 0xff, sizeof(body));
    for (size_t v = 0; v < sizeof(versions) / sizeof(*versions); v++) {
        struct world *w = world_new(PHONES "parameter max_station_events value=100000\n");

        free(w->log);
        w->log = NULL;
        world_phone(w, 1, A, 7, versions[v]);
        for (size_t i = 0; sccp_message_at(i) != UINT32_MAX; i++) {
            uint32_t id = sccp_message_at(i);

            for (size_t len = 0; len < 130; len += id == SCCP_REGISTER_REQ ? 4 : 1)
                if (id != SCCP_UNREGISTER)
                    world_frame(w, 1, id, body, len);
            world_frame(w, 1, id, body, 2400);
            if (w->closed[1]) {
                world_close(w, 1);
                world_phone(w, 1, A, 7, versions[v]);
            }
        }
        world_close(w, 1);
        assert_int_equal(stations_sessions(w->stations), 0);
        world_free(w);
    }
}

static void a_burst_of_requests_is_answered_whole(void **state)
{
    struct world *w = world_new(PHONES "parameter max_station_events value=5000\n");
    static uint8_t bytes[12 * 2000];
    size_t before;

    world_phone(w, 1, A, 7, 11);
    for (size_t i = 0; i < 2000; i++)
        memcpy(bytes + 12 * i, (uint32_t[]){htole32(4), 0, htole32(SCCP_TIME_DATE_REQ)}, 12);
    before = w->n_sent;
    free(w->log);
    w->log = NULL;
    world_bytes(w, 1, bytes, sizeof(bytes));
    assert_true(w->n_sent - before >= 2000);
    world_free(w);
}

/* --- alarms of the phone
 * ----------------------------------------------------------------------------- */

static void the_phone_tells_why_it_was_away(void **state)
{
    struct world *w = world_new(PHONES);
    const struct station *s;

    world_connect(w, 1, 0x0a010001);
    SAY(w, 1, alarm, {.severity = 2, .text = "25: Name=" A " Load=P0030801SR02 Last=Initialized"});
    assert_int_equal(w->last_alarm->reason, 25);
    assert_string_equal(w->last_alarm->device.s, A);
    SAY(w, 1, alarm, {.severity = 2, .text = "Name=" A " Load=CP79 Last=CM-aborted-TCP"});
    assert_int_equal(w->last_alarm->reason, 13);
    world_register(w, 1, A, 7, 11);
    world_capabilities(w, 1);
    s = stations_find(w->stations, (struct device_name){A});
    assert_int_equal(s->last_alarm->reason, 13);
    world_free(w);
}

static void the_xml_alarm_tells_switch_and_port(void **state)
{
    static const char xml[] =
        "<?xml version=\"1.0\"?><x-cisco-alarm><Alarm Name=\"LastOutOfServiceInformation\">"
        "<ParameterList><String name=\"DeviceName\">" B "</String>"
        "<String name=\"NeighborDeviceID\">sw4</String><String name=\"NeighborPortID\">Gi1/0/7"
        "</String><Enum name=\"ReasonForOutOfService\">22</Enum></ParameterList></Alarm>"
        "</x-cisco-alarm>";
    struct world *w = world_new(PHONES);

    world_connect(w, 1, 0x0a010001);
    SAY(w, 1, enhanced_alarm, {.xml = text_of(xml)});
    saw(w, "  alarm LastOutOfServiceInformation [DeviceName=" B "][NeighborDeviceID=sw4]"
           "[NeighborPortID=Gi1/0/7][ReasonForOutOfService=22]\n");
    assert_int_equal(w->last_alarm->reason, 22);
    SAY(w, 1, enhanced_alarm, {.xml = TEXT("<x-cisco-alarm><Alarm")});
    saw(w, "");
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_phone_registers_and_is_asked_for_its_capabilities),
        cmocka_unit_test(early_requests_are_parked_and_answered_in_order),
        cmocka_unit_test(parking_is_bounded),
        cmocka_unit_test(every_request_is_answered_in_every_version),
        cmocka_unit_test(versions_are_agreed_as_real_servers_do),
        cmocka_unit_test(the_register_ack_is_that_of_callmanager_4),
        cmocka_unit_test(no_phone_gets_a_keepalive_ack_before_it_registered),
        cmocka_unit_test(the_backup_may_acknowledge_keepalives_by_a_setting),
        cmocka_unit_test(a_7985_is_acknowledged_early_once_it_is_known),
        cmocka_unit_test(a_silent_phone_is_lost_to_the_millisecond),
        cmocka_unit_test(a_wall_clock_that_jumps_moves_no_phone),
        cmocka_unit_test(the_loss_rule_follows_the_settings_and_the_model),
        cmocka_unit_test(an_hour_of_a_thousand_phones),
        cmocka_unit_test(every_refusal_has_its_words_and_its_reason),
        cmocka_unit_test(a_wrong_type_raises_the_mismatch_alarm_too),
        cmocka_unit_test(too_many_phones_are_refused),
        cmocka_unit_test(a_refused_phone_that_tries_for_years_costs_one_row),
        cmocka_unit_test(refusals_are_remembered_in_bounded_memory),
        cmocka_unit_test(an_unknown_phone_waits_for_the_database),
        cmocka_unit_test(an_unknown_phone_is_refused_when_it_cannot_be_added),
        cmocka_unit_test(a_database_that_does_not_answer_is_reason_31),
        cmocka_unit_test(closing_the_door_takes_effect_at_once),
        cmocka_unit_test(tokens_are_given_as_far_as_the_queue_goes),
        cmocka_unit_test(no_token_for_a_phone_that_would_be_refused),
        cmocka_unit_test(an_spa_repeats_its_token_request_without_harm),
        cmocka_unit_test(unregister_is_acknowledged_and_the_connection_closed),
        cmocka_unit_test(a_phone_of_callmanager_2_gets_no_answer_to_unregister),
        cmocka_unit_test(a_broken_connection_is_reason_6),
        cmocka_unit_test(a_reset_phone_leaves_with_reason_9),
        cmocka_unit_test(a_phone_that_ignores_a_restart_is_closed_with_reason_18),
        cmocka_unit_test(a_phone_need_not_leave_to_apply_its_configuration),
        cmocka_unit_test(a_deleted_phone_is_told_to_reset),
        cmocka_unit_test(the_load_is_that_of_the_phone_or_of_its_defaults),
        cmocka_unit_test(a_phone_is_told_when_its_clock_changes),
        cmocka_unit_test(a_phone_in_quarantine_says_so),
        cmocka_unit_test(a_change_is_seen_at_the_next_request),
        cmocka_unit_test(a_phone_that_comes_back_replaces_its_lingering_connection),
        cmocka_unit_test(many_devices_register_from_one_address),
        cmocka_unit_test(two_devices_of_one_name_are_told_apart_in_the_end),
        cmocka_unit_test(a_phone_that_toggles_is_named),
        cmocka_unit_test(a_phone_may_register_again_on_its_connection),
        cmocka_unit_test(without_capabilities_the_phone_is_dropped_with_reason_27),
        cmocka_unit_test(a_connection_that_says_nothing_is_closed),
        cmocka_unit_test(silent_connections_make_room_for_phones),
        cmocka_unit_test(a_storm_of_silent_connections_does_not_keep_a_phone_out),
        cmocka_unit_test(a_flooding_phone_is_closed_with_reason_12),
        cmocka_unit_test(a_stranger_that_floods_is_closed_and_told_of_rarely),
        cmocka_unit_test(a_port_that_closes_is_told_as_a_restart_of_the_service),
        cmocka_unit_test(a_registration_survives_any_cut_of_its_bytes),
        cmocka_unit_test(a_registration_may_come_byte_by_byte),
        cmocka_unit_test(what_is_no_message_closes_the_connection),
        cmocka_unit_test(unknown_messages_are_skipped),
        cmocka_unit_test(any_message_may_be_cut_at_any_length),
        cmocka_unit_test(a_burst_of_requests_is_answered_whole),
        cmocka_unit_test(the_phone_tells_why_it_was_away),
        cmocka_unit_test(the_xml_alarm_tells_switch_and_port),
    };

    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
