/* handset_sccp_phone.c - phones register, stay and leave on a virtual network; the servers are
 * played here. */
#include "handset/sccp/phone.h"

#include "test.h"

#include "handset/screen.h"
#include "wire/sccp/message.h"

static struct sccp_phone phone;
static struct phone_kind kind;
static struct screen screen;
static struct effects fx;
static uint64_t now_ms;

/* Two servers; what they do, and what they heard. */
static struct server {
    bool closed, mute, silent_keepalive, no_token, mute_token, calls_up;
    const char *reject;
    unsigned version; /* agreed with the phone */
    unsigned n_registers, n_keepalives, n_connects;
} servers[2];

static struct {
    char log[8192]; /* names of the messages, "1:" before those to the second server */
    char events[2048];
    int link_server[PHONE_LINKS]; /* -1: closed */
    struct sccp_register_req last_register;
    size_t register_body;
    char alarm[2048];
    unsigned batches; /* lists of effects that had something to send */
} seen;

static void note(char *to, size_t size, const char *words)
{
    snprintf(to + strlen(to), size - strlen(to), "%s%s", *to ? " " : "", words);
}

static void play(void);

static void reply(unsigned link, uint32_t id, const void *body)
{
    uint8_t bytes[4096];
    struct writer w = writer_of(bytes, sizeof(bytes));
    struct server *s = &servers[seen.link_server[link]];

    assert_int_equal(sccp_encode_body(id, body, s->version, &w), 0);
    sccp_phone_input(&phone, link, bytes, writer_len(&w), now_ms, &fx);
}

static void reply_word(unsigned link, uint32_t id, uint32_t word)
{
    uint32_t words[4] = {word};

    reply(link, id, words);
}

static void answer_register(unsigned link, struct server *s, const struct sccp_register_req *m)
{
    struct sccp_register_ack ack = {
        .keepalive_s = 30, .secondary_keepalive_s = 60, .date_template = "D.M.Y"};
    struct sccp_register_reject reject = {0};

    seen.last_register = *m;
    s->n_registers++;
    if (s->mute)
        return;
    if (s->reject) {
        snprintf(reject.text, sizeof(reject.text), "%s", s->reject);
        reply(link, SCCP_REGISTER_REJECT, &reject);
        return;
    }
    s->version = sccp_version_agree(m->protocol, SCCP_VERSION_MAX);
    ack.protocol = (uint8_t)s->version;
    reply(link, SCCP_REGISTER_ACK, &ack);
    reply_word(link, SCCP_CAPABILITIES_REQ, 0);
}

static void answer_buttons(unsigned link)
{
    static const struct sccp_button buttons[] = {{1, SCCP_BUTTON_LINE},
                                                 {2, SCCP_BUTTON_LINE},
                                                 {1, SCCP_BUTTON_SPEED_DIAL},
                                                 {1, SCCP_BUTTON_SERVICE_URL},
                                                 {5, SCCP_BUTTON_FEATURE}};
    struct sccp_button_template t = {.count = 5, .total = 5};

    memcpy(t.buttons, buttons, sizeof(buttons));
    reply(link, SCCP_BUTTON_TEMPLATE, &t);
}

