/* fields.h - the field-table interpreter: a wire format is a table of rows.
 *
 * A table describes a little-endian record once; the functions below walk it to decode, encode,
 * size and dump the C struct whose offsets the rows hold. Rows between marks may exist in some
 * layout versions only. Reading past the end gives zeroes and sets `bad`, looked at once; writing
 * past the end drops the bytes and sets `bad`. Nothing allocates. Decoded `struct text` members
 * borrow from the bytes that were read. */
#pragma once

#include "base/address.h"
#include "base/buf.h"
#include "base/names.h"

enum field_kind {
    F_END,
    /* values */
    F_UINT,  /* 1, 2 or 4 bytes on the wire; `stride` bytes in the struct */
    F_U16S,  /* uint16_t[len / 2] */
    F_IP4,   /* struct ip, 4 bytes in network order */
    F_IP6,   /* struct ip, 16 bytes */
    F_ADDR,  /* struct ip: 4 bytes; `len2` (20) bytes from version `from`: type + 16 */
    F_STR,   /* char[len + 1] or wider; a fixed field that ends at its NUL or its last byte */
    F_ZSTR,  /* struct text, variable, with its NUL on the wire (an empty one is one NUL) */
    F_LEN,   /* the u32 length of a text whose bytes follow later (F_DATA, F_BLOCK) */
    F_DATA,  /* struct text of the length read by F_LEN */
    F_BLOCK, /* the same in a field of `len` bytes that is left out when the text is empty */
    F_RAW,   /* struct text: all that is left */
    F_BYTES, /* uint8_t[len], as they are */
    F_LINE,  /* u32 behind an odd number field: packed, or moved to the next multiple of four */
    F_PAD,   /* len zero bytes; skipped when read */
    F_LIST,  /* structs: as many on the wire as the count member says */
    F_SLOTS, /* structs: always `len` (or, when more are used, `len2`) on the wire */
    F_ARRAY, /* structs: always `len`, all of them in use */
    /* marks: they hold for the rows behind them, up to the next mark of the kind */
    F_OPTIONAL, /* received records may stop anywhere from here on */
    F_SINCE,    /* sent from version `from` on; behind F_OPTIONAL taken whenever it is there */
    F_ONLY,     /* exists in the versions `from` to `len` only */
};

struct field {
    uint8_t kind; /* enum field_kind */
    uint8_t from; /* from this version on `len2` replaces `len`; 0: never. Marks: see there */
    uint16_t len; /* bytes on the wire; elements of a list */
    uint16_t len2;
    uint16_t at;       /* offset of the member */
    uint16_t stride;   /* size of the member or of one element */
    uint16_t count_at; /* offset of the u32 with the number of elements in use */
    uint8_t unused;    /* what stands in this member of an unused slot */
    const char *name;
    const struct field *(*rows)(void); /* of an element */
    const struct name *names;          /* of the values, for dumps; may be NULL */
};

/* Fills every member of `ret` that the table names; of lists only the elements in use, their count
 * cut to what was there and what the struct holds. */
void fields_decode(const struct field *rows, unsigned version, struct reader *r, void *ret);

void fields_encode(const struct field *rows, unsigned version, const void *from, struct writer *w);

/* Bytes that fields_encode writes. */
size_t fields_size(const struct field *rows, unsigned version, const void *from);

/* Every member that holds a value, of list elements too; `member` is in the struct and may be changed. */
void fields_visit(const struct field *rows, unsigned version, void *record,
                  void (*visit)(void *context, const struct field *row, void *member),
                  void *context);

/* A line per member, `indent` blanks in front; unused list elements are left out. `text` writes a
 * text as people read it (escapes included); NULL takes C escapes. */
void fields_dump(const struct field *rows, unsigned version, const void *from, unsigned indent,
                 void (*text)(struct text t, struct writer *w), struct writer *w);
