/* doctor_kit.h - scenes of a few lines: sights made by hand, and what the doctor says of them.
 *
 *   struct scenery k = scenery_new();
 *   dora(&k, 1, true);                    phone 1 boots: DHCP with option 150
 *   wait_s(&k, 1);
 *   file_missing(&k, 1, "SEP001122330001.cnf.xml");
 *   causes_are(&k, 1, "files-unknown-phone");
 *
 * Phone n has the MAC address 00:11:22:33:00:0n, the address 10.0.0.n0 and the name SEP00112233000n. */
#pragma once

#include "test.h"

#include "doctor/check/check.h"
#include "doctor/report/report.h"

#define SERVER_A 0x0a000001 /* 10.0.0.1: DHCP, files, first server */
#define SERVER_B 0x0a000002
#define ROUTER   0x0a0000fe
#define MASK     0xffffff00
#define NOBODY   0xffffffff /* of option 150: 0.0.0.0 */

struct scenery {
    struct timeline *t;
    int64_t now; /* ns */
    uint64_t number;
    uint32_t flow;
    uint8_t capture;
    uint16_t vlan;
    uint8_t dscp;
};

static inline struct scenery scenery_new(void)
{
    return (struct scenery){.t = timeline_new(), .now = 1700000000LL * SECOND};
}

static inline void wait_ns(struct scenery *k, int64_t ns)
{
    k->now += ns;
}

static inline void wait_s(struct scenery *k, double s)
{
    k->now += (int64_t)(s * 1e9);
}

static inline struct mac kit_mac(unsigned phone)
{
    return mac_of_number(0x001122330000ull + phone);
}

static inline uint32_t kit_ip(unsigned phone)
{
    return 0x0a000000u + phone * 16;
}

static inline const char *kit_name(unsigned phone)
{
    static char name[4][16];
    static unsigned turn;

    snprintf(name[turn %= 4], 16, "SEP00112233%04X", phone);
    return name[turn++];
}

/* A sight between a phone and a server's port; `from_phone` says who sends. */
static inline struct sight kit_sight(struct scenery *k, enum sight_kind kind, unsigned phone, uint16_t port, uint32_t server,
                                     uint16_t server_port, bool from_phone)
{
    struct endpoint p = {ip_v4(kit_ip(phone)), port}, s = {ip_v4(server), server_port};
    struct mac gateway = mac_of_number(0x0200000000feull);

    return (struct sight){.kind = kind,
                          .from_client = from_phone,
                          .at = {.number = ++k->number,
                                 .capture = k->capture,
                                 .time_ns = k->now,
                                 .vlan = k->vlan,
                                 .dscp = k->dscp,
                                 .ttl = 64,
                                 .from_mac = from_phone ? kit_mac(phone) : gateway,
                                 .to_mac = from_phone ? gateway : kit_mac(phone),
                                 .from = from_phone ? p : s,
                                 .to = from_phone ? s : p}};
}

/* ---- link ---- */

static inline void cdp_phone(struct scenery *k, unsigned phone)
{
    struct cdp m = {.from = kit_mac(phone)};
    struct sight s = {.kind = SIGHT_CDP, .cdp = &m, .at = {.number = ++k->number, .time_ns = k->now}};

    cdp_set_platform(&m, TEXT("Cisco IP Phone 7960"));
    cdp_set_capabilities(&m, CDP_CAPABLE_PHONE | CDP_CAPABLE_HOST);
    cdp_set_version(&m, TEXT("P00308000500"));
    timeline_see(k->t, &s);
}

static inline void cdp_from(struct scenery *k, struct mac from, uint16_t vlan)
{
    struct cdp m = {.from = from};
    struct sight s = {.kind = SIGHT_CDP, .cdp = &m, .at = {.number = ++k->number, .time_ns = k->now}};

    cdp_set_device_id(&m, TEXT("sw4"));
    cdp_set_port_id(&m, TEXT("Fa0/7"));
    if (vlan)
        cdp_set_voice_vlan(&m, (struct cdp_voice){1, vlan});
    timeline_see(k->t, &s);
}

static inline void cdp_switch(struct scenery *k, uint16_t vlan)
{
    cdp_from(k, mac_of_number(0x0200000000aaull), vlan);
}