static void answer(unsigned link, struct server *s, const struct sccp_message *m)
{
    union {
        uint32_t words[16];
        struct sccp_softkey_template softkeys;
        struct sccp_softkey_set sets;
        struct sccp_config_stat config;
        struct sccp_line_stat line;
        struct sccp_line_stat_v2 line_v2;
        struct sccp_speed_dial_stat dial;
        struct sccp_feature_stat feature;
        struct sccp_service_url_stat url;
        struct sccp_forward_stat forward;
        struct sccp_version version;
        struct sccp_server_res servers;
        struct sccp_define_time_date time;
    } a;

    memset(&a, 0, sizeof(a));
    switch (m->id) {
    case SCCP_REGISTER_REQ:
        answer_register(link, s, &m->register_req);
        break;
    case SCCP_KEEPALIVE:
        s->n_keepalives++;
        if (!s->silent_keepalive)
            reply_word(link, SCCP_KEEPALIVE_ACK, 0);
        break;
    case SCCP_BUTTON_TEMPLATE_REQ:
        answer_buttons(link);
        break;
    case SCCP_SOFTKEY_TEMPLATE_REQ:
        reply(link, SCCP_SOFTKEY_TEMPLATE, &a.softkeys);
        break;
    case SCCP_SOFTKEY_SET_REQ:
        reply(link, SCCP_SOFTKEY_SET, &a.sets);
        break;
    case SCCP_CONFIG_STAT_REQ:
        reply(link, SCCP_CONFIG_STAT, &a.config);
        break;
    case SCCP_LINE_STAT_REQ:
        if (s->version >= 17) {
            a.line_v2 = (struct sccp_line_stat_v2){m->line_stat_req.line, 15, TEXT("1001"),
                                                   TEXT("Ann"), TEXT("1001")};
            reply(link, SCCP_LINE_STAT_V2, &a.line_v2);
        } else {
            a.line.line = m->line_stat_req.line;
            strcpy(a.line.number, "1001");
            reply(link, SCCP_LINE_STAT, &a.line);
        }
        break;
    case SCCP_SPEED_DIAL_STAT_REQ:
        a.dial.index = m->speed_dial_stat_req.index;
        reply(link, SCCP_SPEED_DIAL_STAT, &a.dial);
        break;
    case SCCP_FORWARD_STAT_REQ:
        a.forward.line = m->forward_stat_req.line;
        reply(link, SCCP_FORWARD_STAT, &a.forward);
        break;
    case SCCP_FEATURE_STAT_REQ:
        a.feature.index = m->feature_stat_req.index;
        a.feature.feature = SCCP_BUTTON_FEATURE;
        reply(link, SCCP_FEATURE_STAT, &a.feature);
        break;
    case SCCP_SERVICE_URL_STAT_REQ:
        a.url.index = m->service_url_stat_req.index;
        reply(link, SCCP_SERVICE_URL_STAT, &a.url);
        break;
    case SCCP_VERSION_REQ:
        reply(link, SCCP_VERSION, &a.version);
        break;
    case SCCP_SERVER_REQ:
        reply(link, SCCP_SERVER_RES, &a.servers);
        break;
    case SCCP_TIME_DATE_REQ:
        a.time = (struct sccp_define_time_date){
            .year = 2026, .month = 11, .day = 21, .hour = 5, .minute = 7};
        reply(link, SCCP_DEFINE_TIME_DATE, &a.time);
        break;
    case SCCP_UNREGISTER:
        reply_word(link, SCCP_UNREGISTER_ACK,
                   s->calls_up ? SCCP_UNREGISTER_NOT_NOW : SCCP_UNREGISTER_OK);
        break;
    case SCCP_REGISTER_TOKEN_REQ:
        if (!s->mute_token)
            reply_word(link, s->no_token ? SCCP_REGISTER_TOKEN_REJECT : SCCP_REGISTER_TOKEN_ACK,
                       45);
        break;
    default:
        break;
    }
}

static void log_message(int server, const struct sccp_frame *frame, const struct sccp_message *m)
{
    char words[64];

    if (m->id == SCCP_REGISTER_REQ)
        seen.register_body = frame->len;
    if (m->id == SCCP_ALARM)
        snprintf(seen.alarm, sizeof(seen.alarm), "%s", m->alarm.text);
    if (m->id == SCCP_ENHANCED_ALARM)
        text_copy(seen.alarm, sizeof(seen.alarm), m->enhanced_alarm.xml);
    snprintf(words, sizeof(words), "%s%s", server ? "1:" : "", sccp_message_name(m->id));
    note(seen.log, sizeof(seen.log), words);
}

/* Everything of one segment is heard before anything of it is answered. */
static void hear(unsigned link, struct text bytes)
{
    int server = seen.link_server[link];

    assert_true(server >= 0);
    for (unsigned pass = 0; pass < 2; pass++) {
        struct reader r = reader_of(bytes.at, bytes.len);
        struct sccp_frame frame;
        struct sccp_message m;

        while (sccp_frame_next(&r, &frame) == 1) {
            int err = sccp_decode(&frame,
                                  servers[server].version ? servers[server].version : phone.version,
                                  SCCP_FROM_PHONE, &m);

            assert_true(err == 0 || err == -EBADMSG);
            if (pass == 0) {
                log_message(server, &frame, &m);
                continue;
            }
            answer(link, &servers[server], &m);
            play();
            if (seen.link_server[link] < 0)
                return;
        }
    }
}

static void connect_to(const struct effect *e)
{
    int server = e->to.ip.bytes[3] - 1;

    servers[server].n_connects++;
    if (servers[server].closed) {
        sccp_phone_closed(&phone, e->link, -ECONNREFUSED, now_ms, &fx);
        return;
    }
    servers[server].version = 0;
    seen.link_server[e->link] = server;
    sccp_phone_opened(&phone, e->link, now_ms, &fx);
}

