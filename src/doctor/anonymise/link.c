#include "doctor/anonymise/link.h"

#include "doctor/anonymise/disguise.h"
#include "doctor/anonymise/text.h"
#include "wire/boot/cdp.h"
#include "wire/boot/dns.h"
#include "wire/boot/lldp.h"

static unsigned u16(const uint8_t *p)
{
    return (unsigned)(p[0] << 8 | p[1]);
}

/* -- ARP ------------------------------------------------------------------------------------ */

static void disguise_arp(uint8_t *at, size_t len)
{
    if (len < 28)
        return;
    disguise_mac_bytes(at + 8);
    disguise_ipv4(at + 14);
    disguise_mac_bytes(at + 18);
    disguise_ipv4(at + 24);
    memset(at + 28, 0, len - 28); /* padding */
}

/* -- CDP ------------------------------------------------------------------------------------ */

enum { CDP_VTP_DOMAIN = 0x0009 };

/* A count, then for each: protocol type, length and value, length of the address, the address. */
static void disguise_cdp_addresses(uint8_t *at, size_t len)
{
    size_t i = 4, n;

    while (i + 4 < len) {
        i += 2u + at[i + 1]; /* protocol */
        if (i + 2 > len)
            return;
        n = u16(at + i);
        i += 2;
        if (n > len - i)
            return;
        if (n == 4)
            disguise_ipv4(at + i);
        else if (n == 16)
            disguise_ipv6(at + i);
        i += n;
    }
}

/* What says nothing of anybody stays, what is known is disguised; the rest becomes zeroes
 * (clusters, places, routes …). */
static void disguise_cdp_value(unsigned type, uint8_t *at, size_t len)
{
    switch (type) {
    case CDP_addresses:
    case CDP_management:
        disguise_cdp_addresses(at, len);
        break;
    case CDP_device_id:
    case CDP_system_name:
    case CDP_VTP_DOMAIN:
        disguise_words((char *)at, len);
        break;
    case CDP_port_id:
    case CDP_platform:
        disguise_addresses((char *)at, len);
        break;
    case CDP_version: /* of a phone its load, of a switch a paragraph */
        (memchr(at, ' ', len) ? disguise_sentence : disguise_addresses)((char *)at, len);
        break;
    case CDP_capabilities:
    case CDP_native_vlan:
    case CDP_duplex:
    case CDP_voice_vlan:
    case CDP_voice_vlan_query:
    case CDP_power_mw:
    case CDP_mtu:
    case CDP_trust:
    case CDP_untrusted_cos:
    case CDP_power_request:
    case CDP_power_available:
        break;
    default:
        memset(at, 0, len);
    }
}

static void disguise_cdp(uint8_t *at, size_t len)
{
    size_t n;

    if (len < 12)
        return;
    for (size_t i = 12; i + 4 <= len;
         i += n) { /* behind LLC, SNAP, version, time to live and checksum */
        n = u16(at + i + 2);
        if (n < 4 || n > len - i) {
            memset(at + i, 0, len - i);
            break;
        }
        disguise_cdp_value(u16(at + i), at + i + 4, n - 4);
    }
    at[10] = at[11] = 0;
    n = cdp_checksum(at + 8, len - 8);
    at[10] = (uint8_t)(n >> 8);
    at[11] = (uint8_t)n;
}

/* -- LLDP ----------------------------------------------------------------------------------- */

enum {
    LLDP_CHASSIS = 1,
    LLDP_PORT = 2,
    LLDP_TTL = 3,
    LLDP_PORT_DESCRIPTION = 4,
    LLDP_SYSTEM_NAME = 5,
    LLDP_SYSTEM_DESCRIPTION = 6,
    LLDP_CAPABILITIES = 7,
    LLDP_MANAGEMENT = 8,
    LLDP_ORGANIZATION = 127
};
enum { MED_LOCATION = 3, MED_HARDWARE = 5, MED_SERIAL = 8, MED_ASSET = 11 };
enum { FAMILY_IPV4 = 1, FAMILY_IPV6 = 2, FAMILY_802 = 6 };