static inline void arp(struct scenery *k, enum arp_op op, struct mac from, uint32_t from_ip, struct mac to, uint32_t to_ip)
{
    struct arp a = {op, from, to, from_ip, to_ip};
    struct sight s = {.kind = SIGHT_ARP, .arp = &a, .at = {.number = ++k->number, .time_ns = k->now, .vlan = k->vlan,
                                                           .from_mac = from}};

    timeline_see(k->t, &s);
}

/* ---- DHCP ---- */

struct dhcp_contents {
    uint32_t server, router, mask, boot, address; /* 0: left out */
};

static inline void dhcp(struct scenery *k, unsigned phone, enum dhcp_type type, const struct dhcp_contents *c)
{
    static struct dhcp_message m;
    bool asks = type == DHCP_DISCOVER || type == DHCP_REQUEST || type == DHCP_DECLINE || type == DHCP_INFORM;
    struct sight s = kit_sight(k, SIGHT_DHCP, phone, 68, c ? c->server : SERVER_A, 67, asks);

    dhcp_init(&m, asks ? DHCP_BOOTREQUEST : DHCP_BOOTREPLY, k->vlan << 16 | phone, kit_mac(phone));
    dhcp_set_type(&m, type);
    if (asks) {
        dhcp_set_vendor_class(&m, TEXT("Cisco Systems, Inc. IP Phone CP-7960"));
        dhcp_set_parameters(&m, TEXT("\x01\x42\x06\x03\x0f\x96"));
        s.at.from.ip = ip_v4(0);
    } else {
        dhcp_set_server_id(&m, c->server);
        m.yiaddr = c->address ? c->address : kit_ip(phone);
        if (c->mask)
            dhcp_set_subnet_mask(&m, c->mask);
        if (c->router)
            dhcp_set_routers(&m, (struct dhcp_addresses){1, {c->router}});
        if (c->boot)
            dhcp_set_tftp_servers(&m, (struct dhcp_addresses){1, {c->boot == NOBODY ? 0 : c->boot}});
    }
    s.dhcp = &m;
    timeline_see(k->t, &s);
}

static inline void dora(struct scenery *k, unsigned phone, bool boot)
{
    struct dhcp_contents c = {SERVER_A, ROUTER, MASK, boot ? SERVER_A : 0, 0};

    dhcp(k, phone, DHCP_DISCOVER, NULL);
    wait_s(k, 0.01);
    dhcp(k, phone, DHCP_OFFER, &c);
    wait_s(k, 0.01);
    dhcp(k, phone, DHCP_REQUEST, NULL);
    wait_s(k, 0.01);
    dhcp(k, phone, DHCP_ACK, &c);
}

/* ---- DNS ---- */

static inline void dns(struct scenery *k, unsigned phone, const char *name, bool answer, unsigned rcode, uint32_t address)
{
    static struct dns_message m;
    struct sight s = kit_sight(k, SIGHT_DNS, phone, 40000, SERVER_A, 53, !answer);

    dns_init(&m, 7);
    m.has_question = true;
    m.type = DNS_A;
    m.response = answer;
    m.rcode = (uint8_t)rcode;
    snprintf(m.name, sizeof(m.name), "%s", name);
    if (address)
        dns_add(&m, DNS_ANSWER, name, DNS_A, 60)->ip = ip_v4(address);
    s.dns = &m;
    timeline_see(k->t, &s);
}

/* ---- files ---- */

static inline void tftp(struct scenery *k, unsigned phone, uint32_t flow, struct tftp_packet p, bool from_phone, uint32_t server)
{
    struct sight s = kit_sight(k, SIGHT_TFTP, phone, 50000, server, p.op == TFTP_RRQ ? 69 : 40001, from_phone);

    s.flow = flow;
    s.tftp = &p;
    timeline_see(k->t, &s);
}

static inline uint32_t file_ask(struct scenery *k, unsigned phone, const char *name)
{
    tftp(k, phone, ++k->flow, (struct tftp_packet){.op = TFTP_RRQ, .file = text_of(name)}, true, SERVER_A);
    return k->flow;
}

static inline void file_missing(struct scenery *k, unsigned phone, const char *name)
{
    uint32_t flow = file_ask(k, phone, name);

    wait_s(k, 0.002);
    tftp(k, phone, flow, (struct tftp_packet){.op = TFTP_ERROR, .error = 1, .message = TEXT("File not found")}, false, SERVER_A);
}

