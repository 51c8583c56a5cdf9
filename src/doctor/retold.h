/* retold.h - one phone of which somebody tells in a few words: it registered, it was refused for reason 29, it left for reason 13.
 * What passed between it and its server then is known, and is retold as that. */
#pragma once

#include "base/address.h"
#include "doctor/retell.h"

struct retold {
    struct retell *r; /* when: r->at, set before each call */
    struct device_name name;
    struct mac mac;
    struct endpoint phone, server;
    uint32_t model;
    bool sip;
    uint32_t interval_s; /* of keepalives, as the server grants it */
    uint32_t silence_s;  /* that makes it lost */
    /* of the module */
    uint32_t flow, sequence;
    bool connected, registered, asked, made_port;
    int64_t last_ns;
    int64_t told_ns, refused_ns, left_ns; /* of who tells: when it last told of a Register, a refusal, an end */
};

void retold_place(struct retold *p); /* sights of r are between this phone and its server */
void retold_connected(struct retold *p);
void retold_ended(struct retold *p, bool by_phone, enum tcp_sign how); /* TCP_ENDING or TCP_RESET */
void retold_registers(struct retold *p);  /* and nobody has answered yet */
void retold_registered(struct retold *p); /* asked, or asks now, and is accepted */
/* `code` of EndPointTransientConnection, or 0 and the words that were said. */
/* An accepted registration that did not come to its end is told as a refusal in these words, and what was missing. */
#define UNFINISHED "not finished: "
void retold_refused(struct retold *p, uint32_t code, const char *words);
/* The words and the status of SIP for such a code. */
const char *retold_refusal(uint32_t code, unsigned *status);
void retold_keepalive(struct retold *p); /* and its answer */
void retold_ordered(struct retold *p, uint32_t kind); /* SCCP_RESET_… */
void retold_gone(struct retold *p, uint32_t code);    /* of EndPointUnregistered */
void retold_said(struct retold *p, uint32_t code, const char *words); /* why it was away, as it says itself */