static void on_state(const struct effect *e, struct text words)
{
    static const char *const names[] = {
        "opening", "opened",  "asked", "acked", "registered", "rejected",  "lost",    "left",
        "reset",   "restart", "apply", "load",  "no-server",  "keepalive", "standby", "reread"};
    char line[128];

    if (e->number == PHONE_EVENT_KEEPALIVE || e->number == PHONE_EVENT_OPENING ||
        e->number == PHONE_EVENT_OPENED || e->number == PHONE_EVENT_ASKED ||
        e->number == PHONE_EVENT_ACKED)
        return;
    if (e->number == PHONE_EVENT_LOST)
        snprintf(line, sizeof(line), "lost:%u", e->link);
    else
        snprintf(line, sizeof(line), "%s%s%.*s", names[e->number], words.len ? ":" : "",
                 TEXT_ARG(words));
    note(seen.events, sizeof(seen.events), line);
}

static void play(void)
{
    static struct effects taken[24];
    static unsigned depth;
    struct effects *t = &taken[depth];

    assert_true(depth < 23);
    assert_false(fx.full);
    if (!fx.n)
        return;
    memcpy(t, &fx, sizeof(fx));
    effects_clear(&fx);
    depth++;
    for (uint32_t i = 0; i < t->n; i++) {
        const struct effect *e = &t->items[i];

        if (e->type == EFFECT_CONNECT)
            connect_to(e);
        else if (e->type == EFFECT_SEND && seen.link_server[e->link] >= 0)
            hear(e->link, effect_text(t, e));
        else if (e->type == EFFECT_CLOSE)
            seen.link_server[e->link] = -1;
        else if (e->type == EFFECT_STATE)
            on_state(e, effect_text(t, e));
        play();
    }
    depth--;
}

static void run_for(uint64_t ms)
{
    uint64_t end_ms = now_ms + ms;

    while (sccp_phone_due(&phone) <= end_ms) {
        now_ms = sccp_phone_due(&phone) > now_ms ? sccp_phone_due(&phone) : now_ms;
        sccp_phone_tick(&phone, now_ms, &fx);
        play();
    }
    now_ms = end_ms;
}

static void start(const char *model, unsigned n_servers, uint32_t faults)
{
    struct endpoint list[] = {{ip_v4(0x0a000001), 2000}, {ip_v4(0x0a000002), 2000}};
    struct mac mac = {{0, 0x11, 0x22, 0x33, 0x44, 0x55}};

    phone_kind_init(&kind, model_by_name(text_of(model)), NULL, faults);
    sccp_phone_init(&phone, &kind, mac);
    screen_init(&screen, kind.model);
    phone.screen = &screen;
    effects_clear(&fx);
    sccp_phone_start(&phone, ip_v4(0x0a000064), list, n_servers, PHONE_REASON_INITIALIZED, now_ms,
                     &fx);
    play();
}

static int begin(void **state)
{
    memset(servers, 0, sizeof(servers));
    memset(&seen, 0, sizeof(seen));
    seen.link_server[0] = seen.link_server[1] = -1;
    now_ms = 1000000;
    return 0;
}

static int end(void **state)
{
    sccp_phone_done(&phone);
    return 0;
}

/* ---- ladders ---- */

static void a_7960_asks_one_thing_after_the_other(void **state)
{
    start("7960", 1, 0);
    assert_int_equal(phone.state, PHONE_REGISTERED);
    assert_string_equal(
        seen.log,
        "Alarm Register IpPort CapabilitiesRes HeadsetStatus ButtonTemplateReq SoftKeyTemplateReq "
        "SoftKeySetReq ConfigStatReq LineStatReq LineStatReq SpeedDialStatReq ForwardStatReq "
        "ForwardStatReq FeatureStatReq ServiceURLStatReq VersionReq ServerReq "
        "RegisterAvailableLines "
        "TimeDateReq");
    assert_string_equal(seen.events, "registered");
    assert_int_equal(seen.register_body, 68);
    assert_int_equal(seen.last_register.device_type, 7);
    assert_string_equal(seen.last_register.device_name, "SEP001122334455");
    assert_string_equal(seen.alarm, "25: Name=SEP001122334455 Load=P0030801SR02 Last=Initialized");
}

static void a_7975_asks_several_things_at_once(void **state)
{
    start("7975", 1, 0);
    assert_int_equal(phone.state, PHONE_REGISTERED);
    assert_string_equal(
        seen.log,
        "EnhancedAlarm Register IpPort ButtonTemplateReq SoftKeyTemplateReq SoftKeySetReq "
        "ConfigStatReq "
        "CapabilitiesRes LineStatReq ForwardStatReq LineStatReq ForwardStatReq SpeedDialStatReq "
        "FeatureStatReq ServiceURLStatReq TimeDateReq RegisterAvailableLines MediaPathEvent "
        "MediaPathEvent MediaPathCapability");
    assert_int_equal(seen.register_body, 172);
    assert_int_equal(seen.last_register.protocol, 22);
    assert_string_equal(seen.last_register.load, "SCCP75.9-4-2SR3-1S");
    assert_non_null(strstr(seen.alarm, "<Enum name=\"ReasonForOutOfService\">25</Enum>"));
    assert_non_null(strstr(seen.alarm, "<String name=\"DeviceName\">SEP001122334455</String>"));
}

