/* handset_boot.c - phones boot on a virtual wire: switch, DHCP, DNS, TFTP and HTTP are played here.
 */
#include "handset/boot/boot.h"

#include "test.h"

#include "wire/boot/arp.h"
#include "wire/boot/cdp.h"
#include "wire/boot/dhcp.h"
#include "wire/boot/dns.h"
#include "wire/boot/lldp.h"
#include "wire/boot/tftp.h"

static struct boot *boot;
static struct effects fx;
static uint64_t now_ms;

/* What the wire does, and what was seen. */
static struct {
    bool has_switch, lldp_only, dhcp_silent, dhcp_nak, tftp_silent, http_open, address_taken,
        dns_silent;
    uint16_t voice_vlan;
    uint32_t tftp_option;
    const char *dns_name;    /* the only name that is known */
    const char *dns_service; /* it offers this, on port 5070 */
    struct {
        const char *name, *content;
    } files[8];
    char log[4096]; /* what was asked, in order, separated by blanks */
    unsigned n_discovers, n_declines, n_probes, n_cdp, n_lldp;
    bool ready;
    int reboot; /* -1: no */
    uint32_t address;
    char status[2048];
} net;

static void note(const char *words)
{
    snprintf(net.log + strlen(net.log), sizeof(net.log) - strlen(net.log), "%s%s",
             *net.log ? " " : "", words);
}

static void play(void);

static void switch_hears(struct text frame)
{
    struct cdp m, answer = {.from = {{2, 0, 0, 0, 0, 1}}, .protocol = 2, .ttl = 180};
    struct lldp l = {.from = {{2, 0, 0, 0, 0, 1}},
                     .ttl = 120,
                     .has_med = true,
                     .med_device = LLDP_MED_SWITCH,
                     .med_capabilities = 3,
                     .n_policies = 1};
    struct arp a, reply;
    uint8_t bytes[512];
    int n;

    if (cdp_decode(frame.at, frame.len, &m) == 0) {
        net.n_cdp++;
        assert_true(cdp_has(&m, CDP_voice_vlan_query));
        assert_false(m.checksum_wrong);
        if (!net.has_switch || net.lldp_only)
            return;
        cdp_set_device_id(&answer, TEXT("switch"));
        cdp_set_port_id(&answer, TEXT("Fa0/4"));
        cdp_set_capabilities(&answer, CDP_CAPABLE_SWITCH);
        if (net.voice_vlan)
            cdp_set_voice_vlan(&answer, (struct cdp_voice){1, net.voice_vlan});
        n = cdp_encode(&answer, bytes, sizeof(bytes));
    } else if (arp_decode(frame.at, frame.len, &a) == 0) {
        net.n_probes++;
        if (!net.address_taken)
            return;
        reply = (struct arp){ARP_REPLY, {{2, 0, 0, 0, 0, 9}}, a.sender_mac, a.target_ip, 0};
        n = arp_encode(&reply, bytes, sizeof(bytes));
    } else {
        net.n_lldp++;
        if (!net.lldp_only)
            return;
        l.chassis = (struct lldp_id){LLDP_CHASSIS_MAC, {"\2\0\0\0\0\1", 6}};
        l.port = (struct lldp_id){LLDP_PORT_NAME, TEXT("1")};
        l.policies[0] = (struct lldp_policy){
            .application = LLDP_MED_VOICE, .tagged = true, .vlan = net.voice_vlan};
        n = lldp_encode(&l, bytes, sizeof(bytes));
    }
    assert_true(n > 0);
    boot_frame(boot, bytes, (size_t)n, now_ms, &fx);
}

