#include "wire/boot/dhcp.h"

#include <assert.h>
#include <errno.h>

#define COOKIE       0x63825363u
#define FIXED        236 /* the header of BOOTP, before the cookie */
#define SNAME_AT     44
#define SNAME_SIZE   64
#define FILE_AT      108
#define FILE_SIZE    128
#define OVERLOAD_LEN 3
#define PIECES_MAX   192 /* options in one message; what a phone sends has 12 */

enum kind { KIND_NONE, KIND_U8, KIND_U16, KIND_U32, KIND_IP4, KIND_IPS, KIND_TEXT, KIND_BYTES };

struct row {
    uint8_t code, kind;
    uint16_t offset;
    const char *name;
};

static const struct row rows[] = {
#define OPTION(code, kind, name) {code, KIND_##kind, offsetof(struct dhcp_message, name), #name},
#include "wire/boot/options.def"
#undef OPTION
};

enum {
#define OPTION(code, kind, name) ROW_##name,
#include "wire/boot/options.def"
#undef OPTION
    N_ROWS
};

static const uint8_t row_of[256] = {
/* one more than the index of the row; 0: none */
#define OPTION(code, kind, name) [code] = ROW_##name + 1,
#include "wire/boot/options.def"
#undef OPTION
};

static const char *const type_names[] = {
    "BOOTP", "DISCOVER", "OFFER", "REQUEST", "DECLINE", "ACK", "NAK", "RELEASE", "INFORM",
};

const char *dhcp_type_name(uint8_t type)
{
    return type < sizeof(type_names) / sizeof(*type_names) ? type_names[type] : "?";
}

static void clear(struct dhcp_message *m)
{
    memset(m, 0, offsetof(struct dhcp_message, raw));
}

void dhcp_init(struct dhcp_message *m, enum dhcp_op op, uint32_t xid, struct mac mac)
{
    clear(m);
    m->op = op;
    m->htype = 1;
    m->hlen = sizeof(mac.bytes);
    m->xid = xid;
    m->cookie = true;
    memcpy(m->chaddr, mac.bytes, sizeof(mac.bytes));
}

/* -- decoding ------------------------------------------------------------------------------- */

struct pieces {
    struct dhcp_raw at[PIECES_MAX];
    unsigned n;
    uint64_t once[4], again[4]; /* codes seen; seen more than once */
};

static bool bit(const uint64_t *set, uint8_t code)
{
    return set[code >> 6] >> (code & 63) & 1;
}

static int collect(struct pieces *p, struct reader area)
{
    uint8_t code;

    while (reader_left(&area) && (code = read_u8(&area)) != DHCP_end) {
        struct text value;
        uint64_t *seen;

        if (code == DHCP_pad)
            continue;
        value = read_text(&area, read_u8(&area));
        if (area.bad || p->n == PIECES_MAX)
            return -EBADMSG;
        seen = bit(p->once, code) ? p->again : p->once;
        seen[code >> 6] |= 1ull << (code & 63);
        p->at[p->n++] = (struct dhcp_raw){code, value};
    }
    return 0;
}

static uint32_t number(struct text value, size_t size)
{
    uint32_t n = 0;

    for (size_t i = 0; i < size; i++)
        n = n << 8 | (uint8_t)value.at[i];
    return n;
}

static void store_addresses(struct dhcp_addresses *to, struct text value)
{
    to->n = 0;
    for (; value.len >= 4 && to->n < DHCP_LIST_MAX; value = text_skip(value, 4))
        to->at[to->n++] = number(value, 4);
}

static struct text without_nuls(struct text t)
{
    while (t.len && t.at[t.len - 1] == '\0')
        t.len--;
    return t;
}

static const size_t least[] = {
    [KIND_U8] = 1, [KIND_U16] = 2, [KIND_U32] = 4, [KIND_IP4] = 4, [KIND_IPS] = 4, [KIND_BYTES] = 0,
};

