/* directory.h - everything that is configured, as an immutable snapshot.
 *
 * A snapshot is reference-counted and shared by all threads; records in it never change. A change
 * makes a new snapshot that shares all it did not touch: changing one phone of 100 000 costs
 * O(log n). Texts are never NULL. Structs come from entities.def: `struct phone`, `struct device_pool`, … */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/names.h"
#include "base/text.h"

enum device_protocol { PROTOCOL_SCCP, PROTOCOL_SIP, PROTOCOL_SIP_THIRD_PARTY };
enum security_mode { SECURITY_NONE, SECURITY_AUTHENTICATED, SECURITY_ENCRYPTED };
/* What a security profile allows. */
enum phone_transport { TRANSPORT_TCP_UDP, TRANSPORT_TCP, TRANSPORT_UDP, TRANSPORT_TLS };
/* In which order the members of a CallManager group serve a device (cluster/spread.h): as they are
 * listed; each device in an order of its own; the same, with the last as the backup of all. */
enum load_sharing { SHARE_NONE, SHARE_ALL, SHARE_ALL_BUT_LAST };
enum user_role { ROLE_NONE, ROLE_VIEWER, ROLE_OPERATOR, ROLE_ADMINISTRATOR };

/* Rows that every directory begins with; a phone that names none has those. */
#define STANDARD_SOFTKEYS             "Standard User"
#define STANDARD_SIP_PROFILE          "Standard SIP Profile"
#define STANDARD_SCCP_SECURITY        "Standard SCCP Non-Secure Profile"
#define STANDARD_SIP_SECURITY         "Standard SIP Non-Secure Profile"
#define STANDARD_THIRD_PARTY_SECURITY "Third-party SIP Non-Secure Profile"

/* Numbers as in a SCCP button template (reference sccp.md 4.2), so they can be sent as they are. */
enum button_feature {
    BUTTON_UNUSED = 0x00,
    BUTTON_REDIAL = 0x01,
    BUTTON_SPEED_DIAL = 0x02,
    BUTTON_HOLD = 0x03,
    BUTTON_TRANSFER = 0x04,
    BUTTON_FORWARD_ALL = 0x05,
    BUTTON_DISPLAY = 0x08,
    BUTTON_LINE = 0x09,
    BUTTON_VOICE_MAIL = 0x0f,
    BUTTON_SELECT = 0x12,
    BUTTON_FEATURE = 0x13,
    BUTTON_SERVICE = 0x14,
    BUTTON_BLF = 0x15,
    BUTTON_CONFERENCE = 0x7d,
    BUTTON_PARK = 0x7e,
    BUTTON_PICKUP = 0x7f,
    BUTTON_GROUP_PICKUP = 0x80,
    BUTTON_MOBILITY = 0x81,
    BUTTON_DND = 0x82,
    BUTTON_MESSAGES = 0xc2,
    BUTTON_DIRECTORY = 0xc3,
    BUTTON_APPLICATION = 0xc5,
    BUTTON_HEADSET = 0xc6,
};

extern const struct name device_protocols[], user_roles[], button_features[], softkey_states[],
    date_separators[], date_formats[], security_modes[], sip_transports[], sip_user_infos[], dial_users[], load_sharings[],
    dtmf_levels[], dtmf_ways[], kpml_uses[], sip_codecs[], dnd_controls[], stutters[], telnet_levels[];

enum entity {
#define ITEM(id, title)
#define END_ITEM(id)
#define ENTITY(id, noun, title) ENTITY_##id,
#define KEY(...)
#define STR(...)
#define SECRET(...)
#define NUM(...)
#define FLAG(...)
#define ENUM(...)
#define REF(...)
#define LIST(...)
#define END(id)
#include "core/entities.def"
#undef ITEM
#undef ENTITY
    N_ENTITIES
};

/* First member of every record: who it is. Owned by the directory module. */
struct record {
    _Atomic uint32_t refs;
    uint16_t entity;
    uint64_t version; /* of the snapshot that last changed it */
    uint64_t stamp;   /* of what it says: the same on every node where it says the same */
};

#undef KEY
#undef STR
#undef SECRET
#undef NUM
#undef FLAG
#undef ENUM
#undef REF
#undef LIST
#undef END
#undef END_ITEM
#define ITEM(id, title)         struct id {
#define END_ITEM(id)            };
#define ENTITY(id, noun, title) struct id { struct record record;
#define KEY(f, max, t)          const char *f;
#define STR(f, max, d, t)       const char *f;
#define SECRET(f, max, t)       const char *f;
#define NUM(f, d, lo, hi, t)    int32_t f;
#define FLAG(f, d, t)           bool f;
#define ENUM(f, names, d, t)    uint8_t f;
#define REF(f, entity, d, t)    const char *f;
#define LIST(f, item, t)        const struct item *f; uint16_t n_##f;
#define END(id)                 };
#include "core/entities.def"
#undef ITEM
#undef END_ITEM
#undef ENTITY
#undef KEY
#undef STR
#undef SECRET
#undef NUM
#undef FLAG
#undef ENUM
#undef REF
#undef LIST
#undef END

struct directory;

const struct directory *directory_ref(const struct directory *dir);
void directory_unref(const struct directory *dir); /* NULL is fine */
uint64_t directory_version(const struct directory *dir); /* grows with every change */
size_t directory_count(const struct directory *dir, enum entity e);

/* The record of that key, or NULL. It lives as long as the snapshot. Keys of two parts are
 * "number/partition", without the slash when the partition is empty. Any case for phone names. */
const void *directory_find(const struct directory *dir, enum entity e, struct text key);
/* The first record whose key is greater than `after` (empty: the first of all), or NULL. */
const void *directory_next(const struct directory *dir, enum entity e, struct text after);
/* Writes the key of a record; returns its length. */
#define DIRECTORY_KEY_MAX 260
size_t directory_key(const void *record, char to[static DIRECTORY_KEY_MAX]);

static inline const struct phone *directory_phone(const struct directory *dir, struct text name)
{
    return (const struct phone *)directory_find(dir, ENTITY_phone, name);
}

/* The first phone whose name is greater than `after` that has a button on the line of that key, or NULL:
 * for (p = NULL; (p = directory_line_user(dir, key, p ? p->name : "")); ) … */
const struct phone *directory_line_user(const struct directory *dir, struct text line_key,
                                        const char *after);

/* The same for phones whose digest user is that user: phone.digest_user, else phone.owner. */
const struct phone *directory_digest_device(const struct directory *dir, struct text user,
                                            const char *after);

/* The phone whose place the device gets that types this code, or NULL (REG-3). */
const struct phone *directory_activation(const struct directory *dir, struct text code);

/* Value of a service or enterprise parameter: what is stored, or the default of settings.def. */
int32_t directory_number(const struct directory *dir, int setting);
const char *directory_string(const struct directory *dir, int setting);
