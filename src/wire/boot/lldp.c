#include "wire/boot/lldp.h"

#include <errno.h>

enum {
    TLV_END,
    TLV_CHASSIS,
    TLV_PORT,
    TLV_TTL,
    TLV_PORT_DESCRIPTION,
    TLV_SYSTEM_NAME,
    TLV_SYSTEM_DESCRIPTION,
    TLV_CAPABILITIES,
    TLV_MANAGEMENT,
    TLV_ORGANISATION = 127
};

#define OUI_802_1 0x0080c2u
#define OUI_802_3 0x00120fu
#define OUI_MED   0x0012bbu

enum { MED_CAPABILITIES = 1, MED_POLICY = 2, MED_POWER = 4, MED_HARDWARE = 5, MED_ASSET = 11 };

static const uint16_t text_rows[] = {
    [TLV_PORT_DESCRIPTION] = offsetof(struct lldp, port_description),
    [TLV_SYSTEM_NAME] = offsetof(struct lldp, system_name),
    [TLV_SYSTEM_DESCRIPTION] = offsetof(struct lldp, system_description),
};

/* MED subtypes 5 to 11 are texts. */
static const struct {
    const char *name;
    uint16_t offset;
} inventory_rows[] = {
    {"hardware", offsetof(struct lldp, hardware)},
    {"firmware", offsetof(struct lldp, firmware)},
    {"software", offsetof(struct lldp, software)},
    {"serial", offsetof(struct lldp, serial)},
    {"manufacturer", offsetof(struct lldp, manufacturer)},
    {"model", offsetof(struct lldp, model)},
    {"asset", offsetof(struct lldp, asset)},
};

#define N_INVENTORY (sizeof(inventory_rows) / sizeof(*inventory_rows))

static struct text *text_at(struct lldp *m, uint16_t offset)
{
    return (struct text *)((char *)m + offset);
}

static const struct text *const_text_at(const struct lldp *m, uint16_t offset)
{
    return (const struct text *)((const char *)m + offset);
}

/* -- decoding ------------------------------------------------------------------------------- */

static struct text rest(struct reader *r)
{
    return read_text(r, reader_left(r));
}

static struct lldp_id read_id(struct reader *r)
{
    uint8_t subtype = read_u8(r);

    return (struct lldp_id){subtype, rest(r)};
}

static void read_management(struct reader *r, struct lldp *m)
{
    struct reader address = read_slice(r, read_u8(r));
    uint8_t family = read_u8(&address);
    struct ip ip = {0};

    if (family == 1 && reader_left(&address) == 4)
        ip.family = 4;
    if (family == 2 && reader_left(&address) == 16)
        ip.family = 6;
    if (ip.family && !ip_is_any(m->management))
        return; /* the first counts */
    if (ip.family) {
        memcpy(ip.bytes, address.at, reader_left(&address));
        m->management = ip;
    }
}

static void read_policy(struct reader *r, struct lldp *m)
{
    uint8_t application = read_u8(r);
    uint32_t bits = (uint32_t)read_be16(r) << 8;

    bits |= read_u8(r);
    if (r->bad || m->n_policies == LLDP_POLICIES_MAX)
        return;
    m->policies[m->n_policies++] = (struct lldp_policy){
        .application = application,
        .unknown = bits >> 23 & 1,
        .tagged = bits >> 22 & 1,
        .vlan = bits >> 9 & 0xfff,
        .priority = bits >> 6 & 7,
        .dscp = bits & 0x3f,
    };
}

static void read_power(struct reader *r, struct lldp *m)
{
    uint8_t bits = read_u8(r);

    m->has_power = true;
    m->power_type = bits >> 6;
    m->power_source = bits >> 4 & 3;
    m->power_priority = bits & 15;
    m->power_tenths = read_be16(r);
}

