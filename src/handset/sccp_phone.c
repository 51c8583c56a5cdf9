/* sccp_phone.c - states and moves of a registering phone; see sccp_phone.h. */
#include "handset/sccp_phone.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "handset/sccp_habits.h"
#include "handset/screen.h"
#include "wire/sccp/message.h"

#define CONNECT_MS     20000 /* a SYN without an answer; the next server then */
#define REGISTER_MS    30000 /* Register without an answer, or a ladder that stalls */
#define GOODBYE_MS     5000
#define STANDBY_MS     10000 /* after registering, as traced */
#define STANDBY_AGAIN_MS 60000
#define FALLBACK_MS    40000 /* until a lost primary is tried again, as traced */
#define BETWEEN_MS     5000
#define RETURN_MS      1000  /* after a connection that was up broke */
#define KEEPALIVE_S    30    /* before the server says otherwise */
#define STANDBY_S      60
#define MAX_UNANSWERED 3     /* keepalives */
#define FLAP_MS        5000
#define DRIBBLES       24    /* single bytes at the beginning of a Register that dribbles */

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static bool faulty(const struct sccp_phone *p, enum fault f)
{
    return fault_is_on(p->kind->faults, f);
}

/* ---- telling ---- */

static void tell(struct effects *fx, enum phone_event event)
{
    effects_add(fx, EFFECT_STATE)->number = event;
}

static void tell_text(struct effects *fx, enum phone_event event, const char *words)
{
    uint32_t at = fx->n;

    effects_text(fx, EFFECT_STATE, "%s", words);
    if (at < fx->n)
        fx->items[at].number = event;
}

static void show(struct sccp_phone *p, struct effects *fx, const char *words)
{
    if (!p->screen)
        return;
    screen_status(p->screen, words);
    effects_add(fx, EFFECT_LCD);
}

/* ---- sending ---- */

static void put(struct sccp_phone *p, unsigned link, uint32_t id, const void *body, struct effects *fx)
{
    struct writer w = effects_writer(fx);
    struct effect *last = fx->n ? &fx->items[fx->n - 1] : NULL;
    struct effect *e;

    if (sccp_encode_body(id, body, p->version, &w) < 0) {
        fx->full = true;
        return;
    }
    if (last && last->type == EFFECT_SEND && last->link == link && last->at + last->len == fx->used) {
        last->len += (uint32_t)writer_len(&w); /* one segment for what is said in one breath */
        fx->used += (uint32_t)writer_len(&w);
        return;
    }
    e = effects_add(fx, EFFECT_SEND);
    e->link = (uint8_t)link;
    effects_bytes(fx, e, &w);
}

static void put_bytes(unsigned link, const void *bytes, size_t n, struct effects *fx)
{
    struct writer w = effects_writer(fx);
    struct effect *e = effects_add(fx, EFFECT_SEND);

    write_bytes(&w, bytes, n);
    e->link = (uint8_t)link;
    effects_bytes(fx, e, &w);
}

static void put_number(struct sccp_phone *p, uint32_t id, uint32_t number, struct effects *fx)
{
    put(p, p->active, id, &number, fx); /* messages of one word */
}

static void put_empty(struct sccp_phone *p, unsigned link, uint32_t id, struct effects *fx)
{
    uint64_t nothing[2] = {0};

    put(p, link, id, nothing, fx);
}

/* ---- links ---- */

static void forget_partial(struct phone_link *l)
{
    free(l->partial);
    l->partial = NULL;
    l->n_partial = l->partial_room = 0;
}

static void link_down(struct phone_link *l)
{
    forget_partial(l);
    l->state = PHONE_LINK_CLOSED;
    l->due_ms = UINT64_MAX;
    l->unanswered = 0;
}

static void link_close(struct sccp_phone *p, unsigned link, struct effects *fx)
{
    if (p->links[link].state == PHONE_LINK_CLOSED)
        return;
    link_down(&p->links[link]);
    effects_add(fx, EFFECT_CLOSE)->link = (uint8_t)link;
}

static void link_open(struct sccp_phone *p, unsigned link, unsigned server, uint64_t now_ms, struct effects *fx)
{
    struct effect *e;

    link_close(p, link, fx);
    p->links[link].state = PHONE_LINK_OPENING;
    p->links[link].server = (uint8_t)server;
    p->links[link].due_ms = now_ms + CONNECT_MS;
    e = effects_add(fx, EFFECT_CONNECT);
    e->link = (uint8_t)link;
    e->to = p->servers[server];
}

/* ---- alarms ---- */

static const struct name reason_words[] = {
    {PHONE_REASON_TCP_TIMEOUT,          "TCP-timeout"},
    {PHONE_REASON_TCP_RESET,            "CM-reset-TCP"},
    {PHONE_REASON_TCP_ABORTED,          "CM-aborted-TCP"},
    {PHONE_REASON_TCP_CLOSED,           "CM-closed-TCP"},
    {PHONE_REASON_KEEPALIVE,            "KeepaliveTO"},
    {PHONE_REASON_LOST_ADDRESS,         "LostIP"},
    {PHONE_REASON_REGISTRATION_TIMEOUT, "LastTimeRegistrationTimeOut"},
    {PHONE_REASON_FALLBACK,             "Failback"},
    {PHONE_REASON_USER_RESET,           "Phone-Keypad"},
    {PHONE_REASON_RESET,                "Reset-Reset"},
    {PHONE_REASON_RESTART,              "Reset-Restart"},
    {PHONE_REASON_REJECTED,             "LastTimePhoneRegRej"},
    {PHONE_REASON_INITIALIZED,          "Initialized"},
    {PHONE_REASON_VLAN,                 "Voice-VLAN-Changed"},
    {PHONE_REASON_APPLY_CONFIG,         "apply_config"},
    {0, NULL}};

const char *phone_reason_words(unsigned reason)
{
    const char *words = names_print(reason_words, reason);

    return words ? words : "Unknown";
}