static void dhcp_hears(struct text bytes)
{
    static struct dhcp_message m, r;
    uint8_t out[1472];
    int n;

    assert_int_equal(dhcp_decode(bytes.at, bytes.len, &m), 0);
    net.n_discovers += m.type == DHCP_DISCOVER;
    net.n_declines += m.type == DHCP_DECLINE;
    if (net.dhcp_silent || m.type == DHCP_DECLINE || m.type == DHCP_RELEASE)
        return;
    r = (struct dhcp_message){
        .op = DHCP_BOOTREPLY, .htype = 1, .hlen = 6, .xid = m.xid, .cookie = true};
    memcpy(r.chaddr, m.chaddr, 16);
    r.yiaddr = 0x0a000064;
    dhcp_set_type(&r, m.type == DHCP_DISCOVER ? DHCP_OFFER : net.dhcp_nak ? DHCP_NAK : DHCP_ACK);
    net.dhcp_nak = net.dhcp_nak && m.type == DHCP_DISCOVER;
    dhcp_set_server_id(&r, 0x0a000001);
    dhcp_set_lease_s(&r, 3600);
    dhcp_set_subnet_mask(&r, 0xffffff00);
    dhcp_set_routers(&r, (struct dhcp_addresses){1, {0x0a000001}});
    dhcp_set_dns_servers(&r, (struct dhcp_addresses){1, {0x0a000035}});
    dhcp_set_domain_name(&r, TEXT("example.com"));
    if (net.tftp_option)
        dhcp_set_tftp_servers(&r, (struct dhcp_addresses){1, {net.tftp_option}});
    n = dhcp_encode(&r, out, sizeof(out));
    assert_true(n > 0);
    boot_dhcp(boot, out, (size_t)n, now_ms, &fx);
}

static const char *content_of(const char *name)
{
    for (unsigned i = 0; i < 8 && net.files[i].name; i++)
        if (strcmp(net.files[i].name, name) == 0)
            return net.files[i].content;
    return NULL;
}

/* Files of less than a block. */
static void tftp_hears(const struct endpoint *to, struct text bytes)
{
    struct endpoint from = {to->ip, 40000};
    uint8_t out[600];
    struct writer w = writer_of(out, sizeof(out));
    struct tftp_packet p;
    char name[128];

    assert_int_equal(tftp_parse(bytes.at, bytes.len, &p), 0);
    if (p.op != TFTP_RRQ || net.tftp_silent)
        return;
    text_copy(name, sizeof(name), p.file);
    note(name);
    if (content_of(name))
        tftp_write_data(&w, 1, content_of(name), strlen(content_of(name)));
    else
        tftp_write_error(&w, TFTP_ERROR_NOT_FOUND, "File not found");
    boot_udp(boot, &from, out, writer_len(&w), now_ms, &fx);
}

static void dns_hears(const struct endpoint *to, struct text bytes)
{
    static struct dns_message m;
    struct dns_record *record;
    uint8_t out[512];
    int n;

    if (net.dns_silent)
        return;
    assert_int_equal(dns_decode(bytes.at, bytes.len, &m), 0);
    note(m.name);
    m.response = true;
    if (net.dns_service && m.type == DNS_SRV && strcmp(net.dns_service, m.name) == 0) {
        record = dns_add(&m, DNS_ANSWER, m.name, DNS_SRV, 60);
        record->port = 5070;
        text_copy(record->target, sizeof(record->target), text_of(net.dns_name));
    } else if (net.dns_name && strcmp(net.dns_name, m.name) == 0) {
        record = dns_add(&m, DNS_ANSWER, m.name, DNS_A, 60);
        record->ip = ip_v4(0x0a000002);
    } else {
        m.rcode = DNS_NAME_ERROR;
    }
    n = dns_encode(&m, out, sizeof(out));
    boot_udp(boot, to, out, (size_t)n, now_ms, &fx);
}

static void http_hears(struct text path)
{
    char name[128], words[160];
    const char *content;

    text_copy(name, sizeof(name), text_skip(path, 1));
    content = content_of(name);
    snprintf(words, sizeof(words), "http:%s", name);
    note(words);
    if (!net.http_open)
        boot_http(boot, 0, NULL, 0, now_ms, &fx);
    else if (content)
        boot_http(boot, 200, content, strlen(content), now_ms, &fx);
    else
        boot_http(boot, 404, NULL, 0, now_ms, &fx);
}

