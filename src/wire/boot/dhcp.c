#include "wire/boot/dhcp.h"

#include <assert.h>
#include <errno.h>

#include "wire/boot/dhcp_rows.h"

#define PIECES_MAX 192 /* options in one message; what a phone sends has 12 */

const struct dhcp_row dhcp_rows[N_DHCP_ROWS] = {
#define OPTION(code, kind, name) {code, KIND_##kind, offsetof(struct dhcp_message, name), #name},
#include "wire/boot/options.def"
#undef OPTION
};

const uint8_t dhcp_row_of[256] = {
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
        seen = dhcp_bit(p->once, code) ? p->again : p->once;
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

static void store_field(struct dhcp_message *m, const struct dhcp_row *row, struct text value)
{
    void *field = (char *)m + row->offset;

    if (value.len < least[row->kind]) {
        m->n_bad++;
        return;
    }
    dhcp_mark(m, row->code);
    switch ((enum dhcp_kind)row->kind) {
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
    if (dhcp_row_of[code])
        store_field(m, &dhcp_rows[dhcp_row_of[code] - 1], value);
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

        if (!dhcp_bit(p->again, code))
            store(m, code, p->at[i].value);
        else if (dhcp_bit(p->once, code))
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
    if (elsewhere & 1 && collect(&p, reader_of(m->file.at, DHCP_FILE_SIZE)) < 0)
        return -EBADMSG;
    if (elsewhere & 2 && collect(&p, reader_of(m->sname.at, DHCP_SNAME_SIZE)) < 0)
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
    m->sname = read_text(r, DHCP_SNAME_SIZE);
    m->file = read_text(r, DHCP_FILE_SIZE);
}

int dhcp_decode(const void *bytes, size_t len, struct dhcp_message *ret)
{
    struct reader r = reader_of(bytes, len);
    int err = 0;

    clear(ret);
    if (len < DHCP_FIXED || len > DHCP_MAX_SIZE)
        return -EBADMSG;
    decode_fixed(&r, ret);
    if ((ret->op != DHCP_BOOTREQUEST && ret->op != DHCP_BOOTREPLY) ||
        ret->hlen > sizeof(ret->chaddr))
        return -EBADMSG;
    ret->cookie = reader_left(&r) >= 4 && read_be32(&r) == DHCP_COOKIE;
    if (ret->cookie)
        err = decode_options(ret, r);
    ret->sname.len = strnlen(ret->sname.at, ret->sname.len);
    ret->file.len = strnlen(ret->file.at, ret->file.len);
    return err;
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
    assert(!dhcp_row_of[code] && code != DHCP_pad && code != DHCP_end);
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