static void text_alarm(struct sccp_phone *p, unsigned link, bool numbered, struct effects *fx)
{
    struct sccp_alarm a = {.severity = p->reason == PHONE_REASON_INITIALIZED ? SCCP_ALARM_INFORMATIONAL
                                                                             : SCCP_ALARM_WARNING,
                           .parm1 = 0x00010800, /* as in every captured one */
                           .parm2 = p->address};
    char number[8] = "";

    if (numbered)
        snprintf(number, sizeof(number), "%u: ", p->reason);
    snprintf(a.text, sizeof(a.text), "%sName=%s Load=%.24s Last=%s", number, p->name.s, p->kind->load,
             phone_reason_words(p->reason));
    put(p, link, SCCP_ALARM, &a, fx);
}

static void xml_alarm(struct sccp_phone *p, unsigned link, struct effects *fx)
{
    static const struct phone_surroundings nowhere = {.vlan = 4095, .dns_status = {4, 4, 4}};
    const struct phone_surroundings *a = p->around ? p->around : &nowhere;
    char xml[2048], own[IP_TEXT_MAX], router[IP_TEXT_MAX], server[IP_TEXT_MAX];
    struct writer w = writer_of(xml, sizeof(xml));
    struct sccp_enhanced_alarm alarm;

    write_format(&w, "<x-cisco-alarm><Alarm Name=\"LastOutOfServiceInformation\"><ParameterList>");
    write_format(&w, "<String name=\"DeviceName\">%s</String>", p->name.s);
    write_format(&w, "<String name=\"DeviceIPv4Address\">%s/%d</String>", ip_print(p->address, own),
                 __builtin_popcount(ip_v4_number(a->mask)));
    write_format(&w, "<String name=\"IPv4DefaultGateway\">%s</String>", ip_print(a->router, router));
    write_format(&w, "<String name=\"ModelNumber\">CP-%s</String>", p->kind->model->name);
    write_format(&w, "<String name=\"NeighborDeviceID\">%s</String>", a->neighbour);
    write_format(&w, "<String name=\"NeighborPortID\">%s</String>", a->neighbour_port);
    write_format(&w, "<Enum name=\"DHCPv4Status\">1</Enum><Enum name=\"TFTPCfgStatus\">1</Enum>");
    for (unsigned i = 0; i < PHONE_SERVERS; i++)
        write_format(&w, "<Enum name=\"DNSStatusUnifiedCM%u\">%u</Enum>", i + 1, a->dns_status[i]);
    write_format(&w, "<UnsignedInt name=\"VoiceVLAN\">%u</UnsignedInt>", a->vlan);
    write_format(&w, "<String name=\"UnifiedCMIPAddress\">%s</String>",
                 ip_print(p->servers[p->links[link].server].ip, server));
    write_format(&w, "<Enum name=\"ReasonForOutOfService\">%u</Enum>", p->reason);
    write_format(&w, "<String name=\"ReasonForOutOfServiceText\">%s</String>", phone_reason_words(p->reason));
    write_format(&w, "<String name=\"ActiveInterface\">Ethernet</String>");
    write_format(&w, "</ParameterList></Alarm></x-cisco-alarm>");
    if (w.bad)
        return;
    alarm.xml = (struct text){xml, writer_len(&w)};
    put(p, link, SCCP_ENHANCED_ALARM, &alarm, fx);
}

static void send_alarm(struct sccp_phone *p, unsigned link, struct effects *fx)
{
    switch (p->kind->habits->alarm) {
    case ALARM_NONE:
        break;
    case ALARM_TEXT:
    case ALARM_NUMBERED:
        text_alarm(p, link, p->kind->habits->alarm == ALARM_NUMBERED, fx);
        break;
    case ALARM_XML:
        xml_alarm(p, link, fx);
        break;
    }
}

/* ---- Register ---- */

static size_t build_register(struct sccp_phone *p, uint8_t *to, size_t size)
{
    const struct phone_kind *k = p->kind;
    struct sccp_register_req r = {.instance = 1, .address = p->address, .device_type = k->type,
                                  .max_streams = k->model->max_streams, .protocol = k->version,
                                  .max_lines = k->model->max_lines};
    struct writer w = writer_of(to, size);
    size_t body;
    struct mac mac;

    memcpy(r.device_name, p->name.s, sizeof(p->name.s));
    memcpy(r.features, k->habits->features, 3);
    if (device_name_mac(p->name, &mac) == 0)
        memcpy(r.mac, mac.bytes, 6);
    memcpy(r.load, k->load, sizeof(k->load) <= sizeof(r.load) ? sizeof(k->load) : sizeof(r.load));
    memcpy(r.config_version, k->config_version, sizeof(k->config_version));
    sccp_encode_body(SCCP_REGISTER_REQ, &r, k->version, &w);
    body = writer_len(&w) - SCCP_HEADER_SIZE;
    if (body > k->habits->register_size) /* loads of one protocol version differ in where they stop */
        body = k->habits->register_size;
    if (faulty(p, FAULT_SHORT_REGISTER))
        body = 16;
    to[0] = (uint8_t)(body + 4);
    return body + SCCP_HEADER_SIZE;
}

static void ask_registration(struct sccp_phone *p, unsigned link, uint64_t now_ms, struct effects *fx)
{
    static const uint8_t unknown[] = {8, 0, 0, 0, 0, 0, 0, 0, 0xed, 0xfe, 0, 0, 1, 2, 3, 4};
    static const uint8_t longest[] = {0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0, 1, 0, 0, 0};
    static const char garbage[] = "GET / HTTP/1.0\r\nHost: phone\r\n\r\n";
    uint8_t message[256];
    size_t n;

    p->state = PHONE_REGISTERING;
    p->active = (uint8_t)link;
    p->version = p->kind->version;
    p->due_ms = now_ms + REGISTER_MS;
    p->links[link].due_ms = UINT64_MAX;
    show(p, fx, "Registering");
    if (faulty(p, FAULT_SILENT))
        return;
    if (faulty(p, FAULT_GARBAGE)) {
        put_bytes(link, garbage, sizeof(garbage) - 1, fx);
        return;
    }
    if (faulty(p, FAULT_LONG_MESSAGE)) {
        put_bytes(link, longest, sizeof(longest), fx);
        return;
    }
    if (faulty(p, FAULT_UNKNOWN_MESSAGE))
        put_bytes(link, unknown, sizeof(unknown), fx);
    send_alarm(p, link, fx);
    n = build_register(p, message, sizeof(message));
    if (faulty(p, FAULT_HALF_MESSAGE))
        n /= 2;
    if (faulty(p, FAULT_DRIBBLE)) {
        for (size_t i = 0; i < DRIBBLES; i++)
            put_bytes(link, message + i, 1, fx);
        put_bytes(link, message + DRIBBLES, n - DRIBBLES, fx);
    } else {
        put_bytes(link, message, n, fx);
    }
    tell(fx, PHONE_EVENT_ASKED);
}