/* "Gi1/0/5" is no name. */
static void disguise_id(uint8_t *at, size_t len, uint8_t mac, bool interface)
{
    if (len == 7 && at[0] == mac)
        disguise_mac_bytes(at + 1);
    else if (len == 6 && at[0] == LLDP_CHASSIS_ADDRESS && at[1] == FAMILY_IPV4)
        disguise_ipv4(at + 2);
    else if (len > 1 && interface && at[0] == LLDP_PORT_NAME)
        disguise_addresses((char *)at + 1, len - 1);
    else if (len > 1 && interface)
        disguise_sentence((char *)at + 1, len - 1);
    else if (len > 1)
        disguise_words((char *)at + 1, len - 1);
}

/* Length with the family, the address, its interface's number, the length of an object id and that.
 */
static void disguise_management(uint8_t *at, size_t len)
{
    size_t n = len ? at[0] : 0;

    if (n < 1 || n + 1 > len) {
        memset(at, 0, len);
        return;
    }
    if (n == 5 && at[1] == FAMILY_IPV4)
        disguise_ipv4(at + 2);
    else if (n == 17 && at[1] == FAMILY_IPV6)
        disguise_ipv6(at + 2);
    else if (n == 7 && at[1] == FAMILY_802)
        disguise_mac_bytes(at + 2);
    else
        memset(at + 2, 0, n - 1);
}

static void disguise_organization(uint8_t *at, size_t len)
{
    static const uint8_t med[] = {0x00, 0x12, 0xbb}, vlans[] = {0x00, 0x80, 0xc2},
                         link[] = {0x00, 0x12, 0x0f};
    uint8_t kind = len > 4 ? at[3] : 0;

    if (len <= 4 || (memcmp(at, link, 3) == 0) || (memcmp(at, vlans, 3) == 0 && kind <= 2))
        return;
    if (memcmp(at, med, 3) != 0 || kind == MED_LOCATION || kind > MED_ASSET)
        memset(at + 4, 0, len - 4);
    else if (kind == MED_SERIAL || kind == MED_ASSET)
        disguise_words((char *)at + 4, len - 4);
    else if (kind >= MED_HARDWARE)
        disguise_addresses((char *)at + 4, len - 4);
}

static void disguise_lldp_value(unsigned type, uint8_t *at, size_t len)
{
    switch (type) {
    case LLDP_CHASSIS:
        disguise_id(at, len, LLDP_CHASSIS_MAC, false);
        break;
    case LLDP_PORT:
        disguise_id(at, len, LLDP_PORT_MAC, true);
        break;
    case LLDP_SYSTEM_NAME:
    case LLDP_PORT_DESCRIPTION:
        disguise_words((char *)at, len);
        break;
    case LLDP_SYSTEM_DESCRIPTION:
        disguise_sentence((char *)at, len);
        break;
    case LLDP_MANAGEMENT:
        disguise_management(at, len);
        break;
    case LLDP_ORGANIZATION:
        disguise_organization(at, len);
        break;
    case LLDP_TTL:
    case LLDP_CAPABILITIES:
        break;
    default:
        memset(at, 0, len);
    }
}

static void disguise_lldp(uint8_t *at, size_t len)
{
    size_t n;

    for (size_t i = 0; i + 2 <= len; i += n) {
        unsigned head = u16(at + i), type = head >> 9;

        n = (head & 0x1ff) + 2;
        if (n > len - i || type == 0) {
            memset(at + i, 0, len - i);
            return;
        }
        disguise_lldp_value(type, at + i + 2, n - 2);
    }
}

void disguise_link(const struct packet *p, uint8_t *at, size_t len)
{
    if (p->kind == PACKET_ARP)
        disguise_arp(at, len);
    else if (p->kind == PACKET_CDP)
        disguise_cdp(at, len);
    else
        disguise_lldp(at, len);
}

/* -- DHCP ----------------------------------------------------------------------------------- */

#define DHCP_FIXED 236 /* bytes before the cookie */

static bool stands_in(uint8_t code, const uint8_t *list)
{
    while (*list && *list != code)
        list++;
    return *list;
}