static void play_one(struct effect e, struct text bytes)
{
    switch (e.type) {
    case EFFECT_FRAME:
        switch_hears(bytes);
        break;
    case EFFECT_DHCP:
        dhcp_hears(bytes);
        break;
    case EFFECT_UDP:
        if (e.to.port == 53)
            dns_hears(&e.to, bytes);
        else
            tftp_hears(&e.to, bytes);
        break;
    case EFFECT_HTTP:
        http_hears(bytes);
        break;
    case EFFECT_ADDRESS:
        net.address = e.number;
        break;
    case EFFECT_STATUS:
        snprintf(net.status + strlen(net.status), sizeof(net.status) - strlen(net.status), "%.*s\n",
                 TEXT_ARG(bytes));
        break;
    case EFFECT_READY:
        net.ready = true;
        break;
    case EFFECT_REBOOT:
        net.reboot = (int)e.number;
        break;
    default:
        break;
    }
}

/* Answers may ask for more: the list is worked off until it stays empty. */
static void play(void)
{
    assert_false(fx.full);
    while (fx.n) {
        static struct effects taken;

        memcpy(&taken, &fx, sizeof(fx));
        effects_clear(&fx);
        for (uint32_t i = 0; i < taken.n; i++) {
            play_one(taken.items[i], effect_text(&taken, &taken.items[i]));
            play();
        }
    }
}

static void run_until(uint64_t end_ms)
{
    while (!net.ready && net.reboot < 0 && boot_due(boot) <= end_ms) {
        now_ms = boot_due(boot) > now_ms ? boot_due(boot) : now_ms;
        boot_tick(boot, now_ms, &fx);
        play();
    }
}

static void power_on_as(const char *model, enum device_protocol protocol, struct network stored)
{
    struct boot_options o = {.model = model_by_name(text_of(model)),
                             .protocol = protocol,
                             .mac = {{0, 0x11, 0x22, 0x33, 0x44, 0x55}},
                             .stored = stored,
                             .load = "RUNNING",
                             .on_wire = true,
                             .random = 7};

    assert_non_null(o.model);
    boot_free(boot);
    boot = boot_new(&o);
    effects_clear(&fx);
    boot_start(boot, now_ms, &fx);
    play();
    run_until(now_ms + 60000);
}

static void power_on(const char *model, struct network stored)
{
    power_on_as(model, PROTOCOL_SCCP, stored);
}

static int begin(void **state)
{
    memset(&net, 0, sizeof(net));
    net.reboot = -1;
    net.has_switch = true;
    net.tftp_option = 0x0a000002;
    now_ms = 1000;
    return 0;
}

static int end(void **state)
{
    boot_free(boot);
    boot = NULL;
    return 0;
}

#define CONFIG(server, load)                                                                       \
    "<device><devicePool><callManagerGroup><members><member "                                      \
    "priority=\"0\"><callManager><processNodeName>" server                                         \
    "</processNodeName></callManager></member></members></callManagerGroup></"                     \
    "devicePool><loadInformation>" load "</loadInformation></device>"

static void a_7961_asks_trust_lists_then_its_own_file(void **state)
{
    net.files[0].name = "SEP001122334455.cnf.xml";
    net.files[0].content = CONFIG("10.0.0.3", "");
    power_on("7961", network_factory());
    assert_true(net.ready);
    assert_string_equal(
        net.log,
        "CTLSEP001122334455.tlv ITLSEP001122334455.tlv ITLFile.tlv SEP001122334455.cnf.xml");
    assert_int_equal(boot->n_servers, 1);
    assert_int_equal(ip_v4_number(boot->servers[0].at.ip), 0x0a000003);
    assert_int_equal(boot->servers[0].at.port, 2000);
    assert_int_equal(boot->servers[0].dns, BOOT_DNS_NOT_NEEDED);
    assert_int_equal(net.address, 0x0a000064);
    assert_string_equal(boot->switch_name, "switch");
}

