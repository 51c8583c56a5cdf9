/* phone_config.h - what a phone takes from its configuration file: `SEP<MAC>.cnf.xml`,
 * `XMLDefault.cnf.xml`, the binary `.cnf` of the oldest, the text files of 7940/7960 SIP loads, and
 * `OS79XX.TXT`.
 *
 * Elements a phone does not know are skipped; names are case-sensitive, as in the phones. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PHONE_CONFIG_SERVERS 3 /* SCCP phones use the first three members of the group */
#define PHONE_CONFIG_MAX     (2048 * 1024) /* bytes; phones refuse longer files */

#define PHONE_CONFIG_LINES 8 /* that SIP phones register */

struct phone_server {
    char name[51]; /* an address or a host name */
    uint16_t port;
    uint16_t sip_port, sips_port;
};

static inline struct phone_server phone_server_empty(void)
{
    return (struct phone_server){.port = 2000, .sip_port = 5060, .sips_port = 5061};
}

/* A line of a SIP phone's file. */
struct phone_line {
    char name[33];    /* the directory number */
    char contact[65]; /* user of its Contact; "" the name */
    char label[33];
    char auth_name[33], password[33];
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
    /* SIP */
    struct phone_line lines[PHONE_CONFIG_LINES]; /* those with a name, in their order */
    uint8_t n_lines;
    bool managed;           /* the first line's proxy is USECALLMANAGER, or there is no line */
    bool phone_users;       /* ;user=phone in URIs */
    uint8_t transport_code; /* transportLayerProtocol: 1, 4 TCP, 2 UDP, 3 TLS; 0 not given */
    uint16_t register_s, register_delta_s, keepalive_s; /* 0: not given */
    char dial_template[65], softkey_file[65], feature_policy[65];
};

/* `type` picks `loadInformation<type>` in a default file. 0, -EBADMSG when not well-formed or
 * without a known root, -ENOMEM. A file without servers is no error: the phone then uses the TFTP
 * server. */
int phone_config_read_xml(const void *bytes, size_t len, uint32_t type, struct phone_config *ret);
/* Pairs of group and tag with a value whose length the tag implies. 0, -EBADMSG. */
int phone_config_read_cnf(const void *bytes, size_t len, struct phone_config *ret);
/* `SIPDefault.cnf`, then `SIP<MAC>.cnf` into the same `config`: a key of the second file beats that
 * of the first. 0, -EBADMSG when it is no text of `key : value` lines. */
int phone_config_read_text(const void *bytes, size_t len, struct phone_config *config);
/* The load named in OS79XX.TXT; -EBADMSG when it is empty or no name. */
int phone_config_read_os79xx(const void *bytes, size_t len, char load[static 65]);
