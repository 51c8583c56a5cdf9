/* message.h - SCCP messages: structs, and bytes from and to them.
 *
 * Layouts are rows of messages.def, numbers with names are rows of constants.def. A message is
 * decoded by the layout of the negotiated protocol version (0: CallManager 2), whatever the header
 * says. Only the members of that message are written, so a struct sccp_message costs no clearing;
 * `struct text` members borrow from the frame. Nothing allocates. */
#pragma once

#include "wire/fields.h"
#include "wire/sccp/framing.h"

#define SCCP_VERSION_MAX 22

/* enum sccp_message_id: SCCP_REGISTER_REQ = 0x0001 … */
enum sccp_message_id {
#define MESSAGE(id, constant, name, words, flags) SCCP_##constant = id,
#include "wire/sccp/rows.h"
};

/* The constants of constants.def. */
#define ENUM(table)                    enum {
#define VALUE(constant, number, words) constant = number,
#define ENUM_END(table)                };
#include "wire/sccp/constants.def"
#undef ENUM
#undef VALUE
#undef ENUM_END

/* struct sccp_register_req … */
#define MESSAGE(id, constant, name, words, flags) struct sccp_##name {
#define ELEMENT(name)                             struct sccp_##name {
#define U8(f)                                     uint8_t f;
#define U16(f)                                    uint16_t f;
#define U16S(f, n)                                uint16_t f[n];
#define U32(f)                                    uint32_t f;
#define STR(f, n)                                 char f[n + 1];
#define STRV(f, n, v, n2)                         char f[(n > n2 ? n : n2) + 1];
#define ADDR(f)                                   struct ip f;
#define ZSTR(f)                                   struct text f;
#define BYTES(f, n)                               uint8_t f[n];
#define LIST(f, element, n, count)                struct sccp_##element f[n];
#define STRUCT(f, element)                        struct sccp_##element f;
#define END(name)                                 };
#include "wire/sccp/rows.h"

struct sccp_message {
    uint32_t id;
    uint32_t header_version; /* as received; not looked at when sending */
    union {
#define MESSAGE(id, constant, name, words, flags) struct sccp_##name name;
#include "wire/sccp/rows.h"
    };
};

enum sccp_from { SCCP_FROM_PHONE = 1, SCCP_FROM_SERVER = 2 }; /* media devices count as phones */

/* 0; -ENOENT: unknown id (skip it); -EPROTO: an id that only the other side sends; -EBADMSG:
 * shorter than its required part, `ret` then holds what was there and zeroes. Surplus bytes are
 * ignored. */
int sccp_decode(const struct sccp_frame *frame, unsigned version, enum sccp_from from,
                struct sccp_message *ret);

/* Header and body, padded to four bytes. -ENOENT: unknown id; -ENOBUFS: `w` is full (and bad). */
int sccp_encode(const struct sccp_message *m, unsigned version, struct writer *w);

/* The same from the struct of the message alone. */
int sccp_encode_body(uint32_t id, const void *body, unsigned version, struct writer *w);

/* sccp_put_line_stat(w, version, &(struct sccp_line_stat){.line = 1}) … */
#define MESSAGE(id, constant, name, words, flags)                                                  \
    static inline int sccp_put_##name(struct writer *w, unsigned version,                          \
                                      const struct sccp_##name *m)                                 \
    {                                                                                              \
        return sccp_encode_body(id, m, version, w);                                                \
    }
#include "wire/sccp/rows.h"

/* Bytes of the body as sent, padding included; 0 for an unknown id. */
size_t sccp_body_size(const struct sccp_message *m, unsigned version);

/* Name and members, a line each; texts with label codes written as {From}. */
void sccp_dump(const struct sccp_message *m, unsigned version, struct writer *w);

const char *sccp_message_name(uint32_t id); /* "Register"; NULL when unknown */
int sccp_message_id(struct text name, uint32_t *ret); /* any case; -ENOENT */
enum sccp_from sccp_message_from(uint32_t id);        /* 0 when unknown */
const struct field *sccp_message_fields(uint32_t id); /* the rows; NULL when unknown */
uint32_t sccp_message_at(size_t index); /* ids in table order; UINT32_MAX behind the last */

/* The version to speak with a phone that offered `offered`: the nearest one with a layout of its
 * own that is not above both. 33, which ATA 186/188 report, counts as 3. */
unsigned sccp_version_agree(unsigned offered, unsigned server_max);

/* Names of constants.def for dumps: sccp_names_call_state … */
#define ENUM(table) extern const struct name sccp_names_##table[];
#define VALUE(constant, number, words)
#define ENUM_END(table)
#include "wire/sccp/constants.def"
#undef ENUM
#undef VALUE
#undef ENUM_END

/* What a phone shows for 0x80 n (table 1) or 0x1e n (table 2); NULL when not assigned. */
const char *sccp_label(unsigned table, unsigned n);
/* Writes a displayed text with its label codes replaced, as the LCD shows it. */
void sccp_label_expand(struct text t, struct writer *w);