static inline void file_comes(struct scenery *k, unsigned phone, const char *name, const char *content)
{
    uint32_t flow = file_ask(k, phone, name);
    struct sight s;

    wait_s(k, 0.002);
    tftp(k, phone, flow, (struct tftp_packet){.op = TFTP_DATA, .block = 1, .data = text_of(content)}, false, SERVER_A);
    wait_s(k, 0.001);
    tftp(k, phone, flow, (struct tftp_packet){.op = TFTP_ACK, .block = 1}, true, SERVER_A);
    s = kit_sight(k, SIGHT_FILE, phone, 50000, SERVER_A, 40001, false);
    k->number--; /* no packet of its own */
    s.flow = flow;
    s.file.name = text_of(name);
    s.file.content = text_of(content);
    s.file.size = strlen(content);
    s.file.whole = true;
    timeline_see(k->t, &s);
}

#define CONFIG(server)                                                                                                        \
    "<device><devicePool><callManagerGroup><members><member priority=\"0\"><callManager><ports><ethernetPhonePort>2000"        \
    "</ethernetPhonePort></ports><processNodeName>" server                                                                    \
    "</processNodeName></callManager></member></members></callManagerGroup></devicePool>"                                     \
    "<versionStamp>1</versionStamp></device>"

/* ---- TCP ---- */

static inline void tcp(struct scenery *k, unsigned phone, uint32_t server, uint32_t flow, enum tcp_sign sign, bool from_phone,
                       double after_s, unsigned again)
{
    struct sight s = kit_sight(k, SIGHT_TCP, phone, (uint16_t)(50000 + flow), server, 2000, from_phone);

    s.flow = flow;
    s.tcp.sign = sign;
    s.tcp.after_ns = (int64_t)(after_s * 1e9);
    s.tcp.again = again;
    timeline_see(k->t, &s);
}

static inline uint32_t tcp_open(struct scenery *k, unsigned phone, uint32_t server)
{
    uint32_t flow = ++k->flow;

    tcp(k, phone, server, flow, TCP_OPENING, true, 0, 0);
    wait_s(k, 0.001);
    tcp(k, phone, server, flow, TCP_ACCEPTED, false, 0.001, 0);
    wait_s(k, 0.001);
    tcp(k, phone, server, flow, TCP_CONNECTED, true, 0.002, 0);
    return flow;
}

/* ---- SCCP ---- */

static inline void sccp(struct scenery *k, unsigned phone, uint32_t server, uint32_t flow, const struct sccp_message *m)
{
    struct sight s = kit_sight(k, SIGHT_SCCP, phone, (uint16_t)(50000 + flow), server, 2000,
                               sccp_message_from(m->id) == SCCP_FROM_PHONE);

    s.flow = flow;
    s.sccp = m;
    timeline_see(k->t, &s);
}

static inline void sccp_say(struct scenery *k, unsigned phone, uint32_t server, uint32_t flow, uint32_t id)
{
    static struct sccp_message m;

    memset(&m, 0, sizeof(m));
    m.id = id;
    sccp(k, phone, server, flow, &m);
}

static inline void sccp_register(struct scenery *k, unsigned phone, uint32_t server, uint32_t flow)
{
    static struct sccp_message m;

    memset(&m, 0, sizeof(m));
    m.id = SCCP_REGISTER_REQ;
    snprintf(m.register_req.device_name, sizeof(m.register_req.device_name), "%s", kit_name(phone));
    m.register_req.device_type = 7;
    sccp(k, phone, server, flow, &m);
}

static inline void sccp_accept(struct scenery *k, unsigned phone, uint32_t server, uint32_t flow, uint32_t interval)
{
    static struct sccp_message m;

    memset(&m, 0, sizeof(m));
    m.id = SCCP_REGISTER_ACK;
    m.register_ack.keepalive_s = interval;
    sccp(k, phone, server, flow, &m);
    sccp_say(k, phone, server, flow, SCCP_CAPABILITIES_REQ);
    sccp_say(k, phone, server, flow, SCCP_CAPABILITIES_RES);
    sccp_say(k, phone, server, flow, SCCP_TIME_DATE_REQ);
    sccp_say(k, phone, server, flow, SCCP_DEFINE_TIME_DATE);
}