static void a_12sp_speaks_the_dialect_of_callmanager_2(void **state)
{
    start("12SP+", 1, 0);
    assert_int_equal(phone.state, PHONE_REGISTERED);
    assert_int_equal(phone.version, 0);
    assert_string_equal(
        seen.log, "Register IpPort CapabilitiesRes ButtonTemplateReq ConfigStatReq LineStatReq "
                  "LineStatReq SpeedDialStatReq VersionReq RegisterAvailableLines TimeDateReq");
}

static void a_7912_registers_as_captured(void **state)
{
    start("7912", 1, 0);
    assert_int_equal(phone.state, PHONE_REGISTERED);
    assert_string_equal(
        seen.log,
        "Alarm Register CapabilitiesRes ButtonTemplateReq SoftKeyTemplateReq SoftKeySetReq "
        "LineStatReq LineStatReq FeatureStatReq SpeedDialStatReq RegisterAvailableLines "
        "TimeDateReq");
    assert_int_equal(seen.register_body, 52);
}

static void every_sccp_model_registers(void **state)
{
    for (size_t i = 0; i < n_models; i++) {
        if (!model_is_phone(&models[i]) || !model_speaks(&models[i], PROTOCOL_SCCP) ||
            models[i].quirks & MODEL_TOKEN_FIRST)
            continue;
        begin(NULL);
        start(models[i].name, 1, 0);
        if (phone.state != PHONE_REGISTERED)
            fail_msg("%s: %s", models[i].name, phone_state_name((enum phone_state)phone.state));
        end(NULL);
    }
}

/* ---- keepalive ---- */

static void the_first_keepalive_comes_an_interval_after_the_acknowledgement(void **state)
{
    start("7960", 1, 0);
    run_for(29999);
    assert_int_equal(servers[0].n_keepalives, 0);
    run_for(1);
    assert_int_equal(servers[0].n_keepalives, 1);
    run_for(24 * 3600 * 1000 - 30000);
    assert_int_equal(servers[0].n_keepalives, 24 * 120);
    assert_int_equal(phone.state, PHONE_REGISTERED);
}

static void the_backup_gets_a_connection_after_ten_seconds_and_a_keepalive_each_minute(void **state)
{
    start("7960", 2, 0);
    run_for(9999);
    assert_int_equal(servers[1].n_connects, 0);
    servers[1].silent_keepalive = true; /* TCP alone answers */
    run_for(1 + 600 * 1000);
    assert_int_equal(servers[1].n_connects, 1);
    assert_int_equal(servers[1].n_keepalives, 10);
    assert_int_equal(servers[1].n_registers, 0);
    assert_int_equal(phone.state, PHONE_REGISTERED);
}

static void a_server_that_stops_answering_keepalives_is_left(void **state)
{
    start("7960", 1, 0);
    servers[0].silent_keepalive = true;
    run_for(30000 + 6999); /* nothing was learned: a second, two, four */
    assert_string_equal(seen.events, "registered");
    run_for(1);
    assert_true(text_starts(text_of(seen.events), "registered lost:15"));
}

static void delayed_failover_waits_three_intervals(void **state)
{
    start("7960", 1, 0);
    phone.delayed = true;
    servers[0].silent_keepalive = true;
    run_for(30000 + 89999);
    assert_string_equal(seen.events, "registered");
    run_for(1);
    assert_true(text_starts(text_of(seen.events), "registered lost:15"));
}

/* A keepalive that is answered `ms` later. */
static void keepalive_answered_after(uint64_t ms)
{
    run_for(phone.links[phone.active].due_ms - now_ms);
    run_for(ms);
    reply_word(phone.active, SCCP_KEEPALIVE_ACK, 0);
    play();
}

static void normal_failover_learns_how_long_answers_take(void **state)
{
    start("7960", 1, 0);
    servers[0].silent_keepalive = true;
    for (int i = 0; i < 50; i++)
        keepalive_answered_after(1500);
    assert_string_equal(seen.events, "registered");
    assert_int_equal(phone.ack_ms, 1500);
    run_for(phone.links[phone.active].due_ms - now_ms);
    run_for(7 * 1500 - 1);
    assert_string_equal(seen.events, "registered");
    run_for(1 + 7 * 10); /* what is left of the first deviation */
    assert_true(text_starts(text_of(seen.events), "registered lost:15"));
}