static void ask_token(struct sccp_phone *p, unsigned link, struct effects *fx)
{
    if (p->kind->model->generation == MODEL_SPA) {
        struct sccp_spcp_register_token_req r = {.instance = 1, .address = p->address, .device_type = p->kind->type};

        memcpy(r.device_name, p->name.s, sizeof(p->name.s));
        put(p, link, SCCP_SPCP_REGISTER_TOKEN_REQ, &r, fx);
    } else {
        struct sccp_register_token_req r = {.instance = 1, .address = p->address, .device_type = p->kind->type};

        memcpy(r.device_name, p->name.s, sizeof(p->name.s));
        put(p, link, SCCP_REGISTER_TOKEN_REQ, &r, fx);
    }
}

/* ---- from one server to the next ---- */

static void open_server(struct sccp_phone *p, unsigned link, unsigned server, uint64_t now_ms, struct effects *fx)
{
    char words[IP_TEXT_MAX + 16], address[IP_TEXT_MAX];

    p->state = PHONE_CONNECTING;
    p->active = (uint8_t)link;
    p->due_ms = p->standby_due_ms = UINT64_MAX;
    link_open(p, link, server, now_ms, fx);
    ip_print(p->servers[server].ip, address);
    snprintf(words, sizeof(words), "Opening %s", address);
    show(p, fx, words);
    tell_text(fx, PHONE_EVENT_OPENING, address);
}

/* All servers failed: a pause, and after the second round the files are read again. */
static void next_server(struct sccp_phone *p, uint64_t now_ms, struct effects *fx)
{
    unsigned next = (p->links[p->active].server + 1u) % p->n_servers;

    p->failures++;
    if (p->failures >= 2 * p->n_servers) {
        p->state = PHONE_OFF;
        p->due_ms = UINT64_MAX;
        tell(fx, PHONE_EVENT_NO_SERVER);
    } else if (p->failures % p->n_servers == 0) {
        p->state = PHONE_BETWEEN;
        p->due_ms = now_ms + BETWEEN_MS;
    } else {
        open_server(p, p->active, next, now_ms, fx);
    }
}

static void lost(struct sccp_phone *p, enum phone_reason reason, uint64_t now_ms, struct effects *fx)
{
    unsigned other = 1u - p->active;
    bool was_registered = p->state == PHONE_REGISTERED || p->state == PHONE_CONFIGURING;
    struct effect *e;

    link_close(p, p->active, fx);
    p->reason = (uint8_t)reason;
    e = effects_add(fx, EFFECT_STATE);
    e->number = PHONE_EVENT_LOST;
    e->link = (uint8_t)reason;
    if (p->screen)
        screen_clear(p->screen);
    if (was_registered && p->links[other].state == PHONE_LINK_OPEN) {
        ask_registration(p, other, now_ms, fx); /* the standby connection was there all along */
    } else if (was_registered && p->n_servers == 1) {
        p->state = PHONE_BETWEEN;
        p->due_ms = now_ms + RETURN_MS;
    } else {
        link_close(p, other, fx);
        next_server(p, now_ms, fx);
    }
}

/* ---- the ladder ---- */

static unsigned step_items(const struct sccp_phone *p, enum phone_step step)
{
    switch (step) {
    case STEP_LINES:
    case STEP_FORWARDS:
        return p->n_lines;
    case STEP_LINES_AND_FORWARDS:
        return 2u * p->n_lines;
    case STEP_SPEED_DIALS:
        return p->n_speed_dials;
    case STEP_FEATURES:
        return p->n_features;
    case STEP_SERVICES:
        return p->n_services;
    case STEP_MEDIA_PATHS:
        return 3;
    default:
        return 1;
    }
}

static void send_capabilities(struct sccp_phone *p, struct effects *fx)
{
    static const uint8_t codecs[] = {SCCP_CODEC_WIDEBAND_256K, SCCP_CODEC_G722_64K, SCCP_CODEC_G711_ULAW_64K,
                                     SCCP_CODEC_G711_ALAW_64K, SCCP_CODEC_G729B, SCCP_CODEC_G729AB,
                                     SCCP_CODEC_G729, SCCP_CODEC_G729A};
    unsigned first = p->kind->version >= 11 ? 0 : 2;
    struct sccp_capabilities_res r = {.count = sizeof(codecs) - first};

    for (unsigned i = 0; i < r.count; i++)
        r.audio[i] = (struct sccp_audio_capability){.codec = codecs[first + i], .max_frames = 60};
    put(p, p->active, SCCP_CAPABILITIES_RES, &r, fx);
}

static void send_media_path(struct sccp_phone *p, unsigned item, struct effects *fx)
{
    struct sccp_media_path_event off = {SCCP_PATH_HEADSET, SCCP_OFF}, on = {SCCP_PATH_HANDSET, SCCP_ON};
    struct sccp_media_path_capability speaker = {SCCP_PATH_SPEAKER, SCCP_PATH_ENABLE};

    if (item == 0)
        put(p, p->active, SCCP_MEDIA_PATH_EVENT, &off, fx);
    else if (item == 1)
        put(p, p->active, SCCP_MEDIA_PATH_EVENT, &on, fx);
    else
        put(p, p->active, SCCP_MEDIA_PATH_CAPABILITY, &speaker, fx);
}

