/* phone_config.h - what a phone takes from its configuration file: `SEP<MAC>.cnf.xml`,
 * `XMLDefault.cnf.xml`, the binary `.cnf` of the oldest, and `OS79XX.TXT`.
 *
 * Elements a phone does not know are skipped; names are case-sensitive, as in the phones. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PHONE_CONFIG_SERVERS 3 /* SCCP phones use the first three members of the group */
#define PHONE_CONFIG_MAX     (2048 * 1024) /* bytes; phones refuse longer files */

struct phone_server {
    char name[51]; /* an address or a host name */
    uint16_t port;
};

struct phone_config {
    struct phone_server servers[PHONE_CONFIG_SERVERS];
    uint8_t n_servers;
    bool is_default;       /* it was XMLDefault or SEPDEFAULT: the phone is not in the database */
    uint8_t security_mode; /* 1: none */
    bool delayed_failover; /* detectCMConnectionFailure: 1 */
    uint16_t monitor_s;    /* connectionMonitorDuration; 0: not given */
    char protocol[8];      /* "SCCP", "SIP", "" */
    char load[65];         /* "" keeps what runs */
    char version_stamp[81];
    char date_template[8];
    char time_zone[64];
    char user_locale[64], network_locale[64];
    char services_url[128], directory_url[128], messages_url[128], information_url[128];
};

/* `type` picks `loadInformation<type>` in a default file. 0, -EBADMSG when not well-formed or
 * without a known root, -ENOMEM. A file without servers is no error: the phone then uses the TFTP
 * server. */
int phone_config_read_xml(const void *bytes, size_t len, uint32_t type, struct phone_config *ret);
/* Pairs of group and tag with a value whose length the tag implies. 0, -EBADMSG. */
int phone_config_read_cnf(const void *bytes, size_t len, struct phone_config *ret);
/* The load named in OS79XX.TXT; -EBADMSG when it is empty or no name. */
int phone_config_read_os79xx(const void *bytes, size_t len, char load[static 65]);