static void a_path_that_jitters_makes_it_patient_but_never_more_than_delayed(void **state)
{
    start("7960", 1, 0);
    servers[0].silent_keepalive = true;
    for (int i = 0; i < 20; i++)
        keepalive_answered_after(i % 2 ? 6000 : 100);
    assert_string_equal(seen.events, "registered");
    run_for(phone.links[phone.active].due_ms - now_ms);
    run_for(89999);
    assert_string_equal(seen.events, "registered");
    run_for(1);
    assert_true(text_starts(text_of(seen.events), "registered lost:15"));
}

static void callmanager_2_answers_no_keepalive_and_is_not_left(void **state)
{
    start("30VIP", 1, 0);
    servers[0].silent_keepalive = true;
    run_for(3600 * 1000);
    assert_string_equal(seen.events, "registered");
    assert_int_equal(servers[0].n_keepalives, 120);
}

/* ---- servers that go ---- */

static void when_the_primary_goes_the_phone_registers_on_its_standby_connection(void **state)
{
    start("7975", 2, 0);
    run_for(20000);
    servers[0].closed = true;
    seen.link_server[0] = -1;
    sccp_phone_closed(&phone, 0, 0, now_ms, &fx);
    play();
    seen.log[0] = 0;
    run_for(369);
    assert_string_equal(seen.log, "");
    run_for(1); /* a real phone breathes between its alarm and Register */
    assert_string_equal(seen.log, "1:EnhancedAlarm");
    run_for(109);
    assert_string_equal(seen.events, "registered standby lost:14");
    run_for(1);
    assert_string_equal(seen.events, "registered standby lost:14 registered");
    assert_int_equal(servers[1].n_registers, 1);
    assert_int_equal(servers[1].n_connects, 1);
    assert_non_null(strstr(seen.alarm, "<Enum name=\"ReasonForOutOfService\">14</Enum>"));
    assert_non_null(strstr(seen.alarm, "\"LastProtocolEventReceived\">Rcvd:DefineTimeDate<"));
    assert_non_null(strstr(seen.alarm, "\"LastProtocolEventSent\">Sent:MediaPathCapability<"));
}

static void it_falls_back_with_a_token_after_forty_seconds(void **state)
{
    when_the_primary_goes_the_phone_registers_on_its_standby_connection(state);
    servers[0].closed = false;
    seen.log[0] = 0;
    run_for(40000 + 109); /* with a token it stays for a moment, then unregisters */
    assert_int_equal(phone.state, PHONE_REGISTERED);
    assert_int_equal(phone.links[phone.active].server, 1);
    run_for(1 + 240 + 199);
    assert_int_equal(servers[0].n_registers, 1);
    run_for(1);
    assert_int_equal(servers[0].n_registers, 2);
    assert_true(text_starts(text_of(seen.log),
                            "1:KeepAlive RegisterTokenReq 1:Unregister EnhancedAlarm Register"));
    assert_non_null(strstr(seen.alarm, "<Enum name=\"ReasonForOutOfService\">18</Enum>"));
    assert_int_equal(phone.links[phone.active].server, 0);
    run_for(10000);
    assert_int_equal(servers[1].n_connects, 2); /* standby again */
}

static void a_phone_that_must_not_leave_during_a_call_asks_for_its_way_back_again(void **state)
{
    when_the_primary_goes_the_phone_registers_on_its_standby_connection(state);
    servers[0].closed = false;
    servers[1].calls_up = true;
    run_for(40000 + 110);
    assert_int_equal(phone.state, PHONE_REGISTERED); /* UnregisterAck: not now */
    servers[1].calls_up = false;
    run_for(40000 + 110 + 240 + 200);
    assert_int_equal(servers[0].n_registers, 2);
    assert_int_equal(phone.links[phone.active].server, 0);
}

static void a_token_of_a_server_that_went_meanwhile_is_forgotten(void **state)
{
    when_the_primary_goes_the_phone_registers_on_its_standby_connection(state);
    servers[0].closed = false;
    run_for(40000);
    seen.log[0] = 0;
    sccp_phone_closed(&phone, 1u - phone.active, 0, now_ms, &fx);
    run_for(1000);
    assert_null(strstr(seen.log, "Unregister"));
    assert_int_equal(phone.links[phone.active].server, 1);
    assert_int_equal(phone.state, PHONE_REGISTERED);
}