/* Sends one question; returns whether an answer is waited for. */
static bool send_step(struct sccp_phone *p, enum phone_step step, unsigned item, struct effects *fx)
{
    switch (step) {
    case STEP_IP_PORT:
        put_number(p, SCCP_IP_PORT, 0x5000, fx);
        return false;
    case STEP_CAPABILITIES:
        if (!faulty(p, FAULT_NO_CAPABILITIES))
            send_capabilities(p, fx);
        return false;
    case STEP_HEADSET:
        put_number(p, SCCP_HEADSET_STATUS, SCCP_OFF, fx);
        return false;
    case STEP_BUTTONS:
        put_empty(p, p->active, SCCP_BUTTON_TEMPLATE_REQ, fx);
        return true;
    case STEP_SOFTKEYS:
        put_empty(p, p->active, SCCP_SOFTKEY_TEMPLATE_REQ, fx);
        return true;
    case STEP_SOFTKEY_SETS:
        put_empty(p, p->active, SCCP_SOFTKEY_SET_REQ, fx);
        return true;
    case STEP_CONFIG:
        put_empty(p, p->active, SCCP_CONFIG_STAT_REQ, fx);
        return true;
    case STEP_LINES:
        put_number(p, SCCP_LINE_STAT_REQ, item + 1, fx);
        return true;
    case STEP_LINES_AND_FORWARDS:
        put_number(p, item % 2 ? SCCP_FORWARD_STAT_REQ : SCCP_LINE_STAT_REQ, item / 2 + 1, fx);
        return true;
    case STEP_FORWARDS:
        put_number(p, SCCP_FORWARD_STAT_REQ, item + 1, fx);
        return true;
    case STEP_SPEED_DIALS:
        put_number(p, SCCP_SPEED_DIAL_STAT_REQ, item + 1, fx);
        return p->kind->habits->answers_speed_dials;
    case STEP_FEATURES: {
        struct sccp_feature_stat_req r = {.index = p->features[item], .capabilities = 1};

        put(p, p->active, SCCP_FEATURE_STAT_REQ, &r, fx);
        return true;
    }
    case STEP_SERVICES:
        put_number(p, SCCP_SERVICE_URL_STAT_REQ, item + 1, fx);
        return true;
    case STEP_VERSION:
        put_empty(p, p->active, SCCP_VERSION_REQ, fx);
        return true;
    case STEP_SERVERS:
        put_empty(p, p->active, SCCP_SERVER_REQ, fx);
        return true;
    case STEP_AVAILABLE:
        put_number(p, SCCP_REGISTER_AVAILABLE_LINES, p->kind->habits->pipelined ? p->n_lines : 0, fx);
        return false;
    case STEP_TIME:
        put_empty(p, p->active, SCCP_TIME_DATE_REQ, fx);
        return true;
    case STEP_MEDIA_PATHS:
        send_media_path(p, item, fx);
        return false;
    case STEP_END:
    case STEP_BARRIER:
    case N_PHONE_STEPS:
        break;
    }
    return false;
}

/* The step that a message answers; STEP_END: none. */
static enum phone_step answered_step(const struct sccp_phone *p, const struct sccp_message *m)
{
    switch (m->id) {
    case SCCP_BUTTON_TEMPLATE:
        return STEP_BUTTONS;
    case SCCP_SOFTKEY_TEMPLATE:
        return STEP_SOFTKEYS;
    case SCCP_SOFTKEY_SET:
        return STEP_SOFTKEY_SETS;
    case SCCP_CONFIG_STAT:
    case SCCP_CONFIG_STAT_V2:
        return STEP_CONFIG;
    case SCCP_LINE_STAT:
    case SCCP_LINE_STAT_V2:
        return p->waiting[STEP_LINES] ? STEP_LINES : STEP_LINES_AND_FORWARDS;
    case SCCP_FORWARD_STAT:
        return p->waiting[STEP_FORWARDS] ? STEP_FORWARDS : STEP_LINES_AND_FORWARDS;
    case SCCP_SPEED_DIAL_STAT:
    case SCCP_SPEED_DIAL_STAT_V2:
        return STEP_SPEED_DIALS;
    case SCCP_FEATURE_STAT:
    case SCCP_FEATURE_STAT_V2:
        return STEP_FEATURES;
    case SCCP_SERVICE_URL_STAT:
    case SCCP_SERVICE_URL_STAT_V2:
        return STEP_SERVICES;
    case SCCP_VERSION:
        return STEP_VERSION;
    case SCCP_SERVER_RES:
        return STEP_SERVERS;
    case SCCP_DEFINE_TIME_DATE:
        return STEP_TIME;
    default:
        return STEP_END;
    }
}

static void registered(struct sccp_phone *p, uint64_t now_ms, struct effects *fx)
{
    p->state = PHONE_REGISTERED;
    p->failures = 0;
    p->due_ms = faulty(p, FAULT_FLAP) ? now_ms + FLAP_MS : UINT64_MAX;
    if (p->n_servers > 1)
        p->standby_due_ms = now_ms + (p->links[p->active].server ? FALLBACK_MS : STANDBY_MS);
    show(p, fx, "");
    tell(fx, PHONE_EVENT_REGISTERED);
}

static void climb(struct sccp_phone *p, uint64_t now_ms, struct effects *fx)
{
    const struct phone_habits *h = p->kind->habits;

    while (p->state == PHONE_CONFIGURING) {
        enum phone_step step = h->ladder[p->step];

        if (p->n_waiting && (!h->pipelined || step == STEP_BARRIER || step == STEP_END))
            return;
        if (step == STEP_END) {
            registered(p, now_ms, fx);
            return;
        }
        if (step == STEP_CAPABILITIES && !p->asked_capabilities)
            return;
        if (step == STEP_BARRIER || p->item >= step_items(p, step)) {
            p->step++;
            p->item = 0;
            continue;
        }
        if (send_step(p, step, p->item++, fx)) {
            p->waiting[step]++;
            p->n_waiting++;
        }
    }
}

