/* lldp.h - LLDP (IEEE 802.1AB) with LLDP-MED (ANSI/TIA-1057): network policy, power, inventory; both directions. */
#pragma once

#include "wire/boot/ethernet.h"

#define LLDP_MULTICAST ((struct mac){{0x01, 0x80, 0xc2, 0x00, 0x00, 0x0e}})

#define LLDP_CAPABLE_BRIDGE    0x04
#define LLDP_CAPABLE_ROUTER    0x10
#define LLDP_CAPABLE_TELEPHONE 0x20

#define LLDP_POLICIES_MAX 8

enum lldp_id_subtype { /* the ones used here; chassis and port number them differently */
    LLDP_CHASSIS_MAC = 4,
    LLDP_CHASSIS_ADDRESS = 5,
    LLDP_CHASSIS_NAME = 6,
    LLDP_PORT_MAC = 3,
    LLDP_PORT_NAME = 5,
    LLDP_PORT_LOCAL = 7
};

enum lldp_med_device { LLDP_MED_GENERIC = 1, LLDP_MED_MEDIA, LLDP_MED_PHONE, LLDP_MED_SWITCH };
enum lldp_med_application { LLDP_MED_VOICE = 1, LLDP_MED_VOICE_SIGNALLING = 2 };

#define LLDP_MED_CAPABILITIES 0x01 /* bits of med_capabilities */
#define LLDP_MED_POLICY       0x02
#define LLDP_MED_POWER_PSE    0x08
#define LLDP_MED_POWER_PD     0x10
#define LLDP_MED_INVENTORY    0x20

struct lldp_id {
    uint8_t subtype;
    struct text value; /* bytes: a MAC is 6 of them, an address begins with its family (1: IPv4) */
};

struct lldp_policy {
    uint8_t application;
    bool unknown, tagged;
    uint16_t vlan;
    uint8_t priority, dscp;
};

/* Texts borrow from the frame; at == NULL: the TLV is absent. */
struct lldp {
    struct mac from; /* source address of the frame */
    struct lldp_id chassis, port;
    uint16_t ttl; /* seconds; 0: the neighbour goes */
    struct text port_description, system_name, system_description;
    bool has_capabilities;
    uint16_t capabilities, enabled;
    struct ip management;
    uint32_t management_interface; /* its number there (ifIndex); 0: not said; not decoded */
    bool has_native_vlan;
    uint16_t native_vlan; /* 802.1 port VLAN id */
    bool has_phy;
    uint8_t autonegotiation; /* 802.3 MAC/PHY: bit 0 supported, bit 1 enabled */
    uint16_t advertised, mau;

    bool has_med;
    uint16_t med_capabilities;
    uint8_t med_device;
    struct lldp_policy policies[LLDP_POLICIES_MAX];
    uint8_t n_policies;
    bool has_power;
    uint8_t power_type, power_source, power_priority;
    uint16_t power_tenths; /* 0.1 W */
    struct text hardware, firmware, software, serial, manufacturer, model, asset;
    uint8_t n_unknown; /* TLVs of other kinds, skipped */
};

/* From a whole frame. 0, -EBADMSG when it is no LLDP, its three mandatory TLVs are not first, or a TLV is too short. */
int lldp_decode(const void *frame, size_t len, struct lldp *ret);
/* A whole frame from m->from, the TLVs in the order phones insist on. Its length, or -ENOSPC. */
int lldp_encode(const struct lldp *m, void *to, size_t size);
/* The policy for an application, or NULL. */
const struct lldp_policy *lldp_policy(const struct lldp *m, uint8_t application);
struct mac lldp_mac(const struct lldp *m); /* of the port, else the chassis, else `from` */
void lldp_print(const struct lldp *m, struct writer *to);