static void a_refused_token_is_asked_for_again_when_the_wait_is_over(void **state)
{
    when_the_primary_goes_the_phone_registers_on_its_standby_connection(state);
    servers[0].closed = false;
    servers[0].no_token = true;
    run_for(40000);
    assert_int_equal(phone.links[phone.active].server, 1);
    servers[0].no_token = false;
    run_for(45000 + 110 + 240 + 199);
    assert_int_equal(servers[0].n_registers, 1);
    run_for(1);
    assert_int_equal(servers[0].n_registers, 2);
    assert_int_equal(phone.links[phone.active].server, 0);
}

static void a_token_without_an_answer_is_given_up_and_asked_for_later(void **state)
{
    when_the_primary_goes_the_phone_registers_on_its_standby_connection(state);
    servers[0].closed = false;
    servers[0].mute_token = true; /* it was stopped: the system accepts, nobody answers */
    run_for(40000 + 29999);
    assert_int_equal(seen.link_server[0], 0);
    run_for(1);
    assert_int_equal(seen.link_server[0], -1);
    assert_int_equal(phone.links[phone.active].server, 1);
    servers[0].mute_token = false;
    run_for(60000 + 110 + 240 + 200);
    assert_int_equal(phone.links[phone.active].server, 0);
    assert_int_equal(phone.state, PHONE_REGISTERED);
}

static void a_standby_connection_that_breaks_during_the_move_is_no_way(void **state)
{
    start("7960", 2, 0);
    run_for(20000);
    sccp_phone_closed(&phone, 0, 0, now_ms, &fx);
    sccp_phone_closed(&phone, 1, 0, now_ms, &fx);
    seen.link_server[0] = seen.link_server[1] = -1;
    play();
    run_for(370);
    assert_string_equal(seen.events, "registered standby lost:14 registered");
    assert_int_equal(servers[1].n_connects, 2);
}

static void with_the_first_server_closed_it_takes_the_second(void **state)
{
    servers[0].closed = true;
    start("7960", 2, 0);
    assert_int_equal(phone.state, PHONE_REGISTERED);
    assert_int_equal(servers[1].n_registers, 1);
}

static void with_all_servers_closed_it_asks_for_its_files_after_two_rounds(void **state)
{
    servers[0].closed = servers[1].closed = true;
    start("7960", 2, 0);
    assert_string_equal(seen.events, "");
    run_for(4999);
    assert_string_equal(seen.events, "");
    run_for(1);
    assert_string_equal(seen.events, "no-server");
    assert_int_equal(servers[0].n_connects, 2);
}

static void a_register_without_an_answer_times_out_after_thirty_seconds(void **state)
{
    servers[0].mute = true;
    start("7960", 2, 0);
    run_for(29999);
    assert_string_equal(seen.events, "");
    run_for(1);
    assert_string_equal(seen.events, "lost:17 registered");
    assert_int_equal(servers[1].n_registers, 1);
}

/* ---- refusal ---- */

static void a_refusal_is_shown_and_tried_again_as_measured(void **state)
{
    static const struct {
        const char *model;
        uint64_t wait_ms;
    } rows[] = {{"7945", 40200}, {"6921", 22300}};

    for (size_t i = 0; i < 2; i++) {
        begin(NULL);
        servers[0].reject = "Error: DB Config";
        start(rows[i].model, 1, 0);
        assert_string_equal(seen.events, "rejected:Error: DB Config");
        assert_string_equal(screen_prompt(&screen), "Registration Rejected: Error: DB Config");
        assert_int_equal(seen.link_server[0], -1); /* it closes at once */
        run_for(rows[i].wait_ms - 1);
        assert_int_equal(servers[0].n_registers, 1);
        run_for(1);
        assert_int_equal(servers[0].n_registers, 2);
        assert_non_null(strstr(seen.alarm, ">24</Enum>"));
        servers[0].reject = NULL;
        run_for(rows[i].wait_ms);
        assert_int_equal(phone.state, PHONE_REGISTERED);
        assert_string_equal(screen.status, "");
        end(NULL);
    }
}

static void a_refused_phone_without_a_file_reads_again(void **state)
{
    servers[0].reject = "Error: DB Config";
    start("7961", 1, 0);
    phone.rereads = true;
    run_for(40200);
    assert_string_equal(seen.events, "rejected:Error: DB Config reread");
    assert_int_equal(servers[0].n_registers, 1);
}

/* ---- leaving ---- */