static void note_answer(struct sccp_phone *p, const struct sccp_message *m)
{
    enum phone_step step = answered_step(p, m);

    if (step == STEP_END || !p->waiting[step])
        return;
    p->waiting[step]--;
    p->n_waiting--;
}

/* The highest instance of each kind of key says how much there is to ask for. */
static void take_buttons(struct sccp_phone *p, const struct sccp_button_template *m)
{
    p->n_lines = p->n_speed_dials = p->n_features = p->n_services = 0;
    for (uint32_t i = 0; i < m->count && i < 56; i++) {
        uint8_t type = m->buttons[i].type, instance = m->buttons[i].instance;

        if (type == SCCP_BUTTON_LINE && instance > p->n_lines && instance <= 56)
            p->n_lines = instance;
        else if (type == SCCP_BUTTON_SPEED_DIAL && instance > p->n_speed_dials && instance <= 99)
            p->n_speed_dials = instance;
        else if (type == SCCP_BUTTON_SERVICE_URL && instance > p->n_services && instance <= 56)
            p->n_services = instance;
        else if ((type == SCCP_BUTTON_FEATURE || type == SCCP_BUTTON_BLF_SPEED_DIAL) && p->n_features < 8)
            p->features[p->n_features++] = instance;
    }
}

/* ---- what the server says ---- */

static void on_ack(struct sccp_phone *p, const struct sccp_register_ack *m, uint64_t now_ms, struct effects *fx)
{
    if (p->state != PHONE_REGISTERING)
        return;
    p->state = PHONE_CONFIGURING;
    p->version = m->protocol < p->kind->version ? m->protocol : p->kind->version;
    p->keepalive_s = m->keepalive_s && m->keepalive_s <= 3600 ? (uint16_t)m->keepalive_s : KEEPALIVE_S;
    p->standby_s = m->secondary_keepalive_s && m->secondary_keepalive_s <= 3600 ? (uint16_t)m->secondary_keepalive_s
                                                                                : STANDBY_S;
    p->step = p->item = p->n_waiting = 0;
    memset(p->waiting, 0, sizeof(p->waiting));
    p->asked_capabilities = false;
    p->n_lines = p->n_speed_dials = p->n_features = p->n_services = 0;
    p->due_ms = now_ms + REGISTER_MS;
    p->links[p->active].due_ms = now_ms + p->keepalive_s * 1000ull; /* the first one an interval after this */
    p->links[p->active].unanswered = 0;
    tell(fx, PHONE_EVENT_ACKED);
}

static void on_reject(struct sccp_phone *p, const struct sccp_register_reject *m, uint64_t now_ms, struct effects *fx)
{
    char shown[128], words[64];
    struct writer w = writer_of(words, sizeof(words) - 1);

    sccp_label_expand(text_of(m->text), &w);
    words[writer_len(&w)] = 0;
    snprintf(shown, sizeof(shown), "Registration Rejected: %s", words);
    link_close(p, p->active, fx);
    p->state = PHONE_REJECTED;
    p->reason = PHONE_REASON_REJECTED;
    p->due_ms = now_ms + p->kind->habits->reject_wait_ms;
    p->standby_due_ms = UINT64_MAX;
    if (p->screen)
        screen_clear(p->screen);
    show(p, fx, shown);
    tell_text(fx, PHONE_EVENT_REJECTED, words);
}

static void after_goodbye(struct sccp_phone *p, uint64_t now_ms, struct effects *fx)
{
    enum phone_event event = p->leaving;

    for (unsigned i = 0; i < PHONE_LINKS; i++)
        link_close(p, i, fx);
    p->state = PHONE_OFF;
    p->due_ms = p->standby_due_ms = UINT64_MAX;
    if (p->screen)
        screen_clear(p->screen);
    tell(fx, event);
}

/* Unregistered here: register on the other link, whose token was granted. */
static void fall_back(struct sccp_phone *p, uint64_t now_ms, struct effects *fx)
{
    unsigned other = 1u - p->active;

    link_close(p, p->active, fx);
    if (p->screen)
        screen_clear(p->screen);
    p->reason = PHONE_REASON_FALLBACK;
    ask_registration(p, other, now_ms, fx);
}

static void on_goodbye(struct sccp_phone *p, uint64_t now_ms, struct effects *fx)
{
    if (p->leaving == PHONE_EVENT_OPENED)
        fall_back(p, now_ms, fx);
    else
        after_goodbye(p, now_ms, fx);
}

static void on_reset(struct sccp_phone *p, uint32_t kind, uint64_t now_ms, struct effects *fx)
{
    if (kind == SCCP_RESET_APPLY)
        tell(fx, PHONE_EVENT_APPLY);
    else if (kind == SCCP_RESET_FULL)
        sccp_phone_leave(p, PHONE_REASON_RESET, PHONE_EVENT_RESET, now_ms, fx);
    else if (kind == SCCP_RESET_RESTART)
        sccp_phone_leave(p, PHONE_REASON_RESTART, PHONE_EVENT_RESTART, now_ms, fx);
}

static void on_token(struct sccp_phone *p, unsigned link, uint64_t now_ms, struct effects *fx)
{
    if (p->state == PHONE_ASKING_TOKEN && link == p->active) {
        ask_registration(p, link, now_ms, fx);
    } else if (p->state == PHONE_REGISTERED && link != p->active) {
        p->state = PHONE_LEAVING;
        p->leaving = PHONE_EVENT_OPENED; /* no goodbye: the way to the better server */
        p->due_ms = now_ms + GOODBYE_MS;
        put_empty(p, p->active, SCCP_UNREGISTER, fx);
    }
}

static void on_no_token(struct sccp_phone *p, unsigned link, uint32_t wait_s, uint64_t now_ms, struct effects *fx)
{
    uint64_t again = now_ms + (wait_s ? wait_s : 60) * 1000ull;

    if (p->state == PHONE_ASKING_TOKEN && link == p->active)
        p->due_ms = again;
    else if (p->state == PHONE_REGISTERED && link != p->active)
        p->standby_due_ms = again;
}