static void read_med(struct reader *r, uint8_t subtype, struct lldp *m)
{
    if (subtype == MED_CAPABILITIES) {
        m->has_med = true;
        m->med_capabilities = read_be16(r);
        m->med_device = read_u8(r);
    } else if (subtype == MED_POLICY) {
        read_policy(r, m);
    } else if (subtype == MED_POWER) {
        read_power(r, m);
    } else if (subtype >= MED_HARDWARE && subtype <= MED_ASSET) {
        *text_at(m, inventory_rows[subtype - MED_HARDWARE].offset) = rest(r);
    } else {
        m->n_unknown += m->n_unknown < UINT8_MAX;
    }
}

static void read_organisation(struct reader *r, struct lldp *m)
{
    uint32_t oui = (uint32_t)read_be16(r) << 8;
    uint8_t subtype;

    oui |= read_u8(r);
    subtype = read_u8(r);
    if (oui == OUI_MED) {
        read_med(r, subtype, m);
    } else if (oui == OUI_802_1 && subtype == 1) {
        m->has_native_vlan = true;
        m->native_vlan = read_be16(r);
    } else if (oui == OUI_802_3 && subtype == 1) {
        m->has_phy = true;
        m->autonegotiation = read_u8(r);
        m->advertised = read_be16(r);
        m->mau = read_be16(r);
    } else {
        m->n_unknown += m->n_unknown < UINT8_MAX;
    }
}

static void read_tlv(struct reader *r, unsigned type, struct lldp *m)
{
    switch (type) {
    case TLV_PORT_DESCRIPTION:
    case TLV_SYSTEM_NAME:
    case TLV_SYSTEM_DESCRIPTION:
        *text_at(m, text_rows[type]) = rest(r);
        break;
    case TLV_CAPABILITIES:
        m->has_capabilities = true;
        m->capabilities = read_be16(r);
        m->enabled = read_be16(r);
        break;
    case TLV_MANAGEMENT:
        read_management(r, m);
        break;
    case TLV_ORGANISATION:
        read_organisation(r, m);
        break;
    default:
        m->n_unknown += m->n_unknown < UINT8_MAX;
    }
}

static struct reader next_tlv(struct reader *r, unsigned *type)
{
    uint16_t head = read_be16(r);

    *type = head >> 9;
    return read_slice(r, head & 0x1ff);
}

/* Chassis, port and TTL must come first and in this order (802.1AB 8.2). */
static bool read_mandatory(struct reader *r, struct lldp *m)
{
    struct reader chassis, port, ttl;
    unsigned types[3];

    chassis = next_tlv(r, &types[0]);
    port = next_tlv(r, &types[1]);
    ttl = next_tlv(r, &types[2]);
    if (r->bad || types[0] != TLV_CHASSIS || types[1] != TLV_PORT || types[2] != TLV_TTL)
        return false;
    m->chassis = read_id(&chassis);
    m->port = read_id(&port);
    m->ttl = read_be16(&ttl);
    return !chassis.bad && !port.bad && !ttl.bad;
}

int lldp_decode(const void *frame, size_t len, struct lldp *ret)
{
    struct ethernet e;
    struct reader r;

    memset(ret, 0, sizeof(*ret));
    if (ethernet_decode(frame, len, &e) < 0 || e.type != ETHERNET_LLDP)
        return -EBADMSG;
    ret->from = e.from;
    r = reader_of(e.payload.at, e.payload.len);
    if (!read_mandatory(&r, ret))
        return -EBADMSG;
    while (reader_left(&r)) {
        unsigned type;
        struct reader value = next_tlv(&r, &type);

        if (!r.bad && type == TLV_END)
            break;
        if (!r.bad)
            read_tlv(&value, type, ret);
        if (r.bad || value.bad)
            return -EBADMSG;
    }
    return 0;
}

/* -- encoding ------------------------------------------------------------------------------- */

static void write_head(struct writer *w, unsigned type, size_t len)
{
    if (len > 0x1ff)
        w->bad = true;
    write_be16(w, (uint16_t)(type << 9 | (len & 0x1ff)));
}

