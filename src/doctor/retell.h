/* retell.h - sights of what somebody else saw: the lines of a trace, the records of a running server.
 *
 * The caller says when (`at.time_ns`, `at.number`), between whom (`phone`, `server`, `mac`), and then what happened. What
 * a source does not tell is left empty; nothing is made up that a check would take for evidence.
 *
 *   struct retell *r = retell_new(timeline_see, timeline);
 *   r->at.time_ns = …; r->at.number = 12; r->phone = …; r->server = …;
 *   flow = retell_flow(r);
 *   retell_tcp(r, flow, true, TCP_OPENING, 0);
 */
#pragma once

#include "doctor/sight.h"

#define RETELL_FIRST_FLOW 0x80000000u /* those of captures are below */

struct retell {
    sight_fn on_sight;
    void *context;
    struct place at;  /* its end points and addresses are set with each sight */
    struct mac mac;   /* of the phone; zero: not known */
    struct endpoint phone, server;
    uint32_t n_flows; /* given so far */
    struct sccp_message sccp; /* filled by the caller for retell_sccp */
    struct dhcp_message dhcp; /* of retell_dhcp; begun by retell_dhcp_begin, options may be set in between */
    struct dns_message dns;
    struct sip_message sip;
};

struct retell *retell_new(sight_fn on_sight, void *context); /* NULL without memory; free() it */
uint32_t retell_flow(struct retell *r);                      /* a new one */

void retell_dhcp_begin(struct retell *r, enum dhcp_type type);
void retell_dhcp(struct retell *r);
void retell_arp(struct retell *r, const struct arp *a);
void retell_dns(struct retell *r, bool answer, uint8_t rcode, const char *name);
/* A file, by TFTP (69) or HTTP, as the port of `server` says. */
void retell_file_asked(struct retell *r, uint32_t flow, struct text name);
void retell_file_sent(struct retell *r, uint32_t flow, struct text name, uint64_t bytes);
void retell_file_refused(struct retell *r, uint32_t flow, unsigned code, struct text words); /* TFTP error, HTTP status */
void retell_tcp(struct retell *r, uint32_t flow, bool from_phone, enum tcp_sign sign, int64_t after_ns);
void retell_sccp(struct retell *r, uint32_t flow, bool from_phone, uint32_t id); /* body: r->sccp, cleared afterwards */
void retell_sip(struct retell *r, uint32_t flow, bool from_phone, struct text message); /* nothing when it is no SIP */