static void an_8841_reads_what_its_file_names_before_it_registers(void **state)
{
    net.http_open = true;
    net.files[0].name = "SEP001122334455.cnf.xml";
    net.files[0].content =
        "<device><devicePool><callManagerGroup><members><member priority=\"0\"><callManager><ports>"
        "<sipPort>5070</sipPort></ports><processNodeName>10.0.0.3</processNodeName></callManager>"
        "</member></members></callManagerGroup></devicePool><sipProfile><sipLines><line>"
        "<featureID>9</featureID><name>7001</name></line></sipLines>"
        "<dialTemplate>DR1.xml</dialTemplate><softKeyFile>SK1.xml</softKeyFile></sipProfile>"
        "<featurePolicyFile>../x</featurePolicyFile></device>";
    power_on_as("8841", PROTOCOL_SIP, network_factory());
    assert_true(net.ready);
    assert_true(strstr(net.log, "AppDialRules.xml") > strstr(net.log, "SEP001122334455.cnf.xml"));
    assert_true(strstr(net.log, "DR1.xml") && strstr(net.log, "SK1.xml"));
    assert_null(strstr(net.log, "../x"));
    assert_int_equal(boot->servers[0].as_written.sip_port, 5070);
    assert_string_equal(boot->config.lines[0].name, "7001");
}

static void a_7960_with_a_sip_load_reads_its_two_text_files(void **state)
{
    net.files[0].name = "SIPDefault.cnf";
    net.files[0].content = "proxy1_address: 10.0.0.3\ndial_template: dialplan\n";
    net.files[1].name = "SIP001122334455.cnf";
    net.files[1].content = "line1_name: 7001\n";
    power_on_as("7960", PROTOCOL_SIP, network_factory());
    assert_true(net.ready);
    assert_string_equal(net.log, "OS79XX.TXT SIPDefault.cnf SIP001122334455.cnf dialplan.xml");
    assert_string_equal(boot->config.lines[0].name, "7001");
    assert_int_equal(ip_v4_number(boot->servers[0].at.ip), 0x0a000003);
}

static void a_7960_without_a_common_file_takes_its_own(void **state)
{
    net.files[0].name = "SIP001122334455.cnf";
    net.files[0].content = "proxy1_address: 10.0.0.3\nline1_name: 7001\n";
    power_on_as("7960", PROTOCOL_SIP, network_factory());
    assert_true(net.ready);
    assert_int_equal(boot->config.n_lines, 1);
}

static void a_phone_without_its_own_file_takes_the_default(void **state)
{
    net.files[0].name = "XMLDefault.cnf.xml";
    net.files[0].content =
        "<Default><callManagerGroup><members><member priority=\"0\"><callManager><processNodeName>"
        "10.0.0.3</processNodeName></callManager></member></members></callManagerGroup></Default>";
    power_on("7961", network_factory());
    assert_true(net.ready);
    assert_true(boot->config.is_default);
    assert_true(text_ends(text_of(net.log), "SEP001122334455.cnf.xml XMLDefault.cnf.xml"));
}

static void an_unknown_phone_takes_the_tftp_server_for_its_callmanager(void **state)
{
    power_on("7975", network_factory());
    assert_true(net.ready);
    assert_true(boot->defaulted);
    assert_int_equal(ip_v4_number(boot->servers[0].at.ip), 0x0a000002);
    assert_true(strstr(net.status, "File not found XMLDefault.cnf.xml") != NULL);
}

static void a_12sp_asks_its_binary_file_without_vlan(void **state)
{
    power_on("12SP+", network_factory());
    assert_true(net.ready); /* neither file is there: the TFTP server is its CallManager */
    assert_string_equal(net.log, "SEP001122334455.cnf SEPDEFAULT.cnf");
    assert_int_equal(net.n_cdp, 0);
    assert_true(boot->defaulted);
    assert_int_equal(ip_v4_number(boot->servers[0].at.ip), 0x0a000002);
    assert_int_equal(boot->servers[0].at.port, 2000);
}