static void reset_and_restart_unregister_first(void **state)
{
    static const struct {
        uint32_t kind;
        const char *events;
        unsigned reason;
    } rows[] = {{SCCP_RESET_FULL, "registered reset", 22},
                {SCCP_RESET_RESTART, "registered restart", 23}};

    for (size_t i = 0; i < 2; i++) {
        begin(NULL);
        start("7960", 1, 0);
        seen.log[0] = 0;
        reply_word(0, SCCP_RESET, rows[i].kind);
        play();
        assert_string_equal(seen.log, "Unregister");
        assert_string_equal(seen.events, rows[i].events);
        assert_int_equal(phone.reason, rows[i].reason);
        assert_int_equal(phone.state, PHONE_OFF);
        end(NULL);
    }
}

static void apply_configuration_leaves_it_registered(void **state)
{
    start("7975", 1, 0);
    reply_word(0, SCCP_RESET, SCCP_RESET_APPLY);
    play();
    assert_string_equal(seen.events, "registered apply");
    assert_int_equal(phone.state, PHONE_REGISTERED);
}

static void with_a_call_up_the_server_keeps_it(void **state)
{
    start("7960", 1, 0);
    servers[0].calls_up = true;
    sccp_phone_leave(&phone, PHONE_REASON_USER_RESET, PHONE_EVENT_RESET, now_ms, &fx);
    play();
    assert_int_equal(phone.state, PHONE_REGISTERED);
    assert_string_equal(seen.events, "registered");
}

static void a_goodbye_without_an_answer_ends_after_five_seconds(void **state)
{
    start("7960", 1, 0);
    seen.link_server[0] = -1; /* the server hears nothing any more */
    sccp_phone_leave(&phone, PHONE_REASON_USER_RESET, PHONE_EVENT_RESET, now_ms, &fx);
    play();
    run_for(4999);
    assert_string_equal(seen.events, "registered");
    run_for(1);
    assert_string_equal(seen.events, "registered reset");
}

/* ---- keys ---- */

static void keys_are_sent_when_it_is_registered_only(void **state)
{
    servers[0].mute = true;
    start("7960", 1, 0);
    assert_int_equal(sccp_phone_keypad(&phone, '5', &fx), -ENOTCONN);
    end(NULL);
    begin(NULL);
    start("7960", 1, 0);
    seen.log[0] = 0;
    assert_int_equal(sccp_phone_hook(&phone, true, &fx), 0);
    assert_int_equal(sccp_phone_keypad(&phone, '5', &fx), 0);
    assert_int_equal(sccp_phone_keypad(&phone, '#', &fx), 0);
    assert_int_equal(sccp_phone_keypad(&phone, 'x', &fx), -EINVAL);
    assert_int_equal(sccp_phone_stimulus(&phone, SCCP_BUTTON_LINE, 1, &fx), 0);
    assert_int_equal(sccp_phone_softkey(&phone, 2, &fx), 0);
    assert_int_equal(sccp_phone_hook(&phone, false, &fx), 0);
    play();
    assert_string_equal(seen.log, "OffHook KeypadButton KeypadButton Stimulus SoftKeyEvent OnHook");
}

/* ---- bytes ---- */

static void an_acknowledgement_is_read_however_it_is_cut(void **state)
{
    struct sccp_register_ack ack = {.keepalive_s = 30, .secondary_keepalive_s = 60, .protocol = 11};
    uint8_t bytes[256];
    struct writer w = writer_of(bytes, sizeof(bytes));
    size_t n;

    sccp_encode_body(SCCP_REGISTER_ACK, &ack, 11, &w);
    sccp_encode_body(SCCP_CAPABILITIES_REQ, &ack, 11, &w);
    n = writer_len(&w);
    for (size_t cut = 0; cut <= n; cut++) {
        begin(NULL);
        servers[0].mute = true;
        start("7960", 1, 0);
        sccp_phone_input(&phone, 0, bytes, cut, now_ms, &fx);
        assert_int_equal(phone.state, cut < 32 ? PHONE_REGISTERING : PHONE_CONFIGURING);
        for (size_t i = cut; i < n; i++)
            sccp_phone_input(&phone, 0, bytes + i, 1, now_ms, &fx);
        assert_int_equal(phone.state, PHONE_CONFIGURING);
        assert_int_equal(phone.links[0].n_partial, 0);
        end(NULL);
    }
}

static void a_frame_of_impossible_length_closes_the_connection(void **state)
{
    static const uint8_t bytes[] = {0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0};

    start("7960", 1, 0);
    sccp_phone_input(&phone, 0, bytes, sizeof(bytes), now_ms, &fx);
    play();
    assert_string_equal(seen.events, "registered lost:13");
}