/* Sub-options: the code, the length, the value; an Ethernet address may end a value. */
static void disguise_relay(uint8_t *at, size_t len)
{
    for (size_t i = 0, n; i + 2 <= len; i += n + 2) {
        n = at[i + 1];
        if (n > len - i - 2)
            n = len - i - 2;
        if (n >= 6)
            disguise_mac_bytes(at + i + 2 + n - 6);
        disguise_runs(at + i + 2, n);
    }
}

/* RFC 3442: the bits of a network, as many of its octets as have some, the router. */
static void disguise_routes(uint8_t *at, size_t len)
{
    for (size_t i = 0; i < len;) {
        size_t n = (at[i] + 7u) / 8;
        uint8_t net[4] = {0};

        if (n > 4 || i + 1 + n + 4 > len) {
            memset(at + i, 0, len - i);
            return;
        }
        memcpy(net, at + i + 1, n);
        disguise_ipv4(net);
        memcpy(at + i + 1, net, n);
        disguise_ipv4(at + i + 1 + n);
        i += 1 + n + 4;
    }
}

/* A client's id: an Ethernet address, a DUID that ends in one (RFC 4361, RFC 8415 11), or words. */
static void disguise_client(uint8_t *at, size_t len)
{
    if (len == 7) {
        disguise_mac_bytes(at + 1);
        return;
    }
    if (len && at[0] == 255 && len >= 7)
        disguise_mac_bytes(at + len - 6);
    else
        disguise_runs(at, len);
}

static void disguise_option(uint8_t code, uint8_t *at, size_t len)
{
    static const uint8_t addresses[] = {3,  4,  5,  6,  7,  8,  9,  10, 11,  16, 21, 28,
                                        32, 33, 41, 42, 44, 45, 48, 49, 50,  54, 65, 68,
                                        69, 70, 71, 72, 73, 74, 75, 76, 150, 0},
                         names[] = {12, 14, 17, 18, 40, 47, 62, 64, 66, 81, 119, 0},
                         hosts[] = {15, 66, 0},
                         kept[] = {1,  2,  13, 19, 20, 22, 23, 24, 26, 27, 29, 30, 31, 34, 35,  36,
                                   37, 38, 39, 46, 51, 52, 53, 55, 57, 58, 59, 80, 93, 94, 116, 0};

    if (stands_in(code, addresses))
        for (size_t i = 0; i + 4 <= len; i += 4)
            disguise_ipv4(at + i);
    else if (code == 61)
        disguise_client(at, len);
    else if (code == 82)
        disguise_relay(at, len);
    else if (code == 121 || code == 249)
        disguise_routes(at, len);
    else if (code == 120 && len && at[0] == 1) /* RFC 3361: addresses */
        for (size_t i = 1; i + 4 <= len; i += 4)
            disguise_ipv4(at + i);
    else if (code == 60) /* what it is */
        disguise_addresses((char *)at, len);
    else if (code == 67)
        disguise_file_name((char *)at, len);
    else if (code == 56)
        disguise_sentence((char *)at, len);
    else if (stands_in(code, hosts))
        disguise_host((char *)at, len);
    else if (stands_in(code, names))
        disguise_runs(at, len);
    else if (!stands_in(code, kept))
        memset(at, 0, len);
}

static void disguise_options(uint8_t *at, size_t len)
{
    size_t n;

    for (size_t i = 0; i < len; i += at[i] ? n + 2 : 1) {
        n = at[i] && i + 1 < len ? at[i + 1] : 0;
        if (at[i] == 255 || n + 2 > len - i + (at[i] ? 0 : 2)) {
            memset(at + i + (at[i] == 255), 0, len - i - (at[i] == 255));
            return;
        }
        if (at[i])
            disguise_option(at[i], at + i + 2, n);
    }
}

/* Whether option 52 says that more of them stand there (RFC 2132 9.3): 1 the file's place, 2 the
 * server name's. */
static unsigned overload(const uint8_t *at, size_t len)
{
    for (size_t i = 0; i + 2 < len && at[i] != 255; i += at[i] ? at[i + 1] + 2u : 1)
        if (at[i] == 52)
            return at[i + 2];
    return 0;
}

