/* fields_encode.c - from a struct to bytes, and how many, by its table. */
#include "wire/fields_walk.h"

static void put_uint(struct writer *w, size_t len, uint32_t v)
{
    uint8_t *p = write_room(w, len);

    if (p)
        store_le(p, len, v);
}

static void put_zeroes(struct writer *w, size_t len)
{
    uint8_t *p = write_room(w, len);

    if (p)
        memset(p, 0, len);
}

static void put_field(struct writer *w, size_t field_len, const void *bytes, size_t n)
{
    uint8_t *p = write_room(w, field_len);

    if (!p)
        return;
    if (n > field_len)
        n = field_len;
    if (n)
        memcpy(p, bytes, n);
    memset(p + n, 0, field_len - n);
}

static void put_addr(struct writer *w, size_t len, const struct ip *ip)
{
    if (len > 4) {
        put_uint(w, 4, ip->family == 6);
        put_field(w, len - 4, ip->bytes, ip->family == 6 ? 16 : 4);
    } else {
        static const uint8_t none[4];

        put_field(w, 4, ip->family == 6 ? none : ip->bytes, 4);
    }
}

/* The last byte of a fixed field stays a NUL; a character is not cut in two. */
static void put_str(struct writer *w, size_t len, const char *s)
{
    size_t n = strnlen(s, len);

    if (n == len)
        for (n--; n > 0 && n + 4 > len && ((uint8_t)s[n] & 0xc0) == 0x80; n--)
            ;
    put_field(w, len, s, n);
}

static void put_zstr(struct writer *w, struct text t)
{
    size_t n = zstr_len(t);

    put_field(w, n + 1, t.at, n);
}

static void put_unused(const struct field *rows, unsigned version, struct writer *w)
{
    struct walk k = walk_of(version);

    for (const struct field *row = rows; row->kind != F_END; row++) {
        if (walk_mark(&k, row) || !walk_sends(&k))
            continue;
        if (row->kind == F_UINT)
            put_uint(w, wire_len(row, version), row->unused);
        else if (row->rows)
            for (unsigned i = 0; i < row->len; i++)
                put_unused(row->rows(), version, w);
        else
            put_zeroes(w, wire_len(row, version));
    }
}

/* All alike: made once, then copied. */
static void put_unused_slots(const struct field *rows, unsigned version, uint32_t n,
                             struct writer *w)
{
    const uint8_t *first = w->at;
    size_t size;
    uint8_t *p;

    put_unused(rows, version, w);
    size = (size_t)(w->at - first);
    p = write_room(w, size * (n - 1));
    for (uint32_t i = 1; p && i < n; i++)
        memcpy(p + (i - 1) * size, first, size);
}

static void put_list(const struct field *row, unsigned version, const void *from, struct writer *w)
{
    const struct field *rows = row->rows();
    uint32_t used = used_of(row, from);

    for (uint32_t i = 0; i < used; i++)
        fields_encode(rows, version, element(row, from, i), w);
    if (row->kind == F_SLOTS && used < slots_for(row, used))
        put_unused_slots(rows, version, slots_for(row, used) - used, w);
}

static void put_u16s(struct writer *w, size_t len, const uint16_t *from)
{
    uint8_t *p = write_room(w, len);

    for (size_t i = 0; p && i < len / 2; i++)
        store_le(p + 2 * i, 2, from[i]);
}

static void encode_row(const struct field *row, unsigned version, const void *from,
                       struct writer *w)
{
    const void *p = member(from, row);
    size_t len = wire_len(row, version);
    const struct text *t = p;

    switch (row->kind) {
    case F_UINT:
    case F_LINE:
        put_uint(w, len, uint_get(from, row));
        break;
    case F_U16S:
        put_u16s(w, len, p);
        break;
    case F_IP4:
    case F_ADDR:
        put_addr(w, len, p);
        break;
    case F_IP6:
        put_field(w, 16, ((const struct ip *)p)->bytes,
                  ((const struct ip *)p)->family == 6 ? 16 : 0);
        break;
    case F_STR:
        put_str(w, len, p);
        break;
    case F_ZSTR:
        put_zstr(w, *t);
        break;
    case F_LEN:
        put_uint(w, 4, (uint32_t)t->len);
        break;
    case F_DATA:
    case F_RAW:
        put_field(w, t->len, t->at, t->len);
        break;
    case F_BLOCK:
        if (t->len)
            put_field(w, len, t->at, t->len);
        break;
    case F_BYTES:
        put_field(w, len, p, len);
        break;
    case F_PAD:
        put_zeroes(w, len);
        break;
    default:
        put_list(row, version, from, w);
    }
}

void fields_encode(const struct field *rows, unsigned version, const void *from, struct writer *w)
{
    struct walk k = walk_of(version);

    for (const struct field *row = rows; row->kind != F_END; row++)
        if (!walk_mark(&k, row) && walk_sends(&k))
            encode_row(row, version, from, w);
}

/* --- size --- */

size_t fields_unused_size(const struct field *rows, unsigned version)
{
    struct walk k = walk_of(version);
    size_t size = 0;

    for (const struct field *row = rows; row->kind != F_END; row++) {
        if (walk_mark(&k, row) || !walk_sends(&k))
            continue;
        size += row->rows ? row->len * fields_unused_size(row->rows(), version)
                          : wire_len(row, version);
    }
    return size;
}

static size_t list_size(const struct field *row, unsigned version, const void *from)
{
    const struct field *rows = row->rows();
    uint32_t used = used_of(row, from);
    size_t size = 0;

    for (uint32_t i = 0; i < used; i++)
        size += fields_size(rows, version, element(row, from, i));
    if (row->kind == F_SLOTS)
        size += (slots_for(row, used) - used) * fields_unused_size(rows, version);
    return size;
}

static size_t row_size(const struct field *row, unsigned version, const void *from)
{
    const struct text *t = member(from, row);

    switch (row->kind) {
    case F_ZSTR:
        return zstr_len(*t) + 1;
    case F_DATA:
    case F_RAW:
        return t->len;
    case F_BLOCK:
        return t->len ? row->len : 0;
    case F_LIST:
    case F_SLOTS:
    case F_ARRAY:
        return list_size(row, version, from);
    default:
        return wire_len(row, version);
    }
}

size_t fields_size(const struct field *rows, unsigned version, const void *from)
{
    struct walk k = walk_of(version);
    size_t size = 0;

    for (const struct field *row = rows; row->kind != F_END; row++)
        if (!walk_mark(&k, row) && walk_sends(&k))
            size += row_size(row, version, from);
    return size;
}
