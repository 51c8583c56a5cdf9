/* dhcp.h - DHCPv4 and BOOTP messages (RFC 951, 2131, 2132, 3046, 3396).
 *
 * Decoding and encoding allocate nothing. All addresses are numbers in host order. The options that
 * have a row in options.def are fields of the message; `dhcp_has(m, DHCP_lease_s)` says whether one
 * is there, `dhcp_set_lease_s(&m, 3600)` sets it, `dhcp_clear(&m, DHCP_lease_s)` takes it away. */
#pragma once

#include "base/address.h"
#include "base/buf.h"

#define DHCP_SERVER_PORT 67
#define DHCP_CLIENT_PORT 68
#define DHCP_MIN_SIZE    300  /* what is sent is padded to this (RFC 1542 2.1) */
#define DHCP_SAFE_SIZE   548  /* UDP payload that every client takes: 576 less the IP and UDP headers */
#define DHCP_MAX_SIZE    1472 /* what fits an Ethernet frame */
#define DHCP_BROADCAST   0x8000 /* bit of `flags` */

enum dhcp_op { DHCP_BOOTREQUEST = 1, DHCP_BOOTREPLY = 2 };

enum dhcp_type { /* option 53; BOOTP has none */
    DHCP_BOOTP = 0,
    DHCP_DISCOVER,
    DHCP_OFFER,
    DHCP_REQUEST,
    DHCP_DECLINE,
    DHCP_ACK,
    DHCP_NAK,
    DHCP_RELEASE,
    DHCP_INFORM
};

/* Names of the options: DHCP_lease_s is 51. */
enum dhcp_option {
#define OPTION(code, kind, name) DHCP_##name = code,
#include "wire/boot/options.def"
#undef OPTION
    DHCP_overload = 52,
    DHCP_relay = 82,
    DHCP_pad = 0,
    DHCP_end = 255
};

#define DHCP_LIST_MAX 16 /* addresses kept of a list; the rest is dropped */
#define DHCP_RAW_MAX  64 /* different options without a row kept; the rest is dropped */

struct dhcp_addresses {
    uint8_t n;
    uint32_t at[DHCP_LIST_MAX];
};

struct dhcp_raw {
    uint8_t code;
    struct text value;
};

#define DHCP_FIELD_U8    uint8_t
#define DHCP_FIELD_U16   uint16_t
#define DHCP_FIELD_U32   uint32_t
#define DHCP_FIELD_IP4   uint32_t
#define DHCP_FIELD_IPS   struct dhcp_addresses
#define DHCP_FIELD_TEXT  struct text
#define DHCP_FIELD_BYTES struct text

/* Texts borrow from the decoded bytes or, when an option came in parts (RFC 3396), from the message
 * itself: do not copy a decoded message, and keep both while you use them. */
struct dhcp_message {
    uint8_t op, htype, hlen, hops;
    uint32_t xid;
    uint16_t secs, flags;
    uint32_t ciaddr, yiaddr, siaddr, giaddr;
    uint8_t chaddr[16];
    struct text sname, file; /* empty when options stood there (option 52) */
    bool cookie;             /* RFC 1497 magic cookie; without it there are no options */

    uint64_t has[4];         /* a bit for each option code */
#define OPTION(code, kind, name) DHCP_FIELD_##kind name;
#include "wire/boot/options.def"
#undef OPTION
    struct text relay;       /* option 82 whole: a server echoes it unchanged */
    struct text order;       /* codes that are sent first, after 53, 54 and 51 (RFC 2132 9.8: a
                                server tries to follow the client's list); not decoded */
    uint8_t n_bad;           /* options too short for their kind, counted and left out */
    uint8_t n_raw;
    uint16_t n_joined;       /* bytes of `joined` in use */

    struct dhcp_raw raw[DHCP_RAW_MAX]; /* not cleared, like what follows */
    uint8_t joined[DHCP_MAX_SIZE];
};

/* Sub-options of option 82 (RFC 3046, 3527, 3993, 5107); empty or 0 when absent. */
struct dhcp_relay {
    struct text circuit_id, remote_id, subscriber_id;
    uint32_t link_selection, server_override;
};

static inline bool dhcp_has(const struct dhcp_message *m, uint8_t code)
{
    return m->has[code >> 6] >> (code & 63) & 1;
}

static inline void dhcp_mark(struct dhcp_message *m, uint8_t code)
{
    m->has[code >> 6] |= 1ull << (code & 63);
}

static inline void dhcp_clear(struct dhcp_message *m, uint8_t code)
{
    m->has[code >> 6] &= ~(1ull << (code & 63));
}

#define OPTION(code, kind, name)                                                                   \
    static inline void dhcp_set_##name(struct dhcp_message *m, DHCP_FIELD_##kind value)            \
    {                                                                                              \
        m->name = value;                                                                           \
        dhcp_mark(m, code);                                                                        \
    }
#include "wire/boot/options.def"
#undef OPTION

static inline void dhcp_set_relay(struct dhcp_message *m, struct text value)
{
    m->relay = value;
    dhcp_mark(m, DHCP_relay);
}

/* An empty message: everything 0, Ethernet, with the cookie. Much cheaper than `= {0}`. */
void dhcp_init(struct dhcp_message *m, enum dhcp_op op, uint32_t xid, struct mac mac);

/* Clears and fills `ret`. 0, or -EBADMSG: too short for BOOTP or larger than DHCP_MAX_SIZE, an unknown op, hlen
 * over 16, an option that runs over the end of its area, options without end. A lost END is forgiven. */
int dhcp_decode(const void *bytes, size_t len, struct dhcp_message *ret);

/* The length written, or -ENOSPC. `size` is the largest UDP payload the receiver takes:
 * dhcp_room() of its request. What does not fit the options area goes to `file` and `sname` when
 * these are empty (option 52); options over 255 bytes are split (RFC 3396); option 82 stands last. */
int dhcp_encode(const struct dhcp_message *m, void *to, size_t size);

/* UDP payload that the sender of `request` accepts: its option 57 or DHCP_SAFE_SIZE, within DHCP_MAX_SIZE. */
size_t dhcp_room(const struct dhcp_message *request);

struct mac dhcp_mac(const struct dhcp_message *m); /* zero unless Ethernet */
struct text dhcp_find_raw(const struct dhcp_message *m, uint8_t code); /* of an option without a row; at == NULL: absent */
void dhcp_add_raw(struct dhcp_message *m, uint8_t code, struct text value); /* dropped when DHCP_RAW_MAX are there */
bool dhcp_asks(const struct dhcp_message *m, uint8_t code); /* stands in the parameter request list */
/* The sub-options of m->relay; -EBADMSG when they run over its end. */
int dhcp_relay_decode(struct text relay, struct dhcp_relay *ret);
const char *dhcp_type_name(uint8_t type); /* "DISCOVER"; "?" when unknown */
/* A line for each field and option, for logs and tests. */
void dhcp_print(const struct dhcp_message *m, struct writer *to);
/* What it wrote, read again; its lines may also stand in one, between commas. Options without a row are lost. 0 or -EBADMSG. */
int dhcp_scan(struct text printed, struct dhcp_message *ret);