static void a_7912_asks_with_its_mac_in_lower_case(void **state)
{
    struct mac mac;

    assert_int_equal(mac_parse(TEXT("00aabbccddee"), &mac), 0);
    struct boot_options o = {.model = model_by_name(TEXT("7912")),
                             .mac = mac,
                             .stored = network_factory(),
                             .load = "RUNNING",
                             .on_wire = true};
    boot = boot_new(&o);
    boot_start(boot, now_ms, &fx);
    play();
    run_until(now_ms + 8000);
    assert_true(
        text_starts(text_of(net.log), "SEP00aabbccddee.cnf.xml XMLDefault.cnf.xml SEDDefault.cnf"));
}

static void a_6941_asks_by_http_first(void **state)
{
    net.http_open = true;
    net.files[0].name = "SEP001122334455.cnf.xml";
    net.files[0].content = CONFIG("10.0.0.3", "");
    power_on("6941", network_factory());
    assert_true(net.ready);
    assert_string_equal(
        net.log,
        "http:CTLSEP001122334455.tlv CTLSEP001122334455.tlv http:ITLSEP001122334455.tlv "
        "ITLSEP001122334455.tlv http:ITLFile.tlv ITLFile.tlv http:SEP001122334455.cnf.xml");
}

static void the_voice_vlan_of_cdp_is_used(void **state)
{
    net.voice_vlan = 110;
    net.files[0].name = "SEP001122334455.cnf.xml";
    net.files[0].content = CONFIG("10.0.0.3", "");
    power_on("7960", network_factory());
    assert_int_equal(boot->vlan, 110);
    assert_int_equal(net.n_lldp, 0);          /* a 7960 knows no LLDP */
    assert_true(now_ms < 1000 + 1500 + 1000); /* answered at once: no waiting for the time-out */
}

static void the_voice_vlan_of_lldp_med_is_used(void **state)
{
    net.lldp_only = true;
    net.voice_vlan = 120;
    net.files[0].name = "SEP001122334455.cnf.xml";
    net.files[0].content = CONFIG("10.0.0.3", "");
    power_on("7975", network_factory());
    assert_int_equal(boot->vlan, 120);
    assert_true(net.ready);
}

static void without_a_switch_it_goes_on_untagged_after_three_seconds(void **state)
{
    net.has_switch = false;
    net.files[0].name = "SEP001122334455.cnf.xml";
    net.files[0].content = CONFIG("10.0.0.3", "");
    power_on("7961", network_factory());
    assert_true(net.ready);
    assert_int_equal(boot->vlan, 0);
    assert_int_equal(net.n_cdp, 3);
    assert_in_range(now_ms, 1000 + 1500 + 3000, 1000 + 1500 + 3000 + 1000);
}

static void a_changed_voice_vlan_restarts_the_phone(void **state)
{
    struct cdp answer = {.from = {{2, 0, 0, 0, 0, 1}}, .protocol = 2, .ttl = 180};
    uint8_t bytes[256];
    int n;

    net.files[0].name = "SEP001122334455.cnf.xml";
    net.files[0].content = CONFIG("10.0.0.3", "");
    power_on("7961", network_factory());
    cdp_set_device_id(&answer, TEXT("switch"));
    cdp_set_capabilities(&answer, CDP_CAPABLE_SWITCH);
    cdp_set_voice_vlan(&answer, (struct cdp_voice){1, 99});
    n = cdp_encode(&answer, bytes, sizeof(bytes));
    boot_frame(boot, bytes, (size_t)n, now_ms, &fx);
    play();
    assert_int_equal(net.reboot, 26);
}

static void a_taken_address_is_declined(void **state)
{
    net.address_taken = true;
    power_on("7960", network_factory());
    assert_true(net.n_declines >= 2);
    assert_false(net.ready);
    assert_true(strstr(net.status, "Duplicate IP") != NULL);
}

static void a_nak_makes_it_ask_from_the_beginning(void **state)
{
    net.dhcp_nak = true;
    net.files[0].name = "SEP001122334455.cnf.xml";
    net.files[0].content = CONFIG("10.0.0.3", "");
    power_on("7960", network_factory());
    assert_true(net.ready);
    assert_int_equal(net.n_discovers, 2);
}