static void garbage_never_breaks_a_phone(void **state)
{
    uint8_t bytes[700];
    uint32_t seed = 5;

    for (unsigned i = 0; i < 3000; i++) {
        size_t n = sizeof(bytes);

        begin(NULL);
        start(i % 2 ? "7960" : "7975", 1, 0);
        for (size_t j = 0; j < n; j++)
            bytes[j] = (uint8_t)((seed = seed * 1103515245 + 12345) >> 16);
        bytes[0] = (uint8_t)(seed >> 8 & 0xfc);
        bytes[1] = seed & 1;
        bytes[2] = bytes[3] = 0;
        bytes[8] = (uint8_t)(0x80 + i % 0x80);
        bytes[9] = i & 1;
        bytes[10] = bytes[11] = 0;
        sccp_phone_input(&phone, 0, bytes, n, now_ms, &fx);
        effects_clear(&fx);
        end(NULL);
    }
}

/* ---- faults ---- */

static void faults_do_what_their_names_say(void **state)
{
    start("7960", 1, 1u << FAULT_LOST_KEEPALIVES);
    run_for(200000);
    assert_int_equal(servers[0].n_keepalives, 0);
    assert_string_equal(seen.events, "registered");
    end(NULL);
    begin(NULL);
    start("7961", 1, 1u << FAULT_WRONG_TYPE);
    assert_int_equal(seen.last_register.device_type, 308);
    end(NULL);
    begin(NULL);
    start("7960", 1, 1u << FAULT_SILENT);
    assert_string_equal(seen.log, "");
    end(NULL);
    begin(NULL);
    start("7960", 1, 1u << FAULT_HALF_MESSAGE);
    assert_string_equal(seen.log, "Alarm");
    end(NULL);
    begin(NULL);
    start("7960", 1, 1u << FAULT_NO_CAPABILITIES);
    assert_null(strstr(seen.log, "CapabilitiesRes"));
}

static void the_display_shows_what_happens(void **state)
{
    char date[16], time[16];

    servers[0].mute = true;
    start("7960", 1, 0);
    assert_string_equal(screen_prompt(&screen), "Registering");
    end(NULL);
    begin(NULL);
    start("7960", 1, 0);
    assert_string_equal(screen.keys[0].number, "1001");
    screen_time(&screen, now_ms + 60000, date, sizeof(date), time, sizeof(time));
    assert_string_equal(time, "05:08");
    assert_string_equal(date, "21.11.26");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
        TEST(a_7960_asks_one_thing_after_the_other),
        TEST(a_7975_asks_several_things_at_once),
        TEST(a_12sp_speaks_the_dialect_of_callmanager_2),
        TEST(a_7912_registers_as_captured),
        TEST(every_sccp_model_registers),
        TEST(the_first_keepalive_comes_an_interval_after_the_acknowledgement),
        TEST(the_backup_gets_a_connection_after_ten_seconds_and_a_keepalive_each_minute),
        TEST(a_server_that_stops_answering_keepalives_is_left),
        TEST(delayed_failover_waits_three_intervals),
        TEST(normal_failover_learns_how_long_answers_take),
        TEST(a_path_that_jitters_makes_it_patient_but_never_more_than_delayed),
        TEST(callmanager_2_answers_no_keepalive_and_is_not_left),
        TEST(when_the_primary_goes_the_phone_registers_on_its_standby_connection),
        TEST(it_falls_back_with_a_token_after_forty_seconds),
        TEST(a_phone_that_must_not_leave_during_a_call_asks_for_its_way_back_again),
        TEST(a_token_of_a_server_that_went_meanwhile_is_forgotten),
        TEST(a_refused_token_is_asked_for_again_when_the_wait_is_over),
        TEST(a_token_without_an_answer_is_given_up_and_asked_for_later),
        TEST(a_standby_connection_that_breaks_during_the_move_is_no_way),
        TEST(with_the_first_server_closed_it_takes_the_second),
        TEST(with_all_servers_closed_it_asks_for_its_files_after_two_rounds),
        TEST(a_register_without_an_answer_times_out_after_thirty_seconds),
        TEST(a_refusal_is_shown_and_tried_again_as_measured),
        TEST(a_refused_phone_without_a_file_reads_again),
        TEST(reset_and_restart_unregister_first),
        TEST(apply_configuration_leaves_it_registered),
        TEST(with_a_call_up_the_server_keeps_it),
        TEST(a_goodbye_without_an_answer_ends_after_five_seconds),
        TEST(keys_are_sent_when_it_is_registered_only),
        TEST(an_acknowledgement_is_read_however_it_is_cut),
        TEST(a_frame_of_impossible_length_closes_the_connection),
        TEST(garbage_never_breaks_a_phone),
        TEST(faults_do_what_their_names_say),
        TEST(the_display_shows_what_happens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
