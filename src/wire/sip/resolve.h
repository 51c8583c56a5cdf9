/* resolve.h - where a SIP request goes: RFC 3263 with SRV of RFC 2782, questions out, answers in.
 *
 *   sip_resolve_uri(&uri, &wish); sip_resolve_start(&r, &wish)
 *   while ((step = sip_resolve_next(&r, &question, &target)) == SIP_RESOLVE_ASK)
 *       … ask, and later: sip_resolve_answer(&r, &message or NULL)
 *   SIP_RESOLVE_TRY: send to `target`; when that fails (503, no answer, transport error) go on with
 *   sip_resolve_next: the next target, which may need questions again (RFC 3263 4.3)
 *
 * Allocates nothing; about 6 KB, needed as long as there may be another target. */
#pragma once

#include "wire/boot/dns.h"
#include "wire/sip/message.h"
#include "wire/sip/uri.h"

#define SIP_HOSTS_MAX     12 /* SRV records of one service; more are left out */
#define SIP_ADDRESSES_MAX 8  /* of one host */

enum { SIP_ANY_TRANSPORT = 3 };

struct sip_wish {
    struct text host;
    uint16_t port;     /* 0: not said */
    uint8_t transport; /* enum sip_transport, or SIP_ANY_TRANSPORT */
    bool secure;       /* sips: TLS alone */
    bool naptr;        /* ask for NAPTR first; Cisco phones do not */
    bool ipv6;         /* ask for AAAA as well; addresses of both kinds are tried, A first */
    uint8_t n_transports,
        transports[3]; /* what we can do, in order of liking, for SRV without NAPTR */
    uint32_t random;   /* to choose by weight */
};

struct sip_question {
    char name[DNS_NAME_MAX];
    uint16_t type; /* enum dns_type */
};

struct sip_target {
    uint8_t transport; /* enum sip_transport */
    struct endpoint to;
    char host[DNS_NAME_MAX]; /* whose certificate it must be (RFC 5922): the name that was wanted */
};

struct sip_resolve {
    struct sip_wish wish; /* its host lies in `name` */
    char name[DNS_NAME_MAX];
    enum { SIP_ASKING_NAPTR, SIP_ASKING_SRV, SIP_ASKING_HOST, SIP_RESOLVED } phase;
    uint16_t asking;  /* type of the question that is out; 0: none */
    bool found, none; /* any SRV; a service that is said not to be there */
    uint8_t n_services, service;
    struct {
        char name[DNS_NAME_MAX];
        uint8_t transport;
        uint16_t order, preference;
    } services[4];
    uint8_t n_hosts, host;
    struct sip_host {
        char name[DNS_NAME_MAX];
        uint16_t port, priority, weight;
        uint8_t transport;
    } hosts[SIP_HOSTS_MAX];
    uint8_t n_addresses, address;
    struct ip addresses[SIP_ADDRESSES_MAX];
};

/* Host, port, transport and secure from a URI, `maddr` before the host (RFC 3263 4). */
void sip_resolve_uri(const struct sip_uri *uri, struct sip_wish *ret);
/* 0, or -EINVAL: no host name, or a transport that we cannot do. */
int sip_resolve_start(struct sip_resolve *r, const struct sip_wish *wish);
enum sip_resolve_step { SIP_RESOLVE_ASK, SIP_RESOLVE_TRY, SIP_RESOLVE_END };
enum sip_resolve_step sip_resolve_next(struct sip_resolve *r, struct sip_question *question,
                                       struct sip_target *target);
/* The answer to the question that is out; NULL: there was none. */
void sip_resolve_answer(struct sip_resolve *r, const struct dns_message *m);
