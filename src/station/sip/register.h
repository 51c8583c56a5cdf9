/* register.h - what a REGISTER says: who, which line, which contacts, for how long (RFC 3261
 * 10; for Cisco phones docs/protocols/sip_registration.md). */
#pragma once

#include "base/address.h"
#include "wire/sip/message.h"
#include "wire/sip/service_control.h"

#define SIP_CONTACTS_MAX 10
#define SIP_USER_MAX     64
#define SIP_CONTACT_MAX  512 /* bytes of one URI that are kept */
#define SIP_CALL_ID_MAX  256

struct sip_contact {
    struct text whole; /* as written, parameters included */
    struct sip_uri uri;
    int64_t expires_s; /* -1: not said */
    uint16_t q;        /* thousandths */
    struct text instance; /* RFC 5626: of the client that it is of, … */
    uint32_t reg_id;      /* … and which of its ways here; 0: not said */
};

struct sip_register {
    struct device_name device; /* as a Cisco phone names itself, or empty: a plain client */
    uint32_t model;            /* 0: not said */
    char user[SIP_USER_MAX];   /* of the address of record */
    int64_t expires_s;         /* of the header; -1: not said */
    bool all;                  /* Contact: * */
    bool keepalive;            /* cisco-keep-alive: to a backup */
    size_t n_contacts;
    struct sip_contact contacts[SIP_CONTACTS_MAX];
};

/* 0, or the status it must be answered with: 400, 403 too many contacts, 404, 416. */
int sip_register_read(const struct sip_message *m, struct sip_register *ret);

/* How long is asked for one contact of a plain client, in seconds; 0: no more. */
int64_t sip_contact_asks_s(const struct sip_register *r, const struct sip_contact *c);
/* How long is asked for, in seconds, for the first contact; a day when nothing is said. */
int64_t sip_register_expires(const struct sip_register *r);

/* What is looked at only when somebody registers anew. */
struct sip_details {
    bool bulk;                            /* bulkregisterreq: all lines with this one */
    bool extended_refer, service_control; /* of Supported */
    struct cisco_reason alarm;            /* of Reason; `words` with at == NULL: none */
    struct text load;                     /* that it runs: of the alarm, else of User-Agent */
};

void sip_register_details(const struct sip_message *m, struct sip_details *ret);
/* The model that User-Agent names, for who says none in Contact; 0: none. */
uint32_t sip_register_model(const struct sip_message *m);