static void write_organisation(struct writer *w, uint32_t oui, uint8_t subtype, size_t len)
{
    write_head(w, TLV_ORGANISATION, len + 4);
    write_u8(w, (uint8_t)(oui >> 16));
    write_be16(w, (uint16_t)oui);
    write_u8(w, subtype);
}

static void write_id(struct writer *w, unsigned type, const struct lldp_id *id)
{
    write_head(w, type, id->value.len + 1);
    write_u8(w, id->subtype);
    write_text(w, id->value);
}

static void write_management(struct writer *w, const struct ip *ip, uint32_t interface)
{
    size_t n = ip->family == 6 ? 16 : 4;

    write_head(w, TLV_MANAGEMENT, n + 8);
    write_u8(w, (uint8_t)(n + 1));
    write_u8(w, ip->family == 6 ? 2 : 1);
    write_bytes(w, ip->bytes, n);
    write_u8(w, interface ? 2 : 1); /* ifIndex, or unknown (802.1AB 8.5.9.5) */
    write_be32(w, interface);
    write_u8(w, 0); /* no object identifier */
}

static void write_basic(struct writer *w, const struct lldp *m)
{
    write_id(w, TLV_CHASSIS, &m->chassis);
    write_id(w, TLV_PORT, &m->port);
    write_head(w, TLV_TTL, 2);
    write_be16(w, m->ttl);
    for (unsigned type = TLV_PORT_DESCRIPTION; type <= TLV_SYSTEM_DESCRIPTION; type++) {
        const struct text *t = const_text_at(m, text_rows[type]);

        if (!t->at)
            continue;
        write_head(w, type, t->len);
        write_text(w, *t);
    }
    if (m->has_capabilities) {
        write_head(w, TLV_CAPABILITIES, 4);
        write_be16(w, m->capabilities);
        write_be16(w, m->enabled);
    }
    if (m->management.family)
        write_management(w, &m->management, m->management_interface);
}

static void write_802(struct writer *w, const struct lldp *m)
{
    if (m->has_native_vlan) {
        write_organisation(w, OUI_802_1, 1, 2);
        write_be16(w, m->native_vlan);
    }
    if (m->has_phy) {
        write_organisation(w, OUI_802_3, 1, 5);
        write_u8(w, m->autonegotiation);
        write_be16(w, m->advertised);
        write_be16(w, m->mau);
    }
}

static void write_policy(struct writer *w, const struct lldp_policy *p)
{
    uint32_t bits = (uint32_t)p->unknown << 23 | (uint32_t)p->tagged << 22 |
                    (uint32_t)(p->vlan & 0xfff) << 9 | (uint32_t)(p->priority & 7) << 6 |
                    (p->dscp & 0x3fu);

    write_organisation(w, OUI_MED, MED_POLICY, 4);
    write_u8(w, p->application);
    write_u8(w, (uint8_t)(bits >> 16));
    write_be16(w, (uint16_t)bits);
}

static void write_med(struct writer *w, const struct lldp *m)
{
    if (m->has_med) {
        write_organisation(w, OUI_MED, MED_CAPABILITIES, 3);
        write_be16(w, m->med_capabilities);
        write_u8(w, m->med_device);
    }
    for (unsigned i = 0; i < m->n_policies && i < LLDP_POLICIES_MAX; i++)
        write_policy(w, &m->policies[i]);
    if (m->has_power) {
        write_organisation(w, OUI_MED, MED_POWER, 3);
        write_u8(w, (uint8_t)(m->power_type << 6 | (m->power_source & 3) << 4 |
                              (m->power_priority & 15)));
        write_be16(w, m->power_tenths);
    }
    for (unsigned i = 0; i < N_INVENTORY; i++) {
        const struct text *t = const_text_at(m, inventory_rows[i].offset);

        if (!t->at)
            continue;
        write_organisation(w, OUI_MED, (uint8_t)(MED_HARDWARE + i), t->len);
        write_text(w, *t);
    }
}

