#include "base/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/map.h"

struct ip ip_v4(uint32_t n)
{
    return (struct ip){4, {(uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n}};
}

uint32_t ip_v4_number(struct ip ip)
{
    if (ip.family != 4)
        return 0;
    return (uint32_t)ip.bytes[0] << 24 | (uint32_t)ip.bytes[1] << 16 | (uint32_t)ip.bytes[2] << 8 |
           ip.bytes[3];
}

static size_t ip_size(struct ip ip)
{
    return ip.family == 6 ? 16 : ip.family == 4 ? 4 : 0;
}

bool ip_equal(struct ip a, struct ip b)
{
    return a.family == b.family && memcmp(a.bytes, b.bytes, ip_size(a)) == 0;
}

bool ip_is_loopback(struct ip ip)
{
    static const uint8_t one[16] = {[15] = 1};

    return ip.family == 4 ? ip.bytes[0] == 127 : ip.family == 6 && !memcmp(ip.bytes, one, 16);
}

bool ip_is_any(struct ip ip)
{
    static const uint8_t zero[16];

    return memcmp(ip.bytes, zero, ip_size(ip)) == 0;
}

int ip_parse(struct text t, struct ip *ret)
{
    char s[INET6_ADDRSTRLEN];
    struct ip ip = {0};

    if (t.len >= sizeof(s))
        return -EINVAL;
    text_copy(s, sizeof(s), t);
    if (inet_pton(AF_INET, s, ip.bytes) == 1)
        ip.family = 4;
    else if (inet_pton(AF_INET6, s, ip.bytes) == 1)
        ip.family = 6;
    else
        return -EINVAL;
    *ret = ip;
    return 0;
}

const char *ip_print(struct ip ip, char to[static IP_TEXT_MAX])
{
    struct writer w = writer_of(to, IP_TEXT_MAX);

    if (ip.family == 6)
        return inet_ntop(AF_INET6, ip.bytes, to, IP_TEXT_MAX);
    for (int i = 0; ip.family && i < 4; i++) {
        if (i)
            write_u8(&w, '.');
        write_decimal(&w, ip.bytes[i]);
    }
    write_u8(&w, 0);
    return to;
}

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
    return a->port == b->port && ip_equal(a->ip, b->ip);
}

const char *endpoint_print(const struct endpoint *e, char to[static ENDPOINT_TEXT_MAX])
{
    char ip[IP_TEXT_MAX];

    snprintf(to, ENDPOINT_TEXT_MAX, e->ip.family == 6 ? "[%s]:%u" : "%s:%u",
             e->ip.family ? ip_print(e->ip, ip) : "?", e->port);
    return to;
}

/* A socket of both families names an IPv4 peer ::ffff:a.b.c.d; for us that is an IPv4 address. */
static struct ip unmapped(struct ip ip)
{
    static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};
    struct ip v4 = {4, {0}};

    if (memcmp(ip.bytes, prefix, sizeof(prefix)) != 0)
        return ip;
    memcpy(v4.bytes, ip.bytes + 12, 4);
    return v4;
}

struct endpoint endpoint_of_sockaddr(const struct sockaddr *sa)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)sa;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)sa;
    struct endpoint e = {0};

    if (sa->sa_family == AF_INET) {
        e.ip.family = 4;
        memcpy(e.ip.bytes, &in->sin_addr, 4);
        e.port = ntohs(in->sin_port);
    } else if (sa->sa_family == AF_INET6) {
        e.ip.family = 6;
        memcpy(e.ip.bytes, &in6->sin6_addr, 16);
        e.ip = unmapped(e.ip);
        e.port = ntohs(in6->sin6_port);
    }
    return e;
}

socklen_t endpoint_to_sockaddr(const struct endpoint *e, struct sockaddr_storage *ret)
{
    struct sockaddr_in *in = (struct sockaddr_in *)ret;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;

    memset(ret, 0, sizeof(*ret));
    if (e->ip.family == 6) {
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons(e->port);
        memcpy(&in6->sin6_addr, e->ip.bytes, 16);
        return sizeof(*in6);
    }
    in->sin_family = AF_INET;
    in->sin_port = htons(e->port);
    memcpy(&in->sin_addr, e->ip.bytes, 4);
    return sizeof(*in);
}

int mac_parse(struct text t, struct mac *ret)
{
    char hex[12];
    size_t n = 0;
    uint64_t number;

    for (size_t i = 0; i < t.len; i++) {
        if (t.at[i] == ':' || t.at[i] == '-' || t.at[i] == '.')
            continue;
        if (n == sizeof(hex))
            return -EINVAL;
        hex[n++] = t.at[i];
    }
    if (n != sizeof(hex) || text_to_u64((struct text){hex, n}, 16, &number) < 0)
        return -EINVAL;
    *ret = mac_of_number(number);
    return 0;
}

bool mac_equal(struct mac a, struct mac b)
{
    return memcmp(a.bytes, b.bytes, sizeof(a.bytes)) == 0;
}

uint64_t mac_number(struct mac m)
{
    uint64_t n = 0;

    for (size_t i = 0; i < 6; i++)
        n = n << 8 | m.bytes[i];
    return n;
}

struct mac mac_of_number(uint64_t n)
{
    struct mac m;

    for (size_t i = 6; i-- > 0; n >>= 8)
        m.bytes[i] = (uint8_t)n;
    return m;
}

const char *mac_print(struct mac m, char to[static MAC_TEXT_MAX])
{
    snprintf(to, MAC_TEXT_MAX, "%02x:%02x:%02x:%02x:%02x:%02x", m.bytes[0], m.bytes[1], m.bytes[2],
             m.bytes[3], m.bytes[4], m.bytes[5]);
    return to;
}

struct device_name device_name_of(struct text t)
{
    struct device_name name = {""};

    text_copy(name.s, sizeof(name.s), t);
    return name;
}

struct device_name device_name_of_mac(struct mac m)
{
    static const char digits[] = "0123456789ABCDEF";
    struct device_name name = {"SEP"};

    for (size_t i = 0; i < 6; i++) {
        name.s[3 + 2 * i] = digits[m.bytes[i] >> 4];
        name.s[4 + 2 * i] = digits[m.bytes[i] & 15];
    }
    return name;
}

int device_name_mac(struct device_name name, struct mac *ret)
{
    struct text t = text_of(name.s);

    if (!text_starts_nocase(t, "SEP") || t.len != 15)
        return -EINVAL;
    return mac_parse(text_skip(t, 3), ret);
}