static void on_keepalive_ack(struct sccp_phone *p, unsigned link, uint64_t now_ms, struct effects *fx)
{
    struct effect *e;

    if (!p->links[link].unanswered)
        return;
    p->links[link].unanswered = 0;
    e = effects_add(fx, EFFECT_STATE);
    e->number = PHONE_EVENT_KEEPALIVE;
    e->link = (uint8_t)link;
    e->to.port = (uint16_t)(now_ms - p->links[link].asked_ms);
}

static void on_load(struct sccp_phone *p, const char *load, struct effects *fx)
{
    if (*load && strncmp(load, p->kind->load, 16) != 0)
        tell_text(fx, PHONE_EVENT_LOAD, load);
}

static void on_message(struct sccp_phone *p, unsigned link, const struct sccp_message *m, uint64_t now_ms,
                       struct effects *fx)
{
    switch (m->id) {
    case SCCP_REGISTER_ACK:
        on_ack(p, &m->register_ack, now_ms, fx);
        break;
    case SCCP_REGISTER_REJECT:
        if (link == p->active)
            on_reject(p, &m->register_reject, now_ms, fx);
        return;
    case SCCP_CAPABILITIES_REQ:
        if (p->state == PHONE_CONFIGURING && !p->asked_capabilities)
            p->asked_capabilities = true;
        else if (p->state >= PHONE_CONFIGURING && !faulty(p, FAULT_NO_CAPABILITIES))
            send_capabilities(p, fx);
        break;
    case SCCP_KEEPALIVE_ACK:
        on_keepalive_ack(p, link, now_ms, fx);
        return;
    case SCCP_RESET:
        on_reset(p, m->reset.kind, now_ms, fx);
        return;
    case SCCP_UNREGISTER_ACK:
        if (p->state != PHONE_LEAVING)
            return;
        if (m->unregister_ack.status == SCCP_UNREGISTER_NOT_NOW) {
            p->state = PHONE_REGISTERED; /* a call is up: it stays */
            p->due_ms = UINT64_MAX;
        } else {
            on_goodbye(p, now_ms, fx);
        }
        return;
    case SCCP_REGISTER_TOKEN_ACK:
    case SCCP_SPCP_REGISTER_TOKEN_ACK:
        on_token(p, link, now_ms, fx);
        return;
    case SCCP_REGISTER_TOKEN_REJECT:
        on_no_token(p, link, m->register_token_reject.wait_s, now_ms, fx);
        return;
    case SCCP_SPCP_REGISTER_TOKEN_REJECT:
        on_no_token(p, link, m->spcp_register_token_reject.wait_s, now_ms, fx);
        return;
    case SCCP_BUTTON_TEMPLATE:
        take_buttons(p, &m->button_template);
        break;
    case SCCP_VERSION:
        on_load(p, m->version.load, fx);
        break;
    case SCCP_CALL_STATE:
        p->line = m->call_state.line;
        p->call = m->call_state.state == SCCP_STATE_ON_HOOK ? 0 : m->call_state.call;
        break;
    default:
        break;
    }
    if (link != p->active)
        return;
    note_answer(p, m);
    if (p->screen && screen_message(p->screen, m, now_ms))
        effects_add(fx, EFFECT_LCD);
    climb(p, now_ms, fx);
}

/* ---- bytes ---- */

static int keep_partial(struct phone_link *l, const struct reader *rest)
{
    size_t n = reader_left(rest);
    uint8_t *room = l->partial;

    if (!n) {
        forget_partial(l);
        return 0;
    }
    if (n > l->partial_room) {
        room = malloc(n);
        if (!room)
            return -ENOMEM;
    }
    memmove(room, rest->at, n);
    if (room != l->partial) {
        free(l->partial);
        l->partial = room;
        l->partial_room = (uint16_t)n;
    }
    l->n_partial = (uint16_t)n;
    return 0;
}

static int read_frames(struct sccp_phone *p, unsigned link, struct reader *stream, uint64_t now_ms,
                       struct effects *fx)
{
    struct phone_link *l = &p->links[link];
    struct sccp_frame frame;
    struct sccp_message m;
    int more;

    while ((more = sccp_frame_next(stream, &frame)) == 1) {
        if (sccp_decode(&frame, p->version, SCCP_FROM_SERVER, &m) == 0)
            on_message(p, link, &m, now_ms, fx);
        if (l->state != PHONE_LINK_OPEN)
            return 0; /* closed by what was read */
    }
    return more;
}

void sccp_phone_input(struct sccp_phone *p, unsigned link, const void *bytes, size_t len, uint64_t now_ms,
                      struct effects *fx)
{
    struct phone_link *l = &p->links[link];
    uint8_t joined[SCCP_FRAME_MAX * 2];
    const uint8_t *at = bytes;
    struct reader stream;
    int err = 0;

    if (l->state != PHONE_LINK_OPEN)
        return;
    while (len && !err && l->state == PHONE_LINK_OPEN) {
        size_t kept = l->n_partial, n = kept + len > sizeof(joined) ? sizeof(joined) - kept : len;

        if (kept) {
            memcpy(joined, l->partial, kept);
            memcpy(joined + kept, at, n);
            stream = reader_of(joined, kept + n);
        } else {
            n = len;
            stream = reader_of(at, n);
        }
        at += n;
        len -= n;
        err = read_frames(p, link, &stream, now_ms, fx);
        if (!err && l->state == PHONE_LINK_OPEN)
            err = keep_partial(l, &stream);
    }
    if (err < 0 && l->state == PHONE_LINK_OPEN) {
        if (link == p->active)
            lost(p, PHONE_REASON_TCP_ABORTED, now_ms, fx);
        else
            link_close(p, link, fx);
    }
}

