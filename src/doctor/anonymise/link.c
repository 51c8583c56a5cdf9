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

enum { CDP_VTP_DOMAIN = 0x0009, CDP_LOCATION = 0x0017 };

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

static void disguise_cdp(uint8_t *at, size_t len)
{
    size_t n;

    if (len < 12)
        return;
    for (size_t i = 12; i + 4 <= len;
         i += n) { /* behind LLC, SNAP, version, time to live and checksum */
        unsigned type = u16(at + i);

        n = u16(at + i + 2);
        if (n < 4 || n > len - i)
            break;
        if (type == CDP_addresses || type == CDP_management)
            disguise_cdp_addresses(at + i + 4, n - 4);
        else if (type == CDP_device_id || type == CDP_system_name || type == CDP_VTP_DOMAIN ||
                 type == CDP_LOCATION)
            disguise_words((char *)at + i + 4, n - 4);
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
    LLDP_PORT_DESCRIPTION = 4,
    LLDP_SYSTEM_NAME = 5,
    LLDP_MANAGEMENT = 8,
    LLDP_ORGANIZATION = 127
};
enum { MED_SERIAL = 8, MED_ASSET = 11 };

static void disguise_id(uint8_t *at, size_t len, uint8_t mac, bool name)
{
    if (len == 7 && at[0] == mac)
        disguise_mac_bytes(at + 1);
    else if (len == 6 && at[0] == LLDP_CHASSIS_ADDRESS && at[1] == 1)
        disguise_ipv4(at + 2);
    else if (len > 1 && name)
        disguise_words((char *)at + 1, len - 1);
    else if (len > 1)
        disguise_addresses((char *)at + 1, len - 1);
}

static void disguise_lldp(uint8_t *at, size_t len)
{
    static const uint8_t med[] = {0x00, 0x12, 0xbb};
    size_t n;

    for (size_t i = 0; i + 2 <= len; i += n) {
        unsigned head = u16(at + i), type = head >> 9;
        uint8_t *value = at + i + 2;

        n = (head & 0x1ff) + 2;
        if (n > len - i || type == 0)
            return;
        if (type == LLDP_CHASSIS || type == LLDP_PORT)
            disguise_id(value, n - 2, type == LLDP_CHASSIS ? LLDP_CHASSIS_MAC : LLDP_PORT_MAC,
                        type == LLDP_CHASSIS);
        else if (type == LLDP_SYSTEM_NAME || type == LLDP_PORT_DESCRIPTION)
            disguise_words((char *)value, n - 2);
        else if (type == LLDP_MANAGEMENT && n - 2 >= 6 && value[0] == 5 && value[1] == 1)
            disguise_ipv4(value + 2);
        else if (type == LLDP_ORGANIZATION && n - 2 > 4 && memcmp(value, med, 3) == 0 &&
                 (value[3] == MED_SERIAL || value[3] == MED_ASSET))
            disguise_words((char *)value + 4, n - 6);
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

static void disguise_option(uint8_t code, uint8_t *at, size_t len)
{
    static const uint8_t addresses[] = {3, 4, 5, 6, 7, 28, 42, 44, 45, 50, 54, 69, 150, 0},
                         names[] = {12, 15, 40, 64, 66, 81, 82, 119, 120, 0};

    if (stands_in(code, addresses))
        for (size_t i = 0; i + 4 <= len; i += 4)
            disguise_ipv4(at + i);
    else if (code == 61 && len == 7)
        disguise_mac_bytes(at + 1);
    else if (code == 66 || code == 15)
        disguise_host((char *)at, len);
    else if (stands_in(code, names))
        disguise_runs(at, len);
    else
        disguise_addresses((char *)at, len);
}

void disguise_dhcp(uint8_t *at, size_t len)
{
    if (len < DHCP_FIXED)
        return;
    for (size_t i = 12; i < 28; i += 4)
        disguise_ipv4(at + i); /* ciaddr, yiaddr, siaddr, giaddr */
    disguise_mac_bytes(at + 28);
    disguise_words((char *)at + 44, strnlen((char *)at + 44, 64)); /* name of the server */
    disguise_addresses((char *)at + 108, 128);                     /* boot file */
    for (size_t i = DHCP_FIXED + 4; i + 1 < len && at[i] != 255;) {
        size_t n = at[i] ? at[i + 1] : 0;

        if (n > len - i - 2)
            return;
        if (at[i])
            disguise_option(at[i], at + i + 2, n);
        i += at[i] ? n + 2 : 1;
    }
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

static void disguise_data(unsigned type, uint8_t *at, size_t len, size_t i, size_t n)
{
    if (type == DNS_A && n == 4)
        disguise_ipv4(at + i);
    else if (type == DNS_AAAA && n == 16)
        disguise_ipv6(at + i);
    else if (type == DNS_PTR || type == 5 || type == 2) /* CNAME, NS */
        disguise_name(at, len, i);
    else if (type == DNS_SRV && n > 6)
        disguise_name(at, len, i + 6);
    else if (type == 6) /* SOA: two names, then numbers */
        i = (i = disguise_name(at, len, i)) ? disguise_name(at, len, i) : 0;
    else if (type != DNS_NAPTR && type != DNS_OPT)
        disguise_runs(at + i, n);
}

void disguise_dns(uint8_t *at, size_t len)
{
    unsigned questions, records;
    size_t i = 12;

    if (len < 12)
        return;
    questions = u16(at + 4);
    records = u16(at + 6) + u16(at + 8) + u16(at + 10);
    for (; questions && (i = disguise_name(at, len, i)) && i + 4 <= len; questions--)
        i += 4;
    for (; records && i && !questions && (i = disguise_name(at, len, i)) && i + 10 <= len;
         records--) {
        unsigned type = u16(at + i), n = u16(at + i + 8);

        if (n > len - i - 10)
            return;
        disguise_data(type, at, len, i + 10, n);
        i += 10 + n;
    }
}