static void silence_of_dhcp_is_told_and_asked_again(void **state)
{
    net.dhcp_silent = true;
    power_on("7960", network_factory());
    assert_in_range(net.n_discovers, 4, 8);
    assert_true(strstr(net.status, "DHCP timeout") != NULL);
    assert_int_equal(boot->stage, BOOT_ADDRESS);
    assert_string_equal(boot_lcd(boot), "Configuring IP");
}

static void an_alternate_tftp_server_beats_dhcp(void **state)
{
    struct network stored = network_factory();

    stored.alternate_tftp = true;
    stored.tftp[0] = ip_v4(0x0a0000fe);
    net.files[0].name = "SEP001122334455.cnf.xml";
    net.files[0].content = CONFIG("10.0.0.3", "");
    power_on("7960", stored);
    assert_int_equal(ip_v4_number(boot->network.tftp[0]), 0x0a0000fe);
    assert_true(net.ready);
}

static void a_static_phone_asks_no_dhcp(void **state)
{
    struct network stored = {
        .address = ip_v4(0x0a000032), .mask = ip_v4(0xffffff00), .tftp = {ip_v4(0x0a000002)}};

    net.files[0].name = "SEP001122334455.cnf.xml";
    net.files[0].content = CONFIG("10.0.0.3", "");
    power_on("7960", stored);
    assert_true(net.ready);
    assert_int_equal(net.n_discovers, 0);
    assert_int_equal(net.address, 0x0a000032);
}

static void without_a_tftp_option_it_looks_up_ciscocm1(void **state)
{
    net.tftp_option = 0;
    net.dns_name = "CiscoCM1.example.com";
    net.files[0].name = "SEP001122334455.cnf.xml";
    net.files[0].content = CONFIG("10.0.0.3", "");
    power_on("7961", network_factory());
    assert_true(text_starts(text_of(net.log), "CiscoCM1.example.com CTLSEP"));
    assert_true(net.ready);
}

static void a_7960_without_option_and_name_asks_the_dhcp_server_itself(void **state)
{
    net.tftp_option = 0;
    power_on("7960", network_factory());
    assert_int_equal(ip_v4_number(boot->network.tftp[0]), 0x0a000001);
}

static void a_server_whose_name_is_not_known_is_dropped(void **state)
{
    net.dns_name = "cm2.example.com";
    net.files[0].name = "SEP001122334455.cnf.xml";
    net.files[0].content =
        "<device><devicePool><callManagerGroup><members>"
        "<member "
        "priority=\"0\"><callManager><processNodeName>cm1</processNodeName></callManager></member>"
        "<member "
        "priority=\"1\"><callManager><processNodeName>cm2</processNodeName></callManager></member>"
        "</members></callManagerGroup></devicePool></device>";
    power_on("7961", network_factory());
    assert_true(net.ready);
    assert_int_equal(boot->n_servers, 1);
    assert_string_equal(boot->servers[0].as_written.name, "cm2");
    assert_true(strstr(net.status, "DNS unknown host") != NULL);
}

#define SIP_CONFIG(server)                                                                         \
    "<device><devicePool><callManagerGroup><members><member priority=\"0\"><callManager>"          \
    "<processNodeName>" server "</processNodeName></callManager></member></members>"               \
    "</callManagerGroup></devicePool><transportLayerProtocol>1</transportLayerProtocol></device>"

static void a_sip_phone_looks_for_the_service_before_the_name(void **state)
{
    net.http_open = true;
    net.dns_service = "_sip._tcp.cluster.example.com";
    net.dns_name = "cm2.example.com";
    net.files[0].name = "SEP001122334455.cnf.xml";
    net.files[0].content = SIP_CONFIG("cluster");
    power_on_as("8841", PROTOCOL_SIP, network_factory());
    assert_true(net.ready);
    assert_true(strstr(net.log, "_sip._tcp.cluster.example.com cm2.example.com"));
    assert_int_equal(ip_v4_number(boot->servers[0].at.ip), 0x0a000002);
    assert_int_equal(boot->servers[0].as_written.sip_port, 5070);
    assert_string_equal(boot->servers[0].as_written.name, "cluster");
}