void sccp_phone_opened(struct sccp_phone *p, unsigned link, uint64_t now_ms, struct effects *fx)
{
    struct phone_link *l = &p->links[link];

    if (l->state != PHONE_LINK_OPENING)
        return;
    l->state = PHONE_LINK_OPEN;
    l->due_ms = UINT64_MAX;
    if (link != p->active) {
        tell(fx, PHONE_EVENT_STANDBY);
        l->due_ms = now_ms + p->standby_s * 1000ull;
        if (l->server < p->links[p->active].server)
            ask_token(p, link, fx);
        return;
    }
    tell(fx, PHONE_EVENT_OPENED);
    if (p->kind->model->quirks & MODEL_KEEPALIVE_FIRST)
        put_empty(p, link, SCCP_KEEPALIVE, fx);
    if (p->kind->model->quirks & MODEL_TOKEN_FIRST) {
        p->state = PHONE_ASKING_TOKEN;
        p->due_ms = now_ms + REGISTER_MS;
        ask_token(p, link, fx);
    } else {
        ask_registration(p, link, now_ms, fx);
    }
}

static enum phone_reason reason_of(int err)
{
    switch (err) {
    case 0:
        return PHONE_REASON_TCP_CLOSED;
    case -ECONNRESET:
    case -ECONNREFUSED:
    case -EPIPE:
        return PHONE_REASON_TCP_RESET;
    case -ETIMEDOUT:
        return PHONE_REASON_TCP_TIMEOUT;
    default:
        return PHONE_REASON_TCP_ABORTED;
    }
}

void sccp_phone_closed(struct sccp_phone *p, unsigned link, int err, uint64_t now_ms, struct effects *fx)
{
    bool opening = p->links[link].state == PHONE_LINK_OPENING;

    if (p->links[link].state == PHONE_LINK_CLOSED)
        return;
    link_down(&p->links[link]);
    if (link != p->active) {
        if (p->state == PHONE_REGISTERED)
            p->standby_due_ms = now_ms + STANDBY_AGAIN_MS;
        return;
    }
    if (p->state == PHONE_LEAVING)
        on_goodbye(p, now_ms, fx);
    else if (opening)
        next_server(p, now_ms, fx);
    else
        lost(p, reason_of(err), now_ms, fx);
}

/* ---- time ---- */

static void send_keepalive(struct sccp_phone *p, unsigned link, uint64_t now_ms, struct effects *fx)
{
    struct phone_link *l = &p->links[link];
    bool active = link == p->active;

    l->due_ms = now_ms + (active ? p->keepalive_s : p->standby_s) * 1000ull;
    if (active && faulty(p, FAULT_LOST_KEEPALIVES))
        return;
    /* The backup answers by TCP alone, and so does CallManager 2. */
    if (active && p->version && l->unanswered >= MAX_UNANSWERED) {
        lost(p, PHONE_REASON_KEEPALIVE, now_ms, fx);
        return;
    }
    if (l->unanswered < MAX_UNANSWERED)
        l->unanswered++;
    l->asked_ms = now_ms;
    put_empty(p, link, SCCP_KEEPALIVE, fx);
}

static void link_tick(struct sccp_phone *p, unsigned link, uint64_t now_ms, struct effects *fx)
{
    struct phone_link *l = &p->links[link];

    if (now_ms < l->due_ms)
        return;
    if (l->state == PHONE_LINK_OPENING) {
        link_close(p, link, fx);
        if (link == p->active)
            next_server(p, now_ms, fx);
        else
            p->standby_due_ms = now_ms + STANDBY_AGAIN_MS;
    } else if (l->state == PHONE_LINK_OPEN) {
        send_keepalive(p, link, now_ms, fx);
    } else {
        l->due_ms = UINT64_MAX;
    }
}

/* The second link leads to the first server that is not the one of the registration. */
static void standby(struct sccp_phone *p, uint64_t now_ms, struct effects *fx)
{
    unsigned other = 1u - p->active, server = p->links[p->active].server ? 0 : 1;

    p->standby_due_ms = UINT64_MAX;
    if (p->state != PHONE_REGISTERED || server >= p->n_servers)
        return;
    if (p->links[other].state == PHONE_LINK_OPEN && server == 0)
        ask_token(p, other, fx); /* refused before; the wait is over */
    else if (p->links[other].state == PHONE_LINK_CLOSED)
        link_open(p, other, server, now_ms, fx);
}

static void state_due(struct sccp_phone *p, uint64_t now_ms, struct effects *fx)
{
    p->due_ms = UINT64_MAX;
    switch ((enum phone_state)p->state) {
    case PHONE_REGISTERING:
    case PHONE_CONFIGURING:
        p->state = PHONE_REGISTERING; /* not yet registered: the standby connection is not for this */
        if (faulty(p, FAULT_SILENT) || faulty(p, FAULT_HALF_MESSAGE))
            return; /* sleeps on */
        lost(p, PHONE_REASON_REGISTRATION_TIMEOUT, now_ms, fx);
        break;
    case PHONE_ASKING_TOKEN:
        ask_token(p, p->active, fx);
        p->due_ms = now_ms + REGISTER_MS;
        break;
    case PHONE_LEAVING:
        on_goodbye(p, now_ms, fx);
        break;
    case PHONE_REJECTED:
        open_server(p, p->active, p->links[p->active].server, now_ms, fx);
        break;
    case PHONE_BETWEEN:
        open_server(p, p->active, 0, now_ms, fx);
        break;
    case PHONE_REGISTERED:
        if (faulty(p, FAULT_FLAP))
            sccp_phone_leave(p, PHONE_REASON_USER_RESET, PHONE_EVENT_RESTART, now_ms, fx);
        break;
    case PHONE_OFF:
    case PHONE_CONNECTING:
    case N_PHONE_STATES:
        break;
    }
}

void sccp_phone_tick(struct sccp_phone *p, uint64_t now_ms, struct effects *fx)
{
    for (unsigned i = 0; i < PHONE_LINKS; i++)
        link_tick(p, i, now_ms, fx);
    if (now_ms >= p->standby_due_ms)
        standby(p, now_ms, fx);
    if (now_ms >= p->due_ms)
        state_due(p, now_ms, fx);
    if (p->screen && screen_tick(p->screen, now_ms))
        effects_add(fx, EFFECT_LCD);
}