static void store_field(struct dhcp_message *m, const struct row *row, struct text value)
{
    void *field = (char *)m + row->offset;

    if (value.len < least[row->kind]) {
        m->n_bad++;
        return;
    }
    dhcp_mark(m, row->code);
    switch ((enum kind)row->kind) {
    case KIND_U8:
        *(uint8_t *)field = (uint8_t)value.at[0];
        break;
    case KIND_U16:
        *(uint16_t *)field = (uint16_t)number(value, 2);
        break;
    case KIND_U32:
    case KIND_IP4:
        *(uint32_t *)field = number(value, 4);
        break;
    case KIND_IPS:
        store_addresses(field, value);
        break;
    case KIND_TEXT:
        *(struct text *)field = without_nuls(value);
        break;
    case KIND_BYTES:
        *(struct text *)field = value;
        break;
    case KIND_NONE:
        break;
    }
}

static void store(struct dhcp_message *m, uint8_t code, struct text value)
{
    if (row_of[code])
        store_field(m, &rows[row_of[code] - 1], value);
    else if (code == DHCP_relay)
        dhcp_set_relay(m, value);
    else if (code != DHCP_overload)
        dhcp_add_raw(m, code, value);
}

/* The parts of an option that came in several, one after the other (RFC 3396). */
static struct text join(struct dhcp_message *m, const struct pieces *p, unsigned first)
{
    uint8_t code = p->at[first].code, *start = m->joined + m->n_joined;
    struct writer w = writer_of(start, sizeof(m->joined) - m->n_joined);

    for (unsigned i = first; i < p->n; i++)
        if (p->at[i].code == code)
            write_text(&w, p->at[i].value);
    m->n_joined += writer_len(&w);
    return (struct text){(char *)start, writer_len(&w)};
}

static void store_pieces(struct dhcp_message *m, struct pieces *p)
{
    for (unsigned i = 0; i < p->n; i++) {
        uint8_t code = p->at[i].code;

        if (!bit(p->again, code))
            store(m, code, p->at[i].value);
        else if (bit(p->once, code))
            store(m, code, join(m, p, i));
        p->once[code >> 6] &= ~(1ull << (code & 63)); /* its other parts are done */
    }
}

static uint8_t overload(const struct pieces *p)
{
    for (unsigned i = 0; i < p->n; i++)
        if (p->at[i].code == DHCP_overload && p->at[i].value.len)
            return (uint8_t)p->at[i].value.at[0];
    return 0;
}

static int decode_options(struct dhcp_message *m, struct reader area)
{
    struct pieces p;
    uint8_t elsewhere;

    p.n = 0;
    memset(p.once, 0, sizeof(p.once));
    memset(p.again, 0, sizeof(p.again));
    if (collect(&p, area) < 0)
        return -EBADMSG;
    elsewhere = overload(&p);
    if (elsewhere & 1 && collect(&p, reader_of(m->file.at, FILE_SIZE)) < 0)
        return -EBADMSG;
    if (elsewhere & 2 && collect(&p, reader_of(m->sname.at, SNAME_SIZE)) < 0)
        return -EBADMSG;
    if (elsewhere & 1)
        m->file.len = 0;
    if (elsewhere & 2)
        m->sname.len = 0;
    store_pieces(m, &p);
    return 0;
}

static void decode_fixed(struct reader *r, struct dhcp_message *m)
{
    m->op = read_u8(r);
    m->htype = read_u8(r);
    m->hlen = read_u8(r);
    m->hops = read_u8(r);
    m->xid = read_be32(r);
    m->secs = read_be16(r);
    m->flags = read_be16(r);
    m->ciaddr = read_be32(r);
    m->yiaddr = read_be32(r);
    m->siaddr = read_be32(r);
    m->giaddr = read_be32(r);
    memcpy(m->chaddr, read_bytes(r, sizeof(m->chaddr)), sizeof(m->chaddr));
    m->sname = read_text(r, SNAME_SIZE);
    m->file = read_text(r, FILE_SIZE);
}

int dhcp_decode(const void *bytes, size_t len, struct dhcp_message *ret)
{
    struct reader r = reader_of(bytes, len);
    int err = 0;

    clear(ret);
    if (len < FIXED || len > DHCP_MAX_SIZE)
        return -EBADMSG;
    decode_fixed(&r, ret);
    if ((ret->op != DHCP_BOOTREQUEST && ret->op != DHCP_BOOTREPLY) ||
        ret->hlen > sizeof(ret->chaddr))
        return -EBADMSG;
    ret->cookie = reader_left(&r) >= 4 && read_be32(&r) == COOKIE;
    if (ret->cookie)
        err = decode_options(ret, r);
    ret->sname.len = strnlen(ret->sname.at, ret->sname.len);
    ret->file.len = strnlen(ret->file.at, ret->file.len);
    return err;
}