int lldp_encode(const struct lldp *m, void *to, size_t size)
{
    struct writer w = writer_of(to, size);
    struct ethernet e = {.to = LLDP_MULTICAST, .from = m->from, .type = ETHERNET_LLDP};

    ethernet_write(&w, &e);
    write_basic(&w, m);
    write_802(&w, m);
    write_med(&w, m);
    write_head(&w, TLV_END, 0);
    return w.bad ? -ENOSPC : (int)writer_len(&w);
}

/* -- questions ------------------------------------------------------------------------------ */

const struct lldp_policy *lldp_policy(const struct lldp *m, uint8_t application)
{
    for (unsigned i = 0; i < m->n_policies; i++)
        if (m->policies[i].application == application)
            return &m->policies[i];
    return NULL;
}

static bool mac_of_id(const struct lldp_id *id, uint8_t subtype, struct mac *ret)
{
    if (id->subtype != subtype || id->value.len != sizeof(ret->bytes))
        return false;
    memcpy(ret->bytes, id->value.at, sizeof(ret->bytes));
    return true;
}

struct mac lldp_mac(const struct lldp *m)
{
    struct mac mac;

    if (mac_of_id(&m->port, LLDP_PORT_MAC, &mac) || mac_of_id(&m->chassis, LLDP_CHASSIS_MAC, &mac))
        return mac;
    return m->from;
}

/* -- printing ------------------------------------------------------------------------------- */

static void print_id(struct writer *to, const char *name, const struct lldp_id *id)
{
    write_format(to, "%s %u ", name, id->subtype);
    for (size_t i = 0; i < id->value.len; i++)
        write_format(to, "%02x", (uint8_t)id->value.at[i]);
    write_u8(to, '\n');
}

static void print_text(struct writer *to, const char *name, struct text t)
{
    if (t.at)
        write_format(to, "%s \"%.*s\"\n", name, TEXT_ARG(t));
}

static void print_med(const struct lldp *m, struct writer *to)
{
    if (m->has_med)
        write_format(to, "med capabilities %#x device %u\n", m->med_capabilities, m->med_device);
    for (unsigned i = 0; i < m->n_policies; i++) {
        const struct lldp_policy *p = &m->policies[i];

        write_format(to, "policy application %u %s%s vlan %u priority %u dscp %u\n", p->application,
                     p->tagged ? "tagged" : "untagged", p->unknown ? " unknown" : "", p->vlan,
                     p->priority, p->dscp);
    }
    if (m->has_power)
        write_format(to, "power type %u source %u priority %u tenths %u\n", m->power_type,
                     m->power_source, m->power_priority, m->power_tenths);
    for (unsigned i = 0; i < N_INVENTORY; i++)
        print_text(to, inventory_rows[i].name, *const_text_at(m, inventory_rows[i].offset));
}

void lldp_print(const struct lldp *m, struct writer *to)
{
    char s[IP_TEXT_MAX];

    write_format(to, "lldp from %s ttl %u\n", mac_print(m->from, s), m->ttl);
    print_id(to, "chassis", &m->chassis);
    print_id(to, "port", &m->port);
    print_text(to, "port description", m->port_description);
    print_text(to, "system name", m->system_name);
    print_text(to, "system description", m->system_description);
    if (m->has_capabilities)
        write_format(to, "capabilities %#x enabled %#x\n", m->capabilities, m->enabled);
    if (m->management.family)
        write_format(to, "management %s\n", ip_print(m->management, s));
    if (m->has_native_vlan)
        write_format(to, "native vlan %u\n", m->native_vlan);
    if (m->has_phy)
        write_format(to, "phy autonegotiation %u advertised %#x mau %u\n", m->autonegotiation,
                     m->advertised, m->mau);
    print_med(m, to);
    if (m->n_unknown)
        write_format(to, "%u others\n", m->n_unknown);
}
