/* link.c - CDP, LLDP-MED and ARP of a phone; see stages.h. */
#include <stdio.h>

#include "handset/boot/stages.h"
#include "wire/boot/arp.h"
#include "wire/boot/cdp.h"
#include "wire/boot/lldp.h"

#define ANNOUNCE_MS 60000
#define POWER_MW    6300 /* as a 7960 and a 7941 ask */

static bool speaks_lldp(const struct boot *b)
{
    return b->options.model->generation >= MODEL_JAVA;
}

static void put_frame(struct effects *fx, const uint8_t *frame, int len)
{
    struct writer w = effects_writer(fx);

    if (len <= 0)
        return;
    write_bytes(&w, frame, (size_t)len);
    effects_bytes(fx, effects_add(fx, EFFECT_FRAME), &w);
}

static void send_cdp(struct boot *b, struct effects *fx)
{
    const struct model *model = b->options.model;
    uint8_t frame[ETHERNET_FRAME_MAX];
    char platform[48];
    struct cdp m = {.from = b->options.mac, .protocol = 2, .ttl = CDP_TTL};
    struct cdp_addresses own = {.n = 1, .at = {b->network.address}};

    snprintf(platform, sizeof(platform), "Cisco IP Phone %s", model->name);
    cdp_set_device_id(&m, text_of(b->name.s));
    if (!ip_is_any(b->network.address))
        cdp_set_addresses(&m, own);
    cdp_set_port_id(&m, text_of("Port 1"));
    cdp_set_capabilities(&m, speaks_lldp(b)
                                 ? CDP_CAPABLE_HOST | CDP_CAPABLE_PHONE | CDP_CAPABLE_RELAY
                                 : CDP_CAPABLE_HOST);
    cdp_set_version(&m, text_of(b->load));
    cdp_set_platform(&m, text_of(platform));
    cdp_set_duplex(&m, 1);
    cdp_set_voice_vlan_query(&m, (struct cdp_voice){.data = 0x20, .vlan = 0x0200});
    if (speaks_lldp(b))
        cdp_set_power_request(
            &m, (struct cdp_power_request){.id = 1, .management = 0, .n = 2, .mw = {POWER_MW, 0}});
    else
        cdp_set_power_mw(&m, POWER_MW);
    put_frame(fx, frame, cdp_encode(&m, frame, sizeof(frame)));
}

static void send_lldp(struct boot *b, struct effects *fx)
{
    const struct model *model = b->options.model;
    uint8_t frame[ETHERNET_FRAME_MAX], chassis[5] = {1};
    char title[48];
    struct lldp m = {.from = b->options.mac,
                     .ttl = 180,
                     .has_capabilities = true,
                     .has_phy = true,
                     .has_med = true,
                     .has_power = true};

    memcpy(chassis + 1, b->network.address.bytes, 4); /* zero before DHCP */
    snprintf(title, sizeof(title), "Cisco IP Phone %s", model->name);
    m.chassis = (struct lldp_id){LLDP_CHASSIS_ADDRESS, {(char *)chassis, sizeof(chassis)}};
    m.port = (struct lldp_id){LLDP_PORT_MAC, {(char *)b->options.mac.bytes, 6}};
    m.port_description = text_of("SW PORT");
    m.system_name = text_of(b->name.s);
    m.system_description = text_of(title);
    m.capabilities = m.enabled = LLDP_CAPABLE_BRIDGE | LLDP_CAPABLE_TELEPHONE;
    m.autonegotiation = 3;
    m.advertised = 0x6c01;
    m.mau = 16; /* 100BASE-TX full duplex */
    m.med_capabilities =
        LLDP_MED_CAPABILITIES | LLDP_MED_POLICY | LLDP_MED_POWER_PD | LLDP_MED_INVENTORY;
    m.med_device = LLDP_MED_PHONE;
    m.policies[0] = (struct lldp_policy){.application = LLDP_MED_VOICE,
                                         .unknown = !b->vlan_known,
                                         .tagged = b->vlan != 0,
                                         .vlan = b->vlan,
                                         .priority = b->vlan_known ? 5 : 0,
                                         .dscp = b->vlan_known ? 46 : 0};
    m.n_policies = 1;
    m.power_type = 1; /* powered device, from the switch, priority unknown */
    m.power_source = 1;
    m.power_tenths = 129;
    m.firmware = m.software = text_of(b->load);
    m.manufacturer = text_of("Cisco Systems, Inc.");
    m.model = text_of(title + sizeof("Cisco IP Phone ") - 1);
    put_frame(fx, frame, lldp_encode(&m, frame, sizeof(frame)));
}

