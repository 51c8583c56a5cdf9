/* fields.c - walks field tables. */
#include "wire/fields.h"

#include <assert.h>
#include <endian.h>

/* What the marks passed so far say about the next row. */
struct walk {
    unsigned version;
    unsigned since, first, last;
    bool optional;
};

static struct walk walk_of(unsigned version)
{
    return (struct walk){version, 0, 0, UINT8_MAX, false};
}

/* True when `row` was a mark. */
static bool walk_mark(struct walk *k, const struct field *row)
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

static bool walk_sends(const struct walk *k)
{
    return k->version >= k->since && k->version >= k->first && k->version <= k->last;
}

/* In the optional part the length of the record decides, not the version. */
static bool walk_takes(const struct walk *k)
{
    return (k->optional || k->version >= k->since) && k->version >= k->first &&
           k->version <= k->last;
}

static size_t wire_len(const struct field *row, unsigned version)
{
    return row->from && version >= row->from ? row->len2 : row->len;
}

static const void *member(const void *from, const struct field *row)
{
    return (const uint8_t *)from + row->at;
}

static uint32_t count_of(const void *from, const struct field *row)
{
    uint32_t n;

    memcpy(&n, (const uint8_t *)from + row->count_at, sizeof(n));
    return n;
}

static uint32_t load_le(const uint8_t *p, size_t len)
{
    uint32_t v = 0;

    if (len == 4) {
        memcpy(&v, p, 4);
        return le32toh(v);
    }
    return len == 2 ? p[0] | (uint32_t)p[1] << 8 : p[0];
}

static void store_le(uint8_t *p, size_t len, uint32_t v)
{
    v = htole32(v);
    memcpy(p, &v, len);
}

static uint32_t uint_get(const void *from, const struct field *row)
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

static void uint_set(void *ret, const struct field *row, uint32_t v)
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

/* ---- decode ---- */

/* Up to `len` bytes; fewer at the end of the record, which is bad unless they are optional. */
static size_t take(struct reader *r, size_t len, bool optional, const uint8_t **at)
{
    size_t left = reader_left(r);

    *at = r->at;
    if (left < len) {
        r->bad |= !optional;
        len = left;
    }
    r->at += len;
    return len;
}

static uint32_t take_uint(struct reader *r, size_t len, bool optional)
{
    const uint8_t *p;

    return take(r, len, optional, &p) == len ? load_le(p, len) : 0;
}

static void take_ip(struct reader *r, uint8_t family, size_t len, bool optional, struct ip *ret)
{
    const uint8_t *p;

    memset(ret, 0, sizeof(*ret));
    if (take(r, len, optional, &p) == len && family) {
        ret->family = family;
        memcpy(ret->bytes, p, family == 4 ? 4 : 16);
    }
}

/* Address types: 0 IPv4, 1 IPv6, 2 both (the IPv6 one is there), 3 none. */
static void take_addr(struct reader *r, size_t len, bool optional, struct ip *ret)
{
    static const uint8_t families[] = {4, 6, 6, 0};
    uint32_t type = 0;

    if (len > 4) {
        type = take_uint(r, 4, optional);
        len -= 4;
    }
    take_ip(r, type < 4 ? families[type] : 0, len, optional, ret);
}

static void take_str(struct reader *r, size_t len, bool optional, char *to)
{
    const uint8_t *p;
    size_t n = take(r, len, optional, &p);

    n = n ? strnlen((const char *)p, n) : 0;
    memcpy(to, p, n);
    to[n] = 0;
}

/* A text up to its NUL, which is skipped; the end of the record ends it too. */
static struct text take_zstr(struct reader *r, bool optional)
{
    struct text t = {(const char *)r->at, 0};
    size_t left = reader_left(r);

    if (!left) {
        r->bad |= !optional;
        return TEXT("");
    }
    t.len = strnlen(t.at, left);
    r->at += t.len + (t.len < left);
    return t;
}

static struct text take_data(struct reader *r, size_t field_len, size_t used, bool optional)
{
    const uint8_t *p;
    size_t n = take(r, field_len, optional, &p);

    return (struct text){(const char *)p, used < n ? used : n};
}

/* Behind a packed 25 byte number the line follows at once or at the next multiple of four: phones
 * do both. No line has a number above 65535; such a value is the aligned one seen from the wrong
 * place. */
static uint32_t take_line(struct reader *r, const uint8_t *start, bool optional)
{
    size_t gap = (size_t) - (r->at - start) & 3;
    uint32_t line;

    if (reader_left(r) >= gap + 4) {
        line = load_le(r->at, 4);
        if (line == 0 || line > UINT16_MAX)
            r->at += gap;
    }
    line = take_uint(r, 4, optional);
    return line > UINT16_MAX ? 0 : line;
}

/* Bytes of an element that is not in use. */
static size_t unused_size(const struct field *rows, unsigned version)
{
    struct walk k = walk_of(version);
    size_t size = 0;

    for (const struct field *row = rows; row->kind != F_END; row++) {
        if (walk_mark(&k, row) || !walk_sends(&k))
            continue;
        size += row->rows ? row->len * unused_size(row->rows(), version) : wire_len(row, version);
    }
    return size;
}