uint64_t sccp_phone_due(const struct sccp_phone *p)
{
    uint64_t due = earlier(p->due_ms, p->standby_due_ms);

    for (unsigned i = 0; i < PHONE_LINKS; i++)
        due = earlier(due, p->links[i].due_ms);
    return p->screen ? earlier(due, screen_due(p->screen)) : due;
}

/* ---- beginning and end ---- */

void phone_kind_init(struct phone_kind *ret, const struct model *model, const char *load, uint32_t faults)
{
    *ret = (struct phone_kind){.model = model, .habits = phone_habits_of(model), .type = model->type,
                               .version = model->version, .faults = faults};
    text_copy(ret->load, sizeof(ret->load), text_of(load ? load : model->default_load[PROTOCOL_SCCP]));
    if (fault_is_on(faults, FAULT_WRONG_TYPE)) /* the classic: a 7961 that is a 7961G-GE, and the other way round */
        ret->type = model->type == 308 ? 30018 : model->type == 30018 ? 308 : model->type == 7 ? 8 : 7;
}

void sccp_phone_init(struct sccp_phone *p, const struct phone_kind *kind, struct mac mac)
{
    *p = (struct sccp_phone){.kind = kind, .name = device_name_of_mac(mac), .due_ms = UINT64_MAX,
                             .standby_due_ms = UINT64_MAX};
    for (unsigned i = 0; i < PHONE_LINKS; i++)
        p->links[i].due_ms = UINT64_MAX;
}

void sccp_phone_done(struct sccp_phone *p)
{
    for (unsigned i = 0; i < PHONE_LINKS; i++)
        forget_partial(&p->links[i]);
}

void sccp_phone_start(struct sccp_phone *p, struct ip own, const struct endpoint *servers, unsigned n_servers,
                      enum phone_reason reason, uint64_t now_ms, struct effects *fx)
{
    sccp_phone_stop(p, fx);
    p->address = own;
    p->n_servers = (uint8_t)(n_servers < PHONE_SERVERS ? n_servers : PHONE_SERVERS);
    memcpy(p->servers, servers, p->n_servers * sizeof(*servers));
    p->reason = (uint8_t)reason;
    p->failures = 0;
    if (p->n_servers)
        open_server(p, 0, 0, now_ms, fx);
}

void sccp_phone_leave(struct sccp_phone *p, enum phone_reason reason, enum phone_event after, uint64_t now_ms,
                      struct effects *fx)
{
    bool registered_now = p->state == PHONE_REGISTERED || p->state == PHONE_CONFIGURING;

    p->reason = (uint8_t)reason;
    p->leaving = (uint8_t)after;
    if (!registered_now) {
        after_goodbye(p, now_ms, fx);
        return;
    }
    p->state = PHONE_LEAVING;
    p->due_ms = now_ms + GOODBYE_MS;
    p->standby_due_ms = UINT64_MAX;
    put_empty(p, p->active, SCCP_UNREGISTER, fx);
    if (!p->version) /* CallManager 2 does not answer */
        p->due_ms = now_ms;
    show(p, fx, "Resetting");
}

void sccp_phone_stop(struct sccp_phone *p, struct effects *fx)
{
    for (unsigned i = 0; i < PHONE_LINKS; i++)
        link_close(p, i, fx);
    p->state = PHONE_OFF;
    p->due_ms = p->standby_due_ms = UINT64_MAX;
}

/* ---- keys ---- */

static bool can_talk(const struct sccp_phone *p)
{
    return p->state == PHONE_REGISTERED;
}

int sccp_phone_keypad(struct sccp_phone *p, char key, struct effects *fx)
{
    static const char keys[] = "0123456789ABCD*#+";
    const char *at = strchr(keys, key);
    struct sccp_keypad_button m = {.line = p->line, .call = p->call};

    if (!key || !at)
        return -EINVAL;
    if (!can_talk(p))
        return -ENOTCONN;
    m.key = (uint32_t)(at - keys);
    put(p, p->active, SCCP_KEYPAD_BUTTON, &m, fx);
    return 0;
}

int sccp_phone_hook(struct sccp_phone *p, bool off, struct effects *fx)
{
    struct sccp_off_hook m = {.line = p->line, .call = p->call}; /* OnHook has the same two words */

    if (!can_talk(p))
        return -ENOTCONN;
    put(p, p->active, off ? SCCP_OFF_HOOK : SCCP_ON_HOOK, &m, fx);
    if (p->screen)
        p->screen->off_hook = off;
    return 0;
}

int sccp_phone_stimulus(struct sccp_phone *p, uint32_t button, uint32_t instance, struct effects *fx)
{
    struct sccp_stimulus m = {.stimulus = button, .instance = instance, .call = p->call};

    if (!can_talk(p))
        return -ENOTCONN;
    put(p, p->active, SCCP_STIMULUS, &m, fx);
    return 0;
}

int sccp_phone_softkey(struct sccp_phone *p, uint32_t event, struct effects *fx)
{
    struct sccp_softkey_event m = {.event = event, .line = p->call ? p->line : 0, .call = p->call};

    if (!can_talk(p))
        return -ENOTCONN;
    put(p, p->active, SCCP_SOFTKEY_EVENT, &m, fx);
    return 0;
}

const char *phone_state_name(enum phone_state state)
{
    static const char *const names[N_PHONE_STATES] = {
        [PHONE_OFF] = "off",
        [PHONE_CONNECTING] = "connecting",
        [PHONE_ASKING_TOKEN] = "asking for a token",
        [PHONE_REGISTERING] = "registering",
        [PHONE_CONFIGURING] = "configuring",
        [PHONE_REGISTERED] = "registered",
        [PHONE_LEAVING] = "leaving",
        [PHONE_REJECTED] = "rejected",
        [PHONE_BETWEEN] = "waiting",
    };

    return state < N_PHONE_STATES ? names[state] : "?";
}