static void a_sip_phone_without_a_service_takes_the_name(void **state)
{
    net.http_open = true;
    net.dns_name = "cm2.example.com";
    net.files[0].name = "SEP001122334455.cnf.xml";
    net.files[0].content = SIP_CONFIG("cm2");
    power_on_as("8841", PROTOCOL_SIP, network_factory());
    assert_true(net.ready);
    assert_true(strstr(net.log, "_sip._tcp.cm2.example.com cm2.example.com"));
    assert_int_equal(boot->servers[0].as_written.sip_port, 5060);
    assert_int_equal(boot->servers[0].dns, BOOT_DNS_FINE);
}

static void another_load_is_fetched_with_all_its_parts(void **state)
{
    net.files[0].name = "SEP001122334455.cnf.xml";
    net.files[0].content = CONFIG("10.0.0.3", "SCCP41.9-4-2SR3-1S");
    net.files[1].name = "SCCP41.9-4-2SR3-1S.loads";
    net.files[1].content = "\1\2 jar41sccp.9-4-2.sbn \3 cnu41.9-4-2.sbn";
    net.files[2].name = "jar41sccp.9-4-2.sbn";
    net.files[2].content = "jar";
    net.files[3].name = "cnu41.9-4-2.sbn";
    net.files[3].content = "cnu";
    power_on("7961", network_factory());
    assert_int_equal(net.reboot, 1);
    assert_string_equal(boot->load, "SCCP41.9-4-2SR3-1S");
    assert_true(text_ends(text_of(net.log),
                          "SCCP41.9-4-2SR3-1S.loads jar41sccp.9-4-2.sbn cnu41.9-4-2.sbn"));
}

static void a_missing_part_is_told_and_the_old_load_goes_on(void **state)
{
    net.files[0].name = "SEP001122334455.cnf.xml";
    net.files[0].content = CONFIG("10.0.0.3", "SCCP41.9-4-2SR3-1S");
    net.files[1].name = "SCCP41.9-4-2SR3-1S.loads";
    net.files[1].content = "jar41sccp.9-4-2.sbn";
    power_on("7961", network_factory());
    assert_true(net.ready);
    assert_int_equal(net.reboot, -1);
    assert_string_equal(boot->load, "RUNNING");
    assert_true(strstr(net.status, "File not found jar41sccp.9-4-2.sbn") != NULL);
}

static void the_load_that_runs_is_not_fetched(void **state)
{
    net.files[0].name = "SEP001122334455.cnf.xml";
    net.files[0].content = CONFIG("10.0.0.3", "RUNNING");
    power_on("7961", network_factory());
    assert_true(net.ready);
    assert_null(strstr(net.log, "RUNNING"));
}

static void silence_of_tftp_is_told_and_the_phone_begins_again(void **state)
{
    net.tftp_silent = true;
    power_on("7961", network_factory());
    assert_true(strstr(net.status, "TFTP timeout") != NULL);
    assert_true(net.n_discovers >= 2);
}

static void a_phone_that_ran_goes_on_with_its_configuration_when_tftp_is_silent(void **state)
{
    net.files[0].name = "SEP001122334455.cnf.xml";
    net.files[0].content = CONFIG("10.0.0.3", "");
    power_on("7961", network_factory());
    assert_true(net.ready);
    net.tftp_silent = true;
    for (int i = 0; i < 2; i++) { /* both its servers are gone: it reads again, and again */
        net.ready = false;
        boot_restart(boot, now_ms, &fx);
        play();
        run_until(now_ms + 120 * 1000);
        assert_true(net.ready);
        assert_int_equal(boot->config.n_servers, 1);
    }
}

static void a_broken_own_file_is_told(void **state)
{
    net.files[0].name = "SEP001122334455.cnf.xml";
    net.files[0].content = "<device><devicePool>";
    power_on("7961", network_factory());
    assert_true(strstr(net.status, "Error verifying configuration SEP001122334455.cnf.xml") !=
                NULL);
}

