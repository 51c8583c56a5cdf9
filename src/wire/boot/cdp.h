/* cdp.h - Cisco Discovery Protocol: what a switch and a phone tell each other, both directions.
 *
 * `cdp_has(m, CDP_voice_vlan)` says whether a TLV is there, `cdp_set_native_vlan(&m, 10)` sets one. */
#pragma once

#include "wire/boot/ethernet.h"

#define CDP_MULTICAST     ((struct mac){{0x01, 0x00, 0x0c, 0xcc, 0xcc, 0xcc}})
#define CDP_TTL           180 /* seconds */
#define CDP_ADDRESSES_MAX 4

#define CDP_CAPABLE_ROUTER 0x01
#define CDP_CAPABLE_SWITCH 0x08
#define CDP_CAPABLE_HOST   0x10
#define CDP_CAPABLE_PHONE  0x80
#define CDP_CAPABLE_RELAY  0x400 /* two-port MAC relay: a phone with a PC port */

#define CDP_VLAN_UNTAGGED 4095

struct cdp_addresses {
    uint8_t n;
    struct ip at[CDP_ADDRESSES_MAX];
};

struct cdp_voice {
    uint8_t data; /* 1 in an answer, 0x20 in a query */
    uint16_t vlan; /* in a query: 0x0200 */
};

struct cdp_power_request {
    uint16_t id, management;
    uint8_t n;
    uint32_t mw[4]; /* most wanted first */
};

struct cdp_power_available {
    uint16_t id, management; /* both as asked */
    uint32_t mw, level;      /* level UINT32_MAX: no preference */
};

#define CDP_FIELD_U8        uint8_t
#define CDP_FIELD_U16       uint16_t
#define CDP_FIELD_U32       uint32_t
#define CDP_FIELD_TEXT      struct text
#define CDP_FIELD_ADDRESSES struct cdp_addresses
#define CDP_FIELD_VOICE     struct cdp_voice
#define CDP_FIELD_QUERY     struct cdp_voice
#define CDP_FIELD_REQUEST   struct cdp_power_request
#define CDP_FIELD_AVAILABLE struct cdp_power_available

enum cdp_tlv {
#define TLV(type, kind, name) CDP_##name = type,
#include "wire/boot/cdp.def"
#undef TLV
};

/* Texts borrow from the frame. */
struct cdp {
    struct mac from;       /* source address of the frame */
    uint8_t protocol;      /* 1 or 2 */
    uint8_t ttl;           /* seconds */
    bool checksum_wrong;   /* decoded all the same */
    uint8_t n_unknown;     /* TLVs without a row, skipped */
    uint32_t has;          /* a bit for each type */
#define TLV(type, kind, name) CDP_FIELD_##kind name;
#include "wire/boot/cdp.def"
#undef TLV
};

static inline bool cdp_has(const struct cdp *m, enum cdp_tlv type)
{
    return m->has >> type & 1;
}

#define TLV(type, kind, name)                                                                      \
    static inline void cdp_set_##name(struct cdp *m, CDP_FIELD_##kind value)                       \
    {                                                                                              \
        m->name = value;                                                                           \
        m->has |= 1u << type;                                                                      \
    }
#include "wire/boot/cdp.def"
#undef TLV

/* True for a frame that cdp_decode should be asked about: SNAP 00000C/2000. */
bool cdp_is(const struct ethernet *e);
/* From a whole frame. 0, -EBADMSG when it is no CDP, or a TLV runs over the end or is too short. */
int cdp_decode(const void *frame, size_t len, struct cdp *ret);
/* A whole frame from m->from. Its length, or -ENOSPC. */
int cdp_encode(const struct cdp *m, void *to, size_t size);
/* The Internet checksum with the odd-length rule of CDP: the last octet is sign-extended, not padded. */
uint16_t cdp_checksum(const void *bytes, size_t len);
void cdp_print(const struct cdp *m, struct writer *to); /* a line for each TLV */
