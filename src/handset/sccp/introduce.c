/* introduce.c - how a phone introduces itself: its alarm, Register, the token; see
 * parts.h. */
#include "handset/sccp/parts.h"

#include <stdio.h>

#define DRIBBLES 24 /* single bytes at the beginning of a Register that dribbles */

/* ---- alarms ---- */

static void text_alarm(struct sccp_phone *p, unsigned link, bool numbered, struct effects *fx)
{
    struct sccp_alarm a = {.severity = p->reason == PHONE_REASON_INITIALIZED
                                           ? SCCP_ALARM_INFORMATIONAL
                                           : SCCP_ALARM_WARNING,
                           .parm1 = 0x00010800, /* as in every captured one */
                           .parm2 = p->address};
    char number[8] = "";

    if (numbered)
        snprintf(number, sizeof(number), "%u: ", p->reason);
    snprintf(a.text, sizeof(a.text), "%sName=%s Load=%.24s Last=%s", number, p->name.s,
             phone_load(p), phone_reason_words(p->reason));
    phone_put(p, link, SCCP_ALARM, &a, fx);
}

static void write_last(struct writer *w, const char *name, const char *way, bool known, uint32_t id)
{
    const char *words = known ? sccp_message_name(id) : NULL;

    if (words)
        write_format(w, "<String name=\"%s\">%s:%s</String>", name, way, words);
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
    write_format(&w, "<String name=\"IPv4DefaultGateway\">%s</String>",
                 ip_print(a->router, router));
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
    write_format(&w, "<String name=\"ReasonForOutOfServiceText\">%s</String>",
                 phone_reason_words(p->reason));
    write_last(&w, "LastProtocolEventSent", "Sent", p->has_said, p->last_sent);
    write_last(&w, "LastProtocolEventReceived", "Rcvd", p->has_heard, p->last_heard);
    write_format(&w, "<String name=\"ActiveInterface\">Ethernet</String>");
    write_format(&w, "</ParameterList></Alarm></x-cisco-alarm>");
    if (w.bad)
        return;
    alarm.xml = (struct text){xml, writer_len(&w)};
    phone_put(p, link, SCCP_ENHANCED_ALARM, &alarm, fx);
}

void phone_send_alarm(struct sccp_phone *p, unsigned link, struct effects *fx)
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
    struct sccp_register_req r = {.instance = 1,
                                  .address = p->address,
                                  .device_type = k->type,
                                  .max_streams = k->model->max_streams,
                                  .protocol = k->version,
                                  .max_lines = k->model->max_lines};
    struct writer w = writer_of(to, size);
    size_t body;
    struct mac mac;

    memcpy(r.device_name, p->name.s, sizeof(p->name.s));
    memcpy(r.features, k->habits->features, 3);
    if (device_name_mac(p->name, &mac) == 0)
        memcpy(r.mac, mac.bytes, 6);
    text_copy(r.load, sizeof(r.load), text_of(phone_load(p)));
    memcpy(r.config_version, k->config_version, sizeof(k->config_version));
    sccp_encode_body(SCCP_REGISTER_REQ, &r, k->version, &w);
    body = writer_len(&w) - SCCP_HEADER_SIZE;
    if (body >
        k->habits->register_size) /* loads of one protocol version differ in where they stop */
        body = k->habits->register_size;
    if (phone_is_faulty(p, FAULT_SHORT_REGISTER))
        body = 16;
    to[0] = (uint8_t)(body + 4);
    return body + SCCP_HEADER_SIZE;
}

void phone_ask_registration(struct sccp_phone *p, unsigned link, uint64_t now_ms,
                            struct effects *fx)
{
    static const uint8_t unknown[] = {8, 0, 0, 0, 0, 0, 0, 0, 0xed, 0xfe, 0, 0, 1, 2, 3, 4};
    static const uint8_t longest[] = {0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0, 1, 0, 0, 0};
    static const char garbage[] = "GET / HTTP/1.0\r\nHost: phone\r\n\r\n";
    bool alarmed = p->state == PHONE_ALARMED;
    uint8_t message[256];
    size_t n;

    p->state = PHONE_REGISTERING;
    p->active = (uint8_t)link;
    p->version = p->kind->version;
    p->due_ms = now_ms + SCCP_REGISTER_MS;
    p->links[link].due_ms = UINT64_MAX;
    phone_show(p, fx, "Registering");
    if (phone_is_faulty(p, FAULT_SILENT))
        return;
    if (phone_is_faulty(p, FAULT_GARBAGE)) {
        phone_put_bytes(link, garbage, sizeof(garbage) - 1, fx);
        return;
    }
    if (phone_is_faulty(p, FAULT_LONG_MESSAGE)) {
        phone_put_bytes(link, longest, sizeof(longest), fx);
        return;
    }
    if (phone_is_faulty(p, FAULT_UNKNOWN_MESSAGE))
        phone_put_bytes(link, unknown, sizeof(unknown), fx);
    if (!alarmed)
        phone_send_alarm(p, link, fx);
    n = build_register(p, message, sizeof(message));
    if (phone_is_faulty(p, FAULT_HALF_MESSAGE))
        n /= 2;
    if (phone_is_faulty(p, FAULT_DRIBBLE)) {
        for (size_t i = 0; i < DRIBBLES; i++)
            phone_put_bytes(link, message + i, 1, fx);
        phone_put_bytes(link, message + DRIBBLES, n - DRIBBLES, fx);
    } else {
        phone_put_bytes(link, message, n, fx);
    }
    phone_tell(fx, PHONE_EVENT_ASKED);
}

void phone_ask_token(struct sccp_phone *p, unsigned link, struct effects *fx)
{
    if (p->kind->model->generation == MODEL_SPA) {
        struct sccp_spcp_register_token_req r = {
            .instance = 1, .address = p->address, .device_type = p->kind->type};

        memcpy(r.device_name, p->name.s, sizeof(p->name.s));
        phone_put(p, link, SCCP_SPCP_REGISTER_TOKEN_REQ, &r, fx);
    } else {
        struct sccp_register_token_req r = {
            .instance = 1, .address = p->address, .device_type = p->kind->type};

        memcpy(r.device_name, p->name.s, sizeof(p->name.s));
        phone_put(p, link, SCCP_REGISTER_TOKEN_REQ, &r, fx);
    }
}
