/* address.h - IP and Ethernet addresses, end points and device names as values.
 *
 * An IPv4 address is an `ip` of family 4 with the first four bytes set, in network order. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/text.h"

struct ip {
    uint8_t family; /* 4, 6, or 0: none */
    uint8_t bytes[16];
};

struct endpoint {
    struct ip ip;
    uint16_t port; /* host order */
};

struct mac {
    uint8_t bytes[6];
};

/* `SEP` + 12 upper-case hex digits for phones; up to 15 characters in SCCP. */
struct device_name {
    char s[16];
};

#define IP_TEXT_MAX       48 /* with the NUL */
#define ENDPOINT_TEXT_MAX 56
#define MAC_TEXT_MAX      18

struct ip ip_v4(uint32_t host_order);
uint32_t ip_v4_number(struct ip ip); /* host order; 0 when not IPv4 */
bool ip_equal(struct ip a, struct ip b);
bool ip_is_loopback(struct ip ip);                               /* 127.0.0.0/8, ::1 */
bool ip_is_any(struct ip ip);                                    /* none or all zero */
int ip_parse(struct text t, struct ip *ret);                     /* -EINVAL */
const char *ip_print(struct ip ip, char to[static IP_TEXT_MAX]); /* returns `to` */

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b);
const char *endpoint_print(const struct endpoint *e,
                           char to[static ENDPOINT_TEXT_MAX]);   /* 10.0.0.1:69, [::1]:69 */
struct endpoint endpoint_of_sockaddr(const struct sockaddr *sa); /* family 0 when it is neither */
socklen_t endpoint_to_sockaddr(const struct endpoint *e, struct sockaddr_storage *ret);

int mac_parse(struct text t,
              struct mac *ret); /* 001122334455, 00:11:22:…, 00-11-…, 0011.2233.4455 */
bool mac_equal(struct mac a, struct mac b);
uint64_t mac_number(struct mac m); /* 48 bits */
struct mac mac_of_number(uint64_t n);
const char *mac_print(struct mac m, char to[static MAC_TEXT_MAX]); /* 00:11:22:33:44:55 */

struct device_name device_name_of(struct text t);    /* cut to 15 characters, as given */
struct device_name device_name_of_mac(struct mac m); /* SEP… */
/* The address behind SEP + 12 hex digits; -EINVAL when the name is not of that form. */
int device_name_mac(struct device_name name, struct mac *ret);