static inline void sccp_reject(struct scenery *k, unsigned phone, uint32_t server, uint32_t flow, const char *text)
{
    static struct sccp_message m;

    memset(&m, 0, sizeof(m));
    m.id = SCCP_REGISTER_REJECT;
    snprintf(m.register_reject.text, sizeof(m.register_reject.text), "%s", text);
    sccp(k, phone, server, flow, &m);
}

static inline void keepalive(struct scenery *k, unsigned phone, uint32_t server, uint32_t flow, bool answered)
{
    sccp_say(k, phone, server, flow, SCCP_KEEPALIVE);
    wait_s(k, 0.002);
    if (answered)
        sccp_say(k, phone, server, flow, SCCP_KEEPALIVE_ACK);
    wait_s(k, 29.998);
}

/* Boots, fetches its file, registers with server A. Its connection. */
static inline uint32_t registered_phone(struct scenery *k, unsigned phone)
{
    char name[40];
    uint32_t flow;

    dora(k, phone, true);
    wait_s(k, 0.1);
    snprintf(name, sizeof(name), "CTL%s.tlv", kit_name(phone));
    file_missing(k, phone, name);
    wait_s(k, 0.1);
    snprintf(name, sizeof(name), "%s.cnf.xml", kit_name(phone));
    file_comes(k, phone, name, CONFIG("10.0.0.1"));
    wait_s(k, 0.1);
    flow = tcp_open(k, phone, SERVER_A);
    sccp_register(k, phone, SERVER_A, flow);
    wait_s(k, 0.002);
    sccp_accept(k, phone, SERVER_A, flow, 30);
    return flow;
}

/* … and sends three keepalives. */
static inline uint32_t healthy_phone(struct scenery *k, unsigned phone)
{
    uint32_t flow = registered_phone(k, phone);

    wait_s(k, 30);
    for (int i = 0; i < 3; i++)
        keepalive(k, phone, SERVER_A, flow, true);
    return flow;
}

/* ---- the verdict ---- */

/* All causes found for the phone (0: the capture), those in doubt with a '?', by blanks. Ends the scene. */
static inline void causes_are_with(struct scenery *k, unsigned phone, const char *expected, const struct diagnose_options *o)
{
    char got[400] = "";
    struct diagnosis d;
    struct sight tick = kit_sight(k, SIGHT_LOST + 1, 0, 0, 0, 0, true); /* the capture goes on: time passes */
    const struct story *s;

    timeline_see(k->t, &tick);
    timeline_end(k->t, 0);
    assert_int_equal(diagnose(k->t, o, &d), 0);
    s = phone ? timeline_mac(k->t, kit_mac(phone)) : NULL;
    assert_true(!phone || s);
    for (size_t i = 0; i < d.n; i++)
        if (d.findings[i].phone == (s ? s->id : 0)) {
            if (got[0])
                strcat(got, " ");
            strcat(got, cause_row(d.findings[i].cause)->name);
            strcat(got, d.findings[i].certain ? "" : "?");
        }
    if (strcmp(got, expected)) {
        struct grow g = {0};

        report_text(&(struct report_view){.timeline = k->t, .diagnosis = &d, .verbose = true}, &g);
        print_message("%s\n", g.at ? g.at : "");
        grow_done(&g);
    }
    assert_string_equal(got, expected);
    diagnosis_done(&d);
}

/* The gravest finding of the phone; its detail in English. Ends the scene. */
static inline struct finding first_finding(struct scenery *k, unsigned phone, char detail[static SAY_MAX])
{
    struct finding found;
    struct diagnosis d;
    size_t n;

    timeline_end(k->t, 0);
    assert_int_equal(diagnose(k->t, NULL, &d), 0);
    found = *diagnosis_of(&d, timeline_mac(k->t, kit_mac(phone))->id, &n);
    assert_true(n);
    say(found.detail, LANGUAGE_EN, detail);
    diagnosis_done(&d);
    timeline_free(k->t);
    k->t = NULL;
    return found;
}

static inline void causes_are(struct scenery *k, unsigned phone, const char *expected)
{
    causes_are_with(k, phone, expected, NULL);
    timeline_free(k->t);
    k->t = NULL;
}