void disguise_dhcp(uint8_t *at, size_t len)
{
    unsigned more;

    if (len < DHCP_FIXED + 4) {
        memset(at, 0, len);
        return;
    }
    more = overload(at + DHCP_FIXED + 4, len - DHCP_FIXED - 4);
    for (size_t i = 12; i < 28; i += 4)
        disguise_ipv4(at + i); /* ciaddr, yiaddr, siaddr, giaddr */
    disguise_mac_bytes(at + 28);
    if (more & 2)
        disguise_options(at + 44, 64);
    else
        disguise_words((char *)at + 44, strnlen((char *)at + 44, 64)); /* name of the server */
    if (more & 1)
        disguise_options(at + 108, 128);
    else
        disguise_file_name((char *)at + 108, strnlen((char *)at + 108, 128));
    disguise_options(at + DHCP_FIXED + 4, len - DHCP_FIXED - 4);
}

/* -- DNS ------------------------------------------------------------------------------------ */

/* Past a name, its labels disguised where they stand; 0: it runs over the end. */
static size_t disguise_name(uint8_t *at, size_t len, size_t i)
{
    while (i < len) {
        size_t n = at[i];

        if (n == 0)
            return i + 1;
        if (n >= 0xc0)
            return i + 2 <= len ? i + 2 : 0;
        if (n > 63 || n > len - i - 1)
            return 0;
        disguise_host((char *)at + i + 1, n);
        i += n + 1;
    }
    return 0;
}

/* RFC 3403 4.1: order, preference, then flags, service and a rule, each behind its length, and a
 * name. */
static void disguise_naptr(uint8_t *at, size_t len, size_t i, size_t n)
{
    size_t end = i + n;

    i += 4;
    for (unsigned k = 0; k < 3 && i < end; i += at[i] + 1u, k++)
        if (k == 2 && at[i] < end - i)
            disguise_runs(at + i + 1, at[i]);
    if (i < end)
        disguise_name(at, len, i);
}

enum { DNS_MX = 15 };

static void disguise_data(unsigned type, uint8_t *at, size_t len, size_t i, size_t n)
{
    if (type == DNS_A && n == 4)
        disguise_ipv4(at + i);
    else if (type == DNS_AAAA && n == 16)
        disguise_ipv6(at + i);
    else if (type == DNS_PTR || type == 5 || type == 2) /* CNAME, NS */
        disguise_name(at, len, i);
    else if (type == DNS_MX && n > 2)
        disguise_name(at, len, i + 2);
    else if (type == DNS_SRV && n > 6)
        disguise_name(at, len, i + 6);
    else if (type == 6) /* SOA: two names, then numbers */
        i = (i = disguise_name(at, len, i)) ? disguise_name(at, len, i) : 0;
    else if (type == DNS_NAPTR && n > 4)
        disguise_naptr(at, len, i, n);
    else
        memset(at + i, 0, n);
}

/* A resource record; 0: it runs over the end. */
static size_t disguise_record(uint8_t *at, size_t len, size_t i)
{
    unsigned type, n;

    i = disguise_name(at, len, i);
    if (!i || i + 10 > len)
        return 0;
    type = u16(at + i);
    n = u16(at + i + 8);
    if (n > len - i - 10)
        return 0;
    disguise_data(type, at, len, i + 10, n);
    return i + 10 + n;
}

/* What is behind the last record, or cannot be read, becomes zeroes. */
void disguise_dns(uint8_t *at, size_t len)
{
    unsigned questions, records;
    size_t done = 12, i;

    if (len < 12) {
        memset(at, 0, len);
        return;
    }
    questions = u16(at + 4);
    records = u16(at + 6) + u16(at + 8) + u16(at + 10);
    for (; questions && (i = disguise_name(at, len, done)) && i + 4 <= len; questions--)
        done = i + 4;
    for (; records && !questions && (i = disguise_record(at, len, done)); records--)
        done = i;
    memset(at + done, 0, len - done);
}