void boot_announce(struct boot *b, uint64_t now_ms, struct effects *fx)
{
    if (!b->options.on_wire || b->options.model->generation == MODEL_BUTTONS) {
        b->announce_ms = UINT64_MAX;
        return;
    }
    b->announce_ms = now_ms + ANNOUNCE_MS;
    send_cdp(b, fx);
    if (speaks_lldp(b))
        send_lldp(b, fx);
}

void boot_send_probe(struct boot *b, struct effects *fx)
{
    uint8_t frame[ARP_FRAME_SIZE];
    struct arp probe = arp_probe(b->options.mac, ip_v4_number(b->network.address));

    put_frame(fx, frame, arp_encode(&probe, frame, sizeof(frame)));
}

/* 0, priority-tagged and 4095 count as untagged. */
static void learn_vlan(struct boot *b, uint16_t vlan, uint64_t now_ms, struct effects *fx)
{
    bool changed = vlan != b->vlan;

    if (vlan >= CDP_VLAN_UNTAGGED)
        vlan = 0;
    changed = vlan != b->vlan;
    b->vlan = vlan;
    b->vlan_known = true;
    if (changed)
        effects_add(fx, EFFECT_VLAN)->number = vlan;
    if (b->stage == BOOT_VLAN)
        boot_go(b, BOOT_ADDRESS, now_ms, fx);
    else if (changed && b->stage > BOOT_VLAN)
        effects_add(fx, EFFECT_REBOOT)->number = 26; /* voice VLAN changed */
}

static void hear_cdp(struct boot *b, const void *frame, size_t len, uint64_t now_ms,
                     struct effects *fx)
{
    struct cdp m;

    if (cdp_decode(frame, len, &m) < 0 || mac_equal(m.from, b->options.mac) ||
        !cdp_has(&m, CDP_capabilities) ||
        !(m.capabilities & (CDP_CAPABLE_SWITCH | CDP_CAPABLE_ROUTER)))
        return; /* another phone's */
    if (cdp_has(&m, CDP_device_id))
        text_copy(b->switch_name, sizeof(b->switch_name), m.device_id);
    if (cdp_has(&m, CDP_port_id))
        text_copy(b->switch_port, sizeof(b->switch_port), m.port_id);
    if (cdp_has(&m, CDP_voice_vlan))
        learn_vlan(b, m.voice_vlan.vlan, now_ms, fx);
    else if (b->stage == BOOT_VLAN)
        learn_vlan(b, 0, now_ms, fx); /* the switch has no voice VLAN */
}

static void hear_lldp(struct boot *b, const void *frame, size_t len, uint64_t now_ms,
                      struct effects *fx)
{
    struct lldp m;
    const struct lldp_policy *policy;

    if (!speaks_lldp(b) || lldp_decode(frame, len, &m) < 0 || mac_equal(m.from, b->options.mac) ||
        m.med_device == LLDP_MED_PHONE)
        return;
    policy = lldp_policy(&m, LLDP_MED_VOICE);
    if (policy && !policy->unknown)
        learn_vlan(b, policy->tagged && policy->vlan > 1 ? policy->vlan : 0, now_ms, fx);
}

static void hear_arp(struct boot *b, const void *frame, size_t len, uint64_t now_ms,
                     struct effects *fx)
{
    struct writer w = effects_writer(fx);
    struct effect *e;
    struct arp a;

    if (b->stage != BOOT_PROBE || arp_decode(frame, len, &a) < 0 ||
        mac_equal(a.sender_mac, b->options.mac) || a.sender_ip != ip_v4_number(b->network.address))
        return;
    if (b->network.dhcp) {
        dhcp_client_decline(&b->dhcp, now_ms, &w);
        e = effects_add(fx, EFFECT_DHCP);
        e->to = (struct endpoint){ip_v4(UINT32_MAX), 67};
        effects_bytes(fx, e, &w);
        b->stage = BOOT_ADDRESS;
        b->due_ms = UINT64_MAX;
    } else {
        boot_give_up(b, now_ms, fx);
    }
    effects_text(fx, EFFECT_STATUS, "Duplicate IP");
}

void boot_link_frame(struct boot *b, const void *frame, size_t len, uint64_t now_ms,
                     struct effects *fx)
{
    struct ethernet e;

    if (ethernet_decode(frame, len, &e) < 0)
        return;
    if (e.type == ETHERNET_ARP)
        hear_arp(b, frame, len, now_ms, fx);
    else if (e.type == ETHERNET_LLDP)
        hear_lldp(b, frame, len, now_ms, fx);
    else if (b->options.model->generation != MODEL_BUTTONS && cdp_is(&e))
        hear_cdp(b, frame, len, now_ms, fx);
}