static void the_lease_is_renewed_at_half_time(void **state)
{
    uint64_t booted;

    net.files[0].name = "SEP001122334455.cnf.xml";
    net.files[0].content = CONFIG("10.0.0.3", "");
    power_on("7961", network_factory());
    booted = boot->dhcp.leased_ms;
    net.ready = false;
    run_until(booted + 1800 * 1000);
    assert_int_equal(boot->dhcp.state, DHCP_CLIENT_BOUND);
    assert_int_equal(boot->dhcp.leased_ms, booted + 1800 * 1000);
    assert_false(net.ready); /* a renewal is no boot */
}

static void a_lease_that_ends_restarts_the_phone(void **state)
{
    net.files[0].name = "SEP001122334455.cnf.xml";
    net.files[0].content = CONFIG("10.0.0.3", "");
    power_on("7961", network_factory());
    net.ready = false;
    net.dhcp_silent = true;
    run_until(now_ms + 3700 * 1000);
    assert_true(net.reboot >= 0);
}

static void garbage_from_the_wire_does_nothing(void **state)
{
    uint8_t bytes[200];
    uint32_t seed = 1;
    struct endpoint from = {ip_v4(0x0a000002), 69};

    net.tftp_silent = true;
    power_on("7961", network_factory());
    for (unsigned i = 0; i < 20000; i++) {
        size_t n = i % sizeof(bytes);

        for (size_t j = 0; j < n; j++)
            bytes[j] = (uint8_t)((seed = seed * 1103515245 + 12345) >> 16);
        boot_frame(boot, bytes, n, now_ms, &fx);
        boot_dhcp(boot, bytes, n, now_ms, &fx);
        boot_udp(boot, &from, bytes, n, now_ms, &fx);
        effects_clear(&fx);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
        TEST(a_7961_asks_trust_lists_then_its_own_file),
        TEST(an_8841_reads_what_its_file_names_before_it_registers),
        TEST(a_7960_with_a_sip_load_reads_its_two_text_files),
        TEST(a_7960_without_a_common_file_takes_its_own),
        TEST(a_phone_without_its_own_file_takes_the_default),
        TEST(an_unknown_phone_takes_the_tftp_server_for_its_callmanager),
        TEST(a_12sp_asks_its_binary_file_without_vlan),
        TEST(a_7912_asks_with_its_mac_in_lower_case),
        TEST(a_6941_asks_by_http_first),
        TEST(the_voice_vlan_of_cdp_is_used),
        TEST(the_voice_vlan_of_lldp_med_is_used),
        TEST(without_a_switch_it_goes_on_untagged_after_three_seconds),
        TEST(a_changed_voice_vlan_restarts_the_phone),
        TEST(a_taken_address_is_declined),
        TEST(a_nak_makes_it_ask_from_the_beginning),
        TEST(silence_of_dhcp_is_told_and_asked_again),
        TEST(an_alternate_tftp_server_beats_dhcp),
        TEST(a_static_phone_asks_no_dhcp),
        TEST(without_a_tftp_option_it_looks_up_ciscocm1),
        TEST(a_7960_without_option_and_name_asks_the_dhcp_server_itself),
        TEST(a_server_whose_name_is_not_known_is_dropped),
        TEST(a_sip_phone_looks_for_the_service_before_the_name),
        TEST(a_sip_phone_without_a_service_takes_the_name),
        TEST(another_load_is_fetched_with_all_its_parts),
        TEST(a_missing_part_is_told_and_the_old_load_goes_on),
        TEST(the_load_that_runs_is_not_fetched),
        TEST(silence_of_tftp_is_told_and_the_phone_begins_again),
        TEST(a_phone_that_ran_goes_on_with_its_configuration_when_tftp_is_silent),
        TEST(a_broken_own_file_is_told),
        TEST(the_lease_is_renewed_at_half_time),
        TEST(a_lease_that_ends_restarts_the_phone),
        TEST(garbage_from_the_wire_does_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
