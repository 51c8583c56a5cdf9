/* dhcp_encode.c - DHCP messages to bytes: three areas, options in parts. */
#include <errno.h>

#include "wire/boot/dhcp_rows.h"

#define SNAME_AT     44
#define FILE_AT      108
#define OVERLOAD_LEN 3

enum { AREA_OPTIONS, AREA_FILE, AREA_SNAME, N_AREAS };

struct areas {
    struct writer at[N_AREAS];
    bool full;
};

/* The first area from `*area` on with room for `n` octets of value. */
static bool has_room(const struct areas *a, int *area, size_t n)
{
    for (int i = *area; i < N_AREAS; i++)
        if (writer_left(&a->at[i]) >= n + 2) {
            *area = i;
            return true;
        }
    return false;
}

/* An option goes to the first area with room for it, in parts only when there is none; a later part
 * never stands in an earlier area (RFC 3396 7). */
static void put(struct areas *a, uint8_t code, struct text value)
{
    int area = 0;

    do {
        size_t n = value.len < 255 ? value.len : 255;

        if (!has_room(a, &area, n)) {
            if (!n || !has_room(a, &area, 1)) {
                a->full = true;
                return;
            }
            n = writer_left(&a->at[area]) - 2;
        }
        write_u8(&a->at[area], code);
        write_u8(&a->at[area], (uint8_t)n);
        write_bytes(&a->at[area], value.at, n);
        value = text_skip(value, n);
    } while (value.len);
}

static struct text field_bytes(const struct dhcp_message *m, const struct dhcp_row *row,
                               uint8_t *scratch, size_t size)
{
    const void *field = (const char *)m + row->offset;
    struct writer w = writer_of(scratch, size);

    switch ((enum dhcp_kind)row->kind) {
    case KIND_U8:
        write_u8(&w, *(const uint8_t *)field);
        break;
    case KIND_U16:
        write_be16(&w, *(const uint16_t *)field);
        break;
    case KIND_U32:
    case KIND_IP4:
        write_be32(&w, *(const uint32_t *)field);
        break;
    case KIND_IPS: {
        const struct dhcp_addresses *list = field;

        for (unsigned i = 0; i < list->n && i < DHCP_LIST_MAX; i++)
            write_be32(&w, list->at[i]);
        break;
    }
    case KIND_TEXT:
    case KIND_BYTES:
        return *(const struct text *)field;
    case KIND_NONE:
        break;
    }
    return (struct text){(const char *)scratch, writer_len(&w)};
}

static void put_row(struct areas *a, const struct dhcp_message *m, unsigned i, uint64_t *left)
{
    uint8_t scratch[4 * DHCP_LIST_MAX], code = dhcp_rows[i].code;

    if (!dhcp_bit(left, code))
        return;
    left[code >> 6] &= ~(1ull << (code & 63));
    put(a, code, field_bytes(m, &dhcp_rows[i], scratch, sizeof(scratch)));
}

static void put_all(struct areas *a, const struct dhcp_message *m)
{
    uint64_t left[4];

    memcpy(left, m->has, sizeof(left));
    for (unsigned i = ROW_type; i <= ROW_lease_s; i++)
        put_row(a, m, i, left);
    for (size_t i = 0; i < m->order.len; i++) {
        uint8_t row = dhcp_row_of[(uint8_t)m->order.at[i]];

        if (row)
            put_row(a, m, row - 1u, left);
    }
    for (unsigned i = 0; i < N_DHCP_ROWS; i++)
        put_row(a, m, i, left);
    for (unsigned i = 0; i < m->n_raw; i++)
        put(a, m->raw[i].code, m->raw[i].value);
}

static void encode_fixed(struct writer *w, const struct dhcp_message *m)
{
    write_u8(w, m->op);
    write_u8(w, m->htype);
    write_u8(w, m->hlen);
    write_u8(w, m->hops);
    write_be32(w, m->xid);
    write_be16(w, m->secs);
    write_be16(w, m->flags);
    write_be32(w, m->ciaddr);
    write_be32(w, m->yiaddr);
    write_be32(w, m->siaddr);
    write_be32(w, m->giaddr);
    write_bytes(w, m->chaddr, sizeof(m->chaddr));
    write_text(w, m->sname);
    write_zeroes(w, DHCP_SNAME_SIZE - m->sname.len);
    write_text(w, m->file);
    write_zeroes(w, DHCP_FILE_SIZE - m->file.len);
}

/* Room for the END, for option 52 and for option 82, all of which stand last in the options area.
 */
static size_t tail_size(const struct dhcp_message *m)
{
    size_t n = dhcp_has(m, DHCP_relay) ? m->relay.len : 0;

    return 1 + OVERLOAD_LEN + n + 2 * (n / 255 + 1);
}

static struct writer field_area(uint8_t *to, size_t n, bool usable)
{
    return writer_of(to, usable ? n - 1 : 0); /* the last octet is for the END */
}

static void put_overload(struct areas *a)
{
    uint8_t which = 0;

    for (int i = AREA_FILE; i < N_AREAS; i++)
        if (writer_len(&a->at[i])) {
            *a->at[i].at = DHCP_end;
            which |= (uint8_t)i;
        }
    if (which)
        put(a, DHCP_overload, (struct text){(char *)&which, 1});
}

static int encode_options(const struct dhcp_message *m, uint8_t *to, size_t size)
{
    size_t tail = tail_size(m), start = DHCP_FIXED + 4;
    struct areas a = {0};

    if (size < start + tail)
        return -ENOSPC;
    a.at[AREA_OPTIONS] = writer_of(to + start, size - start - tail);
    a.at[AREA_FILE] = field_area(to + FILE_AT, DHCP_FILE_SIZE, !m->file.len);
    a.at[AREA_SNAME] = field_area(to + SNAME_AT, DHCP_SNAME_SIZE, !m->sname.len);
    put_all(&a, m);
    if (a.full)
        return -ENOSPC;
    a.at[AREA_OPTIONS].end += tail - 1;
    put_overload(&a);
    if (dhcp_has(m, DHCP_relay))
        put(&a, DHCP_relay, m->relay);
    *a.at[AREA_OPTIONS].at++ = DHCP_end;
    return (int)(a.at[AREA_OPTIONS].at - to);
}

int dhcp_encode(const struct dhcp_message *m, void *to, size_t size)
{
    struct writer w = writer_of(to, size);
    int n;

    if (size < DHCP_MIN_SIZE || m->sname.len > DHCP_SNAME_SIZE - 1 ||
        m->file.len > DHCP_FILE_SIZE - 1)
        return -ENOSPC;
    encode_fixed(&w, m);
    if (m->cookie)
        write_be32(&w, DHCP_COOKIE);
    n = m->cookie ? encode_options(m, to, size) : DHCP_FIXED;
    if (n < 0 || n >= DHCP_MIN_SIZE)
        return n;
    memset((uint8_t *)to + n, 0, (size_t)(DHCP_MIN_SIZE - n));
    return DHCP_MIN_SIZE;
}