static uint32_t slots_max(const struct field *row)
{
    return row->len2 ? row->len2 : row->len;
}

static uint32_t slots_for(const struct field *row, uint32_t used)
{
    return used > row->len ? slots_max(row) : row->len;
}

static void decode_rows(const struct field *rows, unsigned version, bool optional, struct reader *r,
                        void *ret);

static void decode_array(const struct field *row, const struct walk *k, struct reader *r, void *ret)
{
    const struct field *rows = row->rows();

    for (unsigned i = 0; i < row->len; i++)
        decode_rows(rows, k->version, k->optional, r,
                    (uint8_t *)ret + row->at + (size_t)i * row->stride);
}

/* A last element that is cut off does not count. */
static void decode_list(const struct field *row, unsigned version, struct reader *r, void *ret)
{
    const struct field *rows = row->rows();
    uint32_t n = 0, wanted = count_of(ret, row);
    bool bad = r->bad;

    if (wanted > slots_max(row))
        wanted = slots_max(row);
    for (; n < wanted && reader_left(r); n++) {
        fields_decode(rows, version, r, (uint8_t *)ret + row->at + (size_t)n * row->stride);
        if (r->bad && !bad) {
            r->bad = false;
            break;
        }
    }
    memcpy((uint8_t *)ret + row->count_at, &n, sizeof(n));
    if (row->kind == F_SLOTS) {
        size_t rest = (slots_for(row, wanted) - n) * unused_size(rows, version);

        r->at += rest < reader_left(r) ? rest : reader_left(r);
    }
}

static void take_u16s(struct reader *r, size_t len, bool optional, uint16_t *to)
{
    for (size_t i = 0; i < len / 2; i++)
        to[i] = (uint16_t)take_uint(r, 2, optional);
}

static void decode_row(const struct field *row, const struct walk *k, struct reader *r,
                       const uint8_t *start, void *ret)
{
    void *to = (uint8_t *)ret + row->at;
    size_t len = wire_len(row, k->version);
    const uint8_t *p;
    size_t n;

    switch (row->kind) {
    case F_UINT:
        uint_set(ret, row, take_uint(r, len, k->optional));
        break;
    case F_LINE:
        uint_set(ret, row, take_line(r, start, k->optional));
        break;
    case F_U16S:
        take_u16s(r, len, k->optional, to);
        break;
    case F_IP4:
        take_ip(r, 4, 4, k->optional, to);
        break;
    case F_IP6:
        take_ip(r, 6, 16, k->optional, to);
        break;
    case F_ADDR:
        take_addr(r, len, k->optional, to);
        break;
    case F_STR:
        take_str(r, len, k->optional, to);
        break;
    case F_ZSTR:
        *(struct text *)to = take_zstr(r, k->optional);
        break;
    case F_LEN:
        *(struct text *)to = (struct text){"", take_uint(r, 4, k->optional)};
        break;
    case F_DATA:
        n = ((struct text *)to)->len;
        *(struct text *)to = take_data(r, n, n, k->optional);
        break;
    case F_BLOCK:
        *(struct text *)to = take_data(r, len, ((struct text *)to)->len, true);
        break;
    case F_RAW:
        n = take(r, reader_left(r), true, &p);
        *(struct text *)to = (struct text){(const char *)p, n};
        break;
    case F_BYTES:
        n = take(r, len, k->optional, &p);
        memcpy(to, p, n);
        memset((uint8_t *)to + n, 0, len - n);
        break;
    case F_PAD:
        take(r, len, k->optional, &p);
        break;
    case F_ARRAY:
        decode_array(row, k, r, ret);
        break;
    default:
        decode_list(row, k->version, r, ret);
    }
}

/* A member that this version has not: zero, as if the record had ended. */
static void clear_row(const struct field *row, const struct walk *k, void *ret)
{
    static const struct walk missing = {.optional = true};
    struct reader none = reader_of("", 0);

    if (row->kind != F_DATA && row->kind != F_BLOCK) /* of one text: F_LEN has set it */
        decode_row(row, &missing, &none, none.at, ret);
}

static void decode_rows(const struct field *rows, unsigned version, bool optional, struct reader *r,
                        void *ret)
{
    struct walk k = walk_of(version);
    const uint8_t *start = r->at;

    k.optional = optional;
    for (const struct field *row = rows; row->kind != F_END; row++) {
        if (walk_mark(&k, row))
            continue;
        if (walk_takes(&k))
            decode_row(row, &k, r, start, ret);
        else
            clear_row(row, &k, ret);
    }
}

void fields_decode(const struct field *rows, unsigned version, struct reader *r, void *ret)
{
    decode_rows(rows, version, false, r, ret);
}

/* ---- encode ---- */

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

