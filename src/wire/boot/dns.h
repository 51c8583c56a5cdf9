/* dns.h - DNS messages (RFC 1035, 2782, 3403, 3596) with one question, both directions. Allocates nothing.
 *
 * Names are C strings without the final dot, "" the root; at most 253 characters, case kept. */
#pragma once

#include "base/address.h"
#include "base/buf.h"

#define DNS_PORT        53
#define DNS_NAME_MAX    256
#define DNS_SIZE_MAX    512 /* over UDP without EDNS */
#define DNS_RECORDS_MAX 16

enum dns_type { DNS_A = 1, DNS_PTR = 12, DNS_AAAA = 28, DNS_SRV = 33, DNS_NAPTR = 35, DNS_OPT = 41, DNS_ANY = 255 };
enum dns_section { DNS_ANSWER, DNS_AUTHORITY, DNS_ADDITIONAL };
enum dns_rcode { DNS_OK, DNS_FORMAT_ERROR, DNS_SERVER_FAILURE, DNS_NAME_ERROR, DNS_NOT_IMPLEMENTED, DNS_REFUSED };

struct dns_record {
    enum dns_section section;
    char name[DNS_NAME_MAX];
    uint16_t type, class;
    uint32_t ttl; /* seconds */
    struct ip ip; /* A, AAAA */
    uint16_t priority, weight, port; /* SRV; NAPTR: order and preference in the first two */
    char target[DNS_NAME_MAX];       /* PTR, SRV, NAPTR: replacement; CNAME, NS too */
    struct text flags, service, regexp; /* NAPTR; borrowed */
    struct text data; /* RDATA of other types; borrowed */
};

struct dns_message {
    uint16_t id;
    bool response, authoritative, truncated, recursion_desired, recursion_available;
    uint8_t opcode, rcode;
    bool has_question;
    char name[DNS_NAME_MAX]; /* of the question */
    uint16_t type, class;
    uint16_t udp_size; /* EDNS size the sender takes, 0 without */
    struct dns_record records[DNS_RECORDS_MAX]; /* only those below n_records are set */
    uint8_t n_records; /* the rest is dropped */
};

/* Everything empty; cheaper than `= {0}`. */
void dns_init(struct dns_message *m, uint16_t id);
/* 0, -EBADMSG when malformed: cut off, a pointer that does not go backwards, more than one question. The header is
 * filled when there was one, so that a server can answer FORMAT_ERROR. */
int dns_decode(const void *bytes, size_t len, struct dns_message *ret);
/* With compression of the question's name and of names seen before. The length; records that do not fit are left
 * out and the truncation bit set; -ENOSPC when the question does not fit, -EINVAL for a name that cannot be written. */
int dns_encode(const struct dns_message *m, void *to, size_t size);
/* The next free record, empty but for section, name, type and class IN; NULL when full. */
struct dns_record *dns_add(struct dns_message *m, enum dns_section section, const char *name, uint16_t type, uint32_t ttl);
void dns_print(const struct dns_message *m, struct writer *to);
