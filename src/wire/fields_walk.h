/* fields_walk.h - what decoding, encoding and dumping a field table share. Inside the fields
 * module. */
#pragma once

#include "wire/fields.h"

#include <endian.h>

/* What the marks passed so far say about the next row. */
struct walk {
    unsigned version;
    unsigned since, first, last;
    bool optional;
};

static inline struct walk walk_of(unsigned version)
{
    return (struct walk){version, 0, 0, UINT8_MAX, false};
}

/* True when `row` was a mark. */
static inline bool walk_mark(struct walk *k, const struct field *row)
{
    switch (row->kind) {
    case F_OPTIONAL:
        k->optional = true;
        return true;
    case F_SINCE:
        k->since = row->from;
        return true;
    case F_ONLY:
        k->first = row->from;
        k->last = row->len;
        return true;
    default:
        return false;
    }
}

static inline bool walk_sends(const struct walk *k)
{
    return k->version >= k->since && k->version >= k->first && k->version <= k->last;
}

/* In the optional part the length of the record decides, not the version. */
static inline bool walk_takes(const struct walk *k)
{
    return (k->optional || k->version >= k->since) && k->version >= k->first &&
           k->version <= k->last;
}

static inline size_t wire_len(const struct field *row, unsigned version)
{
    return row->from && version >= row->from ? row->len2 : row->len;
}

static inline const void *member(const void *from, const struct field *row)
{
    return (const uint8_t *)from + row->at;
}

static inline uint32_t count_of(const void *from, const struct field *row)
{
    uint32_t n;

    memcpy(&n, (const uint8_t *)from + row->count_at, sizeof(n));
    return n;
}

static inline uint32_t load_le(const uint8_t *p, size_t len)
{
    uint32_t v = 0;

    if (len == 4) {
        memcpy(&v, p, 4);
        return le32toh(v);
    }
    return len == 2 ? p[0] | (uint32_t)p[1] << 8 : p[0];
}

static inline void store_le(uint8_t *p, size_t len, uint32_t v)
{
    v = htole32(v);
    memcpy(p, &v, len);
}

static inline uint32_t uint_get(const void *from, const struct field *row)
{
    const void *p = member(from, row);

    switch (row->stride) {
    case 1:
        return *(const uint8_t *)p;
    case 2:
        return *(const uint16_t *)p;
    default:
        return *(const uint32_t *)p;
    }
}

static inline void uint_set(void *ret, const struct field *row, uint32_t v)
{
    void *p = (uint8_t *)ret + row->at;

    switch (row->stride) {
    case 1:
        *(uint8_t *)p = (uint8_t)v;
        break;
    case 2:
        *(uint16_t *)p = (uint16_t)v;
        break;
    default:
        *(uint32_t *)p = v;
    }
}

static inline uint32_t slots_max(const struct field *row)
{
    return row->len2 ? row->len2 : row->len;
}

static inline uint32_t slots_for(const struct field *row, uint32_t used)
{
    return used > row->len ? slots_max(row) : row->len;
}

static inline uint32_t used_of(const struct field *row, const void *from)
{
    uint32_t n = row->kind == F_ARRAY ? row->len : count_of(from, row);

    return n < slots_max(row) ? n : slots_max(row);
}

static inline const void *element(const struct field *row, const void *from, uint32_t i)
{
    return (const uint8_t *)member(from, row) + (size_t)i * row->stride;
}

static inline size_t zstr_len(struct text t)
{
    return t.len ? strnlen(t.at, t.len) : 0;
}

/* Bytes of an element that is not in use. */
size_t fields_unused_size(const struct field *rows, unsigned version);