static size_t zstr_len(struct text t)
{
    return t.len ? strnlen(t.at, t.len) : 0;
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

static uint32_t used_of(const struct field *row, const void *from)
{
    uint32_t n = row->kind == F_ARRAY ? row->len : count_of(from, row);

    return n < slots_max(row) ? n : slots_max(row);
}

static const void *element(const struct field *row, const void *from, uint32_t i)
{
    return (const uint8_t *)member(from, row) + (size_t)i * row->stride;
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

/* ---- size ---- */

static size_t list_size(const struct field *row, unsigned version, const void *from)
{
    const struct field *rows = row->rows();
    uint32_t used = used_of(row, from);
    size_t size = 0;

    for (uint32_t i = 0; i < used; i++)
        size += fields_size(rows, version, element(row, from, i));
    if (row->kind == F_SLOTS)
        size += (slots_for(row, used) - used) * unused_size(rows, version);
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

/* ---- dump ---- */

static void dump_escaped(struct text t, struct writer *w)
{
    for (size_t i = 0; i < t.len; i++) {
        uint8_t c = (uint8_t)t.at[i];

        if (c == '"' || c == '\\')
            write_format(w, "\\%c", c);
        else if (c < 0x20 || c >= 0x7f)
            write_format(w, "\\x%02x", c);
        else
            write_u8(w, c);
    }
}

static void dump_text(struct text t, void (*text)(struct text t, struct writer *w),
                      struct writer *w)
{
    write_string(w, "\"");
    (text ? text : dump_escaped)(t, w);
    write_string(w, "\"");
}

static void dump_uint(const struct field *row, uint32_t v, struct writer *w)
{
    const char *name = row->names ? names_print(row->names, v) : NULL;

    write_format(w, "%u", v);
    if (name)
        write_format(w, " (%s)", name);
    else if (v > 0xffff)
        write_format(w, " (0x%x)", v);
}

static void dump_bytes(const uint8_t *p, size_t n, struct writer *w)
{
    for (size_t i = 0; i < n; i++)
        write_format(w, "%02x", p[i]);
}

static void dump_u16s(const uint16_t *p, size_t n, struct writer *w)
{
    for (size_t i = 0; i < n; i++)
        write_format(w, i ? " %u" : "%u", p[i]);
}

static void dump_value(const struct field *row, unsigned version, const void *from,
                       void (*text)(struct text t, struct writer *w), struct writer *w)
{
    const void *p = member(from, row);
    char ip[IP_TEXT_MAX];

    switch (row->kind) {
    case F_UINT:
    case F_LINE:
        dump_uint(row, uint_get(from, row), w);
        break;
    case F_IP4:
    case F_IP6:
    case F_ADDR:
        write_string(w,
                     ((const struct ip *)p)->family ? ip_print(*(const struct ip *)p, ip) : "none");
        break;
    case F_STR:
        dump_text(text_of(p), text, w);
        break;
    case F_U16S:
        dump_u16s(p, row->len / 2, w);
        break;
    case F_BYTES:
        dump_bytes(p, row->len, w);
        break;
    default:
        dump_text(*(const struct text *)p, text, w);
    }
}

static void dump_name(unsigned indent, const char *name, struct writer *w)
{
    write_format(w, "%*s%s", (int)indent, "", name);
}

static void dump_list(const struct field *row, unsigned version, const void *from, unsigned indent,
                      void (*text)(struct text t, struct writer *w), struct writer *w)
{
    uint32_t used = used_of(row, from);

    for (uint32_t i = 0; i < used; i++) {
        dump_name(indent, row->name, w);
        if (row->kind == F_ARRAY && used == 1)
            write_string(w, ":\n");
        else
            write_format(w, "[%u]:\n", i);
        fields_dump(row->rows(), version, element(row, from, i), indent + 2, text, w);
    }
}

static bool is_list(const struct field *row)
{
    return row->kind == F_LIST || row->kind == F_SLOTS || row->kind == F_ARRAY;
}

static bool all_zero(const uint8_t *p, size_t n)
{
    while (n > 0 && !p[n - 1])
        n--;
    return n == 0;
}

/* What this version does not send is shown when it was received all the same. */
static bool shows(const struct walk *k, const struct field *row, const void *from)
{
    const void *p = member(from, row);

    if (row->kind == F_PAD || row->kind == F_LEN)
        return false;
    if (walk_sends(k) || !walk_takes(k))
        return walk_sends(k);
    switch (row->kind) {
    case F_STR:
        return *(const char *)p;
    case F_ZSTR:
        return ((const struct text *)p)->len;
    case F_IP4:
    case F_IP6:
    case F_ADDR:
        return !ip_is_any(*(const struct ip *)p);
    default:
        return !all_zero(p, row->stride);
    }
}

void fields_dump(const struct field *rows, unsigned version, const void *from, unsigned indent,
                 void (*text)(struct text t, struct writer *w), struct writer *w)
{
    struct walk k = walk_of(version);

    for (const struct field *row = rows; row->kind != F_END; row++) {
        if (walk_mark(&k, row) || !shows(&k, row, from))
            continue;
        if (is_list(row)) {
            dump_list(row, version, from, indent, text, w);
            continue;
        }
        dump_name(indent, row->name, w);
        write_string(w, " ");
        dump_value(row, version, from, text, w);
        write_string(w, "\n");
    }
}
