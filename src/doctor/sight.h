/* sight.h - what the doctor saw: one thing on the wire, decoded, with the packet it came from.
 *
 * capture.c makes sights out of packets, in order of the capture; whoever has a `sight_fn` draws conclusions. A sight and all
 * it points to are borrowed for the call. Nothing is made for packets that say nothing about phones (media, other traffic). */
#pragma once

#include "wire/boot/arp.h"
#include "wire/boot/cdp.h"
#include "wire/boot/dhcp.h"
#include "wire/boot/dns.h"
#include "wire/boot/lldp.h"
#include "wire/boot/tftp.h"
#include "wire/capture/stream.h" /* enum tcp_sign */
#include "wire/http.h"
#include "wire/sccp/message.h"
#include "wire/sip/message.h"

/* Times of what was written without any are before 1970, so that its order is kept: never told. */
static inline bool is_untimed(int64_t time_ns)
{
    return time_ns < 0;
}

/* Where a sight stands. */
struct place {
    uint64_t number;   /* of the packet in its capture, from 1 as other tools count */
    uint8_t file;      /* of several given one after the other, from 0 */
    bool line;         /* `number` is that of a line of text */
    uint8_t capture;   /* 0: the first (or only) file, 1: the second … */
    int64_t time_ns;   /* since 1970 */
    struct mac from_mac, to_mac; /* zero where the link type has none */
    uint16_t vlan;     /* outermost tag; 0: none */
    uint8_t dscp, ttl;
    bool told;         /* by a trace that leaves things out: what is not told may have been */
    const char *device; /* whose phone it is, where who tells says so; NULL: nobody does. Borrowed */
    struct endpoint from, to; /* family 0 where there is no IP */
};

enum sight_kind {
    SIGHT_CDP,
    SIGHT_LLDP,
    SIGHT_ARP,
    SIGHT_DHCP,
    SIGHT_DNS,
    SIGHT_TFTP,          /* requests on 69 and what belongs to their transfers, in both directions */
    SIGHT_ICMP,          /* an error message and the packet it complains of */
    SIGHT_HTTP_REQUEST,  /* a file asked for (6970 and other ports) */
    SIGHT_HTTP_RESPONSE, /* its head */
    SIGHT_FILE,          /* the content of a file, whole or as far as it came (TFTP or HTTP) */
    SIGHT_SCCP,          /* one message out of a stream */
    SIGHT_SIP,           /* one message, UDP or out of a stream */
    SIGHT_TORN,          /* the beginning of a SIP message by UDP whose other fragments never came */
    SIGHT_TLS,           /* a handshake record, an alert in the clear, the first data of a side */
    SIGHT_TCP,           /* something about a connection itself; only of connections that phones' ports concern */
    SIGHT_LOST,          /* bytes that were acknowledged but are not in the capture: its own loss */
};

struct sight {
    struct place at;
    enum sight_kind kind;
    uint32_t flow;       /* TCP connection or TFTP transfer, counted over the capture from 1; 0: none */
    bool from_client;    /* of flows: sent by the side that opened it (or has the higher port) */
    union {
        const struct cdp *cdp;
        const struct lldp *lldp;
        const struct arp *arp;
        const struct dhcp_message *dhcp;
        const struct dns_message *dns;
        const struct tftp_packet *tftp;
        const struct http_request *http_request;
        const struct http_response *http_response;
        const struct sccp_message *sccp; /* id always; the body as far as it decoded */
        const struct sip_message *sip;
        struct {
            uint8_t type, code;
            uint16_t mtu;             /* of "fragmentation needed", 0 otherwise */
            uint8_t protocol;         /* of the packet it complains of: 17, 6 … */
            struct endpoint from, to; /* of that packet */
        } icmp;
        struct {
            struct text name, content; /* content: cut at SIGHT_FILE_MAX */
            uint64_t size;             /* bytes that came; SIGHT_SIZE_UNKNOWN: nobody says, and there is no content */
            bool whole;
        } file;
        struct {
            uint8_t record, type;      /* content type; handshake type, or description of an alert */
            uint8_t level;             /* of an alert */
            uint16_t version;
            struct text name;          /* server name of a ClientHello; borrowed */
        } tls;
        struct {
            enum tcp_sign sign;
            unsigned again;
            int64_t after_ns;
            uint32_t sequence, length; /* of the data spoken of */
        } tcp;
        struct {
            uint64_t bytes;
        } lost;
    };
};

#define TLS_HIDDEN 255 /* an alert of which only the length is seen (TLS 1.3) */
#define SIGHT_SIZE_UNKNOWN UINT64_MAX
#define SIGHT_FILE_MAX 65536 /* a configuration file is kept whole, firmware only its beginning */

typedef void (*sight_fn)(void *context, const struct sight *s);

/* One line for people and tests: "12 10:05:01.000250 SCCP 10.0.0.5:51000 > 10.0.0.1:2000 #3 KeepAlive". */
void sight_print(const struct sight *s, struct writer *to);
