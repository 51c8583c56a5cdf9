/* dhcp_rows.h - options.def as rows, for the files of the DHCP codec: dhcp.c (decoding, questions),
 * dhcp_encode.c, dhcp_print.c. Nobody else includes it. */
#pragma once

#include "wire/boot/dhcp.h"

#define DHCP_COOKIE     0x63825363u
#define DHCP_FIXED      236 /* the header of BOOTP, before the cookie */
#define DHCP_SNAME_SIZE 64
#define DHCP_FILE_SIZE  128

enum dhcp_kind { KIND_NONE, KIND_U8, KIND_U16, KIND_U32, KIND_IP4, KIND_IPS, KIND_TEXT, KIND_BYTES };

struct dhcp_row {
    uint8_t code, kind;
    uint16_t offset;
    const char *name;
};

enum {
#define OPTION(code, kind, name) ROW_##name,
#include "wire/boot/options.def"
#undef OPTION
    N_DHCP_ROWS
};

extern const struct dhcp_row dhcp_rows[N_DHCP_ROWS];
extern const uint8_t dhcp_row_of[256]; /* one more than the index of the row; 0: none */

static inline bool dhcp_bit(const uint64_t *set, uint8_t code)
{
    return set[code >> 6] >> (code & 63) & 1;
}