/* -- encoding ------------------------------------------------------------------------------- */

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

static struct text field_bytes(const struct dhcp_message *m, const struct row *row,
                               uint8_t *scratch, size_t size)
{
    const void *field = (const char *)m + row->offset;
    struct writer w = writer_of(scratch, size);

    switch ((enum kind)row->kind) {
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
    uint8_t scratch[4 * DHCP_LIST_MAX], code = rows[i].code;

    if (!bit(left, code))
        return;
    left[code >> 6] &= ~(1ull << (code & 63));
    put(a, code, field_bytes(m, &rows[i], scratch, sizeof(scratch)));
}

static void put_all(struct areas *a, const struct dhcp_message *m)
{
    uint64_t left[4];

    memcpy(left, m->has, sizeof(left));
    for (unsigned i = ROW_type; i <= ROW_lease_s; i++)
        put_row(a, m, i, left);
    for (size_t i = 0; i < m->order.len; i++) {
        uint8_t row = row_of[(uint8_t)m->order.at[i]];

        if (row)
            put_row(a, m, row - 1u, left);
    }
    for (unsigned i = 0; i < N_ROWS; i++)
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
    write_zeroes(w, SNAME_SIZE - m->sname.len);
    write_text(w, m->file);
    write_zeroes(w, FILE_SIZE - m->file.len);
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
    size_t tail = tail_size(m), start = FIXED + 4;
    struct areas a = {0};

    if (size < start + tail)
        return -ENOSPC;
    a.at[AREA_OPTIONS] = writer_of(to + start, size - start - tail);
    a.at[AREA_FILE] = field_area(to + FILE_AT, FILE_SIZE, !m->file.len);
    a.at[AREA_SNAME] = field_area(to + SNAME_AT, SNAME_SIZE, !m->sname.len);
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

    if (size < DHCP_MIN_SIZE || m->sname.len > SNAME_SIZE - 1 || m->file.len > FILE_SIZE - 1)
        return -ENOSPC;
    encode_fixed(&w, m);
    if (m->cookie)
        write_be32(&w, COOKIE);
    n = m->cookie ? encode_options(m, to, size) : FIXED;
    if (n < 0 || n >= DHCP_MIN_SIZE)
        return n;
    memset((uint8_t *)to + n, 0, (size_t)(DHCP_MIN_SIZE - n));
    return DHCP_MIN_SIZE;
}

/* -- questions ------------------------------------------------------------------------------ */

size_t dhcp_room(const struct dhcp_message *request)
{
    size_t room;

    if (!dhcp_has(request, DHCP_max_size) || request->max_size < 576)
        return DHCP_SAFE_SIZE;
    room = request->max_size - 28u; /* the option counts the IP and UDP headers */
    return room < DHCP_MAX_SIZE ? room : DHCP_MAX_SIZE;
}

struct mac dhcp_mac(const struct dhcp_message *m)
{
    struct mac mac = {{0}};

    if (m->htype == 1 && m->hlen == sizeof(mac.bytes))
        memcpy(mac.bytes, m->chaddr, sizeof(mac.bytes));
    return mac;
}

struct text dhcp_find_raw(const struct dhcp_message *m, uint8_t code)
{
    for (unsigned i = 0; dhcp_has(m, code) && i < m->n_raw; i++)
        if (m->raw[i].code == code)
            return m->raw[i].value;
    return (struct text){NULL, 0};
}

void dhcp_add_raw(struct dhcp_message *m, uint8_t code, struct text value)
{
    assert(!row_of[code] && code != DHCP_pad && code != DHCP_end);
    if (m->n_raw == DHCP_RAW_MAX)
        return;
    m->raw[m->n_raw++] = (struct dhcp_raw){code, value};
    dhcp_mark(m, code);
}

bool dhcp_asks(const struct dhcp_message *m, uint8_t code)
{
    return dhcp_has(m, DHCP_parameters) && m->parameters.len &&
           memchr(m->parameters.at, code, m->parameters.len);
}

int dhcp_relay_decode(struct text relay, struct dhcp_relay *ret)
{
    struct reader r = reader_of(relay.at, relay.len);

    memset(ret, 0, sizeof(*ret));
    while (reader_left(&r)) {
        uint8_t code = read_u8(&r);
        struct text value = read_text(&r, read_u8(&r));

        if (r.bad)
            return -EBADMSG;
        if (code == 1)
            ret->circuit_id = value;
        else if (code == 2)
            ret->remote_id = value;
        else if (code == 6)
            ret->subscriber_id = value;
        else if (code == 5 && value.len == 4)
            ret->link_selection = number(value, 4);
        else if (code == 11 && value.len == 4)
            ret->server_override = number(value, 4);
    }
    return 0;
}

/* -- printing ------------------------------------------------------------------------------- */

static void print_ip(struct writer *to, uint32_t ip)
{
    char s[IP_TEXT_MAX];

    write_format(to, " %s", ip_print(ip_v4(ip), s));
}

static void print_bytes(struct writer *to, struct text t)
{
    write_u8(to, ' ');
    for (size_t i = 0; i < t.len; i++)
        write_format(to, "%02x", (uint8_t)t.at[i]);
}

static void print_text(struct writer *to, struct text t)
{
    write_string(to, " \"");
    for (size_t i = 0; i < t.len; i++)
        if (t.at[i] >= ' ' && t.at[i] < 127 && t.at[i] != '"' && t.at[i] != '\\')
            write_u8(to, (uint8_t)t.at[i]);
        else
            write_format(to, "\\x%02x", (uint8_t)t.at[i]);
    write_u8(to, '"');
}

static void print_field(const struct dhcp_message *m, const struct row *row, struct writer *to)
{
    const void *field = (const char *)m + row->offset;

    write_format(to, "%u %s", row->code, row->name);
    switch ((enum kind)row->kind) {
    case KIND_U8:
        write_format(to, " %u", *(const uint8_t *)field);
        break;
    case KIND_U16:
        write_format(to, " %u", *(const uint16_t *)field);
        break;
    case KIND_U32:
        write_format(to, " %u", *(const uint32_t *)field);
        break;
    case KIND_IP4:
        print_ip(to, *(const uint32_t *)field);
        break;
    case KIND_IPS: {
        const struct dhcp_addresses *list = field;

        for (unsigned i = 0; i < list->n; i++)
            print_ip(to, list->at[i]);
        break;
    }
    case KIND_TEXT:
        print_text(to, *(const struct text *)field);
        break;
    case KIND_BYTES:
        print_bytes(to, *(const struct text *)field);
        break;
    case KIND_NONE:
        break;
    }
    write_u8(to, '\n');
}

static void print_address(struct writer *to, const char *name, uint32_t ip)
{
    if (!ip)
        return;
    write_string(to, name);
    print_ip(to, ip);
    write_u8(to, '\n');
}

static void print_fixed(const struct dhcp_message *m, struct writer *to)
{
    write_format(to, "%s %s xid %08x secs %u flags %04x hops %u chaddr",
                 m->op == DHCP_BOOTREQUEST ? "request" : "reply",
                 dhcp_type_name(dhcp_has(m, DHCP_type) ? m->type : DHCP_BOOTP), m->xid, m->secs,
                 m->flags, m->hops);
    print_bytes(to, (struct text){(const char *)m->chaddr, m->hlen});
    write_u8(to, '\n');
    print_address(to, "ciaddr", m->ciaddr);
    print_address(to, "yiaddr", m->yiaddr);
    print_address(to, "siaddr", m->siaddr);
    print_address(to, "giaddr", m->giaddr);
}

static void print_named(struct writer *to, const char *name, struct text t)
{
    if (!t.len)
        return;
    write_string(to, name);
    print_text(to, t);
    write_u8(to, '\n');
}

void dhcp_print(const struct dhcp_message *m, struct writer *to)
{
    print_fixed(m, to);
    print_named(to, "sname", m->sname);
    print_named(to, "file", m->file);
    for (unsigned i = 0; i < N_ROWS; i++)
        if (dhcp_has(m, rows[i].code))
            print_field(m, &rows[i], to);
    for (unsigned i = 0; i < m->n_raw; i++) {
        write_format(to, "%u", m->raw[i].code);
        print_bytes(to, m->raw[i].value);
        write_u8(to, '\n');
    }
    if (dhcp_has(m, DHCP_relay)) {
        write_string(to, "82 relay");
        print_bytes(to, m->relay);
        write_u8(to, '\n');
    }
    if (m->n_bad)
        write_format(to, "%u options too short\n", m->n_bad);
}
