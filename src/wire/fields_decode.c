/* fields_decode.c - from bytes to a struct, by its table. */
#include "wire/fields_walk.h"

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
        size_t rest = (slots_for(row, wanted) - n) * fields_unused_size(rows, version);

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
